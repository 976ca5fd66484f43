/* A file that is written whole or not at all. */
#ifndef LEAT_CLI_WHOLE_FILE_H
#define LEAT_CLI_WHOLE_FILE_H

#include <stddef.h>
#include <stdio.h>

struct whole_file {
	const char *name; //< as the user gave it
	char *target;     //< what the name leads to
	char *beside;     //< written first and renamed; NULL: not a regular file
	FILE *stream;
};

/**
 * Begin to write `name`: to a new file beside it, which takes its place at the end,
 * so that it may be leat's own input. What exists and is no regular file (a device,
 * a pipe) is written to directly. Returns 0 or a negative errno.
 */
int whole_file_open(struct whole_file *file, const char *name);

/**
 * Have it take its place. Returns 0, or the negative errno of the first write that
 * failed; then there is no such file, or the former one.
 */
int whole_file_close(struct whole_file *file);

#endif
