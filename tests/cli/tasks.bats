#!/usr/bin/env bats
# What a task finds, and how it is started.
load helper

@test "a task finds /dev/null as standard input" {
	run leat -j1 <<<'readlink /proc/self/fd/0; cat'
	[ "$output" = /dev/null ]
}

@test "a task finds no descriptor but 0, 1, 2" {
	run leat 7</dev/null 8<>/dev/null <<<'puppet descriptors'
	[ "$output" = "0
1
2" ]
}

@test "also in an ungrouped run and on a kernel without close_range" {
	needs_strace
	run strace -f -o /dev/null -e inject=close_range:error=ENOSYS \
		leat -u 7</dev/null 8<>/dev/null <<<'puppet descriptors'
	[ "$output" = "0
1
2" ]
}

# So many that the later ones are started as in a crowd (lib/process/family.c).
crowd() {
	mkfifo started
	exec 8<>started
	close_gate
	printf 'puppet tell started x pass gate descriptors say $LEAT_SEQ\n%.0s' {1..200} >in
	"$@" <in >out 3>&- 4</dev/null 7>&- 8>&- &
	for _ in {1..200}; do
		read -r -t 30 _ <&8
	done
	open_gate
	wait $!
}

assert_crowd() {
	for task in {1..200}; do
		printf '%s\n' 0 1 2 "$task"
	done >expected
	diff expected out
}

@test "also in a crowd of tasks, whose output stays apart" {
	crowd leat -k -j200
	assert_crowd
}

@test "also on a kernel without close_range" {
	needs_strace
	crowd strace -f -o /dev/null -e inject=close_range:error=ENOSYS leat -k -j200
	assert_crowd
}

@test "a crowd whose tasks are killed before they are anything crashes, and is counted" {
	needs_strace
	printf '%s\n' {1..200} >in
	run strace -f -o /dev/null -e inject=close_range:signal=KILL:when=1 leat -j200 sleep <in
	[ "$status" -eq 123 ]
	[[ "$output" == *"leat: 200 tasks in "*": 200 crashed, 0 unrun" ]]
}

@test "a task starts with no signal blocked and default dispositions" {
	run env --default-signal leat <<<'puppet signals'
	echo "$output"
	# Signals 32 and 33 are libc's own: it lets nobody set them, not even env.
	while read -r name mask; do
		case $name in
		SigIgn:) [ $((0x$mask & 0x7fffffff)) -eq 0 ] ;;
		*) [ "$mask" = 0000000000000000 ] ;;
		esac
	done <<<"$output"
	[ "${#lines[@]}" -eq 3 ]
}

@test "a task leads a session of its own without a controlling terminal" {
	run leat <<<"awk '{ print (\$1 == \$6 && \$6 == \$5) \" \" \$7 }' /proc/self/stat"
	[ "$output" = "1 0" ] || [ "$output" = "0 0" ]
	run leat <<<'read -r pid comm state ppid group session tty rest </proc/$$/stat; echo $((pid == session)) $((pid == group)) $tty'
	[ "$output" = "1 1 0" ]
}

@test "a task finds the soft limits that leat was started with" {
	run bash -c 'ulimit -Sn 123; leat <<<"ulimit -Sn"'
	[ "$output" = 123 ]
}

