#include "leat.h"

const char *leat_version(void)
{
	return LEAT_VERSION;
}
