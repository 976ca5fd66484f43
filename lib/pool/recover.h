/* One run of a job: what a panic unwinds. */
#ifndef LEAT_POOL_RECOVER_H
#define LEAT_POOL_RECOVER_H

#include "../leat.h"

#include <setjmp.h>

#define LEAT_PANIC_TEXT 256
#define LEAT_PANIC_DEPTH 32

struct leat_deferred {
	struct leat_deferred *next;
	leat_deferred_fn call;
	void *argument;
};

struct leat_recover {
	jmp_buf *landing; //< where a panic goes on: in the job or in a deferred function
	struct leat_deferred *deferred; //< the last deferred first
	bool panicked;
	char text[LEAT_PANIC_TEXT];
	void *backtrace[LEAT_PANIC_DEPTH];
	int backtrace_length;
};

/**
 * Run `job` in `worker`, then what it deferred, and fill in `completion`, whose
 * pointers lead into `recover`.
 */
void leat_recover_run(struct leat_recover *recover, struct leat_worker *worker,
	const struct leat_job *job, struct leat_completion *completion);

/** Where pool.c keeps the run that `worker` is in the middle of. */
struct leat_recover *leat_worker_recover(struct leat_worker *worker);

#endif
