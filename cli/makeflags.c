#include "makeflags.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define BLANKS " \t"

/* A word as it is written, with its backslashes. */
struct word {
	const char *bytes;
	size_t length;
};

// The word at *at or behind; false where there is none, or "--" says that variables
// follow: then *at is there.
static bool next_word(const char **at, struct word *word)
{
	const char *start = *at + strspn(*at, BLANKS), *end = start;

	while (*end && !strchr(BLANKS, *end))
		end += *end == '\\' && end[1] ? 2 : 1;
	*word = (struct word){start, (size_t)(end - start)};
	*at = start;
	if (!word->length || (word->length == 2 && strncmp(start, "--", 2) == 0))
		return false;
	*at = end;
	return true;
}

// What stands behind `prefix` in a word that begins with it, NULL: it does not.
static const char *behind(const struct word *word, const char *prefix)
{
	size_t length = strlen(prefix);

	if (word->length < length || strncmp(word->bytes, prefix, length) != 0)
		return NULL;
	return word->bytes + length;
}

static const char *behind_jobserver(const struct word *word)
{
	const char *value = behind(word, "--jobserver-auth=");

	return value ? value : behind(word, "--jobserver-fds="); // make before 4.2
}

// make's quoting: a backslash before a character, a second dollar behind one.
static void unquote(struct text *text, const char *bytes, const char *end)
{
	for (; bytes < end; bytes++) {
		if (bytes + 1 < end &&
			(*bytes == '\\' || (*bytes == '$' && bytes[1] == '$')))
			bytes++;
		text_append(text, bytes, 1);
	}
}

static void append_quoted(struct text *text, const char *bytes)
{
	for (; *bytes; bytes++) {
		if (strchr(BLANKS "\\", *bytes))
			text_append(text, "\\", 1);
		else if (*bytes == '$')
			text_append(text, "$", 1);
		text_append(text, bytes, 1);
	}
}

// A descriptor's number from `at` to `end` or a comma. Returns what is behind, NULL: it
// is none.
static const char *parse_fd(const char *at, const char *end, int *fd)
{
	long number = 0;

	if (at == end || *at == ',')
		return NULL;
	for (; at < end && *at != ','; at++) {
		if (*at < '0' || *at > '9' || number > INT_MAX / 10 - 1)
			return NULL;
		number = number * 10 + (*at - '0');
	}
	*fd = (int)number;
	return at;
}

static void parse_jobserver(struct makeflags *flags, const char *at, const char *end)
{
	flags->style = JOBSERVER_UNCLEAR;
	flags->path.length = 0;
	if (end - at > 5 && strncmp(at, "fifo:", 5) == 0) {
		unquote(&flags->path, at + 5, end);
		if (!flags->path.failed)
			flags->style = JOBSERVER_FIFO;
		return;
	}
	at = parse_fd(at, end, &flags->read_fd);
	if (at && at < end && parse_fd(at + 1, end, &flags->write_fd) == end)
		flags->style = JOBSERVER_PIPE;
}

// The jobserver's options also begin with --jobs.
static bool is_jobs(const struct word *word)
{
	return behind(word, "-j") || behind(word, "--jobs");
}

// As make writes it: -jN.
static void parse_jobs(struct makeflags *flags, const struct word *word)
{
	const char *at = behind(word, "-j");
	char *end;
	unsigned long jobs;

	if (!at)
		return;
	errno = 0;
	jobs = strtoul(at, &end, 10);
	if (end == word->bytes + word->length && !errno && jobs <= INT_MAX)
		flags->jobs = (unsigned)jobs;
}

void makeflags_parse(struct makeflags *flags, const char *value)
{
	struct word word;

	*flags = (struct makeflags){.style = JOBSERVER_NONE};
	while (value && next_word(&value, &word)) {
		const char *jobserver = behind_jobserver(&word);

		if (jobserver)
			parse_jobserver(flags, jobserver, word.bytes + word.length);
		else
			parse_jobs(flags, &word);
	}
}

void makeflags_finish(struct makeflags *flags)
{
	text_finish(&flags->path);
}

void makeflags_append(
	struct text *text, const char *before, unsigned jobs, const char *where)
{
	struct word word;
	const char *separator = "";

	text_format(text, "MAKEFLAGS=");
	while (before && next_word(&before, &word))
		if (!is_jobs(&word)) {
			text_append(text, separator, strlen(separator));
			text_append(text, word.bytes, word.length);
			separator = " ";
		}
	text_format(text, " -j%u --jobserver-auth=", jobs);
	append_quoted(text, where);
	if (before && *before)
		text_format(text, " %s", before);
}
