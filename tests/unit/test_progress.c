/* The progress line, and the thread that has it shown. */
#include "unit.h"

#include "progress.h"

#include "scratch.h"
#include "thread.h"

#include <locale.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <wchar.h>

#define S LEAT_SECOND_NS
#define RED "\033[31m"
#define PLAIN "\033[m"

/* ---- what the line says ---- */

static struct progress_state with_command(
	struct progress_state state, const char *command, int64_t for_ns)
{
	state.longest = command;
	state.longest_length = strlen(command);
	state.longest_ns = for_ns;
	return state;
}

// 120 of 500 in ten seconds.
static struct progress_state usual(void)
{
	return with_command((struct progress_state){.done = 120,
				    .known = 500,
				    .known_is_total = true,
				    .failed = 3,
				    .running = 4,
				    .elapsed_ns = 10 * S},
		"make -C b", 8 * S);
}

// The memory is the caller's.
static char *line_of(const struct progress_state *state, unsigned columns, bool color)
{
	struct text line = {0};

	progress_append_line(&line, state, columns, color);
	assert_false(line.failed);
	assert_non_null(line.bytes);
	assert_int_equal(strlen(line.bytes), line.length);
	return line.bytes;
}

static void assert_line(
	const struct progress_state *state, unsigned columns, const char *wanted)
{
	char *line = line_of(state, columns, false);

	assert_string_equal(line, wanted);
	free(line);
}

static void assert_plain(const struct progress_state *state, const char *wanted)
{
	struct text line = {0};

	progress_append_plain(&line, state);
	assert_string_equal(line.bytes, wanted);
	text_finish(&line);
}

// What follows the running: rate and time left.
static void assert_plain_ends(const struct progress_state *state, const char *wanted)
{
	struct text line = {0};
	const char *end;

	progress_append_plain(&line, state);
	end = strstr(line.bytes, " running");
	assert_non_null(end);
	assert_string_equal(end + strlen(" running"), wanted);
	text_finish(&line);
}

static void a_wide_line_says_all(void **state)
{
	struct progress_state usually = usual();

	(void)state;
	assert_line(&usually, 80,
		"[==>         ] 120/500, 3 failed, 4 running, 12/s, 32s left:"
		" make -C b (8s)");
	assert_line(&usually, 200,
		"[=======>                        ]"
		" 120/500, 3 failed, 4 running, 12/s, 32s left: make -C b (8s)");
}

static void a_narrow_line_says_what_matters_most(void **state)
{
	static const struct {
		unsigned columns;
		const char *line;
	} lines[] = {
		{77, "[==>        ] 120/500, 3 failed, 4 running, 12/s, 32s left:"
		     " make -C b (8s)"},
		{61, "120/500, 3 failed, 4 running, 12/s, 32s left: make -C b (8s)"},
		{60, "120/500, 3 failed, 4 running, 32s left: make -C b (8s)"},
		{55, "120/500, 3 failed, 4 running, 32s left: make -C b (8s)"},
		{54, "120/500, 3 failed, 4 running, 32s left"},
		{40, "120/500, 3 failed, 4 running, 32s left"},
		{39, "120/500, 3 failed, 4 running, 32s left"},
		{38, "120/500, 3 failed, 4 running"},
		{29, "120/500, 3 failed, 4 running"},
		{28, "120/500, 3 failed"},
		{20, "120/500, 3 failed"},
		{18, "120/500, 3 failed"},
		{17, "120/500"},
		{8, "120/500"},
		{7, ""},
		{1, ""},
		{0, ""},
	};
	struct progress_state usually = usual();

	(void)state;
	for (size_t index = 0; index < sizeof lines / sizeof *lines; index++)
		assert_line(&usually, lines[index].columns, lines[index].line);
}

