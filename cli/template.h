/* Replacement strings: {} and its kin. */
#ifndef LEAT_CLI_TEMPLATE_H
#define LEAT_CLI_TEMPLATE_H

#include "message.h"

#include <stdint.h>

/**
 * A text with replacement strings:
 *
 *     {}  {.}  {/}  {//}  {/.}     all values: whole, without the extension, the base
 * name, the directory, the base name without the extension {1} {2.} {-1/} ... one value,
 * counted from the first or from the last {name} {name.} ...           one value, by the
 * name of its column
 *     {#}  {%}                     the task's number, the slot's
 *
 * A backslash before one of these makes it an ordinary text, without the backslash.
 * Everything else stands for itself.
 */
struct template;

struct template_syntax {
	const char *braces;       //< stands for {}; NULL: {} does
	const char *const *names; //< of the values, from the first; may be NULL
	size_t name_count;
};

struct template_value {
	const char *bytes;
	size_t length;
};

struct template_values {
	const struct template_value *values;
	size_t count;
	uint64_t sequence;
	unsigned slot;
};

typedef void (*template_quote_fn)(struct text *out, const char *bytes, size_t length);

/** Parse `text`, which is copied. Errors: -ENOMEM. */
int template_parse(
	struct template **result, const char *text, const struct template_syntax *syntax);
void template_destroy(struct template *template);

/**
 * Append the text with everything replaced, each value by way of `quote` (NULL: as it
 * is). Several values are joined by a blank; a position without a value is nothing.
 */
void template_append(const struct template *template, struct text *out,
	const struct template_values *values, template_quote_fn quote);

#endif
