/* One program, run to its end, tree included. */
#include "unit.h"

#include "family.h"

#include <sys/resource.h>
#include <sys/wait.h>

#define SOON_NS (LEAT_SECOND_NS / 20)

// Tells its pid when SIGTERM ends it for sure: a subshell just forked has the trap's
// handler still, and forgets what that noted.
#define TELLING_SLEEPER "sh -c 'echo $$ >pid; exec sleep 300' & "

static void the_exit_status_is_told(void **state)
{
	(void)state;
	scene_shell("exit 0");
	assert_outcome(LEAT_EXITED, 0, LEAT_BY_ITSELF);
	scene_shell("exit 1");
	assert_outcome(LEAT_EXITED, 1, LEAT_BY_ITSELF);
	scene_shell("exit 255");
	assert_outcome(LEAT_EXITED, 255, LEAT_BY_ITSELF);
}

static void a_signal_of_its_own_is_told(void **state)
{
	(void)state;
	scene_shell("kill -KILL $$");
	assert_outcome(LEAT_SIGNALED, SIGKILL, LEAT_BY_ITSELF);
	scene_shell("ulimit -c 0; kill -SEGV $$");
	assert_outcome(LEAT_SIGNALED, SIGSEGV, LEAT_BY_ITSELF);
	assert_false(scene.outcome.core_dumped);
}

static void a_missing_program_is_an_outcome(void **state)
{
	(void)state;
	scene.argv[0] = "no-such-program-anywhere";
	assert_int_equal(scene_run(), 0);
	assert_outcome(LEAT_NOT_STARTED, ENOENT, LEAT_BY_ITSELF);
	scene.argv[0] = "./no/such/path";
	assert_int_equal(scene_run(), 0);
	assert_outcome(LEAT_NOT_STARTED, ENOENT, LEAT_BY_ITSELF);
}

static void a_file_that_is_not_executable_is_an_outcome(void **state)
{
	(void)state;
	scratch_write("plain", "echo no\n");
	scene.argv[0] = "./plain";
	assert_int_equal(scene_run(), 0);
	assert_outcome(LEAT_NOT_STARTED, EACCES, LEAT_BY_ITSELF);
}

static void both_streams_are_captured_apart(void **state)
{
	(void)state;
	scene_shell("echo one; echo two >&2; echo three");
	assert_string_equal(text_of(scene.out), "one\nthree\n");
	assert_string_equal(text_of(scene.err), "two\n");
}

static void big_output_comes_through_whole(void **state)
{
	const char *text;
	char line[16];
	size_t at = 0;

	(void)state;
	scene_shell("seq 200000; seq 50000 >&2");
	assert_outcome(LEAT_EXITED, 0, LEAT_BY_ITSELF);
	assert_int_equal(leat_capture_size(scene.out), 1288895);
	assert_int_equal(leat_capture_size(scene.err), 288894);
	assert_int_equal(leat_capture_error(scene.out), 0);
	text = text_of(scene.err);
	for (int number = 1; number <= 50000; number++) {
		int length = snprintf(line, sizeof line, "%d\n", number);

		assert_memory_equal(text + at, line, (size_t)length);
		at += (size_t)length;
	}
}

