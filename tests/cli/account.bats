#!/usr/bin/env bats
# The account: lines per task, the summary, unrun records, exit statuses.
load helper

@test "exit 0 and silence where all is ok" {
	run leat <<<'exit 0'
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}

@test "--summary says how it went also then" {
	run leat --summary -j2 < <(printf 'exit 0\nexit 0\n')
	echo "$output"
	[ "$status" -eq 0 ]
	[[ "$output" =~ ^leat:\ 2\ tasks\ in\ [0-9.]+[mu]?s:\ 2\ ok,\ 0\ unrun$ ]]
}

@test "each task that is not ok gets one line, and the run exits 123" {
	run leat -j1 < <(printf '%s\n' 'exit 2' 'kill -9 $$' nosuchcommand ./notexec 'exit 0')
	[ "$status" -eq 123 ]
	[ "${lines[0]}" = "leat: task 1: exit 2: exit 2" ]
	[ "${lines[1]}" = "leat: task 2: signal 9: kill -9 \$\$" ]
	[ "${lines[2]}" = "leat: task 3: not found: nosuchcommand" ]
	[ "${lines[3]}" = "leat: task 4: not found: ./notexec" ]
	[[ "${lines[4]}" =~ ^leat:\ 5\ tasks\ in\ .*:\ 1\ ok,\ 3\ failed,\ 1\ crashed,\ 0\ unrun$ ]]
}

@test "what is no program cannot be run, and says why" {
	: >notexec
	run leat <<<./notexec
	[ "${lines[0]}" = "leat: task 1: cannot be run: Permission denied: ./notexec" ]
}

@test "a core that was dumped is mentioned" {
	ulimit -c unlimited 2>/dev/null || skip "cores can't be allowed here"
	run leat <<<'puppet die SEGV'
	[[ "${lines[0]}" == "leat: task 1: signal 11"*": puppet die SEGV" ]]
}

@test "-q says nothing of tasks and how it went" {
	run leat -q <<<'exit 1'
	[ "$status" -eq 123 ]
	[ -z "$output" ]
}

@test "control characters in a command are shown, not sent" {
	run leat <<<$'exit 1 \033[31m\a'
	[ "${lines[0]}" = 'leat: task 1: exit 1: exit 1 ^[[31m^G' ]
}

@test "--timeout: timed out, exit 123, and the whole tree is gone" {
	run leat --timeout 0.2s <<<'puppet fork pid a hold end fork setsid fork pid b hold end hold end hold'
	[ "$status" -eq 123 ]
	[[ "${lines[0]}" == "leat: task 1: timed out after 0.2s: puppet"* ]]
	await_end "$(cat a)"
	await_end "$(cat b)"
}

@test "--timeout reaches what daemonized: no parent, a session of its own" {
	run leat --timeout 0.3s <<<'puppet fork setsid fork pid d hold end end hold'
	[[ "$output" == *"1 timed out"* ]]
	await_end "$(cat d)"
}

@test "--kill-after: what ignores SIGTERM gets SIGKILL" {
	run timeout -s KILL 30 leat --timeout 0.2s --kill-after 0.1s <<<'puppet ignore TERM pid a hold'
	[[ "$output" == *"1 timed out"* ]]
	await_end "$(cat a)"
}

@test "a task that stopped itself is continued to be ended" {
	run timeout -s KILL 30 leat --timeout 0.2s --kill-after 1h <<<'puppet stop'
	[[ "$output" == *"1 timed out"* ]]
}

@test "what a timed out task wrote until then is written" {
	run leat --timeout 0.3s <<<'puppet say early hold'
	[ "${lines[0]}" = early ]
}

@test "--deadline ends the run: exit 124, the rest is unrun" {
	run leat -j1 --deadline 0.3s --unrun rest < <(printf '%s\n' 'exit 0' 'puppet hold' 'exit 0' 'exit 0')
	[ "$status" -eq 124 ]
	[[ "${lines[0]}" == "leat: task 2: timed out at the deadline: puppet hold" ]]
	[[ "${lines[1]}" == *": 1 ok, 1 timed out, 2 unrun" ]]
	[ "$(wc -l <rest)" -eq 2 ]
}

@test "--deadline that is not reached does nothing" {
	run leat --deadline 1h <<<'exit 0'
	[ "$status" -eq 0 ]
}

@test "--deadline ends a run that waits for input" {
	mkfifo in
	exec 5<>in
	run leat --deadline 0.2s -a in
	[ "$status" -eq 124 ]
	[[ "$output" == *"0+ tasks in"*": 0+ unrun" ]]
}

