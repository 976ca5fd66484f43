#!/usr/bin/env bats
# Cancellation: three levels, signals, the notice, and death by the first signal.
load helper

# Four tasks that tell when they run and wait to be released.
holding_tasks() {
	mkfifo started
	close_gate
	for task in 1 2 3 4; do
		echo "puppet tell started $task pass gate say done"
	done
}

@test "SIGINT: the running tasks finish in peace, the others are unrun, the shell sees 130" {
	holding_tasks >in
	exec 8<>started
	start_leat -j2 --unrun rest -a in
	read -r -t 30 _ <&8 && read -r -t 30 _ <&8
	kill -INT "$leat"
	next_line
	[ "$line" = "leat: interrupted: 2 running finish (again: end them), 2 not run" ]
	open_gate
	finish_leat
	[ "$status" -eq 130 ]
	[ "$rest" = "leat: 4 tasks in ${rest#*in }" ]
	[[ "$rest" == *": 2 ok, 2 unrun" ]]
	[ "$(grep -c "done" out)" -eq 2 ]
	diff rest <(tail -n 2 in)
}

@test "a second SIGINT ends the running tasks, which are canceled" {
	holding_tasks >in
	exec 8<>started
	start_leat -j2 -a in
	read -r -t 30 _ <&8 && read -r -t 30 _ <&8
	kill -INT "$leat"
	next_line
	kill -INT "$leat"
	finish_leat
	[ "$status" -eq 130 ]
	[[ "$rest" == *": 2 canceled, 2 unrun" ]]
}

@test "a third SIGINT kills what ignores SIGTERM" {
	mkfifo started
	exec 8<>started
	echo "puppet ignore TERM tell started x hold" >in
	start_leat --kill-after 1h -a in
	read -r -t 30 _ <&8
	kill -INT "$leat"
	next_line
	kill -INT "$leat"
	next_line
	[[ "$line" == *"ending the running tasks"* ]]
	kill -INT "$leat"
	finish_leat
	[ "$status" -eq 130 ]
	[[ "$rest" == *": 1 canceled, 0 unrun" ]]
}

@test "SIGTERM ends the running tasks at once, the shell sees 143" {
	holding_tasks >in
	exec 8<>started
	start_leat -j2 -a in
	read -r -t 30 _ <&8 && read -r -t 30 _ <&8
	kill -TERM "$leat"
	finish_leat
	[ "$status" -eq 143 ]
	[[ "$rest" == *": 2 canceled, 2 unrun" ]]
}

@test "SIGHUP ends the running tasks at once, the shell sees 129" {
	holding_tasks >in
	exec 8<>started
	start_leat -j1 -a in
	read -r -t 30 _ <&8
	kill -HUP "$leat"
	finish_leat
	[ "$status" -eq 129 ]
	[[ "$rest" == *": 1 canceled, 3 unrun" ]]
}

@test "SIGQUIT kills at once, the shell sees 131" {
	mkfifo started
	exec 8<>started
	echo "puppet ignore TERM tell started x hold" >in
	start_leat --kill-after 1h -a in
	read -r -t 30 _ <&8
	kill -QUIT "$leat"
	finish_leat
	[ "$status" -eq 131 ]
	[[ "$rest" == *": 1 canceled, 0 unrun" ]]
}

@test "--on-cancel terminate: SIGINT enters at level 2" {
	holding_tasks >in
	exec 8<>started
	start_leat -j1 --on-cancel terminate -a in
	read -r -t 30 _ <&8
	kill -INT "$leat"
	finish_leat
	[ "$status" -eq 130 ]
	[[ "$rest" == *": 1 canceled, 3 unrun" ]]
}

@test "--drain-timeout goes up from level 1 by itself" {
	holding_tasks >in
	exec 8<>started
	start_leat -j1 --drain-timeout 10ms -a in
	read -r -t 30 _ <&8
	kill -INT "$leat"
	finish_leat
	[ "$status" -eq 130 ]
	[[ "$rest" == *"drain timeout: ending the running tasks"* ]]
	[[ "$rest" == *": 1 canceled, 3 unrun" ]]
}

