/* What output.c and its parts share. */
#ifndef LEAT_CLI_OUTPUT_INSIDE_H
#define LEAT_CLI_OUTPUT_INSIDE_H

#include "floor.h"
#include "outlet.h"
#include "output.h"

struct output {
	struct output_settings settings;
	struct outlet outlet;
	struct floor *floor; //< NULL: tasks write themselves
	size_t stream_bytes;
	atomic_bool out_broken, err_broken;
	atomic_ullong moved; //< bytes written of all tasks
	unsigned matched[2]; //< of each channel, by guard.h; with the floor
};

struct task_output {
	struct output *output;
	struct sink out, err;
	struct text tag;
	uint64_t sequence;
	struct claim claim;
	bool streams;             //< has the floor while it runs; not by lines
	bool is_lost;             //< some of what it wrote, which was told
	int nap_fd;               //< a timer, for one that is held back; -1: none yet
	int64_t look_again_ns;    //< when to look how much has moved
	unsigned long long moved; //< how much had then
};

/** With the floor and standard error: write leat's own line of the task. */
void task_output_write_line(struct task_output *task, const struct text *line);

/** With the floor: write all the task wrote, in its frame; without any output and line,
 * nothing. */
void output_write_whole(struct task_output *task, const struct frame *frame);

/** Whether all that the task wrote could be collected; else it is told that it was not,
 * once. */
bool output_is_kept(struct task_output *task);

/** What `take` is to return, where it has `got` so many bytes: -EPIPE where they could
 * not be collected, which is told at once, as the capture may be emptied before the end.
 */
ssize_t output_keep(struct sink *sink, ssize_t got);

/** Two empty captures for a task's streams, or none and false: there is no memory. */
bool output_make_captures(const struct output *output, struct leat_capture **out,
	struct leat_capture **err);

/** Whether the task is held back for a moment: its standard output is paused then. */
bool output_naps(struct task_output *task);

/** `take` of a stream that is collected until its task has ended, and of one that goes
 * out as it comes once the task has the floor. */
ssize_t output_collect(struct leat_stream *stream, int fd, bool readable);
ssize_t output_stream_take(struct leat_stream *stream, int fd, bool readable);

/** The mode OUTPUT_LINES: `take` of both streams, and task_output_end(). */
ssize_t output_lines_take(struct leat_stream *stream, int fd, bool readable);
void output_lines_end(struct task_output *task, const struct text *line);

#endif
