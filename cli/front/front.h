/* The front ends: each turns a command line into a plan. */
#ifndef LEAT_CLI_FRONT_FRONT_H
#define LEAT_CLI_FRONT_FRONT_H

#include "plan.h"

struct words;

struct front {
	const char *name;
	int (*parse)(struct plan *plan, struct words words);
	void (*print_help)(void);
	void (*print_version)(void); //< NULL: leat's own
	int usage_status;            //< what leat exits with where parse() failed
};

/**
 * Choose the front end by the program's name, or by a first option --as TOOL, and have
 * it fill in `plan`, which plan_finish() empties. Returns 0, or the exit status after a
 * message.
 */
int front_parse(const struct front **front, struct plan *plan, int argc, char **argv);

int front_native(struct plan *plan, struct words words);
void front_native_help(void);
int front_xargs(struct plan *plan, struct words words);
void front_xargs_help(void);
int front_parallel(struct plan *plan, struct words words);
void front_parallel_help(void);
void front_parallel_version(void);

#endif
