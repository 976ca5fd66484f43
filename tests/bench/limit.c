/*
 * limit THREADS COUNT PROGRAM [ARG]
 *
 * The bare loop of vfork, execve and waitpid, on THREADS threads, until PROGRAM was run
 * COUNT times: no input, no queue, no capture, no account, no setting up of the child.
 * What it does per second is the limit of what any executor can do here. Exits 1 when
 * a start failed or a program ended with anything but 0.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS_MAX 1024

extern char **environ;

static char **program; //< with its arguments
static atomic_long left;
static atomic_bool failed;

static bool run_once(void)
{
	int status;
	pid_t pid = vfork();

	if (pid == 0) {
		execve(program[0], program, environ);
		_exit(127);
	}
	if (pid < 0)
		return false;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return false;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void *run_many(void *unused)
{
	while (atomic_fetch_sub(&left, 1) > 0)
		if (!run_once())
			atomic_store(&failed, true);
	return unused;
}

static void run_threads(int count)
{
	pthread_t threads[THREADS_MAX];
	int started = 0;

	while (started < count &&
		!pthread_create(&threads[started], NULL, run_many, NULL))
		started++;
	if (started < count)
		atomic_store(&failed, true);
	while (started > 0)
		pthread_join(threads[--started], NULL);
}

static long parse_number(const char *words)
{
	char *end;
	long number = strtol(words, &end, 10);

	return end == words || *end ? 0 : number;
}

int main(int count, char **arguments)
{
	long threads = count > 3 ? parse_number(arguments[1]) : 0;
	long runs = count > 3 ? parse_number(arguments[2]) : 0;

	if (threads < 1 || threads > THREADS_MAX || runs < 1) {
		fputs("Usage: limit THREADS COUNT PROGRAM [ARG...]\n", stderr);
		return 2;
	}
	program = arguments + 3;
	atomic_init(&left, runs);
	run_threads((int)threads);
	return atomic_load(&failed);
}
