/* What of a run is told to others: journal, joblog, events. */
#include "run_inside.h"

#include "exit_status.h"
#include "report/ci_summary.h"

#include <stdlib.h>
#include <string.h>

static void journal_broke(void *argument, const char *words)
{
	struct run *run = argument;

	run_say(run, "cannot write the journal %s: %s", run->plan->journal, words);
	run_fail(run);
}

static int open_journal(struct run *run)
{
	struct journal_events events = {run, journal_broke};
	const struct plan *plan = run->plan;

	if (!plan->journal || (plan->dry_run && !plan->resume && !plan->resume_failed))
		return EXIT_ALL_OK;
	return plan->dry_run ? journal_open_for_looking(&run->journal, plan)
			     : journal_open(&run->journal, plan, &events);
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
	if (open_journal(run) != EXIT_ALL_OK)
		goto close_results;
	if (plan->joblog)
		error = joblog_open(&run->joblog, plan);
	if (error) {
		message("cannot write %s: %s", plan->joblog, strerror(-error));
		goto close_journal;
	}
	return EXIT_ALL_OK;
close_journal:
	journal_close(run->journal, &run->account, 0, EXIT_LEAT_TROUBLE);
close_results:
	results_close(&run->surroundings.results);
	return EXIT_LEAT_TROUBLE;
}

static void events_broke(void *argument, int error)
{
	struct run *run = argument;

	run_say(run, "cannot write %s: %s", run->plan->events, strerror(-error));
	run_fail(run);
}

void run_report_start(struct run *run)
{
	events_start(run->events, leat_context_wake_fd(run->cancellation.kill),
		events_broke, run);
	events_run_started(run->events, run->plan, leat_pool_state(run->pool).size);
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

void run_report_last_attempt(
	struct run *run, const struct task *task, const struct leat_outcome *outcome)
{
	int error = joblog_add(run->joblog, run->recipe, task, outcome);

	if (!error || atomic_exchange(&run->joblog_broken, true))
		return;
	run_say(run, "cannot write %s: %s", run->plan->joblog, strerror(-error));
	run_fail(run);
}

void run_report_task_ended(struct run *run, const struct task *task)
{
	events_task_ended(run->events, run->recipe, task);
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
	if (!error)
		return;
	run_say(run, "cannot write %s: %s", name, strerror(-error));
	atomic_store(&run->account.leat_trouble, true);
}

// The journal may be trouble, and the events tell how it all ended.
void run_report_end(struct run *run)
{
	int64_t elapsed = leat_context_now(run->cancellation.kill) - run->started;

	write_step_summary(run, elapsed);
	if (journal_close(run->journal, &run->account, elapsed, run_final_status(run)) <
		0)
		atomic_store(&run->account.leat_trouble, true);
	events_summary(run->events, &run->account, elapsed, run_final_status(run));
}
