/* One of the places in which tasks run: all that a run needs, used again and again. */
#ifndef LEAT_CLI_SLOT_H
#define LEAT_CLI_SLOT_H

#include "foreground.h"
#include "recipe.h"
#include "jobserver.h"
#include "output.h"
#include "results.h"
#include "room.h"
#include "shell.h"

#include <stdatomic.h>

/** What all slots share; does not change while tasks run, but for what is atomic. */
struct surroundings {
	const struct plan *plan;
	struct room *room;           //< NULL: no start waits
	struct jobserver *jobserver; //< NULL: there is none
	struct leat_pool *pool;      //< whose jobs the slots are
	atomic_bool no_reserve;      //< its reserve of a thread has been given up
	struct leat_family *family;
	struct shell shell;
	struct leat_control control; //< of each task, which is its argument
	struct leat_context *intake; //< at its end nothing is begun
	const char **environment;    //< leat's own, for the children; NULL-terminated
	size_t environment_count;
	struct output *output;
	struct results results;
	const struct recipe *recipe;
	bool tag_color;                 //< a task's tag in a colour of its own
	bool verbose;                   //< each command is shown as it starts
	const struct winsize *terminal; //< of each task's terminals; NULL: none, pipes
	struct foreground foreground;   //< what tasks have; with plan->tty
};

/**
 * Gather the environment: without LEAT_ variables, with the jobserver's, and for a shell
 * that would leave them out without names that are none. Errors: -ENOMEM.
 */
int surroundings_init_environment(struct surroundings *surroundings);
void surroundings_finish(struct surroundings *surroundings);

/** How much of execve(2)'s room it takes, in bytes. */
size_t surroundings_environment_bytes(const struct surroundings *surroundings);

/**
 * Something failed with `error` before a task was run: where that may pass, and others
 * run that could make room, wait for them, at most a twentieth of a second. Returns 0 to
 * try again; -ECANCELED once the intake has ended; else `error`.
 */
int surroundings_await_room(const struct surroundings *surroundings, int error);

struct slot;

/** Errors: -ENOMEM, or of eventfd(2). */
int slot_create(struct slot **result, struct surroundings *surroundings, unsigned number);
void slot_destroy(struct slot *slot);

unsigned slot_number(const struct slot *slot);

/**
 * Begin with the output of `task`; slot_end() is due in any case. Returns 0, or why the
 * results can't be kept.
 */
int slot_begin(struct slot *slot, struct task *task);

/**
 * Make its command, and wait until it may begin; from then on it has a token of the
 * jobserver, until it has run, or slot_end(). Returns 0; a negative errno where it
 * can't be tried at all (-EINVAL: a NUL byte in the command; -ENOTDIR: no such
 * directory); or -ECANCELED: the intake ended before that.
 */
int slot_prepare(struct slot *slot, const struct task *task);

/**
 * Run `task`, which was prepared, and wait for its end. Where there is no room to start
 * it, waits until there is. Returns 0 with *outcome; a negative errno where it can't be
 * tried at all
 * (-EINVAL: a NUL byte in the command; -ENOTDIR: no such directory); or -ECANCELED: the
 * intake ended before it began.
 */
int slot_run(struct slot *slot, struct task *task, struct leat_outcome *outcome);

/** It was to keep its shell warm, and that shell can't be kept. */
bool slot_cannot_warm(const struct slot *slot);

/** After slot_run(): task_output_has_more(), and of task_output_tail() the last `most`
 * bytes, which stay where they are. */
bool slot_has_output(const struct slot *slot, bool err);
struct text slot_tail(const struct slot *slot, bool err, size_t most);

/**
 * Write what the task wrote, in its `frame`. `outcome`: NULL where it
 * did not run. Blocks as task_output_end() does, which hands on the `receipt`, unless
 * there is to be another attempt. Returns 0, or why the outcome could not be written to
 * the results.
 */
int slot_end(struct slot *slot, struct task *task, const struct leat_outcome *outcome,
	const struct frame *frame, void *receipt);

#endif
