/* leat's own words on standard error. */
#ifndef LEAT_CLI_MESSAGE_H
#define LEAT_CLI_MESSAGE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/** A line with "leat: " before and a newline behind, in a single write(2). Control
 * characters are shown, and what a CI service takes for a command is none. */
void message(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** A text that grows; `failed` once memory ran out, then it holds what fitted. */
struct text {
	char *bytes; //< NUL-terminated; NULL while empty
	size_t length, capacity;
	bool failed;
};

void text_append(struct text *text, const char *bytes, size_t length);

/** Have room for `length` bytes and a NUL behind the text. False: memory ran out. */
bool text_reserve(struct text *text, size_t length);
void text_format_arguments(struct text *text, const char *format, va_list arguments)
	__attribute__((format(printf, 2, 0)));
void text_format(struct text *text, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/**
 * Append `bytes` as they may be shown at a terminal: control characters as ^[ and
 * the like, no more than `limit` bytes of them, "…" for the rest.
 */
void text_append_shown(struct text *text, const char *bytes, size_t length, size_t limit);

/** Write all of it to `fd`. Returns 0, -ENOMEM where the text failed, or an error of
 * write(2). */
int text_write(const struct text *text, int fd);
void text_finish(struct text *text);

#endif