static void no_line_is_wider_than_the_terminal(void **state)
{
	static const char *const commands[] = {"true", "make -C b all install clean",
		"0123456789012345678901234567890123456789012345678901234567890123456789"
		"0123456789012345678901234567890123456789012345678901234567890123456789"
		"0123456789012345678901234567890123456789012345678901234567890123456789"};
	static const uint64_t counts[] = {0, 1, 99, 100000, UINT64_MAX / 2};
	size_t widest = 0;

	(void)state;
	for (size_t command = 0; command < 3; command++)
		for (size_t count = 0; count < 5; count++)
			for (unsigned columns = 0; columns <= 200; columns++) {
				struct progress_state now = with_command(
					usual(), commands[command], 3661 * S);
				char *line;

				now.done = counts[count];
				now.known = counts[count] * 2;
				line = line_of(&now, columns, false);
				// The ellipsis is a cell, and three bytes.
				widest = strlen(line) - (strstr(line, "…") ? 2 : 0);
				assert_in_range(widest, 0, columns ? columns - 1 : 0);
				free(line);
			}
	assert_int_equal(widest, 199); // the last one had a command to fill it
}

static void an_unknown_total_is_not_guessed(void **state)
{
	struct progress_state reading = usual();

	(void)state;
	reading.known_is_total = false;
	assert_line(&reading, 80, "120 done, 3 failed, 4 running, 12/s: make -C b (8s)");
	assert_line(&reading, 40, "120 done, 3 failed, 4 running");
	assert_line(&reading, 20, "120 done, 3 failed");
	assert_plain(&reading, "leat: 120 done, 3 failed, 4 running, 12/s\n");
}

static void at_the_start_there_is_no_estimate(void **state)
{
	struct progress_state start = {
		.known = 500, .known_is_total = true, .running = 4};

	(void)state;
	assert_line(&start, 80, "[>           ] 0/500, 4 running");
	start.elapsed_ns = 100 * S;
	assert_plain(&start, "leat: 0/500 done, 4 running\n");
	start.done = 1;
	start.elapsed_ns = S - 1;
	assert_plain(&start, "leat: 1/500 done, 4 running\n");
	start.elapsed_ns = S;
	assert_plain(&start, "leat: 1/500 done, 4 running, 1/s, 8m19s left\n");
}

static void nothing_at_all_is_said_in_few_words(void **state)
{
	struct progress_state nothing = {0};

	(void)state;
	assert_line(&nothing, 80, "0 done, 0 running");
	nothing.known_is_total = true;
	assert_line(&nothing, 80, "0/0, 0 running");
	assert_plain(&nothing, "leat: 0/0 done, 0 running\n");
}

static void the_bar_grows_to_its_end(void **state)
{
	static const struct {
		uint64_t done;
		const char *bar;
	} bars[] = {
		{0, "[>           ] "}, {41, "[>           ] "}, {42, "[=>          ] "},
		{250, "[======>     ] "}, {499, "[===========>] "},
		{500, "[============] "},
		{501, "[============] "}, // however it came to that
	};

	(void)state;
	for (size_t index = 0; index < sizeof bars / sizeof *bars; index++) {
		struct progress_state now = {
			.done = bars[index].done, .known = 500, .known_is_total = true};
		char *line = line_of(&now, 80, false);

		assert_memory_equal(line, bars[index].bar, strlen(bars[index].bar));
		free(line);
	}
}

static void failures_are_red_where_there_is_color(void **state)
{
	struct progress_state now = usual();
	char *line = line_of(&now, 40, true);

	(void)state;
	assert_string_equal(
		line, "120/500, " RED "3 failed" PLAIN ", 4 running, 32s left");
	free(line);
	line = line_of(&now, 17, true); // where they have no room, no color either
	assert_string_equal(line, "120/500");
	free(line);
	now.failed = 0;
	line = line_of(&now, 40, true);
	assert_string_equal(line, "120/500, 4 running, 32s left");
	free(line);
}

