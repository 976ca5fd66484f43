/* The journal: what was run and how it went, kept for good. leat-journal(5). */
#ifndef LEAT_CLI_JOURNAL_H
#define LEAT_CLI_JOURNAL_H

#include "plan.h"
#include "recipe.h"
#include "task.h"

struct journal;

/** What is told of the journal, by any thread. */
struct journal_events {
	void *argument;
	void (*broken)(void *argument,
		const char *words); //< it can't be written, or read, any more
	void (*waits)(
		bool begins); //< journal_open() does, for long maybe, or does so no more
};

/**
 * Open the plan's journal, make it where there is none, and begin a run in it. Blocks
 * while the tasks of a run that was killed are being ended. Returns an exit status, other
 * than EXIT_ALL_OK after a message.
 */
int journal_open(struct journal **result, const struct plan *plan,
	const struct journal_events *events);

/** The same, to look up tasks alone: nothing is written, and there may be no journal
 * (*result NULL). */
int journal_open_for_looking(struct journal **result, const struct plan *plan,
	const struct journal_events *events);

struct store;

/**
 * Open the plan's journal to read what it tells; what a killed leat did not come to write
 * is written first, where that may be. As journal_open(), but a missing one is an error.
 */
int journal_open_to_read(struct store **result, const struct plan *plan);

/**
 * The run has ended with `status`. What could not be written is kept in FILE-tail.
 * Returns 0, or -EIO after a message. NULL: does nothing.
 */
int journal_close(struct journal *journal, const struct account *account,
	int64_t elapsed_ns, int status);

/** A descriptor that the guardian is to hold; -1: none. */
int journal_guard_fd(const struct journal *journal);

/* With a `journal` that is NULL the following do nothing, and return 0 or false. */

/**
 * Give a task that was read its row. Returns whether it is done already, and not to be
 * run. By the thread that reads.
 */
bool journal_enter(
	struct journal *journal, const struct recipe *recipe, struct task *task);

/** How many of those that were done had failed. */
uint64_t journal_failed_before(const struct journal *journal);

/**
 * An attempt of `task` is about to start: from now on it is known, whatever happens to
 * this process. Returns 0; -ECANCELED: the journal can't be written; -ENOMEM.
 */
int journal_begin(struct journal *journal, const struct recipe *recipe, struct task *task,
	unsigned slot);

/**
 * It has ended; or (`error`) could not be started. Returns a receipt of that, for
 * journal_deliver(), by any thread, when what the task wrote has come out: only then is
 * it done. Until then it is in flight. NULL: nothing is to be handed on.
 */
void *journal_end(struct journal *journal, struct task *task,
	const struct leat_outcome *outcome, int error);

/** `whole`: all that it wrote has come out. As safe then as after journal_begin(). */
void journal_deliver(struct journal *journal, void *receipt, bool whole);

/** With SYNC_FULL: blocks until what was delivered is on the disk. */
void journal_settle(struct journal *journal);

/** The task ends as it is, without an attempt, or without a further one. */
void journal_conclude(
	struct journal *journal, const struct recipe *recipe, struct task *task);

#endif
