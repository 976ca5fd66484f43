#ifndef LEAT_CLI_TEMPLATE_H
#define LEAT_CLI_TEMPLATE_H
#include "message.h"
#include <stdint.h>
struct template;
struct template_syntax { const char *braces; const char *const *names; size_t name_count; };
struct template_value { const char *bytes; size_t length; };
struct template_values { const struct template_value *values; size_t count; uint64_t sequence; unsigned slot; };
typedef void (*template_quote_fn)(struct text *out, const char *bytes, size_t length);
int template_parse(struct template **result, const char *text, const struct template_syntax *syntax);
void template_destroy(struct template *template);
void template_append(const struct template *template, struct text *out, const struct template_values *values, template_quote_fn quote);
#endif
