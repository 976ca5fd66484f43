/*
 * The elements and attributes are those that the readers have in common: Jenkins, with
 * its xUnit plugin's schema, GitLab, and what shows reports at GitHub. GitLab reads the
 * text of an element and not its message, so that is in both; it takes cases of the same
 * class and name for the same one, so names are made different.
 *
 * A test case is written when its task has ended, each into a place of its own that the
 * thread has taken first: memory does not grow with the tasks, and no lock is held while
 * something is written. The counts stand at the head, for which room is left, and which
 * is written last.
 *
 * An attempt that another is to follow is a draft, without a name: it becomes the test
 * case only if that other one does not come about. Drafts are kept one behind the other,
 * in memory and then in a temporary file, for which the lock is held; those that are of
 * no use any more are not taken out.
 */
#include "report/junit.h"

#include "moment.h"
#include "plain.h"
#include "report/namesakes.h"
#include "report/xml.h"
#include "utf8.h"
#include "whole_file.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAME_BYTES 1000
#define NAMES_MOST 32768
#define DRAFT_BYTES ((size_t)1 << 20) // in memory, of all together
#define HOST_BYTES 256
#define COUNTS_BYTES ((size_t)9 * 20) // all the numbers that are at the head

enum verdict { PASSED, FAILURE, ERROR, SKIPPED, VERDICTS };

struct junit {
	struct whole_file file;
	const struct plan *plan;
	struct text suite; //< all cases' class
	char host[HOST_BYTES];
	int64_t started_us;
	size_t head_bytes;
	atomic_ullong end; //< of what is in the file, or about to be
	atomic_ullong counts[VERDICTS];
	atomic_int error;     //< the first negative errno
	pthread_mutex_t lock; //< what follows
	struct namesakes *names;
	struct leat_capture *drafts;
};

static void note_error(struct junit *junit, int error)
{
	int none = 0;

	if (error)
		atomic_compare_exchange_strong(&junit->error, &none, error);
}

/* ---- the file ---- */

// "lint" for a/lint.xml; what is no file has no name to speak of.
static void choose_suite(struct junit *junit)
{
	const char *slash = strrchr(junit->file.name, '/');
	const char *name = slash ? slash + 1 : junit->file.name;
	size_t length = strlen(name);

	if (length > 4 && strcmp(name + length - 4, ".xml") == 0)
		length -= 4;
	if (junit->file.fd >= 0)
		text_append(&junit->suite, "leat", 4);
	else
		text_append(&junit->suite, name, length);
}

static void append_counts(const struct junit *junit, struct text *head)
{
	uint64_t tests = 0;

	for (int verdict = 0; verdict < VERDICTS; verdict++)
		tests += atomic_load(&junit->counts[verdict]);
	text_format(head, " tests=\"%" PRIu64 "\" failures=\"%llu\" errors=\"%llu\"",
		tests, atomic_load(&junit->counts[FAILURE]),
		atomic_load(&junit->counts[ERROR]));
}

static void append_seconds(struct text *text, int64_t ns)
{
	text_format(text, " time=\"%.3f\"", (double)ns / LEAT_SECOND_NS);
}

