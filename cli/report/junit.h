/* --junit: a test case for each task, in the XML of JUnit's reports. */
#ifndef LEAT_CLI_REPORT_JUNIT_H
#define LEAT_CLI_REPORT_JUNIT_H

#include "plan.h"
#include "recipe.h"
#include "task.h"

struct junit;

/** How an attempt went. */
struct junit_attempt {
	const struct leat_outcome *outcome; //< NULL: it could not be tried
	const struct text *reason;          //< "exit 2"; not looked at if all is well
	struct text out, err;               //< the end of what it wrote; the caller's
};

/**
 * Begin the report that the plan names, which is there once it is whole; what does not
 * stay in memory goes to a file below `directory`, too. Errors: of whole_file_open();
 * -ENOMEM.
 */
int junit_open(struct junit **result, const struct plan *plan, const char *directory);

/**
 * Have the report take its place, and end it. Returns 0, or the negative errno of the
 * first write that failed: then there is none, or the former one. Blocks as
 * whole_file_close() does.
 */
int junit_close(struct junit *junit, int64_t elapsed_ns, int give_up_fd);

/** There will be none. */
void junit_drop(struct junit *junit);

/* What follows may be called by any thread, does not block for long, and with a `junit`
 * that is NULL does nothing. What can't be written is told by junit_close(). */

/** An attempt has ended, or could not begin; the last one of a task is its test case. */
void junit_attempt_ended(struct junit *junit, const struct recipe *recipe,
	struct task *task, const struct junit_attempt *attempt);

/**
 * The task is over: what has no test case yet gets one. `cause`: why nothing is started
 * any more; NULL: there is none.
 */
void junit_task_ended(struct junit *junit, const struct recipe *recipe, struct task *task,
	const char *cause);

#endif
