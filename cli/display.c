#include "display.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

// Who waits no longer than this needs no news.
#define DELAY_NS LEAT_SECOND_NS

struct display {
	struct display_settings settings;
	struct running *running;
	struct progress *progress;
};

static int64_t now(const struct display *display)
{
	return leat_context_now(display->settings.clock);
}

static void snapshot(void *argument, struct progress_state *state, struct text *longest)
{
	struct display *display = argument;
	int64_t since_ns = 0;

	state->running = running_longest(display->running, longest, &since_ns);
	state->longest_ns = state->running ? now(display) - since_ns : 0;
	display->settings.count(display->settings.argument, state);
}

static void show(void *argument, const struct text *line)
{
	struct display *display = argument;

	if (display->settings.log)
		output_notice(display->settings.output, line);
	else
		output_status(display->settings.output, line);
}

int display_start(struct display **result, const struct display_settings *settings)
{
	struct display *display = calloc(1, sizeof *display);
	struct progress_callbacks callbacks = {display, snapshot, show};
	int error;

	if (!display)
		return -ENOMEM;
	display->settings = *settings;
	error = running_create(&display->running, settings->slots, settings->recipe);
	if (!error)
		error = progress_start(&display->progress, &callbacks,
			settings->log ? -1 : STDERR_FILENO, settings->color,
			settings->at_once ? 0 : DELAY_NS);
	if (error) {
		running_destroy(display->running);
		free(display);
		return error;
	}
	*result = display;
	return 0;
}

void display_stop(struct display *display)
{
	if (!display)
		return;
	progress_stop(display->progress);
	output_status(display->settings.output, NULL);
	running_destroy(display->running);
	free(display);
}

void display_task_begins(
	struct display *display, unsigned number, const struct task *task)
{
	if (display)
		running_enter(display->running, number, task, now(display));
}

void display_task_ends(struct display *display, unsigned number)
{
	if (display)
		running_leave(display->running, number);
}
