/* Replacement strings: {} and its kin. */
#ifndef LEAT_CLI_TEMPLATE_H
#define LEAT_CLI_TEMPLATE_H

#include "message.h"
#include "value.h"

#include <stdint.h>

/**
 * A text with replacement strings, parsed once and expanded for each task:
 *
 * - {} all values, joined by a blank; {.} each without its extension, {/} its base
 *   name, {//} its directory, {/.} its base name without the extension;
 * - {1} {2.} {-1/} and so on: one value, counted from the first or from the last, and
 *   nothing where there is none;
 * - {name} {name.} and so on: the value that has this name, whatever else it means;
 * - {#} the task's number, {%} the slot's.
 *
 * With `plus`: {..} {...} without two or three extensions, {/..} {/...} their base names;
 * {+/} the directory, or nothing where there is none; {+.} {+..} {+...} the last one, two
 * or three extensions.
 *
 * A backslash before one of these that begins with a brace makes it ordinary text, and
 * goes away. Everything else stands for itself.
 */
struct template;

/** Which of that there is. */
enum template_kind {
	TEMPLATE_FULL,
	TEMPLATE_RAW,    //< all, but a backslash is nothing special
	TEMPLATE_BRACES, //< {} alone, or what stands for it
	TEMPLATE_NONE,   //< nothing is replaced
};

struct template_syntax {
	enum template_kind kind;
	bool plus;          //< more changes of a value: {..} {+/} and so on, see below
	const char *braces; //< stands for {}, in its place; NULL: {} does
	const char *const *names; //< of the values, from the first; may be NULL
	size_t name_count;
};

struct template_values {
	const struct value *values; //< {1} and so on
	size_t count;
	const struct value *all; //< {} and so on
	size_t all_count;
	uint64_t sequence;
	unsigned slot;
};

/** Appends a value so that whoever reads the text finds these very bytes. */
typedef void (*template_quote_fn)(struct text *out, const char *bytes, size_t length);

/**
 * Parse `text`; it and the syntax are needed no longer then. The caller owns *result.
 * Errors: -ENOMEM.
 */
int template_parse(
	struct template **result, const char *text, const struct template_syntax *syntax);
void template_destroy(struct template *template);

/** Whether a value stands anywhere in it: {#} and {%} are none. */
bool template_has_value(const struct template *template);

/** Whether anything in it is replaced. */
bool template_has_replacement(const struct template *template);

/** How often all values stand in it, as in {} and {.}; and whether it is nothing but {}.
 */
size_t template_uses(const struct template *template);
bool template_is_braces(const struct template *template);

/** How many bytes of it are no replacement strings. */
size_t template_fixed_bytes(const struct template *template);

/**
 * Append the text with everything replaced, each value, once it is cut to size, by way
 * of `quote` (NULL: as it is). Where memory runs out, out->failed is set.
 */
void template_append(const struct template *template, struct text *out,
	const struct template_values *values, template_quote_fn quote);

/**
 * Append `bytes` as one word of the POSIX shell: bare where no character of it means
 * anything to a shell, else in single quotes. No shell can be told a NUL byte.
 */
void template_quote_shell(struct text *out, const char *bytes, size_t length);

#endif
