#include "color.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool color_is_display(int fd)
{
	const char *terminal = getenv("TERM");

	return isatty(fd) && terminal && *terminal && strcmp(terminal, "dumb") != 0;
}

bool color_wanted(enum color_when when, int fd)
{
	const char *refused = getenv("NO_COLOR"); // https://no-color.org

	if (when != COLOR_AUTO)
		return when == COLOR_ALWAYS;
	return color_is_display(fd) && !(refused && *refused);
}

const char *color_of_task(uint64_t sequence)
{
	static const char *const colors[] = {"\033[36m", "\033[33m", "\033[35m",
		"\033[32m", "\033[34m", "\033[96m", "\033[93m", "\033[95m", "\033[92m",
		"\033[94m"};

	return colors[(sequence - 1) % (sizeof colors / sizeof *colors)];
}
