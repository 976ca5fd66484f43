/*
 * One program, from start to reaping, in straight lines.
 *
 * Phases
 *   RUNNING      until it ends by itself, or its time or `terminate` is over
 *   TERMINATING  its tree got SIGTERM and SIGCONT; until none of it is left, the
 *                grace is over, or `kill` has ended
 *   KILLING      its tree gets SIGKILL, again for what a last fork left, until none
 *                of it is left
 *
 * In each phase one ppoll() waits for all there is to wait for: the leader's end (once
 * that has come, and a tree is being ended, the end of some survivor), by pidfd; the ends
 * of the two pipes; and the wake descriptor of the context that would lead to the next
 * phase; no longer than to `until`, on the context's clock.
 *
 * Short tasks do without the pidfd, which costs a fifteenth of their rate: output that
 * is at its end tells of theirs, and only a child that runs on gets one, for it may have
 * left its pipes to others. Then, and where there is no output to collect, and no time to
 * keep, nothing but the child's end and a cancellation can happen: the worker sleeps in
 * waitid(2) through the rest of RUNNING. A cancellation then starts a thread, which goes
 * on as the worker would have, from RUNNING to the tree's end; the worker wakes when the
 * leader has ended, and joins it. So the run is in one thread's hands at any time.
 *
 * The leader is reaped once, at the very end: until then its pid, which is also its
 * group's and its session's number, is safe to signal. It leaves the family just
 * before. Output is read until both pipes are at their end; where others hold them
 * open still, for `linger_ns` after an end of its own. Of a tree that was ended only
 * what is in the pipes already.
 *
 * A leader that has become another user's, by sudo(8) or the like, can't be signaled, and
 * is waited for all the same: its owner is told. What is below a leader, and another's,
 * is not waited for.
 *
 * Everything here belongs to the calling thread, or to the one it waits for.
 */
#include "../base/clock.h"
#include "../base/fd.h"
#include "family.h"
#include "inlet.h"
#include "tree.h"
#include "warm.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// A process that SIGKILL does not end at once (in an uninterruptible wait), or that
// no descriptor was left to watch, is looked at again after this time.
#define LOOK_AGAIN_NS (LEAT_SECOND_NS / 50)
// The same of one that may not be signaled: what is left to end is what it starts.
#define LOOK_IN_VAIN_NS LEAT_SECOND_NS

// Where who was seen has ended since, it may have left a child behind. The second look
// nearly always tells.
#define LOOKS_AT_ONCE 3

// Who runs on for so long is watched by a pidfd.
#define WATCH_AFTER_NS (LEAT_SECOND_NS / 100)

// As much as a pipe may hold by default's limit (pipe(7), pipe-max-size).
#define LEFT_IN_PIPE_BYTES (1 << 20)

// In a crowd, what is open for as long as a child runs has these numbers: the lower ones
// are for what the next child is started with.
#define LONG_LIVED_FD 512

enum phase { RUNNING, TERMINATING, KILLING };

struct run {
	struct leat_family *family;
	const struct leat_spec *spec;
	const struct leat_control *control;
	struct leat_outcome *outcome;
	struct leat_inlet streams[2]; //< standard output, standard error
	struct leat_process process;
	struct leat_warm *warm; //< what it was started from, or NULL
	struct leat_member member;
	enum phase phase;
	int pid_fd; //< the leader's, or -1
	bool leader_ended;
	bool withstands; //< the leader can't be signaled, and that was told
	int survivor_fd; //< pidfd of another process of the tree, or -1
	int wake_fds[2]; //< of `terminate` and `kill`
	int64_t started;
	int64_t until;      //< the end of the phase, LEAT_NEVER: it has none
	int64_t watch_from; //< when to see to the pidfd
	bool crowded;       //< low descriptors are for the starting of children
	pthread_t canceler; //< ends the tree of a child that the worker sleeps on
	bool has_canceler;
};

static bool is_passing(int error)
{
	return error == -EAGAIN || error == -ENOMEM || error == -EMFILE ||
	       error == -ENFILE;
}

