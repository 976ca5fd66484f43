#!/usr/bin/env bats
# Records as arguments: leat COMMAND, leat -c SCRIPT, ::: and its kin.
load helper

# Files with the names that hurt, made for real in "names"; each name with a NUL in "list".
make_names() {
	mkdir names
	cd names || return
	touch -- 'a b' "it's" '"quoted"' $'new\nline' -n -- '$(touch hurt)' '`touch hurt`' \
		$'\xff\xfe' $'tab\tbed' '*' 'a;touch hurt' 'back\slash' '{}' '{.}' ' ' $'\x01\x1b[31m'
	find . -type f -printf '%P\0' | LC_ALL=C sort -z >../list
}

@test "a record is the last argument of a command, byte for byte, without a shell" {
	make_names
	leat -0 -k -j4 printf '%s\0' <../list >../got
	cmp ../got ../list
	leat -0 -k wc -c -- <../list >../got
	[ "$(wc -l <../got)" -eq 17 ]
	[ ! -e hurt ]
}

@test "the same by :::, and in place of {}" {
	make_names
	mapfile -d '' -t names <../list
	leat -k printf '%s\0' ::: "${names[@]}" >../got
	cmp ../got ../list
	leat -k printf '%s\0' {} ::: "${names[@]}" >../got
	cmp ../got ../list
	leat -k -I @ printf '%s\0' @ ::: "${names[@]}" >../got
	cmp ../got ../list
}

@test "the same by -c, as \$1, as {} and within words" {
	make_names
	leat -0 -k -c 'printf "%s\0" "$1"' <../list >../got
	cmp ../got ../list
	leat -0 -k -c 'printf "%s\0" {}' <../list >../got
	cmp ../got ../list
	leat -0 -k -c 'printf "%s\0" x{}y' <../list >../got
	LC_ALL=C sed -z 's/.*/x&y/' ../list | cmp ../got -
	[ ! -e hurt ]
}

@test "files that such names stand for are found" {
	make_names
	leat -0 rm -- <../list
	[ "$(ls -A)" = "" ]
}

