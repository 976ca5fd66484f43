/* What journal.c and steps.c share. */
#ifndef LEAT_CLI_JOURNAL_INSIDE_H
#define LEAT_CLI_JOURNAL_INSIDE_H

#include "journal/find.h"
#include "journal/journal.h"
#include "journal/store.h"
#include "journal/writer.h"

struct journal {
	const struct plan *plan;
	struct journal_events events;
	char *name;        //< its real path, so that all that have it agree on the tail
	struct tail *tail; //< NULL: nothing is written
	struct store *store;
	struct find *find;     //< NULL: no task is known
	struct writer *writer; //< NULL: nothing is written
	uint64_t last_row;
	uint64_t failed_before;
};

#endif
