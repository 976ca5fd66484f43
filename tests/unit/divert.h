/* One of this process's standard descriptors, led elsewhere for a while. */
#ifndef LEAT_TESTS_UNIT_DIVERT_H
#define LEAT_TESTS_UNIT_DIVERT_H

#include "scratch.h"

struct divert {
	int number, saved;
};

/** Lead descriptor `number` to `fd`, which stays the caller's. */
static inline struct divert divert_to(int number, int fd)
{
	struct divert divert = {.number = number};

	fflush(stdout);
	fflush(stderr);
	divert.saved = fcntl(number, F_DUPFD_CLOEXEC, 3);
	assert_true(divert.saved >= 0);
	assert_int_equal(dup2(fd, number), number);
	return divert;
}

static inline struct divert divert_to_file(int number, const char *name)
{
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
	struct divert divert;

	assert_true(fd >= 0);
	divert = divert_to(number, fd);
	close(fd);
	return divert;
}

static inline void divert_end(struct divert *divert)
{
	fflush(stdout);
	fflush(stderr);
	dup2(divert->saved, divert->number);
	close(divert->saved);
}

#endif
