#include "journal/store.h"

#include "leat.h"
#include "moment.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define SECONDS_MOST 1e9 // three decades
#define BUSY_STEP_MS 50
// Where readers keep it from being emptied, it is cut off once they are gone.
#define WAL_LIMIT_BYTES "67108864"

enum statement {
	BEGIN,
	COMMIT,
	ROLLBACK,
	SET_TICKET,
	ADD_TASK,
	AGAIN_TASK,
	SET_OUTCOME,
	ADD_ATTEMPT,
	END_ATTEMPT,
	DROP_ATTEMPT,
	ADD_RUN,
	END_RUN,
	STATEMENTS,
};

// The names of all columns are explained in leat-journal(5).
static const char schema[] =
	"BEGIN IMMEDIATE;"
	"CREATE TABLE runs(run INTEGER PRIMARY KEY, series INTEGER NOT NULL,"
	" first_task INTEGER NOT NULL,"
	" started TEXT NOT NULL, elapsed REAL, command TEXT NOT NULL, directory TEXT,"
	" host TEXT, pid INTEGER NOT NULL, version TEXT NOT NULL, exit INTEGER,"
	" ok INTEGER, failed INTEGER, crashed INTEGER, timed_out INTEGER,"
	" canceled INTEGER, unrun INTEGER, skipped INTEGER, input_cut INTEGER);"
	"CREATE TABLE tasks(task INTEGER PRIMARY KEY, series INTEGER NOT NULL,"
	" run INTEGER NOT NULL, seq INTEGER NOT NULL, outcome TEXT,"
	" done INTEGER NOT NULL,"
	" command TEXT NOT NULL, input TEXT, occurrence INTEGER NOT NULL,"
	" key INTEGER NOT NULL);"
	"CREATE INDEX tasks_by_key ON tasks(series, key, occurrence);"
	"CREATE TABLE attempts(task INTEGER NOT NULL, run INTEGER NOT NULL,"
	" attempt INTEGER NOT NULL, slot INTEGER NOT NULL, started TEXT NOT NULL,"
	" elapsed REAL, outcome TEXT, exit INTEGER, signal INTEGER, error TEXT,"
	" user REAL, system REAL, peak_kib INTEGER, stdout_bytes INTEGER,"
	" stderr_bytes INTEGER, PRIMARY KEY(task, run, attempt)) WITHOUT ROWID;"
	"CREATE TABLE journal(id INTEGER NOT NULL, ticket INTEGER NOT NULL);"
	"INSERT INTO journal VALUES(%lld, 0);"
	"PRAGMA application_id=%d; PRAGMA user_version=%d;"
	"COMMIT;";

static const char *const statements[STATEMENTS] = {
	[BEGIN] = "BEGIN IMMEDIATE",
	[COMMIT] = "COMMIT",
	[ROLLBACK] = "ROLLBACK",
	[SET_TICKET] = "UPDATE journal SET ticket=?1",
	[ADD_TASK] =
		"INSERT INTO tasks(task,series,run,seq,outcome,command,input,key,done,"
		"occurrence) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,1+coalesce("
		"(SELECT occurrence FROM tasks WHERE series=?2 AND key=?8 AND"
		" command=?6 AND input IS ?7 ORDER BY occurrence DESC LIMIT 1),0))",
	[AGAIN_TASK] = "UPDATE tasks SET run=?2,seq=?3,outcome=NULL,done=0 WHERE task=?1",
	[SET_OUTCOME] = "UPDATE tasks SET outcome=?2,done=?3 WHERE task=?1",
	[ADD_ATTEMPT] = "INSERT INTO attempts(task,run,attempt,slot,started)"
			" VALUES(?1,?2,?3,?4,?5)",
	[END_ATTEMPT] = "UPDATE attempts SET elapsed=?4,outcome=?5,exit=?6,signal=?7,"
			"error=?8,user=?9,system=?10,peak_kib=?11,stdout_bytes=?12,"
			"stderr_bytes=?13 WHERE task=?1 AND run=?2 AND attempt=?3",
	[DROP_ATTEMPT] = "DELETE FROM attempts WHERE task=?1 AND run=?2 AND attempt=?3",
	[ADD_RUN] = "INSERT INTO runs(run,series,started,command,directory,host,pid,"
		    "version,first_task) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9)",
	[END_RUN] = "UPDATE runs SET elapsed=?2,exit=?3,ok=?4,failed=?5,crashed=?6,"
		    "timed_out=?7,canceled=?8,unrun=?9,skipped=?10,input_cut=?11"
		    " WHERE run=?1",
};

