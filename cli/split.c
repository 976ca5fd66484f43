#include "split.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_space(char c)
{
	return is_blank(c) || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

/* How far a record reaches. */
struct extent {
	size_t end;    //< of its bytes, with their quotes
	bool quoted;   //< there is something to unquote
	bool complete; //< what ends it is there
	bool unmatched;
};

static struct extent measure(const char *bytes, size_t length, bool words)
{
	struct extent extent = {0};
	char quote = '\0';

	for (; extent.end < length; extent.end++) {
		char c = bytes[extent.end];

		if (quote && c == '\n') {
			extent.unmatched = true;
			return extent;
		}
		if (quote) {
			quote = c == quote ? '\0' : quote;
		} else if (c == '\n' || (words && is_blank(c))) {
			extent.complete = true;
			return extent;
		} else if (c == '\'' || c == '"' || c == '\\') {
			extent.quoted = true;
			if (c != '\\')
				quote = c;
			else if (++extent.end == length)
				break; // a backslash at the end is left out
		}
	}
	extent.unmatched = quote != '\0';
	return extent;
}

static size_t unquote(char *bytes, size_t length)
{
	size_t kept = 0;
	char quote = '\0';

	for (size_t at = 0; at < length; at++) {
		char c = bytes[at];

		if (quote && c == quote)
			quote = '\0';
		else if (!quote && (c == '\'' || c == '"'))
			quote = c;
		else if (!quote && c == '\\' && ++at == length)
			break;
		else
			bytes[kept++] = bytes[at];
	}
	return kept;
}

struct piece split_quoted(char *bytes, size_t length, bool words, bool at_end)
{
	struct piece piece = {.kind = PIECE_NOTHING};
	struct extent extent;

	while (piece.used < length && is_space(bytes[piece.used]))
		piece.used++;
	if (piece.used == length)
		return piece;
	piece.bytes = bytes + piece.used;
	extent = measure(piece.bytes, length - piece.used, words);
	piece.length = extent.end;
	if (!extent.complete &&
		(!extent.unmatched || piece.used + extent.end == length) && !at_end) {
		piece.kind = PIECE_MORE;
		return piece;
	}
	piece.ends_line =
		!extent.complete || (piece.bytes[extent.end] == '\n' &&
					    !is_blank(piece.bytes[extent.end - 1]));
	piece.unended = !extent.complete;
	piece.used += extent.end + extent.complete;
	if (extent.quoted)
		piece.length = unquote(piece.bytes, extent.end);
	// Empty quotes are a record, but for those that the input ends with.
	if (!extent.complete && !piece.length && piece.used == length)
		piece.kind = PIECE_NOTHING;
	else
		piece.kind = extent.unmatched ? PIECE_UNMATCHED : PIECE_RECORD;
	return piece;
}
