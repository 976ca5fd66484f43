/*
 * Replacement strings. What they make of a value is what GNU parallel 20221122 makes of
 * it, but for these, where parallel's way is an accident:
 *
 * - {/} and {/.} of a value with a newline in a directory's name: parallel takes away
 *   no more than one line's part of the directory ("d\ne/a" gives "d\na");
 * - {-4} of three values is nothing, as {4} is; parallel gives the last one, and that
 *   also for {99999999999999999999};
 * - {0} and {-0} stand for themselves; parallel takes {0} for {}, {-0} for nothing;
 * - {1 } and {1 .} stand for themselves; parallel takes out the blanks;
 * - {1#} and {1%} stand for themselves; parallel takes them for positions 11 and so on;
 * - {1} stays a position where {} was renamed; in parallel it is one no more;
 * - names are no regular expressions, the longest that fits is meant, an empty one is
 *   none;
 * - \{} is {}; parallel has no such thing.
 */
#include "unit.h"

#include "template.h"

#include "scratch.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const struct template_syntax plain;

static struct value value_of(const char *bytes)
{
	return (struct value){bytes, (uint32_t)strlen(bytes), true};
}

static char *expand(const char *text, const struct template_syntax *syntax,
	const struct value *values, size_t count, template_quote_fn quote)
{
	struct template_values all = {values, count, values, count, 17, 3};
	struct template *template;
	struct text out = {0};

	assert_int_equal(template_parse(&template, text, syntax), 0);
	text_append(&out, "", 0);
	template_append(template, &out, &all, quote);
	assert_false(out.failed);
	template_destroy(template);
	return out.bytes;
}

struct row {
	const char *text, *expected;
};

static void assert_rows(
	const struct row *rows, size_t count, const struct template_syntax *syntax)
{
	const struct value values[] = {
		value_of("a/b.c"), value_of("d.e"), value_of("f g")};

	for (size_t index = 0; index < count; index++) {
		char *got = expand(rows[index].text, syntax, values, COUNT(values), NULL);

		assert_string_equal(got, rows[index].expected);
		free(got);
	}
}

static void assert_changes(
	const char *const *forms, const char *const (*table)[6], size_t count)
{
	for (size_t row = 0; row < count; row++)
		for (size_t form = 0; form < 5; form++) {
			struct value value = value_of(table[row][0]);
			char *got = expand(forms[form], &plain, &value, 1, NULL);

			assert_string_equal(got, table[row][form + 1]);
			free(got);
		}
}

