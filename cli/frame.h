/* leat's own words around what a task wrote. */
#ifndef LEAT_CLI_FRAME_H
#define LEAT_CLI_FRAME_H

#include "message.h"

struct frame {
	struct text head; //< whole lines before it, which nothing comes between; or empty
	struct text line; //< and behind it
};

static inline void frame_finish(struct frame *frame)
{
	text_finish(&frame->head);
	text_finish(&frame->line);
}

#endif
