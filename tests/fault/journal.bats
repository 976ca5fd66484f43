#!/usr/bin/env bats
# The journal and the guardian, when leat is killed, the disk is full or fails: whatever
# happens, no task is lost, none is ok that did not run, and --resume does the rest.
load ../cli/helper

clean_up() {
	if jobs -pr | grep -qx "${leat:-none}"; then kill -KILL "$leat"; fi
	if [ -e held ]; then kill -KILL "$(cat held)"; fi
	if mountpoint -q small; then umount small; fi
}

# Each task in "in" tells its number to "ran"; $2 are further verbs.
write_tasks() {
	local n
	for n in $(seq "$1"); do echo "puppet tell ran $n ${2:-}"; done >in
	: >ran
}

# The tasks that the journal $1 lists with the outcomes $2…, by number.
numbers() {
	local journal=$1
	shift
	leat --journal "$journal" --list "$@" | awk '{ print $4 }' | sort
}

# All of $1 tasks ran, and only those in the file $2 more than once.
check_ran() {
	[ "$(sort -u ran | wc -l)" -eq "$1" ] || return
	[ -z "$(comm -23 <(sort ran | uniq -d) <(sort -u "$2"))" ]
}

# The counts of the account in the file $1 add up to $2.
check_account() {
	local line total=0 counts count
	line=$(grep '^leat: [0-9]* tasks in ' "$1") || return
	read -r -a counts < <(sed 's/^.*in [^:]*://; s/[^0-9 ]//g' <<<"$line")
	for count in "${counts[@]}"; do total=$((total + count)); done
	[ "$total" -eq "$2" ]
}

@test "killed at random moments and resumed until done: nothing is lost, nothing is told that was not" {
	write_tasks 2000
	kills=0 aim=0
	RANDOM=$$
	: >suspects
	while [ "$kills" -lt 14 ]; do
		leat -q -j2 --resume --journal j -a in 2>err 3>&- &
		leat=$!
		aim=$(($(wc -l <ran) + RANDOM % 130))
		until [ "$(wc -l <ran)" -ge "$aim" ]; do read -r -t 0.001 _ <> <(:) || :; done
		kill -KILL "$leat"
		wait "$leat" || :
		kills=$((kills + 1))
		[ -e j ] || continue
		numbers j in-flight >>suspects
		[ "$(sqlite3 j 'PRAGMA integrity_check')" = ok ]
		[ -z "$(comm -13 <(sort -u ran) <(numbers j ok))" ]
		[ -z "$(leat --journal j --list failed crashed timed-out canceled unrun)" ]
	done
	before=$(numbers j ok | wc -l)
	run leat -j2 --resume --journal j --summary -a in
	[ "$status" -eq 0 ]
	[[ "${lines[-1]}" == *": $((2000 - before)) ok, "* ]]
	[[ "${lines[-1]}" == *" $before skipped"* ]]
	check_ran 2000 suspects
	[ "$(numbers j ok | wc -l)" -eq 2000 ]
	[ "$(sqlite3 j 'PRAGMA integrity_check')" = ok ]
}

@test "the disk fills up under the journal: 125, a true account, and --resume does exactly the rest" {
	[ "$(id -u)" -eq 0 ] || skip "a file system can be mounted by root alone"
	mkdir small
	mount -t tmpfs -o size=3m,mode=700 leat-test small || skip "no file system can be mounted here"
	write_tasks 1000 "say $(head -c 8000 /dev/zero | tr '\0' x)"
	status=0
	leat -j2 --journal small/j -a in >/dev/null 2>err || status=$?
	cat err
	[ "$status" -eq 125 ]
	check_account err 1000
	[ "$(grep -c '' ran)" -lt 1000 ]
	mount -o remount,size=64m small
	ok=$(sed -n 's/^leat: 1000 tasks in .*: \([0-9]*\) ok.*/\1/p' err)
	numbers small/j canceled in-flight >suspects
	# The end of a task may be what there is no room for; there are two slots.
	kept=$(numbers small/j ok | wc -l)
	[ "$kept" -le "$ok" ] && [ "$kept" -ge $((ok - 2)) ]
	run leat -j2 --resume --journal small/j --summary -a in
	[ "$status" -eq 0 ]
	[[ "${lines[-1]}" == *": $((1000 - kept)) ok, "* ]]
	[[ "${lines[-1]}" == *" $kept skipped"* ]]
	check_ran 1000 suspects
	[ "$(sqlite3 small/j 'PRAGMA integrity_check')" = ok ]
}

