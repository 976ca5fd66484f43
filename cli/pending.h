/* Output of tasks that have ended, which waits to be written. */
#ifndef LEAT_CLI_PENDING_H
#define LEAT_CLI_PENDING_H

#include "frame.h"
#include "leat.h"

/** One task's output, all of it; NULL captures are empty ones. */
struct parcel {
	uint64_t sequence; //< the task's
	struct leat_capture *out, *err;
	struct text tag; //< before each line; empty: none
	struct frame frame;
	int error;     //< negative errno: some of it is lost
	void *receipt; //< its writer's to hand on, when it is written
};

/** Free the parcel with all that it owns. NULL is fine. */
void parcel_destroy(struct parcel *parcel);

/** How many parcels may wait, and how far their keys may be apart. */
#define PENDING_MOST 65536

/** For one thread at a time. */
struct pending;

/**
 * Parcels are kept in memory up to a limit for all of them; up to `files` that have
 * files of their own as they are; the rest in one unlinked file below `directory`
 * (kept, not copied). Errors: -ENOMEM.
 */
int pending_create(struct pending **result, const char *directory, unsigned files);
void pending_destroy(struct pending *pending);

/**
 * Take over `parcel` under `key`. Where its output can't be kept, the parcel is there all
 * the same, without it, and with the error: -ENOMEM, or of writing below the directory.
 */
void pending_put(struct pending *pending, uint64_t key, struct parcel *parcel);

/** The parcel of `key`, now the caller's; NULL where there is none. */
struct parcel *pending_take(struct pending *pending, uint64_t key);

#endif
