#!/usr/bin/env bats
# --journal: what was run and how it went, kept for good, and --resume.
load helper

query() {
	sqlite3 j "$1"
}

list() {
	leat --journal j --list "$@"
}

# Tasks $1 to $2 that tell that they run and wait to be released, one a line.
holding() {
	local n
	[ -e started ] || mkfifo started
	for n in $(seq "$1" "$2"); do
		echo "puppet tell started $n pass gate; echo $n >>ran"
	done
}

# Start leat with the journal and the arguments on what "in" holds, and wait for $1 tasks
# of holding to run.
start_holding() {
	local count=$1
	shift
	close_gate
	exec 8<>started
	start_leat --journal j -a in "$@" 7>&- 8>&-
	while [ "$count" -gt 0 ]; do
		read -r -t 30 _ <&8
		count=$((count - 1))
	done
}

# Kill leat, and wait until the guardian has ended its tasks.
kill_leat() {
	kill -KILL "$leat"
	finish_leat
	[ "$status" -eq 137 ]
	while grep -qsz "^LEAT_PID=$leat\$" /proc/[0-9]*/environ; do
		read -r -t 0.01 _ <> <(:) || :
	done
}

# From now on the tasks of holding end by themselves.
release() {
	open_gate
	cat <&8 >/dev/null 3>&- &
	drain=$!
}

clean_up() {
	if jobs -pr | grep -qx "${leat:-none}"; then kill -KILL "$leat"; fi
	if jobs -pr | grep -qx "${drain:-none}"; then kill -KILL "$drain"; fi
	[ -z "${aside:-}" ] || { chmod 755 "$aside" && rm -r "$aside"; }
}

# "task outcome" of each task, in a line.
outcomes() {
	query "SELECT seq || ' ' || coalesce(outcome, '-') FROM tasks ORDER BY task" | tr '\n' ,
}

@test "each task is kept with its outcome, each attempt with exit or signal" {
	printf '%s\n' true 'exit 3' 'kill -SEGV $$' './missing' 'exec sleep 50' >in
	run leat -q -j2 --timeout 0.5 --journal j -a in
	[ "$status" -eq 123 ]
	[ "$(outcomes)" = "1 ok,2 failed,3 crashed,4 failed,5 timed out," ]
	[ "$(query 'SELECT command FROM tasks ORDER BY task')" = "$(cat in)" ]
	[ "$(query 'SELECT task, attempt, outcome, exit, signal FROM attempts ORDER BY task' | tr '\n' ,)" = \
		"1|1|ok|0|,2|1|failed|3|,3|1|crashed||11,4|1|failed|127|,5|1|timed out||15," ]
	[ -n "$(query 'SELECT error FROM attempts WHERE task = 4')" ]
}

@test "each attempt of --retries is kept" {
	leat -q -j2 --retries 2 --journal j 2>/dev/null < <(printf '%s\n' '[ "$LEAT_ATTEMPT" = 2 ]' true 'exit 4') || :
	[ "$(query 'SELECT task, attempt, outcome FROM attempts ORDER BY task, attempt' | tr '\n' ,)" = \
		"1|1|failed,1|2|ok,2|1|ok,3|1|failed,3|2|failed,3|3|failed," ]
	[ "$(outcomes)" = "1 ok,2 ok,3 failed," ]
}

@test "times, CPU time, peak memory and the sizes of the output are kept" {
	printf '%s\n' 'head -c 12345 /dev/zero; head -c 678 /dev/zero >&2' \
		'n=0; while [ $n -lt 300000 ]; do n=$((n + 1)); done' 'puppet bytes 3000000' >in
	leat -j2 --journal j -a in >out 2>&1
	[ "$(query 'SELECT stdout_bytes, stderr_bytes FROM attempts ORDER BY task' | tr '\n' ,)" = "12345|678,0|0,3000000|0," ]
	[ "$(query 'SELECT count(*) FROM attempts WHERE elapsed > 0 AND user + system > 0 AND peak_kib > 0')" -eq 3 ]
	[ "$(query "SELECT count(*) FROM attempts WHERE abs(julianday('now') - julianday(started)) < 0.01")" -eq 3 ]
	[ "$(query "SELECT count(*) FROM runs WHERE abs(julianday('now') - julianday(started)) < 0.01 AND elapsed > 0")" -eq 1 ]
	[ "$(query 'SELECT count(*) FROM attempts JOIN runs USING(run) WHERE julianday(attempts.started) >= julianday(runs.started)')" -eq 3 ]
}

