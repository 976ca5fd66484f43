#include "template.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum kind { LITERAL, ALL_VALUES, ONE_VALUE, SEQUENCE, SLOT };
enum change {
	WHOLE,
	NO_EXTENSION,
	BASE,
	DIRECTORY,
	BASE_NO_EXTENSION,
	PLUS, //< from here on: template_syntax.plus
	NO_2_EXTENSIONS = PLUS,
	NO_3_EXTENSIONS,
	BASE_NO_2_EXTENSIONS,
	BASE_NO_3_EXTENSIONS,
	DIRECTORY_IF_ANY,
	EXTENSION,
	EXTENSIONS_2,
	EXTENSIONS_3
};

// No list of values is that long, and counting backwards can't overflow.
#define POSITION_MAX (PTRDIFF_MAX / 2)

struct part {
	enum kind kind;
	enum change change;
	ptrdiff_t position; //< ONE_VALUE: from 1, or from -1 backwards
	const char *bytes;  //< LITERAL
	size_t length;
};

struct template
{
	char *text;
	struct part *parts;
	size_t count, capacity;
};

// How a replacement string ends: none of these begins with another.
static const char *const endings[] = {
	[WHOLE] = "}",
	[NO_EXTENSION] = ".}",
	[BASE] = "/}",
	[DIRECTORY] = "//}",
	[BASE_NO_EXTENSION] = "/.}",
	[NO_2_EXTENSIONS] = "..}",
	[NO_3_EXTENSIONS] = "...}",
	[BASE_NO_2_EXTENSIONS] = "/..}",
	[BASE_NO_3_EXTENSIONS] = "/...}",
	[DIRECTORY_IF_ANY] = "+/}",
	[EXTENSION] = "+.}",
	[EXTENSIONS_2] = "+..}",
	[EXTENSIONS_3] = "+...}",
};

// All the parsers return how long what stands at `at` is; 0: it is something else.

static size_t parse_word(const char *at, const char *word)
{
	size_t length = strlen(word);

	return strncmp(at, word, length) == 0 ? length : 0;
}

static size_t parse_ending(
	const char *at, const struct template_syntax *syntax, enum change *change)
{
	size_t count = syntax->plus ? sizeof endings / sizeof *endings : PLUS;

	for (size_t index = 0; index < count; index++) {
		size_t length = parse_word(at, endings[index]);

		if (length) {
			*change = (enum change)index;
			return length;
		}
	}
	return 0;
}

// Behind the brace: 1, -2.
static size_t parse_position(const char *at, ptrdiff_t *position)
{
	size_t sign = *at == '-';
	size_t digits = strspn(at + sign, "0123456789");
	ptrdiff_t number = 0;

	for (size_t index = 0; index < digits; index++) {
		int digit = at[sign + index] - '0';

		number = number > (POSITION_MAX - digit) / 10 ? POSITION_MAX
							      : number * 10 + digit;
	}
	*position = sign ? -number : number;
	return number ? sign + digits : 0;
}

// Where several fit it is the longest name; the first of those that are the same.
static size_t parse_named(
	const char *at, const struct template_syntax *syntax, struct part *part)
{
	size_t longest = 0, ending = 0;

	for (size_t index = 0; index < syntax->name_count; index++) {
		size_t length = parse_word(at + 1, syntax->names[index]);
		enum change change;
		size_t rest = length ? parse_ending(at + 1 + length, syntax, &change) : 0;

		if (!rest || length <= longest)
			continue;
		longest = length;
		ending = rest;
		*part = (struct part){.kind = ONE_VALUE,
			.change = change,
			.position = (ptrdiff_t)index + 1};
	}
	return longest ? 1 + longest + ending : 0;
}

static size_t parse_braced(
	const char *at, const struct template_syntax *syntax, struct part *part)
{
	size_t inner, ending;

	*part = (struct part){.kind = at[1] == '#' ? SEQUENCE : SLOT};
	if ((at[1] == '#' || at[1] == '%') && at[2] == '}')
		return 3;
	inner = parse_position(at + 1, &part->position);
	part->kind = inner ? ONE_VALUE : ALL_VALUES;
	ending = parse_ending(at + 1 + inner, syntax, &part->change);
	if (!ending || (!inner && part->change == WHOLE && syntax->braces))
		return 0; // {} itself, where it was renamed
	return 1 + inner + ending;
}

