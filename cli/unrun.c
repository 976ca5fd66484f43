#include "unrun.h"

#include <stdlib.h>
#include <string.h>

int unrun_open(struct unrun *unrun, const struct plan *plan)
{
	*unrun = (struct unrun){.plan = plan};
	pthread_mutex_init(&unrun->lock, NULL);
	return plan->unrun_file ? whole_file_open(&unrun->file, plan->unrun_file) : 0;
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

static void write_value(
	struct unrun *unrun, const char *bytes, size_t length, bool ends_record)
{
	const char *separator = plan_separator(unrun->plan);

	whole_file_write(&unrun->file, bytes, length);
	if (ends_record)
		whole_file_write(&unrun->file, &unrun->plan->splitting.delimiter, 1);
	else
		whole_file_write(&unrun->file, separator, strlen(separator));
}

// A byte order mark at the start would be dropped, so one that belongs to the first
// command is written twice.
static void write_mark(struct unrun *unrun, const struct task *task)
{
	if (!unrun->begun && unrun->plan->splitting.commands && task->count &&
		strncmp(task->values->bytes, "\xEF\xBB\xBF", 3) == 0)
		whole_file_write(&unrun->file, "\xEF\xBB\xBF", 3);
	unrun->begun = true;
}

// A value may hold what ends a record, or stands between its values, where it is no part
// of a file: a word behind ":::". It would come back as others.
static bool comes_back(const struct plan *plan, const struct task *task)
{
	const char *separator = plan_separator(plan);
	bool has_columns = false;

	for (size_t index = 0; index < task->count; index++)
		has_columns = has_columns || !task->values[index].ends_record;
	for (size_t index = 0; index < task->count; index++) {
		const struct value *value = &task->values[index];

		if (memchr(value->bytes, plan->splitting.delimiter, value->length) ||
			(has_columns && memmem(value->bytes, value->length, separator,
						strlen(separator))))
			return false;
	}
	return true;
}

void unrun_write(struct unrun *unrun, const struct task *task)
{
	if (unrun->file.stream && !comes_back(unrun->plan, task)) {
		unrun->left_out++;
		return;
	}
	if (unrun->file.stream)
		write_mark(unrun, task);
	for (size_t index = 0; unrun->file.stream && index < task->count; index++) {
		const struct value *value = &task->values[index];

		write_value(unrun, value->bytes, value->length, value->ends_record);
	}
}

void unrun_write_header(struct unrun *unrun, const char *const *names, size_t count)
{
	for (size_t index = 0; unrun->file.stream && index < count; index++)
		write_value(
			unrun, names[index], strlen(names[index]), index + 1 == count);
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
		unrun_write(unrun, task);
		free(task);
	}
}

void unrun_drop(struct unrun *unrun)
{
	pthread_mutex_destroy(&unrun->lock);
	if (unrun->file.stream)
		whole_file_drop(&unrun->file);
}

int unrun_close(struct unrun *unrun, int give_up_fd)
{
	unrun_flush(unrun);
	pthread_mutex_destroy(&unrun->lock);
	return unrun->file.stream ? whole_file_close(&unrun->file, give_up_fd) : 0;
}
