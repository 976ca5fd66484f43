/*
 * Sources that go in step form a group; the rows are the product of the groups, the last
 * of which turns fastest. What is gone through more than once is kept in memory: every
 * source but a first one that is a group of its own. That one streams.
 */
#include "rows.h"

#include "columns.h"
#include "message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* One source while it is read. */
struct stream {
	const struct source *source;
	struct input *input; //< NULL: words
	size_t words;        //< of those, how many were taken
	const struct splitting *splitting;
	bool kept;         //< its records are kept in `list`
	bool complete;     //< all of them are
	struct text bytes; //< of kept records
	struct list {
		size_t offset, length;
	} * list;
	size_t count, capacity;
};

struct group {
	struct stream *first, *end;
	size_t length, index; //< length: unknown (0) for one that streams
};

struct rows {
	const struct plan *plan;
	struct stream *streams;
	size_t stream_count;
	struct group *groups;
	size_t group_count;
	struct columns *columns;
	char **names;
	size_t name_count, streams_named;
	bool prepared, streaming, begun, over;
	struct record current; //< of the group that streams
	uint64_t *order;       //< of all rows, shuffled; NULL: as they come
	uint64_t total, next;  //< of `order`
};

static const char *const standard_input[] = {"-"};
static const struct source default_source = {SOURCE_FILES, standard_input, 1, false};

/* ---- a source ---- */

static int open_stream(
	struct stream *stream, const struct plan *plan, const struct source *source)
{
	stream->source = source;
	stream->splitting = &plan->splitting;
	if (source->kind == SOURCE_WORDS)
		return 0;
	return input_open(&stream->input, &plan->splitting, source->words, source->count);
}

static void close_stream(struct stream *stream)
{
	input_close(stream->input);
	text_finish(&stream->bytes);
	free(stream->list);
}

static int next_record(
	struct stream *stream, struct patience patience, struct record *record)
{
	const char *word;

	if (stream->input)
		return input_next(stream->input, patience, record);
	do {
		if (stream->words == stream->source->count)
			return 0;
		word = stream->source->words[stream->words++];
	} while (stream->splitting->skips_blank && !word[strspn(word, " \t")]);
	if (stream->splitting->end_record &&
		strcmp(word, stream->splitting->end_record) == 0) {
		stream->words = stream->source->count;
		return 0;
	}
	*record = (struct record){word, strlen(word), true};
	return 1;
}

static int keep(struct stream *stream, const struct record *record)
{
	struct list entry = {stream->bytes.length, record->length};

	if (stream->count == stream->capacity) {
		size_t capacity = 2 * stream->capacity + 64;
		struct list *list = reallocarray(stream->list, capacity, sizeof *list);

		if (!list)
			return -ENOMEM;
		stream->list = list;
		stream->capacity = capacity;
	}
	text_append(&stream->bytes, record->bytes, record->length);
	stream->list[stream->count++] = entry;
	return stream->bytes.failed ? -ENOMEM : 0;
}

static int keep_all(struct stream *stream, struct patience patience)
{
	struct record record;
	int got = 0, error = 0;

	while (!error && (got = next_record(stream, patience, &record)) == 1)
		error = keep(stream, &record);
	if (error)
		message("cannot keep the input: %s", strerror(-error));
	stream->complete = !got && !error;
	return error ? error : got;
}

static struct record kept_record(const struct stream *stream, size_t index)
{
	const struct list *entry = &stream->list[index % stream->count];

	return (struct record){stream->bytes.bytes + entry->offset, entry->length, true};
}

/* ---- opening ---- */

static void form_groups(struct rows *rows)
{
	struct stream *end = rows->streams + rows->stream_count;

	for (struct stream *stream = rows->streams; stream < end; stream++) {
		bool joins = stream > rows->streams &&
			     (rows->plan->linked || stream->source->linked);

		if (!joins)
			rows->groups[rows->group_count++].first = stream;
		rows->groups[rows->group_count - 1].end = stream + 1;
	}
	rows->streaming =
		rows->groups[0].end == rows->groups[0].first + 1 && !rows->plan->shuffled;
	for (struct stream *stream = rows->streams; stream < end; stream++)
		stream->kept = !rows->streaming || stream > rows->streams;
}

