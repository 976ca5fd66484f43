/* The page that GitHub Actions shows of a job's step: $GITHUB_STEP_SUMMARY. */
#ifndef LEAT_CLI_REPORT_CI_SUMMARY_H
#define LEAT_CLI_REPORT_CI_SUMMARY_H

#include "account.h"
#include "report/recap.h"

/** Append, in GitHub's Markdown, how the run went, and its failed tasks. */
void ci_summary_append(struct text *text, const struct account *account,
	const struct recap *recap, int64_t elapsed_ns);

/** Append the text to the file `name`. Returns 0 or a negative errno. */
int ci_summary_write(const char *name, const struct text *text);

#endif
