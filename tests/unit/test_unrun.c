/* The records that were not run. */
#include "unit.h"

#include "unrun.h"

#include "scratch.h"

#include <errno.h>

static struct unrun unrun;

static struct plan plan;

// The record is its only value.
static struct task *new_task(uint64_t sequence, const char *record)
{
	struct task *task = calloc(1, sizeof *task + sizeof *task->values);

	assert_non_null(task);
	task->sequence = sequence;
	task->count = 1;
	task->values[0] = (struct value){record, (uint32_t)strlen(record), true};
	return task;
}

static int open_unrun(const char *name, char delimiter)
{
	plan.unrun_file = name;
	plan.splitting.delimiter = delimiter;
	return unrun_open(&unrun, &plan);
}

static void write_one(const char *record)
{
	struct task *task = new_task(1, record);

	unrun_write(&unrun, task);
	free(task);
}

static void add(uint64_t sequence, const char *record)
{
	unrun_add(&unrun, new_task(sequence, record));
}

static void assert_file(const char *name, const char *expected)
{
	char *text = scratch_read(name);

	assert_string_equal(text, expected);
	free(text);
}

static void records_are_written_in_the_order_of_the_input(void **state)
{
	(void)state;
	assert_int_equal(open_unrun("rest", '\n'), 0);
	add(3, "three");
	add(1, "one");
	add(5, "five");
	add(2, "two");
	add(4, "");
	assert_int_equal(unrun_close(&unrun, -1), 0);
	assert_file("rest", "one\ntwo\nthree\n\nfive\n");
}

static void the_delimiter_is_the_inputs(void **state)
{
	char *text;

	(void)state;
	assert_int_equal(open_unrun("rest", '\0'), 0);
	add(1, "one");
	add(2, "two\nlines");
	assert_int_equal(unrun_close(&unrun, -1), 0);
	text = scratch_read("rest");
	assert_memory_equal(text, "one\0two\nlines\0", 15);
	free(text);
}

static void what_is_flushed_comes_before_what_is_written(void **state)
{
	(void)state;
	assert_int_equal(open_unrun("rest", '\n'), 0);
	add(2, "two");
	add(1, "one");
	unrun_flush(&unrun);
	write_one("three");
	add(4, "four");
	assert_int_equal(unrun_close(&unrun, -1), 0);
	assert_file("rest", "one\ntwo\nthree\nfour\n");
}

static void without_a_name_nothing_is_kept(void **state)
{
	(void)state;
	assert_int_equal(open_unrun(NULL, '\n'), 0);
	add(1, "one");
	write_one("two");
	assert_int_equal(unrun_close(&unrun, -1), 0);
	assert_int_equal(scratch_count("."), 0);
}

static void nothing_unrun_is_an_empty_file(void **state)
{
	(void)state;
	assert_int_equal(open_unrun("rest", '\n'), 0);
	assert_int_equal(unrun_close(&unrun, -1), 0);
	assert_file("rest", "");
	assert_int_equal(scratch_count("."), 1);
}

static void the_former_file_stands_until_the_new_one_is_whole(void **state)
{
	struct stat status;

	(void)state;
	scratch_write_bytes("rest", "former\n", 7, 0640);
	assert_int_equal(open_unrun("rest", '\n'), 0);
	add(1, "one");
	unrun_flush(&unrun);
	fflush(unrun.file.stream);
	assert_file("rest", "former\n");
	assert_int_equal(unrun_close(&unrun, -1), 0);
	assert_file("rest", "one\n");
	assert_int_equal(scratch_count("."), 1);
	assert_int_equal(stat("rest", &status), 0);
	assert_int_equal(status.st_mode & 07777, 0640);
}

static void a_symbolic_link_is_followed(void **state)
{
	struct stat status;

	(void)state;
	scratch_write("elsewhere/rest", "former\n");
	assert_int_equal(symlink("elsewhere/rest", "link"), 0);
	assert_int_equal(open_unrun("link", '\n'), 0);
	add(1, "one");
	assert_int_equal(unrun_close(&unrun, -1), 0);
	assert_file("elsewhere/rest", "one\n");
	assert_int_equal(lstat("link", &status), 0);
	assert_true(S_ISLNK(status.st_mode));
}

static void a_new_file_has_the_usual_mode(void **state)
{
	mode_t before = umask(027);
	struct stat status;

	(void)state;
	assert_int_equal(open_unrun("rest", '\n'), 0);
	assert_int_equal(unrun_close(&unrun, -1), 0);
	assert_int_equal(umask(before), 027);
	assert_int_equal(stat("rest", &status), 0);
	assert_int_equal(status.st_mode & 07777, 0640);
}

static void what_is_no_regular_file_is_written_to(void **state)
{
	char bytes[64] = "";
	int fd;

	(void)state;
	assert_int_equal(mkfifo("pipe", 0600), 0);
	fd = open("pipe", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_int_equal(open_unrun("pipe", '\n'), 0);
	add(1, "one");
	assert_int_equal(unrun_close(&unrun, -1), 0);
	assert_int_equal(read(fd, bytes, sizeof bytes), 4);
	assert_string_equal(bytes, "one\n");
	close(fd);
	assert_int_equal(scratch_count("."), 1);
}

static void a_missing_directory_is_an_error(void **state)
{
	(void)state;
	assert_int_equal(open_unrun("no/such/file", '\n'), -ENOENT);
}

static void a_directory_is_an_error(void **state)
{
	(void)state;
	assert_int_equal(mkdir("directory", 0700), 0);
	assert_int_equal(open_unrun("directory", '\n'), -EISDIR);
	assert_int_equal(scratch_count("."), 1);
}

static void a_full_disk_is_an_error(void **state)
{
	(void)state;
	assert_int_equal(open_unrun("/dev/full", '\n'), 0);
	add(1, "one");
	assert_int_equal(unrun_close(&unrun, -1), -ENOSPC);
}

static void a_failed_write_leaves_the_former_file(void **state)
{
	(void)state;
	scratch_write("rest", "former\n");
	assert_int_equal(open_unrun("rest", '\n'), 0);
	add(1, "one");
	// As on a full disk: what the stream writes to has no room.
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	assert_true(full >= 0);
	assert_true(dup2(full, fileno(unrun.file.stream)) >= 0);
	close(full);
	assert_int_equal(unrun_close(&unrun, -1), -ENOSPC);
	assert_file("rest", "former\n");
	assert_int_equal(scratch_count("."), 1);
}

static void an_error_of_an_early_write_is_not_forgotten(void **state)
{
	char record[20000];

	(void)state;
	memset(record, 'x', sizeof record);
	record[sizeof record - 1] = '\0';
	assert_int_equal(open_unrun("/dev/full", '\n'), 0);
	for (int count = 0; count < 10; count++)
		write_one(record);
	assert_true(unrun_close(&unrun, -1) < 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(records_are_written_in_the_order_of_the_input),
		TEST(the_delimiter_is_the_inputs),
		TEST(what_is_flushed_comes_before_what_is_written),
		TEST(without_a_name_nothing_is_kept),
		TEST(nothing_unrun_is_an_empty_file),
		TEST(the_former_file_stands_until_the_new_one_is_whole),
		TEST(a_symbolic_link_is_followed),
		TEST(a_new_file_has_the_usual_mode),
		TEST(what_is_no_regular_file_is_written_to),
		TEST(a_missing_directory_is_an_error),
		TEST(a_directory_is_an_error),
		TEST(a_full_disk_is_an_error),
		TEST(a_failed_write_leaves_the_former_file),
		TEST(an_error_of_an_early_write_is_not_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
