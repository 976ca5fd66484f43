/* A tag before each line, whatever its length. */
#include "unit.h"

#include "tag.h"

#include <stdlib.h>
#include <string.h>

#define LINE_BYTES_MOST 100

// The same, byte by byte.
static void tag_slowly(struct text *text, const char *tag, const struct text *bytes)
{
	bool begun = false;

	for (size_t place = 0; place < bytes->length; place++) {
		if (!begun)
			text_append(text, tag, strlen(tag));
		text_append(text, bytes->bytes + place, 1);
		begun = bytes->bytes[place] != '\n';
	}
}

// Lines of all lengths, among bytes that are nearly newlines.
static void append_lines(struct text *text)
{
	for (size_t length = 0; length <= LINE_BYTES_MOST; length++) {
		for (size_t place = 0; place < length; place++)
			text_append(text, &"\t\v\x8a\0\xff\x0b\x09z"[place % 8], 1);
		text_append(text, "\n", 1);
	}
}

// In pieces, each in memory of its own size, so that a sanitizer sees what goes beyond.
static void tag_in_pieces(struct text *text, const char *tag_bytes,
	const struct text *bytes, size_t piece_bytes)
{
	struct text tag = {0};
	bool begun = false;

	text_append(&tag, tag_bytes, strlen(tag_bytes));
	for (size_t from = 0; from < bytes->length; from += piece_bytes) {
		size_t left = bytes->length - from;
		size_t length = left < piece_bytes ? left : piece_bytes;
		char *piece = malloc(length);

		assert_non_null(piece);
		memcpy(piece, bytes->bytes + from, length);
		tag_append(text, &tag, piece, length, &begun);
		free(piece);
	}
	text_finish(&tag);
}

static void assert_tagged(const char *tag, const struct text *bytes, size_t piece_bytes)
{
	struct text expected = {0}, tagged = {0};

	tag_slowly(&expected, tag, bytes);
	tag_in_pieces(&tagged, tag, bytes, piece_bytes);
	assert_int_equal(tagged.length, expected.length);
	assert_memory_equal(tagged.bytes, expected.bytes, expected.length + 1);
	text_finish(&tagged);
	text_finish(&expected);
}

static void each_line_gets_the_tag_once_however_it_comes(void **state)
{
	struct text bytes = {0};

	(void)state;
	append_lines(&bytes);
	text_append(&bytes, "begun", 5);
	for (size_t piece_bytes = 1; piece_bytes < 80; piece_bytes++)
		assert_tagged("tag\t", &bytes, piece_bytes);
	assert_tagged("tag\t", &bytes, bytes.length);
	assert_tagged("", &bytes, bytes.length);
	text_finish(&bytes);
}

static void it_is_remembered_whether_a_line_was_begun(void **state)
{
	struct text tag = {0}, tagged = {0};
	bool begun = true;

	(void)state;
	text_append(&tag, "> ", 2);
	tag_append(&tagged, &tag, "end\n", 4, &begun);
	assert_false(begun);
	tag_append(&tagged, &tag, "next", 4, &begun);
	assert_true(begun);
	assert_string_equal(tagged.bytes, "end\n> next");
	text_finish(&tagged);
	text_finish(&tag);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_line_gets_the_tag_once_however_it_comes),
		cmocka_unit_test(it_is_remembered_whether_a_line_was_begun),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
