#include "confirm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <unistd.h>

int confirm_open(struct confirm *confirm)
{
	confirm->terminal_fd = open("/dev/tty", O_RDONLY | O_CLOEXEC);
	return confirm->terminal_fd < 0 ? -errno : 0;
}

void confirm_close(struct confirm *confirm)
{
	if (confirm->terminal_fd >= 0)
		close(confirm->terminal_fd);
}

// The first byte of the next line; 0: there is none.
static char read_answer(int fd)
{
	char first = '\0', byte;
	bool any = false;

	while (read(fd, &byte, 1) == 1) {
		if (byte == '\n')
			return first;
		if (!any)
			first = byte;
		any = true;
	}
	return first;
}

bool confirm_ask(struct confirm *confirm, const struct text *command)
{
	struct text question = {0};
	char answer;

	text_append_shown(&question, command->bytes, command->length, SIZE_MAX);
	text_append(&question, " ?...", 5);
	if (question.failed ||
		write(STDERR_FILENO, question.bytes, question.length) < 0) {
		text_finish(&question);
		return false;
	}
	text_finish(&question);
	answer = read_answer(confirm->terminal_fd);
	return answer == 'y' || answer == 'Y';
}
