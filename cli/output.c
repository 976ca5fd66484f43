/*
 * A task's output, from its pipes to leat's own standard output and standard error.
 *
 * Each of a task's two streams goes into a capture first, and from there to its channel:
 * `written` tells how far. In the modes that collect (group, keep) that begins when the
 * task has ended, or once it has the floor while it runs (floor.c): then it streams,
 * which for a pipe to a pipe is a splice(2) without the capture, and the capture is
 * emptied as soon as all of it is written. Only standard output is streamed so; standard
 * error follows at the end, in the same place.
 *
 *                 asks for the floor                          writes
 *   group         when its memory is full, and at its end     all there is
 *   keep          from the start, it is in the input's order  all there is
 *   lines         when whole lines are there                  up to the last newline
 *
 * A task that has ended without the floor, while one that runs has it, leaves its
 * output behind as a parcel, for whoever passes the floor on.
 *
 * A stream that can't write now pauses: the runner of the child waits for the channel
 * (or for the floor's wake descriptor) in place of the pipe, so that neither a timeout
 * nor a cancellation waits for a reader. When the child has ended, what its pipes still
 * hold goes into the capture, and task_output_end() writes it, with patience.
 *
 * Once a channel is broken, what goes there is closed: a task that writes on gets
 * SIGPIPE, as it would have without leat.
 */
#include "output_inside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

// In memory: of one stream, and of all together where there are many slots.
#define STREAM_BYTES ((size_t)512 * 1024)
#define STREAM_BYTES_LEAST ((size_t)16 * 1024)
#define STREAMS_BYTES ((size_t)64 << 20)

/* ---- when the task has ended ---- */

void task_output_write_line(struct task_output *task, const struct text *line)
{
	struct outlet *outlet = &task->output->outlet;

	if (!line->length)
		return;
	outlet_end_line(outlet);
	channel_write(&outlet->err, line->bytes, line->length);
	sink_check_channel(&task->err);
}

// With the floor: standard output, standard error and the line, with nothing between.
// Standard error is taken before standard output is begun where both are the same file.
void output_write_whole(struct task_output *task, const struct frame *frame)
{
	struct outlet *outlet = &task->output->outlet;
	bool has_err = sink_has_more(&task->err) || frame->line.length;
	bool uses_err = has_err || outlet->same_file;
	bool err_first = outlet->same_file || !sink_has_more(&task->out);

	if (!sink_has_more(&task->out) && !has_err)
		return;
	if (err_first) {
		outlet_take_err(outlet);
		task_output_write_line(task, &frame->head);
	}
	if (sink_has_more(&task->out)) {
		if (!task->streams)
			sink_begin_sending(&task->out);
		sink_send(&task->out, sink_size(&task->out), true);
	}
	if (uses_err && !err_first) {
		outlet_take_err(outlet);
		task_output_write_line(task, &frame->head);
	}
	if (sink_has_more(&task->err)) {
		sink_begin_sending(&task->err);
		sink_send(&task->err, sink_size(&task->err), true);
	}
	task_output_write_line(task, &frame->line);
	if (uses_err)
		outlet_give_err_back(outlet);
}

static void init_sink(struct sink *sink, struct task_output *task, bool is_err)
{
	struct output *output = task->output;
	struct outlet *outlet = &output->outlet;

	*sink = (struct sink){
		.task = task,
		.channel = is_err ? &outlet->err : &outlet->out,
		.beside = !outlet->same_file ? NULL
			  : is_err           ? &outlet->out
					     : &outlet->err,
		.broken = is_err ? &output->err_broken : &output->out_broken,
		.moved = &output->moved,
		.events = &output->settings.events,
		.tag = &task->tag,
		.sequence = task->sequence,
		.is_lost = &task->is_lost,
		.by_lines = output->settings.mode == OUTPUT_LINES,
		.guarded = is_err ? output->settings.guards_err
				  : output->settings.guards_out,
		.matched = &output->matched[is_err && !outlet->same_file],
		.tail_bytes = is_err ? output->settings.err_tail_bytes
				     : output->settings.out_tail_bytes,
	};
}

// Once a channel is broken, nobody knows what of it came through.
static void deliver(struct output *output, void *receipt, bool whole)
{
	const struct output_events *events = &output->settings.events;

	if (receipt)
		events->delivered(events->argument, receipt,
			whole && !atomic_load(&output->out_broken) &&
				!atomic_load(&output->err_broken));
}

