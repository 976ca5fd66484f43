/* One command to run. */
#ifndef LEAT_CLI_TASK_H
#define LEAT_CLI_TASK_H

#include "account.h"

struct run;

struct task {
	struct run *run;
	struct task *next;
	uint64_t sequence; //< number in the input, from 1
	enum task_end end; //< set by the slot that ran it
	size_t length;
	char record[]; //< as it stood in the input
};

#endif
