/* From the text of a command to what is executed. */
#ifndef LEAT_CLI_SHELL_H
#define LEAT_CLI_SHELL_H

#include "message.h"

/** The shell that runs the commands, and whether it may be left out. */
struct shell {
	const char *path;        //< "/bin/sh" or what --shell says
	const char *name;        //< its argv[0]
	const char *search_path; //< $PATH; NULL: unset
	bool direct; //< nobody can tell a plain command started directly from one started
		     // by it
};

/**
 * Set up for `path` (NULL: sh) as --shell has it: a path or a name found in $PATH.
 * Returns 0, or a negative errno where there is no such program.
 */
int shell_init(struct shell *shell, const char *path);

/** A command made ready; its memory is used again by the next one. */
struct command {
	const char **argv;
	size_t count, capacity; //< of argv
	bool direct;            //< argv is the command's own words, not the shell's
	struct text words;      //< that argv points into
	struct text text;       //< for whoever makes commands
	int script_fd;          //< a command too long for an argument, else -1
};

void command_init(struct command *command);
void command_finish(struct command *command);

/**
 * Make ready to run `length` bytes of `text` as `sh -c` would run them; with parameters
 * to come (not `alone`), by command_add() and command_end(). Returns 0; -EINVAL: there is
 * a NUL byte in it; -ENOMEM, -EMFILE, -ENFILE: no room.
 */
int command_prepare(struct command *command, const struct shell *shell, const char *text,
	size_t length, bool alone);

/**
 * Make a command word by word: each is a string that stays, or NULL for the next of those
 * in `words`, where each has a NUL behind. Errors: -ENOMEM.
 */
void command_begin(struct command *command);
int command_add(struct command *command, const char *word);
int command_end(struct command *command);

/** Let go of what only this run needed. */
void command_release(struct command *command);

#endif
