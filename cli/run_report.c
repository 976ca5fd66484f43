/* What of a run is told to others: journal, joblog, events, timeline, JUnit's report. */
#include "run_inside.h"

#include "exit_status.h"
#include "moment.h"
#include "report/ci_summary.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void journal_broke(void *argument, const char *words)
{
	struct run *run = argument;

	run_say(run, "cannot write the journal %s: %s", run->plan->journal, words);
	run_fail(run);
}

// Whoever waits for others can be ended meanwhile.
static void wait_begins(bool does)
{
	if (does)
		signals_let_in();
	else
		signals_block();
}

// From here on a signal waits until it is received: what stands beside the journal is not
// to be left there.
static int open_journal(struct run *run)
{
	struct journal_events events = {run, journal_broke, wait_begins};
	const struct plan *plan = run->plan;

	if (!plan->journal || (plan->dry_run && !plan->resume && !plan->resume_failed))
		return EXIT_ALL_OK;
	signals_block();
	return plan->dry_run ? journal_open_for_looking(&run->journal, plan, &events)
			     : journal_open(&run->journal, plan, &events);
}

// A FIFO may wait for its reader for ever.
static int open_joblog(struct run *run)
{
	const char *name = run->plan->joblog;
	struct stat status;
	bool waits = stat(name, &status) == 0 && S_ISFIFO(status.st_mode);
	int error;

	if (waits)
		signals_let_in();
	error = joblog_open(&run->joblog, run->plan);
	signals_block();
	return error;
}

void run_drop_reports(struct run *run)
{
	timeline_drop(run->timeline);
	junit_drop(run->junit);
	journal_close(run->journal, &run->account, 0, EXIT_LEAT_TROUBLE);
}

// What tells of the run besides its output. Where the journal is refused, the rest is
// left as it was.
int run_open_reports(struct run *run)
{
	const struct plan *plan = run->plan;
	int error = results_open(
		&run->surroundings.results, plan->results, plan->results_by_values);

	if (error) {
		message("cannot write to %s: %s", plan->results, strerror(-error));
		return EXIT_LEAT_TROUBLE;
	}
	if (plan->timeline && !plan->dry_run)
		error = timeline_open(&run->timeline, plan);
	if (error) {
		message("cannot write %s: %s", plan->timeline, strerror(-error));
		goto drop_reports;
	}
	if (plan->junit && !plan->dry_run)
		error = junit_open(&run->junit, plan, run->temporary_directory);
	if (error) {
		message("cannot write %s: %s", plan->junit, strerror(-error));
		goto drop_reports;
	}
	if (open_journal(run) != EXIT_ALL_OK)
		goto drop_reports;
	if (plan->joblog)
		error = open_joblog(run);
	if (error) {
		message("cannot write %s: %s", plan->joblog, strerror(-error));
		goto drop_reports;
	}
	return EXIT_ALL_OK;
drop_reports:
	run_drop_reports(run);
	results_close(&run->surroundings.results);
	return EXIT_LEAT_TROUBLE;
}

static void events_broke(void *argument, int error)
{
	struct run *run = argument;

	run_say(run, "cannot write %s: %s", run->plan->events, strerror(-error));
	run_fail(run);
}

static void begin_timeline(struct run *run)
{
	struct text command = {0};
	struct timeline_run facts = {
		.version = leat_version(),
		.started_us = moment_wall_us(),
		.elapsed_ns = -1,
		.slots = leat_pool_state(run->pool).size,
	};

	plan_append_arguments(run->plan, &command);
	facts.command = command.bytes ? command.bytes : "";
	timeline_add_run(run->timeline, &facts);
	text_finish(&command);
}

void run_report_start(struct run *run)
{
	events_start(run->events, leat_context_wake_fd(run->cancellation.kill),
		events_broke, run);
	events_run_started(run->events, run->plan, leat_pool_state(run->pool).size);
	if (run->timeline)
		begin_timeline(run);
}

void run_report_attempt_started(
	struct run *run, const struct task *task, const struct slot *slot)
{
	events_attempt_started(run->events, run->recipe, task, slot_number(slot));
}

