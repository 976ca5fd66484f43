/* From records to an account: the only file that knows all the parts. */
#ifndef LEAT_CLI_RUN_H
#define LEAT_CLI_RUN_H

#include "plan.h"

/**
 * Run all that the options ask for, and report. Returns leat's exit status; after a
 * cancellation by a signal it dies of that signal instead. To be called once, by the
 * main thread, while it is the only one.
 */
int run(const struct plan *plan);

#endif
