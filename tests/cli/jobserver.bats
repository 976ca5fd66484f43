#!/usr/bin/env bats
# Below make, leat runs by make's tokens; --jobserver has its tasks share the slots.
load helper

# The test in make's part: the tokens $1, a byte each, in a FIFO or in a pipe, which is
# open as 20 for reading and as 21 for writing. MAKEFLAGS is of make -j9.
serve_fifo() {
	mkfifo tokens
	exec 20<>tokens
	exec 21>tokens
	printf %s "$1" >&21
	export MAKEFLAGS=" -j9 --jobserver-auth=fifo:$PWD/tokens"
}

serve_pipe() {
	serve_fifo "$1"
	rm tokens
	MAKEFLAGS=" -j9 --jobserver-auth=20,21"
}

# The tokens that are there, in order of the alphabet. They are put back.
tokens() {
	dd bs=1 iflag=nonblock if=/proc/self/fd/20 of=taken 2>/dev/null || :
	cat taken >&21
	fold -w1 taken | LC_ALL=C sort | tr -d '\n'
}

# Tasks that tell in the FIFO "started", open as 8, when they run, and wait at the gate;
# each notes in the directory "at_work" while it does, and in "most" how many do.
prepare_tasks() {
	mkdir at_work
	mkfifo started
	exec 8<>started
	close_gate
	cat >task <<-'TASK'
		: >"$here/at_work/$$"
		set -- "$here"/at_work/*
		echo "$#" >>"$here/most"
		echo x >"$here/started"
		puppet pass "$here/gate"
		rm "$here/at_work/$$"
	TASK
	export here=$PWD
}

# Until $1 more of them have told that they run.
await_starts() {
	for ((start = 0; start < $1; start++)); do
		read -r -t 30 _ <&8 || return
	done
}

# No more tasks were ever at work than $1, and so many were.
most_is() {
	[ "$(sort -n most | tail -n 1)" -eq "$1" ]
}

tasks() {
	for ((task = 0; task < $1; task++)); do
		echo "sh $here/task"
	done
}

@test "make -jN: all that runs below is never more than N, and every token goes back" {
	prepare_tasks
	tasks 5 >in
	printf 'all: a b c\na b c: ; +leat -a %s/in\n' "$PWD" >Makefile
	make -j4 >out 2>&1 3>&- 7>&- 8>&- &
	make=$!
	await_starts 4
	most_is 4
	open_gate
	await_starts 11
	wait "$make"
	most_is 4
	[[ "$(cat out)" != *jobserver* ]]
}

@test "make -jN: no token is lost when leat is interrupted" {
	prepare_tasks
	tasks 5 >in
	printf 'all: a b\na: ; +echo $$$$ >$@; exec leat -a %s/in\nb: ; +leat -a %s/in\n' "$PWD" "$PWD" >Makefile
	env --default-signal=INT make -k -j4 >out 2>&1 3>&- 7>&- 8>&- &
	make=$!
	await_starts 4
	kill -INT "$(cat a)"
	open_gate
	wait "$make" || [ "$?" -eq 2 ]
	most_is 4
	grep -q 'interrupted: [1-3] running finish' out
	[[ "$(cat out)" != *jobserver* ]] # make: INTERNAL: Exiting with 2 jobserver tokens
}

@test "make -jN: leat has N slots, and tasks find the jobserver as leat did" {
	cat >Makefile <<-'MAKEFILE'
		all: ; +@leat --events events make -s ::: below
		below: ; +@echo "$$MAKEFLAGS" >seen; puppet descriptors >>seen
	MAKEFILE
	make -j7 3>&-
	grep -q '"slots":7' events
	grep -q -- ' -j7 --jobserver-auth=' seen
	numbers=$(sed -n 's/.*--jobserver-auth=\([0-9]*,[0-9]*\).*/\1/p' seen)
	[ "$numbers" = "$(sed -n 5,6p seen | paste -sd,)" ] || [[ "$(head -n 1 seen)" == *fifo:* ]]
}

