/*
 * From a spec to a running program.
 *
 * The child is made by clone(CLONE_VM | CLONE_VFORK): it runs in this process's
 * memory, on a stack of its own, while the calling thread stands still. So nothing
 * is copied, and the child tells an error by writing it where the parent will
 * look. The price: between clone and exec only what is async-signal-safe and
 * touches nothing that other threads of the parent use (no allocation, no stdio,
 * no lock). Signals stay blocked until those that the parent catches are set back,
 * as a handler would run in the parent's memory.
 *
 * The sanitizers keep books on stacks and threads that such a child would confuse,
 * so its functions are not instrumented.
 */
#include "spawn.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILD_STACK_BYTES ((size_t)32 * 1024)
#define IN_CHILD __attribute__((no_sanitize("address", "thread", "undefined"), noinline))

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

// ThreadSanitizer's clone() takes every child for a fork with memory of its own.
#if defined(__SANITIZE_THREAD__)
#define THREAD_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define THREAD_SANITIZED 1
#endif
#endif
#ifdef THREAD_SANITIZED
int __clone(int (*start)(void *), void *stack, int flags, void *argument, ...);
#define clone __clone
#endif

struct start {
	const struct leat_spec *spec;
	const struct leat_inheritance *inheritance;
	const char **shell_argv; //< for a script without "#!", argv[1] is filled in
	int fds[3];
	volatile pid_t *told; //< where the child writes its number
	volatile int error;   //< the child's word to the parent: errno of what failed
};

// Those that are in one another's way move up first; then each is put in place.
IN_CHILD static int place_descriptors(int fds[3])
{
	for (int target = 0; target < 3; target++)
		if (fds[target] < 3 && fds[target] != target) {
			fds[target] = fcntl(fds[target], F_DUPFD_CLOEXEC, 3);
			if (fds[target] < 0)
				return -1;
		}
	for (int target = 0; target < 3; target++)
		if (fds[target] != target && dup2(fds[target], target) < 0)
			return -1;
	return 0;
}

struct directory_entry { // getdents64(2): no such type in the headers
	uint64_t inode;
	int64_t offset;
	unsigned short length;
	unsigned char type;
	char name[];
};

// Kernels before 5.11: what is open is listed in /proc.
IN_CHILD static void mark_each_descriptor(void)
{
	_Alignas(8) char entries[4096];
	int directory = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	long length;

	if (directory < 0)
		return;
	while ((length = syscall(SYS_getdents64, directory, entries, sizeof entries)) > 0)
		for (long at = 0; at < length;) {
			const struct directory_entry *entry =
				(const void *)(entries + at);
			int fd = 0;

			for (const char *digit = entry->name; *digit; digit++)
				fd = fd * 10 + (*digit - '0');
			if (entry->name[0] != '.' && fd > 2)
				fcntl(fd, F_SETFD, FD_CLOEXEC);
			at += entry->length;
		}
	close(directory);
}

IN_CHILD static void hide_other_descriptors(void)
{
#ifdef SYS_close_range
	if (syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC) == 0)
		return;
#endif
	mark_each_descriptor();
}

IN_CHILD static int keep_descriptors(const struct leat_spec *spec)
{
	for (size_t index = 0; index < spec->kept_fd_count; index++)
		if (fcntl(spec->kept_fds[index], F_SETFD, 0) < 0)
			return -1;
	return 0;
}

IN_CHILD static void dispose(const sigset_t *signals, void (*disposition)(int))
{
	struct sigaction action = {.sa_handler = disposition};

	for (int number = 1; number < NSIG && !sigisemptyset(signals); number++)
		if (sigismember(signals, number) == 1)
			sigaction(number, &action, NULL);
}

