#include "inlet.h"

#include "../base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

// As a pipe's: what is written to the slave can be read from the master, as it is.
static int open_terminal(int ends[2], const struct winsize *size)
{
	struct termios modes;
	int error;

	ends[0] = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (ends[0] < 0)
		return -errno;
	ends[1] = -1;
	if (unlockpt(ends[0]) == 0)
		ends[1] = ioctl(ends[0], TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (ends[1] < 0 || tcgetattr(ends[1], &modes) < 0)
		goto fail;
	modes.c_oflag &= ~(tcflag_t)OPOST;
	modes.c_lflag &= ~(tcflag_t)ECHO;
	if (tcsetattr(ends[1], TCSANOW, &modes) < 0 ||
		ioctl(ends[1], TIOCSWINSZ, size) < 0)
		goto fail;
	return 0;
fail:
	error = -errno;
	leat_fd_close(&ends[1]);
	leat_fd_close(&ends[0]);
	return error;
}

int leat_inlet_open(struct leat_inlet *inlet, struct leat_stream *to, int fd,
	const struct winsize *terminal)
{
	int ends[2] = {-1, -1}, error = 0;

	*inlet = (struct leat_inlet){.to = to, .read_fd = -1, .write_fd = -1};
	if (fd >= 0)
		return 0;
	if (terminal)
		error = open_terminal(ends, terminal);
	else if (pipe2(ends, O_CLOEXEC) < 0)
		error = -errno;
	if (error)
		return error;
	inlet->read_fd = ends[0];
	inlet->write_fd = ends[1];
	return 0;
}

void leat_inlet_close(struct leat_inlet *inlet)
{
	leat_fd_close(&inlet->read_fd);
	leat_fd_close(&inlet->write_fd);
}

void leat_inlet_poll(const struct leat_inlet *inlet, struct pollfd polled[2])
{
	bool open = inlet->read_fd >= 0;

	polled[0] = (struct pollfd){.fd = -1, .events = POLLIN};
	polled[1] = (struct pollfd){.fd = -1};
	if (open && !inlet->to->paused)
		polled[0].fd = inlet->read_fd;
	if (open && inlet->to->also_fd >= 0) {
		polled[1].fd = inlet->to->also_fd;
		polled[1].events = inlet->to->also_events;
	}
}

size_t leat_inlet_take(struct leat_inlet *inlet, const struct pollfd polled[2])
{
	ssize_t got = 0;

	if (!polled[0].revents && !polled[1].revents)
		return 0;
	// poll(2): without POLLIN a pipe that was hung up is empty.
	if (polled[0].revents != POLLHUP || polled[1].revents)
		got = inlet->to->take(inlet->to, inlet->read_fd, polled[0].revents != 0);
	if (got == 0 || (got < 0 && got != -EAGAIN))
		leat_fd_close(&inlet->read_fd);
	inlet->bytes += got > 0 ? (uint64_t)got : 0;
	return got > 0 ? (size_t)got : 0;
}
