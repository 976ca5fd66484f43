/* What goes out: tasks' output, never mixed, and leat's own lines between. */
#ifndef LEAT_CLI_OUTPUT_H
#define LEAT_CLI_OUTPUT_H

#include "frame.h"
#include "leat.h"
#include "sink.h"

enum output_mode {
	OUTPUT_GROUP,    //< a task's whole
	OUTPUT_KEEP,     //< the same, in the order of the input
	OUTPUT_LINES,    //< line by line
	OUTPUT_STRAIGHT, //< not by way of leat
};

struct output_settings {
	enum output_mode mode;
	unsigned slots;      //< how many tasks there may be at the same time
	bool to_files_alone; //< what is kept in files is not written besides
	bool frames;         //< attempts of a task that are kept are written in one frame
	bool collects;       //< a frame's head tells the end: nothing is streamed
	bool guards_out;     //< guard.h
	bool guards_err;
	size_t out_tail_bytes;     //< of a task's standard output, task_output_tail() has
	size_t err_tail_bytes;     //< of its standard error
	const char *directory;     //< for temporary files
	struct leat_context *kill; //< at its end, writes that block are given up
	struct output_events events;
};

struct output;

/** Errors: -ENOMEM, -EMFILE, -ENFILE. */
int output_create(struct output **result, const struct output_settings *settings);

/** No task's output may be in the making. */
void output_destroy(struct output *output);

/**
 * Write a line of leat's own to standard error: at once, or, where that would be in
 * the middle of a task's or its reader sleeps, as soon as that is over. Does not wait.
 */
void output_notice(struct output *output, const struct text *line);

/** The same of what is for who shows the output, and written as it is; or empty. */
void output_command(struct output *output, const struct text *command);

/** Write to standard output, while there are no tasks. Returns 0 or a negative errno. */
int output_print(struct output *output, const char *bytes, size_t length);

/**
 * Write the line of a task that no slot could run, in its place, as for
 * task_output_begin(). Waits for that.
 */
void output_line(struct output *output, uint64_t place, const struct text *line);

/**
 * Have `status` (NULL: nothing) be the last line of the terminal that standard error is,
 * whenever nothing else is being written there.
 */
void output_status(struct output *output, const struct text *status);

/** Wait until all such lines are written, or given up. */
void output_settle(struct output *output);

/** Why standard output or standard error could not be written, a negative errno; 0: both
 * could. To be called when no one writes any more. */
int output_error(const struct output *output);

/* One task's output after the other: each slot has one of these. */
struct task_output;

/** Errors: -ENOMEM, or of eventfd(2). */
int task_output_create(struct task_output **result, struct output *output);
void task_output_destroy(struct task_output *task);

/**
 * Begin with task number `sequence`; `place`, from 1 and without a gap, is where it
 * stands in the order. `tag` is copied; empty: none. To be followed by task_output_end()
 * in any case: in OUTPUT_KEEP, those behind it wait for that. Returns whether there was
 * memory for the tag.
 */
bool task_output_begin(struct task_output *task, uint64_t place, uint64_t sequence,
	const struct text *tag);

/** Output that waits for its task's turn, and for its next attempt; NULL: there is none.
 */
struct kept_output {
	struct leat_capture *out, *err;
	struct text tag;
};

/**
 * As task_output_end(), of an attempt that another is to follow: the task's place in the
 * order stays its own, and what has to wait for that is in *kept, for that attempt's
 * task_output_take_over().
 */
void task_output_pause(
	struct task_output *task, const struct frame *frame, struct kept_output *kept);

/**
 * In place of task_output_begin(), where there is no further attempt: what was kept comes
 * out in its place, in `frame`, and those behind it are waited for no more. Empties
 * *kept, and *frame where both go together.
 */
void output_give_up(struct output *output, uint64_t place, uint64_t sequence,
	struct kept_output *kept, struct frame *frame);

/** After task_output_begin(): what earlier attempts left comes first. Empties *kept. */
void task_output_take_over(struct task_output *task, struct kept_output *kept);

/** Whether there is output of the attempt, and of those before it, to be written to
 * standard output or (`err`) standard error. */
bool task_output_has_more(const struct task_output *task, bool err);

/** Have `line` come before what the task is going to write to standard output. */
void task_output_lead(struct task_output *task, const struct text *line);

/** Have the task's output stay in these files, too; they are owned from now on. */
void task_output_use_files(struct task_output *task, int out_fd, int err_fd);

/** For leat_child_run(); NULL: the task writes to descriptors 1 and 2 itself. */
struct leat_stream *task_output_out(struct task_output *task);
struct leat_stream *task_output_err(struct task_output *task);

/**
 * The end of what an attempt, whose process has ended, wrote to standard output or
 * (`err`) standard error, as many bytes as the settings say; empty where the task writes
 * itself. To be called before task_output_end(), valid until task_output_begin().
 */
const struct text *task_output_tail(struct task_output *task, bool err);

/**
 * The task has ended: see to it that all it wrote is written, in its `frame`, the lines
 * of which go to standard error; the head only in the modes that collect. Blocks while
 * others that have ended are written, and as long as the readers do. When that has been
 * done, here or later by another task's thread, the receiver of events gets the
 * `receipt`, where it is not NULL.
 */
void task_output_end(struct task_output *task, const struct frame *frame, void *receipt);

#endif
