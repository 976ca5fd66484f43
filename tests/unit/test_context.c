#include "unit.h"

#include "thread.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <unistd.h>

#define CAUSE 7

static struct leat_context *make(struct leat_context *parent, int64_t deadline)
{
	struct leat_context *context;

	assert_int_equal(leat_context_create(&context, parent, deadline), 0);
	return context;
}

static bool is_readable(int fd)
{
	struct pollfd polled = {.fd = fd, .events = POLLIN};

	return poll(&polled, 1, 0) == 1;
}

static void a_deadline_is_never_later_than_the_parents(void **state)
{
	(void)state;
	struct leat_context *root = make(NULL, LEAT_NEVER);
	int64_t soon = leat_context_now(root) + 60 * LEAT_SECOND_NS;
	struct leat_context *parent = make(root, soon);
	struct leat_context *later = make(parent, soon + 1),
			    *earlier = make(parent, soon - 1);

	assert_int_equal(leat_context_deadline(later), soon);
	assert_int_equal(leat_context_deadline(earlier), soon - 1);
	leat_context_destroy(root); // the order of destruction is free
	leat_context_destroy(parent);
	leat_context_destroy(later);
	leat_context_destroy(earlier);
}

static void cancel_reaches_every_descendant_and_nobody_else(void **state)
{
	(void)state;
	struct leat_context *root = make(NULL, LEAT_NEVER), *top = make(root, LEAT_NEVER);
	struct leat_context *a = make(top, LEAT_NEVER), *b = make(top, LEAT_NEVER);
	struct leat_context *deep = make(a, LEAT_NEVER), *other = make(root, LEAT_NEVER);
	int fd = leat_context_wake_fd(deep);

	assert_false(is_readable(fd));
	leat_context_cancel(top, CAUSE);
	assert_int_equal(leat_context_cause(top), CAUSE);
	assert_int_equal(leat_context_cause(a), CAUSE);
	assert_int_equal(leat_context_cause(b), CAUSE);
	assert_int_equal(leat_context_cause(deep), CAUSE);
	assert_int_equal(leat_context_cause(root), 0);
	assert_int_equal(leat_context_cause(other), 0);
	assert_true(is_readable(fd));
	assert_true(is_readable(leat_context_wake_fd(b)));
	assert_false(is_readable(leat_context_wake_fd(other)));
	struct leat_context *late = make(deep, LEAT_NEVER);
	assert_int_equal(leat_context_cause(late), CAUSE);
	struct leat_context *all[] = {late, deep, a, b, top, other, root};
	for (int index = 0; index < 7; index++)
		leat_context_destroy(all[index]);
}

static void the_first_cause_wins(void **state)
{
	(void)state;
	struct leat_context *root = make(NULL, LEAT_NEVER),
			    *child = make(root, LEAT_NEVER);

	leat_context_cancel(child, CAUSE);
	leat_context_cancel(root, CAUSE + 1);
	assert_int_equal(leat_context_cause(child), CAUSE);
	assert_int_equal(leat_context_cause(root), CAUSE + 1);
	leat_context_destroy(child);
	leat_context_destroy(root);
}

static void a_passed_deadline_wins_over_a_later_cancel(void **state)
{
	(void)state;
	struct leat_context *root = make(NULL, LEAT_NEVER);
	struct leat_context *child = make(root, leat_context_now(root));

	assert_int_equal(leat_context_cause(child), LEAT_CAUSE_DEADLINE);
	leat_context_cancel(root, CAUSE);
	assert_int_equal(leat_context_cause(child), LEAT_CAUSE_DEADLINE);
	assert_int_equal(leat_context_cause(root), CAUSE);
	leat_context_destroy(child);
	leat_context_destroy(root);
}

