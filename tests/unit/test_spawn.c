/* Starting one program: where it is looked for, and what it finds. */
#include "unit.h"

#include "../../lib/process/spawn.h"

#include "family.h"

/* How a program that was spawned here ended, and what it said. */
struct result {
	int error;
	int status;
	char *text;
};

static struct leat_inheritance inheritance;
static _Alignas(max_align_t) char stack[LEAT_SPAWN_STACK_BYTES];

static bool crowded;

static struct result spawn(const struct leat_spec *spec)
{
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC), ends[2];
	struct result result = {0};
	struct leat_process process = {.stack = stack, .crowded = crowded};

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	result.error = leat_spawn(
		spec, (int[]){null_fd, ends[1], ends[1]}, &inheritance, &process);
	close(ends[1]);
	close(null_fd);
	result.text = read_to_end(ends[0], NULL);
	close(ends[0]);
	if (!result.error) {
		assert_int_equal(waitpid(process.pid, &result.status, 0), process.pid);
		result.error = leat_spawn_finish(&process);
	}
	return result;
}

static void assert_says(const char *expected)
{
	struct result result = spawn(&scene.spec);

	assert_int_equal(result.error, 0);
	assert_string_equal(result.text, expected);
	assert_true(WIFEXITED(result.status));
	assert_int_equal(WEXITSTATUS(result.status), 0);
	free(result.text);
}

