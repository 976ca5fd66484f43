#!/usr/bin/env bats
# --junit: a test case for each task, valid for all who read such reports.
load helper

SCHEMA=$BATS_TEST_DIRNAME/junit.xsd

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	command -v xmllint >/dev/null || skip "xmllint (libxml2-utils) is not installed"
}

# The report $1 (r.xml) is valid, and its counts are those of its test cases.
valid() {
	local file=${1:-r.xml} verdict
	xmllint --huge --noout --schema "$SCHEMA" "$file" 2>/dev/null || return
	[ "$(query 'count(//testcase) = //testsuite/@tests and //testsuite/@tests = /testsuites/@tests' "$file")" = true ]
	for verdict in failure error; do
		[ "$(query "count(//$verdict) = //testsuite/@${verdict}s" "$file")" = true ]
		[ "$(query "//testsuite/@${verdict}s = /testsuites/@${verdict}s" "$file")" = true ]
	done
	[ "$(query 'count(//skipped) = //testsuite/@skipped' "$file")" = true ]
}

# What the XPath $1 comes to, in the report $2 (r.xml).
query() {
	xmllint --huge --xpath "$1" "${2:-r.xml}"
}

# The element $2 of the test case of the command $1.
of() {
	query "string(//testcase[@name='$1']/$2)"
}

# The report's numbers: tests, failures, errors, skipped.
numbers() {
	query 'concat(//testsuite/@tests, " ", //testsuite/@failures, " ", //testsuite/@errors, " ", //testsuite/@skipped)'
}

# The last $1 bytes of standard input, behind the line that says how many of all $2 are left out.
tail_of() {
	echo "[$(($2 - $1)) bytes left out]"
	tail -c "$1"
}

# The text of $2 in the test case $1 is standard input, byte by byte (but a newline at its end).
same() {
	cmp <(of "$1" "$2") <(cat; echo)
}

@test "a test case for each task: ok, failed, crashed, timed out, and those that can't be started" {
	printf '%s\n' 'echo out; echo err >&2' 'exit 2' 'kill -9 $$' 'puppet hold' nosuch ./r >in
	printf 'no\0command\n' >>in
	touch r
	run leat -j2 --timeout 1s --kill-after 0 --junit r.xml -a in
	[ "$status" -eq 123 ]
	valid
	[ "$(numbers)" = "7 1 5 0" ]
	[ "$(of 'echo out; echo err >&2' system-out)" = out ]
	[ "$(of 'echo out; echo err >&2' system-err)" = err ]
	[ "$(query 'count(//testcase[starts-with(@name, "echo out")]/*)')" = 2 ]
	[ "$(of 'exit 2' failure/@message)/$(of 'exit 2' failure/@type)/$(of 'exit 2' failure)" = "exit 2/failed/exit 2" ]
	[ "$(of 'kill -9 $$' error/@message)/$(of 'kill -9 $$' error/@type)" = "signal 9/crashed" ]
	[ "$(of 'puppet hold' error)/$(of 'puppet hold' error/@type)" = "timed out after 1s/timed out" ]
	[ "$(of nosuch error)/$(of nosuch error/@type)" = "not found/failed" ]
	[ "$(of ./r error)" = "cannot be run: Permission denied" ]
	[ "$(of 'no^@command' error)" = "cannot be run: there is a NUL byte in it" ]
}

@test "its name is the command, its class the report's, its time that of the last attempt" {
	mkdir a.b
	leat --junit a.b/lint.xml -c 'exec sleep "$1"' ::: 0 0.3
	valid a.b/lint.xml
	[ "$(query 'string(//testsuite/@name)' a.b/lint.xml)" = lint ]
	[ "$(query 'count(//testcase[@classname="lint"])' a.b/lint.xml)" = 2 ]
	[ "$(query '//testcase[1]/@time < 0.3 and //testcase[2]/@time >= 0.3' a.b/lint.xml)" = true ]
	[ "$(query '//testsuite/@time >= 0.3' a.b/lint.xml)" = true ]
}

@test "no two test cases have the same name, and long names are cut" {
	long=$(printf %01200d 1)
	leat -j1 --junit r.xml ::: true 'echo a' true true "true $long" "true ${long}2"
	valid
	[ "$(query 'string(//testcase[1]/@name)')" = true ]
	[ "$(query 'string(//testcase[3]/@name)')" = "true (2)" ]
	[ "$(query 'string(//testcase[4]/@name)')" = "true (3)" ]
	[ "$(query 'string(//testcase[5]/@name)')" = "true ${long:0:995}…" ]
	[ "$(query 'string(//testcase[6]/@name)')" = "true ${long:0:995}… (2)" ]
}

@test "the counts are those of the account" {
	run leat -j1 --halt soon,fail=2 --junit r.xml ::: true 'exit 1' 'kill -9 $$' true true
	valid
	[[ "$output" == *"5 tasks in "*": 1 ok, 1 failed, 1 crashed, 2 unrun" ]]
	[ "$(numbers)" = "5 1 1 2" ]
	[ "$(query 'string(//testcase[4]/skipped/@message)')" = "unrun: halt" ]
	run leat -q -j1 --fail-fast --junit r.xml -c 'exit 1' < <(seq 1000)
	valid
	[ "$(numbers)" = "1000 1 0 999" ]
}

@test "what is not run after a cancellation is skipped, with the cause; what that ended is an error" {
	mkfifo told
	exec 8<>told
	printf '%s\n' 'puppet say begun tell told x hold' 'echo two' 'echo three' >in
	start_leat -j1 --junit r.xml -a in
	read -r -t 30 _ <&8
	kill -TERM "$leat"
	finish_leat
	[ "$status" -eq 143 ]
	valid
	[ "$(numbers)" = "3 0 1 2" ]
	[ "$(query 'string(//error)')/$(query 'string(//error/@type)')" = canceled/canceled ]
	[ "$(query 'string(//testcase[error]/system-out)')" = begun ]
	[ "$(of 'echo three' skipped)/$(of 'echo three' skipped/@message)" = "unrun: SIGTERM/unrun: SIGTERM" ]
}

@test "what finishes in peace is what it made of itself" {
	mkfifo told
	exec 8<>told
	close_gate
	printf '%s\n' 'puppet tell told x pass gate exit 3' 'echo two' >in
	start_leat -j1 --junit r.xml -a in 7>&- 8>&-
	read -r -t 30 _ <&8
	kill -INT "$leat"
	next_line
	open_gate
	finish_leat
	valid
	[ "$(query 'string(//failure)')/$(of 'echo two' skipped)" = "exit 3/unrun: SIGINT" ]
}

@test "at the deadline, what runs has timed out and the rest is skipped" {
	run leat -j1 --deadline 0.3 --kill-after 0 --junit r.xml ::: 'puppet hold' true
	[ "$status" -eq 124 ]
	valid
	[ "$(of 'puppet hold' error)" = "timed out at the deadline" ]
	[ "$(of true skipped)" = "unrun: deadline" ]
}

@test "what was done by an earlier run is skipped" {
	leat --journal j --junit r.xml ::: 'echo a' >/dev/null
	leat --journal j --resume --junit r.xml ::: 'echo a' 'echo b' >/dev/null
	valid
	[ "$(numbers)" = "2 0 0 1" ]
	[ "$(of 'echo a' skipped)" = "done by an earlier run" ]
}

@test "of a task that is tried again the last attempt is the test case, which says so" {
	run leat -k -j2 --retries 2 --junit r.xml ::: 'echo $LEAT_ATTEMPT; [ $LEAT_ATTEMPT = 2 ]' \
		'echo $LEAT_ATTEMPT >&2; exit 4' true
	valid
	[ "$(numbers)" = "3 1 0 0" ]
	[ "$(query 'string(//testcase[not(failure)][starts-with(@name, "echo")]/system-out)')" = $'[attempt 2 of 3]\n2' ]
	[ "$(of 'echo $LEAT_ATTEMPT >&2; exit 4' failure)" = "exit 4" ]
	[ "$(of 'echo $LEAT_ATTEMPT >&2; exit 4' system-out)" = "[attempt 3 of 3]" ]
	[ "$(of 'echo $LEAT_ATTEMPT >&2; exit 4' system-err)" = 3 ]
	[ "$(query 'count(//testcase[@name="true"]/*)')" = 0 ]
}

@test "where no further attempt is made, the last that there was is the test case" {
	printf '%s\n' 'echo a; seq 20000; exit 1' 'echo b >&2; kill -9 $$' >in
	start_leat --retries 3 --retry-delay 1h --junit r.xml -a in
	next_line
	next_line
	kill -INT "$leat"
	finish_leat
	[ "$status" -eq 130 ]
	valid
	[ "$(numbers)" = "2 1 1 0" ]
	[ "$(query 'string(//failure)')/$(query 'string(//error)')" = "exit 1/signal 9" ]
	(echo a; seq 20000) | tail_of 65536 108896 | same 'echo a; seq 20000; exit 1' system-out
	[ "$(of 'echo b >&2; kill -9 $$' system-err)" = b ]
}

@test "of many attempts that others were to follow, none is lost" {
	seq -f 'yes %g | head -c 300000; exit 1' 8 >in
	start_leat -j2 --retries 1 --retry-delay 1h --junit r.xml --junit-output 1M -a in
	for _ in {1..8}; do next_line; done
	kill -INT "$leat"
	finish_leat
	valid
	[ "$(numbers)" = "8 8 0 0" ]
	for n in {1..8}; do
		yes "$n" | head -c 300000 | same "yes $n | head -c 300000; exit 1" system-out
	done
}

@test "commands and outputs may hold anything" {
	cat >in <<-'END'
		printf ']]>' # <!-- "'&
		printf '10%%\r\33[1mbold\33[0m \0 \1 \377 \357\277\276 \r\n'
		printf 'ä\t€\n' >&2; exit 1 # ]]>&lt;
	END
	printf 'true \377\033\357\277\277\n' >>in
	run leat -j1 --junit r.xml -a in
	valid
	[ "$(query 'string(//testcase[1]/@name)')" = "printf ']]>' # <!-- \"'&" ]
	[ "$(query 'string(//testcase[1]/system-out)')" = "]]>" ]
	[ "$(query 'string(//testcase[2]/system-out)')" = $'bold ^@ ^A \xEF\xBF\xBD \xEF\xBF\xBD ' ]
	[ "$(query 'string(//testcase[3]/system-err)')" = $'ä\t€' ]
	[ "$(query 'string(//testcase[4]/@name)')" = $'true \xEF\xBF\xBD^[\xEF\xBF\xBD' ]
}

@test "a command of several lines has a name of one" {
	printf 'echo a\necho b\0' >in
	leat -0 --junit r.xml -a in >/dev/null
	valid
	[ "$(query 'string(//testcase/@name)')" = "echo a^Jecho b" ]
}

@test "random bytes of megabytes are valid" {
	head -c 4000000 /dev/urandom >bytes
	leat --junit r.xml --junit-output 3M ::: 'cat bytes' 'cat bytes >&2' >/dev/null 2>&1
	valid
	leat --junit r.xml --junit-output 999 -c 'head -c 20000 /dev/urandom; : $1' ::: {1..50} >/dev/null
	valid
}

@test "--junit-output SIZE: so much of the end of each stream, and how much was left out" {
	leat -j1 --junit r.xml --junit-output 10 ::: 'printf 1234567890' 'printf 12345678901' \
		'printf 123456789012 >&2' >/dev/null 2>&1
	valid
	[ "$(of 'printf 1234567890' system-out)" = 1234567890 ]
	[ "$(of 'printf 12345678901' system-out)" = $'[1 byte left out]\n2345678901' ]
	[ "$(of 'printf 123456789012 >&2' system-err)" = $'[2 bytes left out]\n3456789012' ]
	[ "$(query 'count(//system-err)')" = 1 ]
	leat -j1 --junit r.xml --junit-output 0 ::: 'echo a' >/dev/null
	[ "$(query 'count(//testcase/*)')" = 0 ]
}

@test "what is left out ends with a whole character" {
	leat --junit r.xml --junit-output 5 ::: 'printf äää' >/dev/null
	[ "$(query 'string(//system-out)')" = $'[2 bytes left out]\nää' ]
}

@test "sizes are numbers, also with K, M or G" {
	for size in '' x -1 1.5K 1KB k 99999999999999999999 99999999999999G; do
		run leat --junit r.xml --junit-output "$size" ::: 'touch ran'
		[ "$status" -eq 2 ]
		[[ "$output" == *"--junit-output"*"a number of bytes, also with K, M or G behind"* ]]
	done
	[ ! -e ran ]
	leat --junit r.xml --junit-output 2K ::: 'seq 1000' >/dev/null
	seq 1000 | tail_of 2048 3893 | same 'seq 1000' system-out
}

# The tail of much output with the options that are given; standard output is a pipe.
much() {
	leat "$@" --junit r.xml ::: 'seq 400000' 'seq 400001; seq 300000 >&2' 2>/dev/null | cat >out
	valid
	seq 400000 | tail_of 65536 2688895 | same 'seq 400000' system-out
	seq 400001 | tail_of 65536 2688902 | same 'seq 400001; seq 300000 >&2' system-out
	seq 300000 | tail_of 65536 1988895 | same 'seq 400001; seq 300000 >&2' system-err
}

@test "the end of output that streams, is collected, tagged, or goes out by lines" {
	much
	much -k
	much -k -j1
	much --line-buffer
	much --tag
	much --line-buffer --tagstring '{#}'
	much --results kept
}

@test "of tasks at terminals of their own, too" {
	leat --pty --junit r.xml ::: 'seq 3' 'seq 100000 >&2' >/dev/null 2>&1
	valid
	[ "$(of 'seq 3' system-out)" = $'1\n2\n3' ]
	[ "$(query 'count(//system-err)')" = 1 ]
	seq 100000 | tail_of 65536 588895 | same 'seq 100000 >&2' system-err
}

@test "with -k, that of a task that is tried again is its last attempt's" {
	mkfifo told
	exec 8<>told
	close_gate
	# shellcheck disable=SC2016
	leat -k -j3 --retries 1 --junit r.xml ::: 'puppet pass gate' \
		'seq $((LEAT_ATTEMPT * 200000)); puppet tell told x; [ $LEAT_ATTEMPT = 2 ]' \
		'echo $LEAT_ATTEMPT; puppet tell told x; [ $LEAT_ATTEMPT = 2 ]' \
		>out 2>err 3>&- 7>&- 8>&- &
	leat=$!
	for _ in {1..4}; do read -r -t 30 _ <&8; done
	open_gate
	wait "$leat"
	valid
	cmp out <(seq 200000; seq 400000; seq 2)
	[ "$(numbers)" = "3 0 0 0" ]
	[ "$(query 'string(//testcase[starts-with(@name, "echo")]/system-out)')" = $'[attempt 2 of 2]\n2' ]
	cmp <(query 'string(//testcase[starts-with(@name, "seq")]/system-out)') \
		<(echo '[attempt 2 of 2]'; seq 400000 | tail_of 65536 2688895; echo)
}

@test "a CI service's marks have another end of standard error than the report" {
	run leat --ci github --junit r.xml --junit-output 3 ::: 'seq 12 >&2; exit 1'
	valid
	[ "$(query 'string(//system-err)')" = $'[24 bytes left out]\n12' ]
	[[ "$output" == *"::error"*"%0A3%0A4%0A"*"%0A12"* ]]
}

@test "with -u there is no output to be had" {
	leat -u --junit r.xml ::: 'echo a' >/dev/null
	valid
	[ "$(query 'count(//testcase/*)')" = 0 ]
}

@test "20,000 tasks: a valid report, and memory that does not grow with it" {
	seq -f 'printf %%01000d 1; exit $((%g %% 7 == 0))' 19999 >in
	echo 'awk "/^VmHWM/ { print \$2 }" /proc/$LEAT_PID/status >peak' >>in
	leat -q -j4 --junit r.xml -a in >/dev/null || [ $? -eq 123 ]
	valid
	[ "$(numbers)" = "20000 2857 0 0" ]
	not_sanitized "a sanitizer's memory is its own"
	[ "$(cat peak)" -lt 12000 ]
}

@test "other programs read it" {
	command -v python3 >/dev/null || skip "python3 is not installed"
	leat -q --junit r.xml ::: 'printf "\1]]>\n"' 'exit 3' || [ $? -eq 123 ]
	python3 -c '
import xml.etree.ElementTree as tree
suite = tree.parse("r.xml").getroot()[0]
assert [case.get("name") for case in suite.iter("testcase") if case.find("failure") is not None] == ["exit 3"]
assert [out.text for out in suite.iter("system-out")] == ["^A]]>\n"]'
}

@test "the report takes the former one's place when it is whole, with its mode" {
	echo former >r.xml
	chmod 640 r.xml
	mkdir other
	ln -s ../r.xml other/link.xml
	leat --junit other/link.xml ::: 'cat r.xml' >out
	[ "$(cat out)" = former ]
	valid
	[ "$(stat -c %a r.xml)" = 640 ]
	[ -L other/link.xml ]
	(umask 027 && leat --junit new.xml ::: true)
	[ "$(stat -c %a new.xml)" = 640 ]
	[ "$(echo ./*.xml*)" = "./new.xml ./r.xml" ]
}

@test "where leat is killed there is none, and the former one stays" {
	mkfifo told
	exec 8<>told
	echo former >r.xml
	echo 'puppet tell told x hold' >in
	start_leat --junit r.xml -a in
	read -r -t 30 _ <&8
	kill -KILL "$leat"
	finish_leat
	[ "$(cat r.xml)" = former ]
}

@test "one that can't be written there is refused before anything runs, with 125" {
	for name in nowhere/r.xml . /proc/r.xml; do
		run leat --junit "$name" ::: 'touch ran'
		[ "$status" -eq 125 ]
		[[ "$output" == "leat: cannot write $name: "* ]]
	done
	[ ! -e ran ]
}

@test "what is refused for another reason leaves the former one" {
	echo former >r.xml
	echo none >journal
	run leat --journal journal --junit r.xml ::: 'touch ran'
	[ "$status" -eq 125 ]
	run leat --joblog nowhere/log --junit r.xml ::: 'touch ran'
	[ "$status" -eq 125 ]
	[ "$(cat r.xml)" = former ]
	[ "$(echo r.xml*)" = r.xml ]
	[ ! -e ran ]
}

@test "with --dry-run none is written" {
	leat --dry-run --junit r.xml ::: 'echo a'
	[ ! -e r.xml ]
}

@test "/dev/stdout and pipes get it whole, at the end" {
	leat --junit /dev/stdout ::: 'echo a' >out
	[ "$(head -n 2 out)" = $'a\n<?xml version="1.0" encoding="UTF-8"?>' ]
	tail -n +2 out >r.xml
	valid
	[ "$(query 'string(//testcase/@classname)')" = leat ]
	leat --junit /dev/stdout ::: true | cat >r.xml
	valid
	leat --junit >(cat >r.xml 3>&-) ::: true
	wait $!
	valid
	sh -c 'exec leat --junit /proc/$$/fd/1 ::: true' | cat >r.xml
	valid
	mkfifo pipe
	cat pipe >r.xml 3>&- &
	leat --junit pipe ::: 'seq 100000' >/dev/null
	wait $!
	valid
	[ -p pipe ]
}

@test "a full disk: a message after the account, 125, and the former one stays" {
	[ "$(id -u)" = 0 ] || skip "needs root to mount a tmpfs"
	mkdir small
	mount -t tmpfs -o size=64k none small || skip "tmpfs can't be mounted here"
	echo former >small/r.xml
	run leat --summary --junit small/r.xml ::: 'seq 10000 >/dev/full; seq 100000' true
	former=$(cat small/r.xml) names=$(echo small/*)
	umount small
	[ "$status" -eq 125 ]
	[ "$former" = former ]
	[ "$names" = small/r.xml ]
	[[ "${lines[-2]}" == "leat: 2 tasks in "*": 2 ok, 0 unrun" ]]
	[ "${lines[-1]}" = "leat: cannot write small/r.xml: No space left on device" ]
}

@test "a full device: the same" {
	run leat --junit /dev/full ::: 'exit 1'
	[ "$status" -eq 125 ]
	[[ "${lines[-2]}" == *": 1 failed, 0 unrun" ]]
	[ "${lines[-1]}" = "leat: cannot write /dev/full: No space left on device" ]
}
