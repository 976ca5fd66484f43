#!/usr/bin/env bats
# leat itself: signals at every moment, stopped and continued, clocks that jump, and
# standard output and standard error that take nothing.
load ../cli/helper

clean_up() {
	if jobs -pr | grep -qx "${leat:-none}"; then kill -KILL "$leat"; fi
	if [ -n "${TMUX_TMPDIR-}" ]; then tmux kill-server 2>/dev/null || :; fi
}

# A pipe that is full and that nobody reads, on descriptor $1.
open_full_pipe() {
	mkfifo "full.$1"
	eval "exec $1<>full.$1"
	dd if=/dev/zero of="/proc/self/fd/$1" bs=4096 oflag=nonblock 2>/dev/null || :
}

# A task that tells of its start on descriptor 8, through the FIFO "started".
tell_starts() {
	mkfifo started
	exec 8<>started
}

await_start() {
	read -r -t 30 _ <&8
}

@test "a storm of signals: leat ends, the account is true, --unrun has the rest, nothing is left" {
	storm=$BATS_TEST_DIRNAME/storm.py
	run timeout 55 python3 "$storm" 1 "${STORMS:-120}"
	echo "$output"
	[ "$status" -eq 0 ]
}

@test "what a worker was given and had not begun is unrun in the order of the input" {
	needs_strace
	seq 99 | sed 's/^/exit 0; : /' >in
	# The worker's first allocation, for its slot, takes longer than the deadline.
	run strace -f -o /dev/null -e trace=mprotect -e inject=mprotect:delay_enter=1500000:when=1 \
		leat -j1 --deadline 0.7 --unrun rest -a in
	[ "$status" -eq 124 ]
	[[ "$output" == *": 99 unrun" ]]
	diff in rest
}

@test "a signal of the user's before there are slots adds one later, and kills nobody" {
	mkfifo events
	tell_starts
	printf '%s\n' 'puppet tell started x pass gate' 'puppet tell started x pass gate' >in
	close_gate
	start_leat -j1 --events events -a in 7>&- 8>&-
	# It waits for a reader of its events, before anything runs.
	await_state "$leat" S
	timeout 30 bash -c "until grep -q 'SigBlk:.*[aAeE]..\$' /proc/$leat/status; do read -r -t 0.01 _ <> <(:) || :; done"
	kill -USR1 "$leat"
	exec 6<events
	await_start
	await_start
	open_gate
	finish_leat
	[ "$status" -eq 0 ]
}

@test "stopped for longer than its timeout a task goes on where it was, with the time that was left" {
	tell_starts
	close_gate
	exec 5>third 6>second
	flock -x 5
	flock -x 6
	# What it writes has leat look at the clock, before it reads what comes next.
	echo "puppet pid p1 tell started x pass gate say on pass second say again pass third" >in
	start_leat --timeout 5s --summary --line-buffer -a in 5>&- 6>&- 7>&- 8>&-
	await_start
	for _ in 1 2 3 4 5; do
		kill -TSTP "$leat"
		await_state "$leat" T
		await_state "$(cat p1)" T
		sleep 1.2 # of which none is the task's
		kill -CONT "$leat"
		await_state "$(cat p1)" S
	done
	open_gate
	timeout 30 bash -c 'until grep -q on out; do read -r -t 0.01 _ <> <(:) || :; done'
	flock -u 6
	timeout 30 bash -c 'until grep -q again out; do read -r -t 0.01 _ <> <(:) || :; done'
	flock -u 5
	finish_leat
	[ "$status" -eq 0 ]
	[[ "$rest" == *": 1 ok, 0 unrun" ]]
}

@test "where SIGCONT was ignored at the start, it continues leat and its tasks all the same" {
	tell_starts
	close_gate
	echo "puppet pid p1 tell started x pass gate" >in
	trap '' CONT
	start_leat -a in 7>&- 8>&-
	trap - CONT
	await_start
	kill -TSTP "$leat"
	await_state "$leat" T
	kill -CONT "$leat"
	open_gate
	finish_leat
	[ "$status" -eq 0 ]
}

# Until leat receives signals: those that come before are nobody's, or kill it.
await_receiver() {
	until [ "$(<"/proc/$leat/comm")" = leat ] && grep -q 'SigBlk:.*[2367abef]$' "/proc/$leat/status"; do
		read -r -t 0.01 _ <> <(:) || :
	done
}

@test "canceled while the reader of standard error sleeps: each further signal counts" {
	open_full_pipe 6
	tell_starts
	echo "puppet ignore TERM tell started x hold" >in
	for options in '' -t -u --line-buffer; do
		# shellcheck disable=SC2086
		env --default-signal=INT,QUIT leat -j1 --kill-after 1h $options -a in 2>&6 3>&- 6>&- 8>&- &
		leat=$!
		await_receiver
		[ "$options" = -t ] || await_start
		for signal in INT INT QUIT; do
			kill -"$signal" "$leat" 2>/dev/null || :
		done
		status=0
		wait "$leat" || status=$?
		[ "$status" -eq 130 ]
	done
}

