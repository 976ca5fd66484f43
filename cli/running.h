/* Which tasks run, for those who ask while they do. */
#ifndef LEAT_CLI_RUNNING_H
#define LEAT_CLI_RUNNING_H

#include "recipe.h"

struct running;

/** For up to `slots` tasks of this recipe. Errors: -ENOMEM. */
int running_create(struct running **result, unsigned slots, const struct recipe *recipe);
void running_destroy(struct running *running);

/** Slot `number` begins with `task` at the time `now_ns`, and is done with it. */
void running_enter(struct running *running, unsigned number, const struct task *task,
	int64_t now_ns);
void running_leave(struct running *running, unsigned number);

/**
 * Append the command of the task that has run for longest; *since_ns is its beginning.
 * Returns how many run; with 0 there is none.
 */
unsigned running_longest(
	struct running *running, struct text *command, int64_t *since_ns);

#endif
