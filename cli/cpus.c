#include "cpus.h"

#include "cgroup.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

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

// In CPUs, rounded up; UINT_MAX where this cgroup sets no limit.
static unsigned quota_of(const struct cgroup *cgroup, bool version_2)
{
	char text[64];
	long quota = -1, period = 100000;

	if (version_2) { // cgroup-v2.rst: cpu.max is "$MAX $PERIOD" or "max $PERIOD"
		if (cgroup_read(cgroup, "cpu.max", text, sizeof text) == 0)
			sscanf(text, "%ld %ld", &quota, &period);
	} else {
		if (cgroup_read(cgroup, "cpu.cfs_quota_us", text, sizeof text) == 0)
			quota = atol(text);
		if (cgroup_read(cgroup, "cpu.cfs_period_us", text, sizeof text) == 0)
			period = atol(text);
	}
	if (quota <= 0 || period <= 0)
		return UINT_MAX;
	return (unsigned)((quota + period - 1) / period);
}

// The least quota from this process's cgroup up to the one that is mounted.
static unsigned quota(const char *root, bool version_2)
{
	struct cgroup cgroup;
	unsigned least = UINT_MAX;

	if (!cgroup_find(&cgroup, root, version_2 ? NULL : "cpu"))
		return UINT_MAX;
	do {
		unsigned here = quota_of(&cgroup, version_2);

		if (here < least)
			least = here;
	} while (cgroup_rise(&cgroup));
	return least;
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
