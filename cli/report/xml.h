/* XML 1.0 in the making, of bytes that may be anything. */
#ifndef LEAT_CLI_REPORT_XML_H
#define LEAT_CLI_REPORT_XML_H

#include "message.h"

/**
 * Append `bytes` as the text of an element. Control characters, but for tab, newline and
 * CR, are shown as ^[ and the like. U+FFFD stands for each byte that is no UTF-8, and for
 * the other characters that XML does not have.
 */
void xml_append_text(struct text *text, const char *bytes, size_t length);

/** Append a blank and name="bytes", in the same way. */
void xml_append_attribute(
	struct text *text, const char *name, const char *bytes, size_t length);

#endif
