#include "results.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// Every directory on the way to what `path` names, below `directory_fd`.
static int make_way(int directory_fd, char *path)
{
	for (char *at = path + 1; *at; at++) {
		int error = 0;

		if (*at != '/')
			continue;
		*at = '\0';
		if (mkdirat(directory_fd, path, 0777) < 0 && errno != EEXIST)
			error = -errno;
		*at = '/';
		if (error)
			return error;
	}
	return 0;
}

static int make_directory(const char *name)
{
	struct text path = {0};
	int error;

	text_format(&path, "%s/", name);
	error = path.failed ? -ENOMEM : make_way(AT_FDCWD, path.bytes);
	text_finish(&path);
	return error;
}

int results_open(struct results *results, const char *name, bool by_values)
{
	int error;

	*results = (struct results){.directory_fd = -1, .by_values = by_values};
	if (!name)
		return 0;
	if (by_values)
		error = make_directory(name);
	else
		error = mkdir(name, 0777) < 0 && errno != EEXIST ? -errno : 0;
	if (error)
		return error;
	results->directory_fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return results->directory_fd < 0 ? -errno : 0;
}

void results_close(struct results *results)
{
	if (results->directory_fd >= 0)
		close(results->directory_fd);
}

/* ---- a task's place ---- */

// A value, or a header's name, as the name of a file, as GNU parallel writes a value. But
// "." and ".." name no file: with a backslash before them they do.
static void append_name(struct text *path, const char *bytes, size_t length)
{
	bool is_dots = length && length <= 2 && memcmp(bytes, "..", length) == 0;

	text_append(path, "\\", is_dots);
	for (size_t index = 0; index < length; index++) {
		char c = bytes[index];
		const char *shown = c == '/'    ? "\\_"
				    : c == '\\' ? "\\\\"
				    : c == '\t' ? "\\t"
						: NULL;

		text_append(path, shown ? shown : &c, shown ? 2 : 1);
	}
	text_append(path, "/", 1);
}

static void append_pair(const struct results *results, struct text *path, size_t position,
	const struct value *value)
{
	const char *name =
		position < results->name_count ? results->names[position] : NULL;

	if (name)
		append_name(path, name, strlen(name));
	else
		text_format(path, "%zu/", position + 1);
	append_name(path, value->bytes, value->length);
}

// Which of `count` names comes next in order behind the one at `last` (SIZE_MAX: none).
static size_t next_name(const struct results *results, size_t count, size_t last)
{
	size_t next = SIZE_MAX;

	for (size_t index = 0; index < count; index++) {
		const char *name = results->names[index];

		if (last != SIZE_MAX && strverscmp(name, results->names[last]) <= 0)
			continue;
		if (next == SIZE_MAX || strverscmp(name, results->names[next]) < 0)
			next = index;
	}
	return next;
}

static void append_by_values(
	const struct results *results, const struct task *task, struct text *path)
{
	size_t position = 0, last = SIZE_MAX;

	if (results->name_count && results->name_count == task->count) {
		while ((last = next_name(results, task->count, last)) != SIZE_MAX)
			append_pair(results, path, last, &task->values[last]);
		return;
	}
	for (size_t index = 0; index < task->count; index++) {
		const struct value *value = &task->values[index];

		append_pair(results, path, position, value);
		position = value->ends_record ? 0 : position + 1;
	}
}

// The name of a file in the task's place; its directory is up to the last slash.
static int place(const struct results *results, const struct task *task, const char *name,
	struct text *path)
{
	path->length = 0;
	if (results->by_values)
		append_by_values(results, task, path);
	else
		text_format(path, "%" PRIu64 "/", task->sequence);
	text_append(path, name, strlen(name));
	return path->failed ? -ENOMEM : 0;
}

// Returns 0 or a negative errno.
static int remove_place(
	const struct results *results, const struct task *task, const char *name)
{
	struct text path = {0};
	int error = place(results, task, name, &path);
	bool is_directory = !error && path.bytes[path.length - 1] == '/';

	if (!error && unlinkat(results->directory_fd, path.bytes,
			      is_directory ? AT_REMOVEDIR : 0) < 0)
		error = -errno;
	text_finish(&path);
	return error;
}

// Of an attempt that others followed.
static const char *const kept_names[] = {"stdout", "stderr", "outcome"};
#define KEPT_NAMES (sizeof kept_names / sizeof *kept_names)

