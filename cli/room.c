/*
 * Who wants to start a task stands in a queue. Only its head looks whether there is room;
 * it measures, sleeps for a second, measures again, and when it has gone in, wakes the
 * next one. So there is one measurement at a time and one measuring thread, which is the
 * slot's own: the room has none.
 *
 * A measurement holds for a second. It says how many may run meanwhile: only one, where a
 * limit is reached; else as many as ran at once since the last one, and a quarter more,
 * at least one. What has ended is replaced at once, then, so that short tasks are not
 * held up, but it takes seconds until all slots run: what has just started has not yet
 * taken its memory, and must show first. One that runs alone always may.
 *
 * Below a jobserver the head also waits for a token, when there is room. That may take
 * long; so, with the token, it looks again whether there is room, and gives the token
 * back where there is none any more: a token that idles is one that make lacks. What runs
 * alone finds leat's own token free.
 *
 * The lock guards all that changes. It is not held while files are read, while tokens are
 * taken and given back, nor while anybody sleeps: each in the queue has a condition of
 * its own, which its predecessor, who leaves the room, and the intake's end signal. They
 * signal the head alone; where the intake has ended it goes, and the next one, and so on.
 * The intake's deadline wakes nobody, so that the head sleeps no longer than until then.
 */
#include "room.h"

#include "message.h"
#include "moment.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOLDS_NS LEAT_SECOND_NS // a measurement

struct waiter {
	struct waiter *next;
	pthread_cond_t wake;
};

struct room {
	struct room_settings settings;
	bool measures;
	struct leat_watch watch;
	pthread_mutex_t lock;
	struct waiter *first, **end;
	int64_t next_ns;              //< before, nothing starts
	int64_t measured_ns;          //< when that was the last time
	bool full;                    //< a limit was reached then,
	char words[ROOM_WORDS_BYTES]; //< this one
	unsigned allowed;             //< may run until it is measured again
	unsigned running, most;       //< now, and at any time since
};

/* ---- what is measured ---- */

static double bound(const struct limit *limit, const struct measured *measured)
{
	return limit->percent ? measured->whole * limit->value / 100 : limit->value;
}

static void format_size(char *text, size_t size, double bytes)
{
	const char *unit = "\0KMGTPE";

	while (bytes >= 1024 && unit[1]) {
		bytes /= 1024;
		unit++;
	}
	snprintf(text, size, bytes < 10 ? "%.2g%.1s" : "%.0f%.1s", bytes, unit);
}

static void describe(enum measure what, const struct limit *limit,
	const struct measured *measured, char words[ROOM_WORDS_BYTES])
{
	double most = bound(limit, measured);
	char is[24], least[24];

	if (what == MEASURE_MEMORY) {
		format_size(is, sizeof is, measured->value);
		format_size(least, sizeof least, most);
		snprintf(words, ROOM_WORDS_BYTES, "waiting for memory %s (min %s)", is,
			least);
	} else {
		const char *unit = what == MEASURE_LOAD ? "" : "%";

		snprintf(words, ROOM_WORDS_BYTES, "waiting for %s %.1f%s (max %g%s)",
			measure_name(what), measured->value, unit, most, unit);
	}
}

// Whether a limit is reached; then it says which. What can't be read may be anything.
static bool is_reached(enum measure what, const struct limit *limit, const char *root,
	char words[ROOM_WORDS_BYTES])
{
	struct measured measured;
	int error = measure(what, root, &measured);

	if (error) {
		snprintf(words, ROOM_WORDS_BYTES, "waiting for %s: %s: %s",
			measure_name(what), measure_file(what), strerror(-error));
		return true;
	}
	if (what == MEASURE_MEMORY ? measured.value >= bound(limit, &measured)
				   : measured.value < bound(limit, &measured))
		return false;
	describe(what, limit, &measured, words);
	return true;
}

static bool is_full(const struct room *room, char words[ROOM_WORDS_BYTES])
{
	const struct room_settings *settings = &room->settings;

	for (enum measure what = 0; what < MEASURES; what++)
		if (settings->limits[what].option &&
			is_reached(what, &settings->limits[what], settings->root, words))
			return true;
	return false;
}

int room_check(const struct limit *limits, const char *root)
{
	for (enum measure what = 0; what < MEASURES; what++) {
		struct measured measured;
		int error = limits[what].option ? measure(what, root, &measured) : 0;

		if (error) {
			message("%s: this kernel does not tell it (%s: %s)",
				limits[what].option, measure_file(what),
				strerror(-error));
			return error;
		}
	}
	return 0;
}

/* ---- the queue ---- */

static void wake_head(struct room *room)
{
	if (room->first)
		pthread_cond_signal(&room->first->wake);
}

static void intake_ended(void *argument)
{
	struct room *room = argument;

	pthread_mutex_lock(&room->lock);
	wake_head(room);
	pthread_mutex_unlock(&room->lock);
}

int room_create(struct room **result, const struct room_settings *settings)
{
	struct room *room;
	bool measures = false;

	*result = NULL;
	for (enum measure what = 0; what < MEASURES; what++)
		measures = measures || settings->limits[what].option;
	if (!measures && !settings->delay_ns)
		return 0;
	room = calloc(1, sizeof *room);
	if (!room)
		return -ENOMEM;
	room->settings = *settings;
	room->measures = measures;
	room->end = &room->first;
	room->allowed = UINT_MAX;
	room->measured_ns = -HOLDS_NS;
	pthread_mutex_init(&room->lock, NULL);
	room->watch = (struct leat_watch){.call = intake_ended, .argument = room};
	leat_context_watch(settings->intake, &room->watch);
	*result = room;
	return 0;
}

