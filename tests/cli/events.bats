#!/usr/bin/env bats
# --events: leat-events(5), sentence by sentence.
load helper

# Run leat, but not for ever; its status is in $status.
leat_within() {
	status=0
	timeout 30 leat "$@" || status=$?
}

# The lines of the event $1, of the file $2.
lines_of() {
	grep "^{\"event\":\"$1\"" "${2:-events}"
}

# The values of key $1 (numbers, words) in standard input, in a line.
values() {
	sed -nE "s/.*\"$1\":\"?([^\",}]*).*/\1/p" | tr '\n' ' '
}

# What must hold of all events of a run that was not killed: order and counts. Further
# checks by Python, of `events` (a list), from standard input.
check_events() {
	command -v python3 >/dev/null || skip "python3 is not installed"
	cat >checks.py || return
	timeout 30 python3 -c '
import json, re, sys
lines = open(sys.argv[1], "rb").read().decode("utf-8").split("\n")
assert lines.pop() == "", "the last line has an end"
def once(pairs):
    assert len(pairs) == len(dict(pairs)), "a key twice"
    return dict(pairs)
events = [json.loads(line, object_pairs_hook=once) for line in lines]
names = [event["event"] for event in events]
assert names[0] == "run-started" and names.count("run-started") == 1
assert names[-1] == "summary" and names.count("summary") == 1
running, ended, last = {}, {}, {}
for event in events:
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", event["time"])
    task, name = event.get("task"), event["event"]
    if name.startswith("attempt") or name == "task-ended":
        assert task not in ended, "nothing after the end of a task"
    if name == "attempt-started":
        assert task not in running and event["attempt"] == last.get(task, (0, 0))[0] + 1
        running[task] = event["attempt"]
    elif name == "attempt-ended":
        assert running.pop(task) == event["attempt"]
        last[task] = (event["attempt"], event["outcome"])
    elif name == "task-ended":
        assert task not in running
        ended[task] = event["outcome"]
        assert task in last or "command" in event
        assert ended[task] in ("unrun", last.get(task, (0, ended[task]))[1])
assert not running
summary = events[-1]
counts = "ok failed crashed timed_out canceled unrun skipped".split()
outcomes = list(ended.values())
assert all(summary[key] == outcomes.count(key.replace("_", " ")) for key in counts)
assert summary["tasks"] == len(ended)
exec(open("checks.py").read())
' events
}

# Two tasks that hold, three behind them: start leat with the arguments, until both run.
start_holding() {
	mkfifo started
	close_gate
	for task in 1 2 3 4 5; do
		echo "puppet tell started $task pass gate"
	done >in
	exec 8<>started
	start_leat -j2 --events events -a in "$@" 7>&- 8>&-
	read -r -t 30 _ <&8 && read -r -t 30 _ <&8
}

clean_up() {
	if jobs -pr | grep -qx "${leat:-none}"; then kill -KILL "$leat"; fi
}

@test "each attempt starts and ends, each task ends, the summary is the last line" {
	leat_within -q -j1 --events events ::: 'printf 12345; printf 678 >&2' 'exit 3' 'kill -9 $$' 2>err >out
	[ "$status" -eq 123 ]
	[ "$(values event <events)" = "run-started attempt-started attempt-ended task-ended attempt-started attempt-ended task-ended attempt-started attempt-ended task-ended summary " ]
	[ "$(lines_of task-ended | values outcome)" = "ok failed crashed " ]
	[ "$(lines_of attempt-ended | values exit)" = "0 3 " ]
	[ "$(lines_of attempt-ended | values signal)" = "9 " ]
	[ "$(lines_of attempt-ended | values stdout_bytes)" = "5 0 0 " ]
	[ "$(lines_of attempt-ended | values stderr_bytes)" = "3 0 0 " ]
	[ "$(lines_of attempt-started | values slot)" = "1 1 1 " ]
	[ "$(lines_of summary | values exit)" = "123 " ]
	check_events <<<''
}

