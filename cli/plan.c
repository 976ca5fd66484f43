#include "plan.h"

#include "leat.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int plan_init(struct plan *plan, int argc)
{
	size_t room = (size_t)argc + 2;

	*plan = (struct plan){
		.splitting = {.delimiter = '\n'},
		.repeats = true,
		.quote = template_quote_shell,
		.first_slot = 1,
		.timeout_ns = LEAT_NEVER,
		.deadline_ns = LEAT_NEVER,
		.kill_after_ns = 5 * LEAT_SECOND_NS,
		.linger_ns = LEAT_SECOND_NS,
		.drain_timeout_ns = LEAT_NEVER,
		.retry_max_delay_ns = LEAT_NEVER,
		.junit_output_bytes = UINT64_C(64) * 1024,
		.arg_files = calloc(room, sizeof *plan->arg_files),
		.sources = calloc(room, sizeof *plan->sources),
		.words = calloc(room, sizeof *plan->words),
		.variables = calloc(room, sizeof *plan->variables),
		.outcomes = calloc(room, sizeof *plan->outcomes),
	};
	if (plan->arg_files && plan->sources && plan->words && plan->variables &&
		plan->outcomes)
		return 0;
	plan_finish(plan);
	return -ENOMEM;
}

void plan_finish(struct plan *plan)
{
	free(plan->arg_files);
	free(plan->sources);
	free(plan->words);
	free(plan->variables);
	free(plan->outcomes);
	free(plan->owned);
	free(plan->owned_pattern);
	free(plan->owned_tag);
	free(plan->owned_values);
}

const char *plan_separator(const struct plan *plan)
{
	return plan->column_separator && !plan->column_pattern ? plan->column_separator
							       : "\t";
}

void plan_append_arguments(const struct plan *plan, struct text *text)
{
	for (char **word = plan->arguments; *word; word++) {
		if (word != plan->arguments)
			text_append(text, " ", 1);
		template_quote_shell(text, *word, strlen(*word));
	}
}

int plan_split_words(struct plan *plan, char *text, bool apart)
{
	const char **words;
	size_t count = 1;

	for (const char *at = text; apart && *at; at++)
		count += *at == ' ';
	words = reallocarray(plan->words, count, sizeof *words);
	if (!words)
		return -ENOMEM;
	plan->words = words;
	plan->word_count = 0;
	words[plan->word_count++] = text;
	for (; apart && *text; text++)
		if (*text == ' ') {
			*text = '\0';
			words[plan->word_count++] = text + 1;
		}
	return 0;
}

unsigned jobs_resolve(const struct jobs *jobs, unsigned cpus, unsigned room)
{
	uint64_t slots = cpus;

	switch (jobs->kind) {
	case JOBS_CPUS:
		break;
	case JOBS_NUMBER:
		slots = jobs->number;
		break;
	case JOBS_PERCENT:
		slots = ((uint64_t)cpus * jobs->number + 50) / 100;
		break;
	case JOBS_MORE:
		slots = (uint64_t)cpus + jobs->number;
		break;
	case JOBS_FEWER:
		slots = jobs->number < cpus ? cpus - jobs->number : 1;
		break;
	case JOBS_MOST:
		slots = room;
		break;
	}
	if (slots > room)
		slots = room;
	return slots ? (unsigned)slots : 1;
}
