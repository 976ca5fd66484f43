/*
 * The journal's entries are committed in groups, and what is not committed yet must
 * survive this process. So each is written to a file at once, with one pwrite(2): what
 * the kernel has, a SIGKILL can't take away. Who opens the journal next finds there what
 * is missing, and takes it over.
 *
 * The file has two halves, which are filled in turn. A half is filled again, from its
 * start, when all that it held is committed. What it held before may stand behind what is
 * new: tickets only rise, so the first that does not rise ends what counts. A checksum,
 * begun with the journal's own number, tells what is whole and belongs here: after a
 * power cut any part may be missing. The same bytes are kept in memory, for whoever
 * commits them.
 *
 * The file is the lock, too. A lock of the process (fcntl(2), F_SETLK) says who writes,
 * and whoever is refused learns that process's number; it ends with the process. A lock
 * of an open file description (F_OFD_SETLK) on another byte is shared with the guardian,
 * so it lasts until the last task of a killed leat has been ended. A lock of the first
 * kind is lost with any close(2) of the file: so it is not the journal's own file, which
 * SQLite opens and closes. As the tail is removed at the end, whoever gets the lock makes
 * sure that the file is still the one of that name.
 */
#include "journal/tail.h"

#include "account.h"
#include "sum.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HALF_BYTES ((size_t)512 * 1024)
#define FORMAT 1
#define ALIGNMENT 8
#define RUN_BYTE 0
#define GUARD_BYTE 1

struct half {
	char *bytes;
	size_t length;    //< filled
	size_t forgotten; //< of it
};

struct tail {
	char *name;
	int fd, guard_fd;
	uint64_t id, ticket;
	struct half halves[2];
	unsigned current; //< the half that is being filled
};

// As it stands in the file; the texts follow.
struct record {
	uint32_t format, size; //< with what follows
	uint64_t ticket, checksum;
	struct entry entry;
};

// What is summed up must have no gaps of unknown content.
_Static_assert(sizeof(struct record) == 24 + sizeof(struct entry), "a gap in the record");
_Static_assert(sizeof(struct entry) == 128, "a gap in the entry");

/* ---- the file and its locks ---- */

