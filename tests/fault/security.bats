#!/usr/bin/env bats
# What somebody else may have put where leat reads: names, outputs, $TMPDIR, the
# environment, journals. Nothing of it is run, nothing crashes leat or writes elsewhere.
# leat-security(7) names these tests by their titles.
load ../cli/helper

# Names that are a task of their own, or an option, where anything takes them for text.
names() {
	printf '%s\0' '$(touch pwned)' '`touch pwned`' ';touch pwned;' "';touch pwned;'" '";touch pwned;"' \
		'|touch pwned' '&touch pwned' $'a\ntouch pwned\nb' $'\ntouch pwned' '>pwned' '-rf' '--help' '--' '{}' '{1}' \
		'{.}' '{#}' '{= system("touch pwned") =}' '*' '~' '#x' 'a=b' "\\" "\\'" "'" '"' ' ' $'\t' '%s%n' \
		$'\xff\xfe' $'\e[31m' '$HOME/$(touch pwned).x' 'a b/;touch pwned;/c.d'
}

# The command gives the names back as they are.
keeps_names() {
	names | "$@" >got 2>err || { echo "$* ended with $?"; cat err; return 1; }
	cmp <(names) got || { echo "$*"; return 1; }
	[ ! -e pwned ]
}

@test "a file's name is an argument, never shell text: COMMAND, -c SCRIPT, {} and its kin" {
	keeps_names leat -0 -k printf '%s\0'
	keeps_names leat -0 -k printf '%s\0' {}
	keeps_names leat -0 -X -j1 printf '%s\0'
	keeps_names leat -0 -k --warm -c 'printf "%s\0" "$1"'
	keeps_names leat -0 -k -c 'printf "%s\0" {}'
	keeps_names leat -0 -k -c 'printf "%s\0" {1}' --lane {}
	keeps_names leat -0 -k --env 'X={}' -c 'printf "%s\0" "$X"'
	for kin in '{/}' '{//}' '{.}' '{/.}' '{} {/} {1.}'; do
		# shellcheck disable=SC2086 # each is an argument
		names | leat -0 -k printf '%s\0' $kin >one
		names | leat -0 -k -c "printf '%s\0' $kin" >other
		cmp one other
	done
	[ ! -e pwned ]
}

@test "nor is it as xargs and parallel" {
	keeps_names leat --as xargs -0 printf '%s\0'
	keeps_names leat --as xargs -0 -I {} printf '%s\0' {}
	keeps_names leat --as parallel -0 -k "printf '%s\0'"
	keeps_names leat --as parallel -0 -k "printf '%s\0' {}"
	keeps_names leat --as parallel -0 -k -q printf '%s\0' {}
	keeps_names leat --as parallel -0 -k -X -j1 "printf '%s\0' {}"
}

@test "what is left to run, and what a journal lists, gives the same names" {
	names | leat -0 -q --journal j -k printf '%s\0' >/dev/null
	leat --journal j --list -0 | leat -0 -k >got
	cmp <(names) got
	leat --journal j --list | leat -k >got
	cmp <(names) got
	names | leat -0 -q -j1 --halt soon,fail=1 --unrun rest false || :
	{ printf '$(touch pwned)\0'; cat rest; } | cmp <(names) -
	[ ! -e pwned ]
}

@test "--results: no value, and no name of a header, leads out of the directory" {
	mkdir -p way/to
	names | leat --as parallel -0 --results way/to/kept echo {} >/dev/null
	printf '%s\n' '../../up' ../.. .. /tmp/up .. . | paste -d, - - >table
	leat --as parallel --header : --colsep , --results way/to/named echo <table >/dev/null
	printf '%s\n' '.. .' '.. ..' '. .' >table
	leat --as parallel --header : --colsep ' ' --results way/to/dots echo <table >/dev/null
	[ "$(find . -type d -name kept -o -type d -name named -o -type d -name dots | sort | tr '\n' ' ')" = \
		'./way/to/dots ./way/to/kept ./way/to/named ' ]
	[ -z "$(find . -path ./way/to/dots -prune -o -path ./way/to/kept -prune -o -path ./way/to/named -prune -o -name stdout -print)" ]
	[ "$(find way/to/kept -mindepth 3 -name stdout -printf x | wc -c)" -eq "$(names | tr -cd '\0' | wc -c)" ]
	[ "$(find way/to/dots way/to/named -mindepth 5 -name stdout | wc -l)" -eq 4 ]
	[ ! -e /tmp/up ]
}

