/*
 * The pool, with all that can happen to it happening at once: jobs that are submitted,
 * canceled, given up and panic, workers that come and go, and the same again after a
 * reset. STRESS_SEED repeats a run's choices, STRESS_SECONDS (2) says how long.
 */
#include "unit.h"

#include "thread.h"

#include <stdlib.h>
#include <time.h>

#define SUBMITTERS 3
#define JOBS 150 // of each
#define MOST_WORKERS 8
#define DEADLINE_NS 3000000

struct round;

struct job {
	struct round *round;
	unsigned choice;
	bool accepted;
	atomic_int runs, completions, canceled;
};

struct round {
	struct leat_pool *pool;
	struct leat_context *group, *patience;
	unsigned seed;
	atomic_uint submitters; //< numbers given out
	atomic_bool over;
	struct job jobs[SUBMITTERS][JOBS];
};

static unsigned choose(unsigned *seed, unsigned below)
{
	return (unsigned)rand_r(seed) % below;
}

static void run_job(struct leat_worker *worker, void *argument)
{
	struct job *job = argument;

	atomic_fetch_add(&job->runs, 1);
	if (job->choice % 8 == 0)
		sched_yield();
	if (job->choice % 32 == 1)
		leat_panic(worker, "as wanted");
	if (job->choice == 2)
		leat_context_cancel(job->round->group, 1);
}

static void complete_job(void *argument, const struct leat_completion *completion)
{
	struct job *job = argument;

	atomic_fetch_add(&job->completions, 1);
	if (completion->end == LEAT_JOB_CANCELED)
		atomic_fetch_add(&job->canceled, 1);
}

static int submit_one(struct round *round, struct job *one, unsigned *seed)
{
	struct leat_job job = {run_job, complete_job, one, NULL, choose(seed, 12)};

	one->round = round;
	one->choice = choose(seed, 2000);
	switch (choose(seed, 4)) {
	case 0:
		return leat_pool_try_submit(round->pool, &job);
	case 1:
		return leat_pool_submit(round->pool, &job, round->patience);
	default:
		return leat_pool_submit(round->pool, &job, NULL);
	}
}

static void submit_jobs(void *argument)
{
	struct round *round = argument;
	unsigned number = atomic_fetch_add(&round->submitters, 1);
	unsigned seed = round->seed + number;

	for (unsigned index = 0; index < JOBS; index++) {
		struct job *job = &round->jobs[number][index];

		job->accepted = submit_one(round, job, &seed) == 0;
	}
}

static void resize(void *argument)
{
	struct round *round = argument;
	unsigned seed = round->seed + SUBMITTERS;

	while (!atomic_load(&round->over)) {
		struct leat_pool_state state;

		assert_int_equal(
			leat_pool_resize(round->pool, 1 + choose(&seed, MOST_WORKERS)),
			0);
		state = leat_pool_state(round->pool);
		assert_in_range(state.size, 1, MOST_WORKERS);
		sched_yield();
	}
}

static void disturb(void *argument)
{
	struct round *round = argument;
	unsigned seed = round->seed + SUBMITTERS + 1;

	for (unsigned yields = choose(&seed, 400); yields; yields--)
		sched_yield();
	switch (choose(&seed, 6)) {
	case 0:
		leat_context_cancel(round->group, 1);
		leat_pool_give_up(round->pool);
		break;
	case 1:
		leat_context_cancel(round->group, 1);
		leat_pool_wait(round->pool);
		break;
	case 2:
		leat_context_cancel(round->patience, 1);
		break;
	case 3:
		leat_pool_wait(round->pool);
		break;
	case 4:
		leat_context_pause(round->group);
		leat_context_resume(round->group);
		break;
	}
}

static void check(struct round *round, uint64_t unrun)
{
	struct leat_pool_state state = leat_pool_state(round->pool);
	uint64_t canceled = 0;

	for (unsigned index = 0; index < SUBMITTERS * JOBS; index++) {
		struct job *job = &round->jobs[index / JOBS][index % JOBS];

		assert_int_equal(job->completions, job->accepted);
		assert_int_equal(job->runs + job->canceled, job->accepted);
		canceled += (uint64_t)job->canceled;
	}
	assert_int_equal(canceled, unrun);
	assert_int_equal(state.queued, 0);
	assert_int_equal(state.running, 0);
}

static void run_round(struct round *round)
{
	struct thread submitters[SUBMITTERS], resizer, disturber;

	for (unsigned index = 0; index < SUBMITTERS; index++)
		thread_start(&submitters[index], submit_jobs, round);
	thread_start(&resizer, resize, round);
	thread_start(&disturber, disturb, round);
	for (unsigned index = 0; index < SUBMITTERS; index++)
		thread_join(&submitters[index]);
	check(round, leat_pool_wait(round->pool));
	atomic_store(&round->over, true);
	thread_join(&disturber);
	thread_join(&resizer);
}

static struct leat_context *new_group(unsigned *seed)
{
	struct leat_context *root, *group;
	int64_t deadline = LEAT_NEVER;

	assert_int_equal(leat_context_create(&root, NULL, LEAT_NEVER), 0);
	if (choose(seed, 3) == 0)
		deadline = leat_context_now(root) + choose(seed, DEADLINE_NS);
	assert_int_equal(leat_context_create(&group, root, deadline), 0);
	leat_context_destroy(root);
	return group;
}

static struct round *new_round(
	struct leat_pool *pool, struct leat_context *group, unsigned seed)
{
	struct round *round = calloc(1, sizeof *round);

	assert_non_null(round);
	round->pool = pool;
	round->group = group;
	round->seed = seed;
	assert_int_equal(leat_context_create(&round->patience, NULL, LEAT_NEVER), 0);
	return round;
}

static unsigned number_of(const char *name, unsigned otherwise)
{
	const char *value = getenv(name);

	return value ? (unsigned)strtoul(value, NULL, 10) : otherwise;
}

static void each_accepted_job_completes_once_whatever_happens(void **state)
{
	unsigned seed = number_of("STRESS_SEED", (unsigned)time(NULL)), rounds = 0;
	time_t end = time(NULL) + number_of("STRESS_SECONDS", 2);
	struct leat_context *group, *former;
	struct leat_pool *pool;

	(void)state;
	printf("# STRESS_SEED=%u\n", seed);
	fflush(stdout);
	former = new_group(&seed);
	assert_int_equal(leat_pool_create(&pool, 2, 9, former), 0);
	for (; time(NULL) < end; rounds++) {
		struct round *round;

		group = new_group(&seed);
		leat_pool_wait(pool);
		assert_int_equal(leat_pool_reset(pool, group), 0);
		leat_context_destroy(former);
		former = group;
		round = new_round(pool, group, (unsigned)rand_r(&seed));
		run_round(round);
		leat_context_destroy(round->patience);
		free(round);
	}
	leat_pool_destroy(pool);
	leat_context_destroy(former);
	printf("# %u rounds\n", rounds);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_accepted_job_completes_once_whatever_happens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
