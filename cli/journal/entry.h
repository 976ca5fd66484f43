/* What is told to the journal: one step of one task. */
#ifndef LEAT_CLI_JOURNAL_ENTRY_H
#define LEAT_CLI_JOURNAL_ENTRY_H

#include <stdint.h>

enum entry_kind {
	ENTRY_BEGIN,   //< an attempt is about to start
	ENTRY_END,     //< it has ended
	ENTRY_OUTCOME, //< the task's, of which there is no attempt, or no further one
};

/** As it is kept in a file for a moment, so of the same size everywhere. */
struct entry {
	uint64_t row; //< the task's, in the journal
	uint64_t sequence;
	uint64_t key; //< of command and input, where it is new
	uint16_t kind;
	uint16_t is_new;        //< BEGIN, OUTCOME: the journal does not know the task yet
	uint32_t command_bytes; //< which stand behind, where it is new,
	uint32_t has_input, input_bytes; //< and these
	uint32_t attempt, slot;
	uint32_t outcome;   //< enum task_end
	uint32_t is_last;   //< END: there is to be no further attempt
	uint32_t is_done;   //< that, and OUTCOME: --resume leaves the task out
	int32_t exit;       //< END: the status; -1: it has none
	int32_t signal;     //< END: 0: none
	int32_t error;      //< END: errno of what kept it from starting; 0: nothing
	int64_t started_us; //< BEGIN: since the epoch
	int64_t elapsed_ns, user_ns, system_ns, peak_kib;
	int64_t out_bytes, err_bytes; //< -1: not known
};

#endif
