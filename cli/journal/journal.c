/*
 * The journal of a run.
 *
 * The thread that reads the input asks what is known of a task (find.c), which reads the
 * database by a connection of its own; workers tell of attempts, which the writer has
 * written (writer.c). What is not locked belongs to the thread that reads.
 *
 * Order of the start: the file is looked at, and refused untouched; the tail is had, and
 * with it the right to write; the last task of a killed leat is over; what that leat did
 * not come to commit is taken over; the run has its row.
 *
 * Order of the end: no task runs; the writer commits what is left, and ends; the run's
 * own row is written; the tail is removed. So the tail is there exactly as long as a run
 * goes on, or when one came to no good end.
 */
#include "journal/inside.h"

#include "exit_status.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TAIL_TRIES 10
#define TAIL_STEP_NS (LEAT_SECOND_NS / 50)

__attribute__((format(printf, 2, 3))) static void refuse(
	const struct plan *plan, const char *format, ...)
{
	struct text words = {0};
	va_list arguments;

	va_start(arguments, format);
	text_format_arguments(&words, format, arguments);
	va_end(arguments);
	message("--journal: cannot use %s: %s", plan->journal,
		words.bytes ? words.bytes : "out of memory");
	text_finish(&words);
}

/* ---- open ---- */

// The real name, NULL: there is no such file.
static int resolve(struct journal *journal)
{
	free(journal->name);
	journal->name = realpath(journal->plan->journal, NULL);
	if (journal->name || errno == ENOENT)
		return EXIT_ALL_OK;
	refuse(journal->plan, "%s", strerror(errno));
	return EXIT_LEAT_TROUBLE;
}

static int judge(
	const struct plan *plan, enum store_state state, const struct text *words)
{
	const char *more = words->bytes ? words->bytes : "out of memory";

	switch (state) {
	case STORE_OK:
	case STORE_EMPTY:
		return EXIT_ALL_OK;
	case STORE_FOREIGN:
		refuse(plan, "it is no journal of leat");
		break;
	case STORE_NEWER:
		refuse(plan, "a newer leat wrote it");
		break;
	case STORE_CORRUPT:
		refuse(plan,
			"it is damaged: %s; begin another, or save with .recover of "
			"sqlite3(1) what is left",
			more);
		break;
	case STORE_UNREADABLE:
		refuse(plan, "%s", more);
		break;
	}
	return EXIT_LEAT_TROUBLE;
}

// What is no journal, or can't be used, is refused, and not touched.
static int look(struct journal *journal, enum store_state *state)
{
	struct text words = {0};
	int status = resolve(journal);

	*state = STORE_EMPTY;
	if (!status && journal->name) {
		*state = store_look(journal->name, &words);
		status = judge(journal->plan, *state, &words);
	}
	text_finish(&words);
	return status;
}

static int make_file(struct journal *journal)
{
	int fd = open(journal->plan->journal, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0) {
		refuse(journal->plan, "%s", strerror(errno));
		return EXIT_LEAT_TROUBLE;
	}
	close(fd);
	if (resolve(journal) != EXIT_ALL_OK)
		return EXIT_LEAT_TROUBLE;
	if (journal->name)
		return EXIT_ALL_OK;
	// It can be opened and has no path: from a directory that was removed, say.
	refuse(journal->plan, "%s", strerror(ENOENT));
	return EXIT_LEAT_TROUBLE;
}

// A killed leat's tasks are being ended by its guardian.
static void await_guardian(const struct journal *journal)
{
	if (tail_lock_guard(journal->tail, false))
		return;
	message("waiting for the end of what a killed leat left running");
	journal->events.waits(true);
	tail_lock_guard(journal->tail, true);
	journal->events.waits(false);
}

// By each of them it would have a tail and a -wal of its own, so that two could write it.
static bool has_several_names(const struct journal *journal)
{
	struct stat status;

	return stat(journal->name, &status) == 0 && status.st_nlink > 1;
}

