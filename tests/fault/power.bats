#!/usr/bin/env bats
# The power fails: what the disk has then is copied, with all that is in memory left out,
# and is what there is afterwards. The disk is a file system in a file. leat is stopped
# for the copy, at a random moment, so that the copy is of one moment, too.
load ../cli/helper

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	[ "$(id -u)" -eq 0 ] || skip "a file system can be mounted by root alone"
	command -v mkfs.ext4 >/dev/null || skip "mkfs.ext4 is not installed"
	mkdir disk
	truncate -s 24M image
	mkfs.ext4 -q -F -E lazy_itable_init=0,lazy_journal_init=0 image
	mount_image || skip "no file system in a file can be mounted here"
	: >ran
	: >suspects
}

clean_up() {
	if jobs -pr | grep -qx "${leat:-none}"; then kill -KILL "$leat"; fi
	if mountpoint -q disk; then unmount; fi
}

mount_image() {
	mount -o "loop,data=writeback,noauto_da_alloc" image disk
}

# A killed leat's guardian may need it for a moment.
unmount() {
	until umount disk 2>/dev/null; do read -r -t 0.01 _ <> <(:) || :; done
}

# What the disk has at this moment: two copies that are the same, so that nothing was
# written between them.
cut_power() {
	cp image cut
	until cp image again && cmp -s cut again; do mv again cut; done
}

# The machine is on again.
restart() {
	unmount
	mv cut image
	mount_image
}

write_tasks() {
	local n
	for n in $(seq "$1"); do echo "puppet tell ran $n"; done >in
}

# The tasks that the journal has as done.
done_tasks() {
	leat --journal disk/j --list ok | awk '{ print $4 }' | sort
}

# The power fails when some more tasks ran, up to $1; with the options that follow.
run_until_cut() {
	local aim=$(($(wc -l <ran) + RANDOM % $1))
	leat -q -j2 --resume --journal disk/j -a in "${@:2}" 2>err 3>&- &
	leat=$!
	until [ "$(wc -l <ran)" -ge "$aim" ]; do read -r -t 0.001 _ <> <(:) || :; done
	kill -STOP "$leat"
	sort -u ran >ran.before
	cut_power
	kill -KILL "$leat"
	wait "$leat" || :
	restart
}

# None is done that did not run; those that ran and are not done are in "lost".
check_disk() {
	if [ -s disk/j ]; then done_tasks; fi >told
	[ ! -s disk/j ] || [ "$(sqlite3 disk/j 'PRAGMA integrity_check')" = ok ] || return
	[ -z "$(comm -13 ran.before told)" ] || return
	sort -u ran | comm -23 - told | tee -a suspects >lost
}

# Once more, to the end: each of $1 tasks is done then, none twice but those lost before.
check_end() {
	leat -q -j2 --resume --journal disk/j -a in || return
	[ "$(done_tasks | wc -l)" -eq "$1" ] && [ "$(sort -u ran | wc -l)" -eq "$1" ] || return
	[ -z "$(comm -23 <(sort ran | uniq -d) <(sort -u suspects))" ]
}

@test "the power fails at random moments: no task is done that did not run, --resume does the rest" {
	write_tasks 1500
	for cut in {1..8}; do
		run_until_cut 200
		check_disk
	done
	check_end 1500
}

@test "--sync full: after a power cut nothing but what ran at that moment is run again" {
	write_tasks 400
	for cut in {1..8}; do
		run_until_cut 50 --sync full
		check_disk
		# There are two slots. What leat was killed in afterwards is not the power's.
		[ "$(comm -12 ran.before lost | wc -l)" -le 2 ]
	done
	check_end 400
}

@test "what others can read in the journal during a run is safe from a power cut" {
	write_tasks 20
	echo 'exec puppet hold' >>in
	leat -q -j1 --journal disk/j -a in 3>&- &
	leat=$!
	until [ "$(sqlite3 disk/j 'SELECT count(*) FROM tasks WHERE done' 2>/dev/null)" = 20 ]; do :; done
	cut_power
	kill -KILL "$leat"
	wait "$leat" || :
	restart
	[ "$(done_tasks | wc -l)" -eq 20 ]
	[ "$(leat --journal disk/j --list in-flight)" = 'exec puppet hold' ]
}

@test "a power cut after the run: each report that has its name is whole" {
	for former in '' former; do
		rm -f disk/r.xml disk/page.html disk/rest disk/other
		[ -z "$former" ] || for name in r.xml page.html rest; do echo "$former" >"disk/$name"; done
		sync -f disk
		leat -q -j1 --fail-fast --junit disk/r.xml --timeline disk/page.html --unrun disk/rest ::: 'exit 1' true || :
		# Somebody's file takes the names to the disk, and no more.
		echo >disk/other
		sync disk/other
		cut_power
		restart
		[ -e disk/other ]
		[ "$(tail -n 1 disk/r.xml)" = '</testsuites>' ]
		[ "$(tail -n 1 disk/page.html)" = '</html>' ]
		[ "$(cat disk/rest)" = true ]
	done
}
