#!/usr/bin/env bats
# The guardian: when leat is killed, what it ran is ended all the same.
load helper

# Leave nothing behind where a test has failed.
clean_up() {
	if jobs -pr | grep -qx "${leat:-none}"; then kill -KILL "$leat"; fi
}

# Start leat with the arguments on the tasks in "in", and wait until $1 lines were told.
start_telling() {
	local count=$1
	shift
	mkfifo started
	exec 8<>started
	start_leat -a in "$@" 7>&- 8>&-
	while [ "$count" -gt 0 ]; do
		read -r -t 30 _ <&8
		count=$((count - 1))
	done
}

kill_leat() {
	kill -KILL "$leat"
	finish_leat
	[ "$status" -eq 137 ]
}

# The number of process $1's child named guardian.
guardian_of() {
	local stat
	for stat in /proc/[0-9]*/stat; do
		awk -v "parent=$1" '$2 == "(guardian)" && $4 == parent { print $1 }' "$stat" 2>/dev/null || :
	done
}

@test "leat killed with SIGKILL: the running tasks are ended, with all that they started" {
	printf '%s\n' "puppet pid p1 tell started x hold" \
		"puppet fork pid p3 tell started x hold end fork setsid fork setsid mute pid p4 tell started x hold end end pid p2 tell started x hold" >in
	start_telling 4 -j2
	kill_leat
	for name in p1 p2 p3 p4; do await_end "$(cat "$name")"; done
}

@test "what they are sent first is SIGTERM: they may clean up" {
	cat >tidy <<-'TIDY'
		trap 'echo tidied >tidied; exit' TERM
		echo >>started
		mkfifo never
		read -r _ <>never
	TIDY
	echo 'bash tidy' >in
	start_telling 1 --kill-after 1h
	guardian=$(guardian_of "$leat")
	kill_leat
	await_end "$guardian"
	[ "$(cat tidied)" = tidied ]
}

@test "what is stopped gets SIGCONT, too" {
	echo "puppet fork pid p2 tell started x stop end pid p1 tell started x stop" >in
	start_telling 2 --kill-after 1h
	await_state "$(cat p1)" T
	await_state "$(cat p2)" T
	kill_leat
	await_end "$(cat p1)"
	await_end "$(cat p2)"
}

@test "what ignores SIGTERM is killed after --kill-after" {
	echo "puppet ignore TERM fork setsid pid p2 tell started x hold end pid p1 tell started x hold" >in
	start_telling 2 --kill-after 0.2s
	kill_leat
	await_end "$(cat p1)"
	await_end "$(cat p2)"
}

@test "--orphans keep: there is no guardian, and tasks outlive leat" {
	close_gate
	echo "puppet pid p1 tell started x pass gate; echo lived >lived; echo >>started" >in
	start_telling 1 --orphans keep
	[ -z "$(guardian_of "$leat")" ]
	kill_leat
	kill -0 "$(cat p1)"
	open_gate
	read -r -t 30 _ <&8
	[ "$(cat lived)" = lived ]
}

@test "the guardian has that name, and ends with leat" {
	close_gate
	echo "puppet tell started x pass gate" >in
	start_telling 1
	guardian=$(guardian_of "$leat")
	[ -n "$guardian" ]
	open_gate
	finish_leat
	[ "$status" -eq 0 ]
	[ ! -e "/proc/$guardian" ]
}

@test "the guardian ends with a canceled leat, too" {
	echo "puppet tell started x hold" >in
	start_telling 1
	guardian=$(guardian_of "$leat")
	[ -n "$guardian" ]
	kill -TERM "$leat"
	finish_leat
	[ "$status" -eq 143 ]
	[ ! -e "/proc/$guardian" ]
}

@test "the guardian ends once its work is done, and leaves nothing of leat's in the way" {
	echo "puppet tell started x hold" >in
	start_telling 1
	guardian=$(guardian_of "$leat")
	kill_leat
	await_end "$guardian"
}

