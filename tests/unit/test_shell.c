/* From the text of a command to what is executed. */
#include "unit.h"

#include "shell.h"

#include "scratch.h"

#include <errno.h>

#define ARGUMENT_BYTES ((size_t)128 * 1024)

static const struct shell direct_shell = {
	.path = "/bin/sh", .name = "sh", .search_path = "/usr/bin:/bin", .direct = true};
static const struct shell plain_shell = {
	.path = "/bin/sh", .name = "sh", .search_path = "/usr/bin:/bin"};

static struct command command;

static int command_setup(void **state)
{
	(void)state;
	command_init(&command);
	return 0;
}

static int command_teardown(void **state)
{
	(void)state;
	command_finish(&command);
	return 0;
}

static void prepare(const struct shell *shell, const char *text)
{
	assert_int_equal(command_prepare(&command, shell, text, strlen(text), true), 0);
}

static void assert_argv(const char *const *expected)
{
	size_t index = 0;

	for (; expected[index]; index++) {
		assert_non_null(command.argv[index]);
		assert_string_equal(command.argv[index], expected[index]);
	}
	assert_null(command.argv[index]);
}

#define ASSERT_ARGV(...) assert_argv((const char *const[]){__VA_ARGS__, NULL})

static void a_plain_command_needs_no_shell(void **state)
{
	static const char *const texts[] = {"make", "make -C b", "ls\t-l", "./run",
		"/usr/bin/env", "gcc -O2 -o a.out a.c", "dd if=/dev/zero of=x", "a@b c%d",
		"_x", "  ls  ", "7z x", "-x", "sort -t: -k2,2", "echo1", "testx", "Exit",
		"curl http://h:8/p+q"};

	(void)state;
	for (size_t index = 0; index < sizeof texts / sizeof *texts; index++) {
		prepare(&direct_shell, texts[index]);
		if (!command.direct)
			fail_msg("'%s' went to the shell", texts[index]);
	}
}

static void what_means_something_to_a_shell_goes_to_it(void **state)
{
	static const char *const texts[] = {"", " ", "a;b", "a&", "a|b", "a>b", "a<b",
		"(a)", "a $b", "a `b`", "a 'b'", "a \"b\"", "a \\b", "a *", "a ?",
		"a [b]", "a {b,c}", "a ~", "~/x", "a #b", "#a", "!", "! a", "a\nb", "a\r",
		"x=1", "x=1 a", "a^b", "a \x01", "a \xC3\xA9", "=a"};

	(void)state;
	for (size_t index = 0; index < sizeof texts / sizeof *texts; index++) {
		prepare(&direct_shell, texts[index]);
		if (command.direct)
			fail_msg("'%s' did not go to the shell", texts[index]);
		ASSERT_ARGV("sh", "-c", texts[index]);
	}
}

static void a_word_of_the_shells_goes_to_it(void **state)
{
	static const char *const words[] = {".", ":", "alias", "bg", "break", "case",
		"cd", "command", "continue", "declare", "do", "done", "echo", "elif",
		"else", "esac", "eval", "exec", "exit", "export", "false", "fc", "fg",
		"fi", "for", "function", "getopts", "hash", "if", "in", "jobs", "kill",
		"let", "local", "printf", "pwd", "read", "readonly", "return", "select",
		"set", "shift", "source", "test", "then", "time", "times", "trap", "true",
		"type", "typeset", "ulimit", "umask", "unalias", "unset", "until", "wait",
		"while"};
	char text[64];

	(void)state;
	for (size_t index = 0; index < sizeof words / sizeof *words; index++) {
		snprintf(text, sizeof text, "\t%s x", words[index]);
		prepare(&direct_shell, text);
		if (command.direct)
			fail_msg("'%s' did not go to the shell", words[index]);
	}
}

static void a_word_of_the_shells_behind_the_first_is_plain(void **state)
{
	(void)state;
	prepare(&direct_shell, "env echo if");
	assert_true(command.direct);
	ASSERT_ARGV("env", "echo", "if");
}

static void a_plain_command_is_cut_into_its_words(void **state)
{
	(void)state;
	prepare(&direct_shell, " \t cp  -r\ta.b  x=y \t");
	assert_true(command.direct);
	ASSERT_ARGV("cp", "-r", "a.b", "x=y");
}

static void a_shell_that_may_not_be_left_out_gets_every_command(void **state)
{
	(void)state;
	prepare(&plain_shell, "ls -l");
	assert_false(command.direct);
	ASSERT_ARGV("sh", "-c", "ls -l");
}

