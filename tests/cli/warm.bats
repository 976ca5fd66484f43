#!/usr/bin/env bats
# Warm shells: a command that a kept shell runs is as one that sh -c runs.
load helper

# Leave nothing behind where a test has failed.
clean_up() {
	if jobs -pr | grep -qx "${leat:-none}"; then kill -KILL "$leat"; fi
}

# A task that says whether the shell it runs in was kept warm.
telling='case $(cat /proc/$$/maps) in *"leat warm"*) echo warm ;; *) echo cold ;; esac'

# A shell's task that sends signal $1 to the shell that is kept for it.
signal_server() {
	echo 'for c in $(pgrep -P $PPID); do if [ $c != $$ ] && [ /proc/$c/exe -ef /proc/$$/exe ]; then kill -'"$1"' $c; fi; done'
}

# shellcheck disable=SC1003
# How commands may go, each ended by a NUL: of the first two, one is before the shell is
# kept, and one has it started.
all_ways() {
	printf '%s\0' ':' ': the second starts the server' \
		'echo out; echo err >&2; exit 3' 'kill -9 $$' 'exit 137' 'kill -SEGV $$' 'kill -TERM $$' \
		'ulimit -c 0; kill -ABRT $$' 'kill -PIPE $$' 'kill -USR1 $$' 'kill -INT $$' \
		'nosuchcommand' './nosuch' '/etc' 'exit' 'false' 'exit 256' 'return 3' \
		$'one\ntwo; echo $LINENO\nthree' $'echo 1\necho "$(' 'echo "unfinished' "echo 'unfinished" \
		'if true; then echo' 'fi' ')' 'echo )' '${' 'echo ${x' 'echo ${nosuch?is unset}' 'echo $((1/0))' \
		$'cat <<E\nhere $0\nE' $'cat <<E\nnot ended' $'\n\n\necho after newlines\n\n' '   ' '#comment' 'echo \' \
		'set -e; false; echo not' 'set -u; echo $nosuch; echo not' 'set -x; echo traced' \
		'set -o pipefail; false | true; echo $?' 'trap "echo bye" EXIT; echo hello' \
		'trap "echo bye" EXIT; kill -TERM $$; echo not' 'trap "echo term; exit 7" TERM; kill -TERM $$; echo not' \
		'trap "" INT; kill -INT $$; echo still' 'trap' \
		'exec echo executed' 'exec nosuchprogram' 'exec >&2; echo err' 'exec 1>&-; echo closed' 'exec 5>x; echo 5 >&5; cat x' \
		'cd /; pwd; export HERE=1; umask 077; alias ll=ls; f() { echo f; }; readonly R=1; IFS=:; set -f; x=y; PATH=/nowhere' \
		'pwd; umask; alias; f; echo "$HERE:$R:$IFS:$x:$-"; echo /etc/host*s; echo $PATH; set | grep -c .' \
		'ulimit -n 50; ulimit -n; ulimit -s 4096; ulimit -t 5' 'ulimit -n; ulimit -s; ulimit -t; ulimit -a' \
		'echo $0 $# $- "$@" $?' '[ "$PPID" = "$LEAT_PID" ] && echo parent' 'echo "$LEAT_SEQ:$LEAT_SLOT:$LEAT_ATTEMPT"' \
		'ls /proc/self/fd | grep -c .; ls /proc/$$/fd' 'readlink /proc/$$/fd/0' '(readlink /proc/self/cwd)' \
		'while read -r l; do case $l in Sig[BIC]*|Umask*|Name*|Threads*|CapEff*|NoNew*|Seccomp:*) echo "$l" ;; esac; done </proc/$$/status' 'grep -E "Sig(Blk|Ign|Cgt)" /proc/self/status' \
		'cut -d" " -f5,6 /proc/$$/stat | grep -qx "$$ $$" && echo leader' 'tr "\0" "\n" </proc/$$/cmdline; :' \
		'tr "\0" "\n" </proc/$$/environ | grep -v LEAT_PID | sort' 'env | grep -v LEAT_PID' 'export | grep -v LEAT_PID' \
		'x=$(head -c 300000 /dev/zero | tr "\0" x); echo ${#x}; y=$x$x; echo ${#y}' 'echo ${#x}${#y}; x=small; echo $x' \
		'i=0; while [ $i -lt 5000 ]; do i=$((i+1)); eval "v$i=$i"; done; echo $v777 $v5000' 'echo "$v777"' \
		'f() { [ $1 -eq 0 ] || f $(($1-1)); }; f 2000; echo deep' 'ulimit -s 1024; ulimit -c 0; f() { f; }; f' 'echo pristine' \
		'(sleep 0.1; echo late) & echo first' 'sleep 0.1 & wait; echo waited' 'sleep 30 >/dev/null 2>&1 & kill $!; wait $!; echo $?' \
		'wait; jobs; echo $!' 'echo a | { read x; echo $x; }; echo "[$x]"' 'yes | head -1' 'echo $(echo $(echo nested))' 'cat' 'read x; echo $?' \
		'. /nosuch' 'eval "echo )"' 'command -v ls; type cd; hash' 'getopts ab: o -a; echo $o$OPTIND' 'echo $OPTIND' \
		'test -t 0 || echo no terminal' 'exit 1; syntax(' 'echo -n x; printf y; echo z >&2' 'case x in x) echo case;; esac' \
		'echo é ü | wc -m' 'ulimit -v 400000; echo limited' 'echo pristine again'
	printf 'echo %150000d | wc -c\0' 1
}

