#include "columns.h"

#include <errno.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

struct columns {
	const struct plan *plan;
	regex_t pattern;
	bool has_pattern;
	struct value *values;
	size_t count, capacity;
	bool failed;
};

int columns_create(struct columns **result, const struct plan *plan)
{
	struct columns *columns = calloc(1, sizeof *columns);

	*result = columns;
	if (!columns)
		return -ENOMEM;
	columns->plan = plan;
	if (plan->column_separator && plan->column_pattern)
		columns->has_pattern = regcomp(&columns->pattern, plan->column_separator,
					       REG_EXTENDED) == 0;
	return 0;
}

void columns_destroy(struct columns *columns)
{
	if (!columns)
		return;
	if (columns->has_pattern)
		regfree(&columns->pattern);
	free(columns->values);
	free(columns);
}

void columns_clear(struct columns *columns)
{
	columns->count = 0;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void add_value(struct columns *columns, const char *bytes, size_t length)
{
	enum trim trim = columns->plan->trim;

	for (; trim & TRIM_LEFT && length && is_blank(*bytes); length--)
		bytes++;
	while (trim & TRIM_RIGHT && length && is_blank(bytes[length - 1]))
		length--;
	if (columns->count == columns->capacity) {
		size_t capacity = 2 * columns->capacity + 4;
		struct value *values =
			reallocarray(columns->values, capacity, sizeof *values);

		if (!values) {
			columns->failed = true;
			return;
		}
		columns->values = values;
		columns->capacity = capacity;
	}
	columns->values[columns->count++] =
		(struct value){.bytes = bytes, .length = (uint32_t)length};
}

// Where the next separator stands in the bytes; false: there is none.
static bool find_separator(const struct columns *columns, const char *bytes,
	size_t length, size_t *start, size_t *end)
{
	const char *separator = columns->plan->column_separator, *found;
	regmatch_t match = {.rm_so = 0, .rm_eo = (regoff_t)length};

	if (columns->has_pattern) { // one that matches nothing separates nothing
		bool matches =
			regexec(&columns->pattern, bytes, 1, &match, REG_STARTEND) == 0;

		*start = (size_t)match.rm_so;
		*end = (size_t)match.rm_eo;
		return matches && *end > *start;
	}
	found = memmem(bytes, length, separator, strlen(separator));
	*start = found ? (size_t)(found - bytes) : 0;
	*end = *start + strlen(separator);
	return found != NULL;
}

void columns_add(struct columns *columns, const struct record *record)
{
	const char *bytes = record->bytes;
	size_t length = record->length, start, end;

	while (columns->plan->column_separator &&
		find_separator(columns, bytes, length, &start, &end)) {
		add_value(columns, bytes, start);
		bytes += end;
		length -= end;
	}
	add_value(columns, bytes, length);
}

const struct value *columns_values(struct columns *columns, size_t *count)
{
	*count = columns->count;
	if (columns->failed || !columns->count)
		return NULL;
	columns->values[columns->count - 1].ends_record = true;
	return columns->values;
}
