#include "ci_log.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_same(const struct stat *one, const struct stat *other)
{
	return one->st_dev == other->st_dev && one->st_ino == other->st_ino;
}

static bool look_at(int pid, int fd, struct stat *status)
{
	char name[64];

	snprintf(name, sizeof name, "/proc/%d/fd/%d", pid, fd);
	return stat(name, status) == 0;
}

// 0: there is none, or it can't be told. proc_pid_stat(5): the name, which may hold
// anything, ends at the last parenthesis.
static int parent_of(int pid)
{
	char name[64], line[512];
	int parent = 0;
	FILE *file;

	snprintf(name, sizeof name, "/proc/%d/stat", pid);
	file = fopen(name, "re");
	if (!file)
		return 0;
	if (fgets(line, sizeof line, file)) {
		const char *behind = strrchr(line, ')');

		if (!behind || sscanf(behind, ") %*c %d", &parent) != 1)
			parent = 0;
	}
	fclose(file);
	return parent;
}

bool ci_log_is_standard_output(void)
{
	struct stat out, err, other;
	int ancestor = 0;

	if (fstat(STDOUT_FILENO, &out) < 0 || fstat(STDERR_FILENO, &err) < 0)
		return false;
	for (int pid = getppid(); pid > 0; pid = parent_of(pid)) {
		if (!look_at(pid, STDERR_FILENO, &other) || !is_same(&err, &other))
			break;
		ancestor = pid;
	}
	if (getppid() == 0) // the first process of a container
		return true;
	return is_same(&out, &err) ||
	       (ancestor && look_at(ancestor, STDOUT_FILENO, &other) &&
		       is_same(&out, &other));
}
