/* Replacement strings. */
#include "unit.h"

#include "template.h"

#include <stdlib.h>
#include <string.h>

static const char *const names[] = {"host", "hostname"};
static const struct template_syntax syntax = {.names = names, .name_count = 2};

static char *expand_with(const char *text, const struct template_syntax *with,
	const struct template_value *values, size_t count, template_quote_fn quote)
{
	struct template_values all = {values, count, 17, 3};
	struct template *template;
	struct text out = {0};

	assert_int_equal(template_parse(&template, text, with), 0);
	text_append(&out, "", 0);
	template_append(template, &out, &all, quote);
	template_destroy(template);
	return out.bytes;
}

static void assert_expands(const char *text, const char *value, const char *expected)
{
	struct template_value one = {value, strlen(value)};
	char *got = expand_with(text, &syntax, &one, 1, NULL);

	assert_string_equal(got, expected);
	free(got);
}

static void assert_all_expand(const char *text, const char *expected)
{
	const struct template_value values[] = {{"a/b.c", 5}, {"d.e", 3}, {"f", 1}};
	char *got = expand_with(text, &syntax, values, 3, NULL);

	assert_string_equal(got, expected);
	free(got);
}

static void each_change_is_made(void **state)
{
	static const char *const forms[] = {"{}", "{.}", "{/}", "{//}", "{/.}"};
	static const char *const table[][6] = {
		{"dir/file.tar.gz", "dir/file.tar.gz", "dir/file.tar", "file.tar.gz",
			"dir", "file.tar"},
		{"plain", "plain", "plain", "plain", ".", "plain"},
		{".bashrc", ".bashrc", "", ".bashrc", ".", ""},
		{"a.b/c", "a.b/c", "a.b/c", "c", "a.b", "c"},
		{"/x", "/x", "/x", "x", "/", "x"},
		{"/", "/", "/", "", "/", ""},
		{"a/", "a/", "a/", "", ".", ""},
		{"a//b", "a//b", "a//b", "b", "a", "b"},
		{"", "", "", "", ".", ""},
		{"a b\nc.d", "a b\nc.d", "a b\nc", "a b\nc.d", ".", "a b\nc"},
	};

	(void)state;
	for (size_t row = 0; row < sizeof table / sizeof *table; row++)
		for (int form = 0; form < 5; form++)
			assert_expands(forms[form], table[row][0], table[row][form + 1]);
}

static void numbers_are_the_tasks_and_the_slots(void **state)
{
	(void)state;
	assert_expands("{#}-{%}", "x", "17-3");
}

static void several_stand_within_words(void **state)
{
	(void)state;
	assert_expands("<{}|{/.}{}>", "a/b.c", "<a/b.c|ba/b.c>");
}

static void positions_count_from_either_end(void **state)
{
	(void)state;
	assert_all_expand("{1} {2} {3} {4}|", "a/b.c d.e f |");
	assert_all_expand("{-1} {-2} {-3} {-4}|", "f d.e a/b.c |");
	assert_all_expand("{1/} {1//} {1/.} {2.}", "b.c a b d");
	assert_all_expand("{} {/}", "a/b.c d.e f b.c d.e f");
}

static void names_are_positions(void **state)
{
	(void)state;
	assert_all_expand("{host} {hostname} {hostname.} {host/}", "a/b.c d.e d b.c");
	assert_all_expand("{hos} {other}", "{hos} {other}");
}

static void what_is_none_stands_for_itself(void **state)
{
	static const char *const texts[] = {"{", "}", "{ }", "{x}", "${x}", "{0}", "{-}",
		"{1", "{1x}", "{.x}", "{//.}", "\\", "\\x", "a\\{x}", "{}}"};

	(void)state;
	for (size_t index = 0; index + 1 < sizeof texts / sizeof *texts; index++)
		assert_expands(texts[index], "v", texts[index]);
	assert_expands("{}}", "v", "v}");
}

static void a_backslash_makes_it_ordinary(void **state)
{
	(void)state;
	assert_expands("\\{} {} \\{/.}\\{#}", "v", "{} v {/.}{#}");
	assert_expands("\\\\{}", "v", "\\{}");
}

static void the_braces_may_have_another_name(void **state)
{
	const struct template_syntax renamed = {.braces = "@@"};
	struct template_value one = {"v.x", 3};
	char *got = expand_with("@@ {} {.} \\@@", &renamed, &one, 1, NULL);

	(void)state;
	assert_string_equal(got, "v.x {} v @@");
	free(got);
}

static void bracket(struct text *out, const char *bytes, size_t length)
{
	text_append(out, "[", 1);
	text_append(out, bytes, length);
	text_append(out, "]", 1);
}

static void values_are_quoted_and_nothing_else(void **state)
{
	const struct template_value values[] = {{"a/b", 3}, {"c", 1}};
	char *got = expand_with("x {} {/} {#}", &syntax, values, 2, bracket);

	(void)state;
	assert_string_equal(got, "x [a/b] [c] [b] [c] 17");
	free(got);
}

static void no_text_is_too_odd(void **state)
{
	static const char letters[] = "{}./\\#%-12ho st";
	unsigned seed = 1;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		char text[24] = "";
		size_t length = (seed = seed * 1103515245 + 12345) / 65536 % 23;

		for (size_t at = 0; at < length; at++)
			text[at] = letters[(seed = seed * 1103515245 + 12345) / 65536 %
					   (sizeof letters - 1)];
		free(expand_with(
			text, &syntax, &(struct template_value){"a/b.c", 5}, 1, NULL));
	}
	template_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_change_is_made),
		cmocka_unit_test(numbers_are_the_tasks_and_the_slots),
		cmocka_unit_test(several_stand_within_words),
		cmocka_unit_test(positions_count_from_either_end),
		cmocka_unit_test(names_are_positions),
		cmocka_unit_test(what_is_none_stands_for_itself),
		cmocka_unit_test(a_backslash_makes_it_ordinary),
		cmocka_unit_test(the_braces_may_have_another_name),
		cmocka_unit_test(values_are_quoted_and_nothing_else),
		cmocka_unit_test(no_text_is_too_odd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
