/* What is below a child, found in /proc. */
#include "unit.h"

#include "../../lib/process/tree.h"

#include "family.h"

#include <poll.h>

static bool is_member(const struct leat_tree *tree, pid_t pid)
{
	for (size_t index = 0; index < tree->count; index++)
		if (tree->members[index]->pid == pid)
			return true;
	return false;
}

static void find_tree(struct leat_tree *tree, struct leat_forest *forest, pid_t leader,
	const char *const *mark)
{
	struct leat_root root = {leader, mark};

	assert_int_equal(leat_forest_read(forest, NULL, 0), 0);
	assert_int_equal(leat_tree_find(tree, forest, &root), 0);
}

static bool is_in_tree(pid_t pid, pid_t leader, const char *const *mark)
{
	struct leat_forest forest;
	struct leat_tree tree;
	bool member;

	find_tree(&tree, &forest, leader, mark);
	member = is_member(&tree, pid);
	leat_tree_finish(&tree);
	leat_forest_finish(&forest);
	return member;
}

static void signal_tree(pid_t leader, int number)
{
	struct leat_forest forest;
	struct leat_tree tree;

	find_tree(&tree, &forest, leader, scene_mark);
	leat_tree_signal(&tree, leader, number);
	leat_tree_finish(&tree);
	leat_forest_finish(&forest);
}

static pid_t leader, other;

// Run a script that tells its own pid and another's; then look at its tree.
static void begin(const char *script)
{
	make_fifo("leader");
	make_fifo("other");
	scene_start(script);
	leader = read_pid("leader");
	other = read_pid("other");
}

static void end(void)
{
	leat_context_cancel(scene.kill, 1);
	scene_join();
	assert_true(has_ended(leader));
}

static void the_forest_is_sorted_and_holds_this_process(void **state)
{
	const struct leat_process_entry *self;
	struct leat_forest forest;

	(void)state;
	assert_int_equal(leat_forest_read(&forest, NULL, 0), 0);
	for (size_t index = 1; index < forest.count; index++)
		assert_true(forest.entries[index - 1].pid < forest.entries[index].pid);
	self = leat_forest_find(&forest, getpid());
	assert_non_null(self);
	assert_int_equal(self->parent, getppid());
	assert_int_equal(self->group, getpgrp());
	assert_int_equal(self->session, getsid(0));
	leat_forest_finish(&forest);
	assert_null(forest.entries);
}

static void a_child_and_a_grandchild_are_found(void **state)
{
	(void)state;
	begin("sh -c 'sleep 300 & echo $! >other; wait' & echo $$ >leader; wait");
	assert_true(is_in_tree(leader, leader, NULL));
	assert_true(is_in_tree(other, leader, NULL));
	end();
	assert_true(has_ended(other));
}

static void what_left_the_session_is_found_by_its_parent(void **state)
{
	(void)state;
	begin("echo $$ >leader; setsid sh -c 'echo $$ >other; exec sleep 300' & wait");
	assert_int_equal(getsid(other), other);
	assert_true(is_in_tree(other, leader, NULL));
	end();
	assert_true(has_ended(other));
}

static void an_orphan_is_found_by_its_session(void **state)
{
	(void)state;
	begin("echo $$ >leader; sh -c 'env -i sleep 300 & echo $! >told'; "
	      "cat told >other; exec sleep 300");
	assert_int_equal(getsid(other), leader);
	assert_true(is_in_tree(other, leader, NULL));
	end();
	assert_true(has_ended(other));
}

// An orphan in a session of its own, with nothing but what `before` leaves it.
static void begin_daemon(const char *before)
{
	char script[512];

	make_fifo("never");
	snprintf(script, sizeof script,
		"echo $$ >leader; %s setsid sh -c 'sh -c \"echo \\$\\$ >told; "
		"read line <never\" & while ! [ -s told ]; do :; done'; "
		"cat told >other; exec sleep 300",
		before);
	begin(script);
}

static void a_daemon_is_found_by_its_mark(void **state)
{
	(void)state;
	begin_daemon("");
	assert_true(is_in_tree(other, leader, scene_mark));
	assert_false(is_in_tree(other, leader, NULL));
	end();
	assert_true(has_ended(other));
}

static void a_daemon_is_found_in_the_midst_of_an_exec(void **state)
{
	(void)state;
	scratch_write("again", "exec sh ./again\n");
	begin("echo $$ >leader; setsid sh -c 'sh -c \"echo \\$\\$ >told; exec sh "
	      "./again\" "
	      "& while ! [ -s told ]; do :; done'; cat told >other; exec sleep 300");
	for (int turn = 0; turn < 300; turn++)
		assert_true(is_in_tree(other, leader, scene_mark));
	end();
	assert_true(has_ended(other));
}

static void all_of_a_mark_must_match(void **state)
{
	static const char *const more[] = {"LEAT_UNIT_MARK=one", "LEAT_OTHER=two", NULL};
	static const char *const prefix[] = {"LEAT_UNIT_MARK=on", NULL};

	(void)state;
	begin_daemon("");
	assert_false(is_in_tree(other, leader, more));
	assert_false(is_in_tree(other, leader, prefix));
	end();
}

