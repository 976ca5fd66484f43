#!/usr/bin/env bats
# leat --as xargs against GNU xargs: the same input and arguments give the same output,
# the same files and the same exit status, and a word on standard error where xargs has one.
# REFERENCE is the xargs to compare with, SUBJECT the command (with blanks) to be tested.
load helper

reference=${REFERENCE:-xargs}
read -ra subject <<<"${SUBJECT:-leat --as xargs}"

setup_file() {
	[[ "$("$reference" --version 2>/dev/null)" == *"GNU findutils"* ]] ||
		skip "$reference is not GNU xargs"
}

# Each case runs in its own copy of the directory "given". There, ./show shows the
# arguments it was called with: how many, and each in angle brackets.
setup() {
	cd "$BATS_TEST_TMPDIR" || return
	mkdir given
	cat >given/show <<-'SHOW'
		#!/bin/sh
		echo "$#$(printf '<%s>' "$@")"
	SHOW
	chmod +x given/show
}

# Run the tool $2... in the directory $1, with the file "input" as its input. Its output
# and exit status are in the file $1.out then, its words in $1.err, its files in $1.
play() {
	local side=$1 status=0
	shift
	rm -rf "$side"
	cp -R given "$side"
	(cd "$side" && exec env --default-signal "$@") <input >"$side.out" 2>"$side.err" || status=$?
	echo "exit $status" >>"$side.out"
}

# The two of play agree. Words are compared for being there: who fails has to say why,
# who was not warned by xargs is to be left in peace.
agree() {
	diff -a theirs.out ours.out
	diff -r --exclude='*.fifo' theirs ours
	if [ ! -s theirs.err ]; then
		diff theirs.err ours.err
	elif [ "$(tail -n 1 theirs.out)" != "exit 0" ]; then
		[ -s ours.err ]
	fi
}

# Both tools agree with the arguments $1..., on the file "input".
same_on_input() {
	echo "xargs $*"
	play theirs "$reference" "$@"
	play ours "${subject[@]}" "$@"
	agree
}

# Both tools agree with the arguments $2..., on the input $1 (as for printf's %b).
same() {
	printf %b "$1" >input
	shift
	same_on_input "$@"
}

# ... and both had something to say.
same_complaint() {
	same "$@"
	[ -s theirs.err ]
	[ -s ours.err ]
}

# ... and the exit status is $1: the case is what it was meant to be.
same_status() {
	local expected=$1
	shift
	same "$@"
	[ "$(tail -n 1 ours.out)" = "exit $expected" ]
}

# ... though in another order, as far as lines go.
same_sorted() {
	printf %b "$1" >input
	shift
	echo "xargs $*"
	play theirs "$reference" "$@"
	play ours "${subject[@]}" "$@"
	sort -o theirs.out theirs.out
	sort -o ours.out ours.out
	agree
}

