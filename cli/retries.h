/* Tasks that wait for their next attempt. */
#ifndef LEAT_CLI_RETRIES_H
#define LEAT_CLI_RETRIES_H

#include "leat.h"
#include "plan.h"
#include "task.h"

struct retries;

struct retries_settings {
	const struct plan *plan;
	struct leat_context *intake; //< at its end nothing is tried again
	void *argument;
	int (*submit)(void *argument, struct task *task);   //< may block; 0: it will run
	void (*give_up)(void *argument, struct task *task); //< it won't; its end stands
};

/** Starts a thread, which makes all calls of `submit` and `give_up`. Errors: -ENOMEM,
 * -EAGAIN. */
int retries_start(struct retries **result, const struct retries_settings *settings);

/** Give up what still waits, end the thread. NULL: does nothing. */
void retries_stop(struct retries *retries);

/** Whether a task that ended so is to be tried again; also how often it was counts. */
bool retries_wanted(const struct plan *plan, const struct task *task,
	const struct leat_outcome *outcome);

/** How long `task` is to wait; the time doubles with each attempt, and varies by half. */
int64_t retries_delay(const struct plan *plan, const struct task *task);

/** Have `task` wait for `delay_ns`. False: the intake has ended; it remains the caller's.
 */
bool retries_add(struct retries *retries, struct task *task, int64_t delay_ns);

/** One more task is under way, or has ended for good. */
void retries_count(struct retries *retries, int change);

/** Wait until none is under way, or the intake has ended. */
void retries_drain(struct retries *retries);

#endif
