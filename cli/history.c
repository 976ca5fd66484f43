/*
 * What the journal of a series holds (leat-journal(5)), row by row, as the timeline of a
 * run takes it. The page itself leaves out the time between two runs.
 */
#include "history.h"

#include "exit_status.h"
#include "journal/journal.h"
#include "journal/store.h"
#include "moment.h"
#include "report/timeline.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define IN_FLIGHT "in flight"

// A journal is a file, and anything may stand there.
#define SLOTS_MOST (1 << 22) // each is a thread, of which Linux has no more

/* ---- whether ---- */

// A pipe may be empty for now, or for good.
static bool has_ended(int fd)
{
	struct pollfd end = {.fd = fd, .events = POLLIN};

	return poll(&end, 1, 0) == 1 && end.revents == POLLHUP;
}

// What sshd gives to a command, as others do.
static bool is_ended_socket(int fd)
{
	char byte;

	return recv(fd, &byte, sizeof byte, MSG_PEEK | MSG_DONTWAIT) == 0;
}

static bool has_nothing(int fd)
{
	struct stat status;

	if (isatty(fd) || fstat(fd, &status) < 0)
		return true;
	if (S_ISREG(status.st_mode))
		return lseek(fd, 0, SEEK_CUR) >= status.st_size;
	if (S_ISCHR(status.st_mode)) // as devices.txt of Linux numbers /dev/null
		return status.st_rdev == makedev(1, 3);
	return S_ISSOCK(status.st_mode) ? is_ended_socket(fd) : has_ended(fd);
}

bool history_is_wanted(const struct plan *plan)
{
	return plan->timeline && plan->journal && !plan->resume && !plan->resume_failed &&
	       !plan->dry_run && plan->command == COMMAND_LINES && !plan->source_count &&
	       has_nothing(STDIN_FILENO);
}

/* ---- what ---- */

// How long a run took that was killed is told by its attempts.
static const char runs_query[] =
	"SELECT command,version,started,coalesce(elapsed,86400*((SELECT"
	" max(julianday(attempts.started)+coalesce(attempts.elapsed,0)/86400)"
	" FROM attempts WHERE attempts.run=runs.run)-julianday(started))),"
	"exit,input_cut FROM runs WHERE series=?1 ORDER BY run";

// A task that could not be made into a command has no attempt.
static const char attempts_query[] =
	"SELECT seq,attempt,slot,coalesce(attempts.outcome,"
	" CASE WHEN attempt IS NULL THEN tasks.outcome END),"
	"started,elapsed,user,system,peak_kib,stdout_bytes+stderr_bytes,"
	"exit,signal,error,command,tasks.task"
	" FROM tasks LEFT JOIN attempts USING(task) WHERE series=?1"
	" AND (attempt NOT NULL OR tasks.outcome IS NOT 'unrun')"
	" ORDER BY tasks.task,attempts.run,attempt";

enum attempt_column {
	SEQ,
	ATTEMPT,
	SLOT,
	OUTCOME,
	STARTED,
	ELAPSED,
	USER,
	SYSTEM,
	PEAK_KIB,
	BYTES,
	EXIT,
	SIGNAL,
	ERROR,
	COMMAND,
	TASK,
};

static const char unrun_query[] =
	"SELECT seq,command FROM tasks WHERE series=?1 AND outcome='unrun' ORDER BY task";

static const char counts_query[] =
	"SELECT outcome,count(*) FROM tasks WHERE series=?1 GROUP BY outcome";

struct history {
	struct timeline *timeline;
	struct store *store;
	struct account account;
	struct timeline_end end;
	int64_t last_task;
};

typedef void (*row_fn)(struct history *history, sqlite3_stmt *row);

// Has `add` called for each row of the query, in which ?1 is the series. Returns 0 or a
// code of SQLite.
static int read_rows(struct history *history, const char *query, row_fn add)
{
	sqlite3_stmt *rows;
	int code = sqlite3_prepare_v2(
		store_database(history->store), query, -1, &rows, NULL);

	if (code != SQLITE_OK)
		return code;
	sqlite3_bind_int64(rows, 1, store_series(history->store));
	while ((code = sqlite3_step(rows)) == SQLITE_ROW)
		add(history, rows);
	sqlite3_finalize(rows);
	return code == SQLITE_DONE ? 0 : code;
}

static bool is_null(sqlite3_stmt *row, int column)
{
	return sqlite3_column_type(row, column) == SQLITE_NULL;
}

static const char *get_text(sqlite3_stmt *row, int column, const char *otherwise)
{
	const unsigned char *text = sqlite3_column_text(row, column);

	return text ? (const char *)text : otherwise;
}

// 0, as of what had none, where no run can have had such a slot.
static unsigned get_slot(sqlite3_stmt *row, int column)
{
	int64_t slot = sqlite3_column_int64(row, column);

	return slot < 0 || slot > SLOTS_MOST ? 0 : (unsigned)slot;
}

// Bytes that may be no UTF-8, and any of them.
static struct text get_command(sqlite3_stmt *row, int column)
{
	struct text command = {0};
	const void *bytes = sqlite3_column_text(row, column);