@test "a command's control characters are shown, not sent: tags, --show, -t, messages, the recap" {
	evil=$'exit 1 # \e]0;title\a\e[2J\x7f\xc2\x9b1m'
	leat -0 -j1 --tag -t --recap --journal j < <(printf 'echo x; %s\0' "$evil") >out 2>&1 || :
	leat --journal j --show 1 >>out
	[ "$(grep -c '\^\[\]0;title^G^\[\[2J^?<9B>1m' out)" -ge 5 ]
	[ -z "$(LC_ALL=C tr -d '\n\t -~' <out)" ]
}

# A journal of a run, and what a hostile hand does to it.
hostile_journal() {
	printf 'true %d\n' 1 2 3 >in
	rm -f j j-*
	leat -q --journal j -a in
	sqlite3 j "$1"
}

# Whatever reads or goes on with it comes to its end, in peace or with a message.
is_survived() {
	for use in --list '--show 1' '--timeline t.html' '--resume -a in'; do
		cp j k
		status=0
		# shellcheck disable=SC2086 # options
		timeout 20 leat --journal k $use </dev/null >out 2>err || status=$?
		[ "$status" -eq 0 ] || { [ "$status" -eq 125 ] && grep -q '^leat: ' err; } || {
			echo "$use: $status"
			cat err
			return 1
		}
		rm -f k k-*
	done
	[ ! -e pwned ]
}

# It is refused as it is.
is_refused() {
	cp j before
	for use in --list '--show 1' '--timeline t.html' '--resume -a in' '-a in'; do
		# shellcheck disable=SC2086 # options
		run timeout 20 leat --journal j $use </dev/null
		echo "$use: $output"
		[ "$status" -eq 125 ]
		[[ "$output" == "leat: --journal: cannot use j: "*"$1"* ]]
	done
	cmp j before
}

@test "a journal with a view or a virtual table for a table is refused, untouched" {
	hostile_journal "ALTER TABLE attempts RENAME TO x; CREATE VIEW attempts AS SELECT * FROM x"
	is_refused "attempts is no table"
	hostile_journal "ALTER TABLE tasks RENAME TO x; CREATE VIEW tasks AS WITH RECURSIVE c(n) AS (SELECT 1 UNION
		ALL SELECT n+1 FROM c) SELECT n AS task, 1 AS series, 'ok' AS outcome, 'true 1' AS command FROM c"
	is_refused "tasks is no table"
	hostile_journal "DROP TABLE runs; CREATE VIRTUAL TABLE runs USING fts5(run, series, first_task)"
	is_refused "runs is no table"
}

@test "a journal's triggers do not run" {
	hostile_journal "CREATE TRIGGER a AFTER UPDATE ON tasks BEGIN DELETE FROM attempts; END;
		CREATE TRIGGER b AFTER INSERT ON runs BEGIN UPDATE tasks SET command='touch pwned', done=0; END;
		CREATE TRIGGER c AFTER INSERT ON attempts BEGIN DELETE FROM runs; END"
	run leat --journal j --resume --summary -a <(cat in; echo true 4)
	[ "$status" -eq 0 ]
	[[ "$output" == *" 1 ok, 0 unrun, 3 skipped"* ]]
	[ "$(sqlite3 j 'select count(*) from attempts; select count(*) from runs; select count(*) from tasks')" = $'4\n2\n4' ]
}

@test "a journal's rows may hold any number: no crash, no endless work" {
	hostile_journal "UPDATE runs SET first_task=1000"
	is_survived
	hostile_journal "UPDATE runs SET first_task=-5"
	is_survived
	hostile_journal "UPDATE tasks SET task=-3 WHERE task=3; UPDATE tasks SET occurrence=9223372036854775807"
	is_survived
	hostile_journal "UPDATE tasks SET task=9223372036854775807 WHERE task=3"
	is_refused "its numbers are too large"
	hostile_journal "UPDATE runs SET run=9223372036854775807, series=9223372036854775807"
	is_refused "its numbers are too large"
	hostile_journal "UPDATE attempts SET elapsed=1e300, user=-1e300, exit=1e200, signal=-1e30, slot=-1e30,
		started='9999-12-31 23:59:59.99999999999999999999'; UPDATE runs SET elapsed=1e300;
		WITH RECURSIVE c(n) AS (SELECT 2 UNION ALL SELECT n+1 FROM c WHERE n<30) INSERT INTO
		runs(run, series, first_task, started, elapsed, command, pid, version) SELECT n, 1, 1, 'x', 1e300, 'x', 1, '1' FROM c"
	is_survived
}

