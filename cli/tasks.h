/* From rows to tasks: one record each, or several. */
#ifndef LEAT_CLI_TASKS_H
#define LEAT_CLI_TASKS_H

#include "rows.h"
#include "task.h"

struct tasks;

/** What a command takes of the room there is for it. */
struct command_size {
	size_t words, bytes;      //< without values, and without the environment
	size_t value_words;       //< how many more with each value,
	size_t value_fixed_bytes; //< and how many more bytes beside the value's own
	size_t value_uses;        //< how often those stand there
	size_t environment;       //< bytes
	template_quote_fn quote;  //< how values are written; NULL: as they are
};

/**
 * `rows` and `plan` must stay. `slots`: over how many the last ones are spread. Errors:
 * -ENOMEM.
 */
int tasks_create(struct tasks **result, struct rows *rows, const struct plan *plan,
	const struct command_size *size, unsigned slots);
void tasks_destroy(struct tasks *tasks);

/**
 * Get the next task, without a number; the caller frees it. Returns 1; 0 at the end;
 * -E2BIG after a message where what does not fit ends the run; or as rows_next().
 */
int tasks_next(struct tasks *tasks, struct patience patience, struct task **task);

/** What was read and is no task yet becomes one. Returns 1, 0: there was nothing; or
 * -ENOMEM. */
int tasks_flush(struct tasks *tasks, struct task **task);

#endif
