/* What goes out: tasks' output, each whole, and leat's own lines between. */
#include "unit.h"

#include "output.h"

#include "divert.h"
#include "thread.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>

/* Where descriptors 1 and 2 lead, and what was told of them. */
struct scene {
	struct leat_context *give_up;
	struct output *output;
	struct divert out, err;
	atomic_int broken_calls;
	char stream[32];
	int error, lost;
	enum output_mode mode;
	atomic_int sequence;
};

static struct scene scene;

static void note_broken(void *argument, const char *stream, int error)
{
	(void)argument;
	atomic_fetch_add(&scene.broken_calls, 1);
	snprintf(scene.stream, sizeof scene.stream, "%s", stream);
	scene.error = error;
}

static void note_lost(void *argument, uint64_t sequence, int error)
{
	(void)argument;
	(void)sequence;
	scene.lost = error;
}

// Output on these two; until restore() nothing may fail, as cmocka could not tell.
static void divert(int out_fd, int err_fd)
{
	struct output_settings settings = {
		.mode = scene.mode,
		.slots = 4,
		.directory = ".",
		.kill = scene.give_up,
		.events = {NULL, note_broken, note_lost, NULL, NULL},
	};

	scene.out = divert_to(STDOUT_FILENO, out_fd);
	scene.err = divert_to(STDERR_FILENO, err_fd);
	if (output_create(&scene.output, &settings) < 0)
		abort();
}

static void restore(void)
{
	output_destroy(scene.output);
	divert_end(&scene.err);
	divert_end(&scene.out);
}

