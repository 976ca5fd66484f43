/* Where one of a task's two streams goes: into a capture, and from there to a channel. */
#ifndef LEAT_CLI_SINK_H
#define LEAT_CLI_SINK_H

#include "channel.h"
#include "message.h"

#include <stdatomic.h>

/**
 * What is told of output, by the thread that found out. It may call output_notice(), and
 * nothing else of output.h.
 */
struct output_events {
	void *argument;
	// A stream can't be written any more.
	void (*broken)(void *argument, const char *stream, int error);
	// A task's output could not be kept until it could be written.
	void (*lost)(void *argument, uint64_t sequence, int error);
	// What a task wrote has been written, all of it (`whole`) or not; may be NULL.
	void (*delivered)(void *argument, void *receipt, bool whole);
	// A line of leat's own, to be changed as where it goes demands; may be NULL.
	void (*guard)(void *argument, struct text *line);
};

/** Belongs to the thread that runs the task, or has taken over its output. */
struct sink {
	struct leat_stream stream; //< what the runner of the child is given
	struct task_output *task;
	struct channel *channel;
	struct channel *beside; //< the other one where both are one file; else NULL
	atomic_bool *broken;    //< the channel is; for who has not got it
	atomic_ullong *moved;   //< bytes that all sinks have written
	const struct output_events *events;
	struct leat_capture *capture; //< NULL: as if empty
	const struct text *tag;       //< before each line; empty: none
	uint64_t sequence;            //< the task's
	bool *is_lost;                //< some of what the task wrote, which was told
	bool by_lines;                //< whole lines are sent, a begun one is kept
	bool uses_files;              //< the capture is to hold everything
	bool guarded;                 //< by guard.h, which has found in the channel:
	unsigned *matched;
	bool splices; //< bytes may go without a copy, as far as is known

	size_t tail_bytes; //< so much of its end is to be known; 0: nothing
	struct text tail;
	uint64_t tailed; //< of what is in the capture, what is in the tail or before it

	uint64_t written;   //< of what is in the capture
	uint64_t whole;     //< by lines: so much of it are whole lines
	struct text tagged; //< made of what counts as written, and still to be written
	size_t tagged_written;
	bool line_begun;     //< what was tagged ends within a line
	bool sending;        //< by lines: some of what is to go out at once has gone
	bool deepened;       //< its pipe was made larger
	int64_t gathered_ns; //< when the last sink_gather() ended
};

/** How many bytes are in the capture; whether some of them are still to be written. */
uint64_t sink_size(const struct sink *sink);
bool sink_has_more(const struct sink *sink);

/**
 * With the channel, and the one beside: what another begun line wants before this one's
 * lines; to be called before the first sink_send() of what is to stand together.
 */
void sink_begin_sending(struct sink *sink);

/**
 * With the channel: write what is in the capture up to `limit`. Returns 0; without
 * patience -EAGAIN where the channel takes no more now; or an error, of the channel or
 * in reading back, which was told.
 */
int sink_send(struct sink *sink, uint64_t limit, bool patient);

/** Tell that something of what the task wrote is lost, once for the task. */
void sink_lose(struct sink *sink, int error);

/** Have the tail be the end of what is in the capture up to `limit`, and was before. */
void sink_note_tail(struct sink *sink, uint64_t limit);

/** With the channel: tell of its error, if it has one, once. */
void sink_check_channel(struct sink *sink);

/** All is written: the capture is emptied, unless it is to hold everything. */
void sink_forget_written(struct sink *sink);

/** All but a begun line is written: that moves to the front. */
void sink_keep_begun_line(struct sink *sink);

/** Be called also when `fd` is ready for `events`. */
void sink_watch(struct sink *sink, int fd, short events);

/** Have the child wait until `fd` is ready for `events`, and then go on. Returns -EAGAIN.
 */
ssize_t sink_pause(struct sink *sink, int fd, short events);
ssize_t sink_pause_for_channel(struct sink *sink);
void sink_go_on(struct sink *sink);

/**
 * To be called before much is taken from `fd`: has the child's pipe hold more, and where
 * the last time was just now and brought little, lets some more come, for less than a
 * tenth of a millisecond: small pieces cost most.
 */
void sink_gather(struct sink *sink, int fd);

#endif
