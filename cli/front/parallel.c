/*
 * GNU parallel, the part that scripts and CI use: the command is a text, values are
 * quoted in it, a shell runs it. What differs: a task is a session of its own, its tree
 * is ended with it, and Perl is not spoken.
 */
#include "front/front.h"

#include "account.h"
#include "front/parallel_text.h"
#include "front/parser.h"
#include "front/retry_failed.h"
#include "leat.h"
#include "message.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COMPATIBLE_VERSION 20221122
#define COMMAND_BYTES 131000 // a command of GNU parallel's with -X, roughly
#define FAILED_MOST 101

enum { STATUS_TROUBLE = 255 };

/* ---- what values of options mean ---- */

// Returns the number, or -1.
static long parse_count(const char *value)
{
	char *end;
	long count;

	errno = 0;
	count = strtol(value, &end, 10);
	return *value < '0' || *value > '9' || *end || errno ? -1 : count;
}

static const char *set_batch(struct plan *plan, const char *value, bool repeats)
{
	long count = parse_count(value);

	if (count < 0)
		return "a number of values";
	plan->batching.records = count ? (uint64_t)count : 1;
	plan->batching.without_values = !count;
	if (!plan->batching.fill)
		plan->repeats = repeats;
	return NULL;
}

static const char *set_joblog(struct plan *plan, const char *value)
{
	plan->joblog_appends = *value == '+';
	plan->joblog = value + plan->joblog_appends;
	return *plan->joblog ? NULL : "a file";
}

static const char *set_max_args(struct plan *plan, const char *value)
{
	return set_batch(plan, value, false);
}

static const char *set_replace_args(struct plan *plan, const char *value)
{
	return set_batch(plan, value, true);
}

static const char *set_lines(struct plan *plan, const char *value)
{
	long count = parse_count(value ? value : "1");

	if (count < 1)
		return "a number of lines";
	plan->batching.lines = (uint64_t)count;
	plan->splitting.blank_continues = true;
	plan->repeats = true;
	return NULL;
}

static const char *fill(struct plan *plan, bool repeats, bool spreads)
{
	plan->batching.fill = true;
	plan->batching.spread = spreads ? SPREAD_SHARES : SPREAD_NONE;
	plan->repeats = repeats;
	return NULL;
}

static const char *set_context(struct plan *plan, const char *value)
{
	(void)value;
	return fill(plan, true, true);
}

static const char *set_multiple(struct plan *plan, const char *value)
{
	(void)value;
	return fill(plan, false, true);
}

static const char *set_xargs(struct plan *plan, const char *value)
{
	(void)value;
	return fill(plan, false, false);
}

static const char *set_header(struct plan *plan, const char *value)
{
	plan->header = true;
	return strcmp(value, ":") == 0 ? NULL : ": alone, the first line as names";
}

static const char *set_column_separator(struct plan *plan, const char *value)
{
	free(plan->owned_pattern);
	plan->owned_pattern = parallel_pattern(value);
	plan->column_separator = plan->owned_pattern;
	plan->column_pattern = true;
	return plan->owned_pattern
		       ? NULL
		       : "an extended regular expression, also with \\s \\d \\w \\t";
}

static const char *set_trim(struct plan *plan, const char *value)
{
	plan->trims = true;
	return apply_trim(plan, value);
}

static const char *set_replacement(struct plan *plan, const char *value)
{
	plan->braces = value;
	return !value || *value ? NULL : "a text that stands for {}";
}

// With \t for a tab.
static const char *set_tag_string(struct plan *plan, const char *value)
{
	struct text text = {0};

	for (; *value; value++) {
		bool tab = value[0] == '\\' && value[1] == 't';

		text_append(&text, tab ? "\t" : value, 1);
		value += tab;
	}
	free(plan->owned_tag);
	plan->tag_string = plan->owned_tag = text.bytes;
	return NULL;
}

