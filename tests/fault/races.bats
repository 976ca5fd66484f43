#!/usr/bin/env bats
# What happens at the same time: signals, the ends of tasks, the reading of the input.
load ../cli/helper
export BATS_TEST_TIMEOUT=$((FAULT_ALL ? 3600 : 120))

# leat's own number: its tasks know it.
await_leat() {
	until [ -s leat.pid ]; do read -r -t 0.01 _ <> <(:) || :; done
	leat=$(cat leat.pid)
}

@test "the notice counts as running what ran when the signal came" {
	needs_strace
	mkfifo in
	strace -f -o trace -e trace=write -e inject=write:delay_exit=300000:when=2 \
		env --default-signal=TERM leat -j1 -a in 2>err 3>&- &
	strace=$!
	exec 8>in
	echo 'echo $LEAT_PID >leat.new; mv leat.new leat.pid; exec puppet hold' >&8
	await_leat
	kill -TERM "$leat"
	wait "$strace" || [ "$?" -eq 143 ]
	grep -q '^leat: told to terminate: 1 running are being ended (again: kill them), 0+ not run$' err
	[ "$(grep -c 'being ended\|ending' err)" -eq 1 ]
}

@test "a task that had not begun when the signal came never does" {
	not_sanitized "a preloaded library does not go with sanitizers"
	mkfifo stall
	echo one >in
	LD_PRELOAD="$BUILD/tests/helpers/failing.so" FAIL_PROGRAM=leat FAIL_CALLS=memfd \
		FAIL_AT=2 FAIL_STALL=$PWD/stall start_leat --stdin=record -a in sh -c 'touch begun'
	exec 8>stall
	until ! readlink "/proc/$leat"/fd/* | grep -q '/in$'; do read -r -t 0.01 _ <> <(:) || :; done
	kill -INT "$leat"
	next_line
	[[ "$line" == "leat: interrupted: 0 running "*", 1 not run" ]]
	exec 8>&-
	finish_leat
	[ "$status" -eq 130 ]
	[[ "$rest" == *": 1 unrun" ]]
	[ ! -e begun ]
}

# 120 tasks that note that they began; some fail, are slow, or send leat a signal.
write_restless() {
	local task kind
	for ((task = 1; task <= 120; task++)); do
		kind=$((RANDOM % 80))
		case $kind in
		0 | 1) echo "echo $task >>ran; kill -INT \$LEAT_PID" ;;
		2) echo "echo $task >>ran; kill -TERM \$LEAT_PID" ;;
		3) echo "echo $task >>ran; kill -QUIT \$LEAT_PID" ;;
		4 | 5 | 6) echo "echo $task >>ran; exit $kind" ;;
		7 | 8) echo "echo $task >>ran; sleep 0.0$kind" ;;
		*) echo "echo $task >>ran; echo $task" ;;
		esac
	done
}

# One run by the seed $1: what was read is the sum of what became of it, and no task is
# both, begun and unrun.
cancel_by() {
	local options=(-k --line-buffer --warm '--retries 1' '--timeout 20ms' '--journal run.db' '--halt now,fail=2')
	RANDOM=$1 status=0
	rm -f ran rest run.db* && touch ran
	write_restless >in
	# shellcheck disable=SC2086
	timeout 60 leat "-j$((1 + RANDOM % 6))" --summary --unrun rest ${options[RANDOM % 7]} <in >out 2>err || status=$?
	[[ " 0 123 130 143 131 " == *" $status "* ]] || return
	summary=$(grep '^leat: 120 tasks in ' err) || return
	[ $(($(sed 's/^.*in [^:]*: *//; s/[^0-9]*, / + /g; s/[^0-9]*$//' <<<"$summary"))) -eq 120 ] || return
	[[ "$summary" == *" $(wc -l <rest) unrun" ]] || return
	sed 's/^echo \([0-9]*\).*/\1/' rest | sort -u >left
	[ -z "$(sort -u ran | comm -12 - left)" ]
}

@test "a signal at any moment: what was read is the sum of what became of it" {
	for ((seed = ${FAULT_SEED:-1}, end = seed + (FAULT_ALL ? 2000 : 60); seed < end; seed++)); do
		cancel_by "$seed" || { echo "FAULT_SEED=$seed: status $status"; cat err; return 1; }
	done
}

# valgrind(1) knows only of children that leat waits for until they have executed.
build_for_valgrind() {
	tracking=--track-fds=yes
	command -v valgrind >/dev/null || skip "valgrind is not installed"
	not_sanitized "valgrind and sanitizers do not go together"
	watched=$BUILD/valgrind/leat
	make -s -j2 -C "$BATS_TEST_DIRNAME/../.." BUILD="$BUILD/valgrind" WERROR= \
		CPPFLAGS=-DLEAT_SPAWN_VFORK "$watched"
}

# leat as valgrind sees it, with the options that follow, is clean: no byte is read or
# written where it should not be or never freed, no descriptor is left open.
is_clean() {
	local status=0
	rm -f valgrind.*
	timeout 100 valgrind -q --log-file=valgrind.%p $tracking --leak-check=full \
		--show-leak-kinds=definite,indirect --errors-for-leak-kinds=definite,indirect \
		--error-exitcode=99 --child-silent-after-fork=yes "$watched" "$@" >out 2>err || status=$?
	look_through "$@"
	[ "$status" -ne 99 ]
}

look_through() {
	sed -n 's/^==[0-9]*== *//p' valgrind.* |
		awk '/^Open file descriptor/ { line = $0; getline; if (/inherited/) next; $0 = line " " $0 }
			NF && !/^FILE DESCRIPTORS/' >faults
	[ ! -s faults ] || { echo "$*"; cat faults; return 1; }
}

@test "valgrind finds nothing lost, nothing misread and no descriptor left" {
	build_for_valgrind
	export TMPDIR=$BATS_TEST_TMPDIR/tmp
	mkdir tmp
	printf '%s\n' 'echo one' 'seq 300000' 'exit 1' ./missing 'echo six >&2' >in
	is_clean -j2 -k --retries 1 --retry-delay 1ms -a in
	is_clean -j2 --timeout 100ms -c 'sleep {}' ::: 0 9
	is_clean -j2 --halt now,fail=1 --unrun unrun -a in
	is_clean -j2 --warm --tag --line-buffer -a in
	is_clean -j2 --journal run.db -a in
	is_clean -j2 --journal run.db --resume-failed -a in
	is_clean --journal run.db --list
	is_clean -j2 --events events --joblog joblog --timeline page --junit junit --results results -a in
	is_clean --as xargs -n1 -P2 echo -a in
	is_clean --as parallel -k echo ::: 1 2 3
	is_clean --jobserver=fifo --lane {1} -C, echo ::: a,1 b,2 a,3
	is_clean --stdin record cat ::: 1
	is_clean --deadline 100ms sleep ::: 5 6
	is_clean --frobnicate
	is_clean -a missing
	[ -z "$(ls tmp)" ]
}

@test "valgrind finds nothing where a signal ends the run" {
	build_for_valgrind
	tracking= # it dies with what it has open
	for signal in INT TERM QUIT; do
		echo "kill -$signal \$LEAT_PID; exec puppet hold" >in
		is_clean --on-cancel terminate --journal run.db --events events -j1 -a in -a in
		grep -q ', 1 unrun$' err
		rm run.db*
	done
}
