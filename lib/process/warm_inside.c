/*
 * What is loaded into a program that is kept warm (LD_PRELOAD), and makes it a server.
 *
 * This is no part of libleat, but a shared object of its own that libleat carries. It
 * stands in for __libc_start_main(), which calls main() when the program is loaded,
 * linked and libc is up. At that point it stays, and for each request makes a child that
 * calls main() with the request's arguments and environment. So the child is in all that
 * it does the program itself, without what it takes to start it.
 *
 * The child runs in the server's memory (CLONE_VM), so nothing is copied, while the
 * server stands still (CLONE_VFORK), until the child has executed something else or has
 * ended. It is a child of the server's parent (CLONE_PARENT), who waits for it as for any
 * other. Memory is all that the two share: descriptors, directory, signals, limits are
 * the child's own. It takes the request itself, of which the server sees the head only:
 * were the server to hold the child's output, too, that would not end before it.
 *
 * Before each child the memory is put back as it was before main() (warm_memory.c). Where
 * that can't be done, the server ends; who sent the request sees the end of the file, and
 * that nothing was started. It is not done before there is a request: of a child that was
 * killed, a child made by vfork(2) may still be in that memory. Who sent it knows, and
 * sends no more.
 *
 * The stack, from the top: what the kernel put there, and libc's frames (all put back);
 * the server's own; a gap; the child's. So nothing that the server needs is put back, nor
 * is `self`. From the copy on, no function is called that keeps something in libc.
 *
 * The kernel is told where the child's arguments and environment are (PR_SET_MM_MAP), so
 * that /proc shows them. It matters: by the mark in its environment a descendant is
 * known.
 */
#include "warm_memory.h"
#include "warm_wire.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define GAP_BYTES ((size_t)16 * 1024)

typedef int (*main_fn)(int, char **, char **);
typedef int (*start_fn)(
	main_fn, int, char **, void (*)(void), void (*)(void), void (*)(void), void *);

// Memory of its own, that is not put back.
static struct server {
	main_fn main;
	int *tid; //< where libc has its thread's number
	pid_t pid;
	int socket_fd;
	char *wards; //< NULL: there are none
	size_t wards_size;

	struct prctl_mm_map layout; //< with the places that /proc shows
	struct warm_memory memory;

	// The last request. Its child lives with these.
	_Alignas(struct warm_request) char request[WARM_REQUEST_BYTES + 1];
	char *strings[WARM_STRINGS + 2]; //< argv, NULL, the environment, NULL
	int argument_count;
	const char *directory;
	volatile bool has_received;
	char **variables;
	int fds[3];
} * self;

extern char **environ;

/* ---- requests ---- */

// The request's header; the rest is left for the child. False: there will be no more.
static bool await_request(struct warm_request *request)
{
	ssize_t got;

	do
		got = recv(self->socket_fd, request, sizeof *request, MSG_PEEK);
	while (got < 0 && errno == EINTR);
	return got == (ssize_t)sizeof *request;
}

static int receive(void)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof self->fds)];
	struct iovec bytes = {self->request, WARM_REQUEST_BYTES};
	struct msghdr message = {.msg_iov = &bytes,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof control};
	ssize_t got = recvmsg(self->socket_fd, &message, 0);
	const struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	if (got < 0)
		return errno;
	self->has_received = true;
	if (!header || header->cmsg_len != CMSG_LEN(sizeof self->fds))
		return EMFILE;
	memcpy(self->fds, CMSG_DATA(header), sizeof self->fds);
	self->request[got] = '\0';
	return 0;
}

// Points `count` strings at what is at `at`, and NULL; returns where they end.
static char *point(char **strings, uint32_t count, char *at)
{
	while (count--) {
		*strings++ = at;
		at += strlen(at) + 1;
	}
	*strings = NULL;
	return at;
}

static int set_layout(void)
{
	return prctl(PR_SET_MM, PR_SET_MM_MAP, &self->layout, sizeof self->layout, 0) < 0
		       ? errno
		       : 0;
}

