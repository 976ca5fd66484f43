/*
 * A program that is kept at its main(), seen from here.
 *
 * The server is the program itself, started as any other with an object preloaded that
 * keeps it from calling main() (warm_inside.c, which libleat carries and hands over as a
 * memory file). There is a socket to it, which keeps messages apart. A start is a
 * request, with descriptors, and an answer, from the child itself, when it is about to
 * run. The child is a child of this process: it is waited for, reaped and signaled as any
 * other.
 *
 * What is known after a request, in any case, is whether there is a child. Either there
 * is an answer; or the socket is at its end, as both the server and its child have closed
 * it or have died: then nothing was started, and the caller starts it the other way. A
 * server that is slow to answer (stopped by somebody, say) is killed, which leads to one
 * of the two.
 *
 * A child that did not exit by itself was killed, perhaps while a child of its own was in
 * the same memory still; so its server is not used again. The next request has another
 * started. Whoever looks for a descendant by its mark finds the server, too, which is in
 * the same memory, and stops or kills it with the rest. Who is to end a tree in order
 * ends the server before: it has no use for SIGTERM, and may not even get it.
 *
 * A guardian must not take the tasks for ended while a request is under way. So the ward
 * holds the server's number from before the request until after the answer, when the
 * child has put its own there.
 *
 * Between two children the server rests in the family, where others may end it to have
 * its room. Once room was short no further server is started, as it would take that
 * again.
 *
 * What the server was started with the children have, too: what the dynamic linker reads
 * of the environment is compared, and a child for which it differs is started the other
 * way. Everything here belongs to the thread that runs the child, but while it rests.
 */
#include "warm.h"

#include "../base/clock.h"
#include "family.h"
#include "nurse.h"
#include "warm_wire.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_S 1

extern const char leat_warm_object[], leat_warm_object_end[];

/* What the server is started with; it stays as long as the server. */
struct beginning {
	char object[64], wire[128];
	const char *argv[4];
	const char **envp;
	int *kept_fds;
	struct leat_spec spec;
	struct leat_process process;
	_Alignas(max_align_t) char stack[LEAT_SPAWN_STACK_BYTES];
};

struct leat_warm {
	struct leat_family *family;
	struct leat_idler idler;
	pid_t server;     //< not yet reaped; 0: there is none
	int socket_fd;    //< to it, where there is one
	uint64_t loading; //< loading_of() its environment
	bool has_answered;
	bool unfit;
	struct beginning beginning;
	size_t length; //< of the request
	_Alignas(struct warm_request) char request[WARM_REQUEST_BYTES];
};

static void give_room(struct leat_idler *idler);

int leat_warm_create(struct leat_warm **result, struct leat_family *family)
{
	struct leat_warm *warm = malloc(sizeof *warm);

	if (!warm)
		return -ENOMEM;
	warm->family = family;
	warm->idler = (struct leat_idler){.end = give_room};
	warm->server = 0;
	warm->has_answered = warm->unfit = false;
	*result = warm;
	return 0;
}

bool leat_warm_is_unfit(const struct leat_warm *warm)
{
	return warm->unfit;
}

