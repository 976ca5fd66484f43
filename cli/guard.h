/* Bytes in which Azure Pipelines is to find none of its commands. */
#ifndef LEAT_CLI_GUARD_H
#define LEAT_CLI_GUARD_H

#include "message.h"

/**
 * Append `bytes` with a blank before the bracket of each "##vso[". *matched, 0 at the
 * start of what belongs together, is carried from one piece to the next.
 */
void guard_append(struct text *text, const char *bytes, size_t length, unsigned *matched);

#endif
