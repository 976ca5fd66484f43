/*
 * libleat: run functions and programs through a bounded pool, and account for
 * every one of them.
 *
 * Four parts, each usable without those below it:
 *
 *   context   a cancellation tree with deadlines and a clock that can pause
 *   pool      N worker threads behind a queue of fixed length; jobs may panic
 *   capture   one output stream, kept in memory up to a limit, then in a file
 *   child     one program, run to its end under a context, whole tree included
 *
 * Conventions
 *
 * Functions that can fail return 0 (or a count) on success and a negative
 * errno value on failure; nothing else is ever encoded in that number. How a
 * child ended is a `struct leat_outcome`, never an int.
 *
 * Times are int64_t nanoseconds. A deadline is a point on a context's own clock
 * (leat_context_now), LEAT_NEVER if there is none. A duration ends in `_ns`.
 *
 * `create` and `destroy` make and free an object; `destroy(NULL)` does nothing.
 * The library never prints, exits, reads arguments or the environment, or
 * installs a signal handler, and it has no global state. Unless a function says
 * otherwise it may be called from any thread.
 *
 * Link with -lleat -pthread, or ask pkg-config for `leat`.
 */
#ifndef LEAT_H
#define LEAT_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define LEAT_API __attribute__((visibility("default")))
#define LEAT_PRINTF(f, a) __attribute__((format(printf, f, a)))
#define LEAT_NORETURN __attribute__((noreturn))
#else
#define LEAT_API
#define LEAT_PRINTF(f, a)
#define LEAT_NORETURN
#endif

#define LEAT_NEVER INT64_MAX
#define LEAT_SECOND_NS INT64_C(1000000000)

/** The version of the library that is linked, as "MAJOR.MINOR.PATCH". */
LEAT_API const char *leat_version(void);

/* ------------------------------------------------------------- context ---- */

/**
 * A node in a tree of cancellations, after Go's context.Context.
 *
 * A context ends when it is canceled, when an ancestor is, or when its deadline
 * passes, whichever comes first; it never begins again. Why it ended is its
 * cause, a positive number: the first cause wins, whatever follows.
 *
 * Every tree has one clock, CLOCK_MONOTONIC less the time it was paused. All
 * deadlines of the tree are points on that clock, so pausing it holds every
 * deadline of every descendant.
 *
 * A deadline is a number and not a timer: its passing is seen by whoever asks,
 * but wakes nobody. Who waits, waits no longer than to leat_context_deadline().
 */
struct leat_context;

/** The cause of a context whose deadline has passed. Other causes are the caller's. */
#define LEAT_CAUSE_DEADLINE 0x7fffffff

/**
 * Make a context below `parent`, or the root of a new tree where that is NULL.
 * `deadline` is a point on the tree's clock or LEAT_NEVER; a deadline later than
 * the parent's is brought forward to it. Below an ended parent the new context
 * has ended, too. The caller owns *result. Errors: -ENOMEM, -EAGAIN.
 */
LEAT_API int leat_context_create(
	struct leat_context **result, struct leat_context *parent, int64_t deadline);

/**
 * Give up the caller's reference. Contexts below stay valid: each holds a
 * reference on its parent. Watches must have been removed.
 */
LEAT_API void leat_context_destroy(struct leat_context *context);

/**
 * End `context` and all that is below it, for `cause` (> 0). When this returns,
 * every descendant reports a cause, every wake descriptor is readable and every
 * watch was called (or is being called by another thread). A context that has
 * ended before keeps its cause. Where the deadline has passed already, the
 * cause is LEAT_CAUSE_DEADLINE. Calls the watches in this thread, without a lock.
 */
LEAT_API void leat_context_cancel(struct leat_context *context, int cause);

/** Why the context ended, 0 while it has not. Lock-free and cheap. */
LEAT_API int leat_context_cause(const struct leat_context *context);

/** The deadline in force: the context's own or an ancestor's. LEAT_NEVER if none. */
LEAT_API int64_t leat_context_deadline(const struct leat_context *context);

/** The time on the tree's clock. Lock-free but for the moment of a pause. */
LEAT_API int64_t leat_context_now(const struct leat_context *context);

