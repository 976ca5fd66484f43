/* What was read of a stream: in memory, then in a file. */
#include "unit.h"

#include "scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>

#define MEMORY_BYTES ((size_t)8192)
#define CHUNK_BYTES ((size_t)4096)

static struct leat_capture *new_capture(size_t memory_bytes, const char *directory)
{
	struct leat_capture *capture = NULL;

	assert_int_equal(leat_capture_create(&capture, memory_bytes, directory), 0);
	return capture;
}

// The byte at a place in the test's stream: no period that a buffer could hide.
static char byte_at(size_t place)
{
	return (char)(place * 7 + place / 251 + place / 65521);
}

// Have the capture read the test's stream from `from` on, through a pipe.
static void feed(struct leat_capture *capture, size_t from, size_t length)
{
	char chunk[CHUNK_BYTES];
	int ends[2];

	assert_int_equal(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
	for (size_t part; length; from += part, length -= part) {
		part = length < sizeof chunk ? length : sizeof chunk;
		for (size_t index = 0; index < part; index++)
			chunk[index] = byte_at(from + index);
		assert_int_equal(write(ends[1], chunk, part), part);
		while (leat_capture_read(capture, ends[0]) > 0)
			;
	}
	close(ends[0]);
	close(ends[1]);
}

struct reader {
	size_t place, stop_at;
	bool differs;
	int calls;
};

static int compare(void *argument, const char *bytes, size_t length)
{
	struct reader *reader = argument;

	reader->calls++;
	for (size_t index = 0; index < length; index++)
		if (bytes[index] != byte_at(reader->place + index))
			reader->differs = true;
	reader->place += length;
	return reader->stop_at && reader->place >= reader->stop_at ? 42 : 0;
}

static void assert_holds(struct leat_capture *capture, size_t length)
{
	struct reader reader = {0};

	assert_int_equal(leat_capture_size(capture), length);
	assert_int_equal(leat_capture_replay(capture, compare, &reader), 0);
	assert_int_equal(reader.place, length);
	assert_false(reader.differs);
}

static void a_new_capture_is_empty(void **state)
{
	struct leat_capture *capture = new_capture(MEMORY_BYTES, ".");
	struct reader reader = {0};

	(void)state;
	assert_int_equal(leat_capture_size(capture), 0);
	assert_int_equal(leat_capture_error(capture), 0);
	assert_int_equal(leat_capture_replay(capture, compare, &reader), 0);
	assert_int_equal(reader.calls, 0);
	leat_capture_destroy(capture);
	leat_capture_destroy(NULL);
}

static void up_to_the_limit_it_stays_in_memory(void **state)
{
	struct leat_capture *capture = new_capture(MEMORY_BYTES, "no/such/directory");

	(void)state;
	feed(capture, 0, 100);
	assert_holds(capture, 100);
	feed(capture, 100, MEMORY_BYTES - 100);
	assert_int_equal(leat_capture_error(capture), 0);
	assert_holds(capture, MEMORY_BYTES);
	leat_capture_destroy(capture);
}

static void it_tells_the_end_of_the_stream_and_an_empty_one(void **state)
{
	struct leat_capture *capture = new_capture(MEMORY_BYTES, ".");
	int ends[2];

	(void)state;
	assert_int_equal(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
	assert_int_equal(leat_capture_read(capture, ends[0]), -EAGAIN);
	assert_int_equal(write(ends[1], "abc", 3), 3);
	assert_int_equal(leat_capture_read(capture, ends[0]), 3);
	close(ends[1]);
	assert_int_equal(leat_capture_read(capture, ends[0]), 0);
	assert_int_equal(leat_capture_read(capture, ends[0]), 0);
	assert_int_equal(leat_capture_size(capture), 3);
	close(ends[0]);
	leat_capture_destroy(capture);
}

static void a_read_error_is_returned_and_no_loss(void **state)
{
	struct leat_capture *capture = new_capture(MEMORY_BYTES, ".");

	(void)state;
	assert_int_equal(leat_capture_read(capture, -1), -EBADF);
	assert_int_equal(leat_capture_error(capture), 0);
	leat_capture_destroy(capture);
}

static void past_the_limit_it_goes_to_a_file_without_a_name(void **state)
{
	struct leat_capture *capture = new_capture(MEMORY_BYTES, "spill");

	(void)state;
	assert_int_equal(mkdir("spill", 0700), 0);
	feed(capture, 0, MEMORY_BYTES + 1);
	assert_int_equal(scratch_count("spill"), 0);
	assert_holds(capture, MEMORY_BYTES + 1);
	feed(capture, MEMORY_BYTES + 1, 300000);
	assert_int_equal(scratch_count("spill"), 0);
	assert_holds(capture, MEMORY_BYTES + 300001);
	assert_int_equal(leat_capture_error(capture), 0);
	leat_capture_destroy(capture);
	assert_int_equal(scratch_count("spill"), 0);
}

static void it_replays_as_often_as_asked(void **state)
{
	struct leat_capture *capture = new_capture(MEMORY_BYTES, ".");

	(void)state;
	feed(capture, 0, 100000);
	assert_holds(capture, 100000);
	assert_holds(capture, 100000);
	leat_capture_destroy(capture);
}

static void without_memory_all_goes_to_the_file(void **state)
{
	struct leat_capture *capture = new_capture(0, ".");

	(void)state;
	feed(capture, 0, 5000);
	assert_holds(capture, 5000);
	leat_capture_destroy(capture);
}

static void a_missing_directory_is_remembered_and_what_is_kept_replayed(void **state)
{
	struct leat_capture *capture = new_capture(MEMORY_BYTES, "no/such/directory");

	(void)state;
	feed(capture, 0, MEMORY_BYTES + 50000);
	assert_int_equal(leat_capture_error(capture), -ENOENT);
	assert_holds(capture, MEMORY_BYTES);
	assert_int_equal(mkdir("no", 0700), 0);
	feed(capture, 0, 10);
	assert_int_equal(leat_capture_error(capture), -ENOENT);
	assert_holds(capture, MEMORY_BYTES);
	leat_capture_destroy(capture);
}

// With this process's files limited to `bytes`, which stands in for a full disk.
static void feed_limited(struct leat_capture *capture, size_t length, rlim_t bytes)
{
	struct rlimit before, limit;
	struct sigaction former;

	sigaction(SIGXFSZ, &(struct sigaction){.sa_handler = SIG_IGN}, &former);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = before;
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	feed(capture, 0, length);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	sigaction(SIGXFSZ, &former, NULL);
}

static void a_failed_write_is_remembered_and_what_is_kept_replayed(void **state)
{
	struct leat_capture *capture = new_capture(MEMORY_BYTES, ".");

	(void)state;
	feed_limited(capture, MEMORY_BYTES + 50000, 10000);
	assert_int_equal(leat_capture_error(capture), -EFBIG);
	assert_holds(capture, MEMORY_BYTES + 10000);
	leat_capture_destroy(capture);
}

static void reset_forgets_bytes_file_and_error(void **state)
{
	struct leat_capture *capture = new_capture(MEMORY_BYTES, ".");

	(void)state;
	feed_limited(capture, MEMORY_BYTES + 50000, 10000);
	leat_capture_reset(capture);
	assert_int_equal(leat_capture_error(capture), 0);
	assert_holds(capture, 0);
	feed(capture, 0, 70000);
	assert_int_equal(leat_capture_error(capture), 0);
	assert_holds(capture, 70000);
	leat_capture_destroy(capture);
}

static void reset_of_a_large_capture_starts_anew(void **state)
{
	struct leat_capture *capture = new_capture(1 << 20, ".");

	(void)state;
	feed(capture, 0, 900000);
	assert_holds(capture, 900000);
	leat_capture_reset(capture);
	feed(capture, 0, 10);
	assert_holds(capture, 10);
	leat_capture_destroy(capture);
}

// What one read takes of a pipe that has plenty.
static size_t taken_at_once(struct leat_capture *capture)
{
	static char bytes[CHUNK_BYTES * 16];
	int ends[2];
	ssize_t got;

	assert_int_equal(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
	assert_int_equal(write(ends[1], bytes, sizeof bytes), sizeof bytes);
	got = leat_capture_read(capture, ends[0]);
	assert_true(got > 0);
	close(ends[0]);
	close(ends[1]);
	return (size_t)got;
}

static void after_a_reset_it_takes_more_at_once_where_it_was_full(void **state)
{
	struct leat_capture *capture = new_capture(1 << 20, ".");
	size_t taken, before = 0;

	(void)state;
	while ((taken = taken_at_once(capture)) > before) {
		before = taken;
		leat_capture_reset(capture);
	}
	assert_int_equal(taken, CHUNK_BYTES * 16);
	feed(capture, 0, 900000);
	leat_capture_reset(capture);
	assert_int_equal(taken_at_once(capture), CHUNK_BYTES * 16);
	leat_capture_destroy(capture);
}

static void a_sinks_result_stops_the_replay(void **state)
{
	struct leat_capture *capture = new_capture(MEMORY_BYTES, ".");
	struct reader in_memory = {.stop_at = 1}, in_file = {.stop_at = MEMORY_BYTES + 1};

	(void)state;
	feed(capture, 0, 500000);
	assert_int_equal(leat_capture_replay(capture, compare, &in_memory), 42);
	assert_int_equal(in_memory.calls, 1);
	assert_int_equal(leat_capture_replay(capture, compare, &in_file), 42);
	assert_int_equal(in_file.calls, 2);
	assert_true(in_file.place < 500000);
	leat_capture_destroy(capture);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_new_capture_is_empty),
		TEST(up_to_the_limit_it_stays_in_memory),
		TEST(it_tells_the_end_of_the_stream_and_an_empty_one),
		TEST(a_read_error_is_returned_and_no_loss),
		TEST(past_the_limit_it_goes_to_a_file_without_a_name),
		TEST(it_replays_as_often_as_asked),
		TEST(without_memory_all_goes_to_the_file),
		TEST(a_missing_directory_is_remembered_and_what_is_kept_replayed),
		TEST(a_failed_write_is_remembered_and_what_is_kept_replayed),
		TEST(reset_forgets_bytes_file_and_error),
		TEST(reset_of_a_large_capture_starts_anew),
		TEST(after_a_reset_it_takes_more_at_once_where_it_was_full),
		TEST(a_sinks_result_stops_the_replay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
