#include "moment.h"

#include "leat.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int64_t moment_monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * LEAT_SECOND_NS + now.tv_nsec;
}

int moment_init_condition(pthread_cond_t *condition)
{
	pthread_condattr_t attributes;
	int error = -pthread_condattr_init(&attributes);

	if (error)
		return error;
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	error = -pthread_cond_init(condition, &attributes);
	pthread_condattr_destroy(&attributes);
	return error;
}

int64_t moment_wall_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

void moment_format(char text[MOMENT_BYTES], int64_t wall_us, char separator)
{
	time_t seconds = wall_us / 1000000;
	char date[16] = "", time[16] = "";
	struct tm tm = {0};

	if (!gmtime_r(&seconds, &tm) || !strftime(date, sizeof date, "%F", &tm))
		snprintf(date, sizeof date, "?");
	strftime(time, sizeof time, "%T", &tm);
	snprintf(text, MOMENT_BYTES, "%s%c%s.%06d", date, separator, time,
		(int)(wall_us % 1000000));
}

int64_t moment_parse(const char *text)
{
	struct tm tm = {0};
	const char *fraction = strptime(text, "%Y-%m-%d %H:%M:%S.", &tm);

	return fraction ? timegm(&tm) * INT64_C(1000000) + atoi(fraction) : 0;
}
