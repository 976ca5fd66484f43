#!/usr/bin/env bats
# --halt and --fail-fast: when enough has been seen.
load helper

@test "--fail-fast: with -j1 and failure at task k exactly k run, the others are unrun" {
	for k in 1 2 7; do
		rm -f ran
		for n in $(seq 10); do echo "echo $n >>ran; [ $n != $k ]"; done >in
		run leat -j1 --fail-fast --unrun rest -a in
		[ "$status" -eq 123 ]
		[ "$(wc -l <ran)" -eq "$k" ]
		[[ "$output" == *"leat: halted, as 1 failed: no more is started"* ]]
		[[ "$output" == *": 10 tasks in "* || "$output" == *" failed, $((10 - k)) unrun" ]]
		[ "$(wc -l <rest)" -eq $((10 - k)) ]
	done
}

@test "--halt soon: the running tasks finish in peace" {
	mkfifo go
	printf '%s\n' 'read -r _ <go; echo finished' 'exit 3' 'touch no' >in
	leat -j2 --halt soon,fail=1 -a in >out 2>err 3>&- &
	leat=$!
	until grep -q halted err; do read -r -t 0.01 _ <> <(:) || :; done
	echo >go
	status=0
	wait "$leat" || status=$?
	[ "$status" -eq 123 ]
	[ "$(cat out)" = finished ]
	[ ! -e no ]
	[[ "$(tail -n 1 err)" == *": 1 ok, 1 failed, 1 unrun" ]]
}

@test "--halt now: the running tasks are ended" {
	printf '%s\n' 'sleep 50' 'exit 3' 'touch no' >in
	run leat -j2 --halt now,fail=1 -a in
	[ "$status" -eq 123 ]
	[[ "$output" == *"what runs is ended"*": 1 failed, 1 canceled, 1 unrun" ]]
	[ ! -e no ]
}

@test "--halt on success or done is no failure, what is left out is unrun" {
	run leat -j1 --halt soon,success=2 < <(printf '%s\n' true true true true)
	[ "$status" -eq 0 ]
	[[ "$output" == *": 2 ok, 2 unrun" ]]
	run leat -j1 --halt now,done=1 < <(printf '%s\n' true true)
	[ "$status" -eq 0 ]
}

@test "--halt with a percentage: of all tasks, and at least three" {
	for n in $(seq 20); do echo 'exit 1'; done >in
	run leat -j1 --halt soon,fail=25% -a in
	[[ "$output" == *": 5 failed, 15 unrun" ]]
	run leat -j1 --halt soon,fail=1% -a in
	[[ "$output" == *": 3 failed, 17 unrun" ]]
}

@test "--halt takes when, what and how much" {
	for value in later now 'now,' now,fail now,fail= now,fail=0 soon,fail=101% soon,some=1 fail=1; do
		run leat --halt "$value" <<<true
		[ "$status" -eq 2 ]
	done
}