static const char *set_nice(struct plan *plan, const char *value)
{
	long level = parse_count(value);

	plan->nice = level > 19 ? 19 : (int)level;
	return level < 0 ? "a number from 0 to 19" : NULL;
}

static const char *set_results(struct plan *plan, const char *value)
{
	size_t length = strlen(value);
	const char *dot = strrchr(value, '.');
	bool is_table = dot && (strcmp(dot, ".csv") == 0 || strcmp(dot, ".tsv") == 0 ||
				       strcmp(dot, ".json") == 0);

	plan->results = value;
	plan->results_by_values = true;
	return length && !is_table && !strchr(value, '{') ? NULL
							  : "the name of a directory";
}

// The first attempt counts, too.
static const char *set_retries(struct plan *plan, const char *value)
{
	long count = parse_count(value);

	plan->retries = count > 0 ? (uint64_t)count - 1 : 0;
	return count < 0 ? "a number of attempts" : NULL;
}

// Also as it was once: 0, 1 and 2.
static const char *set_halt(struct plan *plan, const char *value)
{
	static const char *const old[] = {"never", "soon,fail=1", "now,fail=1"};

	if (value[0] >= '0' && value[0] <= '2' && !value[1])
		value = old[value[0] - '0'];
	return apply_halt(plan, value);
}

static const char *set_minimum_version(struct plan *plan, const char *value)
{
	plan->minimum_version = value;
	return parse_count(value) < 0 ? "a version of GNU parallel" : NULL;
}

static const char *set_directory(struct plan *plan, const char *value)
{
	plan->directory = value;
	plan->makes_directory = true;
	return strcmp(value, "...") == 0 ? "a directory" : NULL;
}

#define HEADING(words)                                                                   \
	{                                                                                \
		0, NULL, NULL, words, FLAG, 0, NULL, false                               \
	}
#define IGNORES(name)                                                                    \
	{                                                                                \
		0, name, NULL, NULL, IGNORED, 0, NULL, false                             \
	}
#define REFUSES(letter, name, value, why)                                                \
	{                                                                                \
		letter, name, value, why, REFUSED, 0, NULL, false                        \
	}
#define TO_COME "leat does not have that yet"
#define PERL "leat speaks no Perl; a pipe or sed in the command does that"
#define REMOTE "leat runs on this machine alone"
#define PIPES "values are arguments here; 'leat --stdin record' gives each task its own"
#define DATABASE "leat keeps no jobs in databases of others"