@test "the disk is full from the start: 125, and nothing is run" {
	[ "$(id -u)" -eq 0 ] || skip "a file system can be mounted by root alone"
	mkdir small
	mount -t tmpfs -o size=64k,mode=700 leat-test small || skip "no file system can be mounted here"
	cat /dev/zero >small/ballast 2>/dev/null || :
	run leat --journal small/j <<<'touch no'
	[ "$status" -eq 125 ]
	[ ! -e no ]
}

@test "the disk is full, and its blocks are small: 125, whatever there is no room for, and no SIGBUS" {
	[ "$(id -u)" -eq 0 ] || skip "a file system can be mounted by root alone"
	command -v mke2fs >/dev/null || skip "mke2fs is not installed"
	mkdir small
	truncate -s 3M image
	mke2fs -q -F -t ext4 -b 1024 -m 0 -O ^has_journal image
	mount -o loop image small || skip "no file system can be mounted here"
	for room in $(seq 1024 3 1120); do # a tail takes 1024 KiB of it
		rm -f small/j* small/ballast
		fallocate -l "$(($(df --output=avail small | tail -n 1) - room))K" small/ballast
		run leat -q --journal small/j <<<true
		echo "$room KiB: status $status $output"
		[ "$status" -eq 125 ] || [ "$status" -eq 0 ]
		[ "$status" -eq 0 ] || [[ "$output" == "leat: "*": "* ]]
	done
	[ "$status" -eq 0 ]
}

@test "--sync full, and a write to the disk fails, whichever: 125, nothing unaccounted, --resume does the rest" {
	needs_strace
	strace -o /dev/null true || skip "strace may not trace here"
	failed=0
	for at in 1 2 3 4 6 9 14 25 45; do
		rm -f j j-* ran
		write_tasks 30
		status=0
		timeout 30 strace -f -o log -e trace=fdatasync,fsync -e "inject=fdatasync,fsync:error=EIO:when=$at" \
			leat -j2 --sync full --journal j -a in >out 2>err || status=$?
		echo "call $at: status $status"
		cat err
		if ! grep -q INJECTED log; then
			[ "$status" -eq 0 ]
			break
		fi
		failed=$((failed + 1))
		[ "$status" -eq 125 ]
		# Nothing was run, or all is accounted for.
		[ ! -s ran ] || check_account err 30
		: >suspects
		[ ! -s ran ] || numbers j canceled in-flight >suspects
		run leat -j2 --resume --journal j -a in
		echo "$output"
		[ "$status" -eq 0 ]
		check_ran 30 suspects
		[ "$(numbers j ok | wc -l)" -eq 30 ]
		[ "$(sqlite3 j 'PRAGMA integrity_check')" = ok ]
	done
	[ "$failed" -ge 5 ]
}

@test "killed while a task ignores SIGTERM and has an orphan in another session: none is left" {
	mkfifo started
	exec 8<>started
	echo "puppet ignore TERM fork setsid fork setsid mute pid p2 tell started x hold end end pid p1 tell started x hold" >in
	for round in 1 2 3 4 5; do
		rm -f err p1 p2
		start_leat --resume --journal j --kill-after 0.1s -a in 7>&- 8>&-
		read -r -t 30 _ <&8 && read -r -t 30 _ <&8
		kill -KILL "$leat"
		finish_leat
		await_end "$(cat p1)"
		await_end "$(cat p2)"
		[ "$(leat --journal j --list in-flight | wc -l)" -eq 1 ]
	done
}

