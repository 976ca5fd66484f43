/*
 * A tree of cancellations.
 *
 * States. A context is live until its cause is set, once, from 0; it never
 * becomes live again. A deadline in the past counts as a cause for every reader
 * at once, so there is no moment at which a timer would have to run.
 *
 * Data. The links of the tree, the watches and the wake descriptors belong to
 * the tree's one lock. `cause` is written under it and read without; `deadline`,
 * `parent` and `tree` never change; the clock is lock-free (base/clock.h).
 *
 * Cancel. Under the lock the subtree is walked: causes are set, wake descriptors
 * written, watches moved to the tree's list of calls to make. Then the list is
 * emptied, one call after the other, each made without the lock. Two threads that
 * cancel at the same moment share that work. A watch is idle, pending (in that
 * list), called, or done; unwatch takes an idle or pending one out at once, and
 * waits for a called one on `called`, the only condition here.
 *
 * Lifetime. A context holds a reference on its parent, and the root owns the
 * tree. So the order of destruction is free.
 */
#include "../leat.h"

#include "../base/clock.h"
#include "../base/sync.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum watch_state { WATCH_IDLE, WATCH_PENDING, WATCH_CALLED, WATCH_DONE };

struct leat_tree {
	struct leat_clock clock;
	pthread_mutex_t lock;
	pthread_cond_t called;     //< a watch became WATCH_DONE
	struct leat_watch pending; //< head of the ring of watches to call
};

struct leat_context {
	struct leat_tree *tree;
	struct leat_context *parent; //< NULL: the root
	struct leat_context *first_child;
	struct leat_context *next, *previous; //< siblings
	struct leat_watch watches;            //< head of a ring
	int64_t deadline;
	atomic_int cause;
	int wake_fd;         //< -1 until asked for
	unsigned references; //< the caller's and one for each child
};

static void ring_init(struct leat_watch *head)
{
	head->next = head->previous = head;
}

static void ring_remove(struct leat_watch *watch)
{
	watch->previous->next = watch->next;
	watch->next->previous = watch->previous;
}

static void ring_append(struct leat_watch *head, struct leat_watch *watch)
{
	watch->next = head;
	watch->previous = head->previous;
	head->previous->next = watch;
	head->previous = watch;
}

static struct leat_tree *tree_create(void)
{
	struct leat_tree *tree = calloc(1, sizeof *tree);

	if (!tree)
		return NULL;
	if (leat_cond_init(&tree->called) < 0) {
		free(tree);
		return NULL;
	}
	pthread_mutex_init(&tree->lock, NULL);
	leat_clock_init(&tree->clock);
	ring_init(&tree->pending);
	return tree;
}

static void tree_destroy(struct leat_tree *tree)
{
	pthread_mutex_destroy(&tree->lock);
	pthread_cond_destroy(&tree->called);
	free(tree);
}

// Also hands down the end of an ended parent: both under one lock.
static void join_parent(struct leat_context *context, struct leat_context *parent)
{
	pthread_mutex_lock(&context->tree->lock);
	context->parent = parent;
	context->next = parent->first_child;
	if (context->next)
		context->next->previous = context;
	parent->first_child = context;
	parent->references++;
	atomic_store(&context->cause, atomic_load(&parent->cause));
	pthread_mutex_unlock(&context->tree->lock);
}

int leat_context_create(
	struct leat_context **result, struct leat_context *parent, int64_t deadline)
{
	struct leat_context *context = calloc(1, sizeof *context);

	if (!context)
		return -ENOMEM;
	context->tree = parent ? parent->tree : tree_create();
	if (!context->tree) {
		free(context);
		return -ENOMEM;
	}
	ring_init(&context->watches);
	context->deadline =
		parent && parent->deadline < deadline ? parent->deadline : deadline;
	context->wake_fd = -1;
	context->references = 1;
	if (parent)
		join_parent(context, parent);
	*result = context;
	return 0;
}

static void leave_parent(struct leat_context *context)
{
	if (context->previous)
		context->previous->next = context->next;
	else
		context->parent->first_child = context->next;
	if (context->next)
		context->next->previous = context->previous;
}

void leat_context_destroy(struct leat_context *context)
{
	while (context) {
		struct leat_tree *tree = context->tree;
		struct leat_context *parent = context->parent;

		pthread_mutex_lock(&tree->lock);
		bool last = --context->references == 0;
		if (last && parent)
			leave_parent(context);
		pthread_mutex_unlock(&tree->lock);
		if (!last)
			return;
		if (context->wake_fd >= 0)
			close(context->wake_fd);
		free(context);
		if (!parent)
			tree_destroy(tree);
		context = parent; // the reference that the child held
	}
}

