/* Records from standard input and files. */
#include "unit.h"

#include "input.h"
#include "message.h"

#include "divert.h"
#include "thread.h"

#include <errno.h>

static struct splitting splitting;
static size_t file_count;
static struct leat_context *context;
static struct input *input;
static const char *files[4];

static int input_setup(void **state)
{
	(void)state;
	splitting = (struct splitting){.delimiter = '\n'};
	file_count = 0;
	input = NULL;
	if (leat_context_create(&context, NULL, LEAT_NEVER) < 0)
		return -1;
	return scratch_make();
}

static int input_teardown(void **state)
{
	(void)state;
	input_close(input);
	leat_context_destroy(context);
	return scratch_remove();
}

static void name_source(const char *name)
{
	files[file_count++] = name;
}

static void open_input(void)
{
	if (!file_count)
		name_source("-");
	assert_int_equal(input_open(&input, &splitting, files, file_count), 0);
}

static void open_text(const char *text)
{
	scratch_write("in", text);
	name_source("in");
	open_input();
}

static int next_until(int64_t until, struct record *record)
{
	return input_next(input, (struct patience){context, until}, record);
}

static int next(struct record *record)
{
	return next_until(LEAT_NEVER, record);
}

static void assert_record_of(const char *bytes, size_t length)
{
	struct record record;

	assert_int_equal(next(&record), 1);
	assert_int_equal(record.length, length);
	assert_memory_equal(record.bytes, bytes, length);
}

static void assert_record(const char *text)
{
	assert_record_of(text, strlen(text));
}

static void assert_end(void)
{
	struct record record;

	assert_int_equal(next(&record), 0);
	assert_int_equal(next(&record), 0);
}

static void records_end_at_a_newline(void **state)
{
	(void)state;
	open_text("one\n two  \n\nfour\n");
	assert_record("one");
	assert_record(" two  ");
	assert_record("");
	assert_record("four");
	assert_end();
}

static void the_last_record_needs_no_end(void **state)
{
	(void)state;
	open_text("one\ntwo");
	assert_record("one");
	assert_record("two");
	assert_end();
}

static void an_empty_source_has_no_record(void **state)
{
	(void)state;
	open_text("");
	assert_end();
}

static void records_may_end_at_nul(void **state)
{
	(void)state;
	splitting.delimiter = '\0';
	scratch_write_bytes("in", "one\ntwo\0\0three", 14, 0600);
	name_source("in");
	open_input();
	assert_record("one\ntwo");
	assert_record("");
	assert_record("three");
	assert_end();
}

static void records_may_end_at_any_byte(void **state)
{
	(void)state;
	splitting.delimiter = (char)0xFF;
	open_text("a\nb\xFF"
		  "c\xFF");
	assert_record("a\nb");
	assert_record("c");
	assert_end();
}

static void a_nul_byte_in_a_line_is_kept(void **state)
{
	(void)state;
	scratch_write_bytes("in", "a\0b\nc\n", 6, 0600);
	name_source("in");
	open_input();
	assert_record_of("a\0b", 3);
	assert_record("c");
	assert_end();
}

static void a_byte_order_mark_is_dropped_from_lines(void **state)
{
	(void)state;
	splitting.commands = true;
	open_text("\xEF\xBB\xBFone\n\xEF\xBB\xBFtwo\n");
	assert_record("one");
	assert_record("\xEF\xBB\xBFtwo");
	assert_end();
}

static void each_source_may_begin_with_a_mark(void **state)
{
	(void)state;
	splitting.commands = true;
	scratch_write("a", "\xEF\xBB\xBFone");
	name_source("a");
	name_source("a");
	open_input();
	assert_record("one");
	assert_record("one");
	assert_end();
}

static void a_byte_order_mark_is_kept_in_other_records(void **state)
{
	(void)state;
	splitting.delimiter = ',';
	open_text("\xEF\xBB\xBFone,");
	assert_record("\xEF\xBB\xBFone");
	assert_end();
}

static void sources_come_one_after_the_other(void **state)
{
	(void)state;
	scratch_write("a", "one\ntwo");
	scratch_write("b", "");
	scratch_write("c", "three\n");
	name_source("a");
	name_source("b");
	name_source("c");
	open_input();
	assert_record("one");
	assert_record("two");
	assert_record("three");
	assert_end();
}