static int64_t now(const struct run *run)
{
	return leat_context_now(run->control->kill);
}

static bool has_open_stream(const struct run *run)
{
	return run->streams[0].read_fd >= 0 || run->streams[1].read_fd >= 0;
}

static void raise_streams(struct run *run)
{
	for (int index = 0; index < 2; index++)
		leat_fd_raise(&run->streams[index].read_fd, LONG_LIVED_FD);
}

static int start(struct run *run)
{
	const struct leat_spec *spec = run->spec;
	int fds[3] = {
		spec->stdin_fd >= 0 ? spec->stdin_fd : leat_family_null_fd(run->family),
		spec->stdout_fd >= 0 ? spec->stdout_fd : run->streams[0].write_fd,
		spec->stderr_fd >= 0 ? spec->stderr_fd : run->streams[1].write_fd,
	};
	int error;

	run->started = now(run);
	run->watch_from = run->started + WATCH_AFTER_NS;
	run->process.crowded = run->crowded;
	run->until = leat_time_add(run->started, run->control->timeout_ns);
	if (leat_context_deadline(run->control->terminate) < run->until)
		run->until = leat_context_deadline(run->control->terminate);
	error = leat_warm_spawn(spec, fds, run->member.ward, &run->process);
	run->warm = error == LEAT_COLD ? NULL : spec->warm;
	if (!run->warm)
		error = leat_spawn(
			spec, fds, leat_family_inheritance(run->family), &run->process);
	leat_fd_close(&run->streams[0].write_fd);
	leat_fd_close(&run->streams[1].write_fd);
	return error;
}

static struct timespec *time_left(int64_t left_ns, struct timespec *timeout)
{
	if (left_ns < 0)
		left_ns = 0;
	timeout->tv_sec = left_ns / LEAT_SECOND_NS;
	timeout->tv_nsec = left_ns % LEAT_SECOND_NS;
	return timeout;
}

/* What one wait saw. */
struct seen {
	bool process; //< the watched process has ended
	bool wake;
	size_t bytes; //< of output that was read
};

// Waits for `process_fd` (-1: none), `wake_fd` (-1: none) and output, until `until`.
static struct seen wait_for(struct run *run, int process_fd, int wake_fd, int64_t until)
{
	struct pollfd polled[6] = {
		{.fd = process_fd, .events = POLLIN},
		{.fd = wake_fd, .events = POLLIN},
	};
	struct timespec timeout;
	struct seen seen = {0};

	for (int index = 0; index < 2; index++)
		leat_inlet_poll(&run->streams[index], &polled[2 + 2 * index]);
	if (ppoll(polled, 6,
		    until == LEAT_NEVER ? NULL : time_left(until - now(run), &timeout),
		    NULL) <= 0)
		return seen;
	for (int index = 0; index < 2; index++)
		seen.bytes +=
			leat_inlet_take(&run->streams[index], &polled[2 + 2 * index]);
	seen.process = polled[0].revents != 0;
	seen.wake = polled[1].revents != 0;
	return seen;
}

static struct leat_root root_of(const struct run *run)
{
	return (struct leat_root){run->process.pid, run->spec->mark};
}

// What can't be looked for is signaled as far as the group goes.
static void signal_tree(struct run *run, int number, int number_after)
{
	struct leat_look *look = leat_family_look(run->family);
	struct leat_root root = root_of(run);
	struct leat_tree tree = {0};

	if (look)
		leat_tree_find(&tree, &look->forest, &root);
	leat_tree_signal(&tree, root.leader, number);
	if (number_after)
		leat_tree_signal(&tree, root.leader, number_after);
	leat_tree_finish(&tree);
	leat_family_look_done(run->family, look);
}

// As leat_tree_survivor(), or why that can't be told.
static int look_for_survivor(struct run *run)
{
	struct leat_look *look = leat_family_look(run->family);
	struct leat_root root = root_of(run);
	struct leat_tree tree;
	int found = look ? look->error : -ENOMEM;

	if (!found)
		found = leat_tree_find(&tree, &look->forest, &root);
	if (!found) {
		found = leat_tree_survivor(&tree, root.leader);
		leat_tree_finish(&tree);
	}
	leat_family_look_done(run->family, look);
	return found;
}

