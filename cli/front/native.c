/*
 * leat's own command line. The one table of options: the parser, --help and the checks
 * against the man page and the completions (.ci/check-options) read it; a new option is
 * one row here.
 */
#include "front/front.h"

#include "front/parser.h"
#include "journal/list.h"
#include "leat.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *set_on_cancel(struct plan *plan, const char *value)
{
	if (strcmp(value, "drain") != 0 && strcmp(value, "terminate") != 0)
		return "drain or terminate";
	plan->terminate_on_interrupt = *value == 't';
	return NULL;
}

static const char *set_orphans(struct plan *plan, const char *value)
{
	if (strcmp(value, "keep") != 0 && strcmp(value, "end") != 0)
		return "end or keep";
	plan->keeps_orphans = *value == 'k';
	return NULL;
}

static const char *set_jobserver(struct plan *plan, const char *value)
{
	plan->jobserver = true;
	plan->jobserver_is_fifo = value && strcmp(value, "fifo") == 0;
	return !value || plan->jobserver_is_fifo || strcmp(value, "pipe") == 0
		       ? NULL
		       : "pipe or fifo";
}

static const char *set_sync(struct plan *plan, const char *value)
{
	if (strcmp(value, "group") == 0)
		plan->sync = SYNC_GROUP;
	else if (strcmp(value, "full") == 0)
		plan->sync = SYNC_FULL;
	else if (strcmp(value, "off") == 0)
		plan->sync = SYNC_OFF;
	else
		return "group, full or off";
	return NULL;
}

static const char *set_color(struct plan *plan, const char *value)
{
	if (strcmp(value, "auto") == 0)
		plan->color = COLOR_AUTO;
	else if (strcmp(value, "always") == 0)
		plan->color = COLOR_ALWAYS;
	else if (strcmp(value, "never") == 0)
		plan->color = COLOR_NEVER;
	else
		return "auto, always or never";
	return NULL;
}

static const char *set_ci(struct plan *plan, const char *value)
{
	static const char *const names[] = {[CI_AUTO] = "auto",
		[CI_NONE] = "none",
		[CI_GITHUB] = "github",
		[CI_GITLAB] = "gitlab",
		[CI_AZURE] = "azure"};

	for (plan->ci = CI_AUTO; plan->ci <= CI_AZURE; plan->ci++)
		if (strcmp(value, names[plan->ci]) == 0)
			return NULL;
	return "auto, github, gitlab, azure or none";
}

static const char *set_stdin(struct plan *plan, const char *value)
{
	if (strcmp(value, "null") == 0)
		plan->standard_input = STDIN_NULL;
	else if (strcmp(value, "inherit") == 0)
		plan->standard_input = STDIN_INHERIT;
	else if (strcmp(value, "record") == 0)
		plan->standard_input = STDIN_RECORD;
	else
		return "null, inherit or record";
	return NULL;
}

// One of a list: a status, several as 3-5, timeout or crash. Returns its end, NULL: none.
static const char *parse_retry(struct retry_on *on, const char *at)
{
	size_t length = strcspn(at, ",");
	char *end = (char *)at;
	long first = strtol(at, &end, 10), last = first;

	if (strncmp(at, "timeout", length) == 0 && length == strlen("timeout")) {
		on->timeout = true;
		return at + length;
	}
	if (strncmp(at, "crash", length) == 0 && length == strlen("crash")) {
		on->crash = true;
		return at + length;
	}
	if (end != at && *end == '-')
		last = strtol(end + 1, &end, 10);
	if (end != at + length || end == at || first < 1 || last > 255 || first > last ||
		on->count == sizeof on->ranges / sizeof *on->ranges)
		return NULL;
	on->ranges[on->count].first = (int)first;
	on->ranges[on->count++].last = (int)last;
	return end;
}

