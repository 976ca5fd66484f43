/*
 * The input may have been reordered, edited or cut since, and is of any length, and so is
 * the journal; memory is bounded all the same. What is kept of each task of the journal
 * is one bit: whether it was found.
 *
 * Most often the input is what it was. So the tasks of the journal are read along in
 * their order, some at a time, and each task of the input is compared with the next. Only
 * where that is another one does the index tell whether, and where, it is; and reading
 * goes on behind it. A piece that was read is copied, and a reading transaction lasts
 * over tasks that are done alone, and not too many: it would stand in the way of the
 * writer's checkpoints while the reading thread waits for a slot.
 *
 * Of several tasks that are the same, the first that was not found is meant. Those found
 * are therefore always the first so many of them, and a search in the index finds where
 * they end without looking at each.
 */
#include "journal/find.h"

#include "sum.h"

#include <stdlib.h>
#include <string.h>

#define PIECE_TASKS 512
#define PIECE_BYTES 65536
#define MOST_TOGETHER 1024

enum statement { BEGIN, COMMIT, NEXT, SAME, STATEMENTS };

static const char *const statements[STATEMENTS] = {
	[BEGIN] = "BEGIN",
	[COMMIT] = "COMMIT",
	[NEXT] = "SELECT task,key,occurrence,done,outcome,command,input FROM tasks"
		 " WHERE task>=?1 AND task<=?2 ORDER BY task LIMIT ?3",
	[SAME] = "SELECT task,done,outcome,command,input FROM tasks WHERE series=?1 AND "
		 "key=?2"
		 " AND occurrence=?3",
};

struct row {
	uint64_t task, key, occurrence;
	bool done, failed;
	size_t command, command_bytes; //< where it is in the piece's text
	size_t input, input_bytes;
	bool has_input;
};

struct find {
	sqlite3 *db;
	sqlite3_stmt *statements[STATEMENTS];
	int64_t series;
	uint64_t first_row, last_row;
	bool failed_again;
	unsigned char *found; //< a bit for each row
	struct row piece[PIECE_TASKS];
	unsigned together;            //< tasks looked up in the present transaction
	size_t piece_count, position; //< of the next in it
	struct text text;             //< of the piece
	uint64_t next_row;            //< where the next piece begins
	struct row last;              //< what was found the last time
};

uint64_t identity_key(const struct identity *identity)
{
	uint64_t sum = sum_bytes(SUM_START, identity->command, identity->command_bytes);

	return sum_bytes(sum, identity->input, identity->input_bytes);
}

struct find *find_open(const char *name, const struct store *store, bool failed_again,
	struct text *words)
{
	struct find *find = calloc(1, sizeof *find);
	int code = SQLITE_NOMEM;

	if (!find)
		goto fail;
	find->series = store_series(store);
	find->failed_again = failed_again;
	find->first_row = find->next_row = store_first_row(store);
	find->last_row = store_last_row(store);
	if (find->last_row >= find->first_row)
		find->found = calloc((find->last_row - find->first_row) / 8 + 1, 1);
	else
		find->found = calloc(1, 1);
	if (!find->found)
		goto fail;
	find->db = store_connect(name, SQLITE_OPEN_READONLY);
	code = find->db ? SQLITE_OK : SQLITE_CANTOPEN;
	for (int index = 0; !code && index < STATEMENTS; index++)
		code = sqlite3_prepare_v3(find->db, statements[index], -1,
			SQLITE_PREPARE_PERSISTENT, &find->statements[index], NULL);
	if (!code)
		return find;
fail:
	text_format(words, "%s",
		find && find->db ? sqlite3_errmsg(find->db) : sqlite3_errstr(code));
	find_close(find);
	return NULL;
}

void find_close(struct find *find)
{
	if (!find)
		return;
	for (int index = 0; index < STATEMENTS; index++)
		sqlite3_finalize(find->statements[index]);
	sqlite3_close(find->db);
	text_finish(&find->text);
	free(find->found);
	free(find);
}

