#include "report/ci_summary.h"

#include "duration.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

// GitHub takes 1 MiB of a step, and drops all of it where there is more. One task's
// standard error comes to less than 32 KiB.
#define DETAILS_BYTES ((size_t)512 * 1024)

// As it is, in any place: what might mean something to Markdown or HTML by its number.
static void append_literal(struct text *text, const struct text *words)
{
	for (size_t index = 0; index < words->length; index++) {
		const char *at = words->bytes + index;

		if (ispunct((unsigned char)*at) && *at != '\n')
			text_format(text, "&#%d;", *at);
		else
			text_append(text, at, 1);
	}
}

static void append_row(struct text *text, const struct recap_task *task)
{
	text_format(text, "| %" PRIu64 " | ", task->sequence);
	append_literal(text, &task->reason);
	text_format(text, " | ");
	duration_append(text, task->elapsed_ns);
	text_format(text, " | <code>");
	append_literal(text, &task->command);
	text_format(text, "</code> |\n");
}

// A `pre` of its own line ends at its end tag alone: https://spec.commonmark.org, 4.6.
static void append_err(struct text *text, const struct recap_task *task)
{
	if (!task->err.length)
		return;
	text_format(text,
		"\n<details><summary>task %" PRIu64
		": standard error</summary>\n\n<pre>\n",
		task->sequence);
	append_literal(text, &task->err);
	text_format(text, "</pre>\n\n</details>\n");
}

void ci_summary_append(struct text *text, const struct account *account,
	const struct recap *recap, int64_t elapsed_ns)
{
	uint64_t failed = account_failed(account);
	size_t count;
	const struct recap_task *tasks = recap_tasks(recap, &count);
	struct text line = {0};

	account_append_summary(&line, account, elapsed_ns, false);
	text_format(text, "### ");
	text_append(text, line.bytes, line.length);
	text_finish(&line);
	if (!count)
		return;
	text_format(text,
		"\n| task | outcome | time | command |\n| ---: | --- | ---: | --- |\n");
	for (size_t index = 0; index < count; index++)
		append_row(text, &tasks[index]);
	if (failed > count)
		text_format(text, "\nand %" PRIu64 " more\n", failed - count);
	for (size_t index = 0; index < count && text->length < DETAILS_BYTES; index++)
		append_err(text, &tasks[index]);
}

int ci_summary_write(const char *name, const struct text *text)
{
	int fd = open(name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
	int error;

	if (fd < 0)
		return -errno;
	error = text_write(text, fd);
	if (close(fd) < 0 && !error)
		error = -errno;
	return error;
}
