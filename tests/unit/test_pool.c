/* The bounded queue and its workers. */
#include "unit.h"

#include "thread.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

/* A pool under a group, and what its jobs tell. */
struct scene {
	struct leat_context *group;
	struct leat_pool *pool;
	sem_t begun, go; // jobs that hold: they post `begun` and wait for `go`
	atomic_int ran, completed, canceled;
};

static struct scene *new_scene(unsigned size, size_t queue_length)
{
	struct scene *scene = calloc(1, sizeof *scene);

	assert_non_null(scene);
	assert_int_equal(leat_context_create(&scene->group, NULL, LEAT_NEVER), 0);
	assert_int_equal(
		leat_pool_create(&scene->pool, size, queue_length, scene->group), 0);
	sem_init(&scene->begun, 0, 0);
	sem_init(&scene->go, 0, 0);
	return scene;
}

static void end_scene(struct scene *scene)
{
	leat_pool_destroy(scene->pool);
	leat_context_destroy(scene->group);
	sem_destroy(&scene->begun);
	sem_destroy(&scene->go);
	free(scene);
}

static void run_at_once(struct leat_worker *worker, void *argument)
{
	struct scene *scene = argument;

	(void)worker;
	atomic_fetch_add(&scene->ran, 1);
}

static void run_held(struct leat_worker *worker, void *argument)
{
	struct scene *scene = argument;

	(void)worker;
	sem_post(&scene->begun);
	wait_for_post(&scene->go);
	atomic_fetch_add(&scene->ran, 1);
}

static void count_completion(void *argument, const struct leat_completion *completion)
{
	struct scene *scene = argument;

	if (completion->end == LEAT_JOB_CANCELED)
		atomic_fetch_add(&scene->canceled, 1);
	atomic_fetch_add(&scene->completed, 1);
}

static struct leat_job job_of(struct scene *scene, leat_job_fn run)
{
	return (struct leat_job){
		.run = run, .complete = count_completion, .argument = scene};
}

static int submit(struct scene *scene, leat_job_fn run)
{
	struct leat_job job = job_of(scene, run);

	return leat_pool_submit(scene->pool, &job, NULL);
}

static int try_submit(struct scene *scene, leat_job_fn run)
{
	struct leat_job job = job_of(scene, run);

	return leat_pool_try_submit(scene->pool, &job);
}

// A running job that holds, and `queued` more behind it.
static void fill(struct scene *scene, int queued)
{
	assert_int_equal(submit(scene, run_held), 0);
	wait_for_post(&scene->begun);
	for (int count = 0; count < queued; count++)
		assert_int_equal(try_submit(scene, run_at_once), 0);
}

static void await_workers(struct scene *scene, unsigned count)
{
	while (leat_pool_state(scene->pool).workers != count)
		sched_yield();
}

static void every_job_runs_and_completes(void **state)
{
	struct scene *scene = new_scene(3, 2);

	(void)state;
	for (int count = 0; count < 100; count++)
		assert_int_equal(submit(scene, run_at_once), 0);
	assert_int_equal(leat_pool_wait(scene->pool), 0);
	assert_int_equal(scene->ran, 100);
	assert_int_equal(scene->completed, 100);
	assert_int_equal(scene->canceled, 0);
	end_scene(scene);
}

static void a_completion_may_be_left_out(void **state)
{
	struct scene *scene = new_scene(1, 1);
	struct leat_job job = {.run = run_at_once, .argument = scene};

	(void)state;
	assert_int_equal(leat_pool_submit(scene->pool, &job, NULL), 0);
	assert_int_equal(leat_pool_wait(scene->pool), 0);
	assert_int_equal(scene->ran, 1);
	assert_int_equal(leat_pool_reset(scene->pool, scene->group), 0);
	fill(scene, 0);
	assert_int_equal(leat_pool_try_submit(scene->pool, &job), 0);
	leat_context_cancel(scene->group, 1);
	assert_int_equal(leat_pool_give_up(scene->pool), 1);
	sem_post(&scene->go);
	end_scene(scene);
}