static void color_takes_no_room(void **state)
{
	struct progress_state now = usual();

	(void)state;
	for (unsigned columns = 0; columns <= 200; columns++) {
		char *plain = line_of(&now, columns, false);
		char *colored = line_of(&now, columns, true);
		bool red = strstr(plain, "failed");

		assert_int_equal(
			strlen(colored), strlen(plain) + (red ? strlen(RED PLAIN) : 0));
		free(plain);
		free(colored);
	}
}

static void the_log_has_a_line_without_the_command(void **state)
{
	struct progress_state now = usual();

	(void)state;
	assert_plain(&now, "leat: 120/500 done, 3 failed, 4 running, 12/s, 32s left\n");
	now.failed = 0;
	assert_plain(&now, "leat: 120/500 done, 4 running, 12/s, 32s left\n");
}

static void what_is_waited_for_is_said(void **state)
{
	struct progress_state now = usual();

	(void)state;
	now.waiting = "waiting for load";
	assert_line(&now, 80,
		"120/500, 3 failed, 4 running, waiting for load, 12/s, 32s left:"
		" make -C b (8s)");
	assert_line(&now, 47, "120/500, 3 failed, 4 running, waiting for load");
	assert_line(&now, 46, "120/500, 3 failed, 4 running");
	assert_plain(&now, "leat: 120/500 done, 3 failed, 4 running, waiting for load,"
			   " 12/s, 32s left\n");
	now.waiting = "a\033b";
	assert_line(&now, 40, "120/500, 3 failed, 4 running, a^[b");
}

static void rates_are_per_second_minute_or_hour(void **state)
{
	static const struct {
		uint64_t done;
		int64_t elapsed_ns;
		const char *end;
	} rates[] = {
		{1, S, ", 1/s\n"},
		{120, 10 * S, ", 12/s\n"},
		{149, 100 * S, ", 1/s\n"},
		{150, 100 * S, ", 2/s\n"},
		{99, 100 * S, ", 59/min\n"},
		{30, 60 * S, ", 30/min\n"},
		{1, 60 * S, ", 1/min\n"},
		{1, 61 * S, ", 59/h\n"},
		{1, 3600 * S, ", 1/h\n"},
		{1, 3601 * S, "\n"},
		{0, 3600 * S, "\n"},
		{5, S - 1, "\n"},
		{UINT64_MAX, S, ", 18446744073709551615/s\n"},
		{5, -S, "\n"},
	};

	(void)state;
	for (size_t index = 0; index < sizeof rates / sizeof *rates; index++) {
		struct progress_state now = {
			.done = rates[index].done,
			.elapsed_ns = rates[index].elapsed_ns,
		};

		assert_plain_ends(&now, rates[index].end);
	}
}

static void the_time_left_goes_by_what_was_done(void **state)
{
	static const struct {
		uint64_t done, known;
		int64_t elapsed_ns;
		const char *end;
	} times[] = {
		{10, 20, 10 * S, ", 1/s, 10s left\n"},
		{1000, 1001, 10 * S, ", 100/s, 1s left\n"}, // never "0s"
		{10, 10, 10 * S, ", 1/s\n"},
		{11, 10, 11 * S, ", 1/s\n"},
		{100, 7400, 100 * S, ", 1/s, 2h01m40s left\n"},
		{1, 1000, 3600 * S, ", 1/h, 999h00m00s left\n"},
		{1, 1002, 3600 * S, ", 1/h\n"}, // more than a thousand hours: who knows
		{1, UINT64_MAX, 3600 * S, ", 1/h\n"},
		{1, 2, S - 1, "\n"},
	};

	(void)state;
	for (size_t index = 0; index < sizeof times / sizeof *times; index++) {
		struct progress_state now = {
			.done = times[index].done,
			.known = times[index].known,
			.known_is_total = true,
			.elapsed_ns = times[index].elapsed_ns,
		};

		assert_plain_ends(&now, times[index].end);
	}
}