# Run all ways by shell $1, started for each and kept, and compare.
assert_same() {
	local how
	for how in '' --warm; do
		all_ways | leat -0 -k -j1 --linger 30s --shell "$1" $how 2>&1 |
			sed -E 's/ in [0-9.]*s:/:/; s,/proc/[0-9]+/fd/[0-9]+,SCRIPT,' >"out$how" || :
	done
	[ "$(wc -l <out--warm)" -gt 200 ]
	diff out out--warm
}

@test "from its second shell command on a slot keeps the shell" {
	for _ in 1 2 3 4; do echo "$telling"; done >in
	[ "$(leat --warm -j1 -a in | paste -sd' ')" = "cold warm warm warm" ]
	[ "$(leat --warm -j1 --shell bash -a in | paste -sd' ')" = "cold warm warm warm" ]
	[ "$(leat --warm -j1 -c "$telling" ::: a b c | paste -sd' ')" = "cold warm warm" ]
}

@test "dash: statuses, signals, traps, syntax errors and what a task finds are those of sh -c" {
	command -v dash >/dev/null || skip "dash is not installed"
	assert_same dash
}

@test "bash: the same" {
	assert_same bash
}

@test "nor does what a command had of its core kept stay for the next" {
	[ -w /proc/self/coredump_filter ] || skip "no core is filtered here"
	printf '%s\n' 'cat /proc/$$/coredump_filter; :' : 'echo 0x7f >/proc/self/coredump_filter' 'cat /proc/$$/coredump_filter; :' >in
	leat --warm -j1 -k -a in >out
	[ "$(wc -l <out)" -eq 2 ]
	[ "$(sort -u out | wc -l)" -eq 1 ]
}

@test "plain commands are still started without a shell" {
	printf '%s\n' 'readlink /proc/self/exe' 'readlink /proc/self/exe' : : 'readlink /proc/self/exe' >in
	leat --warm -j1 -a in >out
	[ "$(sort -u out | wc -l)" -eq 1 ]
}

@test "after thousands of commands shell and leat hold no more than after a few" {
	echo "grep VmRSS: /proc/\$\$/status; ls /proc/\$PPID/fd | wc -l; $telling" >ask
	{ for _ in 1 2 3; do cat ask; done; yes 'x=$(:)abc; y=$x$x; echo $y' | head -n 3000; cat ask; } >in
	leat --warm -j1 -k -a in >out
	[ "$(grep -c abcabc out)" -eq 3000 ]
	mapfile -t said < <(grep -v abcabc out)
	[ "${said[8]}" = warm ]
	[ "${said[11]}" = warm ]
	[ "$(awk '{ print $2 }' <<<"${said[9]}")" -le $(($(awk '{ print $2 }' <<<"${said[6]}") + 512)) ]
	[ "${said[10]}" -le "${said[7]}" ]
}

@test "what a command took of memory is not the next one's peak" {
	printf '%s\n' : : 'x=$(head -c 30000000 /dev/zero | tr "\0" x); echo ${#x}' 'echo small; :' >in
	leat --warm -j1 -a in --events events >/dev/null
	mapfile -t peaks < <(grep attempt-ended events | grep -oE '"peak_kib":[0-9]+' | cut -d: -f2)
	[ "${peaks[2]}" -gt 20000 ]
	[ "${peaks[3]}" -lt 10000 ]
}