static void a_job_is_copied(void **state)
{
	struct scene *scene = new_scene(1, 2);
	struct leat_job job = job_of(scene, run_at_once);

	(void)state;
	fill(scene, 0);
	assert_int_equal(leat_pool_submit(scene->pool, &job, NULL), 0);
	job = (struct leat_job){0};
	sem_post(&scene->go);
	leat_pool_wait(scene->pool);
	assert_int_equal(scene->ran, 2);
	end_scene(scene);
}

static void no_thread_is_started_before_it_is_needed(void **state)
{
	struct scene *scene = new_scene(4, 2);

	(void)state;
	assert_int_equal(leat_pool_state(scene->pool).workers, 0);
	assert_int_equal(leat_pool_state(scene->pool).size, 4);
	fill(scene, 0);
	assert_int_equal(leat_pool_state(scene->pool).workers, 1);
	sem_post(&scene->go);
	end_scene(scene);
}

static void once_room_was_made_no_worker_is_started(void **state)
{
	struct scene *scene = new_scene(4, 4);

	(void)state;
	fill(scene, 0);
	fill(scene, 0);
	assert_int_equal(leat_pool_state(scene->pool).workers, 2);
	leat_pool_make_room(scene->pool);
	leat_pool_make_room(scene->pool);
	assert_int_equal(submit(scene, run_at_once), 0);
	assert_int_equal(leat_pool_state(scene->pool).workers, 2);
	sem_post(&scene->go);
	sem_post(&scene->go);
	leat_pool_wait(scene->pool);
	assert_int_equal(scene->ran, 3);
	end_scene(scene);
}

#define SIZE 4

/* Who runs now, by worker's number. */
struct census {
	atomic_int running, most;
	atomic_int present[SIZE + 2];
	atomic_int twice, out_of_range;
	pthread_barrier_t barrier;
};

static void note_most(struct census *census, int running)
{
	int most = atomic_load(&census->most);

	while (running > most &&
		!atomic_compare_exchange_weak(&census->most, &most, running))
		;
}

static void run_counted(struct leat_worker *worker, void *argument)
{
	struct census *census = argument;
	unsigned number = leat_worker_number(worker);

	note_most(census, atomic_fetch_add(&census->running, 1) + 1);
	if (number < 1 || number > SIZE)
		atomic_fetch_add(&census->out_of_range, 1);
	else if (atomic_exchange(&census->present[number], 1))
		atomic_fetch_add(&census->twice, 1);
	sched_yield();
	if (number <= SIZE)
		atomic_store(&census->present[number], 0);
	atomic_fetch_sub(&census->running, 1);
}

static void no_more_than_size_jobs_run_at_once(void **state)
{
	struct scene *scene = new_scene(SIZE, 8);
	struct census census = {0};
	struct leat_job job = {.run = run_counted, .argument = &census};

	(void)state;
	for (int count = 0; count < 1000; count++)
		assert_int_equal(leat_pool_submit(scene->pool, &job, NULL), 0);
	leat_pool_wait(scene->pool);
	assert_in_range(census.most, 1, SIZE);
	assert_int_equal(census.out_of_range, 0);
	assert_int_equal(census.twice, 0);
	end_scene(scene);
}

static void run_to_barrier(struct leat_worker *worker, void *argument)
{
	struct census *census = argument;
	unsigned number = leat_worker_number(worker);

	if (number <= SIZE)
		atomic_fetch_add(&census->present[number], 1);
	pthread_barrier_wait(&census->barrier);
}

static void size_jobs_do_run_at_once_numbered_from_1(void **state)
{
	struct scene *scene = new_scene(SIZE, SIZE);
	struct census census = {0};
	struct leat_job job = {.run = run_to_barrier, .argument = &census};

	(void)state;
	pthread_barrier_init(&census.barrier, NULL, SIZE);
	for (int count = 0; count < SIZE; count++)
		assert_int_equal(leat_pool_submit(scene->pool, &job, NULL), 0);
	leat_pool_wait(scene->pool);
	for (int number = 1; number <= SIZE; number++)
		assert_int_equal(census.present[number], 1);
	end_scene(scene);
	pthread_barrier_destroy(&census.barrier);
}

static void a_full_queue_refuses_a_try(void **state)
{
	struct scene *scene = new_scene(1, 2);

	(void)state;
	fill(scene, 2);
	assert_int_equal(leat_pool_state(scene->pool).queued, 2);
	assert_int_equal(leat_pool_state(scene->pool).running, 1);
	assert_int_equal(try_submit(scene, run_at_once), -EWOULDBLOCK);
	sem_post(&scene->go);
	leat_pool_wait(scene->pool);
	assert_int_equal(scene->completed, 3);
	end_scene(scene);
}

