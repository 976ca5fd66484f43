/*
 * The guardian is a process of its own, forked from this one, that waits for its death.
 *
 * It holds the reading end of a pipe, the lifeline, of which this process alone has the
 * writing end: however this process dies, the kernel closes that, and the guardian
 * reads the end of the file. A child between its clone(2) and its execve(2) has a copy
 * of the writing end, too. So, when the lifeline ends, every child has executed, and
 * has set its number in its ward, which is memory shared with the guardian.
 *
 * But for one that a warm program starts (warm.c), to which nobody gives the lifeline:
 * its server shares the wards, too, and stands still until the child has executed or
 * ended. Who asks the server names it in the ward. So, where a server is named that
 * lives, and no leader, the guardian waits: for the leader, or for the server's end,
 * which comes when it has done what it was asked for, as nobody is at the other end of
 * its socket.
 *
 * A ward is a child's from before its start until just before it is reaped: what the
 * guardian finds there at the end is what was running. When this process ends in
 * order, no ward is in use, and the guardian just ends.
 *
 * Else it ends the trees of all leaders as a cancellation would: SIGTERM and SIGCONT,
 * the grace, SIGKILL until none of them is left. It is not their parent, so a leader
 * may be reaped, and its number be another's, at any time: signals go to single
 * processes, each made sure of by its start time (tree.c), never to a group.
 *
 * The guardian is in a session of its own and has every signal blocked, so that what is
 * meant for this process does not end it. It holds no descriptor but the lifeline, and
 * one that the caller chose: a lock that is to last as long as there is something to
 * guard. It is called "guardian", so that a killall(1) by this program's name does not
 * find it.
 */
#include "guardian.h"

#include "../base/clock.h"
#include "../leat.h"
#include "tree.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIFELINE_FD 0 // in the guardian
#define KEPT_FD 1
#define MARK_ENTRIES 8
#define LOOK_AGAIN_MS 20

// Shared by the two.
struct wards {
	volatile unsigned used; //< those from here on were never taken
	struct leat_ward each[];
};

struct leat_guardian {
	pid_t pid;
	int lifeline_fd; //< the writing end
	struct wards *wards;
	size_t size;  //< of their memory
	int wards_fd; //< that memory; -1: it has no descriptor
	unsigned capacity;
	unsigned first_free; //< index + 1; 0: none
	int64_t grace_ns;
};

/* ---- in the guardian ---- */

static void close_all_from(unsigned first)
{
#ifdef SYS_close_range
	if (syscall(SYS_close_range, first, ~0U, 0) == 0)
		return;
#endif
	for (long fd = sysconf(_SC_OPEN_MAX) - 1; fd >= (long)first; fd--)
		close((int)fd);
}

static void settle_down(int lifeline_fd, int kept_fd)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	setsid();
	prctl(PR_SET_NAME, "guardian");
	lifeline_fd = fcntl(lifeline_fd, F_DUPFD, 3); // out of the way of the two
	dup2(kept_fd, KEPT_FD);
	dup2(lifeline_fd, LIFELINE_FD);
	close_all_from(kept_fd >= 0 ? KEPT_FD + 1 : LIFELINE_FD + 1);
	if (chdir("/") < 0)
		return; // then it keeps a file system from being unmounted, no more
}

static void await_end_of_lifeline(void)
{
	char byte;

	while (read(LIFELINE_FD, &byte, 1) < 0 && errno == EINTR)
		;
}

// Whether a warm program may be about to start a child. One that was stopped goes on.
static bool some_start(const struct wards *wards)
{
	bool some = false;

	for (unsigned index = 0; index < wards->used; index++) {
		const struct leat_ward *ward = &wards->each[index];
		pid_t server = ward->server;

		if (!server || !leat_process_start_ticks(server) || ward->leader)
			continue;
		kill(server, SIGCONT);
		some = true;
	}
	return some;
}

// The trees to end, one for each ward in use.
struct orphaned {
	struct leat_root *roots;
	const char *(*marks)[MARK_ENTRIES + 1];
	size_t count;
};