@test "every key of every event is in leat-events(5), and no others, with its type" {
	leat_within -q -j1 --journal j ::: 'echo skipped' >out
	printf '%s\0' 'echo skipped' $'echo \xff' ./missing 'kill -9 $$' 'sleep 0' $'unrun \xff' >in
	leat_within -q -0 -j1 --halt soon,done=4 --journal j --resume --events events -a in 2>err >out
	check_events <<'PYTHON'
numbers = "pid slots task attempt slot exit signal peak_kib stdout_bytes stderr_bytes level tasks".split() + counts
seconds = "elapsed user system".split()
flags = ["again", "input_cut"]
seen = set()
for event in events:
    for key, value in event.items():
        seen.add((event["event"], key))
        kind = (int if key in numbers else float if key in seconds else
                bool if key in flags else list if key == "arguments" else str)
        assert type(value) is kind, (key, value)
        assert type(value) in (bool, str, list) or value >= 0
open("there", "w").writelines(f"{name} {key}\n" for name, key in sorted(seen))
PYTHON
	awk '/^\.S[sh] / { inside = $2 ~ /^[a-z]+-?[a-z]*$/ ? $2 : "" }
		/^\.Ss All events/ { inside = "all" }
		inside && /^\.It Va/ { gsub(/^\.It Va |,/, ""); for (n = 1; n <= NF; n++) print inside, $n }' \
		"$BATS_TEST_DIRNAME/../../man/leat-events.5" >told
	for name in run-started attempt-started attempt-ended task-ended cancellation summary; do
		sed -n "s/^all /$name /p" told
	done >all
	diff <(sort there) <(grep -v '^all ' told | cat - all | sort)
}

@test "run-started has the command line, the version, the process and the slots" {
	leat_within -j3 --events events ::: 'echo $LEAT_PID' $'a "b\\\n' 2>err >out
	[ "$(lines_of run-started | values pid)" = "$(cat out) " ]
	[ "$(lines_of run-started | values version)" = "$(leat --version | sed 's/.* //') " ]
	[ "$(lines_of run-started | values slots)" = "3 " ]
	grep -qF '"arguments":["leat","-j3","--events","events",":::","echo $LEAT_PID","a \"b\\\n"]' events
}

@test "an attempt that could not be started has an error, exit 126 or 127, and no signal" {
	echo text >plain
	leat_within -q --events events ./missing ::: 1
	lines_of attempt-ended | grep '"exit":127,"error":"No such file or directory"'
	leat_within -q --events events ./plain ::: 1
	lines_of attempt-ended | grep '"exit":126,"error":"Permission denied"'
	[ -z "$(lines_of attempt-ended | values signal)" ]
}

@test "times are in UTC, whatever TZ is; durations are seconds" {
	before=$(TZ=UTC date +%FT%T)
	TZ=America/New_York leat_within --events events <<<'sleep 0.2'
	after=$(TZ=UTC date +%FT%T)
	for time in $(values time <events); do
		[[ $time == *Z && ! ${time%.*} < $before && ! ${time%.*} > $after ]]
	done
	lines_of attempt-ended | values elapsed | awk '{ exit !($1 >= 0.2 && $1 < 20) }'
	lines_of summary | values elapsed | awk '{ exit !($1 >= 0.2 && $1 < 20) }'
}

@test "each attempt of --retries is there, and whether there is to be another" {
	leat_within -q -j2 --retries 2 --events events ::: '[ $LEAT_ATTEMPT = 2 ]' 'exit 4' 2>err
	[ "$(lines_of attempt-ended | grep '"task":1,' | values again)" = "true false " ]
	[ "$(lines_of attempt-ended | grep '"task":2,' | values attempt)" = "1 2 3 " ]
	[ "$(lines_of attempt-ended | grep '"task":2,' | values again)" = "true true false " ]
	[ "$(lines_of task-ended | wc -l)" -eq 2 ]
	check_events <<<''
}

@test "quotes, backslashes, control characters and newlines stand as JSON has them" {
	printf '%s\0' $': \'q"\\\'; # "\\' $': \'\n\t\r\b\f\x01\x1b[31m\x7f\'' $': \xc3\xa9 \xe2\x80\xa8 \xf0\x9f\x98\x80' >in
	leat_within -q -0 -j1 --events events -a in
	[ "$status" -eq 0 ]
	[ "$(wc -l <events)" -eq 11 ]
	[ "$(grep -c command_hex events)" -eq 0 ]
	[ "$(LC_ALL=C tr -d '\n' <events | LC_ALL=C tr -cd '\000-\037' | wc -c)" -eq 0 ]
	check_events <<'PYTHON'
commands = [event["command"] for event in events if "command" in event]
assert commands == open("in", "rb").read().decode("utf-8").split("\0")[:-1], commands
PYTHON
}

