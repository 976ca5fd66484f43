#include "unit.h"

#include "plain.h"

#include <string.h>

static void check(const char *bytes, const char *wanted)
{
	struct text text = {0};

	plain_append(&text, bytes, strlen(bytes));
	assert_string_equal(text.bytes ? text.bytes : "", wanted);
	text_finish(&text);
}

static void text_stays(void **state)
{
	(void)state;
	check("", "");
	check("a\n\tb\n\nc", "a\n\tb\n\nc");
}

static void sequences_go(void **state)
{
	(void)state;
	check("\033[31mred\033[0m\n", "red\n");
	check("\033[38;5;1mx\033[K", "x");
	check("\033]8;;http://a\033\\link\033]8;;\033\\", "link");
	check("\033]0;title\007text", "text");
	check("\033(Ba\033=b\0337c", "abc");
	check("cut\033", "cut");
	check("cut\033[3", "cut");
	check("cut\033]0;never\nended", "cut\nended");
}

static void of_a_line_that_was_written_over_the_last_stays(void **state)
{
	(void)state;
	check("10%\r20%\rdone\nnext\n", "done\nnext\n");
	check("a\r\nb\r\n", "a\nb\n");
	check("10%\r100%\r", "100%");
	check("\r\r\n", "\n");
}

static void check_last(const char *bytes, unsigned lines, const char *wanted)
{
	struct text text = {0};
	size_t length;
	const char *at;

	text_append(&text, bytes, strlen(bytes));
	at = plain_last_lines(&text, lines, &length);
	assert_int_equal(length, strlen(wanted));
	assert_memory_equal(at, wanted, length);
	text_finish(&text);
}

static void the_last_lines_are_found(void **state)
{
	(void)state;
	check_last("", 3, "");
	check_last("\n\n", 3, "");
	check_last("a\nb\nc\n", 2, "b\nc");
	check_last("a\nb\nc", 1, "c");
	check_last("a\nb\nc\n", 3, "a\nb\nc");
	check_last("a\nb", 9, "a\nb");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_stays),
		cmocka_unit_test(sequences_go),
		cmocka_unit_test(of_a_line_that_was_written_over_the_last_stays),
		cmocka_unit_test(the_last_lines_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
