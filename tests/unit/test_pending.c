/* Output that waits to be written: in memory, in files, in the spool. */
#include "unit.h"

#include "pending.h"
#include "scratch.h"

#include <errno.h>

static struct parcel *new_parcel(uint64_t sequence, size_t length, size_t memory_bytes)
{
	struct parcel *parcel = calloc(1, sizeof *parcel);

	assert_non_null(parcel);
	parcel->sequence = sequence;
	assert_int_equal(leat_capture_create(&parcel->out, memory_bytes, "."), 0);
	for (size_t at = 0; at < length; at++)
		leat_capture_append(parcel->out, &(char){(char)(sequence + at)}, 1);
	text_format(&parcel->tag, "tag %d", (int)sequence);
	text_format(&parcel->frame.line, "line %d\n", (int)sequence);
	return parcel;
}

struct check {
	uint64_t sequence, at;
};

static int check_bytes(void *argument, const char *bytes, size_t length)
{
	struct check *check = argument;

	for (size_t index = 0; index < length; index++, check->at++)
		assert_int_equal((unsigned char)bytes[index],
			(unsigned char)(check->sequence + check->at));
	return 0;
}

static void assert_parcel(struct parcel *parcel, uint64_t sequence, size_t length)
{
	struct check check = {.sequence = sequence};
	char line[32];

	assert_non_null(parcel);
	assert_int_equal(parcel->error, 0);
	assert_int_equal(parcel->sequence, sequence);
	snprintf(line, sizeof line, "line %d\n", (int)sequence);
	assert_string_equal(parcel->frame.line.bytes, line);
	assert_int_equal(strncmp(parcel->tag.bytes, "tag ", 4), 0);
	if (parcel->out)
		assert_int_equal(
			leat_capture_replay(parcel->out, check_bytes, &check), 0);
	assert_int_equal(check.at, length);
	parcel_destroy(parcel);
}

static struct pending *new_pending(const char *directory, unsigned files)
{
	struct pending *pending;

	assert_int_equal(pending_create(&pending, directory, files), 0);
	return pending;
}

static void what_is_put_is_taken_by_its_key(void **state)
{
	struct pending *pending = new_pending(".", 2);

	(void)state;
	pending_put(pending, 7, new_parcel(70, 100, 4096));
	pending_put(pending, 5, new_parcel(50, 0, 4096));
	assert_null(pending_take(pending, 6));
	assert_parcel(pending_take(pending, 5), 50, 0);
	assert_parcel(pending_take(pending, 7), 70, 100);
	assert_null(pending_take(pending, 7));
	pending_destroy(pending);
}

static void what_is_too_much_for_memory_goes_to_the_spool_and_comes_back(void **state)
{
	struct pending *pending = new_pending(".", 2);
	const size_t length = 400000; // 25 of them are more than 8 MiB

	(void)state;
	for (int round = 0; round < 2; round++) {
		for (uint64_t key = 1; key <= 25; key++)
			pending_put(pending, key, new_parcel(key, length, 512 * 1024));
		for (uint64_t key = 1; key <= 25; key++)
			assert_parcel(pending_take(pending, key), key, length);
	}
	pending_destroy(pending);
}

static void more_files_than_may_stay_go_to_the_spool(void **state)
{
	struct pending *pending = new_pending(".", 2);
	int before = scratch_count("/proc/self/fd");

	(void)state;
	for (uint64_t key = 1; key <= 6; key++)
		pending_put(pending, key, new_parcel(key, 10000, 4096));
	assert_int_equal(scratch_count("/proc/self/fd"), before + 3);
	for (uint64_t key = 1; key <= 6; key++)
		assert_parcel(pending_take(pending, key), key, 10000);
	assert_int_equal(scratch_count("/proc/self/fd"), before);
	pending_destroy(pending);
}

static void without_a_directory_what_is_too_much_is_lost_and_says_so(void **state)
{
	struct pending *pending = new_pending("no/such/directory", 2);
	struct parcel *parcel;
	uint64_t key;

	(void)state;
	for (key = 1; key <= 30; key++)
		pending_put(pending, key, new_parcel(key, 400000, 512 * 1024));
	assert_parcel(pending_take(pending, 1), 1, 400000);
	parcel = pending_take(pending, 30);
	assert_non_null(parcel);
	assert_int_equal(parcel->error, -ENOENT);
	assert_null(parcel->out);
	assert_string_equal(parcel->frame.line.bytes, "line 30\n");
	parcel_destroy(parcel);
	pending_destroy(pending);
}

static void destroying_frees_what_was_not_taken(void **state)
{
	struct pending *pending = new_pending(".", 2);

	(void)state;
	pending_put(pending, 1, new_parcel(1, 100, 4096));
	pending_put(pending, 2, new_parcel(2, 100000, 4096));
	pending_destroy(pending);
	pending_destroy(NULL);
	parcel_destroy(NULL);
}

static int setup(void **state)
{
	(void)state;
	return scratch_make();
}

static int teardown(void **state)
{
	(void)state;
	return scratch_remove();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_put_is_taken_by_its_key),
		TEST(what_is_too_much_for_memory_goes_to_the_spool_and_comes_back),
		TEST(more_files_than_may_stay_go_to_the_spool),
		TEST(without_a_directory_what_is_too_much_is_lost_and_says_so),
		TEST(destroying_frees_what_was_not_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
