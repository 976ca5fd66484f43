#!/usr/bin/env bats
# The tables of README.md, "Coming from xargs or parallel": each line is run with the real
# tool, with leat in its place, and in leat's own words; the output is the same.
load helper

ROOT=$BATS_TEST_DIRNAME/../..

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	mkdir files as
	ln -s "$BUILD/leat" as/xargs
	ln -s "$BUILD/leat" as/parallel
	cd files || return
	echo one >a.log
	echo two >'b c.log'
	echo three >"d's.log"
	printf '%s\n' one 'two words' '*' '$HOME' >lines
	printf 'a b  c\nd\ne\n' >words
	printf '%s\n' /usr/bin/env '/tmp/a b' x >paths
	printf 'a\0b c\0d\ne\0' >ended-by-nul
	printf '%s\n' 'echo one' 'echo two | tr o 0' 'echo three' >commands
	printf '1,2\n3,4\n' >table
	export HOME=$BATS_TEST_TMPDIR
	mkdir -p "$HOME/.parallel"
	: >"$HOME/.parallel/will-cite"
}

# The lines "| `one` | `other` |" of README.md that begin with the tool $1, one and other
# as the arrays originals and natives.
read_table() {
	local line
	originals=() natives=()
	while IFS= read -r line; do
		line=${line//\\|/$'\1'}
		IFS='|' read -r _ one other _ <<<"$line"
		one=${one#*\`} one=${one%\`*} other=${other#*\`} other=${other%\`*}
		originals+=("${one//$'\1'/|}")
		natives+=("${other//$'\1'/|}")
	done < <(grep -E "^\| \`([^|]|\\\\\|)*$1 " "$ROOT/README.md" | grep '`leat\|| leat\|leat ')
}

# Output, sorted, and exit status of the line $2 with $1 before all else in PATH.
play() {
	status=0
	PATH=$1:$PATH bash -c "$2" 2>/dev/null >../output || status=$?
	LC_ALL=C sort ../output
	[ "$status" -eq 0 ] || echo "failed"
}

compare_all() {
	read_table "$1"
	[ "${#originals[@]}" -eq 10 ]
	for index in "${!originals[@]}"; do
		echo "${originals[index]}"
		play /usr/bin "${originals[index]}" >../real
		play "$BATS_TEST_TMPDIR/as" "${originals[index]}" >../ours
		diff ../real ../ours
		echo "${natives[index]}"
		play "$BUILD" "${natives[index]}" >../native
		diff ../real ../native
	done
}

@test "ten idioms of xargs" {
	compare_all xargs
}

@test "ten idioms of GNU parallel" {
	[[ "$(/usr/bin/parallel --version 2>/dev/null)" == "GNU parallel "* ]] || skip "GNU parallel is not installed"
	compare_all parallel
}

@test "bats itself runs files at the same time with leat as its parallel" {
	mkfifo one two
	printf '#!/usr/bin/env bats\n@test "first" { echo >one; read -r _ <two; }\n' >first.bats
	printf '#!/usr/bin/env bats\n@test "second" { read -r _ <one; echo >two; }\n' >second.bats
	printf '#!/usr/bin/env bats\n@test "third" { false; }\n' >third.bats
	run env PATH="$BATS_TEST_TMPDIR/as:$PATH" timeout 50 bats --jobs 3 first.bats second.bats third.bats
	[ "$status" -eq 1 ]
	[[ "$output" == *"ok 1 first"*"ok 2 second"*"not ok 3 third"* ]]
}
