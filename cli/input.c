#include "input.h"

#include "leat.h"
#include "message.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFER_BYTES ((size_t)64 * 1024)

struct source {
	const char *name;
	int fd;
	bool regular;
};

struct input {
	char delimiter;
	bool skips_mark; //< of lines: a byte order mark at the start of a source
	struct source *sources;
	size_t count, current;

	char *buffer;
	size_t capacity;
	size_t start, end; //< what was read and not yet handed out
	size_t searched;   //< from `start` on there is no delimiter so far
	bool fresh;        //< nothing of the current source was handed out
	bool at_end;       //< of the current source
};

static int open_source(struct source *source, const char *name)
{
	struct stat status;
	bool standard = strcmp(name, "-") == 0;

	source->name = standard ? "standard input" : name;
	source->fd = standard ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
			      : open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (source->fd < 0 || fstat(source->fd, &status) < 0)
		goto fail;
	source->regular = S_ISREG(status.st_mode);
	errno = EISDIR;
	if (S_ISDIR(status.st_mode))
		goto fail;
	errno = EBADF; // how a closed standard input shows: descriptors.c
	if ((fcntl(source->fd, F_GETFL) & O_ACCMODE) == O_WRONLY)
		goto fail;
	return 0;
fail:
	message("cannot read %s: %s", source->name, strerror(errno));
	return -EIO;
}

int input_open(struct input **result, const struct options *options)
{
	static const char *standard[] = {"-"};
	const char **names = options->arg_file_count ? options->arg_files : standard;
	size_t count = options->arg_file_count ? options->arg_file_count : 1;
	struct input *input = calloc(1, sizeof *input);
	int error = -ENOMEM;

	if (!input)
		goto out_of_memory;
	input->delimiter = options->delimiter;
	input->skips_mark = options->lines;
	input->fresh = true;
	input->capacity = BUFFER_BYTES;
	input->buffer = malloc(input->capacity);
	input->sources = calloc(count, sizeof *input->sources);
	if (!input->buffer || !input->sources)
		goto out_of_memory;
	for (error = 0; !error && input->count < count; input->count++)
		error = open_source(&input->sources[input->count], names[input->count]);
	if (error) {
		input_close(input);
		return error;
	}
	*result = input;
	return 0;
out_of_memory:
	message("out of memory");
	input_close(input);
	return error;
}

static int reopen_source(struct source *again, const struct source *source)
{
	char path[32];

	*again = *source;
	snprintf(path, sizeof path, "/proc/self/fd/%d", source->fd);
	again->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (again->fd < 0)
		return -errno;
	return lseek(again->fd, lseek(source->fd, 0, SEEK_CUR), SEEK_SET) < 0 ? -errno
									      : 0;
}

int input_reopen(struct input **result, const struct input *input)
{
	struct input *again = malloc(sizeof *again);
	int error = 0;

	if (!again)
		return -ENOMEM;
	*again = *input;
	again->count = 0;
	again->buffer = malloc(again->capacity);
	again->sources = calloc(input->count, sizeof *again->sources);
	if (!again->buffer || !again->sources)
		error = -ENOMEM;
	for (size_t index = 0; !error && index < input->count; index++) {
		error = reopen_source(&again->sources[index], &input->sources[index]);
		again->count = index + 1;
	}
	if (error)
		input_close(again);
	else
		*result = again;
	return error;
}

void input_close(struct input *input)
{
	if (!input)
		return;
	for (size_t index = 0; index < input->count; index++)
		if (input->sources[index].fd >= 0)
			close(input->sources[index].fd);
	free(input->sources);
	free(input->buffer);
	free(input);
}

bool input_is_bounded(const struct input *input)
{
	for (size_t index = input->current; index < input->count; index++)
		if (!input->sources[index].regular)
			return false;
	return true;
}

bool input_is_terminal(const struct input *input)
{
	return input->current < input->count && isatty(input->sources[input->current].fd);
}