@test "--unrun: in the input's own form, so that leat does the rest" {
	printf 'exit 0\0puppet hold\0echo "a\nb"\0' >in
	run leat -0 -j1 --deadline 0.3s --unrun rest -a in
	[ "$status" -eq 124 ]
	run leat -0 -a rest
	[ "$output" = "a
b" ]
}

@test "--unrun may name leat's own input" {
	printf '%s\n' 'puppet hold' 'echo a' 'echo b' >list
	run leat -j1 --deadline 0.2s --unrun list <list
	[ "$(cat list)" = "echo a
echo b" ]
	[ "$(ls)" = list ]
}

@test "--unrun is empty where nothing was left, and has the mode that a new file has" {
	umask 027
	run leat --unrun rest <<<'exit 0'
	[ -e rest ] && [ ! -s rest ]
	[ "$(stat -c %a rest)" = 640 ]
}

@test "--unrun that can't be written: before anything runs, exit 125" {
	run leat --unrun /nonexistent/rest <<<'touch ran'
	[ "$status" -eq 125 ]
	[ "$output" = "leat: cannot write /nonexistent/rest: No such file or directory" ]
	[ ! -e ran ]
}

@test "--unrun /dev/stdout comes after all else that standard output is redirected to" {
	printf '%s\n' 'echo first' 'puppet hold' 'exit 5' 'exit 6' >in
	echo before >out
	run bash -c 'leat -j1 --deadline 0.3s --unrun /dev/stdout -a in >>out 2>err'
	[ "$status" -eq 124 ]
	[ "$(cat out)" = "$(printf '%s\n' before first 'exit 5' 'exit 6')" ]
	run bash -c 'leat -j1 --deadline 0.3s --unrun /dev/fd/5 -a in 5>rest 2>err'
	[ "$(cat rest)" = "$(printf '%s\n' 'exit 5' 'exit 6')" ]
}

@test "--unrun with a descriptor that is not open: before anything runs, exit 125" {
	run leat --unrun /dev/fd/99 <<<'touch ran'
	[ "$status" -eq 125 ]
	[ "$output" = "leat: cannot write /dev/fd/99: Bad file descriptor" ]
	[ ! -e ran ]
}

@test "--unrun on a full device: a message and exit 125" {
	run leat -j1 --deadline 0.2s --unrun /dev/full < <(printf '%s\n' 'puppet hold' 'exit 0')
	[ "$status" -eq 125 ]
	[[ "$output" == *"cannot write /dev/full: No space left on device"* ]]
}

@test "leat's own trouble wins over the tasks'" {
	run bash -c 'printf "%s\n" "exit 1" "echo x" | leat -j1 2>&1 >/dev/full'
	[ "$status" -eq 125 ]
}

@test "--unrun follows a symbolic link to a file that is not there yet" {
	ln -s target link
	leat --deadline 0 --unrun link <<<'true' || :
	[ -L link ]
	[ "$(cat target)" = true ]
}

@test "--unrun: a byte order mark of the first command stays" {
	printf '#\n\357\273\277true\n' >in
	leat -a in --deadline 0 --unrun rest || :
	run leat -a rest
	[ "$status" -eq 123 ]
}

@test "what leat says of its own and can't be written is not exit 0" {
	for option in --summary -t '--deadline 0'; do
		run bash -c "echo true | leat $option 2>/dev/full"
		[ "$status" -eq 125 ]
	done
	run bash -c 'echo true | leat --dry-run 2>&1 >/dev/full'
	[ "$status" -eq 125 ]
	[[ "$output" == "leat: cannot write standard output: No space left on device" ]]
	run bash -c 'leat --version 2>&1 >/dev/full'
	[ "$status" -eq 125 ]
	[[ "$output" == "leat: cannot write standard output: "* ]]
}

@test "--dry-run names a record that can't become a command" {
	run leat --dry-run < <(printf 'a\0b\ntrue\n')
	[ "$status" -eq 123 ]
	[[ "${lines[0]}" == "leat: task 1: cannot be run: there is a NUL byte in it: a^@b" ]]
	[ "${lines[1]}" = true ]
}

@test "--unrun: what could not even begin leaves the file as it was" {
	echo before >rest
	run leat --unrun rest --joblog none/log ::: true
	[ "$status" -eq 125 ]
	[ "$(cat rest)" = before ]
	[ "$(ls)" = rest ]
}

@test "--unrun, --junit and --timeline to pipes that nobody reads end with the third Ctrl-C" {
	for option in --unrun --junit --timeline; do
		mkfifo report told
		exec 4<>report 5<>told
		head -c 65536 /dev/zero >&4
		start_leat -j1 --fail-fast "$option" report ::: 'puppet tell told x; exit 3' true 4>&- 5>&-
		read -r -t 30 _ <&5
		next_line
		[[ "$line" == "leat: task 1: exit 3: "* ]]
		kill -INT "$leat"
		kill -QUIT "$leat"
		finish_leat
		[[ "$rest" == *"leat: cannot write report: Operation canceled"* ]]
		[ "$status" -eq 125 ]
		exec 4<&- 5<&-
		rm report told err
	done
}
