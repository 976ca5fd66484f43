/*
 * The one table of options. The parser, --help and the checks against the man page
 * and the completions (.ci/check-options) read it; a new option is one row here.
 */
#include "options.h"

#include "duration.h"
#include "leat.h"
#include "message.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct option {
	char letter; //< '\0': none
	const char *name;
	const char *value; //< what it takes, NULL: nothing
	const char *help;
	enum { FLAG, DURATION, WORD, OTHER } kind;
	size_t offset; //< FLAG, DURATION, WORD: of the field
	// OTHER: takes the value; returns what the option takes, if this is not it
	const char *(*apply)(struct options *options, const char *value);
};

static const char *set_null(struct options *options, const char *value)
{
	(void)value;
	options->delimiter = '\0';
	options->lines = false;
	return NULL;
}

static int hex_digit(char c)
{
	const char *digits = "0123456789abcdef0123456789ABCDEF";
	const char *found = c ? strchr(digits, c) : NULL;

	return found ? (int)(found - digits) % 16 : -1;
}

static const char *set_delimiter(struct options *options, const char *value)
{
	const char *takes = "one character, or \\n, \\t, \\0, \\xHH";
	const char *names = "nt0r\\", *bytes = "\n\t\0\r\\";
	const char *named = value[0] == '\\' && value[1] ? strchr(names, value[1]) : NULL;

	if (value[0] && !value[1])
		options->delimiter = value[0];
	else if (named && !value[2])
		options->delimiter = bytes[named - names];
	else if (strncmp(value, "\\x", 2) == 0 && hex_digit(value[2]) >= 0 &&
		 hex_digit(value[3]) >= 0 && !value[4])
		options->delimiter =
			(char)(hex_digit(value[2]) * 16 + hex_digit(value[3]));
	else
		return takes;
	options->lines = options->delimiter == '\n';
	return NULL;
}

static const char *add_arg_file(struct options *options, const char *value)
{
	options->arg_files[options->arg_file_count++] = value;
	return NULL;
}

static const char *set_jobs(struct options *options, const char *value)
{
	const char *takes = "a number of slots, N%, +N or -N (of the CPUs), or 0 for as "
			    "many as possible";
	struct jobs jobs = {.kind = JOBS_NUMBER};
	char *end;
	long number;

	if (*value == '+' || *value == '-')
		jobs.kind = *value++ == '+' ? JOBS_MORE : JOBS_FEWER;
	if (*value < '0' || *value > '9')
		return takes;
	errno = 0;
	number = strtol(value, &end, 10);
	if (*end == '%' && jobs.kind == JOBS_NUMBER) {
		jobs.kind = JOBS_PERCENT;
		end++;
	}
	if (*end || errno || number > INT_MAX)
		return takes;
	jobs.number = (unsigned)number;
	if (jobs.kind == JOBS_NUMBER && !number)
		jobs.kind = JOBS_MOST;
	options->jobs = jobs;
	return NULL;
}

static const char *set_on_cancel(struct options *options, const char *value)
{
	if (strcmp(value, "drain") != 0 && strcmp(value, "terminate") != 0)
		return "drain or terminate";
	options->terminate_on_interrupt = *value == 't';
	return NULL;
}

static const char *set_color(struct options *options, const char *value)
{
	if (strcmp(value, "auto") == 0)
		options->color = COLOR_AUTO;
	else if (strcmp(value, "always") == 0)
		options->color = COLOR_ALWAYS;
	else if (strcmp(value, "never") == 0)
		options->color = COLOR_NEVER;
	else
		return "auto, always or never";
	return NULL;
}

#define FIELD(name) offsetof(struct options, name)

