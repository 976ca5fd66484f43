/* Start one program without an execve(2). */
#ifndef LEAT_PROCESS_WARM_H
#define LEAT_PROCESS_WARM_H

#include "guardian.h"
#include "spawn.h"

/** What leat_warm_spawn() returns where nothing was started. */
#define LEAT_COLD 1

/**
 * As leat_spawn(), but from spec->warm, by which there may be no other child at the time.
 * LEAT_COLD: it can't be done so, leat_spawn() is to do it; else 0. Blocks until the
 * child is about to run the program, or for a second where the server does not answer.
 * `ward` is the child's, or NULL.
 */
int leat_warm_spawn(const struct leat_spec *spec, const int fds[3],
	struct leat_ward *ward, struct leat_process *process);

/** After leat_warm_spawn() returned 0, when the child was reaped; or before, when it is
 * to be ended. `exited`: by itself. NULL: does nothing. */
void leat_warm_end(struct leat_warm *warm, bool exited);

#endif
