/*
 * Fuzz target: what --events writes of a run. The input is a command line, values and
 * outcomes. The judge is jansson, which reads the lines back, and a UTF-8 decoder of its
 * own: a command that is text is that very text, of another all bytes are there.
 */
#include "fuzz.h"

#include "front/front.h"
#include "report/events.h"
#include "report/json.h"

#define WORDS_MOST 4

static struct plan plan;
static struct recipe *recipe;

static char *argv[WORDS_MOST + 2] = {(char *)"leat"};

static void broke(void *argument, int error)
{
	(void)argument;
	(void)error;
	CHECK(!"written");
}

/* ---- what is told ---- */

static struct task *take_task(struct bytes *bytes)
{
	struct task *task = calloc(1, sizeof *task + sizeof *task->values);
	uint64_t number = take_number(bytes);
	unsigned flags = take(bytes);

	task->sequence = number >> 1;
	task->attempt = flags & 1 ? number & 0xFF : 0;
	task->again = flags & 2;
	task->end = (enum task_end)(flags >> 2) % TASK_ENDS;
	task->count = 1;
	task->values[0] = (struct value){bytes->at, (uint32_t)bytes_left(bytes), true};
	return task;
}

static struct leat_outcome make_outcome(const struct task *task)
{
	uint64_t number = task->sequence;

	return (struct leat_outcome){
		.end = (enum leat_end)(number % 3),
		.code = (int)(number % 250),
		.elapsed_ns = (int64_t)(number & INT64_MAX),
		.user_ns = (int64_t)(number & 0xFFFFFFFF),
		.peak_kib = (long)(number & 0xFFFFFF),
		.out_bytes = number,
	};
}

static void tell_all(struct events *events, const struct task *task)
{
	struct leat_outcome outcome = make_outcome(task);
	struct account account = {0};

	events_run_started(events, &plan, 4);
	events_attempt_started(events, recipe, task, 1);
	events_attempt_ended(events, task, &outcome, 0);
	events_task_ended(events, recipe, task);
	events_canceled(events, (enum level)1, "SIGTERM");
	events_summary(events, &account, outcome.elapsed_ns, 123);
}

static struct text write_events(const struct task *task)
{
	char path[PATH_BYTES];
	int fd = make_file(path, "", 0);
	struct events *events;

	plan.events = path + strlen("/dev/fd/");
	CHECK(events_open(&events, &plan) == 0);
	events_start(events, -1, broke, NULL);
	tell_all(events, task);
	events_close(events);
	return read_file(fd);
}

/* ---- what is read back ---- */

static struct text get_text(const json_t *string)
{
	struct text text = {0};

	CHECK(json_is_string(string));
	text_append(&text, json_string_value(string), json_string_length(string));
	return text;
}

static void check_hex(const json_t *string, const struct text *bytes)
{
	struct text hex = get_text(string), wanted = {0};

	for (size_t index = 0; index < bytes->length; index++)
		text_format(&wanted, "%02x", (unsigned char)bytes->bytes[index]);
	CHECK_SAME(&hex, &wanted);
	text_finish(&hex);
	text_finish(&wanted);
}

static void check_string(const json_t *string, const char *bytes, size_t length)
{
	struct text found = get_text(string), wanted = as_utf8(bytes, length);

	CHECK_SAME(&found, &wanted);
	text_finish(&found);
	text_finish(&wanted);
}

static void check_command(const json_t *event, const struct task *task)
{
	const json_t *hex = json_object_get(event, "command_hex");
	struct text command = {0}, plain;

	recipe_append_command(recipe, task, 1, SIZE_MAX, &command);
	plain = as_utf8(command.bytes, command.length);
	check_string(json_object_get(event, "command"), command.bytes, command.length);
	CHECK((hex != NULL) == !is_same(&plain, &command));
	if (hex)
		check_hex(hex, &command);
	text_finish(&command);
	text_finish(&plain);
}

static void check_arguments(const json_t *event)
{
	const json_t *words = json_object_get(event, "arguments");
	size_t index = 0;

	for (; argv[index]; index++)
		check_string(
			json_array_get(words, index), argv[index], strlen(argv[index]));
	CHECK(json_array_size(words) == index);
}

static void check_event(const json_t *event, const struct task *task, int number)
{
	static const char *const names[] = {"run-started", "attempt-started",
		"attempt-ended", "task-ended", "cancellation", "summary"};

	CHECK(number < 6);
	CHECK(strcmp(json_string_value(json_object_get(event, "event")), names[number]) ==
		0);
	CHECK(json_is_string(json_object_get(event, "time")));
	if (number >= 1 && number <= 3)
		CHECK(json_integer_value(json_object_get(event, "task")) ==
			(json_int_t)task->sequence);
	if (number == 0)
		check_arguments(event);
	if (number == 1 || json_object_get(event, "command"))
		check_command(event, task);
}

static void check_lines(const struct text *lines, const struct task *task)
{
	const char *at = lines->bytes, *end = at + lines->length;
	int number = 0;

	for (; at < end; number++) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		json_t *event;

		CHECK(newline);
		event = json_loadb(at, (size_t)(newline - at),
			JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
		CHECK(json_is_object(event));
		check_event(event, task, number);
		json_decref(event);
		at = newline + 1;
	}
	CHECK(number == 6);
}

// That may stand within an element of a page.
static void check_ascii(const char *bytes, size_t length)
{
	struct text text = {0};
	json_t *string;

	json_append_ascii(&text, bytes, length);
	for (size_t index = 0; index < text.length; index++)
		CHECK(is_in((unsigned char)text.bytes[index], ' ', 0x7F) &&
			text.bytes[index] != '<');
	string = json_loadb(
		text.bytes, text.length, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	check_string(string, bytes, length);
	json_decref(string);
	text_finish(&text);
}

static void take_plan(struct bytes *bytes)
{
	const struct front *front;
	int argc = 1;

	argv[argc++] = (char *)"--";
	for (unsigned count = take(bytes) % (WORDS_MOST - 1); count; count--) {
		struct text word = take_until(bytes, '\0');

		text_append(&word, "", 0);
		argv[argc++] = word.bytes;
	}
	argv[argc] = NULL;
	CHECK(front_parse(&front, &plan, argc, argv) == 0 || said.length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes bytes = bytes_of(data, size);
	struct text lines;
	struct task *task;

	take_plan(&bytes);
	if (!said.length) {
		CHECK(recipe_create(&recipe, &plan, NULL, 0) == 0);
		task = take_task(&bytes);
		lines = write_events(task);
		check_lines(&lines, task);
		text_finish(&lines);
		free(task);
		recipe_destroy(recipe);
		plan_finish(&plan);
	}
	check_ascii((const char *)data, size);
	for (char **word = argv + 2; *word; word++)
		free(*word);
	forget_said();
	return 0;
}
