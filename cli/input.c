#include "input.h"

#include "leat.h"
#include "message.h"
#include "split.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LONGEST ((size_t)1 << 30)
#define BUFFER_BYTES ((size_t)64 * 1024)

struct file {
	const char *name;
	int fd;
	bool regular;
	off_t length; //< when it was opened; of what the kernel makes up (/proc) it says
		      // nothing
};

struct input {
	const struct splitting *splitting;
	struct file *sources;
	size_t count, current;

	char *buffer;
	size_t capacity;
	size_t start, end; //< what was read and not yet handed out
	size_t searched;   //< from `start` on there is no delimiter so far
	bool fresh;        //< nothing of the current source was handed out
	bool at_end;       //< of the current source
	bool in_line;      //< the last record ended within a line
	bool is_last_word; //< this one is not the first of its line, and nothing ends it
	bool nul_told;     //< that one was found where none belongs
	bool stopped;      //< all that follows is not for us: splitting->end_record
};

static int open_source(struct file *source, const char *name)
{
	struct stat status;
	bool standard = strcmp(name, "-") == 0;

	source->name = standard ? "standard input" : name;
	source->fd = standard ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
			      : open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (source->fd < 0 || fstat(source->fd, &status) < 0)
		goto fail;
	source->regular = S_ISREG(status.st_mode);
	source->length = status.st_size;
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

int input_open(struct input **result, const struct splitting *splitting,
	const char *const *names, size_t count)
{
	struct input *input = calloc(1, sizeof *input);
	int error = -ENOMEM;

	if (!input)
		goto out_of_memory;
	input->splitting = splitting;
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

static int reopen_source(struct file *again, const struct file *source)
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

// What looks like its end stands before what was read already.
static bool was_cut_short(const struct file *source)
{
	struct stat status;

	return source->regular && fstat(source->fd, &status) == 0 &&
	       status.st_size < source->length &&
	       status.st_size < lseek(source->fd, 0, SEEK_CUR);
}

// Returns 0 after reading something or the end of the source.
static int fill(struct input *input, const struct patience *patience)
{
	struct file *source = &input->sources[input->current];
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
	if (got < 0 || (got == 0 && was_cut_short(source))) {
		error = got < 0 ? -errno : -EIO;
		message("cannot read %s: %s", source->name,
			got < 0 ? strerror(-error) : "it was cut short meanwhile");
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

static bool is_blank(const struct record *record)
{
	for (size_t index = 0; index < record->length; index++)
		if (record->bytes[index] != ' ' && record->bytes[index] != '\t')
			return false;
	return true;
}

// Lines that are commands: what is none of them, and what does not belong to one.
static bool is_command(struct record *record, bool fresh)
{
	size_t first = 0;

	if (fresh && record->length >= 3 &&
		memcmp(record->bytes, "\xEF\xBB\xBF", 3) == 0) {
		record->bytes += 3;
		record->length -= 3;
	}
	if (record->length && record->bytes[record->length - 1] == '\r')
		record->length--;
	while (first < record->length &&
		(record->bytes[first] == ' ' || record->bytes[first] == '\t' ||
			record->bytes[first] == '\r'))
		first++;
	return first < record->length && record->bytes[first] != '#';
}

static bool splits_words(const struct input *input)
{
	return input->splitting->kind != SPLIT_DELIMITER;
}

static void cut_at_nul(struct input *input, struct record *record)
{
	const char *nul = memchr(record->bytes, '\0', record->length);

	if (!nul)
		return;
	record->length = (size_t)(nul - record->bytes);
	if (!input->nul_told && splits_words(input))
		message("%s: a NUL byte ends an item here; -0 is for items that end so",
			input->sources[input->current].name);
	input->nul_told = true;
}

// Whether what was split off is a record after all.
static bool is_wanted(struct input *input, struct record *record)
{
	const struct splitting *splitting = input->splitting;
	bool fresh = input->fresh;

	input->fresh = false;
	if (splitting->cuts_at_nul)
		cut_at_nul(input, record);
	if (splitting->commands)
		return is_command(record, fresh);
	if ((splitting->skips_empty && !record->length) ||
		(splitting->skips_blank && is_blank(record)))
		return false;
	if (!splitting->end_record || input->is_last_word ||
		strlen(splitting->end_record) != record->length ||
		memcmp(splitting->end_record, record->bytes, record->length) != 0)
		return true;
	input->stopped = true;
	return false;
}

static int refuse(struct input *input, const char *why, int error)
{
	message("cannot read %s: %s", input->sources[input->current].name, why);
	input->start = input->end = 0;
	input->at_end = true;
	return error;
}

/* Both ways to split return 1: a record; 0: there is none in the buffer; or an error. */

static int split_at_delimiter(struct input *input, struct record *record)
{
	char *from = input->buffer + input->start;
	size_t rest = input->end - input->start;
	char *end = memchr(from + input->searched, input->splitting->delimiter,
		rest - input->searched);

	while (end && input->splitting->blank_continues && end > from &&
		(end[-1] == ' ' || end[-1] == '\t')) {
		rest--; // the line goes on in the next
		input->end--;
		memmove(end, end + 1, rest - (size_t)(end - from));
		end = memchr(
			end, input->splitting->delimiter, rest - (size_t)(end - from));
	}
	if (!end && (!input->at_end || !rest)) { // the last one needs no end
		input->searched = rest;
		return 0;
	}
	*record = (struct record){.bytes = from,
		.length = end ? (size_t)(end - from) : rest,
		.ends_line = true};
	input->start += record->length + (end != NULL);
	input->searched = 0;
	return 1;
}

static int split_at_quotes(struct input *input, struct record *record)
{
	struct piece piece =
		split_quoted(input->buffer + input->start, input->end - input->start,
			input->splitting->kind == SPLIT_WORDS, input->at_end);

	if (piece.kind == PIECE_MORE && input->splitting->longest &&
		piece.length > input->splitting->longest)
		return refuse(input, "an item is too long for a command", -E2BIG);
	input->start += piece.kind == PIECE_MORE ? 0 : piece.used;
	if (piece.kind == PIECE_UNMATCHED)
		return refuse(input, "a quote has no end on its line", -EILSEQ);
	if (piece.kind != PIECE_RECORD)
		return 0;
	*record = (struct record){piece.bytes, piece.length, piece.ends_line};
	input->is_last_word = piece.unended && input->in_line;
	input->in_line = !piece.ends_line;
	return 1;
}

int input_next(struct input *input, struct patience patience, struct record *record)
{
	while (input->current < input->count && !input->stopped) {
		int got = input->splitting->kind == SPLIT_DELIMITER
				  ? split_at_delimiter(input, record)
				  : split_at_quotes(input, record);

		if (got < 0)
			return got;
		if (got && record->length > LONGEST)
			return refuse(input, "a record is too long", -EFBIG);
		if (got && is_wanted(input, record))
			return 1;
		if (got)
			continue;
		if (input->start == input->end)
			input->start = input->end = 0;
		if (input->at_end) {
			next_source(input);
			continue;
		}
		got = fill(input, &patience);
		if (got)
			return got;
	}
	return 0;
}
