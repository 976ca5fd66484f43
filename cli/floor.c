/*
 * The floor: one task at a time writes.
 *
 * Holders. A task that runs streams: what it writes goes straight on, and nobody can say
 * for how long. A task that has ended writes what was collected, which takes as long as
 * the readers do. So who has ended waits for the latter, with its slot, which holds
 * back the tasks where the reader is slow; but it does not wait for a task that runs:
 * it leaves its output behind (pending.h) and its slot is free.
 *
 * Order. In an ordered floor the holder is the task whose number is `turn`, whether it
 * has begun yet or not. Else claims wait in a queue, and who passes the floor on grants
 * it to the first. Either way who passes it on first writes what was left behind.
 *
 * The lock guards everything here, claims included. Nothing is written under it but
 * what a parcel that leaves memory costs. An ended task that waits for the floor sleeps
 * on a condition of its own, as a thousand may do so, and one is granted it; `changed`
 * wakes those that have too much to leave behind: the turn came nearer.
 */
#include "floor.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

struct floor {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool ordered;
	uint64_t turn;       //< ordered: whose floor it is; else of the last parcel taken
	uint64_t last_key;   //< not ordered: of what was left behind last
	bool taken;          //< not ordered: somebody holds it
	bool streaming;      //< the holder runs
	struct claim *first; //< those that wait
	struct pending *pending;
};

int floor_create(
	struct floor **result, bool ordered, const char *directory, unsigned files)
{
	struct floor *floor = calloc(1, sizeof *floor);
	int error = -ENOMEM;

	if (floor)
		error = pending_create(&floor->pending, directory, files);
	if (error) {
		free(floor);
		return error;
	}
	floor->ordered = ordered;
	floor->turn = ordered;
	pthread_mutex_init(&floor->lock, NULL);
	pthread_cond_init(&floor->changed, NULL);
	*result = floor;
	return 0;
}

void floor_destroy(struct floor *floor)
{
	if (!floor)
		return;
	pending_destroy(floor->pending);
	pthread_cond_destroy(&floor->changed);
	pthread_mutex_destroy(&floor->lock);
	free(floor);
}

// With the lock.
static bool is_free_for(const struct floor *floor, const struct claim *claim)
{
	return floor->ordered ? floor->turn == claim->key : !floor->taken;
}

// With the lock.
static void hold(struct floor *floor, struct claim *claim, bool streaming)
{
	claim->held = true;
	floor->taken = true;
	floor->streaming = streaming;
}

// With the lock.
static void join_queue(struct floor *floor, struct claim *claim)
{
	struct claim **place = &floor->first;

	while (*place)
		place = &(*place)->next;
	claim->next = NULL;
	claim->waiting = true;
	*place = claim;
}

// With the lock.
static void leave_queue(struct floor *floor, struct claim *claim)
{
	struct claim **place = &floor->first;

	while (*place && *place != claim)
		place = &(*place)->next;
	if (*place)
		*place = claim->next;
	claim->waiting = false;
}

static bool request(struct floor *floor, struct claim *claim, bool waits)
{
	bool held;

	pthread_mutex_lock(&floor->lock);
	if (!claim->held && !claim->waiting) {
		if (is_free_for(floor, claim))
			hold(floor, claim, true);
		else if (waits)
			join_queue(floor, claim);
	}
	held = claim->held;
	pthread_mutex_unlock(&floor->lock);
	return held;
}

bool floor_try(struct floor *floor, struct claim *claim)
{
	return request(floor, claim, false);
}

bool floor_want(struct floor *floor, struct claim *claim)
{
	return request(floor, claim, true);
}

static void drain_wake(const struct claim *claim)
{
	uint64_t count;

	if (claim->wake_fd >= 0 && read(claim->wake_fd, &count, sizeof count) < 0)
		return; // EAGAIN: nothing was to be drained
}

