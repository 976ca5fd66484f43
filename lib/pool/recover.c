/*
 * Panic and defer.
 *
 * A job runs above a landing, set by setjmp(3) in call_job(). leat_panic() notes
 * the message and the backtrace while the panicking frames still stand, then jumps
 * to the landing. From there the deferred functions are called in reverse order,
 * each above a landing of its own (call_deferred), so that one that panics does
 * not keep the others from being called. All of it happens in the worker's
 * thread, so there is nothing to lock.
 */
#include "recover.h"

#include <errno.h>
#include <execinfo.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static void call_job(struct leat_recover *recover, struct leat_worker *worker,
	const struct leat_job *job)
{
	jmp_buf landing;

	recover->landing = &landing;
	if (!setjmp(landing))
		job->run(worker, job->argument);
}

static void call_deferred(
	struct leat_recover *recover, const struct leat_deferred *deferred)
{
	jmp_buf landing;

	recover->landing = &landing;
	if (!setjmp(landing))
		deferred->call(deferred->argument);
}

void leat_recover_run(struct leat_recover *recover, struct leat_worker *worker,
	const struct leat_job *job, struct leat_completion *completion)
{
	recover->deferred = NULL;
	recover->panicked = false;
	recover->backtrace_length = 0;
	call_job(recover, worker, job);
	while (recover->deferred) {
		struct leat_deferred *deferred = recover->deferred;

		recover->deferred = deferred->next;
		call_deferred(recover, deferred);
		free(deferred);
	}
	recover->landing = NULL;
	*completion = (struct leat_completion){
		.end = recover->panicked ? LEAT_JOB_PANICKED : LEAT_JOB_DONE,
		.message = recover->panicked ? recover->text : NULL,
		.backtrace = recover->backtrace,
		.backtrace_length = recover->backtrace_length,
	};
}

void leat_panic(struct leat_worker *worker, const char *format, ...)
{
	struct leat_recover *recover = leat_worker_recover(worker);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(recover->text, sizeof recover->text, format, arguments);
	va_end(arguments);
	recover->panicked = true;
	recover->backtrace_length = backtrace(recover->backtrace, LEAT_PANIC_DEPTH);
	longjmp(*recover->landing, 1);
}

int leat_defer(struct leat_worker *worker, leat_deferred_fn call, void *argument)
{
	struct leat_recover *recover = leat_worker_recover(worker);
	struct leat_deferred *deferred = malloc(sizeof *deferred);

	if (!deferred)
		return -ENOMEM;
	*deferred = (struct leat_deferred){recover->deferred, call, argument};
	recover->deferred = deferred;
	return 0;
}