static void standard_input_is_the_default_and_the_dash(void **state)
{
	struct divert divert;
	int fd;

	(void)state;
	scratch_write("in", "from here\n");
	for (int turn = 0; turn < 2; turn++) {
		fd = open("in", O_RDONLY | O_CLOEXEC);
		divert = divert_to(STDIN_FILENO, fd);
		close(fd);
		if (turn)
			name_source("-");
		open_input();
		divert_end(&divert);
		assert_record("from here");
		assert_end();
		input_close(input);
		input = NULL;
	}
}

#define LONG_BYTES ((size_t)500000)

static void a_record_may_be_longer_than_the_buffer(void **state)
{
	char *text = malloc(LONG_BYTES + 10);

	(void)state;
	assert_non_null(text);
	memset(text, 'x', LONG_BYTES);
	memcpy(text, "a\nb", 3);
	memcpy(text + LONG_BYTES, "\nc", 3);
	open_text(text);
	assert_record("a");
	assert_record_of(text + 2, LONG_BYTES - 2);
	assert_record("c");
	assert_end();
	free(text);
}

static void many_records_of_all_lengths_come_whole(void **state)
{
	struct text text = {0};
	char *line = malloc(3001);

	(void)state;
	assert_non_null(line);
	memset(line, 'y', 3001);
	for (size_t count = 0; count < 1000; count++) {
		text_append(&text, line, count * 7 % 3000);
		text_append(&text, "\n", 1);
	}
	open_text(text.bytes);
	for (size_t count = 0; count < 1000; count++)
		assert_record_of(line, count * 7 % 3000);
	assert_end();
	text_finish(&text);
	free(line);
}

