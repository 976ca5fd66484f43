/*
 * A bounded queue in front of worker threads.
 *
 * States. The intake is open until leat_pool_wait() closes it; leat_pool_reset()
 * opens it again. Apart from that the pool lives until destroy, which waits first.
 * A worker's place is vacant, or a thread is present there, or has left it and
 * wants to be joined.
 *
 * Owners. All of struct leat_pool belongs to its one lock, but for what is set at
 * the start and never changed. A job belongs to the queue, then to the thread that
 * took it out: a worker that runs it, or anyone who gives it up. The thread that
 * took it calls its completion, without the lock, and only then counts itself out
 * of `busy`: so wait returns when every completion has.
 *
 * Who wakes whom
 *   work   idle workers        submit; resize, destroy and the group's end (all)
 *   room   blocked submitters  a worker that found the queue half empty or more; wait and
 *                              the group's end (all)
 *   quiet  waiters             whoever empties the pool (queue empty and not busy), or
 *                              gave up the last job there was to give up
 * A submitter sleeps until the queue is half empty, not until one place is free,
 * so that at high rates it wakes once for many jobs. One whose job weighs more than
 * half the queue sleeps on until there is room for it.
 *
 * Workers. Submit starts one where a job finds none idle and a place is free: the
 * first vacant place. A worker whose place is beyond the size leaves when it finds
 * itself without a job. A job has the lowest number that is free when it begins.
 * Who takes a place again, or destroys the pool, joins the thread that left it.
 *
 * Room. Jobs start processes, and where the user or the cgroup may have only so many,
 * workers count as such: left alone, they would take all there are. So before there is
 * a second one a spare thread is started. Jobs that find no room have it end, once, and
 * then the number of workers grows no more, so its place is for their processes.
 *
 * The group's end. It closes the queue's outlet: from then on every job that is
 * taken out is given up, by workers between two jobs, and by waiters. The watch on
 * the group does no more than wake everybody. A deadline wakes nobody: a blocked
 * submitter waits no longer than that, and workers look before each job.
 */
#include "../leat.h"

#include "../base/clock.h"
#include "../base/sync.h"
#include "recover.h"
#include "spare.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct leat_worker {
	struct leat_pool *pool;
	unsigned place;
	unsigned number; //< of the running job
	pthread_t thread;
	bool started; //< `thread` was created and not joined; only starters look at it
	bool present; //< the thread has not left
	struct leat_context *context; //< of the running job
	struct leat_recover recover;
};

struct leat_pool {
	pthread_mutex_t lock;
	pthread_cond_t work, room, quiet;
	struct leat_watch watch; //< on the group
	struct leat_context *group;

	struct leat_job *queue; //< a ring
	size_t queue_length, head, queued;
	size_t queued_weight; //< never beyond queue_length

	struct leat_worker **places; //< NULL: never taken
	char *numbers;               //< by number - 1: whether a running job has it
	unsigned place_count;
	unsigned size;
	unsigned workers;   //< places that are taken
	unsigned idle;      //< workers that wait for work
	unsigned busy;      //< threads between taking a job out and its completion's end
	unsigned giving_up; //< of these, the ones that complete a job that never ran
	unsigned waiters;
	struct leat_spare spare;
	bool closed;
	bool leaving; //< destroy: workers return
	uint64_t unrun;
};

static bool group_ended(const struct leat_pool *pool)
{
	return leat_context_cause(pool->group) != 0;
}

static void wake_all(void *argument)
{
	struct leat_pool *pool = argument;

	pthread_mutex_lock(&pool->lock);
	pthread_cond_broadcast(&pool->work);
	pthread_cond_broadcast(&pool->room);
	pthread_cond_broadcast(&pool->quiet);
	pthread_mutex_unlock(&pool->lock);
}

static void watch_group(struct leat_pool *pool, struct leat_context *group)
{
	pool->group = group;
	pool->watch.call = wake_all;
	pool->watch.argument = pool;
	leat_context_watch(group, &pool->watch);
}

static int init_conditions(struct leat_pool *pool)
{
	int error = leat_cond_init(&pool->work);

	if (error)
		return error;
	error = leat_cond_init(&pool->room);
	if (error)
		goto destroy_work;
	error = leat_cond_init(&pool->quiet);
	if (error)
		goto destroy_room;
	return 0;
destroy_room:
	pthread_cond_destroy(&pool->room);
destroy_work:
	pthread_cond_destroy(&pool->work);
	return error;
}

