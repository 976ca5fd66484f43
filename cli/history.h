/* The timeline of runs that a journal holds. */
#ifndef LEAT_CLI_HISTORY_H
#define LEAT_CLI_HISTORY_H

#include "plan.h"

/**
 * Whether the plan asks for a journal's timeline: with nothing that could be run, neither
 * a command nor a record. Standard input is looked at, and not read.
 */
bool history_is_wanted(const struct plan *plan);

/**
 * Draw the last run of the plan's journal, with those that it went on with. Returns an
 * exit status, other than EXIT_ALL_OK after a message.
 */
int history_draw(const struct plan *plan);

#endif
