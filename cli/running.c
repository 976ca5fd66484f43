#include "running.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

// Enough to be shown; the rest of a long command is nobody's interest here.
#define MOST_VALUES 64

struct entry {
	const struct task *task; //< NULL: the slot is idle
	int64_t since_ns;
};

struct running {
	pthread_mutex_t lock;
	const struct recipe *recipe;
	unsigned slots;
	struct entry entries[];
};

int running_create(struct running **result, unsigned slots, const struct recipe *recipe)
{
	struct running *running =
		calloc(1, sizeof *running + slots * sizeof *running->entries);

	if (!running)
		return -ENOMEM;
	running->slots = slots;
	running->recipe = recipe;
	pthread_mutex_init(&running->lock, NULL);
	*result = running;
	return 0;
}

void running_destroy(struct running *running)
{
	if (!running)
		return;
	pthread_mutex_destroy(&running->lock);
	free(running);
}

static void set(struct running *running, unsigned number, struct entry entry)
{
	if (!running)
		return;
	pthread_mutex_lock(&running->lock);
	running->entries[number - 1] = entry;
	pthread_mutex_unlock(&running->lock);
}

void running_enter(
	struct running *running, unsigned number, const struct task *task, int64_t now_ns)
{
	set(running, number, (struct entry){task, now_ns});
}

void running_leave(struct running *running, unsigned number)
{
	set(running, number, (struct entry){0});
}

unsigned running_longest(struct running *running, struct text *command, int64_t *since_ns)
{
	const struct entry *longest = NULL;
	unsigned count = 0;

	pthread_mutex_lock(&running->lock);
	for (unsigned index = 0; index < running->slots; index++) {
		const struct entry *entry = &running->entries[index];

		if (!entry->task)
			continue;
		count++;
		if (!longest || entry->since_ns < longest->since_ns)
			longest = entry;
	}
	if (longest) {
		recipe_append_command(running->recipe, longest->task,
			(unsigned)(longest - running->entries) + 1, MOST_VALUES, command);
		*since_ns = longest->since_ns;
	}
	pthread_mutex_unlock(&running->lock);
	return count;
}
