/*
 * Fuzz target: which commands are started without a shell. The judge is dash, one that
 * stays: the words of such a command are those that it finds in the text, and it would
 * look for a program of that name. It looks in vain: no program is ever run.
 */
#include "fuzz.h"

#include "shell.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>

#define WORDS_MOST 4096

// In an empty directory, where no pattern matches. The last line is how the command
// ended: 127, not found; of one with a slash the name is what is asked for.
static const char judge_script[] =
	"while IFS= read -r text; do\n"
	"	eval \"set -- $text\"\n"
	"	printf '%s\\n' \"$@\"\n"
	"	case $1 in */*) type \"$1\" >/dev/null 2>&1; set -- $?;;\n"
	"	*) eval \"$text\" 2>/dev/null; set -- $?;; esac\n"
	"	printf '=%d\\n' $1\n"
	"done\n";

static FILE *to_judge, *from_judge;
static char directory[] = "/tmp/leat-fuzz-shell-XXXXXX";

static void remove_directory(void)
{
	rmdir(directory);
}

static void start_judge(void)
{
	char *argv[] = {(char *)"dash", (char *)"-c", (char *)judge_script, NULL};
	char *environment[] = {(char *)"PATH=/nonexistent", NULL};
	posix_spawn_file_actions_t actions;
	int in[2], out[2];
	pid_t pid;

	CHECK(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
	posix_spawn_file_actions_addchdir_np(&actions, directory);
	CHECK(posix_spawn(&pid, "/bin/dash", &actions, NULL, argv, environment) == 0);
	posix_spawn_file_actions_destroy(&actions);
	close(in[0]);
	close(out[1]);
	to_judge = fdopen(in[1], "w");
	from_judge = fdopen(out[0], "r");
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	CHECK(mkdtemp(directory));
	atexit(remove_directory);
	start_judge();
	return 0;
}

static void check_line(const char *wanted)
{
	char line[WORDS_MOST];

	CHECK(fgets(line, sizeof line, from_judge));
	CHECK(strlen(line) == strlen(wanted) + 1 &&
		strncmp(line, wanted, strlen(wanted)) == 0);
}

static void judge(const char *text, const struct command *command)
{
	char line[16];
	bool has_slash = strchr(command->argv[0], '/');

	CHECK(!strchr(text, '\n'));
	hold_clock(true);
	fprintf(to_judge, "%s\n", text);
	CHECK(fflush(to_judge) == 0);
	for (size_t index = 0; index < command->count; index++)
		check_line(command->argv[index]);
	CHECK(fgets(line, sizeof line, from_judge));
	CHECK(has_slash ? *line == '=' : strcmp(line, "=127\n") == 0);
	hold_clock(false);
}

// Through the shell: it is told the very text.
static void check_shell(
	const struct text *text, const struct command *command, bool alone)
{
	bool dashes = text->length && strchr("+-", *text->bytes);

	CHECK(command->count == 3U + dashes + !alone);
	CHECK(strcmp(command->argv[1], "-c") == 0);
	CHECK(!dashes || strcmp(command->argv[2], "--") == 0);
	CHECK(strcmp(command->argv[2 + dashes], text->bytes ? text->bytes : "") == 0);
}

static void prepare(struct command *command, const struct text *text, bool alone)
{
	const struct shell shell = {
		.path = "/bin/sh", .name = "sh", .search_path = "", .direct = true};
	const char *bytes = text->bytes ? text->bytes : "";
	int error = command_prepare(command, &shell, bytes, text->length, alone);

	CHECK((error == -EINVAL) == (strlen(bytes) != text->length));
	if (error)
		return;
	CHECK(!command->argv[command->count]);
	if (command->direct && alone)
		judge(bytes, command);
	else
		check_shell(text, command, alone);
	command_release(command);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct command command = {.script_fd = -1};
	struct text text = {0};

	text_append(&text, (const char *)data, size);
	prepare(&command, &text, true);
	prepare(&command, &text, false);
	text_finish(&text);
	return 0;
}
