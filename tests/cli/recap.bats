#!/usr/bin/env bats
# The recap: the failed tasks once more, at the end.
load helper

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	export TMUX_TMPDIR=$BATS_TEST_TMPDIR TERM=xterm
	unset TMUX
}

clean_up() {
	tmux kill-server 2>/dev/null || :
}

# What a terminal of $1 by $2 shows when leat, with the arguments that follow, has ended.
screen_of() {
	command -v tmux >/dev/null || skip "tmux is not installed"
	printf '%q ' leat "${@:3}" >run.sh
	mkfifo over
	tmux -f /dev/null new-session -d -x "$1" -y "$2" "sh -c '. ./run.sh; echo >over; read x'"
	read -r -t 60 <over
	tmux capture-pane -p | sed -E 's/ after [0-9.]+(us|ms|s):/ after TIME:/; s/ in [0-9.]+(us|ms|s):/ in TIME:/'
}

timeless() {
	sed -E 's/ after [0-9.]+(us|ms|s):/ after TIME:/; s/ in [0-9.]+(us|ms|s):/ in TIME:/'
}

@test "at a terminal: the failed tasks with exit, time and the last lines of standard error" {
	screen_of 80 24 -j1 ::: 'echo why >&2; exit 3' 'echo fine' >screen
	diff <(head -n 6 screen) - <<-END
		why
		leat: task 1: exit 3: echo why >&2; exit 3
		fine
		leat: 1 task failed:
		    task 1: exit 3 after TIME: echo why >&2; exit 3
		      why
	END
	grep -q '^leat: 2 tasks in TIME: 1 ok, 1 failed, 0 unrun' screen
}

@test "it takes a screen at the most, and says how many it leaves out" {
	seq 50 | sed 's/.*/seq 20 >\&2; exit &/' >in
	screen_of 40 10 -j1 -a in >screen
	[ "$(head -n 1 screen)" = "leat: 50 tasks failed:" ]
	[ "$(grep -c '^    task ' screen)" -eq 5 ]
	grep -q '^    and 45 more$' screen
	grep -q '^leat: 50 tasks in TIME' screen
}

@test "without a terminal there is none but in CI, and with --recap" {
	set -- -j1 ::: 'printf "\e[31mred\e[0m\n" >&2; exit 1' true
	run leat "$@"
	[[ "$output" != *"1 task failed"* ]]
	CI=false run leat "$@"
	[[ "$output" != *"1 task failed"* ]]
	CI=true run leat "$@"
	[[ "$output" == *"leat: 1 task failed:"* ]]
	run leat --recap "$@"
	timeless <<<"$output" | grep -A2 '1 task failed:' >recap
	diff recap - <<-'END'
		leat: 1 task failed:
		    task 1: exit 1 after TIME: printf "\e[31mred\e[0m\n" >&2; exit 1
		      red
	END
}

@test "there is none where all went well, of a single task, with -q or --no-recap" {
	export CI=true
	for arguments in "::: true true" "::: false" "-q ::: false true" "--no-recap ::: false true"; do
		# shellcheck disable=SC2086 # words
		run leat $arguments
		[[ "$output" != *"failed:"* ]]
	done
	run leat --recap ::: false
	[[ "$output" == *"leat: 1 task failed:"* ]]
	run leat --recap --no-recap ::: false
	[ "$status" -eq 2 ]
}

@test "what was tried again and went well is not in it, what was not started is, without lines under -u" {
	run leat --recap --retries 1 ::: 'test "$LEAT_ATTEMPT" = 2' 'exit 4' ./none
	recap=${output#*tasks failed:}
	[ "$(grep -c 'after' <<<"$recap")" -eq 2 ]
	[[ "$recap" == *"task 2: exit 4 after"* ]]
	[[ "$recap" == *"task 3: not found after"* ]]
	run leat --recap --timeout 0.1s ::: 'exec sleep 50'
	[[ "$output" == *"    task 1: timed out after 0.1s: exec sleep 50"* ]]
	run leat -u --recap ::: 'echo err >&2; exit 4'
	[ "$(grep -c '^ *err$' <<<"$output")" -eq 1 ]
	[[ "$output" == *"    task 1: exit 4 after"* ]]
}

@test "the end of standard error is known however much there is, and however it is written" {
	for mode in "" -k --line-buffer --pty "--results dir"; do
		# shellcheck disable=SC2086 # options
		run leat $mode --recap ::: 'seq 300000 >&2; exit 1' 2>/dev/null
		tail -n 12 <<<"$output" | head -n 11 | tail -n 10 | tr -d ' ' >last
		diff last <(seq 299991 300000)
	done
}
