/* How a task's values become a command. */
#ifndef LEAT_CLI_RECIPE_H
#define LEAT_CLI_RECIPE_H

#include "plan.h"
#include "shell.h"
#include "task.h"
#include "tasks.h"

struct recipe;

/**
 * Parse all templates of the plan, which must stay, and of which the values have these
 * names. Errors: -ENOMEM.
 */
int recipe_create(struct recipe **result, const struct plan *plan,
	const char *const *names, size_t name_count);
void recipe_destroy(struct recipe *recipe);

/** What a command takes, but for the environment. */
void recipe_measure(const struct recipe *recipe, struct command_size *size);

/**
 * Make the command of `task`, to be run in slot number `slot`; it may point into the
 * task. Returns as command_prepare().
 */
int recipe_prepare(const struct recipe *recipe, const struct shell *shell,
	const struct task *task, unsigned slot, struct command *command);

/** Append the command as one would type it, with no more than `most` of its values. */
void recipe_append_command(const struct recipe *recipe, const struct task *task,
	unsigned slot, size_t most, struct text *text);

/** Append the values, as the records that they came from. */
void recipe_append_input(
	const struct recipe *recipe, const struct task *task, struct text *text);

/** Append each of these where the plan has it. False: it has not. */
bool recipe_append_tag(const struct recipe *recipe, const struct task *task,
	unsigned slot, struct text *text);
bool recipe_append_directory(const struct recipe *recipe, const struct task *task,
	unsigned slot, struct text *text);
bool recipe_append_lane(
	const struct recipe *recipe, const struct task *task, struct text *text);

/** Append all variables, NAME=VALUE, each with a NUL behind. */
void recipe_append_variables(const struct recipe *recipe, const struct task *task,
	unsigned slot, struct text *text);

#endif
