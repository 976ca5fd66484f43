#!/usr/bin/env bats
# Records: where they end, what is no task, where they come from.
load helper

@test "a record ends at a newline, the last one needs no end" {
	run leat -j1 < <(printf 'echo a\necho b')
	[ "$output" = "a
b" ]
}

@test "lines that are empty, blank or a comment are no tasks" {
	run leat -j1 --summary < <(printf '\n  \t\n# no\n  # no\n\r\necho yes # a\n')
	[ "${lines[0]}" = yes ]
	[[ "${lines[1]}" == "leat: 1 task in "* ]]
}

@test "a byte order mark at the start and a CR before the newline are dropped" {
	run leat -j1 < <(printf '\xEF\xBB\xBFecho one\r\necho two\r\n')
	[ "$output" = "one
two" ]
}

@test "-0: records end at a NUL, newlines belong to the command" {
	run leat -0 -j1 < <(printf 'echo a\necho b\0echo c\0')
	[ "$output" = "a
b
c" ]
}

@test "-d C: records end at C, also written as an escape" {
	run leat -d, -j1 < <(printf 'echo a,echo b')
	[ "$output" = "a
b" ]
	run leat -d '\t' -j1 < <(printf 'echo a\techo b')
	[ "$output" = "a
b" ]
	run leat --delimiter='\x3B' -j1 < <(printf 'echo a;echo b')
	[ "$output" = "a
b" ]
}

@test "-a reads files one after the other, - is standard input" {
	echo 'echo one' >first
	printf 'echo three' >third
	run leat -j1 -a first -a - --arg-file=third <<<'echo two'
	[ "$output" = "one
two
three" ]
}

@test "a file that can't be read is an error before anything runs" {
	echo 'touch ran' >good
	run leat -a good -a missing
	[ "$status" -eq 125 ]
	[ "$output" = "leat: cannot read missing: No such file or directory" ]
	[ ! -e ran ]
	run leat -a good -a .
	[ "$status" -eq 125 ]
	[[ "$output" == *"Is a directory"* ]]
	[ ! -e ran ]
}

@test "a closed standard input is an error, not an empty one" {
	run bash -c 'leat <&-'
	[ "$status" -eq 125 ]
	[ "$output" = "leat: cannot read standard input: Bad file descriptor" ]
}

@test "an empty input is no trouble" {
	run leat --summary </dev/null
	[ "$status" -eq 0 ]
	[[ "$output" == "leat: 0 tasks in "*": 0 unrun" ]]
}

@test "a record with a NUL byte in the command fails by name, the others run" {
	run leat -j1 < <(printf 'echo a\necho b\0c\necho d\n')
	[ "$status" -eq 123 ]
	[ "${lines[0]}" = a ]
	[ "${lines[1]}" = "leat: task 2: cannot be run: there is a NUL byte in it: echo b^@c" ]
	[ "${lines[2]}" = d ]
}

@test "an error in the middle of the input: what was read is run, exit 125" {
	needs_strace
	yes "exit 0 #$(printf '%01000d' 0)" | head -n 200 >in
	run strace -f -o /dev/null -P "$PWD/in" -e inject=read:error=EIO:when=2 leat -a in
	[ "$status" -eq 125 ]
	[[ "${lines[0]}" == "leat: cannot read in: Input/output error" ]]
	[[ "${lines[1]}" =~ ok,\ 0\+\ unrun$ ]]
}

@test "a task runs while more input is still to come" {
	mkfifo in out
	leat <in >out 3>&- &
	exec 5>in 6<out
	echo 'echo one' >&5
	read -r -t 30 line <&6
	[ "$line" = one ]
	echo 'echo two' >&5
	read -r -t 30 line <&6
	[ "$line" = two ]
	exec 5>&-
	wait $!
}

@test "reading does not run ahead of the slots without end" {
	not_sanitized "a sanitizer's own memory is larger than the limit"
	mkfifo started
	exec 8<>started
	close_gate
	(
		exec 3>&- 8>&- 7>&-
		yes 'puppet tell started x pass gate'
	) | leat -j1 3>&- 7>&- 8>&- >/dev/null 2>&1 &
	read -r -t 30 _ <&8
	pid=$(pgrep -P $$ -x leat || pgrep -n -x leat)
	[ "$(awk '/VmRSS/ { print $2 }' "/proc/$pid/status")" -lt 10240 ]
	kill -KILL "$pid"
	open_gate
}

@test "records of a megabyte do not wait by the dozen" {
	not_sanitized "a sanitizer's memory is its own"
	printf ': %01000000d\n' {1..100} >in
	echo 'awk "/^VmHWM/ { print \$2 }" /proc/$LEAT_PID/status >peak' >>in
	leat -j1 <in
	[ "$(<peak)" -lt 30000 ]
}

@test "non-blocking standard input is waited for, and left as it is" {
	mkfifo in
	exec 5<>in
	run bash -c 'python3 -c "import os; os.set_blocking(0, False)" <&5; (echo "echo one"; echo "exit 7") >&5; timeout 2 leat <&5; exit 0'
	[[ "$output" == *one* ]]
}

@test "a million records are counted" {
	run bash -c 'yes "" | head -n 1000000 | leat --summary'
	[[ "$output" == "leat: 0 tasks in "* ]]
}

@test "a report that would take the place of the input is refused, and the input left as it is" {
	printf 'touch ran\n' >in
	ln -s in link
	for option in --joblog --events --junit --timeline --journal; do
		for name in in link; do
			run leat "$option" "$name" -a in
			[ "$status" -eq 2 ]
			[ "$output" = "leat: cannot write $name: records are read from it" ]
			run leat "$option" "$name" echo :::: "$name" <in
			[ "$status" -eq 2 ]
			run leat "$option" "$name" <in
			[ "$status" -eq 2 ]
		done
	done
	[ "$(cat in)" = 'touch ran' ]
	[ ! -e ran ]
	leat --unrun in -a in
	[ -e ran ]
	[ ! -s in ]
}
