/*
 * The values of the task to come are collected in a batch. A row that does not fit any
 * more is held back for the next one. Once the input has ended, what is in the batch may
 * be spread over several tasks.
 */
#include "tasks.h"

#include "message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define ARGUMENT_BYTES ((size_t)128 * 1024) // execve(2): 32 pages
#define SPARE_BYTES ((size_t)4096)          // what the kernel and leat add

struct batch {
	struct value *values; //< their bytes: offsets into `bytes` until they are taken
	size_t count, capacity;
	struct text bytes;
	uint64_t records, lines;
	size_t size; //< of the command, as the limit counts it
	size_t room; //< taken of what execve(2) has
	bool too_large;
};

// What a row takes.
struct extent {
	size_t bytes;  //< of the command, as the limit counts it
	size_t room;   //< of what execve(2) has
	bool has_long; //< one of its values is too long for an argument
};

struct tasks {
	struct rows *rows;
	const struct plan *plan;
	struct command_size size;
	size_t room; //< that execve(2) has
	unsigned slots;
	struct batch batch;
	struct text quoted;
	struct row held;
	bool has_held;
	bool any;                  //< there was a task
	bool over;                 //< the rows are
	int error;                 //< of the rows; there will be no more
	uint64_t share;            //< SPREAD_SHARES: how many records, once it is known
	unsigned shares;           //< into how many the last ones are still to be spread
	size_t taken, taken_bytes; //< of the batch's values
};

static size_t total_room(const struct command_size *size)
{
	long most = sysconf(_SC_ARG_MAX);
	size_t room = most > 0 ? (size_t)most : ARGUMENT_BYTES;
	struct rlimit stack;

	size_t used = size->environment + size->bytes +
		      (size->words + 2) * sizeof(char *) + SPARE_BYTES;

	// They stand on the program's stack, which needs some room besides.
	if (getrlimit(RLIMIT_STACK, &stack) == 0 && stack.rlim_cur / 4 * 3 < room)
		room = stack.rlim_cur / 4 * 3;
	return room > used ? room - used : 0;
}

int tasks_create(struct tasks **result, struct rows *rows, const struct plan *plan,
	const struct command_size *size, unsigned slots)
{
	struct tasks *tasks = calloc(1, sizeof *tasks);

	if (!tasks)
		return -ENOMEM;
	tasks->rows = rows;
	tasks->plan = plan;
	tasks->size = *size;
	// A command line that is too long for an argument goes another way: shell.c.
	tasks->room = plan->command == COMMAND_LINES ? SIZE_MAX : total_room(size);
	tasks->slots = slots;
	tasks->batch.size = size->bytes;
	*result = tasks;
	return 0;
}

void tasks_destroy(struct tasks *tasks)
{
	if (!tasks)
		return;
	free(tasks->batch.values);
	text_finish(&tasks->batch.bytes);
	text_finish(&tasks->quoted);
	free(tasks);
}

/* ---- the batch ---- */

static size_t length_of(struct tasks *tasks, const struct value *value)
{
	if (!tasks->size.quote)
		return value->length;
	tasks->quoted.length = 0;
	tasks->size.quote(&tasks->quoted, value->bytes, value->length);
	return tasks->quoted.length;
}

static size_t size_of(struct tasks *tasks, const struct row *row)
{
	const struct command_size *size = &tasks->size;
	size_t bytes = 0;

	for (size_t index = 0; index < row->count; index++)
		bytes += size->value_uses * length_of(tasks, &row->values[index]) +
			 size->value_fixed_bytes;
	return bytes;
}

static bool has_long_value(const struct tasks *tasks, const struct row *row)
{
	for (size_t index = 0; index < row->count; index++)
		if (row->values[index].length + tasks->size.value_fixed_bytes >=
			ARGUMENT_BYTES)
			return true;
	return false;
}

static struct extent extent_of(struct tasks *tasks, const struct row *row)
{
	size_t bytes = size_of(tasks, row);
	size_t words = row->count * tasks->size.value_words;

	return (struct extent){
		.bytes = bytes,
		.room = bytes + words * sizeof(char *),
		.has_long = has_long_value(tasks, row),
	};
}

