/* Points in time. */
#ifndef LEAT_CLI_MOMENT_H
#define LEAT_CLI_MOMENT_H

#include <stdint.h>

/** CLOCK_MONOTONIC in nanoseconds: for what is measured, and waited for. */
int64_t moment_monotonic_ns(void);

/** CLOCK_REALTIME in microseconds since the epoch: for what is told. */
int64_t moment_wall_us(void);

#endif