@test "make -jN and leat -j: so many slots at most, and tokens rule all the same" {
	prepare_tasks
	tasks 6 >in
	serve_pipe ab
	leat -j2 -a in 3>&- 7>&- 8>&- &
	leat=$!
	await_starts 2
	most_is 2
	[ "$(tokens | wc -c)" -eq 1 ]
	open_gate
	await_starts 4
	wait "$leat"
	[ "$(tokens)" = ab ]
	: >most
	close_gate
	leat -j50 -a in 3>&- 7>&- 8>&- &
	leat=$!
	await_starts 3
	open_gate
	wait "$leat"
	most_is 3
	[ "$(tokens)" = ab ]
}

@test "a task runs on leat's own token, without a byte of make's" {
	for style in pipe fifo; do
		serve_$style ""
		run leat --summary echo ::: 1 2 3 3>&-
		[ "$status" -eq 0 ]
		[ "$(grep -c '^[123]$' <<<"$output")" -eq 3 ]
		rm -f tokens
	done
}

@test "the very bytes that were taken go back, in both styles" {
	for style in pipe fifo; do
		serve_$style aZ9
		run leat -q -c 'exit {}' ::: 0 1 2 3 4 5 6 7 3>&-
		[ "$status" -eq 123 ]
		[ "$(tokens)" = 9Za ]
		rm -f tokens
	done
}

@test "every token goes back: a task that fails, crashes, times out, is not found or tried again" {
	for style in pipe fifo; do
		serve_$style abc
		printf '%s\n' false 'kill -9 $$' 'sleep 50' ./missing /dev/null 'cd /; exit 4' "$(printf 'a\0b')" >in
		leat -q --timeout 0.2 --retries 1 -a in 3>&- || [ "$?" -eq 123 ]
		[ "$(tokens)" = abc ]
		leat -q --chdir missing -a in 3>&- || [ "$?" -eq 123 ]
		[ "$(tokens)" = abc ]
		rm -f tokens
	done
}