// Whether others of the tree live on; if so, survivor_fd watches one where it can.
static bool find_survivor(struct run *run)
{
	int found, looks = LOOKS_AT_ONCE;

	leat_fd_close(&run->survivor_fd);
	do
		found = look_for_survivor(run);
	while (found == -EAGAIN && --looks);
	if (found >= 0)
		run->survivor_fd = found;
	// Without /proc there is no looking further than the group.
	if (found < 0 && found != -ENOENT && !is_passing(found))
		return false;
	return found != -ENOENT;
}

static void begin_killing(struct run *run)
{
	run->phase = KILLING;
	run->until = LEAT_NEVER;
	signal_tree(run, SIGKILL, 0);
}

// The server goes first: it has the tree's mark, so the tree's end would be its end, too,
// and there is no SIGTERM for it where that is ignored.
static void begin_terminating(struct run *run)
{
	leat_warm_end(run->warm, false);
	run->phase = TERMINATING;
	run->until = leat_time_add(now(run), run->control->grace_ns);
	signal_tree(run, SIGTERM, SIGCONT);
}

// Who ends the child at this moment, LEAT_BY_ITSELF: nobody.
static enum leat_ended_by reason_to_end(const struct run *run)
{
	int cause = leat_context_cause(run->control->terminate);

	if (cause)
		return cause == LEAT_CAUSE_DEADLINE ? LEAT_BY_DEADLINE : LEAT_BY_CANCEL;
	return now(run) >= run->until ? LEAT_BY_TIMEOUT : LEAT_BY_ITSELF;
}

static void open_pid_fd(struct run *run)
{
	run->pid_fd = (int)syscall(SYS_pidfd_open, run->process.pid, 0);
	if (run->crowded)
		leat_fd_raise(&run->pid_fd, LONG_LIVED_FD);
}

static void look_at_leader(struct run *run)
{
	id_t pid = (id_t)run->process.pid;
	siginfo_t end = {0};

	if (waitid(P_PID, pid, &end, WEXITED | WNOWAIT | WNOHANG) == 0)
		run->leader_ended = end.si_pid != 0;
}

// Without a descriptor left it is looked at now and then.
static void watch_leader(struct run *run)
{
	open_pid_fd(run);
	if (run->pid_fd >= 0)
		return;
	run->watch_from = now(run) + LOOK_AGAIN_NS;
	look_at_leader(run);
}

// Whether there is nothing but the child's end, and a cancellation, to wait for.
static bool is_quiet(const struct run *run)
{
	return run->until == LEAT_NEVER && !has_open_stream(run);
}

// What the wait that is over leads to.
static void go_on_running(struct run *run)
{
	enum leat_ended_by by = reason_to_end(run);

	if (by != LEAT_BY_ITSELF && run->pid_fd < 0)
		look_at_leader(run);
	if (by == LEAT_BY_ITSELF || run->leader_ended)
		return;
	run->outcome->ended_by = by;
	if (leat_context_cause(run->control->kill))
		begin_killing(run);
	else
		begin_terminating(run);
}

// Returns when the child has ended by itself, or its end was begun, or there is nothing
// left for which the worker has to be awake.
static void supervise_running(struct run *run)
{
	while (run->phase == RUNNING && !run->leader_ended) {
		int64_t until = run->until;

		if (run->pid_fd < 0 && is_quiet(run))
			return;
		if (run->pid_fd < 0 &&
			(!has_open_stream(run) || now(run) >= run->watch_from))
			watch_leader(run);
		if (run->pid_fd < 0 && run->watch_from < until)
			until = run->watch_from;
		run->leader_ended |=
			wait_for(run, run->pid_fd, run->wake_fds[0], until).process;
		if (!run->leader_ended)
			go_on_running(run);
	}
}