static void a_stream_with_a_descriptor_is_not_captured(void **state)
{
	int fd = open("out", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	char *text;

	(void)state;
	assert_true(fd >= 0);
	scene.spec.stdout_fd = fd;
	scene_shell("echo direct; echo kept >&2");
	close(fd);
	text = scratch_read("out");
	assert_string_equal(text, "direct\n");
	free(text);
	assert_int_equal(leat_capture_size(scene.out), 0);
	assert_string_equal(text_of(scene.err), "kept\n");
}

static void no_capture_is_needed_where_descriptors_are_named(void **state)
{
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	(void)state;
	scene.spec.stdout_fd = scene.spec.stderr_fd = fd;
	scene_set_script("echo one; echo two >&2");
	assert_int_equal(leat_child_run(scene.family, &scene.spec, &scene.control, NULL,
				 NULL, &scene.outcome),
		0);
	assert_outcome(LEAT_EXITED, 0, LEAT_BY_ITSELF);
	close(fd);
}

static void standard_input_is_dev_null_or_what_the_spec_names(void **state)
{
	int fd;

	(void)state;
	scene_shell("readlink /proc/self/fd/0; cat");
	assert_string_equal(text_of(scene.out), "/dev/null\n");
	leat_capture_reset(scene.out);
	scratch_write("in", "from a file\n");
	fd = open("in", O_RDONLY | O_CLOEXEC);
	scene.spec.stdin_fd = fd;
	scene_shell("cat");
	assert_string_equal(text_of(scene.out), "from a file\n");
	close(fd);
}

static void time_and_memory_are_told(void **state)
{
	(void)state;
	scene_shell("i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; "
		    "cat /proc/self/environ /proc/self/maps >/dev/null");
	assert_true(scene.outcome.elapsed_ns > 0);
	assert_true(scene.outcome.user_ns + scene.outcome.system_ns > 0);
	assert_true(scene.outcome.peak_kib > 0);
}

static void elapsed_time_leaves_out_a_pause(void **state)
{
	pid_t pid;
	int64_t before;

	(void)state;
	make_fifo("pid");
	make_fifo("go");
	leat_context_pause(scene.kill);
	scene_start("echo $$ >pid; read line <go");
	pid = read_pid("pid");
	assert_true(pid > 0);
	before = leat_context_now(scene.kill);
	scratch_write_bytes("go", "\n", 1, 0600);
	scene_join();
	assert_int_equal(scene.outcome.elapsed_ns, 0);
	assert_int_equal(leat_context_now(scene.kill), before);
	leat_context_resume(scene.kill);
}

// Start a script that tells a pid, with a timeout that runs only from then on.
static pid_t start_timed(const char *script)
{
	pid_t pid;

	make_fifo("pid");
	make_fifo("never");
	scene.control.timeout_ns = SOON_NS;
	leat_context_pause(scene.kill);
	scene_start(script);
	pid = read_pid("pid");
	leat_context_resume(scene.kill);
	return pid;
}

static void a_timeout_ends_the_child(void **state)
{
	pid_t pid = start_timed("echo $$ >pid; exec sleep 300");

	(void)state;
	scene_join();
	assert_outcome(LEAT_SIGNALED, SIGTERM, LEAT_BY_TIMEOUT);
	assert_true(has_ended(pid));
	assert_true(scene.outcome.elapsed_ns >= SOON_NS);
}

static void a_timeout_ends_a_background_process(void **state)
{
	pid_t pid = start_timed("sleep 300 & echo $! >pid; wait");

	(void)state;
	scene_join();
	assert_outcome(LEAT_SIGNALED, SIGTERM, LEAT_BY_TIMEOUT);
	assert_true(has_ended(pid));
}

static void a_timeout_ends_what_left_the_session(void **state)
{
	pid_t pid = start_timed("setsid sh -c 'echo $$ >pid; exec sleep 300' & wait");

	(void)state;
	scene_join();
	assert_outcome(LEAT_SIGNALED, SIGTERM, LEAT_BY_TIMEOUT);
	assert_true(has_ended(pid));
}

static void a_timeout_ends_a_daemon_by_its_mark(void **state)
{
	pid_t pid =
		start_timed("setsid sh -c 'sh -c \"echo \\$\\$ >told; read line <never\" "
			    ">/dev/null 2>&1 & while ! [ -s told ]; do :; done'; "
			    "cat told >pid; exec sleep 300");

	(void)state;
	scene_join();
	assert_outcome(LEAT_SIGNALED, SIGTERM, LEAT_BY_TIMEOUT);
	assert_true(has_ended(pid));
}

static void a_daemon_with_another_mark_is_spared(void **state)
{
	pid_t pid = start_timed(
		"LEAT_UNIT_MARK=two setsid sh -c 'sh -c \"echo \\$\\$ >told; "
		"read line <never\" >/dev/null 2>&1 & while ! [ -s told ]; do :; done'; "
		"cat told >pid; exec sleep 300");

	(void)state;
	scene_join();
	assert_outcome(LEAT_SIGNALED, SIGTERM, LEAT_BY_TIMEOUT);
	assert_false(has_ended(pid));
	kill_and_reap(pid);
}

static void a_stubborn_survivor_is_killed_after_the_grace(void **state)
{
	pid_t pid;

	(void)state;
	scene.control.grace_ns = SOON_NS;
	pid = start_timed("(trap '' TERM; sh -c 'echo $PPID >pid'; "
			  "while :; do sleep 300; done) & wait");
	scene_join();
	assert_outcome(LEAT_SIGNALED, SIGTERM, LEAT_BY_TIMEOUT);
	assert_true(has_ended(pid));
	assert_true(scene.outcome.elapsed_ns >= 2 * SOON_NS);
}

static void a_child_that_ignores_sigterm_is_killed_after_the_grace(void **state)
{
	(void)state;
	scene.control.grace_ns = SOON_NS;
	start_timed("trap '' TERM; echo $$ >pid; while :; do sleep 300; done");
	scene_join();
	assert_outcome(LEAT_SIGNALED, SIGKILL, LEAT_BY_TIMEOUT);
}

static void a_child_may_use_its_grace_to_end_well(void **state)
{
	(void)state;
	start_timed("trap 'echo bye; exit 3' TERM; " TELLING_SLEEPER "wait");
	scene_join();
	assert_outcome(LEAT_EXITED, 3, LEAT_BY_TIMEOUT);
	assert_string_equal(text_of(scene.out), "bye\n");
}

static void a_stopped_child_is_continued_to_end(void **state)
{
	pid_t pid;

	(void)state;
	make_fifo("pid");
	scene_start("trap 'exit 4' TERM; echo $$ >pid; kill -STOP $$");
	pid = read_pid("pid");
	await_state(pid, "T");
	leat_context_cancel(scene.terminate, 1);
	scene_join();
	assert_outcome(LEAT_EXITED, 4, LEAT_BY_CANCEL);
}

static void the_end_of_terminate_sends_sigterm(void **state)
{
	(void)state;
	make_fifo("pid");
	scene_start("trap 'exit 5' TERM; " TELLING_SLEEPER "wait");
	read_pid("pid");
	leat_context_cancel(scene.terminate, 1);
	scene_join();
	assert_outcome(LEAT_EXITED, 5, LEAT_BY_CANCEL);
}

static void the_end_of_kill_sends_sigkill_during_the_grace(void **state)
{
	pid_t pid;

	(void)state;
	make_fifo("pid");
	make_fifo("term");
	scene_start("trap 'echo 1 >term' TERM; echo $$ >pid; "
		    "while :; do sleep 300 & wait; done");
	pid = read_pid("pid");
	leat_context_cancel(scene.terminate, 1);
	read_pid("term");
	assert_false(has_ended(pid));
	leat_context_cancel(scene.kill, 2);
	scene_join();
	assert_outcome(LEAT_SIGNALED, SIGKILL, LEAT_BY_CANCEL);
}

static void the_end_of_kill_alone_needs_no_grace(void **state)
{
	pid_t pid;

	(void)state;
	make_fifo("pid");
	scene_start("trap '' TERM; sleep 300 & echo $! >pid; wait; sleep 300");
	pid = read_pid("pid");
	leat_context_cancel(scene.kill, 2);
	scene_join();
	assert_outcome(LEAT_SIGNALED, SIGKILL, LEAT_BY_CANCEL);
	assert_true(has_ended(pid));
}

static void the_end_of_kill_sends_nothing_but_sigkill(void **state)
{
	(void)state;
	make_fifo("pid");
	scene_start("echo $$ >pid; exec sleep 300");
	read_pid("pid");
	leat_context_cancel(scene.kill, 2);
	scene_join();
	assert_outcome(LEAT_SIGNALED, SIGKILL, LEAT_BY_CANCEL);
}

static void a_child_of_an_ended_context_does_not_live_on(void **state)
{
	(void)state;
	leat_context_cancel(scene.kill, 1);
	scene_shell("sleep 300");
	assert_int_equal(scene.outcome.ended_by, LEAT_BY_CANCEL);
	assert_int_equal(scene.outcome.end, LEAT_SIGNALED);
}

/* A child without captures and times is slept on, until somebody cancels. */

static void write_straight(void)
{
	scene.spec.stdout_fd = scene.spec.stderr_fd = STDERR_FILENO;
}

#define SLEPT_ON(name)                                                                   \
	static void name##_when_slept_on(void **state)                                   \
	{                                                                                \
		write_straight();                                                        \
		name(state);                                                             \
	}

SLEPT_ON(the_exit_status_is_told)
SLEPT_ON(a_signal_of_its_own_is_told)
SLEPT_ON(a_stopped_child_is_continued_to_end)
SLEPT_ON(the_end_of_terminate_sends_sigterm)
SLEPT_ON(the_end_of_kill_sends_sigkill_during_the_grace)
SLEPT_ON(the_end_of_kill_alone_needs_no_grace)
SLEPT_ON(a_child_of_an_ended_context_does_not_live_on)

static void one_slept_on_that_ignores_sigterm_is_killed_after_the_grace(void **state)
{
	(void)state;
	write_straight();
	scene.control.grace_ns = SOON_NS;
	make_fifo("pid");
	scene_start("trap '' TERM; echo $$ >pid; while :; do sleep 300; done");
	read_pid("pid");
	leat_context_cancel(scene.terminate, 1);
	scene_join();
	assert_outcome(LEAT_SIGNALED, SIGKILL, LEAT_BY_CANCEL);
}

static void what_left_the_session_of_one_slept_on_ends_with_it(void **state)
{
	pid_t pid;

	(void)state;
	write_straight();
	make_fifo("pid");
	scene_start("setsid sh -c 'echo $$ >pid; exec sleep 300' & wait");
	pid = read_pid("pid");
	leat_context_cancel(scene.terminate, 1);
	scene_join();
	assert_true(has_ended(pid));
	assert_int_equal(scene.outcome.ended_by, LEAT_BY_CANCEL);
}

static void without_a_descriptor_one_slept_on_is_killed(void **state)
{
	struct rlimit before, limit;
	pid_t pid;

	(void)state;
	write_straight();
	make_fifo("pid");
	scene_start("trap '' TERM; echo $$ >pid; while :; do sleep 300; done");
	pid = read_pid("pid");
	getrlimit(RLIMIT_NOFILE, &before);
	limit = before;
	limit.rlim_cur = 3;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	leat_context_cancel(scene.terminate, 1);
	waitid(P_PID, (id_t)pid, &(siginfo_t){0}, WEXITED | WNOWAIT);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	scene_join();
	assert_outcome(LEAT_SIGNALED, SIGKILL, LEAT_BY_CANCEL);
	assert_true(has_ended(pid));
}

static void the_deadline_is_told_from_a_timeout(void **state)
{
	struct leat_context *timed;

	(void)state;
	assert_int_equal(leat_context_create(&timed, scene.kill,
				 leat_context_now(scene.kill) + SOON_NS),
		0);
	scene.control.terminate = timed;
	scene.control.timeout_ns = 300 * LEAT_SECOND_NS;
	scene_shell("exec sleep 300");
	assert_outcome(LEAT_SIGNALED, SIGTERM, LEAT_BY_DEADLINE);
	leat_context_destroy(timed);
}

// The sleeper whose pid stands in the file holds the pipe; it was left alone.
static void check_leftover(void)
{
	pid_t pid = read_pid("left");

	assert_false(has_ended(pid));
	kill_and_reap(pid);
}

static void a_leftover_that_holds_no_pipe_lives_on(void **state)
{
	(void)state;
	scene_shell("sleep 300 >/dev/null 2>&1 & echo $! >left; echo done");
	assert_outcome(LEAT_EXITED, 0, LEAT_BY_ITSELF);
	assert_string_equal(text_of(scene.out), "done\n");
	check_leftover();
}

static void a_leftover_that_holds_a_pipe_holds_nobody_up(void **state)
{
	(void)state;
	scene.control.linger_ns = 0;
	scene_shell("sleep 300 & echo $! >left; echo done");
	assert_outcome(LEAT_EXITED, 0, LEAT_BY_ITSELF);
	assert_string_equal(text_of(scene.out), "done\n");
	check_leftover();
}

static void the_linger_ends(void **state)
{
	(void)state;
	scene.control.linger_ns = SOON_NS;
	scene_shell("sleep 300 & echo $! >left; echo done");
	assert_outcome(LEAT_EXITED, 0, LEAT_BY_ITSELF);
	check_leftover();
}

static void what_comes_while_it_lingers_is_collected(void **state)
{
	pid_t pid;

	(void)state;
	make_fifo("go");
	make_fifo("pid");
	scene_start("(read line <go; echo late) & echo $$ >pid; echo early");
	pid = read_pid("pid");
	while (!has_ended(pid))
		sched_yield();
	scratch_write_bytes("go", "\n", 1, 0600);
	scene_join();
	assert_string_equal(text_of(scene.out), "early\nlate\n");
}

static void a_cancel_ends_the_linger(void **state)
{
	pid_t pid;

	(void)state;
	make_fifo("pid");
	scene_start("sleep 300 & echo $! >left; echo $$ >pid");
	pid = read_pid("pid");
	while (!has_ended(pid))
		sched_yield();
	leat_context_cancel(scene.terminate, 1);
	scene_join();
	check_leftover();
}

static void a_leftover_that_writes_without_end_holds_nobody_up(void **state)
{
	(void)state;
	scene.control.linger_ns = 0;
	scene_shell("yes & echo $! >left");
	assert_outcome(LEAT_EXITED, 0, LEAT_BY_ITSELF);
	waitpid(read_pid("left"), NULL, 0); // of SIGPIPE
}

static void it_holds_nobody_up_where_its_output_is_lost_either(void **state)
{
	struct leat_capture *lossy;

	(void)state;
	assert_int_equal(leat_capture_create(&lossy, 4096, "no/such/directory"), 0);
	leat_capture_destroy(scene.out);
	scene.out = lossy;
	scene.control.linger_ns = 0;
	scene_shell("yes & echo $! >left; exec sleep 0.01");
	assert_outcome(LEAT_EXITED, 0, LEAT_BY_ITSELF);
	assert_int_equal(leat_capture_error(lossy), -ENOENT);
	waitpid(read_pid("left"), NULL, 0);
}

static void without_descriptors_nothing_is_started_and_later_it_works(void **state)
{
	struct rlimit before, limit;
	uint64_t activity;

	(void)state;
	scene_shell("exit 0");
	getrlimit(RLIMIT_NOFILE, &before);
	limit = before;
	limit.rlim_cur = 3;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	scene_set_script("echo started >started");
	activity = leat_family_activity(scene.family);
	assert_int_equal(scene_run(), -EMFILE);
	assert_false(leat_family_await_room(scene.family, activity));
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(access("started", F_OK), -1);
	assert_int_equal(scene_run(), 0);
	assert_outcome(LEAT_EXITED, 0, LEAT_BY_ITSELF);
	assert_int_equal(access("started", F_OK), 0);
}

static void without_a_wake_descriptor_there_is_nobody_to_hope_for_either(void **state)
{
	struct rlimit before, limit;
	uint64_t activity;

	(void)state;
	getrlimit(RLIMIT_NOFILE, &before);
	limit = before;
	limit.rlim_cur = 3;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	scene_set_script("exit 0");
	activity = leat_family_activity(scene.family);
	assert_int_equal(scene_run(), -EMFILE);
	bool hope = leat_family_await_room(scene.family, activity);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_false(hope);
}

static void no_descriptor_is_left_over(void **state)
{
	int before;

	(void)state;
	scene_shell("exit 0");
	before = scratch_count("/proc/self/fd");
	for (int turn = 0; turn < 10; turn++)
		scene_shell("echo one; echo two >&2");
	scene.argv[0] = "no-such-program-anywhere";
	assert_int_equal(scene_run(), 0);
	assert_int_equal(scratch_count("/proc/self/fd"), before);
}

static void no_zombie_is_left_over(void **state)
{
	(void)state;
	scene_shell("exit 0");
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_exit_status_is_told),
		TEST(a_signal_of_its_own_is_told),
		TEST(a_missing_program_is_an_outcome),
		TEST(a_file_that_is_not_executable_is_an_outcome),
		TEST(both_streams_are_captured_apart),
		TEST(big_output_comes_through_whole),
		TEST(a_stream_with_a_descriptor_is_not_captured),
		TEST(no_capture_is_needed_where_descriptors_are_named),
		TEST(standard_input_is_dev_null_or_what_the_spec_names),
		TEST(time_and_memory_are_told),
		TEST(elapsed_time_leaves_out_a_pause),
		TEST(a_timeout_ends_the_child),
		TEST(a_timeout_ends_a_background_process),
		TEST(a_timeout_ends_what_left_the_session),
		TEST(a_timeout_ends_a_daemon_by_its_mark),
		TEST(a_daemon_with_another_mark_is_spared),
		TEST(a_stubborn_survivor_is_killed_after_the_grace),
		TEST(a_child_that_ignores_sigterm_is_killed_after_the_grace),
		TEST(a_child_may_use_its_grace_to_end_well),
		TEST(a_stopped_child_is_continued_to_end),
		TEST(the_end_of_terminate_sends_sigterm),
		TEST(the_end_of_kill_sends_sigkill_during_the_grace),
		TEST(the_end_of_kill_alone_needs_no_grace),
		TEST(the_end_of_kill_sends_nothing_but_sigkill),
		TEST(a_child_of_an_ended_context_does_not_live_on),
		TEST(the_exit_status_is_told_when_slept_on),
		TEST(a_signal_of_its_own_is_told_when_slept_on),
		TEST(a_stopped_child_is_continued_to_end_when_slept_on),
		TEST(the_end_of_terminate_sends_sigterm_when_slept_on),
		TEST(the_end_of_kill_sends_sigkill_during_the_grace_when_slept_on),
		TEST(the_end_of_kill_alone_needs_no_grace_when_slept_on),
		TEST(a_child_of_an_ended_context_does_not_live_on_when_slept_on),
		TEST(one_slept_on_that_ignores_sigterm_is_killed_after_the_grace),
		TEST(what_left_the_session_of_one_slept_on_ends_with_it),
		TEST(without_a_descriptor_one_slept_on_is_killed),
		TEST(the_deadline_is_told_from_a_timeout),
		TEST(a_leftover_that_holds_no_pipe_lives_on),
		TEST(a_leftover_that_holds_a_pipe_holds_nobody_up),
		TEST(the_linger_ends),
		TEST(what_comes_while_it_lingers_is_collected),
		TEST(a_cancel_ends_the_linger),
		TEST(a_leftover_that_writes_without_end_holds_nobody_up),
		TEST(it_holds_nobody_up_where_its_output_is_lost_either),
		TEST(without_descriptors_nothing_is_started_and_later_it_works),
		TEST(without_a_wake_descriptor_there_is_nobody_to_hope_for_either),
		TEST(no_descriptor_is_left_over),
		TEST(no_zombie_is_left_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
