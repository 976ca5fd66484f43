/* Tokens of a jobserver, one for each task at work: make's, or leat's own. */
#ifndef LEAT_CLI_JOBSERVER_H
#define LEAT_CLI_JOBSERVER_H

#include "leat.h"
#include "makeflags.h"

#include <stddef.h>

/** No token; what jobserver_enter() gives otherwise is for jobserver_leave() alone. */
#define JOBSERVER_NO_TOKEN (-1)

struct jobserver;

/** Told once, by the thread that notices it: there are no tokens any more but leat's. */
typedef void (*jobserver_lost_fn)(void *argument, int error);

/**
 * Be a client of the jobserver that `makeflags` tells of; *result is NULL where it tells
 * of none. To be called before descriptors are opened, which might have the numbers that
 * it tells. Errors: -EBADF (they are not there, or no pipe), an error of open(2),
 * -ENOMEM, -EMFILE; then it is out of reach.
 */
int jobserver_join(struct jobserver **result, const struct makeflags *makeflags);

/**
 * Make a jobserver of `jobs` tokens, leat's own among them, for tasks whose MAKEFLAGS
 * would be `before` (may be NULL). A fifo is made in a directory of its own below
 * `directory`. Fewer tokens than `jobs` are made where a pipe takes no more. Errors: of
 * pipe(2), mkdtemp(3), mkfifo(3), -ENOMEM.
 */
int jobserver_serve(struct jobserver **result, unsigned jobs, bool fifo,
	const char *directory, const char *before);

/** All tokens must have been left. Removes the fifo. */
void jobserver_destroy(struct jobserver *jobserver);

/**
 * Before the first jobserver_enter(), whose waits end with `context`. Errors: of
 * epoll_ctl(2) and leat_context_wake_fd().
 */
int jobserver_start(struct jobserver *jobserver, struct leat_context *context,
	jobserver_lost_fn lost, void *argument);

/** The entry "MAKEFLAGS=…" for the tasks; NULL: leat's own is right. */
const char *jobserver_variable(const struct jobserver *jobserver);

/** The descriptors that the tasks need; *count may be 0. */
const int *jobserver_fds(const struct jobserver *jobserver, size_t *count);

/**
 * Wait for a token for one task. Returns 0; or -ECANCELED once the context has ended.
 * Without a jobserver (NULL) there is no waiting, and no token.
 */
int jobserver_enter(struct jobserver *jobserver, int *token);

/** Give the token back, if there is one. Never blocks. */
void jobserver_leave(struct jobserver *jobserver, int *token);

#endif
