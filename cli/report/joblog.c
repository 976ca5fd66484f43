/*
 * The columns and their form are those of GNU parallel 20221122, with its rules: the last
 * attempt of a task counts; a line is written when the task ends; a newline in the
 * command is written as a NUL byte; what a timeout ended has the exit value -1. The log
 * is read back for --resume by the numbers in it, of which one bit each is kept.
 */
#include "report/joblog.h"

#include "moment.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEADER                                                                           \
	"Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\n"
// More than that many bits are not kept for a number that somebody wrote there.
#define SEQUENCE_MOST UINT32_MAX
// Of those that are run again: so many numbers, or as many as the log has bytes, as a log
// of all of them would be longer; each takes room, whether there is a command or not.
#define COMMANDS_ANYWAY (1U << 20)
#define TABS_BEFORE_COMMAND 8

struct joblog {
	int fd;
	unsigned char *done; //< a bit for each number
	uint64_t done_bits;
};

/* ---- what is done ---- */

static int reserve(struct joblog *joblog, uint64_t sequence)
{
	uint64_t bits = joblog->done_bits ? joblog->done_bits : 1024;
	unsigned char *done;

	while (bits <= sequence)
		bits *= 2;
	if (bits == joblog->done_bits)
		return 0;
	done = realloc(joblog->done, bits / 8);
	if (!done)
		return -ENOMEM;
	memset(done + joblog->done_bits / 8, 0, (bits - joblog->done_bits) / 8);
	joblog->done = done;
	joblog->done_bits = bits;
	return 0;
}

static bool parse_line(const char *line, uint64_t *sequence, int *exit, int *signal)
{
	return sscanf(line,
		       "%" SCNu64 "\t%*[^\t]\t%*[^\t]\t%*[^\t]\t%*[^\t]\t%*[^\t]\t%d\t%d",
		       sequence, exit, signal) == 3;
}

// Of several lines for one number the last counts. What is no line of a log is passed
// over.
static int note_line(struct joblog *joblog, const char *line, bool failed_again)
{
	unsigned char *byte, bit;
	uint64_t sequence;
	int exit, signal;

	if (!parse_line(line, &sequence, &exit, &signal) || sequence > SEQUENCE_MOST)
		return 0;
	if (reserve(joblog, sequence) < 0)
		return -ENOMEM;
	byte = &joblog->done[sequence / 8];
	bit = (unsigned char)(1U << sequence % 8);
	if (failed_again && (exit || signal))
		*byte &= (unsigned char)~bit;
	else
		*byte |= bit;
	return 0;
}

static int read_done(struct joblog *joblog, const struct plan *plan)
{
	FILE *stream = fopen(plan->joblog, "re");
	char *line = NULL;
	size_t size = 0;
	int error = 0;

	if (!stream)
		return errno == ENOENT ? 0 : -errno;
	while (!error && getline(&line, &size, stream) >= 0)
		error = note_line(joblog, line, plan->resume_failed);
	if (!error && ferror(stream))
		error = -EIO;
	free(line);
	fclose(stream);
	return error;
}

bool joblog_skips(const struct joblog *joblog, uint64_t sequence)
{
	return joblog && sequence < joblog->done_bits &&
	       joblog->done[sequence / 8] & (1U << sequence % 8);
}

/* ---- commands ---- */

struct commands {
	struct text text; //< each with its NUL; the first one is empty
	size_t *offsets;  //< in the text; 0: none has this number
	size_t count, room;
	uint64_t most; //< numbers
};

static int make_room(struct commands *commands, uint64_t sequence)
{
	size_t room = commands->room ? commands->room : 1024;
	size_t *offsets;

	while (room < sequence)
		room *= 2;
	if (room == commands->room)
		return 0;
	offsets = reallocarray(commands->offsets, room, sizeof *offsets);
	if (!offsets)
		return -ENOMEM;
	memset(offsets + commands->room, 0, (room - commands->room) * sizeof *offsets);
	commands->offsets = offsets;
	commands->room = room;
	return 0;
}

// A line of `length` bytes and its newline; NUL bytes in the command are newlines of it.
static int add_command(struct commands *commands, const char *line, size_t length)
{
	struct text *text = &commands->text;
	const char *command = line;
	uint64_t sequence;
	int exit, signal;

	for (int tab = 0; command && tab < TABS_BEFORE_COMMAND; tab++) {
		command = strchr(command, '\t');
		command = command ? command + 1 : NULL;
	}
	if (!command || !parse_line(line, &sequence, &exit, &signal) || !sequence)
		return -EBADMSG;
	if (sequence > commands->most)
		return -ERANGE;
	if (make_room(commands, sequence) < 0)
		return -ENOMEM;
	if (commands->count < sequence)
		commands->count = sequence;
	commands->offsets[sequence - 1] = text->length;
	text_append(text, command, (size_t)(line + length - command));
	for (size_t at = commands->offsets[sequence - 1]; at < text->length; at++)
		if (!text->bytes[at])
			text->bytes[at] = '\n';
	text_append(text, "", 1);
	return text->failed ? -ENOMEM : 0;
}

