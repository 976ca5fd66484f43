/*
 * What is below a child.
 *
 * As this process is a subreaper, every descendant of a child is below it still,
 * wherever setsid(2) or the death of a parent took it: either by a chain of parents
 * that leads to the child, or as an orphan directly below this process. Whose an
 * orphan is, its session tells, or else the mark in its environment.
 *
 * A pid from /proc is a hint, no more: the process may end, and the number be
 * another's, before a signal is sent. So a signal outside of the leader's group
 * goes through a pidfd, and only if its process has the same start time as the one
 * seen. The group itself is safe: its leader is not reaped before.
 */
#include "tree.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define KERNEL_THREADS_PARENT 2

/* A tree while it is gathered. */
struct search {
	const struct leat_forest *forest;
	struct leat_tree *tree;
	size_t capacity;
	bool *is_member; //< by index of the forest's entries
	bool failed;     //< for want of memory
};

static bool has_entry(const char *environment, size_t length, const char *entry)
{
	const char *end = environment + length;

	for (const char *at = environment; at < end; at += strlen(at) + 1)
		if (strcmp(at, entry) == 0)
			return true;
	return false;
}

// Whether all of the mark is there; NULL is none.
static bool has_mark(const char *environment, size_t length, const char *const *mark)
{
	if (!environment || !mark)
		return false;
	for (; *mark; mark++)
		if (!has_entry(environment, length, *mark))
			return false;
	return true;
}

static void add(struct search *search, const struct leat_process_entry *entry)
{
	bool *is_member = &search->is_member[entry - search->forest->entries];
	struct leat_tree *tree = search->tree;

	if (*is_member || search->failed)
		return;
	if (tree->count == search->capacity) {
		size_t capacity = search->capacity ? 4 * search->capacity : 16;
		const struct leat_process_entry **members =
			reallocarray(tree->members, capacity, sizeof *members);

		search->failed = !members;
		if (search->failed)
			return;
		tree->members = members;
		search->capacity = capacity;
	}
	tree->members[tree->count++] = entry;
	*is_member = true;
}

// All with a member for a parent are members, too.
static void add_descendants(struct search *search)
{
	for (size_t at = 0; at < search->tree->count; at++) {
		size_t count;
		const struct leat_process_entry **children = leat_forest_children(
			search->forest, search->tree->members[at]->pid, &count);

		for (size_t index = 0; index < count; index++)
			add(search, children[index]);
	}
}

static int begin(struct search *search)
{
	*search->tree = (struct leat_tree){0};
	search->is_member = calloc(search->forest->count + 1, sizeof(bool));
	return search->is_member ? 0 : -ENOMEM;
}

static int end(struct search *search)
{
	add_descendants(search);
	free(search->is_member);
	if (!search->failed)
		return 0;
	leat_tree_finish(search->tree);
	return -ENOMEM;
}

int leat_tree_find(struct leat_tree *tree, const struct leat_forest *forest,
	const struct leat_root *root)
{
	struct search search = {.forest = forest, .tree = tree};
	const struct leat_process_entry *leader, **session;
	size_t count;

	if (begin(&search))
		return -ENOMEM;
	leader = leat_forest_find(forest, root->leader);
	if (leader)
		add(&search, leader);
	session = leat_forest_session(forest, root->leader, &count);
	for (size_t index = 0; index < count; index++)
		add(&search, session[index]);
	for (size_t index = 0; index < forest->stray_count; index++) {
		const struct leat_stray *stray = &forest->strays[index];

		if (has_mark(stray->environment, stray->length, root->mark))
			add(&search, stray->entry);
	}
	return end(&search);
}

static bool has_a_mark(pid_t pid, const struct leat_root *roots, size_t count)
{
	size_t length;
	char *environment = leat_process_environment(pid, &length);
	bool found = false;

	for (size_t index = 0; !found && index < count; index++)
		found = has_mark(environment, length, roots[index].mark);
	free(environment);
	return found;
}

static bool is_orphaned(const struct leat_process_entry *entry,
	const struct leat_root *roots, size_t count)
{
	for (size_t index = 0; index < count; index++)
		if (entry->session == roots[index].leader)
			return true;
	return entry->parent != KERNEL_THREADS_PARENT &&
	       has_a_mark(entry->pid, roots, count);
}

int leat_tree_find_orphaned(struct leat_tree *tree, const struct leat_forest *forest,
	const struct leat_root *roots, size_t count, uint64_t since_ticks)
{
	struct search search = {.forest = forest, .tree = tree};

	if (begin(&search))
		return -ENOMEM;
	for (size_t index = 0; index < forest->count; index++) {
		const struct leat_process_entry *entry = &forest->entries[index];

		if (entry->start_ticks >= since_ticks && is_orphaned(entry, roots, count))
			add(&search, entry);
	}
	return end(&search);
}

void leat_tree_finish(struct leat_tree *tree)
{
	free(tree->members);
	*tree = (struct leat_tree){0};
}

static int open_verified(const struct leat_process_entry *entry)
{
	struct leat_process_entry now;
	int pid_fd = (int)syscall(SYS_pidfd_open, entry->pid, 0);

	if (pid_fd < 0)
		return -errno;
	if (!leat_process_read(entry->pid, &now) ||
		now.start_ticks != entry->start_ticks) {
		close(pid_fd);
		return -ESRCH;
	}
	return pid_fd;
}

void leat_tree_signal(const struct leat_tree *tree, pid_t leader, int number)
{
	if (leader)
		kill(-leader, number);
	for (size_t index = 0; index < tree->count; index++) {
		const struct leat_process_entry *entry = tree->members[index];
		int pid_fd;

		if (entry->group == leader)
			continue;
		pid_fd = open_verified(entry);
		if (pid_fd < 0)
			continue;
		syscall(SYS_pidfd_send_signal, pid_fd, number, NULL, 0);
		close(pid_fd);
	}
}

static bool may_signal(const struct leat_process_entry *entry)
{
	return kill(entry->pid, 0) == 0 || errno != EPERM;
}

int leat_tree_survivor(const struct leat_tree *tree, pid_t leader)
{
	int error = -ENOENT;

	for (size_t index = 0; index < tree->count; index++) {
		const struct leat_process_entry *entry = tree->members[index];
		int pid_fd;

		if (entry->pid == leader || !may_signal(entry))
			continue;
		pid_fd = open_verified(entry);
		if (pid_fd >= 0)
			return pid_fd;
		if (pid_fd != -ESRCH)
			error = pid_fd;
		else if (error == -ENOENT)
			error = -EAGAIN;
	}
	return error;
}
