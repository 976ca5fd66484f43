#!/usr/bin/env bats
# --timeline: what leat writes. What a browser makes of it is in timeline_page.bats.
load helper

# Run leat, but not for ever; its status is in $status.
leat_within() {
	status=0
	timeout 30 leat "$@" || status=$?
}

# What must hold of every page $1: it is whole, and what stands in it can't end the element
# that it stands in. Further checks by Python, of `runs`, `attempts`, `unrun` and `end`,
# from standard input.
check_page() {
	cat >checks.py || return
	timeout 30 python3 -c '
import json, re, sys
page = open(sys.argv[1], "rb").read().decode("utf-8")
head, rest = page.split("<script type=\"application/json\" id=\"rows\">")
rows, tail = rest.split("</script>", 1)
assert head.startswith("<!doctype html>") and tail.endswith("</html>\n")
assert rows.isascii() and "<" not in rows and "@ROWS@" not in head + tail and "@ACCOUNT@" not in tail
assert "://" not in re.sub("http://www.w3.org/2000/svg", "", head + tail), "an address"
rows = json.loads(rows)
lists = [row for row in rows if type(row) is list]
names = "task number slot outcome start elapsed user system peak bytes reason command".split()
attempts = [dict(zip(names, row)) for row in lists if len(row) > 3]
unrun = [dict(zip(["task", "cause", "command"], row)) for row in lists if len(row) == 3]
end, runs = rows[-1], [row for row in rows[:-1] if type(row) is dict]
commands = {}
for attempt in attempts:
    assert ("command" in attempt) == (attempt["task"] not in commands)
    commands.setdefault(attempt["task"], attempt.get("command"))
counts = end["counts"]
assert end["account"].split("\n")[0] in tail, "for who has no JavaScript"
exec(open("checks.py").read())
' "$1"
}

@test "--timeline writes one page with each attempt: slot, times, outcome, exit, memory, command" {
	leat_within -q -j2 --timeline page.html ::: 'sleep 0.2; echo 12345' 'exit 3' 'kill -9 $$' ./missing >out
	[ "$status" -eq 123 ]
	check_page page.html <<'PYTHON'
assert [run["slots"] for run in runs] == [2] and runs[0]["command"].startswith("leat -q -j2 --timeline")
assert sorted(commands.values()) == ["./missing", "exit 3", "kill -9 $$", "sleep 0.2; echo 12345"]
by_task = {attempt["task"]: attempt for attempt in attempts}
assert [by_task[task]["outcome"] for task in (1, 2, 3, 4)] == ["ok", "failed", "crashed", "failed"]
assert [by_task[task]["reason"] for task in (1, 2, 3, 4)] == ["", "exit 3", "signal 9", "not found"], by_task
assert by_task[1]["elapsed"] >= 200e3 and by_task[1]["bytes"] == 6 and by_task[1]["peak"] > 0
assert all(1 <= attempt["slot"] <= 2 and attempt["start"] >= 0 for attempt in attempts)
assert counts["ok"] == 1 and counts["failed"] == 2 and counts["crashed"] == 1 and counts["unrun"] == 0
assert end["exit"] == 123 and end["account"].startswith("leat: 4 tasks in ")
PYTHON
}

@test "every attempt of --retries is there; timed out and impossible tasks say why" {
	printf '%s\0' '[ $LEAT_ATTEMPT = 2 ]' 'exec sleep 50' >in
	leat_within -q -0 -j2 --retries 1 --timeout 0.2 --timeline page.html -a in
	check_page page.html <<'PYTHON'
told = sorted((each["task"], each["number"], each["outcome"], each["reason"]) for each in attempts)
assert told == [(1, 1, "failed", "exit 1"), (1, 2, "ok", ""), (2, 1, "timed out", "timed out after 0.2s"),
                (2, 2, "timed out", "timed out after 0.2s")], told
PYTHON
	printf 'a\0b\ntrue\n' | leat_within -q --timeline page.html
	check_page page.html <<'PYTHON'
assert attempts[0]["reason"] == "cannot be run: there is a NUL byte in it"
assert attempts[0]["command"] == "a\0b" and attempts[0]["slot"] == 0 and counts["failed"] == 1
PYTHON
}

@test "no command can end the data, begin a comment or be anything but text" {
	printf '%s\0' ': </script><script>alert(1)</script>' ': <!-- <script> ' $': "quo\\ted\' & \n\t\e]0;x\a' \
		$': \xff\xc3 \xe2\x80\xa8 \xc3\xa9 \xf0\x9f\x98\x80' ': @ROWS@ @ACCOUNT@ ]]> %s' >in
	leat_within -q -0 -j1 --timeline page.html -a in 2>err
	check_page page.html <<'PYTHON'
given = [text.decode("utf-8", "replace") for text in open("in", "rb").read().split(b"\0")[:-1]]
assert [attempt["command"] for attempt in attempts] == given, commands
PYTHON
}

