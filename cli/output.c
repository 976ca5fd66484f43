/*
 * The floor.
 *
 * Who writes a task's output has the floor; who writes to standard error has that,
 * too. Both are flags under the lock, so no lock is held while a write blocks; those
 * that want one wait on `free`. Whoever needs both takes the floor first. Standard
 * error is taken before standard output is begun where both are the same file.
 *
 * A notice does not wait: it joins the others in `notices`. Whoever has standard
 * error writes them before giving it back; where nobody has it, the notice's own
 * thread takes it for that. So a notice goes out at once even while the reader of
 * standard output sleeps.
 *
 * Blocking. A reader may stop reading for ever, and the descriptors may be shared
 * with others, so they are neither set to O_NONBLOCK nor written to without looking.
 * A pipe is opened anew through /proc: that gives an open file description of leat's
 * own, which is set to O_NONBLOCK, and large writes. Everything else but a regular
 * file is polled before each small write. Waiting ends with the context `give_up`.
 */
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct channel {
	const char *name;
	int fd;
	bool owned;    //< fd was opened here, with O_NONBLOCK
	bool may_wait; //< a write to it may block
	int error;     //< negative errno that ended it; it is not written any more
	bool reported; //< the error was told
	int wake_fd;
};

struct output {
	struct channel out, err;
	bool same_file; //< standard output and standard error are
	output_broken_fn broken;
	void *argument;

	pthread_mutex_t lock;
	pthread_cond_t free;
	bool taken;          //< somebody has the floor
	bool err_taken;      //< somebody has standard error
	struct text notices; //< to be written by whoever has standard error
};

static void open_channel(struct channel *channel, const char *name, int fd, int wake_fd)
{
	struct stat status;
	char path[32];
	int own = -1;

	*channel = (struct channel){.name = name, .fd = fd, .wake_fd = wake_fd};
	if (fstat(fd, &status) < 0)
		return;
	channel->may_wait = !S_ISREG(status.st_mode);
	if (!S_ISFIFO(status.st_mode))
		return;
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	own = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	if (own < 0)
		return;
	channel->fd = own;
	channel->owned = true;
}

