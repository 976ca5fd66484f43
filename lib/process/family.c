/*
 * The children of this process.
 *
 * The lock guards the ring of members and what follows it in the struct. A member is in
 * the ring from just after its start until just before it is reaped, so every pid found
 * there under the lock is that child's: it can be signaled, and is not to be reaped
 * as an orphan. `child_ended` wakes those that wait for room.
 *
 * Of two tries at the same moment each may have taken the other's room (fork(2),
 * RLIMIT_NPROC), so only one beside which there was no other tells that there is none. So
 * that it comes to that, those that have failed try again one at a time: who has the turn
 * keeps it until its child is there, or until it asks for room once more.
 *
 * What rests (a warm program without a child) is in a ring of its own. Who finds that
 * nobody is left to make room ends one of these: it takes it under the lock, and ends it
 * without; `child_ended` wakes an owner who wants it at that moment. Where nothing rests
 * any more, and so nothing lives that the nurse started, it ends her thread.
 *
 * What is below a member is found by a look at /proc, which takes some microseconds for
 * each process of the system. When a thousand members are ended at once, each of their
 * runners wants one, so a look serves all who asked before it began. Who finds nobody
 * looking does, without the lock; the others wait, each for its own semaphore, for a look
 * to be handed to them, or for their turn to take the next.
 *
 * Orphans that end become children of the main thread, as the kernel hands them to
 * the first living thread of a subreaper; /proc/self/task/PID/children lists them.
 */
#include "family.h"

#include "../base/clock.h"
#include "../base/sync.h"
#include "tree.h"

#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

// A slot's two pipes (four ends for a moment), two temporary files, pidfds of child
// and survivor, a warm program's socket; and what this process needs besides.
#define DESCRIPTORS_PER_CHILD ((rlim_t)9)
#define DESCRIPTORS_RESERVED ((rlim_t)64)
// More children than this are a crowd.
#define CROWD 128
#define AWAIT_ROOM_NS (LEAT_SECOND_NS / 20)

/* Somebody who waits for a look, on its own stack. */
struct look_wish {
	sem_t wake;
	bool fulfilled; //< else it is to take the look
	struct leat_look *look;
	struct look_wish *next;
};

struct leat_family {
	struct leat_inheritance inheritance;
	struct leat_nurse *nurse;
	int null_fd;
	int orphans_fd; //< /proc/self/task/PID/children, -1 where there is no such file
	unsigned room;

	pthread_mutex_t lock;
	pthread_cond_t child_ended;
	struct leat_member members; //< head of a ring
	struct leat_idler idlers;   //< head of a ring
	unsigned active;            //< tries to run a child that are under way
	uint64_t activity;          //< how many such tries have begun and have ended
	bool suspended;
	bool was_short;
	bool turn_taken;
	pthread_t turn; //< the thread whose try it is, while others wait for theirs
	struct leat_guardian *guardian; //< NULL: nobody looks after the members

	bool looking;             //< somebody takes a look, or was woken to take one
	struct look_wish *wishes; //< for the next look
};

static void note_signals(struct leat_inheritance *inheritance)
{
	sigemptyset(&inheritance->ignored);
	sigemptyset(&inheritance->caught);
	for (int number = 1; number < NSIG; number++) {
		struct sigaction action;

		if (sigaction(number, NULL, &action) < 0)
			continue;
		if (action.sa_handler == SIG_IGN) {
			sigaddset(&inheritance->ignored, number);
			inheritance->any_ignored = true;
		} else if (action.sa_handler != SIG_DFL) {
			sigaddset(&inheritance->caught, number);
			inheritance->any_caught = true;
		}
	}
	// Ignored, it would have children vanish unwaited for: wait(2), ECHILD.
	if (sigismember(&inheritance->ignored, SIGCHLD))
		sigaction(SIGCHLD, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
}

static void raise_descriptors(struct leat_family *family)
{
	struct leat_inheritance *inheritance = &family->inheritance;
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	inheritance->descriptors = limit;
	if (limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &limit) == 0)
			inheritance->descriptors_changed = true;
		else
			limit.rlim_cur = inheritance->descriptors.rlim_cur;
	}
	rlim_t room = limit.rlim_cur / DESCRIPTORS_PER_CHILD;
	if (limit.rlim_cur > 2 * DESCRIPTORS_RESERVED)
		room = (limit.rlim_cur - DESCRIPTORS_RESERVED) / DESCRIPTORS_PER_CHILD;
	family->room = room < 1 ? 1 : room > 100000 ? 100000 : (unsigned)room;
}

