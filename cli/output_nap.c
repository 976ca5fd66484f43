/*
 * Who has collected much is held back for as long as the floor moves bytes faster than
 * they could be used elsewhere: it looks again every few thousandths of a second. So of a
 * lot of output little has to take the way by a file, which costs all of them; and where
 * the floor is slow, or stands still, nobody waits for it.
 */
#include "output_inside.h"

#include <sys/timerfd.h>

// Who has collected so much is held back while so much moves in such a time.
#define HELD_BACK_BYTES ((uint64_t)4 << 20)
#define MOVING_BYTES (2U << 20)
#define LOOK_AGAIN_NS (LEAT_SECOND_NS / 200)

static bool is_to_nap(struct task_output *task)
{
	struct output *output = task->output;
	int64_t now = leat_context_now(output->settings.kill);
	unsigned long long moved, before = task->moved;

	if (sink_size(&task->out) < HELD_BACK_BYTES || task->out.uses_files ||
		now < task->look_again_ns)
		return false;
	moved = atomic_load(&output->moved);
	task->moved = moved;
	task->look_again_ns = now + LOOK_AGAIN_NS;
	return moved - before >= MOVING_BYTES;
}

// Until it is time to look again. Without a timer nobody is held back.
static bool begin_nap(struct task_output *task)
{
	struct itimerspec time = {.it_value.tv_nsec = LOOK_AGAIN_NS};

	if (task->nap_fd < 0)
		task->nap_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	if (task->nap_fd < 0 || timerfd_settime(task->nap_fd, 0, &time, NULL) < 0)
		return false;
	sink_pause(&task->out, task->nap_fd, POLLIN);
	return true;
}

bool output_naps(struct task_output *task)
{
	return is_to_nap(task) && begin_nap(task);
}
