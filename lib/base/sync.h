/* Condition variables on the monotonic clock. */
#ifndef LEAT_BASE_SYNC_H
#define LEAT_BASE_SYNC_H

#include <pthread.h>
#include <stdint.h>

/** pthread_cond_init(3) with waits on CLOCK_MONOTONIC. Errors: -ENOMEM, -EAGAIN. */
int leat_cond_init(pthread_cond_t *condition);

/**
 * Wait for `condition`, at most until `until_ns` on CLOCK_MONOTONIC (LEAT_NEVER:
 * no limit). As ever with conditions, it may return for no reason.
 */
void leat_cond_wait(pthread_cond_t *condition, pthread_mutex_t *lock, int64_t until_ns);

#endif
