/* What the user asked for. */
#ifndef LEAT_CLI_OPTIONS_H
#define LEAT_CLI_OPTIONS_H

#include "color.h"
#include "output.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

/** Everything points into argv. */
struct options {
	char delimiter;
	bool lines; //< the delimiter is the default one: lines with their rules
	const char **arg_files;
	size_t arg_file_count;

	struct jobs jobs;
	const char *shell; //< NULL: sh

	int64_t timeout_ns, deadline_ns; //< LEAT_NEVER: none
	int64_t kill_after_ns, linger_ns;
	int64_t drain_timeout_ns; //< LEAT_NEVER: none
	bool terminate_on_interrupt;

	bool keep_order, line_buffer, ungroup;
	enum output_mode mode; //< what these come to
	bool tag;
	const char *tag_string; //< a template; NULL: no tags
	const char *results;    //< a directory; NULL: none
	bool pty, dry_run, verbose;
	bool progress, no_progress;
	enum color_when color;
	const char *unrun_file;
	bool summary, quiet;

	bool help, version;
};

/**
 * Fill in `options` from the command line. Returns 0, or -EINVAL after a message
 * that names the option and what it takes, or -ENOMEM after one that says so.
 */
int options_parse(struct options *options, int argc, char **argv);
void options_finish(struct options *options);

/** Print the help or a list for scripts to standard output. */
void options_print_help(void);

/** The number of slots, at least 1, at most `room`. */
unsigned jobs_resolve(const struct jobs *jobs, unsigned cpus, unsigned room);

#endif
