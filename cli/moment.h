/* Points in time. */
#ifndef LEAT_CLI_MOMENT_H
#define LEAT_CLI_MOMENT_H

#include <pthread.h>
#include <stdint.h>

/** CLOCK_MONOTONIC in nanoseconds: for what is measured, and waited for. */
int64_t moment_monotonic_ns(void);

/** pthread_cond_init(3) with waits on CLOCK_MONOTONIC. Returns 0 or a negative errno. */
int moment_init_condition(pthread_cond_t *condition);

/** CLOCK_REALTIME in microseconds since the epoch: for what is told. */
int64_t moment_wall_us(void);

#define MOMENT_BYTES 48

/** `wall_us` in UTC, "2026-11-21T11:30:15.757680" with 'T' for the separator. */
void moment_format(char text[MOMENT_BYTES], int64_t wall_us, char separator);

/** The point in time that was formatted with ' '; 0: it is none. */
int64_t moment_parse(const char *text);

#endif