static void the_text_reaches_the_shell_unchanged(void **state)
{
	(void)state;
	prepare(&direct_shell, " echo  'a  b'; \tc ");
	ASSERT_ARGV("sh", "-c", " echo  'a  b'; \tc ");
}

static void a_leading_dash_is_kept_from_being_an_option(void **state)
{
	(void)state;
	prepare(&plain_shell, "-x; ls");
	ASSERT_ARGV("sh", "-c", "--", "-x; ls");
	prepare(&plain_shell, "+x; ls");
	ASSERT_ARGV("sh", "-c", "--", "+x; ls");
	prepare(&plain_shell, " -x; ls");
	ASSERT_ARGV("sh", "-c", " -x; ls");
}

static void a_nul_byte_is_refused(void **state)
{
	(void)state;
	assert_int_equal(
		command_prepare(&command, &direct_shell, "a\0b", 3, true), -EINVAL);
	assert_int_equal(
		command_prepare(&command, &direct_shell, "a\0", 2, true), -EINVAL);
	assert_int_equal(
		command_prepare(&command, &plain_shell, "echo;\0", 6, true), -EINVAL);
	prepare(&direct_shell, "ls");
	assert_true(command.direct);
}

static void only_the_given_length_counts(void **state)
{
	(void)state;
	assert_int_equal(
		command_prepare(&command, &direct_shell, "ls -l; no", 5, true), 0);
	assert_true(command.direct);
	ASSERT_ARGV("ls", "-l");
	assert_int_equal(
		command_prepare(&command, &plain_shell, "ls -l; no", 5, true), 0);
	ASSERT_ARGV("sh", "-c", "ls -l");
}

static char *long_text(size_t length)
{
	char *text = malloc(length + 1);

	assert_non_null(text);
	memset(text, 'x', length);
	memcpy(text, "true;", 5);
	text[length] = '\0';
	return text;
}

static void the_longest_argument_is_still_one(void **state)
{
	char *text = long_text(ARGUMENT_BYTES - 1);

	(void)state;
	prepare(&plain_shell, text);
	assert_int_equal(command.script_fd, -1);
	ASSERT_ARGV("sh", "-c", text);
	free(text);
}

static void a_longer_command_is_read_from_a_file(void **state)
{
	char *text = long_text(ARGUMENT_BYTES), *kept, expected[64];

	(void)state;
	prepare(&plain_shell, text);
	assert_true(command.script_fd >= 0);
	assert_int_equal(fcntl(command.script_fd, F_GETFD), FD_CLOEXEC);
	snprintf(expected, sizeof expected, ". /proc/%d/fd/%d", (int)getpid(),
		command.script_fd);
	ASSERT_ARGV("sh", "-c", expected);
	kept = scratch_read(expected + 2);
	assert_string_equal(kept, text);
	free(kept);
	free(text);
}

static void a_plain_command_that_long_goes_to_the_shell_too(void **state)
{
	char *text = long_text(ARGUMENT_BYTES);

	(void)state;
	memcpy(text, "trueX", 5);
	prepare(&direct_shell, text);
	assert_false(command.direct);
	assert_true(command.script_fd >= 0);
	free(text);
}

static void release_closes_the_file_and_the_command_is_of_use_again(void **state)
{
	char *text = long_text(2 * ARGUMENT_BYTES);
	int fd;

	(void)state;
	prepare(&plain_shell, text);
	fd = command.script_fd;
	command_release(&command);
	assert_int_equal(command.script_fd, -1);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	prepare(&direct_shell, "ls");
	ASSERT_ARGV("ls");
	free(text);
}

static void many_words_fit(void **state)
{
	struct text text = {0};

	(void)state;
	for (int count = 0; count < 5000; count++)
		text_format(&text, "w%d ", count);
	prepare(&direct_shell, text.bytes);
	assert_true(command.direct);
	assert_string_equal(command.argv[4999], "w4999");
	assert_null(command.argv[5000]);
	text_finish(&text);
}

/* What shell_init() sees of the environment, set back at the end. */
static int environment_setup(void **state)
{
	*state = strdup(getenv("PATH"));
	return *state ? scratch_make() : -1;
}

static int environment_teardown(void **state)
{
	setenv("PATH", *state, 1);
	free(*state);
	return scratch_remove();
}

static bool sh_is_dash(void)
{
	char path[PATH_MAX];

	return realpath("/bin/sh", path) && strcmp(strrchr(path, '/'), "/dash") == 0;
}

static void the_default_is_sh(void **state)
{
	struct shell shell;

	(void)state;
	setenv("PWD", scratch_path, 1);
	assert_int_equal(shell_init(&shell, NULL), 0);
	assert_string_equal(shell.path, "/bin/sh");
	assert_string_equal(shell.name, "sh");
	assert_string_equal(shell.search_path, getenv("PATH"));
	assert_int_equal(shell.direct, sh_is_dash());
}

