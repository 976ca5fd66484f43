/*
 * xargs, as GNU findutils has it. What differs: a task is a session of its own, and the
 * options of leat's that stand at the table's end.
 */
#include "front/front.h"

#include "account.h"
#include "front/parser.h"
#include "leat.h"
#include "message.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COMMAND_BYTES 131072 // what GNU xargs takes where -s is not given

extern char **environ;

enum { STATUS_TROUBLE = 1, STATUS_FAILED = 123, STATUS_255, STATUS_SIGNAL };

/* ---- numbers ---- */

static const char *parse_count(const char *value, long least, uint64_t *count)
{
	char *end;
	long number;

	errno = 0;
	number = strtol(value, &end, 10);
	*count = (uint64_t)number;
	return !*value || *end || errno || number < least ? "a number" : NULL;
}

// The last of -I, -L and -n rules.
static void overrule(struct plan *plan, const char *name)
{
	const char *other = plan->braces && strcmp(name, "-I") != 0             ? "-I"
			    : plan->batching.lines && strcmp(name, "-L") != 0   ? "-L"
			    : plan->batching.records && strcmp(name, "-n") != 0 ? "-n"
										: NULL;

	if (other)
		message("%s means nothing before %s", other, name);
	plan->braces = NULL;
	plan->batching.records = plan->batching.lines = 0;
}

static const char *set_max_args(struct plan *plan, const char *value)
{
	uint64_t count;
	const char *takes = parse_count(value, 1, &count);

	if (takes || (plan->braces && count == 1)) // -I means -n1 anyway
		return takes;
	overrule(plan, "-n");
	plan->batching.records = count;
	return NULL;
}

static const char *set_max_lines(struct plan *plan, const char *value)
{
	overrule(plan, "-L");
	return parse_count(value ? value : "1", 1, &plan->batching.lines);
}

static const char *set_replace(struct plan *plan, const char *value)
{
	overrule(plan, "-I");
	plan->braces = value ? value : "{}";
	return *plan->braces ? NULL : "a text that is replaced";
}

static const char *set_max_chars(struct plan *plan, const char *value)
{
	const char *takes = parse_count(value, LONG_MIN, &plan->batching.bytes);

	if (takes && errno != ERANGE)
		return takes;
	if ((long)plan->batching.bytes < 1) {
		message("-s takes a number from 1, not '%s'", value);
		plan->batching.bytes = 1;
	}
	return NULL;
}

static const char *set_max_procs(struct plan *plan, const char *value)
{
	uint64_t count;
	const char *takes = parse_count(value, 0, &count);

	if (takes || count > INT_MAX)
		return "a number of processes, or 0 for as many as possible";
	plan->jobs.kind = count ? JOBS_NUMBER : JOBS_MOST;
	plan->jobs.number = (unsigned)count;
	return NULL;
}

/* ---- the rest of the values ---- */

// As in the C language: also \a and its kin, and octal.
static const char *set_delimiter(struct plan *plan, const char *value)
{
	const char *names = "abfv", *bytes = "\a\b\f\v";
	const char *named = value[0] == '\\' && value[1] ? strchr(names, value[1]) : NULL;
	bool hex = value[0] == '\\' && value[1] == 'x';
	long code = 0;
	char *end = (char *)value;

	if (!apply_delimiter(plan, value))
		return NULL;
	plan->splitting.kind = SPLIT_DELIMITER;
	if (named && !value[2]) {
		plan->splitting.delimiter = bytes[named - names];
		return NULL;
	}
	if (value[0] == '\\' && value[1])
		code = strtol(value + 1 + hex, &end, hex ? 16 : 8);
	if (*end || end == value || code > 255)
		return "one character, or an escape as in C";
	plan->splitting.delimiter = (char)code;
	return NULL;
}

static const char *set_arg_file(struct plan *plan, const char *value)
{
	plan->arg_files[0] = value;
	plan->arg_file_count = 1;
	return NULL;
}

static const char *set_slot_variable(struct plan *plan, const char *value)
{
	char *entry;

	if (!*value || strchr(value, '='))
		return "the name of a variable";
	if (asprintf(&entry, "%s={%%}", value) < 0)
		return "less memory";
	free(plan->owned); // of the same option, given before
	plan->owned = entry;
	plan->variables[0] = entry;
	plan->variable_count = 1;
	return NULL;
}

