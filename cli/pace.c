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

// For poll(2), which knows nothing of the deadline.
static int milliseconds_until(int64_t turn, struct leat_context *context)
{
	int64_t deadline = leat_context_deadline(context);
	int64_t left = (turn < deadline ? turn : deadline) - leat_context_now(context);

	if (left <= 0)
		return 0;
	return left < LEAT_SECOND_NS ? (int)(left / 1000000 + 1) : 1000;
}

int pace_wait(struct pace *pace, struct leat_context *context)
{
	struct pollfd polled = {.fd = -1, .events = POLLIN};
	int64_t turn;

	if (!pace->delay_ns)
		return 0;
	turn = take_turn(pace, leat_context_now(context));
	polled.fd = leat_context_wake_fd(context);
	while (!leat_context_cause(context) && leat_context_now(context) < turn)
		poll(&polled, 1, milliseconds_until(turn, context));
	return leat_context_cause(context) ? -ECANCELED : 0;
}
