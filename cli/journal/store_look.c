/*
 * Whether a file is a journal that can be used, and connections to it. Somebody else may
 * have made it, so nothing that it says of itself is believed.
 */
#include "journal/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static uint32_t big_endian(const unsigned char *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
	       (uint32_t)bytes[2] << 8 | bytes[3];
}

// https://www.sqlite.org/fileformat2.html, 1.3: the version of the user's format is at
// 60, the application's number at 68.
static enum store_state look_at_header(const char *name)
{
	unsigned char header[100];
	int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t length = -1;
	struct stat status;

	if (fd < 0)
		return errno == ENOENT ? STORE_EMPTY : STORE_UNREADABLE;
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
		length = read(fd, header, sizeof header);
	close(fd);
	if (!length)
		return STORE_EMPTY;
	if (length < (ssize_t)sizeof header ||
		memcmp(header, "SQLite format 3", 16) != 0 ||
		big_endian(header + 68) != STORE_APPLICATION_ID)
		return STORE_FOREIGN;
	return big_endian(header + 60) > STORE_FORMAT ? STORE_NEWER : STORE_OK;
}

// Whoever made the file may have put anything into its schema, which SQLite would run in
// leat's name: https://www.sqlite.org/security.html.
static void distrust(sqlite3 *db)
{
	static const struct {
		int what, value;
	} configuration[] = {{SQLITE_DBCONFIG_DEFENSIVE, 1},
		{SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0}, {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},
		{SQLITE_DBCONFIG_ENABLE_VIEW, 0}},
	  limits[] = {{SQLITE_LIMIT_ATTACHED, 0}, {SQLITE_LIMIT_COLUMN, 200},
		  {SQLITE_LIMIT_COMPOUND_SELECT, 3}, {SQLITE_LIMIT_EXPR_DEPTH, 20},
		  {SQLITE_LIMIT_FUNCTION_ARG, 8}, {SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 50},
		  {SQLITE_LIMIT_SQL_LENGTH, 100000}, {SQLITE_LIMIT_VDBE_OP, 25000}};

	for (size_t index = 0; index < sizeof configuration / sizeof *configuration;
		index++)
		sqlite3_db_config(
			db, configuration[index].what, configuration[index].value, NULL);
	for (size_t index = 0; index < sizeof limits / sizeof *limits; index++)
		sqlite3_limit(db, limits[index].what, limits[index].value);
	sqlite3_exec(db, "PRAGMA cell_size_check=ON", NULL, NULL, NULL);
}

sqlite3 *store_connect(const char *name, int flags)
{
	sqlite3 *db = NULL;

	if (sqlite3_open_v2(name, &db, flags | SQLITE_OPEN_NOMUTEX, store_vfs()) !=
		SQLITE_OK) {
		sqlite3_close(db);
		return NULL;
	}
	sqlite3_busy_timeout(db, STORE_BUSY_MS);
	distrust(db);
	return db;
}

static int note_damage(void *argument, int count, char **values, char **names)
{
	struct text *words = argument;

	(void)count;
	(void)names;
	if (strcmp(values[0], "ok") != 0 && !words->length)
		text_format(words, "%s", values[0]);
	return strcmp(values[0], "ok") != 0;
}

// What else has to be true, in a row for each that is not: the four tables are tables, as
// a view or a virtual table would be asked; and whatever is counted on from the numbers
// here is one, too: 2 to the 48th.
static const char sound[] =
	"SELECT column1||' is no table' FROM (VALUES('runs'),('tasks'),('attempts'),"
	"('journal')) WHERE NOT EXISTS(SELECT 1 FROM sqlite_master WHERE name=column1"
	" COLLATE NOCASE AND type='table' AND substr(sql,1,13)='CREATE TABLE ');"
	"PRAGMA quick_check(1);"
	"SELECT 'its numbers are too large' WHERE"
	" (SELECT max(run) FROM runs) NOT BETWEEN 0 AND 281474976710656 OR"
	" (SELECT max(task) FROM tasks) NOT BETWEEN 0 AND 281474976710656 OR"
	" (SELECT CAST(ticket AS INTEGER) FROM journal) NOT BETWEEN 0 AND "
	"281474976710656";

// Returns what SQLite says of the whole.
static int check(const char *name, int flags, struct text *words)
{
	sqlite3 *db = store_connect(name, flags);
	int code =
		db ? sqlite3_exec(db, sound, note_damage, words, NULL) : SQLITE_CANTOPEN;

	if (code != SQLITE_OK && code != SQLITE_READONLY && !words->length)
		text_format(words, "%s", db ? sqlite3_errmsg(db) : "it can't be opened");
	sqlite3_close(db);
	return code;
}

// Where a leat was killed as it made or closed its journal, that can't be read before it
// has been written to: SQLite rolls back what was begun, which may be all there was.
static enum store_state look_inside(const char *name, struct text *words)
{
	int code = check(name, SQLITE_OPEN_READONLY, words);

	if (code == SQLITE_READONLY) {
		code = check(name, SQLITE_OPEN_READWRITE, words);
		if (look_at_header(name) == STORE_EMPTY) {
			words->length = 0;
			return STORE_EMPTY;
		}
	}
	// What the check itself finds ends it: note_damage().
	return code == SQLITE_OK ? STORE_OK
	       : code == SQLITE_ABORT || code == SQLITE_CORRUPT || code == SQLITE_NOTADB
		       ? STORE_CORRUPT
		       : STORE_UNREADABLE;
}

// SQLite takes what stands in these for a part of the journal, whoever put it there.
static bool has_foreign_part(const char *name, struct text *words)
{
	static const char *const ends[] = {"-journal", "-wal", "-shm"};
	struct stat file, part;
	uid_t owner = stat(name, &file) == 0 ? file.st_uid : geteuid();

	for (size_t index = 0; index < sizeof ends / sizeof *ends; index++) {
		struct text path = {0};
		bool foreign;

		text_format(&path, "%s%s", name, ends[index]);
		foreign = path.failed ||
			  (lstat(path.bytes, &part) == 0 &&
				  (!S_ISREG(part.st_mode) ||
					  (part.st_uid && part.st_uid != owner &&
						  part.st_uid != geteuid())));
		if (foreign)
			text_format(words, "%s%s is no file of yours", name, ends[index]);
		text_finish(&path);
		if (foreign)
			return true;
	}
	return false;
}

enum store_state store_look(const char *name, struct text *words)
{
	enum store_state state = look_at_header(name);

	if (state == STORE_UNREADABLE)
		text_format(words, "%s", strerror(errno));
	else if ((state == STORE_OK || state == STORE_EMPTY) &&
		 has_foreign_part(name, words))
		return STORE_UNREADABLE;
	return state == STORE_OK ? look_inside(name, words) : state;
}
