/* The one table of leat's exit statuses: the greater trouble wins. */
#ifndef LEAT_CLI_EXIT_STATUS_H
#define LEAT_CLI_EXIT_STATUS_H

enum exit_status {
	EXIT_ALL_OK = 0,
	EXIT_USAGE = 2,          //< the options make no sense; nothing was run
	EXIT_TASK_TROUBLE = 123, //< some task failed, crashed or timed out
	EXIT_DEADLINE = 124,     //< the deadline ended the run
	EXIT_LEAT_TROUBLE = 125, //< leat itself failed: input, output, resources
	// What a child is said to have exited with that could not be started, as in
	// sh(1).
	EXIT_CANNOT_RUN = 126,
	EXIT_NOT_FOUND = 127,
	// After a cancellation by a signal leat dies of that signal: 128 + its number.
};

#endif
