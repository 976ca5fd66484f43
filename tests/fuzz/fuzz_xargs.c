/*
 * Fuzz target: the quoting of xargs. The input is a way to split, and the bytes to be
 * split. The judge is xargs itself, for one input in eight: a process each takes its
 * time.
 */
#include "fuzz.h"

#include "input.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

#define LONGEST_BYTES 131072
#define JUDGED_IN 8

extern char **environ;

enum way { WORDS, LINES, BY_LINE, WAYS };

static struct leat_context *context;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	CHECK(leat_context_create(&context, NULL, LEAT_NEVER) == 0);
	return 0;
}

// What printf prints of it: each item with a NUL behind, by line with "<" before.
static int split(const char *path, enum way way, struct text *items)
{
	const struct splitting splitting = {.delimiter = '\n',
		.kind = way == LINES ? SPLIT_LINES : SPLIT_WORDS,
		.longest = LONGEST_BYTES,
		.cuts_at_nul = true};
	struct patience patience = {context, LEAT_NEVER};
	struct record record;
	struct input *input;
	bool begins = true;
	size_t whole = 0;
	int got;

	CHECK(input_open(&input, &splitting, &path, 1) == 0);
	while ((got = input_next(input, patience, &record)) > 0) {
		if (begins && way == BY_LINE)
			text_append(items, "<", 2);
		text_append(items, record.bytes, record.length);
		text_append(items, "", 1);
		begins = record.ends_line;
		whole = begins ? items->length : whole;
	}
	input_close(input);
	if (got < 0 && way == BY_LINE) // a begun line is not run
		items->length = whole;
	return got;
}

static const char *const commands[WAYS][8] = {
	[WORDS] = {"xargs", "-r", "printf", "%s\\0"},
	[LINES] = {"xargs", "-r", "-I{}", "printf", "%s\\0", "{}"},
	[BY_LINE] = {"xargs", "-r", "-L1", "printf", "%s\\0", "<"},
};

// Returns its exit status.
static int run_xargs(const char *path, enum way way, struct text *printed)
{
	posix_spawn_file_actions_t actions;
	char out_path[PATH_BYTES];
	int out = make_file(out_path, "", 0), status;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, path, O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, out, 1);
	hold_clock(true);
	CHECK(posix_spawnp(&pid, "xargs", &actions, NULL,
		      (char *const *)(uintptr_t)commands[way], environ) == 0);
	posix_spawn_file_actions_destroy(&actions);
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	hold_clock(false);
	*printed = read_file(out);
	return WEXITSTATUS(status);
}

// The sum of FNV: which inputs are judged is the same each time.
static bool is_judged(const uint8_t *data, size_t size)
{
	uint32_t sum = 2166136261U;

	for (size_t index = 0; index < size; index++)
		sum = (sum ^ data[index]) * 16777619U;
	return sum % JUDGED_IN == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes bytes = bytes_of(data, size);
	enum way way = take(&bytes) % WAYS;
	struct text items = {0}, printed;
	char path[PATH_BYTES];
	int fd = make_file(path, bytes.at, bytes_left(&bytes));
	int error = split(path, way, &items);

	if (is_judged(data, size)) {
		CHECK(run_xargs(path, way, &printed) == (error ? 1 : 0));
		CHECK_SAME(&items, &printed);
		text_finish(&printed);
	}
	close(fd);
	text_finish(&items);
	forget_said();
	return 0;
}