// A FIFO as the source; returns the end to write to.
static int open_pipe(void)
{
	int fd;

	assert_int_equal(mkfifo("pipe", 0600), 0);
	fd = open("pipe", O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	name_source("pipe");
	open_input();
	return fd;
}

static void say(int fd, const char *text)
{
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void patience_ends_on_an_empty_pipe_and_nothing_is_lost(void **state)
{
	struct record record;
	int fd = open_pipe();

	(void)state;
	say(fd, "one\ntw");
	assert_record("one");
	assert_int_equal(next_until(leat_context_now(context), &record), -EAGAIN);
	assert_int_equal(
		next_until(leat_context_now(context) + LEAT_SECOND_NS / 100, &record),
		-EAGAIN);
	say(fd, "o\n");
	assert_record("two");
	close(fd);
}

static void what_was_read_is_handed_out_without_patience(void **state)
{
	struct record record;
	int fd = open_pipe();

	(void)state;
	say(fd, "one\ntwo\n");
	assert_record("one");
	leat_context_cancel(context, 1);
	assert_record("two");
	assert_int_equal(next(&record), -EAGAIN);
	close(fd);
}

struct blocked {
	struct record record;
	int result;
};

static void read_blocked(void *argument)
{
	struct blocked *blocked = argument;

	blocked->result = next(&blocked->record);
}

static void a_cancel_ends_the_wait_for_more(void **state)
{
	struct blocked blocked = {0};
	struct thread reader;
	int fd = open_pipe();

	(void)state;
	thread_start(&reader, read_blocked, &blocked);
	thread_await_sleep(&reader);
	leat_context_cancel(context, 1);
	thread_join(&reader);
	assert_int_equal(blocked.result, -EAGAIN);
	close(fd);
}

static void the_wait_ends_when_more_comes(void **state)
{
	struct blocked blocked = {0};
	struct thread reader;
	int fd = open_pipe();

	(void)state;
	thread_start(&reader, read_blocked, &blocked);
	thread_await_sleep(&reader);
	say(fd, "more\n");
	thread_join(&reader);
	assert_int_equal(blocked.result, 1);
	assert_int_equal(blocked.record.length, 4);
	close(fd);
}

static void a_nonblocking_source_is_waited_for(void **state)
{
	int fd = open_pipe(), flags = O_RDWR | O_NONBLOCK | O_CLOEXEC;
	struct divert divert;
	struct blocked blocked = {0};
	struct thread reader;

	(void)state;
	input_close(input);
	file_count = 1;
	files[0] = "-";
	int other = open("pipe", flags);
	divert = divert_to(STDIN_FILENO, other);
	open_input();
	divert_end(&divert);
	thread_start(&reader, read_blocked, &blocked);
	thread_await_sleep(&reader);
	say(fd, "late\n");
	thread_join(&reader);
	assert_int_equal(blocked.result, 1);
	close(other);
	close(fd);
}

// A file that opens well and can't be read: this process's memory at address 0.
static void a_read_error_is_told_with_the_sources_name(void **state)
{
	struct divert divert;
	struct record record;
	int result;
	char *said;

	(void)state;
	scratch_write("a", "one\n");
	name_source("a");
	name_source("/proc/self/mem");
	open_input();
	assert_record("one");
	divert = divert_to_file(STDERR_FILENO, "said");
	result = next(&record);
	divert_end(&divert);
	assert_int_equal(result, -EIO);
	said = scratch_read("said");
	assert_string_equal(
		said, "leat: cannot read /proc/self/mem: Input/output error\n");
	free(said);
}

static void assert_refused(const char *words)
{
	struct divert divert = divert_to_file(STDERR_FILENO, "said");

	if (!file_count)
		name_source("-");
	int error = input_open(&input, &splitting, files, file_count);
	char *said;

	divert_end(&divert);
	said = scratch_read("said");
	assert_true(error < 0);
	assert_string_equal(said, words);
	free(said);
	input = NULL;
}

static void a_missing_source_is_told_before_anything_is_read(void **state)
{
	(void)state;
	scratch_write("a", "one\n");
	name_source("a");
	name_source("no/such/file");
	assert_refused("leat: cannot read no/such/file: No such file or directory\n");
}

static void a_directory_is_no_source(void **state)
{
	(void)state;
	name_source("/");
	assert_refused("leat: cannot read /: Is a directory\n");
}

static void a_closed_standard_input_is_no_source(void **state)
{
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	struct divert divert = divert_to(STDIN_FILENO, fd);

	(void)state;
	close(fd);
	assert_refused("leat: cannot read standard input: Bad file descriptor\n");
	divert_end(&divert);
}

static void only_regular_files_are_bounded(void **state)
{
	int fd;

	(void)state;
	scratch_write("a", "one\n");
	name_source("a");
	open_input();
	assert_true(input_is_bounded(input));
	assert_false(input_is_terminal(input));
	input_close(input);
	assert_int_equal(mkfifo("pipe", 0600), 0);
	fd = open("pipe", O_RDWR | O_CLOEXEC);
	name_source("pipe");
	open_input();
	assert_false(input_is_bounded(input));
	close(fd);
}

static void closing_no_input_does_nothing(void **state)
{
	(void)state;
	input_close(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, input_setup, input_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(records_end_at_a_newline),
		TEST(the_last_record_needs_no_end),
		TEST(an_empty_source_has_no_record),
		TEST(records_may_end_at_nul),
		TEST(records_may_end_at_any_byte),
		TEST(a_nul_byte_in_a_line_is_kept),
		TEST(a_byte_order_mark_is_dropped_from_lines),
		TEST(each_source_may_begin_with_a_mark),
		TEST(a_byte_order_mark_is_kept_in_other_records),
		TEST(sources_come_one_after_the_other),
		TEST(standard_input_is_the_default_and_the_dash),
		TEST(a_record_may_be_longer_than_the_buffer),
		TEST(many_records_of_all_lengths_come_whole),
		TEST(patience_ends_on_an_empty_pipe_and_nothing_is_lost),
		TEST(what_was_read_is_handed_out_without_patience),
		TEST(a_cancel_ends_the_wait_for_more),
		TEST(the_wait_ends_when_more_comes),
		TEST(a_nonblocking_source_is_waited_for),
		TEST(a_read_error_is_told_with_the_sources_name),
		TEST(a_missing_source_is_told_before_anything_is_read),
		TEST(a_directory_is_no_source),
		TEST(a_closed_standard_input_is_no_source),
		TEST(only_regular_files_are_bounded),
		TEST(closing_no_input_does_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