const char *find_words(struct find *find)
{
	return sqlite3_errmsg(find->db);
}

/* ---- what was found ---- */

static bool was_found(const struct find *find, uint64_t row)
{
	uint64_t bit = row - find->first_row;

	return find->found[bit / 8] & (1U << bit % 8);
}

static void note_found(struct find *find, uint64_t row)
{
	uint64_t bit = row - find->first_row;

	find->found[bit / 8] |= (unsigned char)(1U << bit % 8);
}

// Both stand side by side, `done` in the column.
static void note_outcome(struct row *row, sqlite3_stmt *statement, int column)
{
	const char *name = (const char *)sqlite3_column_text(statement, column + 1);

	row->done = sqlite3_column_int(statement, column);
	row->failed = name && account_is_trouble(account_find_end(name));
}

/* ---- reading along ---- */

static void copy_row(struct find *find, sqlite3_stmt *next)
{
	struct row *row = &find->piece[find->piece_count++];

	row->task = (uint64_t)sqlite3_column_int64(next, 0);
	row->key = (uint64_t)sqlite3_column_int64(next, 1);
	row->occurrence = (uint64_t)sqlite3_column_int64(next, 2);
	note_outcome(row, next, 3);
	row->command = find->text.length;
	row->command_bytes = (size_t)sqlite3_column_bytes(next, 5);
	text_append(&find->text, (const char *)sqlite3_column_text(next, 5),
		row->command_bytes);
	row->has_input = sqlite3_column_type(next, 6) != SQLITE_NULL;
	row->input = find->text.length;
	row->input_bytes = (size_t)sqlite3_column_bytes(next, 6);
	if (row->has_input)
		text_append(&find->text, (const char *)sqlite3_column_text(next, 6),
			row->input_bytes);
	find->next_row = row->task + 1;
}

static int read_piece(struct find *find)
{
	sqlite3_stmt *next = find->statements[NEXT];
	int code = SQLITE_DONE;

	find->piece_count = find->position = 0;
	find->text.length = 0;
	if (find->next_row > find->last_row)
		return 0;
	sqlite3_bind_int64(next, 1, (int64_t)find->next_row);
	sqlite3_bind_int64(next, 2, (int64_t)find->last_row);
	sqlite3_bind_int(next, 3, PIECE_TASKS);
	while (find->piece_count < PIECE_TASKS && find->text.length < PIECE_BYTES &&
		(code = sqlite3_step(next)) == SQLITE_ROW)
		copy_row(find, next);
	sqlite3_reset(next);
	if (code == SQLITE_DONE)
		find->next_row = find->last_row + 1;
	return code == SQLITE_DONE || code == SQLITE_ROW ? 0 : code;
}

// The next task of the journal that was not found; NULL: there is none.
static int get_next(struct find *find, const struct row **row)
{
	int code = 0;

	for (;;) {
		while (find->position < find->piece_count &&
			was_found(find, find->piece[find->position].task))
			find->position++;
		if (find->position < find->piece_count) {
			*row = &find->piece[find->position];
			return 0;
		}
		*row = NULL;
		if (code || find->next_row > find->last_row)
			return code;
		code = read_piece(find);
	}
}

static bool is_same(const struct identity *identity, const char *command,
	size_t command_bytes, const char *input, size_t input_bytes)
{
	return command && identity->command_bytes == command_bytes &&
	       memcmp(identity->command, command, command_bytes) == 0 &&
	       !identity->input == !input &&
	       (!input || (identity->input_bytes == input_bytes &&
				  memcmp(identity->input, input, input_bytes) == 0));
}

