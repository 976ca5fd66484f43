/* How far the run is, for its display. */
#include "run_inside.h"

#include "color.h"

#include <unistd.h>

uint64_t run_total(struct run *run)
{
	return atomic_load(&run->input_done) ? atomic_load(&run->read) : run->total;
}

static void count_progress(void *argument, struct progress_state *state)
{
	struct run *run = argument;
	const struct account *account = &run->account;

	state->done = account_total(account) - atomic_load(&account->counts[TASK_UNRUN]);
	state->failed = account_failed(account);
	state->known = run_total(run);
	state->known_is_total = state->known > 0;
	if (!state->known_is_total)
		state->known = atomic_load(&run->read);
	if (room_waits_for(run->room, run->waiting))
		state->waiting = run->waiting;
	state->elapsed_ns = leat_context_now(run->cancellation.kill) - run->started;
}

// How many tasks there will be, where the number of records tells that.
static void count_total(struct run *run)
{
	const struct batching *batching = &run->plan->batching;
	struct patience patience = {run->cancellation.intake, LEAT_NEVER};

	if (batching->records && !batching->lines)
		run->total = (rows_total(run->rows, patience) + batching->records - 1) /
			     batching->records;
}

// A CI service's log has lines only, even where it comes by way of a terminal.
static bool is_drawn(const struct run *run)
{
	return run->ci.service == CI_NONE && color_is_display(STDERR_FILENO);
}

static bool wants_display(const struct run *run)
{
	const struct plan *plan = run->plan;

	if (plan->progress)
		return true;
	return !plan->no_progress && !plan->quiet && !plan->dry_run &&
	       plan->mode != OUTPUT_STRAIGHT && is_drawn(run);
}

void run_start_display(struct run *run)
{
	struct display_settings settings = {
		.output = run->output,
		.slots = run->slot_count,
		.recipe = run->surroundings.recipe,
		.log = !is_drawn(run),
		.color = run->color,
		.at_once = run->plan->progress && is_drawn(run),
		.count = count_progress,
		.argument = run,
		.clock = run->cancellation.kill,
	};

	if (wants_display(run) || run->plan->halt.percent)
		count_total(run);
	if (!wants_display(run))
		return;
	display_start(&run->display, &settings);
}
