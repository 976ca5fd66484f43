#include "template.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum kind { LITERAL, ALL_VALUES, ONE_VALUE, SEQUENCE, SLOT };
enum change { WHOLE, NO_EXTENSION, BASE, DIRECTORY, BASE_NO_EXTENSION };

struct part {
	enum kind kind;
	enum change change;
	int position;      //< ONE_VALUE: from 1, or from -1 backwards
	const char *bytes; //< LITERAL
	size_t length;
};

struct template
{
	char *text;
	size_t count;
	struct part parts[];
};

static const struct {
	const char *suffix;
	enum change change;
} changes[] = {
	// the longer ones first
	{"//}", DIRECTORY},
	{"/.}", BASE_NO_EXTENSION},
	{".}", NO_EXTENSION},
	{"/}", BASE},
	{"}", WHOLE},
};

// How long the suffix at `at` is, brace included; 0: there is none.
static size_t parse_change(const char *at, enum change *change)
{
	for (size_t index = 0; index < sizeof changes / sizeof *changes; index++) {
		size_t length = strlen(changes[index].suffix);

		if (strncmp(at, changes[index].suffix, length) == 0) {
			*change = changes[index].change;
			return length;
		}
	}
	return 0;
}

// 1, -2: how long it is; 0: there is none.
static size_t parse_position(const char *at, int *position)
{
	size_t sign = *at == '-';
	size_t digits = strspn(at + sign, "0123456789");
	long number;

	if (!digits || digits > 9)
		return 0;
	number = strtol(at, NULL, 10);
	*position = (int)number;
	return number ? sign + digits : 0;
}

static size_t parse_name(
	const char *at, const struct template_syntax *syntax, int *position)
{
	enum change change;

	for (size_t index = 0; index < syntax->name_count; index++) {
		size_t length = strlen(syntax->names[index]);

		if (strncmp(at, syntax->names[index], length) == 0 &&
			parse_change(at + length, &change)) {
			*position = (int)index + 1;
			return length;
		}
	}
	return 0;
}

static size_t parse_braces(
	const char *at, const struct template_syntax *syntax, struct part *part)
{
	size_t inner, suffix;

	if (*at != '{')
		return 0;
	if (strncmp(at, "{#}", 3) == 0 || strncmp(at, "{%}", 3) == 0) {
		part->kind = at[1] == '#' ? SEQUENCE : SLOT;
		return 3;
	}
	inner = parse_position(at + 1, &part->position);
	if (!inner)
		inner = parse_name(at + 1, syntax, &part->position);
	part->kind = inner ? ONE_VALUE : ALL_VALUES;
	suffix = parse_change(at + 1 + inner, &part->change);
	if (!suffix || (!inner && suffix == 1 && syntax->braces))
		return 0; // {} itself, where it was renamed
	return 1 + inner + suffix;
}

// How long the replacement string at `at` is; 0: there is none.
static size_t parse_replacement(
	const char *at, const struct template_syntax *syntax, struct part *part)
{
	size_t length = syntax->braces ? strlen(syntax->braces) : 0;

	*part = (struct part){0};
	if (length && strncmp(at, syntax->braces, length) == 0) {
		part->kind = ALL_VALUES;
		return length;
	}
	return parse_braces(at, syntax, part);
}

static void append_literal(struct template *template, const char *bytes, size_t length)
{
	struct part *last =
		template->count ? &template->parts[template->count - 1] : NULL;

	if (last && last->kind == LITERAL && last->bytes + last->length == bytes)
		last->length += length;
	else
		template->parts[template->count++] =
			(struct part){.kind = LITERAL, .bytes = bytes, .length = length};
}

int template_parse(
	struct template **result, const char *text, const struct template_syntax *syntax)
{
	size_t most = strlen(text) + 1;
	struct template *template =
		calloc(1, sizeof *template + most * sizeof(struct part));

	if (!template)
		return -ENOMEM;
	template->text = strdup(text);
	if (!template->text) {
		free(template);
		return -ENOMEM;
	}
	for (const char *at = template->text; *at;) {
		struct part part;
		bool escaped = *at == '\\';
		size_t length = parse_replacement(at + escaped, syntax, &part);

		if (length && !escaped)
			template->parts[template->count++] = part;
		else
			append_literal(
				template, at + (length && escaped), length ? length : 1);
		at += length ? length + escaped : 1;
	}
	*result = template;
	return 0;
}

void template_destroy(struct template *template)
{
	if (!template)
		return;
	free(template->text);
	free(template);
}

static struct template_value base_of(struct template_value value)
{
	const char *slash = memrchr(value.bytes, '/', value.length);

	if (!slash)
		return value;
	return (struct template_value){
		slash + 1, (size_t)(value.bytes + value.length - slash - 1)};
}

static struct template_value without_extension(struct template_value value)
{
	struct template_value base = base_of(value);
	const char *dot = memrchr(base.bytes, '.', base.length);

	if (dot)
		value.length = (size_t)(dot - value.bytes);
	return value;
}

static size_t without_slashes(const char *bytes, size_t length)
{
	while (length > 1 && bytes[length - 1] == '/')
		length--;
	return length;
}

// As dirname(3).
static struct template_value directory_of(struct template_value value)
{
	size_t length = without_slashes(value.bytes, value.length);
	const char *slash = length ? memrchr(value.bytes, '/', length) : NULL;

	if (!slash)
		return (struct template_value){".", 1};
	length = without_slashes(value.bytes, (size_t)(slash - value.bytes) + 1);
	return (struct template_value){value.bytes, length};
}

static struct template_value change_value(struct template_value value, enum change change)
{
	switch (change) {
	case NO_EXTENSION:
		return without_extension(value);
	case BASE:
		return base_of(value);
	case DIRECTORY:
		return directory_of(value);
	case BASE_NO_EXTENSION:
		return without_extension(base_of(value));
	case WHOLE:
		break;
	}
	return value;
}

static void append_value(struct text *out, const struct template_value *value,
	enum change change, template_quote_fn quote)
{
	struct template_value changed = change_value(*value, change);

	if (quote)
		quote(out, changed.bytes, changed.length);
	else
		text_append(out, changed.bytes, changed.length);
}

static void append_values(struct text *out, const struct template_values *values,
	enum change change, template_quote_fn quote)
{
	for (size_t index = 0; index < values->count; index++) {
		if (index)
			text_append(out, " ", 1);
		append_value(out, &values->values[index], change, quote);
	}
}

static void append_position(struct text *out, const struct template_values *values,
	const struct part *part, template_quote_fn quote)
{
	int64_t index = part->position > 0 ? part->position - 1
					   : (int64_t)values->count + part->position;

	if (index >= 0 && index < (int64_t)values->count)
		append_value(out, &values->values[index], part->change, quote);
}

void template_append(const struct template *template, struct text *out,
	const struct template_values *values, template_quote_fn quote)
{
	for (size_t index = 0; index < template->count; index++) {
		const struct part *part = &template->parts[index];

		switch (part->kind) {
		case LITERAL:
			text_append(out, part->bytes, part->length);
			break;
		case ALL_VALUES:
			append_values(out, values, part->change, quote);
			break;
		case ONE_VALUE:
			append_position(out, values, part, quote);
			break;
		case SEQUENCE:
			text_format(out, "%" PRIu64, values->sequence);
			break;
		case SLOT:
			text_format(out, "%u", values->slot);
			break;
		}
	}
}
