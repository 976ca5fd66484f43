/* --results: what each task wrote and how it went, in files below a directory. */
#ifndef LEAT_CLI_RESULTS_H
#define LEAT_CLI_RESULTS_H

#include "account.h"

struct results {
	int directory_fd; //< -1: not asked for
};

/**
 * Open the directory `name`, made where it is missing; NULL: nothing is asked for.
 * Errors: of mkdir(2), open(2).
 */
int results_open(struct results *results, const char *name);
void results_close(struct results *results);

/** What an earlier run left of this task's number goes away; one that has not run has
 * none. */
void results_forget(const struct results *results, uint64_t sequence);

/**
 * Make the directory of task number `sequence` with the file "command", and open
 * "stdout" and "stderr" there, which are the caller's. What is there is replaced.
 * Errors: of mkdir(2), open(2), write(2).
 */
int results_begin(const struct results *results, uint64_t sequence, const char *command,
	size_t length, int fds[2]);

/** Write the file "outcome": one fact a line. Errors: of open(2), write(2). */
int results_end(const struct results *results, uint64_t sequence, enum task_end end,
	const struct leat_outcome *outcome, int64_t timeout_ns);

#endif
