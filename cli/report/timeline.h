/* --timeline: a page of a run, its attempts as bars over time. */
#ifndef LEAT_CLI_REPORT_TIMELINE_H
#define LEAT_CLI_REPORT_TIMELINE_H

#include "account.h"
#include "recipe.h"
#include "task.h"

struct timeline;

/** Of a longer command only so much is in the page, and of unrun tasks so many. */
#define TIMELINE_COMMAND_BYTES 4096
#define TIMELINE_UNRUN_MOST 1000

/** One start of leat, of which the page tells. */
struct timeline_run {
	const char *command; //< the command line, quoted for the shell
	const char *version;
	int64_t started_us; //< since the epoch
	int64_t elapsed_ns; //< -1: not known yet, or never
	unsigned slots;     //< 0: not known
};

struct timeline_attempt {
	uint64_t task, number;
	unsigned slot;       //< 0: it had none
	const char *outcome; //< of a few, without what JSON would escape
	const char *reason;  //< "exit 2"; NULL: all is well
	int64_t started_us;  //< since the epoch
	int64_t elapsed_ns;  //< -1: its end is not known
	int64_t user_ns, system_ns, peak_kib;
	int64_t bytes;              //< that it wrote; -1: not known
	const struct text *command; //< NULL: that of an earlier attempt of the task
};

struct timeline_end {
	const struct account *account;
	uint64_t in_flight; //< tasks of which the account does not know the end
	int64_t elapsed_ns;
	int status; //< as a shell shows it; -1: not known
};

/**
 * Begin the page that the plan names, which is there once it is whole. Errors: of
 * whole_file_open(); -ENOMEM.
 */
int timeline_open(struct timeline **result, const struct plan *plan);

/**
 * Have the page take its place. Returns 0, or the negative errno of the first write that
 * failed: then there is none. Blocks as whole_file_close() does.
 */
int timeline_close(
	struct timeline *timeline, const struct timeline_end *end, int give_up_fd);

/** There will be none. */
void timeline_drop(struct timeline *timeline);

/* What follows may be called by any thread, never blocks for long, and does nothing with
 * a `timeline` that is NULL. What can't be written is told by timeline_close().
 */

/** Before anything else; times are told from the start of the first run on. */
void timeline_add_run(struct timeline *timeline, const struct timeline_run *run);

/** The first attempt of a task, which has its command, comes before the later ones. */
void timeline_add_attempt(
	struct timeline *timeline, const struct timeline_attempt *attempt);
void timeline_add_unrun(struct timeline *timeline, uint64_t task, const char *cause,
	const struct text *command);

/** The same of a task at hand; `reason` as above, `outcome` zero where it did not start.
 */
void timeline_task_tried(struct timeline *timeline, const struct recipe *recipe,
	const struct task *task, unsigned slot, const struct leat_outcome *outcome,
	const char *reason);
void timeline_task_unrun(struct timeline *timeline, const struct recipe *recipe,
	const struct task *task, const char *cause);

#endif
