/* leat's words around a task's output, where it is shown. */
#include "run_inside.h"

#include "color.h"
#include "duration.h"
#include "plain.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define MOST_VALUES 64 // of a command that is shown
#define SHOWN_COMMAND_BYTES 200
#define MARK_LINES 10 // of standard error

// Of the recap: of standard error, for each task; and of the whole, but at a terminal.
#define ERR_ROWS 10
#define LOG_ROWS 200
#define LOG_COLUMNS 200
#define ROWS_BESIDE 3 // of a terminal: the summary, which may be two, the prompt

static void append_command(
	const struct run *run, const struct task *task, unsigned slot, struct text *text)
{
	recipe_append_command(run->recipe, task, slot, MOST_VALUES, text);
	if (!text->bytes)
		text_append(text, "", 0);
}

static void append_shown_command(
	const struct run *run, const struct task *task, unsigned slot, struct text *text)
{
	struct text command = {0};

	append_command(run, task, slot, &command);
	text_append_shown(text, command.bytes, command.length, SHOWN_COMMAND_BYTES);
	text_finish(&command);
}

/* ---- the line behind it ---- */

static const char *words_of(int error)
{
	return error == -EINVAL    ? "there is a NUL byte in it"
	       : error == -ENOTDIR ? "there is no such directory"
	       : error == -E2BIG   ? "it is too large"
				   : NULL;
}

static void append_next(const struct run *run, const struct task *task, struct text *text)
{
	if (!task->again)
		return;
	text_format(text, "attempt %llu of %llu, again%s",
		(unsigned long long)task->attempt,
		(unsigned long long)run->plan->retries + 1, task->delay_ns ? " in " : "");
	if (task->delay_ns)
		duration_append(text, task->delay_ns);
}

static void append_words(const struct run *run, const struct task *task, unsigned slot,
	int error, struct text *words)
{
	const char *known = words_of(error);
	struct text directory = {0};

	if (known)
		text_format(words, "%s", known);
	if (error == -ENOTDIR &&
		recipe_append_directory(run->recipe, task, slot, &directory)) {
		text_format(words, ": ");
		text_append_shown(
			words, directory.bytes, directory.length, SHOWN_COMMAND_BYTES);
	}
	text_finish(&directory);
}

void run_append_task_line(const struct run *run, const struct task *task, unsigned slot,
	const struct leat_outcome *outcome, int error, struct text *line)
{
	struct text command = {0}, next = {0}, words = {0};
	struct task_trouble trouble = {.error = error};

	if (task->end == TASK_OK || task->end == TASK_UNRUN)
		return;
	append_next(run, task, &next);
	trouble.next = next.bytes;
	append_words(run, task, slot, error, &words);
	trouble.words = words.bytes;
	if (run->color)
		text_format(line, COLOR_RED);
	append_command(run, task, slot, &command);
	account_append_task(line, task->sequence, outcome, &trouble,
		run->plan->timeout_ns, command.bytes ? command.bytes : "",
		command.length);
	text_finish(&command);
	text_finish(&next);
	text_finish(&words);
	if (run->color) { // before the newline, which is to be of no colour
		line->length--;
		text_format(line, COLOR_OFF "\n");
	}
}

void run_append_cause(const struct run *run, const struct leat_outcome *outcome,
	int error, struct text *text)
{
	struct task_trouble trouble = {.error = error, .words = words_of(error)};

	account_append_cause(text, outcome, &trouble, run->plan->timeout_ns);
}

/* ---- a CI service's marks ---- */

static bool has_failed(const struct task *task)
{
	return account_is_trouble(task->end) && !task->again;
}

// "make -C b (exit 2, 1.2s)"
static void append_title(const struct run *run, const struct task *task, unsigned slot,
	const struct leat_outcome *outcome, int error, struct text *title)
{
	append_shown_command(run, task, slot, title);
	text_format(title, " (");
	if (task->end != TASK_OK) {
		run_append_cause(run, outcome, error, title);
		text_format(title, ", ");
	}
	if (task->again)
		text_format(title, "attempt %" PRIu64 ", ", task->attempt);
	duration_append(title, outcome->elapsed_ns);
	text_format(title, ")");
}

static void append_mark(
	const struct run *run, const struct recap_task *failed, struct text *text)
{
	struct text words = {0};
	char title[40];
	size_t length;
	const char *lines = plain_last_lines(&failed->err, MARK_LINES, &length);

	snprintf(title, sizeof title, "task %" PRIu64, failed->sequence);
	text_append(&words, failed->reason.bytes, failed->reason.length);
	text_append(&words, ": ", 2);
	text_append(&words, failed->command.bytes, failed->command.length);
	text_append(&words, "\n", length > 0);
	text_append(&words, lines, length);
	ci_append_error(&run->ci, title, &words, text);
	text_finish(&words);
}

/* ---- the failed ones, for the end ---- */

// The first line may have lost its start.
static void append_err(struct recap_task *failed, const struct text *tail)
{
	const char *bytes = tail->bytes, *newline = NULL;

	if (tail->length >= RECAP_ERR_BYTES)
		newline = memchr(bytes, '\n', tail->length);
	if (newline)
		bytes = newline + 1;
	plain_append(&failed->err, bytes,
		tail->length - (size_t)(bytes - (tail->bytes ? tail->bytes : bytes)));
}

