/* leat's own command line, and how many slots it makes. */
#include "unit.h"

#include "exit_status.h"
#include "front/front.h"

#include "divert.h"

#include <errno.h>

#define MOST_WORDS 8

/* A command line: what comes behind the program's name. */
struct line {
	const char *words[MOST_WORDS];
};

static struct plan plan;
static const struct front *front;

// Parse, with what is said on standard error in the file "said".
static int parse(const struct line *line)
{
	struct divert divert = divert_to_file(STDERR_FILENO, "said");
	char *argv[MOST_WORDS + 1] = {(char *)"leat"};
	int argc = 1, error;

	for (; argc <= MOST_WORDS && line->words[argc - 1]; argc++)
		argv[argc] = (char *)line->words[argc - 1];
	error = front_parse(&front, &plan, argc, argv);
	divert_end(&divert);
	return error;
}

static void parse_well(struct line line)
{
	char *said;

	assert_int_equal(parse(&line), 0);
	said = scratch_read("said");
	assert_string_equal(said, "");
	free(said);
}

#define PARSE(...) parse_well((struct line){{__VA_ARGS__}})

static void the_defaults_are_these(void **state)
{
	(void)state;
	PARSE(NULL);
	assert_int_equal(plan.splitting.delimiter, '\n');
	assert_true(plan.splitting.commands);
	assert_int_equal(plan.arg_file_count, 0);
	assert_int_equal(plan.jobs.kind, JOBS_CPUS);
	assert_null(plan.shell);
	assert_int_equal(plan.timeout_ns, LEAT_NEVER);
	assert_int_equal(plan.deadline_ns, LEAT_NEVER);
	assert_int_equal(plan.drain_timeout_ns, LEAT_NEVER);
	assert_int_equal(plan.kill_after_ns, 5 * LEAT_SECOND_NS);
	assert_int_equal(plan.linger_ns, LEAT_SECOND_NS);
	assert_false(plan.terminate_on_interrupt || plan.ungroup);
	assert_false(plan.summary || plan.quiet || plan.help || plan.version);
	assert_null(plan.unrun_file);
	plan_finish(&plan);
}

static void no_argv_at_all_is_the_defaults(void **state)
{
	char *argv[] = {NULL};

	(void)state;
	assert_int_equal(front_parse(&front, &plan, 0, argv), 0);
	assert_int_equal(plan.jobs.kind, JOBS_CPUS);
	plan_finish(&plan);
}

static void arg_files_add_up_in_order(void **state)
{
	(void)state;
	PARSE("-a", "one", "-atwo", "--arg-file", "-", "--arg-file=four");
	assert_int_equal(plan.arg_file_count, 4);
	assert_string_equal(plan.arg_files[0], "one");
	assert_string_equal(plan.arg_files[1], "two");
	assert_string_equal(plan.arg_files[2], "-");
	assert_string_equal(plan.arg_files[3], "four");
	plan_finish(&plan);
}

static void null_ends_records_at_nul(void **state)
{
	static const char *const forms[] = {"-0", "--null"};

	(void)state;
	for (int index = 0; index < 2; index++) {
		PARSE(forms[index]);
		assert_int_equal(plan.splitting.delimiter, '\0');
		assert_false(plan.splitting.commands);
		plan_finish(&plan);
	}
}

static void delimiters_are_a_character_or_an_escape(void **state)
{
	static const struct {
		const char *text;
		int delimiter;
		bool lines;
	} forms[] = {{",", ',', false}, {"\\n", '\n', true}, {"\n", '\n', true},
		{"\\t", '\t', false}, {"\\0", 0, false}, {"\\r", '\r', false},
		{"\\\\", '\\', false}, {"\\", '\\', false}, {"\\x41", 'A', false},
		{"\\xfF", (char)0xFF, false}, {"\\x0a", '\n', true}, {"-", '-', false}};

	(void)state;
	for (size_t index = 0; index < sizeof forms / sizeof *forms; index++) {
		PARSE("-d", forms[index].text);
		assert_int_equal(plan.splitting.delimiter, (char)forms[index].delimiter);
		assert_int_equal(plan.splitting.commands, forms[index].lines);
		plan_finish(&plan);
		PARSE("--delimiter", forms[index].text);
		assert_int_equal(plan.splitting.delimiter, (char)forms[index].delimiter);
		plan_finish(&plan);
	}
}

