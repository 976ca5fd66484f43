/* The thread that writes the journal. */
#ifndef LEAT_CLI_JOURNAL_WRITER_H
#define LEAT_CLI_JOURNAL_WRITER_H

#include "journal/store.h"
#include "journal/tail.h"

struct writer;

struct writer_settings {
	const char *name;    //< of the journal
	struct store *store; //< the writer's until it is stopped
	struct tail *tail;   //< the same; tail_begin() was called
	void *argument;
	// It can't be written any more: told once, by any thread.
	void (*broken)(void *argument, const char *words);
};

/** Errors: -ENOMEM, -EAGAIN; of stat(2) on the journal. */
int writer_start(struct writer **result, const struct writer_settings *settings);

/**
 * Have an entry written; from now on it is safe from this process's death. `needed`: of a
 * task that is not to start without. Blocks where so much waits for the disk that there
 * is no room for more. Returns 0; or, where the journal can't be written, a negative
 * errno.
 */
int writer_add(struct writer *writer, const struct told *told, bool needed);

/** Block until all that was added so far is on the disk, or can't be written. */
void writer_settle(struct writer *writer);

/** The journal is found to be of no use any more: as if it could not be written. */
void writer_break(struct writer *writer, const char *words);

/** How it was at the end. */
struct writer_end {
	uint64_t lost;  //< entries that are neither in the journal nor in the tail
	bool is_whole;  //< all that was added is in the journal
	bool is_harmed; //< somebody removed the journal, or cut it short
};

/** Write what is left, trying again if need be, and end the thread. */
void writer_stop(struct writer *writer, struct writer_end *end);

#endif
