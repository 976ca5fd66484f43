#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>

static struct leat_context *group;
static struct leat_pool *pool;
static sem_t started, release;
static atomic_int ran, done, canceled, panicked, at_once, most_at_once;

static int set_up(void **state)
{
	(void)state;
	sem_init(&started, 0, 0);
	sem_init(&release, 0, 0);
	ran = done = canceled = panicked = at_once = most_at_once = 0;
	return leat_context_create(&group, NULL, LEAT_NEVER);
}

static int tear_down(void **state)
{
	(void)state;
	leat_pool_destroy(pool);
	pool = NULL;
	leat_context_destroy(group);
	return 0;
}

static void count_completion(void *argument, const struct leat_completion *completion)
{
	(void)argument;
	atomic_fetch_add(completion->end == LEAT_JOB_DONE	? &done
			 : completion->end == LEAT_JOB_PANICKED ? &panicked
								: &canceled,
		1);
}

static void quick(struct leat_worker *worker, void *argument)
{
	int now = atomic_fetch_add(&at_once, 1) + 1, most = most_at_once;

	(void)argument;
	assert_in_range(leat_worker_number(worker), 1, 64);
	while (now > most && !atomic_compare_exchange_weak(&most_at_once, &most, now))
		;
	atomic_fetch_add(&ran, 1);
	atomic_fetch_sub(&at_once, 1);
}

static void held(struct leat_worker *worker, void *argument)
{
	(void)worker;
	(void)argument;
	sem_post(&started);
	sem_wait(&release);
	atomic_fetch_add(&ran, 1);
}

static int submit(leat_job_fn run)
{
	struct leat_job job = {.run = run, .complete = count_completion};

	return leat_pool_submit(pool, &job, NULL);
}

static void no_more_than_n_run_and_each_completes_once(void **state)
{
	(void)state;
	assert_int_equal(leat_pool_create(&pool, 3, 4, group), 0);
	for (int index = 0; index < 2000; index++)
		assert_int_equal(submit(quick), 0);
	assert_int_equal(leat_pool_wait(pool), 0);
	assert_int_equal(ran, 2000);
	assert_int_equal(done, 2000);
	assert_in_range(most_at_once, 1, 3);
}

static void a_full_queue_refuses_and_a_closed_pool_too(void **state)
{
	(void)state;
	struct leat_job job = {.run = held, .complete = count_completion};

	assert_int_equal(leat_pool_create(&pool, 1, 2, group), 0);
	submit(held);
	sem_wait(&started);
	assert_int_equal(leat_pool_try_submit(pool, &job), 0);
	assert_int_equal(leat_pool_try_submit(pool, &job), 0);
	assert_int_equal(leat_pool_try_submit(pool, &job), -EWOULDBLOCK);
	for (int index = 0; index < 3; index++)
		sem_post(&release);
	assert_int_equal(leat_pool_wait(pool), 0);
	assert_int_equal(leat_pool_try_submit(pool, &job), -ESHUTDOWN);
	assert_int_equal(done, 3);
}

static void *cancel_group(void *argument)
{
	(void)argument;
	leat_context_cancel(group, 1);
	return NULL;
}

static void at_the_groups_end_queued_jobs_are_given_up_and_running_ones_finish(void **state)
{
	(void)state;
	pthread_t canceler;

	assert_int_equal(leat_pool_create(&pool, 2, 3, group), 0);
	for (int index = 0; index < 5; index++)
		assert_int_equal(submit(held), 0);
	sem_wait(&started);
	sem_wait(&started);
	pthread_create(&canceler, NULL, cancel_group, NULL);
	assert_int_equal(submit(held), -ECANCELED); // was blocked, or came too late
	pthread_join(canceler, NULL);
	assert_int_equal(leat_pool_give_up(pool), 3);
	assert_int_equal(canceled, 3);
	assert_int_equal(leat_pool_state(pool).running, 2);
	sem_post(&release);
	sem_post(&release);
	assert_int_equal(leat_pool_wait(pool), 3);
	assert_int_equal(ran, 2);
	assert_int_equal(done, 2);
}

static void a_blocked_submit_gives_up_at_the_deadline_of_its_patience(void **state)
{
	(void)state;
	struct leat_job job = {.run = held, .complete = count_completion};
	struct leat_context *patience;

	assert_int_equal(leat_pool_create(&pool, 1, 1, group), 0);
	submit(held);
	sem_wait(&started);
	submit(held);
	leat_context_create(
		&patience, group, leat_context_now(group) + LEAT_SECOND_NS / 100);
	assert_int_equal(leat_pool_submit(pool, &job, patience), -ECANCELED);
	leat_context_destroy(patience);
	sem_post(&release);
	sem_post(&release);
	assert_int_equal(leat_pool_wait(pool), 0);
	assert_int_equal(done, 2);
}

