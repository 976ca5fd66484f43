/*
 * The log of a CI service: tasks' output in groups that can be opened, failures marked
 * for the service to show, and nothing that a task writes taken for a command to it.
 */
#ifndef LEAT_CLI_REPORT_CI_H
#define LEAT_CLI_REPORT_CI_H

#include "message.h"
#include "plan.h"

#include <stdint.h>

struct ci {
	enum ci_service service; //< CI_NONE: there is none, and nothing is ever appended
	bool has_log;    //< standard output is the log, and standard error with it
	bool has_groups; //< each task's output is one
	bool has_frames; //< something stands around each task's, groups or less
	bool is_blind;   //< tasks write themselves: nobody knows where a line ends
	char token[33];  //< nobody can guess it
};

/**
 * Find out which service there is, by the plan and the environment, and whether standard
 * output is its log. Errors: of getrandom(2).
 */
int ci_open(struct ci *ci, const struct plan *plan);

/** Whether some CI service or other runs this, and not a task of another leat. */
bool ci_is_around(void);

/** What stands around the output of a task that went well or (`failed`) did not. */
struct ci_group {
	uint64_t sequence;
	const struct text *title;
	bool failed;
	int64_t started_us; //< since the epoch
};

/** Append what stands before that output, and behind it: whole lines, or nothing. */
void ci_append_begin(
	const struct ci *ci, const struct ci_group *group, struct text *text);
void ci_append_end(const struct ci *ci, const struct ci_group *group, struct text *text);

/** Append a mark of a failure; `words` may have several lines. */
void ci_append_error(const struct ci *ci, const char *title, const struct text *words,
	struct text *text);

/** Where there are no frames: append what stands before all output, and behind it. */
void ci_append_run_begin(const struct ci *ci, struct text *text);
void ci_append_run_end(const struct ci *ci, struct text *text);

/** Have a line of leat's own, which may name anything, be no command. */
void ci_guard(const struct ci *ci, struct text *line);

/** Whether the bytes of output have to be guarded one by one: guard.h. */
bool ci_guards_output(const struct ci *ci);

#endif
