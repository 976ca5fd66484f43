/* --events: what happens, as it happens, a JSON object a line. leat-events(5). */
#ifndef LEAT_CLI_REPORT_EVENTS_H
#define LEAT_CLI_REPORT_EVENTS_H

#include "cancellation.h"
#include "plan.h"
#include "recipe.h"
#include "task.h"

struct events;

/**
 * Open the plan's file, or descriptor: before anything else is opened, so that a number
 * is no descriptor of leat's own. Errors: of open(2), fcntl(2); -ENOMEM.
 */
int events_open(struct events **result, const struct plan *plan);
void events_close(struct events *events);

/**
 * From now on; what is in the file goes. Writes that block are given up when `give_up_fd`
 * is readable; where it can't be written, `broken` is called, once, by any thread.
 */
void events_start(struct events *events, int give_up_fd,
	void (*broken)(void *argument, int error), void *argument);

/* What follows may be called by any thread, blocks as long as the reader does (but for
 * events_canceled(), which never blocks), and with `events` that are NULL does nothing.
 */

void events_run_started(struct events *events, const struct plan *plan, unsigned slots);
void events_attempt_started(struct events *events, const struct recipe *recipe,
	const struct task *task, unsigned slot);

/** `error`: a negative errno where it could not be started, for want of room. */
void events_attempt_ended(struct events *events, const struct task *task,
	const struct leat_outcome *outcome, int error);

/** The task is over, and what it wrote has been seen to; task->end says how. */
void events_task_ended(
	struct events *events, const struct recipe *recipe, const struct task *task);
void events_canceled(struct events *events, enum level level, const char *cause);
void events_summary(struct events *events, const struct account *account,
	int64_t elapsed_ns, int status);

#endif
