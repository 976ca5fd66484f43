/* leat's own words, and texts that grow. */
#include "unit.h"

#include "message.h"

#include "divert.h"

static void a_message_is_one_line_with_a_name_before(void **state)
{
	struct divert divert = divert_to_file(STDERR_FILENO, "said");
	char *said;

	(void)state;
	message("no %s for %d", "room", 7);
	divert_end(&divert);
	said = scratch_read("said");
	assert_string_equal(said, "leat: no room for 7\n");
	free(said);
}

static char *say(const char *name)
{
	struct divert divert = divert_to_file(STDERR_FILENO, "said");

	message("no %s", name);
	divert_end(&divert);
	return scratch_read("said");
}

static void a_message_is_no_command_to_a_service(void **state)
{
	char *said = say("a\n::b ##[c ##vso[d");

	(void)state;
	assert_string_equal(said, "leat: no a^J::b ##[c ##vso[d\n");
	free(said);
	setenv("GITHUB_ACTIONS", "true", 1);
	said = say("a\n::b ##[c ###vso[d");
	unsetenv("GITHUB_ACTIONS");
	assert_string_equal(said, "leat: no a^J::b # #[c # # #vso[d\n");
	free(said);
}

static void a_message_is_a_single_write(void **state)
{
	struct divert divert;
	char bytes[4096];
	int ends[2];

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC | O_DIRECT), 0); // keeps writes apart
	divert = divert_to(STDERR_FILENO, ends[1]);
	message("%02000d", 0);
	message("second");
	divert_end(&divert);
	assert_int_equal(read(ends[0], bytes, sizeof bytes), 2000 + 7);
	close(ends[0]);
	close(ends[1]);
}

static void a_text_grows_as_it_must(void **state)
{
	struct text text = {0};

	(void)state;
	for (int count = 0; count < 1000; count++)
		text_append(&text, "0123456789", 10);
	assert_int_equal(text.length, 10000);
	assert_int_equal(strlen(text.bytes), 10000);
	assert_memory_equal(text.bytes + 9990, "0123456789", 10);
	assert_false(text.failed);
	text_finish(&text);
	assert_null(text.bytes);
	assert_int_equal(text.length, 0);
}

static void nothing_appended_is_an_empty_string(void **state)
{
	struct text text = {0};

	(void)state;
	text_append(&text, NULL, 0);
	assert_string_equal(text.bytes, "");
	text_append(&text, "a\0b", 3);
	assert_memory_equal(text.bytes, "a\0b", 4);
	assert_int_equal(text.length, 3);
	text_finish(&text);
}

static void formats_of_any_length_are_appended(void **state)
{
	struct text text = {0};

	(void)state;
	text_format(&text, "%d-", 1);
	text_format(&text, "%0500d", 2);
	assert_int_equal(text.length, 502);
	assert_int_equal(text.bytes[501], '2');
	text_format(&text, "%s", "");
	assert_int_equal(text.length, 502);
	text_finish(&text);
}

struct row {
	const char *bytes;
	size_t limit;
	const char *shown;
};

static void assert_shown(const struct row *rows, size_t count)
{
	for (size_t index = 0; index < count; index++) {
		struct text text = {0};

		text_append(&text, ">", 1);
		text_append_shown(&text, rows[index].bytes, strlen(rows[index].bytes),
			rows[index].limit);
		assert_string_equal(text.bytes + 1, rows[index].shown);
		text_finish(&text);
	}
}

static void control_characters_are_shown_not_sent(void **state)
{
	static const struct row rows[] = {
		{"plain text", 100, "plain text"},
		{"", 100, ""},
		{"a\nb\tc\r", 100, "a^Jb^Ic^M"},
		{"\x1b[31mred", 100, "^[[31mred"},
		{"\x01\x1f\x7f", 100, "^A^_^?"},
		{"\xC2\x9B"
		 "31m",
			100, "<9B>31m"},
		{"\xC2\x80\xC2\x9F", 100, "<80><9F>"},
		{"\xC2\xA0\xC2\xBF", 100, "\xC2\xA0\xC2\xBF"},
		{"gr\xC3\xBC\xC3\x9F", 100, "gr\xC3\xBC\xC3\x9F"},
		{"\xF0\x9F\x98\x80", 100, "\xF0\x9F\x98\x80"},
	};

	(void)state;
	assert_shown(rows, sizeof rows / sizeof *rows);
}

static void a_nul_byte_is_shown(void **state)
{
	struct text text = {0};

	(void)state;
	text_append_shown(&text, "a\0b", 3, 100);
	assert_string_equal(text.bytes, "a^@b");
	text_finish(&text);
}

static void a_lone_lead_byte_hides_nothing_behind_it(void **state)
{
	static const struct row rows[] = {
		{"\xC2"
		 "A",
			100,
			"\xC2"
			"A"},
		{"\xC2\x1b[31m", 100, "\xC2^[[31m"},
	};

	(void)state;
	assert_shown(rows, sizeof rows / sizeof *rows);
}

static void too_much_is_cut_between_characters(void **state)
{
	static const struct row rows[] = {
		{"abcdef", 6, "abcdef"},
		{"abcdef", 5, "abcde…"},
		{"ab\xC3\xBC", 3, "ab…"},
		{"ab\xC3\xBC", 4, "ab\xC3\xBC"},
		{"ab\xC3\xBC!", 4, "ab\xC3\xBC…"},
		{"a\xE2\x82\xAC!", 2, "a…"},
		{"a\xE2\x82\xAC!", 3, "a…"},
		{"a\xE2\x82\xAC!", 4, "a\xE2\x82\xAC…"},
		{"\xF0\x9F\x98\x80!", 3, "…"},
		{"\xF0\x9F\x98\x80!", 4, "\xF0\x9F\x98\x80…"},
		{"abc", 0, "…"},
		{"\x1b\x1b\x1b", 2, "^[^[…"},
	};

	(void)state;
	assert_shown(rows, sizeof rows / sizeof *rows);
}

static void stray_continuation_bytes_are_cut_somewhere_near(void **state)
{
	struct text text = {0};

	(void)state;
	text_append_shown(&text, "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80", 10, 8);
	assert_in_range(text.length, 5 + strlen("…"), 8 + strlen("…"));
	text_finish(&text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_message_is_one_line_with_a_name_before),
		TEST(a_message_is_no_command_to_a_service),
		TEST(a_message_is_a_single_write),
		TEST(a_text_grows_as_it_must),
		TEST(nothing_appended_is_an_empty_string),
		TEST(formats_of_any_length_are_appended),
		TEST(control_characters_are_shown_not_sent),
		TEST(a_nul_byte_is_shown),
		TEST(a_lone_lead_byte_hides_nothing_behind_it),
		TEST(too_much_is_cut_between_characters),
		TEST(stray_continuation_bytes_are_cut_somewhere_near),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
