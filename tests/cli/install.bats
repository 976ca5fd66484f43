#!/usr/bin/env bats
# make install and uninstall, and a program built with what was installed.
load helper

ROOT=$BATS_TEST_DIRNAME/../..

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	not_sanitized "the installed files are tested in the release build"
}

make_quietly() {
	env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS make -s -C "$ROOT" BUILD="$BUILD" "$@"
}

@test "install and uninstall below DESTDIR leave nothing behind" {
	make_quietly install DESTDIR="$PWD/dest" PREFIX=/usr
	[ -x dest/usr/bin/leat ]
	[ -e dest/usr/share/man/man1/leat.1 ]
	[ -e dest/usr/share/man/man5/leat-events.5 ]
	[ -e dest/usr/share/man/man5/leat-journal.5 ]
	[ -e dest/usr/share/man/man7/leat-security.7 ]
	[ -e dest/usr/share/bash-completion/completions/leat ]
	dest/usr/bin/leat --version
	make_quietly uninstall DESTDIR="$PWD/dest" PREFIX=/usr
	[ -z "$(find dest -type f -o -type l 2>/dev/null)" ]
	[ ! -e dest/usr ]
}

@test "a program builds with pkg-config against the installed shared library, and runs" {
	make_quietly install PREFIX="$PWD/prefix"
	export PKG_CONFIG_PATH=$PWD/prefix/lib/pkgconfig
	# shellcheck disable=SC2046
	cc -std=c11 -Wall -Wextra -Werror "$ROOT/tests/installed.c" -o program \
		$(pkg-config --cflags --libs leat)
	LD_LIBRARY_PATH=$PWD/prefix/lib run ./program
	[ "$status" -eq 0 ]
	[[ "$output" == "libleat "*": sum 6, unrun 0, child 0" ]]
	LD_LIBRARY_PATH=$PWD/prefix/lib ldd program | grep -q "prefix/lib/libleat.so.0"
}

@test "a program builds against the installed static library, and runs" {
	make_quietly install PREFIX="$PWD/prefix"
	cc -std=c11 -Wall -Wextra -Werror "$ROOT/tests/installed.c" -o program \
		-Iprefix/include prefix/lib/libleat.a -pthread
	run ./program
	[ "$status" -eq 0 ]
}
