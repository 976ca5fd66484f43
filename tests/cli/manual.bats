#!/usr/bin/env bats
# The manual pages: what they show is run.
load helper

MAN=$BATS_TEST_DIRNAME/../../man

@test "the manual pages are clean" {
	command -v mandoc >/dev/null || skip "mandoc is not installed"
	mandoc -T lint -W warning "$MAN/leat.1" "$MAN/libleat.3"
}

@test "the example in libleat(3) compiles and runs" {
	not_sanitized "the library needs the sanitizer's flags there"
	sed -n '/^\.Bd -literal/,/^\.Ed/p' "$MAN/libleat.3" | sed '/^\.[BE]d/d; s/\\e/\\/g' >example.c
	cc -std=c11 -Wall -Werror -I"$BATS_TEST_DIRNAME/../../lib" example.c "$BUILD/libleat.a" \
		-pthread -o example
	run ./example
	[ "$output" = "hello in worker 1
0 never ran" ]
}

@test "every exit status of the table in cli/exit_status.h is in leat(1)" {
	for status in 0 2 123 124 125; do
		grep -q "^\.It $status$" "$MAN/leat.1"
	done
}
