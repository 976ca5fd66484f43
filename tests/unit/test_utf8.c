#include "unit.h"

#include "utf8.h"

#include <string.h>

// What stands there, with <?> for each byte that is none.
static void check(const char *bytes, const char *wanted)
{
	struct text text = {0}, marked = {0};

	utf8_append(&text, bytes, strlen(bytes));
	for (char *at = text.bytes ? text.bytes : ""; *at;) {
		bool replaced = strncmp(at, UTF8_REPLACEMENT, 3) == 0;

		text_append(&marked, replaced ? "<?>" : at, replaced ? 3 : 1);
		at += replaced ? 3 : 1;
	}
	assert_string_equal(marked.bytes ? marked.bytes : "", wanted);
	text_finish(&text);
	text_finish(&marked);
}

static void what_is_utf8_stays(void **state)
{
	(void)state;
	check("", "");
	check("a\tb", "a\tb");
	check("\xC3\xA4\xE2\x82\xAC\xF0\x9F\x8D\x83",
		"\xC3\xA4\xE2\x82\xAC\xF0\x9F\x8D\x83");
	check("\xED\x9F\xBF\xEE\x80\x80", "\xED\x9F\xBF\xEE\x80\x80");
	check("\xF4\x8F\xBF\xBF", "\xF4\x8F\xBF\xBF");
}

static void each_byte_that_is_none_is_replaced(void **state)
{
	(void)state;
	check("a\xFF"
	      "b",
		"a<?>b");
	check("\x80", "<?>");
	check("a\xE2\x82", "a<?><?>");                    // cut
	check("\xC0\xAF\xE0\x80\xAF", "<?><?><?><?><?>"); // longer than need be
	check("\xED\xA0\x80", "<?><?><?>");               // a surrogate
	check("\xF4\x90\x80\x80", "<?><?><?><?>");        // beyond U+10FFFF
	check("\xC3\xC3\xA4", "<?>\xC3\xA4");
}

static void a_character_is_told_with_its_size(void **state)
{
	uint32_t character;

	(void)state;
	assert_int_equal(utf8_decode("\xE2\x82\xAC", 3, &character), 3);
	assert_int_equal(character, 0x20AC);
	assert_int_equal(utf8_decode("\xE2\x82\xAC", 2, &character), 0);
	assert_int_equal(character, 0xE2);
}

static void no_character_is_cut(void **state)
{
	const char *text = "a\xF0\x9F\x8D\x83z"; // the character is from 1 to 4

	(void)state;
	for (size_t most = 0; most <= 5; most++)
		assert_int_equal(utf8_cut(text, most), most > 1 && most < 5 ? 1 : most);
	for (size_t from = 0; from <= 5; from++)
		assert_int_equal(utf8_rest(text + from, 6 - from),
			from > 1 && from < 5 ? 5 - from : 0);
	assert_int_equal(utf8_rest("\x80\x80\x80\x80", 4), 3);
	assert_int_equal(utf8_rest("\x80\x80\x80\x80", 2), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_utf8_stays),
		cmocka_unit_test(each_byte_that_is_none_is_replaced),
		cmocka_unit_test(a_character_is_told_with_its_size),
		cmocka_unit_test(no_character_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