static int open_orphans(void)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
	return open(path, O_RDONLY | O_CLOEXEC);
}

int leat_family_create(struct leat_family **result)
{
	struct leat_family *family = calloc(1, sizeof *family);
	int error;

	if (!family)
		return -ENOMEM;
	error = leat_nurse_create(&family->nurse);
	if (error)
		goto free_family;
	family->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (family->null_fd < 0) {
		error = -errno;
		goto destroy_nurse;
	}
	error = leat_cond_init(&family->child_ended);
	if (error)
		goto close_null;
	pthread_mutex_init(&family->lock, NULL);
	family->members.next = family->members.previous = &family->members;
	family->idlers.next = family->idlers.previous = &family->idlers;
	family->orphans_fd = open_orphans();
	note_signals(&family->inheritance);
	raise_descriptors(family);
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	*result = family;
	return 0;
close_null:
	close(family->null_fd);
destroy_nurse:
	leat_nurse_destroy(family->nurse);
free_family:
	free(family);
	return error;
}

void leat_family_destroy(struct leat_family *family)
{
	if (!family)
		return;
	leat_family_unguard(family);
	leat_nurse_destroy(family->nurse);
	if (family->orphans_fd >= 0)
		close(family->orphans_fd);
	close(family->null_fd);
	pthread_cond_destroy(&family->child_ended);
	pthread_mutex_destroy(&family->lock);
	free(family);
}

unsigned leat_family_room(const struct leat_family *family)
{
	return family->room;
}

const struct leat_inheritance *leat_family_inheritance(const struct leat_family *family)
{
	return &family->inheritance;
}

int leat_family_null_fd(const struct leat_family *family)
{
	return family->null_fd;
}

struct leat_nurse *leat_family_nurse(const struct leat_family *family)
{
	return family->nurse;
}

int leat_family_wards_fd(const struct leat_family *family)
{
	return leat_guardian_wards_fd(family->guardian);
}

int64_t leat_family_ward_offset(
	const struct leat_family *family, const struct leat_ward *ward)
{
	return leat_guardian_offset(family->guardian, ward);
}

int leat_family_guard(struct leat_family *family, int64_t grace_ns, int kept_fd)
{
	return leat_guardian_start(&family->guardian, family->room, grace_ns, kept_fd);
}

void leat_family_unguard(struct leat_family *family)
{
	leat_guardian_stop(family->guardian);
	family->guardian = NULL;
}

bool leat_family_is_crowded(struct leat_family *family)
{
	bool crowded;

	pthread_mutex_lock(&family->lock);
	crowded = family->active > CROWD;
	pthread_mutex_unlock(&family->lock);
	return crowded;
}

struct leat_ward *leat_family_begin(struct leat_family *family, const char *const *mark)
{
	struct leat_ward *ward;

	pthread_mutex_lock(&family->lock);
	family->active++;
	family->activity++;
	ward = leat_guardian_take(family->guardian, mark);
	pthread_mutex_unlock(&family->lock);
	return ward;
}

void leat_family_end(struct leat_family *family, struct leat_ward *ward)
{
	pthread_mutex_lock(&family->lock);
	leat_guardian_release(family->guardian, ward);
	family->active--;
	family->activity++;
	pthread_cond_broadcast(&family->child_ended);
	pthread_mutex_unlock(&family->lock);
}

// With the lock.
static void pass_turn_on(struct leat_family *family)
{
	if (!family->turn_taken || !pthread_equal(family->turn, pthread_self()))
		return;
	family->turn_taken = false;
	pthread_cond_broadcast(&family->child_ended);
}

void leat_family_enter(struct leat_family *family, struct leat_member *member)
{
	pthread_mutex_lock(&family->lock);
	pass_turn_on(family);
	member->next = &family->members;
	member->previous = family->members.previous;
	member->previous->next = member;
	family->members.previous = member;
	// It may not have got so far as to lead a group.
	if (family->suspended && kill(-member->pid, SIGSTOP) < 0)
		kill(member->pid, SIGSTOP);
	pthread_mutex_unlock(&family->lock);
}

void leat_family_leave(struct leat_family *family, struct leat_member *member)
{
	pthread_mutex_lock(&family->lock);
	member->previous->next = member->next;
	member->next->previous = member->previous;
	if (member->ward)
		member->ward->leader = 0;
	pthread_mutex_unlock(&family->lock);
}

