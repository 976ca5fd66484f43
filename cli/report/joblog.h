/* --joblog: a line for each task that has ended, in GNU parallel's columns. */
#ifndef LEAT_CLI_REPORT_JOBLOG_H
#define LEAT_CLI_REPORT_JOBLOG_H

#include "plan.h"
#include "recipe.h"
#include "task.h"

struct joblog;

/**
 * Open the plan's; where it resumes by it, read what is done first. Errors: of open(2),
 * read(2), write(2); -ENOMEM.
 */
int joblog_open(struct joblog **result, const struct plan *plan);
void joblog_close(struct joblog *joblog);

/**
 * The commands in a log, (*by_number)[0] being that of number 1; "" where none has that
 * number, and of several the last. The caller frees *by_number, and *text, where they
 * are. Errors: of open(2) and read(2); -EBADMSG: this is no log; -ERANGE: it
 * has a number that is far beyond what it holds; -ENOMEM; then there is
 * nothing to be freed.
 */
int joblog_read_commands(
	const char *name, char **text, const char ***by_number, size_t *count);

/* With a `joblog` that is NULL the following do nothing. */

/** Whether a task of this number is done according to the log that was there. */
bool joblog_skips(const struct joblog *joblog, uint64_t sequence);

/**
 * The task has ended. One that leat
 * canceled is left out, as it is to be run again. Any thread. Returns 0 or a negative
 * errno.
 */
int joblog_add(struct joblog *joblog, const struct recipe *recipe,
	const struct task *task, const struct leat_outcome *outcome);

#endif
