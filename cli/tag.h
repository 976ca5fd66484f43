/* A tag before each line. */
#ifndef LEAT_CLI_TAG_H
#define LEAT_CLI_TAG_H

#include "message.h"

/**
 * Append `bytes` with `tag` before each line. *line_begun tells, and remembers, whether
 * the bytes before these ended in the middle of a line.
 */
void tag_append(struct text *text, const struct text *tag, const char *bytes,
	size_t length, bool *line_begun);

#endif
