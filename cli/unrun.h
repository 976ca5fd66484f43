/* The records that were not run. */
#ifndef LEAT_CLI_UNRUN_H
#define LEAT_CLI_UNRUN_H

#include "plan.h"
#include "task.h"
#include "whole_file.h"

#include <pthread.h>
#include <stdint.h>

struct unrun {
	pthread_mutex_t lock;
	struct task *tasks;     //< given up and not yet written, by sequence
	struct whole_file file; //< no stream: --unrun was not asked for
	const struct plan *plan;
	bool begun;        //< there is a record in the file
	uint64_t left_out; //< tasks whose records can't be written so that they come back
};

/** As the plan has it, which must stay. Returns 0 or a negative errno. */
int unrun_open(struct unrun *unrun, const struct plan *plan);

/** Take over a task that was given up; never blocks for long. Any thread. */
void unrun_add(struct unrun *unrun, struct task *task);

/** Write what was added so far, in the order of the input. */
void unrun_flush(struct unrun *unrun);

/** Write the records of one task now. Only by the thread that flushes. */
void unrun_write(struct unrun *unrun, const struct task *task);

/** Write the line that names the values. Before all else. */
void unrun_write_header(struct unrun *unrun, const char *const *names, size_t count);

/** Before anything is added: the file stays as it was. */
void unrun_drop(struct unrun *unrun);

/** Flush, and finish the file, as whole_file_close(). Returns 0 or the negative errno of
 * a write. */
int unrun_close(struct unrun *unrun, int give_up_fd);

#endif