static void write_parcel(struct output *output, struct parcel *parcel)
{
	struct task_output task = {
		.output = output, .tag = parcel->tag, .sequence = parcel->sequence};

	init_sink(&task.out, &task, false);
	init_sink(&task.err, &task, true);
	task.out.capture = parcel->out;
	task.err.capture = parcel->err;
	task.out.splices = !parcel->tag.length && !task.out.guarded;
	task.err.splices = !parcel->tag.length && !task.err.guarded;
	if (parcel->error)
		sink_lose(&task.out, parcel->error);
	output_write_whole(&task, &parcel->frame);
	text_finish(&task.out.tagged);
	text_finish(&task.err.tagged);
	deliver(output, parcel->receipt, !task.is_lost);
}

// The floor, which the task has, goes to the next, after what was left behind.
static void pass_on(struct task_output *task)
{
	struct output *output = task->output;
	struct parcel *parcel;

	while ((parcel = floor_pass(output->floor, &task->claim))) {
		write_parcel(output, parcel);
		parcel_destroy(parcel);
	}
	outlet_end_out(&output->outlet);
}

bool output_make_captures(
	const struct output *output, struct leat_capture **out, struct leat_capture **err)
{
	const char *directory = output->settings.directory;

	if (leat_capture_create(out, output->stream_bytes, directory) < 0)
		return false;
	if (leat_capture_create(err, output->stream_bytes, directory) == 0)
		return true;
	leat_capture_destroy(*out);
	return false;
}

// The parcel gets the captures, the task new ones. NULL: there is no memory for that.
static struct parcel *make_parcel(
	struct task_output *task, const struct frame *frame, void *receipt)
{
	struct parcel *parcel = calloc(1, sizeof *parcel);
	struct leat_capture *out, *err;

	if (!parcel)
		return NULL;
	text_append(&parcel->tag, task->tag.bytes, task->tag.length);
	text_append(&parcel->frame.head, frame->head.bytes, frame->head.length);
	text_append(&parcel->frame.line, frame->line.bytes, frame->line.length);
	if (parcel->tag.failed || parcel->frame.head.failed ||
		parcel->frame.line.failed ||
		!output_make_captures(task->output, &out, &err)) {
		text_finish(&parcel->tag);
		frame_finish(&parcel->frame);
		free(parcel);
		return NULL;
	}
	if (!sink_has_more(&task->out))
		leat_capture_reset(task->out.capture); // of the file it may have, too
	if (!sink_has_more(&task->err))
		leat_capture_reset(task->err.capture);
	parcel->sequence = task->sequence;
	parcel->receipt = receipt;
	parcel->out = task->out.capture;
	parcel->err = task->err.capture;
	task->out.capture = out;
	task->err.capture = err;
	return parcel;
}

// Returns whether that was done; else it was left behind, with the receipt.
static bool end_whole(struct task_output *task, const struct frame *frame, void *receipt)
{
	struct output *output = task->output;
	bool ordered = output->settings.mode == OUTPUT_KEEP;
	struct parcel *parcel;

	if (!ordered && !task->streams && !sink_has_more(&task->out) &&
		!sink_has_more(&task->err) && !frame->line.length)
		return true;
	if (floor_enter(output->floor, &task->claim, false)) {
		output_write_whole(task, frame);
		pass_on(task);
		return true;
	}
	parcel = make_parcel(task, frame, receipt);
	if (parcel && floor_leave_behind(output->floor, &task->claim, parcel))
		return false;
	if (!parcel)
		floor_enter(output->floor, &task->claim, true);
	if (parcel)
		write_parcel(output, parcel);
	else
		output_write_whole(task, frame);
	pass_on(task);
	parcel_destroy(parcel);
	return !parcel;
}

bool output_is_kept(struct task_output *task)
{
	int error = leat_capture_error(task->out.capture);

	if (!error)
		error = leat_capture_error(task->err.capture);
	if (error)
		sink_lose(&task->out, error);
	return !task->is_lost;
}

ssize_t output_keep(struct sink *sink, ssize_t got)
{
	if (!leat_capture_error(sink->capture))
		return got;
	output_is_kept(sink->task);
	return -EPIPE;
}

void task_output_end(struct task_output *task, const struct frame *frame, void *receipt)
{
	struct output *output = task->output;
	bool whole, done = true;

	if (!output->floor) {
		if (frame->line.length)
			outlet_line(&output->outlet, &frame->line);
		deliver(output, receipt, true);
		return;
	}
	whole = output_is_kept(task);
	if (task->out.uses_files && output->settings.to_files_alone) {
		task->out.written = sink_size(&task->out);
		task->err.written = sink_size(&task->err);
	}
	if (output->settings.mode == OUTPUT_LINES)
		output_lines_end(task, &frame->line);
	else
		done = end_whole(task, frame, whole ? receipt : NULL);
	if (done || !whole)
		deliver(output, receipt, !task->is_lost);
}

