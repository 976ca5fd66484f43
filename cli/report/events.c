/*
 * Each event is made by the thread in which it happens, and appended to `pending`; then
 * that thread takes the channel and writes what is pending, in order. Where the reader is
 * slow, that blocks, and the tasks wait: nothing is left out, and nothing piles up. The
 * thread that receives signals must not wait for a reader, though: what it tells is
 * written if that can be done at once, and else by whoever comes next.
 */
#include "report/events.h"

#include "channel.h"
#include "moment.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REPLACEMENT "\xEF\xBF\xBD" // U+FFFD

struct events {
	const char *name;
	int fd;
	pthread_mutex_t pending_lock; //< the last to be taken, never for long
	struct text pending;
	pthread_mutex_t lock; //< what follows
	struct channel channel;
	struct text unsent; //< what was pending and is being written
	bool counts_bytes;
	atomic_bool is_broken;
	void (*broken)(void *argument, int error);
	void *argument;
};

/* ---- the file ---- */

static bool is_number(const char *name)
{
	while (isdigit((unsigned char)*name))
		name++;
	return !*name;
}

// A number is that of a descriptor, which is kept from what leat runs.
static int open_named(const char *name)
{
	int fd = is_number(name) ? fcntl(atoi(name), F_DUPFD_CLOEXEC, 3)
				 : open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);

	return fd < 0 ? -errno : fd;
}

int events_open(struct events **result, const struct plan *plan)
{
	struct events *events = calloc(1, sizeof *events);
	int fd = events ? open_named(plan->events) : -ENOMEM;

	if (fd < 0) {
		free(events);
		return fd;
	}
	events->name = plan->events;
	events->fd = fd;
	pthread_mutex_init(&events->lock, NULL);
	pthread_mutex_init(&events->pending_lock, NULL);
	*result = events;
	return 0;
}

void events_start(struct events *events, int give_up_fd,
	void (*broken)(void *argument, int error), void *argument)
{
	if (!events)
		return;
	if (!is_number(events->name) && ftruncate(events->fd, 0) < 0)
		errno = 0; // it is no file, so there is nothing to be emptied
	events->broken = broken;
	events->argument = argument;
	channel_open(&events->channel, "events", events->fd, give_up_fd);
}

void events_close(struct events *events)
{
	if (!events)
		return;
	if (events->broken)
		channel_close(&events->channel);
	close(events->fd);
	pthread_mutex_destroy(&events->pending_lock);
	pthread_mutex_destroy(&events->lock);
	text_finish(&events->pending);
	text_finish(&events->unsent);
	free(events);
}

// With the lock.
static void take_pending(struct events *events)
{
	pthread_mutex_lock(&events->pending_lock);
	text_append(&events->unsent, events->pending.bytes, events->pending.length);
	events->pending.length = 0;
	pthread_mutex_unlock(&events->pending_lock);
}

// With the lock. Returns 0, also where some of it is left for later, or the error.
static int send(struct events *events, bool patient)
{
	struct text *unsent = &events->unsent;
	size_t sent = 0;
	int error = 0;

	take_pending(events);
	if (patient)
		error = channel_write(&events->channel, unsent->bytes, unsent->length);
	else
		while (sent < unsent->length && error >= 0) {
			error = (int)channel_try(&events->channel, unsent->bytes + sent,
				unsent->length - sent);
			sent += error > 0 ? (size_t)error : 0;
		}
	unsent->length -= patient ? unsent->length : sent;
	if (unsent->length)
		memmove(unsent->bytes, unsent->bytes + sent, unsent->length);
	return unsent->failed ? -ENOMEM : error == -EAGAIN || error > 0 ? 0 : error;
}

static int append(struct events *events, const char *line)
{
	bool failed;

	pthread_mutex_lock(&events->pending_lock);
	text_append(&events->pending, line, strlen(line));
	text_append(&events->pending, "\n", 1);
	failed = events->pending.failed;
	pthread_mutex_unlock(&events->pending_lock);
	return failed ? -ENOMEM : 0;
}

