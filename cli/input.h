/* Records from standard input and files, one after the other. */
#ifndef LEAT_CLI_INPUT_H
#define LEAT_CLI_INPUT_H

#include "leat.h"
#include "plan.h"

#include <stddef.h>
#include <stdint.h>

struct input;

/** One record without its delimiter; valid until the next call. */
struct record {
	const char *bytes;
	size_t length;
	bool ends_line; //< a line of input ends with it: SPLIT_WORDS, SPLIT_LINES
};

/** How long input_next() may wait for more. */
struct patience {
	struct leat_context *context; //< not beyond the end of this
	int64_t until; //< nor beyond this time on its clock; LEAT_NEVER: no such limit
};

/**
 * Open `count` files, "-" is standard input, so that one that can't be read is known
 * before anything runs. Returns 0, or a negative errno after a message.
 */
int input_open(struct input **result, const struct splitting *splitting,
	const char *const *names, size_t count);
void input_close(struct input *input);

/**
 * Open the same sources again, where they are regular files, to be read from where
 * `input` began. To be called before anything was read. Errors: of open(2), -ENOMEM.
 */
int input_reopen(struct input **result, const struct input *input);

/**
 * Get the next record. Returns 1; 0 at the end of the last source; -EAGAIN where
 * patience ended (nothing is lost, call again); or, after a message, the error of
 * read(2), -EILSEQ for a quote without an end or -EFBIG: the source ends there.
 */
int input_next(struct input *input, struct patience patience, struct record *record);

/** Whether what is left is of known length, so that reading to its end is quick. */
bool input_is_bounded(const struct input *input);

/** Whether the source that is read now is a terminal. */
bool input_is_terminal(const struct input *input);

#endif
