/*
 * Preloaded (LD_PRELOAD): lets the call number FAIL_AT of those that FAIL_CALLS names
 * ("malloc", "descriptor", "thread", "process", "write", "sync") fail, once. Counts from
 * 1, per process, and only in the process that FAIL_PROGRAM is the name of. FAIL_AT past
 * the last call: nothing fails. Whether it did is told by the file FAIL_MARK being made.
 *
 * With FAIL_STALL, a FIFO, the call does not fail: it goes on when the FIFO has been
 * opened for writing and closed again. "memfd" is one more name then.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <sys/syscall.h>
#include <unistd.h>

static atomic_long calls;
static long fail_at = -1; //< -1: not looked up yet
static const char *kind;

static bool is_program(void)
{
	const char *program = getenv("FAIL_PROGRAM");

	return program && strcmp(program, program_invocation_short_name) == 0;
}

// What the program starts is not preloaded: leat keeps no such shell warm.
__attribute__((constructor)) static void leave_children_alone(void)
{
	if (is_program())
		unsetenv("LD_PRELOAD");
}

static void look_up(void)
{
	const char *at = getenv("FAIL_AT");

	kind = getenv("FAIL_CALLS");
	fail_at = at && kind && is_program() ? atol(at) : 0;
}

static bool stall(const char *path)
{
	long fd = syscall(SYS_openat, AT_FDCWD, path, O_RDONLY);
	char byte;

	while (syscall(SYS_read, fd, &byte, 1) > 0)
		;
	syscall(SYS_close, fd);
	return false;
}

static bool fails(const char *which)
{
	const char *mark;
	long fd;

	if (fail_at < 0)
		look_up();
	if (!fail_at || strcmp(kind, which) != 0 ||
		atomic_fetch_add(&calls, 1) + 1 != fail_at)
		return false;
	mark = getenv("FAIL_MARK");
	fd = mark ? syscall(SYS_openat, AT_FDCWD, mark, O_CREAT | O_WRONLY, 0600) : -1;
	if (fd >= 0)
		syscall(SYS_close, fd);
	return getenv("FAIL_STALL") ? stall(getenv("FAIL_STALL")) : true;
}

static bool fails_as(const char *which, int error)
{
	bool failing = fails(which);

	if (failing)
		errno = error;
	return failing;
}

#define REAL(name) ((__typeof__(&name))real(&real_##name, #name))

static void *real(void **where, const char *name)
{
	if (!*where)
		*where = dlsym(RTLD_NEXT, name);
	return *where;
}

static void *real_malloc, *real_calloc, *real_realloc, *real_reallocarray;
static void *real_pipe2, *real_eventfd, *real_signalfd, *real_pthread_create, *real_write;
static void *real_open, *real_open64, *real_clone, *real_fork, *real_pwrite,
	*real_pwrite64, *real_memfd_create;
static void *real_epoll_create1, *real_timerfd_create, *real_socketpair, *real_mkostemp,
	*real_fopen, *real_fdopen, *real_fflush, *real_openat;
static void *real_fsync, *real_fdatasync;

// dlsym() itself may call calloc() before that is known.
static char early[4096];
static size_t early_used;

static bool looking_up;

void *calloc(size_t count, size_t size)
{
	if (!real_calloc) {
		if (looking_up) {
			void *place = early + early_used;

			early_used += (count * size + 15) / 16 * 16;
			return early_used <= sizeof early ? place : NULL;
		}
		looking_up = true;
		real(&real_calloc, "calloc");
		looking_up = false;
	}
	if (fails_as("malloc", ENOMEM))
		return NULL;
	return REAL(calloc)(count, size);
}

void *malloc(size_t size)
{
	if (fails_as("malloc", ENOMEM))
		return NULL;
	return REAL(malloc)(size);
}

void *realloc(void *memory, size_t size)
{
	if (fails_as("malloc", ENOMEM))
		return NULL;
	return REAL(realloc)(memory, size);
}

void *reallocarray(void *memory, size_t count, size_t size)
{
	if (fails_as("malloc", ENOMEM))
		return NULL;
	return REAL(reallocarray)(memory, count, size);
}

int pipe2(int ends[2], int flags)
{
	if (fails_as("descriptor", EMFILE))
		return -1;
	return REAL(pipe2)(ends, flags);
}

int memfd_create(const char *name, unsigned flags)
{
	if (fails("descriptor") || fails("memfd")) {
		errno = EMFILE;
		return -1;
	}
	return REAL(memfd_create)(name, flags);
}

int epoll_create1(int flags);
int epoll_create1(int flags)
{
	if (fails_as("descriptor", EMFILE))
		return -1;
	return REAL(epoll_create1)(flags);
}

int timerfd_create(int clock, int flags);
int timerfd_create(int clock, int flags)
{
	if (fails_as("descriptor", EMFILE))
		return -1;
	return REAL(timerfd_create)(clock, flags);
}

int socketpair(int domain, int type, int protocol, int ends[2]);
int socketpair(int domain, int type, int protocol, int ends[2])
{
	if (fails_as("descriptor", EMFILE))
		return -1;
	return REAL(socketpair)(domain, type, protocol, ends);
}

int mkostemp(char *path, int flags)
{
	if (fails_as("descriptor", EMFILE))
		return -1;
	return REAL(mkostemp)(path, flags);
}

FILE *fopen(const char *path, const char *mode)
{
	if (fails_as("descriptor", EMFILE))
		return NULL;
	return REAL(fopen)(path, mode);
}

FILE *fdopen(int fd, const char *mode)
{
	if (fails_as("malloc", ENOMEM))
		return NULL;
	return REAL(fdopen)(fd, mode);
}

int fflush(FILE *stream)
{
	if (fails_as("write", ENOSPC))
		return EOF;
	return REAL(fflush)(stream);
}

int eventfd(unsigned value, int flags);
int eventfd(unsigned value, int flags)
{
	if (fails_as("descriptor", EMFILE))
		return -1;
	return REAL(eventfd)(value, flags);
}

int signalfd(int fd, const sigset_t *mask, int flags);
int signalfd(int fd, const sigset_t *mask, int flags)
{
	if (fd < 0 && fails_as("descriptor", ENFILE))
		return -1;
	return REAL(signalfd)(fd, mask, flags);
}

int open(const char *path, int flags, ...)
{
	va_list arguments;
	mode_t mode;

	va_start(arguments, flags);
	mode = va_arg(arguments, mode_t);
	va_end(arguments);
	if (fails_as("descriptor", EMFILE))
		return -1;
	return REAL(open)(path, flags, mode);
}

int openat(int directory, const char *path, int flags, ...)
{
	va_list arguments;
	mode_t mode;

	va_start(arguments, flags);
	mode = va_arg(arguments, mode_t);
	va_end(arguments);
	if (fails_as("descriptor", EMFILE))
		return -1;
	return REAL(openat)(directory, path, flags, mode);
}

// As SQLite calls it.
int open64(const char *path, int flags, ...)
{
	va_list arguments;
	mode_t mode;

	va_start(arguments, flags);
	mode = va_arg(arguments, mode_t);
	va_end(arguments);
	if (fails_as("descriptor", EMFILE))
		return -1;
	return REAL(open64)(path, flags, mode);
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at)
{
	if (fails_as("write", ENOSPC))
		return -1;
	return REAL(pwrite)(fd, bytes, length, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t at)
{
	if (fails_as("write", ENOSPC))
		return -1;
	return REAL(pwrite64)(fd, bytes, length, at);
}

int fsync(int fd)
{
	if (fails_as("sync", EIO))
		return -1;
	return REAL(fsync)(fd);
}

int fdatasync(int fd)
{
	if (fails_as("sync", EIO))
		return -1;
	return REAL(fdatasync)(fd);
}

pid_t fork(void)
{
	if (fails_as("process", EAGAIN))
		return -1;
	return REAL(fork)();
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
	void *(*start)(void *), void *argument)
{
	if (fails("thread"))
		return EAGAIN;
	return REAL(pthread_create)(thread, attributes, start, argument);
}

ssize_t write(int fd, const void *bytes, size_t length)
{
	if (fails_as("write", ENOSPC))
		return -1;
	return REAL(write)(fd, bytes, length);
}

int clone(int (*start)(void *), void *stack, int flags, void *argument, ...)
{
	va_list arguments;
	pid_t *parent;

	va_start(arguments, argument);
	parent = va_arg(arguments, pid_t *);
	va_end(arguments);
	if (fails_as("process", EAGAIN))
		return -1;
	return ((int (*)(int (*)(void *), void *, int, void *, pid_t *))real(
		&real_clone, "clone"))(start, stack, flags, argument, parent);
}