static void a_job_takes_room_by_its_weight(void **state)
{
	struct scene *scene = new_scene(1, 4);
	struct leat_job light = job_of(scene, run_at_once), heavy = light;

	(void)state;
	heavy.weight = 3;
	fill(scene, 0);
	assert_int_equal(leat_pool_try_submit(scene->pool, &heavy), 0);
	assert_int_equal(leat_pool_try_submit(scene->pool, &heavy), -EWOULDBLOCK);
	assert_int_equal(leat_pool_try_submit(scene->pool, &light), 0);
	assert_int_equal(leat_pool_try_submit(scene->pool, &light), -EWOULDBLOCK);
	sem_post(&scene->go);
	leat_pool_wait(scene->pool);
	assert_int_equal(scene->completed, 3);
	end_scene(scene);
}

/* One that submits, from another thread. */
struct submitter {
	size_t weight;
	struct thread thread;
	struct scene *scene;
	struct leat_context *patience;
	int result;
};

static void submit_patiently(void *argument)
{
	struct submitter *submitter = argument;
	struct leat_job job = job_of(submitter->scene, run_at_once);

	job.weight = submitter->weight;
	submitter->result =
		leat_pool_submit(submitter->scene->pool, &job, submitter->patience);
}

static void start_blocked(
	struct submitter *submitter, struct scene *scene, struct leat_context *patience)
{
	*submitter = (struct submitter){.scene = scene, .patience = patience};
	thread_start(&submitter->thread, submit_patiently, submitter);
	thread_await_sleep(&submitter->thread);
}

static void a_full_queue_blocks_its_producer_until_there_is_room(void **state)
{
	struct scene *scene = new_scene(1, 1);
	struct submitter submitter;

	(void)state;
	fill(scene, 1);
	start_blocked(&submitter, scene, NULL);
	assert_int_equal(leat_pool_state(scene->pool).queued, 1);
	sem_post(&scene->go);
	thread_join(&submitter.thread);
	assert_int_equal(submitter.result, 0);
	leat_pool_wait(scene->pool);
	assert_int_equal(scene->completed, 3);
	end_scene(scene);
}

static void a_job_heavier_than_the_queue_waits_until_it_is_empty(void **state)
{
	struct scene *scene = new_scene(1, 4);
	struct submitter submitter = {.scene = scene, .weight = 100};

	(void)state;
	fill(scene, 4);
	thread_start(&submitter.thread, submit_patiently, &submitter);
	thread_await_sleep(&submitter.thread);
	sem_post(&scene->go);
	thread_join(&submitter.thread);
	assert_int_equal(submitter.result, 0);
	leat_pool_wait(scene->pool);
	assert_int_equal(scene->completed, 6);
	end_scene(scene);
}

static void the_groups_end_wakes_a_blocked_producer(void **state)
{
	struct scene *scene = new_scene(1, 1);
	struct submitter submitter;

	(void)state;
	fill(scene, 1);
	start_blocked(&submitter, scene, NULL);
	leat_context_cancel(scene->group, 1);
	thread_join(&submitter.thread);
	assert_int_equal(submitter.result, -ECANCELED);
	sem_post(&scene->go);
	assert_int_equal(leat_pool_wait(scene->pool), 1);
	assert_int_equal(scene->completed, 2);
	end_scene(scene);
}

static void the_end_of_patience_wakes_a_blocked_producer(void **state)
{
	struct scene *scene = new_scene(1, 1);
	struct leat_context *patience;
	struct submitter submitter;

	(void)state;
	assert_int_equal(leat_context_create(&patience, NULL, LEAT_NEVER), 0);
	fill(scene, 1);
	start_blocked(&submitter, scene, patience);
	leat_context_cancel(patience, 1);
	thread_join(&submitter.thread);
	assert_int_equal(submitter.result, -ECANCELED);
	sem_post(&scene->go);
	assert_int_equal(leat_pool_wait(scene->pool), 0);
	assert_int_equal(scene->completed, 2);
	end_scene(scene);
	leat_context_destroy(patience);
}

