/* The guardian: what runs when its parent is killed comes to its end. */
#include "unit.h"

#include "scratch.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define GRACE_NS (LEAT_SECOND_NS / 20)

// What a parent that is to be killed runs.
struct scene {
	const char *script; //< of sh; it writes the pids of its processes, one a line
	int64_t grace_ns;
	bool guarded;
	int lock_fd; //< what the guardian is to keep
	int out[2];  //< where the script writes
};

static int open_lock(void)
{
	struct flock lock = {.l_type = F_WRLCK, .l_len = 1};
	int fd = open("lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_OFD_SETLK, &lock), 0);
	return fd;
}

// Until nobody holds the lock any more.
static void await_lock(void)
{
	struct flock lock = {.l_type = F_WRLCK, .l_len = 1};
	int fd = open("lock", O_RDWR | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_OFD_SETLKW, &lock), 0);
	close(fd);
}

static int run_script(struct leat_family *family, const struct scene *scene)
{
	extern char **environ;
	const char *argv[] = {"sh", "-c", scene->script, NULL};
	const char *mark[] = {"GUARDED=1", NULL};
	const char *envp[] = {"PATH=/usr/bin:/bin", "GUARDED=1", NULL};
	struct leat_control control = {
		.timeout_ns = LEAT_NEVER, .grace_ns = LEAT_SECOND_NS, .linger_ns = 0};
	struct leat_spec spec = {
		.argv = argv,
		.envp = envp,
		.search_path = "/usr/bin:/bin",
		.mark = mark,
		.stdin_fd = -1,
		.stdout_fd = scene->out[1],
		.stderr_fd = STDERR_FILENO,
	};
	struct leat_outcome outcome;

	if (leat_context_create(&control.kill, NULL, LEAT_NEVER) < 0 ||
		leat_context_create(&control.terminate, control.kill, LEAT_NEVER) < 0)
		return 1;
	return leat_child_run(family, &spec, &control, NULL, NULL, &outcome) != 0;
}

