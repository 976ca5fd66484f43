/*
 * A child that obeys: runs the verbs on its command line one after the other.
 *
 *   say TEXT, err TEXT       write a line to standard output, standard error
 *   bytes N                  write N bytes (lines of 64) to standard output
 *   tell FILE TEXT           append a line to FILE, which may be a FIFO
 *   await FIFO               wait until somebody opens FIFO for writing and closes it
 *   pass GATE                wait until nobody holds a lock on the file GATE
 *   pid FILE                 write the process's number to FILE, whole or not at all
 *   ignore SIGNAL, die SIGNAL, stop
 *   exit STATUS, hold        hold: until a signal ends it
 *   fork VERB… end VERB…     the child does what stands before the end
 *   setsid, mute             mute: close standard output and standard error
 *   become                   set-user-ID, be that user for good
 *   bare VERB…               the same program, executed with an empty environment
 *   signals                  print which signals are blocked, ignored and caught
 *   descriptors              print the numbers of the open descriptors
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void fail(const char *what)
{
	perror(what);
	exit(99);
}

static void tell(const char *path, const char *text)
{
	FILE *file = fopen(path, "a");

	if (!file || fprintf(file, "%s\n", text) < 0 || fclose(file) != 0)
		fail(path);
}

static void await_writer(const char *path)
{
	char byte;
	int fd = open(path, O_RDONLY);

	if (fd < 0)
		fail(path);
	while (read(fd, &byte, 1) > 0)
		;
	close(fd);
}

static void pass(const char *path)
{
	int fd = open(path, O_RDONLY);

	if (fd < 0 || flock(fd, LOCK_SH) < 0)
		fail(path);
	close(fd);
}

static void write_pid(const char *path)
{
	char beside[4096], text[32];

	snprintf(beside, sizeof beside, "%s.%d", path, (int)getpid());
	snprintf(text, sizeof text, "%d", (int)getpid());
	tell(beside, text);
	if (rename(beside, path) < 0)
		fail(path);
}

static void write_bytes(long count)
{
	char line[64];

	memset(line, 'x', sizeof line);
	line[sizeof line - 1] = '\n';
	for (; count > 0; count -= (long)sizeof line)
		fwrite(line, 1, count < (long)sizeof line ? (size_t)count : sizeof line,
			stdout);
	if (fflush(stdout) != 0)
		fail("bytes");
}

static int signal_number(const char *name)
{
	static const struct {
		const char *name;
		int number;
	} signals[] = {{"HUP", SIGHUP}, {"INT", SIGINT}, {"QUIT", SIGQUIT},
		{"TERM", SIGTERM}, {"KILL", SIGKILL}, {"SEGV", SIGSEGV},
		{"ABRT", SIGABRT}, {"USR1", SIGUSR1}};

	for (size_t index = 0; index < COUNT(signals); index++)
		if (strcmp(signals[index].name, name) == 0)
			return signals[index].number;
	return atoi(name);
}

static void print_signals(void)
{
	FILE *status = fopen("/proc/self/status", "r");
	char line[256];

	if (!status)
		fail("status");
	while (fgets(line, sizeof line, status))
		if (strncmp(line, "SigBlk", 6) == 0 || strncmp(line, "SigIgn", 6) == 0 ||
			strncmp(line, "SigCgt", 6) == 0)
			fputs(line, stdout);
	fclose(status);
	fflush(stdout);
}

static void print_descriptors(void)
{
	DIR *directory = opendir("/proc/self/fd");
	struct dirent *entry;

	if (!directory)
		fail("descriptors");
	while ((entry = readdir(directory)))
		if (entry->d_name[0] != '.' && atoi(entry->d_name) != dirfd(directory))
			printf("%s\n", entry->d_name);
	closedir(directory);
	fflush(stdout);
}

static void line_to(FILE *stream, const char *text)
{
	if (fprintf(stream, "%s\n", text) < 0 || fflush(stream) != 0)
		fail("write");
}

static void obey(char **verb);

// Returns where the parent goes on.
static char **fork_verbs(char **verb)
{
	char **end = verb;

	for (int depth = 1; *end && depth; end++)
		depth += strcmp(*end, "fork") == 0  ? 1
			 : strcmp(*end, "end") == 0 ? -1
						    : 0;
	pid_t pid = fork();
	if (pid < 0)
		fail("fork");
	if (pid)
		return end;
	end[-1] = NULL;
	obey(verb);
	exit(0);
}

static void become(void)
{
	uid_t user = geteuid();

	if (setresuid(user, user, user) < 0)
		fail("become");
}

static void bare(char **verb)
{
	static char *const empty[] = {NULL};
	char *argv[64] = {(char[]){"puppet"}};

	for (size_t index = 0; verb[index] && index + 2 < COUNT(argv); index++)
		argv[index + 1] = verb[index];
	execve("/proc/self/exe", argv, empty);
	fail("bare");
}

// Verbs without an argument. False: it is none.
static int obey_plain(const char *verb, char **rest)
{
	if (strcmp(verb, "stop") == 0)
		raise(SIGSTOP);
	else if (strcmp(verb, "hold") == 0)
		for (;;)
			pause();
	else if (strcmp(verb, "setsid") == 0)
		setsid();
	else if (strcmp(verb, "mute") == 0)
		close(1), close(2);
	else if (strcmp(verb, "become") == 0)
		become();
	else if (strcmp(verb, "bare") == 0)
		bare(rest);
	else if (strcmp(verb, "signals") == 0)
		print_signals();
	else if (strcmp(verb, "descriptors") == 0)
		print_descriptors();
	else
		return 0;
	return 1;
}

static void obey_with(const char *verb, const char *argument)
{
	if (!argument)
		fail(verb);
	else if (strcmp(verb, "say") == 0)
		line_to(stdout, argument);
	else if (strcmp(verb, "err") == 0)
		line_to(stderr, argument);
	else if (strcmp(verb, "bytes") == 0)
		write_bytes(atol(argument));
	else if (strcmp(verb, "await") == 0)
		await_writer(argument);
	else if (strcmp(verb, "pass") == 0)
		pass(argument);
	else if (strcmp(verb, "pid") == 0)
		write_pid(argument);
	else if (strcmp(verb, "ignore") == 0)
		signal(signal_number(argument), SIG_IGN);
	else if (strcmp(verb, "die") == 0)
		raise(signal_number(argument));
	else if (strcmp(verb, "exit") == 0)
		exit(atoi(argument));
	else
		fail(verb);
}

static void obey(char **verb)
{
	while (*verb) {
		const char *name = *verb++;

		if (strcmp(name, "fork") == 0) {
			verb = fork_verbs(verb);
		} else if (strcmp(name, "tell") == 0 && verb[0] && verb[1]) {
			tell(verb[0], verb[1]);
			verb += 2;
		} else if (!obey_plain(name, verb)) {
			obey_with(name, *verb);
			verb++;
		}
	}
}

int main(int argc, char **argv)
{
	(void)argc;
	obey(argv + 1);
	return 0;
}