@test "a signal that was ignored at the start stays ignored, in tasks, too" {
	mkfifo started err
	close_gate
	exec 8<>started
	(
		trap '' HUP
		exec leat 2>err <<<"puppet signals tell started x pass gate" >out 3>&-
	) &
	leat=$!
	exec 9<err
	read -r -t 30 _ <&8
	kill -HUP "$leat"
	open_gate
	finish_leat
	[ "$status" -eq 0 ]
	grep -q 'SigIgn:.*1$' out
}

@test "what ignored its SIGTERM and what left the session dies with the canceled task" {
	mkfifo started
	exec 8<>started
	echo "puppet ignore TERM fork setsid fork pid p1 tell started x hold end end hold" >in
	start_leat --kill-after 0.2s -a in
	read -r -t 30 _ <&8
	kill -TERM "$leat"
	finish_leat
	await_end "$(cat p1)"
	[ "$status" -eq 143 ]
}

@test "an endless producer, interrupted: N+ unrun" {
	mkfifo started
	close_gate
	exec 8<>started
	mkfifo endless
	(
		exec 3>&- 8>&-
		echo "puppet tell started x pass gate"
		exec yes "exit 0"
	) >endless &
	start_leat -j1 -a endless
	read -r -t 30 _ <&8
	kill -INT "$leat"
	next_line
	open_gate
	finish_leat
	[ "$status" -eq 130 ]
	[[ "$rest" =~ :\ 1\ ok,\ [0-9]+\+\ unrun$ ]]
}

@test "an interactive producer that stalls is not waited for: N+ unrun" {
	mkfifo started pipe
	close_gate
	exec 8<>started
	exec 7<>pipe
	echo "puppet tell started x pass gate" >&7
	start_leat -j1 -a pipe
	read -r -t 30 _ <&8
	kill -INT "$leat"
	next_line
	[[ "$line" == *"0+ not run" ]]
	open_gate
	finish_leat
	echo "$rest"
	[[ "$rest" == *": 1 ok, 0+ unrun" ]]
}

@test "SIGTSTP stops the tasks with leat, SIGCONT continues both, and no timeout runs meanwhile" {
	mkfifo started
	close_gate
	exec 8<>started
	echo "puppet pid p1 tell started x pass gate" >in
	start_leat --timeout 20s -a in
	read -r -t 30 _ <&8
	kill -TSTP "$leat"
	await_state "$leat" T
	await_state "$(cat p1)" T
	grep -q ') T ' "/proc/$(cat p1)/stat"
	kill -CONT "$leat"
	open_gate
	finish_leat
	[ "$status" -eq 0 ]
}

@test "SIGUSR1 adds a slot, SIGUSR2 takes one" {
	holding_tasks >in
	exec 8<>started
	start_leat -j1 -a in
	read -r -t 30 _ <&8
	kill -USR1 "$leat"
	read -r -t 30 _ <&8
	kill -USR2 "$leat"
	open_gate
	finish_leat
	[ "$status" -eq 0 ]
	[ "$(grep -c "done" out)" -eq 4 ]
}

@test "SIGQUIT at once, too: a regular file is counted to its end, the rest is written" {
	close_gate
	mkfifo told
	exec 8<>told
	{ echo 'puppet tell told x; puppet pass gate; :'; yes 'true' | head -n 20000; } >in
	start_leat -j1 -a in --unrun rest 7>&- 8>&-
	read -r -t 30 _ <&8
	kill -QUIT "$leat"
	finish_leat
	[ "$status" -eq 131 ]
	[[ "$rest" == *"20001 tasks in "*": 1 canceled, 20000 unrun"* ]]
	[ "$(wc -l <rest)" -eq 20000 ]
}

@test "--deadline ends the wait for output that others hold open, too" {
	SECONDS=0
	run leat --linger 50 --deadline 0.5 <<<'sleep 20 & echo main'
	[[ "$output" == main* ]]
	pkill -f '^sleep 20$' || :
	[ "$SECONDS" -lt 15 ]
}