static const struct option table[] = {
	{0, "Input", NULL, NULL, FLAG, 0, NULL},
	{'a', "arg-file", "FILE", "read tasks from FILE (again for more, - is stdin)",
		OTHER, 0, add_arg_file},
	{'0', "null", NULL, "records end at a NUL byte", OTHER, 0, set_null},
	{'d', "delimiter", "C", "records end at C (also \\n \\t \\0 \\xHH)", OTHER, 0,
		set_delimiter},
	{0, "Running", NULL, NULL, FLAG, 0, NULL},
	{'j', "jobs", "N", "run N at once (N%, +N, -N of the CPUs; 0: as many as", OTHER,
		0, set_jobs},
	{'P', NULL, "N", "possible; default: the usable CPUs)", OTHER, 0, set_jobs},
	{0, "shell", "PATH", "the shell that runs the commands (sh)", WORD, FIELD(shell),
		NULL},
	{0, "timeout", "DUR", "end a task after DUR (10, 1.5s, 200ms, 1h30m)", DURATION,
		FIELD(timeout_ns), NULL},
	{0, "deadline", "DUR", "end the run after DUR", DURATION, FIELD(deadline_ns),
		NULL},
	{0, "kill-after", "DUR", "from SIGTERM to SIGKILL (5s)", DURATION,
		FIELD(kill_after_ns), NULL},
	{0, "linger", "DUR", "wait for output that others hold open (1s)", DURATION,
		FIELD(linger_ns), NULL},
	{0, "on-cancel", "HOW", "Ctrl-C lets running tasks finish: drain, or terminate",
		OTHER, 0, set_on_cancel},
	{0, "drain-timeout", "DUR", "terminate them after DUR", DURATION,
		FIELD(drain_timeout_ns), NULL},
	{0, "Output", NULL, NULL, FLAG, 0, NULL},
	{'k', "keep-order", NULL, "outputs come in the order of the input", FLAG,
		FIELD(keep_order), NULL},
	{0, "line-buffer", NULL, "output comes as it is written, by whole lines", FLAG,
		FIELD(line_buffer), NULL},
	{'u', "ungroup", NULL, "tasks write straight to leat's output", FLAG,
		FIELD(ungroup), NULL},
	{0, "tag", NULL, "each line begins with the task's command and a tab", FLAG,
		FIELD(tag), NULL},
	{0, "tagstring", "T", "or with T: {} command, {#} its number, {%} the slot", WORD,
		FIELD(tag_string), NULL},
	{0, "results", "DIR", "keep what each task wrote in DIR/NUMBER/", WORD,
		FIELD(results), NULL},
	{0, "pty", NULL, "tasks write to terminals of their own (colours!)", FLAG,
		FIELD(pty), NULL},
	{0, "dry-run", NULL, "print the commands, run nothing", FLAG, FIELD(dry_run),
		NULL},
	{'t', "verbose", NULL, "show each command as it starts", FLAG, FIELD(verbose),
		NULL},
	{0, "progress", NULL, "show how far it is, also where that is no terminal", FLAG,
		FIELD(progress), NULL},
	{0, "no-progress", NULL, "never show that", FLAG, FIELD(no_progress), NULL},
	{0, "color", "WHEN", "colours: auto, always or never", OTHER, 0, set_color},
	{0, "Account", NULL, NULL, FLAG, 0, NULL},
	{0, "unrun", "FILE", "write the records that were not run to FILE", WORD,
		FIELD(unrun_file), NULL},
	{0, "summary", NULL, "say how it went, also if all is well", FLAG, FIELD(summary),
		NULL},
	{'q', "quiet", NULL, "say nothing of tasks and how it went", FLAG, FIELD(quiet),
		NULL},
	{0, "help", NULL, "show this", FLAG, FIELD(help), NULL},
	{0, "version", NULL, "show the version", FLAG, FIELD(version), NULL},
};

#define TABLE_END (table + sizeof table / sizeof *table)

static bool is_heading(const struct option *option)
{
	return !option->help;
}

#define SHOWN_ERROR_BYTES 511

static int usage_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

static int usage_error(const char *format, ...)
{
	struct text line = {0}, shown = {0};
	va_list arguments;

	va_start(arguments, format);
	text_format_arguments(&line, format, arguments);
	va_end(arguments);
	text_append_shown(&shown, line.bytes, line.length, SHOWN_ERROR_BYTES);
	message("%s\nleat: 'leat --help' shows the options",
		shown.bytes ? shown.bytes : "out of memory");
	text_finish(&shown);
	text_finish(&line);
	return -EINVAL;
}