static void a_paused_clock_holds_deadlines(void **state)
{
	(void)state;
	struct leat_context *root = make(NULL, LEAT_NEVER);

	leat_context_pause(root);
	int64_t stands = leat_context_now(root);
	struct leat_context *child = make(root, stands + 1);
	for (int spin = 0; spin < 100000; spin++)
		assert_int_equal(leat_context_now(child), stands);
	assert_int_equal(leat_context_cause(child), 0);
	leat_context_resume(root);
	while (leat_context_now(root) <= stands)
		;
	assert_int_equal(leat_context_cause(child), LEAT_CAUSE_DEADLINE);
	leat_context_destroy(child);
	leat_context_destroy(root);
}

struct watcher {
	sem_t entered, leave;
	int calls;
};

static void count_call(void *argument)
{
	((struct watcher *)argument)->calls++;
}

static void a_watch_is_called_once_and_at_once_on_an_ended_context(void **state)
{
	(void)state;
	struct leat_context *root = make(NULL, LEAT_NEVER);
	struct watcher watcher = {.calls = 0};
	struct leat_watch early = {.call = count_call, .argument = &watcher},
			  late = early, gone = early;

	leat_context_watch(root, &early);
	leat_context_watch(root, &gone);
	leat_context_unwatch(root, &gone);
	leat_context_cancel(root, CAUSE);
	leat_context_cancel(root, CAUSE);
	assert_int_equal(watcher.calls, 1);
	leat_context_watch(root, &late);
	assert_int_equal(watcher.calls, 2);
	leat_context_unwatch(root, &early);
	leat_context_unwatch(root, &late);
	leat_context_destroy(root);
}

static void stay(void *argument)
{
	struct watcher *watcher = argument;

	sem_post(&watcher->entered);
	sem_wait(&watcher->leave);
	watcher->calls++;
}

static void *cancel(void *context)
{
	leat_context_cancel(context, CAUSE);
	return NULL;
}

static void *let_leave(void *argument)
{
	sem_post(&((struct watcher *)argument)->leave);
	return NULL;
}

static void unwatch_waits_for_a_call_in_progress(void **state)
{
	(void)state;
	struct leat_context *root = make(NULL, LEAT_NEVER);
	struct watcher watcher = {.calls = 0};
	struct leat_watch watch = {.call = stay, .argument = &watcher};
	pthread_t canceler, releaser;

	sem_init(&watcher.entered, 0, 0);
	sem_init(&watcher.leave, 0, 0);
	leat_context_watch(root, &watch);
	pthread_create(&canceler, NULL, cancel, root);
	sem_wait(&watcher.entered);
	pthread_create(&releaser, NULL, let_leave, &watcher);
	leat_context_unwatch(root, &watch);
	assert_int_equal(watcher.calls, 1); // would be 0, had it not waited
	pthread_join(canceler, NULL);
	pthread_join(releaser, NULL);
	leat_context_destroy(root);
}

static void many_threads_cancel_and_one_cause_wins_everywhere(void **state)
{
	(void)state;
	for (int round = 0; round < 50; round++) {
		struct leat_context *root = make(NULL, LEAT_NEVER);
		struct leat_context *child = make(root, LEAT_NEVER);
		pthread_t threads[4];

		for (int index = 0; index < 4; index++)
			pthread_create(
				&threads[index], NULL, cancel, index % 2 ? root : child);
		for (int index = 0; index < 4; index++)
			pthread_join(threads[index], NULL);
		assert_int_equal(leat_context_cause(root), CAUSE);
		assert_int_equal(leat_context_cause(child), CAUSE);
		leat_context_destroy(child);
		leat_context_destroy(root);
	}
}

static void a_new_context_lives(void **state)
{
	struct leat_context *context = make(NULL, LEAT_NEVER);

	(void)state;
	assert_int_equal(leat_context_cause(context), 0);
	assert_int_equal(leat_context_deadline(context), LEAT_NEVER);
	assert_false(is_readable(leat_context_wake_fd(context)));
	leat_context_destroy(context);
	leat_context_destroy(NULL);
}

