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

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define ENVIRONMENT_FIRST_BYTES ((size_t)16 * 1024)
// An execve(2) takes well under a millisecond, but may wait for a disk.
#define SETTLE_TRIES 200
#define CONFIRM_TRIES 5
#define SETTLE_NS 500000
#define KERNEL_THREADS_PARENT 2

static int open_in_proc(pid_t pid, const char *name)
{
	char path[48];

	snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

// proc(5): pid (comm) state ppid pgrp session tty_nr tpgid flags minflt cminflt
// majflt cmajflt utime stime cutime cstime priority nice num_threads itrealvalue
// starttime. comm may hold anything, so the fields begin at the last ')'.
static bool parse_stat(const char *stat, struct leat_tree_entry *entry)
{
	const char *fields = strrchr(stat, ')');
	char state;
	int parent, group, session;
	uint64_t start;

	if (!fields)
		return false;
	if (sscanf(fields + 1,
		    " %c %d %d %d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d "
		    "%*d %*d %*d %" SCNu64,
		    &state, &parent, &group, &session, &start) != 5)
		return false;
	entry->parent = parent;
	entry->group = group;
	entry->session = session;
	entry->start_ticks = start;
	entry->member = false;
	return state != 'Z' && state != 'X';
}

// False where the process has ended.
static bool read_entry(pid_t pid, struct leat_tree_entry *entry)
{
	char stat[1024];
	int fd = open_in_proc(pid, "stat");
	ssize_t length;

	if (fd < 0)
		return false;
	length = read(fd, stat, sizeof stat - 1);
	close(fd);
	if (length <= 0)
		return false;
	stat[length] = '\0';
	entry->pid = pid;
	return parse_stat(stat, entry);
}

static int append(struct leat_forest *forest, const struct leat_tree_entry *entry)
{
	if (forest->count == forest->capacity) {
		size_t capacity = forest->capacity ? 2 * forest->capacity : 256;
		struct leat_tree_entry *entries =
			reallocarray(forest->entries, capacity, sizeof *entries);

		if (!entries)
			return -ENOMEM;
		forest->entries = entries;
		forest->capacity = capacity;
	}
	forest->entries[forest->count++] = *entry;
	return 0;
}

static int compare_pids(const void *left, const void *right)
{
	const struct leat_tree_entry *a = left, *b = right;

	return (a->pid > b->pid) - (a->pid < b->pid);
}

int leat_forest_read(struct leat_forest *forest)
{
	DIR *directory = opendir("/proc");
	struct dirent *name;
	int error = 0;

	*forest = (struct leat_forest){0};
	if (!directory)
		return -errno;
	while (!error && (name = readdir(directory))) {
		struct leat_tree_entry entry;
		int pid = atoi(name->d_name);

		if (pid > 0 && read_entry(pid, &entry))
			error = append(forest, &entry);
	}
	closedir(directory);
	if (forest->count)
		qsort(forest->entries, forest->count, sizeof *forest->entries,
			compare_pids);
	return error;
}

void leat_forest_finish(struct leat_forest *forest)
{
	free(forest->entries);
	*forest = (struct leat_forest){0};
}

static bool is_member(const struct leat_forest *forest, pid_t pid)
{
	struct leat_tree_entry key = {.pid = pid};
	const struct leat_tree_entry *entry;

	if (!forest->count)
		return false;
	entry = bsearch(&key, forest->entries, forest->count, sizeof key, compare_pids);
	return entry && entry->member;
}

// All of /proc/PID/environ, NUL-terminated; NULL where it can't be read.
static char *read_environment(pid_t pid, size_t *length)
{
	size_t capacity = ENVIRONMENT_FIRST_BYTES;
	char *bytes = malloc(capacity + 1);
	int fd = open_in_proc(pid, "environ");
	ssize_t got = -1;

	*length = 0;
	while (bytes && fd >= 0) {
		got = read(fd, bytes + *length, capacity - *length);
		if (got <= 0)
			break;
		*length += (size_t)got;
		if (*length == capacity) {
			char *larger = realloc(bytes, 2 * capacity + 1);

			if (!larger)
				break;
			bytes = larger;
			capacity *= 2;
		}
	}
	if (fd >= 0)
		close(fd);
	if (got != 0) {
		free(bytes);
		return NULL;
	}
	bytes[*length] = '\0';
	return bytes;
}

static bool has_entry(const char *environment, size_t length, const char *entry)
{
	const char *end = environment + length;

	for (const char *at = environment; at < end; at += strlen(at) + 1)
		if (strcmp(at, entry) == 0)
			return true;
	return false;
}

static bool has_arguments(pid_t pid)
{
	int fd = open_in_proc(pid, "cmdline");
	char first;
	bool some = fd >= 0 && read(fd, &first, 1) == 1;

	if (fd >= 0)
		close(fd);
	return some;
}

// In the middle of an execve(2) a process shows neither environment nor arguments, so it
// is looked at again. One that has arguments and no environment may just have come out
// of it; if it stays so, it has none.
static char *read_settled_environment(pid_t pid, size_t *length)
{
	struct leat_tree_entry entry;
	int confirmed = 0;

	for (int tries = 0;; tries++) {
		char *environment = read_environment(pid, length);

		confirmed += has_arguments(pid);
		if (*length || confirmed == CONFIRM_TRIES || tries == SETTLE_TRIES ||
			!read_entry(pid, &entry))
			return environment;
		free(environment);
		nanosleep(&(struct timespec){.tv_nsec = SETTLE_NS}, NULL);
	}
}

// Whether all of one of the marks is there; NULL is none.
static bool has_a_mark(pid_t pid, const struct leat_tree *trees, size_t count)
{
	size_t length;
	char *environment = read_settled_environment(pid, &length);
	bool found = false;

	for (size_t index = 0; environment && !found && index < count; index++) {
		const char *const *mark = trees[index].mark;

		found = mark != NULL;
		for (; found && *mark; mark++)
			found = has_entry(environment, length, *mark);
	}
	free(environment);
	return found;
}

// All with a member for a parent are members, too.
static void add_descendants(struct leat_forest *forest)
{
	bool changed = true;

	while (changed) {
		changed = false;
		for (size_t index = 0; index < forest->count; index++) {
			struct leat_tree_entry *entry = &forest->entries[index];

			if (!entry->member && is_member(forest, entry->parent))
				changed = entry->member = true;
		}
	}
}

void leat_forest_find_tree(
	struct leat_forest *forest, pid_t leader, const char *const *mark)
{
	struct leat_tree tree = {leader, mark};
	pid_t self = getpid();

	for (size_t index = 0; index < forest->count; index++) {
		struct leat_tree_entry *entry = &forest->entries[index];

		entry->member = entry->pid == leader || entry->session == leader ||
				(mark && entry->parent == self &&
					has_a_mark(entry->pid, &tree, 1));
	}
	add_descendants(forest);
}

static bool is_orphaned(
	const struct leat_tree_entry *entry, const struct leat_tree *trees, size_t count)
{
	for (size_t index = 0; index < count; index++)
		if (entry->session == trees[index].leader)
			return true;
	return entry->parent != KERNEL_THREADS_PARENT &&
	       has_a_mark(entry->pid, trees, count);
}

void leat_forest_find_orphaned(struct leat_forest *forest, const struct leat_tree *trees,
	size_t count, uint64_t since_ticks)
{
	for (size_t index = 0; index < forest->count; index++) {
		struct leat_tree_entry *entry = &forest->entries[index];

		entry->member = entry->start_ticks >= since_ticks &&
				is_orphaned(entry, trees, count);
	}
	add_descendants(forest);
}

uint64_t leat_process_start_ticks(pid_t pid)
{
	struct leat_tree_entry entry;

	return read_entry(pid, &entry) ? entry.start_ticks : 0;
}

static int open_verified(const struct leat_tree_entry *entry)
{
	struct leat_tree_entry now;
	int pid_fd = (int)syscall(SYS_pidfd_open, entry->pid, 0);

	if (pid_fd < 0)
		return -errno;
	if (!read_entry(entry->pid, &now) || now.start_ticks != entry->start_ticks) {
		close(pid_fd);
		return -ESRCH;
	}
	return pid_fd;
}

void leat_forest_signal(const struct leat_forest *forest, pid_t leader, int number)
{
	if (leader)
		kill(-leader, number);
	for (size_t index = 0; index < forest->count; index++) {
		const struct leat_tree_entry *entry = &forest->entries[index];
		int pid_fd;

		if (!entry->member || entry->group == leader)
			continue;
		pid_fd = open_verified(entry);
		if (pid_fd < 0)
			continue;
		syscall(SYS_pidfd_send_signal, pid_fd, number, NULL, 0);
		close(pid_fd);
	}
}

static bool may_signal(const struct leat_tree_entry *entry)
{
	return kill(entry->pid, 0) == 0 || errno != EPERM;
}

int leat_forest_survivor(const struct leat_forest *forest, pid_t leader)
{
	int error = -ENOENT;

	for (size_t index = 0; index < forest->count; index++) {
		const struct leat_tree_entry *entry = &forest->entries[index];
		int pid_fd;

		if (!entry->member || entry->pid == leader || !may_signal(entry))
			continue;
		pid_fd = open_verified(entry);
		if (pid_fd >= 0)
			return pid_fd;
		if (pid_fd != -ESRCH)
			error = pid_fd;
	}
	return error;
}
