/*
 * leat: run a stream of shell commands through a bounded pool, and account for every
 * one of them.
 *
 * The map of the code, along the way that a task travels:
 *
 *   main.c           this: a table of contents
 *   descriptors.c    0, 1 and 2 as leat finds them
 *   privileges.c     rights that leat must not have
 *   plan.c           what is to be run and how; duration.c, cpus.c: what values mean
 *   measure.c        how busy the machine is; cgroup.c: this process's part of it
 *   front/           command lines that become a plan: leat's own, and others'
 *   run.c            the only file that knows all the others: reads, submits, reports
 *     run_open.c       what can fail before anything runs
 *     run_input.c      reads and submits, or counts
 *     run_task.c       one task in its worker, from a slot to its line in the account
 *     run_frame.c      leat's words around what a task wrote
 *     run_report.c     what is told to others
 *     run_display.c    how far it is
 *     run_jobserver.c  make's tokens, or some for the tasks
 *   input.c          records from standard input and files; split.c: of quoted text
 *   rows.c           the values of a record, of one source or several; columns.c
 *   tasks.c          one record or several become a task
 *   task.h           a record that is a command to run
 *   retries.c        tasks that wait for their next attempt; halt.c: when it is enough
 *   lanes.c          tasks that wait for one another
 *   room.c           starts that wait, for one another and for room
 *   jobserver.c      tokens that tasks run by; makeflags.c: where make has them
 *   slot.c           one of the N places where tasks run: environment, tag, results
 *   foreground.c     the terminal that tasks have with --tty
 *   recipe.c         from a task's values to its command; template.c: {} and its kin
 *   shell.c          from a command's text to an argv, with a shell or without
 *   lib/             libleat: the pool, the child and its tree, cancellation
 *   output.c         a task's output on its way out, never mixed with another's
 *     output_stream.c  while the task runs
 *     output_lines.c   the same, line by line; output_attempts.c: of those tried again
 *     output_nap.c     who has collected much is held back
 *     sink.c           one of its two streams: collected, tagged (tag.c), written
 *     floor.c          who may write now; pending.c: what waits for that
 *     outlet.c         standard output and standard error; leat's own lines between
 *     channel.c        one of the two, as it is written
 *   results.c        what a task wrote and how it went, in files
 *   display.c        the progress line: progress.c draws it, running.c: what runs
 *   cells.c          what a text takes of a terminal's line
 *   account.c        what became of each task, in words and numbers; color.c
 *   journal/         what was run and how it went, kept for good; --resume, --list
 *     journal.c        from its opening to its end; steps.c: what is told of each task
 *     find.c           which task of the journal a task of the input is
 *     writer.c         the thread that writes, in groups
 *     tail.c           what is not written yet, safe from a SIGKILL; who may write
 *     store.c          the database; list.c: what is printed of it
 *     store_look.c     whether a file is one that can be used
 *     store_map.c      what SQLite maps, where the disk is full
 *   report/          what others read: joblog.c, events.c (json.c)
 *     junit.c          a test case for each task: xml.c, namesakes.c
 *     ci.c             groups and marks in a CI service's log; ci_summary.c
 *     recap.c          the failed tasks once more
 *     timeline.c       a page of the run: timeline/, built in by timeline_page.S
 *   history.c        the same page of runs that the journal holds
 *   unrun.c          the records that were not run; whole_file.c: written whole
 *   signals.c        the thread that receives signals
 *   cancellation.c   the three levels that they lead to
 *   moment.c         points in time
 *   ci_log.c         what a CI service shows; guard.c: what Azure must not find in it
 *   plain.c          what was written for a terminal, without its escape sequences
 *   utf8.c           what of some bytes is text
 *   message.c        words on standard error; exit_status.h: all exit statuses
 */
#include "descriptors.h"
#include "exit_status.h"
#include "front/front.h"
#include "history.h"
#include "journal/list.h"
#include "leat.h"
#include "message.h"
#include "plan.h"
#include "privileges.h"
#include "run.h"

#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

// What was printed to standard output must have gone there.
static int printed(void)
{
	if (fflush(stdout) == 0)
		return EXIT_ALL_OK;
	message("cannot write standard output: %s", strerror(errno));
	return EXIT_LEAT_TROUBLE;
}

static int dispatch(const struct front *front, const struct plan *plan)
{
	if (plan->help) {
		front->print_help();
		return printed();
	}
	if (plan->version) {
		if (front->print_version)
			front->print_version();
		else
			printf("leat %s\n", leat_version());
		return printed();
	}
	if (plan->list || plan->show) {
		int status = journal_list(plan);

		return status ? status : printed();
	}
	if (history_is_wanted(plan))
		return history_draw(plan);
	return plan->over ? printed() : run(plan);
}

int main(int argc, char **argv)
{
	const struct front *front;
	struct plan plan;
	int status;

	descriptors_ensure();
	if (privileges_are_borrowed()) {
		message("does not run set-user-ID, set-group-ID or with capabilities");
		return EXIT_USAGE;
	}
	setlocale(LC_CTYPE, ""); // what is a character, and how wide
	status = front_parse(&front, &plan, argc, argv);
	if (status != EXIT_ALL_OK)
		return status;
	status = dispatch(front, &plan);
	plan_finish(&plan);
	return status;
}
