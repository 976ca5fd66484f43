/* JSON objects in the making, of bytes that may be anything. */
#ifndef LEAT_CLI_REPORT_JSON_H
#define LEAT_CLI_REPORT_JSON_H

#include "message.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** `failed`: there was no memory for some of it. */
struct object {
	json_t *json;
	bool failed;
};

/** An object without members; owned by the caller, until object_dump(). */
struct object object_begin(void);

/** Have a member; takes over `value`, which is NULL where it could not be made. */
void object_set(struct object *object, const char *name, json_t *value);
void object_set_number(struct object *object, const char *name, uint64_t number);
void object_set_seconds(struct object *object, const char *name, int64_t ns);

/**
 * A text; where it is no UTF-8, NAME has U+FFFD for what is none, and NAME_hex all its
 * bytes in hexadecimal.
 */
void object_set_text(
	struct object *object, const char *name, const char *bytes, size_t length);

/**
 * The object as a line, without its newline, and ends the object. The caller frees it.
 * NULL: there is no memory for it, or was none for some of it.
 */
char *object_dump(struct object *object);

/** A string, with U+FFFD for what is no UTF-8. NULL: there is no memory. */
json_t *json_from_bytes(const char *bytes, size_t length);

/**
 * Append the same as JSON that is ASCII and has no '<', so that it can stand within a
 * script element.
 */
void json_append_ascii(struct text *text, const char *bytes, size_t length);

#endif
