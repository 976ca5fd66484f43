#include "whole_file.h"

#include "channel.h"
#include "moment.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BESIDE_BYTES 240 // of the 255 that a name may have

// What `name` leads to: behind symbolic links. What one leads to and is not there yet is
// made. A pipe or a socket below /proc/self/fd is there, and has no name but this.
static char *resolve(const char *name)
{
	char *real = realpath(name, NULL);
	struct stat status;
	int fd;

	if (real || errno != ENOENT)
		return real;
	if (stat(name, &status) == 0 || lstat(name, &status) < 0)
		return strdup(name);
	fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY, 0666);
	if (fd < 0)
		return NULL;
	close(fd);
	return realpath(name, NULL);
}

static mode_t new_file_mode(void)
{
	mode_t mask = umask(0);

	umask(mask);
	return 0666 & ~mask;
}

// Sets `beside`. A long name is cut, so that it may be as long as any.
static int make_beside(struct whole_file *file, const char *end)
{
	const char *slash = strrchr(file->target, '/');
	size_t folder = slash ? (size_t)(slash + 1 - file->target) : 0;
	int length = (int)(folder + strnlen(file->target + folder, BESIDE_BYTES));

	free(file->beside);
	if (asprintf(&file->beside, "%.*s.%s", length, file->target, end) >= 0)
		return 0;
	file->beside = NULL;
	return -ENOMEM;
}

static int open_named_beside(struct whole_file *file)
{
	int fd = make_beside(file, "XXXXXX");

	if (fd < 0)
		return fd;
	fd = mkostemp(file->beside, O_CLOEXEC);
	if (fd < 0) {
		free(file->beside);
		file->beside = NULL;
		return -errno;
	}
	return fd;
}

#define FD_PATH_BYTES 32

static void fd_path(char path[FD_PATH_BYTES], int fd)
{
	snprintf(path, FD_PATH_BYTES, "/proc/self/fd/%d", fd);
}

// A file that has no name until it is whole, so that nothing is left of it where leat is
// killed. Not all file systems have such; without /proc it could not be given its name.
static int open_nameless(struct whole_file *file)
{
	char *target = strdup(file->target), path[FD_PATH_BYTES];
	int fd = target ? open(dirname(target), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600)
			: -1;

	free(target);
	if (fd < 0)
		return -1;
	fd_path(path, fd);
	file->nameless = access(path, F_OK) == 0;
	if (!file->nameless)
		close(fd);
	return file->nameless ? fd : -1;
}

static int open_beside(struct whole_file *file, mode_t mode)
{
	int fd = open_nameless(file);

	if (fd < 0)
		fd = open_named_beside(file);
	if (fd >= 0)
		fchmod(fd, mode);
	return fd;
}

static int link_nameless(const struct whole_file *file, const char *name)
{
	char path[FD_PATH_BYTES];

	fd_path(path, fileno(file->stream));
	return linkat(AT_FDCWD, path, AT_FDCWD, name, AT_SYMLINK_FOLLOW) < 0 ? -errno : 0;
}

// Where there is a former one it sets `beside`, from where it can take its place; where
// leat is killed before it has, that is left. Else it is there at once.
static int give_name(struct whole_file *file)
{
	char end[sizeof "01234567"];
	int error = link_nameless(file, file->target);

	if (error != -EEXIST)
		return error;
	while (error == -EEXIST) {
		unsigned number = (unsigned)(moment_monotonic_ns() ^ getpid());

		snprintf(end, sizeof end, "%08x", number);
		error = make_beside(file, end);
		if (error)
			return error;
		error = link_nameless(file, file->beside);
	}
	if (error) {
		free(file->beside);
		file->beside = NULL;
	}
	return error;
}

// The number in /dev/fd/N and its other names; -1: `name` is none of them.
static int named_descriptor(const char *name)
{
	static const char *const folders[] = {"/dev/fd/", "/proc/self/fd/"};
	char *end;

	if (strcmp(name, "/dev/stdout") == 0)
		return STDOUT_FILENO;
	if (strcmp(name, "/dev/stderr") == 0)
		return STDERR_FILENO;
	for (size_t index = 0; index < sizeof folders / sizeof *folders; index++) {
		size_t length = strlen(folders[index]);

		if (strncmp(name, folders[index], length) == 0 &&
			isdigit((unsigned char)name[length])) {
			long number = strtol(name + length, &end, 10);

			return *end || number > INT_MAX ? -1 : (int)number;
		}
	}
	return -1;
}

