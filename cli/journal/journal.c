/*
 * The journal of a run.
 *
 * Entries. Whoever starts or ends an attempt adds an entry to the tail (tail.c), which
 * costs one pwrite(2); from then on this process may be killed. One thread, the writer,
 * commits what has come together, in groups, to the database (store.c): a group for each
 * GROUP_NS, so that what has ended is on the disk within a tenth of a second, or at once
 * where somebody waits for that, for room in the tail, or for the end of it all.
 *
 * The lock guards all of the struct but what is marked otherwise. The writer holds it
 * while it takes a batch and while it forgets one, not while it commits: entries are
 * added meanwhile, behind. `wanted` wakes the writer; `committed` those that wait for it.
 *
 * Trouble. What SQLite can't commit stays in the tail, which has its room on the disk
 * beforehand: so nothing is lost by a full disk, and the next leat takes it over. The
 * writer tells it once, which cancels the run, and tries again at the end. Only when the
 * tail is full, too, are entries lost; that is counted, and said.
 *
 * Order of the end: no task runs; the writer commits what is left, and ends; the run's
 * own row is written; the tail is removed. So the tail is there exactly as long as a run
 * goes on, or when one came to no good end.
 */
#include "journal/journal.h"

#include "exit_status.h"
#include "journal/find.h"
#include "journal/store.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define GROUP_NS (LEAT_SECOND_NS / 25)

struct journal {
	const struct plan *plan;
	struct journal_events events;
	struct store *store; //< the writer's, while it runs
	struct find *find;   //< the reading thread's; NULL: no task is known
	uint64_t last_row;   //< the reading thread's
	uint64_t failed_before;
	struct stat file; //< FILE, as it was at the start
	bool writes;      //< there is a writer

	pthread_t writer;
	pthread_mutex_t lock;
	pthread_cond_t wanted, committed;
	struct tail *tail;
	const struct told *large; //< what found no place there
	uint64_t ticket;          //< the last that was committed
	unsigned waiting;         //< how many threads wait for `committed`
	bool idle;                //< the writer is
	bool stopping;
	bool broken;
	uint64_t lost; //< entries that found no room
};

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

static int64_t now_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * LEAT_SECOND_NS + now.tv_nsec;
}

/* ---- the writer ---- */

static bool was_removed(const struct journal *journal)
{
	struct stat status;

	return stat(journal->plan->journal, &status) < 0 ||
	       status.st_dev != journal->file.st_dev ||
	       status.st_ino != journal->file.st_ino || !tail_is_there(journal->tail);
}

// Returns 0, or -EIO and *words.
static int commit(struct journal *journal, const struct batch *batch,
	const struct told *large, struct text *words)
{
	struct store *store = journal->store;
	int code;

	if (was_removed(journal)) {
		text_format(words, "it was removed meanwhile");
		return -EIO;
	}
	code = store_begin(store);
	if (!code)
		code = batch_each(batch, store_apply, store);
	if (!code && large)
		code = store_apply(store, large);
	if (!code)
		code = store_commit(store, batch->ticket);
	if (!code)
		return 0;
	text_format(words, "%s", store_words(store));
	store_roll_back(store);
	return -EIO;
}

// With the lock, which it lets go meanwhile.
static void tell_broken(struct journal *journal, const struct text *words)
{
	bool first = !journal->broken;

	journal->broken = true;
	pthread_cond_broadcast(&journal->committed);
	pthread_mutex_unlock(&journal->lock);
	if (first)
		journal->events.broken(journal->events.argument,
			words->bytes ? words->bytes : "out of memory");
	pthread_mutex_lock(&journal->lock);
}

// With the lock, which it lets go meanwhile.
static int commit_group(struct journal *journal)
{
	const struct told *large = journal->large;
	struct text words = {0};
	struct batch batch;
	int error;

	tail_get(journal->tail, &batch);
	pthread_mutex_unlock(&journal->lock);
	error = commit(journal, &batch, large, &words);
	pthread_mutex_lock(&journal->lock);
	if (error) {
		tell_broken(journal, &words);
	} else {
		tail_forget(journal->tail, &batch);
		journal->ticket = batch.ticket;
		pthread_cond_broadcast(&journal->committed);
	}
	text_finish(&words);
	return error;
}