/* ---- what it is made of ---- */

/** An event in the making; `failed`: there was no memory for some of it. */
struct object {
	json_t *json;
	bool failed;
};

// Takes over `value`; NULL: it could not be made.
static void set(struct object *object, const char *name, json_t *value)
{
	if (json_object_set_new(object->json, name, value) < 0)
		object->failed = true;
}

// Takes over what the object is made of. What is given up as all is to end is no trouble.
static void emit(struct events *events, struct object *object, bool patient)
{
	char *line = object->failed ? NULL
				    : json_dumps(object->json,
					      JSON_COMPACT | JSON_REAL_PRECISION(12));
	int error = line ? append(events, line) : -ENOMEM;

	free(line);
	json_decref(object->json);
	if (patient)
		pthread_mutex_lock(&events->lock);
	if (patient || pthread_mutex_trylock(&events->lock) == 0) {
		int written = send(events, patient);

		pthread_mutex_unlock(&events->lock);
		error = error ? error : written;
	}
	if (error && !atomic_exchange(&events->is_broken, true) && error != -ECANCELED)
		events->broken(events->argument, error);
}

// How many bytes of UTF-8 (RFC 3629) begin at `bytes`, 0: none that is valid. jansson
// tells of a text as a whole.
static size_t valid_bytes(const char *bytes, size_t length)
{
	for (size_t size = 1; size <= 4 && size <= length; size++) {
		json_t *string = json_stringn(bytes, size);

		json_decref(string);
		if (string)
			return size;
	}
	return 0;
}

static json_t *make_replaced(const char *bytes, size_t length)
{
	struct text text = {0};
	json_t *string;

	while (length) {
		size_t size = valid_bytes(bytes, length);

		text_append(&text, size ? bytes : REPLACEMENT,
			size ? size : strlen(REPLACEMENT));
		size += !size;
		bytes += size;
		length -= size;
	}
	string = text.failed ? NULL : json_stringn(text.bytes, text.length);
	text_finish(&text);
	return string;
}

static json_t *make_hex(const char *bytes, size_t length)
{
	struct text text = {0};
	json_t *string;

	for (size_t index = 0; index < length; index++)
		text_format(&text, "%02x", (unsigned char)bytes[index]);
	string = text.failed ? NULL : json_stringn(text.bytes, text.length);
	text_finish(&text);
	return string;
}

// What is no UTF-8 has its bytes besides, in NAME_hex.
static void set_text(
	struct object *object, const char *name, const char *bytes, size_t length)
{
	json_t *string = json_stringn(bytes, length);
	char hex_name[32];

	if (string) {
		set(object, name, string);
		return;
	}
	snprintf(hex_name, sizeof hex_name, "%s_hex", name);
	set(object, name, make_replaced(bytes, length));
	set(object, hex_name, make_hex(bytes, length));
}

static void set_number(struct object *object, const char *name, uint64_t number)
{
	set(object, name, json_integer((json_int_t)number));
}

static void set_seconds(struct object *object, const char *name, int64_t ns)
{
	set(object, name, json_real((double)ns / LEAT_SECOND_NS));
}

static void set_time(struct object *object)
{
	char moment[MOMENT_BYTES], zoned[MOMENT_BYTES + 1];

	moment_format(moment, moment_wall_us(), 'T');
	snprintf(zoned, sizeof zoned, "%sZ", moment);
	set(object, "time", json_string(zoned));
}

static struct object begin(const char *event)
{
	struct object object = {.json = json_object()};

	set(&object, "event", json_string(event));
	set_time(&object);
	return object;
}

static void set_command(
	struct object *object, const struct recipe *recipe, const struct task *task)
{
	struct text command = {0};

	recipe_append_command(recipe, task, 1, SIZE_MAX, &command);
	set_text(object, "command", command.bytes ? command.bytes : "", command.length);
	text_finish(&command);
}

/* ---- the events ---- */

