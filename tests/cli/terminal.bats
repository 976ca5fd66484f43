#!/usr/bin/env bats
# At a real terminal: Ctrl-C once, twice, three times; Ctrl-Z.
load helper

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	command -v tmux >/dev/null || skip "tmux is not installed"
	export TMUX_TMPDIR=$BATS_TEST_TMPDIR
	unset TMUX
	mkfifo started over
	exec 8<>started
	close_gate
}

clean_up() {
	tmux kill-server 2>/dev/null || :
}

# Run leat with the given options from an interactive shell in a terminal.
in_terminal() {
	tmux -f /dev/null new-session -d -x 100 -y 30 "bash --norc -i 7>&- 8>&- 3>&-"
	tmux send-keys "leat $*" Enter
	exec 6<>over
}

# What the shell saw of it, in $status; it types ahead, the shell reads when leat is gone.
read_status() {
	tmux send-keys 'echo $? >over' Enter
	read -r -t 30 status <&6
}

press() {
	tmux send-keys "$1"
}

# Wait until the screen shows $1.
await_screen() {
	until tmux capture-pane -p | grep -q -e "$1"; do
		read -r -t 0.02 _ <> <(:) || :
	done
}

tasks() {
	for task in 1 2 3 4; do
		echo "puppet tell started $task pass gate"
	done
}

@test "Ctrl-C: the running tasks finish, the shell sees 130" {
	tasks >in
	in_terminal -j2 -a in --unrun rest
	read -r -t 30 _ <&8 && read -r -t 30 _ <&8
	press C-c
	await_screen "leat: interrupted: 2 running finish (again: end them), 2 not run"
	open_gate
	await_screen " unrun"
	read_status
	[ "$status" -eq 130 ]
	diff rest <(tail -n 2 in)
}

@test "Ctrl-C twice: the running tasks are ended" {
	tasks >in
	in_terminal -j2 -a in
	read -r -t 30 _ <&8 && read -r -t 30 _ <&8
	press C-c
	await_screen "interrupted: 2 running"
	press C-c
	await_screen " unrun"
	read_status
	[ "$status" -eq 130 ]
}

@test "Ctrl-C three times: the running tasks are killed" {
	echo "puppet ignore TERM tell started x hold" >in
	in_terminal --kill-after 1h -a in
	read -r -t 30 _ <&8
	press C-c
	await_screen "interrupted: 1 running"
	press C-c
	await_screen "ending the running tasks"
	press C-c
	await_screen " unrun"
	read_status
	[ "$status" -eq 130 ]
}

@test "the progress line tells what is waited for" {
	tasks >in
	in_terminal -j2 -a in --max-load 0
	await_screen "0/4, 1 running, waiting for load [0-9.]* (max 0)"
	open_gate
	read_status
	[ "$status" -eq 0 ]
}

@test "Ctrl-Z stops leat and its tasks, fg continues both" {
	echo "puppet pid p1 tell started x pass gate say done" >in
	in_terminal -a in
	read -r -t 30 _ <&8
	press C-z
	await_screen Stopped
	await_state "$(cat p1)" T
	tmux send-keys "fg" Enter
	open_gate
	await_screen '^done'
	await_screen '1 ok, 0 unrun'
}

@test "--tty: a task has leat's terminal, and the input that leat reads no records from" {
	cat >look <<-'EOF'
		echo "$1" >started
		read -r word && read -r other </dev/tty && [ -t 1 ] && [ -t 2 ] && echo "$1 $word $other" >>seen
	EOF
	in_terminal --tty sh look ::: a b
	for word in first second; do
		read -r -t 30 _ <&8
		tmux send-keys "$word" Enter "$word" Enter
	done
	read_status
	[ "$status" -eq 0 ]
	diff seen <(printf '%s\n' 'a first first' 'b second second')
}

@test "--tty: where records come from standard input, tasks read the terminal" {
	printf 'a\nb\n' >in
	in_terminal --tty sh -c "'echo >started; read -r word; echo \$0 \$word >>seen'" "<in"
	for word in first second; do
		read -r -t 30 _ <&8
		tmux send-keys "$word" Enter
	done
	read_status
	[ "$status" -eq 0 ]
	diff seen <(printf '%s\n' 'a first' 'b second')
}

@test "--tty: Ctrl-C is for the task and for leat" {
	in_terminal --tty sh -c "'trap \"exit 3\" INT; echo >started; read -r word'" ::: a b
	read -r -t 30 _ <&8
	press C-c
	await_screen "leat: task 1: exit 3"
	await_screen "1 failed, 1 unrun"
	read_status
	[ "$status" -eq 130 ]
}

@test "--tty: whether a task ends by Ctrl-C, pressed once or often, is its own affair" {
	echo 'trap "echo >started" INT QUIT; echo >started; until read -r word; do :; done; echo $word >seen' >task
	in_terminal --version
	for options in --tty "--on-cancel terminate --tty" "--as xargs -o"; do
		tmux send-keys "leat $options sh task <<<x" Enter
		for key in C-c C-c C-c "C-\\" "C-\\"; do
			read -r -t 30 _ <&8
			press "$key"
		done
		read -r -t 30 _ <&8
		tmux send-keys word Enter
		read_status
		[ "$status" -eq 130 ]
		[ "$(cat seen)" = word ]
		rm seen
	done
}

@test "--tty: a task that was killed leaves leat the terminal as it was" {
	# The first one is a job of its own in the foreground, with a raw terminal.
	cat >task <<-'EOF'
		[ "$1" = b ] || { stty raw; exec bash --norc -ic 'echo $$ >started; read -r word'; }
		echo >started
		read -r word </dev/tty && echo "$word$(stty -a | grep -o ' icanon')" >seen
	EOF
	in_terminal --tty sh task ::: a b
	read -r -t 30 task <&8
	kill -KILL "$task"
	read -r -t 30 _ <&8
	tmux send-keys word Enter
	read_status
	[ "$status" -eq 123 ]
	[ "$(cat seen)" = "word icanon" ]
}

@test "--tty: a timeout ends all that the task started, and nothing else of its session" {
	in_terminal --tty --timeout 300ms sh -c "'setsid sleep 1000 & sleep 1000 & exec sleep 1000'" ::: a
	read_status
	[ "$status" -eq 123 ]
	tmux capture-pane -p | grep -q "task 1: timed out after 0.3s"
}
