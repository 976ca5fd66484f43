#include "report/xml.h"

#include "utf8.h"

#include <string.h>

// What stands for a character that can't be there itself; NULL: it can.
static const char *reference(uint32_t character, bool in_attribute)
{
	switch (character) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '\r': // else it would be read as a newline
		return "&#13;";
	case '"':
		return in_attribute ? "&quot;" : NULL;
	case '\n':
		return in_attribute ? "&#10;" : NULL;
	case '\t':
		return in_attribute ? "&#9;" : NULL;
	default:
		return NULL;
	}
}

static bool is_control(uint32_t character)
{
	return character < 0x20 && character != '\t' && character != '\n' &&
	       character != '\r';
}

// Appends one character that is not to be there as it is. Returns how long that is.
static size_t append_other(
	struct text *text, const char *bytes, size_t length, bool in_attribute)
{
	uint32_t character;
	size_t size = utf8_decode(bytes, length, &character);
	const char *instead = size ? reference(character, in_attribute) : NULL;

	if (size && is_control(character))
		text_format(text, "^%c", (char)(character ^ 0x40));
	else
		text_format(text, "%s", instead ? instead : UTF8_REPLACEMENT);
	return size ? size : 1;
}

// How many of the bytes may stand there as they are.
static size_t plain_length(const char *bytes, size_t length, bool in_attribute)
{
	size_t at = 0, size;
	uint32_t character;

	while (at < length &&
		(size = utf8_decode(bytes + at, length - at, &character)) > 0 &&
		!is_control(character) && !reference(character, in_attribute) &&
		character != 0xFFFE && character != 0xFFFF)
		at += size;
	return at;
}

static void append(struct text *text, const char *bytes, size_t length, bool in_attribute)
{
	size_t at = 0;

	while (at < length) {
		size_t plain = plain_length(bytes + at, length - at, in_attribute);

		text_append(text, bytes + at, plain);
		at += plain;
		if (at < length)
			at += append_other(text, bytes + at, length - at, in_attribute);
	}
}

void xml_append_text(struct text *text, const char *bytes, size_t length)
{
	append(text, bytes, length, false);
}

void xml_append_attribute(
	struct text *text, const char *name, const char *bytes, size_t length)
{
	text_format(text, " %s=\"", name);
	append(text, bytes, length, true);
	text_append(text, "\"", 1);
}
