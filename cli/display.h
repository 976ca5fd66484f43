/* What is seen of a run while it lasts: the progress line. */
#ifndef LEAT_CLI_DISPLAY_H
#define LEAT_CLI_DISPLAY_H

#include "output.h"
#include "progress.h"
#include "running.h"

struct display;

struct display_settings {
	struct output *output;
	unsigned slots; //< how many there may be
	const struct recipe *recipe;
	bool log; //< plain lines, as standard error is no terminal
	bool color;
	bool at_once; //< else once the run has lasted a while
	// Fills in what is known of the tasks; called by the display's thread.
	void (*count)(void *argument, struct progress_state *state);
	void *argument;
	struct leat_context *clock; //< any context of the run
};

/** Errors: -ENOMEM, -EAGAIN. */
int display_start(struct display **result, const struct display_settings *settings);

/** The line goes away. NULL: does nothing. */
void display_stop(struct display *display);

/** Slot `number` begins with `task`, and is done with it. NULL: does nothing. */
void display_task_begins(
	struct display *display, unsigned number, const struct task *task);
void display_task_ends(struct display *display, unsigned number);

#endif
