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
