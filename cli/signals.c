/*
 * Signals are received, not handled.
 *
 * They are blocked in every thread, and one thread waits for them with sigtimedwait(2)
 * and turns them into what they ask for: a level of cancellation, a slot more or less,
 * standing still, reaping. Two things besides signals wake it, both by POKE, a signal
 * of leat's own: the intake's end (a watch on that context; the drain timeout runs from
 * then on) and signals_stop().
 *
 * SIGCHLD comes for every task, though it is only wanted for orphans. So after one the
 * thread leaves it pending for REAP_INTERVAL_NS: ten wakings a second at the most. (A
 * signalfd(2) would not do: the kernel wakes who polls it for any signal whatever.)
 *
 * Standing still (SIGTSTP). The tasks are stopped, the clock is paused, then leat
 * stops itself. Only SIGCONT, which stays pending as it is blocked, sets all in motion
 * again: the way back is not begun before leat was really continued. SIGSTOP, as
 * SIGTSTP would do nothing in an orphaned process group.
 */
#include "signals.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#define POKE SIGRTMIN
#define REAP_INTERVAL_NS (LEAT_SECOND_NS / 10)

static const int received[] = {
	SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, SIGUSR1, SIGUSR2, SIGCHLD};
static const int blocked_only[] = {SIGPIPE, SIGXFSZ};
static const int never_deadly[] = {SIGUSR1, SIGUSR2};

#define COUNT(array) (sizeof(array) / sizeof *(array))

struct signals {
	const struct signals_receiver *receiver;
	pthread_t thread;
	struct leat_watch watch; //< on the intake
	atomic_bool quit;
	pthread_mutex_t raising; //< from a level's begin until the receiver knows of it
	bool reap_later;         //< SIGCHLD is being left pending
	bool draining;           //< the intake has ended
	bool standing;           //< between SIGTSTP and SIGCONT
	int64_t drain_until;     //< on the contexts' clock; LEAT_NEVER: no timeout runs
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
	sigaddset(&set, SIGCONT); // it continues who ignores it, too
	return set;
}

static void add_blocked_only(sigset_t *set)
{
	for (size_t index = 0; index < COUNT(blocked_only); index++)
		sigaddset(set, blocked_only[index]);
}

void signals_block_first(void)
{
	sigset_t set;

	sigemptyset(&set);
	add_blocked_only(&set);
	for (size_t index = 0; index < COUNT(never_deadly); index++)
		sigaddset(&set, never_deadly[index]);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
}

