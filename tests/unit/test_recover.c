/* Panic and defer. */
#include "unit.h"

#include "thread.h"

#include <stdlib.h>

#define STEPS 16

/* A pool of one worker, and what happened in its jobs, letter by letter. */
struct scene {
	struct leat_context *group;
	struct leat_pool *pool;
	struct leat_worker *worker;
	char steps[STEPS];
	enum leat_job_end end;
	char message[300];
	bool has_message;
	int depth;
};

static struct scene scene;

static int scene_setup(void **state)
{
	(void)state;
	scene = (struct scene){0};
	if (leat_context_create(&scene.group, NULL, LEAT_NEVER) < 0)
		return -1;
	return leat_pool_create(&scene.pool, 1, 4, scene.group);
}

static int scene_teardown(void **state)
{
	(void)state;
	leat_pool_destroy(scene.pool);
	leat_context_destroy(scene.group);
	return 0;
}

static void step(char letter)
{
	scene.steps[strlen(scene.steps)] = letter;
}

static void note_completion(void *argument, const struct leat_completion *completion)
{
	(void)argument;
	step('.');
	scene.end = completion->end;
	scene.has_message = completion->message != NULL;
	if (completion->message)
		snprintf(scene.message, sizeof scene.message, "%s", completion->message);
	scene.depth = completion->backtrace_length;
	for (int index = 0; index < completion->backtrace_length; index++)
		if (!completion->backtrace[index])
			scene.depth = -1;
}

static void submit(leat_job_fn run)
{
	struct leat_job job = {.run = run, .complete = note_completion};

	assert_int_equal(leat_pool_submit(scene.pool, &job, NULL), 0);
}

static void run_alone(leat_job_fn run)
{
	submit(run);
	leat_pool_wait(scene.pool);
	assert_int_equal(leat_pool_reset(scene.pool, scene.group), 0);
}

static void return_at_once(struct leat_worker *worker, void *argument)
{
	(void)worker;
	(void)argument;
	step('r');
}

static void panic_at_once(struct leat_worker *worker, void *argument)
{
	(void)argument;
	step('p');
	leat_panic(worker, "no %s for %d", "room", 7);
	step('!');
}

static void a_job_that_returns_has_no_message(void **state)
{
	(void)state;
	run_alone(return_at_once);
	assert_int_equal(scene.end, LEAT_JOB_DONE);
	assert_false(scene.has_message);
	assert_int_equal(scene.depth, 0);
	assert_string_equal(scene.steps, "r.");
}

static void a_panic_ends_the_job_with_message_and_backtrace(void **state)
{
	(void)state;
	run_alone(panic_at_once);
	assert_int_equal(scene.end, LEAT_JOB_PANICKED);
	assert_string_equal(scene.message, "no room for 7");
	assert_true(scene.depth > 0);
	assert_string_equal(scene.steps, "p.");
}

static void the_worker_goes_on_after_a_panic(void **state)
{
	(void)state;
	submit(panic_at_once);
	submit(return_at_once);
	assert_int_equal(leat_pool_wait(scene.pool), 0);
	assert_string_equal(scene.steps, "p.r.");
	assert_int_equal(scene.end, LEAT_JOB_DONE);
	assert_false(scene.has_message);
	assert_int_equal(scene.depth, 0);
	assert_int_equal(leat_pool_state(scene.pool).workers, 1);
}

static void panic_with_much_to_say(struct leat_worker *worker, void *argument)
{
	(void)argument;
	leat_panic(worker, "%0400d", 0);
}

static void a_panics_message_is_cut_at_255_bytes(void **state)
{
	(void)state;
	run_alone(panic_with_much_to_say);
	assert_int_equal(strlen(scene.message), 255);
}

static int dig(struct leat_worker *worker, int depth)
{
	if (depth < 0)
		return 0;
	if (depth == 0)
		leat_panic(worker, "at the bottom");
	return dig(worker, depth - 1) + 1;
}

static void panic_deep_down(struct leat_worker *worker, void *argument)
{
	(void)argument;
	step((char)dig(worker, 100));
}

static void a_panic_leaves_any_number_of_frames(void **state)
{
	(void)state;
	run_alone(panic_deep_down);
	assert_int_equal(scene.end, LEAT_JOB_PANICKED);
	assert_string_equal(scene.message, "at the bottom");
	assert_in_range(scene.depth, 1, 32);
	assert_string_equal(scene.steps, ".");
}

static void step_deferred(void *argument)
{
	step(*(const char *)argument);
}

static void defer(struct leat_worker *worker, const char *letter)
{
	if (leat_defer(worker, step_deferred, (void *)letter) < 0)
		step('!');
}

