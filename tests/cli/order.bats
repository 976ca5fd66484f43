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
