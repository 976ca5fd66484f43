#!/usr/bin/env bats
# leat --as parallel next to GNU parallel: the same input, the same output and status.
load helper

setup_file() {
	mkdir -p "$BATS_FILE_TMPDIR/home/.parallel"
	: >"$BATS_FILE_TMPDIR/home/.parallel/will-cite"
	[[ $(parallel --version 2>&1 || :) == "GNU parallel "* ]] || export NO_REFERENCE=1
}

setup() {
	[ -z "${NO_REFERENCE:-}" ] || skip "GNU parallel is not installed"
	cd "$BATS_TEST_TMPDIR" || return
}

export HOME=$BATS_FILE_TMPDIR/home
unset PARALLEL PARALLEL_HOME PARALLEL_SHELL PARALLEL_SEQ PARALLEL_PID PARALLEL_JOBSLOT
reference=(parallel --will-cite)
read -ra subject <<<"${SUBJECT:-leat --as parallel}"

# Run both on the input $1 (in printf(1)'s %b notation), with the arguments behind it, each
# in a fresh directory (files that a test gives are at ../), and compare their statuses.
both() {
	printf '%b' "$1" >input
	printf '%q ' parallel "${@:2}"
	rm -rf reference subject
	mkdir reference subject
	theirs=0 ours=0
	(cd reference && exec "${reference[@]}" "${@:2}") <input >reference.out 2>reference.err || theirs=$?
	(cd subject && exec "${subject[@]}" "${@:2}") <input >subject.out 2>subject.err || ours=$?
	echo "exits $theirs, and here $ours"
	cat subject.err
	[ "$ours" -eq "$theirs" ]
}

# The same standard output, too.
same() {
	both "$@" || return
	diff -a reference.out subject.out
}

# The same lines, in whatever order.
same_lines() {
	both "$@" || return
	diff -a <(sort reference.out) <(sort subject.out)
}

# The same files below the directory that it ran in, whatever it wrote to standard output.
same_files() {
	both "$@" || return
	[ -n "$(ls -A reference)" ] || return
	diff -r reference subject
}

# The same output, and a word on standard error.
same_aloud() {
	same "$@" || return
	[ -s reference.err ] && [ -s subject.err ]
}

# A usage error: exit 255, with a word on standard error.
refused() {
	both "$@" || return
	[ "$ours" -eq 255 ] && [ -s subject.err ]
}

# Values that mean something to a shell, one a line.
awkward='a b\n  lead\ntrail  \nd"q\ns'\''q\n$(echo x)\n`echo x`\n$HOME\nback\\\\slash\n*\n~\n#\n!!\n'\
';ls\n&\n|\n<>\n(\n{a,b}\n[x]\n-n\n--tag\ntab\\ttab\n=\n^%%@+:,\n\xff\xfe\n\xc3\xa9\n'\'\''\n\n'

@test "without a command the lines are commands, those that fail are counted" {
	same 'echo a\n\n  echo b; echo c | tr c d\nfalse\nx=1; echo "$x  $x" # note\n(exit 3)\n' -k
	same '' -k ::: 'echo a  b | tr a c' false 'echo "a  b"'
	same '' -k
}

@test "a command without a replacement string gets the value appended" {
	same "a b\nc\n" -k echo
	same "a b\nc\n" -k echo x 'y  z'
	same "a\nb" -k 'echo x; echo y'
	same 'a\r\nb\r\n' -k echo
}

@test "several arguments make one shell command, joined by spaces" {
	same 'a  b\n' -k echo '{}' '|' tr a b';' echo '$HOME' '"x  y"' 'z  z'
	same 'a  b\n' -k 'echo {} | tr a b; for i in 1 2; do echo $i-{}; done'
	same 'x\n' -k --dry-run echo '' ' ' '{}' ';' '*'
}

@test "a command may have several lines" {
	same '' -k $'if [ {} = a ]\nthen echo yes\nelse\n\techo no {}\nfi' ::: a b
	same '' -k $'echo {}\n' ::: a b
}