static const struct option table[] = {
	HEADING("Input"),
	{'a', "arg-file", "FILE", "read values from FILE (again: all with all)", OTHER, 0,
		apply_arg_file, false},
	{'0', "null", NULL, "values end at a NUL byte", OTHER, 0, apply_null, false},
	{'d', "delimiter", "C", "values end at C", OTHER, 0, apply_delimiter, false},
	{'E', NULL, "END", "a source ends at this value", WORD,
		FIELD(splitting.end_record), NULL, false},
	{'e', "eof", "END", "the same; without END: at none", OTHER, 0, apply_end, true},
	{'r', "no-run-if-empty", NULL, "blank values are none", FLAG,
		FIELD(splitting.skips_blank), NULL, false},
	{'C', "colsep", "REGEX", "a line is several values", OTHER, 0,
		set_column_separator, false},
	{0, "header", ":", "the first line names the values: {name}", OTHER, 0,
		set_header, false},
	{0, "trim", "SIDE", "no blanks around values: n, l, r or lr", OTHER, 0, set_trim,
		false},
	{0, "link", NULL, "sources go in step", FLAG, FIELD(linked), NULL, false},
	{0, "xapply", NULL, "the same", FLAG, FIELD(linked), NULL, false},
	{0, "shuf", NULL, "in random order", FLAG, FIELD(shuffled), NULL, false},
	HEADING("Command"),
	{'I', "replace", "STR", "STR stands for {}", OTHER, 0, set_replacement, false},
	{'i', NULL, "STR", "the same; without STR: {}", OTHER, 0, set_replacement, true},
	{'n', "max-args", "N", "N values for each command, side by side", OTHER, 0,
		set_max_args, false},
	{'N', "max-replace-args", "N", "N values for each, with the word around them",
		OTHER, 0, set_replace_args, false},
	{'L', "max-lines", "N", "N lines for each command", OTHER, 0, set_lines, false},
	{'l', NULL, "N", "the same; without N: one", OTHER, 0, set_lines, true},
	{'X', NULL, NULL, "as many as fit, with the word around them", OTHER, 0,
		set_context, false},
	{'m', NULL, NULL, "as many as fit, side by side", OTHER, 0, set_multiple, false},
	{0, "xargs", NULL, "the same, not spread over the slots", OTHER, 0, set_xargs,
		false},
	{'s', "max-chars", "N", "commands shorter than N bytes", NUMBER,
		FIELD(batching.bytes), NULL, false},
	{0, "plus", NULL, "also {..} {/..} {+/} {+.} and their kin", FLAG, FIELD(plus),
		NULL, false},
	{'q', "quote", NULL, "the command's own words are quoted, too", FLAG,
		FIELD(quotes_words), NULL, false},
	HEADING("Running"),
	{'j', "jobs", "N", "run N at once (N%, +N, -N of the CPUs; 0: many)", OTHER, 0,
		apply_jobs, false},
	{'P', "max-procs", "N", "the same", OTHER, 0, apply_jobs, false},
	{0, "delay", "DUR", "from one start to the next at least DUR", DURATION,
		FIELD(delay_ns), NULL, false},
	{0, "load", "N", "start no more at this load (N%, +N, -N of the CPUs)", OTHER, 0,
		apply_load, false},
	{0, "memfree", "SIZE", "nor with less memory left (500M, 2G)", OTHER, 0,
		apply_memfree, false},
	{0, "timeout", "DUR", "end a command after DUR", DURATION, FIELD(timeout_ns),
		NULL, false},
	{0, "retries", "N", "try a failed command up to N times", OTHER, 0, set_retries,
		false},
	{0, "halt", "WHEN", "stop at soon|now,fail|success|done=K|K%", OTHER, 0, set_halt,
		false},
	{0, "halt-on-error", "WHEN", "the same", OTHER, 0, set_halt, false},
	{0, "nice", "N", "at this niceness", OTHER, 0, set_nice, false},
	{0, "wd", "DIR", "in DIR, which is made", OTHER, 0, set_directory, false},
	{0, "workdir", "DIR", "the same", OTHER, 0, set_directory, false},
	HEADING("Output"),
	{'k', "keep-order", NULL, "in the order of the input", FLAG, FIELD(keep_order),
		NULL, false},
	{'u', "ungroup", NULL, "commands write straight to the output", FLAG,
		FIELD(ungroup), NULL, false},
	{0, "group", NULL, "the output of each command whole, as it is anyway", IGNORED,
		0, NULL, false},
	{0, "line-buffer", NULL, "output by whole lines", FLAG, FIELD(line_buffer), NULL,
		false},
	{0, "lb", NULL, "the same", FLAG, FIELD(line_buffer), NULL, false},
	{0, "linebuffer", NULL, NULL, FLAG, FIELD(line_buffer), NULL, false},
	{0, "line-buffered", NULL, NULL, FLAG, FIELD(line_buffer), NULL, false},
	{0, "keeporder", NULL, NULL, FLAG, FIELD(keep_order), NULL, false},
	{0, "tag", NULL, "each line begins with the values and a tab", FLAG, FIELD(tag),
		NULL, false},
	{0, "tagstring", "T", "or with T, in which values are replaced", OTHER, 0,
		set_tag_string, false},
	{0, "results", "DIR", "the output in files: DIR/1/VALUE/stdout", OTHER, 0,
		set_results, false},
	{0, "dry-run", NULL, "print the commands, run nothing", FLAG, FIELD(dry_run),
		NULL, false},
	{0, "dryrun", NULL, "the same", FLAG, FIELD(dry_run), NULL, false},
	{'v', NULL, NULL, "each command before its output", FLAG, FIELD(echoes), NULL,
		false},
	{'t', "verbose", NULL, "each command on standard error as it starts", FLAG,
		FIELD(verbose), NULL, false},
	{0, "bar", NULL, "show how far it is", FLAG, FIELD(progress), NULL, false},
	{0, "progress", NULL, "the same", FLAG, FIELD(progress), NULL, false},
	{0, "eta", NULL, "the same", FLAG, FIELD(progress), NULL, false},
	HEADING("Joblog"),
	{0, "joblog", "FILE", "a line for each job that has ended (+FILE: append)", OTHER,
		0, set_joblog, false},
	{0, "resume", NULL, "skip the jobs that are in it", FLAG, FIELD(resume), NULL,
		false},
	{0, "resume-failed", NULL, "but for those that failed", FLAG,
		FIELD(resume_failed), NULL, false},
	{0, "retry-failed", NULL, "run those that failed, as it has them", FLAG,
		FIELD(retry_failed), NULL, false},
	HEADING("Beyond parallel"),
	{0, "unrun", "FILE", "write the values that were not run to FILE", WORD,
		FIELD(unrun_file), NULL, false},
	{0, "summary", NULL, "say how it went", FLAG, FIELD(summary), NULL, false},
	{0, "help", NULL, "show this", FLAG, FIELD(help), NULL, false},
	{'h', NULL, NULL, "the same", FLAG, FIELD(help), NULL, false},
	{'V', "version", NULL, "show the version", FLAG, FIELD(version), NULL, false},
	{0, "minversion", "N", "whether the version is at least N", OTHER, 0,
		set_minimum_version, false},
	{0, "min-version", "N", NULL, OTHER, 0, set_minimum_version, false},
	IGNORES("will-cite"),
	IGNORES("willcite"),
	IGNORES("no-notice"),
	IGNORES("nonotice"),
	IGNORES("nn"),
	{'x', "exit", NULL, NULL, IGNORED, 0, NULL, false}, // as it is anyway
	IGNORES("gnu"),
	IGNORES("plain"),
	IGNORES("silent"),
	REFUSES(0, "memsuspend", "SIZE", TO_COME),
	REFUSES(0, "noswap", NULL, TO_COME),
	REFUSES(0, "limit", "COMMAND", TO_COME),
	REFUSES(0, "rpl", "RULE", PERL),
	REFUSES('U', "er", "STR", PERL),
	REFUSES(0, "filter", "RULE", PERL),
	REFUSES(0, "pipe", NULL, PIPES),
	REFUSES(0, "pipepart", NULL, PIPES),
	REFUSES(0, "spreadstdin", NULL, PIPES),
	REFUSES(0, "block", "SIZE", PIPES),
	REFUSES(0, "cat", NULL, PIPES),
	REFUSES(0, "fifo", NULL, PIPES),
	REFUSES(0, "tee", NULL, PIPES),
	REFUSES('S', "sshlogin", "HOST", REMOTE),
	REFUSES(0, "sshloginfile", "FILE", REMOTE),
	REFUSES(0, "slf", "FILE", REMOTE),
	REFUSES(0, "transfer", NULL, REMOTE),
	REFUSES(0, "transferfile", "FILE", REMOTE),
	REFUSES(0, "return", "FILE", REMOTE),
	REFUSES(0, "cleanup", NULL, REMOTE),
	REFUSES(0, "trc", "FILE", REMOTE),
	REFUSES(0, "onall", NULL, REMOTE),
	REFUSES(0, "nonall", NULL, REMOTE),
	REFUSES(0, "basefile", "FILE", REMOTE),
	REFUSES(0, "sql", "URL", DATABASE),
	REFUSES(0, "sqlmaster", "URL", DATABASE),
	REFUSES(0, "sqlworker", "URL", DATABASE),
	REFUSES(0, "sqlandworker", "URL", DATABASE),
	REFUSES(0, "semaphore", NULL, "flock(1) does that"),
	REFUSES(0, "tmux", NULL, "leat has no windows"),
	REFUSES(0, "env", "NAME", "the whole environment is passed on anyway"),
	REFUSES(0, "files", NULL, "use leat's own --results"),
	REFUSES(0, "compress", NULL, "leat keeps little on disk"),
	REFUSES('p', "interactive", NULL, "use leat --as xargs -p"),
};