static void reap(pid_t pid)
{
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

static void finish_beginning(struct beginning *beginning)
{
	free(beginning->envp);
	free(beginning->kept_fds);
}

static void kill_server(struct leat_warm *warm)
{
	kill(warm->server, SIGKILL);
	reap(warm->server);
	leat_spawn_finish(&warm->beginning.process);
	finish_beginning(&warm->beginning);
	warm->server = 0;
}

static void retire(struct leat_warm *warm)
{
	if (!warm->server)
		return;
	close(warm->socket_fd);
	kill_server(warm);
}

static void give_room(struct leat_idler *idler)
{
	struct leat_warm *warm =
		(void *)((char *)idler - offsetof(struct leat_warm, idler));

	retire(warm);
}

static void rest(struct leat_warm *warm)
{
	if (warm->server)
		leat_family_rest(warm->family, &warm->idler);
}

void leat_warm_destroy(struct leat_warm *warm)
{
	if (!warm)
		return;
	leat_family_rouse(warm->family, &warm->idler);
	retire(warm);
	free(warm);
}

void leat_warm_end(struct leat_warm *warm, bool exited)
{
	if (!warm)
		return;
	if (!exited)
		retire(warm);
	rest(warm);
}

/* ---- the server's start ---- */

static bool begins_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

// What of the environment counts before main(), as a number (FNV-1a).
static uint64_t loading_of(const char *const *envp)
{
	uint64_t hash = 0xcbf29ce484222325;

	for (; *envp; envp++) {
		const char *at = *envp;

		if ((*at != 'L' && *at != 'G' && *at != 'M') ||
			(!begins_with(at, "LD_") && !begins_with(at, "GLIBC_TUNABLES=") &&
				!begins_with(at, "MALLOC_")))
			continue;
		do
			hash = (hash ^ (unsigned char)*at) * 0x100000001b3;
		while (*at++);
	}
	return hash;
}

static bool is_preloaded(const char *const *envp)
{
	for (; *envp; envp++)
		if (begins_with(*envp, "LD_PRELOAD=") || begins_with(*envp, "LD_AUDIT="))
			return true;
	return false;
}

static int open_object(void)
{
	size_t size = (size_t)(leat_warm_object_end - leat_warm_object);
	int fd = memfd_create("leat warm", MFD_CLOEXEC);
	int error;

	if (fd < 0)
		return -errno;
	if (write(fd, leat_warm_object, size) == (ssize_t)size)
		return fd;
	error = errno ? -errno : -ENOMEM;
	close(fd);
	return error;
}

static int open_socket(int ends[2])
{
	struct timeval patience = {.tv_sec = PATIENCE_S};

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return -errno;
	// Without it a server that is stopped would hold up its slot until it goes on.
	if (setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0)
		return 0;
	close(ends[0]);
	close(ends[1]);
	return -EINVAL;
}

static int name_program(
	struct beginning *beginning, const struct leat_spec *spec, const int own_fds[3])
{
	struct stat program;

	if (stat(spec->program ? spec->program : spec->argv[0], &program) < 0)
		return -errno;
	snprintf(beginning->object, sizeof beginning->object,
		"LD_PRELOAD=/proc/self/fd/%d", own_fds[1]);
	snprintf(beginning->wire, sizeof beginning->wire,
		WARM_VARIABLE "%d,%d,%d,%lld,%lld", own_fds[0], own_fds[1], own_fds[2],
		(long long)program.st_dev, (long long)program.st_ino);
	return 0;
}

static int fill_beginning(
	struct beginning *beginning, const struct leat_spec *spec, const int own_fds[3])
{
	size_t count = 0, kept = spec->kept_fd_count;

	while (spec->envp[count])
		count++;
	beginning->envp = calloc(count + 4, sizeof *beginning->envp);
	beginning->kept_fds = calloc(kept + 3, sizeof(int));
	if (!beginning->envp || !beginning->kept_fds)
		return -ENOMEM;
	memcpy(beginning->envp, spec->envp, count * sizeof *beginning->envp);
	beginning->envp[count++] = beginning->object;
	beginning->envp[count++] = "LD_BIND_NOW=1";
	beginning->envp[count++] = beginning->wire;
	beginning->argv[0] = spec->argv[0];
	beginning->argv[1] = WARM_OPTION;
	beginning->argv[2] = WARM_COMMAND;
	beginning->argv[3] = NULL;
	for (size_t index = 0; index < spec->kept_fd_count; index++)
		beginning->kept_fds[index] = spec->kept_fds[index];
	for (int index = 0; index < 3; index++)
		if (own_fds[index] >= 0)
			beginning->kept_fds[kept++] = own_fds[index];
	beginning->spec = (struct leat_spec){
		.argv = beginning->argv,
		.program = spec->program,
		.envp = beginning->envp,
		.kept_fds = beginning->kept_fds,
		.kept_fd_count = kept,
	};
	return name_program(beginning, spec, own_fds);
}

static int spawn_server(
	struct leat_warm *warm, const struct leat_spec *spec, const int own_fds[3])
{
	struct beginning *beginning = &warm->beginning;
	int null_fd = leat_family_null_fd(warm->family);
	int error = fill_beginning(beginning, spec, own_fds);

	beginning->process = (struct leat_process){.stack = beginning->stack};
	if (!error)
		error = leat_nurse_spawn(leat_family_nurse(warm->family),
			&beginning->spec, (int[]){null_fd, null_fd, null_fd},
			leat_family_inheritance(warm->family), &beginning->process);
	if (error)
		finish_beginning(beginning);
	else
		warm->server = beginning->process.pid;
	return error;
}

static int start_server(struct leat_warm *warm, const struct leat_spec *spec)
{
	int ends[2], object_fd, error;
	int wards_fd = leat_family_wards_fd(warm->family);

	if (is_preloaded(spec->envp) || wards_fd == -ENOTSUP)
		return -ENOTSUP;
	error = open_socket(ends);
	if (error)
		return error;
	object_fd = open_object();
	error = object_fd < 0
			? object_fd
			: spawn_server(warm, spec, (int[]){ends[1], object_fd, wards_fd});
	if (object_fd >= 0)
		close(object_fd);
	close(ends[1]);
	if (error)
		close(ends[0]);
	warm->socket_fd = ends[0];
	warm->loading = loading_of(spec->envp);
	warm->has_answered = false;
	return error;
}

// Whether there is a server that would be right for this child.
static bool need_server(struct leat_warm *warm, const struct leat_spec *spec)
{
	int error;

	if (warm->server)
		return warm->loading == loading_of(spec->envp);
	if (leat_family_was_short(warm->family))
		return false;
	error = start_server(warm, spec);
	warm->unfit = error && error != -EAGAIN && error != -ENOMEM && error != -EMFILE &&
		      error != -ENFILE;
	return !error;
}

/* ---- a child's start ---- */

static bool add_string(struct leat_warm *warm, const char *string)
{
	size_t size = strlen(string) + 1;

	if (size > sizeof warm->request - warm->length)
		return false;
	memcpy(warm->request + warm->length, string, size);
	warm->length += size;
	return true;
}

static bool add_strings(
	struct leat_warm *warm, const char *const *strings, uint32_t *count)
{
	for (*count = 0; *strings; ++*count)
		if (!add_string(warm, *strings++))
			return false;
	return true;
}

// False: it does not fit.
static bool fill_request(
	struct leat_warm *warm, const struct leat_spec *spec, struct leat_ward *ward)
{
	struct warm_request *request = (void *)warm->request;

	request->server = warm->server;
	request->ward = leat_family_ward_offset(warm->family, ward);
	warm->length = sizeof *request;
	return add_string(warm, spec->directory ? spec->directory : "") &&
	       add_strings(warm, spec->argv, &request->argument_count) &&
	       add_strings(warm, spec->envp, &request->variable_count) &&
	       request->argument_count + request->variable_count <= WARM_STRINGS;
}

// The server has ended. One that never answered is none.
static void give_up(struct leat_warm *warm)
{
	warm->unfit = warm->server && !warm->has_answered;
	retire(warm);
}

static bool send_request(struct leat_warm *warm, const int fds[3])
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(3 * sizeof *fds)] = {0};
	struct iovec bytes = {warm->request, warm->length};
	struct msghdr message = {.msg_iov = &bytes,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof control};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(3 * sizeof *fds);
	memcpy(CMSG_DATA(header), fds, 3 * sizeof *fds);
	if (sendmsg(warm->socket_fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
		return true;
	if (errno == EPIPE || errno == ECONNRESET)
		give_up(warm);
	return false;
}

// False: nothing was started. unix(7): a server that ended before it read all is told of
// by an error first, and then by what there is to read.
static bool get_answer(struct leat_warm *warm, struct warm_answer *answer)
{
	int64_t until = leat_monotonic_ns() + PATIENCE_S * LEAT_SECOND_NS;
	ssize_t got;

	do
		got = recv(warm->socket_fd, answer, sizeof *answer, 0);
	while (got < 0 && leat_monotonic_ns() < until);
	if (got < 0) {
		kill_server(warm);
		do
			got = recv(warm->socket_fd, answer, sizeof *answer, 0);
		while (got < 0);
		close(warm->socket_fd);
	}
	if (got == 0)
		give_up(warm);
	warm->has_answered = warm->has_answered || got > 0;
	return got > 0;
}

// False: nothing was started, nor will be.
static bool ask(struct leat_warm *warm, const int fds[3], struct leat_ward *ward,
	struct warm_answer *answer)
{
	bool answered;

	if (ward)
		ward->server = warm->server;
	answered = send_request(warm, fds) && get_answer(warm, answer);
	if (ward)
		ward->server = 0;
	return answered && answer->pid;
}

static int spawn(const struct leat_spec *spec, const int fds[3], struct leat_ward *ward,
	struct leat_process *process)
{
	struct leat_warm *warm = spec->warm;
	struct warm_answer answer;

	if (warm->unfit || !need_server(warm, spec) || !fill_request(warm, spec, ward) ||
		!ask(warm, fds, ward, &answer))
		return LEAT_COLD;
	warm->unfit = answer.error < 0;
	if (warm->unfit) {
		reap(answer.pid);
		return LEAT_COLD;
	}
	process->pid = answer.pid;
	process->error = -answer.error;
	process->no_directory = answer.error > 0;
	process->shell_argv = NULL;
	return 0;
}

int leat_warm_spawn(const struct leat_spec *spec, const int fds[3],
	struct leat_ward *ward, struct leat_process *process)
{
	int error;

	if (!spec->warm)
		return LEAT_COLD;
	leat_family_rouse(spec->warm->family, &spec->warm->idler);
	error = spawn(spec, fds, ward, process);
	if (error == LEAT_COLD)
		rest(spec->warm);
	return error;
}