// With the lock, or before anyone else knows of the pool.
static int grow_places(struct leat_pool *pool, unsigned size)
{
	struct leat_worker **places;
	char *numbers;

	if (size <= pool->place_count)
		return 0;
	numbers = realloc(pool->numbers, size);
	if (!numbers)
		return -ENOMEM;
	pool->numbers = numbers;
	places = reallocarray(pool->places, size, sizeof(*places));
	if (!places)
		return -ENOMEM;
	for (unsigned index = pool->place_count; index < size; index++)
		places[index] = NULL;
	memset(numbers + pool->place_count, false, size - pool->place_count);
	pool->places = places;
	pool->place_count = size;
	return 0;
}

int leat_pool_create(struct leat_pool **result, unsigned size, size_t queue_length,
	struct leat_context *group)
{
	struct leat_pool *pool;
	int error = -ENOMEM;

	if (!size || !queue_length)
		return -EINVAL;
	pool = calloc(1, sizeof *pool);
	if (!pool)
		return -ENOMEM;
	pool->queue = calloc(queue_length, sizeof *pool->queue);
	if (!pool->queue)
		goto free_pool;
	pool->queue_length = queue_length;
	error = grow_places(pool, size);
	if (error)
		goto free_queue;
	error = init_conditions(pool);
	if (error)
		goto free_places;
	pool->size = size;
	pthread_mutex_init(&pool->lock, NULL);
	watch_group(pool, group);
	*result = pool;
	return 0;
free_places:
	free(pool->places);
free_queue:
	free(pool->numbers);
	free(pool->queue);
free_pool:
	free(pool);
	return error;
}

static size_t weight_of(const struct leat_pool *pool, const struct leat_job *job)
{
	if (!job->weight)
		return 1;
	return job->weight < pool->queue_length ? job->weight : pool->queue_length;
}

// With the lock.
static bool has_room(const struct leat_pool *pool, const struct leat_job *job)
{
	return weight_of(pool, job) <= pool->queue_length - pool->queued_weight;
}

// With the lock.
static struct leat_job take(struct leat_pool *pool)
{
	struct leat_job job = pool->queue[pool->head];

	pool->head = (pool->head + 1) % pool->queue_length;
	pool->queued--;
	pool->queued_weight -= weight_of(pool, &job);
	pool->busy++;
	if (pool->queued_weight <= pool->queue_length / 2)
		pthread_cond_broadcast(&pool->room);
	return job;
}

// With the lock.
static void count_out(struct leat_pool *pool)
{
	if (--pool->busy == 0 && pool->queued == 0)
		pthread_cond_broadcast(&pool->quiet);
}

// With the lock, which it lets go meanwhile.
static void give_up_next(struct leat_pool *pool)
{
	struct leat_job job = take(pool);

	pool->unrun++;
	pool->giving_up++;
	pthread_mutex_unlock(&pool->lock);
	if (job.complete)
		job.complete(job.argument,
			&(struct leat_completion){.end = LEAT_JOB_CANCELED});
	pthread_mutex_lock(&pool->lock);
	if (--pool->giving_up == 0)
		pthread_cond_broadcast(&pool->quiet);
	count_out(pool);
}

// With the lock, which it lets go meanwhile.
static void run_next(struct leat_pool *pool, struct leat_worker *worker)
{
	struct leat_job job = take(pool);
	struct leat_completion completion;
	char *number = memchr(pool->numbers, false, pool->place_count);

	*number = true; // there are no more jobs than places
	worker->number = (unsigned)(number - pool->numbers) + 1;
	worker->context = job.context ? job.context : pool->group;
	pthread_mutex_unlock(&pool->lock);
	leat_recover_run(&worker->recover, worker, &job, &completion);
	if (job.complete)
		job.complete(job.argument, &completion);
	pthread_mutex_lock(&pool->lock);
	pool->numbers[worker->number - 1] = false;
	count_out(pool);
}

static int start_worker(struct leat_pool *pool);

// With the lock.
static void leave(struct leat_pool *pool, struct leat_worker *worker)
{
	pool->workers--;
	worker->present = false;
	// A submitter may have counted on this one for its job, before the size fell and
	// rose.
	if (pool->queued > pool->idle && pool->workers < pool->size)
		start_worker(pool);
	pthread_cond_signal(&pool->work);
}