@test "a slow reader of standard error gets every word" {
	mkfifo slow
	exec 6<>slow
	seq 40 | sed 's/.*/echo out; seq 30000 >\&2; exit 3/' >in
	leat -j4 -t -a in >out 2>slow 3>&- 6>&- &
	leat=$!
	exec 5<slow 6>&-
	python3 -c 'import os
while piece := os.read(5, 700): os.write(1, piece)' >err
	status=0
	wait "$leat" || status=$?
	[ "$status" -eq 123 ]
	[ "$(grep -c '^30000$' err)" -eq 40 ]
	[ "$(grep -c '^echo out; ' err)" -eq 40 ]
	[ "$(grep -c '^leat: task [0-9]*: exit 3: ' err)" -eq 40 ]
	[[ "$(tail -n 1 err)" == *": 40 failed, 0 unrun" ]]
}

@test "standard error is closed: what is to be said there is trouble, and nothing else is" {
	status=0
	leat --summary ::: 'echo out' 'exit 3' >out 2>&- || status=$?
	[ "$status" -eq 125 ]
	[ "$(cat out)" = out ]
	leat ::: 'echo out' true 2>&-
}

@test "the reader of standard error has gone: leat dies of SIGPIPE, or where that is ignored it is trouble" {
	mkfifo gone
	exec 5<>gone 6>gone 5<&-
	for disposition in default ignore; do
		status=0
		env --$disposition-signal=PIPE leat -j1 ::: 'echo out' 'exit 3' true >out 2>&6 || status=$?
		echo "$disposition: $status"
		[ "$disposition: $status" = "default: 141" ] || [ "$disposition: $status" = "ignore: 125" ]
		[ "$(cat out)" = out ]
	done
}

@test "the time of day jumps back and forth: no timeout, deadline or delay minds" {
	not_sanitized "a preloaded library does not go with sanitizers"
	for task in 1 2 3 4; do echo "echo $task; exit 1"; done >in
	echo 'puppet hold' >>in
	LD_PRELOAD=$BUILD/tests/helpers/clock.so run leat -j5 --timeout 1s --deadline 1h --retries 1 --retry-delay 10ms \
		--delay 1ms --linger 1h --kill-after 1h --journal j --joblog log --events events --timeline page -a in
	[ "$status" -eq 123 ]
	[[ "${lines[-1]}" =~ ^"leat: 5 tasks in "[0-9.]+"s: 4 failed, 1 timed out, 0 unrun"$ ]]
	[ "$(leat --journal j --list failed timed-out | wc -l)" -eq 5 ]
}

@test "the monotonic clock of another time namespace is as good" {
	[ "$(id -u)" = 0 ] || skip "needs root to make a time namespace"
	unshare --time --monotonic 1 true 2>/dev/null || skip "there are no time namespaces here"
	run unshare --time --fork --monotonic 100000000 --boottime 100000000 \
		leat --timeout 0.3s --deadline 1h --kill-after 1h --retries 1 --retry-delay 10ms ::: 'puppet hold' 'exit 0'
	[ "$status" -eq 123 ]
	[[ "${lines[-1]}" == *": 1 ok, 1 timed out, 0 unrun" ]]
}

@test "two at the same time in one directory, with one TMPDIR: each has its own, whole" {
	mkdir tmp
	export TMPDIR=$PWD/tmp
	for name in a b; do
		seq 40 | sed "s/.*/seq 20000 | sed s,^,$name,/" >in.$name
		leat -j3 --jobserver=fifo --unrun rest.$name --junit $name.xml --summary -a in.$name >out.$name 2>err.$name 3>&- &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do wait "$pid"; done
	for name in a b; do
		[[ "$(cat err.$name)" == *": 40 ok, 0 unrun" ]]
		diff <(for task in $(seq 40); do seq 20000 | sed "s/^/$name/"; done) out.$name
		[ -e rest.$name ] && [ ! -s rest.$name ]
		[ "$(grep -c '<testcase' $name.xml)" -eq 40 ]
	done
	[ -z "$(ls -A tmp)" ]
}

@test "two at the same time at one terminal: a Ctrl-C is for both, and each has its account" {
	command -v tmux >/dev/null || skip "tmux is not installed"
	mkfifo over
	exec 6<>over
	tell_starts
	close_gate
	for _ in 1 2 3; do echo 'puppet tell started x pass gate'; done >in
	export TMUX_TMPDIR=$BATS_TEST_TMPDIR
	unset TMUX
	tmux -f /dev/null new-session -d -x 100 -y 30 "bash --norc -i 3>&- 6>&- 7>&- 8>&-"
	tmux send-keys 'leat -j1 -a in 2>err.1 | leat -j1 -a in 2>err.2' Enter
	await_start
	await_start
	tmux send-keys C-c
	timeout 30 bash -c 'until grep -q interrupted err.1 && grep -q interrupted err.2; do read -r -t 0.01 _ <> <(:) || :; done'
	open_gate
	tmux send-keys 'echo ${PIPESTATUS[*]} >over' Enter
	read -r -t 30 line <&6
	[ "$line" = "130 130" ]
	for number in 1 2; do
		[[ "$(tail -n 1 "err.$number")" == "leat: 3 tasks in "*": 1 ok, 2 unrun" ]]
	done
}