static void the_command_tells_how_long_it_runs(void **state)
{
	struct progress_state now = {.running = 1};

	(void)state;
	now = with_command(now, "make", S - 1);
	assert_line(&now, 40, "0 done, 1 running: make");
	now = with_command(now, "make", S);
	assert_line(&now, 40, "0 done, 1 running: make (1s)");
	now = with_command(now, "make", 3725 * S + S / 2);
	assert_line(&now, 40, "0 done, 1 running: make (1h02m05s)");
}

/* ---- the command's characters ---- */

// "0 done, 1 running: " is 19 cells, and the last column stays free.
static void assert_command(
	const char *command, size_t length, unsigned cells, const char *wanted)
{
	struct progress_state now = {
		.running = 1, .longest = command, .longest_length = length};
	char *line = line_of(&now, 19 + cells + 1, false);

	assert_memory_equal(line, "0 done, 1 running: ", 19);
	assert_string_equal(line + 19, wanted);
	free(line);
}

struct row {
	const char *command;
	unsigned cells;
	const char *wanted;
};

static void assert_rows(const struct row *rows, size_t count)
{
	for (size_t index = 0; index < count; index++)
		assert_command(rows[index].command, strlen(rows[index].command),
			rows[index].cells, rows[index].wanted);
}

static void a_long_command_is_cut(void **state)
{
	static const struct row rows[] = {
		{"0123456789abcdef", 16, "0123456789abcdef"},
		{"0123456789abcdef", 15, "0123456789abcd…"},
		{"0123456789abcdef", 10, "012345678…"},
	};
	struct progress_state now = {.running = 1};

	(void)state;
	assert_rows(rows, sizeof rows / sizeof *rows);
	now = with_command(now, "0123456789abcdef", 8 * S);
	assert_line(&now, 19 + 10 + 5 + 1, "0 done, 1 running: 012345678… (8s)");
	assert_line(&now, 19 + 10 + 5, "0 done, 1 running"); // not worth it
}

static void wide_characters_are_two_cells(void **state)
{
	// Seven of them: 14 cells.
	static const struct row rows[] = {
		{"日本語", 6, "日本語"},
		{"日本語日本語日", 14, "日本語日本語日"},
		{"日本語日本語日", 13, "日本語日本語…"},
		{"日本語日本語日", 12, "日本語日本…"},
		{"日本語日本語日", 11, "日本語日本…"},
		{"日本語日本語日", 10, "日本語日…"},
		{"a日本語日本語日", 11, "a日本語日…"},
		{"a日本語日本語日", 12, "a日本語日本…"},
	};

	(void)state;
	assert_rows(rows, sizeof rows / sizeof *rows);
}

static void combining_characters_stay_with_theirs(void **state)
{
	// U+0301 after each letter.
	static const struct row rows[] = {
		{"a\u0301b\u0301", 2, "a\u0301b\u0301"},
		{"01234567a\u0301b\u0301", 10, "01234567a\u0301b\u0301"},
		{"01234567a\u0301b\u0301c", 10, "01234567a\u0301…"},
		{"0123456789a\u0301", 10, "012345678…"},
	};

	(void)state;
	assert_rows(rows, sizeof rows / sizeof *rows);
}

static void control_characters_are_shown_not_sent(void **state)
{
	static const struct row rows[] = {
		{"a\nb\tc\r", 10, "a^Jb^Ic^M"},
		{"\033[31m\x7f", 10, "^[[31m^?"},
		{"\xC2\x85\xC2\x9B", 10, "??"},
		{"01234567\n", 10, "01234567^J"},
		{"01234567\nb", 10, "01234567…"}, // no half of ^J
		{"012345678\n", 10, "012345678…"},
	};

	(void)state;
	assert_rows(rows, sizeof rows / sizeof *rows);
	assert_command("a\0b", 3, 10, "a^@b");
}