// Opened by name it would be written from its start. What is close-on-exec is ours,
// and was not meant.
static int open_descriptor(int number)
{
	int flags = fcntl(number, F_GETFD);
	int fd = -1;

	errno = EBADF;
	if (flags >= 0 && !(flags & FD_CLOEXEC))
		fd = fcntl(number, F_DUPFD_CLOEXEC, 3);
	return fd < 0 ? -errno : fd;
}

static bool ends_in_slash(const char *name)
{
	size_t length = strlen(name);

	return length && name[length - 1] == '/';
}

// Sets `fd` or `beside`; the latter's descriptor is in *beside_fd.
static int open_target(struct whole_file *file, int *beside_fd)
{
	int number = named_descriptor(file->name);
	struct stat status;
	bool exists = stat(file->target, &status) == 0;
	bool is_folder = exists ? S_ISDIR(status.st_mode) : ends_in_slash(file->target);
	int fd;

	if (number >= 0)
		return file->fd = open_descriptor(number);
	if (is_folder)
		return -EISDIR;
	if (!exists || S_ISREG(status.st_mode))
		return *beside_fd = open_beside(
			       file, exists ? status.st_mode & 07777 : new_file_mode());
	fd = open(file->target, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	return file->fd = fd < 0 ? -errno : fd;
}

static void forget(struct whole_file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	if (file->beside)
		unlink(file->beside);
	free(file->beside);
	free(file->target);
	*file = (struct whole_file){.fd = -1};
}

int whole_file_open(struct whole_file *file, const char *name)
{
	int beside_fd = -1, error;

	*file = (struct whole_file){.name = name, .target = resolve(name), .fd = -1};
	if (!file->target)
		return -errno;
	error = open_target(file, &beside_fd);
	if (error < 0)
		goto forget;
	file->stream = beside_fd >= 0 ? fdopen(beside_fd, "w") : tmpfile();
	if (file->stream)
		return 0;
	error = -errno;
	if (beside_fd >= 0)
		close(beside_fd);
forget:
	forget(file);
	return error;
}

// What stands in the file without a name goes to where it was to go.
static int copy_out(struct whole_file *file, int give_up_fd)
{
	char chunk[BUFSIZ];
	struct channel channel;
	size_t length;
	int error = fseek(file->stream, 0, SEEK_SET) < 0 ? -errno : 0; // flushes

	channel_open(&channel, file->name, file->fd, give_up_fd);
	while (!error && (length = fread(chunk, 1, sizeof chunk, file->stream)) > 0)
		error = channel_write(&channel, chunk, length);
	channel_close(&channel);
	return error;
}

// Before it has its name: else after a power cut it might have the name alone, and the
// former one be gone.
static int put_on_disk(struct whole_file *file)
{
	if (fflush(file->stream) != 0 || fdatasync(fileno(file->stream)) < 0)
		return -errno;
	return file->nameless ? give_name(file) : 0;
}

int whole_file_close(struct whole_file *file, int give_up_fd)
{
	int error = file->error;

	if (!error && file->fd >= 0)
		error = copy_out(file, give_up_fd);
	if (!error && file->fd < 0)
		error = put_on_disk(file);
	if (fclose(file->stream) != 0 && !error)
		error = -errno;
	if (file->beside && !error && rename(file->beside, file->target) < 0)
		error = -errno;
	if (file->beside && !error) {
		free(file->beside);
		file->beside = NULL;
	}
	forget(file);
	return error;
}

void whole_file_drop(struct whole_file *file)
{
	fclose(file->stream);
	forget(file);
}

int whole_file_write_at(
	struct whole_file *file, uint64_t at, const void *bytes, size_t length)
{
	int fd = fileno(file->stream);
	const char *from = bytes;

	while (length) {
		ssize_t written = pwrite(fd, from, length, (off_t)at);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return written < 0 ? -errno : -EIO;
		from += written;
		at += (uint64_t)written;
		length -= (size_t)written;
	}
	return 0;
}

void whole_file_write(struct whole_file *file, const void *bytes, size_t length)
{
	errno = EIO;
	if (fwrite(bytes, 1, length, file->stream) < length && !file->error)
		file->error = -errno;
}