static void split_mark(const char *text, const char *mark[MARK_ENTRIES + 1])
{
	size_t count = 0;

	for (; *text && count < MARK_ENTRIES; text += strlen(text) + 1)
		mark[count++] = text;
	mark[count] = NULL;
}

static bool find_orphaned(const struct wards *wards, struct orphaned *orphaned)
{
	*orphaned = (struct orphaned){
		.roots = calloc(wards->used + 1, sizeof *orphaned->roots),
		.marks = calloc(wards->used + 1, sizeof *orphaned->marks),
	};
	if (!orphaned->roots || !orphaned->marks) {
		free(orphaned->roots);
		free(orphaned->marks);
		return false;
	}
	for (unsigned index = 0; index < wards->used; index++) {
		const struct leat_ward *ward = &wards->each[index];
		const char **mark = orphaned->marks[orphaned->count];

		if (!ward->leader)
			continue;
		split_mark(ward->mark, mark);
		orphaned->roots[orphaned->count++] =
			(struct leat_root){ward->leader, *mark ? mark : NULL};
	}
	return true;
}

// Signals all that is left; 0: does not. Returns a descriptor that tells the end of
// somebody who is left, -EAGAIN: somebody may be, and can't be watched; -ENOENT: nobody.
static int signal_orphaned(
	const struct orphaned *orphaned, uint64_t since_ticks, int number)
{
	struct leat_forest forest;
	struct leat_tree tree;
	int left = -EAGAIN;

	if (leat_forest_read(&forest, NULL, 0) < 0)
		return left;
	if (leat_tree_find_orphaned(
		    &tree, &forest, orphaned->roots, orphaned->count, since_ticks) == 0) {
		if (number)
			leat_tree_signal(&tree, 0, number);
		if (number == SIGTERM)
			leat_tree_signal(&tree, 0, SIGCONT);
		left = leat_tree_survivor(&tree, 0);
		leat_tree_finish(&tree);
	}
	leat_forest_finish(&forest);
	return left;
}

// Waits for the end of `left`, as signal_orphaned() returned it, and closes it.
static void wait_for(int left, int64_t until)
{
	struct pollfd polled = {.fd = left, .events = POLLIN};
	int64_t ms = (until - leat_monotonic_ns()) / (LEAT_SECOND_NS / 1000) + 1;

	if (left < 0 || until == LEAT_NEVER)
		ms = LOOK_AGAIN_MS;
	poll(&polled, 1, ms < 0 ? 0 : ms > 60000 ? 60000 : (int)ms);
	if (left >= 0)
		close(left);
}

static void end_trees(
	const struct orphaned *orphaned, uint64_t since_ticks, int64_t grace_ns)
{
	int64_t until = leat_time_add(leat_monotonic_ns(), grace_ns);
	int number = SIGTERM;
	int left;

	while ((left = signal_orphaned(orphaned, since_ticks, number)) != -ENOENT) {
		wait_for(left, number == SIGKILL ? LEAT_NEVER : until);
		number = leat_monotonic_ns() >= until ? SIGKILL : 0;
	}
}

// `guardian` is a copy from the time of the fork; the wards are shared.
_Noreturn static void guardian_main(
	struct leat_guardian *guardian, int lifeline_fd, int kept_fd)
{
	uint64_t since_ticks = leat_process_start_ticks(getpid());
	struct orphaned orphaned;

	settle_down(lifeline_fd, kept_fd);
	await_end_of_lifeline();
	while (some_start(guardian->wards))
		wait_for(-EAGAIN, LEAT_NEVER);
	while (!find_orphaned(guardian->wards, &orphaned))
		wait_for(-EAGAIN, LEAT_NEVER); // for memory
	if (orphaned.count)
		end_trees(&orphaned, since_ticks, guardian->grace_ns);
	_exit(0);
}

/* ---- in its parent ---- */