@test "values reach the command as they are, whatever is in them" {
	same "$awkward" -k printf "'[%s]\n'"
	same "$awkward" -k printf "'[%s]\n' x{}y {}"
	same '' -k printf "'[%s]\n'" ::: '' 'a b' $'\t' -n
}

@test "--dry-run shows the commands, with values quoted where need be, and runs none" {
	same "$awkward" -k --dry-run 'echo x{} {.}'
	same '' -k --dry-run echo  ::: '' "'" "''" "'a'b'" a/b_c-d.e+f a:b a,b a=b a@b a%b %
	same_lines 'touch made\n' --dryrun
	[ ! -e subject/made ]
}

@test "a value is quoted within quotes, too, but not where it begins the command" {
	same '' -k echo '"{}"' "'{}'" ::: 'a b' c '$x'
	same '' -k '{} x' ::: 'echo a  b' echo
	same '' -k --dry-run 'a={} ; echo "$a"' ::: 'echo a  b' 'c$d'
	same '' -k '{.}' ::: 'echo a  b.c'
}

@test "-q quotes the command: no shell syntax in it has a meaning" {
	same "$awkward" -k -q printf '[%s]\n' '{} | x' '$HOME' "it's" '' 'a  b' '*'
	same 'x  y\n' -k --quote sh -c 'echo "$1"; echo "$HOME"' -
	same "a b\n" -k -q --dry-run perl -e '$_={};'
}

@test "{} {.} {/} {//} {/.}: the value, and the parts of its path" {
	same '' -k 'echo {} {.} {/} {//} {/.}' ::: /a/b.c/d.e.f a.b .hid /x x/ a/b/ ./a ../a.b \
		'a b/c d.e f' a. /a.b/c a/.b 'x y.z w' ''
	same '' -k 'echo {.}{.} a{/}b{//}c' ::: d/e.f
}

@test "{#} {%}: the number of the job, and its slot" {
	same '' -k 'echo {#} {}' ::: a b c
	same '' -j1 'echo {#}:{%} {}' ::: a b c
	same 'a\nb\n' -k -N2 'echo {#} {1} {2}'
}

@test "{1} {2.} {-1} {1/} {2//} {1/.}: values by their place, from either end" {
	same '' -k 'echo {1} {2.} {-1} {-2/} {1/} {2//} {2/.}' ::: a/b.c d ::: e/f.g
	same '' -k echo '[{3}]' '{2}' ::: a b ::: c d
	same '' -k echo '{}' '{}' ::: a b ::: 'c d'
	same '' -k 'echo {12}{2}{1}' ::: a ::: b
}

@test "-I names another {}" {
	same '' -k -I ,, 'echo ,, {} {.} ,,x' ::: a.b
	same '' -k -I@ echo @ @. ::: 'a b.c'
}

@test "what is in braces and no replacement string stays" {
	same '' -k 'echo {x} {.x} {..} {+/} {:-a}' '{' '}' '{ }' '{}' '{{}}' ::: a
	same '' -k echo '${HOME}' 'x={};' echo '"${x}"' ::: a
}

names='\na/b.c/d.e.f.g\na.b.c\n.x.y\nfoobarbaz\nFoo.tar.gz\nnoext\nabcabc\na b\n'

@test "--plus: more of the parts of a path" {
	same "$names" -k --plus 'echo {..}: {...}: {/..}: {/...}:'
	same "$names" -k --plus 'echo {+/}: {+.}: {+..}: {+...}: {1..}: {1+/}:'
}

@test "--plus: what takes an expression is refused by name" {
	for text in '{:-word}' '{:2}' '{##}' '{%.gz}' '{/a/b}' '{^a}'; do
		run "${subject[@]}" --plus echo "$text" ::: a
		[ "$status" -eq 255 ]
		[[ "$output" == *"$text is not supported"* ]]
	done
}

@test "::: gives values, several give all combinations, the last changes fastest" {
	same '' -k echo ::: a b ::: c d ::: e f
	same '' -k 'echo {2} {1}' ::: a 'b b' ::: c d
	same '' -k echo ::: a b ::: ''
	same '' -k echo :::
}

