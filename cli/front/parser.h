/* Options as every front end has them: a table, and the words of a command line. */
#ifndef LEAT_CLI_FRONT_PARSER_H
#define LEAT_CLI_FRONT_PARSER_H

#include "plan.h"

/** One row of a table; also a heading, which has no name and no letter. */
struct option {
	char letter; //< '\0': none
	const char *name;
	const char *value; //< what it takes, NULL: nothing
	const char *help;  //< REFUSED: why, and how else
	enum { FLAG, DURATION, NUMBER, WORD, OTHER, IGNORED, REFUSED } kind;
	size_t offset; //< FLAG, DURATION, NUMBER (uint64_t), WORD: of the field in the
		       // plan
	// OTHER: takes the value, NULL where it has none; returns what the option takes,
	// if this is not it
	const char *(*apply)(struct plan *plan, const char *value);
	bool optional; //< the value may be left out; it is never a word of its own
};

#define FIELD(name) offsetof(struct plan, name)

/** What a front end's command line looks like. */
struct grammar {
	const char *tool; //< "leat", "leat --as xargs"
	const struct option *table;
	size_t count;
	bool abbreviates; //< a long option may be cut as far as it remains clear
};

/** Where the parser is. */
struct words {
	char **at, **end;
};

/** A message, and where to read more. Returns -EINVAL. */
int usage_error(const struct grammar *grammar, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/**
 * Take all options from the front of `words`, up to the first word that is none, or
 * behind "--". Returns 0, or -EINVAL after a message that names the option and what
 * it takes.
 */
int parse_options(const struct grammar *grammar, struct plan *plan, struct words *words);

/** The table as help, on standard output. */
void print_options(const struct grammar *grammar);

/** "64K": bytes, also with K, M or G (of 1024) behind. Returns what is taken, if `value`
 * is not that. */
const char *parse_size(const char *value, uint64_t *bytes);

/** As `apply` of an option: values.c. */
const char *apply_delimiter(struct plan *plan, const char *value);
const char *apply_null(struct plan *plan, const char *value);
const char *apply_jobs(struct plan *plan, const char *value);
const char *apply_arg_file(struct plan *plan, const char *value);
const char *apply_trim(struct plan *plan, const char *value);
const char *apply_seed(struct plan *plan, const char *value);
const char *apply_end(struct plan *plan, const char *value);
const char *apply_halt(struct plan *plan, const char *value);

/** limits.c: leat's own, and GNU parallel's. */
const char *apply_max_load(struct plan *plan, const char *value);
const char *apply_min_memory(struct plan *plan, const char *value);
const char *apply_max_pressure(struct plan *plan, const char *value);
const char *apply_load(struct plan *plan, const char *value);
const char *apply_memfree(struct plan *plan, const char *value);

/**
 * Take the words of the command, up to one of ::: :::: :::+ ::::+, and the sources
 * behind. Returns 0, or -EINVAL after a message.
 */
int parse_sources(const struct grammar *grammar, struct plan *plan, struct words *words);

#endif
