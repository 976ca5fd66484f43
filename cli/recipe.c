#include "recipe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct recipe {
	const struct plan *plan;
	struct template **words; //< the plan's, and {} where that stands in none of them
	size_t count;
	struct template **variables;
	struct template *tag, *directory, *lane;
};

/* ---- parsing ---- */

static int parse_optional(
	struct template **result, const char *text, const struct template_syntax *syntax)
{
	return text ? template_parse(result, text, syntax) : 0;
}

// Whether the values are not to be appended, for this word. As GNU parallel has it, a
// number is enough.
static bool stands_in(const struct plan *plan, const struct template *word)
{
	return plan->templates == TEMPLATE_RAW ? template_has_replacement(word)
					       : template_has_value(word);
}

static int parse_words(struct recipe *recipe, const struct template_syntax *syntax)
{
	const struct plan *plan = recipe->plan;
	const struct template_syntax plain = {.kind = TEMPLATE_FULL};
	const struct template_syntax none = {.kind = TEMPLATE_NONE};
	bool has_value = plan->command == COMMAND_SCRIPT ||
			 plan->standard_input == STDIN_RECORD ||
			 plan->templates == TEMPLATE_BRACES;
	int error = 0;

	for (; !error && recipe->count < plan->word_count; recipe->count++) {
		struct template **word = &recipe->words[recipe->count];

		error = template_parse(word, plan->words[recipe->count],
			plan->name_is_fixed && !recipe->count ? &none : syntax);
		has_value = has_value || (!error && stands_in(plan, *word));
	}
	if (error || has_value || plan->batching.without_values)
		return error;
	return template_parse(&recipe->words[recipe->count++], "{}", &plain);
}

static int parse_all(struct recipe *recipe, const struct template_syntax *syntax)
{
	const struct plan *plan = recipe->plan;
	struct template_syntax full = *syntax;
	int error = parse_words(recipe, syntax);

	full.kind = full.kind == TEMPLATE_RAW ? TEMPLATE_RAW : TEMPLATE_FULL;
	for (size_t index = 0; !error && index < plan->variable_count; index++)
		error = template_parse(
			&recipe->variables[index], plan->variables[index], &full);
	if (!error)
		error = parse_optional(&recipe->tag, plan->tag_string, &full);
	if (!error)
		error = parse_optional(&recipe->directory, plan->directory, &full);
	return error ? error : parse_optional(&recipe->lane, plan->lane, &full);
}

int recipe_create(struct recipe **result, const struct plan *plan,
	const char *const *names, size_t name_count)
{
	struct recipe *recipe = calloc(1, sizeof *recipe);
	struct template_syntax syntax = {
		.kind = plan->templates,
		.plus = plan->plus,
		.braces = plan->braces,
		.names = names,
		.name_count = name_count,
	};
	int error = -ENOMEM;

	if (!recipe)
		return -ENOMEM;
	recipe->plan = plan;
	recipe->words = calloc(plan->word_count + 1, sizeof *recipe->words);
	recipe->variables = calloc(plan->variable_count + 1, sizeof *recipe->variables);
	if (recipe->words && recipe->variables)
		error = parse_all(recipe, &syntax);
	if (error)
		recipe_destroy(recipe);
	else
		*result = recipe;
	return error;
}

void recipe_destroy(struct recipe *recipe)
{
	if (!recipe)
		return;
	for (size_t index = 0; recipe->words && index < recipe->count; index++)
		template_destroy(recipe->words[index]);
	for (size_t index = 0; recipe->variables && index < recipe->plan->variable_count;
		index++)
		template_destroy(recipe->variables[index]);
	template_destroy(recipe->tag);
	template_destroy(recipe->directory);
	template_destroy(recipe->lane);
	free(recipe->words);
	free(recipe->variables);
	free(recipe);
}

