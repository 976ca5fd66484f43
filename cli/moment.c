#include "moment.h"

#include "leat.h"

#include <time.h>

int64_t moment_monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * LEAT_SECOND_NS + now.tv_nsec;
}

int64_t moment_wall_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}
