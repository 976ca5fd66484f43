/*
 * A thread that starts programs, and lives as long as the family, or until its place is
 * wanted.
 *
 * A child is a child of the thread that started it. When that ends, the kernel hands the
 * child to another thread of the process, the main one as a rule; and what the main
 * thread has for children is reaped as orphans. Warm programs outlive the worker that
 * needed them first, and what they start is a child of that same thread (CLONE_PARENT).
 * So neither a worker nor the main thread starts them.
 *
 * A start is the caller's memory, in a list until `done`. The lock guards the list,
 * `done` and `stopping`; the thread lets go of it while it starts a program. `wanted`
 * wakes the thread, `finished` all who wait for a start of theirs. The thread begins with
 * the first start and ends when it is dismissed, when nobody waits and nothing is left
 * that it started; then there is no other.
 */
#include "nurse.h"

#include "../base/sync.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

struct start {
	const struct leat_spec *spec;
	const int *fds;
	const struct leat_inheritance *inheritance;
	struct leat_process *process;
	int error;
	bool done;
	struct start *next;
};

struct leat_nurse {
	pthread_mutex_t lock;
	pthread_cond_t wanted, finished;
	struct start *starts;
	pthread_t thread;
	pid_t tid;
	bool has_thread, stopping;
};

int leat_nurse_create(struct leat_nurse **result)
{
	struct leat_nurse *nurse = calloc(1, sizeof *nurse);

	if (!nurse)
		return -ENOMEM;
	pthread_mutex_init(&nurse->lock, NULL);
	pthread_cond_init(&nurse->wanted, NULL);
	pthread_cond_init(&nurse->finished, NULL);
	*result = nurse;
	return 0;
}

static void *nurse_main(void *argument)
{
	struct leat_nurse *nurse = argument;

	pthread_mutex_lock(&nurse->lock);
	nurse->tid = (pid_t)syscall(SYS_gettid);
	while (!nurse->stopping) {
		struct start *start = nurse->starts;

		if (!start) {
			pthread_cond_wait(&nurse->wanted, &nurse->lock);
			continue;
		}
		nurse->starts = start->next;
		pthread_mutex_unlock(&nurse->lock);
		start->error = leat_spawn(
			start->spec, start->fds, start->inheritance, start->process);
		pthread_mutex_lock(&nurse->lock);
		start->done = true;
		pthread_cond_broadcast(&nurse->finished);
	}
	pthread_mutex_unlock(&nurse->lock);
	return NULL;
}

// With the lock.
static int need_thread(struct leat_nurse *nurse)
{
	int error;

	if (nurse->stopping)
		return -EAGAIN;
	if (nurse->has_thread)
		return 0;
	error = leat_thread_start(&nurse->thread, nurse_main, nurse);
	nurse->has_thread = !error;
	return error;
}

int leat_nurse_spawn(struct leat_nurse *nurse, const struct leat_spec *spec,
	const int fds[3], const struct leat_inheritance *inheritance,
	struct leat_process *process)
{
	struct start start = {spec, fds, inheritance, process, 0, false, NULL};
	int error;

	pthread_mutex_lock(&nurse->lock);
	error = need_thread(nurse);
	if (!error) {
		start.next = nurse->starts;
		nurse->starts = &start;
		pthread_cond_signal(&nurse->wanted);
	}
	while (!error && !start.done)
		pthread_cond_wait(&nurse->finished, &nurse->lock);
	pthread_mutex_unlock(&nurse->lock);
	return error ? error : start.error;
}

bool leat_nurse_dismiss(struct leat_nurse *nurse)
{
	bool leaves;

	pthread_mutex_lock(&nurse->lock);
	leaves = nurse->has_thread && !nurse->stopping;
	nurse->stopping = true;
	pthread_cond_signal(&nurse->wanted);
	pthread_mutex_unlock(&nurse->lock);
	return leaves;
}

void leat_nurse_await_end(struct leat_nurse *nurse)
{
	pthread_join(nurse->thread, NULL);
	leat_thread_await_burial(nurse->tid);
}

void leat_nurse_destroy(struct leat_nurse *nurse)
{
	if (!nurse)
		return;
	if (leat_nurse_dismiss(nurse))
		pthread_join(nurse->thread, NULL);
	pthread_cond_destroy(&nurse->finished);
	pthread_cond_destroy(&nurse->wanted);
	pthread_mutex_destroy(&nurse->lock);
	free(nurse);
}