static size_t parse_replacement(
	const char *at, const struct template_syntax *syntax, struct part *part)
{
	const char *braces = syntax->kind == TEMPLATE_BRACES && !syntax->braces
				     ? "{}"
				     : syntax->braces;
	size_t renamed = braces ? parse_word(at, braces) : 0;
	size_t length = *at == '{' ? parse_named(at, syntax, part) : 0;

	if (syntax->kind == TEMPLATE_BRACES) {
		*part = (struct part){.kind = ALL_VALUES};
		return renamed;
	}
	if (length)
		return length;
	length = *at == '{' ? parse_braced(at, syntax, part) : 0;
	if (length > renamed || !renamed)
		return length;
	*part = (struct part){.kind = ALL_VALUES};
	return renamed;
}

static int add(struct template *template, struct part part)
{
	if (part.kind == LITERAL && !part.length)
		return 0;
	if (template->count == template->capacity) {
		size_t capacity = template->capacity * 2 + 4;
		struct part *parts =
			reallocarray(template->parts, capacity, sizeof *parts);

		if (!parts)
			return -ENOMEM;
		template->parts = parts;
		template->capacity = capacity;
	}
	template->parts[template->count++] = part;
	return 0;
}

static int add_literal(struct template *template, const char *start, const char *end)
{
	return add(template, (struct part){.kind = LITERAL,
				     .bytes = start,
				     .length = (size_t)(end - start)});
}

static int parse(struct template *template, const struct template_syntax *syntax)
{
	const char *at = template->text, *start = at;

	while (*at && syntax->kind != TEMPLATE_NONE) {
		bool escaped =
			syntax->kind == TEMPLATE_FULL && at[0] == '\\' && at[1] == '{';
		struct part part;
		size_t length = parse_replacement(at + escaped, syntax, &part);
		int error;

		if (!length) {
			at++;
			continue;
		}
		error = add_literal(template, start, at);
		if (!error && !escaped)
			error = add(template, part);
		if (error)
			return error;
		start = escaped ? at + 1 : at + length;
		at += escaped + length;
	}
	return add_literal(template, start, start + strlen(start));
}

int template_parse(
	struct template **result, const char *text, const struct template_syntax *syntax)
{
	struct template *template = calloc(1, sizeof *template);
	int error;

	if (!template)
		return -ENOMEM;
	template->text = strdup(text);
	error = template->text ? parse(template, syntax) : -ENOMEM;
	if (error) {
		template_destroy(template);
		return error;
	}
	*result = template;
	return 0;
}

void template_destroy(struct template *template)
{
	if (!template)
		return;
	free(template->parts);
	free(template->text);
	free(template);
}

bool template_has_value(const struct template *template)
{
	for (size_t index = 0; index < template->count; index++) {
		enum kind kind = template->parts[index].kind;

		if (kind == ALL_VALUES || kind == ONE_VALUE)
			return true;
	}
	return false;
}

bool template_has_replacement(const struct template *template)
{
	for (size_t index = 0; index < template->count; index++)
		if (template->parts[index].kind != LITERAL)
			return true;
	return false;
}

size_t template_uses(const struct template *template)
{
	size_t uses = 0;

	for (size_t index = 0; index < template->count; index++)
		uses += template->parts[index].kind == ALL_VALUES;
	return uses;
}

bool template_is_braces(const struct template *template)
{
	return template->count == 1 && template->parts[0].kind == ALL_VALUES &&
	       template->parts[0].change == WHOLE;
}

size_t template_fixed_bytes(const struct template *template)
{
	size_t bytes = 0;

	for (size_t index = 0; index < template->count; index++)
		bytes += template->parts[index].length;
	return bytes;
}

// How many bytes there are up to the last `byte`, that one included.
static size_t length_with_last(struct value value, char byte)
{
	const char *last = value.length ? memrchr(value.bytes, byte, value.length) : NULL;

	return last ? (size_t)(last - value.bytes) + 1 : 0;
}

static struct value base_of(struct value value)
{
	size_t directory = length_with_last(value, '/');

	if (directory) {
		value.bytes += directory;
		value.length -= (uint32_t)directory;
	}
	return value;
}

static struct value without_extension(struct value value)
{
	size_t dot = length_with_last(value, '.');

	if (dot > length_with_last(value, '/'))
		value.length = (uint32_t)dot - 1;
	return value;
}

// All slashes at the end but one at the very start.
static void cut_slashes(struct value *value)
{
	while (value->length > 1 && value->bytes[value->length - 1] == '/')
		value->length--;
}