static void a_wrong_pwd_lets_no_command_do_without_the_shell(void **state)
{
	static const char *const wrong[] = {"/", ".", "", "/no/such/directory"};
	struct shell shell;

	(void)state;
	for (size_t index = 0; index < sizeof wrong / sizeof *wrong; index++) {
		setenv("PWD", wrong[index], 1);
		assert_int_equal(shell_init(&shell, NULL), 0);
		assert_false(shell.direct);
	}
	unsetenv("PWD");
	assert_int_equal(shell_init(&shell, NULL), 0);
	assert_false(shell.direct);
}

static void without_a_path_no_command_does_without_the_shell(void **state)
{
	struct shell shell;

	(void)state;
	setenv("PWD", scratch_path, 1);
	unsetenv("PATH");
	assert_int_equal(shell_init(&shell, NULL), 0);
	assert_null(shell.search_path);
	assert_false(shell.direct);
}

static void a_chosen_shell_is_found_in_the_path(void **state)
{
	char path[3 * PATH_MAX];
	struct shell shell;

	(void)state;
	scratch_write("a/mysh", "");
	scratch_write_program("b/mysh", "");
	snprintf(path, sizeof path, "%s/a:%s/b", scratch_path, scratch_path);
	setenv("PATH", path, 1);
	setenv("PWD", scratch_path, 1);
	assert_int_equal(shell_init(&shell, "mysh"), 0);
	snprintf(path, sizeof path, "%s/b/mysh", scratch_path);
	assert_string_equal(shell.path, path);
	assert_string_equal(shell.name, "mysh");
	assert_false(shell.direct);
}

static void an_empty_entry_of_the_path_is_the_current_directory(void **state)
{
	char expected[2 * PATH_MAX], found[PATH_MAX];
	struct shell shell;

	(void)state;
	scratch_write_program("leat-unit-shell", "");
	setenv("PATH", ":/usr/bin", 1);
	assert_int_equal(shell_init(&shell, "leat-unit-shell"), 0);
	snprintf(expected, sizeof expected, "%s/leat-unit-shell", scratch_path);
	assert_non_null(realpath(shell.path, found));
	assert_string_equal(found, expected);
}

static void a_chosen_path_is_taken_as_it_is(void **state)
{
	struct shell shell;

	(void)state;
	scratch_write_program("x/mysh", "");
	assert_int_equal(shell_init(&shell, "./x/mysh"), 0);
	assert_string_equal(shell.path, "./x/mysh");
	assert_string_equal(shell.name, "mysh");
	assert_false(shell.direct);
}

static void a_missing_shell_is_an_error(void **state)
{
	struct shell shell;

	(void)state;
	scratch_write("plain", "");
	assert_int_equal(shell_init(&shell, "/no/such/shell"), -ENOENT);
	assert_int_equal(shell_init(&shell, "leat-unit-no-such-shell"), -ENOENT);
	assert_int_equal(shell_init(&shell, "./plain"), -EACCES);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, command_setup, command_teardown)
#define WITH_PATH(name)                                                                  \
	cmocka_unit_test_setup_teardown(name, environment_setup, environment_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_plain_command_needs_no_shell),
		TEST(what_means_something_to_a_shell_goes_to_it),
		TEST(a_word_of_the_shells_goes_to_it),
		TEST(a_word_of_the_shells_behind_the_first_is_plain),
		TEST(a_plain_command_is_cut_into_its_words),
		TEST(a_shell_that_may_not_be_left_out_gets_every_command),
		TEST(the_text_reaches_the_shell_unchanged),
		TEST(a_leading_dash_is_kept_from_being_an_option),
		TEST(a_nul_byte_is_refused),
		TEST(only_the_given_length_counts),
		TEST(the_longest_argument_is_still_one),
		TEST(a_longer_command_is_read_from_a_file),
		TEST(a_plain_command_that_long_goes_to_the_shell_too),
		TEST(release_closes_the_file_and_the_command_is_of_use_again),
		TEST(many_words_fit),
		WITH_PATH(the_default_is_sh),
		WITH_PATH(a_wrong_pwd_lets_no_command_do_without_the_shell),
		WITH_PATH(without_a_path_no_command_does_without_the_shell),
		WITH_PATH(a_chosen_shell_is_found_in_the_path),
		WITH_PATH(an_empty_entry_of_the_path_is_the_current_directory),
		WITH_PATH(a_chosen_path_is_taken_as_it_is),
		WITH_PATH(a_missing_shell_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
