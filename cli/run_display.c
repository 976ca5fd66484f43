/* How far the run is, for its display. */
#include "run_inside.h"

#include "color.h"

#include <unistd.h>

static void count_progress(void *argument, struct progress_state *state)
{
	struct run *run = argument;
	atomic_ullong *counts = run->account.counts;

	state->done = account_total(&run->account) - atomic_load(&counts[TASK_UNRUN]);
	state->failed = atomic_load(&counts[TASK_FAILED]) +
			atomic_load(&counts[TASK_CRASHED]) +
			atomic_load(&counts[TASK_TIMED_OUT]);
	state->known_is_total = atomic_load(&run->input_done);
	state->known = atomic_load(&run->read);
	if (!state->known_is_total && run->total) {
		state->known = run->total;
		state->known_is_total = true;
	}
	state->elapsed_ns = leat_context_now(run->cancellation.kill) - run->started;
}

// Of files, how many tasks there will be can be told beforehand.
static void count_total(struct run *run)
{
	struct input *input = NULL;
	struct patience patience = {run->cancellation.intake, LEAT_NEVER};
	struct record record;
	uint64_t total = 0;

	if (!input_is_bounded(run->input) || input_reopen(&input, run->input) < 0)
		return;
	while (input_next(input, patience, &record) == 1)
		total += run_is_task(run, &record);
	input_close(input);
	run->total = total;
}

static bool wants_display(const struct options *options)
{
	if (options->progress)
		return true;
	return !options->no_progress && !options->quiet && !options->dry_run &&
	       options->mode != OUTPUT_STRAIGHT && color_is_display(STDERR_FILENO);
}

void run_start_display(struct run *run)
{
	struct display_settings settings = {
		.output = run->output,
		.slots = run->slot_count,
		.log = !color_is_display(STDERR_FILENO),
		.color = run->color,
		.at_once = run->options->progress && color_is_display(STDERR_FILENO),
		.count = count_progress,
		.argument = run,
		.clock = run->cancellation.kill,
	};

	if (!wants_display(run->options))
		return;
	count_total(run);
	display_start(&run->display, &settings);
}
