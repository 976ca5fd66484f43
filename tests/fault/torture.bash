# Each allocation, descriptor, thread, process and write that leat makes fails once, the
# first in the first run, the second in the second, until a run passes untouched; far
# from the start, where they are much alike, one in some (FAULT_ALL=1: each). Whatever
# fails: leat ends, with one of its exit statuses, what it reports adds up, and where it
# reports no trouble nothing is missing. Nor is anything left behind: teardown().
load ../cli/helper
export BATS_TEST_TIMEOUT=$((FAULT_ALL ? 3600 : 120))

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	not_sanitized "a preloaded library does not go with sanitizers"
	printf '%s\n' 'echo one' 'seq 300000' 'expr 3 + 4' 'exit 1' './missing' 'echo six >&2' >in
	statuses="123 125" front=(-j2 --summary --unrun rest)
}

# One run with call number $2 of kind $1 failing, and with the options that follow.
run_failing() {
	rm -f failed rest
	status=0
	timeout -k 5 20 env LD_PRELOAD="$BUILD/tests/helpers/failing.so" FAIL_PROGRAM=leat \
		FAIL_CALLS="$1" FAIL_AT="$2" FAIL_MARK="$PWD/failed" \
		leat "${front[@]}" "${@:3}" <in >out 2>err || status=$?
}

check_account() {
	[[ " $statuses " == *" $status "* ]] || return
	local line
	line=$(grep '^leat: [0-9]*+\? tasks\? in ' err) || return 0
	# The counts add up to the tasks there are, the unrun ones stand in the file.
	local total=0 count
	for count in $(sed 's/^.*in [^:]*://; s/[^0-9 ]//g' <<<"$line"); do
		total=$((total + count))
	done
	[[ "$line" == *+* || "$total" -eq "$tasks" ]] || return
	local unrun
	unrun=$(sed 's/.* \([0-9]*\)+\? unrun.*/\1/' <<<"$line")
	[ "$1" = write ] || [ ! -e rest ] || [ "$(wc -l <rest)" -eq "$unrun" ]
}

# What a run comes to, but for how long it took.
describe_run() {
	echo "$status $(sed -n 's/^leat: [0-9]* tasks\? in [^:]*//p' err)"
}

# A run that says that it went as the untouched one (as xargs its status alone says how,
# and a task that it told of) has written as much, too; and none leaves a task unrun
# without trouble.
check_output() {
	[[ -z "$expected" || "$status" -eq 125 || "$(describe_run)" != *unrun* ||
		"$(describe_run)" == *" ${expected##*, }" || "${expected##* }" = skipped ]] || return
	[ "$(describe_run)" != "$expected" ] || [ "$(wc -c <out)" -eq "$expected_bytes" ] ||
		{ [ "${front[*]}" = "--as xargs" ] && grep -q '^leat: task [0-9]*: cannot be run: ' err; }
}

# What has to be true besides, with these options.
check_more() {
	case ${1-} in
	--journal) check_rest ;;
	--resume) check_resumed ;;
	--junit) check_report ;;
	--joblog) check_reports ;;
	--results) check_results ;;
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

# Without trouble, each tells of all tasks.
check_reports() {
	[ "$status" -eq 125 ] || { [ "$(wc -l <joblog)" -eq 7 ] &&
		tail -n 1 events | grep -q '"summary"' && tail -n 1 page | grep -q '</html>'; }
}

check_results() {
	[ "$(describe_run)" != "$expected" ] || [ "$(cat results/*/stdout | wc -c)" -eq "$expected_bytes" ]
}

prepare() {
	rm -rf run.db* joblog events page results
	echo former >r.xml
	[ ! -e begun.db ] || cp begun.db run.db
}

# Calls of kind $1, of which there are more than $2, one in $3 failing, or with "some"
# less and less of them; with a journal (--journal run.db behind that), a run after it
# does the rest, whatever failed, and then each task has been done.
torture() {
	local at stride=$3
	for ((at = 1; at <= 100000; at += stride)); do
		[ "$3" != some ] || stride=$((FAULT_ALL ? 1 : 1 + at / 32))
		prepare
		run_failing "$1" "$at" "${@:4}"
		{ check_account "$1" && check_output && check_more "${@:4}"; } || {
			echo "$1 number $at: $(describe_run), not $expected"
			head -n 30 err
			return 1
		}
		if [ ! -e failed ]; then
			[ "$at" -gt "$2" ]
			return
		fi
	done
	return 1
}

# Calls of all kinds, with these options.
torture_all() {
	local kind
	expect "$@"
	for kind in malloc descriptor thread process write; do
		torture "$kind" 0 some "$@"
	done
}

# What the untouched run comes to.
expect() {
	prepare
	run_failing none 0 "$@"
	tasks=$(sed -n 's/^leat: \([0-9]*\) tasks\? in .*/\1/p' err)
	expected=$(describe_run) expected_bytes=$(wc -c <out)
}

# What was written before the run ended is not the same each time.
torture_ended() {
	statuses="$1 125"
	expect() { tasks=6 expected=; }
	torture_all "${@:2}"
}

check_rest() {
	status=0
	leat -q --journal run.db --resume-failed -a in >rest.out 2>rest.err || status=$?
	[ "$status" -eq 123 ] &&
		[ "$(leat --journal run.db --list ok failed | sort)" = "$(sort in)" ] &&
		[ "$(leat --journal run.db --list failed | sort)" = "$(printf '%s\n' ./missing 'exit 1')" ] ||
		{ cat rest.err; return 1; }
}

# What was done is not done again: it is all that writes.
check_resumed() {
	[ ! -s out ] || return
	leat -q --journal run.db --resume-failed -a in >rest.out 2>&1 || [ "$?" -eq 123 ] || return
	[ "$(leat --journal run.db --list ok | wc -l)" -eq 4 ]
}
