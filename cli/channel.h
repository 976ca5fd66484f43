/* Standard output or standard error as leat writes it. */
#ifndef LEAT_CLI_CHANNEL_H
#define LEAT_CLI_CHANNEL_H

#include "leat.h"

#include <poll.h>

/** Written by one thread at a time: whoever has it, see output.c. */
struct channel {
	const char *name; //< "standard output", for messages
	int fd;
	bool owned;      //< fd was opened by channel_open(), with O_NONBLOCK
	bool regular;    //< writes to it do not wait
	bool line_begun; //< the last byte written is no newline
	int error;       //< negative errno that ended it; it is not written any more
	bool reported;   //< the error was told
	bool deepened;   //< the pipe was made larger
	int give_up_fd;  //< readable: a write that blocks is given up
};

/**
 * Make a channel of descriptor `fd`. Writes that block are given up, with -ECANCELED,
 * when `give_up_fd` is readable.
 */
void channel_open(struct channel *channel, const char *name, int fd, int give_up_fd);
void channel_close(struct channel *channel);

/**
 * Write what can be written now. Returns how many bytes, -EAGAIN where the channel takes
 * none now, or the channel's error. Does not block.
 */
ssize_t channel_try(struct channel *channel, const char *bytes, size_t length);

/**
 * Move what the pipe `fd` has to the channel, without a copy, as channel_try(). Returns
 * 0 at the pipe's end; -EINVAL where it does not work with this channel, which is none
 * of its errors.
 */
ssize_t channel_splice(struct channel *channel, int fd);

/**
 * As channel_try(), of what is in the capture's file at `offset`, without a copy. -EINVAL
 * where it has to be done the other way; that is none of the channel's errors.
 */
ssize_t channel_send(
	struct channel *channel, struct leat_capture *capture, uint64_t offset);

/** Whether it takes some bytes now, or has an error. */
bool channel_is_ready(const struct channel *channel);

/** Wait until the channel takes some bytes, has an error, or waiting is given up. */
void channel_wait(struct channel *channel);

/** Write all, and wait where need be. Returns 0 or the channel's error. */
int channel_write(struct channel *channel, const char *bytes, size_t length);

/** Whether both lead to the same file, terminal or pipe. */
bool channel_is_same_file(const struct channel *one, const struct channel *other);

#endif