static const struct grammar grammar = {
	.tool = "leat --as parallel",
	.table = table,
	.count = sizeof table / sizeof *table,
	.abbreviates = true,
};

/* ---- how it goes ---- */

static bool judge(
	struct account *account, const struct leat_outcome *outcome, bool *tells)
{
	if (outcome->end != LEAT_EXITED || outcome->code ||
		outcome->ended_by != LEAT_BY_ITSELF)
		atomic_fetch_add(&account->front, 1);
	*tells = outcome->ended_by == LEAT_BY_TIMEOUT;
	return false;
}

static int exit_status(const struct account *account)
{
	unsigned failed = atomic_load(&account->front);
	int decisive = atomic_load(&account->decisive_status);

	if (atomic_load(&account->leat_trouble))
		return STATUS_TROUBLE;
	if (decisive)
		return decisive - 1;
	return failed < FAILED_MOST ? (int)failed : FAILED_MOST;
}

static const struct front_rules rules = {exit_status, judge};

/* ---- the plan ---- */

// The shell that called, as for GNU parallel; else the user's.
static const char *choose_shell(void)
{
	static const char *const shells[] = {"sh", "bash", "dash", "ash", "zsh", "ksh",
		"ksh93", "mksh", "busybox", "yash"};
	static char path[PATH_MAX];
	const char *chosen = getenv("PARALLEL_SHELL"), *name;
	char link[32];
	ssize_t length;

	if (chosen && *chosen)
		return chosen;
	snprintf(link, sizeof link, "/proc/%d/exe", (int)getppid());
	length = readlink(link, path, sizeof path - 1);
	path[length > 0 ? length : 0] = '\0';
	name = strrchr(path, '/');
	for (size_t index = 0; name && index < sizeof shells / sizeof *shells; index++)
		if (strcmp(name + 1, shells[index]) == 0)
			return path;
	chosen = getenv("SHELL");
	return chosen && *chosen ? chosen : NULL;
}

