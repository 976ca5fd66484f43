/*
 * Line by line: whole lines go out as they come, those of both streams under the floor;
 * a begun line stays in the capture until it is whole, or the task has ended.
 */
#include "output_inside.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define CHUNK_BYTES ((size_t)64 * 1024)

// Returns 0 when the whole lines of the sink have gone, or can't.
static int send_lines(struct sink *sink, bool patient)
{
	struct task_output *task = sink->task;
	struct outlet *outlet = &task->output->outlet;
	bool is_err = sink == &task->err, uses_err = is_err || outlet->same_file;
	uint64_t limit = patient ? sink_size(sink) : sink->whole;
	int error;

	if (sink->written >= limit && !sink->tagged.length)
		return 0;
	if (uses_err && patient)
		outlet_take_err(outlet);
	else if (uses_err && !outlet_try_err(outlet))
		return -EAGAIN;
	if (!sink->tagged.length && !sink->sending)
		sink_begin_sending(sink);
	error = sink_send(sink, limit, patient);
	sink->sending = error == -EAGAIN;
	if (uses_err)
		outlet_give_err_back(outlet);
	return error == -EAGAIN ? error : 0;
}

static bool has_lines(const struct sink *sink)
{
	return sink->written < sink->whole || sink->tagged.length;
}

// Both streams' whole lines, under the floor.
static void advance_lines(struct task_output *task)
{
	struct sink *sinks[2] = {&task->out, &task->err};
	struct floor *floor = task->output->floor;

	if (!has_lines(&task->out) && !has_lines(&task->err))
		return;
	if (!floor_want(floor, &task->claim)) {
		for (int index = 0; index < 2; index++)
			if (has_lines(sinks[index]))
				sink_pause(sinks[index], task->claim.wake_fd, POLLIN);
		return;
	}
	for (int index = 0; index < 2; index++) {
		if (send_lines(sinks[index], false) == -EAGAIN) {
			sink_pause_for_channel(sinks[index]);
			return;
		}
		if (sinks[index]->written)
			sink_keep_begun_line(sinks[index]);
		sink_go_on(sinks[index]);
	}
	floor_pass(floor, &task->claim);
}

static ssize_t read_lines(struct sink *sink, int fd)
{
	char chunk[CHUNK_BYTES];
	const char *newline;
	ssize_t got;

	do
		got = read(fd, chunk, sizeof chunk);
	while (got < 0 && errno == EINTR);
	if (got <= 0)
		return got < 0 ? -errno : 0;
	newline = memrchr(chunk, '\n', (size_t)got);
	if (newline)
		sink->whole = sink_size(sink) + (uint64_t)(newline + 1 - chunk);
	leat_capture_append(sink->capture, chunk, (size_t)got);
	return output_keep(sink, got);
}

ssize_t output_lines_take(struct leat_stream *stream, int fd, bool readable)
{
	struct sink *sink = stream->argument;
	ssize_t got = -EAGAIN;

	if (atomic_load(sink->broken))
		return -EPIPE;
	if (readable && !stream->paused)
		got = read_lines(sink, fd);
	if (!stream->last)
		advance_lines(sink->task);
	return got;
}

void output_lines_end(struct task_output *task, const struct text *line)
{
	struct output *output = task->output;

	if (!sink_has_more(&task->out) && !sink_has_more(&task->err) && !line->length &&
		!floor_is_claimed(output->floor, &task->claim))
		return;
	floor_enter(output->floor, &task->claim, true);
	send_lines(&task->out, true);
	send_lines(&task->err, true);
	if (line->length) {
		outlet_take_err(&output->outlet);
		task_output_write_line(task, line);
		outlet_give_err_back(&output->outlet);
	}
	floor_pass(output->floor, &task->claim);
}
