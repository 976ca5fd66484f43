/* Threads, and condition variables on the monotonic clock. */
#ifndef LEAT_BASE_SYNC_H
#define LEAT_BASE_SYNC_H

#include <pthread.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * pthread_create(3), of a thread with all signals blocked and a stack of 256 KiB: enough
 * for what threads of the library do, and little where there are 2,000. Errors: -EAGAIN,
 * -ENOMEM.
 */
int leat_thread_start(pthread_t *thread, void *(*run)(void *), void *argument);

/** After pthread_join(3): returns when the thread is a process no more that the kernel
 * counts (fork(2), RLIMIT_NPROC). */
void leat_thread_await_burial(pid_t tid);

/** pthread_cond_init(3) with waits on CLOCK_MONOTONIC. Errors: -ENOMEM, -EAGAIN. */
int leat_cond_init(pthread_cond_t *condition);

/**
 * Wait for `condition`, at most until `until_ns` on CLOCK_MONOTONIC (LEAT_NEVER:
 * no limit). As ever with conditions, it may return for no reason.
 */
void leat_cond_wait(pthread_cond_t *condition, pthread_mutex_t *lock, int64_t until_ns);

#endif