// clang-format off
static const char *const values_and_changes[][6] = {
	// value,      {},          {.},       {/},        {//},   {/.}
	{"",           "",          "",        "",         ".",    ""},
	{".",          ".",         "",        ".",        ".",    ""},
	{"..",         "..",        ".",       "..",       ".",    "."},
	{"...",        "...",       "..",      "...",      ".",    ".."},
	{"/",          "/",         "/",       "",         "/",    ""},
	{"//",         "//",        "//",      "",         "/",    ""},
	{"///",        "///",       "///",     "",         "/",    ""},
	{"a",          "a",         "a",       "a",        ".",    "a"},
	{"a/",         "a/",        "a/",      "",         ".",    ""},
	{"a//",        "a//",       "a//",     "",         ".",    ""},
	{"/a",         "/a",        "/a",      "a",        "/",    "a"},
	{"/a//",       "/a//",      "/a//",    "",         "/",    ""},
	{"//a",        "//a",       "//a",     "a",        "/",    "a"},
	{"///a",       "///a",      "///a",    "a",        "/",    "a"},
	{"//a/b",      "//a/b",     "//a/b",   "b",        "//a",  "b"},
	{"a//b",       "a//b",      "a//b",    "b",        "a",    "b"},
	{"a///b",      "a///b",     "a///b",   "b",        "a",    "b"},
	{"a/b/",       "a/b/",      "a/b/",    "",         "a",    ""},
	{"a/b//",      "a/b//",     "a/b//",   "",         "a",    ""},
	{"//a//b//",   "//a//b//",  "//a//b//", "",        "//a",  ""},
	{"a.b/",       "a.b/",      "a.b/",    "",         ".",    ""},
	{"a.b/c",      "a.b/c",     "a.b/c",   "c",        "a.b",  "c"},
	{"a.b/c.d",    "a.b/c.d",   "a.b/c",   "c.d",      "a.b",  "c"},
	{"a.b/.d",     "a.b/.d",    "a.b/",    ".d",       "a.b",  ""},
	{"a.b/..",     "a.b/..",    "a.b/.",   "..",       "a.b",  "."},
	{".bashrc",    ".bashrc",   "",        ".bashrc",  ".",    ""},
	{".x.y",       ".x.y",      ".x",      ".x.y",     ".",    ".x"},
	{"a/.b",       "a/.b",      "a/",      ".b",       "a",    ""},
	{"a/.b.c",     "a/.b.c",    "a/.b",    ".b.c",     "a",    ".b"},
	{"a/.",        "a/.",       "a/",      ".",        "a",    ""},
	{"/..",        "/..",       "/.",      "..",       "/",    "."},
	{".a/",        ".a/",       ".a/",     "",         ".",    ""},
	{"a.",         "a.",        "a",       "a.",       ".",    "a"},
	{"a..",        "a..",       "a.",      "a..",      ".",    "a."},
	{"..a",        "..a",       ".",       "..a",      ".",    "."},
	{"./a.b",      "./a.b",     "./a",     "a.b",      ".",    "a"},
	{"../a.b",     "../a.b",    "../a",    "a.b",      "..",   "a"},
	{"x.tar.gz",   "x.tar.gz",  "x.tar",   "x.tar.gz", ".",    "x.tar"},
	{"d e/f g.h i", "d e/f g.h i", "d e/f g", "f g.h i", "d e", "f g"},
	{"d\ne/a.b",   "d\ne/a.b",  "d\ne/a",  "a.b",      "d\ne", "a"},
	{"a\nb.c",     "a\nb.c",    "a\nb",    "a\nb.c",   ".",    "a\nb"},
	{"a.b\nc",     "a.b\nc",    "a",       "a.b\nc",   ".",    "a"},
	{"a.\n",       "a.\n",      "a",       "a.\n",     ".",    "a"},
	{"/\n",        "/\n",       "/\n",     "\n",       "/",    "\n"},
	{"\n",         "\n",        "\n",      "\n",       ".",    "\n"},
	{"x/\ny/z",    "x/\ny/z",   "x/\ny/z", "z",        "x/\ny", "z"},
	{"gr\xC3\xBC/\xFF.\x80", "gr\xC3\xBC/\xFF.\x80", "gr\xC3\xBC/\xFF", "\xFF.\x80",
		"gr\xC3\xBC", "\xFF"},
};
// clang-format on

static void each_change_is_made_as_by_parallel(void **state)
{
	static const char *const all[] = {"{}", "{.}", "{/}", "{//}", "{/.}"};
	static const char *const first[] = {"{1}", "{1.}", "{1/}", "{1//}", "{1/.}"};
	static const char *const last[] = {"{-1}", "{-1.}", "{-1/}", "{-1//}", "{-1/.}"};

	(void)state;
	assert_changes(all, values_and_changes, COUNT(values_and_changes));
	assert_changes(first, values_and_changes, COUNT(values_and_changes));
	assert_changes(last, values_and_changes, COUNT(values_and_changes));
}

static void several_values_are_joined_by_a_blank(void **state)
{
	static const struct row rows[] = {
		{"{}", "a/b.c d.e f g"},
		{"{.}", "a/b d f g"},
		{"{/}", "b.c d.e f g"},
		{"{//}", "a . ."},
		{"{/.}", "b d f g"},
		{"<{}{/.}>", "<a/b.c d.e f gb d f g>"},
	};
	char *none = expand("[{}{.}{//}]", &plain, NULL, 0, NULL);

	(void)state;
	assert_rows(rows, COUNT(rows), &plain);
	assert_string_equal(none, "[]");
	free(none);
}

