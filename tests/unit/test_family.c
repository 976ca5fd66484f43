/* The children of this process: room, suspending, orphans, limits. */
#include "unit.h"

#include "../../lib/process/family.h"

#include "family.h"
#include "thread.h"

#include <sys/prctl.h>
#include <sys/resource.h>

static void set_descriptors(rlim_t soft, rlim_t hard)
{
	struct rlimit limit = {.rlim_cur = soft, .rlim_max = hard};

	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

// A family made under this soft limit takes the place of the scene's.
static void remake_family(rlim_t soft)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	leat_family_destroy(scene.family);
	scene.family = NULL;
	set_descriptors(soft, limit.rlim_max);
	assert_int_equal(leat_family_create(&scene.family), 0);
}

static void destroying_no_family_does_nothing(void **state)
{
	(void)state;
	leat_family_destroy(NULL);
}

static void the_process_becomes_a_subreaper(void **state)
{
	int is_subreaper = 0;

	(void)state;
	assert_int_equal(prctl(PR_GET_CHILD_SUBREAPER, &is_subreaper), 0);
	assert_int_equal(is_subreaper, 1);
}

static void there_is_room_within_the_hard_limit(void **state)
{
	struct rlimit limit;
	unsigned room;

	(void)state;
	remake_family(100);
	room = leat_family_room(scene.family);
	getrlimit(RLIMIT_NOFILE, &limit);
	assert_true(room >= 1);
	assert_true(room <= limit.rlim_max / 4);
}

static void the_soft_limit_is_raised_but_not_for_children(void **state)
{
	struct rlimit limit;

	(void)state;
	remake_family(123);
	getrlimit(RLIMIT_NOFILE, &limit);
	assert_int_equal(limit.rlim_cur, limit.rlim_max);
	scene_shell("ulimit -S -n");
	assert_string_equal(text_of(scene.out), "123\n");
}

static void an_ignored_sigchld_is_set_to_its_default(void **state)
{
	struct sigaction action;

	(void)state;
	leat_family_destroy(scene.family);
	signal(SIGCHLD, SIG_IGN);
	assert_int_equal(leat_family_create(&scene.family), 0);
	sigaction(SIGCHLD, NULL, &action);
	assert_ptr_equal(action.sa_handler, SIG_DFL);
	scene_shell("exit 6");
	assert_outcome(LEAT_EXITED, 6, LEAT_BY_ITSELF);
}

static void nobody_is_to_hope_for_where_nothing_runs(void **state)
{
	uint64_t activity = leat_family_activity(scene.family);

	(void)state;
	scene_shell("exit 0"); // a try of the caller's own
	assert_false(leat_family_await_room(scene.family, activity));
}

static void there_is_hope_while_a_child_runs(void **state)
{
	uint64_t activity = leat_family_activity(scene.family);

	(void)state;
	make_fifo("go");
	make_fifo("pid");
	scene_start("echo $$ >pid; read line <go");
	read_pid("pid");
	assert_true(leat_family_await_room(scene.family, activity));
	scratch_write_bytes("go", "\n", 1, 0600);
	scene_join();
}

struct waiter {
	uint64_t activity;
	bool hope;
};

static void await_room(void *argument)
{
	struct waiter *waiter = argument;

	waiter->hope = leat_family_await_room(scene.family, waiter->activity);
}

static void a_childs_end_ends_the_wait_for_room(void **state)
{
	struct waiter waiter = {0};
	struct thread thread;

	(void)state;
	make_fifo("go");
	make_fifo("pid");
	scene_start("echo $$ >pid; read line <go");
	read_pid("pid");
	waiter.activity = leat_family_activity(scene.family);
	thread_start(&thread, await_room, &waiter);
	scratch_write_bytes("go", "\n", 1, 0600);
	scene_join();
	thread_join(&thread);
	assert_true(waiter.hope);
}

static void activity_changes_with_each_begin_and_end(void **state)
{
	uint64_t before = leat_family_activity(scene.family);

	(void)state;
	scene_shell("exit 0");
	assert_int_equal(leat_family_activity(scene.family), before + 2);
	scene.argv[0] = "no-such-program-anywhere";
	assert_int_equal(scene_run(), 0);
	assert_int_equal(leat_family_activity(scene.family), before + 4);
}

static void suspend_stops_a_whole_tree_and_resume_continues_it(void **state)
{
	pid_t leader, other;

	(void)state;
	make_fifo("pid");
	make_fifo("other");
	scene_start("setsid sh -c 'echo $$ >other; exec sleep 300' & "
		    "echo $$ >pid; wait; echo survived");
	leader = read_pid("pid");
	other = read_pid("other");
	leat_family_suspend(scene.family);
	await_state(leader, "T");
	await_state(other, "T");
	leat_family_resume(scene.family);
	await_state(leader, "SR");
	await_state(other, "SR");
	assert_int_equal(kill(other, SIGKILL), 0);
	scene_join();
	assert_outcome(LEAT_EXITED, 0, LEAT_BY_ITSELF);
	assert_string_equal(text_of(scene.out), "survived\n");
}

// The pid of the child that this process's other thread has started.
static pid_t await_child(void)
{
	char path[64], pid[32] = "";

	snprintf(path, sizeof path, "/proc/self/task/%d/children",
		(int)scene.thread.number);
	while (!atoi(pid)) {
		FILE *file = fopen(path, "re");

		assert_non_null(file);
		if (!fgets(pid, sizeof pid, file))
			sched_yield();
		fclose(file);
	}
	return (pid_t)atoi(pid);
}