static void defer_and_return(struct leat_worker *worker, void *argument)
{
	(void)argument;
	defer(worker, "1");
	defer(worker, "2");
	defer(worker, "3");
	step('r');
}

static void defer_and_panic(struct leat_worker *worker, void *argument)
{
	defer_and_return(worker, argument);
	leat_panic(worker, "over");
}

static void deferred_functions_run_in_reverse_before_the_completion(void **state)
{
	(void)state;
	run_alone(defer_and_return);
	assert_string_equal(scene.steps, "r321.");
	assert_int_equal(scene.end, LEAT_JOB_DONE);
}

static void deferred_functions_run_after_a_panic_too(void **state)
{
	(void)state;
	run_alone(defer_and_panic);
	assert_string_equal(scene.steps, "r321.");
	assert_int_equal(scene.end, LEAT_JOB_PANICKED);
}

static void what_a_job_deferred_is_not_run_again_after_the_next(void **state)
{
	(void)state;
	run_alone(defer_and_panic);
	run_alone(return_at_once);
	assert_string_equal(scene.steps, "r321.r.");
}

static void panic_deferred(void *argument)
{
	step('d');
	leat_panic(scene.worker, "deferred %s", (const char *)argument);
}

static void defer_panics(struct leat_worker *worker, void *argument)
{
	(void)argument;
	scene.worker = worker;
	defer(worker, "1");
	leat_defer(worker, panic_deferred, "one");
	defer(worker, "2");
	leat_defer(worker, panic_deferred, "two");
	step('r');
}

static void defer_panics_and_panic(struct leat_worker *worker, void *argument)
{
	defer_panics(worker, argument);
	leat_panic(worker, "first");
}

static void a_deferred_panic_keeps_none_of_the_others_from_running(void **state)
{
	(void)state;
	run_alone(defer_panics);
	assert_string_equal(scene.steps, "rd2d1.");
	assert_int_equal(scene.end, LEAT_JOB_PANICKED);
	assert_string_equal(scene.message, "deferred one");
}

static void the_last_panics_message_replaces_the_former(void **state)
{
	(void)state;
	run_alone(defer_panics_and_panic);
	assert_string_equal(scene.steps, "rd2d1.");
	assert_string_equal(scene.message, "deferred one");
}

static void defer_again(void *argument)
{
	step('a');
	defer(scene.worker, argument);
}

static void defer_one_that_defers(struct leat_worker *worker, void *argument)
{
	(void)argument;
	scene.worker = worker;
	defer(worker, "1");
	leat_defer(worker, defer_again, "b");
}

static void a_deferred_function_may_defer(void **state)
{
	(void)state;
	run_alone(defer_one_that_defers);
	assert_string_equal(scene.steps, "ab1.");
}

static void panic_by_turns(struct leat_worker *worker, void *argument)
{
	atomic_int *completed = argument;

	if (leat_worker_number(worker) % 2)
		leat_panic(worker, "worker %u", leat_worker_number(worker));
	(void)completed;
}

static void check_own_message(void *argument, const struct leat_completion *completion)
{
	atomic_int *wrong = argument;
	unsigned number;

	if (completion->end == LEAT_JOB_PANICKED &&
		(sscanf(completion->message, "worker %u", &number) != 1 ||
			number % 2 == 0))
		atomic_fetch_add(wrong, 1);
	if (completion->end == LEAT_JOB_CANCELED)
		atomic_fetch_add(wrong, 1);
}

static void workers_panic_independently(void **state)
{
	atomic_int wrong = 0;
	struct leat_job job = {
		.run = panic_by_turns, .complete = check_own_message, .argument = &wrong};

	(void)state;
	assert_int_equal(leat_pool_resize(scene.pool, 4), 0);
	for (int count = 0; count < 500; count++)
		assert_int_equal(leat_pool_submit(scene.pool, &job, NULL), 0);
	assert_int_equal(leat_pool_wait(scene.pool), 0);
	assert_int_equal(wrong, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_job_that_returns_has_no_message),
		TEST(a_panic_ends_the_job_with_message_and_backtrace),
		TEST(the_worker_goes_on_after_a_panic),
		TEST(a_panics_message_is_cut_at_255_bytes),
		TEST(a_panic_leaves_any_number_of_frames),
		TEST(deferred_functions_run_in_reverse_before_the_completion),
		TEST(deferred_functions_run_after_a_panic_too),
		TEST(what_a_job_deferred_is_not_run_again_after_the_next),
		TEST(a_deferred_panic_keeps_none_of_the_others_from_running),
		TEST(the_last_panics_message_replaces_the_former),
		TEST(a_deferred_function_may_defer),
		TEST(workers_panic_independently),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