// "attempt-1/stdout"; KEPT_NAMES: the directory itself.
static void format_kept(char name[64], uint64_t attempt, size_t index)
{
	snprintf(name, 64, "attempt-%" PRIu64 "/%s", attempt,
		index < KEPT_NAMES ? kept_names[index] : "");
}

static void forget_attempts(const struct results *results, const struct task *task)
{
	char name[64];
	int error = 0;

	for (uint64_t attempt = 1; !error; attempt++)
		for (size_t index = 0; index <= KEPT_NAMES; index++) {
			format_kept(name, attempt, index);
			error = remove_place(results, task, name);
		}
}

void results_forget(const struct results *results, const struct task *task)
{
	static const char *const names[] = {
		"stdout", "stderr", "command", "outcome", "seq", ""};

	if (results->directory_fd < 0)
		return;
	forget_attempts(results, task);
	for (size_t index = 0; index < sizeof names / sizeof *names; index++)
		remove_place(results, task, names[index]);
}

/* ---- its files ---- */

static int open_file(
	const struct results *results, const struct task *task, const char *name)
{
	struct text path = {0};
	int error = place(results, task, name, &path);
	int fd = -1;

	if (!error)
		fd = openat(results->directory_fd, path.bytes,
			O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (!error && fd < 0)
		error = -errno;
	text_finish(&path);
	return error ? error : fd;
}

static int write_file(const struct results *results, const struct task *task,
	const char *name, const struct text *text)
{
	int fd = open_file(results, task, name);
	int error;

	if (fd < 0)
		return fd;
	error = text_write(text, fd);
	if (close(fd) < 0 && !error)
		error = -errno;
	return error;
}

static int make_place(const struct results *results, const struct task *task)
{
	struct text path = {0};
	int error = place(results, task, "", &path);

	if (!error)
		error = make_way(results->directory_fd, path.bytes);
	text_finish(&path);
	return error;
}

static int write_command(const struct results *results, const struct task *task,
	const struct text *command)
{
	struct text text = {0};
	int error;

	if (results->by_values) {
		text_format(&text, "%" PRIu64, task->sequence);
	} else {
		text_append(&text, command->bytes, command->length);
		text_append(&text, "\n", 1);
	}
	error = write_file(results, task, results->by_values ? "seq" : "command", &text);
	text_finish(&text);
	return error;
}

// What the last attempt wrote goes into a directory of its own.
static int keep_attempt(const struct results *results, const struct task *task)
{
	struct text from = {0}, to = {0};
	char name[64];
	int error = 0;

	for (size_t index = 0; !error && index < KEPT_NAMES; index++) {
		format_kept(name, task->attempt, index);
		error = place(results, task, name, &to);
		if (!error)
			error = place(results, task, kept_names[index], &from);
		if (!error && !index)
			error = make_way(results->directory_fd, to.bytes);
		if (!error && renameat(results->directory_fd, from.bytes,
				      results->directory_fd, to.bytes) < 0)
			error = -errno;
	}
	text_finish(&from);
	text_finish(&to);
	return error;
}

int results_begin(const struct results *results, const struct task *task,
	const struct text *command, int fds[2])
{
	int error = 0;

	if (task->attempt && !results->by_values)
		error = keep_attempt(results, task);
	else
		results_forget(results, task);
	if (!error)
		error = make_place(results, task);
	if (!error)
		error = write_command(results, task, command);
	if (error)
		return error;
	fds[0] = open_file(results, task, "stdout");
	if (fds[0] < 0)
		return fds[0];
	fds[1] = open_file(results, task, "stderr");
	if (fds[1] < 0) {
		close(fds[0]);
		return fds[1];
	}
	return 0;
}

int results_end(const struct results *results, const struct task *task,
	const struct leat_outcome *outcome, int64_t timeout_ns)
{
	struct text text = {0};
	int error;

	if (results->by_values)
		return 0;
	text_format(&text, "%s\n", account_end_name(task->end));
	if (outcome)
		account_append_reason(&text, outcome, timeout_ns);
	else
		text_format(&text, "cannot be run");
	text_format(&text, "\n%" PRId64 ".%06" PRId64 "s\n",
		(outcome ? outcome->elapsed_ns : 0) / LEAT_SECOND_NS,
		(outcome ? outcome->elapsed_ns : 0) % LEAT_SECOND_NS / 1000);
	error = write_file(results, task, "outcome", &text);
	text_finish(&text);
	return error;
}
