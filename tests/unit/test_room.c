/* Starts that wait, with a load and a memory that the test writes. */
#include "unit.h"

#include "room.h"

#include "fake_root.h"
#include "thread.h"

#include <errno.h>
#include <sys/ioctl.h>

static struct leat_context *intake;
static struct limit limits[MEASURES];
static struct room *room;
static struct jobserver *jobserver; // with two tokens, where there is one
static atomic_uint entered;

/* One that wants in. */
struct guest {
	struct thread thread;
	int error, token;
	unsigned place; //< among those that got in, from 1
};

static void write_load(const char *average)
{
	char line[64];

	snprintf(line, sizeof line, "%s 0.00 0.00 1/100 1\n", average);
	write_below("/proc/loadavg", line);
}

static int open_room(int64_t delay_ns)
{
	struct room_settings settings = {limits, delay_ns, "root", jobserver, intake};

	return room_create(&room, &settings);
}

static int setup(void **state)
{
	scratch_setup(state);
	memset(limits, 0, sizeof limits);
	limits[MEASURE_LOAD] = (struct limit){.option = "--max-load", .value = 4};
	entered = 0;
	write_load("7.90");
	return leat_context_create(&intake, NULL, LEAT_NEVER);
}

static int teardown(void **state)
{
	room_destroy(room);
	room = NULL;
	jobserver_destroy(jobserver);
	jobserver = NULL;
	leat_context_destroy(intake);
	return scratch_teardown(state);
}

static int enter(void)
{
	int token;

	return room_enter(room, &token);
}

static void go_in(void *argument)
{
	struct guest *guest = argument;

	guest->error = room_enter(room, &guest->token);
	if (!guest->error)
		guest->place = atomic_fetch_add(&entered, 1) + 1;
}

static void come(struct guest *guest)
{
	*guest = (struct guest){0};
	thread_start(&guest->thread, go_in, guest);
}

// Nobody gets in meanwhile.
static void await_words(const char *wanted)
{
	char words[ROOM_WORDS_BYTES];
	unsigned had_entered = entered;

	do {
		assert_int_equal(entered, had_entered);
		sched_yield();
	} while (!room_waits_for(room, words) || strcmp(words, wanted) != 0);
}

static void where_nothing_is_limited_there_is_no_room(void **state)
{
	char words[ROOM_WORDS_BYTES];

	(void)state;
	limits[MEASURE_LOAD].option = NULL;
	assert_int_equal(open_room(0), 0);
	assert_null(room);
	assert_int_equal(enter(), 0);
	assert_false(room_waits_for(room, words));
	room_leave(room);
}

static void one_alone_always_may(void **state)
{
	char words[ROOM_WORDS_BYTES];

	(void)state;
	assert_int_equal(open_room(0), 0);
	for (int time = 0; time < 3; time++) {
		assert_int_equal(enter(), 0);
		assert_false(room_waits_for(room, words));
		room_leave(room);
	}
}

static void beyond_a_limit_another_waits_for_its_end(void **state)
{
	struct guest guest;

	(void)state;
	assert_int_equal(open_room(0), 0);
	assert_int_equal(enter(), 0);
	come(&guest);
	await_words("waiting for load 7.9 (max 4)");
	write_load("9.99");
	await_words("waiting for load 10.0 (max 4)"); // a second measurement
	assert_int_equal(entered, 0);
	room_leave(room);
	thread_join(&guest.thread);
	assert_int_equal(guest.error, 0);
}

static void at_the_limit_is_beyond_it(void **state)
{
	struct guest guest;

	(void)state;
	write_load("4.00");
	assert_int_equal(open_room(0), 0);
	assert_int_equal(enter(), 0);
	come(&guest);
	await_words("waiting for load 4.0 (max 4)");
	room_leave(room);
	thread_join(&guest.thread);
}

static void when_there_is_room_again_it_starts(void **state)
{
	struct guest guest;

	(void)state;
	assert_int_equal(open_room(0), 0);
	assert_int_equal(enter(), 0);
	come(&guest);
	await_words("waiting for load 7.9 (max 4)");
	write_load("3.99");
	thread_join(&guest.thread);
	assert_int_equal(guest.error, 0);
}

