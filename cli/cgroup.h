/* This process's cgroups, and what stands in files of the kernel's. */
#ifndef LEAT_CLI_CGROUP_H
#define LEAT_CLI_CGROUP_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

/* `root` is where proc/ and the paths named there begin: "" but in tests. */

/** One of a hierarchy, and the way up from there. */
struct cgroup {
	const char *root;
	char directory[2 * PATH_MAX];
	size_t mount_length; //< of it: where the hierarchy is mounted
};

/**
 * Find this process's cgroup in the hierarchy of version 1 that has `controller`, NULL:
 * in that of version 2. Where a namespace hides its name: the nearest above it that is
 * visible. False: there is none.
 */
bool cgroup_find(struct cgroup *cgroup, const char *root, const char *controller);

/** Go to the one above. False: that is not visible, and *cgroup is as it was. */
bool cgroup_rise(struct cgroup *cgroup);

/** As kernel_read(), of a file of this cgroup's. */
int cgroup_read(const struct cgroup *cgroup, const char *name, char *text, size_t size);

/**
 * Read the file `path` to `text`, NUL-terminated, as far as its `size` goes. Returns 0 or
 * a negative errno.
 */
int kernel_read(const char *root, const char *path, char *text, size_t size);

#endif