void recipe_measure(const struct recipe *recipe, struct command_size *size)
{
	const struct plan *plan = recipe->plan;

	*size = (struct command_size){.words = recipe->count};
	for (size_t index = 0; index < recipe->count; index++) {
		const struct template *word = recipe->words[index];
		bool once_each = plan->repeats || template_is_braces(word);

		if (!template_uses(word)) {
			size->bytes += template_fixed_bytes(word) + 1;
			continue;
		}
		size->value_uses += template_uses(word);
		size->value_words += once_each;
		size->value_fixed_bytes +=
			1 + (once_each ? template_fixed_bytes(word) : 0);
		size->bytes += once_each ? 0 : template_fixed_bytes(word);
	}
	if (plan->command == COMMAND_SENTENCE && !plan->quotes_words)
		size->quote = plan->quote;
	if (plan->standard_input == STDIN_RECORD) { // which is to be bounded, too
		size->value_uses++;
		size->value_fixed_bytes++;
	}
	if (plan->command == COMMAND_SCRIPT) {
		size->value_uses++;
		size->value_words++;
		size->value_fixed_bytes++;
	}
}

/* ---- cooking ---- */

static struct template_values values_of(
	const struct recipe *recipe, const struct task *task, unsigned slot)
{
	return (struct template_values){
		.values = task->values,
		.count = task->count,
		.all = task->values,
		.all_count = task->count,
		.sequence = task->sequence,
		.slot = slot - 1 + recipe->plan->first_slot,
	};
}

// A word stands once for each value, or once.
static bool stands_for_each(const struct recipe *recipe, const struct template *word)
{
	return template_uses(word) && (recipe->plan->repeats || template_is_braces(word));
}

static size_t times(const struct recipe *recipe, const struct template *word,
	const struct template_values *values)
{
	return stands_for_each(recipe, word) ? values->all_count : 1;
}

// The values as the word sees them that stands for the index-th.
static struct template_values narrow(const struct recipe *recipe,
	const struct template *word, struct template_values values, size_t index)
{
	if (stands_for_each(recipe, word)) {
		values.all += index;
		values.all_count = 1;
	}
	return values;
}

// All words, with blanks between; `quote` is for the values in them, or (`whole`) for
// each word as it comes out.
static void append_words(const struct recipe *recipe, struct template_values values,
	template_quote_fn quote, bool whole, struct text *text)
{
	struct text expanded = {0};
	const char *separator = "";

	for (size_t index = 0; index < recipe->count; index++) {
		const struct template *word = recipe->words[index];

		for (size_t nth = 0; nth < times(recipe, word, &values); nth++) {
			struct template_values narrowed =
				narrow(recipe, word, values, nth);

			text_append(text, separator, strlen(separator));
			separator = " ";
			if (!whole || !quote) {
				template_append(word, text, &narrowed, quote);
				continue;
			}
			expanded.length = 0;
			template_append(word, &expanded, &narrowed, NULL);
			quote(text, expanded.bytes, expanded.length);
		}
	}
	text_finish(&expanded);
}

static int add_value(struct command *command, const struct value *value)
{
	if (strlen(value->bytes) != value->length)
		return -EINVAL;
	return command_add(command, value->bytes);
}

static int add_values(struct command *command, const struct task *task)
{
	int error = 0;

	for (size_t index = 0; !error && index < task->count; index++)
		error = add_value(command, &task->values[index]);
	return error;
}

static int add_word(struct command *command, const struct template *word,
	const struct template_values *values)
{
	size_t before = command->words.length;

	template_append(word, &command->words, values, NULL);
	if (command->words.failed)
		return -ENOMEM;
	if (command->words.length > before && memchr(command->words.bytes + before, '\0',
						      command->words.length - before))
		return -EINVAL;
	text_append(&command->words, "", 1);
	return command_add(command, NULL);
}

static int prepare_program(const struct recipe *recipe, const struct task *task,
	unsigned slot, struct command *command)
{
	struct template_values values = values_of(recipe, task, slot);
	int error = 0;

	command_begin(command);
	for (size_t index = 0; !error && index < recipe->count; index++) {
		const struct template *word = recipe->words[index];

		if (template_is_braces(word)) {
			error = add_values(command, task);
			continue;
		}
		for (size_t nth = 0; !error && nth < times(recipe, word, &values);
			nth++) {
			struct template_values narrowed =
				narrow(recipe, word, values, nth);

			error = add_word(command, word, &narrowed);
		}
	}
	return error ? error : command_end(command);
}

