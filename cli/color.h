/* Colours, as terminals take them (ECMA-48, SGR). */
#ifndef LEAT_CLI_COLOR_H
#define LEAT_CLI_COLOR_H

#include <stdbool.h>
#include <stdint.h>

enum color_when { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

#define COLOR_RED "\033[31m"
#define COLOR_OFF "\033[0m"

/** Whether what is written to `fd` is to be coloured: auto asks terminal and environment.
 */
bool color_wanted(enum color_when when, int fd);

/** Whether `fd` is a terminal that knows escape sequences. */
bool color_is_display(int fd);

/** A colour by which task number `sequence` is told from those beside it; never red. */
const char *color_of_task(uint64_t sequence);

#endif