static int apply(struct options *options, const struct option *option,
	const char *written, const char *value)
{
	void *field = (char *)options + option->offset;
	const char *takes = NULL;

	switch (option->kind) {
	case FLAG:
		*(bool *)field = true;
		break;
	case WORD:
		*(const char **)field = value;
		takes = *value ? NULL : option->value;
		break;
	case DURATION:
		if (duration_parse(value, field) < 0)
			takes = "a duration such as 10, 1.5s, 200ms, 2m, 1h30m or 7d";
		break;
	case OTHER:
		takes = option->apply(options, value);
		break;
	}
	if (takes)
		return usage_error("%s takes %s, not '%s'", written, takes, value);
	return 0;
}

static size_t minimum(size_t a, size_t b)
{
	return a < b ? a : b;
}

// The Levenshtein distance, of words up to 31 letters.
static size_t distance(const char *a, const char *b)
{
	size_t row[32], length = strlen(b);

	if (strlen(a) > 31 || length > 31)
		return SIZE_MAX;
	for (size_t column = 0; column <= length; column++)
		row[column] = column;
	for (size_t line = 1; a[line - 1]; line++) {
		size_t diagonal = row[0];

		row[0] = line;
		for (size_t column = 1; column <= length; column++) {
			size_t changed = diagonal + (a[line - 1] != b[column - 1]);

			diagonal = row[column];
			row[column] = minimum(
				changed, minimum(row[column], row[column - 1]) + 1);
		}
	}
	return row[length];
}

static int unknown_option(const char *written, const char *name)
{
	const struct option *nearest = NULL;
	size_t least = strlen(name) / 2 + 1;

	for (const struct option *option = table; option < TABLE_END; option++)
		if (!is_heading(option) && option->name) {
			size_t here = strncmp(option->name, name, strlen(name)) == 0
					      ? 0
					      : distance(option->name, name);

			if (here < least) {
				least = here;
				nearest = option;
			}
		}
	if (nearest)
		return usage_error(
			"unknown option %s: did you mean --%s?", written, nearest->name);
	return usage_error("unknown option %s", written);
}

/* Where the parser is. */
struct words {
	char **at, **end;
};

// --name, --name=value, --name value
static int parse_long(struct options *options, struct words *words)
{
	const char *word = *words->at++;
	size_t length = strcspn(word + 2, "=");
	const char *value = word[2 + length] ? word + 3 + length : NULL;
	char written[64];

	snprintf(written, sizeof written, "%.*s", (int)length + 2, word);
	for (const struct option *option = table; option < TABLE_END; option++) {
		if (is_heading(option) || !option->name ||
			strcmp(option->name, written + 2) != 0)
			continue;
		if (!option->value && value)
			return usage_error("%s takes no value", written);
		if (option->value && !value && words->at == words->end)
			return usage_error(
				"%s takes %s, which is missing", written, option->value);
		if (option->value && !value)
			value = *words->at++;
		return apply(options, option, written, value ? value : "");
	}
	return unknown_option(written, written + 2);
}

// -x, -xy, -jN, -j N
static int parse_letters(struct options *options, struct words *words)
{
	const char *letter = *words->at++ + 1;

	for (; *letter; letter++) {
		const struct option *option = table;
		char written[3] = {'-', *letter, '\0'};
		int error;

		while (option < TABLE_END &&
			(is_heading(option) || option->letter != *letter))
			option++;
		if (option == TABLE_END)
			return usage_error("unknown option %s", written);
		if (option->value) {
			const char *value = letter[1] ? letter + 1 : NULL;

			if (!value && words->at == words->end)
				return usage_error("%s takes %s, which is missing",
					written, option->value);
			return apply(
				options, option, written, value ? value : *words->at++);
		}
		error = apply(options, option, written, "");
		if (error)
			return error;
	}
	return 0;
}