/**
 * Stop the clock of the whole tree, and start it again where it stopped. To be
 * called by one thread at a time, in pairs.
 */
LEAT_API void leat_context_pause(struct leat_context *context);
LEAT_API void leat_context_resume(struct leat_context *context);

/**
 * A descriptor that becomes, and stays, readable (poll: POLLIN) once the context
 * is canceled; not by the passing of a deadline. Do not read from it or close
 * it: it belongs to the context and is made at the first call.
 * Errors: -EMFILE, -ENFILE, -ENOMEM.
 */
LEAT_API int leat_context_wake_fd(struct leat_context *context);

typedef void (*leat_watch_fn)(void *argument);

/** A call to be made when a context is canceled. The memory is the caller's. */
struct leat_watch {
	leat_watch_fn call; //< set by the caller, called at most once, without a lock
	void *argument;     //< set by the caller, handed to `call`
	struct leat_watch *next, *previous; //< the library's
	int state;                          //< the library's
};

/**
 * Have `watch->call` called when the context is canceled (at once, where it has
 * been). leat_context_unwatch() takes the watch back; if it is being called at
 * that moment, it blocks until the call has returned. After that the memory is
 * free to use. Not to be unwatched from within the call.
 */
LEAT_API void leat_context_watch(struct leat_context *context, struct leat_watch *watch);
LEAT_API void leat_context_unwatch(
	struct leat_context *context, struct leat_watch *watch);

/* ---------------------------------------------------------------- pool ---- */

/**
 * A bounded pool: up to `size` worker threads that take jobs from a queue of
 * fixed length, in order.
 *
 *   leat_pool_create → leat_pool_submit … → leat_pool_wait → leat_pool_destroy
 *                    ↑_______leat_pool_reset_______|
 *
 * The pool belongs to a group context. When that ends, running jobs finish, and
 * queued ones are given up: completed as LEAT_JOB_CANCELED, never run.
 *
 * Every job that submit accepted gets its completion called exactly once,
 * whatever happens. Workers are started as they are needed, run with all signals
 * blocked, and are joined, never detached.
 */
struct leat_pool;

/** The worker that runs a job: what the job may ask of its surroundings. */
struct leat_worker;

/** How an accepted job went. */
enum leat_job_end {
	LEAT_JOB_DONE,     //< ran and returned
	LEAT_JOB_PANICKED, //< ran and called leat_panic()
	LEAT_JOB_CANCELED, //< never ran: its group had ended before its turn
};

struct leat_completion {
	enum leat_job_end end;
	const char *message;    //< of the panic, else NULL; valid during the call
	void *const *backtrace; //< return addresses at the panic, innermost first
	int backtrace_length;   //< see backtrace_symbols_fd(3)
};

typedef void (*leat_job_fn)(struct leat_worker *worker, void *argument);
typedef void (*leat_completion_fn)(void *argument, const struct leat_completion *);
typedef void (*leat_deferred_fn)(void *argument);

struct leat_job {
	leat_job_fn run;
	leat_completion_fn complete; //< may be NULL. Called without a lock by the worker
				     //< that ran the job, or by whoever gave it up.
				     //< Must not panic, nor wait for the pool.
	void *argument;               //< handed to both
	struct leat_context *context; //< what the job sees as its context; NULL: the
				      //< group's. One that is not below the group's
				      //< lets the job go on undisturbed by its end.
	size_t weight; //< how many jobs' room it takes in the queue, as for the memory
		       //< that it holds; 0: 1, more than the queue has: all of it
};

/**
 * Make a pool of up to `size` workers and `queue_length` queued jobs (both > 0),
 * fewer where they have a weight, under the context `group`, which must outlive the pool.
 * Starts no thread yet. Errors: -ENOMEM, -EINVAL, -EAGAIN.
 */
LEAT_API int leat_pool_create(struct leat_pool **result, unsigned size,
	size_t queue_length, struct leat_context *group);

/**
 * Hand a job to the pool; `job` is copied. Blocks while the queue is full, until
 * there is room, or `patience` ends (may be NULL: no limit but the group's end).
 * On any error the job was not accepted and its completion is not called.
 * Errors: -ECANCELED (the group or `patience` has ended), -ESHUTDOWN (after
 * wait), -EAGAIN, -ENOMEM (no worker runs, and none can be started).
 */