static void below_the_limits_several_run(void **state)
{
	struct guest guests[2];

	(void)state;
	write_load("0.00");
	assert_int_equal(open_room(0), 0);
	assert_int_equal(enter(), 0);
	come(&guests[0]);
	come(&guests[1]);
	thread_join(&guests[0].thread);
	thread_join(&guests[1].thread);
	assert_int_equal(entered, 2);
}

static void first_come_first_served(void **state)
{
	struct guest guests[3];

	(void)state;
	assert_int_equal(open_room(0), 0);
	assert_int_equal(enter(), 0);
	for (int guest = 0; guest < 3; guest++) {
		come(&guests[guest]);
		await_words("waiting for load 7.9 (max 4)");
		thread_await_sleep(&guests[guest].thread);
	}
	for (unsigned guest = 0; guest < 3; guest++) {
		room_leave(room);
		thread_join(&guests[guest].thread);
		assert_int_equal(guests[guest].place, guest + 1);
	}
}

static void the_intakes_end_ends_all_waiting(void **state)
{
	struct guest guests[3];

	(void)state;
	assert_int_equal(open_room(0), 0);
	assert_int_equal(enter(), 0);
	for (int guest = 0; guest < 3; guest++)
		come(&guests[guest]);
	await_words("waiting for load 7.9 (max 4)");
	leat_context_cancel(intake, 1);
	for (int guest = 0; guest < 3; guest++) {
		thread_join(&guests[guest].thread);
		assert_int_equal(guests[guest].error, -ECANCELED);
	}
	room_leave(room);
	assert_int_equal(enter(), -ECANCELED);
}

static void a_deadline_ends_it(void **state)
{
	struct leat_context *root = intake;

	(void)state;
	assert_int_equal(leat_context_create(&intake, root,
				 leat_context_now(root) + LEAT_SECOND_NS / 20),
		0);
	leat_context_destroy(root);
	assert_int_equal(open_room(3600 * LEAT_SECOND_NS), 0);
	assert_int_equal(enter(), 0);
	assert_int_equal(enter(), -ECANCELED);
}

static void a_delay_is_waited_for_though_none_runs(void **state)
{
	struct guest guest;
	char words[ROOM_WORDS_BYTES];

	(void)state;
	limits[MEASURE_LOAD].option = NULL;
	assert_int_equal(open_room(INT64_MAX), 0);
	assert_int_equal(enter(), 0);
	room_leave(room);
	come(&guest);
	thread_await_sleep(&guest.thread);
	assert_false(room_waits_for(room, words));
	leat_context_cancel(intake, 1);
	thread_join(&guest.thread);
	assert_int_equal(guest.error, -ECANCELED);
}

static void memory_is_told_in_large_units(void **state)
{
	struct guest guest;

	(void)state;
	limits[MEASURE_LOAD].option = NULL;
	limits[MEASURE_MEMORY] = (struct limit){"--min-memory", 50, true};
	write_below("/proc/meminfo", "MemTotal: 4194304 kB\nMemAvailable: 1572864 kB\n");
	assert_int_equal(open_room(0), 0);
	assert_int_equal(enter(), 0);
	come(&guest);
	await_words("waiting for memory 1.5G (min 2G)");
	room_leave(room);
	thread_join(&guest.thread);
}

static void what_can_not_be_read_holds_back(void **state)
{
	struct guest guest;

	(void)state;
	limits[MEASURE_IO_PRESSURE] = (struct limit){"--max-pressure", 10, true};
	write_load("0.00");
	assert_int_equal(open_room(0), 0);
	assert_int_equal(enter(), 0);
	come(&guest);
	await_words(
		"waiting for io pressure: /proc/pressure/io: No such file or directory");
	write_below("/proc/pressure/io", "some avg10=9.99 avg60=0\n");
	thread_join(&guest.thread);
	assert_int_equal(guest.error, 0);
}