static void look_at_context(struct leat_worker *worker, void *argument)
{
	*(struct leat_context **)argument = leat_worker_context(worker);
}

static void a_job_sees_the_groups_context_or_its_own(void **state)
{
	(void)state;
	struct leat_context *own, *seen = NULL;
	struct leat_job job = {.run = look_at_context, .argument = &seen};

	leat_context_create(&own, NULL, LEAT_NEVER);
	assert_int_equal(leat_pool_create(&pool, 1, 1, group), 0);
	leat_pool_submit(pool, &job, NULL);
	leat_pool_wait(pool);
	assert_ptr_equal(seen, group);
	assert_int_equal(leat_pool_reset(pool, group), 0);
	job.context = own;
	assert_int_equal(leat_pool_submit(pool, &job, NULL), 0);
	leat_pool_wait(pool);
	assert_ptr_equal(seen, own);
	leat_context_destroy(own);
}

static void reset_is_refused_while_jobs_run_and_forgets_the_unrun(void **state)
{
	(void)state;
	struct leat_context *next;

	assert_int_equal(leat_pool_create(&pool, 1, 4, group), 0);
	submit(held);
	sem_wait(&started);
	submit(held);
	assert_int_equal(leat_pool_reset(pool, group), -EBUSY);
	leat_context_cancel(group, 1);
	sem_post(&release);
	assert_int_equal(leat_pool_wait(pool), 1);
	leat_context_create(&next, NULL, LEAT_NEVER);
	assert_int_equal(leat_pool_reset(pool, next), 0);
	assert_int_equal(submit(quick), 0);
	assert_int_equal(leat_pool_wait(pool), 0);
	leat_pool_destroy(pool);
	pool = NULL;
	leat_context_destroy(next);
}

static void resize_adds_workers_for_queued_jobs_and_takes_the_highest(void **state)
{
	(void)state;
	assert_int_equal(leat_pool_create(&pool, 1, 8, group), 0);
	for (int index = 0; index < 3; index++)
		submit(held);
	sem_wait(&started);
	assert_int_equal(leat_pool_resize(pool, 3), 0);
	sem_wait(&started);
	sem_wait(&started);
	assert_int_equal(leat_pool_state(pool).running, 3);
	assert_int_equal(leat_pool_resize(pool, 0), -EINVAL);
	assert_int_equal(leat_pool_resize(pool, 1), 0);
	for (int index = 0; index < 3; index++)
		sem_post(&release);
	while (leat_pool_state(pool).workers != 1)
		sched_yield();
	most_at_once = 0;
	for (int index = 0; index < 100; index++)
		submit(quick);
	leat_pool_wait(pool);
	assert_int_equal(most_at_once, 1);
}

static void in_a_storm_of_cancels_accepted_equals_completed(void **state)
{
	(void)state;
	for (int round = 0; round < 100; round++) {
		pthread_t canceler;
		int accepted = 0;

		if (round)
			set_up(NULL);
		assert_int_equal(leat_pool_create(&pool, 1 + (unsigned)round % 4, 3, group), 0);
		pthread_create(&canceler, NULL, cancel_group, NULL);
		for (int index = 0; index < 50; index++)
			accepted += submit(quick) == 0;
		pthread_join(canceler, NULL);
		uint64_t unrun = leat_pool_wait(pool);
		assert_int_equal(done + canceled, accepted);
		assert_int_equal(canceled, unrun);
		assert_int_equal(ran, done);
		if (round < 99)
			tear_down(NULL);
	}
}

static void a_pool_of_nothing_is_refused(void **state)
{
	(void)state;
	assert_int_equal(leat_pool_create(&pool, 0, 1, group), -EINVAL);
	assert_int_equal(leat_pool_create(&pool, 1, 0, group), -EINVAL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(no_more_than_n_run_and_each_completes_once),
		TEST(a_full_queue_refuses_and_a_closed_pool_too),
		TEST(at_the_groups_end_queued_jobs_are_given_up_and_running_ones_finish),
		TEST(a_blocked_submit_gives_up_at_the_deadline_of_its_patience),
		TEST(a_job_sees_the_groups_context_or_its_own),
		TEST(reset_is_refused_while_jobs_run_and_forgets_the_unrun),
		TEST(resize_adds_workers_for_queued_jobs_and_takes_the_highest),
		TEST(in_a_storm_of_cancels_accepted_equals_completed),
		TEST(a_pool_of_nothing_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
