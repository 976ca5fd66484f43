/* What run.c and its parts share. */
#ifndef LEAT_CLI_RUN_INSIDE_H
#define LEAT_CLI_RUN_INSIDE_H

#include "cancellation.h"
#include "confirm.h"
#include "display.h"
#include "journal/journal.h"
#include "lanes.h"
#include "report/ci.h"
#include "report/events.h"
#include "report/joblog.h"
#include "report/junit.h"
#include "report/recap.h"
#include "report/timeline.h"
#include "retries.h"
#include "rows.h"
#include "signals.h"
#include "slot.h"
#include "unrun.h"

struct run {
	const struct plan *plan;
	struct surroundings surroundings;
	struct cancellation cancellation;
	struct leat_context *undisturbed; //< by any cancellation
	struct leat_pool *pool;
	struct rows *rows;
	struct recipe *recipe;
	struct tasks *tasks;
	struct retries *retries; //< NULL: no task is tried again
	struct lanes *lanes;     //< NULL: no task waits for another
	struct room *room;       //< NULL: no start waits
	char waiting[ROOM_WORDS_BYTES];
	struct jobserver *jobserver; //< NULL: there is none
	unsigned make_jobs;          //< slots that make has; 0: it does not say
	struct confirm confirm;      //< where the plan asks
	const char *temporary_directory;
	struct output *output;
	struct display *display; //< NULL: no progress is shown
	struct winsize terminal;
	bool color;     //< on standard error
	bool has_begun; //< a task was submitted
	atomic_bool deadline_told;
	struct unrun unrun;
	struct journal *journal; //< NULL: none is kept
	struct joblog *joblog;   //< the same
	atomic_bool joblog_broken;
	struct events *events;     //< the same
	struct timeline *timeline; //< the same
	struct junit *junit;       //< the same
	struct ci ci;
	struct recap *recap; //< NULL: none is wanted
	struct account account;
	struct signals *signals;
	struct signals_receiver receiver;
	struct slot **slots; //< by number - 1; each only used by its worker
	unsigned slot_count; //< how many there may be
	atomic_ullong read;  //< tasks read so far
	uint64_t places;     //< tasks that were to be run so far
	uint64_t total;      //< that there will be; 0: not known beforehand
	int64_t started;
	atomic_bool input_done;   //< main reads and counts no more
	atomic_uint running_then; //< tasks that ran when the last signal ended the intake
	atomic_bool notice_due;   //< a signal came before
	atomic_bool notice_given; //< of the first cancellation
	atomic_bool results_broken;
	atomic_bool cold_told; //< that no shell is kept warm
	pthread_mutex_t held_lock;
	pthread_cond_t none_held;
	uint64_t awaited;        //< tasks that were submitted and never began or ended
	unsigned held;           //< tasks that workers have and that have not begun
	unsigned begun;          //< tasks that workers have and that have
	atomic_bool halted;      //< by the plan's wish
	atomic_bool pipe_broken; //< standard output, and SIGPIPE would have killed
};

