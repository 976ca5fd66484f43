#!/usr/bin/env bats
# -k, --line-buffer and the floor: who writes when.
load helper

@test "-k: outputs come in the order of the input" {
	for number in $(seq 300); do
		echo "sleep 0.00$((RANDOM % 10)); seq $number $((number + 50)); echo e$number >&2"
	done >in
	sh in >expected 2>expected_err
	leat -k -j4 -a in >out 2>err
	cmp out expected
	cmp err expected_err
}

@test "-k: the first task is shown while it runs, a later one that ended waits" {
	mkfifo out
	close_gate
	printf '%s\n' 'echo one; puppet pass gate; echo more' 'echo two' >in
	leat -k -j2 -a in >out 3>&- 7>&- 8>&- &
	leat=$!
	exec 6<out
	read -r -t 30 line <&6
	[ "$line" = one ]
	open_gate
	[ "$(cat <&6)" = "$(printf 'more\ntwo')" ]
	wait "$leat"
}

@test "-k: what was collected is shown as soon as its turn has come, also by a task that is silent" {
	mkfifo out
	close_gate
	exec 8>gate2
	flock -x 8
	printf '%s\n' 'puppet pass gate' 'echo two; puppet pass gate2' >in
	leat -k -j2 -a in >out 3>&- 7>&- 8>&- &
	leat=$!
	exec 6<out
	open_gate
	read -r -t 30 line <&6
	[ "$line" = two ]
	flock -u 8
	wait "$leat"
}

@test "-k: much output out of turn comes whole and in order" {
	close_gate
	mkfifo told
	printf '%s\n' 'puppet pass gate; echo first' 'seq 500000' 'seq 600000; echo >told' >in
	leat -k -j3 -a in >out 3>&- 7>&- 8>&- &
	leat=$!
	read -r -t 30 _ <told || :
	open_gate
	wait "$leat"
	(echo first; seq 500000; seq 600000) | cmp - out
}

@test "-k: many small outputs wait for a slow first one" {
	close_gate
	mkfifo told
	{
		echo 'puppet pass gate; echo first'
		seq 2000 | sed 's/^/echo /'
		echo 'echo >told'
	} >in
	leat -k -j2 -a in >out 3>&- 7>&- 8>&- &
	leat=$!
	read -r -t 50 _ <told || :
	open_gate
	wait "$leat"
	(echo first; seq 2000) | cmp - out
}

@test "-k: failures stand in their places, a record that is no task holds nobody up" {
	printf 'echo one\0exit 3\0echo two\0echo three\n' >in
	run leat -0 -k -j2 -a in
	[ "$status" -eq 123 ]
	[ "${lines[0]}" = one ]
	[ "${lines[1]}" = "leat: task 2: exit 3: exit 3" ]
	[ "${lines[3]}" = three ]
}

@test "-k: what a timed-out task wrote comes out, in its place" {
	printf '%s\n' 'echo begun; puppet hold' 'echo two' >in
	run leat -k -j2 --timeout 0.3s --kill-after 0 -a in
	[ "${lines[0]}" = begun ]
	[[ "${lines[1]}" == "leat: task 1: timed out after"* ]]
	[ "${lines[2]}" = two ]
}

@test "an endless task ends when its reader has gone" {
	for option in -k --line-buffer --tag -q; do
		run timeout 30 bash -c "printf '%s\n' yes 'echo two' | leat -j2 $option 2>err | head -n 1; echo \${PIPESTATUS[1]}"
		[ "${lines[1]}" = 141 ]
	done
}

@test "much output streams: the reader sees it while the task runs" {
	mkfifo out
	close_gate
	leat <<<'seq 400000; puppet pass gate' >out 3>&- 7>&- 8>&- &
	leat=$!
	exec 6<out
	[ "$(head -n 200000 <&6 | tail -n 1)" = 200000 ]
	open_gate
	cat <&6 >/dev/null
	wait "$leat"
}

@test "--line-buffer: lines come while the task runs, and stay whole" {
	mkfifo out
	close_gate
	leat --line-buffer <<<'echo one; printf tw; puppet pass gate; echo o' >out 3>&- 7>&- 8>&- &
	leat=$!
	exec 6<out
	read -r -t 30 line <&6
	[ "$line" = one ]
	open_gate
	[ "$(cat <&6)" = two ]
	wait "$leat"
}

