/*
 * leat: run a stream of shell commands through a bounded pool, and account for every
 * one of them.
 *
 * The map of the code, along the way that a task travels:
 *
 *   main.c           this: a table of contents
 *   descriptors.c    0, 1 and 2 as leat finds them
 *   options.c        the one table of options; duration.c, cpus.c: what values mean
 *   run.c            the only file that knows all the others: reads, submits, reports
 *     run_task.c       one task in its worker, from a slot to its line in the account
 *     run_display.c    how far it is
 *   input.c          records from standard input and files
 *   task.h           a record that is a command to run
 *   slot.c           one of the N places where tasks run: environment, tag, results
 *   template.c       {} and its kin
 *   shell.c          from a command's text to an argv, with a shell or without
 *   lib/             libleat: the pool, the child and its tree, cancellation
 *   output.c         a task's output on its way out, never mixed with another's
 *     output_lines.c   the same, line by line
 *     sink.c           one of its two streams: collected, tagged (tag.c), written
 *     floor.c          who may write now; pending.c: what waits for that
 *     outlet.c         standard output and standard error; leat's own lines between
 *     channel.c        one of the two, as it is written
 *   results.c        what a task wrote and how it went, in files
 *   display.c        the progress line: progress.c draws it, running.c: what runs
 *   account.c        what became of each task, in words and numbers; color.c
 *   unrun.c          the records that were not run; whole_file.c: written whole
 *   signals.c        the thread that receives signals
 *   cancellation.c   the three levels that they lead to
 *   message.c        words on standard error; exit_status.h: all exit statuses
 */
#include "descriptors.h"
#include "exit_status.h"
#include "leat.h"
#include "options.h"
#include "run.h"

#include <errno.h>
#include <locale.h>
#include <stdio.h>

// What was printed to standard output must have gone there.
static int printed(void)
{
	return fflush(stdout) == 0 ? EXIT_ALL_OK : EXIT_LEAT_TROUBLE;
}

static int dispatch(const struct options *options)
{
	if (options->help) {
		options_print_help();
		return printed();
	}
	if (options->version) {
		printf("leat %s\n", leat_version());
		return printed();
	}
	return run(options);
}

int main(int argc, char **argv)
{
	struct options options;
	int status, error;

	setlocale(LC_CTYPE, ""); // what is a character, and how wide
	descriptors_ensure();
	error = options_parse(&options, argc, argv);
	if (error)
		status = error == -EINVAL ? EXIT_USAGE : EXIT_LEAT_TROUBLE;
	else
		status = dispatch(&options);
	options_finish(&options);
	return status;
}