static int unpack(void)
{
	const struct warm_request *request = (const void *)self->request;
	struct prctl_mm_map *layout = &self->layout;
	char *at = self->request + sizeof *request;

	self->directory = at;
	at += strlen(at) + 1;
	layout->arg_start = (uintptr_t)at;
	self->argument_count = (int)request->argument_count;
	at = point(self->strings, request->argument_count, at);
	layout->arg_end = layout->env_start = (uintptr_t)at;
	self->variables = self->strings + request->argument_count + 1;
	at = point(self->variables, request->variable_count, at);
	layout->env_end = (uintptr_t)at;
	return set_layout();
}

static void answer(pid_t pid, int error)
{
	struct warm_answer words = {pid, error};

	// To nobody, perhaps: then a guardian has the child's number, or it runs on.
	send(self->socket_fd, &words, sizeof words, MSG_NOSIGNAL);
}

/* ---- the child ---- */

static void write_leader(pid_t pid)
{
	const struct warm_request *request = (const void *)self->request;

	if (self->wards && request->ward >= 0 &&
		(size_t)request->ward + sizeof pid <= self->wards_size)
		*(volatile pid_t *)(self->wards + request->ward) = pid;
}

static int put_descriptors(void)
{
	for (int target = 0; target < 3; target++)
		if (dup2(self->fds[target], target) < 0)
			return errno;
	return 0;
}

// The server's three, and the three that were received, stand in one row as a rule.
static void close_own(void)
{
#ifdef SYS_close_range
	if (self->socket_fd + 1 == self->memory.statm_fd &&
		self->memory.statm_fd + 1 == self->memory.filter_fd &&
		self->memory.filter_fd + 1 == self->fds[0] &&
		self->fds[0] + 1 == self->fds[1] && self->fds[1] + 1 == self->fds[2] &&
		syscall(SYS_close_range, (unsigned)self->socket_fd,
			(unsigned)self->fds[2], 0) == 0)
		return;
#endif
	for (int index = 0; index < 3; index++)
		close(self->fds[index]);
	close(self->socket_fd);
	close(self->memory.statm_fd);
	close(self->memory.filter_fd);
}

static int child_main(void *unused)
{
	pid_t pid = setsid();
	int error = receive();

	(void)unused;
	if (!error)
		error = unpack();
	if (!error)
		error = put_descriptors();
	if (error) { // that an execve(2) would perhaps not have
		error = -error;
	} else {
		write_leader(pid);
		if (*self->directory && chdir(self->directory) < 0)
			error = errno;
	}
	answer(pid, error);
	if (error)
		_exit(127);
	close_own();
	environ = self->variables;
	exit(self->main(self->argument_count, self->strings, self->variables));
}

// False: it is not sure that the request is not there any more.
static bool make_child(void)
{
	self->has_received = false;
	if (clone(child_main, self->memory.stack - GAP_BYTES,
		    CLONE_VM | CLONE_VFORK | CLONE_PARENT | CLONE_CHILD_SETTID |
			    CLONE_CHILD_CLEARTID | SIGCHLD,
		    NULL, NULL, NULL, self->tid) >= 0)
		return self->has_received;
	answer(0, errno);
	return recv(self->socket_fd, self->request, 1, 0) > 0;
}

__attribute__((noinline)) static void serve(void)
{
	struct warm_request request;

	while (await_request(&request))
		if (request.server != self->pid || !warm_memory_restore(&self->memory) ||
			!make_child())
			_exit(1);
	_exit(0);
}

/* ---- before main() ---- */

