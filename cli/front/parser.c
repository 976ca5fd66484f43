#include "front/parser.h"

#include "duration.h"
#include "leat.h"
#include "message.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN_ERROR_BYTES 511

static bool is_heading(const struct option *option)
{
	return !option->name && !option->letter;
}

static const struct option *table_end(const struct grammar *grammar)
{
	return grammar->table + grammar->count;
}

int usage_error(const struct grammar *grammar, const char *format, ...)
{
	struct text line = {0}, shown = {0};
	va_list arguments;

	va_start(arguments, format);
	text_format_arguments(&line, format, arguments);
	va_end(arguments);
	text_append_shown(&shown, line.bytes, line.length, SHOWN_ERROR_BYTES);
	message("%s", shown.bytes ? shown.bytes : "out of memory");
	message("'%s --help' shows the options", grammar->tool);
	text_finish(&shown);
	text_finish(&line);
	return -EINVAL;
}

// One more than it is still a number, and it may stand in a signed one. What is beyond
// any number is the largest for strtoull(3).
static const char *parse_number(const char *value, uint64_t *number)
{
	char *end;

	*number = strtoull(value, &end, 10);
	return *value < '0' || *value > '9' || *end || !*number || *number > INT64_MAX
		       ? "a number from 1"
		       : NULL;
}

static int apply(const struct grammar *grammar, struct plan *plan,
	const struct option *option, const char *written, const char *value)
{
	void *field = (char *)plan + option->offset;
	const char *text = value ? value : "", *takes = NULL;

	switch (option->kind) {
	case FLAG:
		*(bool *)field = true;
		break;
	case WORD:
		*(const char **)field = text;
		takes = *text ? NULL : option->value;
		break;
	case NUMBER:
		takes = parse_number(text, field);
		break;
	case DURATION:
		if (duration_parse(text, field) < 0)
			takes = "a duration such as 10, 1.5s, 200ms, 2m, 1h30m or 7d";
		break;
	case OTHER:
		takes = option->apply(plan, value);
		break;
	case IGNORED:
		break;
	case REFUSED:
		return usage_error(
			grammar, "%s is not supported: %s", written, option->help);
	}
	if (takes)
		return usage_error(
			grammar, "%s takes %s, not '%s'", written, takes, text);
	return 0;
}

/* ---- names ---- */

static size_t minimum(size_t a, size_t b)
{
	return a < b ? a : b;
}

// The Levenshtein distance, of words up to 31 letters.
static size_t distance(const char *a, const char *b)
{
	size_t row[32], length = strlen(b);

	if (strlen(a) > 31 || length > 31)
		return SIZE_MAX;
	for (size_t column = 0; column <= length; column++)
		row[column] = column;
	for (size_t line = 1; a[line - 1]; line++) {
		size_t diagonal = row[0];

		row[0] = line;
		for (size_t column = 1; column <= length; column++) {
			size_t changed = diagonal + (a[line - 1] != b[column - 1]);

			diagonal = row[column];
			row[column] = minimum(
				changed, minimum(row[column], row[column - 1]) + 1);
		}
	}
	return row[length];
}

static int unknown_option(
	const struct grammar *grammar, const char *written, const char *name)
{
	const struct option *nearest = NULL;
	size_t least = strlen(name) / 2 + 1;

	for (const struct option *option = grammar->table; option < table_end(grammar);
		option++)
		if (option->name) {
			size_t here = strncmp(option->name, name, strlen(name)) == 0
					      ? 0
					      : distance(option->name, name);

			if (here < least) {
				least = here;
				nearest = option;
			}
		}
	if (nearest)
		return usage_error(grammar, "unknown option %s: did you mean --%s?",
			written, nearest->name);
	return usage_error(grammar, "unknown option %s", written);
}

static bool are_the_same(const struct option *one, const struct option *other)
{
	return one->kind == other->kind && one->offset == other->offset &&
	       one->apply == other->apply;
}