@test "a long command is cut, with ... at its end, never within a character" {
	{ printf ': x'; printf 'é%.0s' {1..3000}; echo; printf ': é'; head -c 100000 /dev/zero | tr '\0' x; echo; } >in
	leat_within -q -j1 --timeline page.html -a in
	check_page page.html <<'PYTHON'
assert commands[1] == ": x" + 2046 * "\u00e9" + "\u2026", len(commands[1])
assert commands[2] == ": \u00e9" + 4092 * "x" + "\u2026", len(commands[2])
PYTHON
}

@test "what was not run is there with its cause: a thousand tasks at the most, the count exact" {
	{ echo false; seq 2500 | sed 's/^/: /'; } >in
	leat_within -q -j1 --fail-fast --timeline page.html -a in
	check_page page.html <<'PYTHON'
assert len(unrun) == 1000, len(unrun)
assert {row["cause"] for row in unrun} == {"halt"}, unrun[:9]
assert all(row["command"] == f": {row['task'] - 1}" for row in unrun)
assert counts["unrun"] == 2500 and len(attempts) == 1
PYTHON
}

@test "after a cancellation the page is there, with what was canceled and unrun" {
	mkfifo started
	close_gate
	printf '%s\n' 'puppet tell started 1 pass gate' 'echo 2' >in
	exec 8<>started
	start_leat -j1 --timeline page.html -a in 7>&- 8>&-
	read -r -t 30 _ <&8
	kill -TERM "$leat"
	finish_leat
	[ "$status" -eq 143 ]
	check_page page.html <<'PYTHON'
assert [each["outcome"] for each in attempts] == ["canceled"] and end["exit"] == 143
assert [(row["task"], row["cause"], row["command"]) for row in unrun] == [(2, "SIGTERM", "echo 2")]
PYTHON
}

@test "a page that was there is replaced when the new one is whole, and keeps its mode" {
	mkfifo started
	close_gate
	echo before >page.html
	chmod 640 page.html
	exec 8<>started
	start_leat --timeline page.html ::: 'puppet tell started 1 pass gate' 7>&- 8>&-
	read -r -t 30 _ <&8
	[ "$(cat page.html)" = before ]
	open_gate
	finish_leat
	check_page page.html <<<'assert len(attempts) == 1'
	[ "$(stat -c %a page.html)" = 640 ]
}

@test "a leat that is killed leaves no page, and nothing beside it" {
	mkfifo started
	mkdir pages
	exec 8<>started
	start_leat --timeline pages/page.html ::: 'puppet tell started 1 hold' 8>&-
	read -r -t 30 _ <&8
	[ -z "$(ls -A pages)" ] || skip "this file system has no files without a name"
	kill -KILL "$leat"
	finish_leat
	[ -z "$(ls -A pages)" ]
}

@test "a page that can't be begun is refused before anything runs" {
	for page in nowhere/page.html . nowhere/; do
		run timeout 30 leat --timeline "$page" ::: 'touch ran'
		[ "$status" -eq 125 ]
		[[ "$output" == "leat: cannot write $page: "* ]]
	done
	[ ! -e ran ]
	leat_within --journal nowhere/j --timeline page.html ::: 'touch ran' 2>err
	[ "$status" -eq 125 ]
	[ ! -e page.html ]
}

@test "a page that can't be written is told at the end, exit 125, and there is none" {
	run timeout 30 leat --timeline /dev/full --summary ::: 'echo ran'
	[ "$status" -eq 125 ]
	[ "${lines[0]}" = ran ]
	[[ "${lines[1]}" == "leat: 1 task in "* ]]
	[ "${lines[2]}" = "leat: cannot write /dev/full: No space left on device" ]
	run timeout 30 env --default-signal=XFSZ prlimit --fsize=5000 leat --timeline page.html --events events ::: true
	[ "$status" -eq 125 ]
	[ "$output" = "leat: cannot write page.html: File too large" ]
	tail -n 1 events | grep '"exit":125'
	[ "$(ls)" = events ]
}

@test "a FILE may have a name as long as any" {
	long=$(printf '%0255d' 0)
	leat_within --timeline "$long" ::: true
	[ "$status" -eq 0 ]
	[ "$(ls)" = "$long" ]
}

@test "a pipe and a descriptor get the page at the end; --dry-run and --list leave FILE alone" {
	leat_within --timeline /dev/stdout ::: 'echo first' >out
	[ "$(head -n 1 out)" = first ]
	tail -n +2 out >page.html
	check_page page.html <<<'assert len(attempts) == 1'
	leat_within --dry-run --timeline none ::: true >out
	leat_within --journal j ::: true
	leat_within --journal j --list --timeline none </dev/null >out
	[ ! -e none ]
}

