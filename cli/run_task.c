/* One task in its worker, from a slot to its line in the account. */
#include "run_inside.h"

#include "moment.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

// Returns 0, or why there is none.
static int get_slot(struct run *run, unsigned number, struct slot **result)
{
	struct slot **slot = &run->slots[number - 1];
	int error = 0;

	while (!*slot && !error) {
		error = slot_create(slot, &run->surroundings, number);
		if (error)
			error = surroundings_await_room(&run->surroundings, error);
	}
	*result = *slot;
	return error;
}

static enum task_end classify(const struct leat_outcome *outcome, int error)
{
	if (error)
		return error == -ECANCELED ? TASK_UNRUN : TASK_FAILED;
	return account_classify(outcome);
}

// By the rules of the front end, where it has any. What could not be tried did not start.
static bool judge(
	struct run *run, const struct leat_outcome *outcome, int error, bool *tells)
{
	struct leat_outcome untried = {.end = LEAT_NOT_STARTED, .code = -error};

	*tells = *tells || error;
	return run->plan->rules && error != -ECANCELED &&
	       run->plan->rules->judge(&run->account, error ? &untried : outcome, tells);
}

// A task without a slot.
static void fail_task(struct task *task, int error)
{
	struct leat_outcome outcome = {0};
	struct text line = {0};
	bool tells = true;

	task->end = TASK_FAILED;
	task->again = false;
	task->status = account_status(&outcome, error);
	judge(task->run, &outcome, error, &tells);
	run_append_task_line(task->run, task, 1, &outcome, error, &line);
	output_line(task->run->output, task->place, &line);
	text_finish(&line);
	if (!task->paused) // else that is done where its attempts are given up
		run_note_failure(task->run, task, &outcome, error);
}

void run_fail_task(struct run *run, struct task *task, int error)
{
	fail_task(task, error);
	account_count(&run->account, task->end);
}

static void check_results(struct run *run, const struct task *task, int error)
{
	if (!error || atomic_exchange(&run->results_broken, true))
		return;
	run_say(run, "cannot write the results of task %llu: %s",
		(unsigned long long)task->sequence, strerror(-error));
	run_fail(run);
}

/* Until a task has begun to run, or its records were written as unrun, it is held, for
 * who reads on to write those behind it. */

// With held_lock.
static void set_awaited(struct run *run, struct task *task, bool is)
{
	run->awaited += (uint64_t)is - (uint64_t)task->is_awaited;
	task->is_awaited = is;
}

void run_note_waiting(struct run *run, struct task *task, bool waits)
{
	pthread_mutex_lock(&run->held_lock);
	set_awaited(run, task, waits);
	pthread_mutex_unlock(&run->held_lock);
}

static void hold(struct run *run, struct task *task)
{
	task->held = true;
	pthread_mutex_lock(&run->held_lock);
	run->held++;
	pthread_mutex_unlock(&run->held_lock);
}

// Whoever counts after the intake's end counts it as running, or it does not begin.
static int enter_begun(struct run *run, struct task *task)
{
	bool ended;

	pthread_mutex_lock(&run->held_lock);
	ended = leat_context_cause(run->cancellation.intake) != 0;
	if (!ended) {
		run->held--;
		run->begun++;
		set_awaited(run, task, false);
		if (!run->held)
			pthread_cond_broadcast(&run->none_held);
	}
	pthread_mutex_unlock(&run->held_lock);
	task->held = ended;
	return ended ? -ECANCELED : 0;
}

static void leave_begun(struct run *run)
{
	pthread_mutex_lock(&run->held_lock);
	run->begun--;
	pthread_mutex_unlock(&run->held_lock);
}

// Errors: -ECANCELED, -ENOMEM.
static int begin(struct run *run, struct task *task, const struct slot *slot)
{
	int error;

	task->started_us = moment_wall_us();
	error = enter_begun(run, task);
	if (error)
		return error;
	task->attempt++;
	error = journal_begin(run->journal, run->recipe, task, slot_number(slot));
	if (error) {
		task->attempt--;
		leave_begun(run);
		return error;
	}
	display_task_begins(run->display, slot_number(slot), task);
	run_report_attempt_started(run, task, slot);
	return 0;
}

