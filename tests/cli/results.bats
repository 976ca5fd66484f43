#!/usr/bin/env bats
# --results: what each task wrote, and how it ended, in files.
load helper

# The first two lines of a task's outcome.
outcome() {
	head -n 2 "kept/$1/outcome"
}

@test "a directory for each task, with its command, its outputs and its outcome" {
	printf '%s\n' 'echo out; echo err >&2' '# no task' '' ':' >in
	leat --results kept -j2 -a in >out 2>err
	[ "$(cat out)$(cat err)" = outerr ]
	[ "$(cd kept && echo *)" = "1 2" ]
	[ "$(cd kept/1 && echo *)" = "command outcome stderr stdout" ]
	printf 'out\n' | cmp - kept/1/stdout
	printf 'err\n' | cmp - kept/1/stderr
	printf 'echo out; echo err >&2\n' | cmp - kept/1/command
	[ "$(outcome 1)" = "$(printf 'ok\nexit 0')" ]
	[ "$(wc -l <kept/1/outcome)" -eq 3 ]
	[[ "$(tail -n 1 kept/1/outcome)" =~ ^[0-9]+\.[0-9]{6}s$ ]]
	[ -e kept/2/stdout ] && [ ! -s kept/2/stdout ] && [ ! -s kept/2/stderr ]
}

@test "outcomes: ok, failed, crashed, timed out, not found, cannot be run" {
	printf 'exit 0\nexit 4\nkill -SEGV $$\npuppet hold\nnosuch-command\nec\0ho\n' >in
	run leat --results kept -j2 --timeout 1s --kill-after 0 -a in
	[ "$status" -eq 123 ]
	[ "$(outcome 1)" = "$(printf 'ok\nexit 0')" ]
	[ "$(outcome 2)" = "$(printf 'failed\nexit 4')" ]
	[[ "$(outcome 3)" == "$(printf 'crashed\nsignal 11')"* ]]
	[[ "$(outcome 4)" == "$(printf 'timed out\ntimed out after 1s')" ]]
	[ "$(outcome 5)" = "$(printf 'failed\nnot found')" ]
	[ "$(head -n 1 kept/6/outcome)" = failed ]
}

@test "outcomes: canceled, with what was written until then; what was not run has none" {
	mkfifo told
	exec 8<>told
	printf '%s\n' 'echo begun; printf on >&2; puppet tell told x hold' 'echo two' >in
	start_leat --results kept -j1 -a in
	read -r -t 30 _ <&8
	kill -TERM "$leat"
	finish_leat
	[ "$status" -eq 143 ]
	[ "$(head -n 1 kept/1/outcome)" = canceled ]
	[ "$(cat kept/1/stdout kept/1/stderr)" = "$(printf 'begun\non')" ]
	[ ! -e kept/2 ]
}

@test "with -k: much output out of turn is in the files and comes out in order" {
	close_gate
	mkfifo told
	exec 8<>told
	printf '%s\n' 'puppet pass gate say one' \
		'seq 450000; seq 450000 >&2; puppet tell told x' 'echo three' >in
	leat -k --results kept -j2 -a in >out 2>err 3>&- 7>&- 8>&- &
	leat=$!
	read -r -t 30 _ <&8
	open_gate
	wait "$leat"
	(echo one && seq 450000 && echo three) | cmp - out
	seq 450000 | cmp - err
	seq 450000 | cmp - kept/2/stdout
	cmp kept/2/stdout kept/2/stderr
	[ "$(cat kept/1/stdout kept/3/stdout)" = "$(printf 'one\nthree')" ]
}

@test "with -k: the files of many small tasks that wait for their turn are whole" {
	close_gate
	mkfifo told
	exec 8<>told
	(
		echo 'puppet pass gate say 1'
		seq 2 600 | sed 's/.*/echo &; echo e& >\&2/'
		echo 'puppet tell told x'
	) >in
	(
		ulimit -n 64
		exec leat -k --results kept -j2 -a in
	) >out 2>err 3>&- 7>&- 8>&- &
	leat=$!
	read -r -t 30 _ <&8
	open_gate
	wait "$leat"
	seq 600 | cmp - out
	seq -f e%g 2 600 | cmp - err
	seq -f kept/%g/stdout 600 | xargs cat | cmp - out
	seq -f kept/%g/stderr 600 | xargs cat | cmp - err
}

