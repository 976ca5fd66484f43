# leat: build, test, install. `make help` lists the targets.

VERSION := 0.1.0
SOVERSION := 0
BUILD ?= .build
PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
MANDIR ?= $(PREFIX)/share/man
DATADIR ?= $(PREFIX)/share

CFLAGS ?= -O2 -g
WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
	-Wpointer-arith -Wvla
# Warnings are errors in our own builds; packagers may set WERROR= .
WERROR ?= -Werror
# What this compiler has of it, for this processor; .ci/check-hardening looks at the result.
accepted = $(shell $(CC) -Werror -O2 $(1) -include features.h -x c -c -o /dev/null /dev/null \
	2>/dev/null && echo '$(1)')
ifeq ($(origin HARDENING),undefined)
FORTIFIED := $(call accepted,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
HARDENING := -fstack-protector-strong $(or $(FORTIFIED),-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2) \
	$(call accepted,-fstack-clash-protection) \
	$(or $(call accepted,-fcf-protection),$(call accepted,-mbranch-protection=standard))
endif
HARDENING_LDFLAGS ?= -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack
OUR_CFLAGS := -std=c11 -D_GNU_SOURCE -DLEAT_VERSION='"$(VERSION)"' -pthread -fPIC -Ilib -Icli \
	-fvisibility=hidden -MMD -MP $(WARNINGS) $(WERROR)
OUR_LDFLAGS := -pthread
# Within the program: to load them would take a third of the time that leat needs to start.
SQLITE_LIBS ?= -l:libsqlite3.a -lm
JANSSON_LIBS ?= -l:libjansson.a
# The sanitizers' runtime is in the program, not in the library.
SHARED_LDFLAGS ?= -Wl,-z,defs

# ---- sources ----

LIB_SOURCES := lib/version.c \
	lib/base/clock.c lib/base/sync.c \
	lib/context/context.c \
	lib/pool/pool.c lib/pool/recover.c lib/pool/spare.c \
	lib/process/capture.c lib/process/child.c lib/process/family.c lib/process/forest.c lib/process/guardian.c lib/process/inlet.c \
	lib/process/nurse.c lib/process/spawn.c lib/process/tree.c lib/process/warm.c
# What is loaded into other programs, and carried by the library.
WARM_INSIDE := lib/process/warm_inside
WARM_SOURCES := $(WARM_INSIDE).c lib/process/warm_memory.c
WARM_OBJECT := lib/process/warm_object
CLI_SOURCES := cli/account.c cli/cancellation.c cli/cells.c cli/cgroup.c cli/channel.c cli/ci_log.c cli/color.c cli/confirm.c cli/columns.c \
	cli/cpus.c cli/descriptors.c cli/display.c cli/duration.c cli/floor.c cli/foreground.c cli/front/front.c cli/front/limits.c \
	cli/front/native.c cli/front/parallel.c cli/front/parallel_text.c cli/front/parser.c cli/front/retry_failed.c cli/front/sources.c cli/front/values.c cli/front/xargs.c cli/guard.c cli/halt.c cli/history.c cli/input.c cli/jobserver.c \
	cli/journal/find.c cli/journal/journal.c cli/journal/list.c cli/journal/steps.c cli/journal/store.c cli/journal/store_look.c \
	cli/journal/store_map.c cli/journal/tail.c \
	cli/journal/writer.c \
	cli/main.c cli/makeflags.c cli/lanes.c cli/message.c cli/outlet.c cli/output.c cli/output_attempts.c cli/output_lines.c cli/output_nap.c cli/output_stream.c cli/pending.c \
	cli/measure.c cli/moment.c cli/plain.c cli/plan.c cli/privileges.c cli/progress.c cli/recipe.c cli/report/ci.c cli/report/ci_summary.c cli/report/events.c cli/report/joblog.c cli/report/json.c cli/report/junit.c cli/report/namesakes.c cli/report/recap.c cli/report/timeline.c cli/report/xml.c cli/results.c cli/retries.c cli/room.c cli/rows.c cli/run.c \
	cli/run_display.c cli/run_frame.c cli/run_input.c cli/run_jobserver.c cli/run_open.c cli/run_report.c cli/run_task.c cli/running.c cli/shell.c cli/signals.c cli/sink.c \
	cli/slot.c cli/split.c cli/tag.c cli/tasks.c cli/template.c cli/unrun.c cli/utf8.c cli/whole_file.c
CLI_PAGE := cli/report/timeline_page
UNIT_TESTS := test_account test_capture test_cgroup test_child test_clock test_context test_cpus \
	test_duration test_family test_find test_floor test_guard test_guardian test_input test_jobserver test_makeflags test_measure test_message test_namesakes test_native test_output \
	test_pending test_plain test_pool test_progress test_recap test_recover test_room test_shell test_spawn test_stress test_tag test_tail test_template \
	test_tree test_unrun test_utf8 test_warm test_xml
MAN_PAGES := man/leat.1 man/leat-parallel.1 man/leat-xargs.1 man/libleat.3 man/leat-events.5 man/leat-journal.5 man/leat-security.7

LIB_OBJECTS := $(LIB_SOURCES:%.c=$(BUILD)/%.o) $(WARM_OBJECT:%=$(BUILD)/%.o)
CLI_OBJECTS := $(CLI_SOURCES:%.c=$(BUILD)/%.o) $(CLI_PAGE:%=$(BUILD)/%.o)
CLI_TESTED := $(filter-out $(BUILD)/cli/main.o,$(CLI_OBJECTS))
UNIT_PROGRAMS := $(UNIT_TESTS:%=$(BUILD)/tests/unit/%)
HELPERS := $(BUILD)/tests/helpers/puppet $(BUILD)/tests/helpers/killed $(BUILD)/tests/helpers/failing.so \
	$(BUILD)/tests/helpers/clock.so
BENCH_PROGRAMS := $(BUILD)/tests/bench/probe $(BUILD)/tests/bench/limit
SHARED := $(BUILD)/libleat.so.$(VERSION)

# ---- build ----

.PHONY: all
all: $(BUILD)/leat $(BUILD)/libleat.a $(SHARED)

$(BUILD)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(OUR_CFLAGS) $(HARDENING) $(CPPFLAGS) $(CFLAGS) -c $< -o $@

# Another program's code: none of the sanitizers of this build, and small.
$(BUILD)/$(WARM_INSIDE).so: $(WARM_SOURCES) lib/process/warm_memory.h lib/process/warm_wire.h Makefile
	@mkdir -p $(@D)
	$(CC) -std=c11 -D_GNU_SOURCE -fPIC -fvisibility=hidden $(WARNINGS) $(WERROR) $(HARDENING) $(CPPFLAGS) -O2 \
		-shared -s $(HARDENING_LDFLAGS) -Wl,-z,noseparate-code -o $@ $(WARM_SOURCES) -ldl

$(BUILD)/$(WARM_OBJECT).o: $(WARM_OBJECT).S $(BUILD)/$(WARM_INSIDE).so Makefile
	$(CC) $(HARDENING) $(CPPFLAGS) $(CFLAGS) -Wa,-I$(BUILD) -c $< -o $@

# What is within the program.
$(BUILD)/$(CLI_PAGE).o: $(CLI_PAGE).S $(wildcard cli/report/timeline/*) Makefile
	@mkdir -p $(@D)
	$(CC) $(HARDENING) $(CPPFLAGS) $(CFLAGS) -c $< -o $@

$(BUILD)/libleat.a: $(LIB_OBJECTS)
	rm -f $@
	$(AR) rcs $@ $^

$(SHARED): $(LIB_OBJECTS)
	$(CC) $(CFLAGS) $(HARDENING_LDFLAGS) $(LDFLAGS) $(OUR_LDFLAGS) -shared -Wl,-soname,libleat.so.$(SOVERSION) \
		$(SHARED_LDFLAGS) -o $@ $^

$(BUILD)/leat: $(CLI_OBJECTS) $(BUILD)/libleat.a
	$(CC) $(CFLAGS) -pie $(HARDENING_LDFLAGS) $(LDFLAGS) $(OUR_LDFLAGS) -o $@ $^ $(SQLITE_LIBS) $(JANSSON_LIBS)

-include $(LIB_OBJECTS:.o=.d) $(CLI_OBJECTS:.o=.d) $(UNIT_PROGRAMS:=.d)

# ---- dependencies ----

BUILD_PACKAGES := gcc make libc6-dev libsqlite3-dev libjansson-dev
TEST_PACKAGES := bats libcmocka-dev pkgconf strace tmux zsh fish bash-completion \
	util-linux procps sqlite3 libxml2-utils python3 valgrind chromium chromium-driver
CHECK_PACKAGES := clang clang-tidy clang-format shellcheck mandoc binutils
BENCH_PACKAGES := findutils parallel moreutils xe ninja-build time python3

# Install from Debian's packages what is not there yet. Root does it, or sudo.
.PHONY: deps deps-build deps-bench
deps: wanted := $(BUILD_PACKAGES) $(TEST_PACKAGES) $(CHECK_PACKAGES) $(BENCH_PACKAGES)
deps-build: wanted := $(BUILD_PACKAGES)
deps-bench: wanted := $(BUILD_PACKAGES) $(BENCH_PACKAGES)
deps deps-build deps-bench:
	@wanted="$(wanted)"; \
	missing=$$(for package in $$wanted; do \
		dpkg-query -W -f '$${Status}' $$package 2>/dev/null | grep -q ' installed$$' || \
			echo $$package; done); \
	[ -n "$$missing" ] || exit 0; \
	[ "$$(id -u)" = 0 ] || sudo=sudo; \
	$$sudo apt-get update -q && \
	DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -q -y --no-install-recommends $$missing

# ---- install ----

.PHONY: install uninstall
install: all
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(LIBDIR)/pkgconfig $(DESTDIR)$(INCLUDEDIR) \
		$(DESTDIR)$(MANDIR)/man1 $(DESTDIR)$(MANDIR)/man3 $(DESTDIR)$(MANDIR)/man5 $(DESTDIR)$(MANDIR)/man7 \
		$(DESTDIR)$(DATADIR)/bash-completion/completions \
		$(DESTDIR)$(DATADIR)/zsh/site-functions \
		$(DESTDIR)$(DATADIR)/fish/vendor_completions.d
	install -m 755 $(BUILD)/leat $(DESTDIR)$(BINDIR)/leat
	install -m 644 $(BUILD)/libleat.a $(DESTDIR)$(LIBDIR)/libleat.a
	install -m 755 $(SHARED) $(DESTDIR)$(LIBDIR)/libleat.so.$(VERSION)
	ln -sf libleat.so.$(VERSION) $(DESTDIR)$(LIBDIR)/libleat.so.$(SOVERSION)
	ln -sf libleat.so.$(SOVERSION) $(DESTDIR)$(LIBDIR)/libleat.so
	printf '%s\n' 'prefix=$(PREFIX)' 'libdir=$(LIBDIR)' 'includedir=$(INCLUDEDIR)' '' \
		'Name: leat' 'Description: bounded pools of functions and programs' \
		'Version: $(VERSION)' 'Libs: -L$${libdir} -lleat' 'Libs.private: -pthread' \
		'Cflags: -I$${includedir}' > $(DESTDIR)$(LIBDIR)/pkgconfig/leat.pc
	install -m 644 lib/leat.h $(DESTDIR)$(INCLUDEDIR)/leat.h
	install -m 644 man/leat.1 man/leat-parallel.1 man/leat-xargs.1 $(DESTDIR)$(MANDIR)/man1
	install -m 644 man/libleat.3 $(DESTDIR)$(MANDIR)/man3/libleat.3
	install -m 644 man/leat-events.5 man/leat-journal.5 $(DESTDIR)$(MANDIR)/man5
	install -m 644 man/leat-security.7 $(DESTDIR)$(MANDIR)/man7/leat-security.7
	install -m 644 completions/leat.bash $(DESTDIR)$(DATADIR)/bash-completion/completions/leat
	install -m 644 completions/_leat $(DESTDIR)$(DATADIR)/zsh/site-functions/_leat
	install -m 644 completions/leat.fish $(DESTDIR)$(DATADIR)/fish/vendor_completions.d/leat.fish

INSTALLED = $(BINDIR)/leat $(LIBDIR)/libleat.a $(LIBDIR)/libleat.so.$(VERSION) \
	$(LIBDIR)/libleat.so.$(SOVERSION) $(LIBDIR)/libleat.so $(LIBDIR)/pkgconfig/leat.pc \
	$(INCLUDEDIR)/leat.h $(MANDIR)/man1/leat.1 \
	$(MANDIR)/man1/leat-parallel.1 $(MANDIR)/man1/leat-xargs.1 $(MANDIR)/man3/libleat.3 \
	$(MANDIR)/man5/leat-events.5 $(MANDIR)/man5/leat-journal.5 \
	$(MANDIR)/man7/leat-security.7 \
	$(DATADIR)/bash-completion/completions/leat $(DATADIR)/zsh/site-functions/_leat \
	$(DATADIR)/fish/vendor_completions.d/leat.fish

# Directories go, too, if they are empty then, up to the prefix.
uninstall:
	rm -f $(INSTALLED:%=$(DESTDIR)%)
	for directory in $(sort $(dir $(INSTALLED:%=$(DESTDIR)%))); do \
		cd / && rmdir -p --ignore-fail-on-non-empty "$$directory" 2>/dev/null || :; \
	done

# ---- tests ----

$(BUILD)/tests/unit/%: tests/unit/%.c $(CLI_TESTED) $(BUILD)/libleat.a tests/unit/unit.h
	@mkdir -p $(@D)
	$(CC) $(OUR_CFLAGS) -Icli -Wno-missing-prototypes $(CPPFLAGS) $(CFLAGS) \
		$< $(CLI_TESTED) $(BUILD)/libleat.a -o $@ $(LDFLAGS) $(OUR_LDFLAGS) $(SQLITE_LIBS) $(JANSSON_LIBS) -lcmocka

$(BUILD)/tests/helpers/puppet $(BUILD)/tests/helpers/killed: $(BUILD)/tests/helpers/%: tests/helpers/%.c
	@mkdir -p $(@D)
	$(CC) -std=c11 -D_GNU_SOURCE $(WARNINGS) $(WERROR) -O1 -g $< -o $@

$(BUILD)/tests/helpers/%.so: tests/helpers/%.c
	@mkdir -p $(@D)
	$(CC) -std=c11 -D_GNU_SOURCE $(WARNINGS) $(WERROR) -O1 -g -shared -fPIC $< -o $@ -ldl

# Without libc: it does nothing but exit.
$(BUILD)/tests/bench/probe: tests/bench/probe.c
	@mkdir -p $(@D)
	$(CC) -O2 -static -nostdlib -fno-stack-protector $< -o $@

$(BUILD)/tests/bench/limit: tests/bench/limit.c
	@mkdir -p $(@D)
	$(CC) -std=c11 -D_GNU_SOURCE $(WARNINGS) $(WERROR) -O2 -pthread $< -o $@

.PHONY: test test-programs
test-programs: all $(UNIT_PROGRAMS) $(HELPERS) $(BUILD)/tests/bench/probe
test: test-programs
	BUILD=$(abspath $(BUILD)) UNIT_TESTS='$(UNIT_TESTS)' tests/run $(TESTS)

# ---- checks: each a part of .ci/run ----

.PHONY: check check-layers check-symbols check-hardening check-options check-man check-style check-shell check-fuzz \
	check-tidy check-asan check-tsan check-fault check-mutants
check: check-layers check-symbols check-hardening check-options check-man check-style check-shell \
	check-tidy check-asan check-tsan

check-layers:
	.ci/check-layers

check-symbols: $(SHARED)
	.ci/check-symbols $(SHARED)

check-hardening: all
	.ci/check-hardening $(BUILD)

check-options: $(BUILD)/leat
	.ci/check-options $(BUILD)/leat

check-man:
	mandoc -T lint -W warning $(MAN_PAGES)

check-style:
	clang-format --dry-run --Werror $$(git ls-files '*.c' '*.h')

check-shell:
	shellcheck .ci/run .ci/check-* tests/run tests/fault/mutate tests/fuzz/run $$(git ls-files 'tests/*.sh')
	shellcheck -s bash -e SC1083,SC2001,SC2013,SC2015,SC2016,SC2028,SC2030,SC2031,SC2034,SC2094,SC2154 $$(git ls-files 'tests/cli/*.bats' 'tests/cli/*.bash' 'tests/fault/*.bats' 'tests/fault/*.bash')

check-tidy:
	clang-tidy --quiet --config-file=.ci/clang-tidy $(LIB_SOURCES) $(WARM_SOURCES) $(CLI_SOURCES) -- \
		-std=c11 -D_GNU_SOURCE -DLEAT_VERSION='"$(VERSION)"' -Ilib -Icli

SANITIZED = $(MAKE) CC=clang HARDENING= LDFLAGS= SHARED_LDFLAGS=
check-asan:
	$(SANITIZED) BUILD=.build/asan \
		CFLAGS='-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer' test

# The units, and of the command what crosses threads most: cancellation.
check-tsan:
	$(SANITIZED) BUILD=.build/tsan CFLAGS='-O1 -g -fsanitize=thread' test \
		TESTS='$(UNIT_TESTS) cancel.bats'

# What must hold whatever fails: tests/fault/README.md.
check-fault: test-programs
	BUILD=$(abspath $(BUILD)) tests/run tests/fault/*.bats

# Whether those tests can fail: each mutant of the code is to be caught by one.
check-mutants:
	BUILD=$(abspath $(BUILD)) tests/fault/mutate $(MUTANTS)

# tests/fuzz/README.md. The parts are built anew, all watched, in a folder of their own;
# what is found beyond the corpora stays there.
FUZZ_SECONDS ?= 60
FUZZ_TARGETS := options input xargs template duration shell json junit timeline ci journal
FUZZERS := $(FUZZ_TARGETS:%=$(BUILD)/tests/fuzz/fuzz_%)
FUZZ_CFLAGS := -O1 -g -fno-omit-frame-pointer -fno-sanitize-recover=all \
	-fsanitize=fuzzer-no-link,address,undefined,float-cast-overflow

$(BUILD)/libcli.a: $(CLI_TESTED)
	rm -f $@
	$(AR) rcs $@ $^

$(BUILD)/tests/fuzz/fuzz_%: tests/fuzz/fuzz_%.c tests/fuzz/fuzz.h $(BUILD)/libcli.a $(BUILD)/libleat.a
	@mkdir -p $(@D)
	$(CC) $(OUR_CFLAGS) -Wno-missing-prototypes -Wno-string-conversion $(CFLAGS) -fsanitize=fuzzer $< \
		$(BUILD)/libcli.a $(BUILD)/libleat.a -o $@ -Wl,--wrap=message -Wl,--wrap=read \
		$(OUR_LDFLAGS) $(SQLITE_LIBS) $(JANSSON_LIBS)

.PHONY: fuzzers
fuzzers: $(FUZZERS)

check-fuzz:
	$(SANITIZED) BUILD=$(BUILD)/fuzz CFLAGS='$(FUZZ_CFLAGS)' fuzzers
	BUILD=$(abspath $(BUILD))/fuzz FUZZ_SECONDS=$(FUZZ_SECONDS) tests/fuzz/run $(FUZZ_TARGETS)

# An hour for each.
fuzz:
	$(MAKE) check-fuzz FUZZ_SECONDS=3600

# ---- the rest ----

# Some twenty minutes; the short one, which .ci/run shows, takes less than one.
.PHONY: fuzz bench bench-short clean help format
bench: all $(BENCH_PROGRAMS)
	BUILD=$(abspath $(BUILD)) tests/bench/bench.py $(PARTS)
bench-short: all $(BENCH_PROGRAMS)
	BUILD=$(abspath $(BUILD)) tests/bench/bench.py --short $(PARTS)

format:
	clang-format -i $$(git ls-files '*.c' '*.h')

clean:
	rm -rf $(BUILD)

help:
	@echo 'all install uninstall test bench bench-short fuzz check clean format'
	@echo 'deps deps-build deps-bench'
	@echo 'check-layers -symbols -hardening -options -man -style -shell -tidy -fuzz -asan -tsan -fault -mutants'