static bool are_same_file(int one, int other)
{
	struct stat a, b;

	return fstat(one, &a) == 0 && fstat(other, &b) == 0 && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

int output_create(struct output **result, struct leat_context *give_up,
	output_broken_fn broken, void *argument)
{
	struct output *output = calloc(1, sizeof *output);
	int wake_fd = leat_context_wake_fd(give_up);

	if (!output || wake_fd < 0) {
		free(output);
		return output ? wake_fd : -ENOMEM;
	}
	open_channel(&output->out, "standard output", STDOUT_FILENO, wake_fd);
	open_channel(&output->err, "standard error", STDERR_FILENO, wake_fd);
	output->same_file = are_same_file(STDOUT_FILENO, STDERR_FILENO);
	output->broken = broken;
	output->argument = argument;
	pthread_mutex_init(&output->lock, NULL);
	pthread_cond_init(&output->free, NULL);
	*result = output;
	return 0;
}

static void close_channel(struct channel *channel)
{
	if (channel->owned)
		close(channel->fd);
}

void output_destroy(struct output *output)
{
	if (!output)
		return;
	close_channel(&output->out);
	close_channel(&output->err);
	pthread_cond_destroy(&output->free);
	pthread_mutex_destroy(&output->lock);
	text_finish(&output->notices);
	free(output);
}

// 0: `fd` takes some bytes, or has an error to tell. -ECANCELED: waiting was given up.
static int wait_writable(const struct channel *channel)
{
	struct pollfd polled[2] = {
		{.fd = channel->fd, .events = POLLOUT},
		{.fd = channel->wake_fd, .events = POLLIN},
	};

	for (;;) {
		if (poll(polled, 2, -1) <= 0)
			continue;
		if (polled[0].revents)
			return 0;
		if (polled[1].revents)
			return -ECANCELED;
	}
}

// How the write of some of the bytes went: their number, or a negative errno.
static ssize_t write_some(const struct channel *channel, const char *bytes, size_t length)
{
	ssize_t written;

	if (channel->may_wait && !channel->owned) {
		int error = wait_writable(channel);

		if (error)
			return error;
		// POLLOUT promises a pipe's PIPE_BUF, and not much of anything else.
		length = length < PIPE_BUF ? length : PIPE_BUF;
	}
	written = write(channel->fd, bytes, length);
	if (written >= 0)
		return written;
	if (errno == EAGAIN)
		return wait_writable(channel);
	return errno == EINTR ? 0 : -errno;
}

static int write_all(void *argument, const char *bytes, size_t length)
{
	struct channel *channel = argument;

	while (length && !channel->error) {
		ssize_t written = write_some(channel, bytes, length);

		if (written < 0) {
			channel->error = (int)written;
			break;
		}
		bytes += written;
		length -= (size_t)written;
	}
	return channel->error;
}

static void take(struct output *output, bool *flag)
{
	pthread_mutex_lock(&output->lock);
	while (*flag)
		pthread_cond_wait(&output->free, &output->lock);
	*flag = true;
	pthread_mutex_unlock(&output->lock);
}

static void give_back(struct output *output, bool *flag)
{
	pthread_mutex_lock(&output->lock);
	*flag = false;
	pthread_cond_broadcast(&output->free);
	pthread_mutex_unlock(&output->lock);
}

// The notices that came in meanwhile go out before standard error is free again.
static void give_err_back(struct output *output)
{
	pthread_mutex_lock(&output->lock);
	while (output->notices.length) {
		struct text notices = output->notices;

		output->notices = (struct text){0};
		pthread_mutex_unlock(&output->lock);
		write_all(&output->err, notices.bytes, notices.length);
		text_finish(&notices);
		pthread_mutex_lock(&output->lock);
	}
	output->err_taken = false;
	pthread_cond_broadcast(&output->free);
	pthread_mutex_unlock(&output->lock);
}

static bool holds_output(const struct leat_capture *capture)
{
	return capture && leat_capture_size(capture) > 0;
}

static void replay(struct channel *channel, struct leat_capture *capture)
{
	int result;

	if (!holds_output(capture) || channel->error)
		return;
	result = leat_capture_replay(capture, write_all, channel);
	if (result && !channel->error) // the temporary file could not be read back
		channel->error = result;
}

// The first error of a channel is reported, once.
static void report_broken(struct output *output, struct channel *channel)
{
	if (!channel->error || channel->reported)
		return;
	channel->reported = true;
	if (channel->error != -ECANCELED)
		output->broken(output->argument, channel->name, -channel->error);
}

void output_task(struct output *output, struct leat_capture *out,
	struct leat_capture *err, const struct text *line)
{
	bool has_out = holds_output(out), has_err = holds_output(err) || line->length;
	bool uses_err = has_err || output->same_file;
	bool err_first = output->same_file || !has_out;

	if (!has_out && !has_err)
		return;
	take(output, &output->taken);
	if (err_first)
		take(output, &output->err_taken);
	replay(&output->out, out);
	if (uses_err && !err_first)
		take(output, &output->err_taken);
	if (has_err) {
		replay(&output->err, err);
		write_all(&output->err, line->bytes, line->length);
		report_broken(output, &output->err);
	}
	if (uses_err)
		give_err_back(output);
	report_broken(output, &output->out);
	give_back(output, &output->taken);
}

void output_notice(struct output *output, const struct text *line)
{
	pthread_mutex_lock(&output->lock);
	text_append(&output->notices, line->bytes, line->length);
	bool taken = output->err_taken;
	output->err_taken = true;
	pthread_mutex_unlock(&output->lock);
	if (!taken)
		give_err_back(output);
}

bool output_is_broken(struct output *output)
{
	bool broken;

	take(output, &output->taken);
	take(output, &output->err_taken);
	broken = output->out.error || output->err.error;
	give_err_back(output);
	give_back(output, &output->taken);
	return broken;
}
