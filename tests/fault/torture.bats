#!/usr/bin/env bats
# Whatever fails, in each way of running: see torture.bash.
load torture

@test "whatever fails once" {
	torture_all
	torture thread 2 1
	torture process 4 1
}

@test "with -k: whatever fails once" {
	# So that the others' output has to be kept.
	sed -i 's/^echo one/sleep 0.1; echo one/' in
	torture_all -k
}

@test "with --tag and --line-buffer: whatever fails once" {
	torture_all --tag --line-buffer
}

@test "with --retries and --retry-delay: whatever fails once" {
	torture_all --retries 1 --retry-delay 1ms
}

@test "with --timeout: whatever fails once" {
	sed -i 's/^seq.*/sleep 50/' in
	torture_all --timeout 100ms --kill-after 1h
}

@test "with --warm: whatever fails once" {
	torture_all --warm
}

@test "-X: whatever fails once" {
	seq 3000 >in
	front=(-j2 --summary)
	statuses="0 125 123"
	torture_all -X echo
}

@test "as xargs: whatever fails once" {
	front=(--as xargs)
	statuses="0 1 123 124 125 126 127"
	torture_all -P2 -I% sh -c %
}

@test "as parallel: whatever fails once" {
	front=(--as parallel)
	statuses="1 2 3 4 5 6 125 255"
	torture_all -j2
}

@test "SIGINT in the middle: whatever fails once" {
	sed -i 's/^exit 1/kill -INT $LEAT_PID/' in
	torture_ended "123 130"
}

@test "SIGTERM in the middle: whatever fails once" {
	sed -i 's/^exit 1/kill -TERM $LEAT_PID/' in
	torture_ended "123 143"
}

@test "--halt now: whatever fails once" {
	sed -i 's/^echo six.*/sleep 50/' in
	torture_ended "123" --halt now,fail=1 --kill-after 1h
}
