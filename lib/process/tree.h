/* The processes below a child, found in /proc, and signals to them. */
#ifndef LEAT_PROCESS_TREE_H
#define LEAT_PROCESS_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct leat_tree_entry {
	pid_t pid, parent, group, session;
	uint64_t start_ticks; //< with the pid, the identity of a process
	bool member;          //< of the tree in question
};

/** The living processes of the system at one moment, zombies left out. */
struct leat_forest {
	struct leat_tree_entry *entries; //< by ascending pid
	size_t count, capacity;
};

/** Errors: -ENOMEM, or of opendir(3) on /proc; the forest then holds what was seen. */
int leat_forest_read(struct leat_forest *forest);
void leat_forest_finish(struct leat_forest *forest);

/**
 * Set `member` in the entries of the tree that `leader` leads: the leader, its
 * session, all with a member for a parent, and children of this process (orphans
 * that it inherited) in whose environment all of `mark` (may be NULL) stands.
 */
void leat_forest_find_tree(
	struct leat_forest *forest, pid_t leader, const char *const *mark);

/** How a tree is known whose parent has died. */
struct leat_tree {
	pid_t leader;
	const char *const *mark; //< NULL: none
};

/**
 * The same for several trees of another process, which has died: of what was started at
 * `since_ticks` or later, the leaders, their sessions, all in whose environment stands
 * all of a tree's mark, and all with a member for a parent.
 */
void leat_forest_find_orphaned(struct leat_forest *forest, const struct leat_tree *trees,
	size_t count, uint64_t since_ticks);

/** When a process was started, as in struct leat_tree_entry; 0: it has ended. */
uint64_t leat_process_start_ticks(pid_t pid);

/**
 * Signal the leader's process group, and each member outside of it. The leader must
 * not have been reaped, so that neither its pid nor its group can be another's; 0: there
 * is none, each member is signaled by itself.
 */
void leat_forest_signal(const struct leat_forest *forest, pid_t leader, int number);

/**
 * A pidfd of some member other than the leader, made sure to be that process: to
 * wait for its end. -ENOENT: there is none; else an error of pidfd_open(2).
 */
int leat_forest_survivor(const struct leat_forest *forest, pid_t leader);

#endif