@test "killed as it makes or closes its journal: the next leat uses it" {
	needs_strace
	for call in 1 2 3 4 5 6; do
		rm -f j j-*
		strace -f -o trace -e trace=unlink -e inject=unlink:signal=KILL:when="$call" \
			leat --journal j -j2 ::: true 'true x' 2>/dev/null || :
		run leat --journal j --resume --summary ::: true 'true x'
		echo "$call: $output"
		[ "$status" -eq 0 ]
		[ "$(leat --journal j --list ok | wc -l)" -eq 2 ]
	done
}

# A run that was killed in its 21st task of 24: "in", "ran", the journal j with all that
# is beside it; the task does not hold another time.
leave_killed() {
	write_tasks 24
	sed -i '21s/.*/[ -e later ] || exec puppet tell started x hold; puppet tell ran 21/' in
	kill_started -q -j1 --journal j -a in
	touch later
}

@test "no room for what is beside the journal: 125, nothing is run or left, and there is no harm later" {
	[ "$(id -u)" -eq 0 ] || skip "a file system can be mounted by root alone"
	command -v mkfs.ext4 >/dev/null || skip "mkfs.ext4 is not installed"
	mkdir small
	truncate -s 8M image
	mkfs.ext4 -q -F -b 4096 -m 0 -O ^has_journal image
	mount -o loop image small || skip "no file system in a file can be mounted here"
	# ext4 gives what there is, and then fails.
	head -c "$(df --output=avail -B1 small | tail -n 1)" /dev/zero >small/ballast
	truncate -s -500K small/ballast
	sync small/ballast
	run leat --journal small/j <<<'touch no'
	[ "$status" -eq 125 ]
	[[ "$output" == *"cannot use small/j: "*"No space left"* ]]
	[ ! -e no ] && [ ! -e small/j-tail ]
	rm small/ballast
	leat --journal small/j <<<true
	# Killed as it takes the room.
	truncate -s 5000 small/j-tail
	leat --journal small/j --resume <<<true
}

@test "any byte of the journal is changed, or its end is missing: it is refused untouched, or all adds up" {
	seq 60 | sed 's/.*/: &; exit $((& % 3))/' >in
	leat -q --journal whole -a in || :
	size=$(stat -c %s whole) refused=0
	for round in {1..40}; do
		rm -f j j-*
		cp whole j
		at=$(((RANDOM * 32768 + RANDOM) % (size - 100) + 100))
		if [ $((round % 4)) -eq 0 ]; then
			truncate -s "$at" j
		else
			head -c $((RANDOM % 300 + 1)) /dev/urandom | dd of=j bs=1 seek="$at" conv=notrunc 2>/dev/null
		fi
		cp j before
		echo "at $at"
		run timeout 30 leat --resume-failed -j2 --journal j --summary -a in
		echo "$output"
		if [ "$status" -eq 125 ]; then
			[[ "$output" == "leat: --journal: cannot use j: "* ]]
			cmp j before
			refused=$((refused + 1))
		else
			[[ "$status" =~ ^(0|123)$ ]]
			check_account <(echo "$output") 60
			[ "$(ls j*)" = j ]
		fi
	done
	[ "$refused" -ge 10 ]
}

@test "the journal or its log is cut short during a run: 125, what is whole stays, --resume does the rest" {
	for part in "" -wal; do
		rm -rf jr* cut
		leat -q --journal jr <<<': earlier'
		printf '%s\n' ': 1' ': 2' "[ -e cut ] || { : >cut; : >jr$part; }" ': 3' ': 4' >in
		run leat -j1 --journal jr --sync full -a in
		[ "$status" -eq 125 ]
		[[ "${lines[0]}" =~ "cannot write the journal jr: it"(s -wal)?" was cut short meanwhile"$ ]]
		[[ "${lines[1]}" == "leat: 5 tasks in "*": 3 ok, 2 unrun" ]]
		[ -z "$part" ] || [ "$(leat --journal jr --list)" = ": earlier" ]
		leat --journal jr --resume -a in
		diff <(leat --journal jr --list ok | grep -v earlier) in
	done
}