@test "the guardian holds none of leat's descriptors" {
	mkfifo pipe extra
	echo "puppet tell started x hold" >in
	exec 6<>extra
	mkfifo started
	exec 8<>started
	leat -a in --unrun rest --results kept --journal j <pipe >out.log 2>err.log 3>&- 7>&- 8>&- &
	leat=$!
	exec 6>&- 7>pipe
	read -r -t 30 _ <&8
	guardian=$(guardian_of "$leat")
	[ -n "$guardian" ]
	for fd in /proc/"$guardian"/fd/*; do
		echo "$fd $(readlink "$fd")"
		case $(readlink "$fd") in
		*/pipe | */extra | */started | */out.log | */err.log | */in | */rest | */kept* | */j | */j-wal) false ;;
		esac
	done
	kill -TERM "$leat"
	wait "$leat" || :
}

@test "who reads leat's output sees its end when leat and its tasks are gone" {
	echo "puppet pid p1 tell started x hold" >in
	start_telling 1 --kill-after 0.1s
	kill -KILL "$leat"
	# That is until the end of standard error, whoever holds it.
	finish_leat
	[ "$status" -eq 137 ]
}

@test "what a task left in the background when it ended lives on" {
	close_gate
	printf '%s\n' "puppet mute fork pid p1 pass gate tell started lived end" "until [ -e p1 ]; do :; done; puppet tell started x hold" >in
	start_telling 1 -j1
	kill_leat
	open_gate
	read -r -t 30 line <&8
	[ "$line" = lived ]
}

@test "no task is started after leat was killed, and none is tried again" {
	printf '%s\n' "puppet tell started x hold" "touch no" >in
	start_telling 1 -j1 --retries 5
	guardian=$(guardian_of "$leat")
	kill_leat
	await_end "$guardian"
	[ ! -e no ]
	# Nobody tells any more: an end of our own comes next.
	echo end >&8
	read -r -t 30 line <&8
	[ "$line" = end ]
}

@test "--resume right after waits until what was left is ended: no task runs beside its former self" {
	cat >twice <<-'TWICE'
		if [ -e first ]; then
			puppet pid second
			[ -e "/proc/$(cat first)/stat" ] && ! grep -q ') [ZX] ' "/proc/$(cat first)/stat" && echo beside
			echo again
		else
			puppet ignore TERM pid first tell started x hold
		fi
	TWICE
	echo 'sh twice' >in
	start_telling 1 --journal j --kill-after 0.5s
	kill -KILL "$leat"
	run leat --resume --journal j -a in 8>&- 9>&-
	finish_leat
	[ "${lines[-1]}" = again ]
	[[ "$output" != *beside* ]]
}

@test "a signal of the terminal to leat's whole group leaves the guardian at its post" {
	mkfifo started err
	exec 8<>started
	echo "puppet ignore INT pid p1 tell started x hold" >in
	setsid env --default-signal=INT leat -a in >out 2>err 3>&- 8>&- &
	leat=$!
	exec 9<err
	read -r -t 30 _ <&8
	guardian=$(guardian_of "$leat")
	[ -n "$guardian" ]
	kill -INT -- "-$leat"
	next_line
	[[ "$line" == "leat: interrupted: "* ]]
	kill -HUP "$guardian"
	kill_leat
	await_end "$(cat p1)"
}

@test "leat's whole group is killed with SIGKILL, as timeout -s KILL does: its tasks are ended all the same" {
	mkfifo started err
	exec 8<>started
	echo "puppet pid p1 tell started x hold" >in
	setsid leat -a in >out 2>err 3>&- 8>&- &
	leat=$!
	exec 9<err
	read -r -t 30 _ <&8
	kill -KILL -- "-$leat"
	finish_leat
	[ "$status" -eq 137 ]
	# Don't leave it behind where it lives on.
	for _ in $(seq 500); do
		[ -e "/proc/$(cat p1)/stat" ] && ! grep -q ') [ZX] ' "/proc/$(cat p1)/stat" || return 0
		read -r -t 0.01 _ <> <(:) || :
	done
	kill -KILL "$(cat p1)"
	false
}

@test "the front ends have a guardian, too" {
	for tool in xargs parallel; do
		rm -f p1 err started
		mkfifo started err
		exec 8<>started
		leat --as "$tool" puppet pid p1 tell started x <<<hold >out 2>err 3>&- 8>&- &
		leat=$!
		exec 9<err
		read -r -t 30 _ <&8
		[ -n "$(guardian_of "$leat")" ]
		kill_leat
		[ ! -e p1 ] || await_end "$(cat p1)"
	done
}
