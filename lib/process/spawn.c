/*
 * From a spec to a running program.
 *
 * The child is made by clone(CLONE_VM): it runs in this process's memory, on a stack of
 * its own, next to the calling thread, which goes on at once. So nothing is copied, and
 * nobody waits for the program to be found and loaded: a cancellation or a timeout ends
 * a child that is stuck there like any other, and the caller sleeps once for each child,
 * until its end, where with CLONE_VFORK it would be woken for the exec, too (a tenth of
 * the rate of short tasks). What keeps the program from being executed the child leaves
 * where the caller looks after its end.
 *
 * The price: between clone and exec only what is async-signal-safe and touches nothing
 * that other threads of the parent use (no allocation, no stdio, no lock). Nor errno,
 * which is the calling thread's: what can fail is called by leat_raw(). Signals stay
 * blocked until those that the parent catches are set back, as a handler would run in
 * the parent's memory.
 *
 * Where this process has thousands of descriptors, their table is not copied for each
 * child, to be closed at its exec: the child shares it (CLONE_FILES) and at once takes a
 * copy of its low end, where all that it needs is (close_range(2)). The caller waits for
 * that, so that it may close the child's ends then. The wait also ends where the child's
 * end has come first (CLONE_CHILD_CLEARTID).
 *
 * The sanitizers keep books on stacks and threads that such a child would confuse, so its
 * functions are not instrumented, and the caller stands still (CLONE_VFORK) until it has
 * executed, as it does on processors that leat_raw() does not know; and where
 * LEAT_SPAWN_VFORK is defined, for tools that know of no other way (valgrind(1)).
 */
#include "spawn.h"

#include "raw.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define IN_CHILD __attribute__((no_sanitize("address", "thread", "undefined"), noinline))

#ifndef CLOSE_RANGE_UNSHARE
#define CLOSE_RANGE_UNSHARE (1U << 1)
#endif
#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

#if defined(__SANITIZE_THREAD__)
#define THREAD_SANITIZED 1
#elif defined(__SANITIZE_ADDRESS__)
#define ADDRESS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define THREAD_SANITIZED 1
#elif __has_feature(address_sanitizer)
#define ADDRESS_SANITIZED 1
#endif
#endif

#if !LEAT_HAS_RAW || defined(THREAD_SANITIZED) || defined(ADDRESS_SANITIZED) ||          \
	defined(LEAT_SPAWN_VFORK)
#define CLONE_FLAGS (CLONE_VM | CLONE_VFORK | SIGCHLD)
#else
#define CLONE_FLAGS (CLONE_VM | SIGCHLD)
#endif

#define CROWD_FLAGS (CLONE_FILES | CLONE_CHILD_CLEARTID)

// ThreadSanitizer's clone() takes every child for a fork with memory of its own.
#ifdef THREAD_SANITIZED
int __clone(int (*start)(void *), void *stack, int flags, void *argument, ...);
#define clone __clone
#endif

// Below it is all that the child needs.
IN_CHILD static int descriptor_limit(const struct leat_process *process)
{
	const struct leat_spec *spec = process->spec;
	int limit = 3;

	for (int index = 0; index < 3; index++)
		if (process->fds[index] >= limit)
			limit = process->fds[index] + 1;
	for (size_t index = 0; index < spec->kept_fd_count; index++)
		if (spec->kept_fds[index] >= limit)
			limit = spec->kept_fds[index] + 1;
	return limit;
}

IN_CHILD static int unshare_descriptors(struct leat_process *process)
{
	long error = -ENOSYS;

#ifdef SYS_close_range
	error = leat_raw(
		SYS_close_range, descriptor_limit(process), ~0U, CLOSE_RANGE_UNSHARE);
#endif
	if (error == -ENOSYS || error == -EINVAL)
		error = leat_raw(SYS_unshare, CLONE_FILES, 0, 0);
	process->sharing = 0;
	leat_raw(SYS_futex, (long)&process->sharing, FUTEX_WAKE, 1);
	return (int)error;
}

static void wait_while_sharing(struct leat_process *process)
{
	while (process->sharing)
		syscall(SYS_futex, &process->sharing, FUTEX_WAIT, 1, NULL, NULL, 0);
}

