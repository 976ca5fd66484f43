/* What warm.c and warm_inside.c, each in its own process, say to one another. */
#ifndef LEAT_PROCESS_WARM_WIRE_H
#define LEAT_PROCESS_WARM_WIRE_H

#include <stdint.h>
#include <sys/types.h>

/** In the server's environment: "SOCKET,OBJECT,WARDS,DEVICE,INODE": descriptors (-1:
 * there are no wards), and what the program's file is known by. */
#define WARM_VARIABLE "LEAT_WARM="
#define WARM_NUMBERS 5

/** The server's arguments but the first: harmless where it is none, and a shell. */
#define WARM_OPTION "-c"
#define WARM_COMMAND ":"

enum {
	WARM_REQUEST_BYTES = 64 * 1024, //< at most, with the header
	WARM_STRINGS = 4096,            //< at most, of argv and environment together
};

/**
 * One message, with the descriptors that are to be 0, 1 and 2 (SCM_RIGHTS). Behind this
 * stand strings, each with its NUL: the directory ("": stay), argv, the environment.
 */
struct warm_request {
	pid_t server; //< who is to get it; seen otherwise in another PID namespace
	uint32_t argument_count, variable_count;
	int64_t ward; //< where in the wards the child's number goes; -1: nowhere
};

/**
 * From the child, when it is about to run, or can't: then `error` is the errno of
 * chdir(2); or a negative one of what is done for a child of this kind alone. From the
 * server where there could be no child: `pid` is 0.
 */
struct warm_answer {
	pid_t pid;
	int error;
};

#endif
