/* Tasks of one lane run one after the other, in the order of the input. */
#ifndef LEAT_CLI_LANES_H
#define LEAT_CLI_LANES_H

#include "leat.h"
#include "message.h"
#include "task.h"

#include <pthread.h>

struct lanes;

/** Errors: -ENOMEM, -EMFILE, -ENFILE. */
int lanes_create(struct lanes **result);
void lanes_destroy(struct lanes *lanes);

/**
 * Add `task` to the lane called `name`; a lanes_take() is due for it then. Blocks while
 * very many wait for their lanes, until `context` ends. Returns 0; -ECANCELED or -ENOMEM:
 * the task remains the caller's. Only by one thread.
 */
int lanes_add(struct lanes *lanes, struct task *task, const struct text *name,
	struct leat_context *context);

/**
 * Get the first task whose lane is free, which then is not. NULL: there is none now; a
 * later lanes_leave() gives one more in return.
 */
struct task *lanes_take(struct lanes *lanes);

/**
 * The lane is free again. Returns the first task that this thread is to run in place of a
 * lanes_take() that got none; NULL: none is due, or `go_on` is false.
 */
struct task *lanes_leave(struct lanes *lanes, struct lane *lane, bool go_on);

/** Get a task that waits, whatever its lane; it will not be run. NULL: none does. */
struct task *lanes_give_up(struct lanes *lanes);

#endif
