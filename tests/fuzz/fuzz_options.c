/*
 * Fuzz target: command lines. The input is a front end and words with a NUL between. What
 * is refused is told, in words that say where to read more; what is taken makes a plan of
 * which all parts are there and make sense, the same each time, and its templates, limits
 * and numbers can be used.
 */
#include "fuzz.h"

#include "front/front.h"
#include "recipe.h"

#include <fcntl.h>

#define WORDS_MOST 16

static char *argv[WORDS_MOST + 3];
static int argc;
static int null_fd;

int LLVMFuzzerInitialize(int *count, char ***words)
{
	(void)count;
	(void)words;
	null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	unsetenv("GITHUB_ACTIONS");
	return null_fd < 0 ? -1 : 0;
}

static void take_words(struct bytes *bytes)
{
	static const char *const names[] = {"leat", "xargs", "parallel"};

	argc = 0;
	argv[argc++] = strdup(names[take(bytes) % 3]);
	while (bytes_left(bytes) && argc <= WORDS_MOST) {
		struct text word = take_until(bytes, '\0');

		text_append(&word, "", 0);
		argv[argc++] = word.bytes;
	}
	argv[argc] = NULL;
}

/* ---- a plan ---- */

static bool is_fraction(const char *text)
{
	return text && strlen(text) < SIZE_MAX;
}

static void check_names(const char *const *words, size_t count)
{
	CHECK(count <= (size_t)argc + 2);
	for (size_t index = 0; index < count; index++)
		CHECK(is_fraction(words[index]));
}

static void check_input(const struct plan *plan)
{
	CHECK(plan->source_count <= (size_t)argc + 2);
	for (size_t index = 0; index < plan->source_count; index++)
		check_names(plan->sources[index].words, plan->sources[index].count);
	check_names(plan->arg_files, plan->arg_file_count);
	check_names(plan->variables, plan->variable_count);
	check_names(plan->outcomes, plan->outcome_count);
	for (size_t index = 0; index < plan->variable_count; index++)
		CHECK(strchr(plan->variables[index], '='));
	CHECK(!plan->column_separator || *plan->column_separator);
	CHECK(!plan->braces || *plan->braces);
	CHECK(plan->trim >= TRIM_NONE && plan->trim <= TRIM_BOTH);
}

static void check_numbers(const struct plan *plan)
{
	const int64_t durations[] = {plan->timeout_ns, plan->deadline_ns,
		plan->kill_after_ns, plan->linger_ns, plan->drain_timeout_ns,
		plan->retry_delay_ns, plan->retry_max_delay_ns, plan->delay_ns};
	unsigned slots = jobs_resolve(&plan->jobs, 4, 1000);

	CHECK(slots >= 1 && slots <= 1000);
	for (size_t index = 0; index < sizeof durations / sizeof *durations; index++)
		CHECK(durations[index] >= 0);
	for (int measure = 0; measure < MEASURES; measure++)
		CHECK(plan->limits[measure].value >= 0);
	for (size_t index = 0; index < plan->retry_on.count; index++)
		CHECK(plan->retry_on.ranges[index].first >= 1 &&
			plan->retry_on.ranges[index].first <=
				plan->retry_on.ranges[index].last &&
			plan->retry_on.ranges[index].last <= 255);
	CHECK(plan->nice >= 0 && plan->nice <= 19);
	CHECK(plan->batching.records || plan->batching.fill || plan->batching.lines ||
		plan->batching.bytes);
	CHECK(plan->retries < UINT64_MAX);
}

// What the front end made of the words, used for a task.
static void use_templates(const struct plan *plan)
{
	struct task *task = calloc(1, sizeof *task + 2 * sizeof *task->values);
	const char *names[] = {"n"};
	struct recipe *recipe;
	struct text text = {0};

	task->sequence = task->attempt = 1;
	task->count = 2;
	task->values[0] = (struct value){"a b.c", 5, true};
	task->values[1] = (struct value){"/x/y.tar.gz", 11, true};
	CHECK(recipe_create(&recipe, plan, names, 1) == 0);
	recipe_append_command(recipe, task, 1, SIZE_MAX, &text);
	recipe_append_variables(recipe, task, 1, &text);
	recipe_append_tag(recipe, task, 1, &text);
	recipe_append_directory(recipe, task, 1, &text);
	recipe_append_lane(recipe, task, &text);
	CHECK(!text.failed);
	recipe_destroy(recipe);
	free(task);
	text_finish(&text);
}

/* ---- the parser ---- */

static bool is_told_where_to_read(const struct text *words)
{
	return words->length && memmem(words->bytes, words->length, "--help", 6);
}

// Standard output goes nowhere for that long: --minversion prints.
static int parse(const struct front **front, struct plan *plan)
{
	int out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	int status;

	dup2(null_fd, STDOUT_FILENO);
	status = front_parse(front, plan, argc, argv);
	fflush(stdout);
	dup2(out, STDOUT_FILENO);
	close(out);
	return status;
}

static bool is_silent(const struct plan *plan)
{
	return plan->minimum_version != NULL;
}

static void check_words_again(const struct plan *plan)
{
	struct text once = {0};

	plan_append_arguments(plan, &once);
	CHECK(once.length >= (size_t)argc && !once.failed);
	text_finish(&once);
}

static int parse_and_check(void)
{
	const struct front *front;
	struct plan plan = {0};
	int status = parse(&front, &plan);

	if (status) {
		CHECK(status == 2 || status == front->usage_status);
		CHECK(is_told_where_to_read(&said) || is_silent(&plan) ||
			memmem(said.bytes, said.length, "--as takes", 10));
		return status;
	}
	if (!plan.help && !plan.version && !plan.over) {
		check_input(&plan);
		check_numbers(&plan);
		check_words_again(&plan);
		use_templates(&plan);
	}
	plan_finish(&plan);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes bytes = bytes_of(data, size);
	struct text first;
	int status;

	take_words(&bytes);
	status = parse_and_check();
	first = said;
	said = (struct text){0};
	CHECK(parse_and_check() == status);
	CHECK_SAME(&first, &said);
	text_finish(&first);
	forget_said();
	while (argc)
		free(argv[--argc]);
	return 0;
}
