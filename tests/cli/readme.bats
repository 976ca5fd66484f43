#!/usr/bin/env bats
# The README's examples, as they stand there.
load helper

README=$BATS_TEST_DIRNAME/../../README.md

# The n-th block of shell code in the README.
example() {
	awk -v wanted="$1" '/^```$/ { inside = 0 } inside && count == wanted
		/^```sh$/ { inside = 1; count++ }' "$README"
}

fixture() {
	mkdir a b
	printf 'all:\n\t@echo made %s\n' a >a/Makefile
	printf 'all:\n\t@echo made %s\n' b >b/Makefile
	printf '# checks\n\necho one\necho two | cat\n' >checks.txt
	echo log >one.log
	echo text >'two words.txt'
}

run_example() {
	fixture
	example "$1" >script
	[ -s script ]
	unset MAKEFLAGS MAKELEVEL MFLAGS
	run bash script
	echo "$output"
	[ "$status" -eq 0 ]
}

@test "example 1: commands on standard input" {
	run_example 1
	[[ "$output" == *"made a"* && "$output" == *"made b"* ]]
}

@test "example 2: commands from a file" {
	run_example 2
	[ "$(sort <<<"$output")" = "one
two" ]
}

@test "example 3: half the CPUs" {
	run_example 3
	[ "$(sort <<<"$output")" = "one
two" ]
}

@test "example 4: a timeout" {
	run_example 4
	[ "${#lines[@]}" -eq 2 ]
}

@test "example 5: a deadline, and the rest" {
	run_example 5
	[ -e rest.txt ]
	[ "${#lines[@]}" -eq 2 ]
}

@test "example 6: commands of several lines" {
	run_example 6
	[[ "$output" == *"made a"* && "$output" == *"made b"* ]]
}

@test "example 7: a directory for each slot" {
	run_example 7
	[ "$(find work.* -type f | wc -l)" -eq 4 ]
}

@test "example 8: the last line of a CI script" {
	run_example 8
	[[ "$output" == *": 2 ok, 0 unrun" ]]
}

@test "example 9: in order, with tags" {
	run_example 9
	[ "${lines[0]}" = "make -C a	made a" ] || [ "${lines[1]}" = "make -C a	made a" ]
	[ "$(grep -o 'made .' <<<"$output")" = "$(printf 'made %s\n' a b)" ]
}

@test "example 10: results" {
	run_example 10
	[[ "$output" == *"exit 0"*"one" ]]
}

@test "example 11: names with anything in them" {
	touch "it's.log"
	run_example 11
	[ -e one.log.gz ] && [ -e "it's.log.gz" ]
}

@test "example 12: a script" {
	run_example 12
	[ "$(cat 'two words.upper')" = TEXT ]
}

@test "example 13: several sources" {
	run_example 13
	[ "$output" = "$(printf '%s\n' a-1 a-2 b-1 b-2)" ]
}

@test "example 14: as many arguments as fit" {
	run_example 14
	[[ "$output" == *"two words.txt"* ]]
}

@test "example 15: one task at a time in each directory" {
	run_example 15
	[ -e one.log.gz ]
}

@test "example 16: a journal" {
	run_example 16
	[ "$(sort <<<"$output")" = "one
two" ]
}

@test "example 17: what did not go well once more" {
	run_example 17
	[ "$(sort <<<"$output")" = "one
two" ]
}

@test "example 18: a journal's slowest tasks" {
	command -v sqlite3 >/dev/null || skip "sqlite3 is not installed"
	run_example 18
	[ "${#lines[@]}" -eq 4 ]
	[ "$(grep -c '^0\.[0-9]*|echo' <<<"$output")" -eq 2 ]
}

@test "example 19: what happens, for another program" {
	run_example 19
	[ "$(sort <<<"$output" | tr '\n' ' ')" = "2 one two " ]
}

@test "example 20: a page of the run" {
	run_example 20
	[ "$(sort <<<"$output")" = "one
two" ]
	grep -q ' 2 ok, ' run.html
}

@test "example 21: a report for Jenkins and GitLab" {
	run_example 21
	[ "$(grep -c '<testcase classname="checks" name="echo ' checks.xml)" -eq 2 ]
}

@test "example 22: waiting for room" {
	[ -r /proc/pressure/io ] || skip "this kernel does not tell pressure"
	run_example 22
	[ "$(sort <<<"$output")" = "one
two" ]
}

# The n-th block of the README that is of language $1.
block() {
	awk -v language="$1" -v wanted="$2" '/^```$/ { inside = 0 } inside && count == wanted
		$0 == "```" language { inside = 1; count++ }' "$README"
}

@test "the workflow for GitHub Actions: its step, as the runner starts it" {
	fixture
	echo 'echo no >&2; exit 3' >>checks.txt
	block yaml 1 | sed -n 's/^      - run: //p' >step.sh
	[ -s step.sh ]
	GITHUB_ACTIONS=true CI=true GITHUB_STEP_SUMMARY=$PWD/summary run bash -e step.sh
	[ "$status" -eq 123 ]
	[ "$(grep -c '^::group::echo ' <<<"$output")" -eq 3 ]
	[ "$(grep -c '^::error title=task 3::exit 3: ' <<<"$output")" -eq 1 ]
	[[ "$output" == *"leat: 1 task failed:"*"leat: 3 tasks in "* ]]
	grep -q '^### leat: 3 tasks' summary
	[ "$(grep -c '<testcase ' report.xml)" -eq 3 ]
	grep -q '<html' timeline.html
	block yaml 1 | grep -A2 'path: |' | grep -c -e report.xml -e timeline.html | grep -q 2
}

@test "the job for GitLab CI: its script, as the runner starts it" {
	fixture
	block yaml 2 | sed -n '/^  script:/,/^  [a-z]/s/^    - //p' >job.sh
	[ -s job.sh ]
	GITLAB_CI=true CI=true run bash -e job.sh
	[ "$status" -eq 0 ]
	[ "$(grep -c 'section_start:[0-9]*:leat_[0-9a-f]*_[12]\[collapsed=true\]' <<<"$output")" -eq 2 ]
	[ "$(grep -c '<testcase ' report.xml)" -eq 2 ]
	[ -s timeline.html ]
}

@test "the rules for make: below make -j leat and what it runs take make's slots" {
	fixture
	block make 1 >Makefile
	[ -s Makefile ]
	unset MAKEFLAGS MAKELEVEL MFLAGS
	run make -s -j3 check
	[ "$status" -eq 0 ]
	[ "$(grep -c -x -e one -e two -e 'made a' -e 'made b' <<<"$output")" -eq 4 ]
	[[ "$output" != *jobserver* ]]
}

@test "there are no more examples than are run here" {
	[ -z "$(example 23)" ]
}

@test "the real job: the sorted result equals the sequential one, byte for byte" {
	mkdir doc
	if [ -n "$(find /usr/share/doc -name '*.gz' -print -quit 2>/dev/null)" ]; then
		documents=/usr/share/doc
	else
		documents=doc
		for n in $(seq 200); do seq "$n" | gzip >"doc/$n.gz"; done
	fi
	find "$documents" -name '*.gz' | head -n 1500 >files
	sed 's/.*/gzip -t & \&\& zcat & | wc -lc | sed "s|$| &|"/' files >commands
	sh commands | sort >sequential
	leat -j3 -a commands | sort >parallel
	[ -s parallel ]
	cmp sequential parallel
}