static void what_can_not_be_measured_is_refused(void **state)
{
	(void)state;
	assert_int_equal(room_check(limits, "root"), 0);
	limits[MEASURE_CPU_PRESSURE] = (struct limit){"--max-pressure", 10, true};
	assert_int_equal(room_check(limits, "root"), -ENOENT);
}

// How many tokens there are but leat's own.
static int count_tokens(void)
{
	size_t count;
	const int *fds = jobserver_fds(jobserver, &count);
	int bytes = -1;

	assert_int_equal(ioctl(fds[0], FIONREAD, &bytes), 0);
	return bytes;
}

static void never_lost(void *argument, int error)
{
	(void)argument;
	(void)error;
	fail();
}

static void serve_two_tokens(void)
{
	assert_int_equal(jobserver_serve(&jobserver, 2, false, ".", NULL), 0);
	assert_int_equal(jobserver_start(jobserver, intake, never_lost, NULL), 0);
}

// Until nothing that was measured before holds any more.
static void await_the_end_of_what_was_measured(void)
{
	int64_t end = leat_context_now(intake) + LEAT_SECOND_NS;

	while (leat_context_now(intake) < end)
		sched_yield();
}

// One that came in while there was room, and now waits for a token alone.
static void come_for_a_token(struct guest *guest)
{
	char words[ROOM_WORDS_BYTES];

	come(guest);
	await_words("waiting for load 7.9 (max 4)");
	write_load("0.00");
	while (room_waits_for(room, words))
		sched_yield();
	thread_await_sleep(&guest->thread);
	assert_int_equal(entered, 0);
}

static void who_has_waited_for_a_token_looks_for_room_again(void **state)
{
	struct guest guest;
	int own, other;

	(void)state;
	serve_two_tokens();
	assert_int_equal(open_room(0), 0);
	assert_int_equal(room_enter(room, &own), 0);
	assert_int_equal(jobserver_enter(jobserver, &other), 0);
	come_for_a_token(&guest);
	write_load("9.90");
	await_the_end_of_what_was_measured();
	jobserver_leave(jobserver, &other);
	await_words("waiting for load 9.9 (max 4)");
	while (count_tokens() < 1)
		sched_yield(); // it does not keep what it can't use
	assert_int_equal(entered, 0);
	jobserver_leave(jobserver, &own);
	room_leave(room);
	thread_join(&guest.thread);
	assert_int_equal(guest.error, 0);
	assert_int_not_equal(guest.token, JOBSERVER_NO_TOKEN);
	jobserver_leave(jobserver, &guest.token);
}

static void the_intakes_end_ends_the_waiting_for_a_token(void **state)
{
	struct guest guests[2];
	int own, other;

	(void)state;
	serve_two_tokens();
	assert_int_equal(open_room(0), 0);
	assert_int_equal(room_enter(room, &own), 0);
	assert_int_equal(jobserver_enter(jobserver, &other), 0);
	come_for_a_token(&guests[0]);
	come(&guests[1]);
	thread_await_sleep(&guests[1].thread);
	leat_context_cancel(intake, 1);
	for (int guest = 0; guest < 2; guest++) {
		thread_join(&guests[guest].thread);
		assert_int_equal(guests[guest].error, -ECANCELED);
		assert_int_equal(guests[guest].token, JOBSERVER_NO_TOKEN);
	}
	jobserver_leave(jobserver, &other);
	jobserver_leave(jobserver, &own);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(where_nothing_is_limited_there_is_no_room),
		TEST(one_alone_always_may),
		TEST(beyond_a_limit_another_waits_for_its_end),
		TEST(at_the_limit_is_beyond_it),
		TEST(when_there_is_room_again_it_starts),
		TEST(below_the_limits_several_run),
		TEST(first_come_first_served),
		TEST(the_intakes_end_ends_all_waiting),
		TEST(a_deadline_ends_it),
		TEST(a_delay_is_waited_for_though_none_runs),
		TEST(memory_is_told_in_large_units),
		TEST(what_can_not_be_read_holds_back),
		TEST(what_can_not_be_measured_is_refused),
		TEST(who_has_waited_for_a_token_looks_for_room_again),
		TEST(the_intakes_end_ends_the_waiting_for_a_token),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