// Counted as it ended at the moment at which it is let go, for run_count_begun().
static void count(struct run *run, enum task_end end, bool held, bool awaited)
{
	pthread_mutex_lock(&run->held_lock);
	account_count(&run->account, end);
	run->held -= held;
	run->awaited -= awaited;
	if (!run->held)
		pthread_cond_broadcast(&run->none_held);
	pthread_mutex_unlock(&run->held_lock);
}

struct begun run_count_begun(struct run *run)
{
	struct begun begun;

	pthread_mutex_lock(&run->held_lock);
	begun.running = run->begun;
	begun.unrun = atomic_load(&run->account.counts[TASK_UNRUN]) + run->awaited;
	pthread_mutex_unlock(&run->held_lock);
	return begun;
}

void run_await_begun(struct run *run)
{
	pthread_mutex_lock(&run->held_lock);
	while (run->held || run->awaited)
		pthread_cond_wait(&run->none_held, &run->held_lock);
	pthread_mutex_unlock(&run->held_lock);
}

void run_tell_withstands(void *argument, int error)
{
	const struct task *task = argument;

	run_say(task->run,
		"task %llu can't be ended: %s; waiting until it ends by itself",
		(unsigned long long)task->sequence, strerror(error));
}

static void check_warm(struct run *run, const struct slot *slot)
{
	if (slot_cannot_warm(slot) && !atomic_exchange(&run->cold_told, true))
		run_say(run, "cannot keep %s warm: each command starts its own",
			run->surroundings.shell.path);
}

static void run_in(struct slot *slot, struct task *task)
{
	struct run *run = task->run;
	struct leat_outcome outcome = {0};
	struct frame frame = {0};
	enum task_end before = task->end;
	void *receipt;
	int error = slot_begin(slot, task), trouble;
	bool begins, ends_run, tells = !run->plan->quiet;

	check_results(run, task, error);
	error = error ? -ECANCELED : slot_prepare(slot, task);
	if (!error)
		error = begin(run, task, slot);
	begins = !error;
	if (begins) {
		error = slot_run(slot, task, &outcome);
		check_warm(run, slot);
	}
	task->end = classify(&outcome, error);
	if (task->end == TASK_UNRUN && task->was_tried)
		task->end = before;
	task->was_tried = true;
	if (!error && outcome.ended_by == LEAT_BY_DEADLINE)
		atomic_store(&run->account.deadline_hit, true);
	task->again = !error && run->retries &&
		      !leat_context_cause(run->cancellation.intake) &&
		      retries_wanted(run->plan, task, &outcome);
	if (task->again)
		task->delay_ns = retries_delay(run->plan, task);
	ends_run = !task->again && judge(run, &outcome, error, &tells);
	task->status = account_status(&outcome, error);
	if (tells)
		run_append_task_line(
			run, task, slot_number(slot), &outcome, error, &frame.line);
	run_make_frame(run, task, slot, &outcome, error, &frame);

	if (begins)
		run_report_attempt_ended(run, task, &outcome, error);
	run_report_tried(run, task, slot, &outcome, error);
	receipt = begins ? journal_end(run->journal, task, &outcome, error) : NULL;
	trouble = slot_end(slot, task, error ? NULL : &outcome, &frame, receipt);
	task->paused = task->again;
	task->outcome = outcome;
	if (task->again)
		journal_deliver(run->journal, receipt, true);
	else
		run_report_last_attempt(run, task, &outcome);
	journal_settle(run->journal);
	check_results(run, task, trouble);
	frame_finish(&frame);
	if (begins) {
		display_task_ends(run->display, slot_number(slot));
		leave_begun(run);
	}
	if (ends_run && cancellation_level(&run->cancellation) == LEVEL_NONE)
		run_cancel(run, LEVEL_DRAIN, CAUSE_HALT);
}

static void run_one(struct run *run, struct task *task, unsigned number)
{
	const struct leat_outcome none = {0};
	struct slot *slot;
	int error;

	hold(run, task);
	error = get_slot(run, number, &slot);
	if (!error) {
		run_in(slot, task);
	} else if (error != -ECANCELED) {
		fail_task(task, error);
		run_report_tried(run, task, NULL, &none, error);
		if (!task->paused) // as for what is noted of it
			run_report_last_attempt(run, task, &none);
	} else {
		task->again = false;
		if (!task->was_tried)
			task->end = TASK_UNRUN;
	}
}

