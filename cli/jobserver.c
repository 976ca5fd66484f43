/*
 * Tokens. In a pipe or a FIFO that make, its children and theirs share, each byte is a
 * token: whoever wants to have one more job at work reads a byte, and writes it back
 * when that has ended. One more token needs no byte: each process was started as a job
 * of somebody else's, and may have one at work itself. leat's own is that one; an
 * eventfd holds it while no task has it.
 *
 * The pipe is opened anew, so that it can be read without blocking: the flags of the
 * open file description that was inherited belong to all who share it, and between
 * poll(2) and read(2) another may have taken the byte. That description can be read and
 * written, so that it never is at its end, whoever dies.
 *
 * Who waits does so in epoll_wait(2), for the pipe, for leat's own token, and for the
 * end of the context. All workers wait on one epoll instance, as the kernel then wakes
 * one of them for one event, not all. It is level-triggered: the context's end, which
 * stays, wakes them one after the other. What happens between the try and the wait is
 * seen by the wait.
 *
 * leat as the server is a client of its own pipe. A task that is killed keeps what it had
 * taken; so when none of leat's tasks is at work, and all tokens ought to be there, the
 * pipe is set to the number that belongs in it. That comes about by itself: as tokens
 * vanish, fewer tasks are at work, at last the one that has leat's own token.
 *
 * The lock guards `inside`, and makes taking and giving one step with it, lest the pipe
 * be filled up for a token that is being taken. What is done under it never blocks, as
 * the descriptors don't.
 */
#include "jobserver.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define OWN_TOKEN 256 // a byte's are 0 to 255
#define TOKEN_BYTE '+'
// Shells have numbers of one digit for their scripts ("exec 3>file").
#define FIRST_SERVED_FD 10

struct jobserver {
	int token_fd;          //< the pipe, non-blocking
	int own_fd;            //< an eventfd: 1 while leat's own token is free
	int waiting_fd;        //< the epoll instance
	int fds[2];            //< what tasks get
	size_t fd_count;       //< 0 or 2
	bool serves;           //< all below is leat's, also the fds
	int tokens;            //< bytes in the pipe while nobody is at work
	struct text where;     //< as MAKEFLAGS tells it
	struct text variable;  //< MAKEFLAGS=…
	struct text directory; //< of the fifo
	struct text path;      //< the fifo
	struct leat_context *context;
	jobserver_lost_fn lost;
	void *lost_argument;
	atomic_bool is_lost;
	pthread_mutex_t lock;
	unsigned inside; //< tasks that have a token
};

/* ---- set-up ---- */