// Whether a row fits where `size` and `room` are taken already.
static bool fits_behind(
	const struct tasks *tasks, const struct extent *extent, size_t size, size_t room)
{
	const struct batching *batching = &tasks->plan->batching;

	if (batching->bytes && size + extent->bytes > batching->bytes)
		return false;
	return room + extent->room <= tasks->room;
}

static bool fits(const struct tasks *tasks, const struct extent *extent)
{
	return fits_behind(tasks, extent, tasks->batch.size, tasks->batch.room);
}

static bool fits_alone(const struct tasks *tasks, const struct extent *extent)
{
	return fits_behind(tasks, extent, tasks->size.bytes, 0) && !extent->has_long;
}

static bool is_full(const struct tasks *tasks)
{
	const struct batching *batching = &tasks->plan->batching;
	const struct batch *batch = &tasks->batch;

	return (batching->records && batch->records >= batching->records) ||
	       (batching->lines && batch->lines >= batching->lines);
}

static int reserve(struct batch *batch, size_t count)
{
	size_t capacity = batch->capacity;
	struct value *values;

	if (batch->count + count <= capacity)
		return 0;
	capacity = 2 * capacity + count;
	values = reallocarray(batch->values, capacity, sizeof *values);
	if (!values)
		return -ENOMEM;
	batch->values = values;
	batch->capacity = capacity;
	return 0;
}

static int add(struct tasks *tasks, const struct row *row, const struct extent *extent)
{
	struct batch *batch = &tasks->batch;
	int error = reserve(batch, row->count);

	if (error)
		return error;
	for (size_t index = 0; index < row->count; index++) {
		const struct value *value = &row->values[index];

		text_append(&batch->bytes, value->bytes, value->length);
		batch->bytes.length += !batch->bytes.failed; // the NUL behind them, too
		batch->values[batch->count + index] = (struct value){
			.length = value->length, .ends_record = value->ends_record};
	}
	if (batch->bytes.failed)
		return -ENOMEM; // what the batch had is whole
	batch->count += row->count;
	batch->size += extent->bytes;
	batch->room += extent->room;
	batch->records++;
	batch->lines += row->ends_line;
	return 0;
}

static void clear(struct tasks *tasks)
{
	struct batch *batch = &tasks->batch;

	batch->count = batch->bytes.length = 0;
	batch->records = batch->lines = 0;
	batch->size = tasks->size.bytes;
	batch->room = 0;
	batch->too_large = false;
	tasks->taken = tasks->taken_bytes = 0;
	tasks->shares = 0;
	tasks->share = 0;
}

/* ---- tasks ---- */

// Of `count` values of the batch, from the first that was not taken.
static int make_task(struct tasks *tasks, size_t count, struct task **result)
{
	struct batch *batch = &tasks->batch;
	const struct value *values = count ? batch->values + tasks->taken : NULL;
	size_t bytes = 0;
	struct task *task;
	char *at;

	for (size_t index = 0; index < count; index++)
		bytes += values[index].length + 1;
	task = malloc(sizeof *task + count * sizeof *values + bytes);
	if (!task)
		return -ENOMEM;
	*task = (struct task){
		.count = count, .bytes = bytes, .too_large = batch->too_large};
	at = (char *)(task->values + count);
	if (count) {
		memcpy(task->values, values, count * sizeof *values);
		memcpy(at, batch->bytes.bytes + tasks->taken_bytes, bytes);
	}
	for (size_t index = 0; index < count; index++) {
		task->values[index].bytes = at;
		at += task->values[index].length + 1;
	}
	tasks->taken += count;
	tasks->taken_bytes += bytes;
	tasks->any = true;
	*result = task;
	return 1;
}

// As many values as `records` records have, of those that were not taken.
static size_t values_of(const struct tasks *tasks, uint64_t records)
{
	const struct batch *batch = &tasks->batch;
	size_t index = tasks->taken;

	while (index < batch->count && records)
		records -= batch->values[index++].ends_record;
	return index - tasks->taken;
}

static int take_all(struct tasks *tasks, struct task **task)
{
	int got = make_task(tasks,
		tasks->plan->batching.without_values ? 0 : tasks->batch.count, task);

	clear(tasks);
	return got;
}

