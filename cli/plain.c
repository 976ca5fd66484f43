#include "plain.h"

#include <string.h>

#define ESCAPE '\033'
#define BELL '\007'

static bool is_between(char c, char first, char last)
{
	return c >= first && c <= last;
}

// Behind a control sequence, of which `at` is the first parameter: ECMA-48, 5.4.
static const char *skip_control(const char *at, const char *end)
{
	while (at < end && is_between(*at, ' ', '?'))
		at++;
	return at < end && is_between(*at, '@', '~') ? at + 1 : at;
}

// Behind a text for the terminal, which a bell ends, or ESC and a backslash.
static const char *skip_string(const char *at, const char *end)
{
	while (at < end && *at != BELL && *at != ESCAPE && *at != '\n')
		at++;
	if (at < end && *at == BELL)
		return at + 1;
	return at + 1 < end && *at == ESCAPE && at[1] == '\\' ? at + 2 : at;
}

// Behind the sequence that begins with the escape at `at`.
static const char *skip_sequence(const char *at, const char *end)
{
	at++;
	if (at == end)
		return at;
	if (*at == '[')
		return skip_control(at + 1, end);
	if (*at && strchr("]PX^_", *at))
		return skip_string(at + 1, end);
	while (at < end && is_between(*at, ' ', '/'))
		at++;
	return at < end && is_between(*at, '0', '~') ? at + 1 : at;
}

static void append_without_sequences(struct text *text, const char *at, const char *end)
{
	while (at < end) {
		const char *escape = memchr(at, ESCAPE, (size_t)(end - at));
		const char *stop = escape ? escape : end;

		text_append(text, at, (size_t)(stop - at));
		at = escape ? skip_sequence(escape, end) : end;
	}
}

// A line as it is seen in the end: what stands behind the last carriage return.
static void append_seen(struct text *text, const char *line, const char *end)
{
	const char *carriage_return;

	while (end > line && end[-1] == '\r')
		end--;
	carriage_return = memrchr(line, '\r', (size_t)(end - line));
	append_without_sequences(text, carriage_return ? carriage_return + 1 : line, end);
}

void plain_append(struct text *text, const char *bytes, size_t length)
{
	const char *end = length ? bytes + length : bytes;

	while (bytes < end) {
		const char *newline = memchr(bytes, '\n', (size_t)(end - bytes));
		const char *stop = newline ? newline : end;

		append_seen(text, bytes, stop);
		text_append(text, "\n", newline != NULL);
		bytes = newline ? newline + 1 : end;
	}
}

const char *plain_last_lines(const struct text *text, unsigned lines, size_t *length)
{
	const char *start = text->bytes ? text->bytes : "", *end = start + text->length;
	const char *at;

	while (end > start && end[-1] == '\n')
		end--;
	for (at = end; at > start; at--)
		if (at[-1] == '\n' && !--lines)
			break;
	*length = (size_t)(end - at);
	return at;
}
