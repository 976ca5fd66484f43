#!/usr/bin/env bats
# leat itself: signals at every moment, stopped and continued, clocks that jump, and
# standard output and standard error that take nothing.
load ../cli/helper

teardown() {
	if jobs -pr | grep -qx "${leat:-none}"; then kill -KILL "$leat"; fi
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

@test "stopped and continued again and again: no timeout runs meanwhile, and none is lost" {
	tell_starts
	close_gate
	echo "puppet pid p1 tell started x pass gate" >in
	start_leat --timeout 25s -a in 7>&- 8>&-
	await_start
	for _ in 1 2 3 4 5; do
		kill -TSTP "$leat"
		await_state "$leat" T
		await_state "$(cat p1)" T
		kill -CONT "$leat"
		await_state "$(cat p1)" S
	done
	open_gate
	finish_leat
	[ "$status" -eq 0 ]
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

@test "canceled while the reader of standard error sleeps: each further signal counts" {
	open_full_pipe 6
	tell_starts
	echo "puppet ignore TERM tell started x hold" >in
	for options in '' -t -u --line-buffer; do
		# shellcheck disable=SC2086
		env --default-signal=INT,QUIT leat -j1 --kill-after 1h $options -a in 2>&6 3>&- 6>&- 8>&- &
		leat=$!
		[ "$options" = -t ] || await_start
		for signal in INT INT QUIT; do
			kill -"$signal" "$leat" 2>/dev/null || :
		done
		status=0
		wait "$leat" || status=$?
		[ "$status" -eq 130 ]
	done
}

@test "a slow reader of standard error gets every word, in order" {
	mkfifo slow
	exec 6<>slow
	seq 400 | sed 's/.*/echo out&; echo err& >\&2; exit 3/' >in
	leat -j4 -t -a in >out 2>slow 3>&- 6>&- &
	leat=$!
	exec 5<slow 6>&-
	while IFS= read -r line <&5; do echo "$line"; done >err
	status=0
	wait "$leat" || status=$?
	[ "$status" -eq 123 ]
	[ "$(grep -c '^err[0-9]*$' err)" -eq 400 ]
	[ "$(grep -c '^leat: task [0-9]*: exit 3: ' err)" -eq 400 ]
	[[ "$(tail -n 1 err)" == *": 400 failed, 0 unrun" ]]
}
