/* One command to run, with the values it is made of. */
#ifndef LEAT_CLI_TASK_H
#define LEAT_CLI_TASK_H

#include "account.h"
#include "value.h"

struct run;
struct lane;

struct task {
	struct run *run;
	struct task *next;
	struct lane *lane; //< NULL: none but itself is in its way
	uint64_t sequence; //< its number, from 1
	enum task_end end; //< set by the slot that ran it
	int status;        //< as a shell would tell it, once it has ended
	bool held;         //< by a worker, and not begun yet
	bool too_large;    //< it can't be a command
	size_t count;
	struct value values[]; //< and their bytes behind
};

#endif
