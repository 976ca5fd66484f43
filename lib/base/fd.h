/* Descriptors that may not be there. */
#ifndef LEAT_BASE_FD_H
#define LEAT_BASE_FD_H

#include <unistd.h>

/** Close *fd, which is -1 then, where it is not already. */
static inline void leat_fd_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

#endif
