/* The memory of a warm program, as it was before main(). */
#ifndef LEAT_PROCESS_WARM_MEMORY_H
#define LEAT_PROCESS_WARM_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAPPINGS 256
#define MAPS_BYTES (48 * 1024)

struct mapping {
	uintptr_t start, end;
	char modes[4]; //< as in /proc/PID/maps: "rw-p"
};

struct piece { // of memory that is put back
	char *start;
	const char *copy;
	size_t size;
};

#define FILTER_BYTES 16

/** The first five are set by the caller. */
struct warm_memory {
	void *own; //< what is not put back, with this struct within,
	size_t own_size;
	char *stack;   //< nor is what is below this of the stack
	int statm_fd;  //< /proc/self/statm
	int filter_fd; //< /proc/self/coredump_filter; -1: there is none

	char filter[FILTER_BYTES]; //< as it is read there, padded with NULs
	uintptr_t brk;
	unsigned long pages; //< that are mapped
	struct mapping known[MAPPINGS];
	int known_count;
	struct piece pieces[MAPPINGS];
	int piece_count;
	char maps[MAPS_BYTES];
	struct mapping found[MAPPINGS];
};

/** Keep a copy of all that may be written. False: it can't be done. */
bool warm_memory_keep(struct warm_memory *memory);

/** Put it back. False: something that was there is not there any more. */
bool warm_memory_restore(struct warm_memory *memory);

#endif