// In a process of its own; ends in order when the script does.
static pid_t start_parent(struct scene *scene)
{
	pid_t pid;

	assert_int_equal(pipe2(scene->out, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		struct leat_family *family;
		int status;

		if (leat_family_create(&family) < 0 ||
			(scene->guarded && leat_family_guard(family, scene->grace_ns,
						   scene->lock_fd) < 0))
			_exit(1);
		status = run_script(family, scene);
		leat_family_destroy(family);
		_exit(status);
	}
	close(scene->out[1]);
	if (scene->lock_fd >= 0)
		close(scene->lock_fd);
	return pid;
}

static pid_t read_pid(const struct scene *scene)
{
	char line[32];
	size_t length = 0;

	while (length < sizeof line - 1 && read(scene->out[0], line + length, 1) == 1 &&
		line[length] != '\n')
		length++;
	line[length] = '\0';
	assert_true(atoi(line) > 0);
	return atoi(line);
}

// The test is a subreaper: whoever loses its parent is its child.
static int await(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void kill_and_await(pid_t parent)
{
	kill(parent, SIGKILL);
	assert_int_equal(await(parent), SIGKILL);
	await_lock();
}

static void when_its_parent_is_killed_the_tree_is_ended(void **state)
{
	struct scene scene = {
		.script = "echo $$; sleep 1000 & echo $!; setsid sleep 1000 & echo $!; "
			  "(setsid sh -c 'echo $$; exec sleep 1000' &); wait",
		.grace_ns = 60 * LEAT_SECOND_NS,
		.guarded = true,
		.lock_fd = open_lock(),
	};
	pid_t parent = start_parent(&scene), pids[4];

	(void)state;
	for (int index = 0; index < 4; index++)
		pids[index] = read_pid(&scene);
	kill_and_await(parent);
	for (int index = 0; index < 4; index++)
		assert_int_equal(await(pids[index]), SIGTERM);
	close(scene.out[0]);
}

static void what_ignores_sigterm_is_killed_after_the_grace(void **state)
{
	struct scene scene = {
		.script = "trap '' TERM; echo $$; sleep 1000 & echo $!; wait",
		.grace_ns = GRACE_NS,
		.guarded = true,
		.lock_fd = open_lock(),
	};
	pid_t parent = start_parent(&scene), pids[2];

	(void)state;
	pids[0] = read_pid(&scene);
	pids[1] = read_pid(&scene);
	kill_and_await(parent);
	assert_int_equal(await(pids[0]), SIGKILL);
	assert_int_equal(await(pids[1]), SIGKILL);
	close(scene.out[0]);
}

static void what_has_stopped_itself_is_continued(void **state)
{
	struct scene scene = {
		.script = "trap 'exit 7' TERM; echo $$; kill -STOP $$; sleep 1000",
		.grace_ns = 60 * LEAT_SECOND_NS,
		.guarded = true,
		.lock_fd = open_lock(),
	};
	pid_t parent = start_parent(&scene), pid = read_pid(&scene);

	(void)state;
	kill_and_await(parent);
	assert_int_equal(WEXITSTATUS(await(pid)), 7);
	close(scene.out[0]);
}

static void without_a_guardian_it_goes_on(void **state)
{
	struct scene scene = {
		.script = "echo $$; exec sleep 1000", .guarded = false, .lock_fd = -1};
	pid_t parent = start_parent(&scene), pid = read_pid(&scene);

	(void)state;
	kill(parent, SIGKILL);
	assert_int_equal(await(parent), SIGKILL);
	assert_int_equal(kill(pid, 0), 0);
	assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
	kill(pid, SIGKILL);
	await(pid);
	close(scene.out[0]);
}

static void what_an_ended_child_left_is_none_of_its_business(void **state)
{
	struct scene scene = {
		.script = "sleep 1000 & echo $!",
		.grace_ns = GRACE_NS,
		.guarded = true,
		.lock_fd = open_lock(),
	};
	pid_t parent = start_parent(&scene), pid = read_pid(&scene);

	(void)state;
	assert_int_equal(await(parent), 0);
	await_lock();
	assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
	kill(pid, SIGKILL);
	await(pid);
	close(scene.out[0]);
}

// The only child of this process.
static pid_t find_guardian(void)
{
	char path[64], *text;
	pid_t pid;

	snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
	text = scratch_read(path);
	pid = atoi(text);
	free(text);
	return pid;
}

static void it_holds_nothing_but_its_lifeline_and_what_it_was_given(void **state)
{
	struct leat_family *family;
	char path[64], *name;
	int fd = open_lock();
	pid_t pid;

	(void)state;
	assert_int_equal(leat_family_create(&family), 0);
	assert_int_equal(leat_family_guard(family, GRACE_NS, fd), 0);
	pid = find_guardian();
	assert_true(pid > 0);
	// It has let go of all else before it gets its name and place.
	do {
		snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
		name = scratch_read(path);
		snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
		bool settled =
			strcmp(name, "guardian\n") == 0 && scratch_count(path) == 2;

		free(name);
		if (settled)
			break;
		sched_yield();
	} while (true);
	assert_int_equal(getsid(pid), pid);
	leat_family_destroy(family);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	close(fd);
}

// Also guardians, and shells in between, which are nobody else's any more.
static int teardown(void **state)
{
	while (waitpid(-1, NULL, 0) > 0)
		;
	return scratch_teardown(state);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(when_its_parent_is_killed_the_tree_is_ended),
		TEST(what_ignores_sigterm_is_killed_after_the_grace),
		TEST(what_has_stopped_itself_is_continued),
		TEST(without_a_guardian_it_goes_on),
		TEST(what_an_ended_child_left_is_none_of_its_business),
		TEST(it_holds_nothing_but_its_lifeline_and_what_it_was_given),
	};

	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
