/* The thread that receives leat's signals. */
#ifndef LEAT_CLI_SIGNALS_H
#define LEAT_CLI_SIGNALS_H

#include "cancellation.h"

struct signals;

/** What the signals lead to, each called by the signal thread. */
struct signals_receiver {
	struct cancellation *cancellation;
	struct leat_family *family;
	int64_t drain_timeout_ns; //< LEAT_NEVER: none
	bool terminate_on_interrupt;
	bool keyboard_is_tasks; //< Ctrl-C and Ctrl-\ reach the tasks themselves
	void *argument;
	void (*intake_ended)(void *argument); //< what runs is not being ended yet
	void (*level_reached)(void *argument, enum level level, int cause);
	void (*resize)(void *argument, int change); //< by so many slots
};

/**
 * Block, in the calling thread, what write(2) reports, too: SIGPIPE, SIGXFSZ; and what is
 * to wait until there are slots to add to: SIGUSR1, SIGUSR2.
 */
void signals_block_first(void);

/**
 * Block, in the calling thread, what leat receives, and those above. To be called
 * before there are other threads. What is ignored stays so and is not received.
 */
void signals_block(void);

/** Until signals_block() is called again, be ended by what ends a program by default: for
 * a wait that may be long, before the thread is started. */
void signals_let_in(void);

/** Start the thread. `receiver` is kept. Errors: -ENOMEM, -EAGAIN. */
int signals_start(struct signals **result, const struct signals_receiver *receiver);

/** Wait until level_reached() has returned for every level that has been raised. */
void signals_settle(struct signals *signals);

/** Stop and join it. */
void signals_stop(struct signals *signals);

/** Whether `number` was ignored when leat was started. */
bool signals_is_ignored(int number);

/** Die of `number`, as the shell is to see it. Returns where that signal is ignored. */
void signals_die_of(int number);

#endif
