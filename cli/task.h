/* One command to run, with the values it is made of. */
#ifndef LEAT_CLI_TASK_H
#define LEAT_CLI_TASK_H

#include "account.h"
#include "output.h"
#include "value.h"

struct run;
struct lane;

struct task {
	struct run *run;
	struct task *next;
	struct lane *lane;           //< NULL: none but itself is in its way
	uint64_t sequence;           //< its number, from 1
	uint64_t place;              //< its number among those that are run: their order
	enum task_end end;           //< set by the slot that ran it
	int status;                  //< as a shell would tell it, once it has ended
	uint64_t attempt;            //< its number, from 1 once the first has begun
	int64_t started_us;          //< when the last one began, since the epoch
	bool was_tried;              //< it has had an attempt
	bool again;                  //< there is to be another
	int64_t delay_ns, due_ns;    //< until then, and when
	struct leat_outcome outcome; //< of the last one
	struct kept_output kept;     //< of earlier attempts
	bool paused;                 //< its output is, until the next one
	uint64_t row;                //< in the journal
	bool in_journal;             //< which knows it already
	bool is_recorded;            //< and how it ended
	bool is_awaited;             //< submitted, and never begun or ended
	bool held;                   //< by a worker, and not begun yet
	bool too_large;              //< it can't be a command
	bool in_report;              //< JUnit's has its test case,
	struct {
		uint64_t at, length;
		int verdict;
	} draft;      //< or will have this, if there is no further attempt
	size_t bytes; //< of the values, each with its NUL
	size_t count;
	struct value values[]; //< and their bytes behind
};

#endif
