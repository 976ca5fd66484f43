/*
 * Fuzz target: JUnit's report. The input is a command, and attempts with what they wrote.
 * The judge is an XML reader of its own, stricter than most: of the elements that the
 * report has, with each text and attribute decoded and compared, and the counts.
 */
#include "fuzz.h"

#include "plain.h"
#include "report/junit.h"

#include <ctype.h>

#define TASKS_MOST 4

enum { CASES, FAILURES, ERRORS, SKIPPED, COUNTS };

static const char *const counted[COUNTS] = {"testcase", "failure", "error", "skipped"};

/* What the report must tell. */
struct wanted {
	struct text streams; //< all texts of system-out and system-err, in a row
	unsigned tasks;
};

/* ---- what is told ---- */

// As it is to be read: without what XML does not have.
static void append_readable(struct text *wanted, const struct text *stream)
{
	struct text plain = {0}, utf8;

	plain_append(&plain, stream->bytes, stream->length);
	utf8 = as_utf8(plain.bytes, plain.length);
	for (size_t at = 0; at < utf8.length; at++) {
		unsigned char c = (unsigned char)utf8.bytes[at];

		if (c < 0x20 && !strchr("\t\n\r", c))
			text_format(wanted, "^%c", c + 64);
		else if (!c)
			text_format(wanted, "^@");
		else if (at + 2 < utf8.length && c == 0xEF &&
			 (unsigned char)utf8.bytes[at + 1] == 0xBF &&
			 (unsigned char)utf8.bytes[at + 2] >= 0xBE) {
			text_format(wanted, UTF8_REPLACEMENT);
			at += 2;
		} else
			text_append(wanted, utf8.bytes + at, 1);
	}
	text_finish(&plain);
	text_finish(&utf8);
}

static void tell_attempt(struct junit *junit, const struct recipe *recipe,
	struct task *task, struct bytes *bytes, struct wanted *wanted)
{
	struct leat_outcome outcome = {
		.end = (enum leat_end)(take(bytes) % 3), .code = 1};
	struct text reason = {0}, out = take_until(bytes, 1), err = take_until(bytes, 1);
	struct junit_attempt attempt = {
		.outcome = &outcome, .reason = &reason, .out = out, .err = err};

	text_format(&reason, "exit 1 <&\">\33");
	outcome.out_bytes = out.length;
	outcome.err_bytes = err.length;
	outcome.elapsed_ns = (int64_t)take(bytes) << 28;
	task->end = account_classify(&outcome);
	task->attempt = 1;
	junit_attempt_ended(junit, recipe, task, &attempt);
	append_readable(&wanted->streams, &out);
	append_readable(&wanted->streams, &err);
	text_finish(&reason);
	text_finish(&out);
	text_finish(&err);
}

static void tell_task(struct junit *junit, const struct recipe *recipe,
	struct bytes *bytes, struct wanted *wanted)
{
	struct task *task = calloc(1, sizeof *task + sizeof *task->values);
	unsigned kind = take(bytes);
	struct text value = take_until(bytes, 1);

	task->sequence = ++wanted->tasks;
	task->count = 1;
	task->values[0] = (struct value){
		value.bytes ? value.bytes : "", (uint32_t)value.length, true};
	task->end = TASK_UNRUN;
	task->again = kind & 4; // to be tried again, which does not come about
	if (kind & 3)
		tell_attempt(junit, recipe, task, bytes, wanted);
	junit_task_ended(junit, recipe, task, kind & 8 ? "a & b\1" : NULL);
	CHECK(task->in_report);
	text_finish(&value);
	free(task);
}

static struct text write_report(struct bytes *bytes, struct wanted *wanted)
{
	const char *words[] = {"x {}"};
	char path[PATH_BYTES];
	int fd = make_file(path, "", 0);
	struct plan plan = {.junit = path,
		.command = COMMAND_SENTENCE,
		.words = words,
		.word_count = 1,
		.retries = 1};
	struct recipe *recipe;
	struct junit *junit;

	CHECK(recipe_create(&recipe, &plan, NULL, 0) == 0);
	CHECK(junit_open(&junit, &plan, "/tmp") == 0);
	while (bytes_left(bytes) && wanted->tasks < TASKS_MOST)
		tell_task(junit, recipe, bytes, wanted);
	CHECK(junit_close(junit, INT64_MAX, -1) == 0);
	recipe_destroy(recipe);
	return read_file(fd);
}

