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
#include "report/json.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

// Takes over what the object is made of. What is given up as all is to end is no trouble.
static void emit(struct events *events, struct object *object, bool patient)
{
	char *line = object_dump(object);
	int error = line ? append(events, line) : -ENOMEM;

	free(line);
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

static void set_time(struct object *object)
{
	char moment[MOMENT_BYTES], zoned[MOMENT_BYTES + 1];

	moment_format(moment, moment_wall_us(), 'T');
	snprintf(zoned, sizeof zoned, "%sZ", moment);
	object_set(object, "time", json_string(zoned));
}

static struct object begin(const char *event)
{
	struct object object = object_begin();

	object_set(&object, "event", json_string(event));
	set_time(&object);
	return object;
}

static void set_command(
	struct object *object, const struct recipe *recipe, const struct task *task)
{
	struct text command = {0};

	recipe_append_command(recipe, task, 1, SIZE_MAX, &command);
	object_set_text(
		object, "command", command.bytes ? command.bytes : "", command.length);
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
		json_t *string = json_from_bytes(*word, strlen(*word));

		if (json_array_append_new(arguments, string) < 0)
			object.failed = true;
	}
	object_set(&object, "arguments", arguments);
	object_set(&object, "version", json_string(leat_version()));
	object_set_number(&object, "pid", (uint64_t)getpid());
	object_set_number(&object, "slots", slots);
	emit(events, &object, true);
}

void events_attempt_started(struct events *events, const struct recipe *recipe,
	const struct task *task, unsigned slot)
{
	struct object object;

	if (!events)
		return;
	object = begin("attempt-started");
	object_set_number(&object, "task", task->sequence);
	object_set_number(&object, "attempt", task->attempt);
	object_set_number(&object, "slot", slot);
	set_command(&object, recipe, task);
	emit(events, &object, true);
}

static void set_outcome(
	struct object *object, const struct leat_outcome *outcome, bool counts_bytes)
{
	if (outcome->end == LEAT_SIGNALED)
		object_set_number(object, "signal", (uint64_t)outcome->code);
	else
		object_set_number(object, "exit", (uint64_t)account_status(outcome, 0));
	if (outcome->end == LEAT_NOT_STARTED)
		object_set(object, "error", json_string(strerror(outcome->code)));
	object_set_seconds(object, "elapsed", outcome->elapsed_ns);
	object_set_seconds(object, "user", outcome->user_ns);
	object_set_seconds(object, "system", outcome->system_ns);
	object_set_number(object, "peak_kib", (uint64_t)outcome->peak_kib);
	if (!counts_bytes)
		return;
	object_set_number(object, "stdout_bytes", outcome->out_bytes);
	object_set_number(object, "stderr_bytes", outcome->err_bytes);
}

void events_attempt_ended(struct events *events, const struct task *task,
	const struct leat_outcome *outcome, int error)
{
	struct object object;

	if (!events)
		return;
	object = begin("attempt-ended");
	object_set_number(&object, "task", task->sequence);
	object_set_number(&object, "attempt", task->attempt);
	object_set(&object, "outcome", json_string(account_end_name(task->end)));
	if (error)
		object_set(&object, "error", json_string(strerror(-error)));
	else
		set_outcome(&object, outcome, events->counts_bytes);
	object_set(&object, "again", json_boolean(task->again));
	emit(events, &object, true);
}

void events_task_ended(
	struct events *events, const struct recipe *recipe, const struct task *task)
{
	struct object object;

	if (!events)
		return;
	object = begin("task-ended");
	object_set_number(&object, "task", task->sequence);
	object_set(&object, "outcome", json_string(account_end_name(task->end)));
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
	object_set_number(&object, "level", (uint64_t)level);
	object_set(&object, "cause", json_string(cause));
	emit(events, &object, false);
}

void events_summary(struct events *events, const struct account *account,
	int64_t elapsed_ns, int status)
{
	struct object object;

	if (!events)
		return;
	object = begin("summary");
	object_set_number(&object, "tasks", account_total(account));
	for (enum task_end end = 0; end < TASK_ENDS; end++)
		object_set_number(&object,
			end == TASK_TIMED_OUT ? "timed_out" : account_end_name(end),
			atomic_load(&account->counts[end]));
	object_set(&object, "input_cut", json_boolean(atomic_load(&account->input_cut)));
	object_set_seconds(&object, "elapsed", elapsed_ns);
	object_set_number(&object, "exit", (uint64_t)status);
	emit(events, &object, true);
}
