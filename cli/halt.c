#include "halt.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define LEAST_FOR_PERCENT 3

// Returns what follows `word` in `text`; NULL: it does not begin so.
static const char *behind(const char *text, const char *word)
{
	size_t length = strlen(word);

	return text && strncmp(text, word, length) == 0 ? text + length : NULL;
}

static const char *parse_what(struct halt *halt, const char *text)
{
	static const char *const names[] = {[HALT_FAIL] = "fail=",
		[HALT_SUCCESS] = "success=",
		[HALT_DONE] = "done="};

	for (unsigned what = HALT_FAIL; what <= HALT_DONE; what++) {
		const char *value = behind(text, names[what]);

		if (value) {
			halt->what = what;
			return value;
		}
	}
	return NULL;
}

static int parse_count(struct halt *halt, const char *text)
{
	char *end;
	unsigned long count;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	count = strtoul(text, &end, 10);
	halt->percent = *end == '%';
	end += halt->percent;
	if (*end || errno || !count || count > (halt->percent ? 100 : UINT_MAX))
		return -EINVAL;
	halt->count = (unsigned)count;
	return 0;
}

int halt_parse(struct halt *halt, const char *text)
{
	const char *now = behind(text, "now,"), *soon = behind(text, "soon,");
	const char *value;

	*halt = (struct halt){.when = now ? HALT_NOW : HALT_SOON};
	if (strcmp(text, "never") == 0) {
		halt->when = HALT_NEVER;
		return 0;
	}
	value = parse_what(halt, now ? now : soon);
	return value ? parse_count(halt, value) : -EINVAL;
}

static unsigned long long count_seen(
	const struct halt *halt, const struct account *account)
{
	unsigned long long ok = atomic_load(&account->counts[TASK_OK]);
	unsigned long long failed = account_failed(account);

	return halt->what == HALT_FAIL      ? failed
	       : halt->what == HALT_SUCCESS ? ok
					    : ok + failed;
}

bool halt_is_due(const struct halt *halt, const struct account *account, uint64_t total)
{
	unsigned long long seen;

	if (halt->when == HALT_NEVER)
		return false;
	seen = count_seen(halt, account);
	if (!halt->percent)
		return seen >= halt->count;
	return total && seen >= LEAST_FOR_PERCENT &&
	       seen * 100 >= (unsigned long long)halt->count * total;
}

void halt_append_words(const struct halt *halt, struct text *text)
{
	static const char *const words[] = {
		[HALT_FAIL] = "failed", [HALT_SUCCESS] = "ok", [HALT_DONE] = "done"};

	text_format(text, "%u%s %s", halt->count, halt->percent ? "%" : "",
		words[halt->what]);
}
