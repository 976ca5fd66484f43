/* No more than one start in so much time. */
#ifndef LEAT_CLI_PACE_H
#define LEAT_CLI_PACE_H

#include "leat.h"

#include <pthread.h>

struct pace {
	pthread_mutex_t lock;
	int64_t delay_ns, next_ns;
};

/** `delay_ns` 0: as fast as can be. */
void pace_init(struct pace *pace, int64_t delay_ns);
void pace_finish(struct pace *pace);

/** Wait for the caller's turn. Returns 0, or -ECANCELED once `context` has ended. */
int pace_wait(struct pace *pace, struct leat_context *context);

#endif
