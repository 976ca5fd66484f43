#include "unit.h"

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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
