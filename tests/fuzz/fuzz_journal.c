/*
 * Fuzz target: a journal that is damaged, or made by somebody else. The input is changes:
 * of bytes of the file, or of values in its tables, of which one kind has no constraints;
 * and what a killed leat left beside it.
 * It is listed, drawn and gone on with. The judge: each of these is done or refused in
 * words; a page is one that can be read; a journal that was written to can be read again.
 */
#include "fuzz.h"

#include "exit_status.h"
#include "history.h"
#include "journal/find.h"
#include "journal/journal.h"
#include "journal/list.h"
#include "journal/store.h"
#include "journal/tail.h"
#include "leat.h"

#include <fcntl.h>
#include <jansson.h>

#define COLUMNS_MOST 64
#define ROWS_BEGIN "id=\"rows\">"

static char folder[64], name[80];
static struct text bases[2]; // the second one without constraints
static char columns[COLUMNS_MOST][2][32];
static unsigned column_count;
static int null_fd;
static uint64_t id; // the journal's own
static char *no_words[] = {(char *)"leat", NULL};

static void remove_files(void)
{
	static const char *const ends[] = {"", "-wal", "-shm", "-tail", "-journal"};

	for (size_t index = 0; index < sizeof ends / sizeof *ends; index++) {
		char path[96];

		snprintf(path, sizeof path, "%s%s", name, ends[index]);
		unlink(path);
	}
}

static void remove_folder(void)
{
	remove_files();
	rmdir(folder);
}

static int run_sql(const char *sql)
{
	sqlite3 *db;
	int code = sqlite3_open(name, &db);

	if (!code)
		code = sqlite3_exec(db, sql, NULL, NULL, NULL);
	sqlite3_close(db);
	return code;
}

/* ---- a journal to begin with ---- */

static const char rows[] =
	"PRAGMA journal_mode=DELETE; PRAGMA synchronous=OFF;"
	"INSERT INTO runs VALUES(1,1,1,'2026-11-21 10:00:00.000',1.5,'leat x','/','h',7,"
	"'0.1',0,1,1,0,0,0,0,0,0);"
	"INSERT INTO runs VALUES(2,1,1,'2026-11-21 11:00:00.000',NULL,'leat --resume',"
	"'/','h',7,'0.1',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);"
	"INSERT INTO tasks VALUES(1,1,1,1,'ok',1,'echo a',NULL,1,11);"
	"INSERT INTO tasks VALUES(2,1,1,2,'failed',0,'false b','b',1,12);"
	"INSERT INTO tasks VALUES(3,1,2,3,NULL,0,'sleep 1',NULL,1,13);"
	"INSERT INTO attempts VALUES(1,1,1,1,'2026-11-21 10:00:00.000',1.0,'ok',0,NULL,"
	"NULL,0.1,0.1,100,5,0);"
	"INSERT INTO attempts VALUES(2,1,1,2,'2026-11-21 10:00:00.500',0.5,'failed',1,"
	"NULL,NULL,0.1,0.1,100,5,0);"
	"INSERT INTO attempts VALUES(3,2,1,1,'2026-11-21 11:00:00.000',NULL,NULL,NULL,"
	"NULL,NULL,NULL,NULL,NULL,NULL,NULL);";

// By which tasks are found again.
static void set_keys(void)
{
	static const char *const all[] = {"echo a", "sleep 1"};

	for (size_t index = 0; index < sizeof all / sizeof *all; index++) {
		const struct identity identity = {
			.command = all[index], .command_bytes = strlen(all[index])};
		char sql[96];

		snprintf(sql, sizeof sql, "UPDATE tasks SET key=%lld WHERE command='%s'",
			(long long)identity_key(&identity), all[index]);
		CHECK(run_sql(sql) == 0);
	}
}

static int note_column(void *argument, int count, char **values, char **names)
{
	(void)argument;
	(void)count;
	(void)names;
	CHECK(column_count < COLUMNS_MOST);
	snprintf(columns[column_count][0], 32, "%s", values[0]);
	snprintf(columns[column_count++][1], 32, "%s", values[1]);
	return 0;
}