@test ":::: gives lines of files, - those of standard input" {
	printf '1\n2 2\n\n3' >f
	printf 'A\nB\n' >g
	same '' -k echo :::: ../f ../g
	same '' -k echo ::: x y :::: ../f
	same 'i\nj\n' -k echo :::: - ../g
	refused '' echo :::: ../none
}

@test ":::+ and ::::+ pair values with those of the source before, as many as the shorter has" {
	printf '1\n2\n3\n' >f
	same '' -k echo ::: a b :::+ c d e
	same '' -k echo ::: a b c :::+ d e
	same '' -k echo ::: x y ::: a b :::+ c d :::+ e f
	same '' -k echo ::: a b :::+ c d ::: x y
	same '' -k 'echo {2} {1}' ::: a b ::::+ ../f
	same '' -k echo :::: ../f :::+ a b
}

@test "--link pairs the values of all sources, the shorter begin again" {
	printf '1\n2\n3\n' >f
	same '' -k --link echo ::: a b c d e ::: f g
	same '' -k --link 'echo {3} {1}' ::: a ::: b c ::: d e f
	same '' -k --xapply echo :::: ../f ::: x y
	same '' -k --link -a ../f -a ../f 'echo {1}-{2}'
}

@test "-a reads values from a file, of several files all combinations, also with :::" {
	printf '1\n2\n' >f
	printf 'A\nB\n' >g
	same 'x\n' -k -a ../f echo
	same '' -k -a ../f -a ../g echo
	same '' -k --arg-file ../f echo ::: x y
	same 'i\nj\n' -k -a - echo ::: x y
	refused '' -a ../none echo
}

@test "-n N: at most N values in place of a replacement string, -N N: with its word" {
	same '1\n2\n3\n4\n5\n' -k -n2 echo
	same '' -k --max-args=2 'echo x{}y {.} {2}-{1}' ::: 1.a 2.b 3.c
	same '' -k -kn3 echo ::: 1 2 3
	same '' -k -n 2 --dry-run echo ::: 'a b' '' c
	same '' -k -N2 echo ::: 1 2 3 4 5
	same '' -k -N2 'echo x{}y{.} {2}-{1}' '[{3}]' ::: 1.a 2.b 3.c
	same '' -k -N3 'echo {1}-{2}-{3} {-1}' ::: 1 2 3 4
	same '' -k --max-replace-args 2 --dry-run 'echo {}; echo x{}' ::: 'a b' c
	same '' -k -N2 'echo {1}-{2}-{3}-{4}' ::: a b c ::: d e
}

@test "-n0 and -N0 read a value a job and leave it out" {
	same '' -k -N0 echo hi ::: 1 2 3
	same 'a\nb\n' -k -n0 'echo hi $PARALLEL_SEQ'
}

@test "-L N: N lines a job, a blank at the end of a line continues it" {
	same '1\n2\n3\n' -k -L2 echo
	same 'a b\nc\nd e\n' -k -L 2 'echo {1}+{2} x{}'
	same 'a \nb\nc\n' -k -L1 echo
	same '1\n2\n3\n' -k --max-lines=2 echo
}

@test "what breaks: numbers alone, continued lines, -N1 of several sources, empty columns" {
	same '' -k echo '{#}' ::: a b
	same 'a\nb \nc\nd\n' -k -L1 printf '"[%s]\n"'
	same '1\n2 \n3\n4\n' -k -X -L2 echo 'x{}'
	same '' -k -N1 printf '"[%s]"' 'x{}y' ::: a ::: 1
	same '' -k -C , echo '{}.' ::: a,, ,
}

@test "-X: as many values as fit, each with the word around it" {
	same '' -j1 -X --dry-run echo 'pre{}-{/}.x' '{.}' ::: a/b.c 'b c' "d'e"
	same '' -j1 -X 'echo a{}b {#}' ::: 1 2 3
	same '1\n2\n3\n' -j1 -X echo
	same '' -j1 -X -n2 'echo {}{}' ::: a b c d e
	same '' -j1 -X --dry-run 'echo a{}b; cat "x {} y"' ::: 1 2
	same '' -X echo
}

