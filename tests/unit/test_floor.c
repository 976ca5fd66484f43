/* Who may write, and what is left behind. */
#include "unit.h"

#include "floor.h"
#include "thread.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <poll.h>
#include <unistd.h>

static struct floor *new_floor(bool ordered)
{
	struct floor *floor;

	assert_int_equal(floor_create(&floor, ordered, ".", 2), 0);
	return floor;
}

static struct parcel *new_parcel(uint64_t sequence)
{
	struct parcel *parcel = calloc(1, sizeof *parcel);

	assert_non_null(parcel);
	parcel->sequence = sequence;
	return parcel;
}

static void assert_left(struct parcel *parcel, uint64_t sequence)
{
	assert_non_null(parcel);
	assert_int_equal(parcel->sequence, sequence);
	parcel_destroy(parcel);
}

static bool is_readable(int fd)
{
	struct pollfd polled = {.fd = fd, .events = POLLIN};

	return poll(&polled, 1, 0) == 1;
}

static void one_that_runs_gets_a_free_floor_and_no_other(void **state)
{
	struct floor *floor = new_floor(false);
	struct claim one = {.wake_fd = -1}, two = {.wake_fd = -1};

	(void)state;
	assert_true(floor_try(floor, &one));
	assert_true(floor_try(floor, &one));
	assert_false(floor_try(floor, &two));
	assert_null(floor_pass(floor, &one));
	assert_true(floor_try(floor, &two));
	floor_destroy(floor);
}

static void who_ends_does_not_wait_for_one_that_runs(void **state)
{
	struct floor *floor = new_floor(false);
	struct claim one = {.wake_fd = -1}, two = {.wake_fd = -1},
		     three = {.wake_fd = -1};

	(void)state;
	assert_true(floor_try(floor, &one));
	assert_false(floor_enter(floor, &two, false));
	assert_true(floor_leave_behind(floor, &two, new_parcel(2)));
	assert_false(floor_enter(floor, &three, false));
	assert_true(floor_leave_behind(floor, &three, new_parcel(3)));
	assert_true(floor_enter(floor, &one, false));
	assert_left(floor_pass(floor, &one), 2);
	assert_left(floor_pass(floor, &one), 3);
	assert_null(floor_pass(floor, &one));
	assert_true(floor_enter(floor, &two, false));
	floor_destroy(floor);
}

static void nothing_is_left_behind_where_the_floor_is_free_meanwhile(void **state)
{
	struct floor *floor = new_floor(false);
	struct claim one = {.wake_fd = -1}, two = {.wake_fd = -1};
	struct parcel *parcel = new_parcel(2);

	(void)state;
	assert_true(floor_try(floor, &one));
	assert_false(floor_enter(floor, &two, false));
	assert_null(floor_pass(floor, &one));
	assert_false(floor_leave_behind(floor, &two, parcel));
	assert_null(floor_pass(floor, &two));
	parcel_destroy(parcel);
	floor_destroy(floor);
}

struct entering {
	struct floor *floor;
	struct claim claim;
};

static void enter(void *argument)
{
	struct entering *entering = argument;

	if (!floor_enter(entering->floor, &entering->claim, false))
		abort();
	if (floor_pass(entering->floor, &entering->claim))
		abort();
}

static void who_ends_waits_for_another_that_ended(void **state)
{
	struct floor *floor = new_floor(false);
	struct claim one = {.wake_fd = -1};
	struct entering two = {floor, {.wake_fd = -1}};
	struct thread thread;

	(void)state;
	assert_true(floor_enter(floor, &one, false));
	thread_start(&thread, enter, &two);
	thread_await_sleep(&thread);
	assert_null(floor_pass(floor, &one));
	thread_join(&thread);
	assert_true(floor_enter(floor, &one, false));
	floor_destroy(floor);
}