static void jobs_come_in_many_forms(void **state)
{
	static const struct {
		const char *text;
		struct jobs jobs;
	} forms[] = {{"4", {JOBS_NUMBER, 4}}, {"0", {JOBS_MOST, 0}},
		{"50%", {JOBS_PERCENT, 50}}, {"0%", {JOBS_PERCENT, 0}},
		{"+2", {JOBS_MORE, 2}}, {"-1", {JOBS_FEWER, 1}}, {"+0", {JOBS_MORE, 0}},
		{"2147483647", {JOBS_NUMBER, 2147483647}}};

	(void)state;
	for (size_t index = 0; index < sizeof forms / sizeof *forms; index++) {
		static const char *const names[] = {"-j", "-P", "--jobs"};

		for (int name = 0; name < 3; name++) {
			PARSE(names[name], forms[index].text);
			assert_int_equal(plan.jobs.kind, forms[index].jobs.kind);
			assert_int_equal(plan.jobs.number, forms[index].jobs.number);
			plan_finish(&plan);
		}
	}
}

static void durations_have_their_fields(void **state)
{
	(void)state;
	PARSE("--timeout=1.5s", "--deadline", "2m", "--kill-after=0", "--linger=200ms",
		"--drain-timeout", "1h");
	assert_int_equal(plan.timeout_ns, 3 * LEAT_SECOND_NS / 2);
	assert_int_equal(plan.deadline_ns, 120 * LEAT_SECOND_NS);
	assert_int_equal(plan.kill_after_ns, 0);
	assert_int_equal(plan.linger_ns, LEAT_SECOND_NS / 5);
	assert_int_equal(plan.drain_timeout_ns, 3600 * LEAT_SECOND_NS);
	plan_finish(&plan);
}

static void words_and_flags_have_their_fields(void **state)
{
	(void)state;
	PARSE("--shell", "bash", "--unrun=rest", "--summary", "--ungroup", "--quiet",
		"--help", "--version");
	assert_string_equal(plan.shell, "bash");
	assert_string_equal(plan.unrun_file, "rest");
	assert_true(plan.summary && plan.ungroup && plan.quiet);
	assert_true(plan.help && plan.version);
	plan_finish(&plan);
}

static void letters_may_be_joined(void **state)
{
	(void)state;
	PARSE("-uq0j3", "--");
	assert_true(plan.ungroup && plan.quiet);
	assert_int_equal(plan.splitting.delimiter, '\0');
	assert_int_equal(plan.jobs.number, 3);
	plan_finish(&plan);
}

static void on_cancel_is_drain_or_terminate(void **state)
{
	(void)state;
	PARSE("--on-cancel", "terminate");
	assert_true(plan.terminate_on_interrupt);
	plan_finish(&plan);
	PARSE("--on-cancel=terminate", "--on-cancel=drain");
	assert_false(plan.terminate_on_interrupt);
	plan_finish(&plan);
}

static void the_last_of_two_wins(void **state)
{
	(void)state;
	PARSE("-j1", "-j2", "--timeout=1", "--timeout=2", "-0", "-d,");
	assert_int_equal(plan.jobs.number, 2);
	assert_int_equal(plan.timeout_ns, 2 * LEAT_SECOND_NS);
	assert_int_equal(plan.splitting.delimiter, ',');
	plan_finish(&plan);
}

