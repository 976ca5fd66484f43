/*
 * All tasks that wait stand in one list, in the order of the input. Whoever takes one
 * gets the first whose lane is free. So a lane that is busy holds up nobody but itself,
 * and of all that may run the earliest does: with -k nobody waits for one that cannot
 * come.
 *
 * Each task that is added is answered by one job of the pool, which takes a task, not
 * necessarily that one. A job that finds every lane busy ends at once, and is owed: the
 * next that leaves its lane makes up for it, by one task more. So no slot waits, and as
 * many tasks run as were added.
 *
 * The producer waits where too many do. Who takes one out wakes it.
 */
#include "lanes.h"

#include <errno.h>
#include <poll.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define MOST_WAITING 4096

struct lane {
	char *name;
	size_t length;
	unsigned tasks; //< that wait or run
	bool busy;
};

struct lanes {
	pthread_mutex_t lock;
	void *tree; //< of lanes, by name: tsearch(3)
	struct task *first, **end;
	size_t waiting;
	size_t owed; //< jobs that found every lane busy
	int room_fd; //< readable: the producer may look again
};

int lanes_create(struct lanes **result)
{
	struct lanes *lanes = calloc(1, sizeof *lanes);

	if (!lanes)
		return -ENOMEM;
	lanes->room_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (lanes->room_fd < 0) {
		free(lanes);
		return -errno;
	}
	pthread_mutex_init(&lanes->lock, NULL);
	lanes->end = &lanes->first;
	*result = lanes;
	return 0;
}

void lanes_destroy(struct lanes *lanes)
{
	struct task *task;

	if (!lanes)
		return;
	while ((task = lanes_give_up(lanes)))
		free(task);
	close(lanes->room_fd);
	pthread_mutex_destroy(&lanes->lock);
	free(lanes);
}

static int compare(const void *left, const void *right)
{
	const struct lane *one = left, *other = right;

	if (one->length != other->length)
		return one->length < other->length ? -1 : 1;
	return one->length ? memcmp(one->name, other->name, one->length) : 0;
}

// With the lock. NULL: there is no memory.
static struct lane *enter(struct lanes *lanes, const struct text *name)
{
	struct lane wanted = {.name = name->bytes, .length = name->length};
	struct lane **found = tfind(&wanted, &lanes->tree, compare);
	struct lane *lane = found ? *found : calloc(1, sizeof *lane);

	if (lane && !found) {
		lane->length = name->length;
		lane->name = malloc(name->length + 1);
		if (lane->name && name->length)
			memcpy(lane->name, name->bytes, name->length);
		if (!lane->name || !tsearch(lane, &lanes->tree, compare)) {
			free(lane->name);
			free(lane);
			return NULL;
		}
	}
	if (lane)
		lane->tasks++;
	return lane;
}

// With the lock.
static void leave(struct lanes *lanes, struct lane *lane)
{
	if (--lane->tasks)
		return;
	tdelete(lane, &lanes->tree, compare);
	free(lane->name);
	free(lane);
}

// With the lock. Takes out what *place leads to.
static struct task *take_out(struct lanes *lanes, struct task **place)
{
	struct task *task = *place;
	uint64_t one = 1;

	*place = task->next;
	if (lanes->end == &task->next)
		lanes->end = place;
	if (lanes->waiting-- == MOST_WAITING &&
		write(lanes->room_fd, &one, sizeof one) < 0)
		return task; // EAGAIN: it is readable already
	return task;
}

// With the lock.
static struct task *first_free(struct lanes *lanes)
{
	struct task **place = &lanes->first;

	while (*place && (*place)->lane->busy)
		place = &(*place)->next;
	if (!*place)
		return NULL;
	(*place)->lane->busy = true;
	return take_out(lanes, place);
}

static bool is_full(struct lanes *lanes)
{
	uint64_t count = 0;
	bool full;

	pthread_mutex_lock(&lanes->lock);
	full = lanes->waiting >= MOST_WAITING;
	if (full && read(lanes->room_fd, &count, sizeof count) < 0)
		count = 0; // EAGAIN: nothing was to be drained
	pthread_mutex_unlock(&lanes->lock);
	return full;
}

static int await_room(struct lanes *lanes, struct leat_context *context)
{
	struct pollfd polled[2] = {
		{.fd = lanes->room_fd, .events = POLLIN},
		{.fd = leat_context_wake_fd(context), .events = POLLIN},
	};

	while (is_full(lanes)) {
		if (leat_context_cause(context))
			return -ECANCELED;
		poll(polled, 2, 1000); // a deadline has no descriptor
	}
	return leat_context_cause(context) ? -ECANCELED : 0;
}

int lanes_add(struct lanes *lanes, struct task *task, const struct text *name,
	struct leat_context *context)
{
	int error = await_room(lanes, context);

	if (error || name->failed)
		return error ? error : -ENOMEM;
	pthread_mutex_lock(&lanes->lock);
	task->lane = enter(lanes, name);
	if (task->lane) {
		task->next = NULL;
		*lanes->end = task;
		lanes->end = &task->next;
		lanes->waiting++;
	}
	pthread_mutex_unlock(&lanes->lock);
	return task->lane ? 0 : -ENOMEM;
}

struct task *lanes_take(struct lanes *lanes)
{
	struct task *task;

	pthread_mutex_lock(&lanes->lock);
	task = first_free(lanes);
	if (!task)
		lanes->owed++;
	pthread_mutex_unlock(&lanes->lock);
	return task;
}

struct task *lanes_leave(struct lanes *lanes, struct lane *lane, bool go_on)
{
	struct task *task = NULL;

	pthread_mutex_lock(&lanes->lock);
	lane->busy = false;
	leave(lanes, lane);
	if (go_on && lanes->owed)
		task = first_free(lanes);
	if (task)
		lanes->owed--;
	pthread_mutex_unlock(&lanes->lock);
	return task;
}

struct task *lanes_give_up(struct lanes *lanes)
{
	struct task *task = NULL;

	pthread_mutex_lock(&lanes->lock);
	if (lanes->first) {
		task = take_out(lanes, &lanes->first);
		leave(lanes, task->lane);
	}
	pthread_mutex_unlock(&lanes->lock);
	return task;
}