static void note_columns(void)
{
	sqlite3 *db;

	CHECK(sqlite3_open(name, &db) == 0);
	CHECK(sqlite3_exec(db,
		      "SELECT m.name,c.name FROM sqlite_master m,"
		      "pragma_table_info(m.name) c WHERE m.type='table'",
		      note_column, NULL, NULL) == 0);
	sqlite3_close(db);
}

static struct text read_base(void)
{
	return read_file(open(name, O_RDONLY | O_CLOEXEC));
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct text words = {0};
	struct store *store;

	(void)argc;
	(void)argv;
	// Where nothing is on a disk, if there is such a place.
	snprintf(folder, sizeof folder, "%s/leat-fuzz-XXXXXX",
		access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	CHECK(mkdtemp(folder));
	snprintf(name, sizeof name, "%s/j", folder);
	atexit(remove_folder);
	null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	close(open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	store = store_open(name, true, SYNC_OFF, true, &words);
	CHECK(store);
	id = store_id(store);
	store_close(store);
	CHECK(run_sql(rows) == 0);
	set_keys();
	note_columns();
	bases[0] = read_base();
	CHECK(run_sql("PRAGMA writable_schema=ON; UPDATE sqlite_master SET "
		      "sql=replace(replace(replace(sql,'NOT NULL',''),' TEXT',''),"
		      "' REAL','')") == 0);
	bases[1] = read_base();
	return 0;
}

/* ---- changes ---- */

static void write_journal(const struct text *journal)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	CHECK(text_write(journal, fd) == 0);
	close(fd);
}

static void change_bytes(struct bytes *bytes)
{
	const struct text *base = &bases[take(bytes) % 2];
	unsigned kept = take(bytes);
	struct text journal = {0};

	text_append(&journal, base->bytes, base->length);
	while (bytes_left(bytes)) {
		size_t at = take(bytes) << 8 | take(bytes);

		journal.bytes[at % journal.length] = (char)take(bytes);
	}
	if (kept < 64)
		journal.length = journal.length * kept / 64;
	write_journal(&journal);
	text_finish(&journal);
}

// Small, or near the largest or the least that there is.
static int64_t take_extreme(struct bytes *bytes)
{
	unsigned kind = take(bytes);
	int64_t number = take(bytes);

	return kind % 4 == 0   ? number
	       : kind % 4 == 1 ? -number
	       : kind % 4 == 2 ? INT64_MAX - number
			       : INT64_MIN + number;
}

static void bind(sqlite3_stmt *statement, struct bytes *bytes)
{
	unsigned kind = take(bytes) % 6;
	struct text value;
	double number;
	uint64_t bits;

	if (kind == 0) {
		sqlite3_bind_null(statement, 1);
	} else if (kind == 1) {
		sqlite3_bind_int64(statement, 1, take_extreme(bytes));
	} else if (kind == 2) {
		bits = take_number(bytes);
		memcpy(&number, &bits, sizeof number);
		sqlite3_bind_double(statement, 1, number);
	} else if (kind == 3) {
		sqlite3_bind_zeroblob(statement, 1, 0);
	} else {
		value = take_until(bytes, 1);
		text_append(&value, "", 0);
		if (kind == 4)
			sqlite3_bind_text(statement, 1, value.bytes, (int)value.length,
				SQLITE_TRANSIENT);
		else
			sqlite3_bind_blob(statement, 1, value.bytes, (int)value.length,
				SQLITE_TRANSIENT);
		text_finish(&value);
	}
}

static void change_values(struct bytes *bytes)
{
	sqlite3_stmt *statement;
	sqlite3 *db;

	write_journal(&bases[take(bytes) % 2]);
	CHECK(sqlite3_open(name, &db) == 0);
	sqlite3_exec(db, "PRAGMA synchronous=OFF", NULL, NULL, NULL);
	while (bytes_left(bytes)) {
		unsigned column = take(bytes) % column_count;
		char *sql = sqlite3_mprintf("UPDATE %s SET %s=?1 WHERE rowid%%2=%d",
			columns[column][0], columns[column][1], take(bytes) & 1);

		// One of the tables has no rowid: there it is all rows.
		if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL)) {
			*strstr(sql, " WHERE") = '\0';
			CHECK(sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == 0);
		}
		bind(statement, bytes);
		sqlite3_step(statement);
		sqlite3_finalize(statement);
		sqlite3_free(sql);
	}
	sqlite3_close(db);
}