static int open_file(const char *name)
{
	int fd = open(name, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	return fd;
}

static int scene_setup(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	scene = (struct scene){0};
	if (leat_context_create(&scene.give_up, NULL, LEAT_NEVER) < 0)
		return -1;
	return scratch_make();
}

static int scene_teardown(void **state)
{
	(void)state;
	leat_context_destroy(scene.give_up);
	return scratch_remove();
}

// A capture that holds `bytes`, or NULL for none.
static struct leat_capture *capture_of(const char *bytes, size_t length)
{
	struct leat_capture *capture;
	int fd;

	if (!bytes)
		return NULL;
	scratch_write_bytes("captured", bytes, length, 0600);
	fd = open("captured", O_RDONLY | O_CLOEXEC);
	assert_int_equal(leat_capture_create(&capture, 4096, "."), 0);
	while (leat_capture_read(capture, fd) > 0)
		;
	close(fd);
	assert_int_equal(leat_capture_size(capture), length);
	unlink("captured");
	return capture;
}

/* A task's output, to be written by any thread. */
struct written {
	struct leat_capture *out, *err;
	struct frame frame;
	struct text tag;
};

static struct written written_of(const char *out, const char *err, const char *line)
{
	struct written written = {
		.out = capture_of(out, out ? strlen(out) : 0),
		.err = capture_of(err, err ? strlen(err) : 0),
	};

	text_append(&written.frame.line, line, strlen(line));
	return written;
}

static int to_file(void *fd, const char *bytes, size_t length)
{
	return write(*(int *)fd, bytes, length) == (ssize_t)length ? 0 : -EIO;
}

// As the runner of a child does with what comes out of its pipe at its end.
static void feed(struct leat_stream *stream, struct leat_capture *capture)
{
	int fd = memfd_create("fed", MFD_CLOEXEC);

	if (!capture || fd < 0 || leat_capture_replay(capture, to_file, &fd) < 0 ||
		lseek(fd, 0, SEEK_SET) < 0)
		return (void)close(fd);
	stream->last = true;
	while (stream->take(stream, fd, true) > 0)
		;
	close(fd);
}

static void write_task(void *argument)
{
	struct written *written = argument;

	struct task_output *task;

	if (task_output_create(&task, scene.output) < 0)
		abort();
	uint64_t number = (uint64_t)atomic_fetch_add(&scene.sequence, 1) + 1;

	task_output_begin(task, number, number, &written->tag);
	feed(task_output_out(task), written->out);
	feed(task_output_err(task), written->err);
	task_output_end(task, &written->frame, NULL);
	task_output_destroy(task);
}

static void written_finish(struct written *written)
{
	leat_capture_destroy(written->out);
	leat_capture_destroy(written->err);
	frame_finish(&written->frame);
}

static void notice(const char *words)
{
	struct text line = {0};

	text_append(&line, words, strlen(words));
	output_notice(scene.output, &line);
	text_finish(&line);
}

static void assert_file(const char *name, const char *expected)
{
	char *text = scratch_read(name);

	assert_string_equal(text, expected);
	free(text);
}

static void each_stream_goes_to_its_own_and_the_line_behind(void **state)
{
	struct written written = written_of("out\n", "err\n", "leat: line\n");
	int out = open_file("out"), err = open_file("err");

	(void)state;
	divert(out, err);
	write_task(&written);
	restore();
	assert_file("out", "out\n");
	assert_file("err", "err\nleat: line\n");
	assert_int_equal(scene.broken_calls, 0);
	written_finish(&written);
	close(out);
	close(err);
}

static void nothing_to_say_writes_nothing(void **state)
{
	struct written none = written_of(NULL, NULL, ""), empty = written_of("", "", "");
	int out = open_file("out"), err = open_file("err");

	(void)state;
	divert(out, err);
	write_task(&none);
	write_task(&empty);
	restore();
	assert_file("out", "");
	assert_file("err", "");
	written_finish(&none);
	written_finish(&empty);
	close(out);
	close(err);
}

static void both_streams_to_one_file_come_in_order(void **state)
{
	struct written written = written_of("out\n", "err\n", "leat: line\n");
	int file = open_file("both");

	(void)state;
	divert(file, file);
	notice("leat: before\n");
	write_task(&written);
	notice("leat: after\n");
	restore();
	assert_file("both", "leat: before\nout\nerr\nleat: line\nleat: after\n");
	written_finish(&written);
	close(file);
}

static void big_output_comes_out_whole(void **state)
{
	size_t length = 700000, got;
	char *bytes = malloc(length), *text;
	int out = open_file("out"), err = open_file("err"), fd;
	struct written written = {0};

	(void)state;
	assert_non_null(bytes);
	for (size_t index = 0; index < length; index++)
		bytes[index] = (char)(index * 7 + index / 251);
	written.out = capture_of(bytes, length);
	divert(out, err);
	write_task(&written);
	restore();
	fd = open("out", O_RDONLY | O_CLOEXEC);
	text = read_to_end(fd, &got);
	assert_int_equal(got, length);
	assert_memory_equal(text, bytes, length);
	free(text);
	free(bytes);
	written_finish(&written);
	close(fd);
	close(out);
	close(err);
}

#define WRITERS 4
#define ROUNDS 20
#define BLOCK_BYTES ((size_t)20000)

// Each task is one letter, many times.
static void write_blocks(void *argument)
{
	for (int round = 0; round < ROUNDS; round++)
		write_task(argument);
}

static void check_blocks(const char *text, size_t length)
{
	assert_int_equal(length, WRITERS * ROUNDS * BLOCK_BYTES);
	for (size_t at = 0; at < length; at += BLOCK_BYTES)
		for (size_t index = 1; index < BLOCK_BYTES; index++)
			assert_true(text[at + index] == text[at]);
}

static void two_tasks_are_never_mixed(void **state)
{
	char bytes[BLOCK_BYTES], *text;
	struct written written[WRITERS];
	struct thread writers[WRITERS];
	int ends[2], err = open_file("err");
	size_t length;

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	for (int index = 0; index < WRITERS; index++) {
		memset(bytes, 'a' + index, sizeof bytes);
		written[index] = (struct written){.out = capture_of(bytes, sizeof bytes)};
	}
	divert(ends[1], err);
	close(ends[1]);
	for (int index = 0; index < WRITERS; index++)
		thread_start(&writers[index], write_blocks, &written[index]);
	text = malloc(WRITERS * ROUNDS * BLOCK_BYTES);
	for (length = 0; length < WRITERS * ROUNDS * BLOCK_BYTES;) {
		ssize_t got = read(ends[0], text + length, 65536 / 2);

		if (got <= 0)
			break;
		length += (size_t)got;
	}
	for (int index = 0; index < WRITERS; index++)
		thread_join(&writers[index]);
	restore();
	check_blocks(text, length);
	free(text);
	for (int index = 0; index < WRITERS; index++)
		written_finish(&written[index]);
	close(ends[0]);
	close(err);
}

#define BLOCKING_BYTES ((size_t)3000000) // more than a pipe can be made to hold

// A pipe that nobody reads yet, for a task with more output than it takes.
static struct written blocking_task(int ends[2])
{
	struct written written = {0};
	char *bytes = malloc(BLOCKING_BYTES);

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_non_null(bytes);
	memset(bytes, 'x', BLOCKING_BYTES);
	written.out = capture_of(bytes, BLOCKING_BYTES);
	free(bytes);
	text_append(&written.frame.line, "leat: line\n", strlen("leat: line\n"));
	return written;
}

static void a_notice_goes_out_while_the_reader_of_output_sleeps(void **state)
{
	struct written written;
	struct thread writer;
	int ends[2], err = open_file("err");
	char *early;

	(void)state;
	written = blocking_task(ends);
	divert(ends[1], err);
	thread_start(&writer, write_task, &written);
	thread_await_sleep(&writer);
	notice("leat: at once\n");
	early = scratch_read("err");
	for (size_t length = 0; length < BLOCKING_BYTES;) {
		ssize_t got = read(ends[0], (char[4096]){0}, 4096);

		length += got > 0 ? (size_t)got : 0;
	}
	thread_join(&writer);
	restore();
	close(ends[1]);
	assert_string_equal(early, "leat: at once\n");
	assert_file("err", "leat: at once\nleat: line\n");
	free(early);
	written_finish(&written);
	close(ends[0]);
	close(err);
}

static void notices_queue_behind_a_task_on_the_same_file(void **state)
{
	// What it wrote has no newline at its end.
	static const char told[] = "\nleat: line\nleat: one\nleat: two\n";
	struct written written;
	struct thread writer;
	int ends[2];
	size_t length = 0;
	char *text = malloc(BLOCKING_BYTES + 1000);

	(void)state;
	assert_non_null(text);
	written = blocking_task(ends);
	divert(ends[1], ends[1]);
	thread_start(&writer, write_task, &written);
	thread_await_sleep(&writer);
	notice("leat: one\n"); // returns, though the task stands in the way
	notice("leat: two\n");
	while (length < BLOCKING_BYTES + strlen(told)) {
		ssize_t got =
			read(ends[0], text + length, BLOCKING_BYTES + 1000 - length);

		length += got > 0 ? (size_t)got : 0;
	}
	thread_join(&writer);
	restore();
	text[length] = '\0';
	assert_string_equal(text + BLOCKING_BYTES, told);
	free(text);
	written_finish(&written);
	close(ends[0]);
	close(ends[1]);
}

static void a_full_disk_is_told_once(void **state)
{
	struct written written = written_of("out\n", NULL, "");
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC), err = open_file("err");
	bool before, after;

	(void)state;
	divert(full, err);
	before = output_error(scene.output);
	for (int count = 0; count < 3; count++)
		write_task(&written);
	after = output_error(scene.output);
	restore();
	assert_false(before);
	assert_true(after);
	assert_int_equal(scene.broken_calls, 1);
	assert_int_equal(scene.error, ENOSPC);
	assert_string_equal(scene.stream, "standard output");
	written_finish(&written);
	close(full);
	close(err);
}

