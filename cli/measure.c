#include "measure.h"

#include "cgroup.h"
#include "cpus.h"

#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

// More than a file that is read here has.
#define FILE_BYTES 16384

static const struct {
	const char *name, *file, *of_cgroup;
} told[] = {
	[MEASURE_LOAD] = {"load", "/proc/loadavg", NULL},
	[MEASURE_MEMORY] = {"memory", "/proc/meminfo", NULL},
	[MEASURE_CPU_PRESSURE] = {"cpu pressure", "/proc/pressure/cpu", "cpu.pressure"},
	[MEASURE_MEMORY_PRESSURE] = {"memory pressure", "/proc/pressure/memory",
		"memory.pressure"},
	[MEASURE_IO_PRESSURE] = {"io pressure", "/proc/pressure/io", "io.pressure"},
};

const char *measure_name(enum measure measure)
{
	return told[measure].name;
}

const char *measure_file(enum measure measure)
{
	return told[measure].file;
}

// proc(5), loadavg: "0.35 0.17 0.44 1/88 14034"; of those that run now this is one.
static int measure_load(const char *root, struct measured *load)
{
	char text[FILE_BYTES];
	double average;
	long running;
	int error = kernel_read(root, told[MEASURE_LOAD].file, text, sizeof text);

	if (error)
		return error;
	if (sscanf(text, "%lf %*f %*f %ld", &average, &running) != 2)
		return -ENODATA;
	load->value = average > (double)(running - 1) ? average : (double)(running - 1);
	load->whole = cpus_usable(root);
	return 0;
}

// The number in the line that begins with `name`.
static bool find_number(const char *text, const char *name, uint64_t *number)
{
	size_t length = strlen(name);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, length) == 0)
			return sscanf(line + length, "%" SCNu64, number) == 1;
	}
	return false;
}

static bool read_number(const struct cgroup *cgroup, const char *name, uint64_t *number)
{
	char text[64];

	return cgroup_read(cgroup, name, text, sizeof text) == 0 &&
	       sscanf(text, "%" SCNu64, number) == 1;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

struct memory {
	uint64_t available, all;
};

// What a cgroup's own limit leaves: pages of files that were not used of late are as good
// as free. Where there is no limit, version 2 says "max", version 1 a number that no
// machine has.
static void apply_limit(
	const struct cgroup *cgroup, bool version_2, struct memory *memory)
{
	const char *stat_name = version_2 ? "inactive_file" : "total_inactive_file";
	uint64_t limit, used, reclaimable = 0;
	char text[FILE_BYTES];

	if (!read_number(
		    cgroup, version_2 ? "memory.max" : "memory.limit_in_bytes", &limit) ||
		!read_number(cgroup,
			version_2 ? "memory.current" : "memory.usage_in_bytes", &used))
		return;
	if (cgroup_read(cgroup, "memory.stat", text, sizeof text) == 0)
		find_number(text, stat_name, &reclaimable);
	used -= least(used, reclaimable);
	memory->available = least(memory->available, limit - least(limit, used));
	memory->all = least(memory->all, limit);
}

static void apply_cgroups(const char *root, bool version_2, struct memory *memory)
{
	struct cgroup cgroup;

	if (!cgroup_find(&cgroup, root, version_2 ? NULL : "memory"))
		return;
	do
		apply_limit(&cgroup, version_2, memory);
	while (cgroup_rise(&cgroup));
}

static int measure_memory(const char *root, struct measured *measured)
{
	char text[FILE_BYTES];
	struct memory memory;
	int error = kernel_read(root, told[MEASURE_MEMORY].file, text, sizeof text);

	if (error)
		return error;
	if (!find_number(text, "MemAvailable:", &memory.available) ||
		!find_number(text, "MemTotal:", &memory.all))
		return -ENODATA;
	memory.available *= 1024;
	memory.all *= 1024;
	apply_cgroups(root, false, &memory);
	apply_cgroups(root, true, &memory);
	measured->value = (double)memory.available;
	measured->whole = (double)memory.all;
	return 0;
}

// accounting/psi.rst: "some avg10=0.02 avg60=0.18 …"
static int parse_pressure(const char *text, struct measured *pressure)
{
	pressure->whole = 100;
	return sscanf(text, "some avg10=%lf", &pressure->value) == 1 ? 0 : -ENODATA;
}

static int measure_pressure(
	enum measure what, const char *root, struct measured *pressure)
{
	struct cgroup cgroup;
	char text[FILE_BYTES];
	int error;

	if (cgroup_find(&cgroup, root, NULL) &&
		cgroup_read(&cgroup, told[what].of_cgroup, text, sizeof text) == 0 &&
		parse_pressure(text, pressure) == 0)
		return 0;
	error = kernel_read(root, told[what].file, text, sizeof text);
	return error ? error : parse_pressure(text, pressure);
}

int measure(enum measure what, const char *root, struct measured *measured)
{
	if (what == MEASURE_LOAD)
		return measure_load(root, measured);
	if (what == MEASURE_MEMORY)
		return measure_memory(root, measured);
	return measure_pressure(what, root, measured);
}