@test "-m: as many values as fit, in place of the replacement string" {
	same '' -j1 -m --dry-run echo 'pre{}-{/}.x' '{.}' ::: a/b.c 'b c' "d'e"
	same '1\n2\n3\n' -j1 -m echo
	same '' -j1 -m -N2 echo ::: 1 2 3 4 5
	same '' -j1 -m echo ::: a b ::: c d
}

@test "-X and -m: the last values are spread over the job slots, with --xargs they are not" {
	seq 30 >f
	same '' -k -j4 -X 'echo x{}' :::: ../f
	same '' -k -j3 -m -n 10 echo :::: ../f
	same '' -k -j2 -X -s 40 echo :::: ../f
	same '' -k -j4 --xargs echo :::: ../f
	same '' -k -j4 --xargs -s 40 echo :::: ../f
	same '' -k -j4 -m echo ::: 1 2
}

@test "-s N: a command has less than N bytes, what cannot fit ends the run" {
	seq 22 >f
	for bytes in 14 15 16 20; do
		same '' -j1 -s "$bytes" -m echo :::: ../f
	done
	same '' -j1 -s 20 -X --dry-run 'echo a{}b' :::: ../f
	same '' -j1 -s 20 -m --dry-run echo 'x y' ::: 1 'a b' '$' 4 5 6 7 8 9
	same '' -j1 --max-chars 20 --xargs echo :::: ../f
	same '' -j1 -s 8 echo ::: a bb
	same_aloud '' -j1 -s 7 echo ::: a bb
	refused '' -j1 -s 6 echo ::: a
}

@test "empty lines are values, -r leaves them out, and without input nothing runs" {
	same '\n\na\n\n' -k echo x
	same '\n\na\n\n' -k -r echo x
	same '' -k --no-run-if-empty echo ::: '' a ''
	same 'a\n\nb\n\nc\n' -k -r -n2 echo
	same '\n' echo x
	same '\n' -r echo x
	same '' echo x
	same '' -r echo x
	same '' -k echo :::: /dev/null
}

@test "-0 takes values that end in NUL, -d in another character" {
	same 'a\nb\0c d\0\0' -0 -k printf "'[%s]'"
	same 'a\0b' --null -k echo
	same 'a\nb\0' -0 -k --dry-run echo
	same 'a:b::c:\n' -k -d : -q printf '[%s]'
	same 'a\tb\tc' -k -d '\t' echo
	same 'a\nb\0c' -k --delimiter '\0' printf "'[%s]'"
	same 'a.b|c' -k -d . echo
}

@test "-E: what follows this line is not read" {
	same 'a\nEND\nb\n' -k -E END echo
	same 'a\nENDx\n END\nb\n' -k -E END echo
	same '' -k -E END echo ::: a END b
}

@test "-C splits values at a regular expression, {1} {2} are the parts" {
	same 'a,b\nc,d,e\nf\n\n' -k -C , 'echo {1}-{2}-{3} {-1}'
	same 'a,,b\n,c\nd,\n' -k --colsep=, 'echo {1}-{2}-{3}'
	same 'a b  c\nx y\t z\n' -k -C '\s+' 'echo {1}-{2}-{3}'
	same 'a\tb c\td\n' -k -C '\t' 'echo {1}-{2}-{3}'
	same 'a|b.c+d\n' -k -C '\|' 'echo {1}/{2}'
	same 'a|b.c+d\n' -k -C '[.+]' 'echo {2}/{3.}'
	same 'a1bb22c\n' -k -C '[0-9]+' 'echo {1}/{2}/{3}'
}

@test "-C trims the parts, all of them are the value, and this goes for each source" {
	same ' a b, c d ,\n' -k -C , echo '[{1}]' '{2}-{3}'
	same 'a,b c\nd,e,f\n' -k -C , --dry-run echo
	same 'a,b c\nd,e,f\n' -k -C , 'echo {} x{.}'
	same '' -k -C , 'echo {1}-{2}-{3}' ::: a,b c,d ::: e f
	same '' -k -C , --link 'echo {1}-{2}-{3}' ::: a,b c,d ::: e f
	same '' -k -C , -N2 'echo {1}-{2}-{3}-{4}' ::: a,b c,d e,f
}