// A file, so that others can share it, where there are such files.
static int open_wards(size_t size)
{
	int fd = memfd_create("leat wards", MFD_CLOEXEC);

	if (fd >= 0 && ftruncate(fd, (off_t)size) < 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static struct wards *map_wards(size_t size, int fd)
{
	void *wards = mmap(NULL, size, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_NORESERVE | (fd < 0 ? MAP_ANONYMOUS : 0), fd, 0);

	return wards == MAP_FAILED ? NULL : wards;
}

static int fork_guardian(struct leat_guardian *guardian, int kept_fd)
{
	int ends[2];
	int error;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	guardian->pid = fork();
	if (guardian->pid == 0) {
		close(ends[1]);
		guardian_main(guardian, ends[0], kept_fd);
	}
	error = guardian->pid < 0 ? -errno : 0;
	close(ends[0]);
	if (error)
		close(ends[1]);
	guardian->lifeline_fd = ends[1];
	return error;
}

int leat_guardian_start(
	struct leat_guardian **result, unsigned capacity, int64_t grace_ns, int kept_fd)
{
	struct leat_guardian *guardian = calloc(1, sizeof *guardian);
	int error = -ENOMEM;

	if (!guardian)
		return -ENOMEM;
	guardian->capacity = capacity;
	guardian->grace_ns = grace_ns;
	guardian->size = sizeof *guardian->wards + capacity * sizeof(struct leat_ward);
	guardian->wards_fd = open_wards(guardian->size);
	guardian->wards = map_wards(guardian->size, guardian->wards_fd);
	if (!guardian->wards)
		goto close_wards;
	error = fork_guardian(guardian, kept_fd);
	if (error)
		goto unmap;
	*result = guardian;
	return 0;
unmap:
	munmap(guardian->wards, guardian->size);
close_wards:
	if (guardian->wards_fd >= 0)
		close(guardian->wards_fd);
	free(guardian);
	return error;
}

void leat_guardian_stop(struct leat_guardian *guardian)
{
	if (!guardian)
		return;
	close(guardian->lifeline_fd);
	kill(guardian->pid, SIGCONT); // somebody may have stopped it
	// Killed by somebody, it may have been reaped as an orphan.
	while (waitpid(guardian->pid, NULL, 0) < 0 && errno == EINTR)
		;
	munmap(guardian->wards, guardian->size);
	if (guardian->wards_fd >= 0)
		close(guardian->wards_fd);
	free(guardian);
}

// What does not fit is left out, all of it: a tree is then known by its session alone.
static void set_mark(struct leat_ward *ward, const char *const *mark)
{
	size_t at = 0;

	for (; mark && *mark; mark++) {
		size_t size = strlen(*mark) + 1;

		if (at + size + 1 > sizeof ward->mark) {
			at = 0;
			break;
		}
		memcpy(ward->mark + at, *mark, size);
		at += size;
	}
	ward->mark[at] = '\0';
}

struct leat_ward *leat_guardian_take(
	struct leat_guardian *guardian, const char *const *mark)
{
	struct wards *wards = guardian ? guardian->wards : NULL;
	struct leat_ward *ward;

	if (!wards || (!guardian->first_free && wards->used == guardian->capacity))
		return NULL;
	if (guardian->first_free) {
		ward = &wards->each[guardian->first_free - 1];
		guardian->first_free = ward->next_free;
	} else {
		ward = &wards->each[wards->used++];
	}
	set_mark(ward, mark);
	return ward;
}

void leat_guardian_release(struct leat_guardian *guardian, struct leat_ward *ward)
{
	if (!ward)
		return;
	ward->server = 0;
	ward->leader = 0;
	ward->next_free = guardian->first_free;
	guardian->first_free = (unsigned)(ward - guardian->wards->each) + 1;
}

int leat_guardian_wards_fd(const struct leat_guardian *guardian)
{
	if (!guardian)
		return -1;
	return guardian->wards_fd < 0 ? -ENOTSUP : guardian->wards_fd;
}

int64_t leat_guardian_offset(
	const struct leat_guardian *guardian, const struct leat_ward *ward)
{
	return ward ? (const char *)&ward->leader - (const char *)guardian->wards : -1;
}
