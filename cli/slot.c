#include "slot.h"

#include "color.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define VARIABLE_BYTES 40

extern char **environ;

enum variable { VARIABLE_PID, VARIABLE_SEQ, VARIABLE_ATTEMPT, VARIABLE_SLOT, VARIABLES };

struct slot {
	struct surroundings *surroundings;
	unsigned number;
	struct task_output *output;
	struct command command;
	struct leat_warm *warm; //< a shell that stays; NULL: none does
	bool had_shell;         //< a command of its was run by a shell
	bool tagged;            //< its task's output has its tag, if there is to be one
	char variables[VARIABLES][VARIABLE_BYTES];
	const char *mark[VARIABLE_SLOT + 1]; //< those before VARIABLE_SLOT: one attempt's
	const char **environment;
	struct text more; //< of the environment: what the plan adds
	struct text directory;
	int record_fd; //< what a task reads; -1: nothing of its own
	bool in_room;
	int token; //< of the jobserver
};

// POSIX, 3.216: letters, digits and underscores, no digit first.
static bool is_name(const char *entry)
{
	size_t length = strcspn(entry, "=");

	if (!length || isdigit((unsigned char)*entry))
		return false;
	for (size_t index = 0; index < length; index++)
		if (!isalnum((unsigned char)entry[index]) && entry[index] != '_')
			return false;
	return true;
}

static bool is_own(const char *entry)
{
	static const char *const names[] = {
		"LEAT_PID=", "LEAT_SEQ=", "LEAT_ATTEMPT=", "LEAT_SLOT="};

	for (size_t index = 0; index < VARIABLES; index++)
		if (strncmp(entry, names[index], strlen(names[index])) == 0)
			return true;
	return false;
}

static bool names_the_same(const char *entry, const char *other)
{
	return strncmp(entry, other, strcspn(other, "=") + 1) == 0;
}

// Whether the plan has a value of its own for it.
static bool is_replaced(const struct plan *plan, const char *entry)
{
	for (size_t index = 0; index < plan->variable_count; index++)
		if (names_the_same(entry, plan->variables[index]))
			return true;
	return false;
}

// NULL: the jobserver has none, or the plan one of its own.
static const char *jobserver_entry(const struct surroundings *surroundings)
{
	const char *entry = jobserver_variable(surroundings->jobserver);

	return entry && !is_replaced(surroundings->plan, entry) ? entry : NULL;
}

int surroundings_init_environment(struct surroundings *surroundings)
{
	const char *served = jobserver_entry(surroundings);
	size_t count = 0;

	while (environ[count])
		count++;
	surroundings->environment = calloc(count + 2, sizeof *surroundings->environment);
	if (!surroundings->environment)
		return -ENOMEM;
	count = 0;
	for (char **entry = environ; *entry; entry++)
		if (!is_own(*entry) && !is_replaced(surroundings->plan, *entry) &&
			!(served && names_the_same(*entry, served)) &&
			(!surroundings->shell.direct || is_name(*entry)))
			surroundings->environment[count++] = *entry;
	if (served)
		surroundings->environment[count++] = served;
	surroundings->environment_count = count;
	return 0;
}

size_t surroundings_environment_bytes(const struct surroundings *surroundings)
{
	size_t bytes = (size_t)VARIABLES * VARIABLE_BYTES;

	for (size_t index = 0; index < surroundings->environment_count; index++)
		bytes += strlen(surroundings->environment[index]) + 1 + sizeof(char *);
	return bytes;
}

void surroundings_finish(struct surroundings *surroundings)
{
	free(surroundings->environment);
}

int surroundings_await_room(const struct surroundings *surroundings, int error)
{
	uint64_t activity = leat_family_activity(surroundings->family);

	if (error != -ENOMEM && error != -EMFILE && error != -ENFILE)
		return error;
	if (leat_context_cause(surroundings->intake))
		return -ECANCELED;
	// Two changes are those of a try of the caller's own, which there was none of.
	return leat_family_await_room(surroundings->family, activity - 2) ? 0 : error;
}

