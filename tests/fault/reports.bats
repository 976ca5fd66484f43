#!/usr/bin/env bats
# The files that leat writes beside its output, and $TMPDIR, when they can't be had or are
# attacked: full, read-only, planted symlinks, a narrow umask, hostile commands.
load ../cli/helper

clean_up() {
	if mountpoint -q small; then umount small; fi
}

reports='--joblog --events --junit --timeline --unrun'

# A file system of $1 bytes.
mount_small() {
	[ "$(id -u)" -eq 0 ] || skip "a file system can be mounted by root alone"
	mkdir small
	mount -t tmpfs -o "size=$1,mode=700" leat-test small || skip "no file system can be mounted here"
}

# The counts in the last line of err add up to $1.
check_account() {
	local count total=0
	for count in $(sed -n '/^leat: [0-9]* tasks in /{ s/^.*in [^:]*://; s/[^0-9 ]//g; p; }' err); do
		total=$((total + count))
	done
	[ "$total" -eq "$1" ]
}

@test "a file system that is full under a report: 125, it is told, all is accounted for, a former one stays" {
	mount_small 64k
	{ echo 'exit 3'; seq -f ": %g $(head -c 2000 /dev/zero | tr '\0' x)" 60; } >in
	for report in $reports --results; do
		rm -rf small/*
		case $report in --junit | --timeline | --unrun) echo former >small/r ;; esac
		halt=
		[ "$report" != --unrun ] || halt=--fail-fast
		status=0
		# shellcheck disable=SC2086 # none or one
		leat -j1 $halt "$report" small/r -a in >out 2>err || status=$?
		echo "$report: $status"
		cut -c1-150 err
		[ "$status" -eq 125 ]
		grep -q '^leat: .*No space left on device' err
		check_account 61
		case $report in --junit | --timeline | --unrun) [ "$(cat small/r)" = former ] ;; esac
		[ "$(ls -A small)" = r ]
	done
}

@test "a report on a file system that is read-only, or at a directory: 125 before anything runs" {
	mount_small 64k
	echo former >small/r
	mkdir directory
	mount -o remount,ro small
	for report in $reports --results; do
		for place in small/r small/new directory missing/r; do
			[ "$report $place" != '--results directory' ] || continue
			run leat "$report" "$place" <<<'touch no'
			echo "$report $place: $status $output"
			[ "$status" -eq 125 ]
			[[ "$output" == "leat: cannot "*"$place: "* ]]
		done
	done
	[ ! -e no ] && [ "$(cat small/r)" = former ] && [ -z "$(ls -A directory)" ]
}

@test "a report has the mode that the umask leaves a new file, a journal that of its owner alone" {
	for mask in 077 027 000; do
		rm -rf r-*
		(umask "$mask" && leat --journal r-j --joblog r-l --events r-e --junit r-x --timeline r-t --unrun r-u \
			--results r-d ::: true)
		file=$(printf %o $((0666 & ~mask))) directory=$(printf %o $((0777 & ~mask)))
		[ "$(stat -c %a r-[letxu]* r-d/1/* | sort -u)" = "$file" ]
		[ "$(stat -c %a r-d r-d/1 | sort -u)" = "$directory" ]
		[ "$(stat -c %a r-j)" = 600 ]
	done
}

@test "an unusable TMPDIR is no trouble for little output; for much 125, it is told, all is accounted for" {
	mount_small 64k
	mount -o remount,ro small
	echo text >file
	# The second waits for its turn, with more than there is memory for.
	printf '%s\n' 'puppet pass gate' 'puppet bytes 3000000 tell ran x' true >in
	for place in small file missing /proc; do
		[ "$(TMPDIR=$place leat ::: 'echo one')" = one ]
		close_gate
		: >err
		TMPDIR=$place leat -k -j2 -a in >out 2>err 3>&- 7>&- &
		leat=$!
		# It ends its output's task, or that goes on: the first one ends with the gate.
		timeout 30 bash -c "until grep -q 'is lost' err; do read -r -t 0.01 _ <> <(:) || :; done"
		open_gate
		status=0
		wait "$leat" || status=$?
		echo "$place: $status"
		cat err
		[ "$status" -eq 125 ]
		grep -q "^leat: output of task 2 is lost: cannot keep it in $place: " err
		check_account 3
	done
	[ "$(cat file)" = text ]
}

@test "what leat makes in TMPDIR has no name, or one that nobody can know, and follows no symlink" {
	needs_strace
	mkdir tmp
	mkfifo told
	exec 8<>told
	printf '%s\n' 'puppet pass gate' 'puppet bytes 3000000 tell told all' >in
	close_gate
	TMPDIR=$PWD/tmp strace -f -o log -e trace=open,openat,creat,mkdir,mkdirat,mknod,mknodat,link,linkat,symlink,symlinkat,rename \
		leat -k -j2 --jobserver=fifo --junit /dev/stdout -a in >out 3>&- 7>&- 8>&- &
	leat=$!
	read -r -t 30 _ <&8
	open_gate
	wait "$leat"
	# A directory of leat's own, that nobody else enters, and below it what it likes.
	grep "$PWD/tmp" log | grep -v 'O_TMPFILE\|/leat-......"\?, 0700\|/leat-....../' >named && cat named
	[ ! -s named ]
	[ "$(grep 'O_CREAT' log | grep -cv 'O_EXCL\|O_TMPFILE\|"told"')" -eq 0 ]
	[ -z "$(ls -A tmp)" ]
}

@test "--joblog goes on behind a line that was cut off anywhere: each task has its own" {
	leat --joblog whole ::: true 'true 2'
	size=$(stat -c %s whole) line=$(($(tail -n 1 whole | wc -c)))
	for ((cut = size - 1; cut > size - line; cut -= 3)); do
		head -c "$cut" whole >log
		leat --as parallel --resume --joblog log true ::: 1 2 3
		[ "$(awk -F '\t' 'NF == 9 && $1 == 3' log | wc -l)" -eq 1 ]
		[ "$(grep -c '' log)" -ge 4 ]
	done
}

# Commands that mean something in one or another of the formats; with a NUL behind each.
hostile() {
	python3 - <<-'PYTHON'
		import random, sys
		random.seed(7)
		parts = [b"]]>", b"<![CDATA[", b"</script><script>", b"<!--", b"-->", b"&amp;", b"&", b"<", b">", b"\"", b"\\", b"\\u0000",
		         b"\n", b"\r", b"\t", b"\x1b[31m", b"\x1b]0;x\x07", b"\x7f", b"\x01", b"::set-output name=a::b", b"::endgroup::",
		         b"##vso[task.x]", b"##[error]", b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xef\xbf\xbe", b"\xe2\x80\xa8", b"\xf0\x9f\x98\x80",
		         b"%0A", b"%", b"{}", b"@ROWS@", b"x", b" ", b"\xc3\xa9"]
		for task in range(150):
		    words = b"".join(random.choices(parts, k=random.randrange(1, 9)))
		    sys.stdout.buffer.write(b": '" + words + b"' " + str(task).encode() + b"\0")
	PYTHON
}

@test "hostile commands and output: each report parses, and gives the commands back" {
	command -v python3 >/dev/null || skip "python3 is not installed"
	hostile >in
	# Output of the same, and a NUL with it.
	leat -q -0 -j1 --joblog l --events e --junit x --timeline t --results d -c 'printf "%s\0" "$1"; printf "%s\n" "$1" >&2; exit 1' \
		-a in >out 2>err || :
	tr '\0' '\n' <in | cmp - err
	leat -q -0 -j1 --joblog l --events e --junit x --timeline t --results d -a in
	{ printf 'false\0'; cat in; } >in-all
	leat -q -0 -j1 --fail-fast --unrun u -a in-all || :
	cmp u in
	python3 - <<-'PYTHON'
		import html.parser, json, xml.etree.ElementTree
		given = open("in", "rb").read().split(b"\0")[:-1]
		text = [command.decode("utf-8", "replace") for command in given]
		started = [event for event in map(json.loads, open("e")) if event["event"] == "attempt-started"]
		exact = [bytes.fromhex(event["command_hex"]) if "command_hex" in event else event["command"].encode() for event in started]
		assert exact == given, "events"
		lines = open("l", "rb").read().split(b"\n")[1:-1]
		assert [line.split(b"\t", 8)[8] for line in lines] == [command.replace(b"\n", b"\0") for command in given], "joblog"
		cases = xml.etree.ElementTree.parse("x").getroot().iter("testcase")
		names = [case.get("name") for case in cases]
		assert len(names) == len(given), "junit"
		plain = [index for index, command in enumerate(text) if command.isprintable()]
		assert len(plain) > 10 and all(names[index] == text[index] for index in plain), "junit"
		for task, command in enumerate(given, 1):
		    assert open(f"d/{task}/command", "rb").read() == command + b"\n", "results"
		class Page(html.parser.HTMLParser):
		    scripts, tag = [], None
		    def handle_starttag(self, tag, attributes):
		        self.tag = tag
		        if tag == "script": self.scripts.append("")
		    def handle_data(self, data):
		        if self.tag == "script": self.scripts[-1] += data
		    def handle_endtag(self, tag): self.tag = None
		page = Page()
		page.feed(open("t", encoding="utf-8").read())
		rows = [script for script in page.scripts if script.lstrip().startswith("[{")]
		assert len(rows) == 1, "timeline"
		commands = [row[-1] for row in json.loads(rows[0]) if type(row) is list]
		assert commands == text, "timeline"
	PYTHON
}