static const char *set_open_tty(struct plan *plan, const char *value)
{
	(void)value;
	plan->standard_input = STDIN_TERMINAL;
	plan->tty = true;
	return NULL;
}

static size_t environment_bytes(void)
{
	size_t bytes = 0;

	for (char **entry = environ; *entry; entry++)
		bytes += strlen(*entry) + 1;
	return bytes;
}

static const char *show_limits(struct plan *plan, const char *value)
{
	(void)plan;
	(void)value;
	message("the environment takes %zu bytes; execve(2) takes %ld in all, 131072 in "
		"one "
		"argument; a command takes %d unless -s says otherwise",
		environment_bytes(), sysconf(_SC_ARG_MAX), COMMAND_BYTES);
	return NULL;
}

static const char *set_group(struct plan *plan, const char *value)
{
	(void)value;
	plan->ungroup = false;
	return NULL;
}

#define HEADING(words)                                                                   \
	{                                                                                \
		0, NULL, NULL, words, FLAG, 0, NULL, false                               \
	}

static const struct option table[] = {
	HEADING("Input"),
	{'0', "null", NULL, "items end at a NUL byte", OTHER, 0, apply_null, false},
	{'a', "arg-file", "FILE", "read items from FILE", OTHER, 0, set_arg_file, false},
	{'d', "delimiter", "C", "items end at C, nothing is quoted", OTHER, 0,
		set_delimiter, false},
	{'E', NULL, "END", "the input ends at this item", OTHER, 0, apply_end, false},
	{'e', "eof", "END", "the same; without END: at none", OTHER, 0, apply_end, true},
	HEADING("Command"),
	{'I', NULL, "R", "each line replaces R in the arguments", OTHER, 0, set_replace,
		false},
	{'i', "replace", "R", "the same; without R: {}", OTHER, 0, set_replace, true},
	{'L', NULL, "N", "N lines for each command", OTHER, 0, set_max_lines, false},
	{'l', "max-lines", "N", "the same; without N: one", OTHER, 0, set_max_lines,
		true},
	{'n', "max-args", "N", "at most N items for each command", OTHER, 0, set_max_args,
		false},
	{'s', "max-chars", "N", "at most N bytes for each command", OTHER, 0,
		set_max_chars, false},
	{'x', "exit", NULL, "end where that is too little", FLAG, FIELD(exits_too_large),
		NULL, false},
	{'r', "no-run-if-empty", NULL, "without items, run nothing", FLAG,
		FIELD(skips_empty_run), NULL, false},
	HEADING("Running"),
	{'P', "max-procs", "N", "run N at once (1; 0: as many as possible)", OTHER, 0,
		set_max_procs, false},
	{0, "process-slot-var", "NAME", "a variable that tells the slot, from 0", OTHER,
		0, set_slot_variable, false},
	{'p', "interactive", NULL, "ask before each command", FLAG, FIELD(asks), NULL,
		false},
	{'t', "verbose", NULL, "show each command as it starts", FLAG, FIELD(verbose),
		NULL, false},
	{'o', "open-tty", NULL, "commands read the terminal", OTHER, 0, set_open_tty,
		false},
	{0, "show-limits", NULL, "show how long a command may be", OTHER, 0, show_limits,
		false},
	HEADING("Beyond xargs"),
	{0, "group", NULL, "the output of each command whole", OTHER, 0, set_group,
		false},
	{'k', "keep-order", NULL, "the same, in the order of the input", FLAG,
		FIELD(keep_order), NULL, false},
	{0, "line-buffer", NULL, "the output by whole lines", FLAG, FIELD(line_buffer),
		NULL, false},
	{0, "timeout", "DUR", "end a command after DUR", DURATION, FIELD(timeout_ns),
		NULL, false},
	{0, "unrun", "FILE", "write the items that were not run to FILE", WORD,
		FIELD(unrun_file), NULL, false},
	{0, "summary", NULL, "say how it went", FLAG, FIELD(summary), NULL, false},
	{0, "help", NULL, "show this", FLAG, FIELD(help), NULL, false},
	{0, "version", NULL, "show the version", FLAG, FIELD(version), NULL, false},
};

static const struct grammar grammar = {
	.tool = "leat --as xargs",
	.table = table,
	.count = sizeof table / sizeof *table,
	.abbreviates = true,
};

/* ---- how it goes ---- */

// What account->front remembers: the status that ended the run, and whether any failed.
#define FAILED_MARK 0x100U