uint64_t leat_family_activity(struct leat_family *family)
{
	pthread_mutex_lock(&family->lock);
	uint64_t activity = family->activity;
	pthread_mutex_unlock(&family->lock);
	return activity;
}

void leat_family_rest(struct leat_family *family, struct leat_idler *idler)
{
	pthread_mutex_lock(&family->lock);
	idler->rests = true;
	idler->next = &family->idlers;
	idler->previous = family->idlers.previous;
	idler->previous->next = idler;
	family->idlers.previous = idler;
	pthread_mutex_unlock(&family->lock);
}

// With the lock.
static void remove_idler(struct leat_idler *idler)
{
	idler->rests = false;
	idler->previous->next = idler->next;
	idler->next->previous = idler->previous;
}

void leat_family_rouse(struct leat_family *family, struct leat_idler *idler)
{
	pthread_mutex_lock(&family->lock);
	while (idler->taken)
		leat_cond_wait(&family->child_ended, &family->lock, LEAT_NEVER);
	if (idler->rests)
		remove_idler(idler);
	pthread_mutex_unlock(&family->lock);
}

// With the lock, which it gives up meanwhile.
static void end_idler(struct leat_family *family, struct leat_idler *idler)
{
	remove_idler(idler);
	idler->taken = true;
	pthread_mutex_unlock(&family->lock);
	idler->end(idler);
	pthread_mutex_lock(&family->lock);
	idler->taken = false;
	pthread_cond_broadcast(&family->child_ended);
}

// With the lock, which it gives up meanwhile; nobody tries to run a child. False: there
// is nothing to be had.
static bool make_room(struct leat_family *family)
{
	if (family->idlers.next != &family->idlers) {
		end_idler(family, family->idlers.next);
		return true;
	}
	if (!leat_nurse_dismiss(family->nurse))
		return false;
	pthread_mutex_unlock(&family->lock);
	leat_nurse_await_end(family->nurse);
	pthread_mutex_lock(&family->lock);
	return true;
}

bool leat_family_await_room(struct leat_family *family, uint64_t activity)
{
	int64_t until = leat_monotonic_ns() + AWAIT_ROOM_NS;
	uint64_t seen;
	bool hope;

	pthread_mutex_lock(&family->lock);
	pass_turn_on(family);
	family->was_short = true;
	seen = family->activity;
	hope = family->active || seen != activity + 2; // two are the caller's own try
	if (!hope && make_room(family)) {
		pthread_mutex_unlock(&family->lock);
		return true;
	}
	while (family->active && family->activity == seen && leat_monotonic_ns() < until)
		leat_cond_wait(&family->child_ended, &family->lock, until);
	while (hope && family->turn_taken && leat_monotonic_ns() < until)
		leat_cond_wait(&family->child_ended, &family->lock, until);
	if (hope && !family->turn_taken) {
		family->turn_taken = true;
		family->turn = pthread_self();
	}
	pthread_mutex_unlock(&family->lock);
	return hope;
}

bool leat_family_was_short(struct leat_family *family)
{
	bool was_short;

	pthread_mutex_lock(&family->lock);
	was_short = family->was_short;
	pthread_mutex_unlock(&family->lock);
	return was_short;
}

// With the lock. NULL: without memory.
static pid_t *copy_leaders(const struct leat_family *family, size_t *count)
{
	const struct leat_member *member = family->members.next;
	pid_t *leaders = calloc(family->active + 1, sizeof *leaders);

	*count = 0;
	for (; leaders && member != &family->members; member = member->next)
		leaders[(*count)++] = member->pid;
	return leaders;
}

// NULL: without memory.
static struct leat_look *take_look(struct leat_family *family)
{
	struct leat_look *look = calloc(1, sizeof *look);
	pid_t *leaders;
	size_t count;

	if (!look)
		return NULL;
	pthread_mutex_lock(&family->lock);
	leaders = copy_leaders(family, &count);
	pthread_mutex_unlock(&family->lock);
	look->error = leat_forest_read(&look->forest, leaders, count);
	free(leaders);
	return look;
}

static void await(sem_t *semaphore)
{
	while (sem_wait(semaphore) < 0 && errno == EINTR)
		;
}

