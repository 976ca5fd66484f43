/* The thread that starts what is to outlive its starter. */
#ifndef LEAT_PROCESS_NURSE_H
#define LEAT_PROCESS_NURSE_H

#include "spawn.h"

struct leat_nurse;

/** Starts no thread yet. Errors: -ENOMEM. */
int leat_nurse_create(struct leat_nurse **result);

/** No leat_nurse_spawn() may be under way. */
void leat_nurse_destroy(struct leat_nurse *nurse);

/** As leat_spawn(), by the nurse's thread. Blocks until that has returned. Errors: also
 * -EAGAIN, where there can be no thread, or it was dismissed. */
int leat_nurse_spawn(struct leat_nurse *nurse, const struct leat_spec *spec,
	const int fds[3], const struct leat_inheritance *inheritance,
	struct leat_process *process);

/** Start nothing any more; nothing that it started may be left. Does not block. True,
 * once: there is a thread, and leat_nurse_await_end() is due. */
bool leat_nurse_dismiss(struct leat_nurse *nurse);

/** Returns when the thread's place among the processes is free. */
void leat_nurse_await_end(struct leat_nurse *nurse);

#endif