static void who_wants_it_is_woken_in_turn(void **state)
{
	struct floor *floor = new_floor(false);
	struct claim claims[3];

	(void)state;
	for (int index = 0; index < 3; index++)
		claims[index] =
			(struct claim){.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
	assert_true(floor_want(floor, &claims[0]));
	assert_false(floor_want(floor, &claims[1]));
	assert_false(floor_want(floor, &claims[2]));
	assert_false(floor_want(floor, &claims[1]));
	assert_null(floor_pass(floor, &claims[0]));
	assert_true(is_readable(claims[1].wake_fd));
	assert_false(is_readable(claims[2].wake_fd));
	assert_true(floor_want(floor, &claims[1]));
	assert_null(floor_pass(floor, &claims[1]));
	assert_false(is_readable(claims[1].wake_fd));
	assert_true(floor_holds(floor, &claims[2]));
	assert_false(is_readable(claims[2].wake_fd));
	for (int index = 0; index < 3; index++)
		close(claims[index].wake_fd);
	floor_destroy(floor);
}

static void in_order_it_is_the_turn_of_the_next_whoever_comes_first(void **state)
{
	struct floor *floor = new_floor(true);
	struct claim one = {.key = 1, .wake_fd = -1}, two = {.key = 2, .wake_fd = -1},
		     three = {
			     .key = 3, .wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};

	(void)state;
	assert_false(floor_want(floor, &three));
	assert_false(floor_enter(floor, &two, false));
	assert_true(floor_leave_behind(floor, &two, new_parcel(2)));
	assert_true(floor_enter(floor, &one, false));
	assert_left(floor_pass(floor, &one), 2);
	assert_false(is_readable(three.wake_fd));
	assert_null(floor_pass(floor, &one));
	assert_true(is_readable(three.wake_fd));
	assert_true(floor_holds(floor, &three));
	assert_true(floor_enter(floor, &three, false));
	assert_null(floor_pass(floor, &three));
	close(three.wake_fd);
	floor_destroy(floor);
}

static void in_order_what_is_left_behind_for_ones_own_turn_stays_ones_own(void **state)
{
	struct floor *floor = new_floor(true);
	struct claim one = {.key = 1, .wake_fd = -1}, two = {.key = 2, .wake_fd = -1};
	struct parcel *parcel = new_parcel(2);

	(void)state;
	assert_false(floor_enter(floor, &two, false));
	assert_true(floor_enter(floor, &one, false));
	assert_null(floor_pass(floor, &one));
	assert_false(floor_leave_behind(floor, &two, parcel));
	assert_null(floor_pass(floor, &two));
	parcel_destroy(parcel);
	floor_destroy(floor);
}

static void wait_for_turn(void *argument)
{
	struct entering *entering = argument;

	if (!floor_enter(entering->floor, &entering->claim, true))
		abort();
}

static void in_order_who_is_patient_waits_for_its_turn(void **state)
{
	struct floor *floor = new_floor(true);
	struct claim one = {.key = 1, .wake_fd = -1};
	struct entering two = {floor, {.key = 2, .wake_fd = -1}};
	struct thread thread;

	(void)state;
	thread_start(&thread, wait_for_turn, &two);
	thread_await_sleep(&thread);
	assert_true(floor_enter(floor, &one, false));
	assert_null(floor_pass(floor, &one));
	thread_join(&thread);
	assert_true(two.claim.held);
	floor_destroy(floor);
}

static void leave_far_behind(void *argument)
{
	struct entering *entering = argument;

	if (!floor_leave_behind(
		    entering->floor, &entering->claim, new_parcel(entering->claim.key)))
		abort();
}

static void no_more_is_left_behind_than_may_wait(void **state)
{
	struct floor *floor = new_floor(true);
	struct claim one = {.key = 1, .wake_fd = -1};
	struct entering far = {floor, {.key = 1 + PENDING_MOST, .wake_fd = -1}};
	struct thread thread;

	(void)state;
	thread_start(&thread, leave_far_behind, &far);
	thread_await_sleep(&thread);
	assert_true(floor_enter(floor, &one, false));
	assert_null(floor_pass(floor, &one));
	thread_join(&thread);
	floor_destroy(floor);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_that_runs_gets_a_free_floor_and_no_other),
		cmocka_unit_test(who_ends_does_not_wait_for_one_that_runs),
		cmocka_unit_test(
			nothing_is_left_behind_where_the_floor_is_free_meanwhile),
		cmocka_unit_test(who_ends_waits_for_another_that_ended),
		cmocka_unit_test(who_wants_it_is_woken_in_turn),
		cmocka_unit_test(in_order_it_is_the_turn_of_the_next_whoever_comes_first),
		cmocka_unit_test(
			in_order_what_is_left_behind_for_ones_own_turn_stays_ones_own),
		cmocka_unit_test(in_order_who_is_patient_waits_for_its_turn),
		cmocka_unit_test(no_more_is_left_behind_than_may_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
