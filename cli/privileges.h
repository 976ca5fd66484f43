/* Rights that leat must not have. */
#ifndef LEAT_CLI_PRIVILEGES_H
#define LEAT_CLI_PRIVILEGES_H

#include <stdbool.h>

/**
 * Whether leat runs with rights that its caller does not have: it was set-user-ID or
 * set-group-ID, or its file has capabilities.
 */
bool privileges_are_borrowed(void);

#endif
