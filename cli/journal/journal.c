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
#include "journal/journal.h"

#include "exit_status.h"
#include "journal/find.h"
#include "journal/store.h"
#include "journal/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct journal {
	const struct plan *plan;
	struct tail *tail; //< NULL: nothing is written
	struct store *store;
	struct find *find;     //< NULL: no task is known
	struct writer *writer; //< NULL: nothing is written
	uint64_t last_row;
	uint64_t failed_before;
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
	tail_begin(journal->tail, store_id(store), store_ticket(store));
	return EXIT_ALL_OK;
}

static int start_writer(struct journal *journal, const struct journal_events *events)
{
	struct writer_settings settings = {
		.name = journal->plan->journal,
		.store = journal->store,
		.tail = journal->tail,
		.argument = events->argument,
		.broken = events->broken,
	};
	int error = writer_start(&journal->writer, &settings);

	if (error)
		refuse(journal->plan, "%s", strerror(-error));
	return error ? EXIT_LEAT_TROUBLE : EXIT_ALL_OK;
}

static int open_for_writing(struct journal *journal, const struct journal_events *events)
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
	if (!status)
		status = start_writer(journal, events);
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
	free(journal);
}

static struct journal *create(const struct plan *plan)
{
	struct journal *journal = calloc(1, sizeof *journal);

	if (!journal) {
		refuse(plan, "out of memory");
		return NULL;
	}
	journal->plan = plan;
	return journal;
}

int journal_open(struct journal **result, const struct plan *plan,
	const struct journal_events *events)
{
	struct journal *journal = create(plan);
	int status = journal ? open_for_writing(journal, events) : EXIT_LEAT_TROUBLE;

	*result = status ? NULL : journal;
	if (status && journal)
		destroy(journal, false);
	return status;
}

int journal_open_for_looking(struct journal **result, const struct plan *plan)
{
	struct journal *journal = create(plan);
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

// The tail stays as long as a guardian holds it.
static void recover(const struct plan *plan)
{
	struct journal journal = {.plan = plan};
	bool is_whole;
	pid_t holder;

	if (access(plan->journal, W_OK) < 0 ||
		tail_open(&journal.tail, plan->journal, false, &holder) < 0)
		return;
	is_whole = !open_store(&journal, true) && !take_over(&journal) &&
		   tail_lock_guard(journal.tail, false);
	if (is_whole)
		store_settle(journal.store);
	store_close(journal.store);
	tail_close(journal.tail, is_whole);
}

int journal_open_to_read(struct store **result, const struct plan *plan)
{
	struct journal journal = {.plan = plan};
	enum store_state state;
	int status = look(plan, &state);

	*result = NULL;
	if (!status && state == STORE_EMPTY) {
		refuse(plan, "%s", "there is none");
		status = EXIT_LEAT_TROUBLE;
	}
	if (!status) {
		recover(plan);
		status = open_store(&journal, false);
	}
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
	else if (!end->removed)
		message("what %s lacks is in %s-tail; the next leat --journal %s takes "
			"it over",
			name, name, name);
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
		error = end.is_whole && !end.removed
				? end_run(journal, account, elapsed_ns, status)
				: -EIO;
	}
	destroy(journal, end.is_whole);
	return error;
}

int journal_guard_fd(const struct journal *journal)
{
	return journal && journal->tail ? tail_guard_fd(journal->tail) : -1;
}

/* ---- tasks ---- */

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
	if (!find_next(journal->find, identity, known))
		return;
	*known = (struct known){0};
	if (journal->writer)
		writer_break(journal->writer, find_words(journal->find));
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

static int64_t wall_clock_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
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
		return writer_add(journal->writer, &told, needed, false);
	describe(journal, recipe, task, &description);
	told.command = identity->command;
	told.input = identity->input;
	told.entry.key = identity->key;
	told.entry.command_bytes = (uint32_t)identity->command_bytes;
	told.entry.has_input = identity->input != NULL;
	told.entry.input_bytes = (uint32_t)identity->input_bytes;
	if (!description.command.failed && !description.input.failed)
		error = writer_add(journal->writer, &told, needed, false);
	finish_description(&description);
	return error;
}

int journal_begin(struct journal *journal, const struct recipe *recipe, struct task *task,
	unsigned slot)
{
	struct entry entry;
	int error;

	if (!journal)
		return 0;
	entry = entry_of(ENTRY_BEGIN, task);
	entry.slot = slot;
	entry.started_us = wall_clock_us();
	error = add_described(journal, recipe, task, &entry, true);
	if (!error)
		task->in_journal = true;
	return error ? -ECANCELED : 0;
}

static void note_outcome(
	struct entry *entry, const struct leat_outcome *outcome, bool counts_bytes)
{
	entry->exit = outcome->end == LEAT_SIGNALED ? -1 : account_status(outcome, 0);
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
	writer_add(journal->writer, &told, false, journal->plan->sync == SYNC_FULL);
}

void journal_conclude(
	struct journal *journal, const struct recipe *recipe, struct task *task)
{
	struct entry entry;

	if (!journal || !journal->writer || task->is_recorded ||
		(task->in_journal && task->end == TASK_UNRUN))
		return;
	entry = entry_of(ENTRY_OUTCOME, task);
	add_described(journal, recipe, task, &entry, false);
}