// As dirname(3).
static struct value directory_of(struct value value)
{
	cut_slashes(&value);
	value.length = (uint32_t)length_with_last(value, '/');
	if (!value.length)
		return (struct value){.bytes = ".", .length = 1};
	cut_slashes(&value);
	return value;
}

// Without the last `count` extensions, where there are so many.
static struct value without_extensions(struct value value, int count)
{
	struct value rest = value;

	while (count--) {
		size_t dot = length_with_last(rest, '.');

		if (dot <= length_with_last(rest, '/'))
			return value;
		rest.length = (uint32_t)dot - 1;
	}
	return rest;
}

// The last `count` extensions without the first one's dot; nothing, where there are less.
static struct value extensions_of(struct value value, int count)
{
	struct value rest = value;
	size_t dot = 0;

	while (count--) {
		dot = length_with_last(rest, '.');
		if (!dot)
			return (struct value){.bytes = "", .length = 0};
		rest.length = (uint32_t)dot - 1;
	}
	value.bytes += dot;
	value.length -= (uint32_t)dot;
	return value;
}

static struct value directory_if_any(struct value value)
{
	size_t slash = length_with_last(value, '/');

	value.length = slash ? (uint32_t)slash - 1 : 0;
	return value;
}

static struct value change_more(struct value value, enum change change)
{
	switch (change) {
	case NO_2_EXTENSIONS:
		return without_extensions(value, 2);
	case NO_3_EXTENSIONS:
		return without_extensions(value, 3);
	case BASE_NO_2_EXTENSIONS:
		return without_extensions(base_of(value), 2);
	case BASE_NO_3_EXTENSIONS:
		return without_extensions(base_of(value), 3);
	case DIRECTORY_IF_ANY:
		return directory_if_any(value);
	case EXTENSION:
		return extensions_of(value, 1);
	case EXTENSIONS_2:
		return extensions_of(value, 2);
	case EXTENSIONS_3:
		return extensions_of(value, 3);
	default:
		return value;
	}
}

static struct value change_value(struct value value, enum change change)
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
	default:
		return change_more(value, change);
	}
}

static void append_value(struct text *out, const struct value *value, enum change change,
	template_quote_fn quote)
{
	struct value changed = change_value(*value, change);

	if (quote)
		quote(out, changed.bytes, changed.length);
	else
		text_append(out, changed.bytes, changed.length);
}

static void append_values(struct text *out, const struct template_values *values,
	enum change change, template_quote_fn quote)
{
	for (size_t index = 0; index < values->all_count; index++) {
		if (index)
			text_append(out, " ", 1);
		append_value(out, &values->all[index], change, quote);
	}
}

static void append_one(struct text *out, const struct template_values *values,
	const struct part *part, template_quote_fn quote)
{
	ptrdiff_t count = (ptrdiff_t)values->count;
	ptrdiff_t index =
		part->position > 0 ? part->position - 1 : count + part->position;

	if (index >= 0 && index < count)
		append_value(out, &values->values[index], part->change, quote);
}

// snprintf(3) would take most of the time of an expansion.
static void append_number(struct text *out, uint64_t number)
{
	char digits[20], *first = digits + sizeof digits;

	do
		*--first = (char)('0' + number % 10);
	while (number /= 10);
	text_append(out, first, (size_t)(digits + sizeof digits - first));
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
			append_one(out, values, part, quote);
			break;
		case SEQUENCE:
			append_number(out, values->sequence);
			break;
		case SLOT:
			append_number(out, values->slot);
			break;
		}
	}
}

// An equals sign would make an assignment of what was to be a command's name.
static bool is_bare(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '+' && c <= ':') || c == '_' || c == '@' || c == '%';
}

void template_quote_shell(struct text *out, const char *bytes, size_t length)
{
	const char *end = length ? bytes + length : bytes, *quote;
	size_t bare = 0;

	while (bare < length && is_bare(bytes[bare]))
		bare++;
	if (length && bare == length) {
		text_append(out, bytes, length);
		return;
	}
	text_append(out, "'", 1);
	while (length && (quote = memchr(bytes, '\'', (size_t)(end - bytes)))) {
		text_append(out, bytes, (size_t)(quote - bytes));
		text_append(out, "'\\''", 4);
		bytes = quote + 1;
	}
	text_append(out, bytes, (size_t)(end - bytes));
	text_append(out, "'", 1);
}
