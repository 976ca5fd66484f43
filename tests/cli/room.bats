#!/usr/bin/env bats
# --max-load, --min-memory, --max-pressure: no more starts beyond them, but one task always runs.
load helper

# Four tasks that tell when they run and wait to be released.
holding_tasks() {
	mkfifo started
	exec 8<>started
	close_gate
	for task in 1 2 3 4; do
		echo "puppet tell started $task pass gate say done"
	done >in
}

# What can't be met on any machine, an option with its value a line.
limits() {
	echo --max-load 0
	echo --max-load 0%
	echo --min-memory 900T
	[ ! -e /proc/pressure/cpu ] || printf '%s\n' "--max-pressure "{cpu,memory,io}=0
}

clean_up() {
	[ -z "${group:-}" ] || rmdir "$group"
}

# A cgroup with a limit of 100 MB of memory, in $group.
make_group() {
	local mount path
	[ "$(id -u)" = 0 ] || skip "needs root to make a cgroup"
	mount=$(awk '/ - cgroup [^ ]+ [^ ]*memory/ && $4 == "/" { print $5; exit }' /proc/self/mountinfo)
	path=$(awk -F: '$2 ~ /(^|,)memory(,|$)/ { print $3 }' /proc/self/cgroup)
	if [ -z "$mount" ]; then
		mount=$(awk '/ - cgroup2 / && $4 == "/" { print $5; exit }' /proc/self/mountinfo)
		path=$(awk -F: '$1 == 0 { print $3 }' /proc/self/cgroup)
	fi
	[ -n "$mount" ] || skip "no cgroups are mounted here"
	mkdir "$mount$path/leat-room-$$" || skip "no cgroup can be made here"
	group=$mount$path/leat-room-$$
	{ echo 100M >"$group/memory.max" || echo 100M >"$group/memory.limit_in_bytes"; } 2>/dev/null ||
		skip "no cgroup with a limit of memory can be made here"
}

@test "beyond --max-load no task starts, but one runs; the progress tells what is waited for" {
	holding_tasks
	start_leat --progress --max-load 0 -j4 -a in 7>&- 8>&-
	read -r -t 30 _ <&8
	next_line
	[[ "$line" == "leat: 0/4 done, 1 running, waiting for load "*" (max 0)" ]]
	open_gate
	finish_leat
	[ "$status" -eq 0 ]
	[ "$(grep -c "done" out)" -eq 4 ]
}

@test "one task at a time runs beyond any of the limits, attempt by attempt, and all run" {
	while read -ra limit; do
		run leat "${limit[@]}" -j4 --retries 1 -c 'mkdir busy && rmdir busy && [ $LEAT_ATTEMPT = 2 ]' ::: 1 2 3
		[ "$status" -eq 0 ]
	done < <(limits)
}

@test "the memory and the pressure that are waited for are told" {
	holding_tasks
	start_leat --progress --min-memory 900T -j2 -a in 7>&- 8>&-
	next_line
	[[ "$line" == "leat: 0/4 done, 1 running, waiting for memory "[1-9]*[MGT]" (min 900T)" ]]
	open_gate
	finish_leat
	[ -e /proc/pressure/cpu ] || skip "this kernel tells no pressure"
	rm err started
	holding_tasks
	start_leat --progress --max-pressure memory=0 -j2 -a in 7>&- 8>&-
	next_line
	[[ "$line" == "leat: 0/4 done, 1 running, waiting for memory pressure "*"% (max 0%)" ]]
	open_gate
	finish_leat
}

@test "within the limits all slots run" {
	holding_tasks
	limits=(--max-load 100000% --min-memory 0.1K)
	[ ! -e /proc/pressure/cpu ] || limits+=(--max-pressure cpu=100 --max-pressure memory=100% --max-pressure io=100)
	start_leat "${limits[@]}" -j4 -a in 7>&- 8>&-
	for task in 1 2 3 4; do
		read -r -t 30 _ <&8
	done
	open_gate
	finish_leat
	[ "$status" -eq 0 ]
}

