/*
 * The page is made of the files in timeline/, by timeline_page.S, and has a place for the
 * rows and one for the account. What stands before the rows is written at the start, each
 * row by the thread that has its facts, the rest at the end: memory does not grow with
 * the tasks. The lock is held for a write to a stream, which is buffered and leads to a
 * regular file (whole_file.h), so nobody waits for a reader.
 *
 * The rows are JSON, in a script element that is data, one value a line: an object for
 * each run, an array for each attempt or unrun task, and an object for the end.
 */
#include "report/timeline.h"

#include "report/json.h"
#include "utf8.h"
#include "whole_file.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define ROWS "@ROWS@"
#define ACCOUNT "@ACCOUNT@"
#define NS_PER_US 1000

// timeline_page.S
extern const char timeline_page[], timeline_page_end[];

struct timeline {
	pthread_mutex_t lock; //< what follows
	struct whole_file file;
	bool has_rows;
	const char *rest; //< of the page, to be written at the end
	int64_t base_us;  //< from which on times are told
	unsigned unrun;   //< rows of these
	bool counts_bytes;
};

/* ---- the file ---- */

// The page from `from` up to the mark, which is passed over. Returns what comes then.
static const char *write_page(
	struct timeline *timeline, const char *from, const char *mark)
{
	size_t left = (size_t)(timeline_page_end - from);
	const char *end = memmem(from, left, mark, strlen(mark));

	whole_file_write(&timeline->file, from, (size_t)(end - from));
	return end + strlen(mark);
}

int timeline_open(struct timeline **result, const struct plan *plan)
{
	struct timeline *timeline = calloc(1, sizeof *timeline);
	int error = timeline ? whole_file_open(&timeline->file, plan->timeline) : -ENOMEM;

	*result = NULL;
	if (error) {
		free(timeline);
		return error;
	}
	pthread_mutex_init(&timeline->lock, NULL);
	timeline->counts_bytes = plan->mode != OUTPUT_STRAIGHT;
	timeline->rest = write_page(timeline, timeline_page, ROWS);
	*result = timeline;
	return 0;
}

static void destroy(struct timeline *timeline)
{
	pthread_mutex_destroy(&timeline->lock);
	free(timeline);
}

void timeline_drop(struct timeline *timeline)
{
	if (!timeline)
		return;
	whole_file_drop(&timeline->file);
	destroy(timeline);
}

/* ---- rows ---- */

// A row that could not be made whole is trouble as one that could not be written.
static void add_row(struct timeline *timeline, struct text *row)
{
	pthread_mutex_lock(&timeline->lock);
	if (row->failed && !timeline->file.error)
		timeline->file.error = -ENOMEM;
	if (!row->failed) {
		whole_file_write(&timeline->file, timeline->has_rows ? "\n," : "\n[",
			strlen("\n["));
		whole_file_write(&timeline->file, row->bytes, row->length);
	}
	timeline->has_rows = true;
	pthread_mutex_unlock(&timeline->lock);
	text_finish(row);
}

static void append_string(struct text *row, const char *string)
{
	json_append_ascii(row, string, strlen(string));
}

// Never within a character.
static void append_command(struct text *row, const struct text *command)
{
	struct text cut = {0};
	size_t length = TIMELINE_COMMAND_BYTES;

	if (command->failed)
		row->failed = true;
	if (command->length <= length) {
		json_append_ascii(
			row, command->bytes ? command->bytes : "", command->length);
		return;
	}
	text_append(&cut, command->bytes, utf8_cut(command->bytes, length));
	text_append(&cut, "…", strlen("…"));
	json_append_ascii(row, cut.bytes ? cut.bytes : "", cut.length);
	row->failed = row->failed || cut.failed;
	text_finish(&cut);
}

void timeline_add_run(struct timeline *timeline, const struct timeline_run *run)
{
	struct text row = {0};

	if (!timeline)
		return;
	if (!timeline->has_rows)
		timeline->base_us = run->started_us;
	text_format(&row, "{\"started\":%" PRId64 ",\"elapsed\":%" PRId64 ",\"slots\":%u",
		run->started_us, run->elapsed_ns < 0 ? -1 : run->elapsed_ns / NS_PER_US,
		run->slots);
	text_format(&row, ",\"version\":");
	append_string(&row, run->version);
	text_format(&row, ",\"command\":");
	append_string(&row, run->command);
	text_append(&row, "}", 1);
	add_row(timeline, &row);
}

void timeline_add_attempt(
	struct timeline *timeline, const struct timeline_attempt *attempt)
{
	struct text row = {0};

