/*
 * One run: records in, tasks through the pool, the account out.
 *
 * Threads. The main thread reads records and submits them; the pool's workers run
 * them, one slot each; the signal thread raises the level of cancellation. A task
 * belongs to whoever holds it: main until it is submitted, then the pool, and after
 * its completion nobody: it is freed, or, when it was given up, is unrun.c's.
 *
 * Every task is counted once: in complete(), or, if the pool did not accept it, by
 * main. What is left in the input after a cancellation is counted by main alone.
 *
 * The end. Main reads until the input's end or the intake's (a level of cancellation,
 * the deadline, or trouble of leat's own, which is a cancellation, too). Then it
 * counts what is left, waits for the pool, and reports. The order of release is the
 * reverse of the order of set-up: the signal thread goes before what it refers to.
 */
#include "run.h"

#include "color.h"
#include "cpus.h"
#include "descriptors.h"
#include "duration.h"
#include "exit_status.h"
#include "run_inside.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

void run_say(struct run *run, const char *format, ...)
{
	struct text line = {0};
	va_list arguments;

	text_append(&line, "leat: ", strlen("leat: "));
	va_start(arguments, format);
	text_format_arguments(&line, format, arguments);
	va_end(arguments);
	text_append(&line, "\n", 1);
	output_notice(run->output, &line);
	text_finish(&line);
}

/* ---- cancellation ---- */

static const char *cause_words(int cause)
{
	switch (cause) {
	case SIGINT:
		return "interrupted";
	case SIGTERM:
		return "told to terminate";
	case SIGHUP:
		return "hung up";
	case SIGQUIT:
		return "told to quit";
	default:
		return "canceled";
	}
}

static void intake_ended(void *argument)
{
	struct run *run = argument;

	atomic_store(&run->running_then, run_count_begun(run).running);
}

// Says how many ran then and how many will not, once both are known.
static void give_notice(struct run *run)
{
	enum level level = cancellation_level(&run->cancellation);
	int cause = leat_context_cause(run->cancellation.intake);
	unsigned long long unrun = run_count_begun(run).unrun;
	const char *end = level == LEVEL_DRAIN
				  ? run->plan->tty ? "finish" : "finish (again: end them)"
			  : level == LEVEL_TERMINATE
				  ? "are being ended (again: kill them)"
				  : "are being killed";

	if (run->plan->quiet || atomic_exchange(&run->notice_given, true))
		return;
	run_say(run, "%s: %u running %s, %llu%s not run", cause_words(cause),
		atomic_load(&run->running_then), end, unrun,
		atomic_load(&run->account.input_cut) ? "+" : "");
}

static void level_reached(void *argument, enum level level, int cause)
{
	struct run *run = argument;

	events_canceled(run->events, level, cancellation_cause_name(cause));
	if (!atomic_load(&run->input_done))
		atomic_store(&run->notice_due, true); // when main has counted
	else if (!atomic_load(&run->notice_given))
		give_notice(run);
	else if (!run->plan->quiet && level == LEVEL_TERMINATE)
		run_say(run, cause == CAUSE_DRAIN_TIMEOUT
				     ? "drain timeout: ending the running tasks"
				     : "ending the running tasks (again: kill them)");
	else if (!run->plan->quiet && level == LEVEL_KILL)
		run_say(run, "killing the running tasks");
}

void run_cancel(struct run *run, enum level level, int cause)
{
	level = cancellation_raise(&run->cancellation, level, cause);
	cancellation_enforce(&run->cancellation, level, cause);
	events_canceled(run->events, level, cancellation_cause_name(cause));
}

void run_tell_deadline(struct run *run)
{
	int cause = run->events ? leat_context_cause(run->cancellation.intake) : 0;

	if (cause == LEAT_CAUSE_DEADLINE && !atomic_exchange(&run->deadline_told, true))
		events_canceled(
			run->events, LEVEL_TERMINATE, cancellation_cause_name(cause));
}

void run_fail(struct run *run)
{
	atomic_store(&run->account.leat_trouble, true);
	if (cancellation_level(&run->cancellation) == LEVEL_NONE)
		run_cancel(run, LEVEL_DRAIN, CAUSE_OUTPUT);
}

void run_cannot_write(struct run *run, const char *name, int error)
{
	run_say(run, "cannot write %s: %s", name, strerror(-error));
	atomic_store(&run->account.leat_trouble, true);
}

static void output_broke(void *argument, const char *stream, int error)
{
	struct run *run = argument;

	if (error == EPIPE && !signals_is_ignored(SIGPIPE))
		atomic_store(&run->pipe_broken, true);
	else
		run_say(run, "cannot write %s: %s", stream, strerror(error));
	run_fail(run);
}

