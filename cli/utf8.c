#include "utf8.h"

#include <string.h>

// How many bytes the first of a character announces; 0: it is the first of none.
static size_t announced(unsigned char first)
{
	return first < 0x80   ? 1
	       : first < 0xC2 ? 0
	       : first < 0xE0 ? 2
	       : first < 0xF0 ? 3
	       : first < 0xF5 ? 4
			      : 0;
}

size_t utf8_decode(const char *bytes, size_t length, uint32_t *character)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *at = (const unsigned char *)bytes;
	size_t size = announced(*at);
	uint32_t value;

	*character = *at;
	if (size <= 1 || size > length)
		return size <= 1 ? size : 0;
	value = *at & (0x7FU >> size);
	for (size_t index = 1; index < size; index++) {
		if ((at[index] & 0xC0) != 0x80)
			return 0;
		value = value << 6 | (at[index] & 0x3F);
	}
	if (value < least[size] || value > 0x10FFFF ||
		(value >= 0xD800 && value <= 0xDFFF))
		return 0;
	*character = value;
	return size;
}

static bool is_inner(char byte)
{
	return ((unsigned char)byte & 0xC0) == 0x80;
}

size_t utf8_rest(const char *bytes, size_t length)
{
	size_t rest = 0;

	while (rest < 3 && rest < length && is_inner(bytes[rest]))
		rest++;
	return rest;
}

size_t utf8_cut(const char *bytes, size_t most)
{
	size_t length = most;

	while (length && most - length < 3 && is_inner(bytes[length]))
		length--;
	return length;
}

void utf8_append(struct text *text, const char *bytes, size_t length)
{
	const char *end = bytes + length;
	uint32_t character;

	while (bytes < end) {
		const char *valid = bytes;
		size_t size;

		while (valid < end && (size = utf8_decode(valid, (size_t)(end - valid),
					       &character)) > 0)
			valid += size;
		text_append(text, bytes, (size_t)(valid - bytes));
		bytes = valid;
		if (bytes < end) {
			text_append(text, UTF8_REPLACEMENT, strlen(UTF8_REPLACEMENT));
			bytes++;
		}
	}
}
