#!/usr/bin/env bats
# What may be in the way of starting a task, and what leat itself may find when it starts. A
# shortage that may pass is waited for while something runs that could make room; where
# nothing does, the task fails by name, and the others have their turn.
load ../cli/helper

clean_up() {
	if jobs -pr | grep -qx "${leat:-none}"; then kill -KILL "$leat"; fi
}

# All counts of the account in the file "err" add up to $1.
check_account() {
	local line total=0 count
	line=$(grep '^leat: [0-9]* tasks\? in ' err) || { cat err; return 1; }
	for count in $(sed 's/^.*in [^:]*://; s/[^0-9 ]//g' <<<"$line"); do
		total=$((total + count))
	done
	[ "$total" -eq "$1" ] || { cat err; return 1; }
}

# "$@" as a user of its own: how many processes one has is counted over all sessions.
as_somebody() {
	setpriv --reuid=$((200000 + $$)) --clear-groups "$@"
}

# A task waits at the gate; from then on each thread and process of leat's has its calls $1
# of the numbers $3 fail with the error $2 (strace -e inject). Then comes the task $4, and
# finds no room twice at least before the first one may end. What follows are options.
fail_beside_a_task() {
	needs_strace
	strace -o /dev/null true || skip "strace may not trace here"
	rm -f started gate in attached trace
	mkfifo started in
	exec 8<>started 6<>in
	close_gate
	leat -j2 --summary -a in "${@:5}" >out 2>err 3>&- 6>&- 7>&- 8>&- &
	leat=$!
	echo 'puppet tell started x pass gate say first' >&6
	read -r -t 30 _ <&8
	strace -f -p "$leat" -o trace -e trace="$1" -e inject="$1:error=$2:when=$3" 2>attached 3>&- 6>&- 7>&- 8>&- &
	strace=$!
	until grep -qs attached attached; do read -r -t 0.01 _ <> <(:) || :; done
	echo "$4" >&6
	exec 6>&-
	until [ -s err ] || [ ! -e "/proc/$leat/exe" ] || [ "0$(grep -cs INJECTED trace)" -ge 2 ]; do read -r -t 0.01 _ <> <(:) || :; done
	[ ! -s err ] || cat err
	[ ! -s err ]
	open_gate
	status=0
	wait "$leat" || status=$?
	wait "$strace" || :
	cat out err
}

