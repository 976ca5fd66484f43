/* --results: what each task wrote and how it went, in files below a directory. */
#ifndef LEAT_CLI_RESULTS_H
#define LEAT_CLI_RESULTS_H

#include "account.h"
#include "task.h"

struct results {
	int directory_fd; //< -1: not asked for
	bool by_values;   //< as GNU parallel: 1/VALUE/2/VALUE/, and "seq" in place of
			  // leat's
	const char *const *names; //< of the values, in place of 1 and 2
	size_t name_count;
};

/**
 * Open the directory `name`, made where it is missing; NULL: nothing is asked for.
 * Errors: of mkdir(2), open(2).
 */
int results_open(struct results *results, const char *name, bool by_values);
void results_close(struct results *results);

/** What an earlier run left in this task's place goes away; one that has not run has
 * nothing there. */
void results_forget(const struct results *results, const struct task *task);

/**
 * Make the directory of `task` with the file "command", and open "stdout" and "stderr"
 * there, which are the caller's. What is there is replaced; but what an earlier attempt
 * of this run wrote moves to "attempt-1", and so on. Errors: of mkdir(2), open(2),
 * write(2); -ENOMEM.
 */
int results_begin(const struct results *results, const struct task *task,
	const struct text *command, int fds[2]);

/** Write the file "outcome": one fact a line. Errors: of open(2), write(2); -ENOMEM. */
int results_end(const struct results *results, const struct task *task,
	const struct leat_outcome *outcome, int64_t timeout_ns);

#endif
