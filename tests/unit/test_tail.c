/* The journal's tail: what was told survives its teller, once, whole and in order. */
#include "unit.h"

#include "journal/tail.h"
#include "scratch.h"

#include <errno.h>
#include <sys/wait.h>

#define ID 0x1ea7

static struct tail *open_tail(void)
{
	struct tail *tail = NULL;
	pid_t holder;

	assert_int_equal(tail_open(&tail, "journal", true, &holder), 0);
	return tail;
}

static int add(struct tail *tail, uint64_t row, size_t bytes)
{
	char *command = malloc(bytes + 1);
	struct told told = {
		.entry = {.kind = ENTRY_BEGIN,
			.row = row,
			.command_bytes = (uint32_t)bytes,
			.has_input = row % 3 == 0,
			.input_bytes = row % 3 ? 0 : 5},
		.command = command,
		.input = row % 3 ? NULL : "input",
	};
	int error;

	assert_non_null(command);
	memset(command, 'a' + (int)(row % 26), bytes);
	error = tail_add(tail, &told);
	free(command);
	return error;
}

// What is expected of a replay, and what came.
struct seen {
	uint64_t next, count;
	int fail_at;
};

static int see(void *argument, const struct told *told)
{
	struct seen *seen = argument;
	const struct entry *entry = &told->entry;

	assert_int_equal(entry->row, seen->next);
	for (uint32_t index = 0; index < entry->command_bytes; index++)
		assert_int_equal(told->command[index], 'a' + (int)(entry->row % 26));
	if (entry->row % 3)
		assert_null(told->input);
	else
		assert_memory_equal(told->input, "input", 5);
	seen->next++;
	seen->count++;
	return seen->fail_at && seen->count == (uint64_t)seen->fail_at ? -7 : 0;
}

// Another opens the file, as after the death of who filled it.
static uint64_t replay(uint64_t ticket)
{
	struct seen seen = {.next = ticket + 1};
	struct tail *tail = open_tail();
	uint64_t last = ticket;

	assert_int_equal(tail_replay(tail, ID, &last, see, &seen), 0);
	assert_int_equal(last, ticket + seen.count);
	tail_close(tail, false);
	return seen.count;
}

// Whoever made the file may have summed up anything.
static void an_outcome_that_is_none_ends_what_is_handed_on(void **state)
{
	struct tail *tail = open_tail();
	struct told told = {.entry = {.kind = ENTRY_END, .row = 2, .outcome = 9}};

	(void)state;
	tail_begin(tail, ID, 0);
	assert_int_equal(add(tail, 1, 10), 0);
	assert_int_equal(tail_add(tail, &told), 0);
	assert_int_equal(add(tail, 3, 10), 0);
	tail_close(tail, false);
	assert_int_equal(replay(0), 1);
}

static void what_was_told_is_handed_on(void **state)
{
	struct tail *tail = open_tail();

	(void)state;
	tail_begin(tail, ID, 0);
	for (uint64_t row = 1; row <= 100; row++)
		assert_int_equal(add(tail, row, row * 7), 0);
	assert_int_equal(replay(0), 100);
	assert_int_equal(replay(60), 40);
	assert_int_equal(replay(100), 0);
	tail_close(tail, true);
	assert_int_equal(access("journal-tail", F_OK), -1);
}

static void what_ends_a_replay_is_told(void **state)
{
	struct tail *tail = open_tail();
	struct seen seen = {.next = 1, .fail_at = 3};
	uint64_t last = 0;

	(void)state;
	tail_begin(tail, ID, 0);
	for (uint64_t row = 1; row <= 9; row++)
		assert_int_equal(add(tail, row, 10), 0);
	assert_int_equal(tail_replay(tail, ID, &last, see, &seen), -7);
	assert_int_equal(seen.count, 3);
	tail_close(tail, true);
}

static void the_tail_of_another_journal_is_nothing(void **state)
{
	struct tail *tail = open_tail();

	(void)state;
	tail_begin(tail, ID + 1, 0);
	assert_int_equal(add(tail, 1, 10), 0);
	assert_int_equal(replay(0), 0);
	tail_close(tail, true);
}

// As a power cut leaves it. Record number 5 of ten, each of the same size.
static void damage_ends_what_counts(void **state)
{
	struct tail *tail = open_tail();
	struct batch batch;
	off_t middle;
	int fd;

	(void)state;
	tail_begin(tail, ID, 0);
	for (uint64_t row = 1; row <= 10; row++)
		assert_int_equal(add(tail, row, 8), 0);
	tail_get(tail, &batch);
	middle = (off_t)(batch.spans[0].to + batch.spans[1].to) / 2 + 60;
	fd = open("journal-tail", O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "\xff", 1, middle), 1);
	close(fd);
	assert_true(replay(0) >= 4 && replay(0) <= 6);
	tail_close(tail, true);
}

static int add_nothing(void *argument, const struct told *told)
{
	(void)told;
	++*(uint64_t *)argument;
	return 0;
}

