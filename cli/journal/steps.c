/*
 * The steps of a task, as the journal is told of them.
 *
 * The thread that reads gives it its row, in the order of the input. Its worker tells of
 * each attempt before it starts. When that has ended the worker makes a receipt, which
 * travels with the output, maybe to another task's thread: the attempt's end is told when
 * the output has come out. So what is done has been seen; a leat that is killed with
 * output in its hands runs those tasks again.
 */
#include "journal/inside.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

// The slot is not known beforehand, and is 1 here, as for --dry-run.
static void describe(struct journal *journal, const struct recipe *recipe,
	const struct task *task, struct description *description)
{
	bool with_input = needs_input(journal->plan);

	*description = (struct description){0};
	text_append(&description->command, "", 0);
	recipe_append_command(recipe, task, 1, SIZE_MAX, &description->command);
	if (with_input)
		recipe_append_input(recipe, task, &description->input);
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

static bool is_whole(const struct description *description)
{
	return !description->command.failed && !description->input.failed;
}

static void break_journal(struct journal *journal, const char *words)
{
	if (journal->writer)
		writer_break(journal->writer, words);
	else
		journal->events.broken(journal->events.argument, words);
}

// Nothing is known of the task where that can't be found out: the journal is of no use
// then, and nothing is begun any more.
static void look_up(struct journal *journal, const struct description *description,
	struct known *known)
{
	int error = is_whole(description)
			    ? find_next(journal->find, &description->identity, known)
			    : -ENOMEM;

	if (!error)
		return;
	*known = (struct known){0};
	break_journal(
		journal, error == -ENOMEM ? "out of memory" : find_words(journal->find));
}

bool journal_enter(
	struct journal *journal, const struct recipe *recipe, struct task *task)
{
	struct known known = {0};

	if (journal && journal->find) {
		struct description description;

		describe(journal, recipe, task, &description);
		look_up(journal, &description, &known);
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
		.kind = (uint16_t)kind,
		.row = task->row,
		.sequence = task->sequence,
		.attempt = (uint32_t)task->attempt,
		.outcome = (uint32_t)task->end,
		.is_new = !task->in_journal,
	};
}

// With the texts, where the journal does not have them. Errors: -ECANCELED: the journal
// is broken; and where that is `needed`, -ENOMEM.
static int add_described(struct journal *journal, const struct recipe *recipe,
	const struct task *task, struct entry *entry, bool needed)
{
	struct told told = {.entry = *entry};
	struct description description;
	const struct identity *identity = &description.identity;
	int error = 0;

	if (!entry->is_new)
		return writer_add(journal->writer, &told, needed) ? -ECANCELED : 0;
	describe(journal, recipe, task, &description);
	told.command = identity->command;
	told.input = identity->input;
	told.entry.key = identity->key;
	told.entry.command_bytes = (uint32_t)identity->command_bytes;
	told.entry.has_input = identity->input != NULL;
	told.entry.input_bytes = (uint32_t)identity->input_bytes;
	if (is_whole(&description))
		error = writer_add(journal->writer, &told, needed) ? -ECANCELED : 0;
	else if (needed)
		error = -ENOMEM;
	else
		break_journal(journal, "out of memory");
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
	entry.started_us = task->started_us;
	error = add_described(journal, recipe, task, &entry, true);
	if (!error)
		task->in_journal = true;
	return error;
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

// Ended by the run's deadline, it is to be run again, as what leat canceled is.
static bool is_done(const struct task *task, const struct leat_outcome *outcome)
{
	return task->end <= TASK_TIMED_OUT && outcome->ended_by != LEAT_BY_DEADLINE;
}

void *journal_end(struct journal *journal, struct task *task,
	const struct leat_outcome *outcome, int error)
{
	struct told *told;

	if (!journal)
		return NULL;
	task->is_recorded = !task->again;
	told = calloc(1, sizeof *told);
	if (!told) {
		break_journal(journal, "out of memory");
		return NULL;
	}
	told->entry = entry_of(ENTRY_END, task);
	note_outcome(
		&told->entry, outcome, journal->plan->mode != OUTPUT_STRAIGHT && !error);
	if (error) {
		told->entry.exit = account_status(outcome, error);
		told->entry.error = -error;
	}
	told->entry.is_last = !task->again;
	told->entry.is_done = is_done(task, outcome);
	return told;
}

void journal_deliver(struct journal *journal, void *receipt, bool whole)
{
	struct told *told = receipt;

	if (!told)
		return;
	if (!whole) // it may even have failed for that very reason
		told->entry.is_done = false;
	writer_add(journal->writer, told, false);
	free(told);
}

void journal_settle(struct journal *journal)
{
	if (journal && journal->plan->sync == SYNC_FULL)
		writer_settle(journal->writer);
}

void journal_conclude(
	struct journal *journal, const struct recipe *recipe, struct task *task)
{
	struct entry entry;

	if (!journal || !journal->writer || task->is_recorded ||
		(task->in_journal && task->end == TASK_UNRUN))
		return;
	entry = entry_of(ENTRY_OUTCOME, task);
	entry.is_done = !task->in_journal && task->end == TASK_FAILED;
	add_described(journal, recipe, task, &entry, false);
}
