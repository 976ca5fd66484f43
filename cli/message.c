#include "message.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool text_reserve(struct text *text, size_t length)
{
	size_t needed = text->length + length + 1;
	size_t capacity = text->capacity ? text->capacity : 128;
	char *bytes;

	if (needed <= text->capacity)
		return true;
	while (capacity < needed)
		capacity *= 2;
	bytes = realloc(text->bytes, capacity);
	if (!bytes) {
		text->failed = true;
		return false;
	}
	text->bytes = bytes;
	text->capacity = capacity;
	return true;
}

void text_append(struct text *text, const char *bytes, size_t length)
{
	if (!text_reserve(text, length))
		return;
	if (length)
		memcpy(text->bytes + text->length, bytes, length);
	text->length += length;
	text->bytes[text->length] = '\0';
}

void text_format_arguments(struct text *text, const char *format, va_list arguments)
{
	va_list again;
	int length;

	va_copy(again, arguments);
	length = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (length < 0 || !text_reserve(text, (size_t)length))
		return;
	vsnprintf(text->bytes + text->length, (size_t)length + 1, format, arguments);
	text->length += (size_t)length;
}

void text_format(struct text *text, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	text_format_arguments(text, format, arguments);
	va_end(arguments);
}

// The start of the UTF-8 character that the byte at `at` belongs to.
static size_t character_start(const char *bytes, size_t at)
{
	size_t start = at;

	while (start && at - start < 3 && ((unsigned char)bytes[start] & 0xC0) == 0x80)
		start--;
	return start;
}

// Behind 0xC2: the control characters U+0080 to U+009F.
static bool is_c1(unsigned char byte)
{
	return byte >= 0x80 && byte < 0xA0;
}

void text_append_shown(struct text *text, const char *bytes, size_t length, size_t limit)
{
	bool cut = length > limit;

	if (cut)
		length = character_start(bytes, limit);
	for (size_t at = 0; at < length; at++) {
		unsigned char byte = (unsigned char)bytes[at];

		if (byte < 0x20 || byte == 0x7F)
			text_append(text, (char[]){'^', (char)(byte ^ 0x40)}, 2);
		else if (byte == 0xC2 && at + 1 < length &&
			 is_c1((unsigned char)bytes[at + 1]))
			text_format(text, "<%02X>", (unsigned char)bytes[++at]);
		else
			text_append(text, &bytes[at], 1);
	}
	if (cut)
		text_append(text, "…", strlen("…"));
}

int text_write(const struct text *text, int fd)
{
	size_t done = 0;

	while (!text->failed && done < text->length) {
		ssize_t written = write(fd, text->bytes + done, text->length - done);

		if (written < 0 && errno != EINTR)
			return -errno;
		done += written > 0 ? (size_t)written : 0;
	}
	return text->failed ? -ENOMEM : 0;
}

void text_finish(struct text *text)
{
	free(text->bytes);
	*text = (struct text){0};
}

// A name may hold what the log's service would take for a command: "##[" at GitHub,
// "##vso[" at Azure. It need not be known by now which of them it is.
static void append_unmarked(struct text *line, const struct text *words)
{
	bool is_read = getenv("GITHUB_ACTIONS") || getenv("TF_BUILD");

	for (size_t at = 0; at < words->length; at++) {
		const char *byte = words->bytes + at;

		text_append(line, " ", is_read && at && byte[-1] == '#' && *byte == '#');
		text_append(line, byte, 1);
	}
}

void message(const char *format, ...)
{
	struct text words = {0}, shown = {0}, line = {0};
	va_list arguments;
	ssize_t written;

	va_start(arguments, format);
	text_format_arguments(&words, format, arguments);
	va_end(arguments);
	text_append_shown(&shown, words.bytes, words.length, SIZE_MAX);
	text_append(&line, "leat: ", 6);
	append_unmarked(&line, &shown);
	text_append(&line, "\n", 1);
	text_finish(&shown);
	text_finish(&words);
	do
		written = write(STDERR_FILENO, line.bytes, line.length);
	while (written < 0 && errno == EINTR);
	text_finish(&line);
}