static void wake(int wake_fd)
{
	// Cannot block or fail: the counter is 0, as each context is canceled once.
	ssize_t written = write(wake_fd, &(uint64_t){1}, sizeof(uint64_t));

	(void)written;
}

static void end_one(struct leat_context *context, int cause)
{
	if (atomic_load(&context->cause))
		return;
	atomic_store(&context->cause, cause);
	if (context->wake_fd >= 0)
		wake(context->wake_fd);
	while (context->watches.next != &context->watches) {
		struct leat_watch *watch = context->watches.next;

		ring_remove(watch);
		ring_append(&context->tree->pending, watch);
		watch->state = WATCH_PENDING;
	}
}

static int cause_or_deadline(const struct leat_context *context, int cause)
{
	return leat_context_now(context) >= context->deadline ? LEAT_CAUSE_DEADLINE
							      : cause;
}

// Depth first without a stack: down, else across, else up and across.
static void end_subtree(struct leat_context *top, int cause)
{
	struct leat_context *context = top;

	for (;;) {
		end_one(context, cause_or_deadline(context, cause));
		if (context->first_child) {
			context = context->first_child;
			continue;
		}
		while (context != top && !context->next)
			context = context->parent;
		if (context == top)
			return;
		context = context->next;
	}
}

// Called with the lock, which it lets go for each call.
static void call_pending(struct leat_tree *tree)
{
	while (tree->pending.next != &tree->pending) {
		struct leat_watch *watch = tree->pending.next;

		ring_remove(watch);
		watch->state = WATCH_CALLED;
		pthread_mutex_unlock(&tree->lock);
		watch->call(watch->argument);
		pthread_mutex_lock(&tree->lock);
		watch->state = WATCH_DONE;
		pthread_cond_broadcast(&tree->called);
	}
}

void leat_context_cancel(struct leat_context *context, int cause)
{
	struct leat_tree *tree = context->tree;

	pthread_mutex_lock(&tree->lock);
	end_subtree(context, cause);
	call_pending(tree);
	pthread_mutex_unlock(&tree->lock);
}

// An ancestor that has ended is asked, too: cancel comes to it before it comes here.
int leat_context_cause(const struct leat_context *context)
{
	int cause = atomic_load(&context->cause);

	if (!cause && context->deadline != LEAT_NEVER)
		cause = cause_or_deadline(context, 0);
	while (!cause && (context = context->parent))
		cause = atomic_load(&context->cause);
	return cause;
}

int64_t leat_context_deadline(const struct leat_context *context)
{
	return context->deadline;
}

int64_t leat_context_now(const struct leat_context *context)
{
	return leat_clock_now(&context->tree->clock);
}

void leat_context_pause(struct leat_context *context)
{
	leat_clock_pause(&context->tree->clock);
}

void leat_context_resume(struct leat_context *context)
{
	leat_clock_resume(&context->tree->clock);
}

int leat_context_wake_fd(struct leat_context *context)
{
	pthread_mutex_lock(&context->tree->lock);
	int fd = context->wake_fd;
	if (fd < 0) {
		fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (fd < 0)
			fd = -errno;
		else if (atomic_load(&context->cause))
			wake(fd);
		context->wake_fd = fd < 0 ? -1 : fd;
	}
	pthread_mutex_unlock(&context->tree->lock);
	return fd;
}

void leat_context_watch(struct leat_context *context, struct leat_watch *watch)
{
	struct leat_tree *tree = context->tree;

	pthread_mutex_lock(&tree->lock);
	bool ended = atomic_load(&context->cause) != 0;
	watch->state = ended ? WATCH_PENDING : WATCH_IDLE;
	ring_append(ended ? &tree->pending : &context->watches, watch);
	call_pending(tree);
	pthread_mutex_unlock(&tree->lock);
}

void leat_context_unwatch(struct leat_context *context, struct leat_watch *watch)
{
	struct leat_tree *tree = context->tree;

	pthread_mutex_lock(&tree->lock);
	if (watch->state == WATCH_IDLE || watch->state == WATCH_PENDING)
		ring_remove(watch);
	while (watch->state == WATCH_CALLED)
		pthread_cond_wait(&tree->called, &tree->lock);
	watch->state = WATCH_DONE;
	pthread_mutex_unlock(&tree->lock);
}