@test "a journal's rows may hold any type, nothing at all, and many megabytes" {
	hostile_journal "UPDATE tasks SET command=zeroblob(0), input=zeroblob(20000000), outcome=x'ff00', done='yes', key='x';
		UPDATE attempts SET started=x'00ff', slot='x', outcome=7; UPDATE journal SET id='x', ticket='y'"
	is_survived
	hostile_journal "PRAGMA writable_schema=1; UPDATE sqlite_master SET sql=replace(sql, ' NOT NULL', '') WHERE type='table';
		PRAGMA writable_schema=RESET; UPDATE tasks SET command=NULL, done=NULL, key=NULL; UPDATE attempts SET started=NULL,
		slot=NULL; UPDATE runs SET command=NULL, version=NULL, started=NULL; DELETE FROM journal"
	is_survived
}

@test "a -journal or -wal beside a journal that is a symlink, or another user's, is refused, untouched" {
	hostile_journal "SELECT 1"
	echo precious >victim
	for end in journal wal shm; do
		ln -s victim j-$end
		is_refused "j-$end is no file of yours"
		[ "$(cat victim)" = precious ]
		rm j-$end
		[ "$(id -u)" -eq 0 ] || continue
		echo planted >j-$end
		chown nobody j-$end
		is_refused "j-$end is no file of yours"
		[ "$(cat j-$end)" = planted ]
		rm j-$end
	done
}

@test "temporary files have no name, or one that nobody could plant, and are leat's alone" {
	needs_strace
	mkdir -m 777 open
	ln -s open link
	export TMPDIR=$PWD/link
	mkfifo written
	strace -f -o trace -e trace=openat leat -j2 -k --jobserver=fifo ::: 'read -r _ <written' \
		'head -c 9000000 /dev/zero; echo >written' 'stat -c "%a %F" open/leat-*/*; stat -c %a open/leat-*' >out
	[ "$(grep -a link trace | grep -vc 'O_TMPFILE\|O_EXCL')" -eq 0 ]
	[ "$(grep -ac '/link.*O_TMPFILE\|/link.*O_EXCL' trace)" -ge 1 ]
	[ "$(tr -d '\0' <out)" = $'600 fifo\n700' ]
	[ -z "$(ls -A open)" ]
}

@test "MAKEFLAGS that name a file for a jobserver: it is left as it is, and the tasks run" {
	echo precious >victim
	MAKEFLAGS="-j9 --jobserver-auth=fifo:$PWD/victim" run leat -k echo ::: a b c
	[ "$status" -eq 0 ]
	[[ "$output" == "leat: make's jobserver is out of reach: "*$'\na\nb\nc' ]]
	[ "$(cat victim)" = precious ]
}

@test "no variable of the environment is run, or stands for what leat itself tells its tasks" {
	mkdir step
	echo 'touch pwned' >evil
	run env LEAT_SEQ='$(touch pwned)' LEAT_SLOT=-1 LEAT_ATTEMPT=99999999999999999999 LEAT_PID='x;touch pwned' \
		LEAT_FAMILY=x IFS=/e COLUMNS=-99999999999999999999 LINES=x TERM=$'\e]0;x\a' SHELL="$PWD/evil" ENV="$PWD/evil" \
		PS4='$(touch pwned)' LC_ALL=../../../x LANG=$'\xff' TZ=:/etc/passwd TMPDIR='' GITHUB_ACTIONS=true CI='$(touch pwned)' \
		GITHUB_STEP_SUMMARY="$PWD/step" MAKEFLAGS=' -j99999999999999999999 --jobserver-auth=99,9999999999999999999999 -- X=$(touch pwned)' \
		MFLAGS=x MAKELEVEL=-1 PATH="::$PATH:" leat --ci none -k --progress --color always echo '{} {%}' '$LEAT_SEQ' ::: 1 2
	echo "$output"
	[ "$status" -eq 0 ]
	[ "$(grep -c '^[12] [12] \$LEAT_SEQ$' <<<"$output")" -eq 2 ]
	for name in LEAT_SEQ LEAT_SLOT LEAT_ATTEMPT; do # without a shell, which would see the last of two
		[ "$(env "$name=x" leat printenv ::: "$name")" = 1 ]
	done
	[ ! -e pwned ]
}

