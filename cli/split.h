/* Records that are words or lines of quoted text, as xargs has them. */
#ifndef LEAT_CLI_SPLIT_H
#define LEAT_CLI_SPLIT_H

#include <stdbool.h>
#include <stddef.h>

/** What stands at the beginning of some bytes. */
struct piece {
	enum {
		PIECE_RECORD,
		PIECE_NOTHING,  //< only what may stand between records
		PIECE_MORE,     //< it can't be told before more bytes are there
		PIECE_UNMATCHED //< a quote has no end on its line
	} kind;
	size_t used; //< how many bytes it takes, with what ends it
	char *bytes; //< the record, unquoted
	size_t length;
	bool ends_line; //< a line of input ends here, as -L counts them
	bool unended;   //< the input ends here, and nothing else ended it
};

/**
 * Take the first record of `bytes`, which are unquoted in place. Blanks, newlines and
 * their like before it are skipped. It ends at a newline, and with `words` at a blank.
 * Quotes and backslashes as POSIX has them for xargs(1); a line that ends with a blank
 * goes on in the next. `at_end`: no more bytes will follow.
 */
struct piece split_quoted(char *bytes, size_t length, bool words, bool at_end);

#endif
