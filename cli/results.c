#include "results.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

int results_open(struct results *results, const char *name)
{
	results->directory_fd = -1;
	if (!name)
		return 0;
	if (mkdir(name, 0777) < 0 && errno != EEXIST)
		return -errno;
	results->directory_fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return results->directory_fd < 0 ? -errno : 0;
}

void results_close(struct results *results)
{
	if (results->directory_fd >= 0)
		close(results->directory_fd);
}

static int open_file(const struct results *results, uint64_t sequence, const char *name)
{
	char path[64];
	int fd;

	snprintf(path, sizeof path, "%" PRIu64 "/%s", sequence, name);
	fd = openat(results->directory_fd, path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC,
		0666);
	return fd < 0 ? -errno : fd;
}

static int write_file(const struct results *results, uint64_t sequence, const char *name,
	const struct text *text)
{
	int fd = open_file(results, sequence, name);
	size_t done = 0;
	int error = text->failed ? -ENOMEM : 0;

	if (fd < 0)
		return fd;
	while (!error && done < text->length) {
		ssize_t written = write(fd, text->bytes + done, text->length - done);

		if (written < 0 && errno != EINTR)
			error = -errno;
		done += written > 0 ? (size_t)written : 0;
	}
	if (close(fd) < 0 && !error)
		error = -errno;
	return error;
}

void results_forget(const struct results *results, uint64_t sequence)
{
	static const char *const names[] = {
		"/stdout", "/stderr", "/command", "/outcome", ""};
	char path[64];

	for (size_t index = 0;
		results->directory_fd >= 0 && index < sizeof names / sizeof *names;
		index++) {
		snprintf(path, sizeof path, "%" PRIu64 "%s", sequence, names[index]);
		unlinkat(results->directory_fd, path, *names[index] ? 0 : AT_REMOVEDIR);
	}
}

static int make_directory(const struct results *results, uint64_t sequence)
{
	char name[24];

	snprintf(name, sizeof name, "%" PRIu64, sequence);
	if (mkdirat(results->directory_fd, name, 0777) < 0 && errno != EEXIST)
		return -errno;
	return 0;
}

int results_begin(const struct results *results, uint64_t sequence, const char *command,
	size_t length, int fds[2])
{
	struct text text = {0};
	int error;

	results_forget(results, sequence);
	error = make_directory(results, sequence);
	if (error)
		return error;
	text_append(&text, command, length);
	text_append(&text, "\n", 1);
	error = write_file(results, sequence, "command", &text);
	text_finish(&text);
	if (error)
		return error;
	fds[0] = open_file(results, sequence, "stdout");
	if (fds[0] < 0)
		return fds[0];
	fds[1] = open_file(results, sequence, "stderr");
	if (fds[1] < 0) {
		close(fds[0]);
		return fds[1];
	}
	return 0;
}

int results_end(const struct results *results, uint64_t sequence, enum task_end end,
	const struct leat_outcome *outcome, int64_t timeout_ns)
{
	struct text text = {0};
	int error;

	text_format(&text, "%s\n", account_end_name(end));
	if (outcome)
		account_append_reason(&text, outcome, timeout_ns);
	else
		text_format(&text, "cannot be run");
	text_format(&text, "\n%" PRId64 ".%06" PRId64 "s\n",
		(outcome ? outcome->elapsed_ns : 0) / LEAT_SECOND_NS,
		(outcome ? outcome->elapsed_ns : 0) % LEAT_SECOND_NS / 1000);
	error = write_file(results, sequence, "outcome", &text);
	text_finish(&text);
	return error;
}
