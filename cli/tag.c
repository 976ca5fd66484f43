#include "tag.h"

#include <endian.h>
#include <stdint.h>
#include <string.h>

#define EACH_BYTE UINT64_C(0x0101010101010101)
#define SHORT_BYTES 32 // up to here a call of memchr() takes longer than its search

// Of eight bytes, how many there are up to the first newline, with it; 0: there is none.
static unsigned length_of_line(uint64_t word)
{
	uint64_t other = word ^ (EACH_BYTE * '\n');
	uint64_t newlines = (other - EACH_BYTE) & ~other & (EACH_BYTE * 0x80);

	return newlines ? (unsigned)__builtin_ctzll(newlines) / 8 + 1 : 0;
}

// Copy up to the next newline, with it, or to `end`. Returns how many. May write less
// than eight bytes more, of the room that `end` asks for.
static size_t copy_line(char *to, const char *bytes, const char *end)
{
	const char *from = bytes, *newline, *next;

	while (from - bytes < SHORT_BYTES && end - from >= 8) {
		uint64_t word;
		unsigned length;

		memcpy(&word, from, 8);
		memcpy(to, &word, 8);
		length = length_of_line(le64toh(word));
		if (length)
			return (size_t)(from - bytes) + length;
		from += 8;
		to += 8;
	}
	newline = memchr(from, '\n', (size_t)(end - from));
	next = newline ? newline + 1 : end;
	memcpy(to, from, (size_t)(next - from));
	return (size_t)(next - bytes);
}

void tag_append(struct text *text, const struct text *tag, const char *bytes,
	size_t length, bool *line_begun)
{
	const char *end = bytes + length;

	while (bytes < end) {
		size_t most = tag->length + (size_t)(end - bytes);
		size_t copied;
		char *to;

		if (text->capacity - text->length <= most && !text_reserve(text, most))
			return;
		to = text->bytes + text->length;
		if (!*line_begun)
			to = mempcpy(to, tag->bytes, tag->length);
		copied = copy_line(to, bytes, end);
		bytes += copied;
		text->length = (size_t)(to - text->bytes) + copied;
		text->bytes[text->length] = '\0';
		*line_begun = bytes[-1] != '\n';
	}
}