struct store {
	sqlite3 *db;
	sqlite3_stmt *statements[STATEMENTS];
	int64_t run, series;
	uint64_t id, ticket, last_row, first_row;
};

/* ---- open, close ---- */

static int run_sql(sqlite3 *db, const char *sql)
{
	return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

// 0 where there is no row.
static int get_number(sqlite3 *db, const char *sql, int64_t *number)
{
	sqlite3_stmt *statement;
	int code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);

	*number = 0;
	if (code)
		return code;
	if (sqlite3_step(statement) == SQLITE_ROW)
		*number = sqlite3_column_int64(statement, 0);
	return sqlite3_finalize(statement); // how the step went
}

// Made whole before the file becomes one with a write-ahead log, so that its header tells
// what it is from the first moment on.
static int make_tables(sqlite3 *db)
{
	int64_t id = 0, tables;
	char *sql;
	int code = get_number(db, "SELECT count(*) FROM sqlite_master", &tables);

	if (code || tables)
		return code;
	if (getrandom(&id, sizeof id, GRND_NONBLOCK) < 0)
		id = time(NULL) ^ getpid();
	sql = sqlite3_mprintf(schema, (long long)id, STORE_APPLICATION_ID, STORE_FORMAT);
	code = sql ? run_sql(db, sql) : SQLITE_NOMEM;
	sqlite3_free(sql);
	return code;
}

// SQLite does not wait here where another is about to write, for fear of a deadlock.
static int enter_wal_mode(sqlite3 *db)
{
	int code, waited_ms = 0;

	while ((code = run_sql(db, "PRAGMA journal_mode=WAL;"
				   "PRAGMA journal_size_limit=" WAL_LIMIT_BYTES)) ==
			SQLITE_BUSY &&
		waited_ms < STORE_BUSY_MS)
		waited_ms += sqlite3_sleep(BUSY_STEP_MS);
	return code;
}

static int prepare_writing(struct store *store, enum journal_sync sync, bool make)
{
	int code = run_sql(store->db,
		sync == SYNC_OFF ? "PRAGMA synchronous=OFF" : "PRAGMA synchronous=FULL");

	if (!code && make)
		code = make_tables(store->db);
	if (!code)
		code = enter_wal_mode(store->db);
	for (int index = 0; !code && index < STATEMENTS; index++)
		code = sqlite3_prepare_v3(store->db, statements[index], -1,
			SQLITE_PREPARE_PERSISTENT, &store->statements[index], NULL);
	return code;
}

int store_read(struct store *store)
{
	enum { ID, TICKET, RUN, SERIES, LAST_ROW, FIRST_ROW, COUNT };
	static const char *const sql[COUNT] = {
		[ID] = "SELECT id FROM journal",
		[TICKET] = "SELECT ticket FROM journal",
		[RUN] = "SELECT max(run) FROM runs",
		[SERIES] = "SELECT series FROM runs ORDER BY run DESC LIMIT 1",
		[LAST_ROW] = "SELECT max(task) FROM tasks",
		[FIRST_ROW] = ("SELECT first_task FROM runs "
			       "WHERE run=(SELECT max(series) FROM runs)"),
	};
	int64_t numbers[COUNT];
	int code = SQLITE_OK;

	for (int index = 0; index < COUNT && !code; index++)
		code = get_number(store->db, sql[index], &numbers[index]);
	if (code)
		return code;
	store->id = (uint64_t)numbers[ID];
	store->ticket = (uint64_t)numbers[TICKET];
	store->run = numbers[RUN];
	store->series = numbers[SERIES];
	store->last_row = (uint64_t)numbers[LAST_ROW];
	store->first_row = (uint64_t)numbers[FIRST_ROW];
	return SQLITE_OK;
}

