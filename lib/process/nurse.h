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
 * -EAGAIN, where there can be no thread. */
int leat_nurse_spawn(struct leat_nurse *nurse, const struct leat_spec *spec,
	const int fds[3], const struct leat_inheritance *inheritance,
	struct leat_process *process);

#endif
