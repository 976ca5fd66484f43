#!/usr/bin/env bats
# Tasks that do what no task should: whatever it is, leat tells it as it was, goes on, and
# leaves nothing behind.
load ../cli/helper

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	export MARK=$BATS_TEST_TMPDIR
}

clean_up() {
	if jobs -pr | grep -qx "${leat:-none}"; then kill -KILL "$leat"; fi
	: >enough
	exec 7>&-
	[ -z "${aside-}" ] || rm -rf "$aside"
	if mountpoint -q small; then umount small; fi
}

# The processes that a task with "export MARK" has left.
left() {
	grep -lzx "LEFT=$MARK" /proc/[0-9]*/environ 2>/dev/null || :
}

@test "a task that dies of a signal, whichever, is told with its number" {
	for signal in $(seq 31) 35 64; do
		# Nobody dies of these.
		case $signal in 17 | 18 | 19 | 20 | 21 | 22 | 23 | 28) continue ;; esac
		echo "puppet die $signal"
	done >in
	ulimit -c 0
	run leat -k -j4 -a in
	[ "$status" -eq 123 ]
	[[ "${lines[-1]}" == "leat: 25 tasks in "*": 25 crashed, 0 unrun" ]]
	diff <(sed 's/puppet die //' in) <(sed -n 's/^leat: task [0-9]*: signal \([0-9]*\): .*/\1/p' <<<"$output")
}

@test "a task that gets a signal that nobody dies of goes on" {
	for signal in CHLD CONT URG WINCH; do echo "kill -$signal \$\$; echo alive"; done >in
	run leat -a in
	[ "$status" -eq 0 ]
	[ "$output" = "$(yes alive | head -n 4)" ]
}

@test "a core that was dumped is there, and is told" {
	[[ "$(cat /proc/sys/kernel/core_pattern)" == core* ]] || skip "cores are somebody else's here"
	ulimit -c unlimited 2>/dev/null || skip "cores can't be allowed here"
	run leat <<<'puppet die ABRT'
	[ "$status" -eq 123 ]
	[ "${lines[0]}" = "leat: task 1: signal 6 (core dumped): puppet die ABRT" ]
	[ -n "$(find . -name 'core*' -size +0)" ]
}

@test "a task that has closed its output is waited for, and told as it ends" {
	mkfifo started
	exec 8<>started
	close_gate
	start_leat ::: 'puppet say early mute tell started x pass gate exit 7' 7>&- 8>&-
	read -r -t 30 _ <&8
	kill -0 "$leat"
	open_gate
	finish_leat
	[ "$status" -eq 123 ]
	[ "$(cat out)" = early ]
	[[ "$rest" == "leat: task 1: exit 7: puppet"* ]]
}

@test "a task that has closed its output, left its session and lost its parent is ended by a timeout" {
	run leat --timeout 0.3s --kill-after 0 -c "export LEFT=$MARK; \$1" ::: \
		'puppet ignore TERM fork setsid mute fork hold end end mute hold' \
		'puppet fork setsid fork setsid ignore TERM mute hold end end mute hold'
	[ "$status" -eq 123 ]
	[[ "$output" == *": 2 timed out, 0 unrun" ]]
	[ -z "$(left)" ]
}

@test "a task that forks without end, each in a session of its own and deaf to SIGTERM: none is left" {
	printf '%s\n' '#!/bin/sh' '[ -e enough ] || setsid ./fork &' >fork
	chmod +x fork
	run timeout -s KILL 40 leat -j4 --timeout 0.2s --kill-after 0.1s -c "export LEFT=$MARK; trap '' TERM; ./fork; exec sleep 600" ::: 1 2 3 4
	[ "$status" -eq 123 ]
	[[ "$output" == *": 4 timed out, 0 unrun" ]]
	[ -z "$(left)" ]
}