void output_give_up(struct output *output, uint64_t place, uint64_t sequence,
	struct kept_output *kept, struct frame *frame)
{
	struct task_output task = {
		.output = output,
		.claim = {.key = place, .wake_fd = -1},
	};
	struct parcel *parcel;

	if (output->settings.mode != OUTPUT_KEEP)
		return;
	parcel = calloc(1, sizeof *parcel);
	if (parcel)
		*parcel = (struct parcel){.sequence = sequence,
			.out = kept->out,
			.err = kept->err,
			.tag = kept->tag,
			.frame = *frame};
	else
		output->settings.events.lost(
			output->settings.events.argument, sequence, ENOMEM);
	if (!floor_enter(output->floor, &task.claim, !parcel) &&
		floor_leave_behind(output->floor, &task.claim, parcel)) {
		*kept = (struct kept_output){0};
		*frame = (struct frame){0};
		return;
	}
	if (parcel) {
		write_parcel(output, parcel);
		*kept = (struct kept_output){0};
		*frame = (struct frame){0};
	}
	pass_on(&task);
	parcel_destroy(parcel);
}

static void append_guarded(
	const struct output *output, const struct text *line, struct text *guarded)
{
	const struct output_events *events = &output->settings.events;

	text_append(guarded, line->bytes, line->length);
	if (events->guard)
		events->guard(events->argument, guarded);
}

void output_line(struct output *output, uint64_t place, const struct text *line)
{
	struct frame frame = {0};
	struct task_output task = {
		.output = output,
		.claim = {.key = place, .wake_fd = -1},
	};

	if (output->settings.mode != OUTPUT_GROUP &&
		output->settings.mode != OUTPUT_KEEP) {
		output_notice(output, line);
		return;
	}
	append_guarded(output, line, &frame.line);
	init_sink(&task.out, &task, false);
	init_sink(&task.err, &task, true);
	floor_enter(output->floor, &task.claim, true);
	output_write_whole(&task, &frame);
	pass_on(&task);
	frame_finish(&frame);
}

/* ---- a task's beginning ---- */

static int create_sink(struct sink *sink, struct task_output *task, bool is_err)
{
	const struct output *output = task->output;

	init_sink(sink, task, is_err);
	return leat_capture_create(
		&sink->capture, output->stream_bytes, output->settings.directory);
}

int task_output_create(struct task_output **result, struct output *output)
{
	struct task_output *task = calloc(1, sizeof *task);
	int error = 0;

	if (!task)
		return -ENOMEM;
	task->output = output;
	task->claim.wake_fd = task->nap_fd = -1;
	if (output->floor)
		error = create_sink(&task->out, task, false);
	if (output->floor && !error)
		error = create_sink(&task->err, task, true);
	if (!error && (output->settings.mode == OUTPUT_KEEP ||
			      output->settings.mode == OUTPUT_LINES)) {
		task->claim.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		error = task->claim.wake_fd < 0 ? -errno : 0;
	}
	if (error)
		task_output_destroy(task);
	else
		*result = task;
	return error;
}

void task_output_destroy(struct task_output *task)
{
	if (!task)
		return;
	if (task->claim.wake_fd >= 0)
		close(task->claim.wake_fd);
	if (task->nap_fd >= 0)
		close(task->nap_fd);
	leat_capture_destroy(task->out.capture);
	leat_capture_destroy(task->err.capture);
	text_finish(&task->out.tagged);
	text_finish(&task->err.tagged);
	text_finish(&task->out.tail);
	text_finish(&task->err.tail);
	text_finish(&task->tag);
	free(task);
}

static void begin_sink(struct sink *sink)
{
	const struct task_output *task = sink->task;
	bool lines = task->output->settings.mode == OUTPUT_LINES;
	bool is_out = sink == &task->out;

	leat_capture_reset(sink->capture);
	sink->written = sink->whole = sink->tailed = 0;
	sink->tail.length = 0;
	sink->tagged.length = sink->tagged_written = 0;
	sink->tagged.failed = false;
	sink->line_begun = sink->deepened = sink->sending = false;
	sink->sequence = task->sequence;
	sink->uses_files = false;
	sink->splices = !task->tag.length && !sink->guarded;
	sink->stream = (struct leat_stream){
		.take = lines                                        ? output_lines_take
			: is_out && !task->output->settings.collects ? output_stream_take
								     : output_collect,
		.argument = sink,
		.also_fd = -1,
	};
}

