/* What is to be run and how: whichever front end the user came in by. */
#ifndef LEAT_CLI_PLAN_H
#define LEAT_CLI_PLAN_H

#include "color.h"
#include "halt.h"
#include "output.h"
#include "room.h"
#include "template.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct account;
struct leat_outcome;

/** How many slots: as it was written, until the number of CPUs is known. */
struct jobs {
	enum {
		JOBS_CPUS,
		JOBS_NUMBER,
		JOBS_PERCENT,
		JOBS_MORE,
		JOBS_FEWER,
		JOBS_MOST
	} kind;
	unsigned number;
};

/** Where values come from: files, one after the other ("-": standard input), or words. */
struct source {
	enum { SOURCE_FILES, SOURCE_WORDS } kind;
	const char *const *words; //< names of files, or the values themselves
	size_t count;
	bool linked; //< goes in step with the source before, as long as both have values
};

/** How bytes become records. */
struct splitting {
	char delimiter;
	bool commands; //< lines that are commands: blank ones and comments are none, a
		       // byte < order mark and a CR at the end are dropped
	enum {
		SPLIT_DELIMITER, //< what the delimiter ends
		SPLIT_WORDS,     //< words of quoted text, as POSIX has it for xargs
		SPLIT_LINES      //< the same, but blanks end no record
	} kind;
	const char
		*end_record;  //< the input ends at this record; NULL: there is none such
	size_t longest;       //< record, in bytes; 0: no such limit
	bool skips_empty;     //< records without a byte are none
	bool skips_blank;     //< those of blanks alone are none
	bool blank_continues; //< a line that ends with a blank goes on in the next
	bool cuts_at_nul;     //< a NUL byte and what follows it is left out
};

enum trim { TRIM_NONE, TRIM_LEFT = 1, TRIM_RIGHT = 2, TRIM_BOTH = 3 };

/** Which records make a task. 0: no such limit. */
struct batching {
	uint64_t records;    //< at most so many
	uint64_t lines;      //< at most so many lines of input
	uint64_t bytes;      //< of all words, each with its NUL
	bool without_values; //< but the command is told none of them
	bool fill;           //< as many as fit
	enum {
		SPREAD_NONE,
		SPREAD_EVENLY, //< the last ones, over all slots
		SPREAD_SHARES  //< the same, but in equal shares as far as they go
	} spread;
	enum {
		TOO_LARGE_FAILS,         //< alone, what does not even fit alone
		TOO_LARGE_STOPS,         //< that ends the run,
		TOO_LARGE_STOPS_AT_ONCE, //< and what was to come before it does not run
		ALL_MUST_FIT             //< that many records have to fit together
	} too_large;
	bool runs_if_empty; //< a task without values, where there are no records at all
};

/** What a record, or several, become. */
enum command_kind {
	COMMAND_LINES,    //< each record is a shell command
	COMMAND_PROGRAM,  //< the words with the values, without a shell
	COMMAND_SCRIPT,   //< words[0] is a script, the values are its parameters
	COMMAND_SENTENCE, //< the words, joined by blanks, are a shell command
};

/** When the journal is on the disk. */
enum journal_sync {
	SYNC_GROUP, //< a tenth of a second after a task's end, at the latest
	SYNC_FULL,  //< before its slot is used again
	SYNC_OFF,   //< when the kernel has it so
};

enum standard_input { STDIN_NULL, STDIN_INHERIT, STDIN_RECORD, STDIN_TERMINAL };

/** What is tried again; not `given`: all that failed. */
struct retry_on {
	bool given, timeout, crash;
	struct {
		int first, last; //< exit statuses
	} ranges[16];
	size_t count;
};

/** Whose log standard output is. */
enum ci_service { CI_AUTO, CI_NONE, CI_GITHUB, CI_GITLAB, CI_AZURE };

/** What a front end decides by rules of its own, where it has any. */
struct front_rules {
	int (*exit_status)(const struct account *account);
	// Notes how a task ended. Returns whether no more are to be run for that; with
	// *tells the task gets its line, however quiet leat is.
	bool (*judge)(
		struct account *account, const struct leat_outcome *outcome, bool *tells);
};

