/*
 * A task that waits stands in a list, by the time at which it is due, and holds no slot.
 * The thread sleeps until the first is due, and submits it then. The end of the intake
 * wakes it: what still waits is given up, its last attempt's end stands.
 *
 * The pool's intake must not be closed while a task may come again. So tasks under way
 * are counted, and main waits until there are none.
 */
#include "retries.h"

#include "moment.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct retries {
	struct retries_settings settings;
	struct leat_watch watch;
	pthread_mutex_t lock;
	pthread_cond_t changed, none;
	pthread_t thread;
	struct task *first; //< by due_ns
	uint64_t under_way;
	bool ended; //< the intake has, or all is over
};

// Called by whoever ends the intake.
static void end(void *argument)
{
	struct retries *retries = argument;

	pthread_mutex_lock(&retries->lock);
	retries->ended = true;
	pthread_cond_broadcast(&retries->changed);
	pthread_cond_broadcast(&retries->none);
	pthread_mutex_unlock(&retries->lock);
}

// With the lock, which it lets go meanwhile, at most until the time `due_ns` or the run's
// deadline, of which nobody tells.
static void sleep_until(
	struct retries *retries, pthread_cond_t *condition, int64_t due_ns)
{
	struct leat_context *intake = retries->settings.intake;
	int64_t deadline = leat_context_deadline(intake), end_ns;
	struct timespec until;

	if (!__builtin_add_overflow(moment_monotonic_ns(),
		    deadline - leat_context_now(intake), &end_ns) &&
		end_ns < due_ns)
		due_ns = end_ns;
	until = (struct timespec){due_ns / LEAT_SECOND_NS, due_ns % LEAT_SECOND_NS};
	pthread_cond_timedwait(condition, &retries->lock, &until);
	if (leat_context_cause(intake))
		retries->ended = true;
}

// With the lock, which it lets go meanwhile.
static void release_first(struct retries *retries)
{
	struct task *task = retries->first;
	bool ended = retries->ended;

	retries->first = task->next;
	pthread_mutex_unlock(&retries->lock);
	if (ended || retries->settings.submit(retries->settings.argument, task) != 0)
		retries->settings.give_up(retries->settings.argument, task);
	pthread_mutex_lock(&retries->lock);
}

static void *retries_main(void *argument)
{
	struct retries *retries = argument;

	pthread_mutex_lock(&retries->lock);
	while (!retries->ended || retries->first) {
		if (!retries->first)
			pthread_cond_wait(&retries->changed, &retries->lock);
		else if (!retries->ended &&
			 moment_monotonic_ns() < retries->first->due_ns)
			sleep_until(retries, &retries->changed, retries->first->due_ns);
		else
			release_first(retries);
	}
	pthread_mutex_unlock(&retries->lock);
	return NULL;
}

static int init_conditions(struct retries *retries)
{
	int error = moment_init_condition(&retries->changed);

	if (!error) {
		error = moment_init_condition(&retries->none);
		if (error)
			pthread_cond_destroy(&retries->changed);
	}
	return error;
}

int retries_start(struct retries **result, const struct retries_settings *settings)
{
	struct retries *retries = calloc(1, sizeof *retries);
	int error = retries ? init_conditions(retries) : -ENOMEM;

	if (error) {
		free(retries);
		return error;
	}
	retries->settings = *settings;
	pthread_mutex_init(&retries->lock, NULL);
	error = -pthread_create(&retries->thread, NULL, retries_main, retries);
	if (error) {
		free(retries);
		return error;
	}
	retries->watch = (struct leat_watch){.call = end, .argument = retries};
	leat_context_watch(settings->intake, &retries->watch);
	*result = retries;
	return 0;
}

void retries_stop(struct retries *retries)
{
	if (!retries)
		return;
	leat_context_unwatch(retries->settings.intake, &retries->watch);
	end(retries);
	pthread_join(retries->thread, NULL);
	pthread_cond_destroy(&retries->none);
	pthread_cond_destroy(&retries->changed);
	pthread_mutex_destroy(&retries->lock);
	free(retries);
}

static bool is_listed(const struct retry_on *on, int status)
{
	for (size_t index = 0; index < on->count; index++)
		if (status >= on->ranges[index].first && status <= on->ranges[index].last)
			return true;
	return false;
}

bool retries_wanted(const struct plan *plan, const struct task *task,
	const struct leat_outcome *outcome)
{
	const struct retry_on *on = &plan->retry_on;
	bool all = !on->given;

	if (task->attempt > plan->retries)
		return false;
	switch (task->end) {
	case TASK_TIMED_OUT:
		return outcome->ended_by == LEAT_BY_TIMEOUT && (all || on->timeout);
	case TASK_CRASHED:
		return all || on->crash;
	case TASK_FAILED:
		return all || is_listed(on, account_status(outcome, 0));
	default:
		return false;
	}
}

int64_t retries_delay(const struct plan *plan, const struct task *task)
{
	int64_t delay = plan->retry_delay_ns;

	for (uint64_t attempt = 1; attempt < task->attempt; attempt++)
		if (__builtin_mul_overflow(delay, 2, &delay))
			delay = LEAT_NEVER / 2;
	if (delay > plan->retry_max_delay_ns)
		delay = plan->retry_max_delay_ns;
	// So that tasks that failed together do not come again together.
	return delay / 2 +
	       (delay / 2 ? (moment_monotonic_ns() / 64 * 40503) % (delay / 2 + 1) : 0);
}

bool retries_add(struct retries *retries, struct task *task, int64_t delay_ns)
{
	struct task **place = &retries->first;
	bool waits;

	if (__builtin_add_overflow(moment_monotonic_ns(), delay_ns, &task->due_ns))
		task->due_ns = LEAT_NEVER;
	pthread_mutex_lock(&retries->lock);
	waits = !retries->ended;
	while (waits && *place && (*place)->due_ns <= task->due_ns)
		place = &(*place)->next;
	if (waits) {
		task->next = *place;
		*place = task;
		pthread_cond_signal(&retries->changed);
	}
	pthread_mutex_unlock(&retries->lock);
	return waits;
}

void retries_count(struct retries *retries, int change)
{
	if (!retries)
		return;
	pthread_mutex_lock(&retries->lock);
	retries->under_way += (uint64_t)change;
	if (!retries->under_way)
		pthread_cond_broadcast(&retries->none);
	pthread_mutex_unlock(&retries->lock);
}

void retries_drain(struct retries *retries)
{
	if (!retries)
		return;
	pthread_mutex_lock(&retries->lock);
	while (retries->under_way && !retries->ended)
		sleep_until(retries, &retries->none, LEAT_NEVER);
	pthread_mutex_unlock(&retries->lock);
}
