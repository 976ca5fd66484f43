#!/usr/bin/env bats
# leat is killed as it is about to make a system call: the first in the first run, and so
# on, until a run passes unharmed. Whichever it was, what the journal promises holds, the
# next run does the rest, and nothing is left: no process, no file, no lock.
# One call in so many, with another beginning each time; each with FAULT_ALL=1, which is
# some minutes (bats tests/fault/crash_points.bats).
load ../cli/helper
export BATS_TEST_TIMEOUT=250

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	not_sanitized "programs with sanitizers make too many calls"
	run killed 1 true
	[ "$status" -eq 137 ] || skip "no program may be traced here"
	printf 'puppet tell ran %s say out-%s\n' 1 1 2 2 3 3 4 4 >in
	mkdir tmp
	export TMPDIR=$PWD/tmp
}

# leat with the arguments that follow, killed at call $1 by number; waits for its guardian
# and its tasks, too. False where it ended before; then it has to have ended well.
kill_at() {
	status=0
	timeout -s KILL 30 killed "$1" leat "${@:2}" 2>err || status=$?
	[ "$status" -eq 137 ] && return
	[ "$status" -eq 0 ] || { echo "not killed at call $1: status $status"; cat err; exit 1; }
	return 1
}

# "$3" is killed at the calls from number one on, one in $1; each time after $2, and $4
# has to hold then. There are $5 calls or more.
each_point() {
	local at stride=$1
	[ -z "${FAULT_ALL:-}" ] || stride=1
	for ((at = RANDOM % stride + 1; ; at += stride)); do
		"$2"
		"$3" "$at" || break
		"$4" || { echo "killed at call $at"; ls -A . tmp; cat out err; return 1; }
	done
	echo "# $((at - stride)) calls, killed at one in $stride" >&3
	[ "$at" -gt "$5" ]
}

# The files here, but for those that the test has made.
files() {
	find . -mindepth 1 ! -name in ! -name out ! -name err ! -name ran ! -path "./tmp*" ! -name later ! -name listed ! -path "./before*" -printf '%P '
}

begin_anew() {
	rm -rf j j-* out err ran
}

run_journal() {
	kill_at "$1" -j2 --journal j -a in >>out
}

# The rest is done, and each task is done then, once; one that was begun before and was
# not done has told nothing, or is one that the journal has as in flight.
check_rest() {
	if files | tr ' ' '\n' | grep -qvx 'j\|j-tail\|j-wal\|j-shm\|j-journal'; then return 1; fi
	leat -q -j2 --resume --journal j -a in >>out 2>err || return
	[ "$(files)" = 'j ' ] || return
	[ "$(sort -u ran | tr -d '\n')" = 1234 ] && [ "$(sort -u out | tr -d '\n')" = out-1out-2out-3out-4 ] || return
	[ "$(sqlite3 j "PRAGMA integrity_check; SELECT count(*), sum(done) FROM tasks;
		SELECT count(*) FROM attempts WHERE outcome = 'ok'; SELECT exit FROM runs ORDER BY run DESC LIMIT 1" | tr '\n' ,)" = 'ok,4|4,4,0,' ] || return
	[ "$(wc -l <ran)" -le "$(sqlite3 j 'SELECT count(*) FROM attempts')" ]
}

@test "killed at each system call: the next leat does what was not done, and nothing is left" {
	each_point 5 begin_anew run_journal check_rest 400
}

interrupt_journal() {
	status=0
	timeout -s KILL 30 killed "$1/2" leat -q -j2 --journal j -a in >>out 2>err || status=$?
	[ "$status" -ne 0 ] || return
	[ "$status" -eq 130 ] || { echo "interrupted at call $1: status $status"; cat err; exit 1; }
}

check_rest_beside_nothing() {
	[ -z "$(files | sed 's/^j //')" ] && check_rest
}

@test "interrupted at each system call: it ends by that, with nothing beside the journal, and the next leat does the rest" {
	each_point 13 begin_anew interrupt_journal check_rest_beside_nothing 400
}

run_journal_full() {
	kill_at "$1" -j2 --sync full --journal j -a in >>out
}

@test "killed at each system call, with --sync full: the same" {
	each_point 11 begin_anew run_journal_full check_rest 400
}

# What a killed leat leaves: tasks 1 and 2 are done, 3 is in flight, 4 was not started.
leave_killed() {
	sed -i '3s/^/[ -e later ] || exec puppet tell started x hold; /' in
	kill_started -q -j1 --journal j -a in >out
	# Waits for the guardian.
	touch later
	rm started
	mkdir before
	mv ran out before
	cp j j-* before
}

begin_killed() {
	begin_anew
	cp before/* .
}

resume() {
	kill_at "$1" -q -j2 --resume --journal j -a in >>out
}

@test "a run that goes on with a killed one's journal is killed at each system call: the same" {
	leave_killed
	each_point 5 begin_killed resume check_rest 400
}

list() {
	kill_at "$1" --journal j --list in-flight >listed
}

@test "--list of a killed run is killed at each system call: it has taken nothing away" {
	leave_killed
	each_point 5 begin_killed list check_rest 150
}

begin_reports() {
	rm -rf d l.* r.xml* page.html* rest* tmp/*
}

begin_former_reports() {
	begin_reports
	echo former | tee r.xml page.html >rest
}

run_reports() {
	kill_at "$1" -j2 --jobserver --results d --joblog l.log --events l.events --junit r.xml --timeline page.html \
		--unrun rest -a in >out
}

# The file $1 is whole, with $2 as its last line; or is the former one, or not there.
whole() {
	[ ! -e "$1" ] || [ "$(cat "$1")" = former ] || [ "$(tail -n 1 "$1")" = "$2" ]
}

# What is written as it happens is there by whole lines, the rest whole or not at all.
check_reports() {
	[ ! -e l.log ] || awk -F '\t' 'NF != 9 { exit 1 }' l.log || return
	[ ! -e l.events ] || ! grep -qv '^{.*}$' l.events || return
	whole r.xml '</testsuites>' && whole page.html '</html>' && whole rest '' || return
	[ -z "$(ls -A tmp)" ] || return
	! files | tr ' ' '\n' | grep -qvx "rest\|r.xml\|page.html\|l.log\|l.events\|d\(/.*\)\?$1"
}

@test "killed at each system call: a report is whole or not there, and nothing is left" {
	each_point 7 begin_reports run_reports check_reports 300
}

check_former_reports() {
	check_reports '\|\(rest\|r.xml\|page.html\)\.[0-9a-f]\{8\}' || return
	[ -e r.xml ] && [ -e page.html ] && [ -e rest ]
}

@test "the same with former ones: each stays until the new one takes its place" {
	each_point 7 begin_former_reports run_reports check_former_reports 300
}
