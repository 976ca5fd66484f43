#include "template.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
struct template { char *text; };
int template_parse(struct template **result, const char *text, const struct template_syntax *syntax) { (void)syntax; *result = malloc(sizeof **result); (*result)->text = strdup(text); return 0; }
void template_destroy(struct template *t) { if (t) { free(t->text); free(t); } }
void template_append(const struct template *t, struct text *out, const struct template_values *v, template_quote_fn q) { (void)q;
 for (const char *c = t->text; *c;) { if (!strncmp(c, "{}", 2)) { text_append(out, v->values[0].bytes, v->values[0].length); c += 2; } else if (!strncmp(c,"{#}",3)) { text_format(out, "%llu", (unsigned long long)v->sequence); c+=3;} else if (!strncmp(c,"{%}",3)) { text_format(out, "%u", v->slot); c+=3;} else text_append(out, c++, 1); } }