static bool is_urgent(const struct journal *journal)
{
	return journal->stopping || journal->waiting || tail_is_full(journal->tail);
}

// With the lock, which it lets go meanwhile: some more may come together.
static void gather(struct journal *journal)
{
	int64_t until = now_ns(CLOCK_MONOTONIC) + GROUP_NS;
	struct timespec time = {until / LEAT_SECOND_NS, until % LEAT_SECOND_NS};

	while (!is_urgent(journal) &&
		!pthread_cond_timedwait(&journal->wanted, &journal->lock, &time))
		;
}

static void *writer_main(void *argument)
{
	struct journal *journal = argument;
	int error = 0;

	pthread_mutex_lock(&journal->lock);
	while (!error || !journal->stopping) {
		bool pending = tail_ticket(journal->tail) != journal->ticket;

		if (!pending && journal->stopping)
			break;
		if (pending && (!journal->broken || journal->stopping)) {
			gather(journal);
			error = commit_group(journal);
			continue;
		}
		journal->idle = true;
		pthread_cond_wait(&journal->wanted, &journal->lock);
		journal->idle = false;
	}
	pthread_mutex_unlock(&journal->lock);
	return NULL;
}

// Signals are for the thread that waits for them.
static int start_writer(struct journal *journal)
{
	pthread_condattr_t attributes;
	sigset_t all, before;
	int error;

	if (pthread_condattr_init(&attributes))
		return -ENOMEM;
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&journal->wanted, &attributes);
	pthread_condattr_destroy(&attributes);
	pthread_cond_init(&journal->committed, NULL);
	pthread_mutex_init(&journal->lock, NULL);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = -pthread_create(&journal->writer, NULL, writer_main, journal);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	journal->writes = !error;
	return error;
}

static void stop_writer(struct journal *journal)
{
	pthread_mutex_lock(&journal->lock);
	journal->stopping = true;
	pthread_cond_signal(&journal->wanted);
	pthread_mutex_unlock(&journal->lock);
	pthread_join(journal->writer, NULL);
	pthread_cond_destroy(&journal->committed);
	pthread_cond_destroy(&journal->wanted);
	pthread_mutex_destroy(&journal->lock);
}

/* ---- open ---- */

// What is no journal, or can't be used, is refused, and not touched.
static int look(const struct plan *plan, enum store_state *state)
{
	struct text words = {0};
	int status = EXIT_LEAT_TROUBLE;

	*state = store_look(plan->journal, &words);
	switch (*state) {
	case STORE_OK:
	case STORE_EMPTY:
		status = EXIT_ALL_OK;
		break;
	case STORE_FOREIGN:
		refuse(plan, "it is no journal of leat");
		break;
	case STORE_NEWER:
		refuse(plan, "a newer leat wrote it");
		break;
	case STORE_CORRUPT:
		refuse(plan, "it is damaged: %s", words.bytes ? words.bytes : "?");
		break;
	case STORE_UNREADABLE:
		refuse(plan, "%s", strerror(errno));
		break;
	}
	text_finish(&words);
	return status;
}

static int make_file(const struct plan *plan)
{
	int fd = open(plan->journal, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0) {
		refuse(plan, "%s", strerror(errno));
		return EXIT_LEAT_TROUBLE;
	}
	close(fd);
	return EXIT_ALL_OK;
}

// A killed leat's tasks are being ended by its guardian.
static void await_guardian(const struct journal *journal)
{
	if (tail_lock_guard(journal->tail, false))
		return;
	message("waiting for the end of what a killed leat left running");
	tail_lock_guard(journal->tail, true);
}

static int open_tail(struct journal *journal)
{
	const struct plan *plan = journal->plan;
	pid_t holder;
	int error = tail_open(&journal->tail, plan->journal, true, &holder);

	if (!error) {
		await_guardian(journal);
		return EXIT_ALL_OK;
	}
	if (error == -EBUSY && holder)
		refuse(plan, "another leat uses it, process %d", (int)holder);
	else if (error == -EBUSY)
		refuse(plan, "another leat uses it");
	else if (error == -EPERM)
		refuse(plan, "%s-tail is not a file of yours", plan->journal);
	else
		refuse(plan, "%s-tail: %s", plan->journal, strerror(-error));
	return EXIT_LEAT_TROUBLE;
}

