/*
 * Fuzz target: the page of --timeline. The input is runs, attempts and unrun tasks. The
 * judge finds the data in the page as a browser does, has jansson read it, and compares
 * it row by row; the page around it is the same each time.
 */
#include "fuzz.h"

#include "report/timeline.h"

#include <jansson.h>

#define LINES_MOST 8
#define ROWS_BEGIN "<script type=\"application/json\" id=\"rows\">"

enum kind { RUN, ATTEMPT, UNRUN };

struct line {
	enum kind kind;
	struct text words, command;
	uint64_t number;
};

static struct line lines[LINES_MOST];
static size_t line_count;

/* ---- what is told ---- */

static void take_lines(struct bytes *bytes)
{
	for (line_count = 0; line_count < LINES_MOST && bytes_left(bytes); line_count++) {
		struct line *line = &lines[line_count];

		line->kind = line_count ? (enum kind)(take(bytes) % 3) : RUN;
		line->words = take_until(bytes, 0);
		line->command = take_until(bytes, 1);
		text_append(&line->words, "", 0);
		line->number = take_number(bytes) & INT64_MAX;
	}
}

static void tell(struct timeline *timeline, const struct line *line)
{
	const struct timeline_run run = {.command = line->words.bytes,
		.version = line->words.bytes,
		.started_us = (int64_t)(line->number >> 2),
		.elapsed_ns = (int64_t)line->number,
		.slots = 3};
	const struct timeline_attempt attempt = {.task = line->number,
		.number = 1,
		.outcome = "ok",
		.reason = line->words.bytes,
		.started_us = (int64_t)(line->number >> 2),
		.elapsed_ns = -1,
		.bytes = -1,
		.command = &line->command};

	if (line->kind == RUN)
		timeline_add_run(timeline, &run);
	else if (line->kind == ATTEMPT)
		timeline_add_attempt(timeline, &attempt);
	else
		timeline_add_unrun(
			timeline, line->number, line->words.bytes, &line->command);
}

static struct text draw(void)
{
	char path[PATH_BYTES];
	int fd = make_file(path, "", 0);
	const struct plan plan = {.timeline = path, .mode = OUTPUT_GROUP};
	struct account account = {0};
	struct timeline_end end = {.account = &account, .elapsed_ns = 1, .status = 0};
	struct timeline *timeline;

	CHECK(timeline_open(&timeline, &plan) == 0);
	for (size_t index = 0; index < line_count; index++)
		tell(timeline, &lines[index]);
	CHECK(timeline_close(timeline, &end, -1) == 0);
	return read_file(fd);
}

/* ---- what is in the page ---- */

// No longer than the page has it, by whole characters.
static struct text shown_command(const struct text *command)
{
	size_t length = command->length;
	struct text text;

	if (length > TIMELINE_COMMAND_BYTES)
		length = TIMELINE_COMMAND_BYTES;
	while (length < command->length && length > TIMELINE_COMMAND_BYTES - 4 &&
		((unsigned char)command->bytes[length] & 0xC0) == 0x80)
		length--;
	text = as_utf8(command->bytes, length);
	text_append(&text, "…", length < command->length ? strlen("…") : 0);
	return text;
}

static void check_string(const json_t *json, const struct text *wanted)
{
	struct text found = {0};

	CHECK(json_is_string(json));
	text_append(&found, json_string_value(json), json_string_length(json));
	CHECK_SAME(&found, wanted);
	text_finish(&found);
}

static void check_line(const json_t *json, const struct line *line)
{
	struct text words = as_utf8(line->words.bytes, line->words.length);
	struct text command = shown_command(&line->command);

	if (line->kind == RUN) {
		check_string(json_object_get(json, "command"), &words);
		check_string(json_object_get(json, "version"), &words);
	} else {
		size_t last = json_array_size(json) - 1;

		CHECK(last == (line->kind == ATTEMPT ? 11U : 2U));
		CHECK((uint64_t)json_integer_value(json_array_get(json, 0)) ==
			line->number);
		check_string(json_array_get(json, last), &command);
		check_string(json_array_get(json, last - 1), &words);
	}
	text_finish(&words);
	text_finish(&command);
}

static void check_page(const struct text *page)
{
	static struct text frame;
	const char *begin = strstr(page->bytes, ROWS_BEGIN);
	const char *end = begin ? strchr(begin + 1, '<') : NULL;
	struct text rest = {0};
	json_t *json;

	CHECK(end && strlen(page->bytes) == page->length);
	CHECK(strncmp(end, "</script>", 9) == 0);
	begin += strlen(ROWS_BEGIN);
	json = json_loadb(begin, (size_t)(end - begin),
		JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	CHECK(json_array_size(json) == line_count + 1);
	for (size_t index = 0; index < line_count; index++)
		check_line(json_array_get(json, index), &lines[index]);
	json_decref(json);
	text_append(&rest, page->bytes, (size_t)(begin - page->bytes));
	text_append(&rest, end, strlen(end));
	if (!frame.length)
		text_append(&frame, rest.bytes, rest.length);
	CHECK_SAME(&frame, &rest);
	text_finish(&rest);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes bytes = bytes_of(data, size);
	struct text page;

	take_lines(&bytes);
	page = draw();
	check_page(&page);
	text_finish(&page);
	while (line_count) {
		text_finish(&lines[--line_count].words);
		text_finish(&lines[line_count].command);
	}
	return 0;
}