static const char *set_retry_on(struct plan *plan, const char *value)
{
	plan->retry_on = (struct retry_on){.given = true};
	while (value) {
		value = parse_retry(&plan->retry_on, value);
		if (value && !*value)
			return NULL;
		value = value ? value + 1 : NULL;
	}
	return "exit statuses from 1 to 255, as 1,3-5, and timeout and crash";
}

static const char *set_fail_fast(struct plan *plan, const char *value)
{
	(void)value;
	return apply_halt(plan, "soon,fail=1");
}

static const char *set_script(struct plan *plan, const char *value)
{
	plan->command = COMMAND_SCRIPT;
	plan->words[plan->word_count++] = value;
	return plan->word_count > 1 ? "one script" : NULL;
}

static const char *set_replace(struct plan *plan, const char *value)
{
	plan->braces = value;
	return *value ? NULL : "a text that stands for {}";
}

static const char *set_column_separator(struct plan *plan, const char *value)
{
	static const struct {
		const char *name, *bytes;
	} named[] = {{"\\t", "\t"}, {"\\n", "\n"}};

	plan->column_separator = value;
	for (size_t index = 0; index < 2; index++)
		if (strcmp(value, named[index].name) == 0)
			plan->column_separator = named[index].bytes;
	return *value ? NULL : "what stands between two columns, also \\t";
}

static const char *add_variable(struct plan *plan, const char *value)
{
	const char *end = strchr(value, '=');

	plan->variables[plan->variable_count++] = value;
	return end && end != value ? NULL : "NAME=VALUE";
}

static const char *set_junit_output(struct plan *plan, const char *value)
{
	return parse_size(value, &plan->junit_output_bytes);
}

static const char *set_as(struct plan *plan, const char *value)
{
	(void)plan;
	(void)value;
	return "xargs or parallel, and comes before everything else";
}

#define HEADING(words)                                                                   \
	{                                                                                \
		0, NULL, NULL, words, FLAG, 0, NULL, false                               \
	}