static void a_passed_deadline_is_a_cause_for_all_below_and_wakes_nobody(void **state)
{
	struct leat_context *root = make(NULL, LEAT_NEVER);
	struct leat_context *timed = make(root, leat_context_now(root));
	struct leat_context *below = make(timed, LEAT_NEVER);

	(void)state;
	assert_int_equal(leat_context_cause(below), LEAT_CAUSE_DEADLINE);
	assert_int_equal(leat_context_cause(root), 0);
	assert_false(is_readable(leat_context_wake_fd(timed)));
	leat_context_cancel(root, CAUSE);
	assert_true(is_readable(leat_context_wake_fd(timed)));
	leat_context_destroy(below);
	leat_context_destroy(timed);
	leat_context_destroy(root);
}

static void a_cancel_wins_over_a_deadline_that_passes_after_it(void **state)
{
	struct leat_context *root = make(NULL, LEAT_NEVER), *timed;

	(void)state;
	leat_context_pause(root);
	timed = make(root, leat_context_now(root) + 1000);
	leat_context_cancel(timed, CAUSE);
	leat_context_resume(root);
	while (leat_context_now(root) < leat_context_deadline(timed))
		sched_yield();
	assert_int_equal(leat_context_cause(timed), CAUSE);
	leat_context_destroy(timed);
	leat_context_destroy(root);
}

static void a_wake_descriptor_stays_readable_and_the_same(void **state)
{
	struct leat_context *root = make(NULL, LEAT_NEVER);
	int fd = leat_context_wake_fd(root);

	(void)state;
	leat_context_cancel(root, CAUSE);
	leat_context_cancel(root, CAUSE);
	assert_true(is_readable(fd));
	assert_true(is_readable(fd));
	assert_int_equal(leat_context_wake_fd(root), fd);
	leat_context_destroy(root);
}

static void a_child_of_an_ended_parent_has_ended(void **state)
{
	struct leat_context *root = make(NULL, LEAT_NEVER), *child;
	struct watcher watcher = {.calls = 0};
	struct leat_watch watch = {.call = count_call, .argument = &watcher};

	(void)state;
	leat_context_cancel(root, CAUSE);
	child = make(root, LEAT_NEVER);
	assert_int_equal(leat_context_cause(child), CAUSE);
	assert_true(is_readable(leat_context_wake_fd(child)));
	leat_context_watch(child, &watch);
	assert_int_equal(watcher.calls, 1);
	leat_context_unwatch(child, &watch);
	leat_context_destroy(root);
	leat_context_destroy(child);
}

static void a_watch_may_be_used_again(void **state)
{
	struct watcher watcher = {.calls = 0};
	struct leat_watch watch = {.call = count_call, .argument = &watcher};

	(void)state;
	for (int turn = 1; turn <= 2; turn++) {
		struct leat_context *root = make(NULL, LEAT_NEVER);

		leat_context_watch(root, &watch);
		leat_context_cancel(root, CAUSE);
		leat_context_unwatch(root, &watch);
		assert_int_equal(watcher.calls, turn);
		leat_context_destroy(root);
	}
}

static void a_call_is_made_without_a_lock_of_the_tree(void **state)
{
	struct leat_context *root = make(NULL, LEAT_NEVER), *child;
	struct watcher watcher = {.calls = 0};
	struct leat_watch watch = {.call = stay, .argument = &watcher};
	pthread_t canceler;

	(void)state;
	sem_init(&watcher.entered, 0, 0);
	sem_init(&watcher.leave, 0, 0);
	leat_context_watch(root, &watch);
	pthread_create(&canceler, NULL, cancel, root);
	wait_for_post(&watcher.entered);
	child = make(root, LEAT_NEVER); // and all this does not wait for the call
	assert_true(is_readable(leat_context_wake_fd(child)));
	leat_context_cancel(root, CAUSE + 1);
	sem_post(&watcher.leave);
	pthread_join(canceler, NULL);
	leat_context_unwatch(root, &watch);
	leat_context_destroy(child);
	leat_context_destroy(root);
}

