#!/usr/bin/env bats
# Tags, results, terminals, colours, dry runs: what is shown, and where.
load helper

@test "--tag: each line begins with the command and a tab" {
	run leat -k --tag < <(printf '%s\n' 'echo a; echo b' 'echo c >&2')
	[ "$output" = "$(printf 'echo a; echo b\ta\necho a; echo b\tb\necho c >&2\tc')" ]
}

@test "--tagstring: with replacements, and a tab" {
	run leat -k -j1 --tagstring 'T{#}.{%} {/} \{}' < <(printf '%s\n' 'echo a/b' 'echo c')
	[ "$output" = "$(printf 'T1.1 b {}\ta/b\nT2.1 echo c {}\tc')" ]
}

@test "--tag: much output, and lines that have no end" {
	printf '%s\n' 'seq 400000; printf x' 'printf y' >in
	leat -k --tagstring t -j2 -a in >out
	(seq 400000; echo x; printf y) | sed 's/^/t\t/' | cmp - out
	leat --line-buffer --tagstring t -j1 -a in | cmp - out
}

@test "--tag: a newline in a record is shown as ^J" {
	run leat -0 --tag < <(printf 'echo a\necho b\0')
	[ "${lines[0]}" = "$(printf 'echo a^Jecho b\ta')" ]
}

@test "--results: command, outcome and both outputs, in files" {
	printf '%s\n' 'echo out; echo err >&2' 'exit 4' 'kill -9 $$' 'sleep 300' >in
	run leat --results kept --timeout 0.3s --kill-after 0 -j4 -k -a in
	[ "$status" -eq 123 ]
	[ "${lines[0]}" = out ]
	[ "$(cat kept/1/stdout kept/1/stderr kept/1/command)" = "$(printf 'out\nerr\necho out; echo err >&2')" ]
	[ "$(head -n 2 kept/1/outcome)" = "$(printf 'ok\nexit 0')" ]
	[ "$(head -n 2 kept/2/outcome)" = "$(printf 'failed\nexit 4')" ]
	[ "$(head -n 2 kept/3/outcome)" = "$(printf 'crashed\nsignal 9')" ]
	[ "$(head -n 2 kept/4/outcome)" = "$(printf 'timed out\ntimed out after 300ms')" ] ||
		[ "$(head -n 2 kept/4/outcome)" = "$(printf 'timed out\ntimed out after 0.3s')" ]
}

@test "--results: much output is in the file and comes out, too" {
	for option in -k --line-buffer --tag; do
		run bash -c "leat --results kept $option <<<'seq 300000' | wc -l"
		[ "$output" = 300000 ]
		seq 300000 | cmp - kept/1/stdout
	done
}

@test "--results: a directory that can't be made: before anything runs, exit 125" {
	run leat --results /nonexistent/kept <<<'touch ran'
	[ "$status" -eq 125 ]
	[ "$output" = "leat: cannot write to /nonexistent/kept: No such file or directory" ]
	[ ! -e ran ]
}

@test "--results: a full disk is trouble, exit 125" {
	[ "$(id -u)" = 0 ] || skip "needs root to mount a tmpfs"
	mkdir small
	mount -t tmpfs -o size=1m none small || skip "tmpfs can't be mounted here"
	run bash -c 'leat --results small/kept <<<"head -c 4000000 /dev/zero" 2>&1 >/dev/null'
	umount small
	[ "$status" -eq 125 ]
	[[ "$output" == *"output of task 1 is lost"*"No space left on device"* ]]
}

@test "--results: a disk that fills up is told once, and no task runs on it" {
	[ "$(id -u)" = 0 ] || skip "needs root to mount a tmpfs"
	mkdir small
	mount -t tmpfs -o size=64k none small || skip "tmpfs can't be mounted here"
	seq -f 'echo %g' 400 | leat -j4 --results small/kept >out 2>err && status=0 || status=$?
	umount small
	[ "$status" -eq 125 ]
	[ "$(grep -c 'cannot write the results of task' err)" -eq 1 ]
	[[ "$(tail -n 1 err)" =~ 400\ tasks.*\ ([0-9]+)\ ok,\ ([0-9]+)\ unrun ]]
	[ $((BASH_REMATCH[1] + BASH_REMATCH[2])) -eq 400 ]
	[ $(($(wc -l <out) + $(grep -c "output of task .* is lost" err))) -eq "${BASH_REMATCH[1]}" ]
}

@test "--pty: a task's outputs are terminals, its input is none, nothing else changes" {
	run leat --pty <<<'test -t 1 && test -t 2 && ! test -t 0 && echo yes; stty size <&1'
	[ "$output" = "$(printf 'yes\n24 80')" ]
	[ "$(leat --pty <<<'seq 100000' | cksum)" = "$(seq 100000 | cksum)" ]
	run leat --pty -k --tag -j2 < <(printf '%s\n' 'echo one' 'echo two >&2')
	[ "$output" = "$(printf 'echo one\tone\necho two >&2\ttwo')" ]
}

@test "--dry-run prints the commands and runs nothing" {
	run leat --dry-run < <(printf '%s\n' 'touch ran' '# no task' 'exit 3')
	[ "$status" -eq 0 ]
	[ "$output" = "$(printf 'touch ran\nexit 3')" ]
	[ ! -e ran ]
}