@test "what is written at once with -u counts no output, and the journal holds the rest" {
	leat -u --journal j <<<'echo out; exit 5' >out 2>&1 || :
	[ "$(query 'SELECT outcome, exit FROM attempts')" = "failed|5" ]
}

@test "the run is kept, with its command, directory, process, exit status and counts that add up" {
	printf '%s\n' true true 'exit 1' 'kill -9 $$' 'exec sleep 50' >in
	leat -q -j1 --timeout 0.3 --journal j -a in 3>&- &
	leat=$!
	wait "$leat" || :
	[ "$(query 'SELECT ok, failed, crashed, timed_out, canceled, unrun, skipped, exit FROM runs')" = "2|1|1|1|0|0|0|123" ]
	[ "$(query 'SELECT pid, directory FROM runs')" = "$leat|$PWD" ]
	[[ "$(query 'SELECT command FROM runs')" == *"--timeout 0.3 --journal j -a in" ]]
	[ "$(query 'SELECT ok + failed + crashed + timed_out + canceled + unrun + skipped FROM runs')" -eq "$(query 'SELECT count(*) FROM tasks')" ]
}

@test "after SIGTERM the canceled and the unrun are listed and counted" {
	holding 1 5 >in
	start_holding 2 -j2
	kill -TERM "$leat"
	finish_leat
	[ "$status" -eq 143 ]
	[[ "$rest" == *": 2 canceled, 3 unrun" ]]
	diff <(list unrun) <(sed -n 3,5p in)
	diff <(list canceled) <(sed -n 1,2p in)
	[ "$(query 'SELECT ok, canceled, unrun, skipped FROM runs')" = "0|2|3|0" ]
	[ "$(query 'SELECT count(*) FROM attempts')" -eq 2 ]
}

@test "--list: the commands of the last series, of the outcomes that are named" {
	printf '%s\n' true 'exit 3' 'kill -9 $$' 'exec sleep 50' 'echo ok' >in
	leat -q --timeout 0.3 -j2 --journal j -a in >out || :
	diff <(list) in
	[ "$(list ok | tr '\n' ,)" = "true,echo ok," ]
	[ "$(list failed)" = 'exit 3' ]
	[ "$(list crashed)" = 'kill -9 $$' ]
	[ "$(list timed-out)" = 'exec sleep 50' ]
	[ "$(list failed timed-out crashed | wc -l)" -eq 3 ]
	for outcome in canceled unrun in-flight; do
		run list "$outcome"
		[ "$status" -eq 0 ]
		[ -z "$output" ]
	done
}

@test "--list and --show read no input, run nothing and change nothing" {
	leat --journal j <<<'echo >>ran'
	cp j before
	mkfifo input
	exec 8<>input
	leat --journal j --list <&8
	leat --journal j --show 1 <&8
	[ "$(wc -l <ran)" -eq 1 ]
	cmp j before
	[ "$(query 'SELECT count(*) FROM runs')" -eq 1 ]
}

@test "--list failed | leat runs what failed again" {
	printf '%s\n' 'echo a >>ran' 'echo b >>ran; [ -e fixed ]' 'echo c  "  " >>ran; [ -e fixed ]' >in
	leat -q -j1 --journal j -a in || :
	rm ran
	touch fixed
	list failed | leat
	[ "$(sort ran | tr '\n' ,)" = "b,c   ," ]
}

@test "--list -0: commands end with NUL, whatever they hold" {
	printf '%s\0' $'echo one\necho two' '   ' '# no comment here' $'echo "\xff\xfe"' $'exit 1\r' >in
	leat -q -0 --journal j -a in >out 2>&1 || :
	leat -0 --journal j --list >listed
	cmp listed in
}