@test "what is no UTF-8 is U+FFFD, a byte each, and in command_hex exactly" {
	printf '%s\0' $': \xff\xfe' $': \xc3\xa9\xc3' $': \xc0\xaf' $': \xed\xa0\x80' $': \xf4\x90\x80\x80' $': \xe2\x82' >in
	leat_within -q -0 -j1 --events events -a in
	[ "$(lines_of attempt-started | values command_hex)" = "3a20fffe 3a20c3a9c3 3a20c0af 3a20eda080 3a20f4908080 3a20e282 " ]
	check_events <<'PYTHON'
commands = [event["command"] for event in events if "command" in event]
bad = "\ufffd"
assert commands == [": " + text for text in (2 * bad, "\u00e9" + bad, 2 * bad, 3 * bad, 4 * bad, 2 * bad)], commands
PYTHON
}

@test "arguments that are no UTF-8 have U+FFFD alone" {
	leat_within --events events : ::: $'\xff' || :
	lines_of run-started | grep -qF $'":::","\xef\xbf\xbd"]'
	[ "$(lines_of run-started | grep -c _hex)" -eq 0 ]
}

@test "a NUL byte in a command that is unrun is \\u0000; the others run" {
	printf 'exit 1\na\0b\nc\n' | leat_within -q -j1 --fail-fast --events events
	lines_of task-ended | grep -qF '"outcome":"unrun","command":"a\u0000b"}'
	check_events <<<''
}

@test "a command of a megabyte is there whole" {
	{ printf ': '; head -c 1000000 /dev/zero | tr '\0' x; echo; } >in
	leat_within -q --events events -a in
	[ "$status" -eq 0 ]
	lines_of attempt-started | sed -E 's/.*"command":"([^"]*)".*/\1/' | cmp - in
	check_events <<<''
}

@test "--halt: a cancellation, and what it leaves out ends as unrun, with its command" {
	leat_within -q -j1 --halt soon,fail=1 --events events ::: false 'echo 2' 'echo 3' 2>err
	lines_of cancellation | grep -q '"level":1,"cause":"halt"}$'
	[ "$(lines_of task-ended | values outcome)" = "failed unrun unrun " ]
	[ "$(lines_of task-ended | sort -t, -k3 | values command)" = "echo 2 echo 3 " ]
	[ "$(lines_of summary | values unrun)" = "2 " ]
	leat_within -q -j1 --halt now,fail=1 --events events ::: false true 2>err
	lines_of cancellation | grep -q '"level":2,"cause":"halt"}$'
}

@test "SIGINT: a cancellation for each level, with its cause; canceled and unrun tasks end" {
	start_holding
	kill -INT "$leat"
	next_line
	kill -INT "$leat"
	finish_leat
	[ "$status" -eq 130 ]
	[ "$(lines_of cancellation | values level)" = "1 2 " ]
	[ "$(lines_of cancellation | values cause)" = "SIGINT SIGINT " ]
	[ "$(lines_of summary | values exit)" = "130 " ]
	[ "$(lines_of summary | values unrun)" = "3 " ]
	diff <(lines_of task-ended | sed -nE 's/.*"outcome":"unrun","command":"(.*)"}/\1/p') <(tail -n 3 in)
	check_events <<<'assert summary["canceled"] == 2 and not summary["input_cut"]'
}

@test "SIGTERM, SIGHUP and SIGQUIT enter at their levels; the drain timeout goes up" {
	for signal in TERM:2 HUP:2 QUIT:3; do
		start_holding
		kill "-${signal%:*}" "$leat"
		finish_leat
		lines_of cancellation | grep "\"level\":${signal#*:},\"cause\":\"SIG${signal%:*}\"}$"
		rm err started
	done
	start_holding --drain-timeout 10ms
	kill -INT "$leat"
	finish_leat
	[ "$(lines_of cancellation | values cause)" = "SIGINT drain timeout " ]
	check_events <<<''
}