static int watch(struct jobserver *jobserver, int fd)
{
	struct epoll_event event = {.events = EPOLLIN};

	return epoll_ctl(jobserver->waiting_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno
									       : 0;
}

static int open_waiting(struct jobserver *jobserver)
{
	int error;

	jobserver->own_fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
	jobserver->waiting_fd = epoll_create1(EPOLL_CLOEXEC);
	if (jobserver->own_fd < 0 || jobserver->waiting_fd < 0)
		return -errno;
	error = watch(jobserver, jobserver->own_fd);
	return error ? error : watch(jobserver, jobserver->token_fd);
}

static int open_tokens(struct jobserver *jobserver, const char *path)
{
	jobserver->token_fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	return jobserver->token_fd < 0 ? -errno : open_waiting(jobserver);
}

static int open_pipe(struct jobserver *jobserver)
{
	char path[40];

	snprintf(path, sizeof path, "/proc/self/fd/%d", jobserver->fds[0]);
	return open_tokens(jobserver, path);
}

static struct jobserver *create(void)
{
	struct jobserver *jobserver = calloc(1, sizeof *jobserver);

	if (!jobserver)
		return NULL;
	jobserver->token_fd = jobserver->own_fd = jobserver->waiting_fd = -1;
	jobserver->fds[0] = jobserver->fds[1] = -1;
	pthread_mutex_init(&jobserver->lock, NULL);
	return jobserver;
}

// Where make did not pass the pipe on, its numbers may be anything's; but not those of
// both ends of one pipe.
static bool is_pipe(int read_fd, int write_fd)
{
	struct stat one, other;

	return read_fd > STDERR_FILENO && write_fd > STDERR_FILENO &&
	       fstat(read_fd, &one) == 0 && fstat(write_fd, &other) == 0 &&
	       S_ISFIFO(one.st_mode) && one.st_dev == other.st_dev &&
	       one.st_ino == other.st_ino;
}

static int join(struct jobserver *jobserver, const struct makeflags *makeflags)
{
	if (makeflags->style == JOBSERVER_FIFO)
		return open_tokens(jobserver, makeflags->path.bytes);
	if (makeflags->style != JOBSERVER_PIPE ||
		!is_pipe(makeflags->read_fd, makeflags->write_fd))
		return -EBADF;
	jobserver->fds[0] = makeflags->read_fd;
	jobserver->fds[1] = makeflags->write_fd;
	jobserver->fd_count = 2;
	return open_pipe(jobserver);
}

int jobserver_join(struct jobserver **result, const struct makeflags *makeflags)
{
	struct jobserver *jobserver;
	int error;

	*result = NULL;
	if (makeflags->style == JOBSERVER_NONE)
		return 0;
	jobserver = create();
	if (!jobserver)
		return -ENOMEM;
	error = join(jobserver, makeflags);
	if (error)
		jobserver_destroy(jobserver);
	else
		*result = jobserver;
	return error;
}

static int make_pipe(struct jobserver *jobserver)
{
	int ends[2], error = 0;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	jobserver->fd_count = 2;
	for (int end = 0; end < 2; end++) {
		jobserver->fds[end] = fcntl(ends[end], F_DUPFD_CLOEXEC, FIRST_SERVED_FD);
		if (jobserver->fds[end] < 0)
			error = -errno;
		close(ends[end]);
	}
	if (error)
		return error;
	text_format(&jobserver->where, "%d,%d", jobserver->fds[0], jobserver->fds[1]);
	return jobserver->where.failed ? -ENOMEM : open_pipe(jobserver);
}

// Its path is absolute: tasks may run in other directories.
static int make_directory(struct jobserver *jobserver, const char *below)
{
	char *whole = realpath(below, NULL);
	int error;

	if (!whole)
		return -errno;
	text_format(&jobserver->directory, "%s/leat-XXXXXX", whole);
	free(whole);
	if (jobserver->directory.failed)
		return -ENOMEM;
	if (mkdtemp(jobserver->directory.bytes))
		return 0;
	error = -errno;
	text_finish(&jobserver->directory);
	return error;
}

static int make_fifo(struct jobserver *jobserver, const char *below)
{
	int error = make_directory(jobserver, below);

	if (error)
		return error;
	text_format(&jobserver->path, "%s/jobserver", jobserver->directory.bytes);
	text_format(&jobserver->where, "fifo:%s", jobserver->path.bytes);
	if (jobserver->path.failed || jobserver->where.failed)
		return -ENOMEM;
	if (mkfifo(jobserver->path.bytes, 0600) < 0)
		return -errno;
	return open_tokens(jobserver, jobserver->path.bytes);
}

static bool put(struct jobserver *jobserver, char byte)
{
	return write(jobserver->token_fd, &byte, 1) == 1;
}

// How many bytes of `wanted` the pipe takes back whenever they come. A page that was
// filled takes none until its last one was read: a full pipe would refuse the byte that
// was just taken.
static int tokens_that_fit(const struct jobserver *jobserver, unsigned wanted)
{
	int size = fcntl(jobserver->token_fd, F_GETPIPE_SZ);
	int most = size - (int)sysconf(_SC_PAGESIZE);

	return most > 0 && wanted > (unsigned)most ? most : (int)wanted;
}

static int serve(struct jobserver *jobserver, unsigned jobs, bool fifo,
	const char *directory, const char *before)
{
	int error = fifo ? make_fifo(jobserver, directory) : make_pipe(jobserver);
	int fit;

	if (error)
		return error;
	makeflags_append(&jobserver->variable, before, jobs, jobserver->where.bytes);
	if (jobserver->variable.failed)
		return -ENOMEM;
	fit = tokens_that_fit(jobserver, jobs - 1);
	while (jobserver->tokens < fit && put(jobserver, TOKEN_BYTE))
		jobserver->tokens++;
	return 0;
}

int jobserver_serve(struct jobserver **result, unsigned jobs, bool fifo,
	const char *directory, const char *before)
{
	struct jobserver *jobserver = create();
	int error;

	if (!jobserver)
		return -ENOMEM;
	jobserver->serves = true;
	error = serve(jobserver, jobs, fifo, directory, before);
	if (error)
		jobserver_destroy(jobserver);
	else
		*result = jobserver;
	return error;
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

void jobserver_destroy(struct jobserver *jobserver)
{
	if (!jobserver)
		return;
	close_fd(jobserver->waiting_fd);
	close_fd(jobserver->own_fd);
	close_fd(jobserver->token_fd);
	for (int end = 0; jobserver->serves && end < 2; end++)
		close_fd(jobserver->fds[end]);
	if (jobserver->path.bytes)
		unlink(jobserver->path.bytes);
	if (jobserver->directory.bytes)
		rmdir(jobserver->directory.bytes);
	text_finish(&jobserver->path);
	text_finish(&jobserver->directory);
	text_finish(&jobserver->where);
	text_finish(&jobserver->variable);
	pthread_mutex_destroy(&jobserver->lock);
	free(jobserver);
}

int jobserver_start(struct jobserver *jobserver, struct leat_context *context,
	jobserver_lost_fn lost, void *argument)
{
	int wake_fd;

	if (!jobserver)
		return 0;
	jobserver->context = context;
	jobserver->lost = lost;
	jobserver->lost_argument = argument;
	wake_fd = leat_context_wake_fd(context);
	return wake_fd < 0 ? wake_fd : watch(jobserver, wake_fd);
}

const char *jobserver_variable(const struct jobserver *jobserver)
{
	return jobserver ? jobserver->variable.bytes : NULL;
}

const int *jobserver_fds(const struct jobserver *jobserver, size_t *count)
{
	*count = jobserver ? jobserver->fd_count : 0;
	return jobserver ? jobserver->fds : NULL;
}

/* ---- while tasks run ---- */

// From here on the pipe wakes nobody, and leat's own token is all there is.
static void lose(struct jobserver *jobserver, int error)
{
	if (atomic_exchange(&jobserver->is_lost, true))
		return;
	epoll_ctl(jobserver->waiting_fd, EPOLL_CTL_DEL, jobserver->token_fd, NULL);
	jobserver->lost(jobserver->lost_argument, error);
}

static int take_byte(struct jobserver *jobserver, int *error)
{
	unsigned char byte;
	ssize_t got;

	if (atomic_load(&jobserver->is_lost))
		return JOBSERVER_NO_TOKEN;
	got = read(jobserver->token_fd, &byte, 1);
	if (got == 1)
		return byte;
	if (got == 0)
		*error = -EPIPE;
	else if (errno != EAGAIN && errno != EINTR)
		*error = -errno;
	return JOBSERVER_NO_TOKEN;
}

static int take(struct jobserver *jobserver, int *error)
{
	eventfd_t own;
	int token = OWN_TOKEN;

	pthread_mutex_lock(&jobserver->lock);
	if (eventfd_read(jobserver->own_fd, &own) < 0)
		token = take_byte(jobserver, error);
	jobserver->inside += token != JOBSERVER_NO_TOKEN;
	pthread_mutex_unlock(&jobserver->lock);
	return token;
}

// epoll_wait(2) knows nothing of a deadline, nor of a clock that stands still.
static int patience_ms(struct leat_context *context)
{
	int64_t deadline = leat_context_deadline(context), left;

	if (deadline == LEAT_NEVER)
		return -1;
	left = deadline - leat_context_now(context);
	return left <= 0 ? 0 : left < LEAT_SECOND_NS ? (int)(left / 1000000 + 1) : 1000;
}

int jobserver_enter(struct jobserver *jobserver, int *token)
{
	*token = JOBSERVER_NO_TOKEN;
	while (jobserver) {
		struct epoll_event event;
		int error = 0;

		if (leat_context_cause(jobserver->context))
			return -ECANCELED;
		*token = take(jobserver, &error);
		if (error)
			lose(jobserver, error);
		if (*token != JOBSERVER_NO_TOKEN)
			return 0;
		epoll_wait(jobserver->waiting_fd, &event, 1,
			patience_ms(jobserver->context));
	}
	return 0;
}

// What background processes still have comes on top one day, and is taken out here.
static void set_right(struct jobserver *jobserver)
{
	int there, ignored = 0;

	if (ioctl(jobserver->token_fd, FIONREAD, &there) < 0)
		return;
	while (there < jobserver->tokens && put(jobserver, TOKEN_BYTE))
		there++;
	while (there > jobserver->tokens &&
		take_byte(jobserver, &ignored) != JOBSERVER_NO_TOKEN)
		there--;
}

void jobserver_leave(struct jobserver *jobserver, int *token)
{
	int error = 0;

	if (*token == JOBSERVER_NO_TOKEN)
		return;
	pthread_mutex_lock(&jobserver->lock);
	if (*token == OWN_TOKEN)
		eventfd_write(jobserver->own_fd, 1);
	else if (!put(jobserver, (char)*token))
		error = -errno;
	if (!--jobserver->inside && jobserver->serves)
		set_right(jobserver);
	pthread_mutex_unlock(&jobserver->lock);
	if (error)
		lose(jobserver, error);
	*token = JOBSERVER_NO_TOKEN;
}
