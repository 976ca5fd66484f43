/* The failed tasks once more, at the end of a run: so that nobody has to search. */
#ifndef LEAT_CLI_REPORT_RECAP_H
#define LEAT_CLI_REPORT_RECAP_H

#include "account.h"
#include "message.h"

#include <stddef.h>
#include <stdint.h>

/** So many tasks are remembered: the first that fail. */
#define RECAP_TASKS 100

/** So much of the end of a task's standard error is. */
#define RECAP_ERR_BYTES 4096

/** A failed task. */
struct recap_task {
	uint64_t sequence;
	struct text command; //< as it is shown
	struct text reason;  //< "exit 2", "signal 11"
	int64_t elapsed_ns;  //< of its last attempt
	bool timed_out;      //< and the reason says after what time
	struct text err;     //< the end of its standard error, as plain text
};

struct recap;

/** NULL: there is no memory. */
struct recap *recap_create(void);
void recap_destroy(struct recap *recap);

/** Remember a failed task; takes over its texts. May be called by any thread. */
void recap_add(struct recap *recap, struct recap_task *task);

/** The remembered ones, in the order in which they failed; when none is added any more.
 */
const struct recap_task *recap_tasks(const struct recap *recap, size_t *count);

/** How much room there is. */
struct recap_page {
	size_t rows, columns;
	size_t rows_each; //< of a task's standard error, at most
	bool color;
};

/** Append the recap, of all `failed` tasks, in no more rows than there are. */
void recap_append(const struct recap *recap, uint64_t failed,
	const struct recap_page *page, struct text *text);

#endif
