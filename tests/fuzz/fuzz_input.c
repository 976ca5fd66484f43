/*
 * Fuzz target: input cut into records. The input is how to cut, and two sources; what
 * read(2) brings each time varies, and now and then it is interrupted, or brings nothing.
 * The judge of records that a delimiter ends is another way to get them, from the whole
 * at once. Of quoted text it is that it does not matter how it is read; what it means is
 * fuzz_xargs.c's.
 */
#include "fuzz.h"

#include "input.h"

#include <errno.h>

#define SOURCES 2
#define LONG_BYTES 70000 // so that the buffer is too small for it

static struct leat_context *context;
static uint32_t dice;
static unsigned piece_most; // of a read(2); 0: as much as there is

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	CHECK(leat_context_create(&context, NULL, LEAT_NEVER) == 0);
	return 0;
}

static unsigned roll(unsigned sides)
{
	dice = dice * 1664525U + 1013904223U;
	return (dice >> 8) % sides;
}

static ssize_t read_piece(int fd, void *buffer, size_t size)
{
	size_t most = piece_most ? 1 + roll(piece_most) : size;

	if (piece_most && !roll(8)) {
		errno = roll(2) ? EINTR : EAGAIN;
		return -1;
	}
	return __real_read(fd, buffer, size < most ? size : most);
}

/* ---- what leat finds ---- */

static void add_record(struct text *records, const char *bytes, size_t length)
{
	text_append(records, bytes, length);
	text_append(records, "\0|", 2);
}

// All that is handed out, in a row.
static void cut(const struct splitting *splitting, const struct text *sources,
	struct text *records)
{
	const char *names[SOURCES];
	char paths[SOURCES][PATH_BYTES];
	int fds[SOURCES], got;
	struct patience patience = {context, LEAT_NEVER};
	struct record record;
	struct input *input;

	for (int index = 0; index < SOURCES; index++) {
		fds[index] = make_file(
			paths[index], sources[index].bytes, sources[index].length);
		names[index] = paths[index];
	}
	CHECK(input_open(&input, splitting, names, SOURCES) == 0);
	read_hook = read_piece;
	while ((got = input_next(input, patience, &record)) > 0) {
		add_record(records, record.bytes, record.length);
		text_append(records, record.ends_line ? "." : " ", 1);
	}
	read_hook = NULL;
	text_format(records, "%d\n%s", got, said.bytes ? said.bytes : "");
	input_close(input);
	forget_said();
	for (int index = 0; index < SOURCES; index++)
		close(fds[index]);
}

/* ---- what there is to be found ---- */

// Without the ends of lines that go on in the next.
static struct text join_lines(
	const struct text *source, const struct splitting *splitting)
{
	struct text joined = {0};
	bool is_blank = false; // what stands before, in the same record

	for (size_t at = 0; at < source->length; at++) {
		char c = source->bytes[at];

		if (c != splitting->delimiter) {
			text_append(&joined, &c, 1);
			is_blank = splitting->blank_continues && (c == ' ' || c == '\t');
		} else if (!is_blank) {
			text_append(&joined, &c, 1);
		}
	}
	return joined;
}

static size_t count_blanks(const struct text *record, const char *blanks)
{
	size_t count = 0;

	while (count < record->length && strchr(blanks, record->bytes[count]) &&
		record->bytes[count])
		count++;
	return count;
}

// False: it is none after all; *over: nor is anything behind it.
static bool trim(
	struct text *record, const struct splitting *splitting, bool first, bool *over)
{
	const char *end = splitting->end_record;

	if (splitting->cuts_at_nul)
		record->length = strnlen(record->bytes, record->length);
	if (splitting->commands) {
		if (first && record->length >= 3 &&
			strncmp(record->bytes, "\xEF\xBB\xBF", 3) == 0) {
			record->length -= 3;
			record->bytes += 3;
		}
		record->length -=
			record->length > 0 && record->bytes[record->length - 1] == '\r';
		size_t blanks = count_blanks(record, " \t\r");

		return blanks < record->length && record->bytes[blanks] != '#';
	}
	if (!record->length && splitting->skips_empty)
		return false;
	if (splitting->skips_blank && count_blanks(record, " \t") == record->length)
		return false;
	*over = end && strlen(end) == record->length &&
		strncmp(record->bytes, end, record->length) == 0;
	return !*over;
}

static void find(const struct splitting *splitting, const struct text *source,
	struct text *records, bool *over)
{
	struct text joined = join_lines(source, splitting);
	bool first = true;

	for (size_t at = 0; at < joined.length && !*over; first = false) {
		struct text record = {.bytes = joined.bytes + at};

		while (at < joined.length && joined.bytes[at] != splitting->delimiter)
			at++;
		record.length = (size_t)(joined.bytes + at - record.bytes);
		at++;
		if (trim(&record, splitting, first, over)) {
			add_record(records, record.bytes, record.length);
			text_append(records, ".", 1);
		}
	}
	text_finish(&joined);
}

/* ---- the input ---- */

static struct splitting take_splitting(struct bytes *bytes)
{
	unsigned flags = take(bytes), more = take(bytes);

	return (struct splitting){
		.delimiter = "\n\0,\t"[flags & 3],
		.kind = more % 3 == 0   ? SPLIT_WORDS
			: more % 3 == 1 ? SPLIT_LINES
					: SPLIT_DELIMITER,
		.commands = flags & 4,
		.skips_empty = flags & 8,
		.skips_blank = flags & 16,
		.blank_continues = flags & 32,
		.cuts_at_nul = flags & 64,
		.end_record = flags & 128 ? "E" : NULL,
		.longest = more & 16 ? 0 : 1000,
	};
}

// Seldom, as it takes its time: of what comes of such an input most is not.
static bool is_repeated(const struct text *once)
{
	unsigned sum = 0;

	for (size_t at = 0; at < once->length; at++)
		sum += (unsigned char)once->bytes[at];
	return once->length > 2 && once->length < 20 && sum % 16 == 0 &&
	       strncmp(once->bytes, "\2\2", 2) == 0;
}

// Up to the byte \1; now and then many times the same.
static struct text take_source(struct bytes *bytes)
{
	struct text once = take_until(bytes, 1), text = {0};
	bool many = is_repeated(&once);

	for (size_t times = many ? LONG_BYTES / once.length : 1; times; times--)
		text_append(&text, once.bytes, once.length);
	text_finish(&once);
	return text;
}

static void check_found(const struct splitting *splitting, const struct text *sources,
	const struct text *records)
{
	struct text found = {0};
	bool over = false;

	for (int index = 0; index < SOURCES && !over; index++)
		find(splitting, &sources[index], &found, &over);
	text_format(&found, "0\n");
	CHECK_SAME(&found, records);
	text_finish(&found);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes bytes = bytes_of(data, size);
	struct splitting splitting = take_splitting(&bytes);
	struct text sources[SOURCES], whole = {0}, pieces = {0};
	unsigned most = take(&bytes);

	for (int index = 0; index < SOURCES; index++)
		sources[index] = take_source(&bytes);
	piece_most = 0;
	cut(&splitting, sources, &whole);
	dice = most;
	piece_most = sources[0].length + sources[1].length > 4096 ? 65536 : 1 + most % 16;
	cut(&splitting, sources, &pieces);
	CHECK_SAME(&whole, &pieces);
	if (splitting.kind == SPLIT_DELIMITER)
		check_found(&splitting, sources, &whole);
	for (int index = 0; index < SOURCES; index++)
		text_finish(&sources[index]);
	text_finish(&whole);
	text_finish(&pieces);
	return 0;
}