LEAT_API int leat_pool_submit(struct leat_pool *pool, const struct leat_job *job,
	struct leat_context *patience);

/** As leat_pool_submit(), but never blocks: -EWOULDBLOCK where the queue is full. */
LEAT_API int leat_pool_try_submit(struct leat_pool *pool, const struct leat_job *job);

/**
 * Close the intake and wait until nothing is queued or running and every
 * completion has returned. Returns how many accepted jobs never ran. May be
 * called again (the same answer), by several threads; not by a job.
 */
LEAT_API uint64_t leat_pool_wait(struct leat_pool *pool);

/**
 * Where the group has ended: give up what is queued, and return when every
 * completion of a given up job has returned; running jobs are not waited for.
 * Returns how many jobs were given up so far. Does nothing while the group lives.
 */
LEAT_API uint64_t leat_pool_give_up(struct leat_pool *pool);

/**
 * Open the intake again after leat_pool_wait(), under the group context `group`,
 * with the count of never run jobs at 0. Errors: -EBUSY where jobs are queued or
 * running, or another thread waits.
 */
LEAT_API int leat_pool_reset(struct leat_pool *pool, struct leat_context *group);

/**
 * Set the number of workers (> 0). More are started as jobs ask for them; of
 * fewer, those with the highest numbers leave when their job ends.
 * Errors: -ENOMEM, -EINVAL.
 */
LEAT_API int leat_pool_resize(struct leat_pool *pool, unsigned size);

/**
 * For a job that can start no process, where none runs that could make room: the pool
 * lets a thread go that it has in reserve, so that there is room for one process besides
 * its workers, and starts no more of these than there are. Does nothing the second time.
 */
LEAT_API void leat_pool_make_room(struct leat_pool *pool);

/** The pool at one moment. */
struct leat_pool_state {
	unsigned size;    //< the workers there may be
	unsigned workers; //< the threads there are
	unsigned running; //< jobs being run
	size_t queued;    //< jobs accepted and not yet begun
	uint64_t unrun;   //< jobs given up so far
};
LEAT_API struct leat_pool_state leat_pool_state(struct leat_pool *pool);

/** Wait as leat_pool_wait() does, join every worker, free the pool. */
LEAT_API void leat_pool_destroy(struct leat_pool *pool);

/** The running job's number, from 1 to the size of the pool: the lowest that no other had
 * when it began. */
LEAT_API unsigned leat_worker_number(const struct leat_worker *worker);

/** The context that the job was submitted with, or the group's. */
LEAT_API struct leat_context *leat_worker_context(const struct leat_worker *worker);

/**
 * End the running job here and now, as Go's panic() does: its deferred functions
 * run in reverse order, its completion gets the formatted message (cut at 255
 * bytes) and a backtrace, the worker goes on with the next job. Only from the
 * job's own thread. The stack is left by longjmp(3): what the job holds and did
 * not defer is lost.
 */
LEAT_API void leat_panic(struct leat_worker *worker, const char *format, ...)
	LEAT_PRINTF(2, 3) LEAT_NORETURN;

/**
 * Have `call(argument)` called when the running job ends, returning or panicking,
 * before the completion; the last deferred goes first. A deferred function that
 * panics ends, and the rest are called all the same; its message replaces the
 * former. Error: -ENOMEM, then nothing was deferred.
 */
LEAT_API int leat_defer(
	struct leat_worker *worker, leat_deferred_fn call, void *argument);

/* ------------------------------------------------------------- capture ---- */

/**
 * What was read of one stream: in memory up to a limit, from there on in an
 * unlinked temporary file. For one thread at a time.
 */
struct leat_capture;

typedef int (*leat_sink_fn)(void *argument, const char *bytes, size_t length);

/**
 * Make an empty capture that keeps `memory_bytes` in memory and the rest in a file
 * below `directory` (kept, not copied). No memory is taken before there is output.
 * Errors: -ENOMEM.
 */
LEAT_API int leat_capture_create(
	struct leat_capture **result, size_t memory_bytes, const char *directory);
LEAT_API void leat_capture_destroy(struct leat_capture *capture);