// The words as one text, and where values repeat the word around them, that text at each
// blank: so all its blanks come again when the words are joined.
static int join_command(struct plan *plan)
{
	struct text text = {0};

	for (size_t index = 0; index < plan->word_count; index++) {
		text_append(&text, " ", index > 0);
		text_append(&text, plan->words[index], strlen(plan->words[index]));
	}
	if (text.failed)
		return -ENOMEM;
	plan->owned = text.bytes;
	return plan_split_words(plan, text.bytes, plan->repeats);
}

// A value that is the command, or part of its name, is text of the shell.
static bool begins_with_value(const struct plan *plan, const char *text)
{
	const struct template_syntax syntax = {
		.kind = TEMPLATE_RAW, .braces = plan->braces};
	char *word = strndup(text, strcspn(text, " \t\n"));
	struct template *template = NULL;
	bool found = false;

	if (word && !strchr(word, '=') && template_parse(&template, word, &syntax) == 0)
		found = template_has_value(template);
	template_destroy(template);
	free(word);
	return found;
}

static int check_text(const struct plan *plan, const char *text)
{
	size_t length;
	const char *perl = parallel_find_perl(text, plan->plus, &length);

	if (!perl)
		return 0;
	return usage_error(
		&grammar, "%.*s is not supported: %s", (int)length, perl, PERL);
}