IN_CHILD static void set_signals(const struct leat_inheritance *inheritance)
{
	sigset_t none;

	dispose(&inheritance->ignored, SIG_IGN);
	dispose(&inheritance->caught, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

// Text may be a script; a program for another machine is none. As bash and dash do, this
// looks at the first line.
IN_CHILD static bool may_be_script(const char *path)
{
	char first[128];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	ssize_t length = fd < 0 ? 0 : read(fd, first, sizeof first);

	if (fd >= 0)
		close(fd);
	if (length > 0 && first[0] == '\177')
		return false;
	for (ssize_t index = 0; index < length && first[index] != '\n'; index++)
		if (!first[index])
			return false;
	return true;
}

// execve(2), and the shell for a script without "#!".
IN_CHILD static void execute(struct start *start, const char *path)
{
	const struct leat_spec *spec = start->spec;

	execve(path, (char **)spec->argv, (char **)spec->envp);
	if (errno != ENOEXEC || !start->shell_argv)
		return;
	if (may_be_script(path)) {
		start->shell_argv[1] = path;
		execve(spec->script_shell, (char **)start->shell_argv,
			(char **)spec->envp);
	} else {
		errno = ENOEXEC;
	}
}

// As execvp(3): a file that is no program is passed over, but remembered.
IN_CHILD static int search_and_execute(struct start *start)
{
	const char *name = start->spec->argv[0];
	const char *directory = start->spec->search_path;
	size_t name_length = strlen(name);
	char path[PATH_MAX];
	int error = ENOENT;

	if (!name_length)
		return ENOENT;
	for (const char *end;; directory = end + 1) {
		end = strchrnul(directory, ':');
		size_t length = (size_t)(end - directory);
		if (length + name_length + 2 <= sizeof path) {
			memcpy(path, directory, length);
			if (length)
				path[length++] = '/';
			memcpy(path + length, name, name_length + 1);
			execute(start, path);
			if (errno == EACCES)
				error = EACCES;
			else if (errno != ENOENT && errno != ENOTDIR)
				return errno;
		}
		if (!*end)
			return error;
	}
}

IN_CHILD static int child_main(void *argument)
{
	struct start *start = argument;
	const struct leat_spec *spec = start->spec;

	pid_t pid = setsid();

	if (start->told)
		*start->told = pid;
	if (spec->directory && chdir(spec->directory) < 0)
		goto fail;
	if (place_descriptors(start->fds) < 0)
		goto fail;
	hide_other_descriptors();
	if (keep_descriptors(spec) < 0)
		goto fail;
	if (start->inheritance->descriptors_changed)
		setrlimit(RLIMIT_NOFILE, &start->inheritance->descriptors);
	set_signals(start->inheritance);
	if (!spec->program && spec->search_path && !strchr(spec->argv[0], '/')) {
		start->error = search_and_execute(start);
		_exit(127);
	}
	execute(start, spec->program ? spec->program : spec->argv[0]);
fail:
	start->error = errno;
	_exit(127);
}

// {shell, (path), argv[1], …}: room for what execute() may need, made beforehand as
// the child can't allocate.
static int prepare_shell(struct start *start)
{
	const struct leat_spec *spec = start->spec;
	size_t count = 0;

	if (!spec->script_shell)
		return 0;
	while (spec->argv[count])
		count++;
	start->shell_argv = calloc(count + 2, sizeof *start->shell_argv);
	if (!start->shell_argv)
		return -ENOMEM;
	start->shell_argv[0] = spec->script_shell;
	for (size_t index = 1; index < count; index++)
		start->shell_argv[index + 1] = spec->argv[index];
	return 0;
}

static int clone_child(
	struct start *start, struct leat_process *process, bool with_pid_fd)
{
	_Alignas(16) char stack[CHILD_STACK_BYTES];
	sigset_t all, before;

	// Where no signal is caught, none can run a handler in the child.
	sigfillset(&all);
	if (start->inheritance->any_caught)
		pthread_sigmask(SIG_SETMASK, &all, &before);
	process->pid_fd = -1;
	process->pid = clone(child_main, stack + sizeof stack,
		CLONE_VM | CLONE_VFORK | (with_pid_fd ? CLONE_PIDFD : 0) | SIGCHLD, start,
		&process->pid_fd);
	int error = process->pid < 0 ? -errno : 0;
	if (start->inheritance->any_caught)
		pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error;
}

static void reap(struct leat_process *process)
{
	while (waitpid(process->pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (process->pid_fd >= 0)
		close(process->pid_fd);
}

int leat_spawn(const struct leat_spec *spec, const int fds[3],
	const struct leat_inheritance *inheritance, struct leat_process *process,
	bool with_pid_fd, bool *executing)
{
	struct start start = {
		.spec = spec,
		.inheritance = inheritance,
		.fds = {fds[0], fds[1], fds[2]},
		.told = process->told,
	};
	int error = prepare_shell(&start);

	*executing = false;
	if (!error)
		error = clone_child(&start, process, with_pid_fd);
	if (!error && start.error) {
		*executing = true;
		reap(process);
		error = -start.error;
	}
	free(start.shell_argv);
	return error;
}