void events_run_started(struct events *events, const struct plan *plan, unsigned slots)
{
	struct object object;
	json_t *arguments;

	if (!events)
		return;
	events->counts_bytes = plan->mode != OUTPUT_STRAIGHT;
	object = begin("run-started");
	arguments = json_array();
	for (char **word = plan->arguments; *word; word++) {
		json_t *string = json_string(*word);

		if (!string)
			string = make_replaced(*word, strlen(*word));
		if (json_array_append_new(arguments, string) < 0)
			object.failed = true;
	}
	set(&object, "arguments", arguments);
	set(&object, "version", json_string(leat_version()));
	set_number(&object, "pid", (uint64_t)getpid());
	set_number(&object, "slots", slots);
	emit(events, &object, true);
}

void events_attempt_started(struct events *events, const struct recipe *recipe,
	const struct task *task, unsigned slot)
{
	struct object object;

	if (!events)
		return;
	object = begin("attempt-started");
	set_number(&object, "task", task->sequence);
	set_number(&object, "attempt", task->attempt);
	set_number(&object, "slot", slot);
	set_command(&object, recipe, task);
	emit(events, &object, true);
}

static void set_outcome(
	struct object *object, const struct leat_outcome *outcome, bool counts_bytes)
{
	if (outcome->end == LEAT_SIGNALED)
		set_number(object, "signal", (uint64_t)outcome->code);
	else
		set_number(object, "exit", (uint64_t)account_status(outcome, 0));
	if (outcome->end == LEAT_NOT_STARTED)
		set(object, "error", json_string(strerror(outcome->code)));
	set_seconds(object, "elapsed", outcome->elapsed_ns);
	set_seconds(object, "user", outcome->user_ns);
	set_seconds(object, "system", outcome->system_ns);
	set_number(object, "peak_kib", (uint64_t)outcome->peak_kib);
	if (!counts_bytes)
		return;
	set_number(object, "stdout_bytes", outcome->out_bytes);
	set_number(object, "stderr_bytes", outcome->err_bytes);
}

void events_attempt_ended(struct events *events, const struct task *task,
	const struct leat_outcome *outcome, int error)
{
	struct object object;

	if (!events)
		return;
	object = begin("attempt-ended");
	set_number(&object, "task", task->sequence);
	set_number(&object, "attempt", task->attempt);
	set(&object, "outcome", json_string(account_end_name(task->end)));
	if (error)
		set(&object, "error", json_string(strerror(-error)));
	else
		set_outcome(&object, outcome, events->counts_bytes);
	set(&object, "again", json_boolean(task->again));
	emit(events, &object, true);
}

void events_task_ended(
	struct events *events, const struct recipe *recipe, const struct task *task)
{
	struct object object;

	if (!events)
		return;
	object = begin("task-ended");
	set_number(&object, "task", task->sequence);
	set(&object, "outcome", json_string(account_end_name(task->end)));
	if (task->end == TASK_UNRUN || task->end == TASK_SKIPPED || !task->attempt)
		set_command(&object, recipe, task);
	emit(events, &object, true);
}

void events_canceled(struct events *events, enum level level, const char *cause)
{
	struct object object;

	if (!events)
		return;
	object = begin("cancellation");
	set_number(&object, "level", (uint64_t)level);
	set(&object, "cause", json_string(cause));
	emit(events, &object, false);
}

void events_summary(struct events *events, const struct account *account,
	int64_t elapsed_ns, int status)
{
	struct object object;

	if (!events)
		return;
	object = begin("summary");
	set_number(&object, "tasks", account_total(account));
	for (enum task_end end = 0; end < TASK_ENDS; end++)
		set_number(&object,
			end == TASK_TIMED_OUT ? "timed_out" : account_end_name(end),
			atomic_load(&account->counts[end]));
	set(&object, "input_cut", json_boolean(atomic_load(&account->input_cut)));
	set_seconds(&object, "elapsed", elapsed_ns);
	set_number(&object, "exit", (uint64_t)status);
	emit(events, &object, true);
}
