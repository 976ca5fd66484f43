#include "sink.h"

#include "guard.h"
#include "moment.h"
#include "tag.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#define CHUNK_BYTES ((size_t)64 * 1024)
#define MADE_BYTES ((size_t)1 << 20)
#define PIPE_BYTES (1 << 20)
#define JUST_NOW_NS (LEAT_SECOND_NS / 2000)
#define LITTLE_BYTES (256 * 1024)
#define GATHER_NS 60000 // and the timer's slack: prctl(2), PR_SET_TIMERSLACK

// How many bytes went; -EAGAIN: the channel takes none now; or its error.
static ssize_t put(struct sink *sink, const char *bytes, size_t length, bool patient)
{
	ssize_t written = (ssize_t)length;
	int error = 0;

	if (patient)
		error = channel_write(sink->channel, bytes, length);
	else
		written = channel_try(sink->channel, bytes, length);
	if (!error && written > 0)
		atomic_fetch_add(sink->moved, (unsigned long long)written);
	return error ? error : written;
}

static int send_tagged(struct sink *sink, bool patient)
{
	if (sink->tagged.failed)
		return -ENOMEM;
	while (sink->tagged_written < sink->tagged.length) {
		ssize_t length = put(sink, sink->tagged.bytes + sink->tagged_written,
			sink->tagged.length - sink->tagged_written, patient);

		if (length < 0)
			return (int)length;
		sink->tagged_written += (size_t)length;
	}
	sink->tagged.length = sink->tagged_written = 0;
	return 0;
}

// What is to be written of `bytes` that are not written as they are.
static void append_made(struct sink *sink, const char *bytes, size_t length)
{
	struct text tagged = {0};
	struct text *to = sink->guarded ? &tagged : &sink->tagged;

	if (sink->tag->length) {
		tag_append(to, sink->tag, bytes, length, &sink->line_begun);
		bytes = tagged.bytes;
		length = tagged.length;
	} else if (!sink->guarded) {
		text_append(to, bytes, length);
	}
	if (sink->guarded) // the tag, too
		guard_append(&sink->tagged, bytes, length, sink->matched);
	sink->tagged.failed |= tagged.failed;
	text_finish(&tagged);
}

// Of how many bytes at once something is made: were all of them empty lines, each would
// get the tag.
static size_t most_to_make(const struct sink *sink)
{
	size_t most = MADE_BYTES / (sink->tag->length + 1);

	return most > CHUNK_BYTES ? CHUNK_BYTES : most ? most : 1;
}

uint64_t sink_size(const struct sink *sink)
{
	return sink->capture ? leat_capture_size(sink->capture) : 0;
}

// As put(), of the capture's file; -EINVAL: it has to be done the other way.
static ssize_t put_file(struct sink *sink, uint64_t limit, bool patient)
{
	ssize_t sent;

	bool is_begun_line = sink->by_lines && limit > sink->whole;

	if (!sink->splices || limit < sink_size(sink) || is_begun_line)
		return -EINVAL;
	while ((sent = channel_send(sink->channel, sink->capture, sink->written)) ==
			-EAGAIN &&
		patient)
		channel_wait(sink->channel);
	if (sent > 0)
		atomic_fetch_add(sink->moved, (unsigned long long)sent);
	return sent;
}

// What went without a copy was not looked at.
static void note_begun_line(struct sink *sink)
{
	const char *last;
	char byte;

	if (leat_capture_view(sink->capture, sink->written - 1, &byte, 1, &last) > 0)
		sink->channel->line_begun = *last != '\n';
}

static int send_up_to(struct sink *sink, uint64_t limit, bool patient)
{
	bool as_it_is = !sink->tag->length && !sink->guarded;
	char chunk[CHUNK_BYTES];
	const char *bytes;

	for (;;) {
		int error = send_tagged(sink, patient);
		ssize_t length;

		if (error || sink->written >= limit)
			return error;
		length = put_file(sink, limit, patient);
		if (length > 0) {
			sink->written += (uint64_t)length;
			note_begun_line(sink);
			continue;
		}
		if (length != -EINVAL && length < 0)
			return (int)length;
		length = leat_capture_view(
			sink->capture, sink->written, chunk, sizeof chunk, &bytes);
		if (length > (ssize_t)(limit - sink->written))
			length = (ssize_t)(limit - sink->written);
		if (length > 0 && !as_it_is) {
			if (length > (ssize_t)most_to_make(sink))
				length = (ssize_t)most_to_make(sink);
			append_made(sink, bytes, (size_t)length);
		} else if (length > 0) {
			length = put(sink, bytes, (size_t)length, patient);
		}
		if (length <= 0)
			return length ? (int)length : -EIO;
		sink->written += (uint64_t)length;
	}
}

