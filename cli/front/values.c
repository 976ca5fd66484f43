/* What the values of options mean that several front ends have. */
#include "front/parser.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static int hex_digit(char c)
{
	const char *digits = "0123456789abcdef0123456789ABCDEF";
	const char *found = c ? strchr(digits, c) : NULL;

	return found ? (int)(found - digits) % 16 : -1;
}

const char *apply_delimiter(struct plan *plan, const char *value)
{
	const char *takes = "one character, or \\n, \\t, \\0, \\xHH";
	const char *names = "nt0r\\", *bytes = "\n\t\0\r\\";
	const char *named = value[0] == '\\' && value[1] ? strchr(names, value[1]) : NULL;

	if (value[0] && !value[1])
		plan->splitting.delimiter = value[0];
	else if (named && !value[2])
		plan->splitting.delimiter = bytes[named - names];
	else if (strncmp(value, "\\x", 2) == 0 && hex_digit(value[2]) >= 0 &&
		 hex_digit(value[3]) >= 0 && !value[4])
		plan->splitting.delimiter =
			(char)(hex_digit(value[2]) * 16 + hex_digit(value[3]));
	else
		return takes;
	plan->splitting.kind = SPLIT_DELIMITER;
	return NULL;
}

const char *apply_null(struct plan *plan, const char *value)
{
	(void)value;
	return apply_delimiter(plan, "\\0");
}

const char *apply_arg_file(struct plan *plan, const char *value)
{
	plan->arg_files[plan->arg_file_count++] = value;
	return NULL;
}

const char *apply_jobs(struct plan *plan, const char *value)
{
	const char *takes = "a number of slots, N%, +N or -N (of the CPUs), or 0 for as "
			    "many as possible";
	struct jobs jobs = {.kind = JOBS_NUMBER};
	char *end;
	long number;

	if (*value == '+' || *value == '-')
		jobs.kind = *value++ == '+' ? JOBS_MORE : JOBS_FEWER;
	if (*value < '0' || *value > '9')
		return takes;
	errno = 0;
	number = strtol(value, &end, 10);
	if (*end == '%' && jobs.kind == JOBS_NUMBER) {
		jobs.kind = JOBS_PERCENT;
		end++;
	}
	if (*end || errno || number > INT_MAX)
		return takes;
	jobs.number = (unsigned)number;
	if (jobs.kind == JOBS_NUMBER && !number)
		jobs.kind = JOBS_MOST;
	plan->jobs = jobs;
	return NULL;
}

const char *parse_size(const char *value, uint64_t *bytes)
{
	static const char units[] = "KMG";
	const char *unit, *takes = "a number of bytes, also with K, M or G behind";
	char *end;

	if (*value < '0' || *value > '9')
		return takes;
	errno = 0;
	*bytes = strtoull(value, &end, 10);
	if (errno)
		return takes;
	if (!*end)
		return NULL;
	unit = strchr(units, *end);
	if (!unit || end[1] ||
		__builtin_mul_overflow(
			*bytes, UINT64_C(1024) << 10 * (unit - units), bytes))
		return takes;
	return NULL;
}

const char *apply_trim(struct plan *plan, const char *value)
{
	static const char *const names[] = {[TRIM_NONE] = "n",
		[TRIM_LEFT] = "l",
		[TRIM_RIGHT] = "r",
		[TRIM_BOTH] = "lr"};

	for (int trim = TRIM_NONE; trim <= TRIM_BOTH; trim++)
		if (strcmp(value, names[trim]) == 0 ||
			(trim == TRIM_BOTH && strcmp(value, "rl") == 0)) {
			plan->trim = (enum trim)trim;
			return NULL;
		}
	return "n, l, r or lr: no side, left, right or both";
}

const char *apply_seed(struct plan *plan, const char *value)
{
	char *end;

	errno = 0;
	plan->seed = strtoull(value, &end, 10);
	plan->seeded = true;
	return *value < '0' || *value > '9' || *end || errno ? "a number" : NULL;
}

const char *apply_end(struct plan *plan, const char *value)
{
	plan->splitting.end_record = value && *value ? value : NULL;
	return NULL;
}

const char *apply_halt(struct plan *plan, const char *value)
{
	return halt_parse(&plan->halt, value) == 0
		       ? NULL
		       : "soon or now, a comma, and fail, success or done with =K or =K%";
}