// What a killed leat was told and did not commit, of any content: the rest of the input.
static void leave_tail(struct bytes *bytes)
{
	const char *text = "echo a and more";
	struct told told = {.command = text, .input = text};
	size_t size = sizeof told.entry;
	struct tail *tail;
	pid_t holder;

	if (bytes_left(bytes) < size)
		size = bytes_left(bytes);
	memcpy(&told.entry, bytes->at, size);
	bytes->at += size;
	told.entry.command_bytes %= strlen(text);
	told.entry.input_bytes %= strlen(text);
	CHECK(tail_open(&tail, name, true, &holder) == 0);
	tail_begin(tail, id, 0);
	CHECK(tail_add(tail, &told) == 0);
	tail_close(tail, false);
}

/* ---- what leat does with it ---- */

static bool check_status(int status)
{
	CHECK(status == EXIT_ALL_OK || status == EXIT_LEAT_TROUBLE);
	CHECK(status == EXIT_ALL_OK || said.length);
	forget_said();
	return status == EXIT_ALL_OK;
}

static void list(struct plan *plan)
{
	int out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);

	dup2(null_fd, STDOUT_FILENO);
	plan->list = true;
	check_status(journal_list(plan));
	plan->list = false;
	plan->show = 1;
	check_status(journal_list(plan));
	plan->show = 0;
	fflush(stdout);
	dup2(out, STDOUT_FILENO);
	close(out);
}

static void draw(struct plan *plan)
{
	char path[PATH_BYTES];
	int fd = make_file(path, "", 0);
	struct text page;
	const char *begin;
	json_t *json;
	bool drawn;

	plan->timeline = path;
	drawn = check_status(history_draw(plan));
	plan->timeline = NULL;
	page = read_file(fd);
	if (drawn) {
		begin = strstr(page.bytes, ROWS_BEGIN);
		CHECK(begin && strlen(page.bytes) == page.length);
		begin += strlen(ROWS_BEGIN);
		json = json_loadb(begin, strcspn(begin, "<"),
			JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, NULL);
		CHECK(json_is_array(json));
		json_decref(json);
	}
	text_finish(&page);
}

static void broke(void *argument, const char *words)
{
	(void)argument;
	message("%s", words);
}

static struct task *make_task(const char *command)
{
	struct task *task = calloc(1, sizeof *task + sizeof *task->values);

	task->sequence = 1;
	task->count = 1;
	task->values[0] = (struct value){command, (uint32_t)strlen(command), true};
	return task;
}

// Whether each command is done already.
static void look_up(struct journal *journal, const struct plan *plan)
{
	static const char *const all[] = {"echo a", "sleep 1", "", "echo a", "abc"};
	struct recipe *recipe;

	CHECK(recipe_create(&recipe, plan, NULL, 0) == 0);
	for (size_t index = 0; index < sizeof all / sizeof *all; index++) {
		struct task *task = make_task(all[index]);

		journal_enter(journal, recipe, task);
		free(task);
	}
	recipe_destroy(recipe);
}

static void waits(bool begins)
{
	(void)begins;
}

static void go_on(struct plan *plan, bool resumes)
{
	const struct journal_events events = {NULL, broke, waits};
	struct account account = {0};
	struct text words = {0};
	struct journal *journal;

	plan->resume = resumes;
	if (!check_status(journal_open(&journal, plan, &events)))
		return;
	look_up(journal, plan);
	if (journal_close(journal, &account, 1, 0) < 0)
		CHECK(said.length);
	else
		CHECK(store_look(name, &words) == STORE_OK);
	forget_said();
	text_finish(&words);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes bytes = bytes_of(data, size);
	unsigned flags = take(&bytes);
	struct plan plan = {.journal = name,
		.sync = SYNC_OFF,
		.arguments = no_words,
		.splitting = {.delimiter = '\n'}};

	if (flags & 16)
		leave_tail(&bytes);
	if (flags & 1)
		change_bytes(&bytes);
	else
		change_values(&bytes);
	if (flags >> 2 & 1)
		draw(&plan);
	else if (flags >> 3 & 1)
		list(&plan);
	else
		go_on(&plan, flags & 2);
	remove_files();
	return 0;
}