// What a killed leat did not come to commit.
static int take_over(struct journal *journal)
{
	struct store *store = journal->store;
	uint64_t ticket = store_ticket(store);
	int code = store_begin(store);

	if (!code)
		code = tail_replay(
			journal->tail, store_id(store), &ticket, store_apply, store);
	if (!code)
		code = store_commit(store, ticket);
	if (code) {
		refuse(journal->plan, "%s", store_words(store));
		store_roll_back(store);
		return EXIT_LEAT_TROUBLE;
	}
	store_read(store);
	return EXIT_ALL_OK;
}

static int open_store(struct journal *journal, bool writes)
{
	const struct plan *plan = journal->plan;
	struct text words = {0};

	journal->store = store_open(plan->journal, writes, plan->sync, writes, &words);
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
		find_open(plan->journal, journal->store, plan->resume_failed, &words);
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
	journal->ticket = store_ticket(store);
	tail_begin(journal->tail, store_id(store), journal->ticket);
	return EXIT_ALL_OK;
}

static int open_for_writing(struct journal *journal)
{
	enum store_state state;
	int status = look(journal->plan, &state);

	if (!status && state == STORE_EMPTY)
		status = make_file(journal->plan);
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
	if (!status && stat(journal->plan->journal, &journal->file) < 0) {
		refuse(journal->plan, "%s", strerror(errno));
		status = EXIT_LEAT_TROUBLE;
	}
	if (!status && start_writer(journal) < 0) {
		refuse(journal->plan, "no thread can be started");
		status = EXIT_LEAT_TROUBLE;
	}
	return status;
}