bool task_output_begin(struct task_output *task, uint64_t place, uint64_t sequence,
	const struct text *tag)
{
	struct output *output = task->output;

	task->sequence = sequence;
	task->streams = task->is_lost = false;
	task->look_again_ns = 0;
	if (!output->floor)
		return true;
	task->tag.length = 0;
	task->tag.failed = tag->failed;
	text_append(&task->tag, tag->bytes, tag->length);
	begin_sink(&task->out);
	begin_sink(&task->err);
	task->claim.key = place;
	// Once it is the task's turn, what it has written goes out even if it writes no
	// more.
	if (output->settings.mode == OUTPUT_KEEP && !output->settings.collects &&
		!floor_want(output->floor, &task->claim))
		sink_watch(&task->out, task->claim.wake_fd, POLLIN);
	return !task->tag.failed;
}

void task_output_lead(struct task_output *task, const struct text *line)
{
	if (!task->output->floor) {
		output_print(task->output, line->bytes, line->length);
		return;
	}
	leat_capture_append(task->out.capture, line->bytes, line->length);
	task->out.whole = sink_size(&task->out);
}

void task_output_use_files(struct task_output *task, int out_fd, int err_fd)
{
	if (task->output->settings.to_files_alone)
		task->out.stream.take = task->err.stream.take = output_collect;
	leat_capture_use_file(task->out.capture, out_fd);
	leat_capture_use_file(task->err.capture, err_fd);
	task->out.uses_files = task->err.uses_files = true;
}

const struct text *task_output_tail(struct task_output *task, bool err)
{
	struct sink *sink = err ? &task->err : &task->out;

	sink_note_tail(sink, sink_size(sink));
	return &sink->tail;
}

bool task_output_has_more(const struct task_output *task, bool err)
{
	return sink_has_more(err ? &task->err : &task->out);
}

struct leat_stream *task_output_out(struct task_output *task)
{
	return task->output->floor ? &task->out.stream : NULL;
}

struct leat_stream *task_output_err(struct task_output *task)
{
	return task->output->floor ? &task->err.stream : NULL;
}

/* ---- all of it ---- */

static size_t choose_stream_bytes(unsigned slots)
{
	size_t bytes = STREAMS_BYTES / 2 / slots;

	if (bytes > STREAM_BYTES)
		return STREAM_BYTES;
	return bytes < STREAM_BYTES_LEAST ? STREAM_BYTES_LEAST : bytes;
}

int output_create(struct output **result, const struct output_settings *settings)
{
	struct output *output = calloc(1, sizeof *output);
	int wake_fd = leat_context_wake_fd(settings->kill);
	int error = 0;

	if (!output || wake_fd < 0) {
		free(output);
		return output ? wake_fd : -ENOMEM;
	}
	output->settings = *settings;
	output->stream_bytes = choose_stream_bytes(settings->slots);
	if (settings->mode != OUTPUT_STRAIGHT)
		error = floor_create(&output->floor, settings->mode == OUTPUT_KEEP,
			settings->directory, settings->slots);
	if (error) {
		free(output);
		return error;
	}
	outlet_open(&output->outlet, wake_fd);
	*result = output;
	return 0;
}

void output_destroy(struct output *output)
{
	if (!output)
		return;
	outlet_close(&output->outlet);
	floor_destroy(output->floor);
	free(output);
}

void output_notice(struct output *output, const struct text *line)
{
	struct text guarded = {0};

	append_guarded(output, line, &guarded);
	outlet_notice(&output->outlet, &guarded);
	text_finish(&guarded);
}

void output_command(struct output *output, const struct text *command)
{
	if (command->length)
		outlet_line(&output->outlet, command);
}

void output_status(struct output *output, const struct text *status)
{
	outlet_set_status(&output->outlet, status);
}

int output_print(struct output *output, const char *bytes, size_t length)
{
	struct channel *out = &output->outlet.out;

	outlet_begin_out(&output->outlet);
	channel_write(out, bytes, length);
	outlet_end_out(&output->outlet);
	return out->error;
}

void output_settle(struct output *output)
{
	outlet_settle(&output->outlet);
}

int output_error(const struct output *output)
{
	int out = output->outlet.out.error, err = output->outlet.err.error;

	return out == -ECANCELED ? -ECANCELED : out ? out : err;
}
