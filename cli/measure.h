/* How busy the machine is, as the kernel tells it. */
#ifndef LEAT_CLI_MEASURE_H
#define LEAT_CLI_MEASURE_H

enum measure {
	MEASURE_LOAD,         //< processes that run or would; of the CPUs
	MEASURE_MEMORY,       //< bytes that can be had without swapping; of all
	MEASURE_CPU_PRESSURE, //< percent of time that somebody waited for it; of 100
	MEASURE_MEMORY_PRESSURE,
	MEASURE_IO_PRESSURE,
	MEASURES
};

struct measured {
	double value;
	double whole; //< that it is a part of
};

/** "load", "cpu pressure" */
const char *measure_name(enum measure measure);

/** The file that has it, at the least. */
const char *measure_file(enum measure measure);

/**
 * Measure it now. The load is the machine's: the average of the last minute, or the
 * number that run at this moment, where that is more. The memory is the least that the
 * machine or one of this process's cgroups has left. The pressure, of the last ten
 * seconds, is the cgroup's where that has its own. `root` is where proc/ and the paths
 * named there begin:
 * "" but in tests. Errors: of open(2) and read(2); -ENODATA: the file does not say.
 */
int measure(enum measure what, const char *root, struct measured *measured);

#endif
