/*
 * Two parts: what the line says, and the thread that has it shown.
 *
 * The line is put together of parts, each a text of known width. They are written
 * first and all of them; then, from the most wanted to the least, they are kept for as
 * long as there is room, and the rest dropped; then the kept are joined in the order in
 * which they are read. The command is the one part that stretches: it asks for a few
 * cells, and gets what is left over at the end.
 */
#include "progress.h"

#include "cells.h"
#include "duration.h"
#include "leat.h"
#include "moment.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#define COLUMNS_UNKNOWN 80
#define BAR_COLUMNS_LEAST 72 //< of the terminal: no bar in a narrower one
#define BAR_CELLS_MOST 40
#define COMMAND_CELLS_LEAST 10 //< of a longer command: not worth to be shown below

#define SETTLED_NS LEAT_SECOND_NS //< before, a rate says nothing
#define LEFT_SECONDS_MOST 3600000 //< beyond is no estimate

#define RED "\033[31m"
#define PLAIN "\033[m"

// ---- what there is to say ----

/* In the order in which they are read, but for the bar, which comes first. */
enum part { COUNT, FAILED, RUNNING, WAITING, RATE, LEFT, COMMAND, BAR, PARTS };

// The last is dropped first.
static const enum part most_wanted_first[PARTS] = {
	COUNT, FAILED, RUNNING, WAITING, LEFT, COMMAND, RATE, BAR};

struct parts {
	struct text texts[PARTS]; //< COMMAND: only what is behind it, " (8s)"
	size_t cells[PARTS];      //< 0: not there. COMMAND: what it needs at the least
};

// How often in `period_ns`, rounded; 0 is less than once.
static uint64_t rate(const struct progress_state *state, int64_t period_ns)
{
	unsigned __int128 scaled = (unsigned __int128)state->done * (uint64_t)period_ns;
	uint64_t elapsed = (uint64_t)state->elapsed_ns;

	return scaled < elapsed ? 0 : (uint64_t)((scaled + elapsed / 2) / elapsed);
}

static void write_rate(struct text *text, const struct progress_state *state)
{
	static const struct {
		const char *name;
		int64_t ns;
	} periods[] = {
		{"s", LEAT_SECOND_NS},
		{"min", 60 * LEAT_SECOND_NS},
		{"h", 3600 * LEAT_SECOND_NS},
	};

	if (state->elapsed_ns < SETTLED_NS)
		return;
	for (size_t index = 0; index < sizeof periods / sizeof *periods; index++) {
		uint64_t times = rate(state, periods[index].ns);

		if (times) {
			text_format(text, "%" PRIu64 "/%s", times, periods[index].name);
			return;
		}
	}
}

static void write_left(struct text *text, const struct progress_state *state)
{
	unsigned __int128 left_ns, seconds;

	if (!state->known_is_total || !state->done || state->done >= state->known ||
		state->elapsed_ns < SETTLED_NS)
		return;
	left_ns = (unsigned __int128)(state->known - state->done) *
		  (uint64_t)state->elapsed_ns / state->done;
	seconds = (left_ns + LEAT_SECOND_NS - 1) / LEAT_SECOND_NS;
	if (seconds > LEFT_SECONDS_MOST)
		return;
	duration_append(text, (int64_t)seconds * LEAT_SECOND_NS);
	text_format(text, " left");
}

static void write_bar(
	struct text *text, const struct progress_state *state, unsigned columns)
{
	unsigned cells, full;

	if (columns < BAR_COLUMNS_LEAST || !state->known_is_total || !state->known)
		return;
	cells = columns / 6 - 1;
	if (cells > BAR_CELLS_MOST)
		cells = BAR_CELLS_MOST;
	// Rounded down: full is only what is done.
	full = state->done < state->known
		       ? (unsigned)((unsigned __int128)cells * state->done / state->known)
		       : cells;
	text_append(text, "[", 1);
	for (unsigned cell = 0; cell < cells; cell++)
		text_append(text, cell < full ? "=" : cell == full ? ">" : " ", 1);
	text_append(text, "] ", 2);
}

// Tenths of seconds would flicker.
static void write_behind_command(struct text *text, const struct progress_state *state)
{
	int64_t seconds = state->longest_ns / LEAT_SECOND_NS;

	if (!state->longest || seconds < 1)
		return;
	text_format(text, " (");
	duration_append(text, seconds * LEAT_SECOND_NS);
	text_format(text, ")");
}

