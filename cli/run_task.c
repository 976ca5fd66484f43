/* One task in its worker, from a slot to its line in the account. */
#include "run_inside.h"

#include "color.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct slot *get_slot(struct run *run, unsigned number)
{
	struct slot **slot = &run->slots[number - 1];

	if (!*slot)
		slot_create(slot, &run->surroundings, number);
	return *slot;
}

static void append_task_line(struct text *line, const struct task *task,
	const struct leat_outcome *outcome, int error)
{
	const struct options *options = task->run->options;
	struct task_trouble trouble = {
		.error = error,
		.words = error == -EINVAL ? "there is a NUL byte in it" : NULL,
	};

	if (task->end == TASK_OK || task->end == TASK_UNRUN || options->quiet)
		return;
	if (task->run->color)
		text_format(line, COLOR_RED);
	account_append_task(line, task->sequence, outcome, &trouble, options->timeout_ns,
		task->record, task->length);
	if (task->run->color) { // before the newline, which is to be of no colour
		line->length--;
		text_format(line, COLOR_OFF "\n");
	}
}

static enum task_end classify(const struct leat_outcome *outcome, int error)
{
	if (error)
		return error == -ECANCELED ? TASK_UNRUN : TASK_FAILED;
	return account_classify(outcome);
}

// A task without a slot.
static void fail_task(struct task *task)
{
	struct leat_outcome outcome = {0};
	struct text line = {0};

	task->end = TASK_FAILED;
	append_task_line(&line, task, &outcome, -ENOMEM);
	output_line(task->run->output, task->sequence, &line);
	text_finish(&line);
}

static void check_results(struct run *run, const struct task *task, int error)
{
	if (!error || atomic_exchange(&run->results_broken, true))
		return;
	run_say(run, "cannot write the results of task %llu: %s",
		(unsigned long long)task->sequence, strerror(-error));
	run_fail(run);
}

static void run_in(struct slot *slot, struct task *task)
{
	struct run *run = task->run;
	struct leat_outcome outcome = {0};
	struct text line = {0};
	int error = slot_begin(slot, task);

	check_results(run, task, error);
	error = error ? -ECANCELED : slot_run(slot, task, &outcome);
	task->end = classify(&outcome, error);
	if (!error && outcome.ended_by == LEAT_BY_DEADLINE)
		atomic_store(&run->account.deadline_hit, true);
	append_task_line(&line, task, &outcome, error);
	error = slot_end(slot, task, error ? NULL : &outcome, &line);
	check_results(run, task, error);
	text_finish(&line);
}

void run_task(struct leat_worker *worker, void *argument)
{
	struct task *task = argument;
	struct run *run = task->run;
	unsigned number = leat_worker_number(worker);
	struct slot *slot = get_slot(run, number);

	if (!slot) {
		fail_task(task);
		return;
	}
	display_task_begins(run->display, number, task);
	run_in(slot, task);
	display_task_ends(run->display, number);
}

void run_task_complete(void *argument, const struct leat_completion *completion)
{
	struct task *task = argument;
	struct run *run = task->run;

	if (completion->end == LEAT_JOB_CANCELED)
		task->end = TASK_UNRUN;
	if (completion->end == LEAT_JOB_PANICKED) {
		task->end = TASK_FAILED;
		run_say(run, "task %llu: %s", (unsigned long long)task->sequence,
			completion->message);
		run_fail(run);
	}
	account_count(&run->account, task->end);
	if (task->end == TASK_UNRUN)
		unrun_add(&run->unrun, task);
	else
		free(task);
}