// Those that are in one another's way move up first; then each is put in place.
IN_CHILD static int place_descriptors(int fds[3])
{
	for (int target = 0; target < 3; target++)
		if (fds[target] < 3 && fds[target] != target) {
			fds[target] =
				(int)leat_raw(SYS_fcntl, fds[target], F_DUPFD_CLOEXEC, 3);
			if (fds[target] < 0)
				return fds[target];
		}
	for (int target = 0; target < 3; target++) {
		long error = fds[target] == target
				     ? 0
				     : leat_raw(SYS_dup3, fds[target], target, 0);

		if (error < 0)
			return (int)error;
	}
	return 0;
}

struct directory_entry { // getdents64(2): no such type in the headers
	uint64_t inode;
	int64_t offset;
	unsigned short length;
	unsigned char type;
	char name[];
};

IN_CHILD static int open_raw(const char *path, int flags)
{
	return (int)leat_raw(SYS_openat, AT_FDCWD, (long)path, flags);
}

// Kernels before 5.11: what is open is listed in /proc.
IN_CHILD static void mark_each_descriptor(void)
{
	_Alignas(8) char entries[4096] = {0};
	int directory = open_raw("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	long length;

	if (directory < 0)
		return;
	while ((length = leat_raw(
			SYS_getdents64, directory, (long)entries, sizeof entries)) > 0)
		for (long at = 0; at < length;) {
			const struct directory_entry *entry =
				(const void *)(entries + at);
			int fd = 0;

			for (const char *digit = entry->name; *digit; digit++)
				fd = fd * 10 + (*digit - '0');
			if (entry->name[0] != '.' && fd > 2)
				leat_raw(SYS_fcntl, fd, F_SETFD, FD_CLOEXEC);
			at += entry->length;
		}
	leat_raw(SYS_close, directory, 0, 0);
}

IN_CHILD static void hide_other_descriptors(void)
{
#ifdef SYS_close_range
	if (leat_raw(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC) == 0)
		return;
#endif
	mark_each_descriptor();
}

IN_CHILD static int keep_descriptors(const struct leat_spec *spec)
{
	for (size_t index = 0; index < spec->kept_fd_count; index++) {
		long error = leat_raw(SYS_fcntl, spec->kept_fds[index], F_SETFD, 0);

		if (error < 0)
			return (int)error;
	}
	return 0;
}

IN_CHILD static void dispose(const sigset_t *signals, void (*disposition)(int))
{
	struct sigaction action = {.sa_handler = disposition};

	for (int number = 1; number < NSIG; number++)
		if (sigismember(signals, number) == 1)
			sigaction(number, &action, NULL);
}

IN_CHILD static void set_signals(const struct leat_inheritance *inheritance)
{
	sigset_t none;

	if (inheritance->any_ignored)
		dispose(&inheritance->ignored, SIG_IGN);
	if (inheritance->any_caught)
		dispose(&inheritance->caught, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

// Text may be a script; a program for another machine is none. As bash and dash do, this
// looks at the first line.
IN_CHILD static bool may_be_script(const char *path)
{
	char first[128] = {0};
	int fd = open_raw(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	long length = fd < 0 ? 0 : leat_raw(SYS_read, fd, (long)first, sizeof first);

	if (fd >= 0)
		leat_raw(SYS_close, fd, 0, 0);
	if (length > 0 && first[0] == '\177')
		return false;
	for (long index = 0; index < length && first[index] != '\n'; index++)
		if (!first[index])
			return false;
	return true;
}

IN_CHILD static int execute_raw(
	const char *path, const char *const *argv, const char *const *envp)
{
	return (int)leat_raw(SYS_execve, (long)path, (long)argv, (long)envp);
}

// execve(2), and the shell for a script without "#!". Returns why it is still here.
IN_CHILD static int execute(struct leat_process *process, const char *path)
{
	const struct leat_spec *spec = process->spec;
	int error = execute_raw(path, spec->argv, spec->envp);

	if (error != -ENOEXEC || !process->shell_argv || !may_be_script(path))
		return error;
	process->shell_argv[1] = path;
	return execute_raw(spec->script_shell, process->shell_argv, spec->envp);
}

// As execvp(3): a file that is no program is passed over, but remembered.
IN_CHILD static int search_and_execute(struct leat_process *process)
{
	const char *name = process->spec->argv[0];
	const char *directory = process->spec->search_path;
	size_t name_length = strlen(name);
	char path[PATH_MAX];
	int found = -ENOENT;

	if (!name_length)
		return -ENOENT;
	for (const char *end;; directory = end + 1) {
		end = strchrnul(directory, ':');
		size_t length = (size_t)(end - directory);
		if (length + name_length + 2 <= sizeof path) {
			memcpy(path, directory, length);
			if (length)
				path[length++] = '/';
			memcpy(path + length, name, name_length + 1);
			int error = execute(process, path);
			if (error == -EACCES)
				found = -EACCES;
			else if (error != -ENOENT && error != -ENOTDIR)
				return error;
		}
		if (!*end)
			return found;
	}
}

// Returns why the program can't be executed.
IN_CHILD static int set_up_and_execute(struct leat_process *process)
{
	const struct leat_spec *spec = process->spec;
	int error = process->crowded ? unshare_descriptors(process) : 0;

	if (!error && spec->directory) {
		error = (int)leat_raw(SYS_chdir, (long)spec->directory, 0, 0);
		process->no_directory = error < 0;
	}
	if (!error)
		error = place_descriptors(process->fds);
	if (error)
		return error;
	hide_other_descriptors();
	error = keep_descriptors(spec);
	if (error)
		return error;
	if (process->inheritance->descriptors_changed)
		setrlimit(RLIMIT_NOFILE, &process->inheritance->descriptors);
	set_signals(process->inheritance);
	if (!spec->program && spec->search_path && !strchr(spec->argv[0], '/'))
		return search_and_execute(process);
	return execute(process, spec->program ? spec->program : spec->argv[0]);
}

IN_CHILD static int child_main(void *argument)
{
	struct leat_process *process = argument;
	pid_t pid = process->spec->stays_in_session ? getpid() : setsid();

	if (process->told)
		*process->told = pid;
	process->error = set_up_and_execute(process);
	_exit(127);
}

// {shell, (path), argv[1], …}: room for what execute() may need, made beforehand as
// the child can't allocate.
static int prepare_shell(struct leat_process *process)
{
	const struct leat_spec *spec = process->spec;
	size_t count = 0;

	process->shell_argv = NULL;
	if (!spec->script_shell)
		return 0;
	while (spec->argv[count])
		count++;
	process->shell_argv = calloc(count + 2, sizeof *process->shell_argv);
	if (!process->shell_argv)
		return -ENOMEM;
	process->shell_argv[0] = spec->script_shell;
	for (size_t index = 1; index < count; index++)
		process->shell_argv[index + 1] = spec->argv[index];
	return 0;
}

static int clone_child(struct leat_process *process)
{
	bool any_caught = process->inheritance->any_caught;
	sigset_t all, before;
	int error;

	// Where no signal is caught, none can run a handler in the child.
	sigfillset(&all);
	if (any_caught)
		pthread_sigmask(SIG_SETMASK, &all, &before);
	process->pid = clone(child_main, process->stack + LEAT_SPAWN_STACK_BYTES,
		process->crowded ? CLONE_FLAGS | CROWD_FLAGS : CLONE_FLAGS, process, NULL,
		NULL, &process->sharing);
	error = process->pid < 0 ? -errno : 0;
	if (any_caught)
		pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!error && process->crowded)
		wait_while_sharing(process);
	return error;
}

int leat_spawn(const struct leat_spec *spec, const int fds[3],
	const struct leat_inheritance *inheritance, struct leat_process *process)
{
	int error;

	process->spec = spec;
	process->inheritance = inheritance;
	memcpy(process->fds, fds, sizeof process->fds);
	process->error = 0;
	process->no_directory = false;
	process->sharing = 1;
	error = prepare_shell(process);
	if (!error)
		error = clone_child(process);
	if (error)
		free(process->shell_argv);
	return error;
}

int leat_spawn_finish(struct leat_process *process)
{
	free(process->shell_argv);
	return process->error;
}