static const struct option table[] = {
	HEADING("Input"),
	{'a', "arg-file", "FILE", "read records from FILE (again for more, - is stdin)",
		OTHER, 0, apply_arg_file, false},
	{'0', "null", NULL, "records end at a NUL byte", OTHER, 0, apply_null, false},
	{'d', "delimiter", "C", "records end at C (also \\n \\t \\0 \\xHH)", OTHER, 0,
		apply_delimiter, false},
	{'C', "colsep", "STR", "a record is several values, with STR between", OTHER, 0,
		set_column_separator, false},
	{0, "header", NULL, "the first record names the values: {name}", FLAG,
		FIELD(header), NULL, false},
	{0, "trim", "SIDE", "no blanks around values: l, r or lr", OTHER, 0, apply_trim,
		false},
	{0, "link", NULL, "several sources go in step, not all with all", FLAG,
		FIELD(linked), NULL, false},
	{0, "shuf", NULL, "in random order", FLAG, FIELD(shuffled), NULL, false},
	{0, "seed", "N", "the same random order each time", OTHER, 0, apply_seed, false},
	HEADING("Command"),
	{'c', "script", "SCRIPT", "run by the shell; the values are $1, $2, and {}",
		OTHER, 0, set_script, false},
	{'I', "replace", "STR", "STR stands for {}", OTHER, 0, set_replace, false},
	{'n', "max-args", "N", "N records for each task", NUMBER, FIELD(batching.records),
		NULL, false},
	{'X', "fill", NULL, "as many as fit, evenly over the slots at the end", FLAG,
		FIELD(batching.fill), NULL, false},
	{'s', "max-chars", "N", "commands of at most N bytes", NUMBER,
		FIELD(batching.bytes), NULL, false},
	{0, "as", "TOOL", "be xargs or parallel: 'leat --as xargs --help'", OTHER, 0,
		set_as, false},
	HEADING("Running"),
	{'j', "jobs", "N", "run N at once (N%, +N, -N of the CPUs; 0: as many as", OTHER,
		0, apply_jobs, false},
	{'P', NULL, "N", "possible; default: the usable CPUs)", OTHER, 0, apply_jobs,
		false},
	{0, "jobserver", "STYLE", "make in tasks shares the slots; without STYLE: pipe",
		OTHER, 0, set_jobserver, true},
	{0, "shell", "PATH", "the shell that runs the commands (sh)", WORD, FIELD(shell),
		NULL, false},
	{0, "warm", NULL, "each slot keeps a shell; a command is a process of it", FLAG,
		FIELD(warm), NULL, false},
	{0, "timeout", "DUR", "end a task after DUR (10, 1.5s, 200ms, 1h30m)", DURATION,
		FIELD(timeout_ns), NULL, false},
	{0, "delay", "DUR", "from one start to the next at least DUR", DURATION,
		FIELD(delay_ns), NULL, false},
	{0, "max-load", "N", "start no more at this load (N%: of the CPUs)", OTHER, 0,
		apply_max_load, false},
	{0, "min-memory", "SIZE", "nor with less memory left (500M, 2G, N%)", OTHER, 0,
		apply_min_memory, false},
	{0, "max-pressure", "R=P", "nor at P% pressure of R: cpu, memory or io", OTHER, 0,
		apply_max_pressure, false},
	{0, "lane", "T", "tasks of the same T (say {//}) one after the other", WORD,
		FIELD(lane), NULL, false},
	{0, "stdin", "WHAT", "tasks read null (nothing), inherit (leat's), record", OTHER,
		0, set_stdin, false},
	{0, "chdir", "DIR", "in DIR, which may hold {} and its kin", WORD,
		FIELD(directory), NULL, false},
	{0, "env", "NAME=T", "with this in the environment, {} replaced", OTHER, 0,
		add_variable, false},
	{0, "retries", "N", "try a failed task again, up to N times", NUMBER,
		FIELD(retries), NULL, false},
	{0, "retry-delay", "DUR", "after DUR, then twice that, and so on", DURATION,
		FIELD(retry_delay_ns), NULL, false},
	{0, "retry-max-delay", "DUR", "but no longer than DUR", DURATION,
		FIELD(retry_max_delay_ns), NULL, false},
	{0, "retry-on", "WHAT", "only on these: 1,3-5,timeout,crash", OTHER, 0,
		set_retry_on, false},
	{0, "halt", "WHEN", "stop at soon|now,fail|success|done=K|K%", OTHER, 0,
		apply_halt, false},
	{0, "fail-fast", NULL, "start no more once a task failed", OTHER, 0,
		set_fail_fast, false},
	{0, "deadline", "DUR", "end the run after DUR", DURATION, FIELD(deadline_ns),
		NULL, false},
	{0, "kill-after", "DUR", "from SIGTERM to SIGKILL (5s)", DURATION,
		FIELD(kill_after_ns), NULL, false},
	{0, "linger", "DUR", "wait for output that others hold open (1s)", DURATION,
		FIELD(linger_ns), NULL, false},
	{0, "on-cancel", "HOW", "Ctrl-C lets running tasks finish: drain, or terminate",
		OTHER, 0, set_on_cancel, false},
	{0, "drain-timeout", "DUR", "terminate them after DUR", DURATION,
		FIELD(drain_timeout_ns), NULL, false},
	{0, "orphans", "HOW", "what runs when leat is killed: end, or keep", OTHER, 0,
		set_orphans, false},
	HEADING("Output"),
	{'k', "keep-order", NULL, "outputs come in the order of the input", FLAG,
		FIELD(keep_order), NULL, false},
	{0, "line-buffer", NULL, "output comes as it is written, by whole lines", FLAG,
		FIELD(line_buffer), NULL, false},
	{'u', "ungroup", NULL, "tasks write straight to leat's output", FLAG,
		FIELD(ungroup), NULL, false},
	{0, "tag", NULL, "each line begins with the task's command and a tab", FLAG,
		FIELD(tag), NULL, false},
	{0, "tagstring", "T", "or with T: {} command, {#} its number, {%} the slot", WORD,
		FIELD(tag_string), NULL, false},
	{0, "results", "DIR", "keep what each task wrote in DIR/NUMBER/", WORD,
		FIELD(results), NULL, false},
	{0, "pty", NULL, "tasks write to terminals of their own (colours!)", FLAG,
		FIELD(pty), NULL, false},
	{0, "tty", NULL, "one task at a time, with leat's terminal and input", FLAG,
		FIELD(tty), NULL, false},
	{0, "dry-run", NULL, "print the commands, run nothing", FLAG, FIELD(dry_run),
		NULL, false},
	{'t', "verbose", NULL, "show each command as it starts", FLAG, FIELD(verbose),
		NULL, false},
	{0, "progress", NULL, "show how far it is, also where that is no terminal", FLAG,
		FIELD(progress), NULL, false},
	{0, "no-progress", NULL, "never show that", FLAG, FIELD(no_progress), NULL,
		false},
	{0, "color", "WHEN", "colours: auto, always or never", OTHER, 0, set_color,
		false},
	HEADING("Journal"),
	{0, "journal", "FILE", "keep what was run and how it went in FILE", WORD,
		FIELD(journal), NULL, false},
	{0, "resume", NULL, "run what is not done according to it", FLAG, FIELD(resume),
		NULL, false},
	{0, "resume-failed", NULL, "and what failed", FLAG, FIELD(resume_failed), NULL,
		false},
	{0, "sync", "WHEN", "on the disk: group (within 0.1s), full (at once), off",
		OTHER, 0, set_sync, false},
	{0, "list", NULL, "print its commands, of all OUTCOMEs that follow", FLAG,
		FIELD(list), NULL, false},
	{0, "show", "N", "print what it has of task N", NUMBER, FIELD(show), NULL, false},
	HEADING("Reports"),
	{0, "joblog", "FILE", "a line for each task, in GNU parallel's columns", WORD,
		FIELD(joblog), NULL, false},
	{0, "events", "FILE", "what happens, as JSON lines (a number: a descriptor)",
		WORD, FIELD(events), NULL, false},
	{0, "junit", "FILE", "a test case for each task, as JUnit's XML", WORD,
		FIELD(junit), NULL, false},
	{0, "junit-output", "SIZE", "with so much of the end of its outputs (64K)", OTHER,
		0, set_junit_output, false},
	{0, "timeline", "FILE", "a page (HTML) that shows the run, each task as a bar",
		WORD, FIELD(timeline), NULL, false},
	{0, "ci", "SERVICE", "write for its log: auto, github, gitlab, azure, none",
		OTHER, 0, set_ci, false},
	HEADING("Account"),
	{0, "unrun", "FILE", "write the records that were not run to FILE", WORD,
		FIELD(unrun_file), NULL, false},
	{0, "recap", NULL, "the failed tasks once more at the end, wherever", FLAG,
		FIELD(recap), NULL, false},
	{0, "no-recap", NULL, "never that", FLAG, FIELD(no_recap), NULL, false},
	{0, "summary", NULL, "say how it went, also if all is well", FLAG, FIELD(summary),
		NULL, false},
	{'q', "quiet", NULL, "say nothing of tasks and how it went", FLAG, FIELD(quiet),
		NULL, false},
	{0, "help", NULL, "show this", FLAG, FIELD(help), NULL, false},
	{0, "version", NULL, "show the version", FLAG, FIELD(version), NULL, false},
};

