/*
 * Blocking. A reader may stop reading for ever, and the descriptors may be shared with
 * others, so they are neither set to O_NONBLOCK nor written to without looking. A pipe
 * is opened anew through /proc: that gives an open file description of leat's own, which
 * is set to O_NONBLOCK, and large writes. Everything else but a regular file is polled
 * before each small write.
 */
#include "channel.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define SPLICE_BYTES ((size_t)1 << 20)
#define PIPE_BYTES (1 << 20)
#define DEEP_BYTES ((size_t)64 * 1024)

void channel_open(struct channel *channel, const char *name, int fd, int give_up_fd)
{
	struct stat status;
	char path[32];
	int own = -1;

	*channel = (struct channel){.name = name, .fd = fd, .give_up_fd = give_up_fd};
	if (fstat(fd, &status) < 0)
		return;
	// Major number 1: /dev/null and its like.
	channel->regular = S_ISREG(status.st_mode) ||
			   (S_ISCHR(status.st_mode) && major(status.st_rdev) == 1);
	if (!S_ISFIFO(status.st_mode))
		return;
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	own = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	if (own < 0)
		return;
	channel->fd = own;
	channel->owned = true;
}

void channel_close(struct channel *channel)
{
	if (channel->owned)
		close(channel->fd);
}

bool channel_is_same_file(const struct channel *one, const struct channel *other)
{
	struct stat a, b;

	return fstat(one->fd, &a) == 0 && fstat(other->fd, &b) == 0 &&
	       a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

bool channel_is_ready(const struct channel *channel)
{
	struct pollfd polled = {.fd = channel->fd, .events = POLLOUT};

	return channel->error || channel->regular || poll(&polled, 1, 0) > 0;
}

// What a write or splice that returned `moved` comes to.
static ssize_t conclude(struct channel *channel, ssize_t moved)
{
	if (moved >= 0)
		return moved;
	if (errno == EAGAIN || errno == EINTR)
		return -EAGAIN;
	return channel->error = -errno;
}

// Much that moves at once needs room in the pipe; a reader that sleeps is woken less.
static void deepen(struct channel *channel)
{
	if (channel->owned && !channel->deepened)
		fcntl(channel->fd, F_SETPIPE_SZ, PIPE_BYTES);
	channel->deepened = true;
}

ssize_t channel_try(struct channel *channel, const char *bytes, size_t length)
{
	ssize_t written;

	if (channel->error)
		return channel->error;
	if (!channel->regular && !channel->owned) {
		if (!channel_is_ready(channel))
			return -EAGAIN;
		// POLLOUT promises a pipe's PIPE_BUF, and not much of anything else.
		length = length < PIPE_BUF ? length : PIPE_BUF;
	}
	if (length >= DEEP_BYTES)
		deepen(channel);
	written = conclude(channel, write(channel->fd, bytes, length));
	if (written > 0)
		channel->line_begun = bytes[written - 1] != '\n';
	return written;
}

ssize_t channel_splice(struct channel *channel, int fd)
{
	ssize_t moved;

	if (channel->error)
		return channel->error;
	if (!channel->regular && !channel->owned)
		return -EINVAL;
	deepen(channel);
	moved = splice(fd, NULL, channel->fd, NULL, SPLICE_BYTES,
		SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
	if (moved < 0 && errno == EINVAL) // such as a file opened with O_APPEND
		return -EINVAL;
	if (moved > 0)
		channel->line_begun = false; // who knows
	return conclude(channel, moved);
}

ssize_t channel_send(
	struct channel *channel, struct leat_capture *capture, uint64_t offset)
{
	ssize_t sent;

	if (channel->error)
		return channel->error;
	if (!channel->regular && !channel->owned)
		return -EINVAL;
	deepen(channel);
	sent = leat_capture_send(capture, offset, channel->fd);
	if (sent > 0)
		channel->line_begun = false; // the caller can know
	if (sent == -EPIPE || sent == -ENOSPC)
		channel->error = (int)sent;
	return sent < 0 && sent != -EAGAIN && !channel->error ? -EINVAL : sent;
}

void channel_wait(struct channel *channel)
{
	struct pollfd polled[2] = {
		{.fd = channel->fd, .events = POLLOUT},
		{.fd = channel->give_up_fd, .events = POLLIN},
	};

	for (;;) {
		if (poll(polled, 2, -1) <= 0)
			continue;
		if (!polled[0].revents && polled[1].revents)
			channel->error = -ECANCELED;
		return;
	}
}

int channel_write(struct channel *channel, const char *bytes, size_t length)
{
	while (length && !channel->error) {
		ssize_t written = channel_try(channel, bytes, length);

		if (written == -EAGAIN) {
			channel_wait(channel);
		} else if (written > 0) {
			bytes += written;
			length -= (size_t)written;
		}
	}
	return channel->error;
}
