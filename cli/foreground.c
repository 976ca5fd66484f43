#include "foreground.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

void foreground_open(struct foreground *foreground)
{
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

	foreground->fd = -1;
	foreground->group = getpgrp();
	if (fd < 0)
		return;
	if (tcgetpgrp(fd) == foreground->group && tcgetattr(fd, &foreground->modes) == 0)
		foreground->fd = fd;
	else
		close(fd);
}

void foreground_close(struct foreground *foreground)
{
	if (foreground->fd >= 0)
		close(foreground->fd);
	foreground->fd = -1;
}

void foreground_take_back(const struct foreground *foreground, bool modes)
{
	sigset_t set, before;

	if (foreground->fd < 0)
		return;
	sigemptyset(&set);
	sigaddset(&set, SIGTTOU); // who is in the background is stopped by it
	pthread_sigmask(SIG_BLOCK, &set, &before);
	if (tcgetpgrp(foreground->fd) != foreground->group)
		tcsetpgrp(foreground->fd, foreground->group);
	if (modes)
		tcsetattr(foreground->fd, TCSADRAIN, &foreground->modes);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}
