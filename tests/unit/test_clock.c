/* The clock that can be paused, and sums of times. */
#include "unit.h"

#include "../../lib/base/clock.h"

#include "thread.h"

#define SPAN_NS INT64_C(2000000)

static void let_time_pass(void)
{
	int64_t start = leat_monotonic_ns();

	while (leat_monotonic_ns() < start + SPAN_NS)
		sched_yield();
}

static void a_running_clock_never_goes_back(void **state)
{
	struct leat_clock clock;
	int64_t last;

	(void)state;
	leat_clock_init(&clock);
	last = leat_clock_now(&clock);
	for (int turn = 0; turn < 10000; turn++) {
		int64_t now = leat_clock_now(&clock);

		assert_true(now >= last);
		last = now;
	}
}

static void an_unpaused_clock_tells_monotonic_time(void **state)
{
	struct leat_clock clock;
	int64_t before, now;

	(void)state;
	leat_clock_init(&clock);
	before = leat_monotonic_ns();
	now = leat_clock_now(&clock);
	assert_true(now >= before);
	assert_true(now <= leat_monotonic_ns());
}

static void a_running_clock_moves(void **state)
{
	struct leat_clock clock;
	int64_t before;

	(void)state;
	leat_clock_init(&clock);
	before = leat_clock_now(&clock);
	let_time_pass();
	assert_true(leat_clock_now(&clock) >= before + SPAN_NS);
}

static void a_paused_clock_stands_still(void **state)
{
	struct leat_clock clock;
	int64_t before;

	(void)state;
	leat_clock_init(&clock);
	leat_clock_pause(&clock);
	before = leat_clock_now(&clock);
	let_time_pass();
	assert_int_equal(leat_clock_now(&clock), before);
	leat_clock_resume(&clock);
}

static void it_goes_on_where_it_stopped(void **state)
{
	struct leat_clock clock;
	int64_t stopped, now;

	(void)state;
	leat_clock_init(&clock);
	leat_clock_pause(&clock);
	stopped = leat_clock_now(&clock);
	let_time_pass();
	leat_clock_resume(&clock);
	now = leat_clock_now(&clock);
	assert_true(now >= stopped);
	assert_true(now <= leat_monotonic_ns() - SPAN_NS);
}

static void pauses_add_up(void **state)
{
	struct leat_clock clock;
	int64_t now;

	(void)state;
	leat_clock_init(&clock);
	for (int turn = 0; turn < 3; turn++) {
		leat_clock_pause(&clock);
		let_time_pass();
		leat_clock_resume(&clock);
	}
	now = leat_clock_now(&clock);
	assert_true(now <= leat_monotonic_ns() - 3 * SPAN_NS);
}

static void it_moves_again_after_a_pause(void **state)
{
	struct leat_clock clock;
	int64_t before;

	(void)state;
	leat_clock_init(&clock);
	leat_clock_pause(&clock);
	leat_clock_resume(&clock);
	before = leat_clock_now(&clock);
	let_time_pass();
	assert_true(leat_clock_now(&clock) >= before + SPAN_NS);
}

struct reading {
	struct leat_clock clock;
	atomic_bool over;
	bool went_back;
};

static void read_all_the_time(void *argument)
{
	struct reading *reading = argument;
	int64_t last = leat_clock_now(&reading->clock);

	while (!atomic_load(&reading->over)) {
		int64_t now = leat_clock_now(&reading->clock);

		if (now < last)
			reading->went_back = true;
		last = now;
	}
}

static void readers_see_no_step_back_while_it_is_paused_and_resumed(void **state)
{
	struct reading reading = {0};
	struct thread reader;

	(void)state;
	leat_clock_init(&reading.clock);
	thread_start(&reader, read_all_the_time, &reading);
	for (int turn = 0; turn < 5000; turn++) {
		leat_clock_pause(&reading.clock);
		leat_clock_resume(&reading.clock);
	}
	atomic_store(&reading.over, true);
	thread_join(&reader);
	assert_false(reading.went_back);
}

static void sums_of_times_are_plain_sums(void **state)
{
	(void)state;
	assert_int_equal(leat_time_add(2, 3), 5);
	assert_int_equal(leat_time_add(2, -3), -1);
	assert_int_equal(leat_time_add(LEAT_NEVER - 1, 0), LEAT_NEVER - 1);
}

static void never_and_anything_is_never(void **state)
{
	(void)state;
	assert_int_equal(leat_time_add(LEAT_NEVER, -1), LEAT_NEVER);
	assert_int_equal(leat_time_add(-1, LEAT_NEVER), LEAT_NEVER);
	assert_int_equal(leat_time_add(LEAT_NEVER, LEAT_NEVER), LEAT_NEVER);
}

static void a_sum_too_large_is_never(void **state)
{
	(void)state;
	assert_int_equal(leat_time_add(LEAT_NEVER - 1, 2), LEAT_NEVER);
	assert_int_equal(leat_time_add(LEAT_NEVER / 2 + 2, LEAT_NEVER / 2), LEAT_NEVER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_running_clock_never_goes_back),
		cmocka_unit_test(an_unpaused_clock_tells_monotonic_time),
		cmocka_unit_test(a_running_clock_moves),
		cmocka_unit_test(a_paused_clock_stands_still),
		cmocka_unit_test(it_goes_on_where_it_stopped),
		cmocka_unit_test(pauses_add_up),
		cmocka_unit_test(it_moves_again_after_a_pause),
		cmocka_unit_test(readers_see_no_step_back_while_it_is_paused_and_resumed),
		cmocka_unit_test(sums_of_times_are_plain_sums),
		cmocka_unit_test(never_and_anything_is_never),
		cmocka_unit_test(a_sum_too_large_is_never),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