static int open_tail(struct journal *journal)
{
	const struct plan *plan = journal->plan;
	pid_t holder;
	int error = 0;

	if (has_several_names(journal)) {
		refuse(plan, "it has several names (hard links): copy it");
		return EXIT_LEAT_TROUBLE;
	}
	// Who only looks, as --list does, has it for a moment.
	for (int tries = 0; tries < TAIL_TRIES; tries++) {
		error = tail_open(&journal->tail, journal->name, true, &holder);
		if (error != -EBUSY)
			break;
		nanosleep(&(struct timespec){.tv_nsec = TAIL_STEP_NS}, NULL);
	}
	if (!error) {
		await_guardian(journal);
		return EXIT_ALL_OK;
	}
	if (error == -EBUSY && holder)
		refuse(plan, "another leat uses it, process %d", (int)holder);
	else if (error == -EBUSY)
		refuse(plan, "another leat uses it");
	else if (error == -EPERM)
		refuse(plan, "%s-tail is no file of a leat of yours", journal->name);
	else if (error == -EBADMSG)
		refuse(plan,
			"%s-tail is cut short, or none of leat's; move it away, and "
			"--resume runs again what it alone tells of",
			journal->name);
	else
		refuse(plan, "%s-tail: %s", journal->name, strerror(-error));
	return EXIT_LEAT_TROUBLE;
}

// What is in the tail belongs to one run: where a power cut took that one's row, as
// --sync off lets it, its entries must not be taken for those of the run before.
static uint64_t run_id(const struct store *store)
{
	return store_id(store) + (uint64_t)store_run(store);
}

// What a killed leat did not come to commit.
static int take_over(struct journal *journal)
{
	struct store *store = journal->store;
	uint64_t ticket = store_ticket(store);
	int code = store_begin(store);

	if (!code)
		code = tail_replay(
			journal->tail, run_id(store), &ticket, store_apply, store);
	if (!code)
		code = store_commit(store, ticket);
	if (code) {
		refuse(journal->plan, "%s", store_words(store));
		store_roll_back(store);
		return EXIT_LEAT_TROUBLE;
	}
	if (store_read(store)) {
		refuse(journal->plan, "%s", store_words(store));
		return EXIT_LEAT_TROUBLE;
	}
	return EXIT_ALL_OK;
}

static int open_store(struct journal *journal, bool writes)
{
	const struct plan *plan = journal->plan;
	struct text words = {0};

	journal->store = store_open(journal->name, writes, plan->sync, writes, &words);
	if (!journal->store)
		refuse(plan, "%s", words.bytes ? words.bytes : "out of memory");
	text_finish(&words);
	return journal->store ? EXIT_ALL_OK : EXIT_LEAT_TROUBLE;
}

static int open_find(struct journal *journal)
{
	const struct plan *plan = journal->plan;
	struct text words = {0};

	if (!(plan->resume || plan->resume_failed) || !store_series(journal->store))
		return EXIT_ALL_OK;
	journal->find =
		find_open(journal->name, journal->store, plan->resume_failed, &words);
	if (!journal->find)
		refuse(plan, "%s", words.bytes ? words.bytes : "out of memory");
	text_finish(&words);
	return journal->find ? EXIT_ALL_OK : EXIT_LEAT_TROUBLE;
}

// The run's own row is on the disk before its first task.
static int begin_run(struct journal *journal)
{
	struct store *store = journal->store;
	const struct plan *plan = journal->plan;
	int code = store_begin(store);

	if (!code)
		code = store_begin_run(store, plan, plan->resume || plan->resume_failed);
	if (!code)
		code = store_commit(store, store_ticket(store));
	if (code) {
		refuse(plan, "%s", store_words(store));
		return EXIT_LEAT_TROUBLE;
	}
	journal->last_row = store_last_row(store);
	tail_begin(journal->tail, run_id(store), store_ticket(store));
	return EXIT_ALL_OK;
}

static int start_writer(struct journal *journal)
{
	struct writer_settings settings = {
		.name = journal->name,
		.store = journal->store,
		.tail = journal->tail,
		.argument = journal->events.argument,
		.broken = journal->events.broken,
	};
	int error = writer_start(&journal->writer, &settings);

	if (error)
		refuse(journal->plan, "%s", strerror(-error));
	return error ? EXIT_LEAT_TROUBLE : EXIT_ALL_OK;
}

static int open_for_writing(struct journal *journal)
{
	enum store_state state;
	int status = look(journal, &state);

	if (!status && state == STORE_EMPTY)
		status = make_file(journal);
	if (!status)
		status = open_tail(journal);
	if (!status)
		status = open_store(journal, true);
	if (!status)
		status = take_over(journal);
	if (!status)
		status = open_find(journal);
	if (!status)
		status = begin_run(journal);
	if (!status)
		status = start_writer(journal);
	return status;
}

// The tail goes once all that it held is committed.
static void destroy(struct journal *journal, bool is_whole)
{
	find_close(journal->find);
	if (is_whole)
		store_settle(journal->store);
	store_close(journal->store);
	tail_close(journal->tail, is_whole);
	free(journal->name);
	free(journal);
}

