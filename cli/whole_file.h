/* A file that is written whole or not at all. */
#ifndef LEAT_CLI_WHOLE_FILE_H
#define LEAT_CLI_WHOLE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct whole_file {
	const char *name; //< as the user gave it
	char *target;     //< what the name leads to
	bool nameless;    //< until it is whole, and then:
	char *beside;     //< written first and renamed; NULL: not a regular file
	int fd;           //< what is no regular file, or a descriptor of ours; else -1
	FILE *stream; //< to the file that will be renamed, or to another without a name
	int error;    //< negative errno of the first write that failed
};

/**
 * Begin to write `name`: to a new file beside it, which takes its place at the end,
 * so that it may be leat's own input. What exists and is no regular file (a device,
 * a pipe), and what names a descriptor (/dev/stdout, /dev/fd/5), gets it all at the
 * end. Returns 0 or a negative errno.
 */
int whole_file_open(struct whole_file *file, const char *name);

/** Write on; whole_file_close() tells whether it went well. */
void whole_file_write(struct whole_file *file, const void *bytes, size_t length);

/**
 * Write from offset `at` on, in place of whole_file_write(), and in any order. Any
 * thread, and several at a time. Returns 0 or a negative errno, which is the caller's to
 * keep in `error`.
 */
int whole_file_write_at(
	struct whole_file *file, uint64_t at, const void *bytes, size_t length);

/**
 * Have it take its place; a pipe blocks until it is read, or `give_up_fd` (-1: none) is
 * readable. Returns 0, or the negative errno of the first write that failed, -ECANCELED
 * where it was given up; then there is no such file, or the former one.
 */
int whole_file_close(struct whole_file *file, int give_up_fd);

/** There will be no such file, or the former one stays. */
void whole_file_drop(struct whole_file *file);

#endif
