/* --list and --show: what a journal tells. */
#ifndef LEAT_CLI_JOURNAL_LIST_H
#define LEAT_CLI_JOURNAL_LIST_H

#include "plan.h"

/**
 * Print the plan's list, or the task it asks for, to standard output (stdio). Returns an
 * exit status, other than EXIT_ALL_OK after a message.
 */
int journal_list(const struct plan *plan);

/** Whether `outcome` is one that can be listed. */
bool journal_knows_outcome(const char *outcome);

#endif