static void a_mark_behind_a_large_environment_is_found(void **state)
{
	(void)state;
	begin_daemon("LARGE=$(head -c 50000 /dev/zero | tr '\\0' x)");
	assert_true(is_in_tree(other, leader, scene_mark));
	end();
	assert_true(has_ended(other));
}

static void an_unrelated_process_is_not_of_the_tree(void **state)
{
	(void)state;
	begin_daemon("LEAT_UNIT_MARK=two");
	assert_false(is_in_tree(getpid(), leader, scene_mark));
	assert_false(is_in_tree(getppid(), leader, scene_mark));
	assert_false(is_in_tree(1, leader, scene_mark));
	assert_false(is_in_tree(other, leader, scene_mark));
	end();
	assert_false(has_ended(other));
	kill_and_reap(other);
}

static void a_zombie_is_not_of_the_forest(void **state)
{
	struct leat_forest forest;

	(void)state;
	begin("sh -c 'echo $$ >other' & echo $$ >leader; exec sleep 300");
	await_state(other, "Z");
	assert_int_equal(leat_forest_read(&forest, NULL, 0), 0);
	assert_null(leat_forest_find(&forest, other));
	assert_non_null(leat_forest_find(&forest, leader));
	leat_forest_finish(&forest);
	end();
}

static void a_name_with_brackets_is_read_all_the_same(void **state)
{
	(void)state;
	assert_int_equal(symlink("/bin/sleep", "a) Z 1 (b"), 0);
	begin("echo $$ >leader; './a) Z 1 (b' 300 & echo $! >other; wait");
	assert_true(is_in_tree(other, leader, NULL));
	end();
	assert_true(has_ended(other));
}

static void a_signal_reaches_the_group_and_those_outside_of_it(void **state)
{
	(void)state;
	begin("echo $$ >leader; setsid sh -c 'echo $$ >other; exec sleep 300' & wait");
	signal_tree(leader, SIGSTOP);
	await_state(leader, "T");
	await_state(other, "T");
	signal_tree(leader, SIGCONT);
	await_state(leader, "SR");
	await_state(other, "SR");
	end();
}

static int survivor_of(pid_t pid)
{
	struct leat_forest forest;
	struct leat_tree tree;
	int fd;

	find_tree(&tree, &forest, pid, scene_mark);
	fd = leat_tree_survivor(&tree, pid);
	leat_tree_finish(&tree);
	leat_forest_finish(&forest);
	return fd;
}

static void a_survivors_descriptor_tells_its_end(void **state)
{
	struct pollfd polled = {.events = POLLIN};

	(void)state;
	begin("echo $$ >leader; sleep 300 & echo $! >other; wait; exec sleep 300");
	polled.fd = survivor_of(leader);
	assert_true(polled.fd >= 0);
	assert_int_equal(poll(&polled, 1, 0), 0);
	assert_int_equal(kill(other, SIGKILL), 0);
	assert_int_equal(poll(&polled, 1, -1), 1);
	close(polled.fd);
	end();
}

static void a_leader_alone_has_no_survivor(void **state)
{
	(void)state;
	begin("echo $$ >leader; echo $$ >other; exec sleep 300");
	assert_int_equal(survivor_of(leader), -ENOENT);
	end();
}

static void who_may_not_be_signaled_is_no_survivor(void **state)
{
	int fd;

	(void)state;
	if (geteuid() != 0)
		skip(); // only root can become somebody else for a moment
	begin("echo $$ >leader; sleep 300 & echo $! >other; wait; exec sleep 300");
	assert_int_equal(setresuid(65534, 65534, 0), 0);
	fd = survivor_of(leader);
	assert_int_equal(setresuid(0, 0, 0), 0);
	assert_int_equal(fd, -ENOENT);
	fd = survivor_of(leader);
	assert_true(fd >= 0);
	close(fd);
	end();
}

static void a_stranger_with_a_seen_pid_is_not_taken_for_the_survivor(void **state)
{
	struct leat_forest forest;
	struct leat_tree tree;

	(void)state;
	begin("echo $$ >leader; sleep 300 & echo $! >other; wait");
	find_tree(&tree, &forest, leader, NULL);
	for (size_t index = 0; index < forest.count; index++)
		forest.entries[index].start_ticks++; // as if the pid were another's now
	assert_int_equal(leat_tree_survivor(&tree, leader), -EAGAIN);
	leat_tree_finish(&tree);
	leat_forest_finish(&forest);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_forest_is_sorted_and_holds_this_process),
		TEST(a_child_and_a_grandchild_are_found),
		TEST(what_left_the_session_is_found_by_its_parent),
		TEST(an_orphan_is_found_by_its_session),
		TEST(a_daemon_is_found_by_its_mark),
		TEST(a_daemon_is_found_in_the_midst_of_an_exec),
		TEST(all_of_a_mark_must_match),
		TEST(a_mark_behind_a_large_environment_is_found),
		TEST(an_unrelated_process_is_not_of_the_tree),
		TEST(a_zombie_is_not_of_the_forest),
		TEST(a_name_with_brackets_is_read_all_the_same),
		TEST(a_signal_reaches_the_group_and_those_outside_of_it),
		TEST(a_survivors_descriptor_tells_its_end),
		TEST(a_leader_alone_has_no_survivor),
		TEST(who_may_not_be_signaled_is_no_survivor),
		TEST(a_stranger_with_a_seen_pid_is_not_taken_for_the_survivor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