/** A line of leat's own on standard error, with "leat: " before it. */
void run_say(struct run *run, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/** Raise the level of cancellation, and tell of it. */
void run_cancel(struct run *run, enum level level, int cause);

/* What is told to others of the run. Nothing of it is an error of the caller's: what
 * can't be told ends the run as leat's own trouble. */

/** Open the reports but for the events. EXIT_ALL_OK, or another exit status after a
 * message. */
int run_open_reports(struct run *run);

/** There will be no run: what was begun is dropped, or closed. */
void run_drop_reports(struct run *run);
void run_report_start(struct run *run);
void run_report_attempt_started(
	struct run *run, const struct task *task, const struct slot *slot);

/** Its process has ended, and its output is still the slot's; task->end and ->again say
 * what became of it. `error`: a negative errno where it could not be started. */
void run_report_attempt_ended(struct run *run, const struct task *task,
	const struct leat_outcome *outcome, int error);

/**
 * The same, also of an attempt that could not begin, or was kept from it (-ECANCELED).
 * `slot`: NULL where there is none.
 */
void run_report_tried(struct run *run, struct task *task, const struct slot *slot,
	const struct leat_outcome *outcome, int error);

/** There will be no other attempt, and what it wrote has been seen to. */
void run_report_last_attempt(
	struct run *run, const struct task *task, const struct leat_outcome *outcome);

/** task->end says how; also of one that never ran. */
void run_report_task_ended(struct run *run, struct task *task);

/** Tell how it all ended, and see to it that all that was told is kept. */
void run_report_end(struct run *run);

/** What stands around all output: find out, begin and end it. Errors: -ENOMEM, of
 * getrandom(2) and dup3(2). */
int run_open_frames(struct run *run);
void run_begin_frames(struct run *run);
void run_end_frames(struct run *run);

/** The failed tasks once more, where that is wanted. */
void run_print_recap(struct run *run);

/** Append the line for a task that is not ok, in `slot`; of leat's own, without one: 1.
 */
void run_append_task_line(const struct run *run, const struct task *task, unsigned slot,
	const struct leat_outcome *outcome, int error, struct text *line);

/** Append why it is not ok: "exit 2", "cannot be run: it is too large". */
void run_append_cause(const struct run *run, const struct leat_outcome *outcome,
	int error, struct text *text);

/**
 * An attempt is over, and its output still the slot's: what a CI service wants joins the
 * frame, around the line that is there, and what failed is remembered for the recap.
 */
void run_make_frame(struct run *run, const struct task *task, const struct slot *slot,
	const struct leat_outcome *outcome, int error, struct frame *frame);

/** The frame of what earlier attempts left, of a task that gets no other. */
void run_make_late_frame(struct run *run, const struct task *task, struct frame *frame);

/**
 * Mark a failed task that no run_make_frame() tells the end of: it never had a slot, or
 * its next attempt was given up; and remember it for the recap.
 */
void run_note_failure(struct run *run, const struct task *task,
	const struct leat_outcome *outcome, int error);

/** What the run ends with, where nothing more goes wrong. */
int run_final_status(struct run *run);

/** Open all that the plan names; EXIT_ALL_OK, or another exit status after a message. */
int run_open(struct run *run);
void run_close(struct run *run);

/**
 * Be a client of make's jobserver, if there is one. To be called before any descriptor is
 * opened.
 */
void run_join_jobserver(struct run *run);

/** Make one for `slots`, where the plan asks for it, and be ready to use what there is.
 */
int run_start_jobserver(struct run *run, unsigned slots);

/** Tell of the run's deadline, once, where it has come. */
void run_tell_deadline(struct run *run);

/** What was told of the run can't be kept in the file `name`: say so, and the exit status
 * does, too. */
void run_cannot_write(struct run *run, const char *name, int error);

/** leat can't go on: as if interrupted, and the exit status says so. */
void run_fail(struct run *run);

/**
 * Read tasks and submit them. Returns 0 at the input's end, else why that stopped; the
 * task in hand that was not accepted, if that was why, is in *refused.
 */
int run_read(struct run *run, struct task **refused);

/** A task that is in hand will not be run. */
void run_count_unrun(struct run *run, struct task *task);

/** Read on to count what will not be run, as long as that costs no waiting. */
void run_count_rest(struct run *run, struct task *refused);

struct begun {
	unsigned running;
	unsigned long long unrun; //< so far, and once the intake has ended all that wait
};

/** How many tasks have begun and run, and how many were submitted and never began. */
struct begun run_count_begun(struct run *run);

/** For that, before the task is submitted; `waits` false: it was not accepted. */
void run_note_waiting(struct run *run, struct task *task, bool waits);

/** Wait until those have begun or were given up that workers have or have only just been
 * given: what is unrun of them stands before what is read from now on. To be called after
 * the intake's end, when the pool and the lanes have given up what waited there. */
void run_await_begun(struct run *run);

/** Whoever still waits for its lane will not run. */
void run_give_up_lanes(struct run *run);

/** How many tasks there are to be; 0: that is not known yet. */
uint64_t run_total(struct run *run);

/** Start the display, where it is wanted. Without it the run is none the worse. */
void run_start_display(struct run *run);

/**
 * The task is over, or will never be: `task->end` says how. It is not the caller's any
 * more. Returns whether it is over: else there will be another attempt.
 */
bool run_conclude(struct run *run, struct task *task);

/** Count a task as failed that could not even be tried, and say why. */
void run_fail_task(struct run *run, struct task *task, int error);

/** A task, `argument`, is to end, and can't be signaled (leat_control). */
void run_tell_withstands(void *argument, int error);

/** One task, `argument`, in its worker; and its completion (leat_job_fn). */
void run_task(struct leat_worker *worker, void *argument);
/** Tasks as the lanes have them, as long as some are due (leat_job_fn). */
int run_start_retries(struct run *run);
void run_lanes(struct leat_worker *worker, void *argument);
void run_task_complete(void *argument, const struct leat_completion *completion);

#endif
