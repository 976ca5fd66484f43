/*
 * killed AT[/SIGNAL] COMMAND...: run a program, and kill it with SIGKILL, or signal
 * number SIGNAL, as one of its threads is about to make the system call that is number AT
 * of them all. What it has started (other processes) is neither counted nor killed. Waits
 * for all that is left of it, and exits as it did, or with 128 and the signal that it
 * died of.
 */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

static void fail(const char *what)
{
	perror(what);
	exit(98);
}

static pid_t start(char **command, int *go_fd)
{
	int ends[2];
	pid_t pid;
	char byte;

	if (pipe(ends) < 0)
		fail("pipe");
	pid = fork();
	if (pid < 0)
		fail("fork");
	if (!pid) {
		close(ends[1]);
		while (read(ends[0], &byte, 1) > 0)
			;
		close(ends[0]);
		execvp(command[0], command);
		fail(command[0]);
	}
	close(ends[0]);
	*go_fd = ends[1];
	return pid;
}

// A thread is one that was made with clone(2) and tells nobody of its end; a process that
// leat starts is none, and goes its way.
static void trace(pid_t pid)
{
	if (ptrace(PTRACE_SEIZE, pid, 0,
		    PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC |
			    PTRACE_O_EXITKILL) < 0)
		fail("ptrace");
}

static bool is_call(pid_t thread, int status)
{
	struct __ptrace_syscall_info call;

	return WSTOPSIG(status) == (SIGTRAP | 0x80) &&
	       ptrace(PTRACE_GET_SYSCALL_INFO, thread, sizeof call, &call) > 0 &&
	       call.op == PTRACE_SYSCALL_INFO_ENTRY;
}

int main(int count, char **words)
{
	char *rest = count > 2 ? words[1] : "";
	long at = strtol(rest, &rest, 10), calls = 0;
	int deadly = *rest == '/' ? atoi(rest + 1) : SIGKILL;
	int go_fd, status, end = 98;
	bool runs = false;
	pid_t pid, thread;

	if (!at)
		return 98;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	pid = start(words + 2, &go_fd);
	trace(pid);
	close(go_fd);
	while ((thread = waitpid(-1, &status, __WALL)) > 0) {
		int signal = 0;

		if (!WIFSTOPPED(status)) {
			if (thread == pid)
				end = WIFEXITED(status) ? WEXITSTATUS(status)
							: 128 + WTERMSIG(status);
			continue;
		}
		runs = runs || status >> 8 == (SIGTRAP | PTRACE_EVENT_EXEC << 8);
		if (runs && is_call(thread, status) && ++calls == at)
			kill(pid, deadly);
		if (status >> 16 == 0 && WSTOPSIG(status) != (SIGTRAP | 0x80))
			signal = WSTOPSIG(status);
		ptrace(PTRACE_SYSCALL, thread, 0, signal);
	}
	return end;
}
