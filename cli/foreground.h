/* leat's terminal, which tasks have with --tty, and get back from them. */
#ifndef LEAT_CLI_FOREGROUND_H
#define LEAT_CLI_FOREGROUND_H

#include <stdbool.h>
#include <sys/types.h>
#include <termios.h>

struct foreground {
	int fd;      //< the controlling terminal; -1: none, or leat is in its background
	pid_t group; //< leat's process group
	struct termios modes;
};

/** Note how the terminal is. To be called before any task has it. */
void foreground_open(struct foreground *foreground);
void foreground_close(struct foreground *foreground);

/**
 * After a task: leat's process group is the terminal's foreground one again, whoever made
 * itself that (tcsetpgrp(3)); with `modes` the terminal's modes are as they were noted.
 */
void foreground_take_back(const struct foreground *foreground, bool modes);

#endif