@test "--line-buffer: lines of several tasks are not mixed, however long" {
	for letter in a b c d; do
		echo "for i in 1 2 3; do yes $letter | head -n 1500000 | tr -d '\n'; echo; seq -f $letter%g 2000; done"
	done >in
	leat --line-buffer -j4 -a in >out
	sh in | LC_ALL=C sort >expected
	LC_ALL=C sort out | cmp - expected
}

@test "--line-buffer: a last line without a newline gets one when another follows" {
	printf '%s\n' 'printf one' 'printf two' >in
	run leat --line-buffer -j1 -a in
	[ "$output" = "$(printf 'one\ntwo')" ]
	[ "$(leat --line-buffer <<<'printf one' | wc -c)" -eq 3 ]
}

@test "--line-buffer: standard error by lines, too" {
	printf '%s\n' 'seq -f e%g 20000 >&2; seq 20000' 'seq -f f%g 20000 >&2; seq 20000' >in
	leat --line-buffer -j2 -a in >out 2>err
	[ "$(sort -u err | wc -l)" -eq 40000 ]
	[ "$(sort -u out | wc -l)" -eq 20000 ]
}

@test "-k: the first task's output is shown while it runs and the input is silent" {
	mkfifo in out
	close_gate
	leat -k -j2 <in >out 3>&- 7>&- &
	leat=$!
	exec 8>in 6<out
	echo 'echo one; puppet pass gate; echo more' >&8
	read -r -t 30 line <&6
	[ "$line" = one ]
	echo 'echo two' >&8
	exec 8>&-
	open_gate
	[ "$(cat <&6)" = "$(printf 'more\ntwo')" ]
	wait "$leat"
}

@test "-k: a later task that has ended waits, and its slot is free for the next" {
	mkfifo out told
	close_gate
	exec 8<>told
	printf '%s\n' 'echo one; puppet pass gate; echo more' 'echo two; echo e2 >&2' \
		'puppet say three tell told x' >in
	leat -k -j2 -a in >out 2>err 3>&- 7>&- 8>&- &
	leat=$!
	exec 6<out
	read -r -t 30 line <&6
	[ "$line" = one ]
	read -r -t 30 _ <&8
	[ ! -s err ]
	open_gate
	[ "$(cat <&6)" = "$(printf 'more\ntwo\nthree')" ]
	wait "$leat"
	[ "$(cat err)" = e2 ]
}

@test "-k: thousands of tasks of all durations come as one after the other would" {
	for number in $(seq 3000); do
		case $((RANDOM % 8)) in
		0) echo "sleep 0.00$((RANDOM % 10)); echo $number" ;;
		1) echo "echo $number; echo e$number >&2" ;;
		*) echo "echo $number" ;;
		esac
	done >in
	grep -o 'e[0-9]* >&2' in | sed 's/ .*//' >expected_err
	leat -k -j8 -a in >out 2>err
	seq 3000 | cmp - out
	cmp err expected_err
}

@test "-k: much of both streams out of turn, and nothing is left in TMPDIR" {
	close_gate
	mkfifo told
	exec 8<>told
	mkdir tmp
	printf '%s\n' 'puppet pass gate; echo first; echo e1 >&2' \
		'seq 450000; seq -f e%.0f 400000 >&2; puppet tell told x' \
		'seq -f e%.0f 400000 >&2; seq 450000; puppet tell told x' >in
	TMPDIR=$PWD/tmp leat -k -j3 -a in >out 2>err 3>&- 7>&- 8>&- &
	leat=$!
	read -r -t 30 _ <&8 && read -r -t 30 _ <&8
	open_gate
	wait "$leat"
	(echo first && seq 450000 && seq 450000) | cmp - out
	(echo e1 && seq -f e%.0f 400000 && seq -f e%.0f 400000) | cmp - err
	[ -z "$(ls -A tmp)" ]
}

