#include "journal/list.h"

#include "account.h"
#include "duration.h"
#include "exit_status.h"
#include "journal/journal.h"
#include "journal/store.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

// Of a task that was started and has no end in the journal.
#define IN_FLIGHT "in-flight"

static bool is_named(const char *name, const char *outcome)
{
	for (; *name && *outcome; name++, outcome++)
		if (*name != *outcome && !(*name == '-' && *outcome == ' '))
			return false;
	return !*name && !*outcome;
}

bool journal_knows_outcome(const char *outcome)
{
	for (enum task_end end = 0; end < TASK_SKIPPED; end++)
		if (is_named(outcome, account_end_name(end)))
			return true;
	return strcmp(outcome, IN_FLIGHT) == 0;
}

/* ---- --list ---- */

static bool is_listed(const struct plan *plan, const char *outcome)
{
	bool listed = !plan->outcome_count;

	for (size_t index = 0; index < plan->outcome_count; index++)
		listed = listed ||
			 is_named(plan->outcomes[index], outcome ? outcome : IN_FLIGHT);
	return listed;
}

// Whether the command, as a record that `delimiter` ends, is read back as it is.
static bool is_plain(const char *command, size_t length, char delimiter)
{
	const char *first = command + strspn(command, " \t");

	if (memchr(command, delimiter, length))
		return false;
	return delimiter != '\n' ||
	       (*first && *first != '#' && command[length - 1] != '\r' &&
		       strncmp(command, "\xEF\xBB\xBF", 3) != 0);
}

// The same command in other words, and on one line.
static void print_escaped(const char *command, size_t length, char delimiter)
{
	printf("eval \"$(printf -- '");
	for (size_t index = 0; index < length; index++) {
		char c = command[index];

		if (c == '\'')
			printf("'\\''");
		else if (c == '\\' || c == '%')
			printf("%c%c", c, c);
		else if (c == delimiter || c == '\n' || c == '\r')
			printf("\\%03o", (unsigned char)c);
		else
			putchar(c);
	}
	printf("')\"");
}

static void print_record(const struct plan *plan, sqlite3_stmt *tasks)
{
	const char *command = (const char *)sqlite3_column_text(tasks, 0);
	size_t length = (size_t)sqlite3_column_bytes(tasks, 0);
	char delimiter = plan->splitting.delimiter;

	if (!command) // whoever made the file may have had none
		return;
	if (is_plain(command, length, delimiter))
		fwrite(command, 1, length, stdout);
	else
		print_escaped(command, length, delimiter);
	putchar(delimiter);
}

static int print_list(struct store *store, const struct plan *plan)
{
	sqlite3_stmt *tasks;
	int code = sqlite3_prepare_v2(store_database(store),
		"SELECT command, outcome FROM tasks WHERE series=?1 ORDER BY task", -1,
		&tasks, NULL);

	if (code != SQLITE_OK)
		return code;
	sqlite3_bind_int64(tasks, 1, store_series(store));
	while ((code = sqlite3_step(tasks)) == SQLITE_ROW)
		if (is_listed(plan, (const char *)sqlite3_column_text(tasks, 1)))
			print_record(plan, tasks);
	sqlite3_finalize(tasks);
	return code == SQLITE_DONE ? 0 : code;
}

/* ---- --show ---- */

static const char *outcome_words(sqlite3_stmt *statement, int column)
{
	const char *outcome = (const char *)sqlite3_column_text(statement, column);

	return outcome ? outcome : "in flight: its end is not known";
}

// A terminal would do what a command, or whoever made the journal, tells it.
static void print_shown(const char *before, const void *words)
{
	struct text shown = {0};
	const char *bytes = words ? words : "";

	text_append_shown(&shown, bytes, strlen(bytes), SIZE_MAX);
	printf("%s%s", before, shown.bytes ? shown.bytes : "");
	text_finish(&shown);
}

static void print_duration(const char *before, sqlite3_stmt *statement, int column)
{
	struct text text = {0};

	duration_append(&text, store_get_ns(statement, column));
	printf("%s%s", before, text.bytes ? text.bytes : "?");
	text_finish(&text);
}

static void print_bytes(const char *name, sqlite3_stmt *statement, int column)
{
	if (sqlite3_column_type(statement, column) != SQLITE_NULL)
		printf(", %s %lld bytes", name,
			(long long)sqlite3_column_int64(statement, column));
}