static void assert_fails(int error)
{
	struct result result = spawn(&scene.spec);

	assert_int_equal(result.error, error);
	assert_string_equal(result.text, "");
	free(result.text);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void write_speaker(const char *name)
{
	char script[128];

	snprintf(script, sizeof script, "#!/bin/sh\necho %s \"$@\"\n", name);
	scratch_write_program(name, script);
}

static void a_path_is_not_looked_for(void **state)
{
	(void)state;
	scratch_write_program("here/one", "#!/bin/sh\necho \"$0\"\n");
	scene.spec.search_path = "/usr/bin";
	scene.argv[0] = "./here/one";
	assert_says("./here/one\n");
}

static void a_name_is_found_in_the_first_directory_that_has_it(void **state)
{
	(void)state;
	write_speaker("b/two");
	write_speaker("c/two");
	scene.spec.search_path = "a:b:c";
	scene.argv[0] = "two";
	scene.argv[1] = "x y";
	assert_says("b/two x y\n");
}

static void an_empty_entry_is_the_current_directory(void **state)
{
	static const char *const paths[] = {"", ":no", "no:", "no::no"};

	(void)state;
	write_speaker("three");
	scene.argv[0] = "three";
	for (size_t index = 0; index < sizeof paths / sizeof *paths; index++) {
		scene.spec.search_path = paths[index];
		assert_says("three\n");
	}
}

static void a_directory_in_the_way_is_passed_over(void **state)
{
	(void)state;
	write_speaker("d/four");
	assert_int_equal(mkdir("e", 0700), 0);
	assert_int_equal(mkdir("e/four", 0700), 0);
	scene.spec.search_path = "e:d";
	scene.argv[0] = "four";
	assert_says("d/four\n");
	scene.spec.search_path = "e";
	assert_fails(-EACCES);
}

static void a_file_that_is_not_executable_is_passed_over_but_remembered(void **state)
{
	(void)state;
	scratch_write("f/five", "no program\n");
	write_speaker("g/five");
	scene.argv[0] = "five";
	scene.spec.search_path = "f:g";
	assert_says("g/five\n");
	scene.spec.search_path = "f:nowhere";
	assert_fails(-EACCES);
}

static void a_name_that_is_nowhere_is_not_found(void **state)
{
	(void)state;
	scratch_write("file", "");
	scene.argv[0] = "nowhere-to-be-found";
	scene.spec.search_path = "file:/usr/bin:missing";
	assert_fails(-ENOENT);
	scene.argv[0] = "";
	assert_fails(-ENOENT);
}

static void without_a_search_path_a_name_is_a_path(void **state)
{
	(void)state;
	write_speaker("six");
	scene.spec.search_path = NULL;
	scene.argv[0] = "six";
	assert_says("six\n");
	scene.argv[0] = "sh";
	assert_fails(-ENOENT);
}

static void an_entry_too_long_for_a_path_is_passed_over(void **state)
{
	static char path[PATH_MAX + 100];

	(void)state;
	write_speaker("h/seven");
	memset(path, 'x', PATH_MAX);
	strcpy(path + PATH_MAX, ":h");
	scene.spec.search_path = path;
	scene.argv[0] = "seven";
	assert_says("h/seven\n");
}

static void the_program_may_differ_from_argv_0(void **state)
{
	(void)state;
	scene.spec.program = "/bin/sh";
	scene.argv[0] = "any name";
	scene.argv[1] = "-c";
	scene.argv[2] = "echo \"$0\"";
	assert_says("any name\n");
}

static void a_script_without_a_shebang_is_run_by_the_script_shell(void **state)
{
	(void)state;
	scratch_write_program("i/script", "echo \"$0\" \"$#\" \"$1\" \"$2\"\n");
	scene.spec.script_shell = "/bin/sh";
	scene.spec.search_path = "i";
	scene.argv[0] = "script";
	scene.argv[1] = "a b";
	scene.argv[2] = "c";
	assert_says("i/script 2 a b c\n");
	scene.argv[0] = "./i/script";
	assert_says("./i/script 2 a b c\n");
}

static void without_a_script_shell_such_a_script_is_an_error(void **state)
{
	(void)state;
	scratch_write_program("script", "echo no\n");
	scene.argv[0] = "./script";
	assert_fails(-ENOEXEC);
	scene.spec.search_path = "";
	scene.argv[0] = "script";
	assert_fails(-ENOEXEC);
}

static void a_missing_interpreter_is_not_found(void **state)
{
	(void)state;
	scratch_write_program("script", "#!/no/such/interpreter\n");
	scene.argv[0] = "./script";
	assert_fails(-ENOENT);
}

static void too_many_arguments_are_an_error(void **state)
{
	char *long_one = malloc(1 << 18);

	(void)state;
	assert_non_null(long_one);
	memset(long_one, 'x', 1 << 18);
	long_one[(1 << 18) - 1] = '\0';
	scene.argv[0] = "/bin/true";
	scene.argv[1] = long_one;
	assert_fails(-E2BIG);
	free(long_one);
}

static void the_environment_is_exactly_the_specs(void **state)
{
	static const char *const environment[] = {"ONE=1", "TWO=two words", "odd", NULL};

	(void)state;
	scene.spec.envp = environment;
	scene.argv[0] = "/usr/bin/env";
	assert_says("ONE=1\nTWO=two words\nodd\n");
	scene.spec.envp = (const char *const[]){NULL};
	assert_says("");
}

static void nothing_but_0_1_and_2_is_open(void **state)
{
	int fd = open("/dev/null", O_RDONLY), high = fcntl(fd, F_DUPFD, 500);

	(void)state;
	assert_true(fd > 2 && high >= 500);
	scene.argv[0] = "/bin/ls";
	scene.argv[1] = "/proc/self/fd";
	assert_says("0\n1\n2\n3\n"); // 3: the directory that ls reads
	close(fd);
	close(high);
}

static void errno_stays_the_callers(void **state)
{
	struct result result;

	(void)state;
	scene.argv[0] = "nowhere-to-be-found";
	scene.spec.search_path = "/no/such:/bin/true:/usr/bin";
	errno = EILSEQ;
	result = spawn(&scene.spec);
	assert_int_equal(errno, EILSEQ);
	assert_int_equal(result.error, -ENOENT);
	free(result.text);
}

static void what_the_spec_keeps_is_open_under_its_number(void **state)
{
	int low = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int high = fcntl(low, F_DUPFD_CLOEXEC, 500), kept[] = {high, low};

	(void)state;
	assert_true(low > 2 && high >= 500);
	scene.spec.kept_fds = kept;
	scene.spec.kept_fd_count = 1;
	scene.argv[0] = "/bin/ls";
	scene.argv[1] = "/proc/self/fd";
	assert_says("0\n1\n2\n3\n500\n");
	scene.spec.kept_fd_count = 2;
	scene_set_script("test /dev/null -ef /proc/self/fd/500 && echo same");
	assert_says("same\n");
	assert_int_equal(fcntl(low, F_GETFD), FD_CLOEXEC);
	close(high);
	assert_fails(-EBADF);
	close(low);
}

static void the_parents_descriptors_stay_as_they_are(void **state)
{
	struct stat before[3], after;

	(void)state;
	for (int fd = 0; fd < 3; fd++)
		assert_int_equal(fstat(fd, &before[fd]), 0);
	scene_set_script("true");
	assert_says("");
	for (int fd = 0; fd < 3; fd++) {
		assert_int_equal(fstat(fd, &after), 0);
		assert_int_equal(after.st_dev, before[fd].st_dev);
		assert_int_equal(after.st_ino, before[fd].st_ino);
	}
}

static void swapped_descriptors_are_put_in_place(void **state)
{
	int saved[2] = {dup(1), dup(2)}, ends[2][2];
	struct leat_process process = {.stack = stack, .crowded = crowded};
	char *out, *err;
	int error;

	(void)state;
	scene_set_script("echo out; echo err >&2");
	assert_int_equal(pipe2(ends[0], O_CLOEXEC), 0);
	assert_int_equal(pipe2(ends[1], O_CLOEXEC), 0);
	fflush(stdout);
	dup2(ends[0][1], 1);
	dup2(ends[1][1], 2);
	error = leat_spawn(&scene.spec, (int[]){0, 2, 1}, &inheritance, &process);
	dup2(saved[0], 1);
	dup2(saved[1], 2);
	for (int index = 0; index < 2; index++) {
		close(saved[index]);
		close(ends[index][1]);
	}
	assert_int_equal(error, 0);
	out = read_to_end(ends[1][0], NULL);
	err = read_to_end(ends[0][0], NULL);
	assert_string_equal(out, "out\n");
	assert_string_equal(err, "err\n");
	free(out);
	free(err);
	close(ends[0][0]);
	close(ends[1][0]);
	waitpid(process.pid, NULL, 0);
	assert_int_equal(leat_spawn_finish(&process), 0);
}

static void the_child_leads_a_session_without_a_terminal(void **state)
{
	struct result result;
	int pid, group, session, terminal;

	(void)state;
	scene.argv[0] = "/bin/cat";
	scene.argv[1] = "/proc/self/stat";
	result = spawn(&scene.spec);
	assert_int_equal(sscanf(result.text, "%d (cat) %*c %*d %d %d %d", &pid, &group,
				 &session, &terminal),
		4);
	assert_int_equal(group, pid);
	assert_int_equal(session, pid);
	assert_int_not_equal(session, getsid(0));
	assert_int_equal(terminal, 0);
	free(result.text);
}

static uint64_t signals_of(const char *status, const char *field)
{
	const char *line = strstr(status, field);

	assert_non_null(line);
	return strtoull(line + strlen(field), NULL, 16);
}

static uint64_t bit(int number)
{
	return UINT64_C(1) << (number - 1);
}

static void do_nothing(int number)
{
	(void)number;
}

// With a family made at this moment, what a child says of its signals.
static char *status_of_a_child(void)
{
	struct leat_family *family;
	struct result result;

	assert_int_equal(leat_family_create(&family), 0);
	leat_family_destroy(scene.family);
	scene.family = family;
	scene.argv[0] = "/bin/cat";
	scene.argv[1] = "/proc/self/status";
	assert_int_equal(scene_run(), 0);
	result.text = strdup(text_of(scene.out));
	return result.text;
}

static void no_signal_is_blocked_in_a_child(void **state)
{
	sigset_t some, before;
	char *status;

	(void)state;
	sigemptyset(&some);
	sigaddset(&some, SIGTERM);
	sigaddset(&some, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &some, &before);
	status = status_of_a_child();
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	assert_int_equal(signals_of(status, "SigBlk:"), 0);
	free(status);
}

static void a_caught_signal_has_its_default_in_a_child(void **state)
{
	struct sigaction before;
	char *status;

	(void)state;
	sigaction(SIGUSR1, &(struct sigaction){.sa_handler = do_nothing}, &before);
	status = status_of_a_child();
	assert_int_equal(signals_of(status, "SigCgt:") & bit(SIGUSR1), 0);
	assert_int_equal(signals_of(status, "SigIgn:") & bit(SIGUSR1), 0);
	free(status);
	status = scratch_read("/proc/self/status");
	assert_true(signals_of(status, "SigCgt:") & bit(SIGUSR1));
	free(status);
	sigaction(SIGUSR1, &before, NULL);
}

static void a_signal_ignored_before_is_ignored_in_a_child(void **state)
{
	struct sigaction before;
	char *status;

	(void)state;
	sigaction(SIGHUP, &(struct sigaction){.sa_handler = SIG_IGN}, &before);
	status = status_of_a_child();
	sigaction(SIGHUP, &before, NULL);
	assert_true(signals_of(status, "SigIgn:") & bit(SIGHUP));
	free(status);
}

static void a_signal_caught_after_it_was_ignored_is_ignored_in_a_child(void **state)
{
	struct sigaction before;
	char *status;

	(void)state;
	sigaction(SIGHUP, &(struct sigaction){.sa_handler = SIG_IGN}, &before);
	free(status_of_a_child());
	sigaction(SIGHUP, &(struct sigaction){.sa_handler = do_nothing}, NULL);
	leat_capture_reset(scene.out);
	assert_int_equal(scene_run(), 0);
	sigaction(SIGHUP, &before, NULL);
	status = strdup(text_of(scene.out));
	assert_true(signals_of(status, "SigIgn:") & bit(SIGHUP));
	free(status);
}

#define SPAWN(name) cmocka_unit_test_setup_teardown(name, spawn_setup, scene_teardown)

static int spawn_setup(void **state)
{
	inheritance = (struct leat_inheritance){0};
	sigemptyset(&inheritance.ignored);
	sigemptyset(&inheritance.caught);
	return scene_setup(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SPAWN(a_path_is_not_looked_for),
		SPAWN(a_name_is_found_in_the_first_directory_that_has_it),
		SPAWN(an_empty_entry_is_the_current_directory),
		SPAWN(a_directory_in_the_way_is_passed_over),
		SPAWN(a_file_that_is_not_executable_is_passed_over_but_remembered),
		SPAWN(a_name_that_is_nowhere_is_not_found),
		SPAWN(without_a_search_path_a_name_is_a_path),
		SPAWN(an_entry_too_long_for_a_path_is_passed_over),
		SPAWN(the_program_may_differ_from_argv_0),
		SPAWN(a_script_without_a_shebang_is_run_by_the_script_shell),
		SPAWN(without_a_script_shell_such_a_script_is_an_error),
		SPAWN(a_missing_interpreter_is_not_found),
		SPAWN(too_many_arguments_are_an_error),
		SPAWN(the_environment_is_exactly_the_specs),
		SPAWN(nothing_but_0_1_and_2_is_open),
		SPAWN(errno_stays_the_callers),
		SPAWN(what_the_spec_keeps_is_open_under_its_number),
		SPAWN(the_parents_descriptors_stay_as_they_are),
		SPAWN(swapped_descriptors_are_put_in_place),
		SPAWN(the_child_leads_a_session_without_a_terminal),
		SPAWN(no_signal_is_blocked_in_a_child),
		SPAWN(a_caught_signal_has_its_default_in_a_child),
		SPAWN(a_signal_ignored_before_is_ignored_in_a_child),
		SPAWN(a_signal_caught_after_it_was_ignored_is_ignored_in_a_child),
	};

	int failed = cmocka_run_group_tests_name("alone", tests, NULL, NULL);

	crowded = true;
	return failed + cmocka_run_group_tests_name("in a crowd", tests, NULL, NULL);
}