static int fill_environment(struct slot *slot)
{
	const struct surroundings *surroundings = slot->surroundings;
	size_t count = surroundings->environment_count;

	slot->environment =
		calloc(count + VARIABLES + surroundings->plan->variable_count + 1,
			sizeof *slot->environment);
	if (!slot->environment)
		return -ENOMEM;
	memcpy(slot->environment, surroundings->environment,
		count * sizeof *slot->environment);
	for (int index = 0; index < VARIABLES; index++)
		slot->environment[count + (size_t)index] = slot->variables[index];
	for (int index = 0; index < VARIABLE_SLOT; index++)
		slot->mark[index] = slot->variables[index];
	return 0;
}

int slot_create(struct slot **result, struct surroundings *surroundings, unsigned number)
{
	struct slot *slot = calloc(1, sizeof *slot);
	int error;

	if (!slot)
		return -ENOMEM;
	slot->surroundings = surroundings;
	slot->number = number;
	slot->record_fd = -1;
	slot->token = JOBSERVER_NO_TOKEN;
	command_init(&slot->command);
	snprintf(slot->variables[VARIABLE_SLOT], VARIABLE_BYTES, "LEAT_SLOT=%u", number);
	snprintf(slot->variables[VARIABLE_PID], VARIABLE_BYTES, "LEAT_PID=%d",
		(int)getpid());
	error = fill_environment(slot);
	if (!error)
		error = task_output_create(&slot->output, surroundings->output);
	if (error)
		slot_destroy(slot);
	else
		*result = slot;
	return error;
}

unsigned slot_number(const struct slot *slot)
{
	return slot->number;
}

void slot_destroy(struct slot *slot)
{
	if (!slot)
		return;
	leat_warm_destroy(slot->warm);
	task_output_destroy(slot->output);
	command_finish(&slot->command);
	text_finish(&slot->more);
	text_finish(&slot->directory);
	free(slot->environment);
	free(slot);
}

// Tries again as long as somebody may make room.
static int start_and_wait(struct slot *slot, struct task *task,
	const struct leat_spec *spec, struct leat_outcome *outcome)
{
	struct surroundings *surroundings = slot->surroundings;
	struct leat_control control = surroundings->control;

	control.argument = task;
	for (;;) {
		uint64_t activity = leat_family_activity(surroundings->family);
		bool gave_up_reserve = atomic_load(&surroundings->no_reserve);
		int error = leat_child_run(surroundings->family, spec, &control,
			task_output_out(slot->output), task_output_err(slot->output),
			outcome);

		if (!error)
			return 0;
		if (!leat_family_await_room(surroundings->family, activity)) {
			if (error != -EAGAIN || gave_up_reserve)
				return error;
			leat_pool_make_room(surroundings->pool);
			atomic_store(&surroundings->no_reserve, true);
		}
		if (leat_context_cause(surroundings->intake))
			return -ECANCELED;
	}
}

// As text_append_shown(), but tabs stay.
static void append_words_shown(struct text *tag, const struct text *words)
{
	const char *at = words->bytes, *end = at + words->length;

	while (at < end) {
		const char *tab = memchr(at, '\t', (size_t)(end - at));

		text_append_shown(tag, at, (size_t)((tab ? tab : end) - at), SIZE_MAX);
		text_append(tag, "\t", tab != NULL);
		at = tab ? tab + 1 : end;
	}
}

// Control characters in it are shown: a newline must not begin a line without a tag.
static void append_tag(const struct slot *slot, const struct task *task, struct text *tag)
{
	const struct surroundings *surroundings = slot->surroundings;
	struct text words = {0};

	if (!recipe_append_tag(surroundings->recipe, task, slot->number, &words))
		return;
	if (surroundings->tag_color)
		text_format(tag, "%s", color_of_task(task->sequence));
	append_words_shown(tag, &words);
	if (surroundings->tag_color)
		text_format(tag, COLOR_OFF);
	text_append(tag, "\t", 1);
	tag->failed |= words.failed;
	text_finish(&words);
}

// False: there is no memory for its tag, without which it must not run.
static bool begin_output(struct slot *slot, const struct task *task)
{
	struct text tag = {0};
	bool begun;

	append_tag(slot, task, &tag);
	begun = task_output_begin(slot->output, task->place, task->sequence, &tag);
	text_finish(&tag);
	return begun;
}