static void output_lost(void *argument, uint64_t sequence, int error)
{
	struct run *run = argument;

	const char *results = run->plan->results;

	if (error == ENOMEM)
		run_say(run, "output of task %llu is lost: %s",
			(unsigned long long)sequence, strerror(error));
	else
		run_say(run, "output of task %llu is lost: cannot keep it in %s: %s",
			(unsigned long long)sequence,
			results ? results : run->temporary_directory, strerror(error));
	run_fail(run);
}

static void output_delivered(void *argument, void *receipt, bool whole)
{
	struct run *run = argument;

	journal_deliver(run->journal, receipt, whole);
}

static void resize(void *argument, int change)
{
	struct run *run = argument;
	unsigned size = leat_pool_state(run->pool).size;

	if ((change < 0 && size == 1) || (change > 0 && size == run->slot_count))
		return;
	leat_pool_resize(
		run->pool, size + (unsigned)change); // failing, it stays as it is
}

// How many there are that will not be run.
static bool nobody_asks(const struct plan *plan)
{
	return plan->quiet && !plan->unrun_file && !plan->events && !plan->junit &&
	       !plan->timeline && !plan->journal;
}

static void read_input(struct run *run)
{
	const struct plan *plan = run->plan;
	struct task *refused;
	int error = run_read(run, &refused);
	bool ended = leat_context_cause(run->cancellation.intake) != 0;

	run_tell_deadline(run);
	if (refused && !ended) {
		run_say(run, "cannot %s: %s",
			run->plan->dry_run ? "write standard output"
					   : "run any more tasks",
			strerror(-error));
		run_fail(run);
		ended = true;
	}
	if (error && ended && nobody_asks(plan)) {
		if (refused)
			run_count_unrun(run, refused);
		atomic_store(&run->account.input_cut, true);
	} else if (error && ended) {
		run_count_rest(run, refused);
	} else if (error) { // the input's own, which said so: what was read is run
		atomic_store(&run->account.leat_trouble, true);
		atomic_store(&run->account.input_cut, true);
	}
	atomic_store(&run->input_done, true);
	signals_settle(run->signals);
	if (atomic_load(&run->notice_due))
		give_notice(run);
}

/* ---- set-up, end ---- */

static const char *temporary_directory(void)
{
	const char *directory = getenv("TMPDIR");

	return directory && *directory ? directory : "/tmp";
}

static int init_surroundings(struct run *run)
{
	const struct plan *plan = run->plan;
	struct surroundings *surroundings = &run->surroundings;

	*surroundings = (struct surroundings){
		.plan = plan,
		.room = run->room,
		.jobserver = run->jobserver,
		.family = surroundings->family,
		.shell = surroundings->shell,
		.control =
			{
				.terminate = run->cancellation.terminate,
				.kill = run->cancellation.kill,
				.timeout_ns = plan->timeout_ns,
				.grace_ns = plan->kill_after_ns,
				.linger_ns = plan->linger_ns,
				.withstands = run_tell_withstands,
			},
		.intake = run->cancellation.intake,
		.output = run->output,
		.results = surroundings->results,
		.tag_color = color_wanted(plan->color, STDOUT_FILENO),
		.verbose = plan->verbose,
		.terminal = plan->pty ? &run->terminal : NULL,
		.foreground = surroundings->foreground,
	};
	return surroundings_init_environment(surroundings);
}

// A queue that lets main sleep through many short tasks, and stays small.
static size_t queue_length(unsigned slots)
{
	return slots < 32 ? 64 : slots < 512 ? 2 * (size_t)slots : 1024;
}

static unsigned choose_size(struct run *run)
{
	const struct jobs *jobs = &run->plan->jobs;
	bool counts = jobs->kind != JOBS_NUMBER && jobs->kind != JOBS_MOST;
	unsigned cpus = 1;

	run->slot_count = leat_family_room(run->surroundings.family);
	if (jobs->kind == JOBS_NUMBER && jobs->number > run->slot_count)
		message("running %u tasks at a time: the limit on open files allows no "
			"more",
			run->slot_count);
	if (jobs->kind == JOBS_CPUS && run->make_jobs)
		cpus = run->make_jobs;
	else if (counts)
		cpus = cpus_usable("");
	return jobs_resolve(jobs, cpus, run->slot_count);
}

static int start_signals(struct run *run)
{
	run->receiver = (struct signals_receiver){
		.cancellation = &run->cancellation,
		.family = run->surroundings.family,
		.drain_timeout_ns = run->plan->drain_timeout_ns,
		.terminate_on_interrupt = run->plan->terminate_on_interrupt,
		.keyboard_is_tasks = run->plan->tty,
		.argument = run,
		.intake_ended = intake_ended,
		.level_reached = level_reached,
		.resize = resize,
	};
	return signals_start(&run->signals, &run->receiver);
}

