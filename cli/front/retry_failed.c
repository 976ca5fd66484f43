#include "front/retry_failed.h"

#include "report/joblog.h"

#include <errno.h>
#include <string.h>

int retry_failed(const struct grammar *grammar, struct plan *plan)
{
	size_t count;
	int error;

	if (!plan->retry_failed || !plan->joblog)
		return 0;
	error = joblog_read_commands(
		plan->joblog, &plan->owned, &plan->owned_values, &count);
	if (error == -ENOENT)
		return 0;
	if (error)
		return usage_error(grammar, "--retry-failed: cannot read %s: %s",
			plan->joblog,
			error == -EBADMSG  ? "it is no joblog"
			: error == -ERANGE ? "a job's number in it is too large"
					   : strerror(-error));
	plan->sources[0] =
		(struct source){SOURCE_WORDS, plan->owned_values, count, false};
	plan->source_count = 1;
	plan->word_count = 0;
	plan->resume_failed = true;
	plan->column_separator = NULL;
	plan->header = plan->shuffled = false;
	plan->batching = (struct batching){.records = 1};
	return 0;
}