static int prepare_shell(const struct recipe *recipe, const struct shell *shell,
	const struct task *task, unsigned slot, struct command *command)
{
	const struct plan *plan = recipe->plan;
	template_quote_fn quote = plan->command == COMMAND_LINES ? NULL : plan->quote;
	int error;

	command->text.length = 0;
	append_words(recipe, values_of(recipe, task, slot), quote, plan->quotes_words,
		&command->text);
	text_append(&command->text, "", 0);
	if (command->text.failed)
		return -ENOMEM;
	error = command_prepare(command, shell, command->text.bytes, command->text.length,
		plan->command != COMMAND_SCRIPT);
	if (!error && plan->command == COMMAND_SCRIPT)
		error = add_values(command, task);
	return error ? error : command_end(command);
}

int recipe_prepare(const struct recipe *recipe, const struct shell *shell,
	const struct task *task, unsigned slot, struct command *command)
{
	const struct value *only = task->values;

	if (task->too_large)
		return -E2BIG;
	if (recipe->plan->command == COMMAND_PROGRAM)
		return prepare_program(recipe, task, slot, command);
	if (recipe->plan->command != COMMAND_LINES || task->count != 1)
		return prepare_shell(recipe, shell, task, slot, command);
	return command_prepare(command, shell, only->bytes, only->length, true);
}

/* ---- what is told of it ---- */

// sh -c SCRIPT sh VALUE…
static void append_script(
	const struct recipe *recipe, struct template_values values, struct text *text)
{
	struct text script = {0};

	append_words(recipe, values, recipe->plan->quote, false, &script);
	text_append(text, "sh -c ", strlen("sh -c "));
	template_quote_shell(text, script.bytes, script.length);
	text_append(text, " sh", strlen(" sh"));
	for (size_t index = 0; index < values.count; index++) {
		text_append(text, " ", 1);
		template_quote_shell(
			text, values.values[index].bytes, values.values[index].length);
	}
	text_finish(&script);
}

void recipe_append_command(const struct recipe *recipe, const struct task *task,
	unsigned slot, size_t most, struct text *text)
{
	const struct plan *plan = recipe->plan;
	template_quote_fn quote = plan->command == COMMAND_LINES ? NULL : plan->quote;
	struct template_values values = values_of(recipe, task, slot);

	if (values.count > most)
		values.count = values.all_count = most;
	if (plan->command == COMMAND_SCRIPT)
		append_script(recipe, values, text);
	else
		append_words(recipe, values, quote,
			plan->command == COMMAND_PROGRAM || plan->quotes_words, text);
}

void recipe_append_input(
	const struct recipe *recipe, const struct task *task, struct text *text)
{
	const char *separator = plan_separator(recipe->plan);

	for (size_t index = 0; index < task->count; index++) {
		const struct value *value = &task->values[index];

		text_append(text, value->bytes, value->length);
		text_append(text, value->ends_record ? "\n" : separator,
			value->ends_record ? 1 : strlen(separator));
	}
}

static bool append_optional(const struct recipe *recipe, const struct template *template,
	const struct task *task, unsigned slot, struct text *text)
{
	struct template_values values = values_of(recipe, task, slot);

	if (!template)
		return false;
	template_append(template, text, &values, NULL);
	return true;
}

bool recipe_append_tag(const struct recipe *recipe, const struct task *task,
	unsigned slot, struct text *text)
{
	return append_optional(recipe, recipe->tag, task, slot, text);
}

bool recipe_append_directory(const struct recipe *recipe, const struct task *task,
	unsigned slot, struct text *text)
{
	return append_optional(recipe, recipe->directory, task, slot, text);
}

bool recipe_append_lane(
	const struct recipe *recipe, const struct task *task, struct text *text)
{
	return append_optional(recipe, recipe->lane, task, 1, text);
}

void recipe_append_variables(const struct recipe *recipe, const struct task *task,
	unsigned slot, struct text *text)
{
	for (size_t index = 0; index < recipe->plan->variable_count; index++) {
		append_optional(recipe, recipe->variables[index], task, slot, text);
		text_append(text, "", 1);
	}
}
