/* What a program wrote for a terminal, as plain text. */
#ifndef LEAT_CLI_PLAIN_H
#define LEAT_CLI_PLAIN_H

#include "message.h"

/**
 * Append `bytes` without the escape sequences of terminals (ECMA-48), with those lines
 * that were written over by a carriage return as they were in the end.
 */
void plain_append(struct text *text, const char *bytes, size_t length);

/**
 * The last `lines` lines of `text`; *length is how many bytes they are, without the
 * newline of the last one.
 */
const char *plain_last_lines(const struct text *text, unsigned lines, size_t *length);

#endif