static int resolve_command(struct plan *plan)
{
	int error = plan->tag_string ? check_text(plan, plan->tag_string) : 0;

	for (size_t index = 0; !error && index < plan->word_count; index++)
		error = check_text(plan, plan->words[index]);
	if (error)
		return error;
	if (!plan->word_count) {
		plan->command = COMMAND_LINES;
		return 0;
	}
	plan->command = COMMAND_SENTENCE;
	plan->quote = parallel_quote;
	if (plan->quotes_words)
		return 0;
	error = join_command(plan);
	if (!error && begins_with_value(plan, plan->owned))
		plan->quote = NULL;
	return error;
}

static int resolve_output(struct plan *plan)
{
	if (plan->tag && !plan->tag_string)
		plan->tag_string = "{}";
	if (plan->ungroup)
		plan->tag_string = NULL;
	plan->mode = plan->ungroup       ? OUTPUT_STRAIGHT
		     : plan->keep_order  ? OUTPUT_KEEP
		     : plan->line_buffer ? OUTPUT_LINES
					 : OUTPUT_GROUP;
	plan->quiet = !plan->summary;
	plan->no_progress = !plan->progress;
	return 0;
}

static void resolve_input(struct plan *plan)
{
	struct batching *batching = &plan->batching;

	if (!batching->fill && !batching->records && !batching->lines)
		batching->records = 1;
	if (batching->fill && !batching->bytes)
		batching->bytes = COMMAND_BYTES;
	batching->too_large = TOO_LARGE_STOPS;
	if (plan->column_separator && !plan->trims)
		plan->trim = TRIM_BOTH;
	if (plan->header && !plan->column_separator)
		plan->column_separator = "\t";
	if (plan->linked)
		for (size_t index = 0; index < plan->source_count; index++)
			plan->sources[index].linked = false;
}

static int check_version(struct plan *plan)
{
	if (!plan->minimum_version)
		return 0;
	printf("%d\n", COMPATIBLE_VERSION);
	if (atol(plan->minimum_version) <= COMPATIBLE_VERSION)
		plan->over = true;
	return plan->over ? 0 : -EINVAL;
}

int front_parallel(struct plan *plan, struct words words)
{
	static const char *const own[] = {"PARALLEL_SEQ={#}", "PARALLEL_JOBSLOT={%}"};
	static char process[40];
	int error;

	snprintf(process, sizeof process, "PARALLEL_PID=%d", (int)getpid());
	plan->variables[0] = own[0];
	plan->variables[1] = own[1];
	plan->variables[2] = process;
	plan->variable_count = 3;
	plan->templates = TEMPLATE_RAW;
	plan->repeats = false;
	plan->terminate_on_interrupt = true;
	plan->rules = &rules;
	error = parse_options(&grammar, plan, &words);
	if (!error)
		error = check_version(plan);
	if (!error && (plan->resume || plan->resume_failed) && !plan->joblog)
		error = usage_error(
			&grammar, "--resume and --resume-failed require --joblog");
	if (error)
		return error;
	for (size_t index = 0; index < plan->arg_file_count; index++)
		plan->sources[plan->source_count++] =
			(struct source){SOURCE_FILES, plan->arg_files + index, 1, false};
	error = parse_sources(&grammar, plan, &words);
	if (!error)
		error = retry_failed(&grammar, plan);
	resolve_input(plan);
	if (!error)
		error = resolve_command(plan);
	plan->shell = choose_shell();
	return error ? error : resolve_output(plan);
}

void front_parallel_help(void)
{
	printf("Usage: leat --as parallel [OPTION...] [COMMAND [ARG...]] [::: "
	       "VALUE...]\n");
	print_options(&grammar);
}

void front_parallel_version(void)
{
	printf("GNU parallel %d, as leat %s takes it\n", COMPATIBLE_VERSION,
		leat_version());
}
