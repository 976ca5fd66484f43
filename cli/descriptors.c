#include "descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

void descriptors_ensure(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0) // open(2) takes the lowest free number: fd
			(void)!open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
}

int descriptors_replace_input(const char *name)
{
	int fd = open(name, O_RDWR | O_CLOEXEC | O_NOCTTY);

	if (fd < 0 || dup2(fd, STDIN_FILENO) < 0)
		return -errno;
	close(fd);
	return 0;
}