@test "the deadline is a cancellation of level 2 while tasks are read" {
	mkfifo input
	exec 8<>input
	echo 'exec sleep 50' >&8
	leat_within -q -j1 --deadline 0.2 --events events <input 8>&-
	[ "$status" -eq 124 ]
	lines_of cancellation | grep '"level":2,"cause":"deadline"}$'
	[ "$(lines_of task-ended | values outcome)" = "timed out " ]
	lines_of summary | grep '"timed_out":1,.*"input_cut":true,.*"exit":124}$'
	check_events <<<''
}

@test "what --resume skips ends as skipped, with its command and no attempt" {
	leat_within -q --journal j ::: 'echo a' 'echo b' >out
	echo 'from before' >events
	leat_within -q --journal j --resume --events events ::: 'echo a' 'echo b' 'echo c' >out
	lines_of task-ended | grep -q '"task":1,"outcome":"skipped","command":"echo a"}$'
	[ "$(lines_of attempt-started | values task)" = "3 " ]
	[ "$(lines_of summary | values skipped)" = "2 " ]
	check_events <<<''
}

@test "a number is an inherited descriptor, from where it stands, and no task has it" {
	echo before >events
	leat_within --events 3 'puppet' ::: descriptors 3>>events >out
	[ "$(tr '\n' ' ' <out)" = "0 1 2 " ]
	[ "$(head -n 1 events)" = before ]
	lines_of summary
	[ ! -e 3 ]
	leat_within --events ./3 ::: true
	lines_of summary 3
}

@test "a descriptor that is not open, or not for writing, is told, and nothing is run" {
	run timeout 30 leat --events 99 ::: 'touch ran'
	[ "$status" -eq 125 ]
	[[ "$output" == "leat: cannot write 99: Bad file descriptor"* ]]
	exec 8</dev/null
	run timeout 30 leat --events 8 ::: 'touch ran'
	[ "$status" -eq 125 ]
	[[ "$output" == "leat: cannot write 8: Bad file descriptor"* ]]
	[ ! -e ran ]
}

@test "an attempt is told of before it starts" {
	leat_within -j1 --events events ::: 'tail -n 1 events' 'tail -n 2 events' >out
	[ "$(lines_of attempt-started out | values task)" = "1 2 " ]
	[ "$(lines_of task-ended out | values task)" = "1 " ]
}

@test "a reader that does not read holds up the tasks; nothing is left out" {
	mkfifo pipe
	exec 8<>pipe
	{ printf 'touch ran; : '; head -c 1000000 /dev/zero | tr '\0' x; echo; } >in
	start_leat -q --events pipe -a in 8>&-
	timeout 30 head -c 200000 <&8 >events # a pipe holds no more than 64 KiB of the rest
	[ ! -e ran ]
	timeout 30 sed -u '/"event":"summary"/q' <&8 >>events
	exec 8>&-
	finish_leat
	[ "$status" -eq 0 ]
	[ -e ran ]
	check_events <<<'assert len(events) == 5'
}

@test "a reader that goes away ends the run with 125 and a message, also with -q" {
	mkfifo pipe
	yes 'echo >>ran' | head -n 5000 >in
	start_leat -q -j2 --events pipe -a in
	timeout 30 head -n 1 <pipe >first
	finish_leat
	[ "$status" -eq 125 ]
	[ "$rest" = "leat: cannot write pipe: Broken pipe" ]
	lines_of run-started first
	[ ! -e ran ] || [ "$(wc -l <ran)" -lt 5000 ]
}

@test "a full disk, and a directory that is missing, end the run with 125 before a task runs" {
	run timeout 30 leat --events /dev/full ::: 'touch ran'
	[ "$status" -eq 125 ]
	[[ "$output" == "leat: cannot write /dev/full: No space left on device"* ]]
	run timeout 30 leat -q --events nowhere/events ::: 'touch ran'
	[ "$status" -eq 125 ]
	[ "$output" = "leat: cannot write nowhere/events: No such file or directory" ]
	[ ! -e ran ]
}

@test "output that can't be written is a cancellation by trouble" {
	leat_within -q -j1 --events events ::: 'puppet say a' true true >/dev/full 2>err
	[ "$status" -eq 125 ]
	lines_of cancellation | grep '"level":1,"cause":"trouble"}$'
	check_events <<<'assert summary["exit"] == 125 and summary["unrun"] > 0'
}