/**
 * Read once from `fd` and keep what came. Returns the number of bytes, 0 at the
 * end of the stream, -EAGAIN where a non-blocking descriptor has nothing now, or
 * an error of read(2). What was read and could not be kept is lost; that, and what
 * comes after it, is no error here: leat_capture_error() tells it.
 */
LEAT_API ssize_t leat_capture_read(struct leat_capture *capture, int fd);

/** The first error in keeping what was read, 0 where nothing was lost. */
LEAT_API int leat_capture_error(const struct leat_capture *capture);

/** How many bytes are kept, and how many of them in the file. */
LEAT_API uint64_t leat_capture_size(const struct leat_capture *capture);
LEAT_API uint64_t leat_capture_spilled(const struct leat_capture *capture);

/**
 * Hand all that is kept to `sink`, in order, in pieces, until one call of it
 * returns other than 0; that is returned, or an error of pread(2).
 */
LEAT_API int leat_capture_replay(
	struct leat_capture *capture, leat_sink_fn sink, void *argument);

/** Keep `length` bytes more. What can't be kept is lost, as in leat_capture_read(). */
LEAT_API void leat_capture_append(
	struct leat_capture *capture, const char *bytes, size_t length);

/**
 * Look at what is kept from `offset` on: *bytes is a place in memory, or `buffer`, of
 * `size` bytes, filled from the file; valid until the capture changes. Returns how many
 * bytes are there in one piece, 0 at the end, or an error of pread(2).
 */
LEAT_API ssize_t leat_capture_view(struct leat_capture *capture, uint64_t offset,
	char *buffer, size_t size, const char **bytes);

/**
 * As write(2) to `fd` of what is kept from `offset` on, but of what is in the file only,
 * and without a copy (sendfile(2)). Returns how many bytes went; -EINVAL where what is
 * there is not in the file, or `fd` does not take it this way; else an error of
 * sendfile(2), such as -EAGAIN.
 */
LEAT_API ssize_t leat_capture_send(struct leat_capture *capture, uint64_t offset, int fd);

/**
 * Have an empty capture keep everything in the file `fd`, from its start, and nothing in
 * memory. `fd`, open for reading and writing, is the capture's from now on.
 */
LEAT_API void leat_capture_use_file(struct leat_capture *capture, int fd);

/** Forget what is kept: closes the file, keeps a small buffer for the next use. */
LEAT_API void leat_capture_reset(struct leat_capture *capture);

/* --------------------------------------------------------------- child ---- */

/**
 * The children of this process that libleat runs: whose signals, limits and
 * orphans are looked after together. A process has one family at most.
 *
 * Making it changes the process, as no child could be run with care otherwise:
 * it becomes a subreaper (prctl(2), PR_SET_CHILD_SUBREAPER), so that descendants
 * whose parent died stay below it; the soft limit on open files goes up to the
 * hard one (children get the former one); SIGCHLD, if ignored, is set to its
 * default. Signals that are ignored at this moment will be ignored in children,
 * and signals that are caught at this moment set to their default.
 */
struct leat_family;

/** Errors: -ENOMEM, -EAGAIN, or an error of open(2). */
LEAT_API int leat_family_create(struct leat_family **result);

/** No child of the family may be running. */
LEAT_API void leat_family_destroy(struct leat_family *family);

/**
 * Have the family looked after by a guardian, a process of its own: when this process
 * dies (SIGKILL, no memory) while children run, the guardian ends their trees, as a
 * cancellation would: SIGTERM and SIGCONT, after `grace_ns` SIGKILL. A task's end of its
 * own is nothing to the guardian, nor is an orderly end of this process.
 *
 * To be called by the main thread before any child is run. The guardian is forked
 * (fork(2)), and runs code that allocates memory, so a program with threads should have
 * a fork(2) that takes care of malloc(3), as glibc's does. It is in a session of its
 * own, and holds no descriptor of this process but `kept_fd` (-1: none): with an open
 * file description lock on it (fcntl(2), F_OFD_SETLK), others can tell when it is done.
 *
 * Errors: -EAGAIN, -ENOMEM, -EMFILE, -ENFILE; then nobody guards the children.
 */
LEAT_API int leat_family_guard(struct leat_family *family, int64_t grace_ns, int kept_fd);