bool sink_has_more(const struct sink *sink)
{
	return sink_size(sink) > sink->written || sink->tagged.length;
}

static void append_to_tail(struct sink *sink, uint64_t from, uint64_t limit)
{
	char chunk[CHUNK_BYTES];
	const char *bytes;

	while (from < limit) {
		ssize_t length = leat_capture_view(
			sink->capture, from, chunk, sizeof chunk, &bytes);

		if (length <= 0)
			return;
		if (length > (ssize_t)(limit - from))
			length = (ssize_t)(limit - from);
		text_append(&sink->tail, bytes, (size_t)length);
		from += (uint64_t)length;
	}
}

void sink_note_tail(struct sink *sink, uint64_t limit)
{
	struct text *tail = &sink->tail;
	uint64_t from = sink->tailed;

	if (!sink->tail_bytes || limit <= from)
		return;
	if (limit - from >= sink->tail_bytes) {
		from = limit - sink->tail_bytes;
		tail->length = 0;
	}
	append_to_tail(sink, from, limit);
	if (tail->length > sink->tail_bytes) {
		size_t surplus = tail->length - sink->tail_bytes;

		tail->length -= surplus;
		memmove(tail->bytes, tail->bytes + surplus, tail->length);
	}
	sink->tailed = limit;
}

static void empty_capture(struct sink *sink)
{
	leat_capture_reset(sink->capture);
	sink->written = sink->whole = sink->tailed = 0;
}

void sink_forget_written(struct sink *sink)
{
	if (!sink_size(sink) || sink->uses_files)
		return;
	sink_note_tail(sink, sink_size(sink));
	empty_capture(sink);
}

void sink_begin_sending(struct sink *sink)
{
	bool begun = sink->channel->line_begun;

	if (!sink->by_lines && !sink->tag->length)
		return;
	if (sink->beside) {
		begun = begun || sink->beside->line_begun;
		sink->beside->line_begun = false;
	}
	if (begun)
		text_append(&sink->tagged, "\n", 1);
}

void sink_check_channel(struct sink *sink)
{
	const struct output_events *events = sink->events;
	struct channel *channel = sink->channel;

	if (!channel->error || channel->reported)
		return;
	channel->reported = true;
	atomic_store(sink->broken, true);
	if (channel->error != -ECANCELED)
		events->broken(events->argument, channel->name, -channel->error);
}

int sink_send(struct sink *sink, uint64_t limit, bool patient)
{
	int error = send_up_to(sink, limit, patient);

	sink_check_channel(sink);
	if (error && error != -EAGAIN && !sink->channel->error)
		sink_lose(sink, error);
	return error;
}

void sink_lose(struct sink *sink, int error)
{
	if (!*sink->is_lost)
		sink->events->lost(sink->events->argument, sink->sequence, -error);
	*sink->is_lost = true;
}

void sink_keep_begun_line(struct sink *sink)
{
	char rest[CHUNK_BYTES];
	uint64_t left = sink_size(sink) - sink->written;
	const char *bytes;
	size_t length = 0;

	if (sink->uses_files || left > sizeof rest)
		return;
	while (length < left) {
		ssize_t got = leat_capture_view(sink->capture, sink->written + length,
			rest + length, sizeof rest - length, &bytes);

		if (got <= 0)
			return;
		memmove(rest + length, bytes, (size_t)got);
		length += (size_t)got;
	}
	sink_note_tail(sink, sink->written);
	empty_capture(sink);
	leat_capture_append(sink->capture, rest, length);
}

void sink_watch(struct sink *sink, int fd, short events)
{
	sink->stream.also_fd = fd;
	sink->stream.also_events = events;
}

ssize_t sink_pause(struct sink *sink, int fd, short events)
{
	sink->stream.paused = true;
	sink_watch(sink, fd, events);
	return -EAGAIN;
}

ssize_t sink_pause_for_channel(struct sink *sink)
{
	return sink_pause(sink, sink->channel->fd, POLLOUT);
}

void sink_go_on(struct sink *sink)
{
	sink->stream.paused = false;
	sink->stream.also_fd = -1;
}

void sink_gather(struct sink *sink, int fd)
{
	int waiting = 0;

	if (!sink->deepened)
		fcntl(fd, F_SETPIPE_SZ, PIPE_BYTES);
	sink->deepened = true;
	if (moment_monotonic_ns() - sink->gathered_ns < JUST_NOW_NS &&
		ioctl(fd, FIONREAD, &waiting) == 0 && waiting < LITTLE_BYTES)
		nanosleep(&(struct timespec){.tv_nsec = GATHER_NS}, NULL);
	sink->gathered_ns = moment_monotonic_ns();
}
