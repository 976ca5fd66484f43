#include "spare.h"

#include "../base/sync.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

static void *spare_main(void *argument)
{
	struct leat_spare *spare = argument;

	spare->tid = (pid_t)syscall(SYS_gettid);
	while (sem_wait(&spare->over) < 0 && errno == EINTR)
		;
	return NULL;
}

int leat_spare_hold(struct leat_spare *spare)
{
	int error;

	if (spare->held || spare->gone)
		return spare->held ? 0 : -ESHUTDOWN;
	sem_init(&spare->over, 0, 0);
	error = leat_thread_start(&spare->thread, spare_main, spare);
	spare->held = !error;
	if (error)
		sem_destroy(&spare->over);
	return error;
}

void leat_spare_finish(struct leat_spare *spare)
{
	if (!spare->held)
		return;
	sem_post(&spare->over);
	pthread_join(spare->thread, NULL);
	sem_destroy(&spare->over);
	spare->held = false;
	spare->gone = true;
}

void leat_spare_let_go(struct leat_spare *spare)
{
	if (!spare->held)
		return;
	leat_spare_finish(spare);
	leat_thread_await_burial(spare->tid);
}