/** Everything points into argv, or is owned by the plan: plan_finish(). */
struct plan {
	struct splitting splitting;
	const char **arg_files; //< one source, the first, if there are any
	size_t arg_file_count;
	struct source *sources; //< their product; none: standard input
	size_t source_count;
	bool linked;                  //< all go in step, the shorter ones again and again
	const char *column_separator; //< NULL: a record is one value
	bool column_pattern;          //< it is an extended regular expression
	bool header;                  //< the first record names the values
	enum trim trim;
	bool shuffled;
	uint64_t seed;
	bool seeded;
	struct batching batching;

	enum command_kind command;
	const char **words; //< templates
	size_t word_count;
	bool plus;                    //< with more of them: template.h
	const char *braces;           //< stands for {} in them; NULL: {} does
	enum template_kind templates; //< what there is in them
	bool repeats;                 //< a word with {} stands once for each value
	bool name_is_fixed;           //< nothing is replaced in the first word
	template_quote_fn quote;      //< of values in a shell's text; NULL: as they are
	const char **variables;       //< NAME=template, more of the environment
	size_t variable_count;
	const char *directory; //< a template; NULL: leat's own
	const char *lane;      //< a template; NULL: every task has a lane of its own
	enum standard_input standard_input;
	unsigned first_slot;  //< the number of the first
	bool asks;            //< before each task
	bool makes_directory; //< `directory`, where it is not there
	bool quotes_words;    //< COMMAND_SENTENCE: all of each word, not its values alone
	bool echoes;          //< each command before its output
	char *owned, *owned_pattern, *owned_tag; //< memory that others point into
	const char **owned_values;

	// For front ends, until the plan is whole.
	bool skips_empty_run, exits_too_large, trims, retry_failed;
	const char *minimum_version;
	bool over; //< all that was asked for was answered
	int nice;

	struct jobs jobs;
	const char *shell; //< NULL: sh
	bool warm;         //< each slot keeps one that was started
	int64_t delay_ns;  //< from one start to the next
	struct limit limits[MEASURES];
	bool jobserver; //< one is made for the tasks, where there is none,
	bool jobserver_is_fifo;

	int64_t timeout_ns, deadline_ns; //< LEAT_NEVER: none
	int64_t kill_after_ns, linger_ns;
	int64_t drain_timeout_ns; //< LEAT_NEVER: none
	bool terminate_on_interrupt;
	bool keeps_orphans; //< nobody ends the running tasks when leat is killed
	struct halt halt;
	uint64_t retries; //< how many attempts more
	int64_t retry_delay_ns, retry_max_delay_ns;
	struct retry_on retry_on;

	bool keep_order, line_buffer, ungroup;
	enum output_mode mode; //< what these come to
	bool tag;
	const char *tag_string; //< a template; NULL: no tags
	const char *results;    //< a directory; NULL: none
	bool results_by_values; //< as GNU parallel keeps them, and does not write besides
	bool pty, dry_run, verbose;
	bool tty; //< tasks have leat's terminal
	bool progress, no_progress;
	enum color_when color;
	const char *unrun_file;
	const char *journal; //< NULL: none is kept
	enum journal_sync sync;
	bool resume,
		resume_failed; //< by the journal, or, where there is none, the joblog
	const char *joblog;    //< NULL: none is written
	bool joblog_appends;   //< to what is there
	const char *events;    //< a file, or the number of a descriptor; NULL: none
	const char *timeline;  //< NULL: none is drawn
	const char *junit;     //< NULL: none is written
	uint64_t junit_output_bytes; //< of each stream's end are in it
	bool list;                   //< its tasks,
	const char **outcomes;       //< with one of these outcomes, if there are any
	size_t outcome_count;
	uint64_t show;    //< its task of this number; 0: none
	char **arguments; //< the command line
	enum ci_service ci;
	bool recap, no_recap;
	bool summary, quiet;
	const struct front_rules *rules; //< NULL: leat's own

	bool help, version;
};

/** leat's own defaults, and room for what `argc` words can say. Errors: -ENOMEM. */
int plan_init(struct plan *plan, int argc);
void plan_finish(struct plan *plan);

/** What stands between the columns of a record that is written: a text, or a tab. */
const char *plan_separator(const struct plan *plan);

/** Append the command line, quoted for the shell. */
void plan_append_arguments(const struct plan *plan, struct text *text);

/**
 * Have the words be those of `text`, which is cut apart at each blank, or (not `apart`)
 * be that one. Errors: -ENOMEM.
 */
int plan_split_words(struct plan *plan, char *text, bool apart);

/** The number of slots, at least 1, at most `room`. */
unsigned jobs_resolve(const struct jobs *jobs, unsigned cpus, unsigned room);

#endif
