/* The records that were not run. */
#ifndef LEAT_CLI_UNRUN_H
#define LEAT_CLI_UNRUN_H

#include "task.h"
#include "whole_file.h"

#include <pthread.h>

struct unrun {
	pthread_mutex_t lock;
	struct task *tasks;     //< given up and not yet written, by sequence
	struct whole_file file; //< no stream: --unrun was not asked for
	char delimiter;
};

/** `name` NULL: keep no records. Returns 0 or a negative errno. */
int unrun_open(struct unrun *unrun, const char *name, char delimiter);

/** Take over a task that was given up; never blocks for long. Any thread. */
void unrun_add(struct unrun *unrun, struct task *task);

/** Write what was added so far, in the order of the input. */
void unrun_flush(struct unrun *unrun);

/** Write one record now. Only by the thread that flushes. */
void unrun_write(struct unrun *unrun, const char *record, size_t length);

/** Flush, and finish the file. Returns 0 or the negative errno of a write. */
int unrun_close(struct unrun *unrun);

#endif
