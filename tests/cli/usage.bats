#!/usr/bin/env bats
# Options: what they take, and what is said where they don't.
load helper

@test "--help fits into 80 columns, an option a line, and names every option's value" {
	run leat --help
	[ "$status" -eq 0 ]
	[ "${#lines[@]}" -le 90 ]
	[[ "$output" == *"-j, --jobs N"* ]]
	[ "$(awk 'length > 80' <<<"$output")" = "" ]
}

@test "--version tells the version" {
	run leat --version
	[ "$status" -eq 0 ]
	[[ "$output" =~ ^leat\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
}

@test "--help to a full device is an error" {
	run bash -c 'leat --help >/dev/full'
	[ "$status" -eq 125 ]
}

@test "an unknown option is a usage error that names the nearest known one" {
	run leat --tiemout 3 </dev/null
	[ "$status" -eq 2 ]
	[ "${lines[0]}" = "leat: unknown option --tiemout: did you mean --timeout?" ]
	[ "${lines[1]}" = "leat: 'leat --help' shows the options" ]
	run leat --xyzzyxyzzy </dev/null
	[ "${lines[0]}" = "leat: unknown option --xyzzyxyzzy" ]
	run leat -Z </dev/null
	[ "$status" -eq 2 ]
	[ "${lines[0]}" = "leat: unknown option -Z" ]
}

@test "a value that an option does not take is a usage error that says what it takes" {
	for option in --timeout=x --deadline=5x --kill-after=-1 --jobs=many -j= --delimiter=ab \
		--on-cancel=stop --linger=1h1h --drain-timeout=1e3; do
		run leat "$option" <<<'touch ran'
		[ "$status" -eq 2 ]
		[[ "${lines[0]}" == "leat: ${option%%=*} takes "*", not '"* ]] ||
			[[ "${lines[0]}" == "leat: -j takes "* ]]
		[ ! -e ran ]
	done
}

@test "a missing value and a value too many are usage errors" {
	run leat --timeout
	[ "$status" -eq 2 ]
	[ "${lines[0]}" = "leat: --timeout takes DUR, which is missing" ]
	run leat --quiet=yes
	[ "$status" -eq 2 ]
	[ "${lines[0]}" = "leat: --quiet takes no value" ]
}

@test "a word behind the script is a usage error" {
	run leat -c 'echo "$1"' gzip </dev/null
	[ "$status" -eq 2 ]
	[[ "${lines[0]}" == *"unexpected word 'gzip'"* ]]
}

@test "options may be written in every usual way" {
	for form in '-j 2' '-j2' '--jobs 2' '--jobs=2' '-P2' '-qj2'; do
		# shellcheck disable=SC2086
		run leat $form <<<'exit 0'
		[ "$status" -eq 0 ]
	done
}

@test "-j N%, +N, -N and 0 count from the CPUs" {
	for jobs in 50% 1000% +1 -1 -100 0; do
		run leat -j "$jobs" <<<'echo $LEAT_SLOT'
		[ "$output" = 1 ]
	done
}

# How many tasks run at the same time with the given options.
slots() {
	mkfifo started
	exec 8<>started
	close_gate
	for _ in 1 2 3 4 5 6 7 8; do echo 'puppet tell started x pass gate'; done >in
	"$@" leat -a in 7>&- 8>&- 3>&- &
	count=0
	while read -r -t "$wait" _ <&8; do
		count=$((count + 1))
		wait=1
	done
	open_gate
	wait $!
	exec 8>&-
	rm started
}

@test "the default number of slots respects the affinity mask" {
	wait=30
	slots taskset -c "$(taskset -pc $$ | sed 's/.*: //; s/[-,].*//')"
	[ "$count" -eq 1 ]
}

@test "the default number of slots respects the cgroup's CPU quota" {
	[ "$(id -u)" = 0 ] || skip "needs root to make a cgroup"
	group=$(awk -F: '$2 == "cpu" || $2 ~ /(^|,)cpu(,|$)/ { print $3 }' /proc/self/cgroup)
	mount=$(awk '$9 == "cgroup" && $NF ~ /(^|,)cpu(,|$)/ { print $5 }' /proc/self/mountinfo)
	[ -n "$mount" ] || mount=$(awk '/ - cgroup / && /[ ,]cpu(,|$)/ { print $5; exit }' /proc/self/mountinfo)
	[ -n "$mount" ] || skip "no version 1 hierarchy with the cpu controller here"
	directory=$mount${group%/}/leat-test-$$
	mkdir "$directory" || skip "no cgroup can be made here"
	echo 100000 >"$directory/cpu.cfs_quota_us"
	wait=30
	slots bash -c "echo \$\$ >$directory/cgroup.procs; exec \"\$@\"" bash
	rmdir "$directory"
	[ "$count" -eq 1 ]
}

@test "commands read from a terminal are announced" {
	run script -qec 'echo "exit 0" | cat >/dev/null; leat --quiet </dev/tty' /dev/null < <(printf '\004')
	[[ "$output" == *"leat: reading commands from the terminal, one per line, until Ctrl-D"* ]]
}

@test "each report needs a file of its own, other than the journal's" {
	run timeout 30 leat --junit r --timeline r ::: 'touch ran'
	[ "$status" -eq 2 ]
	[ "${lines[0]}" = "leat: --junit and --timeline need a FILE each, not both 'r'" ]
	leat --journal j ::: true
	cp j before
	ln -s j other
	run timeout 30 leat --journal j --junit ./other ::: 'touch ran'
	[ "$status" -eq 2 ]
	[ "${lines[0]}" = "leat: --journal and --junit need a FILE each, not both './other'" ]
	cmp j before
	[ ! -e ran ]
	leat --events /dev/stdout --joblog /dev/stdout ::: true >out
	leat --junit /dev/null --timeline /dev/null ::: true
}
