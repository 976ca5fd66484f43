#!/usr/bin/env bats
# Tasks that do what no task should: whatever it is, leat tells it as it was, goes on, and
# leaves nothing behind.
load ../cli/helper

teardown() {
	if jobs -pr | grep -qx "${leat:-none}"; then kill -KILL "$leat"; fi
	if mountpoint -q small; then umount small; fi
}

# No process is left that has MARK=$1 in its environment, and was started below leat.
none_left() {
	! grep -lzx "MARK=$1" /proc/[0-9]*/environ 2>/dev/null | grep -v "/$$/"
}

# The same, of what may take a moment to be gone.
await_none_left() {
	until none_left "$1"; do
		read -r -t 0.01 _ <> <(:) || :
	done
}

@test "a task that dies of a signal, whichever, is told with its number, and is the only one" {
	for signal in $(seq 31) 35 64; do
		# Nobody dies of these.
		case $signal in 17 | 18 | 19 | 20 | 21 | 22 | 23 | 28) continue ;; esac
		echo "puppet die $signal"
	done >in
	ulimit -c 0
	run leat -k -j4 -a in --events events
	[ "$status" -eq 123 ]
	[[ "${lines[-1]}" == "leat: 25 tasks in "*": 25 crashed, 0 unrun" ]]
	[ "$(grep -c '^leat: task [0-9]*: signal ' <<<"$output")" -eq 25 ]
	diff <(sed 's/puppet die //' in) <(sed -n 's/^leat: task [0-9]*: signal \([0-9]*\): .*/\1/p' <<<"$output")
}

@test "signals that nobody dies of do not end a task" {
	for signal in CHLD CONT URG WINCH; do echo "kill -$signal \$\$; echo alive"; done >in
	run leat -a in
	[ "$status" -eq 0 ]
	[ "$output" = "$(yes alive | head -n 4)" ]
}

@test "a task that stops itself, by whichever signal, is woken to be ended" {
	printf 'kill -%s $$\n' STOP TSTP TTIN TTOU >in
	MARK=$BATS_TEST_NAME run leat -j4 --timeout 0.2s --kill-after 1h -a in
	[ "$status" -eq 123 ]
	# The default of a session without a terminal: only SIGSTOP stops (setpgid(2), orphaned).
	[[ "${lines[-1]}" =~ [1-4]\ timed\ out,\ 0\ unrun$ ]]
	none_left "$BATS_TEST_NAME"
}