@test "no process, no memory for one, no pipe (EAGAIN, ENOMEM, EMFILE, ENFILE) while a task runs: it is waited for, and the next one runs" {
	for fault in clone:EAGAIN clone:ENOMEM pipe2:EMFILE pipe2:ENFILE; do
		echo "$fault"
		fail_beside_a_task "${fault%:*}" "${fault#*:}" 1..2 'echo second; :'
		[ "$status" -eq 0 ]
		[ "$(sort out)" = "first
second" ]
		[[ "$(<err)" == *": 2 ok, 0 unrun" ]]
	done
}

@test "no descriptor for a long command while a task runs: it is waited for, and the next one runs" {
	fail_beside_a_task memfd_create EMFILE 1..2 "$(printf ': %0140000d; echo second' 1)"
	[ "$(sort out)" = "first
second" ]
	[[ "$(<err)" == *": 2 ok, 0 unrun" ]]
}

@test "no descriptor for what a task reads while a task runs: it is waited for, and the next one runs" {
	fail_beside_a_task memfd_create ENFILE 1..2 'echo second' --stdin record sh -c 'read -r line; eval "$line"'
	[ "$(sort out)" = "first
second" ]
	[[ "$(<err)" == *": 2 ok, 0 unrun" ]]
}

@test "no descriptor for a slot while a task runs: it is waited for, and the next one runs" {
	fail_beside_a_task eventfd2 EMFILE 1..2 'echo second; :' --line-buffer
	[ "$(sort out)" = "first
second" ]
	[[ "$(<err)" == *": 2 ok, 0 unrun" ]]
}

@test "no room to execute a program (ENOMEM) ever: it fails, but not while a task runs" {
	fail_beside_a_task execve ENOMEM 1+ 'echo second; :'
	[ "$status" -eq 123 ]
	[ "$(<out)" = first ]
	[[ "$(<err)" == "leat: task 2: cannot be run: Cannot allocate memory: echo second"*": 1 ok, 1 failed, 0 unrun" ]]
}

@test "no process to be had, ever, and nothing runs that could make room: each task fails by name, in no time" {
	needs_strace
	for jobs in 1 8; do
		status=0
		timeout -s KILL 30 strace -f -o /dev/null -e inject=clone:error=EAGAIN leat -j"$jobs" ::: 'true '{1..30} 2>err || status=$?
		[ "$status" -eq 123 ]
		[ "$(grep -c '^leat: task [0-9]*: cannot be run: Resource temporarily unavailable' err)" -eq 30 ]
		grep -q '^leat: cannot start the guardian: Resource temporarily unavailable: ' err
		check_account 30
	done
}

@test "few processes for the user: its own threads leave tasks room for one, and all run" {
	[ "$(id -u)" = 0 ] || skip "needs root to become a user with few processes"
	chmod 777 .
	cp "$BUILD/leat" leat && chmod 755 leat
	seq 12 | sed 's/.*/exec sleep 0.01/' >in
	for limit in 5 6 8 10 16; do
		for jobs in 6 40; do
			run as_somebody prlimit --nproc="$limit" ./leat --summary -j"$jobs" -a in
			echo "at most $limit, -j$jobs: $output"
			[ "$status" -eq 0 ]
			[[ "$output" == *": 12 ok, 0 unrun" ]]
		done
	done
}

@test "no thread to be had: before anything runs 125; later fewer tasks at once, or none, and all are accounted for" {
	needs_strace
	ran=0
	for at in 1 2 3 4 5 6; do
		status=0
		timeout 40 strace -f -o trace -e trace=clone3 -e inject="clone3:error=EAGAIN:when=$at+" \
			leat -j4 --retries 1 --summary ::: 'true '{1..9} 2>err || status=$?
		echo "from $at on: $status"
		cat err
		grep -q INJECTED trace
		[ "$status" -eq 0 ] && ran=$((ran + 1)) || [ "$status" -eq 125 ]
		grep -q '^leat: cannot start: Resource temporarily unavailable$' err || check_account 9
	done
	[ "$ran" -ge 2 ] && [ "$ran" -lt 6 ]
}

# One after the other, each call number $at of kind $1 fails with $2, but for those of the
# dynamic linker, which has a munmap(2) behind them.
fail_each() {
	needs_strace
	local at
	for ((at = 1; at < 400; at++)); do
		status=0
		timeout 40 strace -o trace -e trace="$1,munmap" -e inject="$1:error=$2:when=$at" \
			leat -j100% --summary ::: 'echo 1;' 'expr 2' 'exit 3' >out 2>err || status=$?
		grep -q INJECTED trace || break
		! sed '/munmap/q' trace | grep -q INJECTED || continue
		if grep -q '^leat: [0-9]* tasks in ' err; then
			[[ " 123 125 " == *" $status "* ]] && check_account 3
		else
			[ "$status" -eq 125 ] && [ ! -s out ] && [ -s err ]
		fi || { echo "$1 $at: status $status"; cat err out; return 1; }
	done
	echo "# $((at - 1)) times $1" >&3
	[ "$at" -gt "$3" ]
}

@test "each open fails once, of too many in the system (ENFILE): 125, or an account that adds up" {
	fail_each openat ENFILE 12
}

@test "each mapping of memory fails once (ENOMEM): 125, or an account that adds up" {
	fail_each mmap ENOMEM 12
}

@test "little memory (RLIMIT_AS) for a line of the input: what was read before it is run, 125, and an account" {
	not_sanitized "a sanitizer's own memory is larger than the limit"
	{ echo 'echo before'; head -c 200000000 /dev/zero | tr '\0' x; } >in
	echo >>in
	status=0
	(ulimit -v 100000 && leat -j1 -a in) >out 2>err || status=$?
	[ "$status" -eq 125 ]
	[ "$(<out)" = before ]
	[[ "$(<err)" == "leat: cannot read in: Cannot allocate memory
leat: 1+ task in "*": 1 ok, 0+ unrun" ]]
}

@test "not executable, a directory, being written to, no format, too much: 126 by name, and the others run" {
	echo 'echo no' >plain
	mkdir folder
	cp "$(type -P true)" busy
	exec 5>>busy
	printf '\177ELF\002\001\001\000' >foreign
	chmod +x foreign
	status=0
	leat -j1 --joblog log <<<$'./plain\n./folder\n./busy\n./foreign\n./missing\necho yes' >out 2>err || status=$?
	exec 5>&-
	[ "$status" -eq 123 ]
	cat err
	[ "$(<out)" = yes ]
	[ "$(sed 's/ in .*: 1 ok/ 1 ok/' err)" = "leat: task 1: cannot be run: Permission denied: ./plain
leat: task 2: cannot be run: Permission denied: ./folder
leat: task 3: cannot be run: Text file busy: ./busy
leat: task 4: cannot be run: Exec format error: ./foreign
leat: task 5: not found: ./missing
leat: 6 tasks 1 ok, 5 failed, 0 unrun" ]
	[ "$(cut -f7 log | tr '\n' ' ')" = "Exitval 126 126 126 126 127 0 " ]
}

@test "an environment as large as it may be: lists for -X are shorter, and all tasks run" {
	filler=$(head -c 120000 /dev/zero | tr '\0' x)
	(
		ulimit -s 8192
		for n in {1..15}; do export "FILLER_$n=$filler"; done
		seq 100000 | leat -j2 -X --summary sh -c 'echo $#' sh
	) >out 2>err
	[ "$(paste -sd+ out | bc)" -eq 100000 ]
	[ "$(wc -l <out)" -ge 2 ]
	[[ "$(<err)" =~ \ ok,\ 0\ unrun$ ]]
}

@test "its directory was removed: tasks run all the same, and a --chdir that is gone fails by name" {
	mkdir here there
	(cd here && rmdir ../here && leat -j1 <<<$'echo one\nexpr 1 + 1') >out
	[ "$(<out)" = "one
2" ]
	status=0
	leat -j1 --chdir there <<<$'rmdir ../there; echo one\ntouch no; expr 1' >out 2>err || status=$?
	[ "$status" -eq 123 ]
	[ "$(<out)" = one ]
	[[ "$(head -n 1 err)" == "leat: task 2: cannot be run: "*"directory"* ]]
}

@test "a --chdir that goes at the very moment of the start is told as such, warm or not" {
	needs_strace
	strace -o /dev/null true || skip "strace may not trace here"
	mkdir there
	for warm in '' --warm; do
		# shellcheck disable=SC2086
		run strace -f -qq -o log -e trace=chdir -e inject=chdir:error=ENOENT leat -j1 $warm --chdir there ::: 'touch no; :' 'touch no; :'
		echo "$output"
		[ "$status" -eq 123 ]
		for task in 1 2; do
			[ "${lines[task - 1]}" = "leat: task $task: cannot be run: there is no such directory: there: touch no; :" ]
		done
	done
	[ ! -e there/no ]
	[ ! -e no ]
}

@test "a low soft limit on open files: leat has what the hard one allows, tasks the low one" {
	mkfifo started
	exec 8<>started
	close_gate
	(ulimit -Sn 24 && exec leat -j100) >out 2>err 3>&- 7>&- 8>&- \
		< <(yes 'puppet tell started x pass gate; ulimit -Sn' | head -n 100) &
	leat=$!
	for _ in {1..100}; do read -r -t 30 _ <&8; done
	open_gate
	wait "$leat"
	[ ! -s err ]
	[ "$(sort out | uniq -c | awk '{ print $1, $2 }')" = "100 24" ]
}

@test "SIGCHLD is ignored at the start: exit statuses are known all the same, and tasks find it ignored" {
	run env --default-signal --ignore-signal=CHLD leat -j1 <<<$'exit 7\npuppet signals'
	[ "$status" -eq 123 ]
	[ "${lines[0]}" = "leat: task 1: exit 7: exit 7" ]
	[[ "$output" =~ SigIgn:[[:space:]]*([0-9a-f]+) ]]
	(((0x${BASH_REMATCH[1]} & 0x10000) != 0))
}

@test "signals are blocked at the start, and one is pending: it is obeyed, and no task finds one blocked" {
	run env --block-signal leat -j1 <<<'puppet signals | grep SigBlk'
	[[ "$output" == SigBlk:*0000000000000000 ]]
	status=0
	env --block-signal=TERM bash -c 'kill -TERM $$; exec leat -j2 ::: "sleep 60" "sleep 60"' 2>err || status=$?
	[ "$status" -eq 143 ]
	check_account 2
}

@test "a signal is ignored at the start: it does nothing, the next one ends the run" {
	mkfifo started
	exec 8<>started
	(
		trap '' INT
		exec leat -j1 -c '$1' ::: 'puppet tell started x hold' 2>err 3>&- 8>&-
	) &
	leat=$!
	read -r -t 30 _ <&8
	kill -INT "$leat"
	kill -TERM "$leat"
	status=0
	wait "$leat" || status=$?
	[ "$status" -eq 143 ]
	check_account 1
}
