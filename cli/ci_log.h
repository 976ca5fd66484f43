/* Which of the streams is what a CI service shows. */
#ifndef LEAT_CLI_CI_LOG_H
#define LEAT_CLI_CI_LOG_H

#include <stdbool.h>

/**
 * Whether standard output goes to the same log as standard error: both are one file, or
 * both are what they are in the first of leat's ancestors that shares its standard error,
 * the shell that the service started; or leat is that itself, as the first process of a
 * container. So neither in "leat | sort" nor in "x=$(leat)".
 * proc(5) is asked; where it does not tell, the answer is no.
 */
bool ci_log_is_standard_output(void);

#endif
