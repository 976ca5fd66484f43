/* How many CPUs this process may really use. */
#ifndef LEAT_CLI_CPUS_H
#define LEAT_CLI_CPUS_H

/**
 * The lesser of the affinity mask (sched_getaffinity(2)) and the CPU quota of this
 * process's cgroups, a started CPU counted as one; at least 1. `root` is where
 * proc/ and the paths named there begin: "" but in tests.
 */
unsigned cpus_usable(const char *root);

#endif