@test "--header : takes the first value of each source, or of each column, for its name" {
	printf 'x\n1.a\n2\n' >f
	same '' -k --header : 'echo {a}-{b}-{1} {b.} {}' ::: a 1 2 ::: b 3.x 4
	same '' -k --header : 'echo {x.} {y} {z}' :::: ../f ::: y 7
	same '' -k --link --header : 'echo {a}-{b}' ::: a 1 2 ::: b 3 4
	same '' -k --header : --tagstring '{b}+{a}' echo ::: a 1 ::: b 3 4
	same 'n,m\n1,2\n3,4.x\n' -k --header : -C , 'echo {n}-{m} {1} {m.} {k}'
	same 'n m\tk\n1\t2\n' -k --header : -C '\t' echo '{n m}-{k}'
	same 'n,m\n' -k --header : -C , echo
}

@test "--trim removes blanks on the left, the right, both or neither" {
	for where in n l r lr rl; do
		same '  a b  \n\tc\t\n' -k --trim "$where" -q echo '[{}]'
	done
	same ' a , b \n' -k -C , --trim n -q echo '[{1}][{2}]'
	refused 'a\n' --trim x echo
}

@test "--shuf runs the same jobs" {
	same_lines '1\n2\n3\n4\n5\n' --shuf 'echo x{}'
	same_lines '' --shuf echo ::: a b ::: c d
}

@test "-k keeps the order of output, without it none is lost or mixed, nor with standard error" {
	same '' -k -j4 'echo {}; echo {}b' ::: 1 2 3 4 5 6
	same_lines '' -j4 'echo {}; echo {}b' ::: 1 2 3 4 5 6
	same '' --keep-order --group printf %s ::: a b c
	same '' -j1 -u 'echo {}; echo {}b' ::: 1 2
	same_lines '' --lb -j4 'echo {}; echo {}b' ::: 1 2 3 4
	same '' -j1 --line-buffer 'echo {}; echo {}b' ::: 1 2
	same '' -j1 --ungroup 'echo {}' ::: 1 2
	same '' -k 'echo {}; echo e{} >&2' ::: 1 2
	diff reference.err subject.err
}

@test "--tag begins each line with the values, --tagstring with a string of one's own" {
	same '' -k --tag 'echo x; echo y z; echo; echo e >&2; : ' ::: 'b c' ''
	diff reference.err subject.err
	same '' -k --tag echo ::: a b ::: 'c d'
	same '' -k --tag -N2 echo ::: a b c
	same '' -k --tag -C , 'echo {2}' ::: a,b c,d
	same '' -j1 --tag --lb 'echo {}; echo x' ::: a b
	same 'echo 1\necho 2\n' -k --tag
	same '' -k --tag true ::: a
	same '' -k --tagstring 'x{}-{.}-{#}-{/}' echo ::: a/b.c "a b'"
	same '' -k --tagstring '{2} {1}' echo ::: a b ::: c
	same '' -k --tagstring 'a\tb' echo ::: x
	same '' -k --tagstring '{}' 'echo {1}' ::: a b ::: c
}

@test "-j takes a number, a percentage, more or fewer than CPUs, and 0" {
	for jobs in 3 50% 150% +1 -1 0; do
		same '' -k -j "$jobs" echo ::: a b c
	done
	same '' -k -P2 echo ::: a b c
	same '' -k --jobs=2 echo ::: a b c
	same '' -k --max-procs 2 echo ::: a b c
	refused '' -j x echo ::: a
}

@test "-v prints each command before its output, -t on standard error" {
	same "a b\nc\n" -k -v echo
	same 'echo 1\nfalse\n' -k -v
	same '' -k -v --tag echo ::: a 'b c'
	same '' -k -v --dry-run echo ::: a 'b c'
	same_aloud "a b\nc\n" -j1 -t echo x
	diff reference.err subject.err
	same_aloud '' -j1 --verbose echo ::: a
}

@test "the exit status is how many jobs failed, 101 for more than 100" {
	same '' 'exit {};:' ::: 0 1 2 255
	same '' true ::: 1 2
	same '' -j4 false ::: {1..100}
	same '' -j4 false ::: {1..101}
	same '' -j4 false ::: {1..130}
}