static void invalid_bytes_are_question_marks(void **state)
{
	static const struct row rows[] = {
		{"a\xFF", 10, "a?"},
		{"\x80\xBF", 10, "??"},
		{"\xC0\xAF", 10, "??"},               // overlong
		{"\xED\xA0\x80", 10, "???"},          // a surrogate
		{"\xE6\x97", 10, "??"},               // the end is missing
		{"\xE6\x97\n", 10, "??^J"},           // and hides nothing behind
		{"\xE6\x97\xE6\x97\xA5", 10, "??日"}, // nor a character
		{"\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 10, "?????????…"},
	};

	(void)state;
	assert_rows(rows, sizeof rows / sizeof *rows);
	assert_command("\xE6\x97\xA5", 2, 10, "??"); // beyond is not the command's
}

static void without_utf8_it_is_ascii(void **state)
{
	static const struct row rows[] = {
		{"0123456789abcdef", 10, "0123456..."},
		{"0123456789", 10, "0123456789"},
		{"a\n", 10, "a^J"},
	};

	(void)state;
	assert_non_null(setlocale(LC_CTYPE, "C"));
	assert_rows(rows, sizeof rows / sizeof *rows);
	assert_non_null(setlocale(LC_CTYPE, "C.UTF-8"));
}

static void an_empty_command_is_none(void **state)
{
	struct progress_state now =
		with_command((struct progress_state){.running = 1}, "", 0);

	(void)state;
	assert_line(&now, 80, "0 done, 1 running");
}

// Any bytes at any width: looked at by the sanitizers, and counted here.
static void no_bytes_break_the_width(void **state)
{
	char command[97];
	unsigned random = 1;

	(void)state;
	for (int round = 0; round < 2000; round++) {
		struct progress_state now = {.running = 1, .longest = command};
		wchar_t wide[256];
		char *line;

		now.longest_length = (size_t)round % sizeof command;
		for (size_t at = 0; at < now.longest_length; at++) {
			random = random * 1103515245 + 12345;
			command[at] = (char)(random >> 16);
		}
		line = line_of(&now, (unsigned)round % 120, false);
		// A character of every wrong byte, and none that is not to be shown.
		assert_true(mbstowcs(wide, line, 256) < 256);
		assert_in_range(
			wcswidth(wide, 256), 0, round % 120 ? round % 120 - 1 : 0);
		free(line);
	}
}

/* ---- the thread ---- */

/* What the callbacks give and are told. Read it when the thread is no more. */
struct scene {
	struct progress *progress;
	struct progress_state given;
	const char *command;
	sem_t asked, shown; // posted at each call
	bool unclean;       // the callback was given something to fill that was not empty
	int shows;
	char last[256];
	sigset_t blocked; // in the thread
};

static void snapshot(
	void *argument, struct progress_state *state, struct text *longest_copy)
{
	struct scene *scene = argument;

	if (state->done || longest_copy->length)
		scene->unclean = true;
	*state = scene->given;
	if (scene->command)
		text_append(longest_copy, scene->command, strlen(scene->command));
	pthread_sigmask(SIG_SETMASK, NULL, &scene->blocked);
	sem_post(&scene->asked);
}

static void show(void *argument, const struct text *line)
{
	struct scene *scene = argument;

	scene->shows++;
	snprintf(scene->last, sizeof scene->last, "%s", line->bytes);
	sem_post(&scene->shown);
}

static void start(struct scene *scene, int terminal_fd, int64_t delay_ns)
{
	struct progress_callbacks callbacks = {scene, snapshot, show};

	sem_init(&scene->asked, 0, 0);
	sem_init(&scene->shown, 0, 0);
	assert_int_equal(progress_start(&scene->progress, &callbacks, terminal_fd, false,
				 delay_ns),
		0);
}

static void end(struct scene *scene)
{
	progress_stop(scene->progress);
	assert_false(scene->unclean);
	sem_destroy(&scene->asked);
	sem_destroy(&scene->shown);
}

static int threads(void)
{
	int count = 0;
	DIR *directory = opendir("/proc/self/task");

	assert_non_null(directory);
	for (struct dirent *entry; (entry = readdir(directory));)
		count += entry->d_name[0] != '.';
	closedir(directory);
	return count;
}

// Whether every other thread of this process sleeps.
static bool others_sleep(void)
{
	bool sleep = true;
	DIR *directory = opendir("/proc/self/task");

	assert_non_null(directory);
	for (struct dirent *entry; (entry = readdir(directory));) {
		char path[512];

		if (entry->d_name[0] == '.' || atoi(entry->d_name) == gettid())
			continue;
		snprintf(path, sizeof path, "/proc/self/task/%s/stat", entry->d_name);
		sleep = sleep && state_letter(path) == 'S';
	}
	closedir(directory);
	return sleep;
}

// Both ends stay open until `master` is closed by the caller.
static int open_terminal(int *master, unsigned short columns)
{
	struct winsize size = {.ws_row = 25, .ws_col = columns};
	int fd;

	*master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(*master >= 0);
	assert_int_equal(grantpt(*master), 0);
	assert_int_equal(unlockpt(*master), 0);
	fd = open(ptsname(*master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(ioctl(fd, TIOCSWINSZ, &size), 0);
	return fd;
}

static void a_terminal_is_drawn_again_and_again(void **state)
{
	struct scene scene = {.given = usual()};
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	(void)state;
	start(&scene, fd, 0);
	wait_for_post(&scene.shown);
	wait_for_post(&scene.shown);
	end(&scene);
	assert_true(scene.shows >= 2);
	// As if it had 80 columns. The command is what the callback copied, and it only.
	assert_string_equal(scene.last,
		"[==>         ] 120/500, 3 failed, 4 running, 12/s, 32s left");
	close(fd);
}

static void the_command_is_the_one_copied(void **state)
{
	struct scene scene = {.given = usual(), .command = "sleep 9"};
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	(void)state;
	start(&scene, fd, 0);
	wait_for_post(&scene.shown);
	wait_for_post(&scene.shown);
	end(&scene);
	assert_string_equal(scene.last, "[==>         ] 120/500, 3 failed, 4 running,"
					" 12/s, 32s left: sleep 9 (8s)");
	close(fd);
}

static void the_width_is_the_terminals_at_every_time(void **state)
{
	struct scene scene = {.given = usual()};
	struct winsize narrow = {.ws_row = 25, .ws_col = 20};
	int master, fd = open_terminal(&master, 40);

	(void)state;
	start(&scene, fd, 0);
	wait_for_post(&scene.shown);
	assert_int_equal(ioctl(fd, TIOCSWINSZ, &narrow), 0);
	while (sem_trywait(&scene.shown) == 0)
		;
	// The first to come may have been measured before, the second was not.
	wait_for_post(&scene.shown);
	wait_for_post(&scene.shown);
	end(&scene);
	assert_string_equal(scene.last, "120/500, 3 failed");
	close(fd);
	close(master);
}

static void a_terminal_of_no_columns_is_taken_for_80(void **state)
{
	struct scene scene = {.given = usual()};
	int master, fd = open_terminal(&master, 0);

	(void)state;
	start(&scene, fd, 0);
	wait_for_post(&scene.shown);
	end(&scene);
	assert_string_equal(scene.last,
		"[==>         ] 120/500, 3 failed, 4 running, 12/s, 32s left");
	close(fd);
	close(master);
}

static void a_log_has_plain_lines(void **state)
{
	struct scene scene = {.given = usual()};

	(void)state;
	start(&scene, -1, 0);
	wait_for_post(&scene.shown);
	end(&scene);
	assert_int_equal(scene.shows, 1);
	assert_string_equal(
		scene.last, "leat: 120/500 done, 3 failed, 4 running, 12/s, 32s left\n");
}

static void a_log_has_no_line_when_nothing_happened(void **state)
{
	struct scene scene = {.given = {.known = 7, .elapsed_ns = 9 * S}};

	(void)state;
	start(&scene, -1, 0);
	wait_for_post(&scene.asked);
	end(&scene);
	assert_int_equal(scene.shows, 0);
}

static void nothing_is_shown_before_the_delay(void **state)
{
	static const int64_t delays[] = {3600 * S, LEAT_NEVER};

	(void)state;
	for (size_t index = 0; index < sizeof delays / sizeof *delays; index++) {
		struct scene scene = {.given = usual()};
		int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

		start(&scene, fd, delays[index]);
		while (!others_sleep())
			sched_yield();
		end(&scene); // does not wait for it, either
		assert_int_equal(scene.shows, 0);
		close(fd);
	}
}

static void after_the_stop_there_is_no_thread(void **state)
{
	int before = threads();
	struct scene scene = {.given = usual()};
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	(void)state;
	start(&scene, fd, 0);
	wait_for_post(&scene.shown);
	assert_int_equal(threads(), before + 1);
	end(&scene);
	// A thread that was joined may be there for a moment more.
	while (threads() != before)
		sched_yield();
	close(fd);
}

static void the_thread_takes_no_signals(void **state)
{
	struct scene scene = {.given = usual()};
	sigset_t before, after;

	(void)state;
	pthread_sigmask(SIG_SETMASK, NULL, &before);
	start(&scene, -1, 0);
	pthread_sigmask(SIG_SETMASK, NULL, &after);
	wait_for_post(&scene.shown);
	end(&scene);
	for (int number = 1; number < SIGRTMAX; number++) {
		if (number == SIGKILL || number == SIGSTOP ||
			(number >= 32 && number < SIGRTMIN)) // the C library's own
			continue;
		assert_int_equal(sigismember(&scene.blocked, number), 1);
		assert_int_equal(
			sigismember(&after, number), sigismember(&before, number));
	}
}

static void what_never_started_can_be_stopped(void **state)
{
	(void)state;
	progress_stop(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_wide_line_says_all),
		cmocka_unit_test(a_narrow_line_says_what_matters_most),
		cmocka_unit_test(no_line_is_wider_than_the_terminal),
		cmocka_unit_test(an_unknown_total_is_not_guessed),
		cmocka_unit_test(at_the_start_there_is_no_estimate),
		cmocka_unit_test(nothing_at_all_is_said_in_few_words),
		cmocka_unit_test(the_bar_grows_to_its_end),
		cmocka_unit_test(failures_are_red_where_there_is_color),
		cmocka_unit_test(color_takes_no_room),
		cmocka_unit_test(the_log_has_a_line_without_the_command),
		cmocka_unit_test(what_is_waited_for_is_said),
		cmocka_unit_test(rates_are_per_second_minute_or_hour),
		cmocka_unit_test(the_time_left_goes_by_what_was_done),
		cmocka_unit_test(the_command_tells_how_long_it_runs),
		cmocka_unit_test(a_long_command_is_cut),
		cmocka_unit_test(wide_characters_are_two_cells),
		cmocka_unit_test(combining_characters_stay_with_theirs),
		cmocka_unit_test(control_characters_are_shown_not_sent),
		cmocka_unit_test(invalid_bytes_are_question_marks),
		cmocka_unit_test(without_utf8_it_is_ascii),
		cmocka_unit_test(an_empty_command_is_none),
		cmocka_unit_test(no_bytes_break_the_width),
		cmocka_unit_test(a_terminal_is_drawn_again_and_again),
		cmocka_unit_test(the_command_is_the_one_copied),
		cmocka_unit_test(the_width_is_the_terminals_at_every_time),
		cmocka_unit_test(a_terminal_of_no_columns_is_taken_for_80),
		cmocka_unit_test(a_log_has_plain_lines),
		cmocka_unit_test(a_log_has_no_line_when_nothing_happened),
		cmocka_unit_test(nothing_is_shown_before_the_delay),
		cmocka_unit_test(after_the_stop_there_is_no_thread),
		cmocka_unit_test(the_thread_takes_no_signals),
		cmocka_unit_test(what_never_started_can_be_stopped),
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
