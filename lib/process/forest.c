/*
 * A look takes a while, and processes are born and end meanwhile. Who forks and ends at
 * once, again and again, is behind every list of /proc by the time that it is read; so
 * lists are read until there is nobody new in one. And who was seen and has ended, with
 * nobody to tell whose it was, may have left a child that nobody tells of either; then
 * the look is taken anew. Both have a limit, as a busy system is never the same twice.
 */
#include "forest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ENVIRONMENT_FIRST_BYTES ((size_t)16 * 1024)
// An execve(2) takes well under a millisecond, but may wait for a disk.
#define SETTLE_TRIES 200
#define CONFIRM_TRIES 5
#define SETTLE_NS 500000
#define MOST_LISTS 16
#define MOST_LOOKS 16

static int open_in_proc(pid_t pid, const char *name)
{
	char path[48];

	snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

// proc(5): pid (comm) state ppid pgrp session tty_nr tpgid flags minflt cminflt
// majflt cmajflt utime stime cutime cstime priority nice num_threads itrealvalue
// starttime. comm may hold anything, so the fields begin at the last ')'.
static bool parse_stat(const char *stat, struct leat_process_entry *entry)
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
	return state != 'Z' && state != 'X';
}

bool leat_process_read(pid_t pid, struct leat_process_entry *entry)
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
char *leat_process_environment(pid_t pid, size_t *length)
{
	struct leat_process_entry entry;
	int confirmed = 0;

	for (int tries = 0;; tries++) {
		char *environment = read_environment(pid, length);

		confirmed += has_arguments(pid);
		if (*length || confirmed == CONFIRM_TRIES || tries == SETTLE_TRIES ||
			!leat_process_read(pid, &entry))
			return environment;
		free(environment);
		nanosleep(&(struct timespec){.tv_nsec = SETTLE_NS}, NULL);
	}
}

uint64_t leat_process_start_ticks(pid_t pid)
{
	struct leat_process_entry entry;

	return leat_process_read(pid, &entry) ? entry.start_ticks : 0;
}

