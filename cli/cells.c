#include "cells.h"

#include <limits.h>
#include <string.h>
#include <wchar.h>

#define ELLIPSIS 0x2026

/* A character as it is shown. */
struct glyph {
	char bytes[MB_LEN_MAX];
	size_t length; //< of `bytes`
	size_t cells;
	size_t taken; //< bytes of the text that it stands for
};

// The character at the start of what must not be empty.
static struct glyph glyph_at(const char *text, size_t length)
{
	struct glyph glyph = {.bytes = "?", .length = 1, .cells = 1, .taken = 1};
	unsigned char byte = (unsigned char)*text;
	mbstate_t state = {0};
	wchar_t character;
	size_t taken;
	int cells;

	if (byte < 0x20 || byte == 0x7F) {
		glyph.bytes[0] = '^';
		glyph.bytes[1] = (char)(byte ^ 0x40);
		glyph.length = glyph.cells = 2;
		return glyph;
	}
	taken = mbrtowc(&character, text, length, &state);
	if (!taken || taken > sizeof glyph.bytes) // (size_t)-1 and -2: not a character
		return glyph;
	glyph.taken = taken;
	cells = wcwidth(character);
	if (cells < 0) // nothing to be shown, as the control characters from U+0080 on
		return glyph;
	memcpy(glyph.bytes, text, taken);
	glyph.length = taken;
	glyph.cells = (size_t)cells;
	return glyph;
}

static struct glyph ellipsis(void)
{
	struct glyph glyph;
	mbstate_t state = {0};
	int cells = wcwidth(ELLIPSIS);

	glyph.length = wcrtomb(glyph.bytes, ELLIPSIS, &state);
	glyph.cells = (size_t)cells;
	if (glyph.length == (size_t)-1 || cells < 1)
		glyph = (struct glyph){.bytes = "...", .length = 3, .cells = 3};
	return glyph;
}

size_t cells_of(const char *text, size_t length, size_t enough)
{
	size_t cells = 0;

	for (size_t at = 0; at < length && cells <= enough;) {
		struct glyph glyph = glyph_at(text + at, length - at);

		cells += glyph.cells;
		at += glyph.taken;
	}
	return cells;
}

void cells_append_cut(struct text *line, const char *text, size_t length, size_t room)
{
	bool cut = cells_of(text, length, room) > room;
	struct glyph end = ellipsis();

	if (cut)
		room -= end.cells < room ? end.cells : room;
	for (size_t at = 0; at < length;) {
		struct glyph glyph = glyph_at(text + at, length - at);

		if (glyph.cells > room)
			break;
		room -= glyph.cells;
		at += glyph.taken;
		text_append(line, glyph.bytes, glyph.length);
	}
	if (cut)
		text_append(line, end.bytes, end.length);
}