int slot_begin(struct slot *slot, struct task *task)
{
	const struct surroundings *surroundings = slot->surroundings;
	struct text command = {0};
	int fds[2], error = 0;

	slot->tagged = begin_output(slot, task);
	task_output_take_over(slot->output, &task->kept);
	if (surroundings->results.directory_fd < 0)
		return 0;
	recipe_append_command(
		surroundings->recipe, task, slot->number, SIZE_MAX, &command);
	error = results_begin(&surroundings->results, task, &command, fds);
	text_finish(&command);
	if (!error)
		task_output_use_files(slot->output, fds[0], fds[1]);
	return error;
}

static void show_command(const struct slot *slot, const struct task *task)
{
	struct text line = {0}, command = {0};

	if (!slot->surroundings->verbose)
		return;
	recipe_append_command(
		slot->surroundings->recipe, task, slot->number, SIZE_MAX, &command);
	text_append_shown(&line, command.bytes, command.length, SIZE_MAX);
	text_append(&line, "\n", 1);
	output_notice(slot->surroundings->output, &line);
	text_finish(&line);
	text_finish(&command);
}

// The variables that the plan adds, behind leat's own.
static int fill_variables(struct slot *slot, const struct task *task)
{
	const struct surroundings *surroundings = slot->surroundings;
	const char **entry =
		slot->environment + surroundings->environment_count + VARIABLES;
	const char *at;

	slot->more.length = 0;
	recipe_append_variables(surroundings->recipe, task, slot->number, &slot->more);
	if (slot->more.failed)
		return -ENOMEM;
	at = slot->more.bytes;
	for (size_t index = 0; index < surroundings->plan->variable_count; index++) {
		*entry++ = at;
		at += strlen(at) + 1;
	}
	return 0;
}

static int write_record(int fd, const struct recipe *recipe, const struct task *task)
{
	struct text text = {0};
	ssize_t written;
	int error;

	recipe_append_input(recipe, task, &text);
	written = text.failed ? -1 : pwrite(fd, text.bytes, text.length, 0);
	error = written == (ssize_t)text.length ? 0 : -ENOMEM;
	text_finish(&text);
	return error;
}

// The task's standard input; what is not leat's own is in slot->record_fd.
static int open_stdin(struct slot *slot, const struct task *task)
{
	const struct plan *plan = slot->surroundings->plan;
	int error;

	if (plan->standard_input != STDIN_RECORD)
		return 0;
	slot->record_fd = memfd_create("leat record", MFD_CLOEXEC);
	if (slot->record_fd < 0)
		return -errno;
	error = write_record(slot->record_fd, slot->surroundings->recipe, task);
	if (error) {
		close(slot->record_fd);
		slot->record_fd = -1;
	}
	return error;
}

// What of it can't be made shows when it is to be entered.
static void make_path(char *path)
{
	for (char *at = path + 1; *at; at++)
		if (*at == '/') {
			*at = '\0';
			mkdir(path, 0777);
			*at = '/';
		}
	mkdir(path, 0777);
}

// Where the task runs; one that can't be entered is told apart from a missing command.
static int find_directory(struct slot *slot, const struct task *task)
{
	struct stat status;

	slot->directory.length = 0;
	if (!recipe_append_directory(
		    slot->surroundings->recipe, task, slot->number, &slot->directory))
		return 0;
	text_append(&slot->directory, "", 1);
	if (slot->directory.failed)
		return -ENOMEM;
	if (slot->surroundings->plan->makes_directory)
		make_path(slot->directory.bytes);
	if (stat(slot->directory.bytes, &status) < 0 || !S_ISDIR(status.st_mode) ||
		access(slot->directory.bytes, X_OK) < 0)
		return -ENOTDIR;
	return 0;
}

static int enter_room(struct slot *slot)
{
	struct room *room = slot->surroundings->room;
	int error;

	if (!room)
		return jobserver_enter(slot->surroundings->jobserver, &slot->token);
	error = room_enter(room, &slot->token);
	slot->in_room = !error;
	return error;
}

static void leave_room(struct slot *slot)
{
	if (slot->in_room)
		room_leave(slot->surroundings->room);
	slot->in_room = false;
}

static int prepare(struct slot *slot, const struct task *task)
{
	const struct surroundings *surroundings = slot->surroundings;
	int error = fill_variables(slot, task);

	if (!error)
		error = find_directory(slot, task);
	if (!error)
		error = recipe_prepare(surroundings->recipe, &surroundings->shell, task,
			slot->number, &slot->command);
	if (!error)
		error = open_stdin(slot, task);
	if (error)
		command_release(&slot->command);
	return error;
}

