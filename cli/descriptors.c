#include "descriptors.h"

#include <fcntl.h>
#include <unistd.h>

void descriptors_ensure(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0) // open(2) takes the lowest free number: fd
			(void)!open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
}
