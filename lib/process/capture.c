#include "../leat.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <unistd.h>

#define FIRST_BYTES ((size_t)4096)
#define CHUNK_BYTES ((size_t)64 * 1024)
#define KEPT_BYTES CHUNK_BYTES
#define SPLICE_BYTES ((size_t)1 << 20)

struct leat_capture {
	char *memory;
	size_t capacity, length;
	size_t limit;
	const char *directory;
	int file_fd;      //< -1: all is in memory
	loff_t file_size; //< what follows `memory`
	int error;
};

int leat_capture_create(
	struct leat_capture **result, size_t memory_bytes, const char *directory)
{
	struct leat_capture *capture = calloc(1, sizeof *capture);

	if (!capture)
		return -ENOMEM;
	capture->limit = memory_bytes;
	capture->directory = directory;
	capture->file_fd = -1;
	*result = capture;
	return 0;
}

void leat_capture_destroy(struct leat_capture *capture)
{
	if (!capture)
		return;
	if (capture->file_fd >= 0)
		close(capture->file_fd);
	free(capture->memory);
	free(capture);
}

static int open_unlinked(const char *directory)
{
	char path[PATH_MAX];
	int fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	// Where the file system has no unnamed files, the name is gone at once.
	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR))
		return fd < 0 ? -errno : fd;
	if ((size_t)snprintf(path, sizeof path, "%s/leat.XXXXXX", directory) >=
		sizeof path)
		return -ENAMETOOLONG;
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	unlink(path);
	return fd;
}

static void note_error(struct leat_capture *capture, int error)
{
	if (!capture->error)
		capture->error = error;
}

static int resize(struct leat_capture *capture, size_t capacity)
{
	char *memory = realloc(capture->memory, capacity);

	if (!memory)
		return -ENOMEM;
	capture->memory = memory;
	capture->capacity = capacity;
	return 0;
}

static int grow(struct leat_capture *capture)
{
	size_t capacity = capture->capacity ? capture->capacity * 4 : FIRST_BYTES;

	return resize(capture, capacity < capture->limit ? capacity : capture->limit);
}

static void spill(struct leat_capture *capture, const char *bytes, size_t length)
{
	if (capture->file_fd < 0) {
		int fd = open_unlinked(capture->directory);

		if (fd < 0) {
			note_error(capture, fd);
			return;
		}
		capture->file_fd = fd;
	}
	while (length) {
		ssize_t written =
			pwrite(capture->file_fd, bytes, length, capture->file_size);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0) {
			note_error(capture, written < 0 ? -errno : -EIO);
			return;
		}
		bytes += written;
		length -= (size_t)written;
		capture->file_size += written;
	}
}

static ssize_t read_once(int fd, char *bytes, size_t length)
{
	ssize_t got;

	do
		got = read(fd, bytes, length);
	while (got < 0 && errno == EINTR);
	return got < 0 ? -errno : got;
}

// What is read past the limit, or without memory, goes by way of the stack, where it
// can't go straight from a pipe to the file.
static ssize_t read_to_file(struct leat_capture *capture, int fd)
{
	char chunk[CHUNK_BYTES];
	ssize_t got;

	if (capture->file_fd >= 0 && !capture->error) {
		got = splice(fd, NULL, capture->file_fd, &capture->file_size,
			SPLICE_BYTES, SPLICE_F_MOVE);
		if (got >= 0)
			return got;
	}
	got = read_once(fd, chunk, sizeof chunk);

	if (got > 0 && !capture->error)
		spill(capture, chunk, (size_t)got);
	return got;
}

ssize_t leat_capture_read(struct leat_capture *capture, int fd)
{
	if (capture->length == capture->capacity && capture->capacity < capture->limit)
		grow(capture); // failing that, the file serves
	if (capture->length == capture->capacity || capture->file_fd >= 0 ||
		capture->error)
		return read_to_file(capture, fd);

	ssize_t got = read_once(fd, capture->memory + capture->length,
		capture->capacity - capture->length);
	if (got > 0)
		capture->length += (size_t)got;
	return got;
}

void leat_capture_append(struct leat_capture *capture, const char *bytes, size_t length)
{
	while (length && capture->file_fd < 0 && !capture->error) {
		size_t room = capture->capacity - capture->length;

		if (!room) {
			if (capture->capacity == capture->limit || grow(capture))
				break;
			continue;
		}
		if (room > length)
			room = length;
		memcpy(capture->memory + capture->length, bytes, room);
		capture->length += room;
		bytes += room;
		length -= room;
	}
	if (length && !capture->error)
		spill(capture, bytes, length);
}

void leat_capture_use_file(struct leat_capture *capture, int fd)
{
	capture->file_fd = fd;
}

static ssize_t take(struct leat_stream *stream, int fd, bool readable)
{
	return readable ? leat_capture_read(stream->argument, fd) : -EAGAIN;
}

struct leat_stream leat_capture_stream(struct leat_capture *capture)
{
	return (struct leat_stream){.take = take, .argument = capture, .also_fd = -1};
}

int leat_capture_error(const struct leat_capture *capture)
{
	return capture->error;
}

uint64_t leat_capture_size(const struct leat_capture *capture)
{
	return capture->length + (uint64_t)capture->file_size;
}

uint64_t leat_capture_spilled(const struct leat_capture *capture)
{
	return (uint64_t)capture->file_size;
}

ssize_t leat_capture_view(struct leat_capture *capture, uint64_t offset, char *buffer,
	size_t size, const char **bytes)
{
	off_t at = (off_t)(offset - capture->length);
	ssize_t got;

	if (offset < capture->length) {
		*bytes = capture->memory + offset;
		return (ssize_t)(capture->length - offset);
	}
	*bytes = buffer;
	if (at >= capture->file_size)
		return 0;
	if ((off_t)size > capture->file_size - at)
		size = (size_t)(capture->file_size - at);
	do
		got = pread(capture->file_fd, buffer, size, at);
	while (got < 0 && errno == EINTR);
	if (got == 0)
		return -EIO; // somebody made the file shorter
	return got < 0 ? -errno : got;
}

ssize_t leat_capture_send(struct leat_capture *capture, uint64_t offset, int fd)
{
	off_t at = (off_t)(offset - capture->length);
	ssize_t sent;

	if (offset < capture->length || at >= capture->file_size)
		return -EINVAL;
	do
		sent = sendfile(
			fd, capture->file_fd, &at, (size_t)(capture->file_size - at));
	while (sent < 0 && errno == EINTR);
	if (sent == 0)
		return -EIO; // somebody made the file shorter
	return sent < 0 ? -errno : sent;
}

int leat_capture_replay(struct leat_capture *capture, leat_sink_fn sink, void *argument)
{
	char chunk[CHUNK_BYTES];
	const char *bytes;
	uint64_t offset = 0;
	ssize_t length;
	int result = 0;

	while (!result && (length = leat_capture_view(
				   capture, offset, chunk, sizeof chunk, &bytes)) != 0) {
		if (length < 0)
			return (int)length;
		offset += (uint64_t)length;
		result = sink(argument, bytes, (size_t)length);
	}
	return result;
}

// A buffer that was filled at once is too small for what comes: the next is larger.
void leat_capture_reset(struct leat_capture *capture)
{
	if (capture->length && capture->length == capture->capacity &&
		capture->capacity < KEPT_BYTES)
		grow(capture);
	else if (capture->capacity > KEPT_BYTES)
		resize(capture, KEPT_BYTES);
	if (capture->file_fd >= 0)
		close(capture->file_fd);
	capture->file_fd = -1;
	capture->file_size = 0;
	capture->length = 0;
	capture->error = 0;
}
