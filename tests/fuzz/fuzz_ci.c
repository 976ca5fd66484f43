/*
 * Fuzz target: what CI services are told. The input is a service, a command, what its
 * task wrote, and a line of leat's own. The judge reads the log as the service's runner
 * does, and finds the commands that leat gave, with their texts, and no other.
 */
#include "fuzz.h"

#include "guard.h"
#include "report/ci.h"

#include <ctype.h>

static struct ci ci;

/* What is in the log, and which commands of leat's. */
struct log {
	struct text text;
	struct text commands; //< "name|data\n"
};

/* ---- what the runners read ---- */

// https://github.com/actions/runner, ActionCommand.cs: white space of Unicode goes first.
static size_t skip_blanks(const char *line, const char *end)
{
	static const char *const blanks[] = {"\xC2\x85", "\xC2\xA0", "\xE1\x9A\x80",
		"\xE2\x80\xA8", "\xE2\x80\xA9", "\xE2\x80\xAF", "\xE2\x81\x9F",
		"\xE3\x80\x80"};
	const char *at = line;

	while (at < end) {
		size_t size = strchr(" \t\v\f", *at) && *at ? 1 : 0;

		for (size_t index = 0; index < sizeof blanks / sizeof *blanks; index++)
			if (strncmp(at, blanks[index], strlen(blanks[index])) == 0)
				size = strlen(blanks[index]);
		if (strncmp(at, "\xE2\x80", 2) == 0 &&
			is_in((unsigned char)at[2], 0x80, 0x8A))
			size = 3;
		if (!size)
			break;
		at += size;
	}
	return (size_t)(at - line);
}

static void append_unescaped(struct text *text, const char *at, const char *end)
{
	static const struct {
		const char *escape, *character;
	} all[] = {
		{"%25", "%"}, {"%0D", "\r"}, {"%0A", "\n"}, {"%3A", ":"}, {"%2C", ","}};

	while (at < end) {
		const char *character = at;
		size_t size = 1;

		for (size_t index = 0; index < 5; index++)
			if (strncmp(at, all[index].escape, 3) == 0) {
				character = all[index].character;
				size = 3;
			}
		text_append(text, character, 1);
		at += size;
	}
}

// Where the name ends of the command that a line is from `at` on; NULL: it is none.
static const char *find_data(const char *at, const char *end)
{
	if (end - at < 4 || strncmp(at, "::", 2) != 0)
		return NULL;
	return memmem(at + 2, (size_t)(end - at - 2), "::", 2);
}

// One line of GitHub's. Returns whether commands are heeded behind it. The older form of
// them, anywhere in a line, is looked for in what has not the newer one.
static bool read_line(const char *line, const char *end, bool heeds, struct text *found)
{
	const char *at = line + skip_blanks(line, end);
	const char *data = find_data(at, end);
	bool is_resume = data && data - at == 34 && strncmp(at + 2, ci.token, 32) == 0;

	CHECK(!heeds || data || !memmem(line, (size_t)(end - line), "##[", 3));
	if (!data || (!heeds && !is_resume))
		return heeds;
	append_unescaped(found, at + 2, data);
	text_append(found, "|", 1);
	append_unescaped(found, data + 2, end);
	text_append(found, "\n", 1);
	return is_resume || strncmp(at, "::stop-commands::", 17) != 0;
}

static void check_github(const struct log *log)
{
	const char *at = log->text.bytes, *end = at + log->text.length;
	struct text found = {0};
	bool heeds = true;

	while (at < end) {
		const char *stop = at;

		while (stop < end && *stop != '\n' && *stop != '\r')
			stop++;
		heeds = read_line(at, stop, heeds, &found);
		at = stop + 1;
	}
	CHECK(heeds);
	CHECK_SAME(&found, &log->commands);
	text_finish(&found);
}

// Azure's agent looks for them anywhere in a line, whatever their case.
static void check_azure(const struct log *log)
{
	size_t found = 0, wanted = 0;

	for (size_t at = 0; at + 6 <= log->text.length; at++)
		found += strncasecmp(log->text.bytes + at, "##vso[", 6) == 0;
	for (size_t at = 0; at < log->commands.length; at++)
		wanted += log->commands.bytes[at] == '\n';
	CHECK(found == wanted);
}

/* ---- what leat writes ---- */