static void positions_count_from_either_end(void **state)
{
	static const struct row rows[] = {
		{"{1}|{2}|{3}", "a/b.c|d.e|f g"},
		{"{-1}|{-2}|{-3}", "f g|d.e|a/b.c"},
		{"{2.}{1/}{1//}{1/.}{-3/}", "db.cabb.c"},
		{"{01}{-002.}", "a/b.cd"},
		{"<{4}{4//}{-4}{-4.}{100}>", "<>"},
		{"<{4294967297}{-4294967297}>", "<>"},
		{"<{18446744073709551617}{-18446744073709551617}>", "<>"},
		{"<{99999999999999999999999}{-99999999999999999999999//}>", "<>"},
	};

	(void)state;
	assert_rows(rows, COUNT(rows), &plain);
}

static void numbers_are_the_tasks_and_the_slots(void **state)
{
	static const struct row rows[] = {{"{#}-{%}{#}", "17-317"}};
	struct template_values most = {.sequence = UINT64_MAX};
	struct template *template;
	struct text out = {0};

	(void)state;
	assert_rows(rows, COUNT(rows), &plain);
	assert_int_equal(template_parse(&template, "{#} {%}", &plain), 0);
	template_append(template, &out, &most, NULL);
	assert_string_equal(out.bytes, "18446744073709551615 0");
	text_finish(&out);
	template_destroy(template);
}

static void names_stand_for_positions(void **state)
{
	static const char *const names[] = {"host", "host name", "a}{"};
	static const struct template_syntax syntax = {.names = names, .name_count = 3};
	static const struct row rows[] = {
		{"{host}|{host name}|{a}{}", "a/b.c|d.e|f g"},
		{"{host.} {host/} {host//} {host/.}", "a/b b.c a b"},
		{"{host name.}{1}{-1}", "da/b.cf g"},
		{"{hos}{hosts}{Host}{ host}{host }{host#}{-host}",
			"{hos}{hosts}{Host}{ host}{host }{host#}{-host}"},
		{"\\{host}\\{host/}\\{hos}", "{host}{host/}\\{hos}"},
		{"{}{.}{#}", "a/b.c d.e f ga/b d f g17"},
	};

	(void)state;
	assert_rows(rows, COUNT(rows), &syntax);
}

static void the_longest_name_wins_then_the_first(void **state)
{
	static const char *const names[] = {"n", "n.", "n"};
	static const char *const odd[] = {"2", "", "#"};
	static const struct template_syntax syntax = {.names = names, .name_count = 3};
	static const struct template_syntax meant = {.names = odd, .name_count = 3};
	static const struct row rows[] = {
		{"{n}|{n.}|{n..}|{n/}", "a/b.c|d.e|d|b.c"},
	};
	static const struct row odd_rows[] = {
		{"{2}|{1}|{#}|{2.}|{3}", "a/b.c|a/b.c|f g|a/b|f g"},
		{"{}|{.}", "a/b.c d.e f g|a/b d f g"},
	};

	(void)state;
	assert_rows(rows, COUNT(rows), &syntax);
	assert_rows(odd_rows, COUNT(odd_rows), &meant);
}

static void what_is_none_stands_for_itself(void **state)
{
	static const char *const texts[] = {"", "{", "}", "{{", "}{", "{ }", "{foo}",
		"${x}", "{0}", "{-0}", "{0.}", "{-}", "{--1}", "{+1}", "{1", "{1x}",
		"{1-}", "{ 1}", "{1 }", "{1 .}", "{1#}", "{2%}", "{1./}", "{./}", "{//.}",
		"{/./}", "{..}", "{///}", "{#", "{##}", "{#.}", "{/#}", "{.x}", "{\\}",
		"\\", "\\\\", "\\n", "\\{", "\\}", "\\{foo}", "$\\{x}", "a\\{x}",
		"awk '{ print $1 }'", "{a,b}", "{1..3}", "find -exec {\\;", "{\n}"};

	(void)state;
	for (size_t index = 0; index < COUNT(texts); index++) {
		struct row row = {texts[index], texts[index]};

		assert_rows(&row, 1, &plain);
	}
}