@test "of several limits the one that is reached holds back" {
	holding_tasks
	start_leat --progress --max-load 100000 --min-memory 900T -j4 -a in 7>&- 8>&-
	next_line
	[[ "$line" == *"1 running, waiting for memory "* ]]
	open_gate
	finish_leat
}

@test "Ctrl-C: who waits is unrun and does not count as running" {
	for lane in '' '--lane {}'; do
		rm -f err started
		holding_tasks
		# shellcheck disable=SC2086
		start_leat --progress --max-load 0 -j3 -a in --unrun rest $lane 7>&- 8>&-
		read -r -t 30 task <&8
		next_line
		kill -INT "$leat"
		next_line
		[ "$line" = "leat: interrupted: 1 running finish (again: end them), 3 not run" ]
		open_gate
		finish_leat
		[ "$status" -eq 130 ]
		[[ "$rest" == *": 1 ok, 3 unrun" ]]
		diff rest <(grep -v " $task " in)
	done
}

@test "Ctrl-C: who has ended does not count as running" {
	holding_tasks
	sed -i '1i true' in
	start_leat -j1 -a in 7>&- 8>&-
	read -r -t 30 _ <&8
	kill -INT "$leat"
	next_line
	[ "$line" = "leat: interrupted: 1 running finish (again: end them), 3 not run" ]
	open_gate
	finish_leat
}

@test "--deadline ends the waiting" {
	run timeout 30 leat -j4 --max-load 0 --deadline 0.5 'puppet' ::: hold hold hold hold
	[ "$status" -eq 124 ]
	[[ "$output" == *"1 timed out, 3 unrun" ]]
}

@test "-k: the first is written while others wait" {
	run leat -k -j4 --max-load 0 -c 'mkdir busy && echo $1; rmdir busy' ::: 1 2 3 4 5 6
	[ "$output" = "$(seq 6)" ]
}

@test "--dry-run waits for nothing, and measures nothing" {
	run timeout 30 leat --dry-run -j4 --max-load 0 --min-memory 900T echo ::: 1 2 3
	[ "$status" -eq 0 ]
	[ "${#lines[@]}" -eq 3 ]
}

@test "the memory of leat's cgroup counts" {
	make_group
	holding_tasks
	mkfifo err
	bash -c 'echo $$ >"$1/cgroup.procs"; exec leat --progress -j2 --min-memory 200M -a in' - "$group" \
		>out 2>err 3>&- 7>&- 8>&- &
	leat=$!
	exec 9<err
	next_line
	[[ "$line" == *"1 running, waiting for memory "[1-9]*"M (min 200M)" ]]
	open_gate
	finish_leat
	[ "$status" -eq 0 ]
	run bash -c 'echo $$ >"$1/cgroup.procs"; exec leat -j2 --min-memory 20M sh -c :' - "$group" </dev/null
	[ "$status" -eq 0 ]
}

@test "what these options do not take is a usage error" {
	for option in --max-load={-1,x,5x,1e3,,0x10,nan} --min-memory={-1,2g,1GB,101%,1..5,K} \
		--max-pressure={cpu,cpu=,cpu=101,disk=3,cpu=-1,cpu=x}; do
		run leat "$option" -c 'touch ran' ::: a
		[ "$status" -eq 2 ]
		[[ "${lines[0]}" == "leat: ${option%%=*} takes "* ]]
	done
	[ ! -e ran ]
}

@test "what this kernel does not tell is a usage error before anything runs" {
	not_sanitized "the leak checker needs /proc"
	unshare -m true 2>/dev/null || skip "needs root to hide what the kernel tells"
	for hidden in '/proc/pressure --max-pressure cpu=5' '/proc --max-load 5' '/proc --min-memory 1M'; do
		read -ra words <<<"$hidden"
		[ -e "${words[0]}" ] || continue
		run unshare -m bash -c 'mount -t tmpfs none /sys/fs/cgroup; mount -t tmpfs none "$0" && exec leat "$@"' \
			"${words[@]}" -c 'touch ran' ::: a
		[ "$status" -eq 2 ]
		[[ "$output" == "leat: ${words[1]}: this kernel does not tell it (/proc/"*": No such file or directory)" ]]
	done
	[ ! -e ran ]
}