@test "every token goes back after SIGINT, SIGTERM, SIGHUP and SIGQUIT, and what waited is unrun" {
	prepare_tasks
	tasks 6 >in
	for signal in INT TERM HUP QUIT; do
		serve_pipe ab
		close_gate
		start_leat -a in 8>&- 7>&-
		await_starts 3
		kill -"$signal" "$leat"
		until next_line && [[ "$line" == *": 3 running "*", 3 not run" ]]; do
			[[ "$line" == *": canceled: "* ]] # may be told before it
		done
		open_gate
		finish_leat
		[ "$status" -gt 128 ]
		[ "$(tokens)" = ab ]
		[[ "$rest" == *", 3 unrun" ]]
		rm -f at_work/* err
	done
}

@test "every token goes back at a higher level, a halt, the deadline, and where leat fails itself" {
	prepare_tasks
	tasks 6 >in
	serve_fifo ab
	start_leat -a in 8>&- 7>&-
	await_starts 3
	kill -INT "$leat"
	next_line
	kill -INT "$leat"
	finish_leat
	[ "$(tokens)" = ab ]
	[[ "$rest" == *": 3 canceled, 3 unrun" ]]
	open_gate
	run leat --halt now,fail=1 -a <(printf '%s\n' 'sleep 50' 'sleep 50' false) 3>&-
	[ "$(tokens)" = ab ]
	run leat --deadline 0.3 sleep ::: 51 52 53 54 55 3>&-
	[ "$status" -eq 124 ]
	[[ "$output" == *": 3 timed out, 2 unrun" ]]
	[ "$(tokens)" = ab ]
	leat echo ::: 1 2 3 4 5 6 7 >/dev/full 2>&1 3>&- || [ "$?" -eq 125 ]
	[ "$(tokens)" = ab ]
}

@test "out of reach, leat says so and runs one task at a time, or so many as -j says and nothing" {
	printf 'all: ; @leat -a in\nsome: ; @leat -j3 -a in\n' >Makefile
	prepare_tasks
	open_gate
	tasks 4 >in
	run make -s -j3 3>&- 8>&-
	[ "$status" -eq 0 ]
	[ "$output" = "leat: make's jobserver is out of reach (mark the recipe with '+'): running one task at a time" ]
	most_is 1
	: >most
	close_gate
	make -s -j2 some >out 2>&1 3>&- 7>&- 8>&- &
	make=$!
	await_starts 7
	open_gate
	wait "$make"
	[ ! -s out ]
	most_is 3
}

@test "numbers of something else, and words that are none, are out of reach" {
	for where in 20,21 300,301 20,20x -2,-2 "" x fifo: 1,2; do
		MAKEFLAGS=" -j4 --jobserver-auth=$where" run leat echo ::: 1 20</dev/null 21>file 3>&-
		[ "${lines[0]}" = "leat: make's jobserver is out of reach (mark the recipe with '+'): running one task at a time" ]
		[ "${lines[1]}" = 1 ]
	done
	[ ! -s file ]
	MAKEFLAGS="--jobserver-auth=fifo:$PWD/none" run leat echo ::: 1 3>&-
	[ "${lines[0]}" = "leat: make's jobserver is out of reach: No such file or directory: running one task at a time" ]
	MAKEFLAGS="--jobserver-auth=fifo:$PWD/file" run leat echo ::: 1 3>&-
	[[ "${lines[0]}" == "leat: make's jobserver is out of reach: "* ]]
}

@test "when all others have closed the pipe, leat goes on, and does not loop" {
	prepare_tasks
	tasks 3 >in
	serve_pipe ""
	leat -a in 3>&- 7>&- 8>&- &
	leat=$!
	await_starts 1
	exec 20<&- 21>&-
	ticks=$(awk '{ print $14 + $15 }' "/proc/$leat/stat")
	for _ in {1..20}; do read -r -t 0.01 _ <> <(:) || :; done
	[ "$(($(awk '{ print $14 + $15 }' "/proc/$leat/stat") - ticks))" -lt 10 ]
	open_gate
	wait "$leat"
	most_is 1
}

@test "the flags of the descriptors are left alone, and children get no others" {
	serve_pipe ab
	before=$(grep flags /proc/self/fdinfo/2[01])
	run leat puppet ::: descriptors 3>&- 7>&- 8>&-
	[ "$output" = "$(printf '%s\n' 0 1 2 20 21)" ]
	[ "$(grep flags /proc/self/fdinfo/2[01])" = "$before" ]
	rm -f tokens
	serve_fifo ab
	run leat puppet ::: descriptors 3>&- 20>&- 21>&-
	[ "$output" = "$(printf '%s\n' 0 1 2)" ]
}

@test "--jobserver: make in tasks shares the slots, all that runs is never more than N" {
	prepare_tasks
	printf 'all: %s\n%%: ; @sh %s/task\n' "$(seq -s ' ' 6)" "$PWD" >Makefile
	for style in pipe fifo; do
		[ "$style" = pipe ] || [[ "$(make --version)" == "GNU Make "4.[4-9]* ]] || continue
		: >most
		close_gate
		leat --jobserver=$style -j3 make -C ::: "$PWD" "$PWD/." >out 2>&1 3>&- 7>&- 8>&- &
		leat=$!
		await_starts 3
		open_gate
		await_starts 9
		wait "$leat"
		most_is 3
		[[ "$(cat out)" != *jobserver* ]]
	done
}

@test "--jobserver: leat in tasks shares the slots, in both styles" {
	prepare_tasks
	tasks 4 >in
	for style in pipe fifo; do
		: >most
		close_gate
		leat --jobserver=$style -j3 leat -a ::: in in in 3>&- 7>&- 8>&- &
		leat=$!
		await_starts 3
		open_gate
		await_starts 9
		wait "$leat"
		most_is 3
	done
}

@test "--jobserver: gcc -flto=auto takes its tokens there" {
	echo 'int main(void) { return 0; }' >main.c
	gcc -v -flto=auto main.c -o main 2>alone || skip "gcc has no -flto=auto"
	run leat -j2 --jobserver gcc -v -flto=auto main.c -o ::: main 3>&-
	[ "$status" -eq 0 ]
	[[ "$output" == *"Using make jobserver"* ]]
	[[ "$(cat alone)" != *"Using make jobserver"* ]]
}

@test "--jobserver: cargo takes its tokens there" {
	command -v cargo >/dev/null || skip "cargo is not installed"
	mkdir src
	printf '[package]\nname = "one"\nversion = "0.1.0"\nedition = "2021"\n' >Cargo.toml
	echo 'fn main() {}' >src/main.rs
	echo 'fn main() { std::fs::write("seen", std::env::var("CARGO_MAKEFLAGS").unwrap()).unwrap(); }' >build.rs
	for style in pipe fifo; do
		touch build.rs
		run leat -j2 --jobserver=$style cargo build --offline -q ::: --color=never 3>&-
		[ "$status" -eq 0 ]
		[ -z "$output" ]
		[[ "$(cat seen)" == *--jobserver-* ]]
		[ "$style" = pipe ] || [[ "$(cat seen)" == *fifo:*/leat-* ]]
	done
}