static void want(struct log *log, const char *name, const char *data, size_t length)
{
	if (ci.service != CI_GITHUB)
		return;
	text_format(&log->commands, "%s|", name);
	text_append(&log->commands, data, length);
	text_append(&log->commands, "\n", 1);
}

// What the task wrote, in pieces; its last line has an end by now.
static void add_output(struct log *log, const struct text *output, unsigned piece)
{
	unsigned matched = 0;

	for (size_t at = 0; at < output->length; at += piece) {
		size_t left = output->length - at, size = left < piece ? left : piece;

		if (ci_guards_output(&ci))
			guard_append(&log->text, output->bytes + at, size, &matched);
		else
			text_append(&log->text, output->bytes + at, size);
	}
	if (output->length && output->bytes[output->length - 1] != '\n')
		text_append(&log->text, "\n", 1);
}

static void check_head(const struct log *log, const struct text *title)
{
	const char *newline = memchr(log->text.bytes, '\n', log->text.length);
	size_t line = newline ? (size_t)(newline - log->text.bytes) : 0;

	if (ci.service != CI_GITLAB)
		return;
	CHECK(line + 1 == log->text.length && line > title->length);
	CHECK(memcmp(newline - title->length, title->bytes, title->length) == 0);
	for (size_t at = 0; at < title->length; at++)
		CHECK(!iscntrl((unsigned char)title->bytes[at]));
}

static void add_task(struct log *log, const struct ci_group *group,
	const struct text *output, unsigned piece)
{
	bool has_group = ci.has_groups && !group->failed;

	ci_append_begin(&ci, group, &log->text);
	check_head(log, group->title);
	add_output(log, output, piece);
	ci_append_end(&ci, group, &log->text);
	if (has_group)
		want(log, "group", group->title->bytes, group->title->length);
	else
		want(log, "debug", "", 0);
	want(log, "stop-commands", ci.token, 32);
	want(log, ci.token, "", 0);
	if (has_group)
		want(log, "endgroup", "", 0);
}

static void add_error(struct log *log, const struct text *words)
{
	ci_append_error(&ci, "task 1: a,b", words, &log->text);
	want(log, "error title=task 1: a,b", words->bytes, words->length);
	if (ci.service == CI_AZURE)
		text_format(&log->commands, "logissue\n");
}

static void add_line(struct log *log, struct text *line)
{
	size_t before = log->text.length;

	text_append(line, "\n", 1);
	ci_guard(&ci, line);
	text_append(&log->text, line->bytes, line->length);
	if (ci.service != CI_GITHUB ||
		strncmp(log->text.bytes + before, "::debug::\n", 10) != 0)
		return;
	want(log, "debug", "", 0);
	want(log, "stop-commands", ci.token, 32);
	want(log, ci.token, "", 0);
}

// Another one each time, so that it can't be learned.
static void take_ci(unsigned flags)
{
	static uint64_t count;

	ci = (struct ci){
		.service = (enum ci_service[]){CI_GITHUB, CI_AZURE, CI_GITLAB}[flags % 3],
		.has_log = true,
		.has_groups = flags & 4,
		.has_frames = true};
	count++;
	snprintf(ci.token, sizeof ci.token, "%016llx%016llx",
		(unsigned long long)(count * 0x9E3779B97F4A7C15U),
		(unsigned long long)(count * 0xC2B2AE3D27D4EB4FU));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes bytes = bytes_of(data, size);
	unsigned flags = take(&bytes), piece = 1 + take(&bytes) % 8;
	struct text command = take_until(&bytes, 1), output = take_until(&bytes, 1),
		    line = take_until(&bytes, 1), title = {0};
	struct ci_group group = {.sequence = 1, .title = &title, .failed = flags & 8};
	struct log log = {0};

	take_ci(flags);
	text_append_shown(&title, command.bytes, command.length, 200);
	text_format(&title, " (1s)");
	add_task(&log, &group, &output, piece);
	if (group.failed)
		add_error(&log, &output);
	add_line(&log, &line);
	if (ci.service == CI_GITHUB)
		check_github(&log);
	if (ci.service == CI_AZURE)
		check_azure(&log);
	text_finish(&command);
	text_finish(&output);
	text_finish(&line);
	text_finish(&title);
	text_finish(&log.text);
	text_finish(&log.commands);
	return 0;
}
