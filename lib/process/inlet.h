/* Where the output of a child comes in. */
#ifndef LEAT_PROCESS_INLET_H
#define LEAT_PROCESS_INLET_H

#include "../leat.h"

#include <poll.h>

/** The two ends of a pipe, or of a pseudoterminal. */
struct leat_inlet {
	struct leat_stream *to;
	int read_fd;    //< -1: there is none, or it is at its end
	int write_fd;   //< the child's; -1 once it has been started
	uint64_t bytes; //< that were read
};

/**
 * Open one that leads to `to`; with a `terminal`, a pseudoterminal of that size. `fd`:
 * the child's stream has this descriptor already, and there is nothing to open; -1: it
 * has none. Errors: of pipe2(2), posix_openpt(3), ioctl_tty(2).
 */
int leat_inlet_open(struct leat_inlet *inlet, struct leat_stream *to, int fd,
	const struct winsize *terminal);
void leat_inlet_close(struct leat_inlet *inlet);

/** What there is to wait for: the reading end, unless it is paused, and what the stream's
 * owner waits for. */
void leat_inlet_poll(const struct leat_inlet *inlet, struct pollfd polled[2]);

/** After poll(2): take what came. Returns how many bytes were read, kept or lost. */
size_t leat_inlet_take(struct leat_inlet *inlet, const struct pollfd polled[2]);

#endif