@test "-t shows each command as it starts, control characters shown" {
	run leat -t -j1 < <(printf 'echo one\nprintf \033x >/dev/null\n')
	[ "$output" = "$(printf 'echo one\none\nprintf ^[x >/dev/null')" ]
}

@test "--color: always, never, and only at terminals" {
	run leat --color always --tag -k -j1 < <(printf '%s\n' 'echo one' 'exit 3')
	[[ "${lines[0]}" == *$'\033['*m'echo one'$'\033[0m\tone' ]]
	[[ "${lines[1]}" == $'\033[31mleat: task 2: exit 3: exit 3\033[0m' ]]
	[[ "${lines[2]}" == *$'\033[31m1 failed\033[0m'* ]]
	run leat --tag < <(printf '%s\n' 'echo one' 'exit 3')
	[[ "$output" != *$'\033'* ]]
}

@test "--color auto: NO_COLOR and TERM=dumb are respected" {
	command -v script >/dev/null || skip "script is not installed"
	TERM=xterm run script -qec "leat <<<'exit 3'" /dev/null
	[[ "$output" == *$'\033[31m'* ]]
	TERM=xterm NO_COLOR=1 run script -qec "leat <<<'exit 3'" /dev/null
	[[ "$output" != *$'\033[31m'* ]]
	TERM=dumb run script -qec "leat <<<'exit 3'" /dev/null
	[[ "$output" != *$'\033[31m'* ]]
}

@test "what excludes each other is a usage error" {
	for option in -k --line-buffer --tag '--tagstring x' '--results x' --pty; do
		# shellcheck disable=SC2086
		run leat -u $option <<<'touch ran'
		[ "$status" -eq 2 ]
		[[ "$output" == *"--ungroup and "*" exclude each other"* ]]
	done
	for option in -k --tag --pty --warm --progress -j2 -j50%; do
		run leat --tty $option <<<'touch ran'
		[ "$status" -eq 2 ]
		[[ "$output" == *"--tty"* ]]
	done
	run leat --tag --tagstring x </dev/null
	[ "$status" -eq 2 ]
	run leat --progress --no-progress </dev/null
	[ "$status" -eq 2 ]
	run leat --color sometimes </dev/null
	[ "$status" -eq 2 ]
	[ ! -e ran ]
}

# A screen $1 columns wide, where leat holds a task that fills it.
begin_screen() {
	command -v tmux >/dev/null || skip "tmux is not installed"
	export TMUX_TMPDIR=$PWD
	close_gate
	printf '%s\n' 'exit 0' 'exit 1' 'puppet pass gate; echo done-with-it; :' 'exit 0' 'exit 0' >in
	tmux -f /dev/null new-session -d -s s -x "$1" -y 10 "env LC_ALL=C.UTF-8 TERM=screen leat -j1 $2 -a in; puppet hold" 7>&- 3>&-
}

screen_until() {
	local tries
	for ((tries = 0; tries < 500; tries++)); do
		screen=$(tmux capture-pane -p -t s)
		[[ "$screen" != *$1* ]] || return 0
		read -r -t 0.05 _ <> <(:) || :
	done
	return 1
}

end_screen() {
	tmux kill-server
}

@test "the progress line: done of all, failed, running, as wide as the terminal is" {
	for columns in 40 80 200; do
		begin_screen $columns
		screen_until '2/5, 1 failed, 1 running'
		[ "$(LC_ALL=C.UTF-8 wc -L <<<"$screen")" -lt $columns ]
		[ $columns -eq 40 ] || [[ "$screen" == *": puppet"* ]]
		open_gate
		screen_until '5 tasks in'
		[[ "$screen" != *running* ]]
		[[ "$screen" == *$'\ndone-with-it\n'* ]]
		end_screen
	done
}

@test "the progress line follows the window" {
	begin_screen 200
	screen_until '1 running'
	tmux resize-window -t s -x 44 -y 10
	screen_until $'\n2/5, 1 failed, 1 running'
	open_gate
	end_screen
}

@test "the progress line comes again after output, and leaves no empty lines" {
	command -v script >/dev/null || skip "script is not installed"
	close_gate
	printf '%s\n' 'echo one' 'exit 3' 'puppet pass gate; echo two; :' >in
	for mode in '' -k --line-buffer; do
		close_gate
		(
			until grep -q '2/3' typed 2>/dev/null; do read -r -t 0.02 _ <> <(:) || :; done
			flock -u 7
		) &
		TERM=xterm script -qefc "leat --progress $mode -j1 -a in" typed >/dev/null || :
		wait $!
		LC_ALL=C grep -q 'one.*2/3' <(tr -d '\r\n' <typed)
		! LC_ALL=C grep -q $'\033\\[K\r*$' <(sed 's/\r$//' typed | grep -v 2/3 | grep -v '^Script')
		rm typed
	done
}

@test "no progress line with -q, -u, --no-progress, or where there is no terminal" {
	for option in -q -u --no-progress; do
		begin_screen 80 "$option"
		open_gate
		screen_until done-with-it
		[[ "$screen" != *running* ]]
		end_screen
	done
	run leat < <(printf '%s\n' 'sleep 1.2')
	[ "$output" = "" ]
}

@test "--progress on a log: plain lines" {
	close_gate
	printf '%s\n' 'exit 0' 'puppet pass gate' >in
	start_leat --progress -j1 -a in 7>&-
	next_line
	[[ "$line" == "leat: 1/2 done, 1 running"* ]]
	open_gate
	finish_leat
	[ "$status" -eq 0 ]
}