static void contexts_are_destroyed_in_any_order(void **state)
{
	static const int orders[][3] = {
		{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};

	(void)state;
	for (size_t order = 0; order < sizeof orders / sizeof *orders; order++) {
		struct leat_context *nodes[3] = {make(NULL, LEAT_NEVER)}, *last;

		nodes[1] = make(nodes[0], LEAT_NEVER);
		nodes[2] = make(nodes[1], LEAT_NEVER);
		last = nodes[orders[order][2]];
		leat_context_destroy(nodes[orders[order][0]]);
		leat_context_cancel(last, CAUSE);
		leat_context_destroy(nodes[orders[order][1]]);
		assert_int_equal(leat_context_cause(last), CAUSE);
		leat_context_destroy(last);
	}
}

static void what_is_below_a_destroyed_context_still_ends(void **state)
{
	struct leat_context *root = make(NULL, LEAT_NEVER), *leaves[3];
	struct leat_context *middle = make(root, LEAT_NEVER);

	(void)state;
	for (int index = 0; index < 3; index++)
		leaves[index] = make(middle, LEAT_NEVER);
	leat_context_destroy(middle);
	leat_context_destroy(leaves[1]);
	leat_context_cancel(root, CAUSE);
	assert_int_equal(leat_context_cause(leaves[0]), CAUSE);
	assert_int_equal(leat_context_cause(leaves[2]), CAUSE);
	leat_context_destroy(root);
	leat_context_destroy(leaves[2]);
	leat_context_destroy(leaves[0]);
}

#define CANCELERS 4
#define LEAVES 8

/* Threads that cancel one tree at the same moment. */
struct crowd {
	struct leat_context *root, *leaves[LEAVES];
	struct leat_watch watches[LEAVES];
	atomic_int calls[LEAVES], next_cause, missed;
	pthread_barrier_t barrier;
};

static void count_atomically(void *argument)
{
	atomic_fetch_add((atomic_int *)argument, 1);
}

static void cancel_with_the_crowd(void *argument)
{
	struct crowd *crowd = argument;

	pthread_barrier_wait(&crowd->barrier);
	leat_context_cancel(crowd->root, 1 + atomic_fetch_add(&crowd->next_cause, 1));
	for (int index = 0; index < LEAVES; index++)
		if (!leat_context_cause(crowd->leaves[index]))
			atomic_fetch_add(&crowd->missed, 1);
}

static void crowd_init(struct crowd *crowd)
{
	*crowd = (struct crowd){.root = make(NULL, LEAT_NEVER)};
	pthread_barrier_init(&crowd->barrier, NULL, CANCELERS);
	for (int index = 0; index < LEAVES; index++) {
		crowd->leaves[index] = make(crowd->root, LEAT_NEVER);
		crowd->watches[index] = (struct leat_watch){
			.call = count_atomically, .argument = &crowd->calls[index]};
		leat_context_watch(crowd->leaves[index], &crowd->watches[index]);
	}
}

static void crowd_check_and_finish(struct crowd *crowd)
{
	int cause = leat_context_cause(crowd->root);

	assert_in_range(cause, 1, CANCELERS);
	assert_int_equal(crowd->missed, 0);
	for (int index = 0; index < LEAVES; index++) {
		leat_context_unwatch(crowd->leaves[index], &crowd->watches[index]);
		assert_int_equal(crowd->calls[index], 1);
		assert_int_equal(leat_context_cause(crowd->leaves[index]), cause);
		leat_context_destroy(crowd->leaves[index]);
	}
	leat_context_destroy(crowd->root);
	pthread_barrier_destroy(&crowd->barrier);
}

static void when_cancel_returns_every_descendant_has_ended_and_was_told_once(void **state)
{
	(void)state;
	for (int turn = 0; turn < 50; turn++) {
		struct thread cancelers[CANCELERS];
		struct crowd crowd;

		crowd_init(&crowd);
		for (int index = 0; index < CANCELERS; index++)
			thread_start(&cancelers[index], cancel_with_the_crowd, &crowd);
		for (int index = 0; index < CANCELERS; index++)
			thread_join(&cancelers[index]);
		crowd_check_and_finish(&crowd);
	}
}

static void grow_and_prune(void *argument)
{
	for (int turn = 0; turn < 500; turn++) {
		struct leat_context *child, *below;
		atomic_int calls = 0;
		struct leat_watch watch = {.call = count_atomically, .argument = &calls};

		if (leat_context_create(&child, argument, LEAT_NEVER) < 0)
			return;
		if (leat_context_create(&below, child, LEAT_NEVER) == 0) {
			leat_context_watch(below, &watch);
			leat_context_unwatch(below, &watch);
			leat_context_destroy(child);
			child = below;
		}
		leat_context_destroy(child);
	}
}

static void a_cancel_amid_creations_and_destructions_is_safe(void **state)
{
	struct leat_context *root = make(NULL, LEAT_NEVER), *last;
	struct thread growers[2];

	(void)state;
	for (int index = 0; index < 2; index++)
		thread_start(&growers[index], grow_and_prune, root);
	leat_context_cancel(root, CAUSE);
	for (int index = 0; index < 2; index++)
		thread_join(&growers[index]);
	last = make(root, LEAT_NEVER);
	assert_int_equal(leat_context_cause(last), CAUSE);
	leat_context_destroy(last);
	leat_context_destroy(root);
}

// Many are between the two, so that cancel takes a while from the one to the other.
static void no_context_lives_below_one_that_is_seen_to_have_ended(void **state)
{
	enum { BETWEEN = 20000 };
	struct leat_context *root = make(NULL, LEAT_NEVER);
	struct leat_context *last = make(root, LEAT_NEVER);
	static struct leat_context *between[BETWEEN];
	pthread_t canceler;

	(void)state;
	for (int index = 0; index < BETWEEN; index++)
		between[index] = make(root, LEAT_NEVER);
	pthread_create(&canceler, NULL, cancel, root);
	while (!leat_context_cause(root))
		sched_yield();
	assert_int_equal(leat_context_cause(last), CAUSE);
	pthread_join(canceler, NULL);
	for (int index = 0; index < BETWEEN; index++)
		leat_context_destroy(between[index]);
	leat_context_destroy(last);
	leat_context_destroy(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_deadline_is_never_later_than_the_parents),
		cmocka_unit_test(cancel_reaches_every_descendant_and_nobody_else),
		cmocka_unit_test(the_first_cause_wins),
		cmocka_unit_test(a_passed_deadline_wins_over_a_later_cancel),
		cmocka_unit_test(a_paused_clock_holds_deadlines),
		cmocka_unit_test(a_watch_is_called_once_and_at_once_on_an_ended_context),
		cmocka_unit_test(unwatch_waits_for_a_call_in_progress),
		cmocka_unit_test(many_threads_cancel_and_one_cause_wins_everywhere),
		cmocka_unit_test(a_new_context_lives),
		cmocka_unit_test(
			a_passed_deadline_is_a_cause_for_all_below_and_wakes_nobody),
		cmocka_unit_test(a_cancel_wins_over_a_deadline_that_passes_after_it),
		cmocka_unit_test(a_wake_descriptor_stays_readable_and_the_same),
		cmocka_unit_test(a_child_of_an_ended_parent_has_ended),
		cmocka_unit_test(no_context_lives_below_one_that_is_seen_to_have_ended),
		cmocka_unit_test(a_watch_may_be_used_again),
		cmocka_unit_test(a_call_is_made_without_a_lock_of_the_tree),
		cmocka_unit_test(contexts_are_destroyed_in_any_order),
		cmocka_unit_test(what_is_below_a_destroyed_context_still_ends),
		cmocka_unit_test(
			when_cancel_returns_every_descendant_has_ended_and_was_told_once),
		cmocka_unit_test(a_cancel_amid_creations_and_destructions_is_safe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