void signals_let_in(void)
{
	sigset_t set = received_set(true);

	for (size_t index = 0; index < COUNT(never_deadly); index++)
		sigdelset(&set, never_deadly[index]);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

// At once: of those that were blocked first, one may be pending already.
void signals_block(void)
{
	sigset_t set = received_set(true);

	sigaddset(&set, POKE);
	add_blocked_only(&set);
	pthread_sigmask(SIG_SETMASK, &set, NULL);
}

static void raise_level(struct signals *signals, enum level entry, int number)
{
	const struct signals_receiver *receiver = signals->receiver;
	enum level level;

	pthread_mutex_lock(&signals->raising);
	level = cancellation_raise(receiver->cancellation, entry, number);
	receiver->intake_ended(receiver->argument);
	cancellation_enforce(receiver->cancellation, level, number);
	receiver->level_reached(receiver->argument, level, number);
	pthread_mutex_unlock(&signals->raising);
}

// A SIGCONT that has come meanwhile would be discarded by the stop: signal(7).
static bool is_continued(void)
{
	sigset_t pending;

	return sigpending(&pending) == 0 && sigismember(&pending, SIGCONT) == 1;
}

static void stand_still(struct signals *signals)
{
	leat_context_pause(signals->receiver->cancellation->kill);
	leat_family_suspend(signals->receiver->family);
	signals->standing = true;
	if (!is_continued())
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

// The task that has the terminal got it, too, and may live on: an editor, an interpreter.
static void receive_from_keyboard(struct signals *signals, int number)
{
	if (cancellation_level(signals->receiver->cancellation) == LEVEL_NONE)
		raise_level(signals, LEVEL_DRAIN, number);
}

static void receive(struct signals *signals, int number, bool from_kernel)
{
	const struct signals_receiver *receiver = signals->receiver;

	if (from_kernel && receiver->keyboard_is_tasks &&
		(number == SIGINT || number == SIGQUIT)) {
		receive_from_keyboard(signals, number);
		return;
	}
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
		signals->reap_later = true;
		break;
	}
}

static int64_t now(const struct signals *signals)
{
	return leat_context_now(signals->receiver->cancellation->kill);
}

static void begin_drain(struct signals *signals)
{
	signals->draining = true;
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

// For how long to wait, LEAT_NEVER: until a signal comes.
static int64_t time_to_wait(const struct signals *signals)
{
	int64_t wait_ns = signals->reap_later ? REAP_INTERVAL_NS : LEAT_NEVER;
	int64_t drain_ns = signals->drain_until;

	if (drain_ns != LEAT_NEVER)
		drain_ns -= now(signals);
	if (drain_ns < wait_ns)
		wait_ns = drain_ns < 0 ? 0 : drain_ns;
	return wait_ns;
}

// The signal that came, -1 where time ran out.
static int wait_for_signal(const struct signals *signals, siginfo_t *about)
{
	sigset_t set = received_set(!signals->reap_later);
	int64_t wait_ns = time_to_wait(signals);
	struct timespec timeout = {
		.tv_sec = wait_ns / LEAT_SECOND_NS,
		.tv_nsec = wait_ns % LEAT_SECOND_NS,
	};

	sigaddset(&set, POKE);
	return sigtimedwait(&set, about, wait_ns == LEAT_NEVER ? NULL : &timeout);
}

static void *signals_main(void *argument)
{
	struct signals *signals = argument;
	struct leat_context *intake = signals->receiver->cancellation->intake;

	while (!atomic_load(&signals->quit)) {
		siginfo_t about;
		int number = wait_for_signal(signals, &about);

		if (number > 0 && number != POKE)
			receive(signals, number, about.si_code == SI_KERNEL);
		else if (number < 0)
			signals->reap_later = false;
		if (!signals->draining && leat_context_cause(intake))
			begin_drain(signals);
		if (signals->drain_until != LEAT_NEVER &&
			now(signals) >= signals->drain_until)
			end_drain(signals);
	}
	return NULL;
}

static void poke(void *argument)
{
	struct signals *signals = argument;

	pthread_kill(signals->thread, POKE);
}

int signals_start(struct signals **result, const struct signals_receiver *receiver)
{
	struct signals *signals = calloc(1, sizeof *signals);
	int error;

	if (!signals)
		return -ENOMEM;
	signals->receiver = receiver;
	signals->drain_until = LEAT_NEVER;
	pthread_mutex_init(&signals->raising, NULL);
	error = -pthread_create(&signals->thread, NULL, signals_main, signals);
	if (error) {
		pthread_mutex_destroy(&signals->raising);
		free(signals);
		return error;
	}
	signals->watch = (struct leat_watch){.call = poke, .argument = signals};
	leat_context_watch(receiver->cancellation->intake, &signals->watch);
	*result = signals;
	return 0;
}

void signals_settle(struct signals *signals)
{
	pthread_mutex_lock(&signals->raising);
	pthread_mutex_unlock(&signals->raising);
}

void signals_stop(struct signals *signals)
{
	leat_context_unwatch(signals->receiver->cancellation->intake, &signals->watch);
	atomic_store(&signals->quit, true);
	poke(signals);
	pthread_join(signals->thread, NULL);
	pthread_mutex_destroy(&signals->raising);
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
