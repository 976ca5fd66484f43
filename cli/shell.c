/*
 * How a command is started.
 *
 * Normally as `sh -c COMMAND`. A plain command is started directly, which saves the
 * shell's start: only where that can't be told from outside. So: the shell is dash
 * (others set variables of their own in the environment: bash SHLVL and _), all
 * characters mean themselves, and the first word is none that any common shell
 * takes for its own. dash exports PWD; so $PWD must be there and right. It passes on
 * no variable whose name isn't one; run.c leaves those out for a direct start.
 *
 * A command too long for one argument (execve(2), MAX_ARG_STRLEN: 32 pages with the
 * NUL) is put in a memory file that the shell reads through /proc: it needs no
 * descriptor in the child, and no positional parameter betrays it.
 */
#include "shell.h"

#include "leat.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define ARGUMENT_BYTES ((size_t)128 * 1024)

// Builtins and reserved words of dash, bash, ksh, zsh and busybox, sorted.
static const char *const shell_words[] = {".", ":", "[", "[[", "]]", "alias", "autoload",
	"bg", "bind", "bindkey", "break", "builtin", "bye", "caller", "case", "cd",
	"chdir", "command", "compgen", "complete", "compopt", "continue", "coproc",
	"declare", "dirs", "disable", "disown", "do", "done", "echo", "elif", "else",
	"emulate", "enable", "end", "esac", "eval", "exec", "exit", "export", "false",
	"fc", "fg", "fi", "float", "for", "foreach", "function", "functions", "getln",
	"getopts", "hash", "help", "hist", "history", "if", "in", "integer", "jobs",
	"kill", "let", "limit", "local", "log", "logout", "mapfile", "nameref",
	"nocorrect", "noglob", "popd", "print", "printf", "pushd", "pushln", "pwd",
	"read", "readarray", "readonly", "rehash", "repeat", "return", "sched", "select",
	"set", "setopt", "shift", "shopt", "source", "suspend", "test", "then", "time",
	"times", "trap", "true", "ttyctl", "type", "typeset", "ulimit", "umask",
	"unalias", "unfunction", "unhash", "unlimit", "unset", "unsetopt", "until",
	"wait", "whence", "where", "which", "while", "zcompile", "zformat", "zle",
	"zmodload", "zparseopts", "zstyle"};

static int compare_words(const void *left, const void *right)
{
	return strcmp(left, *(const char *const *)right);
}

static bool is_shell_word(const char *word)
{
	return bsearch(word, shell_words, sizeof shell_words / sizeof *shell_words,
		       sizeof *shell_words, compare_words) != NULL;
}

static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || (c && strchr("_@%+:,./-", c));
}

static bool is_current_directory(const char *path)
{
	struct stat named, here;

	return path && path[0] == '/' && stat(path, &named) == 0 &&
	       stat(".", &here) == 0 && named.st_dev == here.st_dev &&
	       named.st_ino == here.st_ino;
}

static bool is_dash(const char *path)
{
	char *real = realpath(path, NULL);
	const char *name = real ? strrchr(real, '/') : NULL;
	bool dash = name && strcmp(name, "/dash") == 0;

	free(real);
	return dash;
}

static int check_program(const char *path)
{
	struct stat status;

	if (access(path, X_OK) < 0 || stat(path, &status) < 0)
		return -errno;
	return S_ISREG(status.st_mode) ? 0 : -EACCES;
}

// What dash would not pass on as it is.
static bool has_shell_variables(void)
{
	return getenv("IFS") || getenv("OPTIND") || getenv("PPID");
}

static int find_program(const char *name, const char *search_path, char *found)
{
	if (strchr(name, '/') || !search_path)
		return check_program(name);
	for (const char *end;; search_path = end + 1) {
		end = strchrnul(search_path, ':');
		// An empty entry is the current directory, as in execvp(3).
		if (snprintf(found, PATH_MAX, "%.*s%s%s", (int)(end - search_path),
			    search_path, end == search_path ? "" : "/",
			    name) < PATH_MAX &&
			check_program(found) == 0)
			return 1;
		if (!*end)
			return -ENOENT;
	}
}

int shell_init(struct shell *shell, const char *path)
{
	static char found[PATH_MAX];
	const char *slash;
	int error;

	shell->path = path ? path : "/bin/sh";
	shell->search_path = getenv("PATH");
	error = find_program(shell->path, shell->search_path, found);
	if (error < 0)
		return error;
	if (error)
		shell->path = found;
	slash = strrchr(shell->path, '/');
	shell->name = path && slash ? slash + 1 : "sh";
	shell->direct = !path && shell->search_path && is_dash(shell->path) &&
			is_current_directory(getenv("PWD")) && !has_shell_variables();
	return 0;
}