static void braces_around_one_stay(void **state)
{
	static const struct row rows[] = {
		{"{{1}}", "{a/b.c}"},
		{"{{2.}", "{d"},
		{"{2}}", "d.e}"},
		{"{1{2}", "{1d.e"},
		{"${2}$", "$d.e$"},
		{"{{2}{2}}", "{d.ed.e}"},
	};

	(void)state;
	assert_rows(rows, COUNT(rows), &plain);
}

static void a_backslash_makes_it_ordinary(void **state)
{
	static const struct row rows[] = {
		{"\\{}", "{}"},
		{"\\{}{2}\\{}", "{}d.e{}"},
		{"\\{.}\\{/}\\{//}\\{/.}\\{#}\\{%}", "{.}{/}{//}{/.}{#}{%}"},
		{"\\{1}\\{-2/.}\\{9}", "{1}{-2/.}{9}"},
		{"\\\\{}", "\\{}"},
		{"\\\\\\{}", "\\\\{}"},
		{"\\{{2}}", "\\{d.e}"},
		{"\\{\\{2}", "\\{{2}"},
		{"\\a{2}\\", "\\ad.e\\"},
	};

	(void)state;
	assert_rows(rows, COUNT(rows), &plain);
}

static void the_braces_may_have_another_name(void **state)
{
	static const struct row rows[] = {
		{"@@", "a/b.c d.e f g"},
		{"{} {} \\{}", "{} {} \\{}"},
		{"{.}|{2}|{-1}|{#}|{2/}", "a/b d f g|d.e|f g|17|d.e"},
		{"@ {@@} @@@", "@ {a/b.c d.e f g} a/b.c d.e f g@"},
		{"\\@@", "\\a/b.c d.e f g"},
		{"\\{.}", "{.}"},
	};

	(void)state;
	assert_rows(rows, COUNT(rows), &(const struct template_syntax){.braces = "@@"});
}

static void another_name_may_begin_with_a_brace(void **state)
{
	static const struct row own[] = {
		{"{x} {} \\{x} {x.}", "a/b.c d.e f g {} {x} {x.}"}};
	static const struct row taken[] = {{"{1} {1.} {2}", "a/b.c d.e f g a/b d.e"}};
	static const struct row shorter[] = {{"{ {2} \\{", "a/b.c d.e f g d.e {"}};
	static const struct row same[] = {{"{} \\{}", "a/b.c d.e f g {}"}};
	static const struct row empty[] = {{"{} {2}x", "{} d.ex"}};

	(void)state;
	assert_rows(own, 1, &(const struct template_syntax){.braces = "{x}"});
	assert_rows(taken, 1, &(const struct template_syntax){.braces = "{1}"});
	assert_rows(shorter, 1, &(const struct template_syntax){.braces = "{"});
	assert_rows(same, 1, &(const struct template_syntax){.braces = "{}"});
	assert_rows(empty, 1, &(const struct template_syntax){.braces = ""});
}

static void it_is_known_whether_a_value_is_in_it(void **state)
{
	static const char *const names[] = {"n"};
	static const struct template_syntax syntax = {.names = names, .name_count = 1};
	static const char *const with[] = {"{}", "x{.}", "{1}", "{-9//}", "{n}", "{n/}"};
	static const char *const without[] = {
		"", "x", "{#}{%}", "\\{}", "\\{n}", "{foo}", "{0}"};
	struct template *template;

	(void)state;
	for (size_t index = 0; index < COUNT(with) + COUNT(without); index++) {
		bool has = index < COUNT(with);

		assert_int_equal(template_parse(&template,
					 has ? with[index] : without[index - COUNT(with)],
					 &syntax),
			0);
		assert_int_equal(template_has_value(template), has);
		template_destroy(template);
	}
	template_destroy(NULL);
}