// The tail goes once all that it held is committed.
static void destroy(struct journal *journal, bool is_whole)
{
	find_close(journal->find);
	store_close(journal->store);
	tail_close(journal->tail, is_whole);
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
	if (events)
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

int journal_open_for_looking(struct journal **result, const struct plan *plan)
{
	struct journal *journal = create(plan, NULL);
	enum store_state state = STORE_EMPTY;
	int status = journal ? look(plan, &state) : EXIT_LEAT_TROUBLE;

	if (!status && state == STORE_OK)
		status = open_store(journal, false);
	if (!status && state == STORE_OK)
		status = open_find(journal);
	*result = status ? NULL : journal;
	if (status && journal)
		destroy(journal, false);
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
		code = store_commit(store, journal->ticket);
	if (code) {
		message("cannot write the end of the run to %s: %s",
			journal->plan->journal, store_words(store));
		store_roll_back(store);
	}
	return code ? -EIO : 0;
}

static void tell_what_is_left(const struct journal *journal)
{
	const char *name = journal->plan->journal;

	if (journal->lost)
		message("%llu entries of the journal are lost: what they tell of will be "
			"run again",
			(unsigned long long)journal->lost);
	else if (tail_is_there(journal->tail))
		message("what %s lacks is in %s-tail; the next leat --journal %s takes "
			"it over",
			name, name, name);
}

int journal_close(struct journal *journal, const struct account *account,
	int64_t elapsed_ns, int status)
{
	bool whole;
	int error = 0;

	if (!journal)
		return 0;
	if (!journal->writes) {
		destroy(journal, false);
		return 0;
	}
	stop_writer(journal);
	whole = tail_ticket(journal->tail) == journal->ticket && !journal->lost;
	if (!whole)
		tell_what_is_left(journal);
	if (whole && !was_removed(journal))
		error = end_run(journal, account, elapsed_ns, status);
	destroy(journal, whole);
	return whole ? error : -EIO;
}

int journal_guard_fd(const struct journal *journal)
{
	return journal && journal->tail ? tail_guard_fd(journal->tail) : -1;
}

/* ---- tasks ---- */

// With the lock: what is too large for the tail the writer gets straight from here.
static int add_large(struct journal *journal, const struct told *told)
{
	uint64_t ticket;

	journal->waiting++;
	while (journal->large && !journal->broken)
		pthread_cond_wait(&journal->committed, &journal->lock);
	if (!journal->broken) {
		journal->large = told;
		tail_skip(journal->tail);
		ticket = tail_ticket(journal->tail);
		pthread_cond_signal(&journal->wanted);
		while (journal->ticket < ticket && !journal->broken)
			pthread_cond_wait(&journal->committed, &journal->lock);
		journal->large = NULL;
		pthread_cond_broadcast(&journal->committed);
	}
	journal->waiting--;
	return journal->broken ? -EIO : 0;
}

// With the lock.
static int add_to_tail(struct journal *journal, const struct told *told)
{
	int error;

	while ((error = tail_add(journal->tail, told)) == -EAGAIN && !journal->broken) {
		journal->waiting++;
		pthread_cond_signal(&journal->wanted);
		pthread_cond_wait(&journal->committed, &journal->lock);
		journal->waiting--;
	}
	if (!error && (journal->idle || is_urgent(journal)))
		pthread_cond_signal(&journal->wanted);
	return error == -E2BIG ? add_large(journal, told) : error;
}

// With the lock: until the disk has it.
static void await_commit(struct journal *journal)
{
	uint64_t ticket = tail_ticket(journal->tail);

	journal->waiting++;
	pthread_cond_signal(&journal->wanted);
	while (journal->ticket < ticket && !journal->broken)
		pthread_cond_wait(&journal->committed, &journal->lock);
	journal->waiting--;
}

// `needed`: of a task that is not to start without.
static int add(
	struct journal *journal, const struct told *told, bool needed, bool patient)
{
	int error;

	pthread_mutex_lock(&journal->lock);
	error = journal->broken && needed ? -EIO : add_to_tail(journal, told);
	if (error && !needed)
		journal->lost++;
	if (error && !journal->broken) {
		struct text words = {0};

		text_format(&words, "%s-tail: %s", journal->plan->journal,
			strerror(-error));
		tell_broken(journal, &words);
		text_finish(&words);
	} else if (!error && patient) {
		await_commit(journal);
	}
	pthread_mutex_unlock(&journal->lock);
	return error;
}

/** What a task is known by, made of these. */
struct description {
	struct text command, input;
	struct identity identity;
};

// The command holds the values, unless they go elsewhere, too.
static bool needs_input(const struct plan *plan)
{
	return plan->standard_input == STDIN_RECORD || plan->variable_count ||
	       plan->directory;
}

static void append_values(
	struct text *text, const struct plan *plan, const struct task *task)
{
	const char *separator = plan_separator(plan);

	for (size_t index = 0; index < task->count; index++) {
		const struct value *value = &task->values[index];

		text_append(text, value->bytes, value->length);
		text_append(text, value->ends_record ? "\n" : separator,
			value->ends_record ? 1 : strlen(separator));
	}
}

// The slot is not known beforehand, and is 1 here, as for --dry-run.
static void describe(struct journal *journal, const struct recipe *recipe,
	const struct task *task, struct description *description)
{
	bool with_input = needs_input(journal->plan);

	*description = (struct description){0};
	text_append(&description->command, "", 0);
	recipe_append_command(recipe, task, 1, SIZE_MAX, &description->command);
	if (with_input)
		append_values(&description->input, journal->plan, task);
	description->identity = (struct identity){
		.command = description->command.bytes ? description->command.bytes : "",
		.command_bytes = description->command.length,
		.input = !with_input                ? NULL
			 : description->input.bytes ? description->input.bytes
						    : "",
		.input_bytes = description->input.length,
	};
	description->identity.key = identity_key(&description->identity);
}

static void finish_description(struct description *description)
{
	text_finish(&description->command);
	text_finish(&description->input);
}

static void look_up(
	struct journal *journal, const struct identity *identity, struct known *known)
{
	struct text words = {0};

	if (!find_next(journal->find, identity, known))
		return;
	*known = (struct known){0};
	if (!journal->writes)
		return;
	text_format(&words, "%s", find_words(journal->find));
	pthread_mutex_lock(&journal->lock);
	tell_broken(journal, &words);
	pthread_mutex_unlock(&journal->lock);
	text_finish(&words);
}

bool journal_enter(
	struct journal *journal, const struct recipe *recipe, struct task *task)
{
	struct known known = {0};

	if (journal && journal->find) {
		struct description description;

		describe(journal, recipe, task, &description);
		look_up(journal, &description.identity, &known);
		finish_description(&description);
	}
	if (journal) {
		task->row = known.row ? known.row : ++journal->last_row;
		task->in_journal = known.row;
		journal->failed_before += known.done && known.failed;
	}
	return known.done;
}

uint64_t journal_failed_before(const struct journal *journal)
{
	return journal ? journal->failed_before : 0;
}

static struct entry entry_of(enum entry_kind kind, const struct task *task)
{
	return (struct entry){
		.kind = kind,
		.row = task->row,
		.sequence = task->sequence,
		.attempt = (uint32_t)task->attempt,
		.outcome = (uint32_t)task->end,
		.is_new = !task->in_journal,
	};
}

// With the texts, where the journal does not have them.
static int add_described(struct journal *journal, const struct recipe *recipe,
	const struct task *task, struct entry *entry, bool needed)
{
	struct told told = {.entry = *entry};
	struct description description;
	const struct identity *identity = &description.identity;
	int error = -ENOMEM;

	if (!entry->is_new)
		return add(journal, &told, needed, false);
	describe(journal, recipe, task, &description);
	told.command = identity->command;
	told.input = identity->input;
	told.entry.key = identity->key;
	told.entry.command_bytes = (uint32_t)identity->command_bytes;
	told.entry.has_input = identity->input != NULL;
	told.entry.input_bytes = (uint32_t)identity->input_bytes;
	if (!description.command.failed && !description.input.failed)
		error = add(journal, &told, needed, false);
	finish_description(&description);
	return error;
}

int journal_begin(struct journal *journal, const struct recipe *recipe,
	struct task *task, unsigned slot)
{
	struct entry entry;
	int error;

	if (!journal)
		return 0;
	entry = entry_of(ENTRY_BEGIN, task);
	entry.slot = slot;
	entry.started_us = now_ns(CLOCK_REALTIME) / 1000;
	error = add_described(journal, recipe, task, &entry, true);
	if (!error)
		task->in_journal = true;
	return error ? -ECANCELED : 0;
}

static void note_outcome(
	struct entry *entry, const struct leat_outcome *outcome, bool counts_bytes)
{
	entry->exit =
		outcome->end == LEAT_SIGNALED ? -1 : account_status(outcome, 0);
	entry->signal = outcome->end == LEAT_SIGNALED ? outcome->code : 0;
	entry->error = outcome->end == LEAT_NOT_STARTED ? outcome->code : 0;
	entry->elapsed_ns = outcome->elapsed_ns;
	entry->user_ns = outcome->user_ns;
	entry->system_ns = outcome->system_ns;
	entry->peak_kib = outcome->peak_kib;
	entry->out_bytes = counts_bytes ? (int64_t)outcome->out_bytes : -1;
	entry->err_bytes = counts_bytes ? (int64_t)outcome->err_bytes : -1;
}

void journal_end(struct journal *journal, struct task *task,
	const struct leat_outcome *outcome, int error)
{
	struct told told;

	if (!journal)
		return;
	told.entry = entry_of(ENTRY_END, task);
	note_outcome(
		&told.entry, outcome, journal->plan->mode != OUTPUT_STRAIGHT && !error);
	if (error) {
		told.entry.exit = account_status(outcome, error);
		told.entry.error = -error;
	}
	told.entry.is_last = !task->again;
	task->is_recorded = !task->again;
	add(journal, &told, false, journal->plan->sync == SYNC_FULL);
}

void journal_conclude(
	struct journal *journal, const struct recipe *recipe, struct task *task)
{
	struct entry entry;

	if (!journal || !journal->writes || task->is_recorded ||
		(task->in_journal && task->end == TASK_UNRUN))
		return;
	entry = entry_of(ENTRY_OUTCOME, task);
	add_described(journal, recipe, task, &entry, false);
}
