/* Which task of the journal a task of the input is. */
#ifndef LEAT_CLI_JOURNAL_FIND_H
#define LEAT_CLI_JOURNAL_FIND_H

#include "journal/store.h"

/** What a task is known by: its command, and its input where the command does not hold
 * that. */
struct identity {
	const char *command, *input; //< `input` NULL: none
	size_t command_bytes, input_bytes;
	uint64_t key; //< a sum of both
};

uint64_t identity_key(const struct identity *identity);

struct find;

/** What is known of a task. */
struct known {
	uint64_t row; //< 0: it is not in the journal
	bool done;    //< it is not to be run,
	bool failed;  //< though it failed
};

/**
 * Of the tasks of the last series in the journal `name`, which `store` has open.
 * `failed_again`: one that failed is not done. Returns NULL and *words.
 */
struct find *find_open(const char *name, const struct store *store, bool failed_again,
	struct text *words);
void find_close(struct find *find);

/**
 * The first task of the journal that is the same and was not found before; so the n-th
 * of several that are the same is the n-th there. Returns 0 or a code of SQLite.
 */
int find_next(struct find *find, const struct identity *identity, struct known *known);
const char *find_words(struct find *find);

#endif
