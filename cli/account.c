#include "account.h"

#include "color.h"
#include "duration.h"
#include "exit_status.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define SHOWN_COMMAND_BYTES 200

static const char *const end_names[TASK_ENDS] = {
	[TASK_OK] = "ok",
	[TASK_FAILED] = "failed",
	[TASK_CRASHED] = "crashed",
	[TASK_TIMED_OUT] = "timed out",
	[TASK_CANCELED] = "canceled",
	[TASK_UNRUN] = "unrun",
	[TASK_SKIPPED] = "skipped",
};

const char *account_end_name(enum task_end end)
{
	return end_names[end];
}

enum task_end account_find_end(const char *name)
{
	enum task_end end = 0;

	while (end < TASK_ENDS && strcmp(name, end_names[end]) != 0)
		end++;
	return end;
}

enum task_end account_classify(const struct leat_outcome *outcome)
{
	switch (outcome->ended_by) {
	case LEAT_BY_TIMEOUT:
	case LEAT_BY_DEADLINE:
		return TASK_TIMED_OUT;
	case LEAT_BY_CANCEL:
		return TASK_CANCELED;
	case LEAT_BY_ITSELF:
		break;
	}
	if (outcome->end == LEAT_SIGNALED)
		return TASK_CRASHED;
	return outcome->end == LEAT_EXITED && outcome->code == 0 ? TASK_OK : TASK_FAILED;
}

bool account_is_trouble(enum task_end end)
{
	return end == TASK_FAILED || end == TASK_CRASHED || end == TASK_TIMED_OUT;
}

int account_status(const struct leat_outcome *outcome, int error)
{
	if (error)
		return 126;
	switch (outcome->end) {
	case LEAT_SIGNALED:
		return 128 + outcome->code;
	case LEAT_NOT_STARTED:
		return outcome->code == ENOENT ? 127 : 126;
	case LEAT_EXITED:
		break;
	}
	return outcome->code;
}

void account_count(struct account *account, enum task_end end)
{
	atomic_fetch_add(&account->counts[end], 1);
}

unsigned long long account_failed(const struct account *account)
{
	unsigned long long failed = 0;

	for (enum task_end end = 0; end < TASK_ENDS; end++)
		if (account_is_trouble(end))
			failed += atomic_load(&account->counts[end]);
	return failed;
}

unsigned long long account_total(const struct account *account)
{
	unsigned long long total = 0;

	for (int end = 0; end < TASK_ENDS; end++)
		total += atomic_load(&account->counts[end]);
	return total;
}

static void append_not_started(struct text *line, int code)
{
	if (code == ENOENT || code == ENOTDIR)
		text_format(line, "not found");
	else
		text_format(line, "cannot be run: %s", strerror(code));
}

static void append_end(struct text *line, const struct leat_outcome *outcome)
{
	switch (outcome->end) {
	case LEAT_EXITED:
		text_format(line, "exit %d", outcome->code);
		break;
	case LEAT_SIGNALED:
		text_format(line, "signal %d%s", outcome->code,
			outcome->core_dumped ? " (core dumped)" : "");
		break;
	case LEAT_NOT_STARTED:
		append_not_started(line, outcome->code);
		break;
	}
}

void account_append_reason(
	struct text *line, const struct leat_outcome *outcome, int64_t timeout_ns)
{
	switch (outcome->ended_by) {
	case LEAT_BY_ITSELF:
		append_end(line, outcome);
		break;
	case LEAT_BY_TIMEOUT:
		text_format(line, "timed out after ");
		duration_append(line, timeout_ns);
		break;
	case LEAT_BY_DEADLINE:
		text_format(line, "timed out at the deadline");
		break;
	case LEAT_BY_CANCEL:
		text_format(line, "canceled");
		break;
	}
}

void account_append_cause(struct text *line, const struct leat_outcome *outcome,
	const struct task_trouble *trouble, int64_t timeout_ns)
{
	if (trouble->error)
		text_format(line, "cannot be run: %s",
			trouble->words ? trouble->words : strerror(-trouble->error));
	else
		account_append_reason(line, outcome, timeout_ns);
}

void account_append_task(struct text *line, uint64_t sequence,
	const struct leat_outcome *outcome, const struct task_trouble *trouble,
	int64_t timeout_ns, const char *command, size_t length)
{
	text_format(line, "leat: task %" PRIu64 ": ", sequence);
	account_append_cause(line, outcome, trouble, timeout_ns);
	if (trouble->next)
		text_format(line, ", %s", trouble->next);
	text_append(line, ": ", 2);
	text_append_shown(line, command, length, SHOWN_COMMAND_BYTES);
	text_append(line, "\n", 1);
}

void account_append_summary(
	struct text *line, const struct account *account, int64_t elapsed_ns, bool color)
{
	unsigned long long total = account_total(account);
	const char *more = atomic_load(&account->input_cut) ? "+" : "";
	const char *separator = ": ";

	text_format(line, "leat: %llu%s task%s in ", total, more, total == 1 ? "" : "s");
	duration_append(line, elapsed_ns);
	for (enum task_end end = 0; end < TASK_ENDS; end++) {
		unsigned long long count = atomic_load(&account->counts[end]);

		if (!count && end != TASK_UNRUN)
			continue;
		bool red = color && count && account_is_trouble(end);

		text_format(line, "%s%s%llu%s %s%s", separator, red ? COLOR_RED : "",
			count, end == TASK_UNRUN ? more : "", end_names[end],
			red ? COLOR_OFF : "");
		separator = ", ";
	}
	text_append(line, "\n", 1);
}

int account_exit_status(const struct account *account)
{
	if (atomic_load(&account->leat_trouble))
		return EXIT_LEAT_TROUBLE;
	if (atomic_load(&account->deadline_hit))
		return EXIT_DEADLINE;
	if (account_failed(account))
		return EXIT_TASK_TROUBLE;
	return EXIT_ALL_OK;
}