static int open_streams(struct rows *rows)
{
	const struct plan *plan = rows->plan;
	size_t count = plan->source_count ? plan->source_count : 1;
	int error = 0;

	rows->streams = calloc(count, sizeof *rows->streams);
	rows->groups = calloc(count, sizeof *rows->groups);
	if (!rows->streams || !rows->groups ||
		columns_create(&rows->columns, plan) == -ENOMEM) {
		message("out of memory");
		return -ENOMEM;
	}
	for (; !error && rows->stream_count < count; rows->stream_count++)
		error = open_stream(&rows->streams[rows->stream_count], plan,
			plan->source_count ? &plan->sources[rows->stream_count]
					   : &default_source);
	if (!error)
		form_groups(rows);
	return error;
}

int rows_open(struct rows **result, const struct plan *plan)
{
	struct rows *rows = calloc(1, sizeof *rows);
	int error;

	if (!rows) {
		message("out of memory");
		return -ENOMEM;
	}
	rows->plan = plan;
	error = open_streams(rows);
	if (error)
		rows_close(rows);
	else
		*result = rows;
	return error;
}

void rows_close(struct rows *rows)
{
	if (!rows)
		return;
	for (size_t index = 0; index < rows->stream_count; index++)
		close_stream(&rows->streams[index]);
	for (size_t index = 0; index < rows->name_count; index++)
		free(rows->names[index]);
	free(rows->names);
	free(rows->order);
	columns_destroy(rows->columns);
	free(rows->groups);
	free(rows->streams);
	free(rows);
}

/* ---- what has to be known first ---- */

static int add_names(struct rows *rows, const struct record *record)
{
	const struct value *values;
	size_t count, first = rows->name_count;
	char **names;

	columns_clear(rows->columns);
	columns_add(rows->columns, record);
	values = columns_values(rows->columns, &count);
	names = values ? reallocarray(rows->names, first + count, sizeof *names) : NULL;
	if (!names)
		return -ENOMEM;
	rows->names = names;
	for (size_t index = 0; index < count; index++) {
		names[first + index] = strndup(values[index].bytes, values[index].length);
		if (!names[first + index])
			return -ENOMEM;
		rows->name_count++;
	}
	return 0;
}

// Returns 0, -EAGAIN to be called again, or an error.
static int read_header(struct rows *rows, struct patience patience)
{
	struct record record;

	while (rows->plan->header && rows->streams_named < rows->stream_count) {
		int got = next_record(
			&rows->streams[rows->streams_named], patience, &record);

		if (got == 1)
			got = add_names(rows, &record);
		if (got)
			return got;
		rows->streams_named++;
	}
	return 0;
}

static size_t length_of_group(const struct rows *rows, const struct group *group)
{
	size_t least = SIZE_MAX, most = 0;

	for (const struct stream *stream = group->first; stream < group->end; stream++) {
		least = stream->count < least ? stream->count : least;
		most = stream->count > most ? stream->count : most;
	}
	return rows->plan->linked && least ? most : least;
}

static uint64_t random_below(uint64_t *state, uint64_t limit)
{
	uint64_t bits = *state += 0x9E3779B97F4A7C15; // splitmix64, Steele et al., 2014

	bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9;
	bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EB;
	return (bits ^ (bits >> 31)) % limit;
}

static int shuffle(struct rows *rows)
{
	uint64_t state = rows->plan->seed;

	if (!rows->plan->seeded && getrandom(&state, sizeof state, 0) < 0)
		return -errno;
	rows->total = 1;
	for (size_t index = 0; index < rows->group_count; index++)
		if (__builtin_mul_overflow(
			    rows->total, rows->groups[index].length, &rows->total))
			return -ENOMEM;
	rows->order = reallocarray(NULL, rows->total + 1, sizeof *rows->order);
	if (!rows->order)
		return -ENOMEM;
	for (uint64_t index = 0; index < rows->total; index++) {
		uint64_t other = random_below(&state, index + 1);

		rows->order[index] = rows->order[other];
		rows->order[other] = index;
	}
	return 0;
}

