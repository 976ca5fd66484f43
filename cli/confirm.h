/* Whether a task is to be run: ask who sits at the terminal. */
#ifndef LEAT_CLI_CONFIRM_H
#define LEAT_CLI_CONFIRM_H

#include "message.h"

#include <stdbool.h>

struct confirm {
	int terminal_fd;
};

/** Open the terminal. Errors: of open(2). */
int confirm_open(struct confirm *confirm);
void confirm_close(struct confirm *confirm);

/**
 * Show `command` on standard error and wait for a line of the terminal. Returns whether
 * it begins with y; the end of the input is a no.
 */
bool confirm_ask(struct confirm *confirm, const struct text *command);

#endif