static void a_deadline_of_patience_ends_a_blocked_submit(void **state)
{
	struct scene *scene = new_scene(1, 1);
	struct leat_job job = job_of(scene, run_at_once);
	struct leat_context *patience;

	(void)state;
	fill(scene, 1);
	assert_int_equal(leat_context_create(&patience, scene->group,
				 leat_context_now(scene->group) + LEAT_SECOND_NS / 50),
		0);
	assert_int_equal(leat_pool_submit(scene->pool, &job, patience), -ECANCELED);
	assert_int_equal(leat_context_cause(patience), LEAT_CAUSE_DEADLINE);
	sem_post(&scene->go);
	assert_int_equal(leat_pool_wait(scene->pool), 0);
	end_scene(scene);
	leat_context_destroy(patience);
}

static void a_deadline_of_the_group_ends_a_blocked_submit(void **state)
{
	struct scene *scene = new_scene(1, 1);
	struct leat_context *timed;
	uint64_t unrun;

	(void)state;
	leat_context_pause(scene->group);
	assert_int_equal(leat_context_create(&timed, scene->group,
				 leat_context_now(scene->group) + LEAT_SECOND_NS / 50),
		0);
	assert_int_equal(leat_pool_reset(scene->pool, timed), 0);
	fill(scene, 1);
	leat_context_resume(scene->group);
	assert_int_equal(submit(scene, run_at_once), -ECANCELED);
	sem_post(&scene->go);
	unrun = leat_pool_wait(scene->pool);
	assert_int_equal(unrun, 1);
	assert_int_equal(scene->canceled, 1);
	assert_int_equal(scene->ran, 1);
	leat_pool_destroy(scene->pool);
	scene->pool = NULL;
	leat_context_destroy(timed);
	end_scene(scene);
}

static void nothing_is_accepted_once_the_group_has_ended(void **state)
{
	struct scene *scene = new_scene(1, 1);

	(void)state;
	leat_context_cancel(scene->group, 1);
	assert_int_equal(submit(scene, run_at_once), -ECANCELED);
	assert_int_equal(try_submit(scene, run_at_once), -ECANCELED);
	assert_int_equal(leat_pool_wait(scene->pool), 0);
	assert_int_equal(scene->completed, 0);
	end_scene(scene);
}

static void ended_patience_is_refused_even_where_there_is_room(void **state)
{
	struct scene *scene = new_scene(1, 1);
	struct leat_job job = job_of(scene, run_at_once);
	struct leat_context *patience;

	(void)state;
	assert_int_equal(leat_context_create(&patience, NULL, LEAT_NEVER), 0);
	leat_context_cancel(patience, 1);
	assert_int_equal(leat_pool_submit(scene->pool, &job, patience), -ECANCELED);
	leat_pool_wait(scene->pool);
	assert_int_equal(scene->completed, 0);
	end_scene(scene);
	leat_context_destroy(patience);
}

static void a_running_job_finishes_while_queued_ones_are_canceled(void **state)
{
	struct scene *scene = new_scene(1, 4);

	(void)state;
	fill(scene, 4);
	leat_context_cancel(scene->group, 1);
	sem_post(&scene->go);
	assert_int_equal(leat_pool_wait(scene->pool), 4);
	assert_int_equal(scene->ran, 1);
	assert_int_equal(scene->canceled, 4);
	assert_int_equal(scene->completed, 5);
	assert_int_equal(leat_pool_wait(scene->pool), 4);
	end_scene(scene);
}

static void wait_in_the_pool(void *argument)
{
	struct scene *scene = argument;

	leat_pool_wait(scene->pool);
}

static void several_threads_may_wait(void **state)
{
	struct scene *scene = new_scene(1, 2);
	struct thread waiters[3];

	(void)state;
	fill(scene, 2);
	for (int index = 0; index < 3; index++) {
		thread_start(&waiters[index], wait_in_the_pool, scene);
		thread_await_sleep(&waiters[index]);
	}
	sem_post(&scene->go);
	for (int index = 0; index < 3; index++)
		thread_join(&waiters[index]);
	assert_int_equal(scene->completed, 3);
	end_scene(scene);
}