void command_init(struct command *command)
{
	*command = (struct command){.script_fd = -1};
}

void command_release(struct command *command)
{
	if (command->script_fd >= 0)
		close(command->script_fd);
	command->script_fd = -1;
}

void command_finish(struct command *command)
{
	command_release(command);
	free(command->argv);
	text_finish(&command->words);
	text_finish(&command->text);
}

void command_begin(struct command *command)
{
	command->direct = true;
	command->count = 0;
	command->words.length = 0;
	command->words.failed = false;
}

int command_add(struct command *command, const char *word)
{
	if (command->count + 1 >= command->capacity) {
		size_t capacity = 2 * command->capacity + 8;
		const char **argv = reallocarray(command->argv, capacity, sizeof *argv);

		if (!argv)
			return -ENOMEM;
		command->argv = argv;
		command->capacity = capacity;
	}
	command->argv[command->count++] = word;
	return 0;
}

int command_end(struct command *command)
{
	const char *at = command->words.bytes;

	if (command->words.failed)
		return -ENOMEM;
	for (size_t index = 0; index < command->count; index++)
		if (!command->argv[index]) {
			command->argv[index] = at;
			at += strlen(at) + 1;
		}
	command->argv[command->count] = NULL;
	return 0;
}

// Cuts the words apart in place. False: a character has a meaning to the shell.
static bool split_plain(char *at, size_t *count)
{
	bool in_word = false;

	for (*count = 0; *at; at++) {
		bool blank = *at == ' ' || *at == '\t';

		// Behind the first word an equals sign is no assignment.
		if (!blank && !is_plain(*at) && !(*at == '=' && *count > 1))
			return false;
		if (!blank && !in_word)
			++*count;
		in_word = !blank;
		if (blank)
			*at = '\0';
	}
	return *count > 0;
}

// 1: argv holds the words; 0: a shell is needed.
static int prepare_direct(struct command *command, const char *text, size_t length)
{
	const char *end;
	size_t count;
	int error = 0;

	command_begin(command);
	text_append(&command->words, text, length);
	if (command->words.failed)
		return -ENOMEM;
	if (!split_plain(command->words.bytes, &count))
		return 0;
	end = command->words.bytes + length;
	for (const char *at = command->words.bytes; !error && at < end;
		at += strlen(at) + 1)
		if (*at)
			error = command_add(command, at);
	if (error)
		return error;
	command->argv[command->count] = NULL;
	return !is_shell_word(command->argv[0]);
}

static int write_script(struct command *command, const char *text, size_t length)
{
	command->script_fd = memfd_create("leat command", MFD_CLOEXEC);
	if (command->script_fd < 0)
		return -errno;
	while (length) {
		ssize_t written = write(command->script_fd, text, length);

		if (written < 0 && errno != EINTR)
			return -ENOMEM;
		text += written > 0 ? written : 0;
		length -= written > 0 ? (size_t)written : 0;
	}
	return 0;
}

// The command as a word, or one that reads it.
static int add_script(struct command *command, const char *text, size_t length)
{
	int error;

	if (length < ARGUMENT_BYTES) {
		text_append(&command->words, text, length);
	} else {
		error = write_script(command, text, length);
		if (error)
			return error;
		text_format(&command->words, ". /proc/%d/fd/%d", (int)getpid(),
			command->script_fd);
	}
	text_append(&command->words, "", 1);
	return command_add(command, NULL);
}

int command_prepare(struct command *command, const struct shell *shell, const char *text,
	size_t length, bool alone)
{
	int error, direct = 0;

	if (memchr(text, '\0', length))
		return -EINVAL;
	if (shell->direct && alone && length < ARGUMENT_BYTES)
		direct = prepare_direct(command, text, length);
	if (direct)
		return direct < 0 ? direct : 0;
	command_begin(command);
	command->direct = false;
	error = command_add(command, shell->name);
	if (!error)
		error = command_add(command, "-c");
	if (!error &&
		(*text == '-' || *text == '+')) // else it would be taken for options
		error = command_add(command, "--");
	if (!error)
		error = add_script(command, text, length);
	if (!error && !alone)
		error = command_add(command, shell->name);
	return error ? error : command_end(command);
}
