/* Which names there have been: as many as fit into memory that does not grow. */
#ifndef LEAT_CLI_REPORT_NAMESAKES_H
#define LEAT_CLI_REPORT_NAMESAKES_H

#include <stddef.h>

struct namesakes;

/** None yet, and room for `most`. Errors: -ENOMEM. */
int namesakes_create(struct namesakes **result, size_t most);
void namesakes_destroy(struct namesakes *namesakes);

/**
 * Have one more of this name. Returns how many there have been, 0: nobody knows, as there
 * was no room left for it. Two names may be taken for the same, once in 2^64. For one
 * thread at a time.
 */
unsigned namesakes_count(struct namesakes *namesakes, const char *name, size_t length);

#endif