# Leat, as nobody runs a copy of it that the commands have made another's. In $output.
as_nobody() {
	[ "$(id -u)" -eq 0 ] || skip "needs root to give a file away"
	command -v setpriv >/dev/null || skip "setpriv is not installed"
	not_sanitized "the leak checker does not run in such a program"
	aside=$(mktemp -d /tmp/leat-aside.XXXXXX)
	cp "$BUILD/leat" "$aside/leat"
	chmod 755 "$aside" "$aside/leat"
	"$@" "$aside/leat" || skip "it can't be done here: $*"
	cd /
	become=(setpriv --reuid 65534 --regid 65534 --clear-groups)
	# What such a program sees of itself tells whether the file system lets it.
	cp "$(command -v cat)" "$aside/cat"
	"$@" "$aside/cat"
	before=$("${become[@]}" grep -E '^(Uid|Gid|CapEff)' /proc/self/status)
	after=$("${become[@]}" "$aside/cat" /proc/self/status | grep -E '^(Uid|Gid|CapEff)')
	[ "$before" != "$after" ] || skip "this file system gives no program another's rights"
	run "${become[@]}" "$aside/leat" touch ::: "$aside/ran"
	[ ! -e "$aside/ran" ]
}

clean_up() {
	[ -z "${aside-}" ] || rm -rf "$aside"
}

@test "set-user-ID: leat refuses to run, with 2" {
	as_nobody chmod 4755
	[ "$status" -eq 2 ]
	[ "$output" = 'leat: does not run set-user-ID, set-group-ID or with capabilities' ]
}

@test "set-group-ID: the same" {
	as_nobody chmod 2755
	[ "$status" -eq 2 ]
	[ "$output" = 'leat: does not run set-user-ID, set-group-ID or with capabilities' ]
}

@test "a file with capabilities: the same" {
	command -v setcap >/dev/null || skip "setcap is not installed"
	as_nobody setcap cap_dac_override+ep
	[ "$status" -eq 2 ]
	[ "$output" = 'leat: does not run set-user-ID, set-group-ID or with capabilities' ]
}

@test "numbers beyond all bounds are usage errors, and nothing is run" {
	for number in 9223372036854775808 18446744073709551615 18446744073709551616 99999999999999999999; do
		for option in -j -n -s --retries --max-load=x --timeout --deadline --delay --kill-after --linger \
			--retry-delay --drain-timeout --halt=soon,fail= --retry-on=1- --jobs=+ --jobs=- --min-memory=x; do
			case $option in
			*=x) arguments=("${option%x}1e$number") ;;
			*=*) arguments=("$option$number") ;;
			*) arguments=("$option" "$number") ;;
			esac
			run timeout 20 leat "${arguments[@]}" touch ::: ran
			[ "$status" -eq 2 ] && [ ! -e ran ] || { echo "${arguments[*]}: $status $output"; return 1; }
		done
	done
	for separator in '\xHH' '\x1' '\x1ff' '\x' '' ab; do
		run leat -d "$separator" touch ::: ran
		[ "$status" -eq 2 ]
		[ ! -e ran ]
	done
	run leat --retries 9223372036854775807 -c '[ $LEAT_ATTEMPT -eq 2 ]' ::: a
	[[ "$output" == *"attempt 1 of 9223372036854775808, again"* ]]
}

@test "text that nests without end is read without recursion" {
	head -c 30000 /dev/zero | tr '\0' '{' >open
	(
		ulimit -s 512
		timeout 20 leat -k --tagstring "$(cat open)" -c "printf '%s' '$(cat open)' | wc -c; : '{}'" ::: 1 >out
		tr '{' '(' <open | timeout 20 leat -q >out2 2>&1 || [ $? -eq 123 ]
	)
	[ "$(cut -f2 out)" -eq 30000 ]
}

@test "leat-security(7) names tests that are there, and all of this file" {
	sed -n 's/^\([a-z_]*\.bats\): /\1 /p' "$BATS_TEST_DIRNAME/../../man/leat-security.7" >named
	[ -s named ]
	while read -r file title; do
		grep -qF "@test \"$title\" {" "$BATS_TEST_DIRNAME/$file" "$BATS_TEST_DIRNAME/../cli/$file" 2>/dev/null || {
			echo "none: $file: $title"
			return 1
		}
	done <named
	sed -n 's/^@test "\(.*\)" {$/\1/p' "$BATS_TEST_FILENAME" | grep -v '^leat-security(7)' |
		sort | diff - <(sed -n 's/^security.bats //p' named | sort)
}