// Without the end of its last tag: blanks may stand before that.
static void append_head(const struct junit *junit, int64_t elapsed_ns, struct text *head)
{
	char started[MOMENT_BYTES];

	moment_format(started, junit->started_us, 'T');
	text_format(head, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites");
	xml_append_attribute(head, "name", junit->suite.bytes, junit->suite.length);
	append_counts(junit, head);
	append_seconds(head, elapsed_ns);
	text_format(head, ">\n<testsuite");
	xml_append_attribute(head, "name", junit->suite.bytes, junit->suite.length);
	append_counts(junit, head);
	text_format(head, " skipped=\"%llu\"", atomic_load(&junit->counts[SKIPPED]));
	append_seconds(head, elapsed_ns);
	xml_append_attribute(head, "timestamp", started, strlen("2026-11-21T11:30:15"));
	xml_append_attribute(head, "hostname", junit->host, strlen(junit->host));
}

static void destroy(struct junit *junit)
{
	pthread_mutex_destroy(&junit->lock);
	namesakes_destroy(junit->names);
	leat_capture_destroy(junit->drafts);
	text_finish(&junit->suite);
	free(junit);
}

// Leaves room for the head.
static int begin(struct junit *junit, const char *directory)
{
	struct text head = {0};
	int error;

	choose_suite(junit);
	if (gethostname(junit->host, HOST_BYTES - 1) < 0)
		strcpy(junit->host, "localhost");
	junit->started_us = moment_wall_us();
	append_head(junit, 0, &head);
	error = head.failed || junit->suite.failed ? -ENOMEM : 0;
	junit->head_bytes = head.length + COUNTS_BYTES + strlen(">\n");
	atomic_store(&junit->end, junit->head_bytes);
	text_finish(&head);
	if (!error)
		error = namesakes_create(&junit->names, NAMES_MOST);
	if (!error)
		error = leat_capture_create(&junit->drafts, DRAFT_BYTES, directory);
	return error;
}

int junit_open(struct junit **result, const struct plan *plan, const char *directory)
{
	struct junit *junit = calloc(1, sizeof *junit);
	int error = junit ? whole_file_open(&junit->file, plan->junit) : -ENOMEM;

	if (error) {
		free(junit);
		return error;
	}
	junit->plan = plan;
	pthread_mutex_init(&junit->lock, NULL);
	error = begin(junit, directory);
	if (error)
		junit_drop(junit);
	else
		*result = junit;
	return error;
}

void junit_drop(struct junit *junit)
{
	if (!junit)
		return;
	whole_file_drop(&junit->file);
	destroy(junit);
}

// Into a place of its own.
static void write_text(struct junit *junit, const struct text *text)
{
	uint64_t at;

	if (text->failed) {
		note_error(junit, -ENOMEM);
		return;
	}
	at = atomic_fetch_add(&junit->end, text->length);
	note_error(
		junit, whole_file_write_at(&junit->file, at, text->bytes, text->length));
}

static void write_head(struct junit *junit, int64_t elapsed_ns)
{
	struct text head = {0};

	append_head(junit, elapsed_ns, &head);
	text_format(&head, "%*s>\n",
		(int)(junit->head_bytes - head.length - strlen(">\n")), "");
	note_error(junit, head.failed ? -ENOMEM
				      : whole_file_write_at(&junit->file, 0, head.bytes,
						head.length));
	text_finish(&head);
}

int junit_close(struct junit *junit, int64_t elapsed_ns, int give_up_fd)
{
	struct text foot = {0};
	int error;

	text_format(&foot, "</testsuite>\n</testsuites>\n");
	write_text(junit, &foot);
	text_finish(&foot);
	write_head(junit, elapsed_ns);
	junit->file.error = atomic_load(&junit->error);
	error = whole_file_close(&junit->file, give_up_fd);
	destroy(junit);
	return error;
}

/* ---- a test case ---- */

// The command, shown; in the words of slot 1, so that it is the same each time.
static void append_name(struct junit *junit, const struct recipe *recipe,
	const struct task *task, struct text *text)
{
	struct text command = {0}, name = {0};
	unsigned count;

	recipe_append_command(recipe, task, 1, NAME_BYTES, &command);
	text_append_shown(&name, command.bytes, command.length, NAME_BYTES);
	pthread_mutex_lock(&junit->lock);
	count = namesakes_count(junit->names, name.bytes, name.length);
	pthread_mutex_unlock(&junit->lock);
	if (!count)
		text_format(&name, " (task %" PRIu64 ")", task->sequence);
	else if (count > 1)
		text_format(&name, " (%u)", count);
	xml_append_attribute(text, "name", name.bytes, name.length);
	text->failed = text->failed || command.failed || name.failed;
	text_finish(&name);
	text_finish(&command);
}

// `body` is what comes behind the name.
static void write_case(struct junit *junit, const struct recipe *recipe,
	struct task *task, enum verdict verdict, const struct text *body)
{
	struct text text = {0};

	text_format(&text, "<testcase");
	xml_append_attribute(&text, "classname", junit->suite.bytes, junit->suite.length);
	append_name(junit, recipe, task, &text);
	text_append(&text, body->bytes, body->length);
	text.failed = text.failed || body->failed;
	write_text(junit, &text);
	text_finish(&text);
	atomic_fetch_add(&junit->counts[verdict], 1);
	task->in_report = true;
}

// `note` stands before all.
static void append_stream(struct text *body, const char *element, const char *note,
	const struct text *tail, uint64_t total)
{
	size_t from = total > tail->length ? utf8_rest(tail->bytes, tail->length) : 0;
	uint64_t left_out = total - (tail->length - from);
	struct text plain = {0};

	if (!tail->length && !*note)
		return;
	text_format(body, "<%s>%s", element, note);
	if (left_out)
		text_format(body, "[%" PRIu64 " byte%s left out]\n", left_out,
			left_out == 1 ? "" : "s");
	if (tail->length)
		plain_append(&plain, tail->bytes + from, tail->length - from);
	xml_append_text(body, plain.bytes, plain.length);
	text_format(body, "</%s>", element);
	body->failed = body->failed || tail->failed || plain.failed;
	text_finish(&plain);
}

// How it went, where that is not well; GitLab reads the text, the others the message.
static void append_verdict(struct text *body, const char *element, const char *type,
	const struct text *reason)
{
	text_format(body, "<%s", element);
	xml_append_attribute(body, "message", reason->bytes, reason->length);
	if (type)
		xml_append_attribute(body, "type", type, strlen(type));
	text_append(body, ">", 1);
	xml_append_text(body, reason->bytes, reason->length);
	text_format(body, "</%s>", element);
	body->failed = body->failed || reason->failed;
}

// A failure is the task's own word; an error is that it could not say.
static enum verdict judge(const struct junit_attempt *attempt, const struct task *task)
{
	if (task->end == TASK_OK)
		return PASSED;
	return task->end == TASK_FAILED && attempt->outcome &&
			       attempt->outcome->end == LEAT_EXITED
		       ? FAILURE
		       : ERROR;
}

static void append_body(const struct junit *junit, const struct task *task,
	const struct junit_attempt *attempt, struct text *body)
{
	const struct leat_outcome none = {0};
	const struct leat_outcome *outcome = attempt->outcome ? attempt->outcome : &none;
	enum verdict verdict = judge(attempt, task);
	struct text note = {0};

	append_seconds(body, outcome->elapsed_ns);
	text_append(body, ">", 1);
	if (verdict != PASSED)
		append_verdict(body, verdict == FAILURE ? "failure" : "error",
			account_end_name(task->end), attempt->reason);
	if (task->attempt > 1)
		text_format(&note, "[attempt %" PRIu64 " of %" PRIu64 "]\n",
			task->attempt, junit->plan->retries + 1);
	append_stream(body, "system-out", note.bytes ? note.bytes : "", &attempt->out,
		outcome->out_bytes);
	append_stream(body, "system-err", "", &attempt->err, outcome->err_bytes);
	text_format(body, "</testcase>\n");
	body->failed = body->failed || note.failed;
	text_finish(&note);
}

/* ---- attempts that others follow ---- */

static void keep_draft(struct junit *junit, struct task *task, enum verdict verdict,
	const struct text *body)
{
	pthread_mutex_lock(&junit->lock);
	task->draft.at = leat_capture_size(junit->drafts);
	leat_capture_append(junit->drafts, body->bytes, body->length);
	note_error(junit, leat_capture_error(junit->drafts));
	pthread_mutex_unlock(&junit->lock);
	task->draft.length = body->length;
	task->draft.verdict = (int)verdict;
	note_error(junit, body->failed ? -ENOMEM : 0);
}

static void read_draft(struct junit *junit, const struct task *task, struct text *body)
{
	char chunk[BUFSIZ];
	const char *bytes;
	ssize_t got = 1;

	pthread_mutex_lock(&junit->lock);
	while (body->length < task->draft.length && got > 0 && !body->failed) {
		size_t left = task->draft.length - body->length;

		got = leat_capture_view(junit->drafts, task->draft.at + body->length,
			chunk, sizeof chunk, &bytes);
		if (got > 0)
			text_append(body, bytes, (size_t)got < left ? (size_t)got : left);
	}
	pthread_mutex_unlock(&junit->lock);
	if (got <= 0)
		note_error(junit, got ? (int)got : -EIO);
}

/* ---- what is told of a task ---- */

void junit_attempt_ended(struct junit *junit, const struct recipe *recipe,
	struct task *task, const struct junit_attempt *attempt)
{
	struct text body = {0};

	if (!junit)
		return;
	append_body(junit, task, attempt, &body);
	if (task->again)
		keep_draft(junit, task, judge(attempt, task), &body);
	else
		write_case(junit, recipe, task, judge(attempt, task), &body);
	text_finish(&body);
}

// It never ran, or leat itself failed in running it.
static enum verdict append_untried(
	struct text *body, const struct task *task, const char *cause)
{
	bool is_skipped = task->end == TASK_SKIPPED || task->end == TASK_UNRUN;
	struct text reason = {0};

	if (task->end == TASK_SKIPPED)
		text_format(&reason, "done by an earlier run");
	else
		text_format(&reason, "%s%s%s", account_end_name(task->end),
			cause ? ": " : "", cause ? cause : "");
	append_seconds(body, 0);
	text_append(body, ">", 1);
	append_verdict(body, is_skipped ? "skipped" : "error",
		is_skipped ? NULL : "failed", &reason);
	text_format(body, "</testcase>\n");
	text_finish(&reason);
	return is_skipped ? SKIPPED : ERROR;
}

void junit_task_ended(struct junit *junit, const struct recipe *recipe, struct task *task,
	const char *cause)
{
	enum verdict verdict;
	struct text body = {0};

	if (!junit || task->in_report)
		return;
	if (task->draft.length) {
		verdict = (enum verdict)task->draft.verdict;
		read_draft(junit, task, &body);
	} else {
		verdict = append_untried(&body, task, cause);
	}
	write_case(junit, recipe, task, verdict, &body);
	text_finish(&body);
}