/** End the guardian, if there is one. No child of the family may be running. */
LEAT_API void leat_family_unguard(struct leat_family *family);

/** How many children may run at the same time within the limit on open files. */
LEAT_API unsigned leat_family_room(const struct leat_family *family);

/** A number that changes with each begin and end of leat_child_run(). */
LEAT_API uint64_t leat_family_activity(struct leat_family *family);

/**
 * After leat_child_run() found no room: wait until another child ends, but no longer
 * than a twentieth of a second, as others may make room, too. `activity` is what
 * leat_family_activity() gave before that try. Returns true: try again, which several
 * threads do one after the other. Where no other child ran, or was being started, since
 * then, a warm program without a child is ended, if there is one; else it returns false,
 * at once: there is nobody to hope for.
 */
LEAT_API bool leat_family_await_room(struct leat_family *family, uint64_t activity);

/**
 * Stop every child with its whole tree (SIGSTOP; what is started meanwhile is
 * stopped, too), and continue them. The clock of a context is another matter:
 * leat_context_pause().
 */
LEAT_API void leat_family_suspend(struct leat_family *family);
LEAT_API void leat_family_resume(struct leat_family *family);

/**
 * Reap the orphans that were handed to this process and have ended. To be called
 * when SIGCHLD arrived. Takes every child of the main thread that is not one of
 * the family, so a program that also waits for children of its own must start
 * those from another thread.
 */
LEAT_API void leat_family_reap(struct leat_family *family);

/**
 * A program that is kept as it is just before its main(), from where it runs one child
 * after the other without what it takes to start it: no execve(2), no loading. Else the
 * children are as any others; but the memory that such a child starts with is shared
 * with those before, put back as it was, so addresses in it do not change from one to the
 * next. What the program was started with (limits, directory, umask, priority, cgroup)
 * is from the first such start.
 *
 * All specs that name it are of the same program and kept descriptors, and run one at a
 * time. It is a process more, and a descriptor. A program that is linked statically, or
 * has more privileges than its caller, can't be kept.
 */
struct leat_warm;

/** Starts nothing yet; the first leat_child_run() does. Errors: -ENOMEM. */
LEAT_API int leat_warm_create(struct leat_warm **result, struct leat_family *family);

/** End the program, if there is one. No child of it may be running. */
LEAT_API void leat_warm_destroy(struct leat_warm *warm);

/** Whether it turned out that the program can't be kept. For the thread that runs the
 * child. */
LEAT_API bool leat_warm_is_unfit(const struct leat_warm *warm);

/** What to run. Nothing is copied; all must stay as it is while the child runs. */
struct leat_spec {
	const char *const *argv;
	const char *program;      //< the path of what to execute; NULL: argv[0] says, a
				  //< path, or a name that is looked for in `search_path`
				  //< as execvp(3) does
	const char *const *envp;  //< the environment, all of it
	const char *search_path;  //< as $PATH; NULL: argv[0] is a path in any case
	const char *script_shell; //< runs a file that the kernel takes for no program
				  //< (ENOEXEC); NULL: such a file is an error
	const char *const *mark;  //< entries of envp that no other child has all of, by
				  //< which a descendant is known that left the session
				  //< and lost its parent; NULL-terminated, may be NULL
	const char *directory;    //< where it runs; NULL: where the caller is
	// A descriptor that is 0, 1 or 2 itself must not be close-on-exec.
	int stdin_fd;  //< becomes descriptor 0; -1: /dev/null
	int stdout_fd; //< becomes descriptor 1; -1: a pipe to `out`
	int stderr_fd; //< becomes descriptor 2; -1: a pipe to `err`
	// In place of pipes, pseudoterminals of this size (pty(7)), which pass on what is
	// written as it is and control nothing; NULL: pipes
	const struct winsize *terminal;
	// Descriptors of the caller that the child has, too, under the same numbers; each
	// is above 2
	const int *kept_fds;
	size_t kept_fd_count;
	struct leat_warm *warm; //< start it from there, where that can be; NULL: do not
	// It stays in the session and the process group of the caller, and so has its
	// controlling terminal; not with `warm`
	bool stays_in_session;
};

/**
 * Where a stream of a child goes. The first two are set by the caller, and so may be the
 * next two, by the caller or within `take`; all belongs to the thread of
 * leat_child_run() while that runs.
 */