void room_destroy(struct room *room)
{
	if (!room)
		return;
	leat_context_unwatch(room->settings.intake, &room->watch);
	pthread_mutex_destroy(&room->lock);
	free(room);
}

static void measure_anew(struct room *room)
{
	char words[ROOM_WORDS_BYTES] = "";
	unsigned base;
	bool full;

	pthread_mutex_unlock(&room->lock);
	full = is_full(room, words);
	pthread_mutex_lock(&room->lock);
	// Those that ended while it was full may be what it was full of.
	base = room->full ? room->running : room->most;
	room->allowed = full || !base ? 1 : base + (base < 4 ? 1 : base / 4);
	room->most = room->running;
	room->full = full;
	memcpy(room->words, words, sizeof words);
	room->measured_ns = leat_context_now(room->settings.intake);
}

// The head, until it is woken, or `time`, or the deadline; or a second, as the context's
// clock may have paused meanwhile.
static void sleep_until(struct room *room, struct waiter *head, int64_t time)
{
	struct leat_context *intake = room->settings.intake;
	int64_t deadline = leat_context_deadline(intake), left, until_ns;
	struct timespec until;

	left = (time < deadline ? time : deadline) - leat_context_now(intake);
	until_ns =
		moment_monotonic_ns() + (left < LEAT_SECOND_NS ? left : LEAT_SECOND_NS);
	until = (struct timespec){.tv_sec = until_ns / LEAT_SECOND_NS,
		.tv_nsec = until_ns % LEAT_SECOND_NS};
	pthread_cond_timedwait(&head->wake, &room->lock, &until);
}

static void take_token(struct room *room, int *token)
{
	pthread_mutex_unlock(&room->lock);
	jobserver_enter(room->settings.jobserver, token);
	pthread_mutex_lock(&room->lock);
}

static void give_token_back(struct room *room, int *token)
{
	pthread_mutex_unlock(&room->lock);
	jobserver_leave(room->settings.jobserver, token);
	pthread_mutex_lock(&room->lock);
}

// Without a token. Where it had one, it looks again before it sleeps: who left the room
// meanwhile has woken nobody.
static void hold_back(struct room *room, struct waiter *head, int *token, int64_t time)
{
	if (*token == JOBSERVER_NO_TOKEN)
		sleep_until(room, head, time);
	else
		give_token_back(room, token);
}

static int await_room(struct room *room, struct waiter *head, int *token)
{
	const struct jobserver *jobserver = room->settings.jobserver;
	struct leat_context *intake = room->settings.intake;

	while (!leat_context_cause(intake)) {
		int64_t now = leat_context_now(intake);

		if (now < room->next_ns)
			hold_back(room, head, token, room->next_ns);
		else if (room->measures && now - room->measured_ns >= HOLDS_NS)
			measure_anew(room);
		else if (room->running >= room->allowed)
			hold_back(room, head, token, room->measured_ns + HOLDS_NS);
		else if (jobserver && *token == JOBSERVER_NO_TOKEN)
			take_token(room, token);
		else
			return 0;
	}
	give_token_back(room, token);
	return -ECANCELED;
}

static void go_in(struct room *room)
{
	room->running++;
	if (room->most < room->running)
		room->most = room->running;
	if (__builtin_add_overflow(leat_context_now(room->settings.intake),
		    room->settings.delay_ns, &room->next_ns))
		room->next_ns = LEAT_NEVER;
}

static void append(struct room *room, struct waiter *waiter)
{
	*room->end = waiter;
	room->end = &waiter->next;
}

static void take_out_head(struct room *room)
{
	room->first = room->first->next;
	if (!room->first)
		room->end = &room->first;
	wake_head(room);
}

int room_enter(struct room *room, int *token)
{
	struct waiter self = {0};
	int error = room ? moment_init_condition(&self.wake) : 0;

	*token = JOBSERVER_NO_TOKEN;
	if (!room || error)
		return error;
	pthread_mutex_lock(&room->lock);
	append(room, &self);
	while (room->first != &self)
		pthread_cond_wait(&self.wake, &room->lock);
	error = await_room(room, &self, token);
	if (!error)
		go_in(room);
	take_out_head(room);
	pthread_mutex_unlock(&room->lock);
	pthread_cond_destroy(&self.wake);
	return error;
}

void room_leave(struct room *room)
{
	if (!room)
		return;
	pthread_mutex_lock(&room->lock);
	room->running--;
	wake_head(room);
	pthread_mutex_unlock(&room->lock);
}

bool room_waits_for(struct room *room, char words[ROOM_WORDS_BYTES])
{
	bool waits;

	if (!room)
		return false;
	pthread_mutex_lock(&room->lock);
	waits = room->first && room->full &&
		leat_context_now(room->settings.intake) >= room->next_ns;
	memcpy(words, room->words, ROOM_WORDS_BYTES);
	pthread_mutex_unlock(&room->lock);
	return waits;
}
