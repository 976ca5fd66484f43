/* Start one program. */
#ifndef LEAT_PROCESS_SPAWN_H
#define LEAT_PROCESS_SPAWN_H

#include "../leat.h"

#include <sys/resource.h>

/** What every child finds, whatever the spec. */
struct leat_inheritance {
	sigset_t ignored; //< signals to ignore
	sigset_t caught;  //< signals to set to their default
	bool any_ignored, any_caught;
	struct rlimit descriptors; //< RLIMIT_NOFILE
	bool descriptors_changed;  //< this process has another soft limit
};

// The stack of a new process until it executes.
#define LEAT_SPAWN_STACK_BYTES ((size_t)32 * 1024)

/** A new process, in its parent's memory until it executes. */
struct leat_process {
	pid_t pid;
	// Set by the caller: LEAT_SPAWN_STACK_BYTES, aligned for any type
	char *stack;
	// Set by the caller: where the process is to write its number before it executes;
	// NULL: nowhere
	volatile pid_t *told;
	// Set by the caller: it has many descriptors, and `fds` are low
	bool crowded;

	// What follows is shared with the process until leat_spawn_finish():
	const struct leat_spec *spec;
	const struct leat_inheritance *inheritance;
	int fds[3];
	const char **shell_argv;    //< for a script without "#!", argv[1] is filled in
	volatile int error;         //< the process' word to its parent: a negative errno
	volatile bool no_directory; //< which is where it could not go
	volatile uint32_t sharing;  //< 1: it has no descriptors of its own yet
};

/**
 * Start what `spec` says, with `fds` as its descriptors 0, 1 and 2; the caller may close
 * these at once. Does not wait until the program is executed (nor, where it is crowded,
 * longer than until it has run for a moment): whether that goes well
 * shows at the end of the process, which is the caller's to wait for and to reap. Until
 * leat_spawn_finish() *process, its stack and all that the spec points to must stay.
 * Returns 0, or an error of clone(2) (-EAGAIN, -ENOMEM), where nothing was started.
 */
int leat_spawn(const struct leat_spec *spec, const int fds[3],
	const struct leat_inheritance *inheritance, struct leat_process *process);

/**
 * After the end of a process: returns 0 where it was the program's (or a signal's, before
 * the program began), or the negative errno of what kept it from being executed.
 */
int leat_spawn_finish(struct leat_process *process);

#endif