@test "--jobserver=fifo: ninja takes its tokens there" {
	version=$(ninja --version 2>/dev/null) || skip "ninja is not installed"
	[ "$(printf '%s\n' 1.13 "$version" | sort -V | head -n 1)" = 1.13 ] || skip "ninja $version is older than 1.13"
	prepare_tasks
	{
		printf 'rule run\n  command = sh %s/task\n' "$PWD"
		for target in 1 2 3 4 5 6; do echo "build $target: run"; done
	} >build.ninja
	leat --jobserver=fifo -j3 ninja -C ::: . 3>&- 7>&- 8>&- &
	leat=$!
	await_starts 3
	open_gate
	await_starts 3
	wait "$leat"
	most_is 3
}

@test "--jobserver: MAKEFLAGS tells of it, in place of what that said of jobs" {
	serve_pipe ""
	export MAKEFLAGS='k -j9 --jobserver-auth=300,301 -- A=b'
	run leat -j2 --jobserver -c 'echo "$MAKEFLAGS"' ::: 1 3>&- 20<&- 21>&-
	[[ "$output" =~ ^"k -j2 --jobserver-auth="[0-9]+,[0-9]+" -- A=b"$ ]]
	run leat -j2 --jobserver --env MAKEFLAGS=mine -c 'echo "$MAKEFLAGS"' ::: 1 3>&- 20<&- 21>&-
	[ "$output" = mine ]
}

@test "--jobserver below make passes make's on" {
	printf 'all: ; +@leat --jobserver=fifo -j3 -c %s ::: 1\n' "'echo \"\$\$MAKEFLAGS\"'" >Makefile
	run make -j5 3>&-
	[ "$output" = " -j5 --jobserver-auth=3,4" ] || [[ "$output" == " -j5 --jobserver-auth="* ]]
	[[ "$output" != *leat* ]]
}

@test "--jobserver=fifo: the FIFO is the user's alone, and is removed, also after a signal" {
	export TMPDIR="$PWD/a b"
	mkdir "$TMPDIR"
	run leat --jobserver=fifo -j3 -c 'stat -c %A "$TMPDIR"/leat-*; stat -c %A "$TMPDIR"/leat-*/*' ::: 1 3>&-
	[ "$output" = "drwx------
prw-------" ]
	[ -z "$(ls "$TMPDIR")" ]
	mkfifo started
	exec 8<>started
	for signal in INT TERM HUP QUIT; do
		echo 'puppet tell started x hold' >in
		start_leat --on-cancel terminate --jobserver=fifo -a in 8>&-
		read -r -t 30 _ <&8
		[ -n "$(ls "$TMPDIR")" ]
		kill -"$signal" "$leat"
		finish_leat
		[ -z "$(ls "$TMPDIR")" ]
		rm err
	done
	TMPDIR=$PWD/none run leat --jobserver=fifo -j2 true ::: 1 3>&-
	[ "$status" -eq 125 ]
	[ "$output" = "leat: cannot make a fifo below $PWD/none
leat: cannot start: No such file or directory" ]
}

@test "--jobserver: what a killed task had taken is made good" {
	prepare_tasks
	printf "puppet pid $PWD/taker%s hold\n" 1 2 3 >taking
	mkfifo in
	for style in pipe fifo; do
		leat -q -j3 --jobserver=$style -a in 3>&- 7>&- 8>&- &
		leat=$!
		exec 22>in
		echo "echo \$\$ >taking_leat; exec leat -q -a taking" >&22
		until [ -e taker1 ] && [ -e taker2 ] && [ -e taker3 ]; do read -r -t 0.01 _ <> <(:) || :; done
		kill -KILL "$(cat taking_leat)"
		: >most
		close_gate
		tasks 3 >&22
		exec 22>&-
		await_starts 3
		open_gate
		wait "$leat" || [ "$?" -eq 123 ]
		most_is 3
		rm taker*
	done
}

@test "--jobserver: a style that is none is a usage error" {
	run leat --jobserver=socket true
	[ "$status" -eq 2 ]
	[[ "$output" == *"--jobserver takes pipe or fifo, not 'socket'"* ]]
}