static void wait_closes_the_intake(void **state)
{
	struct scene *scene = new_scene(1, 1);

	(void)state;
	leat_pool_wait(scene->pool);
	assert_int_equal(submit(scene, run_at_once), -ESHUTDOWN);
	assert_int_equal(try_submit(scene, run_at_once), -ESHUTDOWN);
	assert_int_equal(scene->completed, 0);
	end_scene(scene);
}

static void wait_wakes_a_blocked_producer(void **state)
{
	struct scene *scene = new_scene(1, 1);
	struct submitter submitter;
	struct thread waiter;

	(void)state;
	fill(scene, 1);
	start_blocked(&submitter, scene, NULL);
	thread_start(&waiter, wait_in_the_pool, scene);
	thread_join(&submitter.thread);
	assert_int_equal(submitter.result, -ESHUTDOWN);
	sem_post(&scene->go);
	thread_join(&waiter);
	assert_int_equal(scene->completed, 2);
	end_scene(scene);
}

static void reset_opens_the_pool_again(void **state)
{
	struct scene *scene = new_scene(1, 2);
	struct leat_context *group;

	(void)state;
	fill(scene, 2);
	leat_context_cancel(scene->group, 1);
	sem_post(&scene->go);
	assert_int_equal(leat_pool_wait(scene->pool), 2);
	assert_int_equal(leat_context_create(&group, NULL, LEAT_NEVER), 0);
	assert_int_equal(leat_pool_reset(scene->pool, group), 0);
	assert_int_equal(leat_pool_state(scene->pool).unrun, 0);
	assert_int_equal(submit(scene, run_at_once), 0);
	assert_int_equal(leat_pool_wait(scene->pool), 0);
	assert_int_equal(scene->ran, 2);
	leat_pool_destroy(scene->pool);
	scene->pool = NULL;
	leat_context_destroy(group);
	end_scene(scene);
}

static void reset_is_refused_while_jobs_run_or_wait(void **state)
{
	struct scene *scene = new_scene(1, 1);
	struct thread waiter;

	(void)state;
	fill(scene, 1);
	assert_int_equal(leat_pool_reset(scene->pool, scene->group), -EBUSY);
	thread_start(&waiter, wait_in_the_pool, scene);
	thread_await_sleep(&waiter);
	assert_int_equal(leat_pool_reset(scene->pool, scene->group), -EBUSY);
	sem_post(&scene->go);
	thread_join(&waiter);
	assert_int_equal(leat_pool_reset(scene->pool, scene->group), 0);
	end_scene(scene);
}

static void a_larger_size_lets_queued_jobs_run_at_once(void **state)
{
	struct scene *scene = new_scene(1, SIZE);
	struct census census = {0};
	struct leat_job job = {.run = run_to_barrier, .argument = &census};

	(void)state;
	pthread_barrier_init(&census.barrier, NULL, 3);
	for (int count = 0; count < 3; count++)
		assert_int_equal(leat_pool_submit(scene->pool, &job, NULL), 0);
	assert_int_equal(leat_pool_resize(scene->pool, 3), 0);
	leat_pool_wait(scene->pool);
	assert_int_equal(leat_pool_state(scene->pool).size, 3);
	for (int number = 1; number <= 3; number++)
		assert_int_equal(census.present[number], 1);
	end_scene(scene);
	pthread_barrier_destroy(&census.barrier);
}

static void of_a_smaller_size_the_highest_numbers_leave(void **state)
{
	struct scene *scene = new_scene(3, 8);
	struct census census = {0};
	struct leat_job job = {.run = run_to_barrier, .argument = &census};

	(void)state;
	pthread_barrier_init(&census.barrier, NULL, 3);
	for (int count = 0; count < 3; count++)
		assert_int_equal(leat_pool_submit(scene->pool, &job, NULL), 0);
	leat_pool_wait(scene->pool);
	assert_int_equal(leat_pool_resize(scene->pool, 1), 0);
	await_workers(scene, 1);
	assert_int_equal(leat_pool_reset(scene->pool, scene->group), 0);
	job.run = run_counted;
	atomic_store(&census.present[1], 0);
	for (int count = 0; count < 100; count++)
		assert_int_equal(leat_pool_submit(scene->pool, &job, NULL), 0);
	leat_pool_wait(scene->pool);
	assert_int_equal(census.most, 1);
	assert_int_equal(leat_pool_state(scene->pool).workers, 1);
	end_scene(scene);
	pthread_barrier_destroy(&census.barrier);
}