static int status_that_ends(const struct leat_outcome *outcome)
{
	switch (outcome->end) {
	case LEAT_NOT_STARTED:
		return outcome->code == ENOENT ? 127 : 126;
	case LEAT_SIGNALED:
		return STATUS_SIGNAL;
	case LEAT_EXITED:
		break;
	}
	return outcome->code == 255 ? STATUS_255 : 0;
}

static bool judge(
	struct account *account, const struct leat_outcome *outcome, bool *tells)
{
	bool by_itself = outcome->ended_by == LEAT_BY_ITSELF;
	int status = by_itself ? status_that_ends(outcome) : 0;
	bool failed = !by_itself || outcome->end != LEAT_EXITED || outcome->code != 0;

	if (status)
		atomic_fetch_or(&account->front, (unsigned)status);
	else if (failed)
		atomic_fetch_or(&account->front, FAILED_MARK);
	*tells = status != 0;
	return *tells;
}

static int exit_status(const struct account *account)
{
	unsigned front = atomic_load(&account->front);
	int status = (int)(front & 0xFF);

	if (status == STATUS_255 || status == STATUS_SIGNAL)
		return status;
	if (front & FAILED_MARK)
		return STATUS_FAILED;
	if (!status && atomic_load(&account->leat_trouble))
		return STATUS_TROUBLE;
	return status;
}

static const struct front_rules rules = {exit_status, judge};

/* ---- the plan ---- */

static void resolve_splitting(struct plan *plan)
{
	struct splitting *splitting = &plan->splitting;

	splitting->cuts_at_nul = splitting->delimiter != '\0';
	if (splitting->kind == SPLIT_DELIMITER) {
		if (splitting->end_record)
			message("-E means nothing with -0 or -d");
		splitting->end_record = NULL;
	} else if (plan->braces) {
		splitting->kind = SPLIT_LINES;
	}
}

static void resolve_batching(struct plan *plan)
{
	struct batching *batching = &plan->batching;
	bool counts = batching->records || batching->lines;

	if (!batching->bytes)
		batching->bytes = COMMAND_BYTES;
	plan->splitting.longest = batching->bytes;
	batching->too_large =
		batching->lines || plan->braces || (plan->exits_too_large && counts)
			? ALL_MUST_FIT
		: plan->exits_too_large ? TOO_LARGE_STOPS_AT_ONCE
					: TOO_LARGE_STOPS;
	batching->runs_if_empty = !plan->skips_empty_run && !plan->braces;
	if (plan->braces)
		batching->records = 1;
}

static void resolve_output(struct plan *plan)
{
	plan->mode = plan->keep_order    ? OUTPUT_KEEP
		     : plan->line_buffer ? OUTPUT_LINES
		     : plan->ungroup     ? OUTPUT_STRAIGHT
					 : OUTPUT_GROUP;
	plan->quiet = !plan->summary;
}

int front_xargs(struct plan *plan, struct words words)
{
	static const char *echo = "echo";
	int error;

	plan->splitting.kind = SPLIT_WORDS;
	plan->jobs = (struct jobs){JOBS_NUMBER, 1};
	plan->command = COMMAND_PROGRAM;
	plan->repeats = false;
	plan->first_slot = 0;
	plan->ungroup = plan->no_progress = plan->terminate_on_interrupt = true;
	plan->rules = &rules;
	error = parse_options(&grammar, plan, &words);
	if (error)
		return error;
	while (words.at < words.end)
		plan->words[plan->word_count++] = *words.at++;
	if (!plan->word_count)
		plan->words[plan->word_count++] = echo;
	plan->name_is_fixed = true;
	plan->templates = plan->braces ? TEMPLATE_BRACES : TEMPLATE_NONE;
	if (plan->arg_file_count && strcmp(plan->arg_files[0], "-") != 0 &&
		plan->standard_input == STDIN_NULL)
		plan->standard_input = STDIN_INHERIT;
	if (plan->arg_file_count)
		plan->sources[plan->source_count++] =
			(struct source){SOURCE_FILES, plan->arg_files, 1, false};
	resolve_splitting(plan);
	resolve_batching(plan);
	resolve_output(plan);
	return 0;
}

void front_xargs_help(void)
{
	printf("Usage: leat --as xargs [OPTION...] [COMMAND [ARG...]]\n");
	print_options(&grammar);
}
