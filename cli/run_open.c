/* What a run needs before anything of it runs, and what can fail there. */
#include "run_inside.h"

#include "descriptors.h"
#include "exit_status.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static int cannot(const char *what, int error)
{
	message("cannot %s: %s", what, strerror(-error));
	return error;
}

static void leave_terminal(struct run *run)
{
	if (run->plan->asks)
		confirm_close(&run->confirm);
	if (run->plan->tty)
		foreground_close(&run->surroundings.foreground);
}

// What can fail before anything runs, in order; EXIT_ALL_OK: all is open.
int run_open(struct run *run)
{
	const struct plan *plan = run->plan;
	int error = 0;

	run_join_jobserver(run);
	if (!plan->dry_run && room_check(plan->limits, "") < 0)
		return EXIT_USAGE;
	if (plan->events && !plan->dry_run)
		error = events_open(&run->events, plan);
	if (error) {
		message("cannot write %s: %s", plan->events, strerror(-error));
		return EXIT_LEAT_TROUBLE;
	}
	error = shell_init(&run->surroundings.shell, plan->shell);

	if (error) {
		message("%s %s: %s",
			plan->rules ? "cannot run the shell" : "--shell: cannot run",
			plan->shell ? plan->shell : "sh", strerror(-error));
		return plan->shell ? EXIT_USAGE : EXIT_LEAT_TROUBLE;
	}
	error = leat_family_create(&run->surroundings.family);
	if (error) {
		cannot("start", error);
		return EXIT_LEAT_TROUBLE;
	}
	error = rows_open(&run->rows, plan);
	if (error)
		goto destroy_family;
	if (plan->standard_input != STDIN_INHERIT)
		error = descriptors_replace_input(plan->standard_input == STDIN_TERMINAL
							  ? "/dev/tty"
							  : "/dev/null");
	if (error) {
		cannot(plan->standard_input == STDIN_TERMINAL ? "open /dev/tty"
							      : "open /dev/null",
			error);
		goto close_input;
	}
	if (plan->tty)
		foreground_open(&run->surroundings.foreground);
	if (plan->asks)
		error = confirm_open(&run->confirm);
	if (error) {
		cannot("open /dev/tty", error);
		goto close_terminal;
	}
	error = unrun_open(&run->unrun, plan);
	if (error) {
		message("cannot write %s: %s", plan->unrun_file, strerror(-error));
		goto close_terminal;
	}
	if (run_open_reports(run) != EXIT_ALL_OK)
		goto close_unrun;
	return EXIT_ALL_OK;
close_unrun:
	unrun_drop(&run->unrun);
close_terminal:
	leave_terminal(run);
close_input:
	rows_close(run->rows);
destroy_family:
	leat_family_destroy(run->surroundings.family);
	return EXIT_LEAT_TROUBLE;
}

void run_close(struct run *run)
{
	leave_terminal(run);
	events_close(run->events);
	joblog_close(run->joblog);
	results_close(&run->surroundings.results);
	rows_close(run->rows);
	leat_family_destroy(run->surroundings.family);
	jobserver_destroy(run->jobserver);
}