static void guard_line(void *argument, struct text *line)
{
	struct run *run = argument;

	ci_guard(&run->ci, line);
}

static int start_output(struct run *run, unsigned size)
{
	size_t reported = run->junit ? run->plan->junit_output_bytes : 0;
	size_t recapped = run->recap ? RECAP_ERR_BYTES : 0;
	struct output_settings settings = {
		.mode = run->plan->dry_run ? OUTPUT_GROUP : run->plan->mode,
		.slots = size,
		.to_files_alone = run->plan->results_by_values && run->plan->results,
		.directory = run->temporary_directory,
		.kill = run->cancellation.kill,
		.frames = run->ci.has_frames,
		.collects = run->ci.has_groups,
		.guards_out = ci_guards_output(&run->ci) && run->ci.has_log,
		.guards_err = ci_guards_output(&run->ci),
		.out_tail_bytes = reported,
		.err_tail_bytes = reported > recapped ? reported : recapped,
		.events = {run, output_broke, output_lost, output_delivered,
			run->ci.service == CI_NONE ? NULL : guard_line},
	};

	return output_create(&run->output, &settings);
}

static void choose_terminal(struct run *run)
{
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &run->terminal) < 0 &&
		ioctl(STDERR_FILENO, TIOCGWINSZ, &run->terminal) < 0)
		run->terminal = (struct winsize){.ws_row = 24, .ws_col = 80};
}

static int start_room(struct run *run)
{
	struct room_settings settings = {
		.limits = run->plan->limits,
		.delay_ns = run->plan->delay_ns,
		.root = "",
		.jobserver = run->jobserver,
		.intake = run->cancellation.intake,
	};

	return room_create(&run->room, &settings);
}

static int start_engine(struct run *run)
{
	unsigned size = choose_size(run);
	int error;

	run->color = color_wanted(run->plan->color, STDERR_FILENO);
	choose_terminal(run);
	run->slots = calloc(run->slot_count, sizeof *run->slots);
	if (!run->slots)
		return -ENOMEM;
	error = run_start_jobserver(run, size);
	if (error)
		goto free_slots;
	error = run_open_frames(run);
	if (error)
		goto close_frames;
	error = start_output(run, size);
	if (error)
		goto close_frames;
	error = start_room(run);
	if (error)
		goto destroy_output;
	error = init_surroundings(run);
	if (error)
		goto destroy_room;
	error = leat_pool_create(
		&run->pool, size, queue_length(size), run->cancellation.intake);
	if (error)
		goto finish_surroundings;
	run->surroundings.pool = run->pool;
	if (run->plan->lane)
		error = lanes_create(&run->lanes);
	if (error)
		goto destroy_pool;
	error = run_start_retries(run);
	if (error)
		goto destroy_lanes;
	error = start_signals(run);
	if (error)
		goto stop_retries;
	return 0;
stop_retries:
	retries_stop(run->retries);
destroy_lanes:
	lanes_destroy(run->lanes);
destroy_pool:
	leat_pool_destroy(run->pool);
finish_surroundings:
	surroundings_finish(&run->surroundings);
destroy_room:
	room_destroy(run->room);
destroy_output:
	output_destroy(run->output);
close_frames:
	recap_destroy(run->recap);
free_slots:
	free(run->slots);
	return error;
}

static void stop_engine(struct run *run)
{
	signals_stop(run->signals);
	leat_pool_destroy(run->pool);
	leat_family_unguard(run->surroundings.family);
	lanes_destroy(run->lanes);
	for (unsigned index = 0; index < run->slot_count; index++)
		slot_destroy(run->slots[index]);
	free(run->slots);
	surroundings_finish(&run->surroundings);
	room_destroy(run->room);
	output_destroy(run->output);
	recap_destroy(run->recap);
	jobserver_destroy(run->jobserver);
	run->jobserver = NULL;
}

static bool all_ok(const struct run *run)
{
	return !leat_context_cause(run->cancellation.intake) &&
	       !atomic_load(&run->account.input_cut) &&
	       account_total(&run->account) ==
		       atomic_load(&run->account.counts[TASK_OK]) +
			       atomic_load(&run->account.counts[TASK_SKIPPED]);
}

// They count as done, but not as ok.
static void tell_of_skipped(struct run *run)
{
	uint64_t failed = journal_failed_before(run->journal);

	if (failed && !run->plan->quiet)
		run_say(run,
			"%llu of the skipped had failed: --resume-failed runs them again",
			(unsigned long long)failed);
}

