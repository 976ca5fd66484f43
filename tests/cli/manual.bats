#!/usr/bin/env bats
# The manual pages: what they show is run.
load helper

ROOT=$BATS_TEST_DIRNAME/../..
MAN=$ROOT/man

# The n-th literal block of EXAMPLES in the page, as a reader sees it.
example() {
	awk -v wanted="$2" '/^\.Sh / { examples = /EXAMPLES/ }
		/^\.Ed/ { inside = 0 }
		inside && count == wanted { gsub(/\\e/, "\\"); print }
		examples && /^\.Bd -literal/ { inside = 1; count++ }' "$MAN/$1"
}

# What leat(1)'s examples are run on.
fixture() {
	mkdir a b 'odd $(names)'
	printf 'all:\n\t@echo made %s\n' a >a/Makefile
	printf 'all:\n\t@echo made %s\n' b >b/Makefile
	printf '# checks\n\necho one\necho two | cat\n' >checks.txt
	cp checks.txt jobs.txt
	echo text | gzip >one.gz
	echo one.gz >archives.txt
	: >one.log
	: >"odd \$(names)/it's
two.log"
	unset MAKEFLAGS MAKELEVEL MFLAGS
}

run_example() {
	fixture
	example leat.1 "$1" >script
	[ -s script ]
	run bash script
	echo "$output"
	[ "$status" -eq 0 ]
}

# Compile and run the n-th example of libleat(3).
run_c_example() {
	not_sanitized "the library needs the sanitizer's flags there"
	example libleat.3 "$1" >example.c
	[ -s example.c ]
	cc -std=c11 -Wall -Wextra -Werror -I"$ROOT/lib" example.c "$BUILD/libleat.a" -pthread -o example
	run ./example
	echo "$output"
	[ "$status" -eq 0 ]
}

@test "the manual pages are clean" {
	command -v mandoc >/dev/null || skip "mandoc is not installed"
	run mandoc -T lint -W warning "$MAN/leat.1" "$MAN/libleat.3" "$MAN/leat-events.5" "$MAN/leat-journal.5"
	echo "$output"
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}

@test "leat(1), example 1: two builds" {
	run_example 1
	[[ "$output" == *"made a"* && "$output" == *"made b"* ]]
}

@test "leat(1), example 2: checks in a CI script" {
	run_example 2
	[[ "$output" == *": 2 ok, 0 unrun" ]]
}