# Both tools agree with -s of each of the sizes $2 (as "from to"), before the arguments
# $3..., on the input $1.
same_sizes() {
	local from=${2% *} to=${2#* }
	printf %b "$1" >input
	shift 2
	echo "xargs -s $from...$to $*"
	each_size "$reference" "$@" >theirs.out
	each_size "${subject[@]}" "$@" >ours.out
	diff -a theirs.out ours.out
}

# The tool $1... with -s from $from to $to, in which "-s" stands for that option.
each_size() {
	local size status words arguments=("$@") i
	for ((size = from; size <= to; size++)); do
		for i in "${!arguments[@]}"; do
			[ "${arguments[i]:0:2}" != -s ] || arguments[i]=-s$size
		done
		status=0
		"${arguments[@]}" <input 2>err || status=$?
		words=silent
		[ ! -s err ] || words=explained
		echo "-s$size: exit $status, $words"
	done
}

# The reference or subject at a terminal, which answers $2, with the arguments $3...;
# $1 is the side, as for play.
play_at_terminal() {
	local side=$1 answers=$2 tool
	shift 2
	tool=("${subject[@]}")
	[ "$side" = ours ] || tool=("$reference")
	rm -rf "$side"
	cp -R given "$side"
	(cd "$side" && printf %b "$answers" |
		script -qec "$(printf '%q ' "${tool[@]}" "$@")" /dev/null) >terminal
}

same_at_terminal() {
	command -v script >/dev/null || skip "script is not installed"
	play_at_terminal theirs "$@"
	play_at_terminal ours "$@"
	diff -r theirs ours
}

# --- Splitting the input

@test "blanks and newlines separate the arguments" {
	same 'a b\tc\nd\n' ./show
	same 'a   b \t c' ./show
	same '  a\t\n\n \n\t b  \n\n' ./show
	same 'one' ./show
	same 'a b\nc d\n' ./show first 'the second'
}

@test "carriage return, vertical tab and form feed separate nothing, but are skipped before an argument" {
	same 'a\r\nb\r\n' ./show
	same 'a\vb\fc\n' ./show
	same '\va \f\rb \r\nc\n' ./show
	same '\r\n\v\n' -r ./show
}

@test "quotes keep blanks and the other quote" {
	same '"a b" c\n' ./show
	same "'a b' c\n" ./show
	same "\"it's\" 'say \"hi\"'\n" ./show
	same "a'b c'd\"e f\"g\n" ./show
	same "'a'\"b\"c\n" ./show
	same '"\t x"y\n' ./show
}

@test "backslashes quote one character, but nothing between quotes" {
	same 'a\\ b c\n' ./show
	same 'a\\\tb c\n' ./show
	same '\\"a \x5c\x27b\n' ./show
	same 'a\\\\ b\n' ./show
	same '\\a\\b\\n\n' ./show
	same '"a\\nb\\\\" c\n' ./show
	same "'a\\\\' b\n" ./show
	same '\\ \n' ./show
}

@test "a backslash puts a newline into the argument; at the end of the input it is dropped" {
	same 'a\\\nb c\n' ./show
	same '\\\n' ./show
	same '\\\n\\\n\n' ./show
	same 'a\\\n b\n' ./show

	same 'a b\x5c' ./show
	same 'a \x5c' ./show
	same '\x5c' -r ./show
	same 'a\x5c\x5c' ./show
}

@test "quotes without end: what was read before is run, exit 1; a quote as last character is nothing" {
	same_status 1 'a b "c d\ne\n' ./show
	same_status 1 'a b "c d' ./show
	same_status 1 "it's\n" ./show
	same_status 1 "a 'b\n" ./show
	same_status 1 'a b c "d\n' -n2 ./show
	same_status 1 'a "\n' ./show
	same_status 1 '"\n' ./show

	same '"' ./show
	same 'a "' ./show
	same "a\n'" -r ./show
}

@test "quotes without end: with -L, -x and -I what was not complete is not run" {
	same_status 1 'a\nb "c\n' -L1 ./show
	same_status 1 'a\nb "c\n' -L2 ./show
	same_status 1 'a b c "d\n' -x -n2 ./show
	same_status 1 'a b "c\n' -x ./show
	same_status 1 'a\nb "c\nd\n' -I{} ./show {}
}

@test "quotes around nothing are an empty argument, but at the end of the input only before a blank" {
	same "''\n" ./show
	same '"" a "" \x27\x27\n' ./show
	same "''\n" -r ./show
	same "a '' b\n" -n1 ./show
	same "a''\n''a\n" ./show
	same "'' ''\n''\n" -L1 ./show

	same "''" ./show
	same "''" -r ./show
	same "a ''" ./show
	same "a '' " ./show
	same "a\n''" -n1 ./show
}

@test "no input: the command is run once, without arguments; not with -r, --no-run-if-empty" {
	same '' ./show
	same '' ./show x y
	same '\n \n\t\n' ./show x
	same '' -n1 ./show
	same '' -L1 ./show
	same '' -0 ./show
	same '' -d, ./show
	same '' -P4 ./show
	same ''

	same '' -r ./show
	same '\n \n\t\n' --no-run-if-empty ./show
	same '' -r -0 ./show
	same '' -r -n2 ./show
	same 'a\n' -r ./show
	same '\0' -r0 ./show
}

@test "bytes are passed as they are" {
	same '\xff\xfe \x80\xc3\xa4\n' ./show
	same '\xc3 \xa4\n' -n1 echo
	same '\x01\x7f\x1b[0m \xa0b\n' ./show
	same '\xff\n' -I '\xff' ./show '\xff'
	same '\xe4\n' -I{} ./show '{}-{}'
}

@test "NUL bytes end an argument without -0, with a warning" {
	same_complaint 'a\0b c\n' ./show
	same_complaint '\0 c\n' ./show
	same_complaint 'a\0b\nc\0\n' -n1 ./show
	same 'a\0b\nc\n' -d '\n' ./show
}

@test "no command is the command echo" {
	same 'a  b\n"c  d"\n'
	same 'a b c\n' -n2
	same '-n a\n'
	same 'a\0b\0' -0
	same 'a\n' -t
}

@test "arguments are not split, quoted or expanded again" {
	same '"$HOME" \\* `id` ;|& {} %s\n' ./show
	same '$(id)\n' -I{} ./show {}
	same '"two  words"\n' -I{} sh -c 'printf "%s\n" "$1"' sh {}
	same 'a\n' ./show '*' '$x' '' ' '
}

# Inputs of characters picked by a generator of our own, the same in each run.
@test "inputs of all kinds, with all kinds of options" {
	seed=1
	alphabet=(a b _ ' ' ' ' '\t' '\n' '\n' '\x5c' '"' '"' "'" "'" c '\v')
	for words in '' -n2 -L1 -L2 -I{} -E_ '-n1 -E_' '-L1 -E_' '-I{} -E_' -x '-x -n2'; do
		read -ra options <<<"$words"
		for _ in 1 2; do
			input=
			for _ in {1..12}; do
				seed=$(((seed * 1103515245 + 12345) % 2147483648))
				input+=${alphabet[seed / 65536 % ${#alphabet[@]}]}
			done
			echo "input: $input"
			same "$input" "${options[@]}" ./show {}
		done
	done
}

# --- -0 and -d

@test "-0, --null: only NUL ends an argument, and nothing is special" {
	same 'a b\0c\nd\0' -0 ./show
	same '"a\0\\b\0\x27\0 \0' -0 ./show
	same 'a\0b' --null ./show
	same 'a\0\0b\0' -0 ./show
	same '\0' -0 ./show
	same '\0\0' -0 -n1 ./show
	same ' a \n' -0 ./show
}

@test "-d, --delimiter: one character ends an argument, nothing is special; of -0 and -d the last counts" {
	same 'a,b,,c' -d, ./show
	same 'a,b\n' -d , ./show
	same 'a,b,' --delimiter=, ./show
	same 'a b\n"c"\n\n\\d\n' -d '\n' ./show
	same 'aXbxc' -dX ./show
	same 'a"b"c' -d '"' ./show
	same 'a b' -d ' ' ./show
	same 'a-b' -d- ./show
	same ',' -d, -r ./show

	same 'a\nb\0c' -0 -d '\n' tr a-z A-Z
	same 'a,b\0c' -0 -d , ./show
	same 'a,b\0c' -d , -0 ./show
	same 'a,b;c' -d , -d ';' ./show
}

@test "-d knows the escapes of C, and codes, octal or hexadecimal" {
	same 'a\nb\tc' -d '\n' ./show
	same 'a\nb\tc' -d '\t' ./show
	same 'a\ab\ac' -d '\a' ./show
	same 'a\bb\bc' -d '\b' ./show
	same 'a\fb\fc' -d '\f' ./show
	same 'a\rb\rc' -d '\r' ./show
	same 'a\vb\vc' -d '\v' ./show
	same 'a\\b\\c' -d "\\" ./show
	same 'a\\b\\c' -d "\\\\" ./show

	same 'a\0b\nc' -d '\0' ./show
	same 'aAb' -d '\101' ./show
	same 'aAb' -d '\0101' ./show
	same 'aAb' -d '\x41' ./show
	same 'azb' -d '\x7A' ./show
	same 'azb' -d '\x7a' ./show
	same 'a\x09b' -d '\x9' ./show
}

@test "-d refuses what is not one character" {
	same_status 1 'a' -d ab ./show
	same_status 1 'a' -d '' ./show
	same_status 1 'a' -d '\q' ./show
	same_status 1 'a' -d '\400' ./show
	same_status 1 'a' -d '\x100' ./show
	same_status 1 'a' -d '\x41g' ./show
	same_status 1 'a' -d '\8' ./show
	same_status 1 'a' -d ',,' ./show
	same_status 1 'a' -d 'ä' ./show
}

# --- -a

@test "-a, --arg-file: arguments come from a file, and the command has xargs' input" {
	printf 'a b\nc\n' >given/list
	same 'words\n' -a list sh -c 'echo "$@"; cat' sh
	same 'words\nmore\n' -a list -n1 sh -c 'echo "$0"; cat'
	same 'words\n' --arg-file=list -I{} sh -c 'echo {}; cat'
	same 'words\n' --arg-file list ./show
	: >given/empty
	same 'words\n' -a empty cat
	same 'words\n' -r -a empty cat
}

@test "the command's standard input is /dev/null, also with -a -" {
	same 'a b\n' -a - sh -c 'echo "$@"; cat' sh
	printf x >given/-
	same 'a b\n' -a ./- ./show

	same 'a b\nc\n' -n1 sh -c 'echo "$0"; cat'
	same 'a\nb\n' -I{} sh -c 'echo {}; cat'
	same 'a\n' sh -c 'readlink /proc/self/fd/0'
	same_sorted 'a b c' -P3 -n1 sh -c 'echo "$0"; cat'
}

@test "-a with a file that is not there: exit 1, nothing is run" {
	same_status 1 'a\n' -a nothere ./show
	same_status 1 'a\n' -a '' ./show
	same_status 1 'a\n' -a show/x ./show
}

# --- -E

@test "-E: an argument that is this word ends the input" {
	same 'a b _ c d\n' -E _ ./show
	same 'a\n_\nb\n' -E_ ./show
	same 'a END b\n' -E END ./show
	same '_ a\n' -E_ ./show
	same '_ a\n' -E_ -r ./show
	same 'a\n_\n"\n' -E_ ./show
	same 'a b c _ d\n' -E_ -n2 ./show
	same 'a b\nc _\nd\n' -E_ -L1 ./show
}

@test "-E: the word has to be the whole argument, whatever quotes it had" {
	same 'a _x x_ __ b\n' -E_ ./show
	same 'a "_" b\n' -E_ ./show
	same 'a \\_ b\n' -E_ ./show
	same "a E'N'D b\n" -E END ./show
	same 'a "b c" d\n' -E 'b c' ./show
	same 'a b\\\nc d\n' -E 'b\nc' ./show
}

@test "-E: at the very end of the input, the word counts as the first of its line only" {
	same 'a _' -E_ ./show
	same 'a\n_' -E_ ./show
	same '_' -E_ ./show
	same 'a _ ' -E_ ./show
}

@test "-E with -I: the word has to be the whole line" {
	same 'a\n_\nb\n' -I{} -E_ ./show {}
	same 'a\n  _\nb\n' -I{} -E_ ./show {}
	same 'a\n_ \nb _\nc\n' -I{} -E_ ./show {}
	same 'a b\nc d\ne\n' -I{} -E 'c d' ./show {}
}

@test "-e, --eof: the word is optional, without it there is none; the last one counts" {
	same 'a _ b\n' -e_ ./show
	same 'a _ b\n' -e ./show
	same 'a _ b\n' -e _ ./show
	same 'a _ b\n' --eof=_ ./show
	same 'a _ b\n' --eof ./show
	same 'a _ b\n' --eof= ./show
	same 'a _ b\n' -E '' ./show
	same 'a _ b\n' ./show

	same 'a b _ c\n' -E_ -e ./show
	same 'a b _ c\n' -e -E_ ./show
	same 'a b _ c\n' -E_ -Eb ./show
	same 'a b _ c\n' -e_ -E '' ./show
}

@test "-E means nothing with -0 or -d, which is worth a warning" {
	same_complaint 'a\n_\nb\n' -d '\n' -E_ ./show
	same_complaint 'a\0_\0b' -E_ -0 ./show
}

# --- -I

@test "-I: one command for each line, which replaces the word in all arguments" {
	same 'a\nb c\n' -I{} ./show {}
	same 'a\nb c\n' -I {} ./show {}{} '-{}-' x '{}' '{' '}'
	same 'a\n' -I % ./show % {} %%%
	same 'a\n' -Iab ./show xabx abab aab b
	same 'a\n' -I ä ./show xäx
	same 'a\n' -I{} ./show
	same 'a\n' -I{} ./show ''
	same '{}\n' -I{} ./show {}{}
	same '' -I{} ./show {}
	same 'a\nb' -I{}
}

@test "-I: blanks before a line are dropped, those in and behind it are kept" {
	same '  a  b  \n\tc\t\n' -I{} ./show {}
	same ' \n\n\t\na\n' -I{} ./show {}
	same '\n \n' -I{} ./show {}
	same 'a\r\n\f\vb\n' -I{} ./show {}
}

@test "-I: quotes and backslashes are special still" {
	same '"a  b"  c\n\x27d\x27\n' -I{} ./show {}
	same 'a\\"b\\\\\n' -I{} ./show {}
	same '" a"\n\\ b\n' -I{} ./show {}
	same 'a\\\nb\nc\n' -I{} ./show {}
	same '""\n' -I{} ./show {} x
	same 'a\x5c' -I{} ./show {}
}

@test "-I with -0 or -d: one command for each item, also for an empty one; its name is never replaced" {
	same 'a b\0 c\0' -0 -I{} ./show {}
	same 'a\n\n"b"\n' -d '\n' -I{} ./show {}
	same 'a,b' -d, -I{} ./show {}-{}

	same_status 127 'ls\n' -I{} {} x
	same_status 0 'a\n' -Ishow ./show show
}

@test "-i, --replace: the word is optional, {} without it" {
	same 'a b\n' -i ./show {} %
	same 'a b\n' -i% ./show {} %
	same 'a b\n' -i % ./show
	same 'a b\n' --replace ./show {} %
	same 'a b\n' --replace=% ./show {} %
	same 'a b\n' -i{}x ./show {}xx
}

# --- -L

@test "-L, --max-lines: at most so many lines that are not blank" {
	same 'a b\nc\nd e f\n' -L1 ./show
	same 'a b\nc\nd e f\n' -L 2 ./show
	same 'a\n\nb\n \n\nc\n' -L2 ./show
	same 'a\nb\nc\n' --max-lines=2 ./show
	same 'a\nb\nc' -L1 ./show
	same 'a\nb' -L3 ./show x
	same '\n\na\n' -L1 ./show
	same '"a\\\\"\n\\\nb\nc\n' -L1 ./show
}

@test "-L: a line that ends in a blank, even escaped, but not quoted, goes on in the next that is not blank" {
	same 'a \nb\nc\n' -L1 ./show
	same 'a\t\nb\nc\n' -L1 ./show
	same 'a \n\n\nb\nc\n' -L1 ./show
	same 'a \nb \nc\nd\n' -L1 ./show
	same 'a \n \t\nb\nc\n' -L1 ./show
	same 'a\nb \nc\nd\ne\n' -L2 ./show
	same 'a \n' -L1 ./show
	same 'a ' -L1 ./show

	same 'a "b "\nc\nd\n' -L1 ./show
	same "a ' '\nc\nd\n" -L1 ./show
	same 'a\\ \nb\nc\n' -L1 ./show
	same 'a \\\t\nb\nc\n' -L1 ./show
	same 'a\r\nb \r\nc\n' -L1 ./show
}

@test "-L counts the items of -0 and -d, whatever they end in; -l has an optional number, else 1" {
	same 'a\0b\0\0c \0d\0' -0 -L2 ./show
	same 'a \nb\n\nc' -d '\n' -L1 ./show

	same 'a b\nc\nd\n' -l ./show
	same 'a b\nc\nd\n' -l2 ./show
	same_status 127 'a b\nc\nd\n' -l 2 ./show
	same 'a b\nc\nd\n' --max-lines ./show
	same 'a \nb\nc\n' -rl1 ./show
}

# --- -n, -s and -x

@test "-n, --max-args: at most so many arguments, run in the order of the input" {
	same 'a b c\nd e\n' -n1 ./show
	same 'a b c\nd e\n' -n 2 ./show x
	same 'a b c\nd e\n' --max-args=3 ./show
	same 'a b c\nd e\n' --max-args 5 ./show
	same 'a b c\nd e\n' -n100 ./show
	same 'a b c d\n' -n2 ./show
	same 'a\0b\0c' -0 -n2 ./show
	same 'a b c' -n9999999999 ./show

	seq 50 >input
	same_on_input -n1 echo
	same_on_input -I{} echo {}
}

@test "-s: a command line has at most so many bytes, each argument with its end, also the first ones" {
	same_sizes 'a bb ccc dddd ccc bb a\n' '5 31' -s echo

	same_sizes 'a bb ccc d\n' '12 22' -s echo xx y
	same_sizes 'a bb ccc d\n' '15 28' -s /bin/echo '' 'a b'
}

@test "-s counts bytes, with quotes gone, and empty arguments; with -0 and -d too" {
	same_sizes "'a b' \"\" '' c\\\\\\\\d ''\n" '6 24' -s echo
	same_sizes '\xc3\xa4 \xc3\xa4\xc3\xa4 b\n' '6 18' -s echo

	same_sizes 'a\0bb\0\0ccc\0' '5 18' -0 -s echo
	same_sizes 'a,bb,,ccc' '5 18' -d, -s echo
}

@test "-s with -n: what is reached first ends the command line; with -x it has to be the number, else exit 1" {
	same_sizes 'a bb ccc dddd ee f\n' '9 17' -n2 -s echo
	same_sizes 'a bb ccc dddd ee f\n' '10 19' -s -n3 echo

	same_sizes 'a bb ccc dddd ee f\n' '8 16' -x -n2 -s echo
	same_sizes 'a b cccc dddd e f\n' '10 20' -n3 -s --exit echo
}

@test "-x alone: lines are ended by size, but an argument that does not fit ends all at once" {
	same_sizes 'a bb cccc d eee f\n' '5 20' -x -s echo
}

@test "-s with -L: exit 1 where the lines don't fit" {
	same_sizes 'a bb\nccc d e\nf\n' '7 20' -L1 -s echo
	same_sizes 'a bb\nccc d e\nf\n' '7 24' -s -L2 echo
	same_sizes 'a bb\nccc d e\nf\n' '10 16' -l -s echo
}

@test "-s with -I: exit 1 where the command does not fit" {
	same_sizes 'a\nbbb\ncc\n' '8 16' -I{} -s echo {}
	same_sizes 'a\nbbb\ncc\n' '12 24' -s -I{} echo x{}{} {}
	same_sizes 'a b\nc\n' '9 16' -I{} -s -x echo {}
}

@test "an argument that is too long: what was read before is run, exit 1" {
	same_status 1 'a b cccccccccccccccc d\n' -s 15 echo
	same_status 1 'cccccccccccccccc d\n' -s 15 echo
	same_status 1 'a b cccccccccccccccc d\n' -n1 -s 15 echo
	same_status 1 'a\nb\ncccccccccccccccc\nd\n' -L1 -s 15 echo
	same_status 1 'a\0cccccccccccccccc\0' -0 -s 15 echo
	same_status 1 'a\n' -s 7 echo first
}

@test "-s with a size of no use" {
	same_status 1 'a\n' -s 0 echo
	same_status 1 'a\n' -s -5 echo
	same_status 1 'a\n' -s 1 echo
	same_status 1 'a\n' -s x echo
	same_status 1 'a\n' -s 10k echo
	same_status 1 'a\n' --max-chars= echo
	same_status 0 'a b\n' -s 99999999 echo
	same_status 0 'a b\n' --max-chars=99999999999999999999 echo
}

@test "an argument of 128 KiB: too long for the default size, and for the system" {
	printf 'a %131066d b\n' 0 | tr ' ' 0 | sed 's/^a0/a /; s/0b$/ b/' >input
	same_on_input echo
	{ printf 'a ' && printf '%0131067d' 0 && echo ' b'; } >input
	same_on_input echo
	same_on_input -s 200000 echo
	{ printf 'a ' && printf '%0131072d' 0 && echo ' b'; } >input
	same_on_input -s 200000 echo
	same_on_input -s 200000 -n1 echo
	[ "$(tail -n 1 ours.out)" = "exit 1" ]
}

@test "many arguments: as many in each command line as GNU xargs puts there" {
	seq 100000 >input
	same_on_input
	same_on_input echo some words first
	same_on_input -s 20000 echo
	same_on_input -n 5000 echo
	same_on_input -L 7000 echo
	same_on_input -s 1000000 sh -c 'echo $#; echo "$*" | cksum'
}

@test "many arguments: more than the system takes at once reach the command all the same" {
	seq 300000 >input
	play theirs "$reference" -s 2000000 echo
	play ours "${subject[@]}" -s 2000000 echo
	cmp <(tr ' ' '\n' <theirs.out) <(tr ' ' '\n' <ours.out)
}

# --- Which one counts

@test "of -I, -L and -n the last one counts" {
	for words in '-I{} -L1' '-L1 -I{}' '-I{} -n2' '-n2 -I{}' '-L1 -n2' '-n2 -L1'; do
		read -ra options <<<"$words"
		same_complaint 'a b c\nd\n' "${options[@]}" ./show x{}
	done

	for words in '-I{} -L1 -n2' '-I{} -n2 -L1' '-L1 -I{} -n2' '-L1 -n2 -I{}' \
		'-n2 -I{} -L1' '-n2 -L1 -I{}'; do
		read -ra options <<<"$words"
		same_complaint 'a b c\nd\n' "${options[@]}" ./show x{}
	done
}

@test "-n1 after -I changes nothing, but before it, or after -L between, it does" {
	same 'a b\nc\n' -I{} -n1 ./show {}
	same_complaint 'a b\nc\n' -n1 -I{} ./show {}
	same_complaint 'a b\nc\n' -I{} -L1 -n1 ./show {}
	same 'a b\nc\n' -i -n 1 ./show {}
	same_complaint 'a b\nc\n' -I{} -n1 -L1 ./show {}
}

@test "of the same option given twice the last one counts" {
	same 'a b c\n' -n1 -n2 ./show
	same 'a\nb\nc\n' -L1 -L2 ./show
	same 'a\nb\nc\n' -l -L2 ./show
	same 'a\n' -I{} -I% ./show {} %
	same 'a bb ccc\n' -s 9 -s 30 echo
	same 'a b c\n' -P2 -P1 -n1 ./show
}

# --- Exit statuses

@test "exit 0 where all commands exit 0" {
	same_status 0 'a b\n' -n1 true
	same_status 0 'a b\n' sh -c 'exit 0'
}

@test "exit 123 where a command exits 1 to 254, and the others are run" {
	for status in 1 2 123 124 125; do
		same_status 123 "0\n$status\n0\n" -n1 sh -c 'echo "$0"; exit "$0"'
	done
	same_status 123 '' sh -c 'exit 3'
	same_status 123 'a\nb\n' -I{} sh -c 'echo {}; exit 1'
	same_status 123 'a b' -P2 -n1 false

	for status in 126 127 128 137 254; do
		same_status 123 "0\n$status\n0\n" -n1 sh -c 'echo "$0"; exit "$0"'
	done
}

@test "exit 124 where a command exits 255, and no other is started" {
	same_status 124 '0\n255\n0\n' -n1 sh -c 'echo "$0"; exit "$0"'
	same_status 124 'a\nb\n' -I{} sh -c 'echo {}; exit 255'
	same_status 124 'a b c' -L1 sh -c 'echo "$@"; exit 255' sh
	same_status 124 'a "b\n' -n1 sh -c 'exit 255'
}

@test "exit 125 where a signal ends a command, and no other is started" {
	for signal in KILL TERM HUP SEGV; do
		same_status 125 "a b\n" -n1 sh -c 'echo "$1"; kill -"$0" $$' "$signal"
	done
	same_status 125 'a\nb\n' -I{} sh -c 'echo {}; kill -TERM $$'
}

@test "exit 126 where the command cannot be run" {
	: >given/notexec
	same_status 126 'a b\n' -n1 ./notexec
	same_status 126 'a\n' .
	same_status 126 'a\n' ./show/x
	same_status 126 '' ./notexec
	same_status 0 '' -r ./notexec
	same_status 126 'a\nb\n' -I{} ./notexec {}
}

@test "exit 127 where there is no such command" {
	same_status 127 'a b\n' -n1 no-such-command
	same_status 127 'a\n' ./nosuch/command
	same_status 127 'a\n' ''
	same_status 127 '' no-such-command
	same_status 0 '' -r no-such-command
	same_status 127 'a b' -P4 -n1 no-such-command
}

@test "a script without #! is run by the shell" {
	echo 'echo "script $1"' >given/script
	chmod +x given/script
	same 'a b\n' ./script
}

@test "exit 123 outlives a later exit 1 and 127" {
	same_status 123 'a "b\n' -n1 false
	printf '#!/bin/sh\nrm "$0"\nexit 1\n' >given/once
	chmod +x given/once
	same_status 123 'a b\n' -n1 ./once
}

@test "usage errors exit 1 and run nothing; blanks, a plus and zeroes before numbers are none" {
	for words in --bogus -Z '-n0' '-n x' '-n' '-n -1' '-n1x' '-n 0x2' '-L0' '-L x' '-L -1' \
		'-l0' '-lx' '-P -1' '-P x' '-P 99999999999' '--max-args' '--null=x' '--max=1' '--n' '--e' \
		'--ver' '--process-slot-var=a=b'; do
		read -ra options <<<"$words"
		same_status 1 'a\n' "${options[@]}"
	done

	same 'a b c\n' -n ' 2' ./show
	same 'a b c\n' -n +2 ./show
	same 'a b c\n' -n 010 ./show
	same 'a\nb\n' -L 01 ./show
}

# --- -P

@test "-P, --max-procs: the same commands, in whatever order" {
	same_sorted 'a b c d e f g h\n' -P4 -n1 ./show
	same_sorted 'a b c d e f g h\n' --max-procs=2 -n3 ./show
	same_sorted 'a b c d e f g h\n' -P0 -n1 ./show
	same_sorted 'a\nb c\nd\n' -P 3 -I{} ./show {} x
	same_sorted 'a\nb c\nd\n' -P3 -L1 ./show
	same_sorted 'a b c d' -P100 -n1 ./show
	same_sorted 'a b 1 c' -P4 -n1 sh -c '[ "$0" != 1 ]'
	same 'a b c d\n' -P1 -n1 ./show
}

# Three commands that end only after all three run.
@test "-P3, -P0: three commands run at once, in the slots 0, 1 and 2" {
	mkfifo given/1.fifo given/2.fifo
	for jobs in -P3 -P0; do
		same_sorted '1 2 3\n' "$jobs" -n1 --process-slot-var=SLOT sh -c '
			case $0 in
			3) echo >1.fifo && echo >2.fifo ;;
			*) read -r _ <"$0.fifo" ;;
			esac
			echo "$0 of slot $SLOT"'
	done
}

@test "--process-slot-var: without -P, the slot is 0, whatever it was before" {
	export SLOT=7
	same 'a b c\n' -n1 --process-slot-var=SLOT sh -c 'echo "$0 $SLOT"'
	same 'a b c\n' --process-slot-var=NONE --process-slot-var=SLOT sh -c 'echo "$0 $SLOT $NONE"'
	same 'a\nb\n' --process-slot-var SLOT -I{} sh -c 'echo {} $SLOT'
	same 'a\n' sh -c 'echo $SLOT'
	"${subject[@]}" -P2 -n1 --process-slot-var=SLOT sh -c 'echo $SLOT' <<<'a b c d e f g h i j' >slots
	[ "$(wc -l <slots)" -eq 10 ]
	grep -c '^[01]$' slots | grep -qx 10
}

@test "-P: exit 124 and 125 as without, the signals USR1 and USR2 do not end it" {
	same_status 124 '1 2\n' -P2 -n1 sh -c '[ "$0" = 1 ] || exit 255'
	same_status 125 '1 2\n' -P2 -n1 sh -c '[ "$0" = 1 ] || kill -TERM $$'
	same 'a\n' -P1 sh -c 'kill -USR1 $PPID; kill -USR2 $PPID; echo "$0"'
}

# The input gets its second line only after the first one's command has run.
@test "a command is run as soon as its arguments are read" {
	for words in -n2 -L1 -I{} '-n2 -P2' '-d\n -n1'; do
		read -ra options <<<"$words"
		echo "${options[@]}"
		for tool in "$reference" "${subject[*]}"; do
			read -ra tool <<<"$tool"
			rm -f ran
			mkfifo ran
			{ echo 'a b' && timeout 20 head -n 1 ran >/dev/null && echo c; } |
				timeout 20 "${tool[@]}" "${options[@]}" sh -c 'case $* in *c*) ;; *) echo >ran ;; esac' sh {}
		done
	done
}

# --- Words

@test "-t, --verbose: commands are shown on standard error, quoted for a shell, before they are run" {
	same_complaint 'a b c\n' -t -n2 echo x
	grep -q 'echo x a b' ours.err
	grep -q 'echo x c' ours.err
	same_complaint 'a\n' --verbose -I{} echo x{}
	grep -q 'echo xa' ours.err
	same_complaint 'a\n' -t false
	same '' -t -r false
	same_complaint 'a\n' -t sh -c 'exec >&2; echo "$0 runs"'
	diff <(tail -n 1 theirs.err) <(tail -n 1 ours.err)

	same_complaint '"a  b" "it\x27s" "" $x\n' -t ./show '*'
	head -n 1 ours.err >line
	(cd ours && sh ../line) >again
	diff again <(head -n 1 ours.out)
}

@test "-p and -o without a terminal: nothing is run" {
	printf 'a b\n' >input
	for option in -p --interactive; do
		play theirs setsid -w "$reference" "$option" -n1 touch
		play ours setsid -w "${subject[@]}" "$option" -n1 touch
		agree
	done

	printf 'a\n' >input
	play ours setsid -w "${subject[@]}" -o touch
	[ ! -e ours/a ]
	[ -s ours.err ]
	[ "$(tail -n 1 ours.out)" != "exit 0" ]
}

@test "-p: what begins with y is consent" {
	printf 'a b c d e f\n' >given/list
	same_at_terminal 'y\nn\nYes\n\nno\nyy\n' -a list -p -n1 touch
	[ -e ours/a ] && [ ! -e ours/b ] && [ -e ours/c ] && [ ! -e ours/d ]
}

@test "-o, --open-tty: the command's standard input is the terminal, which it can open, too" {
	printf 'a b\n' >given/list
	same_at_terminal 'word\nother\n' -a list --open-tty -n1 sh -c 'test -t 0 && read -r x </dev/tty; echo "$x" >"$0"'
	[ "$(cat ours/a)" = word ]
	[ "$(cat ours/b)" = other ]
}

@test "--show-limits tells on standard error, and goes on" {
	same_complaint '' --show-limits
	same_complaint '' --show-limits -r
	same_complaint 'a b\n' --show-limits -n1 ./show
}

@test "--help and --version tell on standard output, and exit 0" {
	for option in --help --version; do
		run "$reference" "$option"
		[ "$status" -eq 0 ]
		"${subject[@]}" "$option" </dev/null >out 2>err
		[ -s out ]
		[ ! -s err ]
	done
}

# --- Options, and what is none

@test "options end at the command, or at --, and none come from the input" {
	same 'a\n' ./show -n1 -I --bogus
	same 'a b\n' -- ./show
	same 'a b\n' -n1 -- ./show -- -n2
	same 'a b\n' ./show --
	same_status 127 'a\n' -- -n
	same 'a\n' -I{} ./show -- -{} --{}
	same 'a b\n' --

	same '-n1 --help --version -- -0\n' ./show
	same '-a\n--bogus\n' -n1 ./show
	same '--\n' -I{} ./show {}
}

@test "short options may be written together" {
	same 'a\0b\0' -0n1 ./show
	same 'a\0b\0' -0n 1 ./show
	same 'a\0b c\0' -0I{} ./show {}
	same_complaint 'a\0b c\0' -n1 -0I{} ./show {}
	same '' -0r ./show
	same_sorted 'a\0b\0c' -r0P2n1 ./show
	same_complaint 'a b\n' -txn1 -s30 ./show
	same 'a,b' -rd, ./show
	same_status 1 'a\n' -0Zn1 ./show
}

@test "long options may be abbreviated, as long as they are one" {
	same 'a b\n' --max-a=1 ./show
	same 'a b\nc\n' --max-l=1 ./show
	same 'a b\nc\n' --max-l ./show
	same 'a bb cc\n' --max-c 10 echo
	same_sorted 'a b c\n' --max-p 2 -n1 ./show
	same 'a\0b' --nu ./show
	same 'axb' --delim=x ./show
	same 'axb' --d x ./show
	same 'a _ b\n' --eo=_ ./show
	same 'a b\n' --ex ./show
	same '' --no ./show
	same 'a b\n' --rep ./show {}
	same '' --arg=/dev/null ./show x
	same_complaint 'a\n' --verb ./show
}

# --- Surroundings

@test "the command has the signals of xargs, no others" {
	# The last seven digits: those from 32 on are the C library's.
	local signals='grep -E "^Sig(Blk|Ign)" "$0" | sed "s/[0-9a-f]*\([0-9a-f]\{7\}\)$/\1/"'
	same '/proc/self/status\n' sh -c "$signals"
	same '/proc/self/status\n' -P2 -I{} sh -c "$signals" {}
	printf 'a b\n' >input
	play theirs env --ignore-signal=CHLD "$reference" -n1 sh -c 'exit 3'
	play ours env --ignore-signal=CHLD "${subject[@]}" -n1 sh -c 'exit 3'
	agree
}

@test "the command has the surroundings of xargs: variables, directory, output" {
	WORD='a  b' same 'x\n' sh -c 'echo "$WORD"'
	same 'a b\n' -n1 touch
	[ -e ours/a ]
	same 'a\n' sh -c 'echo words >&2; echo "$0"'
	[ "$(cat ours.err)" = words ]
	same 'out err\n' -n1 sh -c 'echo "$0"; echo "$0" >&2'
	diff theirs.err ours.err
	env -i PATH="$PATH" "$reference" env <<<A=1 >theirs.out
	env -i PATH="$PATH" "${subject[@]}" env <<<A=1 >ours.out
	diff <(grep -E '^(A|PATH)=' theirs.out) <(grep -E '^(A|PATH)=' ours.out)
}

@test "an item beyond every size is refused before all of it was read" {
	run timeout 30 bash -c 'yes a | tr -d "\n" | leat --as xargs echo'
	[ "$status" -eq 1 ]
	[[ "$output" == *"too long"* ]]
	same_status 1 '' -s 10 echo aaaaaaaaaaaaaaaaaaaaaaaa
}
