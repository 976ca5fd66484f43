#!/usr/bin/env bats
# --lane: what must not run at the same time; --delay: how fast tasks begin.
load helper

@test "tasks of a lane run one after the other, in the order of the input" {
	for lane in a b c; do seq -f "$lane/%g" 40; done | shuf --random-source=/dev/zero >in
	leat -j8 --lane {//} -a in -c 'mkdir {//}.busy; echo {/} >>{//}.log; rmdir {//}.busy' 2>err
	[ ! -s err ]
	for lane in a b c; do
		grep "^$lane/" in | cut -d/ -f2 | cmp - "$lane.log"
	done
}

@test "a lane that is busy holds up no other's tasks, though they come much later" {
	close_gate
	mkfifo told
	exec 8<>told
	{ echo slow/1; seq -f 'slow/%g' 2 1000; echo quick/1; } >in
	leat -j2 --lane {//} -a in -c 'case $1 in slow/1) puppet pass gate ;; quick/1) puppet tell told x ;; esac' 3>&- 7>&- 8>&- &
	leat=$!
	read -r -t 30 _ <&8
	open_gate
	wait "$leat"
}

@test "different lanes run at the same time" {
	mkfifo one two
	printf '%s\n' a b >in
	leat -j2 --lane {} -a in -c 'case $1 in a) echo >one; read -r _ <two ;; b) read -r _ <one; echo >two ;; esac'
}

@test "-k with lanes: outputs in the order of the input" {
	for i in $(seq 300); do echo "$((i % 7))/$i"; done >in
	leat -k -j4 --lane {//} -a in echo {} >out
	cmp in out
}

@test "a cancelled run counts those that wait for their lane" {
	close_gate
	mkfifo told
	exec 8<>told
	{ echo 0; yes 1 | head -n 2999; } >in
	start_leat -j4 --lane x -a in --unrun rest -c '[ $1 = 1 ] || { puppet tell told x; puppet pass gate; }' 7>&- 8>&-
	read -r -t 30 _ <&8
	while find "/proc/$leat/fd" -lname '*/in' | grep -q .; do :; done # all of it is read
	kill -INT "$leat"
	next_line
	echo "$line"
	[[ "$line" == *"1 running finish"*"2999 not run" ]]
	open_gate
	finish_leat
	[ "$status" -eq 130 ]
	[[ "$rest" == *"3000 tasks in "*": 1 ok, 2999 unrun"* ]]
	[ "$(wc -l <rest)" -eq 2999 ]
}

@test "an endless input of one lane stays bounded" {
	not_sanitized "a sanitizer's memory is its own"
	yes a | leat -j2 --lane x true 3>&- &
	leat=$!
	read -r -t 1 _ <> <(:) || :
	[ "$(awk '/^VmHWM/ { print $2 }' "/proc/$leat/status")" -lt 20000 ]
	kill -TERM "$leat"
	wait "$leat" || :
}

@test "--delay: starts come one by one, and a cancellation does not wait for them" {
	# Two may seem closer, as the first is late; but none comes before all delays till then are over.
	before=$(date +%s%3N)
	run leat -j4 --delay 0.2 -c 'date +%s%3N' ::: 1 2 3 4
	[ "$(sort -n <<<"$output" | awk -v before="$before" '$1 >= before + 200 * (NR - 1)' | wc -l)" -eq 4 ]
	run timeout 20 leat -j2 --delay 1h --deadline 0.3 true ::: 1 2 3
	[ "$status" -eq 124 ]
	[[ "$output" == *"1 ok, 2 unrun" ]]
}

@test "--unrun: in the order of the input, also of tasks that slots held back" {
	seq 500 >in
	leat -j4 --delay 1h --deadline 0.3 --unrun rest -a in -c : || :
	[ "$(wc -l <rest)" -eq 499 ]
	sort -n rest | cmp rest -
	leat -j3 --delay 1h --deadline 0.3 --unrun rest --lane {} -a in -c : || :
	[ "$(wc -l <rest)" -eq 499 ]
	sort -n rest | cmp rest -
}
