/* Who ends the children's trees when this process is killed. */
#ifndef LEAT_PROCESS_GUARDIAN_H
#define LEAT_PROCESS_GUARDIAN_H

#include <stdint.h>
#include <sys/types.h>

struct leat_guardian;

/** What the guardian is told of one child, in memory that it shares. */
struct leat_ward {
	volatile pid_t leader; //< 0: none; there before the child executes
	volatile pid_t server; //< a warm program that may be starting it; 0: none
	char mark[120];        //< entries, each with its NUL, and an empty one behind
	unsigned next_free;    //< its index, when it is nobody's
};

/** As leat_family_guard(); for up to `capacity` children at a time. */
int leat_guardian_start(
	struct leat_guardian **result, unsigned capacity, int64_t grace_ns, int kept_fd);

/** End the guardian, which has nobody to guard then. NULL: does nothing. */
void leat_guardian_stop(struct leat_guardian *guardian);

/**
 * A ward for a child that is to be started with `mark` in its environment (may be NULL).
 * NULL where there is no room. One thread at a time.
 */
struct leat_ward *leat_guardian_take(
	struct leat_guardian *guardian, const char *const *mark);
void leat_guardian_release(struct leat_guardian *guardian, struct leat_ward *ward);

/**
 * For who starts the child: the wards' memory as a file, -ENOTSUP: it is none; and where
 * in it `ward` has its leader. Both are -1 without a guardian, or a ward (NULL).
 */
int leat_guardian_wards_fd(const struct leat_guardian *guardian);
int64_t leat_guardian_offset(
	const struct leat_guardian *guardian, const struct leat_ward *ward);

#endif
