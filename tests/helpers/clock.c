/*
 * Preloaded (LD_PRELOAD): the time of day jumps by up to a month with each look at it,
 * back and forth, as if somebody set it all the time; the monotonic clock is as it is.
 * Who looks at the clock that runs on while the machine sleeps dies.
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define MONTH_SECONDS (30 * 24 * 3600L)

static long jump(void)
{
	static atomic_ulong looks;
	unsigned long look = atomic_fetch_add(&looks, 1);

	return (long)(look * 2654435761UL % (2 * MONTH_SECONDS)) - MONTH_SECONDS;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
	int result = (int)syscall(SYS_clock_gettime, clock, now);

	if (clock == CLOCK_BOOTTIME || clock == CLOCK_BOOTTIME_ALARM)
		abort();
	if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)
		now->tv_sec += jump();
	return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
	struct timespec time;

	(void)zone;
	clock_gettime(CLOCK_REALTIME, &time);
	now->tv_sec = time.tv_sec;
	now->tv_usec = time.tv_nsec / 1000;
	return 0;
}

time_t time(time_t *result)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (result)
		*result = now.tv_sec;
	return now.tv_sec;
}