	text_append(
		&command, bytes ? bytes : "", (size_t)sqlite3_column_bytes(row, column));
	return command;
}

static const char *get_outcome(sqlite3_stmt *row, int column)
{
	enum task_end end = account_find_end(get_text(row, column, ""));

	return end < TASK_ENDS ? account_end_name(end) : IN_FLIGHT;
}

static void add_run(struct history *history, sqlite3_stmt *row)
{
	struct timeline_run run = {
		.command = get_text(row, 0, ""),
		.version = get_text(row, 1, ""),
		.started_us = moment_parse(get_text(row, 2, "")),
		.elapsed_ns = is_null(row, 3) ? -1 : store_get_ns(row, 3),
	};

	timeline_add_run(history->timeline, &run);
	if (__builtin_add_overflow(history->end.elapsed_ns, store_get_ns(row, 3),
		    &history->end.elapsed_ns))
		history->end.elapsed_ns = INT64_MAX / 2;
	history->end.status = is_null(row, 4) ? -1 : sqlite3_column_int(row, 4);
	atomic_store(&history->account.input_cut, sqlite3_column_int(row, 5) != 0);
}

static const char *append_reason(struct text *reason, sqlite3_stmt *row)
{
	const char *outcome = get_text(row, OUTCOME, "its end is not known");
	enum task_end end = account_find_end(outcome);

	if (end == TASK_OK)
		return NULL;
	if (!is_null(row, ERROR) && sqlite3_column_int(row, EXIT) == EXIT_NOT_FOUND)
		text_format(reason, "not found");
	else if (!is_null(row, ERROR))
		text_format(reason, "cannot be run: %s", get_text(row, ERROR, ""));
	else if (end == TASK_CRASHED)
		text_format(reason, "signal %d", sqlite3_column_int(row, SIGNAL));
	else if (end == TASK_FAILED && !is_null(row, EXIT))
		text_format(reason, "exit %d", sqlite3_column_int(row, EXIT));
	else
		text_format(reason, "%s", outcome);
	return reason->bytes;
}

// The command, once for each task.
static void add_attempt(struct history *history, sqlite3_stmt *row)
{
	int64_t task = sqlite3_column_int64(row, TASK);
	struct text reason = {0}, command = get_command(row, COMMAND);
	struct timeline_attempt attempt = {
		.task = (uint64_t)sqlite3_column_int64(row, SEQ),
		.number = (uint64_t)sqlite3_column_int64(row, ATTEMPT),
		.slot = get_slot(row, SLOT),
		.outcome = get_outcome(row, OUTCOME),
		.reason = append_reason(&reason, row),
		.started_us = moment_parse(get_text(row, STARTED, "")),
		.elapsed_ns = is_null(row, ELAPSED) ? -1 : store_get_ns(row, ELAPSED),
		.user_ns = store_get_ns(row, USER),
		.system_ns = store_get_ns(row, SYSTEM),
		.peak_kib = sqlite3_column_int64(row, PEAK_KIB),
		.bytes = is_null(row, BYTES) ? -1 : sqlite3_column_int64(row, BYTES),
		.command = task == history->last_task ? NULL : &command,
	};

	history->last_task = task;
	timeline_add_attempt(history->timeline, &attempt);
	text_finish(&reason);
	text_finish(&command);
}

static void add_unrun(struct history *history, sqlite3_stmt *row)
{
	struct text command = get_command(row, 1);

	timeline_add_unrun(
		history->timeline, (uint64_t)sqlite3_column_int64(row, 0), "", &command);
	text_finish(&command);
}

static void add_count(struct history *history, sqlite3_stmt *row)
{
	enum task_end end = account_find_end(get_text(row, 0, ""));
	uint64_t count = (uint64_t)sqlite3_column_int64(row, 1);

	if (end < TASK_ENDS)
		atomic_store(&history->account.counts[end], count);
	else
		history->end.in_flight = count;
}

static int read_all(struct history *history)
{
	int code =
		sqlite3_exec(store_database(history->store), "BEGIN", NULL, NULL, NULL);

	if (!code) // all as it is at this moment
		code = read_rows(history, runs_query, add_run);
	if (!code)
		code = read_rows(history, attempts_query, add_attempt);
	if (!code)
		code = read_rows(history, unrun_query, add_unrun);
	if (!code)
		code = read_rows(history, counts_query, add_count);
	return code;
}

static int draw(struct history *history, const struct plan *plan)
{
	int error = timeline_open(&history->timeline, plan), code = 0;

	if (!error)
		code = read_all(history);
	if (code) {
		message("cannot read %s: %s", plan->journal, store_words(history->store));
		timeline_drop(history->timeline);
		return EXIT_LEAT_TROUBLE;
	}
	if (!error)
		error = timeline_close(history->timeline, &history->end, -1);
	if (error)
		message("cannot write %s: %s", plan->timeline, strerror(-error));
	return error ? EXIT_LEAT_TROUBLE : EXIT_ALL_OK;
}

int history_draw(const struct plan *plan)
{
	struct history history = {.end = {.status = -1, .account = &history.account}};
	int status = journal_open_to_read(&history.store, plan);

	if (!status)
		status = draw(&history, plan);
	store_close(history.store);
	return status;
}