@test "what lies beside a killed leat's journal is damaged: no task is lost, none done that did not run" {
	for round in {1..16}; do
		rm -f j j-* later started
		leave_killed
		case $((round % 4)) in
		0) rm j-tail ;;
		1) truncate -s "$((RANDOM % 3000))" j-wal && rm -f j-shm ;;
		*) # Entries of some 200 bytes, some of which are committed.
			for hole in {1..10}; do
				head -c 1 /dev/urandom | dd of=j-tail bs=1 seek=$((RANDOM % 6000)) conv=notrunc 2>/dev/null
			done ;;
		esac
		leat -q -j2 --resume --journal j -a in
		[ "$(sort -u ran | wc -l)" -eq 24 ]
		[ "$(numbers j ok | wc -l)" -eq 24 ]
		[ "$(sqlite3 j 'PRAGMA integrity_check')" = ok ]
		[ "$(sqlite3 j "SELECT count(DISTINCT task), count(*) FROM attempts WHERE outcome = 'ok'")" = '24|24' ]
		[ "$(ls j*)" = j ]
	done
}

@test "the killed run's row is lost, what it told is there: that is not taken for the run's before" {
	leat -q --journal j <<<'echo a >>ran'
	echo 'exec puppet tell started x hold' >in
	mkfifo started
	exec 8<>started
	leat -q -j1 --journal j 3>&- 8>&- < <(echo 'echo a >>ran'; cat in) &
	leat=$!
	read -r -t 30 _ <&8
	kill -KILL "$leat"
	wait "$leat" || :
	[ -s j-wal ] && rm j-wal j-shm
	# One of the two is done in the first run.
	rm ran
	leat -q --resume --journal j < <(echo 'echo a >>ran'; echo 'echo a >>ran')
	[ "$(cat ran)" = a ]
}

@test "a killed leat's journal on a file system that is read-only: --list says what it leaves out" {
	[ "$(id -u)" -eq 0 ] || skip "a file system can be mounted by root alone"
	mkdir small
	mount -t tmpfs -o mode=700 leat-test small || skip "no file system can be mounted here"
	leave_killed
	cp j j-* small
	mount -o remount,ro small
	for options in --list '--timeline page' '--show 1'; do
		# shellcheck disable=SC2086
		run leat --journal small/j $options </dev/null
		[[ "$output" == *"leat: what is in "*"small/j-tail is left out"* ]]
	done
	run leat --resume --journal small/j <<<'touch no'
	[ "$status" -eq 125 ]
	[[ "$output" == *"Read-only file system" ]]
	[ ! -e no ]
	mount -o remount,rw small
	run leat --journal small/j --list ok
	[ "$(grep -c 'left out' <<<"$output")" -eq 0 ]
	[ "${#lines[@]}" -eq 20 ]
}

@test "a symlink where SQLite's files would be is not followed: 125, nothing is run, its target is as it was" {
	leat --journal j <<<true
	for end in wal shm journal; do
		echo precious >victim
		ln -s victim "j-$end"
		run leat --resume --journal j <<<'touch no'
		[ "$status" -eq 125 ]
		[ "$(cat victim)" = precious ]
		rm "j-$end"
	done
	[ ! -e no ]
}

@test "what is waited for before anything runs can be interrupted: a guardian, the reader of a joblog" {
	mkfifo log
	echo 'puppet ignore TERM pid held tell started x hold' >in
	kill_started -q --kill-after 1h --journal j -a in
	start_leat --journal j -a in
	next_line
	[ "$line" = 'leat: waiting for the end of what a killed leat left running' ]
	kill -INT "$leat"
	timeout 20 tail --pid="$leat" -f /dev/null
	finish_leat
	[ "$status" -eq 130 ]
	kill -KILL "$(cat held)"
	rm err held
	start_leat --journal k --joblog log -a in
	until [ -e k-tail ]; do read -r -t 0.01 _ <> <(:) || :; done
	kill -INT "$leat"
	timeout 20 tail --pid="$leat" -f /dev/null
	finish_leat
	[ "$status" -eq 130 ]
}
