/* Standard output and standard error together, with leat's own lines on the latter. */
#ifndef LEAT_CLI_OUTLET_H
#define LEAT_CLI_OUTLET_H

#include "channel.h"
#include "message.h"

#include <pthread.h>

/**
 * `out` belongs to who has the floor, between outlet_begin_out() and outlet_end_out();
 * `err` to who has taken it; the rest is guarded by the lock.
 */
struct outlet {
	struct channel out, err;
	bool same_file;      //< both are
	bool shares_display; //< both are the same terminal

	pthread_mutex_t lock;
	pthread_cond_t free;
	bool err_taken;
	bool out_busy;       //< somebody writes to standard output
	struct text notices; //< to be written by whoever has standard error
	struct text status;  //< to stand below everything
	bool status_shown;
};

/** Open both; `give_up_fd` as in channel_open(). */
void outlet_open(struct outlet *outlet, int give_up_fd);
void outlet_close(struct outlet *outlet);

/** Around all writing to `out`: the status does not stand in the way. */
void outlet_begin_out(struct outlet *outlet);
void outlet_end_out(struct outlet *outlet);

/** Take standard error; wait for it, or (try) return false where it is taken. */
void outlet_take_err(struct outlet *outlet);
bool outlet_try_err(struct outlet *outlet);

/** Give it back, after the notices that came in meanwhile were written. */
void outlet_give_err_back(struct outlet *outlet);

/**
 * Write `line` to standard error, at once or as soon as it is given back. Does not wait
 * for that.
 */
void outlet_notice(struct outlet *outlet, const struct text *line);

/** Have `status` stand below all else that is written to the terminal; NULL: nothing. */
void outlet_set_status(struct outlet *outlet, const struct text *status);

#endif
