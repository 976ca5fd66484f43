/* What a run needs before anything of it runs, and what can fail there. */
#include "run_inside.h"

#include "descriptors.h"
#include "exit_status.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
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

// The number of a descriptor, which --events takes, is no name of a file.
static bool find_file(const char *name, struct stat *status)
{
	return name && name[strspn(name, "0123456789")] && stat(name, status) == 0 &&
	       S_ISREG(status->st_mode);
}

static bool is_same(const struct stat *one, const struct stat *other)
{
	return one->st_dev == other->st_dev && one->st_ino == other->st_ino;
}

// "-" is standard input.
static bool is_input(const char *input, const struct stat *report)
{
	struct stat status;
	int error = strcmp(input, "-") == 0 ? fstat(STDIN_FILENO, &status)
					    : stat(input, &status);

	return !error && is_same(&status, report);
}

static bool is_read(const struct plan *plan, const struct stat *report)
{
	for (size_t at = 0; at < plan->source_count; at++) {
		const struct source *source = &plan->sources[at];

		for (size_t index = 0;
			source->kind == SOURCE_FILES && index < source->count; index++)
			if (is_input(source->words[index], report))
				return true;
	}
	return !plan->source_count && is_input("-", report);
}

// A report in the place of the input would empty it, and be run in its stead. That of
// --unrun may stand there: it is written when all has been read.
static int check_reports(const struct plan *plan)
{
	const char *const reports[] = {
		plan->events, plan->joblog, plan->junit, plan->timeline, plan->journal};
	struct stat status;

	for (size_t index = 0; index < sizeof reports / sizeof *reports; index++)
		if (find_file(reports[index], &status) && is_read(plan, &status)) {
			message("cannot write %s: records are read from it",
				reports[index]);
			return -EINVAL;
		}
	return 0;
}

// What can fail before anything runs, in order; EXIT_ALL_OK: all is open.
int run_open(struct run *run)
{
	const struct plan *plan = run->plan;
	int error = 0;

	run_join_jobserver(run);
	if (!plan->dry_run && room_check(plan->limits, "") < 0)
		return EXIT_USAGE;
	if (check_reports(plan) < 0)
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
