/* GNU parallel's --retry-failed. */
#ifndef LEAT_CLI_FRONT_RETRY_FAILED_H
#define LEAT_CLI_FRONT_RETRY_FAILED_H

#include "front/parser.h"

/**
 * Where the plan wants it: have the joblog's commands, by their numbers, in place of all
 * that was given, and those that did well are skipped. Where there is no such file the
 * plan stays as it is. Returns 0, or -EINVAL after a message.
 */
int retry_failed(const struct grammar *grammar, struct plan *plan);

#endif