static const struct grammar grammar = {
	.tool = "leat", .table = table, .count = sizeof table / sizeof *table};

// What of all that goes by way of leat was asked for; NULL: nothing.
static const char *asked_of_output(const struct plan *plan)
{
	return plan->keep_order    ? "--keep-order"
	       : plan->line_buffer ? "--line-buffer"
	       : plan->tag         ? "--tag"
	       : plan->tag_string  ? "--tagstring"
	       : plan->results     ? "--results"
	       : plan->pty         ? "--pty"
				   : NULL;
}

static bool reads_standard_input(const struct plan *plan)
{
	for (size_t index = 0; index < plan->source_count; index++)
		for (size_t name = 0; name < plan->sources[index].count; name++)
			if (plan->sources[index].kind == SOURCE_FILES &&
				strcmp(plan->sources[index].words[name], "-") == 0)
				return true;
	return !plan->source_count;
}

// Tasks are as if leat were not there.
static int resolve_tty(struct plan *plan)
{
	if (plan->jobs.kind != JOBS_CPUS &&
		(plan->jobs.kind != JOBS_NUMBER || plan->jobs.number != 1))
		return usage_error(&grammar, "--tty: one task at a time (-j1) has it");
	if (asked_of_output(plan) || plan->warm || plan->progress)
		return usage_error(&grammar, "--tty and %s exclude each other",
			asked_of_output(plan) ? asked_of_output(plan)
			: plan->warm          ? "--warm"
					      : "--progress");
	plan->jobs = (struct jobs){JOBS_NUMBER, 1};
	plan->ungroup = plan->no_progress = true;
	if (plan->standard_input == STDIN_NULL)
		plan->standard_input =
			reads_standard_input(plan) ? STDIN_TERMINAL : STDIN_INHERIT;
	return 0;
}