// One that has ended is nobody's to signal, whoever it was.
static void tell_if_withstands(struct run *run)
{
	const struct leat_control *control = run->control;
	int error = kill(run->process.pid, 0) < 0 ? errno : 0;

	if (!error)
		return;
	look_at_leader(run);
	if (run->leader_ended)
		return;
	run->withstands = true;
	if (control->withstands)
		control->withstands(control->argument, error);
}

// What ends the wait in the phases after RUNNING, besides the tree's end.
static int64_t look_again(const struct run *run)
{
	bool watching = (run->leader_ended ? run->survivor_fd : run->pid_fd) >= 0;
	bool in_vain = run->withstands && !run->leader_ended;
	int64_t soon = now(run) + (in_vain ? LOOK_IN_VAIN_NS : LOOK_AGAIN_NS);

	if (run->phase == TERMINATING && watching)
		return run->until;
	return soon < run->until ? soon : run->until;
}

static void supervise_ending(struct run *run)
{
	for (;;) {
		bool killing = run->phase == KILLING;

		if (!run->leader_ended && run->pid_fd < 0)
			watch_leader(run);
		if (!run->leader_ended && !run->withstands)
			tell_if_withstands(run);
		if (run->leader_ended && run->survivor_fd < 0 && !find_survivor(run))
			return;
		if (!killing && (now(run) >= run->until ||
					leat_context_cause(run->control->kill)))
			begin_killing(run);
		else if (killing)
			signal_tree(run, SIGKILL, 0);
		struct seen seen = wait_for(run,
			run->leader_ended ? run->survivor_fd : run->pid_fd,
			run->phase == KILLING ? -1 : run->wake_fds[1], look_again(run));
		if (seen.process && run->leader_ended)
			leat_fd_close(&run->survivor_fd);
		else if (seen.process)
			run->leader_ended = true;
	}
}

// What the pipes hold at the child's end is read in any case; what others write
// after that, until `until`, or until everything is to end.
static void read_rest(struct run *run, int64_t until)
{
	size_t over_bytes = 0;

	for (int index = 0; index < 2; index++)
		if (run->streams[index].read_fd >= 0) {
			struct leat_stream *to = run->streams[index].to;

			to->last = true;
			to->paused = false;
			to->also_fd = -1;
		}
	while (has_open_stream(run)) {
		bool over =
			now(run) >= until || leat_context_cause(run->control->terminate);
		struct seen seen = wait_for(run, -1, over ? -1 : run->wake_fds[0],
			over ? INT64_MIN / 2 : until);

		over_bytes += over ? seen.bytes : 0;
		if (over && (!seen.bytes || over_bytes > LEFT_IN_PIPE_BYTES))
			return;
	}
}

static void supervise_awake(struct run *run)
{
	supervise_running(run);
	if (run->phase != RUNNING)
		supervise_ending(run);
}

static void *cancel_main(void *argument)
{
	supervise_awake(argument);
	return NULL;
}

// Called by whoever cancels. Without the means to do more it is SIGKILL.
static void end_slept_on(void *argument)
{
	struct run *run = argument;

	open_pid_fd(run);
	run->has_canceler = run->pid_fd >= 0 &&
			    !pthread_create(&run->canceler, NULL, cancel_main, run);
	if (run->has_canceler)
		return;
	run->outcome->ended_by = LEAT_BY_CANCEL;
	begin_killing(run);
}

static void supervise_asleep(struct run *run)
{
	struct leat_watch watch = {.call = end_slept_on, .argument = run};
	siginfo_t end;

	leat_context_watch(run->control->terminate, &watch);
	while (waitid(P_PID, (id_t)run->process.pid, &end, WEXITED | WNOWAIT) < 0 &&
		errno == EINTR)
		;
	leat_context_unwatch(run->control->terminate, &watch);
	if (run->has_canceler)
		pthread_join(run->canceler, NULL);
	run->leader_ended = true;
	if (run->phase == KILLING && !run->has_canceler)
		supervise_ending(run);
}