// Random sizes and random commits: at any moment the file holds just what is not
// committed, and the memory the same.
static void at_any_moment_what_is_not_committed_is_there(void **state)
{
	struct tail *tail = open_tail();
	uint64_t row = 0, committed = 0, full = 0;

	(void)state;
	srand(5);
	tail_begin(tail, ID, 0);
	for (int round = 0; round < 3000; round++) {
		struct batch batch;
		uint64_t held = 0;
		size_t size = (size_t)rand() % (round % 7 ? 3000 : 90000);

		if (add(tail, row + 1, size) == 0)
			row++;
		else
			full++;
		if (rand() % 40 && row - committed < 300)
			continue;
		tail_get(tail, &batch);
		assert_int_equal(batch_each(&batch, add_nothing, &held), 0);
		assert_int_equal(held, row - committed);
		assert_int_equal(replay(committed), row - committed);
		// Some is added while the batch is being committed.
		for (int more = rand() % 3; more; more--)
			row += add(tail, row + 1, 500) == 0;
		tail_forget(tail, &batch);
		committed = batch.ticket;
		assert_int_equal(replay(committed), row - committed);
	}
	assert_true(full > 0);
	assert_true(committed > 1000);
	tail_close(tail, true);
}

static void what_finds_no_room_is_refused(void **state)
{
	struct tail *tail = open_tail();
	struct batch batch;
	uint64_t row = 0;
	int error;

	(void)state;
	tail_begin(tail, ID, 0);
	assert_int_equal(add(tail, 1, 600 * 1024), -E2BIG);
	assert_false(tail_is_full(tail));
	while ((error = add(tail, row + 1, 1000)) == 0)
		row++;
	assert_int_equal(error, -EAGAIN);
	assert_true(tail_is_full(tail));
	assert_int_equal(tail_ticket(tail), row);
	tail_get(tail, &batch);
	tail_forget(tail, &batch);
	assert_int_equal(add(tail, row + 1, 1000), 0);
	tail_close(tail, true);
}

// In a process of its own, until its input ends. Returns its pid.
static pid_t hold(int *end_fd)
{
	int ready[2], end[2];
	pid_t pid;
	char byte;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	assert_int_equal(pipe2(end, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		struct tail *tail;
		pid_t holder;

		close(end[1]);
		if (tail_open(&tail, "journal", true, &holder) < 0 ||
			!tail_lock_guard(tail, false) || write(ready[1], "", 1) < 0)
			_exit(1);
		_exit(read(end[0], &byte, 1) != 0);
	}
	close(ready[1]);
	close(end[0]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	*end_fd = end[1];
	return pid;
}

static void a_second_process_is_told_who_has_it(void **state)
{
	struct tail *tail;
	int end_fd, status;
	pid_t holder, pid = hold(&end_fd);

	(void)state;
	assert_int_equal(tail_open(&tail, "journal", true, &holder), -EBUSY);
	assert_int_equal(holder, pid);
	close(end_fd);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(tail_open(&tail, "journal", false, &holder), 0);
	assert_true(tail_lock_guard(tail, true));
	tail_close(tail, true);
}

static void without_make_there_must_be_one(void **state)
{
	struct tail *tail;
	pid_t holder;

	(void)state;
	assert_int_equal(tail_open(&tail, "journal", false, &holder), -ENOENT);
}

static void what_somebody_put_there_is_not_written_to(void **state)
{
	struct tail *tail;
	pid_t holder;

	(void)state;
	scratch_write("victim", "precious");
	assert_int_equal(symlink("victim", "journal-tail"), 0);
	assert_int_equal(tail_open(&tail, "journal", true, &holder), -EPERM);
	unlink("journal-tail");
	assert_int_equal(mkfifo("journal-tail", 0600), 0);
	assert_int_equal(tail_open(&tail, "journal", true, &holder), -EPERM);
	unlink("journal-tail");
	assert_int_equal(mkdir("journal-tail", 0700), 0);
	assert_int_equal(tail_open(&tail, "journal", true, &holder), -EISDIR);
	rmdir("journal-tail");
}

static void that_it_was_removed_is_seen(void **state)
{
	struct tail *tail = open_tail();

	(void)state;
	assert_true(tail_is_there(tail));
	unlink("journal-tail");
	assert_false(tail_is_there(tail));
	scratch_write("journal-tail", "another");
	assert_false(tail_is_there(tail));
	tail_close(tail, true);
	assert_int_equal(access("journal-tail", F_OK), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_was_told_is_handed_on),
		TEST(an_outcome_that_is_none_ends_what_is_handed_on),
		TEST(what_ends_a_replay_is_told),
		TEST(the_tail_of_another_journal_is_nothing),
		TEST(damage_ends_what_counts),
		TEST(at_any_moment_what_is_not_committed_is_there),
		TEST(what_finds_no_room_is_refused),
		TEST(a_second_process_is_told_who_has_it),
		TEST(without_make_there_must_be_one),
		TEST(what_somebody_put_there_is_not_written_to),
		TEST(that_it_was_removed_is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