/* ---- what is read back ---- */

struct reader {
	const char *at;
	unsigned counts[COUNTS], told[COUNTS];
	struct text streams;
	bool in_stream;
};

// A character that XML 1.0 has (2.2), as it stands there or by reference.
static void read_character(struct reader *reader, struct text *text)
{
	static const struct {
		const char *reference, *character;
	} references[] = {{"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""},
		{"&#13;", "\r"}, {"&#10;", "\n"}, {"&#9;", "\t"}};
	const char *at = reader->at;
	size_t size = utf8_length(at, strlen(at));

	for (size_t index = 0; *at == '&' && index < 7; index++) {
		const char *reference = references[index].reference;

		if (strncmp(at, reference, strlen(reference)) == 0) {
			text_append(text, references[index].character, 1);
			reader->at += strlen(reference);
			return;
		}
	}
	CHECK(size && !strchr("&<>", *at));
	CHECK((unsigned char)*at >= 0x20 || *at == '\t' || *at == '\n');
	CHECK(strncmp(at, "\xEF\xBF\xBE", 3) != 0 && strncmp(at, "\xEF\xBF\xBF", 3) != 0);
	text_append(text, at, size);
	reader->at += size;
}

static bool pass(struct reader *reader, const char *what)
{
	bool there = strncmp(reader->at, what, strlen(what)) == 0;

	reader->at += there ? strlen(what) : 0;
	return there;
}

static void read_name(struct reader *reader, char *name)
{
	size_t length = strspn(reader->at, "abcdefghijklmnopqrstuvwxyz-");

	CHECK(length && length < 32);
	memcpy(name, reader->at, length);
	name[length] = '\0';
	reader->at += length;
}

// Up to the end of the tag.
static void read_attributes(struct reader *reader)
{
	static const char *const names[COUNTS] = {
		"tests", "failures", "errors", "skipped"};
	char name[32];

	while (pass(reader, " ") || pass(reader, "\n")) {
		struct text value = {0};

		if (!islower((unsigned char)*reader->at))
			continue;
		read_name(reader, name);
		CHECK(pass(reader, "=\""));
		while (!pass(reader, "\"")) {
			CHECK(!strchr("\n\t", *reader->at));
			read_character(reader, &value);
		}
		for (int index = 0; index < COUNTS; index++)
			if (strcmp(name, names[index]) == 0)
				reader->told[index] = (unsigned)atoi(value.bytes);
		text_finish(&value);
	}
	CHECK(pass(reader, ">"));
}

static void count_element(struct reader *reader, const char *name)
{
	for (int index = 0; index < COUNTS; index++)
		reader->counts[index] += strcmp(name, counted[index]) == 0;
	reader->in_stream = strncmp(name, "system-", 7) == 0;
}

static void read_element(struct reader *reader, int depth)
{
	char name[32], end[40];
	struct text other = {0};

	CHECK(depth < 6 && pass(reader, "<"));
	read_name(reader, name);
	read_attributes(reader);
	count_element(reader, name);
	snprintf(end, sizeof end, "</%s>", name);
	while (!pass(reader, end)) {
		if (*reader->at == '<')
			read_element(reader, depth + 1);
		else
			read_character(
				reader, reader->in_stream ? &reader->streams : &other);
	}
	reader->in_stream = false;
	text_finish(&other);
}

static void check_report(const struct text *report, const struct wanted *wanted)
{
	struct reader reader = {.at = report->bytes};

	CHECK(strlen(report->bytes) == report->length);
	CHECK(pass(&reader, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"));
	read_element(&reader, 0);
	CHECK(pass(&reader, "\n") && !*reader.at);
	CHECK(reader.counts[CASES] == wanted->tasks);
	for (int index = 0; index < COUNTS; index++)
		CHECK(reader.counts[index] == reader.told[index]);
	CHECK_SAME(&reader.streams, &wanted->streams);
	text_finish(&reader.streams);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes bytes = bytes_of(data, size);
	struct wanted wanted = {0};
	struct text report = write_report(&bytes, &wanted);

	check_report(&report, &wanted);
	text_finish(&report);
	text_finish(&wanted.streams);
	return 0;
}
