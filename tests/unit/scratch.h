/* A directory of a test's own: it is the working directory until the test's end. */
#ifndef LEAT_TESTS_UNIT_SCRATCH_H
#define LEAT_TESTS_UNIT_SCRATCH_H

#include "unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char scratch_path[PATH_MAX];

static inline int scratch_make(void)
{
	const char *below = getenv("TMPDIR");

	snprintf(scratch_path, sizeof scratch_path, "%s/leat-unit.XXXXXX",
		below ? below : "/tmp");
	if (!mkdtemp(scratch_path))
		return -1;
	return chdir(scratch_path);
}

static inline int scratch_remove_one(
	const char *path, const struct stat *status, int flag, struct FTW *place)
{
	(void)status;
	(void)flag;
	(void)place;
	return remove(path);
}

static inline int scratch_remove(void)
{
	if (chdir("/") < 0)
		return -1;
	return nftw(scratch_path, scratch_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static inline int scratch_setup(void **state)
{
	(void)state;
	return scratch_make();
}

static inline int scratch_teardown(void **state)
{
	(void)state;
	return scratch_remove();
}

/** Write a file, and the directories that lead to it. */
static inline void scratch_write_bytes(
	const char *name, const char *bytes, size_t length, mode_t mode)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof path, "%s", name);
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0777);
		*slash = '/';
	}
	fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, length), length);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static inline void scratch_write(const char *name, const char *text)
{
	scratch_write_bytes(name, text, strlen(text), 0644);
}

static inline void scratch_write_program(const char *name, const char *text)
{
	scratch_write_bytes(name, text, strlen(text), 0755);
}

/** All that can be read from `fd`, NUL-terminated; to be freed. */
static inline char *read_to_end(int fd, size_t *length)
{
	size_t capacity = 1 << 16, end = 0;
	char *text = malloc(capacity + 1);
	ssize_t got;

	assert_non_null(text);
	while ((got = read(fd, text + end, capacity - end)) > 0) {
		end += (size_t)got;
		if (end == capacity) {
			capacity *= 2;
			text = realloc(text, capacity + 1);
			assert_non_null(text);
		}
	}
	text[end] = '\0';
	if (length)
		*length = end;
	return text;
}

/** What stands in a file; to be freed. */
static inline char *scratch_read(const char *name)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	char *text;

	assert_true(fd >= 0);
	text = read_to_end(fd, NULL);
	close(fd);
	return text;
}

/** How many names there are in a directory. */
static inline int scratch_count(const char *name)
{
	DIR *directory = opendir(name);
	int count = 0;

	assert_non_null(directory);
	while (readdir(directory))
		count++;
	closedir(directory);
	return count - 2; // . and ..
}

#endif
