#include "tag.h"

#include <string.h>

void tag_append(struct text *text, const struct text *tag, const char *bytes,
	size_t length, bool *line_begun)
{
	const char *end = bytes + length;

	while (bytes < end) {
		const char *newline = memchr(bytes, '\n', (size_t)(end - bytes));
		const char *next = newline ? newline + 1 : end;
		size_t rest = (size_t)(next - bytes);
		char *to;

		if (!text_reserve(text, tag->length + rest))
			return;
		to = text->bytes + text->length; // text_append() twice would take longer
		if (!*line_begun)
			to = mempcpy(to, tag->bytes, tag->length);
		to = mempcpy(to, bytes, rest);
		*to = '\0';
		text->length = (size_t)(to - text->bytes);
		*line_begun = !newline;
		bytes = next;
	}
}
