/* One of the places in which tasks run: all that a run needs, used again and again. */
#ifndef LEAT_CLI_SLOT_H
#define LEAT_CLI_SLOT_H

#include "options.h"
#include "output.h"
#include "shell.h"
#include "task.h"

/** What all slots share; does not change while tasks run. */
struct surroundings {
	struct leat_family *family;
	struct shell shell;
	struct leat_control control;
	struct leat_context *intake; //< at its end nothing is begun
	const char **environment;    //< leat's own, for the children; NULL-terminated
	size_t environment_count;
	struct output *output;
	bool lines; //< records are lines: a CR at the end is not part of the command
};

/**
 * Gather the environment: without LEAT_ variables, and for a shell that would leave
 * them out without names that are none. Errors: -ENOMEM.
 */
int surroundings_init_environment(struct surroundings *surroundings);
void surroundings_finish(struct surroundings *surroundings);

struct slot;

/** Errors: -ENOMEM. */
int slot_create(
	struct slot **result, const struct surroundings *surroundings, unsigned number);
void slot_destroy(struct slot *slot);

/**
 * Run `task` and wait for its end. Where there is no room to start it, waits until
 * there is. Returns 0 with *outcome; a negative errno where it can't be tried at all
 * (-EINVAL: a NUL byte in the command); or -ECANCELED: the intake ended before it
 * began. To be called between task_output_begin() and task_output_end().
 */
int slot_run(struct slot *slot, const struct task *task, struct leat_outcome *outcome);

/** Where the slot's tasks write to. */
struct task_output *slot_output(const struct slot *slot);

#endif