@test "with nothing to run --journal --timeline makes the page of the last run, and adds none" {
	leat_within -q --journal j ::: 'echo early'
	leat_within -q -j2 --retries 1 --journal j --timeline one.html ::: 'exit 2' 'sleep 0.1' 'kill -9 $$' ./missing >out
	cp j before
	leat_within --journal j --timeline two.html </dev/null
	[ "$status" -eq 0 ]
	cmp j before
	check_page two.html <<'PYTHON'
import subprocess
live = json.loads(open("one.html").read().split("id=\"rows\">")[1].split("</script>")[0])
def outline(rows):
    return sorted(tuple(row[:4]) for row in rows if type(row) is list)
assert outline(live) == outline(rows), (live, rows)
assert sorted(row[10] for row in live if type(row) is list) == sorted(each["reason"] for each in attempts)
assert end["counts"] == live[-1]["counts"] and end["exit"] == 123 == live[-1]["exit"]
assert end["account"] == live[-1]["account"]
assert sorted(commands.values()) == ["./missing", "exit 2", "kill -9 $$", "sleep 0.1"]
assert [attempt["reason"] for attempt in attempts] == ["exit 2"] * 2 + [""] + ["signal 9"] * 2 + \
    ["not found"] * 2, attempts
PYTHON
}

@test "nothing to run: an empty file, an ended pipe, closed; and neither command nor resuming" {
	leat_within --journal j ::: true
	: >empty
	leat_within --journal j --timeline 1 <empty
	mkfifo pipe
	exec 8<>pipe 9<pipe 8>&-
	leat_within --journal j --timeline 2 <&9
	leat_within --journal j --timeline 3 <&-
	[ "$(sqlite3 j 'select count(*) from runs')" -eq 1 ]
	leat_within --journal j --timeline 4 echo </dev/null
	leat_within --journal j --timeline 5 -a empty </dev/null
	leat_within --journal j --resume --timeline 6 </dev/null
	leat_within --journal j --timeline 7 <<<'true'
	[ "$(sqlite3 j 'select count(*) from runs')" -eq 5 ]
	exec 9<&-
	for page in 1 2 3 7; do check_page "$page" <<<'assert len(attempts) == 1'; done
	for page in 4 5 6; do check_page "$page" <<<'assert len(attempts) == 0'; done
}

@test "nothing to run: a socket that nobody writes to any more, as of ssh -n" {
	leat_within --journal j ::: true
	run timeout 30 python3 -c '
import socket, subprocess
ours, theirs = socket.socketpair()
def leat(page):
    subprocess.run(["leat", "--journal", "j", "--timeline", page], stdin=theirs, check=True)
ours.shutdown(socket.SHUT_WR)
leat("ended")
ours.close()
leat("closed")
ours, theirs = socket.socketpair()
ours.send(b"false || true\n")
ours.close()
leat("run")'
	[ "$status" -eq 0 ]
	[ "$(sqlite3 j 'select count(*) from runs')" -eq 2 ]
	for page in ended closed; do check_page "$page" <<<'assert commands == {1: "true"}'; done
	check_page run <<<'assert commands == {1: "false || true"}'
}

@test "runs that went on with one another are in one page, each task with its last outcome" {
	leat_within -q -j1 --fail-fast --journal j ::: true 'test -e there' 'echo 3' >out
	touch there
	leat_within -q -j1 --resume-failed --journal j ::: true 'test -e there' 'echo 3' >out
	leat_within --journal j --timeline page.html </dev/null
	check_page page.html <<'PYTHON'
assert len(runs) == 2 and counts["ok"] == 3 and not unrun and end["exit"] == 0
assert [(each["task"], each["outcome"]) for each in attempts] == [(1, "ok"), (2, "failed"), (2, "ok"), (3, "ok")]
PYTHON
}

@test "what was in flight when leat was killed is told as such" {
	mkfifo started
	exec 8<>started
	start_leat --journal j --kill-after 0.1 ::: 'puppet tell started 1 hold' 8>&-
	read -r -t 30 _ <&8
	kill -KILL "$leat"
	finish_leat
	leat_within --journal j --timeline page.html </dev/null
	[ "$status" -eq 0 ]
	check_page page.html <<'PYTHON'
assert attempts[0]["outcome"] == "in flight" and attempts[0]["elapsed"] == -1
assert counts["in flight"] == 1 and end["exit"] == -1
PYTHON
}

@test "times and slots that can't be are not taken from a journal" {
	leat_within --journal j ::: true false
	sqlite3 j 'update attempts set elapsed = 9e300, slot = -1 where task = 1;
		update attempts set user = -9e300, slot = 4000000000 where task = 2'
	leat_within --journal j --timeline page.html </dev/null
	[ "$status" -eq 0 ]
	check_page page.html <<'PYTHON'
assert [each["slot"] for each in attempts] == [0, 0]
assert attempts[0]["elapsed"] == 10 ** 15 and attempts[1]["user"] == -10 ** 15
PYTHON
}

@test "a journal that is none, or is missing, is refused, and no page is made" {
	echo text >j
	run timeout 30 leat --journal j --timeline page.html </dev/null
	[ "$status" -eq 125 ]
	[ "$output" = "leat: --journal: cannot use j: it is no journal of leat" ]
	run timeout 30 leat --journal none --timeline page.html </dev/null
	[ "$status" -eq 125 ]
	[ "$output" = "leat: --journal: cannot use none: there is none" ]
	rm j
	leat_within --journal j ::: true
	run timeout 30 leat --journal j --timeline nowhere/page.html </dev/null
	[ "$status" -eq 125 ]
	[ "$output" = "leat: cannot write nowhere/page.html: No such file or directory" ]
	[ "$(ls)" = j ]
}
