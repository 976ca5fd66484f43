/* Durations as people write and read them. */
#include "unit.h"

#include "duration.h"

#include <errno.h>
#include <string.h>

#define MS INT64_C(1000000)
#define S LEAT_SECOND_NS

static void good_forms_are_understood(void **state)
{
	static const struct {
		const char *text;
		int64_t ns;
	} forms[] = {
		{"0", 0},
		{"10", 10 * S},
		{"007", 7 * S},
		{"1.5", 1500 * MS},
		{".5", 500 * MS},
		{"1.5s", 1500 * MS},
		{"0.25s", 250 * MS},
		{"200ms", 200 * MS},
		{"1.5ms", 1500000},
		{"3us", 3000},
		{"7ns", 7},
		{"0.5ns", 0},
		{"2m", 120 * S},
		{"1.5m", 90 * S},
		{"1h", 3600 * S},
		{"1h30m", 5400 * S},
		{"1h30m15s", 5415 * S},
		{"7d", 7 * 86400 * S},
		{"1d2h3m4s5ms6us7ns", (86400 + 7200 + 180 + 4) * S + 5 * MS + 6000 + 7},
		{"1d1ns", 86400 * S + 1},
		{"0.000000001", 1},
		{"0.0000000001", 0},
		{"9223372036s", 9223372036 * S},
		{"106751d", 106751 * (86400 * S)},
	};

	(void)state;
	for (size_t index = 0; index < sizeof forms / sizeof *forms; index++) {
		int64_t ns = -1;

		if (duration_parse(forms[index].text, &ns) || ns != forms[index].ns)
			fail_msg("'%s' gave %lld", forms[index].text, (long long)ns);
	}
}

static void anything_else_is_refused(void **state)
{
	static const char *const forms[] = {"", " ", "s", "m", ".", ".s", "-1", "+1",
		" 1", "1 ", "1 s", "1x", "1sec", "1S", "1H", "1e3", "0x10", "1,5", "1..5",
		"1.5.5", "1h30", "1s1s", "1m1h", "1ms1s", "1h-1m", "s1", "inf", "never",
		"1:30", "1m 30s", "\xD9\xA1"};

	(void)state;
	for (size_t index = 0; index < sizeof forms / sizeof *forms; index++) {
		int64_t ns = 77;
		int error = duration_parse(forms[index], &ns);

		if (error != -EINVAL || ns != 77)
			fail_msg("'%s' gave %d", forms[index], error);
	}
}

static void what_is_too_long_is_out_of_range(void **state)
{
	static const char *const forms[] = {"9223372037s", "106752d", "9999999999d",
		"99999999999999999999", "99999999999999999999ns", "106751d999999h"};

	(void)state;
	for (size_t index = 0; index < sizeof forms / sizeof *forms; index++) {
		int64_t ns = 77;
		int error = duration_parse(forms[index], &ns);

		if (error != -ERANGE || ns != 77)
			fail_msg("'%s' gave %d", forms[index], error);
	}
}

static void durations_are_shown_as_people_read_them(void **state)
{
	static const struct {
		int64_t ns;
		const char *text;
	} forms[] = {
		{0, "0.0s"},
		{500, "500ns"},
		{999, "999ns"},
		{1000, "1us"},
		{999999, "999us"},
		{MS, "1ms"},
		{20 * MS, "20ms"},
		{99 * MS, "99ms"},
		{100 * MS, "0.1s"},
		{500 * MS, "0.5s"},
		{S, "1s"},
		{1500 * MS, "1.5s"},
		{12345 * MS, "12.3s"},
		{30 * S, "30s"},
		{59940 * MS, "59.9s"},
		{59960 * MS, "1m00s"},
		{60 * S, "1m00s"},
		{125 * S, "2m05s"},
		{3599 * S, "59m59s"},
		{3599600 * MS, "1h00m00s"},
		{3600 * S, "1h00m00s"},
		{3725 * S, "1h02m05s"},
		{90000 * S, "25h00m00s"},
		{INT64_MAX, "2562047h47m17s"},
	};

	(void)state;
	for (size_t index = 0; index < sizeof forms / sizeof *forms; index++) {
		struct text text = {0};

		duration_append(&text, forms[index].ns);
		assert_string_equal(text.bytes, forms[index].text);
		text_finish(&text);
	}
}

static void what_is_shown_is_appended(void **state)
{
	struct text text = {0};

	(void)state;
	text_append(&text, "in ", 3);
	duration_append(&text, 5 * S);
	assert_string_equal(text.bytes, "in 5s");
	text_finish(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_forms_are_understood),
		cmocka_unit_test(anything_else_is_refused),
		cmocka_unit_test(what_is_too_long_is_out_of_range),
		cmocka_unit_test(durations_are_shown_as_people_read_them),
		cmocka_unit_test(what_is_shown_is_appended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
