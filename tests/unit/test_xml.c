#include "unit.h"

#include "report/xml.h"

#include <string.h>

static void check_bytes(const char *bytes, size_t length, const char *wanted)
{
	struct text text = {0};

	xml_append_text(&text, bytes, length);
	assert_string_equal(text.bytes ? text.bytes : "", wanted);
	text_finish(&text);
}

static void check(const char *bytes, const char *wanted)
{
	check_bytes(bytes, strlen(bytes), wanted);
}

static void what_is_text_stays(void **state)
{
	(void)state;
	check("", "");
	check("a 'b' \"c\"\tä€🍃\nd", "a 'b' \"c\"\tä€🍃\nd");
	check("\x7F\xC2\x85\xEF\xBF\xBD\xEE\x80\x80",
		"\x7F\xC2\x85\xEF\xBF\xBD\xEE\x80\x80");
}

static void what_would_be_markup_is_none(void **state)
{
	(void)state;
	check("a<b>&c;", "a&lt;b&gt;&amp;c;");
	check("]]><!-- <![CDATA[", "]]&gt;&lt;!-- &lt;![CDATA[");
	check("&lt;", "&amp;lt;");
	check("a\r\nb\r", "a&#13;\nb&#13;");
}

static void what_xml_does_not_have_is_replaced(void **state)
{
	(void)state;
	check("a\xFFz\xE2\x82", "a\xEF\xBF\xBDz\xEF\xBF\xBD\xEF\xBF\xBD");
	check("\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
	check("\xEF\xBF\xBE|\xEF\xBF\xBF", "\xEF\xBF\xBD|\xEF\xBF\xBD");
	check("\xF0\x9F\xBF\xBE", "\xF0\x9F\xBF\xBE"); // U+1FFFE is allowed
	check_bytes("a\0b\1\x1F\33[1m", 9, "a^@b^A^_^[[1m");
}

static void an_attribute_holds_lines_and_quotes(void **state)
{
	struct text text = {0};

	(void)state;
	xml_append_attribute(&text, "name", "a\tb\n\"<'>\"\r", 10);
	assert_string_equal(
		text.bytes, " name=\"a&#9;b&#10;&quot;&lt;'&gt;&quot;&#13;\"");
	text_finish(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_text_stays),
		cmocka_unit_test(what_would_be_markup_is_none),
		cmocka_unit_test(what_xml_does_not_have_is_replaced),
		cmocka_unit_test(an_attribute_holds_lines_and_quotes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