static void hand_out(struct leat_look *look, struct look_wish *first)
{
	if (look)
		for (struct look_wish *wish = first; wish; wish = wish->next)
			look->users++;
	while (first) {
		struct look_wish *next = first->next;

		first->look = look;
		first->fulfilled = true;
		sem_post(&first->wake); // and it may be gone
		first = next;
	}
}

// Those who wish for one from now on will have the next.
static void look_for_all(struct leat_family *family)
{
	struct look_wish *wishes, *next;

	pthread_mutex_lock(&family->lock);
	wishes = family->wishes;
	family->wishes = NULL;
	pthread_mutex_unlock(&family->lock);
	hand_out(take_look(family), wishes);
	pthread_mutex_lock(&family->lock);
	next = family->wishes;
	family->looking = next != NULL;
	pthread_mutex_unlock(&family->lock);
	if (next)
		sem_post(&next->wake);
}

struct leat_look *leat_family_look(struct leat_family *family)
{
	struct look_wish wish = {0};
	bool looks;

	sem_init(&wish.wake, 0, 0);
	pthread_mutex_lock(&family->lock);
	looks = !family->looking;
	family->looking = true;
	wish.next = family->wishes;
	family->wishes = &wish;
	pthread_mutex_unlock(&family->lock);
	if (!looks)
		await(&wish.wake);
	if (!wish.fulfilled) {
		look_for_all(family);
		await(&wish.wake); // its own
	}
	sem_destroy(&wish.wake);
	return wish.look;
}

void leat_family_look_done(struct leat_family *family, struct leat_look *look)
{
	bool last;

	if (!look)
		return;
	pthread_mutex_lock(&family->lock);
	last = --look->users == 0;
	pthread_mutex_unlock(&family->lock);
	if (!last)
		return;
	leat_forest_finish(&look->forest);
	free(look);
}

static void signal_member(
	const struct leat_look *look, const struct leat_member *member, int number)
{
	struct leat_root root = {member->pid, member->mark};
	struct leat_tree tree = {0};

	if (look)
		leat_tree_find(&tree, &look->forest, &root);
	leat_tree_signal(&tree, member->pid, number);
	leat_tree_finish(&tree);
}

static void signal_all(struct leat_family *family, int number, bool suspended)
{
	struct leat_look *look;

	pthread_mutex_lock(&family->lock);
	family->suspended =
		suspended; // so that who begins after the look is stopped, too
	pthread_mutex_unlock(&family->lock);
	look = leat_family_look(family);
	pthread_mutex_lock(&family->lock);
	for (struct leat_member *member = family->members.next;
		member != &family->members; member = member->next)
		signal_member(look, member, number);
	pthread_mutex_unlock(&family->lock);
	leat_family_look_done(family, look);
}

void leat_family_suspend(struct leat_family *family)
{
	signal_all(family, SIGSTOP, true);
}

void leat_family_resume(struct leat_family *family)
{
	signal_all(family, SIGCONT, false);
}

// With the lock: a member can't become reapable by its runner meanwhile.
static bool is_member(const struct leat_family *family, pid_t pid)
{
	const struct leat_member *member = family->members.next;

	while (member != &family->members && member->pid != pid)
		member = member->next;
	return member != &family->members;
}

// The list of the main thread's children; NULL where there is none. proc(5): it is only
// sure to be whole where no child comes or goes, so the rest is left for the next time.
static char *read_orphans(const struct leat_family *family)
{
	size_t capacity = 4096, length = 0;
	char *pids = family->orphans_fd < 0 ? NULL : malloc(capacity);
	ssize_t got = 1;

	while (pids && got > 0) {
		if (length + 1 == capacity) {
			char *larger = realloc(pids, 2 * capacity);

			if (!larger)
				break;
			pids = larger;
			capacity *= 2;
		}
		got = pread(family->orphans_fd, pids + length, capacity - length - 1,
			(off_t)length);
		length += got > 0 ? (size_t)got : 0;
	}
	if (pids)
		pids[length] = '\0';
	return pids;
}

void leat_family_reap(struct leat_family *family)
{
	char *pids = read_orphans(family);

	pthread_mutex_lock(&family->lock);
	for (char *at = pids, *end; at && *at; at = end + (*end == ' ')) {
		pid_t pid = (pid_t)strtol(at, &end, 10);

		// Without memory for all of it, a number may be cut short.
		if (end == at || *end != ' ')
			break;
		if (!is_member(family, pid))
			waitpid(pid, NULL, WNOHANG);
	}
	pthread_mutex_unlock(&family->lock);
	free(pids);
}
