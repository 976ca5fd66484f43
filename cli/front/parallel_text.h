/* What GNU parallel writes into a command, and what of its language leat does not speak.
 */
#ifndef LEAT_CLI_FRONT_PARALLEL_TEXT_H
#define LEAT_CLI_FRONT_PARALLEL_TEXT_H

#include "message.h"

/** Append a value as GNU parallel quotes it for a shell (template_quote_fn). */
void parallel_quote(struct text *out, const char *bytes, size_t length);

/**
 * An expression of Perl as one for regcomp(3) with REG_EXTENDED; the caller frees it.
 * NULL: it is none, would mean something else there, or memory ran out.
 */
char *parallel_pattern(const char *expression);

/**
 * Find what only Perl could replace: {= =} and, with --plus, strings such as {%.gz} and
 * {:2}. Returns where it begins, and its length; NULL: there is none.
 */
const char *parallel_find_perl(const char *text, bool plus, size_t *length);

#endif