int slot_prepare(struct slot *slot, const struct task *task)
{
	int error;

	if (!slot->tagged)
		return -ENOMEM;
	while ((error = prepare(slot, task))) {
		error = surroundings_await_room(slot->surroundings, error);
		if (error)
			return error;
	}
	return enter_room(slot);
}

// A slot that runs one shell command would not make up for it. Without memory each starts
// its own.
static struct leat_warm *need_warm(struct slot *slot)
{
	const struct surroundings *surroundings = slot->surroundings;

	if (!surroundings->plan->warm || slot->command.direct)
		return NULL;
	if (!slot->warm && slot->had_shell)
		leat_warm_create(&slot->warm, surroundings->family);
	slot->had_shell = true;
	return slot->warm;
}

bool slot_cannot_warm(const struct slot *slot)
{
	return slot->warm && leat_warm_is_unfit(slot->warm);
}

// The command stands before what it writes.
static void echo_command(const struct slot *slot, const struct task *task)
{
	struct text line = {0};

	recipe_append_command(
		slot->surroundings->recipe, task, slot->number, SIZE_MAX, &line);
	text_append(&line, "\n", 1);
	if (!line.failed)
		task_output_lead(slot->output, &line);
	text_finish(&line);
}

int slot_run(struct slot *slot, struct task *task, struct leat_outcome *outcome)
{
	const struct surroundings *surroundings = slot->surroundings;
	bool straight = !task_output_out(slot->output);
	int error;
	struct leat_spec spec = {
		.argv = slot->command.argv,
		.program = slot->command.direct ? NULL : surroundings->shell.path,
		.envp = slot->environment,
		.search_path = surroundings->shell.search_path,
		.script_shell = surroundings->shell.path,
		.mark = slot->mark,
		.directory = slot->directory.length ? slot->directory.bytes : NULL,
		.stdin_fd = slot->record_fd >= 0 ? slot->record_fd : STDIN_FILENO,
		.stdout_fd = straight ? STDOUT_FILENO : -1,
		.stderr_fd = straight ? STDERR_FILENO : -1,
		.terminal = surroundings->terminal,
		.warm = need_warm(slot),
		.stays_in_session = surroundings->plan->tty,
	};

	spec.kept_fds = jobserver_fds(surroundings->jobserver, &spec.kept_fd_count);
	snprintf(slot->variables[VARIABLE_SEQ], VARIABLE_BYTES, "LEAT_SEQ=%" PRIu64,
		task->sequence);
	snprintf(slot->variables[VARIABLE_ATTEMPT], VARIABLE_BYTES,
		"LEAT_ATTEMPT=%" PRIu64, task->attempt);
	show_command(slot, task);
	if (surroundings->plan->echoes)
		echo_command(slot, task);
	error = start_and_wait(slot, task, &spec, outcome);
	if (spec.stays_in_session)
		foreground_take_back(
			&surroundings->foreground, outcome->end == LEAT_SIGNALED);
	if (!error && outcome->no_directory)
		error = -ENOTDIR;
	jobserver_leave(surroundings->jobserver, &slot->token);
	leave_room(slot);
	return error;
}

bool slot_has_output(const struct slot *slot, bool err)
{
	return task_output_has_more(slot->output, err);
}

struct text slot_tail(const struct slot *slot, bool err, size_t most)
{
	struct text tail = *task_output_tail(slot->output, err);

	if (tail.length > most) {
		tail.bytes += tail.length - most;
		tail.length = most;
	}
	return tail;
}

int slot_end(struct slot *slot, struct task *task, const struct leat_outcome *outcome,
	const struct frame *frame, void *receipt)
{
	const struct surroundings *surroundings = slot->surroundings;
	int result = 0;

	jobserver_leave(surroundings->jobserver, &slot->token);
	leave_room(slot); // prepared, it was perhaps not run
	if (slot->record_fd >= 0)
		close(slot->record_fd);
	slot->record_fd = -1;
	command_release(&slot->command);
	if (surroundings->results.directory_fd >= 0)
		result = results_end(&surroundings->results, task, outcome,
			surroundings->control.timeout_ns);
	if (task->again)
		task_output_pause(slot->output, frame, &task->kept);
	else
		task_output_end(slot->output, frame, receipt);
	return result;
}
