#include "clock.h"

#include "../leat.h"

#include <time.h>

int64_t leat_monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * LEAT_SECOND_NS + now.tv_nsec;
}

int64_t leat_time_add(int64_t a, int64_t b)
{
	int64_t sum;

	if (a == LEAT_NEVER || b == LEAT_NEVER || __builtin_add_overflow(a, b, &sum))
		return LEAT_NEVER;
	return sum;
}

void leat_clock_init(struct leat_clock *clock)
{
	atomic_init(&clock->sequence, 0);
	atomic_init(&clock->paused_at_ns, 0);
	atomic_init(&clock->lost_ns, 0);
}

int64_t leat_clock_now(const struct leat_clock *clock)
{
	for (;;) {
		unsigned before = atomic_load(&clock->sequence);
		int64_t paused_at_ns = atomic_load(&clock->paused_at_ns);
		int64_t lost_ns = atomic_load(&clock->lost_ns);
		int64_t now_ns = paused_at_ns ? paused_at_ns : leat_monotonic_ns();

		if (before % 2 == 0 && atomic_load(&clock->sequence) == before)
			return now_ns - lost_ns;
	}
}

void leat_clock_pause(struct leat_clock *clock)
{
	atomic_fetch_add(&clock->sequence, 1);
	atomic_store(&clock->paused_at_ns, leat_monotonic_ns());
	atomic_fetch_add(&clock->sequence, 1);
}

void leat_clock_resume(struct leat_clock *clock)
{
	atomic_fetch_add(&clock->sequence, 1);
	atomic_fetch_add(
		&clock->lost_ns, leat_monotonic_ns() - atomic_load(&clock->paused_at_ns));
	atomic_store(&clock->paused_at_ns, 0);
	atomic_fetch_add(&clock->sequence, 1);
}
