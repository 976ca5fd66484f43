/* The run's jobserver: make's, or one that leat makes for its tasks. */
#include "run_inside.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void out_of_reach(struct run *run, int error)
{
	const struct plan *plan = run->plan;

	if (plan->jobs.kind != JOBS_CPUS || plan->rules)
		return; // so many were asked for, or are what such a front end has
	run->make_jobs = 1;
	if (error == -EBADF)
		message("make's jobserver is out of reach (mark the recipe with '+'): "
			"running one task at a time");
	else
		message("make's jobserver is out of reach: %s: running one task at a "
			"time",
			strerror(-error));
}

void run_join_jobserver(struct run *run)
{
	struct makeflags makeflags;
	int error;

	if (run->plan->dry_run)
		return;
	makeflags_parse(&makeflags, getenv("MAKEFLAGS"));
	error = jobserver_join(&run->jobserver, &makeflags);
	if (run->jobserver)
		run->make_jobs = makeflags.jobs;
	if (error)
		out_of_reach(run, error);
	makeflags_finish(&makeflags);
}

static void lost(void *argument, int error)
{
	run_say(argument, "the jobserver fails: %s: running one task at a time",
		strerror(-error));
}

static int serve(struct run *run, unsigned slots)
{
	const struct plan *plan = run->plan;
	int error = jobserver_serve(&run->jobserver, slots, plan->jobserver_is_fifo,
		run->temporary_directory, getenv("MAKEFLAGS"));

	if (error && plan->jobserver_is_fifo)
		message("cannot make a fifo below %s", run->temporary_directory);
	return error;
}

int run_start_jobserver(struct run *run, unsigned slots)
{
	const struct plan *plan = run->plan;
	int error = 0;

	if (plan->jobserver && !run->jobserver && !plan->dry_run)
		error = serve(run, slots);
	return error ? error
		     : jobserver_start(
			       run->jobserver, run->cancellation.intake, lost, run);
}