@test "the same, canceled" {
	mkfifo started
	exec 8<>started
	printf '%s\n' '#!/bin/sh' '[ -e enough ] || setsid ./fork &' >fork
	chmod +x fork
	start_leat -j4 --kill-after 0.1s -c "export LEFT=$MARK; trap '' TERM; ./fork; echo x >started; exec sleep 600" ::: 1 2 3 4 8>&-
	for _ in 1 2 3 4; do read -r -t 30 _ <&8; done
	kill -TERM "$leat"
	timeout 40 tail -f --pid="$leat" /dev/null || kill -KILL "$leat"
	finish_leat
	[ "$status" -eq 143 ]
	[[ "$rest" == *": 4 canceled, 0 unrun" ]]
	[ -z "$(left)" ]
}

@test "a task that grows a broad tree: all of it is ended" {
	run leat --timeout 0.5s --kill-after 0.1s <<<"export LEFT=$MARK; for i in \$(seq 150); do setsid sleep 600 & done; trap '' TERM; while :; do sleep 600 & wait; done"
	[ "$status" -eq 123 ]
	[[ "$output" == *": 1 timed out, 0 unrun" ]]
	[ -z "$(left)" ]
}

@test "a task that changes the modes of its terminal (--pty) leaves that of leat as it was" {
	command -v script >/dev/null || skip "script is not installed"
	script -qec 'stty -g >before; leat --pty ::: "stty raw -isig <&1; stty -a <&1"; stty -g >after' /dev/null >out </dev/null
	grep -q -e '-isig -icanon' out
	diff before after
}

@test "a task without end is ended by its timeout, and memory stays bounded" {
	not_sanitized "the sanitizers need more memory"
	for option in '' -k --line-buffer --tag --pty; do
		# What grows without bound finds this limit.
		# shellcheck disable=SC2086
		run bash -c "ulimit -d 150000; leat -j2 $option --timeout 0.5s ::: 'yes a' 'tr \"\\\\0\" x </dev/zero' 'grep VmHWM /proc/\$LEAT_PID/status >peak' 2>err >/dev/null"
		cat err peak
		[ "$status" -eq 123 ]
		[[ "$(tail -n 1 err)" == *": 1 ok, 2 timed out, 0 unrun" ]]
		[ "$(tr -cd 0-9 <peak)" -lt 30000 ]
	done
}

# In "small", which has room for three megabytes.
mount_small() {
	[ "$(id -u)" = 0 ] || skip "needs root to mount a tmpfs"
	mkdir small
	mount -t tmpfs -o size=3m none small || skip "tmpfs can't be mounted here"
}

@test "a task without end finds the disk full: it is told at once, and ends; the other's output is whole" {
	mount_small
	close_gate
	TMPDIR=$PWD/small start_leat -k -j2 ::: 'puppet pass gate say first' yes 'echo never' 7>&-
	next_line
	open_gate
	finish_leat
	umount small
	[ "$status" -eq 125 ]
	[[ "$line" == "leat: output of task 2 is lost: cannot keep it in "*"small: No space left on device" ]]
	[ "$(head -n 1 out)" = first ]
	[[ "$rest" == *" 1 ok, 1 crashed, 1 unrun" ]]
}

@test "what the full disk took of a task that goes on is told, though its turn comes later" {
	mount_small
	mkfifo told
	exec 6>second 8<>told
	flock -x 6
	close_gate
	TMPDIR=$PWD/small start_leat -k -j2 ::: 'puppet tell told 1 pass gate say first' \
		'seq 3000000; puppet tell told 2 pass second; echo on; exit 0' 6>&- 7>&- 8>&-
	read -r -t 30 _ <&8 && read -r -t 30 _ <&8
	open_gate
	timeout 30 bash -c 'until grep -q first out; do read -r -t 0.01 _ <> <(:) || :; done'
	flock -u 6
	finish_leat
	umount small
	[[ "$rest" == *"leat: output of task 2 is lost: "*" 0 unrun" ]]
	[ "$status" -eq 125 ]
}