// The parts that both kinds of line have.
static void write_common(struct parts *parts, const struct progress_state *state)
{
	struct text *texts = parts->texts;

	if (state->known_is_total)
		text_format(
			&texts[COUNT], "%" PRIu64 "/%" PRIu64, state->done, state->known);
	else
		text_format(&texts[COUNT], "%" PRIu64 " done", state->done);
	if (state->failed)
		text_format(&texts[FAILED], "%" PRIu64 " failed", state->failed);
	text_format(&texts[RUNNING], "%u running", state->running);
	if (state->waiting)
		cells_append_cut(&texts[WAITING], state->waiting, strlen(state->waiting),
			SIZE_MAX);
	write_rate(&texts[RATE], state);
	write_left(&texts[LEFT], state);
}

static void measure(struct parts *parts, const struct progress_state *state)
{
	for (enum part part = 0; part < PARTS; part++)
		parts->cells[part] = cells_of(
			parts->texts[part].bytes, parts->texts[part].length, SIZE_MAX);
	if (state->longest) {
		size_t cells = cells_of(
			state->longest, state->longest_length, COMMAND_CELLS_LEAST);

		parts->cells[COMMAND] +=
			cells < COMMAND_CELLS_LEAST ? cells : COMMAND_CELLS_LEAST;
	}
}

// With the ", " or ": " before it. The bar's text has its blank.
static size_t cells_needed(const struct parts *parts, enum part part)
{
	size_t separator = part == COUNT || part == BAR ? 0 : strlen(", ");

	return parts->cells[part] ? separator + parts->cells[part] : 0;
}

// Drop what there is no room for, and all that is less wanted. Returns the room left.
static size_t keep_what_fits(struct parts *parts, size_t room)
{
	bool full = false;

	for (size_t index = 0; index < PARTS; index++) {
		enum part part = most_wanted_first[index];
		size_t needed = cells_needed(parts, part);

		full = full || needed > room;
		if (full)
			parts->cells[part] = 0;
		else
			room -= needed;
	}
	return room;
}

static void append_part(
	struct text *line, const struct parts *parts, enum part part, const char *color)
{
	const struct text *text = &parts->texts[part];

	if (!parts->cells[part])
		return;
	if (part != COUNT && part != BAR)
		text_append(line, ", ", 2);
	text_append(line, color, strlen(color));
	text_append(line, text->bytes, text->length);
	if (*color)
		text_append(line, PLAIN, strlen(PLAIN));
}

static void append_common(struct text *line, const struct parts *parts, bool color)
{
	for (enum part part = COUNT; part <= LEFT; part++)
		append_part(line, parts, part, color && part == FAILED ? RED : "");
}

static void finish(struct parts *parts, struct text *line)
{
	for (enum part part = 0; part < PARTS; part++) {
		line->failed = line->failed || parts->texts[part].failed;
		text_finish(&parts->texts[part]);
	}
}

void progress_append_line(struct text *line, const struct progress_state *state,
	unsigned columns, bool color)
{
	struct parts parts = {0};
	const struct text *behind = &parts.texts[COMMAND];
	size_t rest;

	write_common(&parts, state);
	write_behind_command(&parts.texts[COMMAND], state);
	write_bar(&parts.texts[BAR], state, columns);
	measure(&parts, state);
	rest = keep_what_fits(&parts, columns ? columns - 1 : 0);
	text_append(line, "", 0); // where nothing fits: an empty string
	append_part(line, &parts, BAR, "");
	append_common(line, &parts, color);
	if (parts.cells[COMMAND]) {
		text_append(line, ": ", 2);
		cells_append_cut(line, state->longest, state->longest_length,
			rest + parts.cells[COMMAND] - behind->length);
		text_append(line, behind->bytes, behind->length);
	}
	finish(&parts, line);
}

void progress_append_plain(struct text *line, const struct progress_state *state)
{
	struct parts parts = {0};

	write_common(&parts, state);
	if (state->known_is_total)
		text_format(&parts.texts[COUNT], " done");
	measure(&parts, state);
	text_append(line, "leat: ", 6);
	append_common(line, &parts, false);
	text_append(line, "\n", 1);
	finish(&parts, line);
}

// ---- the thread ----

