/* --halt: when enough has been seen, no more is started. */
#ifndef LEAT_CLI_HALT_H
#define LEAT_CLI_HALT_H

#include "account.h"

/** As it was asked for. */
struct halt {
	enum { HALT_NEVER, HALT_SOON, HALT_NOW } when;
	enum { HALT_FAIL, HALT_SUCCESS, HALT_DONE } what;
	unsigned count; //< so many of them, or
	bool percent;   //< so many of a hundred
};

/** Parse soon|now,fail|success|done=K|K%, or never. Returns 0 or -EINVAL. */
int halt_parse(struct halt *halt, const char *text);

/**
 * Whether what the account counts is enough; `total`: of tasks, 0: not known. A part of a
 * hundred is told from three tasks on, as in GNU parallel, and of a known total alone.
 */
bool halt_is_due(const struct halt *halt, const struct account *account, uint64_t total);

/** Append how it was asked for: "2 failed", "10% done". */
void halt_append_words(const struct halt *halt, struct text *text);

#endif