void run_report_attempt_ended(struct run *run, const struct task *task,
	const struct leat_outcome *outcome, int error)
{
	events_attempt_ended(run->events, task, outcome, error);
}

static void tell_junit(struct run *run, struct task *task, const struct slot *slot,
	const struct leat_outcome *outcome, const struct text *reason)
{
	size_t most = run->plan->junit_output_bytes;
	struct text none = {0};
	struct junit_attempt attempt = {
		.outcome = outcome,
		.reason = reason,
		.out = slot ? slot_tail(slot, false, most) : none,
		.err = slot ? slot_tail(slot, true, most) : none,
	};

	junit_attempt_ended(run->junit, run->recipe, task, &attempt);
}

// What was kept from beginning leaves things as they were before.
void run_report_tried(struct run *run, struct task *task, const struct slot *slot,
	const struct leat_outcome *outcome, int error)
{
	struct text reason = {0};

	if ((!run->junit && !run->timeline) || error == -ECANCELED)
		return;
	if (task->end != TASK_OK)
		run_append_cause(run, outcome, error, &reason);
	if (run->junit)
		tell_junit(run, task, slot, error ? NULL : outcome, &reason);
	timeline_task_tried(run->timeline, run->recipe, task,
		slot && !error ? slot_number(slot) : 0, outcome, reason.bytes);
	text_finish(&reason);
}

void run_report_last_attempt(
	struct run *run, const struct task *task, const struct leat_outcome *outcome)
{
	int error = joblog_add(run->joblog, run->recipe, task, outcome);

	if (!error || atomic_exchange(&run->joblog_broken, true))
		return;
	run_say(run, "cannot write %s: %s", run->plan->joblog, strerror(-error));
	run_fail(run);
}

void run_report_task_ended(struct run *run, struct task *task)
{
	int cause = leat_context_cause(run->cancellation.intake);

	events_task_ended(run->events, run->recipe, task);
	if (task->end == TASK_UNRUN)
		timeline_task_unrun(
			run->timeline, run->recipe, task, cancellation_cause_name(cause));
	junit_task_ended(run->junit, run->recipe, task,
		cause ? cancellation_cause_name(cause) : NULL);
}

// What GitHub Actions shows of the step.
static void write_step_summary(struct run *run, int64_t elapsed)
{
	const char *name = getenv("GITHUB_STEP_SUMMARY");
	struct text text = {0};
	int error;

	if (run->ci.service != CI_GITHUB || !name || !*name || run->plan->dry_run)
		return;
	ci_summary_append(&text, &run->account, run->recap, elapsed);
	error = ci_summary_write(name, &text);
	text_finish(&text);
	if (error)
		run_cannot_write(run, name, error);
}

static void close_timeline(struct run *run, int64_t elapsed)
{
	struct timeline_end end = {
		.account = &run->account,
		.elapsed_ns = elapsed,
		.status = run_final_status(run),
	};
	int give_up_fd = leat_context_wake_fd(run->cancellation.kill);
	int error = run->timeline ? timeline_close(run->timeline, &end, give_up_fd) : 0;

	if (error)
		run_cannot_write(run, run->plan->timeline, error);
}

static void close_junit(struct run *run, int64_t elapsed)
{
	int give_up_fd = leat_context_wake_fd(run->cancellation.kill);
	int error = run->junit ? junit_close(run->junit, elapsed, give_up_fd) : 0;

	if (error)
		run_cannot_write(run, run->plan->junit, error);
}

// Each may be trouble, and the events tell how it all ended.
void run_report_end(struct run *run)
{
	int64_t elapsed = leat_context_now(run->cancellation.kill) - run->started;

	write_step_summary(run, elapsed);
	close_timeline(run, elapsed);
	close_junit(run, elapsed);
	if (journal_close(run->journal, &run->account, elapsed, run_final_status(run)) <
		0)
		atomic_store(&run->account.leat_trouble, true);
	events_summary(run->events, &run->account, elapsed, run_final_status(run));
}