@test "--list: what a line can't hold, or would be dropped, is printed as what leat reads back" {
	printf '%s\0' $'echo "one\ntwo\'s"' $'   \n# %s %d \\n \\0' '   ' '# note' $'\techo "%s \\\\"' $'echo "\xff"\necho \xc3\xa9' $'\n\necho \' \'\n' \
		$'echo cr\r' $'\xef\xbb\xbfecho bom' '' >in
	leat -0 -j1 --journal j -a in >out 2>/dev/null || :
	list >listed
	[ "$(wc -l <listed)" -eq 10 ]
	[ "$(grep -c '^eval "\$(printf ' listed)" -ge 5 ]
	leat -j1 -a listed >again 2>/dev/null || :
	cmp out again
	run leat -j1 --summary -a listed
	[[ "${lines[-1]}" == "leat: 10 tasks in "* ]]
}

@test "--show N prints task N with its attempts, of every run" {
	printf '%s\n' true '[ -e fixed ]' >in
	leat -q -j1 --retries 1 --journal j -a in || :
	touch fixed
	leat -q -j1 --resume-failed --journal j -a in
	run leat --journal j --show 2
	[ "$status" -eq 0 ]
	[[ "$output" == *"[ -e fixed ]"* ]]
	[ "$(grep -c 'run 1, attempt [12],.*failed, exit 1$' <<<"$output")" -eq 2 ]
	[ "$(grep -c 'run 2, attempt 1,.*: ok' <<<"$output")" -eq 1 ]
	run leat --journal j --show 3
	[ "$status" -ne 0 ]
	[[ "$output" == "leat: "*" 3"* ]]
}

@test "--resume runs what was canceled and never started, not what is done or failed" {
	{ printf '%s\n' 'echo ok >>ran' 'echo failed >>ran; exit 1'; holding 3 6; } >in
	start_holding 2 -j2
	kill -TERM "$leat"
	finish_leat
	[[ "$rest" == *": 1 ok, 1 failed, 2 canceled, 2 unrun" ]]
	release
	run leat -j1 --resume --journal j --summary -a in
	[ "$status" -eq 0 ]
	[[ "$output" == *": 4 ok, 0 unrun, 2 skipped"* || "$output" == *": 4 ok, 2 skipped, 0 unrun"* ]]
	[ "$(sort ran | tr '\n' ,)" = "3,4,5,6,failed,ok," ]
	[[ "$output" == *"1 of the skipped had failed: --resume-failed"* ]]
	[ "$(outcomes)" = "1 ok,2 failed,3 ok,4 ok,5 ok,6 ok," ]
	[ "$(query 'SELECT ok, failed, canceled, unrun, skipped FROM runs ORDER BY run' | tr '\n' ,)" = "1|1|2|2|0,4|0|0|0|2," ]
	run leat --resume --journal j --summary -a in
	[[ "${lines[-1]}" == *"leat: 6 tasks in "*" 6 skipped"* ]]
	[ "$(wc -l <ran)" -eq 6 ]
}

@test "--resume-failed also runs what failed, crashed or timed out" {
	printf '%s\n' 'echo ok >>ran' 'echo f >>ran; [ -e fixed ]' 'echo c >>ran; [ -e fixed ] || kill -9 $$' \
		'echo t >>ran; [ -e fixed ] || exec sleep 50' >in
	leat -q -j2 --timeout 0.3 --journal j -a in || :
	rm ran
	touch fixed
	run leat -j1 --timeout 40 --resume-failed --journal j --summary -a in
	[ "$status" -eq 0 ]
	[ "$(tr '\n' , <ran)" = "f,c,t," ]
	[[ "$output" == *" 3 ok, "* ]] && [[ "$output" == *" 1 skipped"* ]]
	[ "$(outcomes)" = "1 ok,2 ok,3 ok,4 ok," ]
}

@test "--resume where there is no journal yet runs all and makes one" {
	run leat --resume --journal j < <(printf '%s\n' 'echo a' 'echo b')
	[ "$status" -eq 0 ]
	[ "$(sort <<<"$output" | tr '\n' ,)" = "a,b," ]
	[ "$(query 'SELECT count(*) FROM tasks WHERE outcome = "ok"')" -eq 2 ]
	: >empty
	leat --resume --journal empty <<<true
	[ "$(sqlite3 empty 'SELECT count(*) FROM tasks')" -eq 1 ]
}

@test "identical commands are told apart by how many times they have occurred" {
	for n in 1 2 3; do echo 'echo >>ran'; done >in
	leat --journal j -a in
	for n in 4 5; do echo 'echo >>ran'; done >>in
	run leat --resume --journal j --summary -a in
	[[ "$output" == *" 2 ok, "* ]] && [[ "$output" == *" 3 skipped"* ]]
	[ "$(wc -l <ran)" -eq 5 ]
	[ "$(query 'SELECT occurrence FROM tasks ORDER BY occurrence' | tr '\n' ,)" = "1,2,3,4,5," ]
}

@test "the input may be reordered, grown, shrunk and edited: tasks are known by their command" {
	seq -f 'echo %g >>ran' 6 >in
	leat -q --journal j -a in
	rm ran
	{ echo 'echo 7 >>ran'; tac in; } >other
	leat -q --resume --journal j -a other
	[ "$(cat ran)" = 7 ]
	rm ran
	run leat --resume --journal j --summary < <(sed -n 2,3p in)
	[[ "$output" == *" 2 skipped"* ]]
	[ ! -e ran ]
	sed -i 's/echo 4 /echo four /' in
	run leat --resume --journal j --summary -a in
	[[ "$output" == *" 1 ok, "* ]] && [[ "$output" == *" 5 skipped"* ]]
	[ "$(cat ran)" = four ]
}

@test "-c: the same script with the same values is the same task, another script is another" {
	leat -q --journal j -c 'echo "$1" >>ran' ::: a b
	leat -q --resume --journal j -c 'echo "$1" >>ran' ::: b c a
	[ "$(sort ran | tr '\n' ,)" = "a,b,c," ]
	leat -q --resume --journal j -c 'echo "$1" new >>ran' ::: a
	[ "$(tail -n 1 ran)" = "a new" ]
}

@test "COMMAND with {}: the same words are the same task, quoting makes no two the same" {
	leat -q --journal j -j1 puppet tell ran {} ::: a 'b c'
	leat -q --resume --journal j -j1 puppet tell ran {} ::: 'b c' a d
	[ "$(tr '\n' , <ran)" = "a,b c,d," ]
	leat -q --journal k sh -c 'echo "$#" >>words' x ::: 'b c'
	leat -q --resume --journal k sh -c 'echo "$#" >>words' x b ::: c
	leat -q --resume --journal k sh -c 'echo "$#" >>words' x "'b" ::: "c'"
	[ "$(tr '\n' , <words)" = "1,2,2," ]
}

@test "-n and -X: batches are known by all their values" {
	seq 6 | leat -q -n2 --journal j -j1 sh -c 'echo "$*" >>ran' x
	seq 8 | leat -q -n2 --resume --journal j -j1 sh -c 'echo "$*" >>ran' x
	[ "$(tr '\n' , <ran)" = "1 2,3 4,5 6,7 8," ]
	seq 100 | leat -q -X --journal k -j1 sh -c 'echo "$*" >>filled' x
	batches=$(wc -l <filled)
	run leat -X --summary --resume --journal k -j1 sh -c 'echo "$*" >>filled' x < <(seq 100)
	[ "$status" -eq 0 ]
	[ "$(wc -l <filled)" -eq "$batches" ]
	[[ "$output" == *" skipped"* ]]
}

@test "--stdin record: the same command with another record is another task" {
	printf '%s\n' a b | leat -q --stdin record --journal j -j1 sh -c 'cat >>ran'
	printf '%s\n' b c a b | leat -q --stdin record --resume --journal j -j1 sh -c 'cat >>ran'
	[ "$(tr -d '\n' <ran)" = abcb ]
	[ "$(query 'SELECT count(DISTINCT command) FROM tasks')" -eq 1 ]
	[ "$(query 'SELECT CAST(input AS TEXT) FROM tasks ORDER BY task' | tr -d '\n')" = abcb ]
}

@test "-0: commands that hold newlines are kept whole and known again" {
	printf '%s\0' $'echo a >>ran\necho b >>ran' $'\n\necho c >>ran' >in
	leat -q -0 -j1 --journal j -a in
	leat -q -0 -j1 --resume --journal j -a in
	[ "$(tr '\n' , <ran)" = "a,b,c," ]
	[ "$(query 'SELECT hex(command) FROM tasks WHERE seq = 1')" = "$(printf 'echo a >>ran\necho b >>ran' | od -An -tx1 -v | tr -d ' \n' | tr a-f A-F)" ]
}

@test "a command may hold any bytes, and is known again by them" {
	printf 'echo \xff >>ran\necho \xfe >>ran\necho \xc3\xa9 >>ran\n' >in
	leat -q -j1 --journal j -a in
	leat -q -j1 --resume --journal j -a in
	[ "$(wc -l <ran)" -eq 3 ]
	cmp <(list) in
}

@test "a command of 700 KB is kept whole and known again" {
	{ printf 'echo >>ran; : '; head -c 700000 /dev/zero | tr '\0' x; echo; } >in
	leat -q --journal j -a in
	leat -q --resume --journal j -a in
	[ "$(wc -l <ran)" -eq 1 ]
	[ "$(query 'SELECT length(command) FROM tasks')" -eq 700014 ]
	cmp <(list) in
	leat --journal j --show 1 >shown
	grep -q 'attempt 1' shown
}

@test "--dry-run --resume prints what would run, and runs and records nothing" {
	printf '%s\n' 'echo a >>ran' 'echo b >>ran; exit 1' >in
	leat -q -j1 --journal j -a in || :
	echo 'echo c >>ran' >>in
	cp j before
	[ "$(leat --dry-run --resume --journal j -a in 2>/dev/null)" = 'echo c >>ran' ]
	[ "$(leat --dry-run -k --resume-failed --journal j -a in 2>/dev/null)" = "$(tail -n 2 in)" ]
	cmp j before
	[ "$(tr '\n' , <ran)" = "a,b," ]
	leat --dry-run --resume --journal none <<<'echo hi' >out
	[ "$(cat out)" = 'echo hi' ]
	[ ! -e none ]
}

@test "-k --resume: the output of what runs, in the order of the input" {
	seq -f 'echo %g' 1 2 20 >odd
	seq -f 'echo %g' 20 >all
	leat -q --journal j -a odd >out
	leat -k -j4 --resume --journal j -a all >out
	diff out <(seq 2 2 20)
}

@test "--fail-fast, then --resume: the rest; --resume-failed: the one that failed, too" {
	printf '%s\n' 'echo 1 >>ran' 'echo 2 >>ran; [ -e fixed ]' 'echo 3 >>ran' 'echo 4 >>ran' >in
	run leat -j1 --fail-fast --journal j -a in
	[ "$status" -eq 123 ]
	diff <(list unrun) <(sed -n 3,4p in)
	leat -q -j1 --resume --journal j -a in
	[ "$(tr '\n' , <ran)" = "1,2,3,4," ]
	touch fixed
	leat -q -j1 --resume-failed --journal j -a in
	[ "$(tr '\n' , <ran)" = "1,2,3,4,2," ]
}

@test "--halt now, then --resume: what was ended and what was not started" {
	holding 1 3 >in
	sed -i '2s/.*/exit 1/' in
	close_gate
	exec 8<>started
	run leat -j2 --halt now,fail=1 --journal j -a in 7>&- 8>&-
	[[ "$output" == *": 1 failed, 1 canceled, 1 unrun" ]]
	release
	leat -q -j1 --resume --journal j -a in
	[ "$(tr '\n' , <ran)" = "1,3," ]
}

@test "--deadline, then --resume runs what it ended and what it left out" {
	printf '%s\n' 'echo 1 >>ran; [ -e later ] || exec sleep 50' 'echo 2 >>ran' >in
	run leat -j1 --deadline 0.3 --journal j -a in
	[ "$status" -eq 124 ]
	[ "$(list unrun)" = 'echo 2 >>ran' ]
	touch later
	leat -q -j1 --resume --journal j -a in
	[ "$(tr '\n' , <ran)" = "1,1,2," ]
}

@test "what could not be written is not done: --resume runs it again" {
	printf 'echo %s\n' 1 2 3 >in
	run bash -c 'leat -k -j3 --journal j -a in >/dev/full'
	[ "$status" -eq 125 ]
	[ "$(leat -k --resume --journal j -a in)" = "$(printf '%s\n' 1 2 3)" ]
}

@test "--unrun holds the same records as --list unrun, and skipped ones are not among them" {
	{ echo 'echo ok'; holding 2 5; } >in
	start_holding 1 -j1 --unrun rest
	kill -TERM "$leat"
	finish_leat
	diff <(list unrun) rest
	diff rest <(sed -n 3,5p in)
	release
	run leat -j1 --fail-fast --resume --journal j --unrun rest < <(echo 'exit 1'; cat in)
	[[ "$output" == *": 1 failed, "*"4 unrun"* ]]
	diff rest <(sed -n 2,5p in)
}

@test "a run without --resume begins a new series: --list and --resume look at the last" {
	leat -q --journal j <<<'echo a >>ran'
	leat -q --journal j <<<'echo b >>ran'
	[ "$(list)" = 'echo b >>ran' ]
	leat -q --resume -j1 --journal j < <(printf '%s\n' 'echo b >>ran' 'echo a >>ran')
	[ "$(tr '\n' , <ran)" = "a,b,a," ]
	[ "$(query 'SELECT count(DISTINCT series) FROM tasks')" -eq 2 ]
	[ "$(query 'SELECT run, series FROM runs ORDER BY run' | tr '\n' ,)" = "1|1,2|2,3|2," ]
	[ "$(query "SELECT count(*) FROM tasks WHERE command = 'echo a >>ran'")" -eq 2 ]
}

@test "others may read the journal while it runs, and a reader stops nothing" {
	holding 1 3 >in
	start_holding 2 -j2
	[ "$(query 'SELECT count(*) FROM runs WHERE exit IS NULL')" -eq 1 ]
	until [ "$(list in-flight | wc -l)" -eq 2 ]; do :; done
	diff <(list in-flight) <(sed -n 1,2p in)
	[[ "$(leat --journal j --show 1)" == *"in flight"* ]]
	coproc sqlite3 j 3>&- 7>&- 8>&- 9<&-
	reader=${COPROC[1]}
	echo 'BEGIN; SELECT count(*) FROM tasks;' >&"$reader"
	read -r -t 30 _ <&"${COPROC[0]}"
	release
	finish_leat
	[ "$status" -eq 0 ]
	echo .quit >&"$reader"
	wait "$COPROC_PID" || :
	[ "$(outcomes)" = "1 ok,2 ok,3 ok," ]
}

@test "a second leat on the same file is refused with the other's process, runs nothing and exits 125" {
	holding 1 1 >in
	start_holding 1
	for option in '' --resume --resume-failed; do
		# shellcheck disable=SC2086
		run leat $option --journal j <<<'touch no'
		[ "$status" -eq 125 ]
		[[ "$output" == "leat: "*"another leat uses it, process $leat" ]]
	done
	[ ! -e no ]
	release
	finish_leat
	[ "$status" -eq 0 ]
	[ "$(query 'SELECT count(*) FROM runs')" -eq 1 ]
}

@test "leat killed with SIGKILL: --list tells what was in flight, --resume runs that and the rest, once" {
	{ seq -f 'echo done%g >>ran' 20; holding 21 24; } >in
	start_holding 2 -j2
	kill_leat
	diff <(list in-flight) <(sed -n 21,22p in)
	[ "$(list ok | wc -l)" -eq 20 ]
	[[ "$(leat --journal j --show 21)" == *"in flight"* ]]
	release
	run leat -j1 --resume --journal j --summary -a in
	[ "$status" -eq 0 ]
	[[ "$output" == *" 4 ok, "* ]] && [[ "$output" == *" 20 skipped"* ]]
	[ "$(sort ran | uniq -d | wc -l)" -eq 0 ]
	[ "$(wc -l <ran)" -eq 24 ]
	[ -z "$(list in-flight canceled unrun)" ]
	[ "$(query 'PRAGMA integrity_check')" = ok ]
}

@test "--sync full, group and off: each loses nothing to SIGKILL" {
	for sync in full group off; do
		rm -f j err started
		{ seq -f 'true %g' 10; holding 11 12; } >in
		start_holding 1 -j1 --sync "$sync"
		kill_leat
		[ "$(list ok | wc -l)" -eq 10 ]
		diff <(list in-flight) <(sed -n 11p in)
	done
}

@test "leat killed twice: the --resume that was killed is gone on with" {
	holding 1 4 >in
	start_holding 1 -j1
	kill_leat
	rm err
	start_holding 2 -j2 --resume
	kill_leat
	release
	run leat -j1 --resume --journal j --summary -a in
	[[ "$output" == *": 4 ok, 0 unrun"* ]]
	[ "$(tr '\n' , <ran)" = "1,2,3,4," ]
	[ "$(query 'SELECT count(*) FROM attempts WHERE task = 1')" -eq 3 ]
}

@test "a file that is no journal is refused, untouched" {
	echo 'dear diary' >text
	sqlite3 foreign 'CREATE TABLE tasks(command); PRAGMA user_version = 1'
	head -c 100000 /dev/zero >zeros
	for file in text foreign zeros; do
		cp "$file" before
		for option in '' --resume --list '--show 1'; do
			# shellcheck disable=SC2086
			run leat --journal "$file" $option <<<'touch no'
			[ "$status" -eq 125 ]
			[[ "$output" == "leat: --journal: cannot use $file: it is no journal"* ]]
			cmp "$file" before
		done
	done
	[ ! -e no ]
	[ -z "$(find . -name '*-tail' -o -name '*-wal')" ]
}

@test "a journal of a newer format is refused, untouched, and it is said" {
	leat --journal j <<<true
	query 'PRAGMA user_version = 1000'
	cp j before
	for option in '' --resume --list '--show 1'; do
		# shellcheck disable=SC2086
		run leat --journal j $option <<<'touch no'
		[ "$status" -eq 125 ]
		[[ "$output" == "leat: "*newer* ]]
		cmp j before
	done
	[ ! -e no ]
}

@test "--show of an attempt that has no time tells none" {
	leat -q --journal j <<<'true'
	sqlite3 j "PRAGMA writable_schema=1; UPDATE sqlite_master SET sql=replace(sql, ' NOT NULL', '') WHERE type='table';
		PRAGMA writable_schema=RESET; UPDATE attempts SET started=NULL"
	run leat --journal j --show 1
	[ "$status" -eq 0 ]
	[ "${lines[2]}" = "  run 1, attempt 1, slot 1: ok, exit 0" ]
}

@test "a damaged journal is refused, untouched, and it is said" {
	seq -f 'true %g' 2000 | leat --journal j
	cp j whole
	pages=$(($(stat -c %s j) / 4096))
	half=$((pages * 2))
	for damage in 1 $((pages / 2)) $((pages - 1)) half; do
		cp whole j
		if [ "$damage" = half ]; then
			truncate -s "${half}K" j
		else
			tr '\0' '\252' </dev/zero | dd of=j bs=4096 seek="$damage" count=1 conv=notrunc iflag=fullblock 2>/dev/null
		fi
		cp j before
		for option in '' --resume; do
			echo "page $damage of $pages $option"
			# shellcheck disable=SC2086
			run leat --journal j $option <<<'touch no'
			echo "$output"
			[ "$status" -eq 125 ]
			[[ "$output" == "leat: --journal: cannot use j: it is damaged: "*"; begin another, or save with .recover of sqlite3(1) what is left" ]]
			cmp j before
		done
	done
	[ ! -e no ]
}

@test "FILE is its owner's alone, with what stands beside it, whatever the umask" {
	umask 000
	holding 1 1 >in
	start_holding 1
	[ "$(stat -c %a j j-* | sort -u)" = 600 ]
	[ "$(find . -name 'j*' | wc -l)" -ge 2 ]
	release
	finish_leat
	[ "$(stat -c %a j)" = 600 ]
	[ "$(find . -name 'j*' | tr '\n' ,)" = ./j, ]
}

@test "FILE may be a symlink: the journal is what it leads to, under either name" {
	mkdir elsewhere
	ln -s elsewhere/real j
	leat -q --journal elsewhere/real <<<'echo a >>ran'
	holding 1 1 >in
	start_holding 1 --resume
	[ "$(list ok)" = 'echo a >>ran' ]
	run leat --resume --journal elsewhere/real <<<'touch no'
	[ "$status" -eq 125 ]
	kill_leat
	[ -L j ]
	diff <(leat --journal elsewhere/real --list in-flight) in
	release
	leat -q --resume --journal elsewhere/real -j1 < <(echo 'echo a >>ran'; cat in)
	[ "$(tr '\n' , <ran)" = "a,1," ]
}

@test "a directory that takes no file: 125, and nothing is run" {
	for file in /proc/j missing/j "$PWD" /dev/null /dev/full; do
		run leat --journal "$file" <<<'touch no'
		echo "$file: $status $output"
		[ "$status" -eq 125 ]
		[[ "$output" == "leat: --journal: cannot use $file: "* ]]
	done
	[ ! -e no ]
}

@test "a journal in a directory that can't be written is listed all the same" {
	[ "$(id -u)" -ne 0 ] || command -v setpriv >/dev/null || skip "setpriv is not installed"
	aside=$(mktemp -d -p /tmp) # another user comes there
	leat -q --journal "$aside/j" <<<'true it is'
	cp "$(command -v leat)" "$aside"
	chmod 444 "$aside/j"
	chmod 555 "$aside"
	become=()
	[ "$(id -u)" -ne 0 ] || become=(setpriv --reuid 65534 --regid 65534 --clear-groups)
	"${become[@]}" "$aside/leat" --version >/dev/null || skip "another user can't run the program here"
	run "${become[@]}" "$aside/leat" --journal "$aside/j" --list ok
	[ "$status" -eq 0 ]
	[ "$output" = 'true it is' ]
	run "${become[@]}" "$aside/leat" --resume --journal "$aside/j" <<<'touch no'
	[ "$status" -eq 125 ]
	[ ! -e no ]
}

@test "a tail that is a symlink or somebody's FIFO is refused, untouched" {
	leat --journal j <<<'true'
	echo precious >victim
	ln -s victim j-tail
	for option in '' --resume; do
		# shellcheck disable=SC2086
		run leat --journal j $option <<<'touch no'
		echo "$output"
		[ "$status" -eq 125 ]
	done
	[ "$(cat victim)" = precious ]
	rm j-tail
	ln -s nowhere j-tail
	run leat --journal j <<<'touch no'
	[ "$status" -eq 125 ]
	[ ! -e nowhere ]
	rm j-tail
	mkfifo j-tail
	for option in '' --resume; do
		# shellcheck disable=SC2086
		run timeout 20 leat --journal j $option <<<'touch no'
		echo "$output"
		[ "$status" -eq 125 ]
	done
	[ -p j-tail ]
	[ ! -e no ]
}

@test "a tail that is something else is refused, untouched" {
	leat --journal j <<<'true'
	echo 'my notes on j' >j-tail
	run leat --resume --journal j <<<'touch no'
	echo "$output"
	[ "$status" -eq 125 ]
	[[ "$output" == "leat: --journal: cannot use j: "*"/j-tail is cut short, or none of leat's; move it away, and --resume runs again what it alone tells of" ]]
	[ "$(cat j-tail)" = 'my notes on j' ]
	[ ! -e no ]
}

@test "the tail of a killed run that is cut short is refused, untouched; moved away, --resume does the rest" {
	printf '%s\n' 'echo one >>ran' '[ -e later ] || exec puppet tell started x hold; echo two >>ran' >in
	kill_started -q -j1 --journal j -a in
	touch later
	truncate -s 600K j-tail
	cp j-tail before
	run leat --resume --journal j -a in
	echo "$output"
	[ "$status" -eq 125 ]
	[[ "$output" == *"move it away"* ]]
	cmp j-tail before
	mv j-tail away
	run leat -q --resume --journal j -a in
	[ "$status" -eq 0 ]
	[ "$(sort -u ran)" = "$(printf 'one\ntwo\n')" ]
}

@test "the journal is removed during the run: it ends as canceled, 125, nothing unaccounted" {
	holding 1 500 >in
	start_holding 2 -j2
	rm j
	release
	finish_leat
	echo "$rest"
	[ "$status" -eq 125 ]
	[[ "$rest" == *"leat: "*" j"* ]]
	[[ "${rest##*$'\n'}" == "leat: 500 tasks in "* ]]
	total=0
	read -r -a counts < <(sed 's/^.*in [^:]*://; s/[^0-9 ]//g' <<<"${rest##*$'\n'}")
	for count in "${counts[@]}"; do total=$((total + count)); done
	[ "$total" -eq 500 ]
	[[ "$rest" != *" failed"* ]]
}

@test "another file has taken the journal's place during the run: it is not written to" {
	holding 1 50 >in
	start_holding 2 -j2
	mv j mine
	echo precious >j
	release
	finish_leat
	[ "$status" -eq 125 ]
	[ "$(cat j)" = precious ]
}

@test "what these options don't take is a usage error, and nothing is run" {
	for options in --resume --resume-failed --list '--show 1' '--journal j --list ok done' '--journal j --show x' \
		'--journal j --show 0' '--journal j --sync some' '--orphans some'; do
		# shellcheck disable=SC2086
		run leat $options <<<'touch no'
		echo "$options: $status $output"
		[ "$status" -eq 2 ]
	done
	[ ! -e no ]
	[ ! -e j ]
}

@test "many commands that are too large for the tail, side by side with small ones" {
	for task in {1..8}; do
		printf 'echo %0600000d\necho small %d\n' "$task" "$task"
	done >in
	leat -q -j4 --journal j -a in >out
	[ "$(wc -l <out)" -eq 16 ]
	[ "$(sqlite3 j 'SELECT count(*), outcome, sum(done) FROM tasks GROUP BY outcome')" = "16|ok|16" ]
	leat --summary --resume --journal j -a in 2>err
	grep -q '16 skipped' err
}

@test "a limit on the size of files is told, and nothing is run" {
	for blocks in 5 100; do
		rm -f j j-*
		run bash -c "ulimit -f $blocks; leat --journal j ::: 'touch ran'"
		[ "$status" -eq 125 ]
		[[ "$output" == *"cannot use j: "* ]]
		[ ! -e ran ]
	done
}

@test "what is no regular file is no journal, and is left alone" {
	mkfifo fifo
	mkdir directory
	for name in fifo directory /dev/null; do
		run timeout 20 leat --journal "$name" ::: 'touch ran'
		[ "$status" -eq 125 ]
		[[ "$output" == *"cannot use $name: it is no journal of leat"* ]]
	done
	[ ! -e ran ] && [ ! -e fifo-tail ]
}

@test "a journal of several names is not written, as two leats could do so at once" {
	leat --journal j ::: true
	ln j other
	for name in j other; do
		run leat --journal "$name" ::: 'touch ran'
		[ "$status" -eq 125 ]
		[ "$output" = "leat: --journal: cannot use $name: it has several names (hard links): copy it" ]
	done
	[ ! -e ran ]
	[ "$(leat --journal other --list)" = true ]
	rm other
	leat --journal j ::: true
}

@test "from a directory that was removed no journal is used by a relative name" {
	mkdir gone
	leat --journal j ::: true
	for name in j new; do
		run bash -c "cd gone && rmdir ../gone && leat --journal ../$name ::: 'touch ../ran'"
		[ "$status" -eq 125 ]
		[ "$output" = "leat: --journal: cannot use ../$name: No such file or directory" ]
		mkdir gone
	done
	[ ! -e ran ]
}