@test "jobs that die of a signal, and those that there is no program for, have failed" {
	same '' -k 'echo {}; kill -{} $$; :' ::: TERM KILL SEGV
	same_aloud '' -k nosuchcommand ::: a b
	same_aloud '' -k ./nosuchfile ::: a
	same 'nosuchcommand\nexit 127\ntrue\n'
}

@test "PARALLEL_SEQ, PARALLEL_JOBSLOT and PARALLEL_PID tell a job who it is" {
	same '' -j1 'echo $PARALLEL_SEQ $PARALLEL_JOBSLOT {}' ::: a b c
	same '' -j4 -k 'echo $PARALLEL_SEQ {}; [ $PARALLEL_JOBSLOT -ge 1 ] && [ $PARALLEL_JOBSLOT -le 4 ]; :' ::: a b c
	same '' -k '[ "$PARALLEL_PID" = "$PPID" ] && echo parent of {}' ::: a b
}

@test "jobs read nothing from standard input, and with -a or ::: nothing is taken from it" {
	printf '1\n2\n' >f
	same 'i\nj\n' -j1 -a ../f 'cat; echo {}'
	same 'i\nj\n' -j1 'cat; echo {}' ::: a b
	same 'i\nj\n' -j1 'cat; echo {}'
	printf 'left\n' | (cd subject && "${subject[@]}" echo ::: a && cat) >left
	[ "$(cat left)" = $'a\nleft' ]
}

@test "--wd runs jobs in a directory, that is made if it is not there" {
	mkdir there 'with blanks'
	same '' -k --wd ../there 'basename "$PWD"; :' ::: a
	same '' -k --workdir "../with blanks" 'basename "$PWD"; :' ::: a
	same '' -k --wd '../{}' 'basename "$PWD"; :' ::: there 'with blanks'
	same '' -k --wd . 'ls ../input; :' ::: a
	same_files '' -k --wd made/here 'echo {} >file' ::: a
}

@test "--nice N runs jobs at this niceness" {
	[ "$(nice)" -eq 0 ] || skip "this runs at another niceness"
	same '' -k --nice 5 'nice; :' ::: a
	same '' -k --nice=17 'nice; :' ::: a b
}

@test "--results: the output of each job in files, by its values" {
	same_files '' --results res -k 'echo {}; echo e >&2' ::: x 'y z' a/b 'c\d'
	same_files '' --results res/deep/ -k echo ::: x ::: y z
	same_files 'true\necho 5/6\n' --results res
	same_files '' --results res -k -N2 echo ::: a b c
	same_files '' --results res -k --header : 'echo {b}; exit 1;' ::: b x y ::: a 1
	same_files '' --results res -k -C , echo ::: a,b
	same '' --results res -k echo ::: a b
	run "${subject[@]}" --results 'res/{}.out' echo ::: a
	[ "$status" -eq 255 ]
}

@test "--retries N: up to N attempts" {
	same '' -j1 -k --retries 3 'echo {} >>log; [ "$(wc -l <log)" -eq 3 ] && cat log; false' ::: a
	same '' -j1 -k --retries 3 'echo {} >>log; [ "$(wc -l <log)" -eq 2 ]' ::: a
	same '' -j1 -k --retries 1 'echo {} >>log; cat log; false' ::: a
}

@test "--load and --memfree hold back no job while there is room" {
	for load in 1000 100000% +1000; do
		same '' -k --load "$load" echo ::: a b
	done
	for size in 1 1k 1K 1.5M; do
		same '' -k --memfree "$size" echo ::: a b
	done
	refused '' --load x echo ::: a
	run "${subject[@]}" --memfree x echo ::: a
	[ "$status" -eq 255 ]
}

@test "--load and --memfree let one job run in any case" {
	for limit in '--load 0' '--load -1000' '--memfree 900T' '--memfree 900t'; do
		read -ra limit <<<"$limit"
		run "${subject[@]}" -j4 "${limit[@]}" 'mkdir busy && rmdir busy # {}' ::: a b c d
		[ "$status" -eq 0 ]
	done
}

