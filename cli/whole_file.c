#include "whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// What `name` leads to: behind symbolic links, where there is something already.
static char *resolve(const char *name)
{
	char *real = realpath(name, NULL);

	return real || errno != ENOENT ? real : strdup(name);
}

static mode_t new_file_mode(void)
{
	mode_t mask = umask(0);

	umask(mask);
	return 0666 & ~mask;
}

static int open_beside(struct whole_file *file, mode_t mode)
{
	int fd;

	if (asprintf(&file->beside, "%s.XXXXXX", file->target) < 0) {
		file->beside = NULL;
		return -ENOMEM;
	}
	fd = mkostemp(file->beside, O_CLOEXEC);
	if (fd < 0) {
		free(file->beside);
		file->beside = NULL;
		return -errno;
	}
	fchmod(fd, mode);
	return fd;
}

static int open_target(struct whole_file *file)
{
	struct stat status;
	bool exists = stat(file->target, &status) == 0;
	int fd;

	if (exists && S_ISDIR(status.st_mode))
		return -EISDIR;
	if (!exists || S_ISREG(status.st_mode))
		return open_beside(
			file, exists ? status.st_mode & 07777 : new_file_mode());
	fd = open(file->target, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	return fd < 0 ? -errno : fd;
}

int whole_file_open(struct whole_file *file, const char *name)
{
	int fd;

	*file = (struct whole_file){.name = name, .target = resolve(name)};
	if (!file->target)
		return -errno;
	fd = open_target(file);
	if (fd < 0)
		goto free_target;
	file->stream = fdopen(fd, "w");
	if (file->stream)
		return 0;
	close(fd);
	fd = -ENOMEM;
	if (file->beside)
		unlink(file->beside);
	free(file->beside);
free_target:
	free(file->target);
	return fd;
}

static int flush(FILE *stream)
{
	int error = ferror(stream) ? -EIO : 0;

	if (fflush(stream) != 0)
		error = -errno;
	if (fclose(stream) != 0 && !error)
		error = -errno;
	return error;
}

int whole_file_close(struct whole_file *file)
{
	int error = flush(file->stream);

	if (file->beside && !error && rename(file->beside, file->target) < 0)
		error = -errno;
	if (file->beside && error)
		unlink(file->beside);
	free(file->beside);
	free(file->target);
	*file = (struct whole_file){0};
	return error;
}