@test "{} and its kin stand for a value and parts of its path" {
	run leat -k -j1 echo {} {.} {/} {//} {/.} {#} {%} x{}y{/.} ::: a/b.c d
	[ "$output" = "$(printf '%s\n' 'a/b.c a/b b.c a b 1 1 xa/b.cyb' 'd d d . d 2 1 xdyd')" ]
}

@test "a backslash before a brace makes it ordinary text" {
	run leat echo '\{} \{.} {}' ::: a
	[ "$output" = '{} {.} a' ]
}

@test "several sources are combined, the last one fastest; {1} {2} {-1} are their values" {
	run leat -k echo {2}{1}{-1} ::: a b ::: c d
	[ "$output" = "$(printf '%s\n' cac dad cbc dbd)" ]
	printf '1\n2\n' >file
	run leat -k echo ::: a b :::: file
	[ "$output" = "$(printf '%s\n' 'a 1' 'a 2' 'b 1' 'b 2')" ]
}

@test ":::+ and --link go in step" {
	run leat -k echo ::: a b c :::+ d e
	[ "$output" = "$(printf '%s\n' 'a d' 'b e')" ]
	run leat -k --link echo ::: a b c ::: d e
	[ "$output" = "$(printf '%s\n' 'a d' 'b e' 'c d')" ]
	run leat -k echo ::: a b :::+ c d ::: e f
	[ "$output" = "$(printf '%s\n' 'a c e' 'a c f' 'b d e' 'b d f')" ]
}

@test "::: also gives whole commands" {
	run leat -k ::: 'echo one' 'exit 3; :' 'echo three | tr e E'
	[ "$status" -eq 123 ]
	[[ "$output" == *one*"task 2: exit 3"*thrEE* ]]
}

@test "an empty source means no tasks" {
	run leat --summary echo :::
	[ "$status" -eq 0 ]
	[[ "$output" == "leat: 0 tasks in "* ]]
	run leat echo ::: a b ::: </dev/null
	[ "$output" = "" ]
}

@test "-C splits records, --header names the values" {
	run leat -k -C , echo {2}-{1} < <(printf 'a,b\nc,d,e\n')
	[ "$output" = "$(printf '%s\n' b-a d-c)" ]
	run leat -k -C '\t' --header echo {name}:{1}:{size.} < <(printf 'name\tsize\na b\t1.5\n')
	[ "$output" = 'a b:a b:1' ]
	run leat -k --header echo {x}{y} ::: x 1 2 ::: y 3
	[ "$output" = "$(printf '%s\n' 13 23)" ]
}

@test "--trim drops blanks around values" {
	run leat -k --trim lr echo '[{}]' < <(printf '  a b \n\tc\n')
	[ "$output" = "$(printf '%s\n' '[a b]' '[c]')" ]
	run leat -k --trim l echo '[{}]' < <(printf ' a \n')
	[ "$output" = '[a ]' ]
}

@test "--shuf: all tasks, in the order that --seed makes" {
	seq 100 >in
	leat -j1 --shuf --seed 7 -a in echo >one
	leat -j1 --shuf --seed 7 -a in echo >two
	cmp one two
	run cmp -s one in
	[ "$status" -eq 1 ]
	sort -n one | cmp - in
}

@test "-n: N records for each task; a word with {} stands once for each" {
	run leat -k -n 2 echo < <(seq 5)
	[ "$output" = "$(printf '%s\n' '1 2' '3 4' 5)" ]
	run leat -k -n 2 echo x{}y . {1} < <(seq 3)
	[ "$output" = "$(printf '%s\n' 'x1y x2y . 1' 'x3y . 3')" ]
	run leat -k -n 2 -c 'echo $# {}' < <(seq 3)
	[ "$output" = "$(printf '%s\n' '2 1 2' '1 3')" ]
}

@test "-X: as many as fit, and at the end evenly over the slots" {
	run leat -k -j4 -X echo < <(seq 10)
	[ "$output" = "$(printf '%s\n' '1 2 3' '4 5 6' '7 8' '9 10')" ]
	run leat -k -j3 -X -n 2 echo < <(seq 4)
	[ "${#lines[@]}" -eq 3 ]
	seq 300000 | leat -k -j2 -X echo >got
	[ "$(tr ' ' '\n' <got | cksum)" = "$(seq 300000 | cksum)" ]
	[ "$(wc -l <got)" -lt 20 ]
}

@test "-s: no command of more bytes; what does not fit alone fails alone, by name" {
	run leat -k -j1 -X -s 12 echo < <(printf '%s\n' aa bb cc dddddddddddddd ee)
	[ "$status" -eq 123 ]
	[ "${lines[0]}" = 'aa bb' ]
	[ "${lines[1]}" = 'cc' ]
	[[ "${lines[2]}" == "leat: task 3: cannot be run: it is too large: echo dddddddddddddd" ]]
	[ "${lines[3]}" = ee ]
}

@test "a value too long for the kernel fails alone, the others run" {
	{ echo a; head -c 200000 /dev/zero | tr '\0' x; echo; echo b; } >in
	run leat -j1 -k -X -a in sh -c 'echo $#' sh
	[ "$status" -eq 123 ]
	[[ "$output" == *"task 2: cannot be run: Argument list too long"* || "$output" == *"task 2: cannot be run: it is too large"* ]]
	[ "${lines[0]}" = 1 ]
	[ "${lines[2]}" = 1 ]
}

@test "a record with a NUL byte fails by name, the others run" {
	run leat -k -d , echo < <(printf 'a,b\0c,d')
	[ "$status" -eq 123 ]
	[ "${lines[0]}" = a ]
	[[ "${lines[1]}" == "leat: task 2: cannot be run: there is a NUL byte in it: echo "* ]]
	[ "${lines[2]}" = d ]
}

@test "a program that is not there: exit 127 by name" {
	run leat no-such-program ::: a
	[ "$status" -eq 123 ]
	[[ "${lines[0]}" == "leat: task 1: not found: no-such-program a" ]]
}

@test "--stdin record: the values are the task's standard input, and no arguments" {
	run leat -k --stdin record cat ::: one 'two  x'
	[ "$output" = "$(printf '%s\n' one 'two  x')" ]
	run leat -k -n 2 --stdin record wc -l < <(seq 3)
	[ "$output" = "$(printf '%s\n' 2 1)" ]
}

@test "--stdin inherit: a task reads leat's standard input" {
	run leat -j1 --stdin inherit head -c 2 -- ::: - < <(printf ab)
	[[ "$output" == *ab ]]
}

@test "--chdir and --env, with replacements" {
	mkdir one two
	run leat -k --chdir {} --env 'HERE=x{#}' -c 'basename "$PWD"; echo $HERE; :' ::: one two
	[ "$output" = "$(printf '%s\n' one x1 two x2)" ]
	run leat --chdir none pwd ::: a
	[[ "${lines[0]}" == "leat: task 1: cannot be run: there is no such directory: none: pwd a" ]]
	run env LEAT_TEST=old leat --env LEAT_TEST=new -c 'env | grep -c ^LEAT_TEST; echo $LEAT_TEST' ::: a
	[ "$output" = "$(printf '%s\n' 1 new)" ]
}

@test "--unrun: values of several columns and sources come back as records" {
	printf 'n,v\n1,2\n3,4\n' >in
	leat --header -C , -a in --deadline 0 --unrun rest echo {v} || :
	cmp rest in
	leat --deadline 0 --unrun rest echo ::: a b ::: c || :
	[ "$(cat rest)" = "$(printf 'a\tc\nb\tc')" ]
	leat -k -C '\t' -a rest echo {2} {1} >got
	[ "$(cat got)" = "$(printf 'c a\nc b')" ]
}

@test "--unrun: a value that would not come back as it was is left out, told, and exit 125" {
	run leat --deadline 0 --unrun rest rm ::: a $'x\ny' b
	[ "$status" -eq 125 ]
	[[ "$output" == *"leat: rest lacks 1 of the unrun: a value holds what ends a record (-0) or parts it (-C)"* ]]
	[ "$(cat rest)" = "$(printf 'a\nb')" ]
	run leat --deadline 0 --unrun rest rm ::: a $'x\ty' ::: b
	[ "$status" -eq 125 ]
	[ "$(cat rest)" = $'a\tb' ]
	run leat -0 --deadline 0 --unrun rest rm ::: $'x\ny' $'a\tb'
	[ "$status" -eq 124 ]
	leat -0 -k -a rest printf '%s|' >got
	[ "$(cat got)" = $'x\ny|a\tb|' ]
}

@test "--dry-run and -t show a command as one would type it" {
	run leat -k --dry-run printf '%s x\n' ::: 'a b' "it's"
	[ "$output" = "$(printf '%s\n' "printf '%s x\\n' 'a b'" "printf '%s x\\n' 'it'\\''s'")" ]
	[ "$(sh <<<"$output")" = "$(printf '%s\n' 'a b x' "it's x")" ]
	run leat --dry-run -c 'echo "$1" {}' ::: 'a b'
	[ "$(sh <<<"$output")" = 'a b a b' ]
}

@test "an endless first source is combined as it comes" {
	leat -j1 echo :::: <(yes x) ::: a b 2>/dev/null | head -n 3 >got || :
	[ "$(cat got)" = "$(printf '%s\n' 'x a' 'x b' 'x a')" ]
}

@test "a cancelled run counts what the sources would have given" {
	run leat -j1 --deadline 0 echo ::: a b c ::: 1 2
	[ "$status" -eq 124 ]
	[[ "$output" == "leat: 6 tasks in "*": 6 unrun" ]]
}

@test "-X --stdin record: an endless producer is fine" {
	yes | leat -X -j2 --stdin record wc -l 2>/dev/null | head -n 2 >../got || :
	[ "$(wc -l <../got)" -eq 2 ]
}

@test "-X: what fits leaves room on a small stack" {
	(
		ulimit -s 128
		seq 100000 | leat -X -k -j2 echo >got
	)
	[ "$(tr ' ' '\n' <got | cksum)" = "$(seq 100000 | cksum)" ]
}