static void bracket(struct text *out, const char *bytes, size_t length)
{
	text_append(out, "[", 1);
	text_append(out, bytes, length);
	text_append(out, "]", 1);
}

static void values_are_quoted_and_nothing_else(void **state)
{
	const struct value values[] = {value_of("a b/c.d"), value_of("")};
	char *got = expand(
		"x y {} {1/} {2} {3} {//} {#} {%} \\{}", &plain, values, 2, bracket);

	(void)state;
	assert_string_equal(got, "x y [a b/c.d] [] [c.d] []  [a b] [.] 17 3 {}");
	free(got);
}

static void nothing_is_read_behind_a_value(void **state)
{
	struct value value = value_of("a.b/c.d/e.f"), nothing = {NULL, 0, true};
	char *got;

	(void)state;
	value.length = 5;
	got = expand("{} {.} {/} {//} {/.}", &plain, &value, 1, NULL);
	assert_string_equal(got, "a.b/c a.b/c c a.b c");
	free(got);
	got = expand("{}{.}{/}{//}{/.}", &plain, &nothing, 1, template_quote_shell);
	assert_string_equal(got, "''''''.''");
	free(got);
}

static void a_bare_word_stays_bare(void **state)
{
	static const struct row rows[] = {
		{"abcXYZ019_@%+:,./-", "abcXYZ019_@%+:,./-"},
		{"-n", "-n"},
		{"", "''"},
		{"a b", "'a b'"},
		{"a=b", "'a=b'"},
		{"~", "'~'"},
		{"'", "''\\'''"},
		{"it's", "'it'\\''s'"},
		{"a\nb", "'a\nb'"},
		{"gr\xC3\xBC", "'gr\xC3\xBC'"},
	};

	(void)state;
	for (size_t index = 0; index < COUNT(rows); index++) {
		struct text out = {0};

		template_quote_shell(&out, rows[index].text, strlen(rows[index].text));
		assert_string_equal(out.bytes, rows[index].expected);
		text_finish(&out);
	}
}

static unsigned next_random(unsigned *seed)
{
	*seed = *seed * 1103515245 + 12345;
	return *seed >> 16 & 0x7FFF;
}

// Every other one is made of what shells care for.
static void append_random_value(struct text *out, unsigned *seed, bool any)
{
	static const char odd[] =
		"'\"\\$`!*?[]{}()<>|&;#~=^%+-. \t\n\r\x01\x81\x82\x88\xFF"
		"az";
	unsigned length = next_random(seed) % 40;

	for (unsigned at = 0; at < length; at++) {
		char byte = any ? (char)(next_random(seed) % 255 + 1)
				: odd[next_random(seed) % (sizeof odd - 1)];

		text_append(out, &byte, 1);
	}
}

// Words behind one another, as sh has them: each ends with a NUL.
static void assert_shell_reads(const struct text *script, const struct text *expected)
{
	FILE *shell;
	char *got;
	size_t length;

	scratch_write_bytes("script", script->bytes, script->length, 0600);
	shell = popen("exec /bin/sh ./script", "r");
	assert_non_null(shell);
	got = read_to_end(fileno(shell), &length);
	assert_int_equal(pclose(shell), 0);
	assert_int_equal(length, expected->length);
	assert_memory_equal(got, expected->bytes, length);
	free(got);
}

