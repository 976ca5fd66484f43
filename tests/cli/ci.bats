#!/usr/bin/env bats
# CI services: groups, marks, and nothing in between that is taken for a command.
load helper

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	unset LEAT_PID
}

# What GitHub's runner would make of a log: "command NAME ..." for what it would do, and
# "shown ..." for the rest; as its ActionCommandManager reads lines, which a carriage return
# ends, too. Of Unicode's blanks the one in hostile(). An empty ::debug:: shows nothing.
runner() {
	sed 's/\r$//' | tr '\r' '\n' | LC_ALL=C awk '
	{ text = $0; sub(/^([ \t\v\f]|\302\240)+/, "", text) }
	stopped { if (text == "::" token "::") stopped = 0; else print "shown", $0; next }
	text ~ /^::stop-commands::/ { stopped = 1; token = substr(text, 18); next }
	text == "::debug::" { next }
	text ~ /^::(group|endgroup|error|set-env|add-mask|warning|add-path|set-output)( [^:]*)?::/ ||
		text ~ /##\[(group|endgroup|error|set-env|add-mask|warning|add-path|set-output)/ {
		print "command", text
		next
	}
	{ print "shown", $0 }
	END { if (stopped) print "stopped at the end" }'
}

# Of what a group's title and a mark say of times.
timeless() {
	sed -E 's/[0-9.]+(us|ms|s)\)$/TIME)/; s/ after [0-9.]+(us|ms|s):/ after TIME:/; s/ in [0-9.]+(us|ms|s):/ in TIME:/'
}

hostile() {
	printf '%s\n' '::set-env name=A::b' ' ::add-path::/x' '##[add-mask]secret' 'x ##[set-output name=a]b' \
		'::stop-commands::x' '::x::' '::endgroup::' $'\u00a0::add-mask::nb' $'x\r::add-mask::cr'
}

@test "--ci github: the output of a task is a group with command and time" {
	leat --ci github -j1 ::: 'echo out; echo err >&2' 'seq 2' | runner | timeless >log
	diff log - <<-END
		command ::group::echo out; echo err >&2 (TIME)
		shown out
		shown err
		command ::endgroup::
		command ::group::seq 2 (TIME)
		shown 1
		shown 2
		command ::endgroup::
	END
}

@test "a failed task's output stays open, is marked with the last of its standard error, and comes again" {
	run leat --ci github -j1 ::: 'echo out; echo why >&2; echo "50%, really" >&2; exit 3' true
	[ "$status" -eq 123 ]
	runner <<<"$output" | timeless >log
	command='echo out; echo why >&2; echo "50%, really" >&2; exit 3'
	diff log - <<-END
		shown $command (exit 3, TIME)
		shown out
		shown why
		shown 50%, really
		shown leat: task 1: exit 3: $command
		command ::error title=task 1::exit 3: echo out; echo why >&2; echo "50%25, really" >&2; exit 3%0Awhy%0A50%25, really
		shown leat: 1 task failed:
		shown     task 1: exit 3 after TIME: $command
		shown       why
		shown       50%, really
		shown leat: 2 tasks in TIME: 1 ok, 1 failed, 0 unrun
	END
}

@test "what a task writes, and its command, is never a command to GitHub" {
	hostile >evil
	for mode in "" -k --line-buffer -u "--tag" "--retries 1" "-k --retries 1" "--results dir" -t --dry-run "--progress" --recap; do
		# shellcheck disable=SC2086 # options
		leat --ci github -j2 $mode ::: 'cat evil' 'cat evil >&2' 'cat evil; cat evil >&2; false' \
			'::set-env name=C::d' ': "##[add-mask]y"; exit 4' $'\u00a0::add-mask::z' >log 2>&1 || :
		runner <log >made
		grep '^command' made | grep -v -e '^command ::group::' -e '^command ::endgroup::$' \
			-e '^command ::error title=task [0-9]*::' >leaked && {
			echo "$mode:"
			cat leaked
			return 1
		}
		[ "$(tail -n 1 made)" != 'stopped at the end' ]
		grep -q 'shown ::set-env name=A::b\|shown.*	::set-env\|shown cat evil' made
	done
}

@test "a line that somebody else began takes no command of leat's with it" {
	hostile >evil
	for mode in "" -k -u --line-buffer; do
		# shellcheck disable=SC2086 # options
		{ printf begun; leat --ci github $mode ::: 'cat evil; false'; } >log 2>&1 || :
		runner <log >made
		[ "$(grep -c '^command' made)" -eq 1 ]
		grep -q '^command ::error title=task 1::' made
	done
}

@test "a last line without its end, of any length and stream, ends no group and no guard" {
	for mode in "" -k --tag --line-buffer -u; do
		# shellcheck disable=SC2086 # options
		leat --ci github -j1 $mode ::: 'head -c 3000000 /dev/zero' 'head -c 3000000 /dev/zero >&2' 'printf x' >log 2>&1
		tr -d '\0' <log | runner >made
		[ "$(tail -n 1 made)" != 'stopped at the end' ]
		[ "$(grep -c '^command ::group::' made)" -eq "$(grep -c '^command ::endgroup::$' made)" ]
	done
	leat --ci github ::: 'head -c 3000000 /dev/zero; false' 2>&1 | tr -d '\0' >log || :
	grep -q '^leat: task 1: exit 1: ' log
}