static void *worker_main(void *argument)
{
	struct leat_worker *worker = argument;
	struct leat_pool *pool = worker->pool;

	pthread_mutex_lock(&pool->lock);
	for (;;) {
		if (worker->place >= pool->size || (pool->leaving && !pool->queued))
			break;
		if (!pool->queued) {
			pool->idle++;
			pthread_cond_wait(&pool->work, &pool->lock);
			pool->idle--;
		} else if (group_ended(pool)) {
			give_up_next(pool);
		} else {
			run_next(pool, worker);
		}
	}
	leave(pool, worker);
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

// With the lock. A thread that left returns without it, so the join is short.
static int take_place(struct leat_pool *pool, unsigned index)
{
	struct leat_worker *worker = pool->places[index];
	int error;

	if (!worker) {
		worker = calloc(1, sizeof *worker);
		if (!worker)
			return -ENOMEM;
		worker->pool = pool;
		worker->place = index;
		pool->places[index] = worker;
	}
	if (worker->started)
		pthread_join(worker->thread, NULL);
	error = leat_thread_start(&worker->thread, worker_main, worker);
	worker->started = worker->present = !error;
	if (!error)
		pool->workers++;
	return error;
}

// With the lock. A failure is none as long as some worker will come to the job.
static int start_worker(struct leat_pool *pool)
{
	if (pool->workers && leat_spare_hold(&pool->spare))
		return 0;
	for (unsigned index = 0; index < pool->size; index++) {
		struct leat_worker *worker = pool->places[index];

		if (!worker || !worker->present) {
			int error = take_place(pool, index);

			return pool->workers ? 0 : error;
		}
	}
	return 0;
}

// With the lock. 0 where the intake is open and both contexts live.
static int refusal(const struct leat_pool *pool, const struct leat_context *patience)
{
	if (pool->closed)
		return -ESHUTDOWN;
	if (group_ended(pool) || (patience && leat_context_cause(patience)))
		return -ECANCELED;
	return 0;
}

static int64_t monotonic_deadline(const struct leat_context *context)
{
	int64_t deadline = leat_context_deadline(context);

	if (deadline == LEAT_NEVER)
		return LEAT_NEVER;
	return leat_time_add(leat_monotonic_ns(), deadline - leat_context_now(context));
}

// How long a submitter may sleep, on CLOCK_MONOTONIC.
static int64_t wait_limit(
	const struct leat_pool *pool, const struct leat_context *patience)
{
	int64_t limit = monotonic_deadline(pool->group);
	int64_t other = patience ? monotonic_deadline(patience) : LEAT_NEVER;

	return other < limit ? other : limit;
}

// With the lock and room in the queue.
static int enqueue(struct leat_pool *pool, const struct leat_job *job)
{
	if (pool->idle <= pool->queued && pool->workers < pool->size) {
		int error = start_worker(pool);

		if (error)
			return error;
	}
	pool->queue[(pool->head + pool->queued) % pool->queue_length] = *job;
	pool->queued++;
	pool->queued_weight += weight_of(pool, job);
	if (pool->idle)
		pthread_cond_signal(&pool->work);
	return 0;
}

int leat_pool_submit(
	struct leat_pool *pool, const struct leat_job *job, struct leat_context *patience)
{
	struct leat_watch watch = {.call = wake_all, .argument = pool};
	int error;

	if (patience)
		leat_context_watch(patience, &watch);
	pthread_mutex_lock(&pool->lock);
	while (!(error = refusal(pool, patience)) && !has_room(pool, job))
		leat_cond_wait(&pool->room, &pool->lock, wait_limit(pool, patience));
	if (!error)
		error = enqueue(pool, job);
	pthread_mutex_unlock(&pool->lock);
	if (patience)
		leat_context_unwatch(patience, &watch);
	return error;
}

int leat_pool_try_submit(struct leat_pool *pool, const struct leat_job *job)
{
	int error;

	pthread_mutex_lock(&pool->lock);
	error = refusal(pool, NULL);
	if (!error && !has_room(pool, job))
		error = -EWOULDBLOCK;
	if (!error)
		error = enqueue(pool, job);
	pthread_mutex_unlock(&pool->lock);
	return error;
}

// With the lock, which it lets go meanwhile.
static void wait_until_quiet(struct leat_pool *pool)
{
	while (pool->queued || pool->busy) {
		if (pool->queued && group_ended(pool))
			give_up_next(pool);
		else
			leat_cond_wait(&pool->quiet, &pool->lock,
				pool->queued ? wait_limit(pool, NULL) : LEAT_NEVER);
	}
}

uint64_t leat_pool_wait(struct leat_pool *pool)
{
	uint64_t unrun;

	pthread_mutex_lock(&pool->lock);
	pool->closed = true;
	pool->waiters++;
	pthread_cond_broadcast(&pool->room);
	wait_until_quiet(pool);
	pool->waiters--;
	unrun = pool->unrun;
	pthread_mutex_unlock(&pool->lock);
	return unrun;
}

uint64_t leat_pool_give_up(struct leat_pool *pool)
{
	uint64_t unrun;

	pthread_mutex_lock(&pool->lock);
	while (group_ended(pool) && (pool->queued || pool->giving_up)) {
		if (pool->queued)
			give_up_next(pool);
		else
			leat_cond_wait(&pool->quiet, &pool->lock, LEAT_NEVER);
	}
	unrun = pool->unrun;
	pthread_mutex_unlock(&pool->lock);
	return unrun;
}

int leat_pool_reset(struct leat_pool *pool, struct leat_context *group)
{
	bool busy;

	pthread_mutex_lock(&pool->lock);
	busy = pool->queued || pool->busy || pool->waiters;
	pthread_mutex_unlock(&pool->lock);
	if (busy)
		return -EBUSY;
	leat_context_unwatch(pool->group, &pool->watch);
	watch_group(pool, group);
	pthread_mutex_lock(&pool->lock);
	pool->closed = false;
	pool->unrun = 0;
	pthread_mutex_unlock(&pool->lock);
	return 0;
}

int leat_pool_resize(struct leat_pool *pool, unsigned size)
{
	int error;

	if (!size)
		return -EINVAL;
	pthread_mutex_lock(&pool->lock);
	error = grow_places(pool, size);
	if (!error)
		pool->size = size;
	// Jobs that wait in the queue are due the workers that there are now to be.
	for (size_t waiting = pool->queued; !error && waiting > pool->idle; waiting--)
		if (start_worker(pool) || pool->workers >= pool->size)
			break;
	pthread_cond_broadcast(&pool->work);
	pthread_mutex_unlock(&pool->lock);
	return error;
}

void leat_pool_make_room(struct leat_pool *pool)
{
	pthread_mutex_lock(&pool->lock);
	leat_spare_let_go(&pool->spare);
	pthread_mutex_unlock(&pool->lock);
}

struct leat_pool_state leat_pool_state(struct leat_pool *pool)
{
	struct leat_pool_state state;

	pthread_mutex_lock(&pool->lock);
	state = (struct leat_pool_state){
		.size = pool->size,
		.workers = pool->workers,
		.running = pool->busy - pool->giving_up,
		.queued = pool->queued,
		.unrun = pool->unrun,
	};
	pthread_mutex_unlock(&pool->lock);
	return state;
}

static void join_workers(struct leat_pool *pool)
{
	pthread_mutex_lock(&pool->lock);
	pool->leaving = true;
	pthread_cond_broadcast(&pool->work);
	pthread_mutex_unlock(&pool->lock);
	for (unsigned index = 0; index < pool->place_count; index++) {
		struct leat_worker *worker = pool->places[index];

		if (worker && worker->started)
			pthread_join(worker->thread, NULL);
		free(worker);
	}
}

void leat_pool_destroy(struct leat_pool *pool)
{
	if (!pool)
		return;
	leat_pool_wait(pool);
	leat_context_unwatch(pool->group, &pool->watch);
	join_workers(pool);
	leat_spare_finish(&pool->spare);
	pthread_cond_destroy(&pool->quiet);
	pthread_cond_destroy(&pool->room);
	pthread_cond_destroy(&pool->work);
	pthread_mutex_destroy(&pool->lock);
	free(pool->places);
	free(pool->numbers);
	free(pool->queue);
	free(pool);
}

unsigned leat_worker_number(const struct leat_worker *worker)
{
	return worker->number;
}

struct leat_context *leat_worker_context(const struct leat_worker *worker)
{
	return worker->context;
}

struct leat_recover *leat_worker_recover(struct leat_worker *worker)
{
	return &worker->recover;
}
