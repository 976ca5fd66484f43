#!/usr/bin/env bats
# The manual pages: what they show is run.
load helper

MAN=$BATS_TEST_DIRNAME/../../man

@test "the manual pages are clean" {
	command -v mandoc >/dev/null || skip "mandoc is not installed"
	mandoc -T lint -W warning "$MAN/leat.1" "$MAN/libleat.3"
}

@test "the examples in libleat(3) compile and run" {
	not_sanitized "the library needs the sanitizer's flags there"
	awk '/^\.Bd -literal/ { inside = 1; file = "example" ++count ".c"; next }
		/^\.Ed/ { inside = 0 } inside { gsub(/\\e/, "\\"); print >file }' "$MAN/libleat.3"
	for example in example*.c; do
		grep -q 'int main' "$example" || continue
		cc -std=c11 -Wall -Werror -I"$BATS_TEST_DIRNAME/../../lib" "$example" \
			"$BUILD/libleat.a" -pthread -o example
		timeout 20 ./example
		found=yes
	done
	[ "$found" = yes ]
}

@test "every exit status of the table in cli/exit_status.h is in leat(1)" {
	for status in 0 2 123 124 125; do
		grep -q "^\.It $status$" "$MAN/leat.1"
	done
}