static int append(struct leat_forest *forest, const struct leat_process_entry *entry)
{
	if (forest->count == forest->capacity) {
		size_t capacity = forest->capacity ? 2 * forest->capacity : 256;
		struct leat_process_entry *entries =
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
	const struct leat_process_entry *a = left, *b = right;

	return (a->pid > b->pid) - (a->pid < b->pid);
}

static int compare(pid_t left, pid_t right)
{
	return (left > right) - (left < right);
}

static int compare_numbers(const void *left, const void *right)
{
	return compare(*(const pid_t *)left, *(const pid_t *)right);
}

/* What /proc has listed, ascending. */
struct listing {
	pid_t *pids;
	size_t count, capacity;
};

static int list_pid(struct listing *listing, pid_t pid)
{
	if (listing->count == listing->capacity) {
		size_t capacity = listing->capacity ? 2 * listing->capacity : 256;
		pid_t *pids = reallocarray(listing->pids, capacity, sizeof *pids);

		if (!pids)
			return -ENOMEM;
		listing->pids = pids;
		listing->capacity = capacity;
	}
	listing->pids[listing->count++] = pid;
	return 0;
}

static int list_pids(struct listing *listing, DIR *directory)
{
	struct dirent *name;
	int error = 0;

	rewinddir(directory);
	listing->count = 0;
	while (!error && (name = readdir(directory))) {
		int pid = atoi(name->d_name);

		if (pid > 0)
			error = list_pid(listing, pid);
	}
	if (listing->count)
		qsort(listing->pids, listing->count, sizeof *listing->pids,
			compare_numbers);
	return error;
}

// Of those that are not in `known`; `some`: there are such.
static int read_new(struct leat_forest *forest, const struct listing *listing,
	const struct listing *known, bool *some)
{
	size_t at = 0;
	int error = 0;

	*some = false;
	for (size_t index = 0; !error && index < listing->count; index++) {
		struct leat_process_entry entry;
		pid_t pid = listing->pids[index];

		while (at < known->count && known->pids[at] < pid)
			at++;
		if (at < known->count && known->pids[at] == pid)
			continue;
		*some = true;
		if (leat_process_read(pid, &entry))
			error = append(forest, &entry);
	}
	return error;
}

static int read_entries(struct leat_forest *forest)
{
	struct listing listings[2] = {0};
	DIR *directory = opendir("/proc");
	bool some = true;
	int error = 0;

	if (!directory)
		return -errno;
	for (unsigned list = 0; !error && some && list < MOST_LISTS; list++) {
		struct listing *listing = &listings[list % 2];

		error = list_pids(listing, directory);
		if (!error)
			error = read_new(
				forest, listing, &listings[(list + 1) % 2], &some);
	}
	closedir(directory);
	free(listings[0].pids);
	free(listings[1].pids);
	if (forest->count)
		qsort(forest->entries, forest->count, sizeof *forest->entries,
			compare_pids);
	return error;
}

typedef const struct leat_process_entry *entry_pointer;

static pid_t parent_of(entry_pointer entry)
{
	return entry->parent;
}

static pid_t session_of(entry_pointer entry)
{
	return entry->session;
}

static int compare_parents(const void *left, const void *right)
{
	return compare(parent_of(*(const entry_pointer *)left),
		parent_of(*(const entry_pointer *)right));
}

static int compare_sessions(const void *left, const void *right)
{
	return compare(session_of(*(const entry_pointer *)left),
		session_of(*(const entry_pointer *)right));
}

static int sort(const struct leat_forest *forest, entry_pointer **order,
	int (*compare_entries)(const void *, const void *))
{
	*order = calloc(forest->count + 1, sizeof **order);
	if (!*order)
		return -ENOMEM;
	for (size_t index = 0; index < forest->count; index++)
		(*order)[index] = &forest->entries[index];
	qsort(*order, forest->count, sizeof **order, compare_entries);
	return 0;
}

entry_pointer leat_forest_find(const struct leat_forest *forest, pid_t pid)
{
	struct leat_process_entry key = {.pid = pid};

	if (!forest->count)
		return NULL;
	return bsearch(&key, forest->entries, forest->count, sizeof key, compare_pids);
}

// Where in `order` those with the number `wanted` begin, or would.
static size_t find_first(const struct leat_forest *forest, entry_pointer *order,
	pid_t (*number_of)(entry_pointer), pid_t wanted)
{
	size_t low = 0, high = forest->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (number_of(order[middle]) < wanted)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static entry_pointer *find_all(const struct leat_forest *forest, entry_pointer *order,
	pid_t (*number_of)(entry_pointer), pid_t wanted, size_t *count)
{
	size_t first = find_first(forest, order, number_of, wanted);
	size_t end = first;

	while (end < forest->count && number_of(order[end]) == wanted)
		end++;
	*count = end - first;
	return forest->count ? order + first : NULL;
}

entry_pointer *leat_forest_children(
	const struct leat_forest *forest, pid_t parent, size_t *count)
{
	return find_all(forest, forest->by_parent, parent_of, parent, count);
}

entry_pointer *leat_forest_session(
	const struct leat_forest *forest, pid_t session, size_t *count)
{
	return find_all(forest, forest->by_session, session_of, session, count);
}

static bool is_leader(pid_t pid, const pid_t *leaders, size_t count)
{
	for (size_t index = 0; index < count; index++)
		if (leaders[index] == pid)
			return true;
	return false;
}

// Whose parent has ended since is somebody else's child now.
static void follow_orphans(struct leat_forest *forest, bool *lost)
{
	for (size_t index = 0; index < forest->count; index++) {
		struct leat_process_entry *entry = &forest->entries[index];

		if (entry->parent && !leat_forest_find(forest, entry->parent) &&
			!leat_process_read(entry->pid, entry))
			*lost = true;
	}
}

static bool has_ended(pid_t pid)
{
	struct leat_process_entry entry;

	return !leat_process_read(pid, &entry);
}

static int find_strays(
	struct leat_forest *forest, const pid_t *leaders, size_t count, bool *lost)
{
	size_t child_count;
	entry_pointer *children = leat_forest_children(forest, getpid(), &child_count);

	forest->strays = calloc(child_count + 1, sizeof *forest->strays);
	if (!forest->strays)
		return -ENOMEM;
	for (size_t index = 0; index < child_count; index++) {
		struct leat_stray *stray = &forest->strays[forest->stray_count];

		if (is_leader(children[index]->pid, leaders, count))
			continue;
		stray->entry = children[index];
		stray->environment =
			leat_process_environment(stray->entry->pid, &stray->length);
		if (!stray->length && has_ended(stray->entry->pid))
			*lost = true;
		forest->stray_count++;
	}
	return 0;
}

// `lost`: somebody ended of whom it is not known whose it was.
static int look(
	struct leat_forest *forest, const pid_t *leaders, size_t count, bool *lost)
{
	int error;

	*forest = (struct leat_forest){0};
	*lost = false;
	error = read_entries(forest);
	if (!error)
		follow_orphans(forest, lost);
	if (!error)
		error = sort(forest, &forest->by_parent, compare_parents);
	if (!error)
		error = sort(forest, &forest->by_session, compare_sessions);
	if (!error)
		error = find_strays(forest, leaders, count, lost);
	if (error)
		leat_forest_finish(forest);
	return error;
}

int leat_forest_read(struct leat_forest *forest, const pid_t *leaders, size_t count)
{
	bool lost;
	int error = look(forest, leaders, count, &lost);

	for (unsigned looks = 1; !error && lost && looks < MOST_LOOKS; looks++) {
		leat_forest_finish(forest);
		error = look(forest, leaders, count, &lost);
	}
	return error;
}

void leat_forest_finish(struct leat_forest *forest)
{
	for (size_t index = 0; index < forest->stray_count; index++)
		free(forest->strays[index].environment);
	free(forest->strays);
	free(forest->by_session);
	free(forest->by_parent);
	free(forest->entries);
	*forest = (struct leat_forest){0};
}