@test "names in messages, and a terminal's progress, are no commands either" {
	export GITHUB_ACTIONS=true
	for name in $'none\n::add-mask::x' $'none\r::add-mask::x' 'none/##[add-mask]x'; do
		for option in -a --results --shell --journal --junit -j; do
			leat "$option" "$name/x" ::: true >log 2>&1 || :
			grep -q '^leat: ' log
			[ "$(runner <log | grep -c '^command ::add\|^command .*##\[add')" -eq 0 ]
		done
	done
	TERM=xterm script -qec "leat --ci github --progress ::: ': \"##[add-mask]y\"; echo a'" /dev/null </dev/null >log
	[ "$(runner <log | grep '^command' | timeless)" = 'command ::group::: "##[add-mask]y"; echo a (TIME)
command ::endgroup::' ]
}

@test "a task whose next attempt is given up is marked, and in the recap" {
	for mode in "" -k; do
		# shellcheck disable=SC2086 # options
		leat --ci github $mode -j1 --retries 1 --retry-delay 1h --halt soon,success=1 ::: 'echo why >&2; exit 3' true >log 2>&1 || :
		runner <log | timeless >made
		grep -qx 'command ::error title=task 1::exit 3: echo why >&2; exit 3' made
		grep -qx 'shown     task 1: exit 3 after TIME: echo why >&2; exit 3' made
	done
}

@test "where standard output is no log, it stays as it is, and standard error has no commands" {
	hostile >evil
	GITHUB_ACTIONS=true leat -j1 ::: 'cat evil; cat evil >&2; false' 'echo out' 2>err >out || :
	diff out <(cat evil; echo out)
	runner <err >made
	[ "$(grep -c '^command' made)" -eq 1 ]
	grep -q '^command ::error title=task 1::exit 1: cat evil' made
	[ "$(grep -c '^shown .*::set-env name=A::b' made)" -eq 2 ] # as it came, and in the recap
}

@test "by itself: the log of the shell that was started, not a pipe, a substitution or a file" {
	export GITHUB_ACTIONS=true
	# shellcheck disable=SC2016 # for that shell
	bash -c 'leat -j1 ::: "echo straight"
		leat ::: "echo piped" | cat
		x=$(leat ::: "echo substituted"; leat ::: "echo twice"); echo $x
		leat ::: "echo filed" >file; cat file' >out 2>err
	runner <out | timeless >log
	diff log - <<-END
		command ::group::echo straight (TIME)
		shown straight
		command ::endgroup::
		shown piped
		shown substituted twice
		shown filed
	END
	[ ! -s err ]
}

@test "a task of another leat has no groups of its own" {
	export GITHUB_ACTIONS=true
	leat --ci github ::: 'leat ::: "echo inner"' | runner | timeless >log
	diff log - <<-END
		command ::group::leat ::: "echo inner" (TIME)
		shown inner
		command ::endgroup::
	END
}

@test "in place of xargs and parallel, all is written as they do" {
	export GITHUB_ACTIONS=true CI=true
	bash -c 'echo a | leat --as xargs echo ::warning::; leat --as parallel echo {} ::: b' >out 2>&1
	diff out <(printf '%s\n' '::warning:: a' b)
}

@test "--ci none, and no service: nothing of it" {
	GITHUB_ACTIONS=true bash -c 'leat --ci none ::: "echo a" "false" 2>&1' >out || :
	[ "$(grep -c :: out)" -eq 0 ]
	bash -c 'leat ::: "echo a" 2>&1' >out
	[ "$(cat out)" = a ]
}

@test "a group whose output has no newline at its end, and one of megabytes, are closed" {
	leat --ci github -j1 ::: 'printf a; printf b >&2' 'yes | head -c 3000000' | runner | timeless | uniq -c |
		sed 's/^ *//' >log
	diff log - <<-END
		1 command ::group::printf a; printf b >&2 (TIME)
		1 shown ab
		1 command ::endgroup::
		1 command ::group::yes | head -c 3000000 (TIME)
		1500000 shown y
		1 command ::endgroup::
	END
}

@test "with -k groups come in the order of the input; attempts of a task stand in one" {
	close_gate
	leat --ci github -k -j4 --retries 1 ::: 'puppet pass gate; echo one' 'echo try >&2; false' 'echo three' >log 3>&- 7>&- 8>&- &
	leat=$!
	open_gate
	wait "$leat" || :
	runner <log | grep '^command' | timeless >made
	diff made - <<-END
		command ::group::puppet pass gate; echo one (TIME)
		command ::endgroup::
		command ::error title=task 2::exit 1: echo try >&2; false%0Atry
		command ::group::echo three (TIME)
		command ::endgroup::
	END
}

@test "GITHUB_STEP_SUMMARY: the account, and the failed tasks with nothing that is Markdown or HTML" {
	export GITHUB_STEP_SUMMARY=$PWD/summary
	echo before >summary
	leat --ci github -j1 ::: 'echo "<b>|*x*" >&2; : "`a` | [b](c)"; exit 2' true >log || :
	[ "$(head -n 1 summary)" = before ]
	grep -q '^### leat: 2 tasks in .*: 1 ok, 1 failed, 0 unrun$' summary
	[ "$(grep -c '^| 1 | exit 2 | ' summary)" -eq 1 ]
	[ "$(grep -c -e '<b>' -e '\*x' -e '`' -e '\](' summary)" -eq 0 ]
	grep -q '^&#60;b&#62;&#124;&#42;x&#42;$' summary
	: >summary
	leat --ci github ::: true
	[ "$(sed 's/ in .*:/ in TIME:/' summary)" = "### leat: 1 task in TIME: 1 ok, 0 unrun" ]
}

@test "a step summary that can't be written is told: exit 125" {
	GITHUB_STEP_SUMMARY=$PWD/none/summary run leat --ci github ::: 'echo a'
	[ "$status" -eq 125 ]
	[[ "$output" == *"leat: cannot write $PWD/none/summary: No such file or directory"* ]]
	GITHUB_STEP_SUMMARY=/dev/full run leat --ci github ::: 'echo a'
	[ "$status" -eq 125 ]
}

@test "--ci gitlab: sections with the task's times, closed but for failed ones" {
	leat --ci gitlab -j1 ::: 'echo a' 'echo b; false' >log || :
	[ "$(grep -c $'^\e\\[0Ksection_start:[0-9]*:leat_[0-9a-f]*_1\\[collapsed=true\\]\r\e\\[0Kecho a (' log)" -eq 1 ]
	[ "$(grep -c $'^\e\\[0Ksection_start:[0-9]*:leat_[0-9a-f]*_2\r\e\\[0Kecho b; false (exit 1, ' log)" -eq 1 ]
	[ "$(grep -c $'^\e\\[0Ksection_end:[0-9]*:leat_[0-9a-f]*_[12]\r\e\\[0K$' log)" -eq 2 ]
	start=$(sed -n 's/.*section_start:\([0-9]*\):leat_[0-9a-f]*_1\[.*/\1/p' log)
	[ "$start" -le "$(date +%s)" ]
	[ "$start" -gt $(($(date +%s) - 600)) ]
}

@test "--ci azure: groups, marks, and a blank in each command of a task, wherever it is cut" {
	run leat --ci azure -j1 ::: 'printf "##vso"; printf "[task.x]1\nA ###VSO[y]2\n##[section]3\n"' 'echo "##vso[a]" >&2; false'
	timeless <<<"$output" >log
	diff log - <<-'END'
		##[group]printf "##vso"; printf "[task.x]1\nA ###VSO [y]2\n##[section]3\n" (TIME)
		##vso [task.x]1
		A ###VSO [y]2
		##[section]3
		##[endgroup]
		echo "##vso [a]" >&2; false (exit 1, TIME)
		##vso [a]
		leat: task 2: exit 1: echo "##vso [a]" >&2; false
		##vso[task.logissue type=error]task 2: exit 1: echo "##vso [a]" >&2; false%0A##vso [a]
		leat: 1 task failed:
		    task 2: exit 1 after TIME: echo "##vso [a]" >&2; false
		      ##vso [a]
		leat: 2 tasks in TIME: 1 ok, 1 failed, 0 unrun
	END
}

@test "--ci azure: no command is put together of two streams, two tasks or a tag" {
	{
		leat --ci azure -j1 ::: 'printf "##vso"; printf "[a]" >&2'
		leat --ci azure -j1 -k --retries 1 ::: 'printf "##vso" >&2; printf "[b]"; false' || :
		leat --ci azure --tagstring '##vso[c]' ::: 'echo x'
		leat --ci azure --line-buffer --tagstring '##vso[d]' ::: 'echo x'
		leat --ci azure --dry-run ::: 'echo "##vso[e]"'
		TF_BUILD=True leat -a '##vso[f]' || :
	} >log 2>&1
	[ "$(grep '##vso\[' log | grep -vc '^##vso\[task.logissue type=error\]task 1: ' || :)" -eq 0 ]
	TF_BUILD=True leat -j1 ::: 'printf "##vso" >&2' 'printf "[g]" >&2' 2>err | cat
	[ "$(cat err)" = '##vso [g]' ]
	TF_BUILD=True leat ::: 'echo "##vso[h]"' 2>/dev/null | grep -Fqx '##vso[h]'
}

@test "--ci of an unknown service is refused" {
	run leat --ci jenkins ::: true
	[ "$status" -eq 2 ]
	[[ "$output" == *"--ci takes auto, github, gitlab, azure or none, not 'jenkins'"* ]]
}
