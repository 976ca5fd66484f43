/* What MAKEFLAGS says of make's jobserver, read and written as make does. */
#ifndef LEAT_CLI_MAKEFLAGS_H
#define LEAT_CLI_MAKEFLAGS_H

#include "message.h"

struct makeflags {
	enum {
		JOBSERVER_NONE,
		JOBSERVER_PIPE,
		JOBSERVER_FIFO,
		JOBSERVER_UNCLEAR //< there is one, but not for this process
	} style;
	int read_fd, write_fd; //< JOBSERVER_PIPE
	struct text path;      //< JOBSERVER_FIFO; owned
	unsigned jobs;         //< of make's -j; 0: it does not say
};

/** Read the value of MAKEFLAGS, NULL where it is not set. The last jobserver counts. */
void makeflags_parse(struct makeflags *flags, const char *value);
void makeflags_finish(struct makeflags *flags);

/**
 * Append "MAKEFLAGS=" and the value `before` (may be NULL), in which `jobs` and the
 * jobserver `where` ("R,W" or "fifo:PATH") take the place of the former ones.
 */
void makeflags_append(
	struct text *text, const char *before, unsigned jobs, const char *where);

#endif