static void print_summary(struct run *run)
{
	const struct plan *plan = run->plan;
	struct text line = {0};

	tell_of_skipped(run);
	run_print_recap(run);
	if (plan->quiet || plan->dry_run ||
		(all_ok(run) && !plan->summary && !isatty(STDERR_FILENO)))
		return;
	account_append_summary(&line, &run->account,
		leat_context_now(run->cancellation.kill) - run->started, run->color);
	output_notice(run->output, &line);
	text_finish(&line);
}

static void run_tasks(struct run *run)
{
	if (rows_are_typed(run->rows) && run->plan->command == COMMAND_LINES)
		message("reading commands from the terminal, one per line, until Ctrl-D");
	run->started = leat_context_now(run->cancellation.kill);
	run_report_start(run);
	run_begin_frames(run);
	read_input(run);
	retries_drain(run->retries);
	leat_pool_wait(run->pool);
	retries_stop(run->retries);
	run->retries = NULL;
	run_give_up_lanes(run);
	run_tell_deadline(run);
	display_stop(run->display);
	run->display = NULL;
	if (leat_context_cause(run->cancellation.intake) == LEAT_CAUSE_DEADLINE &&
		(atomic_load(&run->account.counts[TASK_UNRUN]) ||
			atomic_load(&run->account.input_cut)))
		atomic_store(&run->account.deadline_hit, true);
}

static void finish_unrun(struct run *run)
{
	const char *name = run->plan->unrun_file;
	int error =
		unrun_close(&run->unrun, leat_context_wake_fd(run->cancellation.kill));

	if (error)
		run_cannot_write(run, name, error);
	if (!run->unrun.left_out)
		return;
	run_say(run,
		"%s lacks %" PRIu64
		" of the unrun: a value holds what ends a record (-0) or parts it (-C)",
		name, run->unrun.left_out);
	atomic_store(&run->account.leat_trouble, true);
}

// The greater trouble wins: leat's own, then the signal, then the tasks'. Returns the
// signal to die of, 0: none.
static int deadly_signal(struct run *run)
{
	int number = cancellation_first_signal(&run->cancellation);

	if (atomic_load(&run->pipe_broken))
		return SIGPIPE;
	return atomic_load(&run->account.leat_trouble) ? 0 : number;
}

static int exit_status(const struct run *run)
{
	return run->plan->rules ? run->plan->rules->exit_status(&run->account)
				: account_exit_status(&run->account);
}

int run_final_status(struct run *run)
{
	int number = deadly_signal(run);

	return number ? 128 + number : exit_status(run);
}

static int conclude(struct run *run)
{
	int error;

	output_settle(run->output);
	error = output_error(run->output);
	if (error && cancellation_level(&run->cancellation) < LEVEL_KILL)
		atomic_store(&run->account.leat_trouble, true);
	if (error == -EPIPE && !signals_is_ignored(SIGPIPE))
		atomic_store(&run->pipe_broken, true);
	run_report_end(run);
	run_end_frames(run);
	output_settle(run->output); // while signals can still end the wait for a reader
	stop_engine(run);
	if (deadly_signal(run))
		signals_die_of(deadly_signal(run));
	return exit_status(run);
}

static int run_with_input(struct run *run)
{
	int error = start_engine(run);

	if (error) {
		unrun_drop(&run->unrun);
		message("cannot start: %s", strerror(-error));
		run_drop_reports(run);
		return EXIT_LEAT_TROUBLE;
	}
	run_tasks(run);
	finish_unrun(run);
	signals_settle(run->signals); // the notice stands before the summary
	print_summary(run);
	return conclude(run);
}

int run(const struct plan *plan)
{
	static struct run run; // zero, and large for a stack
	int status;

	run.plan = plan;
	run.temporary_directory = temporary_directory();
	signals_block_first();
	status = run_open(&run);
	if (status != EXIT_ALL_OK) {
		atomic_store(&run.account.leat_trouble, true);
		return plan->rules ? plan->rules->exit_status(&run.account) : status;
	}
	if (plan->nice)
		setpriority(PRIO_PROCESS, 0, plan->nice);
	signals_block();
	if (cancellation_init(&run.cancellation, plan->deadline_ns) < 0 ||
		leat_context_create(&run.undisturbed, NULL, LEAT_NEVER) < 0) {
		message("out of memory");
		return EXIT_LEAT_TROUBLE;
	}
	pthread_mutex_init(&run.held_lock, NULL);
	pthread_cond_init(&run.none_held, NULL);
	status = run_with_input(&run);
	pthread_cond_destroy(&run.none_held);
	pthread_mutex_destroy(&run.held_lock);
	leat_context_destroy(run.undisturbed);
	cancellation_finish(&run.cancellation);
	tasks_destroy(run.tasks);
	recipe_destroy(run.recipe);
	run_close(&run);
	return status;
}