@test "-k: the account's lines stand behind their tasks' output, which stands in order" {
	close_gate
	mkfifo told
	exec 8<>told
	printf '%s\n' 'puppet pass gate; echo one; exit 1' 'echo two; kill -9 $$' \
		'nosuch-command' 'puppet say four tell told x exit 4' >in
	leat -k -j2 -a in >out 2>&1 3>&- 7>&- 8>&- &
	leat=$!
	read -r -t 30 _ <&8
	open_gate
	wait "$leat" || [ $? -eq 123 ]
	sed 's/ in .*s: / in: /; s/: puppet.*//; s/: echo.*//' out | diff - <(
		echo one
		echo "leat: task 1: exit 1"
		echo two
		echo "leat: task 2: signal 9"
		echo "leat: task 3: not found: nosuch-command"
		echo four
		echo "leat: task 4: exit 4"
		echo "leat: 4 tasks in: 3 failed, 1 crashed, 0 unrun"
	)
}

@test "-k: records that are no tasks, at both ends and everywhere, hold nobody up" {
	for number in $(seq 600); do
		if [ $((number % 3)) -eq 1 ]; then
			printf 'echo %d\0x\n' "$number"
		else
			printf 'echo %d\n' "$number"
		fi
	done >in
	printf 'echo\0last\n' >>in
	run leat -k -j4 -a in
	[ "$status" -eq 123 ]
	[ "$(grep -c '^leat: task' <<<"$output")" -eq 201 ]
	diff <(grep -o '^leat: task [0-9]*\|^[0-9]*$' <<<"$output" | grep -o '[0-9]*') <(seq 601)
}

@test "-k: what canceled tasks wrote comes out, in order" {
	mkfifo told
	exec 8<>told
	for task in 1 2 3 4; do
		echo "echo o$task; echo e$task >&2; puppet tell told x hold"
	done >in
	start_leat -k -j3 -a in
	for _ in 1 2 3; do read -r -t 30 _ <&8; done
	kill -TERM "$leat"
	finish_leat
	[ "$status" -eq 143 ]
	diff out <(printf 'o%d\n' 1 2 3)
	[ "$(grep -o '^e[0-9]' <<<"$rest")" = "$(printf 'e%d\n' 1 2 3)" ]
	[[ "$rest" == *": 3 canceled, 1 unrun" ]]
}

@test "-k: interrupted, what was collected and what still comes is in order" {
	mkfifo told
	close_gate
	exec 8<>told
	printf '%s\n' 'puppet pass gate say one' 'seq 400000; puppet tell told x' \
		'puppet tell told x pass gate say three' 'echo never' >in
	start_leat -k -j2 -a in 7>&-
	read -r -t 30 _ <&8 && read -r -t 30 _ <&8
	kill -INT "$leat"
	next_line
	open_gate
	finish_leat
	[ "$status" -eq 130 ]
	(echo one && seq 400000 && echo three) | cmp - out
}

@test "-k: a timed-out first task lets the others' collected output come" {
	printf '%s\n' 'echo begun; printf unended; puppet hold' 'seq 400000' 'echo three' >in
	leat -k -j2 --timeout 4s --kill-after 0 -a in >out 2>err || [ $? -eq 123 ]
	(echo begun && printf unended && seq 400000 && echo three) | cmp - out
	[[ "$(cat err)" == "leat: task 1: timed out after"* ]]
}

@test "-k: a background process that holds the first output open does not hold the order" {
	close_gate
	printf '%s\n' 'puppet fork pass gate end say one' 'echo two' >in
	run leat -k -j2 --linger 10ms -a in 7>&-
	open_gate
	[ "$status" -eq 0 ]
	[ "$output" = "$(printf 'one\ntwo')" ]
}

@test "-k: a second task that has no end ends when the reader has gone" {
	close_gate
	printf '%s\n' 'puppet pass gate say one' 'exec yes' >in
	mkfifo pipe
	leat -k -j2 -a in >pipe 2>err 3>&- 7>&- &
	leat=$!
	exec 6<pipe
	open_gate
	[ "$(head -n 2 <&6)" = "$(printf 'one\ny')" ]
	exec 6<&-
	status=0
	wait "$leat" || status=$?
	[ "$status" -eq 141 ]
}