static void print_attempt(sqlite3_stmt *attempt)
{
	printf("  run %lld, attempt %lld, slot %lld",
		(long long)sqlite3_column_int64(attempt, 0),
		(long long)sqlite3_column_int64(attempt, 1),
		(long long)sqlite3_column_int64(attempt, 2));
	if (sqlite3_column_type(attempt, 3) != SQLITE_NULL) {
		print_shown(", at ", sqlite3_column_text(attempt, 3));
		printf(" UTC");
	}
	print_shown(": ", outcome_words(attempt, 5));
	if (sqlite3_column_type(attempt, 6) != SQLITE_NULL)
		printf(", exit %d", sqlite3_column_int(attempt, 6));
	if (sqlite3_column_type(attempt, 7) != SQLITE_NULL)
		printf(", signal %d", sqlite3_column_int(attempt, 7));
	if (sqlite3_column_type(attempt, 8) != SQLITE_NULL) {
		print_shown(" (", sqlite3_column_text(attempt, 8));
		putchar(')');
	}
	if (sqlite3_column_type(attempt, 5) != SQLITE_NULL) {
		print_duration("\n    took ", attempt, 4);
		print_duration(", CPU time ", attempt, 9);
		print_duration(" and for the system ", attempt, 10);
		printf(", peak memory %lld KiB",
			(long long)sqlite3_column_int64(attempt, 11));
		print_bytes("standard output", attempt, 12);
		print_bytes("standard error", attempt, 13);
	}
	putchar('\n');
}

static int print_attempts(sqlite3 *db, int64_t task)
{
	sqlite3_stmt *attempts;
	int code = sqlite3_prepare_v2(db,
		"SELECT run,attempt,slot,started,elapsed,outcome,exit,signal,error,user,"
		"system,peak_kib,stdout_bytes,stderr_bytes FROM attempts WHERE task=?1"
		" ORDER BY run,attempt",
		-1, &attempts, NULL);

	if (code != SQLITE_OK)
		return code;
	sqlite3_bind_int64(attempts, 1, task);
	while ((code = sqlite3_step(attempts)) == SQLITE_ROW)
		print_attempt(attempts);
	sqlite3_finalize(attempts);
	return code == SQLITE_DONE ? 0 : code;
}

// Where the input changed from one run of the series to the next, several tasks may have
// had the number.
static int print_tasks(struct store *store, const struct plan *plan, bool *found)
{
	sqlite3 *db = store_database(store);
	sqlite3_stmt *tasks;
	int code = sqlite3_prepare_v2(db,
		"SELECT task,run,outcome,command FROM tasks WHERE series=?1 AND seq=?2"
		" ORDER BY task",
		-1, &tasks, NULL);

	*found = false;
	if (code != SQLITE_OK)
		return code;
	sqlite3_bind_int64(tasks, 1, store_series(store));
	sqlite3_bind_int64(tasks, 2, (int64_t)plan->show);
	while ((code = sqlite3_step(tasks)) == SQLITE_ROW) {
		*found = true;
		printf("task %" PRIu64 " of run %lld", plan->show,
			(long long)sqlite3_column_int64(tasks, 1));
		print_shown(": ", outcome_words(tasks, 2));
		print_shown("\n  ", sqlite3_column_text(tasks, 3));
		putchar('\n');
		code = print_attempts(db, sqlite3_column_int64(tasks, 0));
		if (code)
			break;
	}
	sqlite3_finalize(tasks);
	return code == SQLITE_DONE ? 0 : code;
}

static int print(struct store *store, const struct plan *plan)
{
	bool found = true;
	int code =
		plan->show ? print_tasks(store, plan, &found) : print_list(store, plan);

	if (code) {
		message("cannot read %s: %s", plan->journal, store_words(store));
		return EXIT_LEAT_TROUBLE;
	}
	if (!found)
		message("%s knows no task %" PRIu64, plan->journal, plan->show);
	return found ? EXIT_ALL_OK : EXIT_LEAT_TROUBLE;
}

int journal_list(const struct plan *plan)
{
	struct store *store;
	int status = journal_open_to_read(&store, plan);

	if (!status)
		status = print(store, plan);
	store_close(store);
	return status;
}
