/* From a record to its values: columns, and no blanks around them. */
#ifndef LEAT_CLI_COLUMNS_H
#define LEAT_CLI_COLUMNS_H

#include "input.h"
#include "value.h"

struct columns;

/** As the plan has it. Errors: -ENOMEM. */
int columns_create(struct columns **result, const struct plan *plan);
void columns_destroy(struct columns *columns);

void columns_clear(struct columns *columns);

/** Add the values of a record, whose bytes they point into. */
void columns_add(struct columns *columns, const struct record *record);

/**
 * All values since columns_clear(), the last of which ends the record; valid until the
 * next change. NULL: memory ran out.
 */
const struct value *columns_values(struct columns *columns, size_t *count);

#endif
