/*
 * GitHub Actions takes a line for a command that begins with "::", or has "##[" in it,
 * from both streams, unless commands were stopped by one that names a token, which that
 * token then ends: so output stands between the two. Azure Pipelines takes what follows
 * "##vso[" anywhere in a line, and knows no such stop: there a blank is put before the
 * bracket (guard.c). GitLab has no commands, and its sections are named so that nobody
 * else can end them.
 *
 * https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
 * https://docs.gitlab.com/ci/jobs/job_logs/#custom-collapsible-sections
 * https://learn.microsoft.com/azure/devops/pipelines/scripts/logging-commands
 */
#include "report/ci.h"

#include "ci_log.h"
#include "guard.h"
#include "moment.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define SECOND_US 1000000

static bool is_set(const char *name, const char *value)
{
	const char *found = getenv(name);

	return found && strcasecmp(found, value) == 0;
}

// A task of another leat is in that one's group, and who replaces another tool writes as
// that does.
static enum ci_service find_service(const struct plan *plan)
{
	if (getenv("LEAT_PID") || plan->rules)
		return CI_NONE;
	return is_set("GITHUB_ACTIONS", "true") ? CI_GITHUB
	       : is_set("GITLAB_CI", "true")    ? CI_GITLAB
	       : is_set("TF_BUILD", "true")     ? CI_AZURE
						: CI_NONE;
}

bool ci_is_around(void)
{
	const char *ci = getenv("CI");

	return !getenv("LEAT_PID") && ci && *ci && strcasecmp(ci, "false") != 0;
}

static int make_token(struct ci *ci)
{
	unsigned char bytes[(sizeof ci->token - 1) / 2];

	if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
		return -EIO;
	for (size_t index = 0; index < sizeof bytes; index++)
		snprintf(ci->token + 2 * index, 3, "%02x", bytes[index]);
	return 0;
}

int ci_open(struct ci *ci, const struct plan *plan)
{
	bool asked = plan->ci != CI_AUTO;
	bool collects = !plan->dry_run &&
			(plan->mode == OUTPUT_GROUP || plan->mode == OUTPUT_KEEP);

	*ci = (struct ci){.service = asked ? plan->ci : find_service(plan)};
	if (ci->service == CI_NONE)
		return 0;
	ci->is_blind = plan->mode == OUTPUT_STRAIGHT && !plan->dry_run;
	ci->has_log = asked || ci_log_is_standard_output();
	ci->has_groups = collects && ci->has_log;
	ci->has_frames = ci->has_groups || (collects && ci->service == CI_GITHUB);
	return make_token(ci);
}

// With %XX for the characters of `special`.
static void append_escaped(
	struct text *text, const char *special, const char *bytes, size_t length)
{
	for (size_t index = 0; index < length; index++) {
		if (bytes[index] && strchr(special, bytes[index]))
			text_format(text, "%%%02X", (unsigned char)bytes[index]);
		else
			text_append(text, bytes + index, 1);
	}
}

static void append_stop(const struct ci *ci, struct text *text)
{
	text_format(text, "::stop-commands::%s\n", ci->token);
}

// Who wrote before leat did may have left a line without its end: that takes the first
// command, which else has nothing shown.
static void append_safe_stop(const struct ci *ci, struct text *text)
{
	text_format(text, "::debug::\n");
	append_stop(ci, text);
}

static void append_resume(const struct ci *ci, struct text *text)
{
	text_format(text, "::%s::\n", ci->token);
}

static void append_section(const struct ci *ci, const struct ci_group *group,
	const char *edge, int64_t moment_us, struct text *text)
{
	text_format(text, "\033[0Ksection_%s:%" PRId64 ":leat_%s_%" PRIu64, edge,
		moment_us / SECOND_US, ci->token, group->sequence);
}

static void append_title(const struct ci_group *group, struct text *text)
{
	text_append(text, group->title->bytes, group->title->length);
	text_append(text, "\n", 1);
}

// Azure's title: it is a line as any other.
static void append_guarded_title(const struct ci_group *group, struct text *text)
{
	unsigned matched = 0;

	guard_append(text, group->title->bytes, group->title->length, &matched);
	text_append(text, "\n", 1);
}

