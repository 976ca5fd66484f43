#include "report/json.h"

#include "leat.h"
#include "utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct object object_begin(void)
{
	return (struct object){.json = json_object()};
}

void object_set(struct object *object, const char *name, json_t *value)
{
	if (json_object_set_new(object->json, name, value) < 0)
		object->failed = true;
}

void object_set_number(struct object *object, const char *name, uint64_t number)
{
	object_set(object, name, json_integer((json_int_t)number));
}

void object_set_seconds(struct object *object, const char *name, int64_t ns)
{
	object_set(object, name, json_real((double)ns / LEAT_SECOND_NS));
}

static json_t *make_hex(const char *bytes, size_t length)
{
	struct text text = {0};
	json_t *string;

	for (size_t index = 0; index < length; index++)
		text_format(&text, "%02x", (unsigned char)bytes[index]);
	string = text.failed ? NULL : json_stringn(text.bytes, text.length);
	text_finish(&text);
	return string;
}

void object_set_text(
	struct object *object, const char *name, const char *bytes, size_t length)
{
	json_t *string = json_stringn(bytes, length);
	char hex_name[32];

	if (string) {
		object_set(object, name, string);
		return;
	}
	snprintf(hex_name, sizeof hex_name, "%s_hex", name);
	object_set(object, name, json_from_bytes(bytes, length));
	object_set(object, hex_name, make_hex(bytes, length));
}

char *object_dump(struct object *object)
{
	char *line = object->failed ? NULL
				    : json_dumps(object->json,
					      JSON_COMPACT | JSON_REAL_PRECISION(12));

	json_decref(object->json);
	return line;
}

json_t *json_from_bytes(const char *bytes, size_t length)
{
	json_t *string = json_stringn(bytes, length);
	struct text text = {0};

	if (string)
		return string;
	utf8_append(&text, bytes, length);
	string = text.failed ? NULL : json_stringn(text.bytes, text.length);
	text_finish(&text);
	return string;
}

void json_append_ascii(struct text *text, const char *bytes, size_t length)
{
	json_t *string = json_from_bytes(bytes, length);
	char *dump = json_dumps(string, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);

	if (!dump)
		text->failed = true;
	for (const char *at = dump; at && *at;) {
		size_t plain = strcspn(at, "<");

		text_append(text, at, plain);
		at += plain;
		if (*at) {
			text_append(text, "\\u003c", strlen("\\u003c"));
			at++;
		}
	}
	free(dump);
	json_decref(string);
}
