/* What the values of options mean that hold back starts by what is measured. */
#include "front/parser.h"

#include "cpus.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// Digits, perhaps with a point, and perhaps one of `letters` behind, which is returned;
// '\0': there is none. -1: it is no such number.
static int parse_decimal(const char *text, const char *letters, double *number)
{
	size_t length = strspn(text, "0123456789.");
	char *end;

	if (!isdigit((unsigned char)*text))
		return -1;
	*number = strtod(text, &end);
	if (end != text + length || !isfinite(*number))
		return -1;
	return !*end || (strchr(letters, *end) && !end[1]) ? *end : -1;
}

// What a letter makes of a number: K is 1024, k is 1000, and so on.
static double factor(int letter)
{
	static const char units[] = "KMGTP";
	const char *unit = letter ? strchr(units, toupper(letter)) : NULL;
	double base = isupper(letter) ? 1024 : 1000, product = 1;

	for (; unit && unit >= units; unit--)
		product *= base;
	return product;
}

const char *apply_max_load(struct plan *plan, const char *value)
{
	struct limit limit = {.option = "--max-load"};
	int letter = parse_decimal(value, "%", &limit.value);

	limit.percent = letter == '%';
	plan->limits[MEASURE_LOAD] = limit;
	return letter < 0 ? "a load such as 4 or 2.5, or N% of the CPUs" : NULL;
}

const char *apply_min_memory(struct plan *plan, const char *value)
{
	struct limit limit = {.option = "--min-memory"};
	int letter = parse_decimal(value, "KMGT%", &limit.value);

	limit.percent = letter == '%';
	if (letter < 0 || (limit.percent && limit.value > 100))
		return "a size such as 500M or 2G (K, M, G, T), or up to 100% of all";
	limit.value *= factor(letter);
	plan->limits[MEASURE_MEMORY] = limit;
	return NULL;
}

const char *apply_max_pressure(struct plan *plan, const char *value)
{
	static const struct {
		const char *name;
		enum measure measure;
	} resources[] = {{"cpu=", MEASURE_CPU_PRESSURE},
		{"memory=", MEASURE_MEMORY_PRESSURE}, {"io=", MEASURE_IO_PRESSURE}};

	for (size_t index = 0; index < sizeof resources / sizeof *resources; index++) {
		const char *name = resources[index].name;
		struct limit limit = {.option = "--max-pressure"};

		if (strncmp(value, name, strlen(name)) != 0)
			continue;
		if (parse_decimal(value + strlen(name), "%", &limit.value) < 0 ||
			limit.value > 100)
			break;
		plan->limits[resources[index].measure] = limit;
		return NULL;
	}
	return "cpu=P, memory=P or io=P, with P from 0 to 100 percent";
}

// As for GNU parallel's --jobs; but 0 is 0.01.
const char *apply_load(struct plan *plan, const char *value)
{
	struct limit limit = {.option = "--load"};
	bool is_signed = *value == '+' || *value == '-';
	int letter = parse_decimal(value + is_signed, is_signed ? "" : "%", &limit.value);

	if (letter < 0)
		return "a load, N%, +N or -N (of the CPUs)";
	limit.percent = letter == '%';
	if (is_signed)
		limit.value = cpus_usable("") + (*value == '+' ? 1 : -1) * limit.value;
	if (limit.value < 0.01)
		limit.value = 0.01;
	plan->limits[MEASURE_LOAD] = limit;
	return NULL;
}

const char *apply_memfree(struct plan *plan, const char *value)
{
	struct limit limit = {.option = "--memfree"};
	int letter = parse_decimal(value, "KMGTPkmgtp", &limit.value);

	limit.value *= factor(letter > 0 ? letter : 0);
	plan->limits[MEASURE_MEMORY] = limit;
	return letter < 0 ? "a size, with K, M, G, T, P (1024) or k, m, g, t, p (1000)"
			  : NULL;
}
