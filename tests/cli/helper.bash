# What every bats file loads: the program, its obedient child, and ways to wait.

BUILD=${BUILD:-$BATS_TEST_DIRNAME/../../.build}
BUILD=$(cd "$BUILD" && pwd)
export PATH="$BUILD:$BUILD/tests/helpers:$PATH"
export BATS_TEST_TIMEOUT=60

# What a CI or a user has set that would change what leat, script(1) and tmux do.
unset CI GITHUB_ACTIONS GITHUB_STEP_SUMMARY GITLAB_CI TF_BUILD NO_COLOR MAKEFLAGS MFLAGS MAKELEVEL
export SHELL=/bin/bash TERM=xterm

# A test's own: what is left in the one, or runs and has the other, was left behind.
if [ -n "${BATS_TEST_TMPDIR:-}" ]; then
	export TMPDIR=$BATS_TEST_TMPDIR.tmp LEAT_TEST=$BATS_TEST_TMPDIR
	mkdir "$TMPDIR"
fi

setup() {
	cd "$BATS_TEST_TMPDIR" || return
}

# A file's own part of it is clean_up().
teardown() {
	if declare -F clean_up >/dev/null; then clean_up; fi
	nothing_is_left
}

# The processes of this test, which bats has one of, too.
list_processes() {
	local environ stat
	for environ in $(env -u LEAT_TEST grep -lsz "^LEAT_TEST=$LEAT_TEST\$" /proc/[0-9]*/environ); do
		read -r stat <"${environ%/*}/stat" || continue
		[[ "$stat" == *") "[A-Y]" $killer_pid "* ]] || echo "$stat"
	done 2>/dev/null
}

# What was killed a moment ago may still be going.
nothing_is_left() {
	local processes tries=200
	while processes=$(list_processes) && [ -n "$processes" ] && [ $((tries--)) -gt 0 ]; do
		read -r -t 0.05 _ <> <(:) || :
	done
	[ -z "$processes" ] || {
		printf 'left running:\n%s\n' "$processes"
		cut -d ' ' -f 1 <<<"$processes" | xargs kill -KILL
		return 1
	}
	[ -z "$(ls -A "$TMPDIR" 2>/dev/null)" ] || { echo "left in TMPDIR:"; ls -A "$TMPDIR"; return 1; }
}

# leat in the background with all signals at their default (a shell without job
# control has SIGINT and SIGQUIT ignored there); its number is in $leat. Standard error
# goes to the FIFO "err", open on descriptor 9, so that its lines can be waited for. The
# words of $become, if there are any, stand before it.
start_leat() {
	mkfifo err
	env --default-signal=INT,QUIT,TERM,HUP,TSTP "${become[@]}" leat "$@" >out 2>err 3>&- &
	leat=$!
	exec 9<err
}

# leat with the arguments is killed, once a task of it has told the FIFO "started".
kill_started() {
	[ -p started ] || mkfifo started
	exec 8<>started
	leat "$@" 3>&- 8>&- &
	leat=$!
	read -r -t 30 _ <&8
	exec 8>&-
	kill -KILL "$leat"
	wait "$leat" || :
}

# A gate that tasks wait at ("puppet pass gate"), however late they come to it.
close_gate() {
	exec 7>gate
	flock -x 7
}

open_gate() {
	flock -u 7
}

# The next line of standard error of start_leat's leat, in $line.
next_line() {
	IFS= read -r -t 30 line <&9
}

# Wait for start_leat's leat; its status is in $status, the rest of its words in $rest.
finish_leat() {
	rest=$(cat <&9)
	status=0
	wait "$leat" || status=$?
	exec 9<&-
}

# Until process $1 is in state $2 (proc(5): T stopped, Z zombie), or gone.
await_state() {
	while [ -e "/proc/$1/stat" ] && ! grep -q ") $2 " "/proc/$1/stat"; do
		read -r -t 0.01 _ <> <(:) || :
	done
}

# Until no process of number $1 lives (a zombie does not); for so long as a test may take.
await_end() {
	local tries=2000
	while [ -e "/proc/$1/stat" ] && ! grep -q ") [ZX] " "/proc/$1/stat"; do
		[ $((tries--)) -gt 0 ] || return
		read -r -t 0.01 _ <> <(:) || :
	done
}

needs_strace() {
	command -v strace >/dev/null || skip "strace is not installed"
	not_sanitized "the leak checker does not run below strace"
}

# Skip in a build with sanitizers, for the reason $1.
not_sanitized() {
	case $BUILD in */asan | */tsan) skip "$1" ;; esac
}
