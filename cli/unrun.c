#include "unrun.h"

#include <stdlib.h>

int unrun_open(struct unrun *unrun, const char *name, char delimiter)
{
	*unrun = (struct unrun){.delimiter = delimiter};
	pthread_mutex_init(&unrun->lock, NULL);
	return name ? whole_file_open(&unrun->file, name) : 0;
}

// The queue gives up from its head, so a task's place is nearly always the last.
void unrun_add(struct unrun *unrun, struct task *task)
{
	struct task **place = &unrun->tasks;

	pthread_mutex_lock(&unrun->lock);
	while (*place && (*place)->sequence < task->sequence)
		place = &(*place)->next;
	task->next = *place;
	*place = task;
	pthread_mutex_unlock(&unrun->lock);
}

void unrun_write(struct unrun *unrun, const char *record, size_t length)
{
	if (!unrun->file.stream)
		return;
	whole_file_write(&unrun->file, record, length);
	whole_file_write(&unrun->file, &unrun->delimiter, 1);
}

void unrun_flush(struct unrun *unrun)
{
	struct task *tasks;

	pthread_mutex_lock(&unrun->lock);
	tasks = unrun->tasks;
	unrun->tasks = NULL;
	pthread_mutex_unlock(&unrun->lock);
	while (tasks) {
		struct task *task = tasks;

		tasks = task->next;
		unrun_write(unrun, task->record, task->length);
		free(task);
	}
}

int unrun_close(struct unrun *unrun)
{
	unrun_flush(unrun);
	pthread_mutex_destroy(&unrun->lock);
	return unrun->file.stream ? whole_file_close(&unrun->file) : 0;
}
