#include "cpus.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned affinity(void)
{
	unsigned count = 1;

	// The kernel refuses a mask shorter than its own; how long that is it does not
	// say.
	for (size_t cpus = 1024; cpus <= 1 << 20; cpus *= 2) {
		size_t bytes = CPU_ALLOC_SIZE(cpus);
		cpu_set_t *set = CPU_ALLOC(cpus);

		if (!set)
			break;
		bool known = sched_getaffinity(0, bytes, set) == 0;
		if (known)
			count = (unsigned)CPU_COUNT_S(bytes, set);
		CPU_FREE(set);
		if (known || errno != EINVAL)
			break;
	}
	return count;
}

static FILE *open_below(const char *root, const char *path)
{
	char whole[2 * PATH_MAX];

	if ((size_t)snprintf(whole, sizeof whole, "%s%s", root, path) >= sizeof whole)
		return NULL;
	return fopen(whole, "re");
}

/* Where a hierarchy is mounted, and where this process is in it. */
struct place {
	char mount[PATH_MAX]; //< mount point; empty: not found
	char top[PATH_MAX];   //< the cgroup that is mounted there
	char path[PATH_MAX];  //< this process's cgroup
};

// Whether `word` is one of the comma-separated `words`.
static bool lists(const char *words, const char *word)
{
	size_t length = strlen(word);

	for (const char *at = words; at; at = strchr(at, ',')) {
		at += *at == ',';
		if (strncmp(at, word, length) == 0 && (at[length] == ',' || !at[length]))
			return true;
	}
	return false;
}

// proc(5): hierarchy-ID:controller-list:cgroup-path; version 2 is "0::path".
static bool find_path(const char *root, bool version_2, struct place *place)
{
	FILE *file = open_below(root, "/proc/self/cgroup");
	char line[2 * PATH_MAX];
	bool found = false;

	if (!file)
		return false;
	while (!found && fgets(line, sizeof line, file)) {
		char *controllers = strchr(line, ':');
		char *path = controllers ? strchr(controllers + 1, ':') : NULL;

		if (!path)
			continue;
		*path++ = '\0';
		controllers++;
		path[strcspn(path, "\n")] = '\0';
		found = version_2 ? !*controllers : lists(controllers, "cpu");
		if (found)
			snprintf(place->path, sizeof place->path, "%s", path);
	}
	fclose(file);
	return found;
}

// proc(5), mountinfo: id parent major:minor top mount options … - type source options
static bool find_mount(const char *root, bool version_2, struct place *place)
{
	FILE *file = open_below(root, "/proc/self/mountinfo");
	char line[4 * PATH_MAX];
	bool found = false;

	if (!file)
		return false;
	while (!found && fgets(line, sizeof line, file)) {
		char type[32], options[512];
		char *end = strstr(line, " - ");

		if (!end || sscanf(end, " - %31s %*s %511s", type, options) != 2 ||
			sscanf(line, "%*d %*d %*s %4095s %4095s", place->top,
				place->mount) != 2)
			continue;
		found = version_2 ? strcmp(type, "cgroup2") == 0
				  : strcmp(type, "cgroup") == 0 && lists(options, "cpu");
	}
	fclose(file);
	return found;
}

static bool read_line(
	const char *root, const char *directory, const char *name, char *line, int size)
{
	char path[2 * PATH_MAX];
	FILE *file;
	bool read;

	if ((size_t)snprintf(path, sizeof path, "%s/%s", directory, name) >= sizeof path)
		return false;
	file = open_below(root, path);
	if (!file)
		return false;
	read = fgets(line, size, file) != NULL;
	fclose(file);
	return read;
}

// In CPUs, rounded up; UINT_MAX where this cgroup sets no limit.
static unsigned quota_of(const char *root, const char *directory, bool version_2)
{
	char line[64];
	long quota = -1, period = 100000;

	if (version_2) { // cgroup-v2.rst: cpu.max is "$MAX $PERIOD" or "max $PERIOD"
		if (read_line(root, directory, "cpu.max", line, sizeof line))
			sscanf(line, "%ld %ld", &quota, &period);
	} else {
		if (read_line(root, directory, "cpu.cfs_quota_us", line, sizeof line))
			quota = atol(line);
		if (read_line(root, directory, "cpu.cfs_period_us", line, sizeof line))
			period = atol(line);
	}
	if (quota <= 0 || period <= 0)
		return UINT_MAX;
	return (unsigned)((quota + period - 1) / period);
}

// This process's cgroup from the one that is mounted on: a container sees a part of the
// hierarchy. "" where it is outside of that.
static const char *path_below(const struct place *place)
{
	size_t length = strlen(place->top);

	if (strcmp(place->top, "/") == 0)
		return place->path;
	if (strncmp(place->path, place->top, length) == 0 &&
		(place->path[length] == '/' || !place->path[length]))
		return place->path + length;
	return "";
}

// The least quota from this process's cgroup up to the one that is mounted.
static unsigned quota(const char *root, bool version_2)
{
	struct place place = {0};
	char directory[2 * PATH_MAX];
	unsigned least = UINT_MAX;

	if (!find_path(root, version_2, &place) || !find_mount(root, version_2, &place))
		return UINT_MAX;
	snprintf(directory, sizeof directory, "%s%s", place.mount, path_below(&place));
	for (;;) {
		unsigned here = quota_of(root, directory, version_2);
		char *slash = strrchr(directory, '/');

		if (here < least)
			least = here;
		if (!slash || strlen(directory) <= strlen(place.mount))
			return least;
		*slash = '\0';
	}
}

unsigned cpus_usable(const char *root)
{
	unsigned usable = affinity();

	for (int version = 1; version <= 2; version++) {
		unsigned limit = quota(root, version == 2);

		if (limit < usable)
			usable = limit;
	}
	return usable ? usable : 1;
}