static void a_job_outlasts_a_smaller_size(void **state)
{
	struct scene *scene = new_scene(2, 4);

	(void)state;
	assert_int_equal(submit(scene, run_held), 0);
	assert_int_equal(submit(scene, run_held), 0);
	wait_for_post(&scene->begun);
	wait_for_post(&scene->begun);
	assert_int_equal(leat_pool_resize(scene->pool, 1), 0);
	assert_int_equal(leat_pool_state(scene->pool).running, 2);
	sem_post(&scene->go);
	sem_post(&scene->go);
	assert_int_equal(submit(scene, run_at_once), 0);
	leat_pool_wait(scene->pool);
	assert_int_equal(scene->ran, 3);
	end_scene(scene);
}

static void a_place_that_was_left_is_taken_again(void **state)
{
	struct scene *scene = new_scene(2, 4);

	(void)state;
	for (int turn = 0; turn < 5; turn++) {
		assert_int_equal(leat_pool_resize(scene->pool, 2), 0);
		assert_int_equal(submit(scene, run_held), 0);
		assert_int_equal(submit(scene, run_held), 0);
		wait_for_post(&scene->begun);
		wait_for_post(&scene->begun);
		assert_int_equal(leat_pool_resize(scene->pool, 1), 0);
		sem_post(&scene->go);
		sem_post(&scene->go);
		await_workers(scene, 1);
	}
	leat_pool_wait(scene->pool);
	assert_int_equal(scene->completed, 10);
	end_scene(scene);
}

static void give_up_does_not_wait_for_running_jobs(void **state)
{
	struct scene *scene = new_scene(1, 2);

	(void)state;
	fill(scene, 2);
	leat_context_cancel(scene->group, 1);
	assert_int_equal(leat_pool_give_up(scene->pool), 2);
	assert_int_equal(scene->canceled, 2);
	assert_int_equal(scene->ran, 0);
	assert_int_equal(leat_pool_state(scene->pool).running, 1);
	assert_int_equal(leat_pool_state(scene->pool).queued, 0);
	assert_int_equal(leat_pool_state(scene->pool).unrun, 2);
	sem_post(&scene->go);
	assert_int_equal(leat_pool_wait(scene->pool), 2);
	assert_int_equal(scene->ran, 1);
	end_scene(scene);
}

static void give_up_leaves_a_living_groups_jobs_alone(void **state)
{
	struct scene *scene = new_scene(1, 2);

	(void)state;
	fill(scene, 2);
	assert_int_equal(leat_pool_give_up(scene->pool), 0);
	assert_int_equal(leat_pool_state(scene->pool).queued, 2);
	sem_post(&scene->go);
	assert_int_equal(leat_pool_wait(scene->pool), 0);
	assert_int_equal(scene->ran, 3);
	end_scene(scene);
}

static void note_context(struct leat_worker *worker, void *argument)
{
	*(struct leat_context **)argument = leat_worker_context(worker);
}

static void a_job_sees_the_groups_context_or_its_own(void **state)
{
	struct scene *scene = new_scene(1, 2);
	struct leat_context *own, *seen[2] = {NULL, NULL};
	struct leat_job plain = {.run = note_context, .argument = &seen[0]};
	struct leat_job special = {.run = note_context, .argument = &seen[1]};

	(void)state;
	assert_int_equal(leat_context_create(&own, NULL, LEAT_NEVER), 0);
	special.context = own;
	assert_int_equal(leat_pool_submit(scene->pool, &special, NULL), 0);
	assert_int_equal(leat_pool_submit(scene->pool, &plain, NULL), 0);
	leat_pool_wait(scene->pool);
	assert_ptr_equal(seen[0], scene->group);
	assert_ptr_equal(seen[1], own);
	end_scene(scene);
	leat_context_destroy(own);
}

static void note_mask(struct leat_worker *worker, void *argument)
{
	(void)worker;
	pthread_sigmask(SIG_SETMASK, NULL, argument);
}

