#!/usr/bin/env bats
# Each allocation, descriptor, thread, process and write that leat makes fails once, the
# first in the first run, the second in the second, until a run passes untouched. Whatever
# fails: leat ends, with one of its exit statuses, and what it reports adds up.
load ../cli/helper

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	not_sanitized "a preloaded library does not go with sanitizers"
	printf '%s\n' 'echo one' 'seq 300000' 'expr 3 + 4' 'exit 1' './missing' 'echo six >&2' >in
}

# One run with call number $2 of kind $1 failing, and with the options that follow.
run_failing() {
	rm -f failed
	status=0
	timeout 20 env LD_PRELOAD="$BUILD/tests/helpers/failing.so" FAIL_PROGRAM=leat \
		FAIL_CALLS="$1" FAIL_AT="$2" FAIL_MARK="$PWD/failed" \
		leat -j2 --summary --unrun rest -a in "${@:3}" >out 2>err || status=$?
}

check_account() {
	[[ " 123 125 " == *" $status "* ]] || return
	local line
	line=$(grep '^leat: [0-9]*+\? tasks\? in ' err) || return 0
	# The counts add up to the tasks there are, the unrun ones stand in the file.
	local total=0 count
	for count in $(sed 's/^.*in [^:]*://; s/[^0-9 ]//g' <<<"$line"); do
		total=$((total + count))
	done
	[[ "$line" == *+* || "$total" -eq 6 ]] || return
	local unrun
	unrun=$(sed 's/.* \([0-9]*\)+\? unrun/\1/' <<<"$line")
	[ "$1" = write ] || [ ! -e rest ] || [ "$(wc -l <rest)" -eq "$unrun" ]
}

# What has to be true besides, with these options.
check_more() {
	case ${1-} in
	--journal) check_rest ;;
	--junit) check_report ;;
	esac
}

# The report is whole, or the former one, and leat says so.
check_report() {
	local tasks
	[ "$(cat r.xml)" = former ] && { [ "$status" -eq 125 ]; return; }
	tasks=$(sed -n 's/^leat: \([0-9]*\)+\? tasks\? in .*/\1/p' err)
	xmllint --noout --schema "$BATS_TEST_DIRNAME/../cli/junit.xsd" r.xml 2>/dev/null &&
		[ "$(grep -c '^<testcase ' r.xml)" -eq "${tasks:-6}" ]
}

# Calls of kind $1, of which there are more than $2, one in $3 failing; with a journal
# (--journal run.db behind that), a run after it does the rest, whatever failed, and then
# each task has been done.
torture() {
	local at
	for ((at = 1; at <= 30000; at += $3)); do
		rm -f run.db*
		echo former >r.xml
		run_failing "$1" "$at" "${@:4}"
		{ check_account "$1" && check_more "${@:4}"; } || {
			echo "$1 number $at: status $status"
			cat err
			return 1
		}
		if [ ! -e failed ]; then
			echo "# $((at - 1)) calls, one in $3 failed" >&3
			[ "$at" -gt "$2" ]
			return
		fi
	done
	return 1
}

check_rest() {
	status=0
	leat -q --journal run.db --resume-failed -a in >rest.out 2>rest.err || status=$?
	[ "$status" -eq 123 ] &&
		[ "$(leat --journal run.db --list ok failed | sort)" = "$(sort in)" ] &&
		[ "$(leat --journal run.db --list failed | sort)" = "$(printf '%s\n' ./missing 'exit 1')" ] ||
		{ cat rest.err; return 1; }
}

@test "with a journal: each allocation fails once" {
	torture malloc 100 7 --journal run.db
}

@test "with a journal: each descriptor fails once" {
	torture descriptor 10 1 --journal run.db
}

@test "with a journal: each thread fails once" {
	torture thread 3 1 --journal run.db
}

@test "with a journal: each start of a process fails once" {
	torture process 6 1 --journal run.db
}

@test "with a journal: each write fails once" {
	torture write 30 1 --journal run.db
}

@test "with a journal: each sync fails once" {
	torture sync 3 1 --journal run.db
}

@test "with a report: each allocation fails once" {
	command -v xmllint >/dev/null || skip "xmllint (libxml2-utils) is not installed"
	torture malloc 100 3 --junit r.xml
}

@test "with a report: each write fails once" {
	command -v xmllint >/dev/null || skip "xmllint (libxml2-utils) is not installed"
	torture write 8 1 --junit r.xml
}

@test "each allocation fails once" {
	torture malloc 20 1
}

@test "each descriptor fails once" {
	torture descriptor 8 1
}

@test "each thread fails once" {
	torture thread 2 1
}

@test "each start of a process fails once" {
	torture process 4 1
}

@test "each write fails once" {
	torture write 3 1
}