static void what_starts_in_a_suspended_family_is_stopped_at_once(void **state)
{
	pid_t pid;

	(void)state;
	leat_family_suspend(scene.family);
	scene_start("while :; do :; done");
	pid = await_child();
	await_state(pid, "T");
	leat_family_resume(scene.family);
	await_state(pid, "SR");
	leat_context_cancel(scene.kill, 1);
	scene_join();
	assert_int_equal(scene.outcome.end, LEAT_SIGNALED);
	assert_int_equal(scene.outcome.ended_by, LEAT_BY_CANCEL);
}

static void a_suspended_child_can_still_be_ended(void **state)
{
	pid_t pid;

	(void)state;
	make_fifo("pid");
	scene_start("echo $$ >pid; exec sleep 300");
	pid = read_pid("pid");
	leat_family_suspend(scene.family);
	await_state(pid, "T");
	leat_context_cancel(scene.terminate, 1);
	scene_join();
	assert_outcome(LEAT_SIGNALED, SIGTERM, LEAT_BY_CANCEL);
	leat_family_resume(scene.family);
}

static void an_orphan_that_ended_is_reaped(void **state)
{
	pid_t pid;

	(void)state;
	scene_shell("sleep 300 >/dev/null 2>&1 & echo $! >left");
	pid = read_pid("left");
	leat_family_reap(scene.family);
	assert_false(has_ended(pid));
	assert_int_equal(kill(pid, SIGKILL), 0);
	await_state(pid, "Z");
	leat_family_reap(scene.family);
	assert_int_equal(process_state(pid), '\0');
}

static void many_orphans_are_reaped(void **state)
{
	(void)state;
	scene_shell("i=0; while [ $i -lt 30 ]; do (:) & i=$((i+1)); done");
	while (waitid(P_ALL, 0, &(siginfo_t){0}, WEXITED | WNOWAIT) == 0)
		leat_family_reap(scene.family);
	assert_int_equal(errno, ECHILD);
}

static void an_orphan_is_reaped_however_many_live_on(void **state)
{
	pid_t pid;

	(void)state;
	scene_shell("exec >/dev/null 2>&1; echo $$ >group; i=0; "
		    "while [ $i -lt 700 ]; do sleep 300 & i=$((i+1)); done; "
		    "sleep 300 & echo $! >last");
	pid = read_pid("last");
	assert_int_equal(kill(pid, SIGKILL), 0);
	await_state(pid, "Z");
	leat_family_reap(scene.family);
	assert_int_equal(process_state(pid), '\0');
	assert_int_equal(kill(-read_pid("group"), SIGKILL), 0);
	while (waitid(P_ALL, 0, &(siginfo_t){0}, WEXITED | WNOWAIT) == 0)
		leat_family_reap(scene.family);
}

static void a_running_childs_end_is_not_stolen(void **state)
{
	pid_t pid;

	(void)state;
	make_fifo("pid");
	make_fifo("go");
	scene_start("echo $$ >pid; read line <go; exit 7");
	pid = read_pid("pid");
	scratch_write_bytes("go", "\n", 1, 0600);
	while (process_state(pid))
		leat_family_reap(scene.family);
	scene_join();
	assert_outcome(LEAT_EXITED, 7, LEAT_BY_ITSELF);
}

static void reap_without_orphans_does_nothing(void **state)
{
	(void)state;
	leat_family_reap(scene.family);
	leat_family_suspend(scene.family);
	leat_family_resume(scene.family);
	scene_shell("exit 0");
	assert_outcome(LEAT_EXITED, 0, LEAT_BY_ITSELF);
}

static bool is_seen(pid_t pid)
{
	struct leat_look *look = leat_family_look(scene.family);
	bool seen;

	assert_non_null(look);
	assert_int_equal(look->error, 0);
	seen = leat_forest_find(&look->forest, pid) != NULL;
	leat_family_look_done(scene.family, look);
	return seen;
}

static void come_and_go(void *wrong)
{
	for (int times = 0; times < 5; times++) {
		pid_t pid = fork();

		if (pid == 0)
			for (;;)
				pause();
		*(int *)wrong += !is_seen(pid);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		*(int *)wrong += is_seen(pid);
	}
}

static void a_look_shows_what_is_whoever_shares_it(void **state)
{
	struct thread threads[16];
	int wrong[16] = {0};

	(void)state;
	for (size_t index = 0; index < 16; index++)
		thread_start(&threads[index], come_and_go, &wrong[index]);
	for (size_t index = 0; index < 16; index++) {
		thread_join(&threads[index]);
		assert_int_equal(wrong[index], 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(destroying_no_family_does_nothing),
		TEST(the_process_becomes_a_subreaper),
		TEST(there_is_room_within_the_hard_limit),
		TEST(the_soft_limit_is_raised_but_not_for_children),
		TEST(an_ignored_sigchld_is_set_to_its_default),
		TEST(nobody_is_to_hope_for_where_nothing_runs),
		TEST(there_is_hope_while_a_child_runs),
		TEST(a_childs_end_ends_the_wait_for_room),
		TEST(activity_changes_with_each_begin_and_end),
		TEST(suspend_stops_a_whole_tree_and_resume_continues_it),
		TEST(what_starts_in_a_suspended_family_is_stopped_at_once),
		TEST(a_suspended_child_can_still_be_ended),
		TEST(an_orphan_that_ended_is_reaped),
		TEST(many_orphans_are_reaped),
		TEST(an_orphan_is_reaped_however_many_live_on),
		TEST(a_running_childs_end_is_not_stolen),
		TEST(reap_without_orphans_does_nothing),
		TEST(a_look_shows_what_is_whoever_shares_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