@test "with -k: waiting for the first takes no descriptors, also of tasks without output" {
	close_gate
	{
		echo 'puppet pass gate; echo first; :'
		seq -f 'echo %g' 300
		yes ': nothing; :' | head -n 299
		echo 'puppet tell told x; :'
	} >in
	mkfifo told
	exec 8<>told
	(
		ulimit -n 120
		exec leat -k -j2 --results kept -a in >out 3>&- 7>&- 8>&-
	) &
	leat=$!
	read -r -t 30 _ <&8
	open_gate
	wait "$leat"
	[ "$(cksum <out)" = "$( (echo first; seq 300) | cksum)" ]
}

@test "with --line-buffer: lines come while the task runs, and are in the file" {
	mkfifo out
	close_gate
	echo 'echo one; printf tw; puppet pass gate; echo o; printf end' >in
	leat --line-buffer --results kept -a in >out 3>&- 7>&- &
	leat=$!
	exec 6<out
	read -r -t 30 line <&6
	[ "$line" = one ]
	open_gate
	[ "$(cat <&6)" = "$(printf 'two\nend')" ]
	wait "$leat"
	printf 'one\ntwo\nend' | cmp - kept/1/stdout
}

@test "tags and added newlines are not in the files, binary output is" {
	head -c 300000 /dev/urandom >data
	printf '%s\n' 'cat data' 'printf x' 'printf y' >in
	for mode in -k --line-buffer -q; do
		leat $mode --tag --results kept -j1 -a in >out
		cmp data kept/1/stdout
		[ "$(cat kept/2/stdout kept/3/stdout)" = xy ]
	done
}

@test "a run again replaces what was there, also what was longer" {
	leat --results kept <<<'seq 300000; seq 3 >&2; exit 3' >out 2>err || [ $? -eq 123 ]
	leat --results kept <<<'echo short' >out
	[ "$(cat kept/1/stdout)" = short ]
	[ ! -s kept/1/stderr ]
	[ "$(cat kept/1/command)" = "echo short" ]
	[ "$(outcome 1)" = "$(printf 'ok\nexit 0')" ]
}

@test "a name that is no directory: exit 125 before anything runs" {
	: >file
	mkdir dir
	for name in file file/kept dir/missing/kept; do
		run leat --results "$name" <<<'touch ran'
		[ "$status" -eq 125 ]
		[[ "$output" == "leat: cannot write to $name: "* ]]
	done
	[ ! -e ran ]
}

@test "a directory that can't be written: exit 125 before anything runs" {
	[ "$(id -u)" = 0 ] || skip "needs root to mount a tmpfs"
	mkdir locked
	mount -t tmpfs -o ro none locked || skip "tmpfs can't be mounted here"
	run leat --results locked/kept <<<'touch ran'
	umount locked
	[ "$status" -eq 125 ]
	[ "$output" = "leat: cannot write to locked/kept: Read-only file system" ]
	[ ! -e ran ]
}

@test "one task's files that can't be made: its command does not run, the run ends, 125" {
	mkdir kept
	: >kept/2
	printf '%s\n' 'echo one' 'touch ran' 'echo three' 'echo four' >in
	run leat --results kept --unrun rest -j1 -a in
	[ "$status" -eq 125 ]
	[ "${lines[0]}" = one ]
	[[ "${lines[1]}" == "leat: cannot write the results of task 2: Not a directory" ]]
	[ ! -e ran ]
	diff rest <(tail -n 3 in)
}

@test "what an earlier run left is no outcome of this one" {
	seq -f 'echo %g' 3 | leat --results kept
	leat -j1 --deadline 0 --results kept < <(seq -f 'echo again %g' 3) || :
	[ "$(ls kept)" = "" ]
	seq -f 'echo %g' 3 | leat --results kept
	close_gate
	mkfifo told
	exec 8<>told
	echo 'puppet tell told x; puppet pass gate' >in
	leat --results kept -a in 3>&- 7>&- 8>&- &
	leat=$!
	read -r -t 30 _ <&8
	kill -KILL "$leat"
	wait "$leat" || :
	open_gate
	[ ! -e kept/1/outcome ]
	[ ! -s kept/1/stdout ]
	[ "$(head -n 1 kept/2/outcome)" = ok ]
}
