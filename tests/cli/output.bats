#!/usr/bin/env bats
# Output: whole, in place, prompt; and trouble with it.
load helper

@test "a task's output comes out whole, standard output and standard error each" {
	for task in 1 2 3 4 5 6 7 8; do
		echo "for i in 1 2 3 4 5; do echo $task; echo e$task >&2; done"
	done | leat -j4 >out 2>err
	[ "$(uniq out | wc -l)" -eq 8 ]
	[ "$(uniq err | wc -l)" -eq 8 ]
	[ "$(wc -l <out)" -eq 40 ]
}

@test "standard error stands in the same place as standard output" {
	run leat -j2 < <(printf '%s\n' 'echo o1; echo e1 >&2' 'echo o2; echo e2 >&2')
	[[ "$output" == *"o1
e1"* ]]
	[[ "$output" == *"o2
e2"* ]]
}

@test "output past a megabyte is whole, by way of an unlinked file in TMPDIR" {
	mkdir tmp
	for task in 1 2 3; do
		echo "seq 1000000 | sed s/^/$task:/; ls -A tmp >&2"
	done | TMPDIR=$PWD/tmp leat -j3 >out 2>err
	[ "$(uniq -w2 out | wc -l)" -eq 3 ]
	[ "$(wc -l <out)" -eq 3000000 ]
	[ ! -s err ]
}

@test "-u: a task writes straight to leat's own descriptors" {
	mkfifo pipe
	close_gate
	leat -u <<<'echo before; puppet pass gate; echo after' >pipe 3>&- 7>&- &
	exec 6<pipe
	read -r -t 30 line <&6
	[ "$line" = before ]
	open_gate
	read -r -t 30 line <&6
	[ "$line" = after ]
	wait $!
}

@test "binary output passes unchanged" {
	head -c 300000 /dev/urandom >data
	leat <<<'cat data' >out
	cmp data out
}

@test "a full standard output cancels the run: a message, exit 125, a true account" {
	seq 1000 | sed 's/^/echo /' >in
	run bash -c 'leat -j2 --unrun rest -a in 2>&1 >/dev/full'
	[ "$status" -eq 125 ]
	[[ "$output" == *"leat: cannot write standard output: No space left on device"* ]]
	ok=$(sed -n 's/.*: \([0-9]*\) ok.*/\1/p' <<<"$output")
	unrun=$(sed -n 's/.* \([0-9]*\) unrun.*/\1/p' <<<"$output")
	[ $((ok + unrun)) -eq 1000 ]
	[ "$(wc -l <rest)" -eq "$unrun" ]
	[ "$unrun" -gt 0 ]
}

@test "a broken pipe ends the run as SIGPIPE would, 141" {
	yes 'echo line' | head -n 5000 >in
	run bash -c 'leat -j2 -a in 2>err | head -n 1; echo ${PIPESTATUS[0]}'
	[ "${lines[1]}" = 141 ]
	grep -q unrun err
}

@test "a broken pipe where SIGPIPE is ignored: a message and 125" {
	yes 'echo line' | head -n 5000 >in
	run bash -c 'trap "" PIPE; { leat -j2 -a in 2>err; echo $? >status; } | head -n 1; cat status err'
	[ "${lines[1]}" = 125 ]
	[[ "$output" == *"cannot write standard output: Broken pipe"* ]]
}

@test "a closed standard output is an error once something is to be written" {
	run bash -c 'leat <<<"echo lost" 2>&1 >&-'
	[ "$status" -eq 125 ]
	[[ "$output" == *"cannot write standard output: Bad file descriptor"* ]]
	run bash -c 'leat <<<"exit 0" >&-'
	[ "$status" -eq 0 ]
}

@test "a full temporary directory: output is lost with a message and exit 125" {
	[ "$(id -u)" = 0 ] || skip "needs root to mount a tmpfs"
	mkdir small
	mount -t tmpfs -o size=1m none small || skip "tmpfs can't be mounted here"
	close_gate
	printf '%s\n' 'puppet pass gate' 'head -c 8000000 /dev/zero; echo end' >in
	TMPDIR="$PWD/small" start_leat -k -j2 -a in
	next_line
	open_gate
	finish_leat
	umount small
	[ "$status" -eq 125 ]
	[[ "$line" == *"output of task 2 is lost: cannot keep it in "*"small: No space left on device"* ]]
}

@test "a missing temporary directory is no trouble until it is needed" {
	TMPDIR=/nonexistent run leat <<<'echo fine'
	[ "$output" = fine ]
	close_gate
	printf '%s\n' 'puppet pass gate' 'head -c 8000000 /dev/zero; echo end' >in
	TMPDIR=/nonexistent start_leat -k -j2 -a in
	next_line
	open_gate
	finish_leat
	[ "$status" -eq 125 ]
	[[ "$line" == *"cannot keep it in /nonexistent: No such file or directory"* ]]
}

@test "a timeout is enforced while the reader of standard output sleeps" {
	mkfifo pipe
	{
		echo 'head -c 1000000 /dev/zero'
		echo 'puppet pid p1 hold'
	} >in
	leat -j2 --timeout 0.3s --kill-after 0 -a in >pipe 2>err 3>&- &
	leat=$!
	exec 6<pipe
	timeout 30 bash -c 'until [ -e p1 ]; do read -r -t 0.01 _ <> <(:) || :; done'
	await_end "$(cat p1)"
	[ "$(wc -c <&6)" -eq 1000000 ]
	wait "$leat" || [ $? -eq 123 ]
	grep -q 'timed out' err
}

@test "a timeout ends a task that the sleep of the reader of standard output holds up" {
	mkfifo pipe
	leat --timeout 0.3s --kill-after 0 <<<'puppet pid p1 bytes 100000000' >pipe 2>err 3>&- &
	leat=$!
	exec 6<pipe
	timeout 30 bash -c 'until [ -e p1 ]; do read -r -t 0.01 _ <> <(:) || :; done'
	timeout 30 tail -f --pid="$(cat p1)" /dev/null
	[ "$(wc -c <&6)" -lt 100000000 ]
	wait "$leat" || [ $? -eq 123 ]
	grep -q 'timed out' err
}

@test "SIGQUIT ends leat also while the reader of standard output sleeps" {
	mkfifo pipe err
	env --default-signal leat <<<'head -c 3000000 /dev/zero' >pipe 2>err 3>&- &
	leat=$!
	exec 6<pipe 9<err
	head -c 1 <&6 >/dev/null
	kill -QUIT "$leat"
	finish_leat
	[ "$status" -eq 131 ]
}

@test "a non-blocking standard output is waited for, and left as it is" {
	mkfifo pipe
	exec 6<>pipe
	python3 -c 'import os; os.set_blocking(6, False)'
	leat <<<'head -c 1000000 /dev/zero' >&6 3>&- &
	head -c 1000000 <pipe >got
	wait $!
	[ "$(wc -c <got)" -eq 1000000 ]
	[ $(($(awk '/flags/ { print "0" $2 }' /proc/$$/fdinfo/6) & 04000)) -ne 0 ]
}