static void a_bad_line_is_refused_with_words_that_name_it(void **state)
{
	static const struct {
		struct line line;
		const char *said;
	} lines[] = {
		{{{"-j", "x"}}, "-j takes a number of slots"},
		{{{"-j", ""}}, "-j takes a number of slots"},
		{{{"-j1x"}}, "not '1x'"},
		{{{"-j", "--", "1"}}, "not '--'"},
		{{{"-j+5%"}}, "not"},
		{{{"-j-"}}, "-j takes"},
		{{{"-j 1"}}, "-j takes"},
		{{{"-j2147483648"}}, "-j takes"},
		{{{"-j99999999999999999999"}}, "-j takes"},
		{{{"-P", "many"}}, "-P takes a number of slots"},
		{{{"--jobs", "many"}}, "--jobs takes a number of slots"},
		{{{"-j"}}, "-j takes N, which is missing"},
		{{{"--jobs"}}, "--jobs takes N, which is missing"},
		{{{"-d", "ab"}}, "-d takes one character"},
		{{{"-d", ""}}, "-d takes one character"},
		{{{"-d", "\\q"}}, "-d takes"},
		{{{"-d", "\\x4"}}, "-d takes"},
		{{{"-d", "\\x4g"}}, "-d takes"},
		{{{"-d", "\\x411"}}, "-d takes"},
		{{{"--delimiter", "\\nn"}}, "--delimiter takes"},
		{{{"--timeout", "soon"}}, "--timeout takes a duration such as"},
		{{{"--timeout="}}, "--timeout takes a duration such as"},
		{{{"--deadline", "1h30"}}, "--deadline takes a duration"},
		{{{"--kill-after", "-1"}}, "--kill-after takes a duration"},
		{{{"--linger", "x"}}, "--linger takes a duration"},
		{{{"--drain-timeout", "999999d"}}, "--drain-timeout takes a duration"},
		{{{"--on-cancel", "wait"}}, "--on-cancel takes drain or terminate"},
		{{{"--shell", ""}}, "--shell takes PATH"},
		{{{"--unrun="}}, "--unrun takes FILE"},
		{{{"--unrun"}}, "--unrun takes FILE, which is missing"},
		{{{"-a"}}, "-a takes FILE, which is missing"},
		{{{"--quiet=yes"}}, "--quiet takes no value"},
		{{{"--null=1"}}, "--null takes no value"},
		{{{"--no-such-thing"}}, "unknown option --no-such-thing"},
		{{{"--tiemout", "1"}}, "did you mean --timeout?"},
		{{{"--time", "1"}}, "did you mean --timeout?"},
		{{{"-uZ"}}, "unknown option -Z"},
		{{{"-c", "echo", "word"}}, "unexpected word 'word'"},
		{{{"-c", "echo", "-c", "echo"}}, "-c takes one script"},
		{{{"-X"}}, "--fill needs a COMMAND"},
		{{{"-n2", "-j1"}}, "--max-args needs a COMMAND"},
		{{{"-C", ",", ":::", "a"}}, "--colsep needs a COMMAND"},
		{{{"-n0", "echo"}}, "-n takes a number from 1"},
		{{{"-s", "x", "echo"}}, "-s takes a number from 1"},
		{{{"-I", "", "echo"}}, "-I takes a text that stands for {}"},
		{{{"echo", ":::+", "a"}}, ":::+ needs a source before it"},
		{{{"echo", "::::"}}, ":::: needs a FILE"},
		{{{"--stdin", "some", "cat"}}, "--stdin takes null, inherit or record"},
		{{{"--stdin", "inherit", "cat"}}, "records are read from standard input"},
		{{{"--seed", "1", "echo"}}, "--seed is for --shuf"},
		{{{"--seed", "x", "echo"}}, "--seed takes a number"},
		{{{"--trim", "x", "echo"}}, "--trim takes n, l, r or lr"},
		{{{"--env", "x", "echo"}}, "--env takes NAME=VALUE"},
		{{{"-j1", "--as", "xargs"}}, "comes before everything else"},
		{{{"--shell\x1b[31m"}}, "unknown option --shell^[[31m"},
	};

	(void)state;
	for (size_t index = 0; index < sizeof lines / sizeof *lines; index++) {
		int error = parse(&lines[index].line);
		char *said = scratch_read("said");

		if (error != EXIT_USAGE || !strstr(said, lines[index].said) ||
			strncmp(said, "leat: ", 6) != 0 || !strstr(said, "'leat --help'"))
			fail_msg("'%s': %d, %s", lines[index].line.words[0], error, said);
		free(said);
	}
}

