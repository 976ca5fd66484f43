/*
 * Signals are received, not handled.
 *
 * They are blocked in every thread, and one thread reads them from a signalfd(2) and
 * turns them into what they ask for: a level of cancellation, a slot more or less,
 * standing still, reaping. It sleeps in one poll() on that descriptor, on the intake
 * context's wake descriptor (from a cancellation on, the drain timeout runs) and on
 * `quit_fd`, by which signals_stop() ends it.
 *
 * SIGCHLD comes for every task, though it is only wanted for orphans. So after one the
 * thread leaves it pending for REAP_INTERVAL_MS: ten wakings a second at the most.
 *
 * Standing still (SIGTSTP). The tasks are stopped, the clock is paused, then leat
 * stops itself. Only SIGCONT, which stays pending as it is blocked, sets all in motion
 * again: the way back is not begun before leat was really continued. SIGSTOP, as
 * SIGTSTP would do nothing in an orphaned process group.
 */
#include "signals.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define REAP_INTERVAL_MS 100

static const int received[] = {
	SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, SIGUSR1, SIGUSR2, SIGCHLD};
static const int blocked_only[] = {SIGPIPE, SIGXFSZ};

#define COUNT(array) (sizeof(array) / sizeof *(array))

struct signals {
	const struct signals_receiver *receiver;
	pthread_t thread;
	int signal_fd, quit_fd, wake_fd;
	bool reap_later;     //< SIGCHLD is being left pending
	bool standing;       //< between SIGTSTP and SIGCONT
	int64_t drain_until; //< on the contexts' clock; LEAT_NEVER: no timeout runs
};

bool signals_is_ignored(int number)
{
	struct sigaction action;

	return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

static sigset_t received_set(bool with_child)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t index = 0; index < COUNT(received); index++)
		if (!signals_is_ignored(received[index]) &&
			(with_child || received[index] != SIGCHLD))
			sigaddset(&set, received[index]);
	return set;
}

void signals_block(void)
{
	sigset_t set = received_set(true);

	for (size_t index = 0; index < COUNT(blocked_only); index++)
		sigaddset(&set, blocked_only[index]);
	pthread_sigmask(SIG_SETMASK, &set, NULL);
}

static void wait_for_child_signals(struct signals *signals, bool wanted)
{
	sigset_t set = received_set(wanted);

	signalfd(signals->signal_fd, &set, 0);
	signals->reap_later = !wanted;
}

static void raise_level(struct signals *signals, enum level entry, int number)
{
	const struct signals_receiver *receiver = signals->receiver;
	enum level level = cancellation_raise(receiver->cancellation, entry, number);

	receiver->level_reached(receiver->argument, level, number);
}

static void stand_still(struct signals *signals)
{
	leat_context_pause(signals->receiver->cancellation->kill);
	leat_family_suspend(signals->receiver->family);
	signals->standing = true;
	raise(SIGSTOP);
}

static void go_on(struct signals *signals)
{
	if (!signals->standing)
		return;
	signals->standing = false;
	leat_family_resume(signals->receiver->family);
	leat_context_resume(signals->receiver->cancellation->kill);
}

static void receive(struct signals *signals, int number)
{
	const struct signals_receiver *receiver = signals->receiver;

	switch (number) {
	case SIGINT:
		raise_level(signals,
			receiver->terminate_on_interrupt ? LEVEL_TERMINATE : LEVEL_DRAIN,
			number);
		break;
	case SIGTERM:
	case SIGHUP:
		raise_level(signals, LEVEL_TERMINATE, number);
		break;
	case SIGQUIT:
		raise_level(signals, LEVEL_KILL, number);
		break;
	case SIGTSTP:
		stand_still(signals);
		break;
	case SIGCONT:
		go_on(signals);
		break;
	case SIGUSR1:
	case SIGUSR2:
		receiver->resize(receiver->argument, number == SIGUSR1 ? 1 : -1);
		break;
	case SIGCHLD:
		leat_family_reap(receiver->family);
		wait_for_child_signals(signals, false);
		break;
	}
}