struct leat_stream {
	/*
	 * Called when `fd`, the reading end, is readable (then `readable` is set), or
	 * `also` is ready. To read once and keep or pass on what came. Not to block.
	 * Returns how many bytes were read; 0 at the end; -EAGAIN: none this time;
	 * another negative value: no more is wanted, the end is closed.
	 */
	ssize_t (*take)(struct leat_stream *stream, int fd, bool readable);
	void *argument; //< the caller's own

	bool paused;       //< do not wait for `fd` to be readable: the child is to wait
	int also_fd;       //< wait for this, too; -1: nothing
	short also_events; //< POLLIN or POLLOUT
	bool last; //< set by leat_child_run() when the child has ended: what `fd` still
		   //< has is to be taken without a pause
};

/** A stream that is kept in `capture`. */
LEAT_API struct leat_stream leat_capture_stream(struct leat_capture *capture);

/** What may end a child from outside. */
struct leat_control {
	struct leat_context *terminate; //< at its end: SIGTERM, grace, SIGKILL
	struct leat_context *kill;      //< at its end: SIGKILL; `terminate` is below it
	int64_t timeout_ns;             //< for this child; LEAT_NEVER: none
	int64_t grace_ns;               //< between SIGTERM and SIGKILL
	int64_t linger_ns; //< how long output is collected that others hold open
	void *argument;
	// The child is to end and can't be signaled, with an errno (EPERM: it has become
	// another user's), so it is waited for; told once, by any thread. Not to block.
	// NULL: nobody is told.
	void (*withstands)(void *argument, int error);
};

enum leat_end {
	LEAT_EXITED,      //< `code` is the exit status, 0 to 255
	LEAT_SIGNALED,    //< `code` is the number of the signal
	LEAT_NOT_STARTED, //< `code` is the errno of execve(2)
};

enum leat_ended_by {
	LEAT_BY_ITSELF,
	LEAT_BY_TIMEOUT,  //< its own timeout
	LEAT_BY_DEADLINE, //< the deadline of `terminate` (or `kill`)
	LEAT_BY_CANCEL,   //< `terminate` or `kill` was canceled
};

/** How a child ended. */
struct leat_outcome {
	enum leat_end end;
	int code;
	bool core_dumped;
	bool no_directory;           //< LEAT_NOT_STARTED: its directory can't be entered
	enum leat_ended_by ended_by; //< who ended it; leat, if it was told to and did
				     //< not find it ended
	int64_t elapsed_ns;            //< from start to end, on the context's clock
	int64_t user_ns, system_ns;    //< CPU time, with descendants that were waited for
	long peak_kib;                 //< largest resident set, in KiB
	uint64_t out_bytes, err_bytes; //< read of its two streams
};

/**
 * Run one program to its end and reap it. Blocks until then.
 *
 * The child leads a session of its own, if the spec has it no other way, with no signal
 * blocked, dispositions and limits as the family says, and no descriptor but 0, 1, 2 and
 * those that the spec has it keep. It is started by clone(2) with CLONE_VM: no memory is
 * copied, and until it has executed it runs in the memory of this process.
 *
 * When a timeout, a deadline or a cancellation ends it, its whole tree is ended:
 * SIGTERM and SIGCONT, then after `grace_ns` SIGKILL until none is left. To the
 * tree belong its descendants, also those that left the session or whose parent
 * died (found by session or `mark`). A child that ended by itself leaves its
 * descendants alone; if these hold its output open, the output is collected for
 * at most `linger_ns` more.
 *
 * `out` and `err` take the streams; they may be NULL where the spec names a descriptor.
 *
 * Returns 0 when *outcome tells the end, also LEAT_NOT_STARTED: the program can't
 * be run. A negative value means that no program was begun, for want of room, and
 * that it may go through later: -EAGAIN, -ENOMEM, -EMFILE, -ENFILE.
 */
LEAT_API int leat_child_run(struct leat_family *family, const struct leat_spec *spec,
	const struct leat_control *control, struct leat_stream *out,
	struct leat_stream *err, struct leat_outcome *outcome);

#ifdef __cplusplus
}
#endif

#endif