struct store *store_open(const char *name, bool writes, enum journal_sync sync, bool make,
	struct text *words)
{
	struct store *store = calloc(1, sizeof *store);
	int code = SQLITE_NOMEM;

	if (store)
		store->db = store_connect(
			name, writes ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY);
	if (store && store->db)
		code = writes ? prepare_writing(store, sync, make) : SQLITE_OK;
	if (code == SQLITE_OK)
		code = store_read(store);
	if (code == SQLITE_OK)
		return store;
	text_format(words, "%s",
		store && store->db ? store_words(store) : "it can't be opened");
	store_close(store);
	return NULL;
}

void store_settle(struct store *store)
{
	for (int index = 0; index < STATEMENTS; index++)
		sqlite3_reset(store->statements[index]);
	sqlite3_busy_timeout(store->db, 0); // who reads it is not waited for
	run_sql(store->db, "PRAGMA journal_mode=DELETE");
}

void store_let_be(struct store *store)
{
	sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
}

void store_close(struct store *store)
{
	if (!store)
		return;
	for (int index = 0; index < STATEMENTS; index++)
		sqlite3_finalize(store->statements[index]);
	sqlite3_close(store->db);
	free(store);
}

sqlite3 *store_database(struct store *store)
{
	return store->db;
}

uint64_t store_id(const struct store *store)
{
	return store->id;
}

uint64_t store_ticket(const struct store *store)
{
	return store->ticket;
}

int64_t store_run(const struct store *store)
{
	return store->run;
}

int64_t store_series(const struct store *store)
{
	return store->series;
}

uint64_t store_last_row(const struct store *store)
{
	return store->last_row;
}

uint64_t store_first_row(const struct store *store)
{
	return store->first_row;
}

// What SQLite says of a full disk is "database or disk is full", of a failed call of the
// system "disk I/O error": then its errno says more.
const char *store_words(struct store *store)
{
	int number = sqlite3_system_errno(store->db);

	if ((sqlite3_errcode(store->db) & 0xff) == SQLITE_IOERR && number)
		return strerror(number);
	return sqlite3_errmsg(store->db);
}

int64_t store_get_ns(sqlite3_stmt *row, int column)
{
	double seconds = sqlite3_column_double(row, column);

	if (seconds > SECONDS_MOST || seconds < -SECONDS_MOST)
		seconds = seconds > 0 ? SECONDS_MOST : -SECONDS_MOST;
	return (int64_t)(seconds * LEAT_SECOND_NS);
}

/* ---- groups of changes ---- */

static int step(struct store *store, enum statement which)
{
	sqlite3_stmt *statement = store->statements[which];
	int code = sqlite3_step(statement);

	sqlite3_reset(statement);
	return code == SQLITE_DONE || code == SQLITE_ROW ? 0 : code;
}

int store_begin(struct store *store)
{
	return step(store, BEGIN);
}

int store_commit(struct store *store, uint64_t ticket)
{
	int code;

	sqlite3_bind_int64(store->statements[SET_TICKET], 1, (int64_t)ticket);
	code = step(store, SET_TICKET);
	if (!code)
		code = step(store, COMMIT);
	if (!code)
		store->ticket = ticket;
	return code;
}

void store_roll_back(struct store *store)
{
	if (!sqlite3_get_autocommit(store->db))
		step(store, ROLLBACK);
}