static int64_t now(const struct signals *signals)
{
	return leat_context_now(signals->receiver->cancellation->kill);
}

// From the first cancellation on: its wake descriptor has nothing more to say.
static void begin_drain(struct signals *signals)
{
	signals->wake_fd = -1;
	if (__builtin_add_overflow(now(signals), signals->receiver->drain_timeout_ns,
		    &signals->drain_until))
		signals->drain_until = LEAT_NEVER;
}

static void end_drain(struct signals *signals)
{
	struct cancellation *cancellation = signals->receiver->cancellation;

	signals->drain_until = LEAT_NEVER;
	if (cancellation_level(cancellation) == LEVEL_DRAIN)
		raise_level(signals, LEVEL_TERMINATE, CAUSE_DRAIN_TIMEOUT);
}

static int poll_timeout(const struct signals *signals)
{
	int64_t left_ms = signals->reap_later ? REAP_INTERVAL_MS : INT64_MAX;

	if (signals->drain_until != LEAT_NEVER) {
		int64_t drain_ms = (signals->drain_until - now(signals)) / 1000000 + 1;

		if (drain_ms < left_ms)
			left_ms = drain_ms < 0 ? 0 : drain_ms;
	}
	return left_ms > 3600000 ? (signals->drain_until == LEAT_NEVER ? -1 : 3600000)
				 : (int)left_ms;
}

static void *signals_main(void *argument)
{
	struct signals *signals = argument;

	for (;;) {
		struct pollfd polled[3] = {
			{.fd = signals->signal_fd, .events = POLLIN},
			{.fd = signals->quit_fd, .events = POLLIN},
			{.fd = signals->wake_fd, .events = POLLIN},
		};
		struct signalfd_siginfo info;
		int ready = poll(polled, 3, poll_timeout(signals));

		if (ready > 0 && polled[1].revents)
			return NULL;
		if (ready > 0 && polled[0].revents &&
			read(signals->signal_fd, &info, sizeof info) == sizeof info)
			receive(signals, (int)info.ssi_signo);
		else if (ready == 0 && signals->reap_later)
			wait_for_child_signals(signals, true);
		if (ready > 0 && polled[2].revents)
			begin_drain(signals);
		if (signals->drain_until != LEAT_NEVER &&
			now(signals) >= signals->drain_until)
			end_drain(signals);
	}
}

int signals_start(struct signals **result, const struct signals_receiver *receiver)
{
	struct signals *signals = calloc(1, sizeof *signals);
	sigset_t set = received_set(true);
	int error = -ENOMEM;

	if (!signals)
		return error;
	signals->receiver = receiver;
	signals->drain_until = LEAT_NEVER;
	signals->wake_fd = leat_context_wake_fd(receiver->cancellation->intake);
	if (signals->wake_fd < 0) {
		error = signals->wake_fd;
		goto free_signals;
	}
	signals->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	signals->quit_fd = eventfd(0, EFD_CLOEXEC);
	error = -errno;
	if (signals->signal_fd < 0 || signals->quit_fd < 0)
		goto close_fds;
	error = -pthread_create(&signals->thread, NULL, signals_main, signals);
	if (error)
		goto close_fds;
	*result = signals;
	return 0;
close_fds:
	if (signals->signal_fd >= 0)
		close(signals->signal_fd);
	if (signals->quit_fd >= 0)
		close(signals->quit_fd);
free_signals:
	free(signals);
	return error;
}

void signals_stop(struct signals *signals)
{
	ssize_t written = write(signals->quit_fd, &(uint64_t){1}, sizeof(uint64_t));

	(void)written; // an eventfd at 0 takes it
	pthread_join(signals->thread, NULL);
	close(signals->signal_fd);
	close(signals->quit_fd);
	free(signals);
}

void signals_die_of(int number)
{
	sigset_t set;

	if (signals_is_ignored(number))
		return;
	setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0}); // SIGQUIT: no core of leat's
	sigemptyset(&set);
	sigaddset(&set, number);
	signal(number, SIG_DFL);
	raise(number);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}