@test "a timeout ends the whole tree, and the slot goes on with another shell" {
	cat >in <<-IN
		:
		$telling
		trap "" TERM; puppet ignore TERM pid p1 hold & puppet setsid ignore TERM mute pid p2 hold & puppet ignore TERM pid p3 hold
		$telling
		$telling
	IN
	run leat --warm -j1 --timeout 2s --kill-after 100ms -a in
	[ "$status" -eq 123 ]
	[[ "$output" == *"task 3: timed out"* ]]
	[ "$(grep -cE '^(warm|cold)$' <<<"$output")" -eq 3 ]
	[ "$(tail -n 2 <<<"$output" | head -n 1)" = warm ]
	for name in p1 p2 p3; do await_end "$(cat "$name")"; done
}

@test "nor does a timed out task's end wait for its shell where leat ignores SIGTERM" {
	printf '%s\n' : : "exec env --default-signal=TERM puppet hold" >in
	run env --ignore-signal=TERM leat --warm --summary -j1 --timeout 300ms --kill-after 20s -a in
	[[ "$output" == *"task 3: timed out"* ]]
	[[ "$output" =~ "leat: 3 tasks in "[0-9](\.[0-9])?s ]]
}

@test "a shell that somebody kills is replaced, and no command is lost or run twice" {
	for n in 1 2 3 4 5 6; do echo "echo $n; $(signal_server KILL)"; done >in
	[ "$(leat --warm -j1 -a in | paste -sd' ')" = "1 2 3 4 5 6" ]
}

@test "a shell that somebody stops is replaced, too" {
	for n in 1 2 3; do echo "echo $n; $(signal_server STOP)"; done >in
	[ "$(leat --warm -j1 -a in | paste -sd' ')" = "1 2 3" ]
}

@test "canceled at level 2 the trees are ended; at level 1 what runs finishes" {
	for signal in TERM INT; do
		rm -f err gate started
		close_gate
		mkfifo started
		exec 8<>started
		printf '%s\n' : : "puppet pid p1 tell started x pass gate; echo finished" : >in
		start_leat --warm -j1 -a in 7>&- 8>&-
		read -r -t 30 _ <&8
		kill -s "$signal" "$leat"
		next_line
		[[ "$line" == *"1 running"* ]]
		open_gate
		finish_leat
		[[ "$rest" == *"1 unrun"* ]]
		await_end "$(cat p1)"
	done
	grep -q finished out
}

@test "leat killed with SIGKILL: the tree of a warm command is ended, and no shell stays" {
	mkfifo started
	exec 8<>started
	printf '%s\n' : : 'pgrep -P $PPID >children; puppet pid p1 tell started x hold; :' >in
	start_leat --warm -j1 -a in 8>&-
	read -r -t 30 _ <&8
	kill -KILL "$leat"
	finish_leat
	[ "$(wc -l <children)" -ge 3 ]
	while read -r pid; do await_end "$pid"; done < <(cat p1 children)
}

@test "at the end no shell is left, nor a zombie" {
	for n in 1 2 3 4 5 6 7 8; do echo 'pgrep -P $PPID'; done | sed 's/$/; :/' >in
	leat --warm -j2 -a in >children
	while read -r pid; do [ ! -e "/proc/$pid" ]; done <children
}

@test "with too few descriptors for it a command starts its own shell" {
	for _ in 1 2 3 4; do echo "echo said; $telling"; done >in
	run bash -c 'ulimit -Sn 6; leat --warm -j1 -a in'
	[ "$status" -eq 0 ]
	[ "$(grep -c said <<<"$output")" -eq 4 ]
	[ "$(grep -c cold <<<"$output")" -eq 4 ]
	[ "$(grep -c "cannot keep" <<<"$output")" -eq 1 ]
}

@test "many slots at once" {
	seq 600 | sed 's/.*/echo $((&*&)); (exit $((& % 2)))/' >in
	run leat --warm -j64 -q -k -a in
	[ "$status" -eq 123 ]
	[ "$output" = "$(seq 600 | awk '{ print $1 * $1 }')" ]
}

@test "outputs are the same however they come out" {
	seq 40 | sed 's/.*/echo &; echo e& >\&2/' >in
	for options in -u --line-buffer --tag -k '--pty'; do
		leat -j1 $options -a in >cold 2>&1
		leat -j1 $options --warm -a in >warm 2>&1
		diff cold warm
	done
}

@test "each task in its directory; one that is not there is said to be so" {
	mkdir a b
	printf '%s\n' a b nosuch a >in
	run leat --warm -j1 --chdir {} -a in -c 'pwd; :'
	[ "$status" -eq 123 ]
	[ "$(grep -c "$PWD/[ab]$" <<<"$output")" -eq 3 ]
	[[ "$output" == *"task 3: "* ]]
}