static void a_full_disk_behind_standard_error_is_told(void **state)
{
	struct written written = written_of("out\n", "err\n", "");
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC), out = open_file("out");

	(void)state;
	divert(out, full);
	write_task(&written);
	restore();
	assert_int_equal(scene.broken_calls, 1);
	assert_int_equal(scene.error, ENOSPC);
	assert_string_equal(scene.stream, "standard error");
	assert_file("out", "out\n");
	written_finish(&written);
	close(full);
	close(out);
}

static void a_broken_pipe_is_told_once(void **state)
{
	struct written written = written_of("out\n", "err\n", "");
	int ends[2], err = open_file("err");

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	divert(ends[1], err);
	close(ends[0]);
	for (int count = 0; count < 3; count++)
		write_task(&written);
	restore();
	assert_int_equal(scene.broken_calls, 1);
	assert_int_equal(scene.error, EPIPE);
	assert_file("err", "err\nerr\nerr\n");
	written_finish(&written);
	close(ends[1]);
	close(err);
}

static void giving_up_ends_a_write_that_blocks(void **state)
{
	struct written written;
	struct thread writer;
	int ends[2], err = open_file("err");
	bool broken;

	(void)state;
	written = blocking_task(ends);
	divert(ends[1], err);
	thread_start(&writer, write_task, &written);
	thread_await_sleep(&writer);
	leat_context_cancel(scene.give_up, 1);
	thread_join(&writer);
	broken = output_error(scene.output);
	restore();
	assert_true(broken);
	assert_int_equal(scene.broken_calls, 0);
	assert_file("err", "leat: line\n");
	written_finish(&written);
	close(ends[0]);
	close(ends[1]);
	close(err);
}

static void the_inherited_description_stays_blocking(void **state)
{
	struct written written = written_of("out\n", NULL, "");
	int ends[2], err = open_file("err"), flags;

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	divert(ends[1], err);
	write_task(&written);
	flags = fcntl(ends[1], F_GETFL);
	restore();
	assert_int_equal(flags & O_NONBLOCK, 0);
	written_finish(&written);
	close(ends[0]);
	close(ends[1]);
	close(err);
}

static void destroying_no_output_does_nothing(void **state)
{
	(void)state;
	output_destroy(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_stream_goes_to_its_own_and_the_line_behind),
		TEST(nothing_to_say_writes_nothing),
		TEST(both_streams_to_one_file_come_in_order),
		TEST(big_output_comes_out_whole),
		TEST(two_tasks_are_never_mixed),
		TEST(a_notice_goes_out_while_the_reader_of_output_sleeps),
		TEST(notices_queue_behind_a_task_on_the_same_file),
		TEST(a_full_disk_is_told_once),
		TEST(a_full_disk_behind_standard_error_is_told),
		TEST(a_broken_pipe_is_told_once),
		TEST(giving_up_ends_a_write_that_blocks),
		TEST(the_inherited_description_stays_blocking),
		TEST(destroying_no_output_does_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