# The events without what differs from run to run, and -q among the arguments.
timeless() {
	sed -E 's/"(time|pid|elapsed|user|system|peak_kib)":("[^"]*"|[0-9.e-]+),//g; s/"-q",//' "$1"
}

@test "-q changes nothing; with --dry-run and --list FILE is left alone" {
	leat_within -j1 --fail-fast --retries 1 --events loud ::: true false true 2>err
	sed -i 's/"loud"/"quiet"/' loud
	leat_within -q -j1 --fail-fast --retries 1 --events quiet ::: true false true
	diff <(timeless loud) <(timeless quiet)
	leat_within --dry-run --events events ::: true >out
	[ ! -e events ]
	leat_within --journal j ::: true
	leat_within --journal j --list --events none >out
	[ ! -e none ]
}

@test "many tasks at once: the counts are those of the lines" {
	for task in {1..500}; do echo "exit $((task % 3))"; done >in
	leat_within -q -j8 --retries 1 --events events -a in
	[ "$status" -eq 123 ]
	[ "$(lines_of task-ended | wc -l)" -eq 500 ]
	[ "$(lines_of attempt-started | wc -l)" -eq "$(lines_of attempt-ended | wc -l)" ]
	check_events <<<'assert summary["failed"] == 334 and summary["ok"] == 166'
}
@test "a task that could not be made into a command ends with its command" {
	printf 'a\0b\ntrue\n' | leat_within -q -j1 --events events
	lines_of task-ended | grep -F '"task":1,"outcome":"failed","command":"a\u0000b"}'
	leat_within -q -s 20 --events events echo ::: 12345678901234567890
	lines_of task-ended | grep -F '"outcome":"failed","command":"echo 12345678901234567890"}'
	leat_within -q --chdir nowhere --events events echo ::: 1
	lines_of task-ended | grep -F '"outcome":"failed","command":"echo 1"}'
}

@test "the deadline is a cancellation also when all has been read" {
	leat_within -q -j1 --deadline 0.2 --events events ::: 'exec sleep 50' true
	lines_of cancellation | grep '"level":2,"cause":"deadline"}$'
	check_events <<<''
}

@test "-q counts what is left as ever" {
	{ echo false; seq 5000 | sed 's/^/: /'; } >in
	leat_within -q -j1 --halt now,fail=1 --events events -a in
	lines_of summary | grep '"unrun":5000,.*"input_cut":false'
	check_events <<<''
}

@test "a disk that is full at the last line is told, and nothing is freed too early" {
	leat_within --events events ::: true
	size=$(($(wc -c <events) - $(tail -n 1 events | wc -c) / 2))
	run timeout 30 env --ignore-signal=XFSZ prlimit --fsize="$size" leat --events events ::: true
	[ "$status" -eq 125 ]
	[ "$output" = "leat: cannot write events: File too large" ]
}

@test "a number that is none of an inherited descriptor is refused, though leat has such a one" {
	leat_within --journal j ::: true
	for number in 4 5 6 7 8 9 10 11 12 13 14 15; do
		status=0
		(
			for fd in /proc/self/fd/*; do
				[ "${fd##*/}" -lt 3 ] || [ "${fd##*/}" -gt 200 ] || eval "exec ${fd##*/}>&-"
			done
			timeout 30 leat --journal j --resume --events "$number" ::: 'touch ran' 2>>err
		) || status=$?
		[ "$status" -eq 125 ] || { echo "$number: $status"; false; }
	done
	[ ! -e ran ]
	[ "$(leat --journal j --list)" = true ]
}

@test "descriptor 0, where it can be written, gets the events" {
	leat_within --events 0 ::: true 0>events
	lines_of summary
}

@test "at level 3 what a reader does not take is given up, and the signal is the exit status" {
	mkfifo pipe
	exec 8<>pipe
	{ printf ': '; head -c 3000000 /dev/zero | tr '\0' x; echo; } >in
	start_leat -q --events pipe -a in 8>&-
	timeout 30 head -c 200000 <&8 >events
	kill -QUIT "$leat"
	finish_leat
	exec 8>&-
	[ "$status" -eq 131 ]
	[ -z "$rest" ]
}