// NULL: none has that name, or (*unclear) several might be meant.
static const struct option *find_name(
	const struct grammar *grammar, const char *name, bool *unclear)
{
	const struct option *found = NULL;

	*unclear = false;
	for (const struct option *option = grammar->table; option < table_end(grammar);
		option++) {
		if (!option->name || strncmp(option->name, name, strlen(name)) != 0)
			continue;
		if (strcmp(option->name, name) == 0) {
			*unclear = false;
			return option;
		}
		if (!grammar->abbreviates)
			continue;
		*unclear = *unclear || (found && !are_the_same(found, option));
		found = option;
	}
	return *unclear ? NULL : found;
}

// --name, --name=value, --name value
static int parse_long(
	const struct grammar *grammar, struct plan *plan, struct words *words)
{
	const char *word = *words->at++;
	size_t length = strcspn(word + 2, "=");
	const char *value = word[2 + length] ? word + 3 + length : NULL;
	const struct option *option;
	char written[64];
	bool unclear;

	snprintf(written, sizeof written, "%.*s", (int)length + 2, word);
	option = find_name(grammar, written + 2, &unclear);
	if (unclear)
		return usage_error(grammar, "%s may mean several options", written);
	if (!option)
		return unknown_option(grammar, written, written + 2);
	if (!option->value && value)
		return usage_error(grammar, "%s takes no value", written);
	if (option->value && !value && !option->optional && option->kind != REFUSED) {
		if (words->at == words->end)
			return usage_error(grammar, "%s takes %s, which is missing",
				written, option->value);
		value = *words->at++;
	}
	return apply(
		grammar, plan, option, written, value || option->optional ? value : "");
}

// -x, -xy, -jN, -j N
static int parse_letters(
	const struct grammar *grammar, struct plan *plan, struct words *words)
{
	const char *letter = *words->at++ + 1;

	for (; *letter; letter++) {
		const struct option *option = grammar->table;
		const char *value = letter[1] ? letter + 1 : NULL;
		char written[3] = {'-', *letter, '\0'};
		int error;

		while (option < table_end(grammar) && option->letter != *letter)
			option++;
		if (option == table_end(grammar))
			return usage_error(grammar, "unknown option %s", written);
		if (option->value && option->optional)
			return apply(grammar, plan, option, written, value);
		if (option->value && !value && option->kind != REFUSED) {
			if (words->at == words->end)
				return usage_error(grammar,
					"%s takes %s, which is missing", written,
					option->value);
			value = *words->at++;
		}
		error = apply(grammar, plan, option, written,
			option->value && value ? value : "");
		if (error || option->value)
			return error;
	}
	return 0;
}

int parse_options(const struct grammar *grammar, struct plan *plan, struct words *words)
{
	while (words->at < words->end) {
		const char *word = *words->at;
		int error;

		if (strcmp(word, "--") == 0) {
			words->at++;
			return 0;
		}
		if (word[0] != '-' || !word[1])
			return 0;
		error = word[1] == '-' ? parse_long(grammar, plan, words)
				       : parse_letters(grammar, plan, words);
		if (error)
			return error;
	}
	return 0;
}

/* ---- help ---- */

static void print_option(const struct option *option)
{
	char names[64];

	snprintf(names, sizeof names, "%c%c%s%s%s%s%s", option->letter ? '-' : ' ',
		option->letter ? option->letter : ' ',
		option->letter && option->name ? ", " : "  ", option->name ? "--" : "",
		option->name ? option->name : "", option->value ? " " : "",
		option->value ? option->value : "");
	printf("  %-24s %s\n", names, option->help);
}

void print_options(const struct grammar *grammar)
{
	for (const struct option *option = grammar->table; option < table_end(grammar);
		option++)
		if (is_heading(option))
			printf("%s\n", option->help);
		else if (option->kind != REFUSED && option->help)
			print_option(option);
}
