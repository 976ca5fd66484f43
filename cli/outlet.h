/* Standard output and standard error together, with leat's own lines on the latter. */
#ifndef LEAT_CLI_OUTLET_H
#define LEAT_CLI_OUTLET_H

#include "channel.h"
#include "message.h"

#include <pthread.h>

/**
 * `out` belongs to who has the floor; `err` to who has taken it; the rest is guarded by
 * the lock. Where both are the same file, who has the floor takes `err` also for writing
 * to `out`, but for a task that streams: between outlet_begin_out() and
 * outlet_end_out().
 */
struct outlet {
	struct channel out, err;
	bool same_file;      //< both are
	bool shares_display; //< both are the same terminal

	pthread_mutex_t lock;
	pthread_cond_t free;
	bool err_taken;
	bool out_busy;       //< somebody streams to the same file
	struct text notices; //< to be written by whoever has standard error
	struct text status;  //< to stand below everything
	bool status_shown;
	pthread_t crier; //< writes where a notice must not wait
	bool has_crier;
};

/** Open both; `give_up_fd` as in channel_open(). */
void outlet_open(struct outlet *outlet, int give_up_fd);
void outlet_close(struct outlet *outlet);

/** Wait until all notices are written, or given up. */
void outlet_settle(struct outlet *outlet);

/** With the floor, around writing to `out` without having taken `err`. */
void outlet_begin_out(struct outlet *outlet);
void outlet_end_out(struct outlet *outlet);

/** Take standard error; wait for it, or (try) return false where it is taken. The status
 * is erased. */
void outlet_take_err(struct outlet *outlet);
bool outlet_try_err(struct outlet *outlet);

/** Give it back, after the notices that came in meanwhile were written. */
void outlet_give_err_back(struct outlet *outlet);

/**
 * Write `line` to standard error, at once or as soon as it is given back, or its reader
 * takes it. Does not wait for that.
 */
void outlet_notice(struct outlet *outlet, const struct text *line);

/** The same, for what comes with each task: waits, so that nothing piles up. */
void outlet_line(struct outlet *outlet, const struct text *line);

/** With standard error, and the floor where both are the same file: what has been begun
 * as a line gets its end. */
void outlet_end_line(struct outlet *outlet);

/** Have `status` stand below all else that is written to the terminal; NULL: nothing. */
void outlet_set_status(struct outlet *outlet, const struct text *status);

#endif
