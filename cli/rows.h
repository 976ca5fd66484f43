/* The values of the sources, record by record: one source, or several combined. */
#ifndef LEAT_CLI_ROWS_H
#define LEAT_CLI_ROWS_H

#include "input.h"
#include "value.h"

struct rows;

/** What makes one record: its values; valid until the next call. */
struct row {
	const struct value *values;
	size_t count;
	bool ends_line; //< a line of input ends with it
};

/**
 * Open all sources of the plan, which must stay. Returns 0, or a negative errno after a
 * message.
 */
int rows_open(struct rows **result, const struct plan *plan);
void rows_close(struct rows *rows);

/**
 * Read what has to be known before the first row: the header, and every source that is
 * gone through more than once. Returns 0; -EAGAIN where patience ended (call again); or
 * as input_next(). rows_next() does it where it was not done.
 */
int rows_prepare(struct rows *rows, struct patience patience);

/** The names of the values, from the header; valid as long as `rows`, once prepared. */
const char *const *rows_names(const struct rows *rows, size_t *count);

/** Get the next row. Returns 1, or as input_next(). */
int rows_next(struct rows *rows, struct patience patience, struct row *row);

/** How many rows there will be, where that can be known before they are read; else 0. */
uint64_t rows_total(struct rows *rows, struct patience patience);

/** Whether what is left is of known length, so that reading to its end is quick. */
bool rows_are_bounded(const struct rows *rows);

/** Whether a terminal is read. */
bool rows_are_typed(const struct rows *rows);

#endif
