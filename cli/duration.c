#include "duration.h"

#include "leat.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

static const struct unit {
	const char *name;
	int64_t ns;
} units[] = {
	{"ns", 1},
	{"us", 1000},
	{"ms", 1000000},
	{"s", LEAT_SECOND_NS},
	{"m", 60 * LEAT_SECOND_NS},
	{"h", 3600 * LEAT_SECOND_NS},
	{"d", 86400 * LEAT_SECOND_NS},
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

// The unit at the start of *text, which moves behind it. None: seconds, at the end.
static int64_t parse_unit(const char **text)
{
	size_t length = strcspn(*text, "0123456789.");

	for (size_t index = 0; index < sizeof units / sizeof *units; index++)
		if (strlen(units[index].name) == length &&
			strncmp(*text, units[index].name, length) == 0) {
			*text += length;
			return units[index].ns;
		}
	return 0;
}

struct number {
	int64_t whole;
	int64_t fraction; //< in billionths
	bool overflow;
};

// Digits, and digits behind a point. At least one in all.
static bool parse_number(const char **text, struct number *number)
{
	const char *at = *text;
	int64_t weight = LEAT_SECOND_NS;
	int digits = 0;

	*number = (struct number){0};
	for (; is_digit(*at); at++, digits++)
		if (__builtin_mul_overflow(number->whole, 10, &number->whole) ||
			__builtin_add_overflow(number->whole, *at - '0', &number->whole))
			number->overflow = true;
	if (*at == '.')
		for (at++; is_digit(*at); at++, digits++) {
			weight /= 10;
			number->fraction += weight * (*at - '0');
		}
	*text = at;
	return digits > 0;
}

static int add(int64_t *sum, const struct number *number, int64_t unit)
{
	int64_t part;
	// Up to 86400e9 times less than 1e9: beyond 64 bits on the way.
	__int128 fraction = (__int128)number->fraction * unit / LEAT_SECOND_NS;

	if (number->overflow || __builtin_mul_overflow(number->whole, unit, &part) ||
		__builtin_add_overflow(part, (int64_t)fraction, &part) ||
		__builtin_add_overflow(*sum, part, sum))
		return -ERANGE;
	return 0;
}

int duration_parse(const char *text, int64_t *duration_ns)
{
	const char *at = text;
	int64_t sum = 0, last_unit = LEAT_NEVER;

	do {
		struct number number;
		int64_t unit;

		if (!parse_number(&at, &number))
			return -EINVAL;
		// A number alone is seconds; behind other units it would be a riddle.
		unit = !*at && last_unit == LEAT_NEVER ? LEAT_SECOND_NS : parse_unit(&at);
		if (!unit || unit >= last_unit)
			return -EINVAL;
		last_unit = unit;
		if (add(&sum, &number, unit))
			return -ERANGE;
	} while (*at);
	*duration_ns = sum;
	return 0;
}

// How many of `unit` that is: nothing is added that might not fit.
static int64_t round_to(int64_t duration_ns, int64_t unit)
{
	return duration_ns / unit + (duration_ns % unit >= unit / 2);
}

void duration_append(struct text *text, int64_t duration_ns)
{
	int64_t seconds = round_to(duration_ns, LEAT_SECOND_NS);
	int64_t tenths = round_to(duration_ns, LEAT_SECOND_NS / 10);

	if (duration_ns > 0 && duration_ns < 1000)
		text_format(text, "%" PRId64 "ns", duration_ns);
	else if (duration_ns > 0 && duration_ns < 1000000)
		text_format(text, "%" PRId64 "us", duration_ns / 1000);
	else if (duration_ns > 0 && duration_ns < LEAT_SECOND_NS / 10)
		text_format(text, "%" PRId64 "ms", duration_ns / 1000000);
	else if (tenths < 600 && (tenths % 10 || tenths < 10))
		text_format(text, "%" PRId64 ".%" PRId64 "s", tenths / 10, tenths % 10);
	else if (tenths < 600)
		text_format(text, "%" PRId64 "s", tenths / 10);
	else if (seconds < 3600)
		text_format(
			text, "%" PRId64 "m%02" PRId64 "s", seconds / 60, seconds % 60);
	else
		text_format(text, "%" PRId64 "h%02" PRId64 "m%02" PRId64 "s",
			seconds / 3600, seconds / 60 % 60, seconds % 60);
}
