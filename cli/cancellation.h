/* The three levels of cancellation. */
#ifndef LEAT_CLI_CANCELLATION_H
#define LEAT_CLI_CANCELLATION_H

#include "leat.h"

#include <pthread.h>

enum level {
	LEVEL_NONE,
	LEVEL_DRAIN,     //< no task is started any more
	LEVEL_TERMINATE, //< running ones get SIGTERM, later SIGKILL
	LEVEL_KILL,      //< running ones get SIGKILL
};

/** Causes of the contexts' ends that are no signal numbers. */
enum { CAUSE_OUTPUT = 1000, CAUSE_DRAIN_TIMEOUT, CAUSE_HALT };

/**
 * Each level ends a context, and with it those below: kill is above terminate is
 * above intake. The run's deadline is the terminate context's.
 */
struct cancellation {
	struct leat_context *kill, *terminate, *intake;
	pthread_mutex_t lock;
	enum level level;
	int first_signal; //< 0: none came
};

/** Errors: -ENOMEM. */
int cancellation_init(struct cancellation *cancellation, int64_t deadline_ns);
void cancellation_finish(struct cancellation *cancellation);

/**
 * Go to level `entry`, or one up from the present level, whichever is more. `cause`
 * is a signal's number or a CAUSE. Returns the level reached, of which only the intake's
 * end has come about. Never blocks.
 */
enum level cancellation_raise(
	struct cancellation *cancellation, enum level entry, int cause);

/** The rest of what that level ends. Never blocks. */
void cancellation_enforce(struct cancellation *cancellation, enum level level, int cause);

enum level cancellation_level(struct cancellation *cancellation);

/** What a machine is told of a cause: "SIGINT", "halt", "deadline". */
const char *cancellation_cause_name(int cause);

int cancellation_first_signal(struct cancellation *cancellation);

#endif
