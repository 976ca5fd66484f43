#!/usr/bin/env bats
# What may be wrong with the input: that it can't be read, or only so far; that it does not
# come, or does not end; that it is large, or no text. What was read is run and counted.
load ../cli/helper

clean_up() {
	if jobs -pr | grep -qx "${leat:-none}"; then kill -KILL "$leat"; fi
}

@test "a directory as standard input: 125, and nothing is run" {
	run leat <.
	[ "$status" -eq 125 ]
	[ "$output" = "leat: cannot read standard input: Is a directory" ]
}

@test "a file that may not be read: 125, and nothing of the others is run" {
	[ "$(id -u)" = 0 ] || skip "needs root to become a user who may not"
	id nobody >/dev/null || skip "no user nobody"
	chmod 777 .
	cp "$BUILD/leat" leat && chmod 755 leat
	echo 'touch ran' | tee open >closed
	chmod 000 closed
	run timeout 30 setpriv --reuid=nobody --clear-groups ./leat -a open -a closed
	[ "$status" -eq 125 ]
	[ "$output" = "leat: cannot read closed: Permission denied" ]
	[ ! -e ran ]
}

@test "an error in the middle of a record: what was read before it is run, the piece is not" {
	needs_strace
	{ echo 'echo one'; printf 'touch no%070000d' 0; echo; } >in
	status=0
	strace -f -o /dev/null -P "$PWD/in" -e inject=read:error=EIO:when=2 leat -a in >out 2>err || status=$?
	[ "$status" -eq 125 ]
	[ "$(<out)" = one ]
	[[ "$(<err)" == "leat: cannot read in: Input/output error
leat: 1+ task in "*": 1 ok, 0+ unrun" ]]
	[ "$(echo no*)" = 'no*' ]
}

@test "it is cut short while it is read: that is an error as well, and the piece is not run" {
	{ echo ': >in'; yes "echo $(printf '%01000d' 0)." | head -n 1000; } >in
	run leat -j1 -a in
	[ "$status" -eq 125 ]
	[ "$(grep -c '^leat: cannot read in: it was cut short meanwhile$' <<<"$output")" -eq 1 ]
	[[ "${lines[-1]}" =~ ^leat:\ [0-9]+\+\ tasks\ in\ .*:\ [0-9]+\ ok,\ 0\+\ unrun$ ]]
	[ "$(grep -c '^0*$' <<<"$output")" -eq 0 ]
}

# A terminal of leat's own, whose other end is the coprocess: what is written to it is typed.
on_a_terminal() {
	cat >terminal.py <<'END'
import os, pty, sys
pid, master = pty.fork()
if not pid:
    out = os.open("out", os.O_WRONLY)
    os.dup2(out, 1)
    os.dup2(os.open("err", os.O_WRONLY | os.O_CREAT), 2)
    os.execvp("leat", ["leat", "-j1", "--summary"])
for line in sys.stdin:
    if line == "hang up\n":
        break
    os.write(master, b"\4" if line == "end\n" else line.encode())
else:
    sys.exit(99)
if len(sys.argv) > 1:
    os.close(master)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
END
	mkfifo out typed
	python3 terminal.py "$@" <typed >status 3>&- 5>&- 6>&- &
	exec 5>typed 6<out
}

@test "a terminal: each line is run when it is typed, and Ctrl-D is the end" {
	on_a_terminal
	for word in one two; do
		echo "echo $word" >&5
		read -r -t 30 line <&6
		[ "$line" = "$word" ]
	done
	printf 'end\nhang up\n' >&5
	wait $!
	[ "$(<status)" = 0 ]
	grep -q ': 2 ok, 0 unrun$' err
}

@test "a terminal that goes away: leat is hung up, and its tasks are accounted for" {
	on_a_terminal away
	echo 'puppet tell out one hold' >&5
	read -r -t 30 line <&6
	echo 'hang up' >&5
	wait $!
	[ "$(<status)" = -1 ]
	grep -q ': 1 canceled, 0+* unrun$' err
}

@test "a terminal that goes away below nohup: the input ends, what was read is run" {
	trap '' HUP
	on_a_terminal away
	echo 'echo one' >&5
	read -r -t 30 line <&6
	echo 'hang up' >&5
	wait $!
	[[ " 0 125 " == *" $(<status) "* ]]
	grep -q ': 1 ok, 0+* unrun$' err
}

@test "non-blocking standard input that comes late: it is waited for, all of it is run, and it is left as it is" {
	cat >late.py <<'END'
import os, subprocess
theirs, ours = os.pipe()
os.set_blocking(theirs, False)
leat = subprocess.Popen(["leat", "-j1"], stdin=theirs, stdout=subprocess.PIPE)
for word in b"one", b"two":
    os.write(ours, b"echo " + word + b"\n")
    assert leat.stdout.readline() == word + b"\n"
os.close(ours)
assert leat.wait() == 0 and leat.stdout.read() == b""
assert not os.get_blocking(theirs)
END
	timeout 40 python3 late.py
}

@test "others read the same non-blocking input: what leat got is run, nothing twice" {
	cat >shared.py <<'END'
import os, subprocess
theirs, ours = os.pipe()
os.set_blocking(theirs, False)
leats = [subprocess.Popen(["leat", "-j1", "-0"], stdin=theirs, stdout=subprocess.PIPE) for _ in range(3)]
for number in range(300):
    os.write(ours, b"echo %04d\0" % number)
os.close(ours)
out = b"".join(leat.communicate()[0] for leat in leats)
assert sorted(out.split()) == [b"%04d" % number for number in range(300)]
assert not any(leat.returncode for leat in leats)
END
	timeout 40 python3 shared.py
}

@test "a read that finds nothing after all (EAGAIN, EINTR): it is made again" {
	needs_strace
	seq 20000 | sed 's/^/: /' >in
	for error in EAGAIN EINTR; do
		run strace -f -o /dev/null -P "$PWD/in" -e inject="read:error=$error:when=1..5" leat --summary -n 1000 -a in -c 'exit $(($# - 1000))'
		[ "$status" -eq 0 ]
		[[ "$output" == *": 20 ok, 0 unrun" ]]
	done
}

@test "a producer that stalls: the deadline ends the wait, 124" {
	mkfifo in
	exec 5<>in
	echo 'echo one' >&5
	run timeout 40 leat --deadline 0.2s -a in
	[ "$status" -eq 124 ]
	[ "${lines[0]}" = one ]
	[[ "${lines[1]}" == "leat: 1+ task in "*": 1 ok, 0+ unrun" ]]
}

@test "a producer that stalls in the middle of a line: a signal ends the wait, and the piece is not run" {
	mkfifo in
	exec 5<>in
	timeout -s KILL 30 leat -a in >out 2>err 3>&- 5>&- &
	leat=$!
	printf 'echo one\ntouch no' >&5
	until grep -q one out; do read -r -t 0.01 _ <> <(:) || :; done
	kill -TERM "$leat" # and timeout(1) passes it on
	status=0
	wait "$leat" || status=$?
	[ "$status" -eq 143 ]
	grep -q ': 1 ok, [01]+ unrun$' err
	[ ! -e no ]
}

# A task that tells the most memory that leat has had, in KiB.
peak() {
	echo "awk '/^VmHWM/ { print \$2 }' /proc/\$LEAT_PID/status >peak"
}

@test "a line of 100 MB: as a command it runs, whole, as an argument it fails by name; memory is bounded" {
	not_sanitized "a sanitizer's memory is its own"
	{
		printf 'x='
		head -c 100000000 /dev/zero | tr '\0' x
		echo '; echo ${#x}'
		peak
	} >in
	run leat -j1 --summary -a in
	[ "$status" -eq 0 ]
	[ "${lines[0]}" = 100000000 ]
	[[ "${lines[1]}" == *": 2 ok, 0 unrun" ]]
	[ "$(<peak)" -lt 500000 ]
	run leat -k -j2 -a in sh -c 'echo "${#1}"' sh
	[ "$status" -eq 123 ]
	[[ "${lines[0]}" == "leat: task 1: cannot be run: it is too large: sh -c "* ]]
	[ "${#lines[0]}" -lt 1000 ]
	[[ "${lines[2]}" == *": 1 ok, 1 failed, 0 unrun" ]]
	run leat -k -j2 -a in --stdin record wc -c
	[ "${lines[0]}" -eq 100000015 ]
}

@test "values at and over the 128 KiB of one argument: those that fit arrive whole, the others fail alone" {
	for size in 131070 131071 131072 131073; do
		echo a
		head -c "$size" /dev/zero | tr '\0' x
		echo
	done >in
	for way in program script; do
		words=(sh -c 'echo ${#1}' sh)
		[ "$way" = program ] || words=(-c 'echo ${#1}')
		run leat -k -j2 -a in "${words[@]}"
		[ "$status" -eq 123 ]
		[ "$(grep -v leat: <<<"$output" | paste -sd ' ')" = "1 131070 1 131071 1 1" ]
		[ "$(grep -c '^leat: task [68]: cannot be run: Argument list too long: ' <<<"$output")" -eq 2 ]
	done
	# In a list, a word that is too long takes none of the others along.
	run leat -k -j2 -X -a in sh -c 'echo $#' sh
	[ "$(grep -v leat: <<<"$output" | paste -sd+ | bc)" -eq 6 ]
	[ "$(grep -c '^leat: task [0-9]*: cannot be run: ' <<<"$output")" -eq 2 ]
	run leat -k -j2 -a in --stdin record wc -c
	[ "$(paste -sd ' ' <<<"$output")" = "2 131071 2 131072 2 131073 2 131074" ]
}

@test "bytes that are no UTF-8: they arrive as they are, and reports are well-formed all the same" {
	bytes=$'\xff\xc3(\xed\xa0\x80\xf5'
	printf 'echo "%s" >&2; exit 3\n' "$bytes" >in
	status=0
	leat --events events --junit junit -a in 2>err || status=$?
	[ "$status" -eq 123 ]
	[ "$(head -n 1 err)" = "$bytes" ]
	python3 -c 'import json, sys
for line in open("events", encoding="utf-8"): json.loads(line)'
	python3 -c 'import xml.dom.minidom; xml.dom.minidom.parse("junit")'
	run leat printf '%s' ::: "$bytes"
	[ "$output" = "$bytes" ]
}

@test "a CR within a line, a BOM within the input: they are what they are" {
	printf 'printf "a\rb" | od -An -c\nprintf "\xEF\xBB\xBF" | wc -c\n' >in
	run leat -k -a in
	[ "${lines[0]}" = '   a  \r   b' ]
	[ "${lines[1]}" = 3 ]
}

@test "a million lines: each becomes one task, in order; counts are exact; memory is bounded" {
	not_sanitized "a sanitizer's memory is its own"
	seq 1000000 >in
	[ "$(leat -a in --dry-run echo | sha1sum)" = "$(sed 's/^/echo /' in | sha1sum)" ]
	run leat -j2 -a in -n 3000 -c 'echo $#'
	[ "$(paste -sd+ <<<"$output" | bc)" -eq 1000000 ]
	run leat -j1 --fail-fast --unrun rest -a in false
	[[ "${lines[-1]}" == "leat: 1000000 tasks in "*": 1 failed, 999999 unrun" ]]
	[ "$(sha1sum <rest)" = "$(tail -n +2 in | sha1sum)" ]
}

@test "a producer that never waits: leat reads a bounded piece ahead, whatever it sends" {
	not_sanitized "a sanitizer's memory is its own"
	{
		seq 2000 | sed "s/.*/: &$(printf '%030000d' 0)/"
		peak
	} >in
	leat -j1 -a in
	[ "$(<peak)" -lt 20000 ]
}
