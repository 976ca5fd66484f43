#!/usr/bin/env bats
# --line-buffer: output as it comes, by whole lines.
load helper

# Each line of the file $1 stands there $2 times, and there are $3 different ones.
check_lines() {
	LC_ALL=C sort "$1" | uniq -c >counted
	[ "$(wc -l <counted)" -eq "$3" ]
	! grep -qv "^ *$2 " counted
}

@test "lines that are written in pieces are not mixed" {
	for letter in a b c d; do
		echo "for i in \$(seq 300); do printf $letter; printf '%1000s' $letter; echo $letter; done"
	done >in
	leat --line-buffer -j4 -a in >out
	check_lines out 300 4
	[ "$(wc -c <out)" -eq $((4 * 300 * 1003)) ]
}

@test "lines of both streams into one file are not mixed" {
	for letter in a b c d; do
		echo "for i in \$(seq 200); do printf $letter; printf E$letter >&2; printf '%3000s\n' $letter; printf '%5000s\n' e >&2; done"
	done >in
	leat --line-buffer -j4 -a in >out 2>&1
	check_lines out 200 8
}

@test "lines over a megabyte stay whole, also with a reader that is late" {
	mkfifo pipe told
	exec 8<>told
	for letter in a b c; do
		echo "for i in 1 2; do yes $letter | head -n 1300000 | tr -d '\\n'; echo; puppet tell told x; done"
	done >in
	leat --line-buffer -j3 -a in >pipe 3>&- 8>&- &
	leat=$!
	exec 6<pipe
	for _ in 1 2 3; do read -r -t 30 _ <&8; done
	cat <&6 >out
	wait "$leat"
	check_lines out 2 3
	[ "$(wc -c <out)" -eq $((6 * 1300001)) ]
}

@test "lines appear while their tasks run, those of each" {
	mkfifo out
	close_gate
	for letter in a b c; do
		echo "puppet say $letter pass gate say more"
	done >in
	leat --line-buffer -j3 -a in >out 3>&- 7>&- &
	leat=$!
	exec 6<out
	for _ in 1 2 3; do
		read -r -t 30 line <&6
		echo "$line" >>got
	done
	[ "$(sort got)" = "$(printf '%s\n' a b c)" ]
	open_gate
	[ "$(cat <&6)" = "$(printf '%s\n' more more more)" ]
	wait "$leat"
}

@test "a line that was begun, however long, holds up no other task's lines" {
	mkfifo out told
	close_gate
	exec 8<>told
	printf '%s\n' "head -c 2000000 /dev/zero | tr '\\0' a; puppet tell told x pass gate; echo" \
		'puppet await begun say two' >in
	mkfifo begun
	leat --line-buffer -j2 -a in >out 3>&- 7>&- 8>&- &
	leat=$!
	exec 6<out
	read -r -t 30 _ <&8
	: >begun
	read -r -t 30 line <&6
	[ "$line" = two ]
	open_gate
	[ "$(wc -c <&6)" -eq 2000001 ]
	wait "$leat"
}

@test "standard error's lines appear while the task runs" {
	close_gate
	echo 'echo e1 >&2; printf e >&2; puppet pass gate; echo 2 >&2' >in
	start_leat --line-buffer -a in 7>&-
	next_line
	[ "$line" = e1 ]
	open_gate
	finish_leat
	[ "$status" -eq 0 ]
	[ "$rest" = e2 ]
}

@test "a last line without a newline gets one where anything follows, on both streams" {
	printf '%s\n' 'printf o1; printf e1 >&2' 'printf o2; printf e2 >&2' >in
	leat --line-buffer -j1 -a in >out 2>err
	printf 'o1\no2' | cmp - out
	printf 'e1\ne2' | cmp - err
	leat --line-buffer -j1 -a in >out 2>&1
	printf 'o1\ne1\no2\ne2' | cmp - out
	run leat --line-buffer -j1 <<<'printf begun; exit 3'
	[ "${lines[0]}" = begun ]
	[ "${lines[1]}" = "leat: task 1: exit 3: printf begun; exit 3" ]
}