void ci_append_begin(const struct ci *ci, const struct ci_group *group, struct text *text)
{
	switch (ci->service) {
	case CI_GITHUB:
		if (ci->has_groups && !group->failed) {
			text_format(text, "::group::");
			append_escaped(
				text, "%\r\n", group->title->bytes, group->title->length);
			text_append(text, "\n", 1);
			append_stop(ci, text);
			break;
		}
		append_safe_stop(ci, text);
		if (ci->has_groups)
			append_title(group, text);
		break;
	case CI_GITLAB:
		append_section(ci, group, "start", group->started_us, text);
		text_format(text, "%s\r\033[0K", group->failed ? "" : "[collapsed=true]");
		append_title(group, text);
		break;
	case CI_AZURE:
		text_format(text, group->failed ? "" : "##[group]");
		append_guarded_title(group, text);
		break;
	case CI_AUTO:
	case CI_NONE:
		break;
	}
}

void ci_append_end(const struct ci *ci, const struct ci_group *group, struct text *text)
{
	switch (ci->service) {
	case CI_GITHUB:
		append_resume(ci, text);
		text_format(
			text, ci->has_groups && !group->failed ? "::endgroup::\n" : "");
		break;
	case CI_GITLAB:
		append_section(ci, group, "end", moment_wall_us(), text);
		text_format(text, "\r\033[0K\n");
		break;
	case CI_AZURE:
		text_format(text, group->failed ? "" : "##[endgroup]\n");
		break;
	case CI_AUTO:
	case CI_NONE:
		break;
	}
}

void ci_append_error(const struct ci *ci, const char *title, const struct text *words,
	struct text *text)
{
	if (ci->service == CI_GITHUB) {
		text_format(text, "::error title=");
		append_escaped(text, "%\r\n:,", title, strlen(title));
		text_format(text, "::");
		append_escaped(text, "%\r\n", words->bytes, words->length);
		text_append(text, "\n", 1);
	} else if (ci->service == CI_AZURE) {
		struct text guarded = {0};
		unsigned matched = 0;

		guard_append(&guarded, words->bytes, words->length, &matched);
		text_format(text, "##vso[task.logissue type=error]%s: ", title);
		append_escaped(text, "\r\n", guarded.bytes, guarded.length);
		text_append(text, "\n", 1);
		text_finish(&guarded);
	}
}

void ci_append_run_begin(const struct ci *ci, struct text *text)
{
	if (ci->service == CI_GITHUB && !ci->has_frames)
		append_safe_stop(ci, text);
}

void ci_append_run_end(const struct ci *ci, struct text *text)
{
	if (ci->service != CI_GITHUB || ci->has_frames)
		return;
	text_append(text, "\n", ci->is_blind);
	append_resume(ci, text);
}

// Blanks before the colons are no matter to the service, Unicode's neither: any character
// beyond ASCII may be one.
static bool may_be_command(const struct text *lines)
{
	bool only_blanks = true;

	if (memmem(lines->bytes, lines->length, "##[", 3))
		return true;
	for (size_t index = 0; index < lines->length; index++) {
		unsigned char byte = (unsigned char)lines->bytes[index];

		if (only_blanks && strncmp(lines->bytes + index, "::", 2) == 0)
			return true;
		if (byte == '\n' || byte == '\r')
			only_blanks = true;
		else if (byte > ' ' && byte < 0x7F)
			only_blanks = false;
	}
	return false;
}

void ci_guard(const struct ci *ci, struct text *line)
{
	struct text guarded = {0};
	unsigned matched = 0;

	if (!line->length)
		return;
	if (ci->service == CI_GITHUB && ci->has_frames && may_be_command(line)) {
		append_safe_stop(ci, &guarded);
		text_append(&guarded, line->bytes, line->length);
		append_resume(ci, &guarded);
	} else if (ci->service == CI_AZURE) {
		guard_append(&guarded, line->bytes, line->length, &matched);
	} else {
		return;
	}
	text_finish(line);
	*line = guarded;
}

bool ci_guards_output(const struct ci *ci)
{
	return ci->service == CI_AZURE;
}
