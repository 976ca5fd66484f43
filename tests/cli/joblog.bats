#!/usr/bin/env bats
# --joblog: GNU parallel's columns and rules, native and in the front end.
load helper

setup() {
	cd "$BATS_TEST_TMPDIR" || return
}

# Column $2 of file $1, without the header.
column() {
	tail -n +2 "$1" | cut -f "$2"
}

# The log without times.
timeless() {
	awk -F '\t' -v OFS='\t' 'NR > 1 { $3 = $4 = "T" } { print }' "$1"
}

@test "--joblog writes a line for each task: number, times, bytes, exit, signal, command" {
	run leat -j1 --joblog log ::: 'printf 12345' 'exit 3' 'kill -9 $$' ./missing
	[ "$(head -n 1 log)" = $'Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand' ]
	[ "$(column log 1 | tr '\n' ,)" = "1,2,3,4," ]
	[ "$(column log 6,7,8 | head -n 3)" = $'5\t0\t0\n0\t3\t0\n0\t0\t9' ]
	[ "$(column log 7 | tail -n 1)" = 127 ]
	[ "$(column log 9 | head -n 2)" = $'printf 12345\nexit 3' ]
}

@test "its times are those of the clock and of the task" {
	before=$(date +%s)
	leat --joblog log <<<'sleep 0.2'
	after=$(date +%s)
	awk -F '\t' -v before="$before" -v after="$after" 'NR == 2 {
		exit !($3 >= before && $3 <= after + 1 && $4 >= 0.2 && $3 ~ /\.[0-9][0-9][0-9]$/) }' log
}

@test "a newline in a command is a NUL byte in the log, so a line is a task" {
	printf 'echo a\necho b\0true\0' | leat -0 --joblog log >/dev/null
	[ "$(wc -l <log)" -eq 3 ]
	grep -qaP 'echo a\x00echo b$' log
}

@test "the last of several attempts is in it; what timed out has the exit status -1" {
	run leat --retries 2 --joblog log <<<'echo $LEAT_ATTEMPT; [ $LEAT_ATTEMPT = 3 ]'
	[ "$(column log 1,7)" = $'1\t0' ]
	run leat --timeout 0.1 --joblog log <<<'exec sleep 50'
	[ "$(column log 7,8)" = $'-1\t15' ]
}

@test "a task that failed and was to be tried again is in it, once, where the run ends before" {
	for form in "" -k; do
		run leat $form -j1 --retries 1 --retry-delay 1000 --halt soon,success=1 --joblog log --summary ::: 'exit 3' true
		[[ "$output" == *": 1 ok, 1 failed, 0 unrun" ]]
		[ "$(column log 1,7 | sort | tr '\t\n' ' ,')" = "1 3,2 0," ]
	done
}

@test "what was canceled, and what was not run, is not in it" {
	run leat -j1 --fail-fast --joblog log ::: true 'exit 1' true
	[ "$(column log 1 | tr '\n' ,)" = "1,2," ]
	run leat -j1 --deadline 0.1 --joblog log <<<'exec sleep 50'
	[ "$(wc -l <log)" -eq 1 ]
}

@test "it begins anew each time, but goes on with a journal" {
	leat --joblog log ::: true true
	leat --joblog log ::: true
	[ "$(wc -l <log)" -eq 2 ]
	leat --journal j --joblog log ::: 'echo a' >/dev/null
	leat --journal j --resume --joblog log ::: 'echo a' 'echo b' >/dev/null
	[ "$(column log 9)" = $'echo a\necho b' ]
}

@test "a joblog that can't be written ends the run with 125, before it or in it" {
	run leat --joblog nowhere/log ::: 'touch ran'
	[ "$status" -eq 125 ]
	[[ "$output" == *"cannot write nowhere/log"* ]]
	[ ! -e ran ]
	ln -s /dev/full full
	run leat --joblog full ::: 'touch ran'
	[ "$status" -eq 125 ]
	[[ "$output" == *"cannot write full: No space left on device"* ]]
}

# What GNU parallel writes for the same, in a directory of its own, without times.
compare() {
	mkdir -p theirs/home/.parallel ours
	: >theirs/home/.parallel/will-cite
	(cd theirs && HOME=$PWD/home parallel --will-cite -j1 "$@" >out 2>/dev/null) || :
	(cd ours && leat --as parallel -j1 "$@" >out 2>/dev/null) || :
	diff -a <(timeless theirs/log) <(timeless ours/log) && diff theirs/out ours/out
}

need_parallel() {
	[[ $(parallel --version 2>&1 || :) == "GNU parallel "* ]] || skip "GNU parallel is not installed"
}

@test "--as parallel: --joblog is GNU parallel's, line by line" {
	need_parallel
	compare --joblog log ::: 'echo foo' 'exit 3' 'kill -9 $$' ./missing 'printf "a\nb"; echo err >&2'
	compare --joblog +log 'echo {}; exit {}' ::: 0 1 2
	compare --timeout 1 --joblog log sleep ::: 30
	compare --joblog log --halt now,fail=1 ::: true false true
}

@test "--as parallel: --resume skips what is in the joblog, by its number; --resume-failed what is well" {
	need_parallel
	compare --joblog log 'echo {}; exit {}' ::: 0 1 2
	compare --joblog log --resume 'echo {}' ::: a b c d e
	compare --joblog log --resume-failed 'echo {}' ::: a b c d e f
	compare --joblog log --resume-failed 'echo {}' ::: a b c d e f
}

@test "--as parallel: --resume needs a joblog; the skipped ones are counted" {
	run leat --as parallel --resume echo ::: 1
	[ "$status" -eq 255 ]
	leat --as parallel --joblog log echo ::: 1 2 >/dev/null
	run leat --as parallel --joblog log --resume --summary echo ::: 1 2 3
	[ "${lines[0]}" = 3 ]
	[[ "${lines[1]}" == *": 1 ok, 0 unrun, 2 skipped" ]]
}

@test "--as parallel: a joblog that is none is passed over, line by line" {
	printf 'noise\n99999999999999999999\t:\t1\n3\t:\t1\t1\t0\t0\t0\t0\tx\n\0\xff\n' >log
	run leat --as parallel -j1 --joblog log --resume echo ::: 1 2 3
	[ "$output" = $'1\n2' ]
}
