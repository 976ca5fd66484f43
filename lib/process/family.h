/* The children that run, and what they share. */
#ifndef LEAT_PROCESS_FAMILY_H
#define LEAT_PROCESS_FAMILY_H

#include "forest.h"
#include "guardian.h"
#include "nurse.h"
#include "spawn.h"

/** A running child's place in the family; the memory is the child's runner's. */
struct leat_member {
	pid_t pid;
	const char *const *mark;
	struct leat_ward *ward; //< NULL: nobody guards it
	struct leat_member *next, *previous;
};

const struct leat_inheritance *leat_family_inheritance(const struct leat_family *family);
int leat_family_null_fd(const struct leat_family *family);
struct leat_nurse *leat_family_nurse(const struct leat_family *family);

/** As leat_guardian_wards_fd() and leat_guardian_offset(). */
int leat_family_wards_fd(const struct leat_family *family);
int64_t leat_family_ward_offset(
	const struct leat_family *family, const struct leat_ward *ward);

/** Whether so many children run that what they have open is to be kept out of the way. */
bool leat_family_is_crowded(struct leat_family *family);

/**
 * Around each try to run a child, from before its start until after its end. Where the
 * family is guarded, the first returns its ward, for `mark`, which the second takes back.
 */
struct leat_ward *leat_family_begin(struct leat_family *family, const char *const *mark);
void leat_family_end(struct leat_family *family, struct leat_ward *ward);

/** Enter a child that was started; in a suspended family it is stopped at once. */
void leat_family_enter(struct leat_family *family, struct leat_member *member);

/** To be called before the child is reaped: from then on its pid is nobody's. */
void leat_family_leave(struct leat_family *family, struct leat_member *member);

/** Something that rests and could be ended to make room; the memory is its owner's. */
struct leat_idler {
	void (*end)(
		struct leat_idler *idler); //< by another thread, while it is not roused
	bool rests, taken;
	struct leat_idler *next, *previous;
};

/** From now on others may end it. */
void leat_family_rest(struct leat_family *family, struct leat_idler *idler);

/** From now on nobody does; blocks while somebody is at it. Of one that does not rest:
 * does nothing. */
void leat_family_rouse(struct leat_family *family, struct leat_idler *idler);

/** Whether somebody has waited for room. */
bool leat_family_was_short(struct leat_family *family);

/** A look at all processes, at which strays are children of this process that are no
 * members. It does not change, and those who asked for one at the same time share it. */
struct leat_look {
	struct leat_forest forest; //< empty after an error
	int error;                 //< of leat_forest_read()
	unsigned users;
};

/**
 * A look that began after this call; blocks until it was taken, which is some
 * milliseconds. leat_family_look_done() is due. NULL: without memory.
 */
struct leat_look *leat_family_look(struct leat_family *family);
void leat_family_look_done(struct leat_family *family, struct leat_look *look);

#endif
