#include "tag.h"

#include <string.h>

void tag_append(struct text *text, const struct text *tag, const char *bytes,
	size_t length, bool *line_begun)
{
	const char *end = bytes + length;

	while (bytes < end) {
		const char *newline = memchr(bytes, '\n', (size_t)(end - bytes));
		const char *next = newline ? newline + 1 : end;

		if (!*line_begun)
			text_append(text, tag->bytes, tag->length);
		text_append(text, bytes, (size_t)(next - bytes));
		*line_begun = !newline;
		bytes = next;
	}
}
