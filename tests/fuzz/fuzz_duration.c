/*
 * Fuzz target: durations. The judge of which texts are some is a regular expression, of
 * what they are worth a sum of long doubles; what leat writes of one it reads again as
 * the same, as far as it is written.
 */
#include "fuzz.h"

#include "duration.h"
#include "leat.h"

#include <errno.h>
#include <math.h>
#include <regex.h>

#define NUMBER "([0-9]+[.]?[0-9]*|[.][0-9]+)"
#define PART(unit) "(" NUMBER unit ")?"

static regex_t form;

static const struct {
	const char *name;
	long double ns;
} units[] = {{"ns", 1}, {"us", 1e3L}, {"ms", 1e6L}, {"s", 1e9L}, {"m", 60e9L},
	{"h", 3600e9L}, {"d", 86400e9L}};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	CHECK(regcomp(&form,
		      "^(" NUMBER "|" PART("d") PART("h") PART("m") PART("s") PART("ms")
			      PART("us") PART("ns") ")$",
		      REG_EXTENDED | REG_NOSUB) == 0);
	return 0;
}

static long double unit_at(const char *text)
{
	size_t length = strspn(text, "dhmsun");

	for (size_t index = 0; index < sizeof units / sizeof *units; index++)
		if (strlen(units[index].name) == length &&
			strncmp(units[index].name, text, length) == 0)
			return units[index].ns;
	return 1e9L;
}

// What it is worth, and how much less it may be taken for: digits behind the ninth.
static long double recompute(const char *text, long double *slack)
{
	long double sum = 0;

	for (*slack = 4; *text;) {
		size_t length = strspn(text, "0123456789.");
		char *number = strndup(text, length);
		long double unit = unit_at(text + length);

		sum += strtold(number, NULL) * unit;
		*slack += unit / 1e9L + sum / 1e18L;
		free(number);
		text += length;
		text += strspn(text, "dhmsun");
	}
	return sum;
}

// How far from the duration its writing may be.
static int64_t rounding(int64_t ns)
{
	return ns < 1000          ? 0
	       : ns < 1000000     ? 999
	       : ns < 100000000   ? 999999
	       : ns < 60000000000 ? 50000000
				  : 500000000;
}

static void write_and_read(int64_t ns)
{
	struct text text = {0};
	int64_t again;

	duration_append(&text, ns);
	if (ns <= INT64_MAX - LEAT_SECOND_NS) { // else it may be rounded beyond it
		CHECK(duration_parse(text.bytes, &again) == 0);
		CHECK(again - ns <= rounding(ns) && ns - again <= rounding(ns));
	}
	text_finish(&text);
}

static void read_text(const char *text)
{
	bool has_form = *text && regexec(&form, text, 0, NULL, 0) == 0;
	long double slack, wanted = has_form ? recompute(text, &slack) : 0;
	int64_t ns = -1;
	int error = duration_parse(text, &ns);

	CHECK(has_form ? error != -EINVAL : error != 0);
	if (has_form && error)
		CHECK(wanted > 0x1p63L - slack);
	if (error)
		return;
	CHECK(ns >= 0 && fabsl(wanted - (long double)ns) <= slack);
	write_and_read(ns);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes bytes = bytes_of(data, size), number = bytes;
	struct text text = take_until(&bytes, '\0');

	read_text(text.bytes ? text.bytes : "");
	// Of all magnitudes alike.
	write_and_read((int64_t)(take_number(&number) >> (1 + take(&number) % 63)));
	text_finish(&text);
	return 0;
}
