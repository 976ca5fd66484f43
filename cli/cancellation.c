#include "cancellation.h"

#include <signal.h>

int cancellation_init(struct cancellation *cancellation, int64_t deadline_ns)
{
	int64_t deadline = LEAT_NEVER;
	int error = leat_context_create(&cancellation->kill, NULL, LEAT_NEVER);

	if (error)
		return error;
	if (__builtin_add_overflow(
		    leat_context_now(cancellation->kill), deadline_ns, &deadline))
		deadline = LEAT_NEVER;
	error = leat_context_create(
		&cancellation->terminate, cancellation->kill, deadline);
	if (error)
		goto destroy_kill;
	error = leat_context_create(
		&cancellation->intake, cancellation->terminate, LEAT_NEVER);
	if (error)
		goto destroy_terminate;
	pthread_mutex_init(&cancellation->lock, NULL);
	cancellation->level = LEVEL_NONE;
	cancellation->first_signal = 0;
	return 0;
destroy_terminate:
	leat_context_destroy(cancellation->terminate);
destroy_kill:
	leat_context_destroy(cancellation->kill);
	return error;
}

void cancellation_finish(struct cancellation *cancellation)
{
	pthread_mutex_destroy(&cancellation->lock);
	leat_context_destroy(cancellation->intake);
	leat_context_destroy(cancellation->terminate);
	leat_context_destroy(cancellation->kill);
}

enum level cancellation_raise(
	struct cancellation *cancellation, enum level entry, int cause)
{
	enum level level;

	pthread_mutex_lock(&cancellation->lock);
	level = cancellation->level + 1;
	if (level < entry)
		level = entry;
	if (level > LEVEL_KILL)
		level = LEVEL_KILL;
	cancellation->level = level;
	if (!cancellation->first_signal && cause < CAUSE_OUTPUT)
		cancellation->first_signal = cause;
	pthread_mutex_unlock(&cancellation->lock);
	leat_context_cancel(cancellation->intake, cause);
	return level;
}

void cancellation_enforce(struct cancellation *cancellation, enum level level, int cause)
{
	if (level == LEVEL_TERMINATE)
		leat_context_cancel(cancellation->terminate, cause);
	else if (level == LEVEL_KILL)
		leat_context_cancel(cancellation->kill, cause);
}

enum level cancellation_level(struct cancellation *cancellation)
{
	pthread_mutex_lock(&cancellation->lock);
	enum level level = cancellation->level;
	pthread_mutex_unlock(&cancellation->lock);
	return level;
}

int cancellation_first_signal(struct cancellation *cancellation)
{
	pthread_mutex_lock(&cancellation->lock);
	int number = cancellation->first_signal;
	pthread_mutex_unlock(&cancellation->lock);
	return number;
}

const char *cancellation_cause_name(int cause)
{
	switch (cause) {
	case SIGINT:
		return "SIGINT";
	case SIGTERM:
		return "SIGTERM";
	case SIGHUP:
		return "SIGHUP";
	case SIGQUIT:
		return "SIGQUIT";
	case CAUSE_DRAIN_TIMEOUT:
		return "drain timeout";
	case CAUSE_HALT:
		return "halt";
	case LEAT_CAUSE_DEADLINE:
		return "deadline";
	default:
		return "trouble";
	}
}
