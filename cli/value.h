/* What replaces {}: a record, or one column of it. */
#ifndef LEAT_CLI_VALUE_H
#define LEAT_CLI_VALUE_H

#include <stdbool.h>
#include <stdint.h>

struct value {
	const char *bytes; //< those of a task end with a NUL that does not count
	uint32_t length;
	bool ends_record; //< it is the last of its record
};

#endif