static void the_shell_reads_what_was_quoted(void **state)
{
	struct text script = {0}, expected = {0};
	unsigned seed = 7;

	(void)state;
	for (int round = 0; round < 3000; round++) {
		size_t start = expected.length;

		append_random_value(&expected, &seed, round % 2);
		text_append(&script, "printf '%s\\0' ", 14);
		template_quote_shell(
			&script, expected.bytes + start, expected.length - start);
		text_append(&script, "\n", 1);
		text_append(&expected, "\0", 1);
	}
	assert_shell_reads(&script, &expected);
	text_finish(&script);
	text_finish(&expected);
}

static void each_byte_alone_is_read_by_the_shell(void **state)
{
	struct text script = {0}, expected = {0};

	(void)state;
	text_append(&script, "printf '%s\\0'", 13);
	for (int byte = 1; byte < 256; byte++) {
		text_append(&script, " ", 1);
		template_quote_shell(&script, (char[]){(char)byte}, 1);
		text_append(&expected, (char[]){(char)byte, '\0'}, 2);
	}
	assert_shell_reads(&script, &expected);
	text_finish(&script);
	text_finish(&expected);
}

// Never a blank: what stands on both sides of one is nothing to each other.
static void random_template(char *text, size_t size, unsigned *seed)
{
	static const char *const pieces[] = {"{", "}", "{", "}", ".", "/", "\\", "#", "%",
		"-", "1", "2", "0", "{}", "\\{}", "{1", "name", "{na", "x",
		"99999999999"};

	*text = '\0';
	for (unsigned left = next_random(seed) % 12; left; left--) {
		const char *piece = pieces[next_random(seed) % COUNT(pieces)];

		if (strlen(text) + strlen(piece) < size)
			strcat(text, piece);
	}
}

static void no_text_is_too_odd(void **state)
{
	static const char *const names[] = {"name", "na", "1", "na.", ""};
	static const char *const braces[] = {NULL, "{", "x", "{1}", "\\", ""};
	const struct value values[] = {value_of("a/b.c"), value_of("")};
	unsigned seed = 1;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		const struct template_syntax syntax = {TEMPLATE_FULL, false,
			braces[next_random(&seed) % 6], names, next_random(&seed) % 6};
		size_t count = next_random(&seed) % 3;
		char left[80], right[80], both[160 + 2], expected[4096], *parts[3];

		random_template(left, sizeof left, &seed);
		random_template(right, sizeof right, &seed);
		snprintf(both, sizeof both, "%s %s", left, right);
		parts[0] = expand(left, &syntax, values, count, bracket);
		parts[1] = expand(right, &syntax, values, count, bracket);
		parts[2] = expand(both, &syntax, values, count, bracket);
		snprintf(expected, sizeof expected, "%s %s", parts[0], parts[1]);
		assert_string_equal(parts[2], expected);
		for (size_t index = 0; index < COUNT(parts); index++)
			free(parts[index]);
	}
}

#define IN_SCRATCH(name)                                                                 \
	cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_change_is_made_as_by_parallel),
		cmocka_unit_test(several_values_are_joined_by_a_blank),
		cmocka_unit_test(positions_count_from_either_end),
		cmocka_unit_test(numbers_are_the_tasks_and_the_slots),
		cmocka_unit_test(names_stand_for_positions),
		cmocka_unit_test(the_longest_name_wins_then_the_first),
		cmocka_unit_test(what_is_none_stands_for_itself),
		cmocka_unit_test(braces_around_one_stay),
		cmocka_unit_test(a_backslash_makes_it_ordinary),
		cmocka_unit_test(the_braces_may_have_another_name),
		cmocka_unit_test(another_name_may_begin_with_a_brace),
		cmocka_unit_test(it_is_known_whether_a_value_is_in_it),
		cmocka_unit_test(values_are_quoted_and_nothing_else),
		cmocka_unit_test(nothing_is_read_behind_a_value),
		cmocka_unit_test(a_bare_word_stays_bare),
		IN_SCRATCH(the_shell_reads_what_was_quoted),
		IN_SCRATCH(each_byte_alone_is_read_by_the_shell),
		cmocka_unit_test(no_text_is_too_odd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