// What can't be had at the same time is an error; the rest comes to one mode.
static int resolve_output(struct plan *plan)
{
	if (plan->ungroup && asked_of_output(plan))
		return usage_error(&grammar, "--ungroup and %s exclude each other",
			asked_of_output(plan));
	if (plan->tag && plan->tag_string)
		return usage_error(&grammar, "--tag and --tagstring exclude each other");
	if (plan->recap && plan->no_recap)
		return usage_error(&grammar, "--recap and --no-recap exclude each other");
	if (plan->progress && plan->no_progress)
		return usage_error(
			&grammar, "--progress and --no-progress exclude each other");
	if (plan->tag)
		plan->tag_string = "{}";
	if (plan->keep_order)
		plan->mode = OUTPUT_KEEP;
	else if (plan->line_buffer)
		plan->mode = OUTPUT_LINES;
	else if (plan->ungroup)
		plan->mode = OUTPUT_STRAIGHT;
	return 0;
}

// What makes no sense where each record is a command.
static int check_commands(const struct plan *plan)
{
	const char *name = plan->batching.fill          ? "--fill"
			   : plan->batching.records > 1 ? "--max-args"
			   : plan->batching.bytes       ? "--max-chars"
			   : plan->column_separator     ? "--colsep"
			   : plan->header               ? "--header"
			   : plan->braces               ? "--replace"
							: NULL;

	if (!name)
		return 0;
	return usage_error(&grammar, "%s needs a COMMAND, or a script with -c", name);
}

static int resolve_command(struct plan *plan)
{
	if (plan->command == COMMAND_SCRIPT && plan->word_count > 1)
		return usage_error(&grammar, "unexpected word '%s' after the script",
			plan->words[1]);
	if (plan->command != COMMAND_SCRIPT)
		plan->command = plan->word_count ? COMMAND_PROGRAM : COMMAND_LINES;
	if (plan->command == COMMAND_LINES && check_commands(plan) < 0)
		return -EINVAL;
	plan->repeats = plan->command != COMMAND_SCRIPT;
	plan->splitting.commands =
		plan->command == COMMAND_LINES && plan->splitting.delimiter == '\n';
	plan->batching.spread = plan->batching.fill ? SPREAD_EVENLY : SPREAD_NONE;
	if (!plan->batching.records && !plan->batching.fill)
		plan->batching.records = 1;
	if (plan->standard_input == STDIN_INHERIT && reads_standard_input(plan))
		return usage_error(&grammar,
			"--stdin inherit: the records are read from standard input");
	if (plan->seeded && !plan->shuffled)
		return usage_error(&grammar, "--seed is for --shuf");
	return 0;
}

