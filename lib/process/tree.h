/* The processes below a child, and signals to them. */
#ifndef LEAT_PROCESS_TREE_H
#define LEAT_PROCESS_TREE_H

#include "forest.h"

/** How a tree is known. */
struct leat_root {
	pid_t leader;
	const char *const *mark; //< NULL: none
};

/** The processes of a tree, or of several; they point into the forest. */
struct leat_tree {
	const struct leat_process_entry **members;
	size_t count;
};

/**
 * Find the tree of `root`: the leader, its session, strays in whose environment all of
 * the mark stands, and all with a member for a parent. Error: -ENOMEM, the tree is empty
 * then.
 */
int leat_tree_find(struct leat_tree *tree, const struct leat_forest *forest,
	const struct leat_root *root);

/**
 * The same for several trees of another process, which has died: of what was started at
 * `since_ticks` or later, the leaders, their sessions, all in whose environment stands
 * all of a mark, and all with a member for a parent.
 */
int leat_tree_find_orphaned(struct leat_tree *tree, const struct leat_forest *forest,
	const struct leat_root *roots, size_t count, uint64_t since_ticks);

void leat_tree_finish(struct leat_tree *tree);

/**
 * Signal the leader's process group, and each member outside of it. The leader must
 * not have been reaped, so that neither its pid nor its group can be another's; 0: there
 * is none, each member is signaled by itself.
 */
void leat_tree_signal(const struct leat_tree *tree, pid_t leader, int number);

/**
 * A pidfd of some member other than the leader, made sure to be that process: to
 * wait for its end. -ENOENT: there is none; -EAGAIN: all that were seen have ended since,
 * and may have left others behind; else an error of pidfd_open(2).
 */
int leat_tree_survivor(const struct leat_tree *tree, pid_t leader);

#endif