static void workers_block_every_signal(void **state)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGCHLD, SIGUSR1, SIGPIPE};
	struct scene *scene = new_scene(1, 1);
	sigset_t mask, before, after;
	struct leat_job job = {.run = note_mask, .argument = &mask};

	(void)state;
	sigemptyset(&mask);
	pthread_sigmask(SIG_SETMASK, NULL, &before);
	assert_int_equal(leat_pool_submit(scene->pool, &job, NULL), 0);
	leat_pool_wait(scene->pool);
	for (size_t index = 0; index < sizeof numbers / sizeof *numbers; index++)
		assert_int_equal(sigismember(&mask, numbers[index]), 1);
	pthread_sigmask(SIG_SETMASK, NULL, &after);
	assert_int_equal(sigismember(&after, SIGTERM), sigismember(&before, SIGTERM));
	end_scene(scene);
}

static void destroy_waits_for_every_job(void **state)
{
	struct scene *scene = new_scene(2, 20);

	(void)state;
	for (int count = 0; count < 20; count++)
		assert_int_equal(submit(scene, run_at_once), 0);
	leat_pool_destroy(scene->pool);
	assert_int_equal(scene->ran, 20);
	assert_int_equal(scene->completed, 20);
	scene->pool = NULL; // and to destroy nothing does nothing
	end_scene(scene);
}

static void await_quiet(struct scene *scene)
{
	struct leat_pool_state now;

	do
		now = leat_pool_state(scene->pool);
	while (now.queued || now.running);
}

static void meet(struct leat_worker *worker, void *argument)
{
	(void)worker;
	pthread_barrier_wait(argument);
}

static void no_job_waits_for_a_worker_that_is_leaving(void **state)
{
	struct scene *scene = new_scene(3, 8);
	pthread_barrier_t two, three;
	struct leat_job meet_two = {.run = meet, .argument = &two};
	struct leat_job meet_three = {.run = meet, .argument = &three};

	(void)state;
	pthread_barrier_init(&two, NULL, 2);
	pthread_barrier_init(&three, NULL, 3);
	for (int turn = 0; turn < 300; turn++) {
		assert_int_equal(leat_pool_resize(scene->pool, 3), 0);
		for (int job = 0; job < 3; job++)
			leat_pool_submit(scene->pool, &meet_three, NULL);
		await_quiet(scene);
		assert_int_equal(leat_pool_resize(scene->pool, 1), 0);
		assert_int_equal(leat_pool_resize(scene->pool, 2), 0);
		for (int job = 0; job < 2; job++)
			leat_pool_submit(scene->pool, &meet_two, NULL);
		await_quiet(scene);
	}
	leat_pool_wait(scene->pool);
	end_scene(scene);
	pthread_barrier_destroy(&two);
	pthread_barrier_destroy(&three);
}

static void a_pool_of_nothing_is_refused(void **state)
{
	struct scene *scene = new_scene(1, 1);
	struct leat_pool *pool;

	(void)state;
	assert_int_equal(leat_pool_create(&pool, 0, 1, scene->group), -EINVAL);
	assert_int_equal(leat_pool_create(&pool, 1, 0, scene->group), -EINVAL);
	assert_int_equal(leat_pool_resize(scene->pool, 0), -EINVAL);
	end_scene(scene);
}

#define STRESS_JOBS 300

/* Each job of the stress counts for itself. */
struct stress {
	struct scene *scene;
	struct stressed {
		struct stress *stress;
		atomic_int runs, completions, cancellations;
		bool accepted;
	} jobs[STRESS_JOBS];
	atomic_int runs, cancel_at;
	atomic_int next;
};

static void run_stressed(struct leat_worker *worker, void *argument)
{
	struct stressed *job = argument;
	struct stress *stress = job->stress;

	(void)worker;
	atomic_fetch_add(&job->runs, 1);
	if (atomic_fetch_add(&stress->runs, 1) == atomic_load(&stress->cancel_at))
		leat_context_cancel(stress->scene->group, 1);
}

static void complete_stressed(void *argument, const struct leat_completion *completion)
{
	struct stressed *job = argument;

	atomic_fetch_add(&job->completions, 1);
	if (completion->end == LEAT_JOB_CANCELED)
		atomic_fetch_add(&job->cancellations, 1);
}