// Where one before it is the same, and may not have been found, the index has to tell.
static bool is_next(
	const struct find *find, const struct row *row, const struct identity *identity)
{
	const char *text = find->text.bytes;

	if (!row || row->key != identity->key ||
		(row->occurrence > 1 &&
			(find->last.key != row->key ||
				find->last.occurrence + 1 != row->occurrence)))
		return false;
	return is_same(identity, text + row->command, row->command_bytes,
		row->has_input ? text + row->input : NULL, row->input_bytes);
}

/* ---- by the index ---- */

// Occurrence number `occurrence`; row->task 0: there are not so many.
static int get_same(struct find *find, const struct identity *identity,
	uint64_t occurrence, struct row *row)
{
	sqlite3_stmt *same = find->statements[SAME];
	int code;

	*row = (struct row){.occurrence = occurrence, .key = identity->key};
	sqlite3_bind_int64(same, 1, find->series);
	sqlite3_bind_int64(same, 2, (int64_t)identity->key);
	sqlite3_bind_int64(same, 3, (int64_t)occurrence);
	while ((code = sqlite3_step(same)) == SQLITE_ROW) {
		uint64_t task = (uint64_t)sqlite3_column_int64(same, 0);

		if (task < find->first_row || task > find->last_row ||
			!is_same(identity, (const char *)sqlite3_column_text(same, 3),
				(size_t)sqlite3_column_bytes(same, 3),
				(const char *)sqlite3_column_text(same, 4),
				(size_t)sqlite3_column_bytes(same, 4)))
			continue;
		row->task = task;
		note_outcome(row, same, 1);
		break;
	}
	sqlite3_reset(same);
	return code == SQLITE_ROW || code == SQLITE_DONE ? 0 : code;
}

// The first that was not found, between one that was (or 0) and one that was not.
static int search(struct find *find, const struct identity *identity, struct row *row)
{
	uint64_t low = 0, step = 1;
	int code = get_same(find, identity, 1, row);

	while (!code && row->task && was_found(find, row->task)) {
		low = row->occurrence;
		code = get_same(find, identity, low + step, row);
		step *= 2;
	}
	while (!code && row->occurrence > low + 1) {
		uint64_t middle = low + (row->occurrence - low) / 2;
		struct row between;

		code = get_same(find, identity, middle, &between);
		if (between.task && was_found(find, between.task))
			low = middle;
		else
			*row = between;
	}
	return code;
}

// Reading along goes on behind it. One that is far ahead may stand alone where it is, and
// only a second one, next to it, shows that the input goes on there.
static void go_behind(struct find *find, uint64_t row)
{
	if (row < find->next_row) {
		while (find->position < find->piece_count &&
			find->piece[find->position].task <= row)
			find->position++;
	} else if (row == find->last.task + 1) {
		find->piece_count = find->position = 0;
		find->next_row = row + 1;
	}
}

static int look_up(
	struct find *find, const struct identity *identity, struct known *known)
{
	const struct row *next;
	struct row row = {0};
	int code = get_next(find, &next);

	if (code)
		return code;
	if (is_next(find, next, identity))
		row = *next;
	else
		code = search(find, identity, &row);
	if (code || !row.task)
		return code;
	note_found(find, row.task);
	go_behind(find, row.task);
	find->last = row;
	known->row = row.task;
	known->failed = row.failed;
	known->done = row.done && !(row.failed && find->failed_again);
	return 0;
}

static int step(struct find *find, enum statement which)
{
	int code = sqlite3_step(find->statements[which]);

	sqlite3_reset(find->statements[which]);
	return code == SQLITE_DONE ? 0 : code;
}

int find_next(struct find *find, const struct identity *identity, struct known *known)
{
	int code = 0, ended;

	*known = (struct known){0};
	if (!find->together)
		code = step(find, BEGIN);
	if (!code)
		code = look_up(find, identity, known);
	if (!code && known->done && ++find->together < MOST_TOGETHER)
		return 0;
	find->together = 0;
	ended = step(find, COMMIT);
	return code ? code : ended;
}
