#include "report/recap.h"

#include "cells.h"
#include "color.h"
#include "duration.h"
#include "plain.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct recap {
	pthread_mutex_t lock;
	struct recap_task tasks[RECAP_TASKS];
	size_t count;
};

struct recap *recap_create(void)
{
	struct recap *recap = calloc(1, sizeof *recap);

	if (recap)
		pthread_mutex_init(&recap->lock, NULL);
	return recap;
}

static void finish_task(struct recap_task *task)
{
	text_finish(&task->command);
	text_finish(&task->reason);
	text_finish(&task->err);
}

void recap_destroy(struct recap *recap)
{
	if (!recap)
		return;
	for (size_t index = 0; index < recap->count; index++)
		finish_task(&recap->tasks[index]);
	pthread_mutex_destroy(&recap->lock);
	free(recap);
}

void recap_add(struct recap *recap, struct recap_task *task)
{
	bool has_room;

	pthread_mutex_lock(&recap->lock);
	has_room = recap->count < RECAP_TASKS;
	if (has_room)
		recap->tasks[recap->count++] = *task;
	pthread_mutex_unlock(&recap->lock);
	if (!has_room)
		finish_task(task);
}

const struct recap_task *recap_tasks(const struct recap *recap, size_t *count)
{
	*count = recap->count;
	return recap->tasks;
}

static void append_row(struct text *text, const char *margin, const char *bytes,
	size_t length, size_t columns)
{
	size_t used = strlen(margin);

	text_append(text, margin, used);
	cells_append_cut(text, bytes, length, columns > used ? columns - used : 1);
	text_append(text, "\n", 1);
}

static void append_lines(
	struct text *text, const struct recap_task *task, size_t rows, size_t columns)
{
	size_t length;
	const char *line, *end;

	if (!rows || !task->err.length)
		return;
	line = plain_last_lines(&task->err, (unsigned)rows, &length);
	end = line + length;
	while (line < end) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		const char *stop = newline ? newline : end;

		append_row(text, "      ", line, (size_t)(stop - line), columns);
		line = newline ? newline + 1 : end;
	}
}

static void append_task(struct text *text, const struct recap_task *task,
	const struct recap_page *page, size_t rows)
{
	struct text row = {0};

	text_format(&row, "task %" PRIu64 ": %s", task->sequence,
		task->reason.bytes ? task->reason.bytes : "failed");
	if (!task->timed_out) {
		text_format(&row, " after ");
		duration_append(&row, task->elapsed_ns);
	}
	text_append(&row, ": ", 2);
	text_append(&row, task->command.bytes, task->command.length);
	if (page->color)
		text_format(text, COLOR_RED);
	append_row(text, "    ", row.bytes ? row.bytes : "", row.length, page->columns);
	if (page->color) { // before the newline
		text->length--;
		text_format(text, COLOR_OFF "\n");
	}
	append_lines(text, task, rows, page->columns);
	text_finish(&row);
}

void recap_append(const struct recap *recap, uint64_t failed,
	const struct recap_page *page, struct text *text)
{
	size_t rows = page->rows > 4 ? page->rows - 1 : 3; // but for the first
	size_t shown = recap->count, each;

	if (failed > rows || shown < failed)
		rows--; // for what is left out
	if (shown > rows)
		shown = rows;
	each = shown ? (rows - shown) / shown : 0;
	if (each > page->rows_each)
		each = page->rows_each;
	text_format(text, "leat: %" PRIu64 " task%s failed:\n", failed,
		failed == 1 ? "" : "s");
	for (size_t index = 0; index < shown; index++)
		append_task(text, &recap->tasks[index], page, each);
	if (shown < failed)
		text_format(text, "    and %" PRIu64 " more\n", failed - shown);
}
