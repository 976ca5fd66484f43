/* A sum of bytes: FNV-1a, 64 bits. */
#ifndef LEAT_CLI_SUM_H
#define LEAT_CLI_SUM_H

#include <stddef.h>
#include <stdint.h>

#define SUM_START UINT64_C(14695981039346656037)

/** Continue `sum`, at first SUM_START, with these bytes. */
static inline uint64_t sum_bytes(uint64_t sum, const void *bytes, size_t length)
{
	const unsigned char *at = bytes;

	for (size_t index = 0; index < length; index++)
		sum = (sum ^ at[index]) * UINT64_C(1099511628211);
	return sum;
}

#endif