// Wall-clock time in UTC, as SQLite's own functions read it.
static void bind_time(sqlite3_stmt *statement, int index, int64_t us)
{
	char text[MOMENT_BYTES];

	moment_format(text, us, ' ');
	sqlite3_bind_text(statement, index, text, -1, SQLITE_TRANSIENT);
}

static void bind_seconds(sqlite3_stmt *statement, int index, int64_t ns)
{
	sqlite3_bind_double(statement, index, (double)ns / LEAT_SECOND_NS);
}

static void bind_where(sqlite3_stmt *statement, int index, int64_t value, bool known)
{
	if (known)
		sqlite3_bind_int64(statement, index, value);
	else
		sqlite3_bind_null(statement, index);
}

static void bind_outcome(sqlite3_stmt *statement, int index, uint32_t outcome)
{
	sqlite3_bind_text(statement, index, account_end_name((enum task_end)outcome), -1,
		SQLITE_STATIC);
}

static int add_task(struct store *store, const struct told *told)
{
	const struct entry *entry = &told->entry;
	sqlite3_stmt *add = store->statements[ADD_TASK];

	sqlite3_bind_int64(add, 1, (int64_t)entry->row);
	sqlite3_bind_int64(add, 2, store->series);
	sqlite3_bind_int64(add, 3, store->run);
	sqlite3_bind_int64(add, 4, (int64_t)entry->sequence);
	if (entry->kind == ENTRY_BEGIN)
		sqlite3_bind_null(add, 5);
	else
		bind_outcome(add, 5, entry->outcome);
	sqlite3_bind_text(
		add, 6, told->command, (int)entry->command_bytes, SQLITE_STATIC);
	if (entry->has_input)
		sqlite3_bind_text(
			add, 7, told->input, (int)entry->input_bytes, SQLITE_STATIC);
	else
		sqlite3_bind_null(add, 7);
	sqlite3_bind_int64(add, 8, (int64_t)entry->key);
	sqlite3_bind_int64(add, 9, entry->is_done);
	return step(store, ADD_TASK);
}

static int add_again(struct store *store, const struct entry *entry)
{
	sqlite3_stmt *again = store->statements[AGAIN_TASK];

	sqlite3_bind_int64(again, 1, (int64_t)entry->row);
	sqlite3_bind_int64(again, 2, store->run);
	sqlite3_bind_int64(again, 3, (int64_t)entry->sequence);
	return step(store, AGAIN_TASK);
}

static void bind_attempt(
	sqlite3_stmt *statement, struct store *store, const struct entry *entry)
{
	sqlite3_bind_int64(statement, 1, (int64_t)entry->row);
	sqlite3_bind_int64(statement, 2, store->run);
	sqlite3_bind_int64(statement, 3, entry->attempt);
}

static int begin_attempt(struct store *store, const struct told *told)
{
	const struct entry *entry = &told->entry;
	sqlite3_stmt *add = store->statements[ADD_ATTEMPT];
	int code = 0;

	if (entry->is_new)
		code = add_task(store, told);
	else if (entry->attempt == 1)
		code = add_again(store, entry);
	if (code)
		return code;
	bind_attempt(add, store, entry);
	sqlite3_bind_int64(add, 4, entry->slot);
	bind_time(add, 5, entry->started_us);
	return step(store, ADD_ATTEMPT);
}

static int set_outcome(struct store *store, const struct entry *entry)
{
	sqlite3_stmt *set = store->statements[SET_OUTCOME];

	sqlite3_bind_int64(set, 1, (int64_t)entry->row);
	bind_outcome(set, 2, entry->outcome);
	sqlite3_bind_int64(set, 3, entry->is_done);
	return step(store, SET_OUTCOME);
}

