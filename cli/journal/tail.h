/* FILE-tail: what the journal was told and has not committed yet, and who may write. */
#ifndef LEAT_CLI_JOURNAL_TAIL_H
#define LEAT_CLI_JOURNAL_TAIL_H

#include "journal/entry.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct tail;

/** An entry with the texts behind it. */
struct told {
	struct entry entry;
	const char *command, *input;
};

/** What is done with each; other than 0 ends it. */
typedef int (*tail_fn)(void *argument, const struct told *told);

/**
 * Open the tail beside the journal `name`, and be the only one to have it. `make`: also
 * where there is none; else -ENOENT. Returns 0; -EBUSY: another process has it, which is
 * *holder (0: not visible from here); -EPERM: what is there is no file of the caller's;
 * -EBADMSG: it has contents and is not as long as a tail; or an error of open(2),
 * fcntl(2), posix_fallocate(3).
 */
int tail_open(struct tail **result, const char *name, bool make, pid_t *holder);

/** Remove the file (`remove`), or have what was added stay on the disk; close. */
void tail_close(struct tail *tail, bool remove);

/**
 * The guard's lock: a descriptor that holds it as long as any process has it. Blocks
 * while another process has; false at once, where not `patient`.
 */
bool tail_lock_guard(struct tail *tail, bool patient);
int tail_guard_fd(const struct tail *tail);

/** Whether the file is still there. */
bool tail_is_there(const struct tail *tail);

/**
 * Hand on what an earlier process left, of the journal `id`, that was told after
 * `*ticket`, which becomes the last one's. Returns 0 or what the function did.
 */
int tail_replay(struct tail *tail, uint64_t id, uint64_t *ticket, tail_fn function,
	void *argument);

/** Begin to add, of the journal `id`; the first ticket is the one after `ticket`. */
void tail_begin(struct tail *tail, uint64_t id, uint64_t ticket);

/**
 * Add one; it is safe from this process's death then. Returns 0; -EAGAIN: there is no
 * room before more is forgotten; -E2BIG: it is too large in any case; or an error of
 * pwrite(2).
 */
int tail_add(struct tail *tail, const struct told *told);

/** What is in the tail at a moment. */
struct batch {
	struct {
		const char *bytes;
		size_t from, to;
	} spans[2];       //< the older first
	unsigned half[2]; //< whose they are
	uint64_t ticket;  //< of the last
};

/** All that was added and not forgotten; it stays as it is until it is. */
void tail_get(const struct tail *tail, struct batch *batch);
int batch_each(const struct batch *batch, tail_fn function, void *argument);
void tail_forget(struct tail *tail, const struct batch *batch);

/** The last ticket; one more, for what was not added. */
uint64_t tail_ticket(const struct tail *tail);
void tail_skip(struct tail *tail);

/** Whether more than half of the room is taken. */
bool tail_is_full(const struct tail *tail);

#endif
