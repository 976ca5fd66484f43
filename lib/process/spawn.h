/* Start one program. */
#ifndef LEAT_PROCESS_SPAWN_H
#define LEAT_PROCESS_SPAWN_H

#include "../leat.h"

#include <sys/resource.h>

/** What every child finds, whatever the spec. */
struct leat_inheritance {
	sigset_t ignored; //< signals to ignore
	sigset_t caught;  //< signals to set to their default
	bool any_caught;
	struct rlimit descriptors; //< RLIMIT_NOFILE
	bool descriptors_changed;  //< this process has another soft limit
};

struct leat_process {
	pid_t pid;
	int pid_fd; //< -1 where none was asked for
	// Set by the caller: where the child is to write its number before it executes;
	// NULL: nowhere
	volatile pid_t *told;
};

/**
 * Start what `spec` says, with `fds` as its descriptors 0, 1 and 2. Blocks until
 * the program is executed or could not be. On success the rest of *process is the
 * caller's, to reap and to close. Returns 0; an error of clone(2) (-EAGAIN, -ENOMEM),
 * where nothing was started; or, negative, the errno of execve(2), with *executing set,
 * where the new process got so far, and was reaped.
 */
int leat_spawn(const struct leat_spec *spec, const int fds[3],
	const struct leat_inheritance *inheritance, struct leat_process *process,
	bool with_pid_fd, bool *executing);

#endif