@test "what is written after a task's end is nowhere in the output, and stops nobody" {
	mkfifo told
	exec 8<>told
	close_gate
	exec 6>second
	flock -x 6
	start_leat --linger 0 -j1 ::: 'puppet fork pid late pass gate say late tell told survived end say one' \
		'puppet tell told second pass second say two' 6>&- 7>&- 8>&-
	read -r -t 30 line <&8
	[ "$line" = second ]
	open_gate
	timeout 30 bash -c 'until [ -e late ]; do read -r -t 0.01 _ <> <(:) || :; done'
	await_end "$(cat late)"
	# Who writes then gets SIGPIPE, and does not get so far as to tell.
	echo end >&8
	read -r -t 30 line <&8
	[ "$line" = end ]
	flock -u 6
	finish_leat
	[ "$status" -eq 0 ]
	[ "$(cat out)" = "$(printf '%s\n' one two)" ]
}

@test "200 timeouts at the same moment: each is told, no process is left" {
	seq 200 >in
	run timeout -s KILL 50 leat -j200 --timeout 1.5s --kill-after 0.5s -a in -c "export LEFT=$MARK; trap '' TERM; sleep 600 & wait; wait"
	[ "$status" -eq 123 ]
	[[ "${lines[-1]}" == "leat: 200 tasks in "*": 200 timed out, 0 unrun" ]]
	[ "$(grep -c '^leat: task [0-9]*: timed out after 1.5s: ' <<<"$output")" -eq 200 ]
	[ -z "$(left)" ]
}

# The rest of the test is in a directory where leat runs as nobody, and "become" makes a
# puppet another user's, whom nobody may not signal.
beside_another_user() {
	[ "$(id -u)" -eq 0 ] || skip "needs root to give a file away"
	command -v setpriv >/dev/null || skip "setpriv is not installed"
	aside=$(mktemp -d /tmp/leat-aside.XXXXXX)
	chgrp 65534 "$aside"
	chmod 770 "$aside"
	cd "$aside" || return
	cp "$BUILD/leat" "$BUILD/tests/helpers/puppet" .
	chown 1:65534 puppet
	chmod 4710 puppet
	PATH=$aside:$PATH
	become=(setpriv --reuid 65534 --regid 65534 --clear-groups)
	export TMPDIR=$aside
	"${become[@]}" puppet become fork pass gate end || skip "this file system gives no program another's rights"
	mkfifo -m 666 begun
	exec 8<>begun
	close_gate
}

@test "a task that has become another user's, and its time is over: that is told once, and others run" {
	beside_another_user
	mkfifo tasks
	start_leat -j2 --timeout 2s --kill-after 0 -a tasks 7>&- 8>&-
	exec 6>tasks
	echo 'puppet become tell begun x pass gate' >&6
	read -r -t 30 _ <&8
	next_line
	[ "$line" = "leat: task 1 can't be ended: Operation not permitted; waiting until it ends by itself" ]
	echo 'puppet tell begun y' >&6
	exec 6>&-
	read -r -t 30 _ <&8
	open_gate
	finish_leat
	[ "$status" -eq 123 ]
	[[ "$rest" != *"can't be ended"* ]]
	[[ "$rest" == *" 2 tasks in "*": 1 ok, 1 timed out, 0 unrun" ]]
}

@test "the same, canceled, where nothing but its end could wake leat: that is told, and it is waited for" {
	beside_another_user
	start_leat -u ::: 'puppet become tell begun x pass gate' 7>&- 8>&-
	read -r -t 30 _ <&8
	kill -QUIT "$leat"
	until next_line && [[ "$line" == *"can't be ended"* ]]; do :; done
	kill -0 "$leat"
	open_gate
	finish_leat
	[ "$status" -eq 131 ]
	[[ "$rest" == *" 1 canceled, 0 unrun" ]]
}

@test "a task whose child has become another user's is ended, and does not wait for that" {
	beside_another_user
	start_leat ::: 'puppet fork pid other become tell begun x pass gate end hold' 7>&- 8>&-
	read -r -t 30 _ <&8
	kill -TERM "$leat"
	while next_line && [[ "$line" != *" 1 canceled, 0 unrun" ]]; do :; done
	[ -n "$line" ]
	kill -0 "$(cat other)"
	open_gate
	finish_leat
	[ "$status" -eq 143 ]
}