static int64_t nanoseconds(struct timeval time)
{
	return time.tv_sec * LEAT_SECOND_NS + time.tv_usec * 1000;
}

static void reap(struct run *run)
{
	struct leat_outcome *outcome = run->outcome;
	struct rusage usage = {0};
	int status = 0;

	leat_family_leave(run->family, &run->member);
	while (wait4(run->process.pid, &status, 0, &usage) < 0 && errno == EINTR)
		;
	leat_fd_close(&run->pid_fd);
	leat_warm_end(run->warm, run->phase == RUNNING && WIFEXITED(status));
	outcome->end = WIFSIGNALED(status) ? LEAT_SIGNALED : LEAT_EXITED;
	outcome->code = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
	outcome->core_dumped = WIFSIGNALED(status) && WCOREDUMP(status);
	outcome->user_ns = nanoseconds(usage.ru_utime);
	outcome->system_ns = nanoseconds(usage.ru_stime);
	outcome->peak_kib = usage.ru_maxrss;
}

// Until when what others hold open is read, after an end of the child's own.
static int64_t linger_end(const struct run *run)
{
	int64_t deadline = leat_context_deadline(run->control->terminate);
	int64_t until = leat_time_add(now(run), run->control->linger_ns);

	return deadline < until ? deadline : until;
}

static void supervise(struct run *run)
{
	run->member.pid = run->process.pid;
	run->member.mark = run->spec->mark;
	leat_family_enter(run->family, &run->member);
	supervise_awake(run);
	if (!run->leader_ended)
		supervise_asleep(run);
	leat_fd_close(&run->survivor_fd);
	run->outcome->elapsed_ns = now(run) - run->started;
	reap(run);
	read_rest(run, run->phase == RUNNING ? linger_end(run) : INT64_MIN);
	run->outcome->out_bytes = run->streams[0].bytes;
	run->outcome->err_bytes = run->streams[1].bytes;
}

// What became of the try to execute the program.
static int conclude_start(struct run *run)
{
	int error = leat_spawn_finish(&run->process);

	if (is_passing(error))
		return error;
	if (error)
		*run->outcome = (struct leat_outcome){
			.end = LEAT_NOT_STARTED,
			.code = -error,
			.no_directory = run->process.no_directory,
		};
	return 0;
}

static int get_wake_fds(struct run *run)
{
	struct leat_context *contexts[2] = {run->control->terminate, run->control->kill};

	for (int index = 0; index < 2; index++) {
		run->wake_fds[index] = leat_context_wake_fd(contexts[index]);
		if (run->wake_fds[index] < 0)
			return run->wake_fds[index];
	}
	return 0;
}

int leat_child_run(struct leat_family *family, const struct leat_spec *spec,
	const struct leat_control *control, struct leat_stream *out,
	struct leat_stream *err, struct leat_outcome *outcome)
{
	_Alignas(max_align_t) char stack[LEAT_SPAWN_STACK_BYTES];
	struct run run = {
		.family = family,
		.spec = spec,
		.control = control,
		.outcome = outcome,
		.process.stack = stack,
		.pid_fd = -1,
		.survivor_fd = -1,
	};
	int error;

	*outcome = (struct leat_outcome){.end = LEAT_EXITED};
	run.member.ward = leat_family_begin(family, spec->mark);
	run.crowded = leat_family_is_crowded(family);
	run.process.told = run.member.ward ? &run.member.ward->leader : NULL;
	error = get_wake_fds(&run);
	if (error)
		goto end;
	error = leat_inlet_open(&run.streams[0], out, spec->stdout_fd, spec->terminal);
	if (error)
		goto end;
	error = leat_inlet_open(&run.streams[1], err, spec->stderr_fd, spec->terminal);
	if (error)
		goto close_out;
	if (run.crowded)
		raise_streams(&run);
	error = start(&run);
	if (!error) {
		supervise(&run);
		error = conclude_start(&run);
	}
	leat_inlet_close(&run.streams[1]);
close_out:
	leat_inlet_close(&run.streams[0]);
end:
	leat_family_end(family, run.member.ward);
	return error;
}
