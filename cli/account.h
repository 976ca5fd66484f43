/* What became of every task, and how leat says so. */
#ifndef LEAT_CLI_ACCOUNT_H
#define LEAT_CLI_ACCOUNT_H

#include "leat.h"
#include "message.h"

#include <stdatomic.h>

/** The one outcome that every task ends in. */
enum task_end {
	TASK_OK,
	TASK_FAILED,
	TASK_CRASHED,
	TASK_TIMED_OUT,
	TASK_CANCELED,
	TASK_UNRUN,
	TASK_SKIPPED,
	TASK_ENDS, //< how many there are
};

/** Counted by workers and the main thread alike. */
struct account {
	atomic_ullong counts[TASK_ENDS];
	atomic_bool deadline_hit;   //< the run's deadline ended or kept back some task
	atomic_bool leat_trouble;   //< leat itself failed: exit status 125
	atomic_int decisive_status; //< 1 more than that of the task that halted the run
	atomic_uint front;          //< what the rules of a front end remember
	atomic_bool input_cut;      //< there may be more unrun ones than were counted
};

/** Why a task could not even be tried, in place of an outcome. */
struct task_trouble {
	int error;         //< negative errno of leat's own, 0: none
	const char *words; //< NULL: those of the errno
	const char *next;  //< what comes now; NULL: nothing
};

/** "ok", "failed", "timed out": as the summary has it. */
const char *account_end_name(enum task_end end);

/** Which one has this name; TASK_ENDS: none. */
enum task_end account_find_end(const char *name);

enum task_end account_classify(const struct leat_outcome *outcome);

/** Whether the task was run and did not go well: failed, crashed, timed out. */
bool account_is_trouble(enum task_end end);

/** How many of them there are. */
unsigned long long account_failed(const struct account *account);

/** What a shell would have as the exit status; `error`: leat's own, instead. */
int account_status(const struct leat_outcome *outcome, int error);

void account_count(struct account *account, enum task_end end);

unsigned long long account_total(const struct account *account);

/** Append "exit 2", "signal 9", "not found", "timed out after 30s" and the like. */
void account_append_reason(
	struct text *line, const struct leat_outcome *outcome, int64_t timeout_ns);

/** The same, or why it could not even be tried. */
void account_append_cause(struct text *line, const struct leat_outcome *outcome,
	const struct task_trouble *trouble, int64_t timeout_ns);

/**
 * Append the line for a task that is not ok: "leat: task 17: exit 2: make -C b".
 * `timeout_ns` is the task's, for "timed out after".
 */
void account_append_task(struct text *line, uint64_t sequence,
	const struct leat_outcome *outcome, const struct task_trouble *trouble,
	int64_t timeout_ns, const char *command, size_t length);

/**
 * Append the last line: "leat: 5 tasks in 1.2s: 4 ok, 1 failed, 0 unrun"; with `color`
 * what went wrong is red.
 */
void account_append_summary(
	struct text *line, const struct account *account, int64_t elapsed_ns, bool color);

/** 0, 123, 124 or 125. */
int account_exit_status(const struct account *account);

#endif
