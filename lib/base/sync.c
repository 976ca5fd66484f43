#include "sync.h"

#include "../leat.h"

#include <time.h>

int leat_cond_init(pthread_cond_t *condition)
{
	pthread_condattr_t attributes;
	int error = pthread_condattr_init(&attributes);

	if (error)
		return -error;
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	error = pthread_cond_init(condition, &attributes);
	pthread_condattr_destroy(&attributes);
	return -error;
}

void leat_cond_wait(pthread_cond_t *condition, pthread_mutex_t *lock, int64_t until_ns)
{
	struct timespec until = {
		.tv_sec = until_ns / LEAT_SECOND_NS,
		.tv_nsec = until_ns % LEAT_SECOND_NS,
	};

	if (until_ns == LEAT_NEVER)
		pthread_cond_wait(condition, lock);
	else
		pthread_cond_timedwait(condition, lock, &until);
}
