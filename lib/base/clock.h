/* A monotonic clock that can be paused. */
#ifndef LEAT_BASE_CLOCK_H
#define LEAT_BASE_CLOCK_H

#include <stdatomic.h>
#include <stdint.h>

/**
 * Reads are lock-free: a sequence number is odd while the clock is being changed,
 * and a reader that saw it move reads again. One thread at a time may change it.
 */
struct leat_clock {
	atomic_uint sequence;
	_Atomic int64_t paused_at_ns; //< CLOCK_MONOTONIC when it was paused, 0: it runs
	_Atomic int64_t lost_ns;      //< time that passed while it was paused
};

void leat_clock_init(struct leat_clock *clock);

/** CLOCK_MONOTONIC less the time that the clock was paused. */
int64_t leat_clock_now(const struct leat_clock *clock);

void leat_clock_pause(struct leat_clock *clock);
void leat_clock_resume(struct leat_clock *clock);

/** CLOCK_MONOTONIC in nanoseconds. */
int64_t leat_monotonic_ns(void);

/** `a + b` for times, LEAT_NEVER where either is, or where it would overflow. */
int64_t leat_time_add(int64_t a, int64_t b);

#endif