static bool map_wards(int fd)
{
	struct stat status;
	void *wards;

	if (fd < 0)
		return true;
	if (fstat(fd, &status) < 0)
		return false;
	self->wards_size = (size_t)status.st_size;
	wards = mmap(NULL, self->wards_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (wards == MAP_FAILED || madvise(wards, self->wards_size, MADV_DONTFORK) < 0)
		return false;
	self->wards = wards;
	return true;
}

// Whether this is the program that was to be kept: no interpreter of a script, nor what a
// program without libc executed in its place.
static bool is_program(dev_t device, ino_t inode)
{
	struct stat status;

	return stat("/proc/self/exe", &status) == 0 && status.st_dev == device &&
	       status.st_ino == inode;
}

static bool take_wire(const char *value)
{
	long long numbers[WARM_NUMBERS] = {0};
	char *end;

	for (int index = 0; index < WARM_NUMBERS; index++) {
		numbers[index] = strtoll(value, &end, 10);
		value = end + (*end == ',');
	}
	close((int)numbers[1]);
	if (!is_program((dev_t)numbers[3], (ino_t)numbers[4]) ||
		!map_wards((int)numbers[2]))
		return false;
	self->socket_fd = fcntl((int)numbers[0], F_DUPFD_CLOEXEC, 3);
	close((int)numbers[0]);
	self->memory.statm_fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	self->memory.filter_fd = open("/proc/self/coredump_filter", O_RDWR | O_CLOEXEC);
	return self->socket_fd >= 0 && self->memory.statm_fd >= 0;
}

// proc(5): pid (comm) state ppid ... of which the numbers `wanted` are taken, counted
// from 1; comm may hold anything.
static void take_fields(char *stat, const int *wanted, __u64 *const *to, int count)
{
	char *at = strrchr(stat, ')');

	for (int number = 2, taken = 0; at && taken < count; number++) {
		if (number == wanted[taken])
			*to[taken++] = strtoul(at, NULL, 10);
		at = strchr(at, ' ');
		at += at != NULL;
	}
}

// Where the kernel has the program's parts. They stay, but arguments and environment.
static bool note_layout(void)
{
	static const int wanted[] = {26, 27, 28, 45, 46, 47, 48, 49, 50, 51};
	struct prctl_mm_map *layout = &self->layout;
	__u64 *const to[] = {&layout->start_code, &layout->end_code, &layout->start_stack,
		&layout->start_data, &layout->end_data, &layout->start_brk,
		&layout->arg_start, &layout->arg_end, &layout->env_start,
		&layout->env_end};
	int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
	char stat[1024];
	ssize_t length = fd < 0 ? -1 : read(fd, stat, sizeof stat - 1);

	if (fd >= 0)
		close(fd);
	if (length <= 0)
		return false;
	stat[length] = '\0';
	take_fields(stat, wanted, to, sizeof to / sizeof *to);
	layout->exe_fd = (__u32)-1;
	return true;
}

static bool keep_memory(void)
{
	self->memory.own = self;
	self->memory.own_size = sizeof *self;
	if (!warm_memory_keep(&self->memory))
		return false;
	self->layout.brk = self->memory.brk;
	return set_layout() == 0;
}

// In place of main(). What is wrong here shows by the end of the server.
static int stay(int argc, char **argv, char **envp)
{
	size_t length = strlen(WARM_VARIABLE);

	(void)argc;
	(void)argv;
	self->memory.stack = __builtin_frame_address(0);
	self->pid = getpid();
	while (*envp && strncmp(*envp, WARM_VARIABLE, length) != 0)
		envp++;
	if (!*envp || prctl(PR_GET_TID_ADDRESS, &self->tid) < 0 || !note_layout() ||
		!take_wire(*envp + length) || !keep_memory())
		_exit(1);
	serve();
	return 1;
}

int __libc_start_main(main_fn program_main, int argc, char **argv, void (*init)(void),
	void (*fini)(void), void (*loader_fini)(void), void *stack_end);

__attribute__((visibility("default"))) int __libc_start_main(main_fn program_main,
	int argc, char **argv, void (*init)(void), void (*fini)(void),
	void (*loader_fini)(void), void *stack_end)
{
	start_fn start = (start_fn)dlsym(RTLD_NEXT, "__libc_start_main");

	self = mmap(NULL, sizeof *self, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (self == MAP_FAILED)
		_exit(1);
	self->main = program_main;
	return start(stay, argc, argv, init, fini, loader_fini, stack_end);
}
