/*
 * Fuzz target: replacement strings and quoting. The input is a template, a NUL, and
 * values with a NUL between. A shell is the judge of quoting: what `printf %s` prints of
 * a quoted value must be the value, byte for byte.
 */
#include "fuzz.h"

#include "front/parallel_text.h"
#include "template.h"

#include <spawn.h>
#include <sys/wait.h>

#define MOST_VALUES 8

extern char **environ;

// What the shell prints for `command`, in `out`.
static void run_shell(const char *command, struct text *out)
{
	char *argv[] = {(char *)"sh", (char *)"-c", (char *)command, NULL};
	posix_spawn_file_actions_t actions;
	char chunk[4096];
	int ends[2], status;
	ssize_t got;
	pid_t pid;

	CHECK(pipe(ends) == 0);
	hold_clock(true);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
	posix_spawn_file_actions_addclose(&actions, ends[0]);
	posix_spawn_file_actions_addclose(&actions, ends[1]);
	CHECK(posix_spawn(&pid, "/bin/sh", &actions, NULL, argv, environ) == 0);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	while ((got = read(ends[0], chunk, sizeof chunk)) > 0)
		text_append(out, chunk, (size_t)got);
	close(ends[0]);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	hold_clock(false);
}

// Each value, quoted by `quote`, and a full stop behind it, through the shell.
static void judge(const struct value *values, size_t count, template_quote_fn quote)
{
	struct text command = {0}, expected = {0}, printed = {0};

	text_append(&command, "printf %s.", strlen("printf %s."));
	for (size_t index = 0; index < count; index++) {
		text_append(&command, " ", 1);
		quote(&command, values[index].bytes, values[index].length);
		text_append(&expected, values[index].bytes, values[index].length);
		text_append(&expected, ".", 1);
	}
	run_shell(command.bytes, &printed);
	CHECK_SAME(&printed, &expected);
	text_finish(&command);
	text_finish(&expected);
	text_finish(&printed);
}

static void expand(const char *text, const struct value *values, size_t count)
{
	static const char *const names[] = {"name", "a.b", "1", ""};
	const struct template_values all = {
		.values = values, .count = count, .all = values, .all_count = count};

	for (int kind = TEMPLATE_FULL; kind <= TEMPLATE_NONE; kind++) {
		const struct template_syntax syntax = {
			.kind = (enum template_kind)kind,
			.plus = kind == TEMPLATE_RAW,
			.braces = kind == TEMPLATE_BRACES ? "x" : NULL,
			.names = names,
			.name_count = 4,
		};
		struct template *template;
		struct text out = {0};

		CHECK(template_parse(&template, text, &syntax) == 0);
		template_append(template, &out, &all, NULL);
		CHECK(kind != TEMPLATE_NONE ||
			strcmp(out.bytes ? out.bytes : "", text) == 0);
		text_finish(&out);
		template_destroy(template);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct value values[MOST_VALUES];
	size_t count = 0, at;

	memcpy(text, data, size);
	text[size] = '\0';
	for (at = strlen(text) + 1; at < size && count < MOST_VALUES; at++) {
		values[count] =
			(struct value){text + at, (uint32_t)strlen(text + at), true};
		at += values[count++].length;
	}
	expand(text, values, count);
	if (count) {
		judge(values, count, template_quote_shell);
		judge(values, count, parallel_quote);
	}
	free(text);
	return 0;
}
