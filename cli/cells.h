/* Text as a terminal shows it: in cells, control characters as ^[ and the like. */
#ifndef LEAT_CLI_CELLS_H
#define LEAT_CLI_CELLS_H

#include "message.h"

/** The cells that a text takes, or any number above `enough` where it takes more. */
size_t cells_of(const char *text, size_t length, size_t enough);

/** Append as much as there is room for, in cells, and an ellipsis where that is not all.
 */
void cells_append_cut(struct text *line, const char *text, size_t length, size_t room);

#endif
