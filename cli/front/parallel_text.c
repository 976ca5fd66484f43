#include "front/parallel_text.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

static bool is_bare(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || (c && strchr("-_.+/", c));
}

// As GNU parallel writes it: each quote as '"'"', and no empty pair at either end.
void parallel_quote(struct text *out, const char *bytes, size_t length)
{
	bool open = false;
	size_t bare = 0;

	while (bare < length && is_bare(bytes[bare]))
		bare++;
	if (bare == length) {
		text_append(out, length ? bytes : "''", length ? length : 2);
		return;
	}
	for (size_t index = 0; index < length; index++) {
		bool is_quote = bytes[index] == '\'';

		// Between two quotes GNU parallel leaves an empty pair.
		if (open == is_quote || (is_quote && index && bytes[index - 1] == '\''))
			text_append(out, open == is_quote ? "'" : "''",
				open == is_quote ? 1 : 2);
		open = !is_quote;
		text_append(out, is_quote ? "\"'\"" : bytes + index, is_quote ? 3 : 1);
	}
	if (open)
		text_append(out, "'", 1);
}

// Whether regcomp(3) takes it, and as Perl would.
static bool is_expression(const char *text)
{
	static const char *const others[] = {"(?", "+?", "*?", "??", "}?", "++", "*+",
		"\\x", "\\h", "\\K", "\\p", "[[0-9]"};
	regex_t pattern;

	for (size_t index = 0; index < sizeof others / sizeof *others; index++)
		if (strstr(text, others[index]))
			return false;
	if (regcomp(&pattern, text, REG_EXTENDED | REG_NOSUB) != 0)
		return false;
	regfree(&pattern);
	return true;
}

// The usual classes are spelled as regcomp(3) of the GNU C library takes them.
char *parallel_pattern(const char *expression)
{
	static const char *const classes[][2] = {
		{"\\t", "\t"}, {"\\n", "\n"}, {"\\d", "[0-9]"}, {"\\D", "[^0-9]"}};
	struct text pattern = {0};

	while (*expression) {
		const char *bytes = expression;
		size_t taken = *expression == '\\' && expression[1] ? 2 : 1;
		size_t length = taken;

		for (size_t index = 0; index < 4; index++)
			if (strncmp(expression, classes[index][0], 2) == 0) {
				bytes = classes[index][1];
				length = strlen(bytes);
			}
		text_append(&pattern, bytes, length);
		expression += taken;
	}
	if (pattern.bytes && !pattern.failed && is_expression(pattern.bytes))
		return pattern.bytes;
	text_finish(&pattern);
	return NULL;
}

// What stands in braces, `length` bytes up to the closing one.
static bool takes_expression(const char *at, size_t length)
{
	if (!at[1] || length <= 2)
		return false;
	if (strchr(":%^,#", at[1]))
		return true;
	return at[1] == '/' && at[2] != '/' && memchr(at + 2, '/', length - 2);
}

const char *parallel_find_perl(const char *text, bool plus, size_t *length)
{
	for (const char *at = text; (at = strchr(at, '{')); at++) {
		*length = strcspn(at, "}");
		if (at[1] == '=' || (plus && takes_expression(at, *length))) {
			*length += at[*length] == '}';
			return at;
		}
	}
	return NULL;
}
