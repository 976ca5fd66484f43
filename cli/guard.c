#include "guard.h"

#include <ctype.h>
#include <string.h>

static const char prefix[] = "##vso";

#define PREFIX_LENGTH (sizeof prefix - 1)

// How many characters of the prefix the bytes so far end with, after one more.
static unsigned match(unsigned matched, char c)
{
	if (matched < PREFIX_LENGTH && tolower((unsigned char)c) == prefix[matched])
		return matched + 1;
	if (c != '#')
		return 0;
	return matched == 2 ? 2 : 1;
}

void guard_append(struct text *text, const char *bytes, size_t length, unsigned *matched)
{
	size_t begin = 0;

	for (size_t index = 0; index < length; index++) {
		if (*matched == PREFIX_LENGTH && bytes[index] == '[') {
			text_append(text, bytes + begin, index - begin);
			text_append(text, " ", 1);
			begin = index;
		}
		*matched = match(*matched, bytes[index]);
	}
	text_append(text, bytes + begin, length - begin);
}
