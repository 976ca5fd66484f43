/* The directory "root" with files that stand in for /proc and the cgroups. */
#ifndef LEAT_TESTS_UNIT_FAKE_ROOT_H
#define LEAT_TESTS_UNIT_FAKE_ROOT_H

#include "scratch.h"

#define MOUNT_2 "30 25 0:27 %s /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n"
#define MOUNT_1                                                                          \
	"31 25 0:28 %s /sys/fs/cgroup/cpu rw shared:5 - cgroup cgroup rw,cpu,cpuacct\n"
#define MOUNT_SET "32 25 0:29 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"

#define MOUNT_MEMORY "33 25 0:30 %s /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"

static inline void write_below(const char *name, const char *text)
{
	char path[PATH_MAX];

	snprintf(path, sizeof path, "root%s", name);
	scratch_write(path, text);
}

static inline void write_mount(const char *format, const char *top)
{
	char line[512];

	snprintf(line, sizeof line, format, top);
	write_below("/proc/self/mountinfo", line);
}

#endif
