/* Starts that wait: one for another (--delay), and all for room on the machine. */
#ifndef LEAT_CLI_ROOM_H
#define LEAT_CLI_ROOM_H

#include "jobserver.h"
#include "leat.h"
#include "measure.h"

#include <stdbool.h>

/** Where to stop: memory at the least, all else at the most. */
struct limit {
	const char *option; //< that gave it; NULL: there is no such limit
	double value;
	bool percent; //< of the whole
};

struct room_settings {
	const struct limit *limits;  //< MEASURES of them
	int64_t delay_ns;            //< from one start to the next; 0: none
	const char *root;            //< as for measure()
	struct jobserver *jobserver; //< a start takes a token of it, too; or NULL
	struct leat_context *intake; //< at its end nothing starts; outlives the room
};

struct room;

/**
 * Whether all that is limited can be measured; else a message names the option and the
 * file, and it returns a negative errno.
 */
int room_check(const struct limit *limits, const char *root);

/** *result is NULL where no start waits for anything. Errors: -ENOMEM, -EAGAIN. */
int room_create(struct room **result, const struct room_settings *settings);

/** Nobody is in it or waits. NULL: does nothing. */
void room_destroy(struct room *room);

/**
 * Wait until one more may start, and there is a token for it where there is a jobserver;
 * first come, first served. Where none runs, there is room whatever was measured. Returns
 * 0, and when it has ended jobserver_leave() is due, then room_leave(); or -ECANCELED
 * once the intake has ended; -ENOMEM, -EAGAIN; then *token is none. With NULL: 0 at once,
 * and no token.
 */
int room_enter(struct room *room, int *token);
void room_leave(struct room *room);

#define ROOM_WORDS_BYTES 120

/**
 * Say what is waited for, as "waiting for load 7.9 (max 4)". False: nobody waits, or
 * not for anything measured.
 */
bool room_waits_for(struct room *room, char words[ROOM_WORDS_BYTES]);

#endif
