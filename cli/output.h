/* What goes out: tasks' output, each whole, and leat's own lines between. */
#ifndef LEAT_CLI_OUTPUT_H
#define LEAT_CLI_OUTPUT_H

#include "leat.h"
#include "message.h"

struct output;

/**
 * Called once a stream can't be written any more, by the thread that found out and
 * has the floor: it may call output_notice(), and nothing else of this.
 */
typedef void (*output_broken_fn)(void *argument, const char *stream, int error);

/**
 * Make the output on descriptors 1 and 2. Writes that block are given up when
 * `give_up` ends. Errors: -ENOMEM, -EMFILE, -ENFILE.
 */
int output_create(struct output **result, struct leat_context *give_up,
	output_broken_fn broken, void *argument);
void output_destroy(struct output *output);

/**
 * Write what a task wrote, standard output and then standard error, and after it
 * `line` (may be empty) to standard error, with nothing in between. Blocks while
 * another task is being written, and as long as the readers do. NULL captures are
 * empty ones.
 */
void output_task(struct output *output, struct leat_capture *out,
	struct leat_capture *err, const struct text *line);

/**
 * Write a line of leat's own to standard error: at once, or, where that would be in
 * the middle of a task's, as soon as that is over. Does not wait for that.
 */
void output_notice(struct output *output, const struct text *line);

/** Whether standard output or standard error could not be written. */
bool output_is_broken(struct output *output);

#endif