@test "a task sees LEAT_SEQ, LEAT_SLOT, LEAT_ATTEMPT and LEAT_PID" {
	run env LEAT_SEQ=99 leat -j1 <<<'echo $LEAT_SEQ $LEAT_SLOT $LEAT_ATTEMPT; test $LEAT_PID = $PPID && env | grep -c LEAT_SEQ
echo $LEAT_SEQ'
	[ "$output" = "1 1 1
1
2" ]
}

@test "slots are numbered from 1 to N" {
	mkfifo started
	close_gate
	exec 8<>started
	for _ in 1 2 3; do echo 'echo $LEAT_SLOT >slot.$LEAT_SLOT; puppet tell started x pass gate'; done |
		leat -j3 8>&- 3>&- &
	for _ in 1 2 3; do read -r -t 30 _ <&8; done
	open_gate
	wait $!
	[ "$(cat slot.1 slot.2 slot.3)" = "1
2
3" ]
}

@test "plain words are run without a shell" {
	run leat <<<'readlink /proc/self/exe'
	[[ "$output" == *readlink ]]
	needs_strace
	run strace -f -qq -e trace=execve -e signal=none -o trace leat <<<'expr 1 + 2'
	[ "$output" = 3 ]
	[ "$(grep -c 'execve.*= 0' trace)" -eq 2 ]
}

@test "an environment that sh would change is given to sh" {
	run env -u PWD leat <<<env
	[[ "$output" == *PWD=* ]]
	run env 'no-name=1' leat <<<'env'
	[[ "$output" != *no-name* ]]
}

@test "builtins, reserved words, assignments and everything else run as in sh -c" {
	cat >in <<'TASKS'
X=1 sh -c 'echo $X'
echo "a  b"
for i in 1 2; do echo $i; done
if true; then echo yes; fi
echo ~ | grep -c '~' || :
echo $0 $#
printf '%s\n' a'b'"c"\d
type cd
umask
! false
cd / && pwd
x() { echo fn; }; x
echo a #b
nosuchcommand 2>/dev/null || echo $?
TASKS
	while IFS= read -r command; do sh -c "$command" || :; done <in >expected 2>&1
	leat -j1 <in >got 2>&1
	diff expected got
}

@test "a script without #! still runs" {
	echo 'echo "script $1"' >script
	chmod +x script
	run leat <<<'./script one'
	[ "$output" = "script one" ]
}

@test "a command found in a directory named by an empty PATH entry runs" {
	printf '#!/bin/sh\necho here\n' >local-command
	chmod +x local-command
	PATH="$PATH:" run leat <<<local-command
	[ "$output" = here ]
}

@test "a command longer than the kernel takes in one argument runs" {
	for size in 131050 131070 131071 131072 131073 300000; do
		printf 'echo %s | wc -c\n' "$(head -c $((size - 13)) /dev/zero | tr '\0' x)"
	done >in
	leat -j1 <in >got
	for size in 131050 131070 131071 131072 131073 300000; do echo $((size - 12)); done >expected
	diff expected got
}

@test "--shell chooses another shell, by path or by name" {
	run leat --shell /bin/bash <<<'echo ${BASH_VERSION:+bash} "${0##*/}"; [[ a == a ]]'
	[ "$output" = "bash bash" ]
	run leat --shell bash <<<'echo ${BASH_VERSION:+bash}'
	[ "$output" = bash ]
}

@test "--shell with no such program is a usage error and runs nothing" {
	run leat --shell /nonexistent <<<'touch ran'
	[ "$status" -eq 2 ]
	[[ "$output" == *"--shell"*"/nonexistent"* ]]
	[ ! -e ran ]
}

@test "\$SHELL is ignored" {
	SHELL=/nonexistent run leat <<<'echo fine | cat'
	[ "$output" = fine ]
}

@test "what a task leaves in the background lives on, and does not hold up the run" {
	close_gate
	run timeout -s KILL 30 leat --linger 0 7>&- <<<'puppet fork pid left pass gate end say over'
	[ "$status" -eq 0 ]
	[ "$output" = over ]
	until [ -s left ]; do read -r -t 0.01 _ <> <(:) || :; done
	kill -0 "$(cat left)"
	open_gate
}

@test "what comes within the linger time is collected" {
	mkfifo go
	run leat --linger 30s <<<'puppet fork await go say late end say early; echo x >go'
	[ "$output" = "early
late" ]
}

@test "orphans that leat inherits are reaped" {
	mkfifo started
	close_gate
	exec 8<>started
	echo 'for i in 1 2 3; do puppet fork fork pid p.$$ end end; done; puppet tell started x pass gate' >in
	start_leat -a in
	read -r -t 30 _ <&8
	timeout 30 bash -c "while ps -o stat= --ppid $leat | grep -q Z; do read -r -t 0.01 _ <> <(:) || :; done"
	open_gate
	finish_leat
	[ "$status" -eq 0 ]
}

@test "too few processes to start a task: it waits for room, nothing fails" {
	[ "$(id -u)" = 0 ] || skip "needs root to become a user with few processes"
	chmod 777 .
	cp "$BUILD/leat" leat && chmod 755 leat
	seq 20 | sed 's/.*/exec sleep 0.01/' >in
	# A user of its own: processes are counted over all sessions.
	run setpriv --reuid=$((200000 + $$)) --clear-groups prlimit --nproc=12 ./leat --summary -j6 -a in
	echo "$output"
	[[ "$output" == *": 20 ok, 0 unrun" ]]
}

@test "slots are capped by what the limit on open files allows" {
	run bash -c 'ulimit -n 100; seq 50 | sed "s/.*/true/" | leat -j50 --summary'
	[[ "$output" == *"limit on open files"* ]]
	[[ "$output" == *": 50 ok, 0 unrun" ]]
}

@test "a program for another machine is not taken for a script" {
	printf '\177ELF\002\001\001\000\necho ran >ran\n' >foreign
	printf 'one\0\necho ran >ran\n' >binary
	chmod +x foreign binary
	run leat -j1 < <(printf '%s\n' ./foreign './foreign;' ./binary)
	[ "$status" -eq 123 ]
	[[ "$output" == *"task 1: cannot be run: Exec format error"* ]]
	[ ! -e ran ]
}

@test "--shell with a directory is a usage error" {
	run leat --shell / <<<'touch ran'
	[ "$status" -eq 2 ]
	[ ! -e ran ]
}

@test "variables that a shell sets anew are set anew" {
	env IFS=x OPTIND=7 PPID=8 leat -k -j1 < <(printf '%s\n' env 'env;:') | grep -E '^(IFS|OPTIND|PPID)=' | sort >got
	[ "$(uniq -u got)" = "" ]
	[ -s got ]
}
