/* Durations as people write them. */
#ifndef LEAT_CLI_DURATION_H
#define LEAT_CLI_DURATION_H

#include "message.h"

#include <stdint.h>

/**
 * Parse "10" (seconds), "1.5s", "200ms", "2m", "1h30m", "7d", also us and ns.
 * Returns 0, or -EINVAL (no such form), -ERANGE (too long).
 */
int duration_parse(const char *text, int64_t *duration_ns);

/** Append a duration as people read it: 20ms, 0.5s, 12.3s, 2m05s, 1h02m05s. */
void duration_append(struct text *text, int64_t duration_ns);

#endif