// Room for more behind `end`: moves the rest to the front, or makes more.
static int make_room(struct input *input)
{
	char *buffer;

	if (input->end < input->capacity)
		return 0;
	if (input->start >= input->capacity / 2) {
		memmove(input->buffer, input->buffer + input->start,
			input->end - input->start);
		input->end -= input->start;
		input->start = 0;
		return 0;
	}
	buffer = realloc(input->buffer, 2 * input->capacity);
	if (!buffer)
		return -ENOMEM;
	input->buffer = buffer;
	input->capacity *= 2;
	return 0;
}

// For poll(2): -1 for ever, 0 when patience is over.
static int milliseconds_left(const struct patience *patience)
{
	int64_t deadline = leat_context_deadline(patience->context);
	int64_t until = deadline < patience->until ? deadline : patience->until;
	int64_t left;

	if (leat_context_cause(patience->context))
		return 0;
	if (until == LEAT_NEVER)
		return -1;
	left = until - leat_context_now(patience->context);
	if (left <= 0)
		return 0;
	return left / 1000000 < 3600000 ? (int)(left / 1000000 + 1) : 3600000;
}

// 1: there is something to read (or an error to be had); 0: patience is over.
static int wait_readable(int fd, const struct patience *patience)
{
	struct pollfd polled[2] = {
		{.fd = fd, .events = POLLIN},
		{.fd = leat_context_wake_fd(patience->context), .events = POLLIN},
	};
	int left;

	while ((left = milliseconds_left(patience)) != 0)
		if (poll(polled, 2, left) > 0 && polled[0].revents && !polled[1].revents)
			return 1;
	return 0;
}

// Returns 0 after reading something or the end of the source.
static int fill(struct input *input, const struct patience *patience)
{
	struct source *source = &input->sources[input->current];
	ssize_t got;
	int error = make_room(input);

	if (error) {
		message("cannot read %s: %s", source->name, strerror(-error));
		return error;
	}
	do {
		if (!wait_readable(source->fd, patience))
			return -EAGAIN;
		got = read(source->fd, input->buffer + input->end,
			input->capacity - input->end);
		// A descriptor set to O_NONBLOCK by another reader, who was faster
	} while (got < 0 && (errno == EINTR || errno == EAGAIN));
	if (got < 0) {
		error = -errno;
		message("cannot read %s: %s", source->name, strerror(errno));
		input->at_end = true;
		return error;
	}
	input->end += (size_t)got;
	input->at_end = got == 0;
	return 0;
}

static void next_source(struct input *input)
{
	close(input->sources[input->current].fd);
	input->sources[input->current].fd = -1;
	input->current++;
	input->at_end = false;
	input->fresh = true;
}

static void hand_out(struct input *input, size_t length, struct record *record)
{
	record->bytes = input->buffer + input->start;
	record->length = length;
	input->start += length;
	input->searched = 0;
	if (input->fresh && input->skips_mark && length >= 3 &&
		memcmp(record->bytes, "\xEF\xBB\xBF", 3) == 0) {
		record->bytes += 3;
		record->length -= 3;
	}
	input->fresh = false;
}

int input_next(struct input *input, struct patience patience, struct record *record)
{
	while (input->current < input->count) {
		size_t rest = input->end - input->start;
		char *from = input->buffer + input->start;
		char *end = memchr(
			from + input->searched, input->delimiter, rest - input->searched);
		int error;

		if (end) {
			hand_out(input, (size_t)(end - from), record);
			input->start++;
			return 1;
		}
		if (input->at_end && rest) { // the last one needs no end
			hand_out(input, rest, record);
			return 1;
		}
		input->searched = rest;
		if (!rest)
			input->start = input->end = 0;
		if (input->at_end) {
			next_source(input);
			continue;
		}
		error = fill(input, &patience);
		if (error)
			return error;
	}
	return 0;
}
