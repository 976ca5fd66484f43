/* Descriptors that may not be there. */
#ifndef LEAT_BASE_FD_H
#define LEAT_BASE_FD_H

#include <fcntl.h>
#include <unistd.h>

/** Close *fd, which is -1 then, where it is not already. */
static inline void leat_fd_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/** Move *fd, which has FD_CLOEXEC, to `lowest` or above, if there is room. */
static inline void leat_fd_raise(int *fd, int lowest)
{
	int raised = -1;

	if (*fd >= 0 && *fd < lowest)
		raised = fcntl(*fd, F_DUPFD_CLOEXEC, lowest);
	if (raised < 0)
		return;
	close(*fd);
	*fd = raised;
}

#endif
