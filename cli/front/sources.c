/* The words behind the options: the command, then ::: and its kin. */
#include "front/parser.h"

#include <errno.h>
#include <string.h>

/* One of the words that begin a source. */
struct separator {
	const char *word;
	bool files;  //< what follows are names of files, each a source
	bool linked; //< in step with the source before
};

static const struct separator separators[] = {
	{":::", false, false},
	{"::::", true, false},
	{":::+", false, true},
	{"::::+", true, true},
};

static const struct separator *find_separator(const char *word)
{
	for (size_t index = 0; index < sizeof separators / sizeof *separators; index++)
		if (strcmp(word, separators[index].word) == 0)
			return &separators[index];
	return NULL;
}

static void add_source(struct plan *plan, struct source source)
{
	plan->sources[plan->source_count++] = source;
}

static void take_files(struct plan *plan, const struct separator *separator,
	char *const *first, char *const *end)
{
	for (bool linked = separator->linked; first < end; first++, linked = false)
		add_source(plan, (struct source){SOURCE_FILES, (const char *const *)first,
					 1, linked});
}

static int take_source(
	const struct grammar *grammar, struct plan *plan, struct words *words)
{
	const struct separator *separator = find_separator(*words->at++);
	char *const *first = words->at;

	while (words->at < words->end && !find_separator(*words->at))
		words->at++;
	if (separator->linked && !plan->source_count)
		return usage_error(
			grammar, "%s needs a source before it", separator->word);
	if (separator->files && first == words->at)
		return usage_error(grammar, "%s needs a FILE", separator->word);
	if (separator->files)
		take_files(plan, separator, first, words->at);
	else
		add_source(plan, (struct source){SOURCE_WORDS, (const char *const *)first,
					 (size_t)(words->at - first), separator->linked});
	return 0;
}

int parse_sources(const struct grammar *grammar, struct plan *plan, struct words *words)
{
	while (words->at < words->end && !find_separator(*words->at))
		plan->words[plan->word_count++] = *words->at++;
	while (words->at < words->end) {
		int error = take_source(grammar, plan, words);

		if (error)
			return error;
	}
	return 0;
}