@test "leat's own lines begin a line, whatever stands before them" {
	printf '%s\n' 'printf one' 'printf two >&2' 'exit 3' >in
	for mode in '' -k --line-buffer --tag '-k --tag'; do
		# shellcheck disable=SC2086
		leat $mode -t -j1 -a in >out 2>&1 || :
		[ "$(grep -c -e '^printf one$' -e '^printf two >&2$' -e '^exit 3$' -e '^leat: task 3' out)" -eq 4 ]
		grep -q 'one$' out
		grep -q 'two$' out
	done
}

@test "--tag: a task's begun lines on both streams do not run into each other" {
	run leat --tag <<<'printf out; printf err >&2'
	[ "$output" = "$(printf 'printf out; printf err >&2\tout\nprintf out; printf err >&2\terr')" ]
}

@test "empty lines, binary bytes and no output at all come as they are" {
	head -c 300000 /dev/urandom >data
	printf '%s\n' 'printf "\n\na\n\n"' ':' 'cat data' >in
	leat --line-buffer -j1 -a in >out
	(printf '\n\na\n\n' && cat data) | cmp - out
}

@test "a reader that reads late and a byte at a time gets all lines, whole" {
	mkfifo pipe told
	exec 8<>told
	for letter in a b; do
		echo "puppet tell told x; yes '$letter 0123456789 0123456789 0123456789 $letter' | head -n 20000"
	done >in
	leat --line-buffer -j2 -a in >pipe 3>&- 8>&- &
	leat=$!
	exec 6<pipe
	read -r -t 30 _ <&8 && read -r -t 30 _ <&8
	dd bs=1 count=5000 of=first status=none <&6
	cat first - <&6 >out
	wait "$leat"
	check_lines out 20000 2
}

@test "a non-blocking standard output and standard error get all lines" {
	mkfifo pipe
	exec 6<>pipe
	python3 -c 'import os; os.set_blocking(6, False)'
	printf '%s\n' 'seq -w 100000' 'seq -w 100001 200000 >&2' >in
	leat --line-buffer -j2 -a in >&6 2>&1 3>&- &
	head -c 1400000 <pipe >got
	wait $!
	LC_ALL=C sort got | cmp - <(seq -w 100000; seq 100001 200000)
}

@test "a timeout is enforced while the reader sleeps, and the lines come out" {
	mkfifo pipe
	printf '%s\n' 'seq 200000' 'puppet pid p1 say held hold' >in
	leat --line-buffer -j2 --timeout 0.5s --kill-after 0 -a in >pipe 2>err 3>&- &
	leat=$!
	exec 6<pipe
	timeout 30 bash -c 'until [ -e p1 ]; do read -r -t 0.01 _ <> <(:) || :; done'
	await_end "$(cat p1)"
	cat <&6 >out
	wait "$leat" || [ $? -eq 123 ]
	[ "$(grep -c -x held out)" -eq 1 ]
	grep -q 'timed out' err
}

@test "what canceled tasks wrote comes out, also a line that was begun" {
	mkfifo told
	exec 8<>told
	printf '%s\n' 'echo whole; printf begun; puppet tell told x hold' 'echo never' >in
	start_leat --line-buffer -j1 -a in
	read -r -t 30 _ <&8
	kill -TERM "$leat"
	finish_leat
	[ "$status" -eq 143 ]
	[ "$(cat out)" = "$(printf 'whole\nbegun')" ]
	[[ "$rest" == *": 1 canceled, 1 unrun" ]]
}

@test "-k with --line-buffer is -k" {
	printf '%s\n' 'sleep 0.05; seq 5' 'seq 6 10' >in
	[ "$(leat -k --line-buffer -j2 -a in)" = "$(seq 10)" ]
}

@test "--tagstring: empty lines with a long tag take no more memory" {
	tag=$(head -c 4000 /dev/zero | tr '\0' t)
	cat >in <<-'EOF'
		yes '' | head -c 100000
		awk '/^VmHWM/ { print $2 }' /proc/$LEAT_PID/status >peak
	EOF
	[ "$(leat -j1 --tagstring "$tag" -a in | wc -c)" -eq 400200000 ]
	[ "$(cat peak)" -lt 20000 ]
}