// The rows are over: what is left in equal shares, one for each slot.
static int take_share(struct tasks *tasks, struct task **task)
{
	struct batch *batch = &tasks->batch;
	uint64_t share = (batch->records + tasks->shares - 1) / tasks->shares;
	int got;

	if (tasks->plan->batching.spread == SPREAD_SHARES) {
		if (!tasks->share)
			tasks->share = share;
		share = tasks->share < batch->records ? tasks->share : batch->records;
	}
	got = make_task(tasks, values_of(tasks, share), task);
	batch->records -= share;
	if (!--tasks->shares || !batch->records)
		clear(tasks);
	return got;
}

static int stop(struct tasks *tasks)
{
	message("a command would be too large, with -s or by execve(2)'s own limit");
	tasks->over = true;
	clear(tasks);
	return -E2BIG;
}

static int finish(struct tasks *tasks, struct task **task)
{
	const struct batching *batching = &tasks->plan->batching;

	tasks->over = true;
	if (!tasks->batch.records) {
		bool runs = batching->runs_if_empty && !tasks->any;

		if (runs && batching->bytes && tasks->size.bytes > batching->bytes)
			return stop(tasks);
		return runs ? make_task(tasks, 0, task) : 0;
	}
	if (!batching->spread)
		return take_all(tasks, task);
	if (!tasks->shares)
		tasks->shares = tasks->slots;
	return take_share(tasks, task);
}

// Whether a row that does not fit ends the run.
static bool is_stopped_by(const struct tasks *tasks, const struct extent *extent)
{
	switch (tasks->plan->batching.too_large) {
	case TOO_LARGE_FAILS:
		break;
	case TOO_LARGE_STOPS:
		return !tasks->batch.records && !fits_alone(tasks, extent);
	case TOO_LARGE_STOPS_AT_ONCE:
		return !fits_alone(tasks, extent);
	case ALL_MUST_FIT:
		return true;
	}
	return false;
}

// Whether values are what a task reads, and no part of its command. The room that they
// have bounds lists; a record alone may be of any length.
static bool are_input(const struct tasks *tasks)
{
	return tasks->plan->standard_input == STDIN_RECORD &&
	       tasks->size.value_uses == 1 && !tasks->plan->batching.bytes;
}

// The row goes into the batch. Returns 1 where that makes a task, which is then due.
static int take_row(struct tasks *tasks, const struct row *row)
{
	struct extent extent = extent_of(tasks, row);
	bool alone = !tasks->batch.records;
	bool fitting =
		fits(tasks, &extent) && (alone || !extent.has_long) && !is_full(tasks);
	int error;

	if ((!fitting || extent.has_long) && is_stopped_by(tasks, &extent))
		return stop(tasks);
	if (!fitting && !alone) {
		tasks->held = *row;
		tasks->has_held = true;
		return 1;
	}
	error = add(tasks, row, &extent);
	tasks->batch.too_large = !fitting && !are_input(tasks);
	if (error)
		return error;
	// What is to be spread may be the last, and waits to see whether it is.
	return !fitting || extent.has_long ||
	       (!tasks->plan->batching.spread && is_full(tasks));
}

// The input can't be read any further; what was read is a task, unless all must fit.
static int fail(struct tasks *tasks, int error, struct task **task)
{
	if (tasks->plan->batching.too_large >= TOO_LARGE_STOPS_AT_ONCE)
		clear(tasks);
	tasks->error = error;
	return tasks->batch.records ? take_all(tasks, task) : error;
}

int tasks_next(struct tasks *tasks, struct patience patience, struct task **task)
{
	while (!tasks->over && !tasks->error) {
		struct row row;
		int got = 1;

		if (tasks->has_held)
			row = tasks->held;
		else
			got = rows_next(tasks->rows, patience, &row);
		tasks->has_held = false;
		if (!got)
			break;
		if (got < 0)
			return got == -EAGAIN ? got : fail(tasks, got, task);
		got = take_row(tasks, &row);
		if (got == -ENOMEM)
			message("cannot keep the input: %s", strerror(ENOMEM));
		if (got == 1)
			return take_all(tasks, task);
		if (got)
			return got;
	}
	return tasks->error ? tasks->error : finish(tasks, task);
}

int tasks_flush(struct tasks *tasks, struct task **task)
{
	return tasks->batch.records ? take_all(tasks, task) : 0;
}
