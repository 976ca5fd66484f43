/* The progress line: how far a run is, kept up at a terminal or now and then in a log. */
#ifndef LEAT_CLI_PROGRESS_H
#define LEAT_CLI_PROGRESS_H

#include "message.h"

#include <stdint.h>

#define PROGRESS_REDRAW_NS INT64_C(100000000) //< at a terminal
#define PROGRESS_LOG_NS INT64_C(10000000000)  //< between two lines of a log

struct progress_state {
	uint64_t done;       //< failed ones included
	uint64_t known;      //< tasks read so far
	bool known_is_total; //< there are no more
	uint64_t failed;
	unsigned running;
	int64_t elapsed_ns;
	const char *longest; //< command of the longest running task; NULL: none runs
	size_t longest_length;
	int64_t longest_ns;  //< that it has been running for
	const char *waiting; //< why nothing is started, shown as it is; NULL: it is
};

/**
 * Append the line for a terminal of `columns` columns, one of which stays free, as
 *
 *     [==>         ] 120/500, 3 failed, 4 running, 12/s, 32s left: make -C b (8s)
 *
 * without escape sequences but the colour of the failed, and without a newline. Where
 * there is no room, the bar goes first, then the rate, the command, the time left,
 * `waiting`, the running, the failed. Characters are those of the locale (LC_CTYPE).
 */
void progress_append_line(struct text *line, const struct progress_state *state,
	unsigned columns, bool color);

/** Append the line for a log: "leat: 120/500 done, 3 failed, 4 running, ...", newline. */
void progress_append_plain(struct text *line, const struct progress_state *state);

/** Both are called by the progress thread, which holds no lock. */
struct progress_callbacks {
	void *argument;
	/**
	 * Fill `state`, which is all zero, and copy the command of the longest running
	 * task to `longest_copy`, which is empty; `longest` and `longest_length` are
	 * then set from it. `waiting` must last until the next call.
	 */
	void (*snapshot)(
		void *argument, struct progress_state *state, struct text *longest_copy);
	/** Show the line in the place of the last one; in a log, with its newline. */
	void (*show)(void *argument, const struct text *line);
};

struct progress;

/**
 * Start the thread, with all signals blocked. It shows nothing for `delay_ns`; then a
 * line every PROGRESS_REDRAW_NS, as wide as the terminal `terminal_fd` is at that
 * moment. Where that is -1: a log, a line every PROGRESS_LOG_NS if anything happened
 * since the last. Errors: -ENOMEM, -EAGAIN.
 */
int progress_start(struct progress **result, const struct progress_callbacks *callbacks,
	int terminal_fd, bool color, int64_t delay_ns);

/**
 * End the thread: when this returns, no callback runs or will. To be called without a
 * lock that they take. NULL: does nothing.
 */
void progress_stop(struct progress *progress);

#endif