// Behind --list the words are outcomes; options may stand between them.
static int parse_outcomes(struct plan *plan, struct words *words)
{
	int error = 0;

	while (!error && plan->list && words->at < words->end) {
		const char *outcome = *words->at++;

		if (!journal_knows_outcome(outcome))
			return usage_error(&grammar,
				"--list takes ok, failed, crashed, timed-out, canceled, "
				"unrun or in-flight, not '%s'",
				outcome);
		plan->outcomes[plan->outcome_count++] = outcome;
		error = parse_options(&grammar, plan, words);
	}
	return error;
}

static int check_journal(const struct plan *plan)
{
	const char *name = plan->resume          ? "--resume"
			   : plan->resume_failed ? "--resume-failed"
			   : plan->list          ? "--list"
			   : plan->show          ? "--show"
						 : NULL;

	if (name && !plan->journal)
		return usage_error(&grammar, "%s needs --journal FILE", name);
	if (plan->list && plan->splitting.delimiter && plan->splitting.delimiter != '\n')
		return usage_error(&grammar, "--list prints lines, or what ends with NUL "
					     "(-0); not so --delimiter");
	if (plan->list && plan->show)
		return usage_error(&grammar, "--list and --show exclude each other");
	return 0;
}

// What is not there yet has its name only. What is no regular file may be shared.
static bool is_same_file(const char *one, const char *other)
{
	struct stat first, second;

	if (strncmp(one, "/dev/", strlen("/dev/")) == 0)
		return false;
	if (stat(one, &first) < 0 || stat(other, &second) < 0)
		return strcmp(one, other) == 0;
	return S_ISREG(first.st_mode) && first.st_dev == second.st_dev &&
	       first.st_ino == second.st_ino;
}

// Two in one file would be none: each is written as if it were alone.
static int check_files(const struct plan *plan)
{
	const struct {
		const char *option, *file;
	} all[] = {
		{"--journal", plan->journal},
		{"--joblog", plan->joblog},
		{"--events", plan->events},
		{"--junit", plan->junit},
		{"--timeline", plan->timeline},
		{"--unrun", plan->unrun_file},
	};

	for (size_t one = 0; one < sizeof all / sizeof *all; one++)
		for (size_t other = 0; other < one; other++)
			if (all[one].file && all[other].file &&
				is_same_file(all[other].file, all[one].file))
				return usage_error(&grammar,
					"%s and %s need a FILE each, not both '%s'",
					all[other].option, all[one].option,
					all[one].file);
	return 0;
}

int front_native(struct plan *plan, struct words words)
{
	int error = parse_options(&grammar, plan, &words);

	if (!error)
		error = parse_outcomes(plan, &words);

	if (plan->arg_file_count)
		plan->sources[plan->source_count++] = (struct source){
			SOURCE_FILES, plan->arg_files, plan->arg_file_count, false};
	if (!error)
		error = parse_sources(&grammar, plan, &words);
	if (!error)
		error = resolve_command(plan);
	if (!error)
		error = check_journal(plan);
	if (!error)
		error = check_files(plan);
	if (!error && plan->tty)
		error = resolve_tty(plan);
	return error ? error : resolve_output(plan);
}

void front_native_help(void)
{
	printf("Usage: leat [OPTION...]                  every record is a shell "
	       "command\n"
	       "       leat [OPTION...] COMMAND [ARG...] every record is an argument\n"
	       "       any of these, then ::: VALUE... or :::: FILE... as records\n");
	print_options(&grammar);
}