# Those that the log says failed are appended to it by both, as they fail again.
@test "--retry-failed runs the commands in the joblog that failed, and nothing else" {
	"${reference[@]}" -j1 --joblog log $'echo {};\nexit {}' ::: 0 3 0 4 || :
	same '' --retry-failed --joblog ../log -k --dry-run not this {} ::: x y
	same '' --retry-failed --joblog ../log -j1 -a ../none not this {}
	diff <(tail -n 4 log | head -n 2 | cut -f 1,7-) <(tail -n 2 log | cut -f 1,7-)
	sed -i '2d; $d' log
	same '' --retry-failed --joblog ../log -k -j1
	echo nonsense >>log
	refused '' --retry-failed --joblog ../log
}

@test "--retry-failed: a number in the joblog that is far beyond its size is refused" {
	printf '%s\n' 'Seq	Host	Starttime	JobRuntime	Send	Receive	Exitval	Signal	Command' \
		'134217000	:	1.000	1.000	0	0	1	0	touch no' >log
	status=0
	leat --as parallel --retry-failed --joblog log 2>err || status=$?
	[ "$status" -eq 255 ]
	grep -q "cannot read log: a job's number in it is too large" err
	sed -i 's/^134217000/300/' log
	run leat --as parallel --retry-failed --joblog log
	[ -e no ]
}

@test "--retry-failed without a joblog runs what is given" {
	same '' -k --retry-failed echo ::: a b
	same '' -k --retry-failed --joblog none echo ::: a b
}

@test "--halt: no more jobs are started, and the deciding one's exit status counts" {
	same '' -j1 -k --halt soon,fail=1 'echo {}; exit {};' ::: 0 3 4
	same '' -j1 -k --halt now,fail=2 'echo {}; exit {};' ::: 0 3 4 5
	same '' -j1 -k --halt soon,success=1 'echo {}; exit {};' ::: 7 0 4
	same '' -j1 -k --halt never 'echo {}; exit {};' ::: 7 0 4
	same '' -j1 -k --halt 1 'echo {}; exit {};' ::: 0 3 4
	refused '' --halt later,fail=1 echo ::: a
}

@test "--timeout N ends jobs that take longer, which fail, and shows what they wrote" {
	same_aloud '' -j3 -k --timeout 2 'echo {}; sleep {}; echo {}b' ::: 0 60 0
	same '' -k --timeout 1m echo ::: a b
	refused '' --timeout x echo ::: a
}

@test "--delay, --eta, --bar and --progress change no output" {
	same '' -k --delay 0.01 echo ::: a b
	for option in --eta --bar --progress; do
		same '' -k "$option" echo ::: a b
	done
}

@test "--version names what it is like, and a date, --minversion compares with it" {
	both '' --version
	grep -qE '^GNU parallel [0-9]{8}' reference.out
	head -n 1 subject.out | grep -qE '^GNU parallel [0-9]{8}'
	both '' -V
	both '' --minversion 20100101
	grep -qxE '[0-9]{8}' subject.out
	both '' --minversion 99999999
	both '' --help
	[ -s subject.out ]
}

@test "--will-cite, --no-notice, --gnu and --silent are accepted" {
	same '' --will-cite --no-notice --gnu --silent echo ::: a
	same '' --willcite --plain echo ::: a
}

@test "options that are unknown, incomplete or too much are usage errors" {
	refused '' --nosuch echo ::: a
	refused '' -Z echo ::: a
	refused '' --tag=1 echo ::: a
	refused '' --jobs
	refused '' -y echo ::: a
}

@test "options end at the command or --, short ones may be bundled, long ones abbreviated" {
	same '' -k echo -k --tag -j 1 ::: a b
	same '' -k -- echo -n ::: a b
	same '' -k echo -- x ::: a b
	same '' -k echo ::: -k --tag --
	same '' -kvj2 echo ::: a b
	same '' -kn2 echo ::: a b c
	same '' -kj 2 -n 2 echo ::: a b c
	same 'a\0b' -0kvN1 echo
	same '' --keep --max-arg=2 --dry echo ::: a b c
	same '' -k --max-args 2 --tagstr=x echo ::: a b c
}