@test "what fails is tried again" {
	run leat --warm -j1 --retries 3 --retry-delay 1ms -c 'echo $LEAT_ATTEMPT; [ $LEAT_ATTEMPT = 3 ]' ::: a b
	[ "$status" -eq 0 ]
	[ "$(grep -v leat: <<<"$output" | sort | paste -sd' ')" = "1 1 2 2 3 3" ]
}

@test "a jobserver's descriptors are a warm command's, too" {
	for _ in 1 2 3; do echo 'ls /proc/$$/fd; echo "$MAKEFLAGS"'; done >in
	leat --jobserver -j1 -a in >cold
	leat --jobserver -j1 --warm -a in >warm
	diff cold warm
}

@test "what differs for the dynamic linker has its own shell" {
	run leat --warm -j1 --env LD_LIBRARY_PATH={} -c "$telling" ::: a b b c b
	[ "$(paste -sd' ' <<<"$output")" = "cold warm warm cold warm" ]
}

@test "a shell that can't be kept: leat says so once, and each command starts its own" {
	words="cannot keep $PWD/own warm: each command starts its own"
	for _ in 1 2 3 4; do echo "$telling"; done >in
	printf '#!/bin/sh\nexec sh "$@"\n' >own
	chmod +x own
	run leat --warm -j1 --shell "$PWD/own" -a in
	[ "$status" -eq 0 ]
	[ "$(grep -c cold <<<"$output")" -eq 4 ]
	[ "$(grep -c "$words" <<<"$output")" -eq 1 ]
}

@test "one that is linked statically can't" {
	cat >own.c <<-'C'
		#include <unistd.h>
		int main(int argc, char **argv)
		{
			(void)argc;
			return execv("/bin/sh", argv);
		}
	C
	cc -static -o own own.c 2>/dev/null || skip "cannot link statically"
	for _ in 1 2 3; do echo "$telling"; done >in
	run leat --warm -j1 --shell "$PWD/own" -a in
	[ "$status" -eq 0 ]
	[ "$(grep -c cold <<<"$output")" -eq 3 ]
	[[ "$output" == *"cannot keep $PWD/own warm"* ]]
}

@test "none can with LD_PRELOAD" {
	not_sanitized "a preloaded library does not go with sanitizers"
	for _ in 1 2 3; do echo "$telling"; done >in
	LD_PRELOAD="$BUILD/tests/helpers/failing.so" run leat --warm -j1 -a in
	[ "$status" -eq 0 ]
	[ "$(grep -c cold <<<"$output")" -eq 3 ]
	[[ "$output" == *"cannot keep /bin/sh warm"* ]]
}

@test "nor where a sandbox forbids what it takes" {
	needs_strace
	for _ in 1 2 3; do echo "echo said; :"; done >in
	for call in memfd_create socketpair prctl setsockopt; do
		strace -f -qq -o trace -e "trace=$call" -e "inject=$call:error=EPERM" leat --warm -j1 -a in >out 2>err
		[ "$(grep -c said out)" -eq 3 ]
		grep -q "cannot keep /bin/sh warm" err
	done
}

@test "with no room for a process a warm shell waits as any other" {
	[ "$(id -u)" = 0 ] || skip "needs root to become a user with few processes"
	chmod 777 .
	cp "$BUILD/leat" leat && chmod 755 leat
	seq 40 | sed 's/.*/:; sleep 0.01; :/' >in
	run setpriv --reuid=$((300000 + $$)) --clear-groups prlimit --nproc=16 ./leat --warm --summary -j6 -a in
	echo "$output"
	[[ "$output" == *": 40 ok, 0 unrun" ]] || [[ "$output" == *"Cannot fork"* ]]
}

@test "where there is no room left for a process, an idle shell makes some" {
	[ "$(id -u)" = 0 ] || skip "needs root to become a user with few processes"
	chmod 777 .
	cp "$BUILD/leat" leat && chmod 755 leat
	seq 100 | sed 's/.*/:; echo &/' >in
	# A user of its own: processes are counted over all sessions.
	for limit in 6 16; do
		run setpriv --reuid=$((300000 + $$)) --clear-groups prlimit --nproc="$limit" ./leat --warm --summary -j$((limit - 5)) -a in
		echo "$output"
		[[ "$output" == *": 100 ok, 0 unrun" ]]
	done
}