@test "leat(1), example 3: ten minutes, and the rest" {
	run_example 3
	[ "$(sort <<<"$output")" = "one
two" ]
	[ -e rest.txt ] && [ ! -s rest.txt ]
}

@test "leat(1), example 4: archives" {
	run_example 4
	[ "$output" = "one.gz is sound" ]
}

@test "leat(1), example 5: commands of several lines" {
	run_example 5
	[[ "$output" == *"made a"* && "$output" == *"made b"* ]]
}

@test "leat(1), example 6: files with anything in their names" {
	run_example 6
	[ -e one.log.gz ]
	[ -e "odd \$(names)/it's
two.log.gz" ]
}

@test "leat(1), example 7: a script" {
	for name in "a b.log" "it's.log"; do echo "$name" >"$name"; done
	run_example 7
	[ "$(zcat "a b.gz" "it's.gz")" = "$(printf '%s\n' 'a b.log' "it's.log")" ]
}

@test "leat(1), example 8: every combination" {
	for part in app lib; do
		mkdir $part
		printf 'check doc:\n\t@echo %s $@\n' $part >$part/Makefile
	done
	run_example 8
	[ "$(grep -v 'directory' <<<"$output")" = "$(printf '%s\n' 'app/check	app check' 'app/doc	app doc' 'lib/check	lib check' 'lib/doc	lib doc')" ]
}

@test "leat(1), example 9: one at a time in each directory" {
	mkdir one two
	touch one/a.log one/b.log two/c.log
	run_example 9
	[ -e one/a.log.gz ] && [ -e one/b.log.gz ] && [ -e two/c.log.gz ]
}

@test "leat(1), example 10: a directory for each slot" {
	run_example 10
	[ "$(cat work.*/log | sort | tr -d '\n')" = 12345678 ]
}

@test "leat(1), example 11: a minute to finish" {
	run_example 11
	[ "$(sort <<<"$output")" = "one
two" ]
}

@test "leat(1), example 12: a run that may be killed, and what is left" {
	run_example 12
	[ "$(sort <<<"$output")" = "one
two" ]
}

@test "leat(1), example 13: what did not go well once more" {
	echo '[ -e again ] && echo good || { : >again; false; }' |
		leat --journal jobs.db 2>/dev/null || :
	run_example 13
	[ "$output" = good ]
}

@test "leat(1), example 14: outcomes for another program" {
	command -v jq >/dev/null || skip "jq is not installed"
	run_example 14
	[ "$(sort <<<"$output")" = '[1,"ok"]
[2,"ok"]' ]
}

@test "leat(1), example 15: no more than eight jobs of several builds" {
	run_example 15
	[ "$(grep '^made' <<<"$output" | sort)" = "made a
made b" ]
	[[ "$output" != *jobserver* ]]
}

@test "leat(1), example 16: the page of a journal" {
	leat --journal jobs.db ::: 'exit 2' true || :
	run_example 16
	grep -q '^leat: 2 tasks in .*: 1 ok, 1 failed, 0 unrun$' <(sed 's/.*<pre>//' jobs.html)
}

@test "leat-events(5), its examples" {
	command -v jq >/dev/null || skip "jq is not installed"
	printf '%s\n' 'sleep 0.3' 'exit 3' 'kill $$' $': \xff' >jobs.txt
	leat -q -j1 --events events.jsonl -a jobs.txt || :
	for n in 1 2 3 4 5; do
		example leat-events.5 $n >script
		[ -s script ]
		timeout 30 bash script >"seen.$n"
	done
	[ -z "$(example leat-events.5 6)" ]
	[ "$(cat seen.1)" = 'failed 3: exit 3
crashed 15: kill $$' ]
	[[ "$(head -n 1 seen.2)" == 0.3*$'\t1' ]]
	[ "$(cat seen.3)" = '{"ok":2,"failed":1,"unrun":0,"exit":123}' ]
	[ "$(cat seen.4)" = 2 ]
	printf ': \xff' | cmp - seen.5
}

@test "leat-journal(5), its examples" {
	command -v sqlite3 >/dev/null || skip "sqlite3 is not installed"
	printf '%s\n' 'sleep 0.3' 'exit 3' 'kill $$' 'exit $((2 - LEAT_ATTEMPT))' true |
		leat -j1 --retries 1 --journal jobs.db 2>/dev/null || :
	for n in 1 2 3 4 5 6; do
		example leat-journal.5 $n >script
		[ -s script ]
		bash script >"seen.$n"
	done
	[ -z "$(example leat-journal.5 7)" ]
	[ "$(wc -l <seen.1)" -eq 8 ]
	[[ "$(head -n 1 seen.1)" == [0-9]*.[0-9]*'|sleep 0.3' ]]
	[ "$(cat seen.2)" = 'seq|outcome|exit|signal|command|max(attempt)
2|failed|3||exit 3|2
3|crashed||15|kill $$|2' ]
	[ ! -s seen.3 ]
	[[ "$(cat seen.4)" == '1|0.'* ]]
	[ "$(cat seen.5)" = '2|failed|exit 3
2|crashed|kill $$
2|ok|exit $((2 - LEAT_ATTEMPT))' ]
	[[ "$(tail -n 1 seen.6)" == '1|'*'|123|3|0' ]]
	printf '%s\n' true 'kill -KILL $LEAT_PID; sleep 30' | leat -j1 --journal jobs.db || :
	leat --journal jobs.db --list >/dev/null
	example leat-journal.5 3 >script
	[[ "$(bash script)" == *'|kill -KILL $LEAT_PID; sleep 30' ]]
}

@test "leat-journal(5) names every table and column of a journal, and no others" {
	command -v sqlite3 >/dev/null || skip "sqlite3 is not installed"
	leat --journal jobs.db </dev/null
	for table in runs tasks attempts journal; do
		sqlite3 jobs.db "select name from pragma_table_info('$table')" | sort >there
		[ -s there ]
		awk -v table="$table" '/^\.S[sh] / { inside = $0 == ".Ss " table }
			inside && /^\.It Va / { gsub(/^\.It Va |,/, ""); gsub(/ +/, "\n"); print }' \
			"$MAN/leat-journal.5" | sort >told
		diff there told
	done
	[ "$(sqlite3 jobs.db "select count(*) from sqlite_master where type = 'table'")" -eq 4 ]
}

@test "libleat(3), example 1: a pool that runs functions" {
	run_c_example 1
	[ "$(sort <<<"$output")" = "$(printf '%s\n' 9 16 '-1 is negative' '0 never ran' | sort)" ]
}

@test "libleat(3), example 2: a child" {
	run_c_example 2
	[ "$output" = "hello
exit 3" ]
}

@test "there are no more examples than are run here" {
	[ -z "$(example leat.1 17)" ]
	[ -z "$(example libleat.3 3)" ]
}

@test "libleat(3) declares every function of leat.h as it is, and describes it" {
	sed -n '/^LEAT_API/,/;/p' "$ROOT/lib/leat.h" | grep -oE '\*?leat_[a-z_]+\(' | tr -d '*(' |
		sort -u >declared
	[ "$(wc -l <declared)" -gt 30 ]
	sed -n 's/^\.Fo //p' "$MAN/libleat.3" | sort >synopsis
	diff declared synopsis
	sed -n '/^\.Sh DESCRIPTION/,/^\.Sh EXAMPLES/p' "$MAN/libleat.3" >description
	while read -r name; do
		grep -qE "(^\.It|,|^\.)[ ]?Fn $name\>" description || { echo "$name"; false; }
	done <declared
	{
		echo '#include <leat.h>'
		awk '{ line = $0; gsub(/"/, "", line); sub(/^\.F[tao] /, "", line) }
			/^\.Ft/ { type = line }
			/^\.Fo/ { name = line; arguments = "" }
			/^\.Fa/ { arguments = arguments (arguments ? ", " : "") line }
			/^\.Fc/ { print type " " name "(" arguments ");" }
			/^\.Sh DESCRIPTION/ { exit }' "$MAN/libleat.3"
	} >prototypes.c
	cc -std=c11 -Wall -Werror -I"$ROOT/lib" -fsyntax-only prototypes.c
}

@test "every struct and enum of leat.h is in libleat(3)" {
	grep -oE '\b(struct|enum) leat_[a-z_]+' "$ROOT/lib/leat.h" | sort -u >types
	[ -s types ]
	while read -r type; do
		grep -q "$type\>" "$MAN/libleat.3" || { echo "$type"; false; }
	done <types
}

@test "every exit status of the table in cli/exit_status.h is in leat(1)" {
	statuses=$(sed -n 's/^\tEXIT_[A-Z_]* = \([0-9]*\),.*/\1/p' "$ROOT/cli/exit_status.h")
	[ -n "$statuses" ]
	for status in $statuses; do
		case $status in 126 | 127) continue ;; esac # a task's, in other programs' words
		grep -q "^\.It $status$" "$MAN/leat.1"
	done
}
