/* Bytes that may be UTF-8 (RFC 3629), and may not. */
#ifndef LEAT_CLI_UTF8_H
#define LEAT_CLI_UTF8_H

#include "message.h"

#include <stdint.h>

#define UTF8_REPLACEMENT "\xEF\xBF\xBD" // U+FFFD

/**
 * The character that begins at `bytes`, of which there are `length`, at least 1. Returns
 * how many bytes it takes, 0: none that is valid begins there, and *character is the
 * byte.
 */
size_t utf8_decode(const char *bytes, size_t length, uint32_t *character);

/** How many of the bytes belong to a character that began before them: 3 at the most. */
size_t utf8_rest(const char *bytes, size_t length);

/** The same going back: how many of the first `most` of more bytes are there without a
 * character that would be cut. */
size_t utf8_cut(const char *bytes, size_t most);

/** Append `bytes` with U+FFFD in place of each one that is no UTF-8. */
void utf8_append(struct text *text, const char *bytes, size_t length);

#endif