static void submit_stressed(void *argument)
{
	struct stress *stress = argument;
	int index;

	while ((index = atomic_fetch_add(&stress->next, 1)) < STRESS_JOBS) {
		struct stressed *one = &stress->jobs[index];
		struct leat_job job = {
			run_stressed, complete_stressed, one, NULL, (size_t)index % 7};

		one->stress = stress;
		one->accepted = leat_pool_submit(stress->scene->pool, &job, NULL) == 0;
	}
}

static void check_stressed(struct stress *stress, uint64_t unrun)
{
	uint64_t canceled = 0;

	for (int index = 0; index < STRESS_JOBS; index++) {
		struct stressed *job = &stress->jobs[index];

		assert_int_equal(job->completions, job->accepted ? 1 : 0);
		assert_int_equal(job->runs + job->cancellations, job->completions);
		canceled += (uint64_t)job->cancellations;
	}
	assert_int_equal(canceled, unrun);
}

static void each_accepted_job_completes_once_under_a_cancel_at_any_time(void **state)
{
	(void)state;
	srand(1);
	for (int turn = 0; turn < 100; turn++) {
		struct stress *stress = calloc(1, sizeof *stress);
		struct thread submitters[3];

		assert_non_null(stress);
		stress->scene = new_scene(1 + (unsigned)turn % 4, 1 + (size_t)turn % 7);
		atomic_store(&stress->cancel_at, rand() % (STRESS_JOBS + 50));
		for (int index = 0; index < 3; index++)
			thread_start(&submitters[index], submit_stressed, stress);
		for (int index = 0; index < 3; index++)
			thread_join(&submitters[index]);
		check_stressed(stress, leat_pool_wait(stress->scene->pool));
		end_scene(stress->scene);
		free(stress);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_job_runs_and_completes),
		cmocka_unit_test(a_completion_may_be_left_out),
		cmocka_unit_test(a_job_is_copied),
		cmocka_unit_test(no_thread_is_started_before_it_is_needed),
		cmocka_unit_test(once_room_was_made_no_worker_is_started),
		cmocka_unit_test(no_more_than_size_jobs_run_at_once),
		cmocka_unit_test(no_job_waits_for_a_worker_that_is_leaving),
		cmocka_unit_test(size_jobs_do_run_at_once_numbered_from_1),
		cmocka_unit_test(a_full_queue_refuses_a_try),
		cmocka_unit_test(a_full_queue_blocks_its_producer_until_there_is_room),
		cmocka_unit_test(a_job_takes_room_by_its_weight),
		cmocka_unit_test(a_job_heavier_than_the_queue_waits_until_it_is_empty),
		cmocka_unit_test(the_groups_end_wakes_a_blocked_producer),
		cmocka_unit_test(the_end_of_patience_wakes_a_blocked_producer),
		cmocka_unit_test(a_deadline_of_patience_ends_a_blocked_submit),
		cmocka_unit_test(a_deadline_of_the_group_ends_a_blocked_submit),
		cmocka_unit_test(nothing_is_accepted_once_the_group_has_ended),
		cmocka_unit_test(ended_patience_is_refused_even_where_there_is_room),
		cmocka_unit_test(a_running_job_finishes_while_queued_ones_are_canceled),
		cmocka_unit_test(several_threads_may_wait),
		cmocka_unit_test(wait_closes_the_intake),
		cmocka_unit_test(wait_wakes_a_blocked_producer),
		cmocka_unit_test(reset_opens_the_pool_again),
		cmocka_unit_test(reset_is_refused_while_jobs_run_or_wait),
		cmocka_unit_test(a_larger_size_lets_queued_jobs_run_at_once),
		cmocka_unit_test(of_a_smaller_size_the_highest_numbers_leave),
		cmocka_unit_test(a_job_outlasts_a_smaller_size),
		cmocka_unit_test(a_place_that_was_left_is_taken_again),
		cmocka_unit_test(give_up_does_not_wait_for_running_jobs),
		cmocka_unit_test(give_up_leaves_a_living_groups_jobs_alone),
		cmocka_unit_test(a_job_sees_the_groups_context_or_its_own),
		cmocka_unit_test(workers_block_every_signal),
		cmocka_unit_test(destroy_waits_for_every_job),
		cmocka_unit_test(a_pool_of_nothing_is_refused),
		cmocka_unit_test(
			each_accepted_job_completes_once_under_a_cancel_at_any_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
