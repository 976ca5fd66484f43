/* The journal's database: its form, and what is written to it. leat-journal(5). */
#ifndef LEAT_CLI_JOURNAL_STORE_H
#define LEAT_CLI_JOURNAL_STORE_H

#include "account.h"
#include "journal/entry.h"
#include "journal/tail.h"
#include "plan.h"

#include <sqlite3.h>

// In the header of the file.
#define STORE_APPLICATION_ID 0x6c656174 // "leat"
#define STORE_FORMAT 1

/** How long is waited for another's lock. */
#define STORE_BUSY_MS 10000

/** Why a file is no journal that can be used. */
enum store_state {
	STORE_OK,
	STORE_EMPTY,     //< a file without a byte, or none: a journal can be made of it
	STORE_FOREIGN,   //< something else
	STORE_NEWER,     //< of a format that is not known here
	STORE_CORRUPT,   //< a journal, damaged
	STORE_UNREADABLE //< it can't be read
};

/** Look at the file without touching it; *words tell more of the last two. */
enum store_state store_look(const char *name, struct text *words);

struct store;

/**
 * Open the journal `name`, for reading, or for writing, too; `make`: of an empty file.
 * Returns NULL where that fails, with the cause in *words.
 */
struct store *store_open(const char *name, bool writes, enum journal_sync sync, bool make,
	struct text *words);
void store_close(struct store *store);

/**
 * Have all be in the one file, so that it can be copied, and read where nothing may be
 * written. Where others read it, it stays as it is.
 */
void store_settle(struct store *store);

/** When it is closed, have its files stay as they are. */
void store_let_be(struct store *store);

sqlite3 *store_database(struct store *store);

/** A connection of its own that believes nothing of what the schema says; NULL: none. */
sqlite3 *store_connect(const char *name, int flags);

/** The name of what opens SQLite's files so that a full disk is an error, and no SIGBUS;
 * NULL: there is none. */
const char *store_vfs(void);

/** The seconds in a column; anything may stand there, and what is returned is no more
 * than three decades. */
int64_t store_get_ns(sqlite3_stmt *row, int column);

/** Have what follows tell what the journal holds now, as after store_open(). Returns 0,
 * or SQLite's error, and then it tells what it told before. */
int store_read(struct store *store);

/** The journal's own number, and the last ticket that was committed. */
uint64_t store_id(const struct store *store);
uint64_t store_ticket(const struct store *store);

/** The last run, and the first of those that it went on with. 0: there is none. */
int64_t store_run(const struct store *store);
int64_t store_series(const struct store *store);

/** The last row of all tasks; and the first of the series, where there is one. */
uint64_t store_last_row(const struct store *store);
uint64_t store_first_row(const struct store *store);

/** All that follows return 0, or a code of SQLite; store_words() tell more. */
const char *store_words(struct store *store);

/** A group of changes, which come to be all or none; the last ticket among them. */
int store_begin(struct store *store);
int store_commit(struct store *store, uint64_t ticket);
void store_roll_back(struct store *store);

/** Within a group: one entry. A tail_fn; its argument is the store. */
int store_apply(void *store, const struct told *told);

/** Within a group: a run begins, which goes on with the last series (`resumes`) or not;
 * it has ended. */
int store_begin_run(struct store *store, const struct plan *plan, bool resumes);
int store_end_run(struct store *store, const struct account *account, int64_t elapsed_ns,
	int status);

#endif
