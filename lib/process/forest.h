/* All processes of the system at one moment, as nearly as /proc shows that. */
#ifndef LEAT_PROCESS_FOREST_H
#define LEAT_PROCESS_FOREST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct leat_process_entry {
	pid_t pid, parent, group, session;
	uint64_t start_ticks; //< with the pid, the identity of a process
};

/** A child of this process that leads no tree, with its environment. */
struct leat_stray {
	const struct leat_process_entry *entry;
	char *environment; //< of leat_process_environment()
	size_t length;
};

/** The living processes, zombies left out. */
struct leat_forest {
	struct leat_process_entry *entries; //< by ascending pid
	size_t count, capacity;
	const struct leat_process_entry **by_parent, **by_session;
	struct leat_stray *strays;
	size_t stray_count;
};

/**
 * Look at all processes. Strays are the children of this process but for these `count`
 * leaders. Errors: -ENOMEM, or of opendir(3) on /proc; then nothing was seen. What was
 * seen does not change, so threads may share it.
 */
int leat_forest_read(struct leat_forest *forest, const pid_t *leaders, size_t count);
void leat_forest_finish(struct leat_forest *forest);

/** NULL: it was not there. */
const struct leat_process_entry *leat_forest_find(
	const struct leat_forest *forest, pid_t pid);

/** Those with this parent, or in this session, one behind the other; *count is how many.
 */
const struct leat_process_entry **leat_forest_children(
	const struct leat_forest *forest, pid_t parent, size_t *count);
const struct leat_process_entry **leat_forest_session(
	const struct leat_forest *forest, pid_t session, size_t *count);

/** Look at one process. False: it has ended. */
bool leat_process_read(pid_t pid, struct leat_process_entry *entry);

/** When a process was started, as in its entry; 0: it has ended. */
uint64_t leat_process_start_ticks(pid_t pid);

/**
 * The environment with which a process was executed, `length` bytes, entries that end in
 * NUL; free(3) is the caller's. Waits for the end of an execve(2). NULL where it can't be
 * read.
 */
char *leat_process_environment(pid_t pid, size_t *length);

#endif
