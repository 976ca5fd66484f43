/*
 * Output of an attempt that another is to follow. In the modes that do not keep the order
 * it comes out like any other. With the order kept, it comes out in the task's place: at
 * once, where that is the one that may write now, and else with the next attempt's.
 */
#include "output_inside.h"

#include <errno.h>

// The captures with what they hold, for new ones. False: there is no memory for that.
static bool keep_captures(struct task_output *task, struct kept_output *kept)
{
	struct leat_capture *out, *err;

	text_append(&kept->tag, task->tag.bytes, task->tag.length);
	if (kept->tag.failed || !output_make_captures(task->output, &out, &err)) {
		text_finish(&kept->tag);
		return false;
	}
	kept->out = task->out.capture;
	kept->err = task->err.capture;
	task->out.capture = out;
	task->err.capture = err;
	return true;
}

void task_output_pause(
	struct task_output *task, const struct frame *frame, struct kept_output *kept)
{
	struct output *output = task->output;

	if (output->settings.mode != OUTPUT_KEEP) {
		task_output_end(task, frame, NULL);
		return;
	}
	output_is_kept(task);
	if (!output->settings.frames && floor_enter(output->floor, &task->claim, false)) {
		output_write_whole(task, frame);
		floor_release(output->floor, &task->claim);
		outlet_end_out(&output->outlet);
	} else if (!task->out.uses_files) { // else it is in the files
		leat_capture_append(
			task->err.capture, frame->line.bytes, frame->line.length);
		if (!keep_captures(task, kept))
			sink_lose(&task->out, -ENOMEM);
	}
}

void task_output_take_over(struct task_output *task, struct kept_output *kept)
{
	if (!kept->out)
		return;
	leat_capture_destroy(task->out.capture);
	leat_capture_destroy(task->err.capture);
	task->out.capture = kept->out;
	task->err.capture = kept->err;
	task->out.tailed = sink_size(&task->out);
	task->err.tailed = sink_size(&task->err);
	text_finish(&kept->tag);
	*kept = (struct kept_output){0};
}
