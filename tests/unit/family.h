/* A family, contexts and captures for a child, which may run in a thread. */
#ifndef LEAT_TESTS_UNIT_FAMILY_H
#define LEAT_TESTS_UNIT_FAMILY_H

#include "unit.h"

#include "scratch.h"
#include "thread.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#define CAPTURE_BYTES ((size_t)64 * 1024)

/* One child to run; in a directory of the test's own. */
struct scene {
	struct leat_family *family;
	struct leat_context *kill, *terminate;
	struct leat_control control;
	struct leat_capture *out, *err;
	struct leat_spec spec;
	struct leat_outcome outcome;
	const char *argv[6];
	struct thread thread;
	int result;
};

static const char *const scene_environment[] = {
	"PATH=/usr/bin:/bin", "LEAT_UNIT_MARK=one", NULL};
static const char *const scene_mark[] = {"LEAT_UNIT_MARK=one", NULL};

static struct scene scene;

static inline void scene_fill(struct scene *one)
{
	one->control = (struct leat_control){
		.terminate = one->terminate,
		.kill = one->kill,
		.timeout_ns = LEAT_NEVER,
		.grace_ns = LEAT_NEVER,
		.linger_ns = LEAT_NEVER,
	};
	one->spec = (struct leat_spec){
		.argv = one->argv,
		.envp = scene_environment,
		.search_path = "/usr/bin:/bin",
		.mark = scene_mark,
		.stdin_fd = -1,
		.stdout_fd = -1,
		.stderr_fd = -1,
	};
}

static inline int scene_setup(void **state)
{
	(void)state;
	scene = (struct scene){0};
	if (scratch_make() < 0 || leat_family_create(&scene.family) < 0)
		return -1;
	if (leat_context_create(&scene.kill, NULL, LEAT_NEVER) < 0 ||
		leat_context_create(&scene.terminate, scene.kill, LEAT_NEVER) < 0)
		return -1;
	if (leat_capture_create(&scene.out, CAPTURE_BYTES, ".") < 0 ||
		leat_capture_create(&scene.err, CAPTURE_BYTES, ".") < 0)
		return -1;
	scene_fill(&scene);
	return 0;
}

static inline int scene_teardown(void **state)
{
	(void)state;
	leat_family_reap(scene.family);
	leat_capture_destroy(scene.err);
	leat_capture_destroy(scene.out);
	leat_context_destroy(scene.terminate);
	leat_context_destroy(scene.kill);
	leat_family_destroy(scene.family);
	return scratch_remove();
}

static inline int scene_run(void)
{
	struct leat_stream out = leat_capture_stream(scene.out);
	struct leat_stream err = leat_capture_stream(scene.err);

	return leat_child_run(
		scene.family, &scene.spec, &scene.control, &out, &err, &scene.outcome);
}

static inline void scene_set_script(const char *script)
{
	scene.argv[0] = "sh";
	scene.argv[1] = "-c";
	scene.argv[2] = script;
	scene.argv[3] = NULL;
}

/** Run `script` by the shell, to its end. */
static inline void scene_shell(const char *script)
{
	scene_set_script(script);
	assert_int_equal(scene_run(), 0);
}

static inline void scene_thread(void *argument)
{
	(void)argument;
	scene.result = scene_run();
}

/** Run `script` in a thread; scene_join() waits for its end. */
static inline void scene_start(const char *script)
{
	scene_set_script(script);
	thread_start(&scene.thread, scene_thread, NULL);
}

static inline void scene_join(void)
{
	thread_join(&scene.thread);
	assert_int_equal(scene.result, 0);
}

static inline int append_to_text(void *argument, const char *bytes, size_t length)
{
	char **text = argument;
	size_t before = strlen(*text);

	*text = realloc(*text, before + length + 1);
	if (!*text)
		return -1;
	memcpy(*text + before, bytes, length);
	(*text)[before + length] = '\0';
	return 0;
}

/** What a capture holds, until the next call. */
static inline const char *text_of(struct leat_capture *capture)
{
	static char *text;

	free(text);
	text = calloc(1, 1);
	assert_non_null(text);
	assert_int_equal(leat_capture_replay(capture, append_to_text, &text), 0);
	return text;
}

static inline void assert_outcome(
	enum leat_end end, int code, enum leat_ended_by ended_by)
{
	assert_int_equal(scene.outcome.end, end);
	assert_int_equal(scene.outcome.code, code);
	assert_int_equal(scene.outcome.ended_by, ended_by);
}

static inline void make_fifo(const char *name)
{
	assert_int_equal(mkfifo(name, 0600), 0);
}

/** Wait for a number that the child writes to a FIFO of ours. */
static inline pid_t read_pid(const char *name)
{
	char *text = scratch_read(name);
	pid_t pid = (pid_t)atoi(text);

	free(text);
	assert_true(pid > 0);
	return pid;
}

static inline char process_state(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	return state_letter(path);
}

/** Whether a process, maybe handed to this one as an orphan, has ended. */
static inline bool has_ended(pid_t pid)
{
	char letter = process_state(pid);

	return letter == '\0' || letter == 'Z' || letter == 'X';
}

static inline void await_state(pid_t pid, const char *letters)
{
	char letter;

	do {
		sched_yield();
		letter = process_state(pid);
	} while (!letter || !strchr(letters, letter));
}

static inline void kill_and_reap(pid_t pid)
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

#endif