bool floor_holds(struct floor *floor, struct claim *claim)
{
	bool held;

	pthread_mutex_lock(&floor->lock);
	held = claim->held;
	if (held)
		drain_wake(claim);
	pthread_mutex_unlock(&floor->lock);
	return held;
}

// With the lock.
static void wait_in_queue(struct floor *floor, struct claim *claim)
{
	pthread_cond_t granted = PTHREAD_COND_INITIALIZER;

	if (!claim->waiting)
		join_queue(floor, claim);
	claim->granted = &granted;
	while (!claim->held)
		pthread_cond_wait(&granted, &floor->lock);
	claim->granted = NULL;
	pthread_cond_destroy(&granted);
}

bool floor_enter(struct floor *floor, struct claim *claim, bool patient)
{
	bool held;

	pthread_mutex_lock(&floor->lock);
	if (!claim->held && is_free_for(floor, claim))
		hold(floor, claim, false);
	else if (!claim->held && (patient || (!floor->ordered && !floor->streaming)))
		wait_in_queue(floor, claim);
	leave_queue(floor, claim);
	held = claim->held;
	if (held)
		floor->streaming = false;
	pthread_mutex_unlock(&floor->lock);
	return held;
}

// With the lock.
static bool is_full_for(const struct floor *floor, const struct claim *claim)
{
	uint64_t key = floor->ordered ? claim->key : floor->last_key + 1;

	return !is_free_for(floor, claim) && key - floor->turn >= PENDING_MOST;
}

bool floor_leave_behind(struct floor *floor, struct claim *claim, struct parcel *parcel)
{
	bool left = false;

	pthread_mutex_lock(&floor->lock);
	while (is_full_for(floor, claim))
		pthread_cond_wait(&floor->changed, &floor->lock);
	if (is_free_for(floor, claim)) {
		hold(floor, claim, false);
	} else {
		uint64_t key = floor->ordered ? claim->key : ++floor->last_key;

		pending_put(floor->pending, key, parcel);
		left = true;
	}
	pthread_mutex_unlock(&floor->lock);
	return left;
}

// With the lock.
static void grant(struct floor *floor, struct claim *claim)
{
	uint64_t one = 1;

	leave_queue(floor, claim);
	hold(floor, claim, true); // who has ended says so: floor_enter()
	if (claim->granted)
		pthread_cond_signal(claim->granted);
	if (claim->wake_fd >= 0 && write(claim->wake_fd, &one, sizeof one) < 0)
		return; // EAGAIN: it is readable already
}

// With the lock.
static struct claim *next_claim(const struct floor *floor)
{
	struct claim *claim = floor->first;

	while (claim && floor->ordered && claim->key != floor->turn)
		claim = claim->next;
	return claim;
}

// With the lock.
static struct parcel *next_parcel(struct floor *floor)
{
	if (!floor->ordered && floor->turn == floor->last_key)
		return NULL;
	return pending_take(floor->pending, ++floor->turn);
}

// With the lock.
static void let_go(struct floor *floor, struct claim *claim)
{
	drain_wake(claim);
	claim->held = floor->taken = floor->streaming = false;
}

struct parcel *floor_pass(struct floor *floor, struct claim *claim)
{
	struct parcel *parcel;
	struct claim *next;

	pthread_mutex_lock(&floor->lock);
	parcel = next_parcel(floor);
	if (!parcel) {
		let_go(floor, claim);
		next = next_claim(floor);
		if (next)
			grant(floor, next);
	}
	pthread_cond_broadcast(&floor->changed);
	pthread_mutex_unlock(&floor->lock);
	return parcel;
}

void floor_release(struct floor *floor, struct claim *claim)
{
	pthread_mutex_lock(&floor->lock);
	let_go(floor, claim);
	pthread_mutex_unlock(&floor->lock);
}

bool floor_is_claimed(struct floor *floor, const struct claim *claim)
{
	bool claimed;

	pthread_mutex_lock(&floor->lock);
	claimed = claim->held || claim->waiting;
	pthread_mutex_unlock(&floor->lock);
	return claimed;
}