static struct journal *create(
	const struct plan *plan, const struct journal_events *events)
{
	struct journal *journal = calloc(1, sizeof *journal);

	if (!journal) {
		refuse(plan, "out of memory");
		return NULL;
	}
	journal->plan = plan;
	journal->events = *events;
	return journal;
}

int journal_open(struct journal **result, const struct plan *plan,
	const struct journal_events *events)
{
	struct journal *journal = create(plan, events);
	int status = journal ? open_for_writing(journal) : EXIT_LEAT_TROUBLE;

	*result = status ? NULL : journal;
	if (status && journal)
		destroy(journal, false);
	return status;
}

static void tell_left_out(const struct journal *journal)
{
	struct text tail = {0};

	text_format(&tail, "%s-tail", journal->name);
	if (!tail.failed && access(tail.bytes, F_OK) == 0)
		message("what is in %s is left out", tail.bytes);
	text_finish(&tail);
}

// What a killed leat told last is written, where that may be. The tail stays as long as a
// guardian holds it.
static void recover(const struct journal *looking)
{
	struct journal journal = {.plan = looking->plan, .name = looking->name};
	bool is_whole;
	pid_t holder;
	int error = access(journal.name, W_OK) < 0 ? -errno : 0;

	if (!error)
		error = tail_open(&journal.tail, journal.name, false, &holder);
	if (error && error != -EBUSY)
		tell_left_out(&journal);
	if (error)
		return;
	is_whole = !open_store(&journal, true) && !take_over(&journal);
	if (!is_whole)
		tell_left_out(&journal);
	is_whole = is_whole && tail_lock_guard(journal.tail, false);
	if (is_whole)
		store_settle(journal.store);
	store_close(journal.store);
	tail_close(journal.tail, is_whole);
}

// Nothing is open where the state is STORE_EMPTY.
static int open_for_reading(struct journal *journal, enum store_state *state)
{
	int status = look(journal, state);

	if (status || *state == STORE_EMPTY)
		return status;
	recover(journal);
	return open_store(journal, false);
}

int journal_open_for_looking(struct journal **result, const struct plan *plan,
	const struct journal_events *events)
{
	struct journal *journal = create(plan, events);
	enum store_state state;
	int status = journal ? open_for_reading(journal, &state) : EXIT_LEAT_TROUBLE;

	if (!status && state == STORE_OK)
		status = open_find(journal);
	*result = status ? NULL : journal;
	if (status && journal)
		destroy(journal, false);
	return status;
}

int journal_open_to_read(struct store **result, const struct plan *plan)
{
	struct journal journal = {.plan = plan};
	enum store_state state;
	int status = open_for_reading(&journal, &state);

	if (!status && state == STORE_EMPTY) {
		refuse(plan, "there is none");
		status = EXIT_LEAT_TROUBLE;
	}
	free(journal.name);
	*result = journal.store;
	return status;
}

/* ---- the end ---- */

static int end_run(struct journal *journal, const struct account *account,
	int64_t elapsed_ns, int status)
{
	struct store *store = journal->store;
	int code = store_begin(store);

	if (!code)
		code = store_end_run(store, account, elapsed_ns, status);
	if (!code)
		code = store_commit(store, store_ticket(store));
	if (code) {
		message("cannot write the end of the run to %s: %s",
			journal->plan->journal, store_words(store));
		store_roll_back(store);
	}
	return code ? -EIO : 0;
}

static void tell_what_is_left(const struct journal *journal, const struct writer_end *end)
{
	const char *name = journal->plan->journal;

	if (end->lost)
		message("%llu entries of the journal are lost: what they tell of will be "
			"run again",
			(unsigned long long)end->lost);
	else if (!end->is_harmed && tail_is_there(journal->tail))
		message("what %s lacks is in %s-tail; the next leat --journal %s takes "
			"it over",
			name, journal->name, name);
}

int journal_close(struct journal *journal, const struct account *account,
	int64_t elapsed_ns, int status)
{
	struct writer_end end = {0};
	int error = 0;

	if (!journal)
		return 0;
	if (journal->writer) {
		writer_stop(journal->writer, &end);
		if (!end.is_whole)
			tell_what_is_left(journal, &end);
		error = end.is_whole ? end_run(journal, account, elapsed_ns, status)
				     : -EIO;
	}
	destroy(journal, end.is_whole);
	return error;
}

int journal_guard_fd(const struct journal *journal)
{
	return journal && journal->tail ? tail_guard_fd(journal->tail) : -1;
}