static int end_attempt(struct store *store, const struct entry *entry)
{
	sqlite3_stmt *end = store->statements[END_ATTEMPT];

	bind_attempt(end, store, entry);
	bind_seconds(end, 4, entry->elapsed_ns);
	bind_outcome(end, 5, entry->outcome);
	bind_where(end, 6, entry->exit, entry->exit >= 0);
	bind_where(end, 7, entry->signal, entry->signal > 0);
	if (entry->error)
		sqlite3_bind_text(end, 8, strerror(entry->error), -1, SQLITE_TRANSIENT);
	else
		sqlite3_bind_null(end, 8);
	bind_seconds(end, 9, entry->user_ns);
	bind_seconds(end, 10, entry->system_ns);
	sqlite3_bind_int64(end, 11, entry->peak_kib);
	bind_where(end, 12, entry->out_bytes, entry->out_bytes >= 0);
	bind_where(end, 13, entry->err_bytes, entry->err_bytes >= 0);
	return step(store, END_ATTEMPT);
}

// For want of room it did not start in the end, and is unrun.
static int drop_attempt(struct store *store, const struct entry *entry)
{
	sqlite3_stmt *drop = store->statements[DROP_ATTEMPT];

	bind_attempt(drop, store, entry);
	return step(store, DROP_ATTEMPT);
}

int store_apply(void *argument, const struct told *told)
{
	struct store *store = argument;
	const struct entry *entry = &told->entry;
	int code = 0;

	switch ((enum entry_kind)entry->kind) {
	case ENTRY_BEGIN:
		return begin_attempt(store, told);
	case ENTRY_END:
		code = entry->outcome == TASK_UNRUN ? drop_attempt(store, entry)
						    : end_attempt(store, entry);
		return code || !entry->is_last ? code : set_outcome(store, entry);
	case ENTRY_OUTCOME:
		return entry->is_new ? add_task(store, told) : set_outcome(store, entry);
	}
	return SQLITE_MISMATCH;
}

/* ---- runs ---- */

int store_begin_run(struct store *store, const struct plan *plan, bool resumes)
{
	sqlite3_stmt *add = store->statements[ADD_RUN];
	struct text command = {0};
	char host[256] = "", *directory = getcwd(NULL, 0);
	int code;

	plan_append_arguments(plan, &command);
	gethostname(host, sizeof host - 1);
	store->run++;
	if (!resumes || !store->series)
		store->series = store->run;
	sqlite3_bind_int64(add, 1, store->run);
	sqlite3_bind_int64(add, 2, store->series);
	bind_time(add, 3, moment_wall_us());
	sqlite3_bind_text(add, 4, command.bytes ? command.bytes : "", -1, SQLITE_STATIC);
	sqlite3_bind_text(add, 5, directory, -1, SQLITE_STATIC);
	sqlite3_bind_text(add, 6, host, -1, SQLITE_STATIC);
	sqlite3_bind_int64(add, 7, getpid());
	sqlite3_bind_text(add, 8, leat_version(), -1, SQLITE_STATIC);
	sqlite3_bind_int64(add, 9, (int64_t)store->last_row + 1);
	code = step(store, ADD_RUN);
	sqlite3_clear_bindings(add);
	text_finish(&command);
	free(directory);
	return code;
}

int store_end_run(struct store *store, const struct account *account, int64_t elapsed_ns,
	int status)
{
	static const enum task_end order[] = {TASK_OK, TASK_FAILED, TASK_CRASHED,
		TASK_TIMED_OUT, TASK_CANCELED, TASK_UNRUN, TASK_SKIPPED};
	sqlite3_stmt *end = store->statements[END_RUN];

	sqlite3_bind_int64(end, 1, store->run);
	bind_seconds(end, 2, elapsed_ns);
	sqlite3_bind_int64(end, 3, status);
	for (int index = 0; index < TASK_ENDS; index++)
		sqlite3_bind_int64(end, 4 + index,
			(int64_t)atomic_load(&account->counts[order[index]]));
	sqlite3_bind_int64(end, 4 + TASK_ENDS, atomic_load(&account->input_cut));
	return step(store, END_RUN);
}
