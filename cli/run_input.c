/*
 * The input, in the main thread: tasks are read and submitted, and after a cancellation
 * counted.
 */
#include "run_inside.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

// After a cancellation a source of unknown length is read on for so long, to count
// what was there already. Few people notice; no producer is waited for.
#define COUNTING_NS (LEAT_SECOND_NS / 4)
#define COUNTING_STRIDE 256

// Of values, in the queue.
#define BYTES_OF_A_PLACE (16 << 10)

// What a command is made of is known once the header has been read.
static int begin_reading(struct run *run, struct patience patience)
{
	struct command_size size;
	const char *const *names;
	size_t count;
	int error = rows_prepare(run->rows, patience);

	if (error || run->tasks)
		return error;
	names = rows_names(run->rows, &count);
	run->surroundings.results.names = names;
	run->surroundings.results.name_count = count;
	unrun_write_header(&run->unrun, names, count);
	error = recipe_create(&run->recipe, run->plan, names, count);
	if (!error) {
		recipe_measure(run->recipe, &size);
		size.environment = surroundings_environment_bytes(&run->surroundings);
		error = tasks_create(&run->tasks, run->rows, run->plan, &size,
			leat_pool_state(run->pool).size);
	}
	if (error)
		run_say(run, "out of memory");
	run->surroundings.recipe = run->recipe;
	return error;
}

// How much of the queue a task takes: a few that fill a command's room must not wait
// there by the dozen, nor what they hold cool down.
static size_t weight_of(const struct task *task)
{
	return 1 + task->bytes / BYTES_OF_A_PLACE;
}

// One job for one more task, which the lanes choose.
static int submit_to_lane(struct run *run, struct task *task)
{
	struct leat_job job = {
		.run = run_lanes,
		.argument = run,
		.context = run->cancellation.terminate,
		.weight = weight_of(task),
	};
	struct text name = {0};
	int error;

	recipe_append_lane(run->recipe, task, &name);
	error = lanes_add(run->lanes, task, &name, run->cancellation.intake);
	text_finish(&name);
	if (!error)
		leat_pool_submit(run->pool, &job, NULL); // else count_rest() has it
	return error;
}

// The task is the pool's then; where it was not accepted it remains the caller's.
static int submit(struct run *run, struct task *task)
{
	struct leat_job job = {
		.run = run_task,
		.complete = run_task_complete,
		.argument = task,
		.context = run->cancellation.terminate,
		.weight = weight_of(task),
	};
	int error;

	run_note_waiting(run, task, true);
	error = run->lanes ? submit_to_lane(run, task)
			   : leat_pool_submit(run->pool, &job, NULL);
	if (error)
		run_note_waiting(run, task, false);
	return error;
}

// Prints what would run, as a line.
static int print_task(struct run *run, struct task *task)
{
	struct text line = {0};
	int error = 0;

	recipe_append_command(run->recipe, task, 1, SIZE_MAX, &line);
	text_append(&line, "\n", 1);
	if (run->ci.has_log && ci_guards_output(&run->ci))
		ci_guard(&run->ci, &line);
	if (line.failed)
		error = -ENOMEM;
	else if (memchr(line.bytes, '\0', line.length))
		run_fail_task(run, task, -EINVAL);
	else
		error = output_print(run->output, line.bytes, line.length);
	text_finish(&line);
	if (!error)
		free(task);
	return error;
}

// By an earlier run.
static bool is_done(struct run *run, struct task *task)
{
	return joblog_skips(run->joblog, task->sequence) ||
	       journal_enter(run->journal, run->recipe, task);
}

static void skip(struct run *run, struct task *task)
{
	task->end = TASK_SKIPPED;
	run_report_task_ended(run, task);
	account_count(&run->account, TASK_SKIPPED);
	free(task);
}

void run_count_unrun(struct run *run, struct task *task)
{
	if (!task->sequence) {
		task->sequence = atomic_fetch_add(&run->read, 1) + 1;
		if (is_done(run, task)) {
			skip(run, task);
			return;
		}
	}
	task->end = TASK_UNRUN;
	journal_conclude(run->journal, run->recipe, task);
	run_report_task_ended(run, task);
	account_count(&run->account, TASK_UNRUN);
	results_forget(&run->surroundings.results, task);
	unrun_write(&run->unrun, task);
	free(task);
}

static bool is_confirmed(struct run *run, const struct task *task)
{
	struct text command = {0};
	bool yes;

	recipe_append_command(run->recipe, task, 1, SIZE_MAX, &command);
	yes = !command.failed && confirm_ask(&run->confirm, &command);
	text_finish(&command);
	return yes;
}

// Before the first task that is run.
static void start_guardian(struct run *run)
{
	const struct plan *plan = run->plan;
	int error;

	if (run->has_begun || plan->dry_run || plan->keeps_orphans)
		return;
	run->has_begun = true;
	error = leat_family_guard(run->surroundings.family, plan->kill_after_ns,
		journal_guard_fd(run->journal));
	if (error)
		run_say(run,
			"cannot start the guardian: %s: killed, leat would leave "
			"its tasks running",
			strerror(-error));
}

int run_read(struct run *run, struct task **refused)
{
	struct patience patience = {run->cancellation.intake, LEAT_NEVER};
	int got, error = begin_reading(run, patience);

	*refused = NULL;
	if (error)
		return error;
	run_start_display(run);
	do {
		struct task *task = NULL;

		got = tasks_next(run->tasks, patience, &task);
		if (got != 1)
			break;
		task->run = run;
		task->sequence = atomic_fetch_add(&run->read, 1) + 1;
		if (is_done(run, task)) {
			skip(run, task);
			continue;
		}
		if (run->plan->asks && !is_confirmed(run, task)) {
			run_count_unrun(run, task);
			continue;
		}
		task->place = ++run->places;
		start_guardian(run);
		retries_count(run->retries, !run->plan->dry_run);
		error = run->plan->dry_run ? print_task(run, task) : submit(run, task);
		if (error) {
			retries_count(run->retries, -1);
			*refused = task;
		}
	} while (!error);
	return error ? error : got;
}

static int count_more(struct run *run, struct patience patience)
{
	struct task *task;
	int got = begin_reading(run, patience);

	for (unsigned count = 1; !got || got == 1; count++) {
		if (count % COUNTING_STRIDE == 0 &&
			leat_context_now(patience.context) >= patience.until)
			return -EAGAIN;
		got = tasks_next(run->tasks, patience, &task);
		if (!got)
			return 0;
		if (got == 1)
			run_count_unrun(run, task);
	}
	if (run->tasks && tasks_flush(run->tasks, &task) == 1)
		run_count_unrun(run, task);
	return got;
}

void run_give_up_lanes(struct run *run)
{
	struct task *task;

	while (run->lanes && (task = lanes_give_up(run->lanes))) {
		task->end = TASK_UNRUN;
		run_conclude(run, task);
	}
}

void run_count_rest(struct run *run, struct task *refused)
{
	struct patience patience = {run->undisturbed, LEAT_NEVER};

	if (!rows_are_bounded(run->rows))
		patience.until = leat_context_now(run->undisturbed) + COUNTING_NS;
	leat_pool_give_up(run->pool);
	run_give_up_lanes(run);
	run_await_begun(run);
	unrun_flush(&run->unrun);
	if (refused)
		run_count_unrun(run, refused);
	if (count_more(run, patience) != 0)
		atomic_store(&run->account.input_cut, true);
}
