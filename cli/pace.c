#include "pace.h"

#include <errno.h>
#include <poll.h>

void pace_init(struct pace *pace, int64_t delay_ns)
{
	*pace = (struct pace){.delay_ns = delay_ns};
	pthread_mutex_init(&pace->lock, NULL);
}

void pace_finish(struct pace *pace)
{
	pthread_mutex_destroy(&pace->lock);
}

// When the caller may start.
static int64_t take_turn(struct pace *pace, int64_t now)
{
	int64_t turn;

	pthread_mutex_lock(&pace->lock);
	turn = pace->next_ns > now ? pace->next_ns : now;
	pace->next_ns = turn + pace->delay_ns;
	pthread_mutex_unlock(&pace->lock);
	return turn;
}

int pace_wait(struct pace *pace, struct leat_context *context)
{
	struct pollfd polled = {.fd = -1, .events = POLLIN};
	int64_t turn, left;

	if (!pace->delay_ns)
		return 0;
	turn = take_turn(pace, leat_context_now(context));
	polled.fd = leat_context_wake_fd(context);
	while ((left = turn - leat_context_now(context)) > 0) {
		if (leat_context_cause(context))
			return -ECANCELED;
		poll(&polled, 1,
			left < LEAT_SECOND_NS ? (int)(left / 1000000 + 1) : 1000);
	}
	return leat_context_cause(context) ? -ECANCELED : 0;
}