struct progress {
	struct progress_callbacks callbacks;
	int terminal_fd; //< -1: a log
	bool color;
	int64_t first_at;
	pthread_t thread;
	pthread_mutex_t lock; //< on `quit`
	pthread_cond_t wake;
	bool quit;
	struct progress_state logged; //< what the last line of the log said
	struct text longest, line;    //< used again and again
};

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * LEAT_SECOND_NS + time.tv_nsec;
}

static int64_t later(int64_t time, int64_t duration_ns)
{
	int64_t sum;

	return __builtin_add_overflow(time, duration_ns, &sum) ? LEAT_NEVER : sum;
}

// Whether that time came; else it is the end.
static bool wait_until(struct progress *progress, int64_t time)
{
	struct timespec until = {
		.tv_sec = time / LEAT_SECOND_NS, .tv_nsec = time % LEAT_SECOND_NS};
	int error = 0;
	bool quit;

	pthread_mutex_lock(&progress->lock);
	while (!progress->quit && error != ETIMEDOUT)
		error = pthread_cond_timedwait(&progress->wake, &progress->lock, &until);
	quit = progress->quit;
	pthread_mutex_unlock(&progress->lock);
	return !quit;
}

static unsigned columns_of(int terminal_fd)
{
	struct winsize size;

	if (ioctl(terminal_fd, TIOCGWINSZ, &size) < 0 || !size.ws_col)
		return COLUMNS_UNKNOWN;
	return size.ws_col;
}

// Neither the time that goes by nor a task that was read is news: nothing was done.
static bool is_news(const struct progress_state *state, const struct progress_state *last)
{
	return state->done != last->done || state->failed != last->failed ||
	       state->running != last->running ||
	       state->known_is_total != last->known_is_total ||
	       !state->waiting != !last->waiting;
}

static void draw(struct progress *progress)
{
	const struct progress_callbacks *callbacks = &progress->callbacks;
	struct text *longest = &progress->longest, *line = &progress->line;
	struct progress_state state = {0};

	longest->length = line->length = 0;
	longest->failed = line->failed = false;
	callbacks->snapshot(callbacks->argument, &state, longest);
	state.longest = longest->length ? longest->bytes : NULL;
	state.longest_length = longest->length;
	if (progress->terminal_fd >= 0)
		progress_append_line(
			line, &state, columns_of(progress->terminal_fd), progress->color);
	else if (is_news(&state, &progress->logged))
		progress_append_plain(line, &state);
	else
		return;
	progress->logged = state;
	if (!line->failed)
		callbacks->show(callbacks->argument, line);
}

static void *progress_main(void *argument)
{
	struct progress *progress = argument;
	int64_t interval_ns =
		progress->terminal_fd >= 0 ? PROGRESS_REDRAW_NS : PROGRESS_LOG_NS;
	int64_t next = progress->first_at;

	while (wait_until(progress, next)) {
		draw(progress);
		next = later(now(), interval_ns);
	}
	return NULL;
}

static int create_thread(struct progress *progress)
{
	sigset_t all, before;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = -pthread_create(&progress->thread, NULL, progress_main, progress);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error;
}

static void free_progress(struct progress *progress)
{
	pthread_cond_destroy(&progress->wake);
	pthread_mutex_destroy(&progress->lock);
	text_finish(&progress->longest);
	text_finish(&progress->line);
	free(progress);
}

int progress_start(struct progress **result, const struct progress_callbacks *callbacks,
	int terminal_fd, bool color, int64_t delay_ns)
{
	struct progress *progress = calloc(1, sizeof *progress);
	int error;

	if (!progress)
		return -ENOMEM;
	progress->callbacks = *callbacks;
	progress->terminal_fd = terminal_fd;
	progress->color = color;
	progress->first_at = later(now(), delay_ns);
	pthread_mutex_init(&progress->lock, NULL);
	error = moment_init_condition(&progress->wake);
	if (error) {
		free(progress);
		return error;
	}
	error = create_thread(progress);
	if (error) {
		free_progress(progress);
		return error;
	}
	*result = progress;
	return 0;
}

void progress_stop(struct progress *progress)
{
	if (!progress)
		return;
	pthread_mutex_lock(&progress->lock);
	progress->quit = true;
	pthread_cond_signal(&progress->wake);
	pthread_mutex_unlock(&progress->lock);
	pthread_join(progress->thread, NULL);
	free_progress(progress);
}