static void help_names_every_option(void **state)
{
	static const char *const names[] = {"-a, --arg-file FILE", "-0, --null",
		"-d, --delimiter C", "-j, --jobs N", "-P", "--shell PATH",
		"--timeout DUR", "--deadline DUR", "--kill-after DUR", "--linger DUR",
		"--on-cancel HOW", "--drain-timeout DUR", "-u, --ungroup", "--unrun FILE",
		"--summary", "-q, --quiet", "--help", "--version"};
	struct divert divert = divert_to_file(STDOUT_FILENO, "help");
	char *help;

	(void)state;
	front_native_help();
	divert_end(&divert);
	help = scratch_read("help");
	for (size_t index = 0; index < sizeof names / sizeof *names; index++)
		if (!strstr(help, names[index]))
			fail_msg("no %s in the help", names[index]);
	free(help);
}

static void jobs_become_slots(void **state)
{
	static const struct {
		struct jobs jobs;
		unsigned cpus, room, slots;
	} rows[] = {
		{{JOBS_CPUS, 0}, 8, 100, 8},
		{{JOBS_CPUS, 0}, 8, 5, 5},
		{{JOBS_NUMBER, 3}, 8, 100, 3},
		{{JOBS_NUMBER, 300}, 8, 100, 100},
		{{JOBS_PERCENT, 50}, 8, 100, 4},
		{{JOBS_PERCENT, 150}, 8, 100, 12},
		{{JOBS_PERCENT, 0}, 8, 100, 1},
		{{JOBS_PERCENT, 10}, 2, 100, 1},
		{{JOBS_PERCENT, 25}, 2, 100, 1},
		{{JOBS_PERCENT, 2147483647}, 4096, 100, 100},
		{{JOBS_MORE, 2}, 8, 100, 10},
		{{JOBS_MORE, 0}, 8, 100, 8},
		{{JOBS_MORE, 2147483647}, 4294967295U, 100, 100},
		{{JOBS_FEWER, 3}, 8, 100, 5},
		{{JOBS_FEWER, 8}, 8, 100, 1},
		{{JOBS_FEWER, 9}, 8, 100, 1},
		{{JOBS_FEWER, 0}, 8, 100, 8},
		{{JOBS_MOST, 0}, 8, 100, 100},
		{{JOBS_MOST, 0}, 8, 0, 1},
		{{JOBS_NUMBER, 5}, 0, 0, 1},
	};

	(void)state;
	for (size_t index = 0; index < sizeof rows / sizeof *rows; index++)
		assert_int_equal(jobs_resolve(&rows[index].jobs, rows[index].cpus,
					 rows[index].room),
			rows[index].slots);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_defaults_are_these),
		TEST(no_argv_at_all_is_the_defaults),
		TEST(arg_files_add_up_in_order),
		TEST(null_ends_records_at_nul),
		TEST(delimiters_are_a_character_or_an_escape),
		TEST(jobs_come_in_many_forms),
		TEST(durations_have_their_fields),
		TEST(words_and_flags_have_their_fields),
		TEST(letters_may_be_joined),
		TEST(on_cancel_is_drain_or_terminate),
		TEST(the_last_of_two_wins),
		TEST(a_bad_line_is_refused_with_words_that_name_it),
		TEST(help_names_every_option),
		TEST(jobs_become_slots),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
