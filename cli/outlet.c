/*
 * A notice does not wait: it joins the others in `notices`. Whoever has standard error
 * writes them before giving it back; where nobody has it, the notice's own thread takes
 * it for that. So a notice goes out at once even while the reader of standard output
 * sleeps. The reader of standard error may sleep, too, and who gives notice may be the
 * thread that receives signals: then a thread is started, the crier, which waits for the
 * reader and gives standard error back.
 *
 * The status line is erased by whoever takes standard error, or begins with standard
 * output where that is the same terminal, and is drawn again by whoever gives it back.
 * It is not drawn behind a line that has been begun.
 */
#include "outlet.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

#define ERASE_LINE "\r\033[K"

void outlet_open(struct outlet *outlet, int give_up_fd)
{
	channel_open(&outlet->out, "standard output", STDOUT_FILENO, give_up_fd);
	channel_open(&outlet->err, "standard error", STDERR_FILENO, give_up_fd);
	outlet->same_file = channel_is_same_file(&outlet->out, &outlet->err);
	outlet->shares_display = outlet->same_file && isatty(STDERR_FILENO);
	pthread_mutex_init(&outlet->lock, NULL);
	pthread_cond_init(&outlet->free, NULL);
}

void outlet_close(struct outlet *outlet)
{
	if (outlet->has_crier)
		pthread_join(outlet->crier, NULL);
	channel_close(&outlet->out);
	channel_close(&outlet->err);
	pthread_cond_destroy(&outlet->free);
	pthread_mutex_destroy(&outlet->lock);
	text_finish(&outlet->notices);
	text_finish(&outlet->status);
}

// With standard error taken.
static void erase_status(struct outlet *outlet)
{
	if (!outlet->status_shown)
		return;
	channel_write(&outlet->err, ERASE_LINE, strlen(ERASE_LINE));
	outlet->err.line_begun = outlet->status_shown = false;
}

void outlet_take_err(struct outlet *outlet)
{
	pthread_mutex_lock(&outlet->lock);
	while (outlet->err_taken)
		pthread_cond_wait(&outlet->free, &outlet->lock);
	outlet->err_taken = true;
	pthread_mutex_unlock(&outlet->lock);
	erase_status(outlet);
}

bool outlet_try_err(struct outlet *outlet)
{
	bool taken;

	pthread_mutex_lock(&outlet->lock);
	taken = outlet->err_taken;
	outlet->err_taken = true;
	pthread_mutex_unlock(&outlet->lock);
	if (!taken)
		erase_status(outlet);
	return !taken;
}

void outlet_end_line(struct outlet *outlet)
{
	if (outlet->err.line_begun || (outlet->same_file && outlet->out.line_begun))
		channel_write(&outlet->err, "\n", 1);
	if (outlet->same_file)
		outlet->out.line_begun = false;
}

// With standard error taken, and the lock, which it lets go meanwhile. What is taken out
// of `waiting` is written.
static void write_out(struct outlet *outlet, struct text *waiting)
{
	struct text bytes = *waiting;
	bool in_a_line = outlet->out_busy;

	*waiting = (struct text){0};
	pthread_mutex_unlock(&outlet->lock);
	erase_status(outlet);
	if (!in_a_line)
		outlet_end_line(outlet);
	channel_write(&outlet->err, bytes.bytes, bytes.length);
	text_finish(&bytes);
	pthread_mutex_lock(&outlet->lock);
}

// With the lock.
static bool has_room_for_status(const struct outlet *outlet)
{
	if (outlet->shares_display && (outlet->out_busy || outlet->out.line_begun))
		return false;
	return !outlet->err.line_begun && !outlet->status_shown && outlet->status.length;
}

// With standard error taken, and the lock, which it lets go meanwhile.
static void draw_status(struct outlet *outlet)
{
	struct text copy = {0};

	text_format(&copy, "\r%s\033[K", outlet->status.bytes);
	write_out(outlet, &copy);
	outlet->err.line_begun = false; // it is no line of anybody's
	outlet->status_shown = true;
}

// With the lock. What a pipe that is ready takes whole.
static bool is_taken_at_once(const struct outlet *outlet)
{
	return channel_is_ready(&outlet->err) &&
	       outlet->notices.length + outlet->status.length <= PIPE_BUF / 2;
}

static void *crier_main(void *argument)
{
	outlet_give_err_back(argument);
	return NULL;
}

// With the lock, and standard error taken, as any former crier has given it back.
static bool hand_to_crier(struct outlet *outlet)
{
	if (outlet->has_crier)
		pthread_join(outlet->crier, NULL);
	outlet->has_crier = pthread_create(&outlet->crier, NULL, crier_main, outlet) == 0;
	return outlet->has_crier;
}

// With the lock, which it lets go meanwhile. Without the means for a crier, what waits is
// left to who takes standard error next.
static void give_back(struct outlet *outlet, bool patient)
{
	while (outlet->notices.length || has_room_for_status(outlet)) {
		if (!patient && !is_taken_at_once(outlet)) {
			if (hand_to_crier(outlet))
				return;
			break;
		}
		if (outlet->notices.length)
			write_out(outlet, &outlet->notices);
		else
			draw_status(outlet);
	}
	outlet->err_taken = false;
	pthread_cond_broadcast(&outlet->free);
}

void outlet_give_err_back(struct outlet *outlet)
{
	pthread_mutex_lock(&outlet->lock);
	give_back(outlet, true);
	pthread_mutex_unlock(&outlet->lock);
}

void outlet_notice(struct outlet *outlet, const struct text *line)
{
	bool taken;

	pthread_mutex_lock(&outlet->lock);
	text_append(&outlet->notices, line->bytes, line->length);
	taken = outlet->err_taken;
	outlet->err_taken = true;
	if (!taken)
		give_back(outlet, false);
	pthread_mutex_unlock(&outlet->lock);
}

void outlet_line(struct outlet *outlet, const struct text *line)
{
	outlet_take_err(outlet);
	pthread_mutex_lock(&outlet->lock);
	text_append(&outlet->notices, line->bytes, line->length);
	give_back(outlet, true);
	pthread_mutex_unlock(&outlet->lock);
}

void outlet_settle(struct outlet *outlet)
{
	outlet_take_err(outlet);
	outlet_give_err_back(outlet);
}

void outlet_set_status(struct outlet *outlet, const struct text *status)
{
	bool taken;

	pthread_mutex_lock(&outlet->lock);
	outlet->status.length = 0;
	if (status)
		text_append(&outlet->status, status->bytes, status->length);
	taken = outlet->err_taken;
	outlet->err_taken = true;
	pthread_mutex_unlock(&outlet->lock);
	if (taken)
		return; // who has it draws it
	if (!status)
		erase_status(outlet);
	outlet->status_shown = false; // what is drawn over it is erased up to its end
	outlet_give_err_back(outlet);
}

static void set_out_busy(struct outlet *outlet, bool busy)
{
	bool concerned;

	if (!outlet->same_file)
		return;
	pthread_mutex_lock(&outlet->lock);
	concerned = outlet->out_busy != busy && outlet->status.length > 0;
	outlet->out_busy = busy;
	pthread_mutex_unlock(&outlet->lock);
	if (!concerned)
		return;
	outlet_take_err(outlet);      // erases it
	outlet_give_err_back(outlet); // draws it where there is room
}

void outlet_begin_out(struct outlet *outlet)
{
	set_out_busy(outlet, true);
}

void outlet_end_out(struct outlet *outlet)
{
	set_out_busy(outlet, false);
}