static void describe(const struct run *run, const struct task *task, unsigned slot,
	const struct leat_outcome *outcome, int error, struct recap_task *failed)
{
	*failed = (struct recap_task){
		.sequence = task->sequence,
		.elapsed_ns = outcome->elapsed_ns,
		.timed_out = !error && outcome->ended_by == LEAT_BY_TIMEOUT,
	};
	append_shown_command(run, task, slot, &failed->command);
	run_append_cause(run, outcome, error, &failed->reason);
}

// Else the next attempt's frame is around it, too.
static bool is_framed(const struct run *run, const struct task *task)
{
	return run->ci.has_frames && task->end != TASK_UNRUN &&
	       !(task->again && run->plan->mode == OUTPUT_KEEP);
}

// Whether there is some where the frame is.
static bool has_output(const struct run *run, const struct slot *slot)
{
	return slot_has_output(slot, true) ||
	       (run->ci.has_groups && slot_has_output(slot, false));
}

void run_make_frame(struct run *run, const struct task *task, const struct slot *slot,
	const struct leat_outcome *outcome, int error, struct frame *frame)
{
	struct recap_task failed;
	struct text title = {0}, tail;
	struct ci_group group = {
		.sequence = task->sequence,
		.title = &title,
		.failed = has_failed(task),
		.started_us = task->started_us,
	};
	bool is_shown = is_framed(run, task) &&
			(frame->line.length || group.failed || has_output(run, slot));

	if (ci_guards_output(&run->ci))
		ci_guard(&run->ci, &frame->line);
	if (is_shown) {
		append_title(run, task, slot_number(slot), outcome, error, &title);
		ci_append_begin(&run->ci, &group, &frame->head);
		ci_append_end(&run->ci, &group, &frame->line);
		text_finish(&title);
	}
	if (!run->recap || !group.failed)
		return;
	describe(run, task, slot_number(slot), outcome, error, &failed);
	tail = slot_tail(slot, true, RECAP_ERR_BYTES);
	append_err(&failed, &tail);
	if (is_shown)
		append_mark(run, &failed, &frame->line);
	recap_add(run->recap, &failed);
}

void run_make_late_frame(struct run *run, const struct task *task, struct frame *frame)
{
	struct text title = {0};
	struct ci_group group = {
		.sequence = task->sequence,
		.title = &title,
		.failed = true,
		.started_us = task->started_us,
	};

	if (!run->ci.has_frames || !task->kept.out)
		return;
	append_shown_command(run, task, 1, &title);
	ci_append_begin(&run->ci, &group, &frame->head);
	ci_append_end(&run->ci, &group, &frame->line);
	text_finish(&title);
}

void run_note_failure(struct run *run, const struct task *task,
	const struct leat_outcome *outcome, int error)
{
	struct recap_task failed;
	struct text mark = {0};

	if (!run->recap || !account_is_trouble(task->end))
		return;
	describe(run, task, 1, outcome, error, &failed);
	if (run->ci.has_frames)
		append_mark(run, &failed, &mark);
	output_command(run->output, &mark);
	text_finish(&mark);
	recap_add(run->recap, &failed);
}

/* ---- around all of it ---- */

static bool wants_recap(const struct run *run)
{
	const struct plan *plan = run->plan;

	if (plan->recap || plan->no_recap)
		return plan->recap;
	return !plan->quiet && (color_is_display(STDERR_FILENO) || ci_is_around() ||
				       run->ci.service != CI_NONE);
}

int run_open_frames(struct run *run)
{
	int error = ci_open(&run->ci, run->plan);

	if (error)
		return error;
	if (wants_recap(run) || run->ci.service != CI_NONE) {
		run->recap = recap_create();
		if (!run->recap)
			return -ENOMEM;
	}
	// In the log all stands in the order in which it was written.
	if (run->ci.has_log && dup3(STDOUT_FILENO, STDERR_FILENO, 0) < 0)
		return -errno;
	return 0;
}

void run_begin_frames(struct run *run)
{
	struct text command = {0};

	ci_append_run_begin(&run->ci, &command);
	output_command(run->output, &command);
	text_finish(&command);
}

void run_end_frames(struct run *run)
{
	struct text command = {0};
	size_t count = 0;
	const struct recap_task *failed = run->ci.has_frames || !run->recap
						  ? NULL
						  : recap_tasks(run->recap, &count);

	ci_append_run_end(&run->ci, &command);
	for (size_t index = 0; index < count; index++)
		append_mark(run, &failed[index], &command);
	output_command(run->output, &command);
	text_finish(&command);
}

static struct recap_page choose_page(const struct run *run)
{
	struct recap_page page = {.rows = LOG_ROWS,
		.columns = LOG_COLUMNS,
		.rows_each = ERR_ROWS,
		.color = run->color};
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || !size.ws_row || !size.ws_col)
		return page;
	page.rows = size.ws_row > ROWS_BESIDE ? size.ws_row - ROWS_BESIDE : 1;
	page.columns = size.ws_col;
	return page;
}

void run_print_recap(struct run *run)
{
	struct recap_page page = choose_page(run);
	uint64_t failed = account_failed(&run->account);
	struct text text = {0};

	if (!failed || !run->recap || !wants_recap(run) ||
		(!run->plan->recap && account_total(&run->account) == 1))
		return;
	recap_append(run->recap, failed, &page, &text);
	output_notice(run->output, &text);
	text_finish(&text);
}