static int parse_words(struct options *options, struct words words)
{
	while (words.at < words.end) {
		const char *word = *words.at;
		int error;

		if (strcmp(word, "--") == 0 && ++words.at == words.end)
			return 0;
		if (word[0] != '-' || !word[1] || strcmp(word, "--") == 0)
			return usage_error("unexpected word '%s': commands are read from "
					   "standard input or --arg-file",
				*words.at);
		error = word[1] == '-' ? parse_long(options, &words)
				       : parse_letters(options, &words);
		if (error)
			return error;
	}
	return 0;
}

// What of all that goes by way of leat was asked for; NULL: nothing.
static const char *asked_of_output(const struct options *options)
{
	return options->keep_order    ? "--keep-order"
	       : options->line_buffer ? "--line-buffer"
	       : options->tag         ? "--tag"
	       : options->tag_string  ? "--tagstring"
	       : options->results     ? "--results"
	       : options->pty         ? "--pty"
				      : NULL;
}

// What can't be had at the same time is an error; the rest comes to one mode.
static int resolve_output(struct options *options)
{
	if (options->ungroup && asked_of_output(options))
		return usage_error(
			"--ungroup and %s exclude each other", asked_of_output(options));
	if (options->tag && options->tag_string)
		return usage_error("--tag and --tagstring exclude each other");
	if (options->progress && options->no_progress)
		return usage_error("--progress and --no-progress exclude each other");
	if (options->tag)
		options->tag_string = "{}";
	if (options->keep_order)
		options->mode = OUTPUT_KEEP;
	else if (options->line_buffer)
		options->mode = OUTPUT_LINES;
	else if (options->ungroup)
		options->mode = OUTPUT_STRAIGHT;
	return 0;
}

int options_parse(struct options *options, int argc, char **argv)
{
	int error;

	*options = (struct options){
		.delimiter = '\n',
		.lines = true,
		.timeout_ns = LEAT_NEVER,
		.deadline_ns = LEAT_NEVER,
		.kill_after_ns = 5 * LEAT_SECOND_NS,
		.linger_ns = LEAT_SECOND_NS,
		.drain_timeout_ns = LEAT_NEVER,
	};
	options->arg_files = calloc((size_t)argc + 1, sizeof *options->arg_files);
	if (!options->arg_files) {
		message("out of memory");
		return -ENOMEM;
	}
	error = parse_words(options, (struct words){argv + (argc > 0), argv + argc});
	return error ? error : resolve_output(options);
}

void options_finish(struct options *options)
{
	free(options->arg_files);
}

static void print_option(const struct option *option)
{
	char names[64];

	snprintf(names, sizeof names, "%c%c%s%s%s%s%s", option->letter ? '-' : ' ',
		option->letter ? option->letter : ' ',
		option->letter && option->name ? ", " : "  ", option->name ? "--" : "",
		option->name ? option->name : "", option->value ? " " : "",
		option->value ? option->value : "");
	printf("  %-24s %s\n", names, option->help);
}

void options_print_help(void)
{
	printf("Usage: leat [OPTION...]      every line of standard input is a "
	       "command\n");
	for (const struct option *option = table; option < TABLE_END; option++)
		if (is_heading(option))
			printf("%s\n", option->name);
		else
			print_option(option);
}

unsigned jobs_resolve(const struct jobs *jobs, unsigned cpus, unsigned room)
{
	uint64_t slots = cpus;

	switch (jobs->kind) {
	case JOBS_CPUS:
		break;
	case JOBS_NUMBER:
		slots = jobs->number;
		break;
	case JOBS_PERCENT:
		slots = ((uint64_t)cpus * jobs->number + 50) / 100;
		break;
	case JOBS_MORE:
		slots = (uint64_t)cpus + jobs->number;
		break;
	case JOBS_FEWER:
		slots = jobs->number < cpus ? cpus - jobs->number : 1;
		break;
	case JOBS_MOST:
		slots = room;
		break;
	}
	if (slots > room)
		slots = room;
	return slots ? (unsigned)slots : 1;
}
