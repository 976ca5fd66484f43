#!/usr/bin/env bats
# Whatever fails, with a journal and with reports: see torture.bash.
load torture

@test "with a journal: whatever fails once" {
	torture_all --journal run.db
	torture sync 3 1 --journal run.db
}

@test "with a journal that is resumed: whatever fails once" {
	leat -q -j1 --journal begun.db --halt soon,fail=1 <in >/dev/null 2>&1 || :
	torture_all --resume --journal run.db
}

@test "with a report: whatever fails once" {
	command -v xmllint >/dev/null || skip "xmllint (libxml2-utils) is not installed"
	torture_all --junit r.xml
}

@test "with --joblog, --events and --timeline: whatever fails once" {
	torture_all --joblog joblog --events events --timeline page
}

@test "with --results: whatever fails once" {
	torture_all --results results
}