	if (!timeline)
		return;
	text_format(&row, "[%" PRIu64 ",%" PRIu64 ",%u,\"%s\",%" PRId64 ",%" PRId64,
		attempt->task, attempt->number, attempt->slot, attempt->outcome,
		attempt->started_us - timeline->base_us,
		attempt->elapsed_ns < 0 ? -1 : attempt->elapsed_ns / NS_PER_US);
	text_format(&row, ",%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64 ",",
		attempt->user_ns / NS_PER_US, attempt->system_ns / NS_PER_US,
		attempt->peak_kib, attempt->bytes);
	append_string(&row, attempt->reason ? attempt->reason : "");
	if (attempt->command) {
		text_append(&row, ",", 1);
		append_command(&row, attempt->command);
	}
	text_append(&row, "]", 1);
	add_row(timeline, &row);
}

static bool is_unrun_wanted(struct timeline *timeline)
{
	bool wanted;

	pthread_mutex_lock(&timeline->lock);
	wanted = timeline->unrun < TIMELINE_UNRUN_MOST;
	timeline->unrun += wanted;
	pthread_mutex_unlock(&timeline->lock);
	return wanted;
}

static void add_unrun(struct timeline *timeline, uint64_t task, const char *cause,
	const struct text *command)
{
	struct text row = {0};

	text_format(&row, "[%" PRIu64 ",", task);
	append_string(&row, cause);
	text_append(&row, ",", 1);
	append_command(&row, command);
	text_append(&row, "]", 1);
	add_row(timeline, &row);
}

void timeline_add_unrun(struct timeline *timeline, uint64_t task, const char *cause,
	const struct text *command)
{
	if (timeline && is_unrun_wanted(timeline))
		add_unrun(timeline, task, cause, command);
}

/* ---- of a task at hand ---- */

// Each of its values takes a byte, and the blank before it.
static void make_command(
	struct text *command, const struct recipe *recipe, const struct task *task)
{
	recipe_append_command(recipe, task, 1, TIMELINE_COMMAND_BYTES, command);
}

void timeline_task_tried(struct timeline *timeline, const struct recipe *recipe,
	const struct task *task, unsigned slot, const struct leat_outcome *outcome,
	const char *reason)
{
	struct text command = {0};
	struct timeline_attempt attempt = {
		.task = task->sequence,
		.number = task->attempt,
		.slot = slot,
		.outcome = account_end_name(task->end),
		.reason = reason,
		.started_us = task->started_us,
		.elapsed_ns = outcome->elapsed_ns,
		.user_ns = outcome->user_ns,
		.system_ns = outcome->system_ns,
		.peak_kib = outcome->peak_kib,
		.bytes = -1,
		.command = task->attempt > 1 ? NULL : &command,
	};

	if (!timeline)
		return;
	if (timeline->counts_bytes)
		attempt.bytes = (int64_t)(outcome->out_bytes + outcome->err_bytes);
	if (attempt.command)
		make_command(&command, recipe, task);
	timeline_add_attempt(timeline, &attempt);
	text_finish(&command);
}

void timeline_task_unrun(struct timeline *timeline, const struct recipe *recipe,
	const struct task *task, const char *cause)
{
	struct text command = {0};

	if (!timeline || !is_unrun_wanted(timeline))
		return;
	make_command(&command, recipe, task);
	add_unrun(timeline, task->sequence, cause, &command);
	text_finish(&command);
}

/* ---- the end ---- */

static void append_end(
	struct text *row, const struct timeline_end *end, const struct text *summary)
{
	text_format(row, "{\"counts\":{");
	for (enum task_end each = 0; each < TASK_ENDS; each++)
		text_format(row, "\"%s\":%llu,", account_end_name(each),
			atomic_load(&end->account->counts[each]));
	text_format(row,
		"\"in flight\":%" PRIu64 "},\"cut\":%s,\"elapsed\":%" PRId64
		",\"exit\":%d,\"account\":",
		end->in_flight, atomic_load(&end->account->input_cut) ? "true" : "false",
		end->elapsed_ns / NS_PER_US, end->status);
	json_append_ascii(row, summary->bytes, summary->length);
	text_format(row, "}\n]");
}

int timeline_close(
	struct timeline *timeline, const struct timeline_end *end, int give_up_fd)
{
	struct text row = {0}, summary = {0};
	const char *rest;
	int error;

	account_append_summary(&summary, end->account, end->elapsed_ns, false);
	append_end(&row, end, &summary);
	if (end->in_flight)
		text_format(
			&summary, "leat: and %" PRIu64 " in flight\n", end->in_flight);
	row.failed = row.failed || summary.failed;
	add_row(timeline, &row);
	rest = write_page(timeline, timeline->rest, ACCOUNT);
	whole_file_write(&timeline->file, summary.bytes, summary.length);
	whole_file_write(&timeline->file, rest, (size_t)(timeline_page_end - rest));
	error = whole_file_close(&timeline->file, give_up_fd);
	text_finish(&summary);
	destroy(timeline);
	return error;
}