static struct flock lock_on(off_t byte)
{
	return (struct flock){
		.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
}

static int lock_run(int fd, pid_t *holder)
{
	struct flock lock = lock_on(RUN_BYTE);

	*holder = 0;
	if (fcntl(fd, F_SETLK, &lock) == 0)
		return 0;
	if (errno != EAGAIN && errno != EACCES)
		return -errno;
	if (fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK)
		*holder = lock.l_pid;
	return -EBUSY;
}

static bool is_same_file(int fd, const char *name)
{
	struct stat held, named;

	return fstat(fd, &held) == 0 && lstat(name, &named) == 0 &&
	       held.st_dev == named.st_dev && held.st_ino == named.st_ino;
}

// A tail that did not come to be: entries are written once it has all of its room.
static bool is_blank(int fd)
{
	char bytes[4096];
	ssize_t got;
	off_t at = 0;

	while ((got = pread(fd, bytes, sizeof bytes, at)) > 0) {
		for (ssize_t index = 0; index < got; index++)
			if (bytes[index])
				return false;
		at += got;
	}
	return got == 0;
}

// What is not a tail, or somebody else's, must not be written to.
static int check_file(int fd)
{
	struct stat status;

	if (fstat(fd, &status) < 0)
		return -errno;
	if (!S_ISREG(status.st_mode) || status.st_uid != geteuid())
		return -EPERM;
	if (status.st_size == 2 * HALF_BYTES)
		return 0;
	return status.st_size < (off_t)(2 * HALF_BYTES) && is_blank(fd) ? 0 : -EBADMSG;
}

static int open_file(const char *name, bool make)
{
	int fd = open(name,
		O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | (make ? O_CREAT : 0),
		0600);
	int error = fd < 0 ? -errno : check_file(fd);

	if (error && fd >= 0)
		close(fd);
	return error == -ELOOP ? -EPERM : error ? error : fd;
}

// Both descriptors, of the file that has the name once the lock is had.
static int open_and_lock(struct tail *tail, bool make, pid_t *holder)
{
	int error;

	do {
		tail->fd = open_file(tail->name, make);
		if (tail->fd < 0)
			return tail->fd;
		error = lock_run(tail->fd, holder);
		tail->guard_fd = error ? -1 : open_file(tail->name, false);
		if (!error && is_same_file(tail->fd, tail->name) && tail->guard_fd >= 0 &&
			is_same_file(tail->guard_fd, tail->name))
			return 0;
		if (tail->guard_fd >= 0)
			close(tail->guard_fd);
		close(tail->fd);
	} while (!error);
	return error;
}

int tail_open(struct tail **result, const char *name, bool make, pid_t *holder)
{
	struct tail *tail = calloc(1, sizeof *tail);
	int error = -ENOMEM;

	*holder = 0;
	if (!tail)
		return -ENOMEM;
	if (asprintf(&tail->name, "%s-tail", name) < 0)
		goto free_tail;
	for (int index = 0; index < 2; index++)
		tail->halves[index].bytes = malloc(HALF_BYTES);
	if (!tail->halves[0].bytes || !tail->halves[1].bytes)
		goto free_halves;
	error = open_and_lock(tail, make, holder);
	if (error)
		goto free_halves;
	error = -posix_fallocate(tail->fd, 0, 2 * HALF_BYTES);
	if (error)
		tail_close(tail, is_blank(tail->fd));
	else
		*result = tail;
	return error;
free_halves:
	free(tail->halves[0].bytes);
	free(tail->halves[1].bytes);
	free(tail->name);
free_tail:
	free(tail);
	return error;
}

void tail_close(struct tail *tail, bool remove)
{
	if (!tail)
		return;
	if (remove && is_same_file(tail->fd, tail->name))
		unlink(tail->name);
	else
		fdatasync(tail->fd);
	close(tail->guard_fd);
	close(tail->fd);
	free(tail->halves[0].bytes);
	free(tail->halves[1].bytes);
	free(tail->name);
	free(tail);
}

bool tail_lock_guard(struct tail *tail, bool patient)
{
	struct flock lock = lock_on(GUARD_BYTE);
	int done;

	do
		done = fcntl(tail->guard_fd, patient ? F_OFD_SETLKW : F_OFD_SETLK, &lock);
	while (done < 0 && errno == EINTR);
	return done == 0;
}

int tail_guard_fd(const struct tail *tail)
{
	return tail->guard_fd;
}

bool tail_is_there(const struct tail *tail)
{
	return is_same_file(tail->fd, tail->name);
}

/* ---- entries ---- */

static uint64_t checksum(uint64_t id, const struct record *record)
{
	struct record copy = *record;
	uint64_t sum;

	copy.checksum = 0;
	sum = sum_bytes(SUM_START ^ id, &copy, sizeof copy);
	return sum_bytes(sum, record + 1, record->size - sizeof copy);
}

static size_t size_of(const struct entry *entry)
{
	size_t size =
		sizeof(struct record) + (size_t)entry->command_bytes + entry->input_bytes;

	return (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static struct told tell(const struct record *record)
{
	const char *texts = (const char *)(record + 1);

	return (struct told){
		.entry = record->entry,
		.command = texts,
		.input = record->entry.has_input ? texts + record->entry.command_bytes
						 : NULL,
	};
}

// The record at `bytes`, of which `length` are there, if it is whole, and told after
// `ticket`.
static const struct record *look_at(
	const char *bytes, size_t length, uint64_t id, uint64_t ticket)
{
	const struct record *record = (const void *)bytes;

	if (length < sizeof *record || record->format != FORMAT ||
		record->ticket <= ticket || record->size < sizeof *record ||
		record->size > length || size_of(&record->entry) != record->size)
		return NULL;
	return record->entry.outcome < TASK_ENDS &&
			       checksum(id, record) == record->checksum
		       ? record
		       : NULL;
}

static size_t load(struct tail *tail, unsigned index)
{
	ssize_t got = pread(tail->fd, tail->halves[index].bytes, HALF_BYTES,
		(off_t)(index * HALF_BYTES));

	return got > 0 ? (size_t)got : 0;
}

static int replay_half(const char *bytes, size_t length, uint64_t id, uint64_t *ticket,
	tail_fn function, void *argument)
{
	const struct record *record;
	uint64_t last = 0;
	size_t at = 0;
	int error = 0;

	while (!error && (record = look_at(bytes + at, length - at, id, last))) {
		struct told told = tell(record);

		last = record->ticket;
		if (last > *ticket) {
			error = function(argument, &told);
			*ticket = last;
		}
		at += record->size;
	}
	return error;
}

static uint64_t first_ticket(const char *bytes, size_t length, uint64_t id)
{
	const struct record *record = look_at(bytes, length, id, 0);

	return record ? record->ticket : UINT64_MAX;
}

int tail_replay(struct tail *tail, uint64_t id, uint64_t *ticket, tail_fn function,
	void *argument)
{
	size_t lengths[2] = {load(tail, 0), load(tail, 1)};
	unsigned older = first_ticket(tail->halves[1].bytes, lengths[1], id) <
			 first_ticket(tail->halves[0].bytes, lengths[0], id);
	int error = replay_half(tail->halves[older].bytes, lengths[older], id, ticket,
		function, argument);

	if (!error)
		error = replay_half(tail->halves[!older].bytes, lengths[!older], id,
			ticket, function, argument);
	return error;
}

void tail_begin(struct tail *tail, uint64_t id, uint64_t ticket)
{
	tail->id = id;
	tail->ticket = ticket;
}

static int find_room(struct tail *tail, size_t size)
{
	struct half *other = &tail->halves[!tail->current];

	if (size > HALF_BYTES)
		return -E2BIG;
	if (tail->halves[tail->current].length + size <= HALF_BYTES)
		return 0;
	if (other->length)
		return -EAGAIN;
	tail->current = !tail->current;
	return 0;
}

static int write_whole(int fd, const char *bytes, size_t length, off_t at)
{
	while (length) {
		ssize_t written = pwrite(fd, bytes, length, at);

		if (written < 0 && errno != EINTR)
			return -errno;
		if (written > 0) {
			bytes += written;
			length -= (size_t)written;
			at += written;
		}
	}
	return 0;
}

int tail_add(struct tail *tail, const struct told *told)
{
	const struct entry *entry = &told->entry;
	size_t size = size_of(entry);
	int error = find_room(tail, size);
	struct half *half = &tail->halves[tail->current];
	struct record *record = (void *)(half->bytes + half->length);
	char *texts = (char *)(record + 1);

	if (error)
		return error;
	memset((char *)record + size - ALIGNMENT, 0, ALIGNMENT);
	*record = (struct record){.format = FORMAT,
		.size = (uint32_t)size,
		.ticket = tail->ticket + 1,
		.entry = *entry};
	if (entry->command_bytes)
		memcpy(texts, told->command, entry->command_bytes);
	if (entry->input_bytes)
		memcpy(texts + entry->command_bytes, told->input, entry->input_bytes);
	record->checksum = checksum(tail->id, record);
	error = write_whole(tail->fd, (char *)record, size,
		(off_t)(tail->current * HALF_BYTES + half->length));
	if (error)
		return error;
	half->length += size;
	tail->ticket++;
	return 0;
}

void tail_get(const struct tail *tail, struct batch *batch)
{
	*batch = (struct batch){
		.half = {!tail->current, tail->current}, .ticket = tail->ticket};
	for (int index = 0; index < 2; index++) {
		const struct half *half = &tail->halves[batch->half[index]];

		batch->spans[index].bytes = half->bytes;
		batch->spans[index].from = half->forgotten;
		batch->spans[index].to = half->length;
	}
}

int batch_each(const struct batch *batch, tail_fn function, void *argument)
{
	int error = 0;

	for (int index = 0; index < 2; index++)
		for (size_t at = batch->spans[index].from;
			!error && at < batch->spans[index].to;) {
			const struct record *record =
				(const void *)(batch->spans[index].bytes + at);
			struct told told = tell(record);

			error = function(argument, &told);
			at += record->size;
		}
	return error;
}

void tail_forget(struct tail *tail, const struct batch *batch)
{
	for (int index = 0; index < 2; index++) {
		struct half *half = &tail->halves[batch->half[index]];

		half->forgotten = batch->spans[index].to;
		if (half->forgotten == half->length)
			half->forgotten = half->length = 0;
	}
}

uint64_t tail_ticket(const struct tail *tail)
{
	return tail->ticket;
}

void tail_skip(struct tail *tail)
{
	tail->ticket++;
}

bool tail_is_full(const struct tail *tail)
{
	return tail->halves[!tail->current].length > 0;
}