static int begin_groups(struct rows *rows)
{
	for (struct group *group = rows->groups + rows->streaming;
		group < rows->groups + rows->group_count; group++) {
		group->length = length_of_group(rows, group);
		if (!group->length)
			rows->over = true;
	}
	return rows->plan->shuffled && !rows->over ? shuffle(rows) : 0;
}

int rows_prepare(struct rows *rows, struct patience patience)
{
	int error = rows->prepared ? 0 : read_header(rows, patience);

	if (rows->prepared)
		return 0;
	for (size_t index = 0; !error && index < rows->stream_count; index++) {
		struct stream *stream = &rows->streams[index];

		if (stream->kept && !stream->complete)
			error = keep_all(stream, patience);
	}
	if (!error)
		error = begin_groups(rows);
	rows->prepared = !error;
	return error;
}

const char *const *rows_names(const struct rows *rows, size_t *count)
{
	*count = rows->name_count;
	return (const char *const *)rows->names;
}

/* ---- row by row ---- */

// The next row's place in each group that is kept. False: the one that streams moves on.
static bool turn(struct rows *rows)
{
	for (size_t index = rows->group_count; index > rows->streaming; index--) {
		struct group *group = &rows->groups[index - 1];

		if (++group->index < group->length)
			return true;
		group->index = 0;
	}
	return false;
}

static void go_to(struct rows *rows, uint64_t number)
{
	for (size_t index = rows->group_count; index > 0; index--) {
		struct group *group = &rows->groups[index - 1];

		group->index = number % group->length;
		number /= group->length;
	}
}

// Returns 1, or as input_next().
static int move_on(struct rows *rows, struct patience patience)
{
	bool begun = rows->begun;
	int got = 1;

	if (rows->over)
		return 0;
	if (rows->order) {
		rows->over = rows->next == rows->total;
		if (!rows->over)
			go_to(rows, rows->order[rows->next++]);
		return !rows->over;
	}
	if (begun && turn(rows))
		return 1;
	if (rows->streaming)
		got = next_record(rows->streams, patience, &rows->current);
	else if (begun)
		got = 0;
	rows->begun = got == 1;
	rows->over = got == 0;
	return got;
}

static void add_group(struct rows *rows, const struct group *group)
{
	for (const struct stream *stream = group->first; stream < group->end; stream++) {
		struct record record;

		if (stream->kept)
			record = kept_record(stream, group->index);
		columns_add(rows->columns, stream->kept ? &record : &rows->current);
	}
}

int rows_next(struct rows *rows, struct patience patience, struct row *row)
{
	int got = rows->prepared ? 0 : rows_prepare(rows, patience);

	if (!got)
		got = move_on(rows, patience);
	if (got != 1)
		return got;
	columns_clear(rows->columns);
	for (size_t index = 0; index < rows->group_count; index++)
		add_group(rows, &rows->groups[index]);
	row->values = columns_values(rows->columns, &row->count);
	row->ends_line = !rows->streaming || rows->current.ends_line;
	return row->values ? 1 : -ENOMEM;
}

/* ---- what can be known ---- */

static uint64_t count_stream(const struct stream *stream, struct patience patience)
{
	struct input *again = NULL;
	struct record record;
	uint64_t count = 0;

	if (!stream->input)
		return stream->source->count - stream->words;
	if (!input_is_bounded(stream->input) || input_reopen(&again, stream->input) < 0)
		return 0;
	while (input_next(again, patience, &record) == 1)
		count++;
	input_close(again);
	return count;
}

uint64_t rows_total(struct rows *rows, struct patience patience)
{
	uint64_t total = 1;

	if (rows_prepare(rows, patience) != 0 || rows->over)
		return 0;
	for (size_t index = rows->streaming; index < rows->group_count; index++)
		total *= rows->groups[index].length;
	return rows->streaming ? total * count_stream(rows->streams, patience) : total;
}

bool rows_are_bounded(const struct rows *rows)
{
	for (size_t index = 0; index < rows->stream_count; index++) {
		const struct stream *stream = &rows->streams[index];

		if (stream->input && !stream->complete &&
			!input_is_bounded(stream->input))
			return false;
	}
	return true;
}

bool rows_are_typed(const struct rows *rows)
{
	return rows->streams->input && input_is_terminal(rows->streams->input);
}