static int add_commands(struct commands *commands, FILE *stream)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t length = getline(&line, &size, stream); // the header
	int error = 0;

	text_append(&commands->text, "", 1);
	while (!error && length >= 0 && (length = getline(&line, &size, stream)) >= 0)
		error = add_command(commands, line,
			(size_t)length - (length && line[length - 1] == '\n'));
	free(line);
	return !error && ferror(stream) ? -EIO : error;
}

static uint64_t most_numbers(FILE *stream)
{
	struct stat status;
	uint64_t bytes =
		fstat(fileno(stream), &status) < 0 ? 0 : (uint64_t)status.st_size;

	return bytes < COMMANDS_ANYWAY ? COMMANDS_ANYWAY : bytes;
}

int joblog_read_commands(
	const char *name, char **text, const char ***by_number, size_t *count)
{
	FILE *stream = fopen(name, "re");
	struct commands commands = {0};
	int error;

	if (!stream)
		return -errno;
	commands.most = most_numbers(stream);
	error = add_commands(&commands, stream);
	fclose(stream);
	*count = commands.count;
	*by_number = error ? NULL : calloc(commands.count + 1, sizeof **by_number);
	if (!error && !*by_number)
		error = -ENOMEM;
	for (size_t index = 0; !error && index < commands.count; index++)
		(*by_number)[index] = commands.text.bytes + commands.offsets[index];
	free(commands.offsets);
	if (error)
		text_finish(&commands.text);
	*text = commands.text.bytes;
	return error;
}

/* ---- the file ---- */

// Whether the last line has no end: a full disk or a power cut left out the rest.
static bool is_torn(const char *name, off_t end)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	char last = '\n';

	if (fd < 0)
		return false;
	if (pread(fd, &last, 1, end - 1) < 0)
		last = '\n';
	close(fd);
	return last != '\n';
}

static int open_file(struct joblog *joblog, const struct plan *plan, bool appends)
{
	struct text header = {0};
	off_t end;
	int error = 0;

	joblog->fd = open(plan->joblog,
		O_WRONLY | O_CREAT | O_CLOEXEC | O_APPEND | (appends ? 0 : O_TRUNC),
		0666);
	if (joblog->fd < 0)
		return -errno;
	end = lseek(joblog->fd, 0, SEEK_END);
	if (end > 0 && !is_torn(plan->joblog, end))
		return 0;
	text_format(&header, "%s", end > 0 ? "\n" : HEADER);
	error = text_write(&header, joblog->fd);
	text_finish(&header);
	return error;
}

int joblog_open(struct joblog **result, const struct plan *plan)
{
	struct joblog *joblog = calloc(1, sizeof *joblog);
	bool resumes = plan->resume || plan->resume_failed;
	int error = 0;

	*result = NULL;
	if (!joblog)
		return -ENOMEM;
	joblog->fd = -1;
	if (resumes && !plan->journal)
		error = read_done(joblog, plan);
	if (!error && !plan->dry_run)
		error = open_file(joblog, plan, resumes || plan->joblog_appends);
	if (error)
		joblog_close(joblog);
	else
		*result = joblog;
	return error;
}

void joblog_close(struct joblog *joblog)
{
	if (!joblog)
		return;
	if (joblog->fd >= 0)
		close(joblog->fd);
	free(joblog->done);
	free(joblog);
}

// An end of leat's making that is no failure of the task's leaves it to be done.
static bool is_left_out(const struct task *task, const struct leat_outcome *outcome)
{
	return task->end == TASK_CANCELED || task->end == TASK_UNRUN ||
	       outcome->ended_by == LEAT_BY_DEADLINE;
}

static void append_command(
	struct text *line, const struct recipe *recipe, const struct task *task)
{
	size_t start = line->length;

	recipe_append_command(recipe, task, 1, SIZE_MAX, line);
	for (size_t index = start; index < line->length; index++)
		if (line->bytes[index] == '\n')
			line->bytes[index] = '\0';
	text_append(line, "\n", 1);
}

int joblog_add(struct joblog *joblog, const struct recipe *recipe,
	const struct task *task, const struct leat_outcome *outcome)
{
	struct text line = {0};
	bool signaled = outcome->end == LEAT_SIGNALED;
	bool timed_out = outcome->ended_by == LEAT_BY_TIMEOUT;
	int64_t started_us = task->started_us; // 0: it could not be
	int error;

	if (!joblog || joblog->fd < 0 || is_left_out(task, outcome))
		return 0;
	if (!started_us)
		started_us = moment_wall_us();
	text_format(&line,
		"%" PRIu64 "\t:\t%" PRId64 ".%03d\t%10.3f\t0\t%" PRIu64 "\t%d\t%d\t",
		task->sequence, started_us / 1000000, (int)(started_us / 1000 % 1000),
		(double)outcome->elapsed_ns / LEAT_SECOND_NS, outcome->out_bytes,
		timed_out  ? -1
		: signaled ? 0
			   : task->status,
		signaled ? outcome->code : 0);
	append_command(&line, recipe, task);
	error = text_write(&line, joblog->fd);
	text_finish(&line);
	return error;
}
