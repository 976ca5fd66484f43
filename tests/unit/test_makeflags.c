/* What MAKEFLAGS says of a jobserver. */
#include "unit.h"

#include "makeflags.h"

#include <stdio.h>
#include <string.h>

static struct makeflags flags;

static void parse(const char *value)
{
	makeflags_finish(&flags);
	makeflags_parse(&flags, value);
}

static int teardown(void **state)
{
	(void)state;
	makeflags_finish(&flags);
	return 0;
}

static void assert_pipe(const char *value, int read_fd, int write_fd, unsigned jobs)
{
	parse(value);
	assert_int_equal(flags.style, JOBSERVER_PIPE);
	assert_int_equal(flags.read_fd, read_fd);
	assert_int_equal(flags.write_fd, write_fd);
	assert_int_equal(flags.jobs, jobs);
}

static void assert_fifo(const char *value, const char *path)
{
	parse(value);
	assert_int_equal(flags.style, JOBSERVER_FIFO);
	assert_string_equal(flags.path.bytes, path);
}

static void assert_style(const char *value, int style)
{
	parse(value);
	assert_int_equal(flags.style, style);
}

static void without_a_jobserver_there_is_none(void **state)
{
	static const char *const values[] = {"", " ", "kw", " -j4", "-j", "n -- A=b",
		"--jobserver-auth", "--jobserver-style=fifo", "xjobserver-auth=3,4"};

	(void)state;
	assert_style(NULL, JOBSERVER_NONE);
	for (size_t index = 0; index < sizeof values / sizeof *values; index++)
		assert_style(values[index], JOBSERVER_NONE);
}

static void a_pipe_has_two_numbers(void **state)
{
	(void)state;
	assert_pipe(" -j4 --jobserver-auth=3,4", 3, 4, 4);
	assert_pipe("kw -j12 --jobserver-auth=10,2147483600 -- A=b", 10, 2147483600, 12);
	assert_pipe("--jobserver-fds=5,6 -j", 5, 6, 0); // make before 4.2
	assert_pipe("\t -l2.5 \t--jobserver-auth=03,04\t", 3, 4, 0);
}

static void a_fifo_has_a_path(void **state)
{
	(void)state;
	assert_fifo(" -j4 --jobserver-auth=fifo:/tmp/GMfifo12", "/tmp/GMfifo12");
	assert_fifo("--jobserver-auth=fifo:/a\\ b\\\\c$$d,3", "/a b\\c$d,3");
}

static void the_last_jobserver_counts(void **state)
{
	(void)state;
	assert_pipe("--jobserver-auth=fifo:/a -j2 --jobserver-fds=5,6 -j3", 5, 6, 3);
	assert_fifo("--jobserver-auth=3,4 --jobserver-auth=fifo:/b", "/b");
	assert_fifo("--jobserver-auth=fifo:/longer --jobserver-auth=fifo:/c", "/c");
	assert_style("--jobserver-auth=3,4 --jobserver-auth=-2,-2", JOBSERVER_UNCLEAR);
}

static void what_stands_behind_two_dashes_are_variables(void **state)
{
	(void)state;
	assert_style("w -- --jobserver-auth=3,4", JOBSERVER_NONE);
	assert_style("--\t--jobserver-auth=3,4", JOBSERVER_NONE);
	assert_pipe("--jobserver-auth=3,4 -- X=--jobserver-auth=5,6", 3, 4, 0);
	assert_style("A=x\\ --jobserver-auth=3,4", JOBSERVER_NONE);
}

static void what_is_neither_is_unclear(void **state)
{
	static const char *const values[] = {"", "3", "3,", ",4", "3,4,5", "3,x", "x,4",
		"-2,-2", "3,-1", "+3,4", "3, 4", "99999999999,4",
		"3,99999999999999999999", "fifo:", "fifo", "FIFO:/x",
		"gmake_semaphore_12"};

	(void)state;
	for (size_t index = 0; index < sizeof values / sizeof *values; index++) {
		char value[80];

		snprintf(value, sizeof value, " -j2 --jobserver-auth=%s", values[index]);
		assert_style(value, JOBSERVER_UNCLEAR);
	}
}

static void assert_becomes(const char *before, const char *where, const char *expected)
{
	struct text text = {0};

	makeflags_append(&text, before, 5, where);
	assert_string_equal(text.bytes, expected);
	text_finish(&text);
}

static void another_jobserver_takes_the_place_of_the_former(void **state)
{
	(void)state;
	assert_becomes(NULL, "3,4", "MAKEFLAGS= -j5 --jobserver-auth=3,4");
	assert_becomes("", "3,4", "MAKEFLAGS= -j5 --jobserver-auth=3,4");
	assert_becomes("kw", "3,4", "MAKEFLAGS=kw -j5 --jobserver-auth=3,4");
	assert_becomes(" -j2 --jobserver-auth=7,8", "3,4",
		"MAKEFLAGS= -j5 --jobserver-auth=3,4");
	assert_becomes(
		"k  -j2 --jobserver-auth=7,8 --jobserver-style=pipe -l1 -- A=-j B=b\\ c",
		"3,4", "MAKEFLAGS=k -l1 -j5 --jobserver-auth=3,4 -- A=-j B=b\\ c");
	assert_becomes(
		"--jobs=3 --jobs -j9", "3,4", "MAKEFLAGS= -j5 --jobserver-auth=3,4");
}

static void what_is_written_is_read_as_it_was(void **state)
{
	struct text text = {0};

	(void)state;
	makeflags_append(&text, "k -- A=b", 7, "fifo:/a b\t\\c$d/jobserver");
	assert_fifo(text.bytes + strlen("MAKEFLAGS="), "/a b\t\\c$d/jobserver");
	assert_int_equal(flags.jobs, 7);
	text_finish(&text);
}

#define TEST(name) cmocka_unit_test_teardown(name, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_a_jobserver_there_is_none),
		TEST(a_pipe_has_two_numbers),
		TEST(a_fifo_has_a_path),
		TEST(the_last_jobserver_counts),
		TEST(what_stands_behind_two_dashes_are_variables),
		TEST(what_is_neither_is_unclear),
		TEST(another_jobserver_takes_the_place_of_the_former),
		TEST(what_is_written_is_read_as_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
