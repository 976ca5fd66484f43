/* A thread that does nothing. Where threads and processes are few, it keeps one place. */
#ifndef LEAT_POOL_SPARE_H
#define LEAT_POOL_SPARE_H

#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <sys/types.h>

/** Zero: there is none yet. Its owner sees to it that one thread at a time uses it. */
struct leat_spare {
	pthread_t thread;
	pid_t tid;
	sem_t over;
	bool held;
	bool gone; //< it was let go: there is to be no other
};

/** Start it where it is not there. Errors: -EAGAIN, -ENOMEM; -ESHUTDOWN once it is gone.
 */
int leat_spare_hold(struct leat_spare *spare);

/** End it, if it is there. Returns when its place is free. */
void leat_spare_let_go(struct leat_spare *spare);

/** The same, but does not wait so long. */
void leat_spare_finish(struct leat_spare *spare);

#endif
