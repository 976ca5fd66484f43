/*
 * What a task writes while it runs, in the modes that collect: into its capture, or,
 * where it has the floor, out. Called by the runner of the child.
 */
#include "output_inside.h"

#include <errno.h>
#include <sys/ioctl.h>

#define SPLICED_BYTES (32 * 1024)

ssize_t output_collect(struct leat_stream *stream, int fd, bool readable)
{
	struct sink *sink = stream->argument;

	if (atomic_load(sink->broken))
		return -EPIPE;
	if (!readable)
		return -EAGAIN;
	if (!stream->last && sink_size(sink) >= sink->task->output->stream_bytes / 2)
		sink_gather(sink, fd);
	return output_keep(sink, leat_capture_read(sink->capture, fd));
}

static bool gets_floor(struct sink *sink)
{
	struct task_output *task = sink->task;
	struct output *output = task->output;

	if (task->streams)
		return true;
	if (output->settings.mode == OUTPUT_KEEP)
		task->streams = floor_holds(output->floor, &task->claim);
	else if (sink_size(sink) >= output->stream_bytes)
		task->streams = floor_try(output->floor, &task->claim);
	if (task->streams) {
		sink_go_on(sink);
		outlet_begin_out(&output->outlet);
		sink_begin_sending(sink);
	}
	return task->streams;
}

// Of a small piece it is better to know how it ends.
static bool is_worth_splicing(int fd)
{
	int waiting = 0;

	return ioctl(fd, FIONREAD, &waiting) == 0 && waiting >= SPLICED_BYTES;
}

// What is collected goes out first, then what comes goes the shortest way.
static ssize_t stream_on(struct sink *sink, int fd, bool readable)
{
	ssize_t got;
	int error = sink_send(sink, sink_size(sink), false);

	if (error)
		return error == -EAGAIN ? sink_pause_for_channel(sink) : error;
	sink_forget_written(sink);
	sink_go_on(sink);
	if (!readable)
		return -EAGAIN;
	sink_gather(sink, fd);
	if (sink->splices && !sink->uses_files && !sink->tail_bytes &&
		is_worth_splicing(fd)) {
		got = channel_splice(sink->channel, fd);
		if (got == -EAGAIN)
			return sink_pause_for_channel(sink);
		sink_check_channel(sink);
		if (got > 0)
			atomic_fetch_add(sink->moved, (unsigned long long)got);
		if (got != -EINVAL)
			return got;
		sink->splices = false;
	}
	got = output_keep(sink, leat_capture_read(sink->capture, fd));
	error = sink_send(sink, sink_size(sink), false);
	if (error == -EAGAIN)
		sink_pause_for_channel(sink);
	return error && error != -EAGAIN ? error : got;
}

static ssize_t collect_or_nap(struct sink *sink, int fd, bool readable)
{
	struct task_output *task = sink->task;

	if (output_naps(task))
		return -EAGAIN;
	sink_go_on(sink);
	if (task->output->settings.mode == OUTPUT_KEEP) // it is waiting in the queue
		sink_watch(sink, task->claim.wake_fd, POLLIN);
	return output_collect(&sink->stream, fd, readable);
}

ssize_t output_stream_take(struct leat_stream *stream, int fd, bool readable)
{
	struct sink *sink = stream->argument;

	if (stream->last || atomic_load(sink->broken))
		return output_collect(stream, fd, readable);
	if (!gets_floor(sink))
		return collect_or_nap(sink, fd, readable);
	return stream_on(sink, fd, readable);
}