// Enough has been seen: no more is started, or what runs is ended, too.
static void halt(struct run *run, const struct task *task)
{
	const struct halt *wanted = &run->plan->halt;
	bool now = wanted->when == HALT_NOW;
	struct text words = {0};

	if (!halt_is_due(wanted, &run->account, run_total(run)) ||
		cancellation_level(&run->cancellation) != LEVEL_NONE ||
		atomic_exchange(&run->halted, true))
		return;
	run_cancel(run, now ? LEVEL_TERMINATE : LEVEL_DRAIN, CAUSE_HALT);
	if (wanted->count == 1 && !wanted->percent) // else it was not one that decided
		atomic_store(&run->account.decisive_status, task->status + 1);
	halt_append_words(wanted, &words);
	if (!run->plan->quiet && words.bytes)
		run_say(run, "halted, as %s: no more is started%s", words.bytes,
			now ? ", what runs is ended" : "");
	text_finish(&words);
}

// There is no further attempt, behind which its output would have stood.
static void give_up(struct run *run, struct task *task)
{
	struct frame frame = {0};

	run_make_late_frame(run, task, &frame);
	output_give_up(run->output, task->place, task->sequence, &task->kept, &frame);
	frame_finish(&frame);
	if (!run->plan->rules) // parallel's --resume would leave out what is in the
			       // joblog
		run_report_last_attempt(run, task, &task->outcome);
	run_note_failure(run, task, &task->outcome, 0);
}

bool run_conclude(struct run *run, struct task *task)
{
	enum task_end end = task->end;
	bool held = task->held, awaited = task->is_awaited;

	run_tell_deadline(run);
	if (task->again && retries_add(run->retries, task, task->delay_ns))
		return false;
	retries_count(run->retries, -1);
	journal_conclude(run->journal, run->recipe, task);
	run_report_task_ended(run, task);
	if (task->paused)
		give_up(run, task);
	leat_capture_destroy(task->kept.out);
	leat_capture_destroy(task->kept.err);
	text_finish(&task->kept.tag);
	if (end == TASK_UNRUN) {
		results_forget(&run->surroundings.results, task);
		unrun_add(&run->unrun, task);
	}
	count(run, end, held, awaited);
	if (end != TASK_UNRUN) {
		halt(run, task);
		free(task);
	}
	return true;
}

// Tasks that follow one another in their lanes, from this one on.
static void run_from(struct run *run, struct task *task, unsigned number)
{
	while (task) {
		struct lane *lane = task->lane;

		run_one(run, task, number);
		if (!run_conclude(run, task) || !lane)
			return;
		task = lanes_leave(
			run->lanes, lane, !leat_context_cause(run->cancellation.intake));
	}
}

void run_task(struct leat_worker *worker, void *argument)
{
	struct task *task = argument;

	run_one(task->run, task, leat_worker_number(worker));
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
	run_conclude(run, task);
}

void run_lanes(struct leat_worker *worker, void *argument)
{
	struct run *run = argument;

	run_from(run, lanes_take(run->lanes), leat_worker_number(worker));
}

/* ---- attempts after the first ---- */

static void run_again(struct leat_worker *worker, void *argument)
{
	struct task *task = argument;

	run_from(task->run, task, leat_worker_number(worker));
}

// There is none: the last one's end stands.
static void give_up_again(void *argument, struct task *task)
{
	struct run *run = argument;
	struct lane *lane = task->lane;

	if (leat_context_cause(run->cancellation.intake) == LEAT_CAUSE_DEADLINE)
		atomic_store(&run->account.deadline_hit, true);
	task->again = false;
	run_conclude(run, task);
	if (lane)
		lanes_leave(run->lanes, lane, false);
}

static void complete_again(void *argument, const struct leat_completion *completion)
{
	struct task *task = argument;

	if (completion->end == LEAT_JOB_CANCELED)
		give_up_again(task->run, task);
}

static int submit_again(void *argument, struct task *task)
{
	struct run *run = argument;
	struct leat_job job = {
		.run = run_again,
		.complete = complete_again,
		.argument = task,
		.context = run->cancellation.terminate,
	};

	return leat_pool_submit(run->pool, &job, NULL);
}

int run_start_retries(struct run *run)
{
	struct retries_settings settings = {
		.plan = run->plan,
		.intake = run->cancellation.intake,
		.argument = run,
		.submit = submit_again,
		.give_up = give_up_again,
	};

	return run->plan->retries ? retries_start(&run->retries, &settings) : 0;
}
