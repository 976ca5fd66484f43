/* Who may write tasks' output now, and what waits to be written. */
#ifndef LEAT_CLI_FLOOR_H
#define LEAT_CLI_FLOOR_H

#include "pending.h"

#include <pthread.h>

/**
 * A task's claim to the floor. Set `key` before use, in an ordered floor to the task's
 * number; `wake_fd`, an eventfd(2) or -1, becomes readable when a claim that had to wait
 * holds the floor; the rest is floor.c's.
 */
struct claim {
	uint64_t key;
	int wake_fd;
	bool held, waiting;
	pthread_cond_t *granted; //< who sleeps until it holds the floor; NULL: nobody
	struct claim *next;
};

struct floor;

/**
 * Make a free floor. `ordered`: it goes from task 1 to task 2 and so on, else to who
 * comes first. What has to wait is kept in memory or below `directory` (kept, not
 * copied); `files`: how many outputs with a file of their own may wait so.
 * Errors: -ENOMEM.
 */
int floor_create(
	struct floor **result, bool ordered, const char *directory, unsigned files);
void floor_destroy(struct floor *floor);

/** For a task that runs: take the floor where it is free. It streams from then on. */
bool floor_try(struct floor *floor, struct claim *claim);

/** As floor_try(), but where it is not free, wait for it: see `wake_fd`. */
bool floor_want(struct floor *floor, struct claim *claim);

/** Whether the claim holds the floor. Reads its wake descriptor empty if so. */
bool floor_holds(struct floor *floor, struct claim *claim);

/**
 * For a task that has ended: get the floor, and wait for it while another such writes.
 * False where that would be to wait for a task that runs (see floor_leave_behind()),
 * unless it is to be `patient`.
 */
bool floor_enter(struct floor *floor, struct claim *claim, bool patient);

/**
 * After floor_enter() was false: leave `parcel` to whoever has the floor, who will own
 * it. Waits where too much was left behind. Returns false where the floor has become free
 * meanwhile: then the claim holds it, and the parcel stays the caller's.
 */
bool floor_leave_behind(struct floor *floor, struct claim *claim, struct parcel *parcel);

/** Whether the claim has the floor or waits for it. */
bool floor_is_claimed(struct floor *floor, const struct claim *claim);

/**
 * Give the floor up, which stays free for the same key: another claim is to come for it.
 */
void floor_release(struct floor *floor, struct claim *claim);

/**
 * For who holds the floor and has written what it had: get what others left behind and
 * is to be written next, by the caller, who then owns it. NULL: there is nothing, and
 * the floor was passed on.
 */
struct parcel *floor_pass(struct floor *floor, struct claim *claim);

#endif
