/* Tokens: who gets one, who waits, and that each goes back as it came. */
#include "unit.h"

#include "jobserver.h"

#include "scratch.h"
#include "thread.h"

#include <errno.h>
#include <sys/ioctl.h>

static struct jobserver *jobserver;
static struct leat_context *context;
static int ends[2];       // of a pipe with tokens, make's part
static atomic_int losses; // how often it was told that there are no tokens any more

static void count_loss(void *argument, int error)
{
	(void)argument;
	assert_true(error < 0);
	losses++;
}

static int setup(void **state)
{
	(void)state;
	jobserver = NULL;
	losses = 0;
	if (scratch_make() < 0 || pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	return leat_context_create(&context, NULL, LEAT_NEVER);
}

static int teardown(void **state)
{
	jobserver_destroy(jobserver);
	leat_context_destroy(context);
	close(ends[0]);
	close(ends[1]);
	return scratch_teardown(state);
}

static int join(int read_fd, int write_fd)
{
	struct makeflags makeflags = {
		.style = JOBSERVER_PIPE, .read_fd = read_fd, .write_fd = write_fd};

	return jobserver_join(&jobserver, &makeflags);
}

static int join_fifo(const char *path)
{
	struct makeflags makeflags = {.style = JOBSERVER_FIFO};
	int error;

	text_append(&makeflags.path, path, strlen(path));
	error = jobserver_join(&jobserver, &makeflags);
	makeflags_finish(&makeflags);
	return error;
}

static void start(void)
{
	assert_int_equal(jobserver_start(jobserver, context, count_loss, NULL), 0);
}

static void join_with(const char *tokens)
{
	assert_int_equal(write(ends[1], tokens, strlen(tokens)), strlen(tokens));
	assert_int_equal(join(ends[0], ends[1]), 0);
	start();
}

static void serve(unsigned jobs, bool fifo)
{
	assert_int_equal(jobserver_serve(&jobserver, jobs, fifo, ".", NULL), 0);
	start();
}

static int enter(void)
{
	int token;

	assert_int_equal(jobserver_enter(jobserver, &token), 0);
	assert_int_not_equal(token, JOBSERVER_NO_TOKEN);
	return token;
}

static void leave(int token)
{
	jobserver_leave(jobserver, &token);
	assert_int_equal(token, JOBSERVER_NO_TOKEN);
}

static int count_bytes(int fd)
{
	int count = -1;

	assert_int_equal(ioctl(fd, FIONREAD, &count), 0);
	return count;
}

static int served_bytes(void)
{
	size_t count;
	const int *fds = jobserver_fds(jobserver, &count);

	assert_int_equal(count, 2);
	return count_bytes(fds[0]);
}

static void the_first_task_needs_no_byte_and_the_others_one_each(void **state)
{
	int first, second, third;

	(void)state;
	join_with("xy");
	first = enter();
	assert_int_equal(count_bytes(ends[0]), 2);
	second = enter();
	third = enter();
	assert_int_equal(count_bytes(ends[0]), 0);
	leave(second);
	leave(first);
	leave(third);
	assert_int_equal(count_bytes(ends[0]), 2);
}

static void the_very_same_bytes_go_back(void **state)
{
	char bytes[3], first;
	int own, token;

	(void)state;
	join_with("\377q");
	own = enter();
	token = enter();
	assert_int_equal(token, 0xff);
	leave(token);
	assert_int_equal(read(ends[0], bytes, 3), 2);
	assert_memory_equal(bytes, "q\377", 2);
	leave(own);
	first = '\0';
	assert_int_equal(write(ends[1], &first, 1), 1);
	own = enter();
	leave(enter());
	assert_int_equal(read(ends[0], bytes, 3), 1);
	assert_int_equal(bytes[0], '\0');
	leave(own);
}

static void leaving_twice_gives_back_once(void **state)
{
	int token, other;

	(void)state;
	join_with("a");
	other = enter();
	token = enter();
	jobserver_leave(jobserver, &token);
	jobserver_leave(jobserver, &token);
	assert_int_equal(count_bytes(ends[0]), 1);
	leave(other);
	assert_int_equal(count_bytes(ends[0]), 1);
}

struct waiter {
	struct thread thread;
	int result, token;
};

static void wait_for_token(void *argument)
{
	struct waiter *waiter = argument;

	waiter->result = jobserver_enter(jobserver, &waiter->token);
}

static void start_waiter(struct waiter *waiter)
{
	thread_start(&waiter->thread, wait_for_token, waiter);
	thread_await_sleep(&waiter->thread);
}

static void who_waits_gets_leats_own_token_when_it_is_left(void **state)
{
	struct waiter waiter;
	int own;

	(void)state;
	join_with("");
	own = enter();
	start_waiter(&waiter);
	leave(own);
	thread_join(&waiter.thread);
	assert_int_equal(waiter.result, 0);
	assert_int_equal(waiter.token, own);
	leave(waiter.token);
}

static void who_waits_gets_a_byte_that_others_give_back(void **state)
{
	struct waiter waiters[2];
	int own;

	(void)state;
	join_with("");
	own = enter();
	start_waiter(&waiters[0]);
	start_waiter(&waiters[1]);
	assert_int_equal(write(ends[1], "mn", 2), 2);
	for (int index = 0; index < 2; index++) {
		thread_join(&waiters[index].thread);
		assert_int_equal(waiters[index].result, 0);
		leave(waiters[index].token);
	}
	leave(own);
	assert_int_equal(count_bytes(ends[0]), 2);
}

static void all_who_wait_go_when_the_context_ends(void **state)
{
	struct waiter waiters[3];
	int own;

	(void)state;
	join_with("");
	own = enter();
	for (int index = 0; index < 3; index++)
		start_waiter(&waiters[index]);
	leat_context_cancel(context, 1);
	for (int index = 0; index < 3; index++) {
		thread_join(&waiters[index].thread);
		assert_int_equal(waiters[index].result, -ECANCELED);
		assert_int_equal(waiters[index].token, JOBSERVER_NO_TOKEN);
	}
	leave(own);
}

static void a_deadline_ends_the_wait_and_then_no_token_is_taken(void **state)
{
	struct leat_context *whole = context;
	int own, token;

	(void)state;

	assert_int_equal(leat_context_create(&context, whole,
				 leat_context_now(whole) + LEAT_SECOND_NS / 20),
		0);
	join_with("");
	own = enter();
	assert_int_equal(jobserver_enter(jobserver, &token), -ECANCELED);
	assert_int_equal(write(ends[1], "a", 1), 1);
	assert_int_equal(jobserver_enter(jobserver, &token), -ECANCELED);
	assert_int_equal(count_bytes(ends[0]), 1);
	leave(own);
	leat_context_destroy(context);
	context = whole;
}

static void the_flags_that_others_share_are_left_alone(void **state)
{
	int before[2] = {fcntl(ends[0], F_GETFL), fcntl(ends[1], F_GETFL)};
	int own;

	(void)state;
	join_with("a");
	own = enter();
	leave(enter());
	leave(own);
	assert_int_equal(fcntl(ends[0], F_GETFL), before[0]);
	assert_int_equal(fcntl(ends[1], F_GETFL), before[1]);
}

static void numbers_that_are_not_the_ends_of_one_pipe_are_out_of_reach(void **state)
{
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC), other[2];

	(void)state;
	assert_int_equal(pipe2(other, O_CLOEXEC), 0);
	assert_int_equal(join(ends[0], other[1]), -EBADF);
	assert_int_equal(join(null_fd, null_fd), -EBADF);
	assert_int_equal(join(ends[0], null_fd), -EBADF);
	assert_int_equal(join(900, 901), -EBADF);
	assert_int_equal(join(STDIN_FILENO, STDOUT_FILENO), -EBADF);
	close(other[0]);
	close(other[1]);
	assert_int_equal(join(ends[0], other[1]), -EBADF);
	close(null_fd);
	assert_null(jobserver);
}

static void a_path_that_is_no_fifo_is_out_of_reach(void **state)
{
	(void)state;
	scratch_write("file", "++++");
	assert_int_equal(join_fifo("missing"), -ENOENT);
	assert_int_equal(join_fifo("file"), -EPERM); // nothing to wait for
	assert_int_equal(join_fifo("/"), -EISDIR);
	assert_int_equal(join_fifo("/dev/zero"), -EPERM);
	assert_null(jobserver);
}

static void without_a_jobserver_nobody_waits(void **state)
{
	struct makeflags makeflags = {.style = JOBSERVER_NONE};
	int token;

	(void)state;
	assert_int_equal(jobserver_join(&jobserver, &makeflags), 0);
	assert_null(jobserver);
	assert_int_equal(jobserver_enter(NULL, &token), 0);
	jobserver_leave(NULL, &token);
}

// A terminal that is hung up is at its end; a pipe that is open for writing never is.
static void a_jobserver_at_its_end_is_told_of_once_and_leats_own_token_remains(
	void **state)
{
	int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), own;
	struct waiter waiter;

	(void)state;
	assert_true(terminal >= 0 && unlockpt(terminal) == 0);
	assert_int_equal(join_fifo(ptsname(terminal)), 0);
	start();
	own = enter();
	start_waiter(&waiter);
	close(terminal);
	while (!losses)
		sched_yield();
	thread_await_sleep(&waiter.thread);
	leave(own);
	thread_join(&waiter.thread);
	assert_int_equal(waiter.result, 0);
	assert_int_equal(waiter.token, own);
	leave(own);
	assert_int_equal(losses, 1);
}

static void serving_makes_a_byte_for_each_slot_but_leats_own(void **state)
{
	int tokens[3];

	(void)state;
	serve(3, false);
	assert_int_equal(served_bytes(), 2);
	for (int index = 0; index < 3; index++)
		tokens[index] = enter();
	assert_int_equal(served_bytes(), 0);
	for (int index = 0; index < 3; index++)
		leave(tokens[index]);
	assert_int_equal(served_bytes(), 2);
}

static void one_slot_has_no_byte(void **state)
{
	(void)state;
	serve(1, false);
	leave(enter());
	assert_int_equal(served_bytes(), 0);
}

static void more_slots_than_a_pipe_has_room_are_what_fits(void **state)
{
	int own, token, bytes;

	(void)state;
	serve(1 << 21, false);
	bytes = served_bytes();
	assert_true(bytes >= 4096);
	own = enter();
	for (int times = 0; times < 3; times++) {
		token = enter();
		leave(token); // each goes back
		assert_int_equal(served_bytes(), bytes);
	}
	leave(own);
	assert_int_equal(losses, 0);
}

static void what_was_lost_is_made_good_when_nobody_is_at_work(void **state)
{
	size_t count;
	char bytes[4];
	int own, token;

	(void)state;
	serve(4, false);
	own = enter();
	token = enter();
	assert_int_equal(read(jobserver_fds(jobserver, &count)[0], bytes, 2), 2);
	leave(own);
	assert_int_equal(
		served_bytes(), 0); // one is at work, and may have what is missing
	leave(token);
	assert_int_equal(served_bytes(), 3);
	own = enter();
	assert_int_equal(write(jobserver_fds(jobserver, &count)[1], "++", 2), 2);
	leave(own);
	assert_int_equal(served_bytes(), 3);
}

static void what_serves_is_not_in_the_way_of_a_shells_numbers(void **state)
{
	size_t count;
	const int *fds;

	(void)state;
	serve(2, false);
	fds = jobserver_fds(jobserver, &count);
	assert_true(fds[0] >= 10 && fds[1] >= 10);
	assert_int_equal(fcntl(fds[0], F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(fds[1], F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(fds[0], F_GETFL) & O_NONBLOCK, 0);
}

static void a_fifo_is_private_and_is_removed(void **state)
{
	struct makeflags makeflags;
	struct stat status;
	size_t count;
	char *slash;
	int fd;

	(void)state;
	serve(3, true);
	jobserver_fds(jobserver, &count);
	assert_int_equal(count, 0);
	makeflags_parse(&makeflags, jobserver_variable(jobserver) + strlen("MAKEFLAGS="));
	assert_int_equal(makeflags.jobs, 3);
	assert_int_equal(makeflags.style, JOBSERVER_FIFO);
	assert_int_equal(makeflags.path.bytes[0], '/');
	fd = open(makeflags.path.bytes, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	assert_int_equal(count_bytes(fd), 2);
	close(fd);
	slash = strrchr(makeflags.path.bytes, '/');
	*slash = '\0';
	assert_int_equal(stat(makeflags.path.bytes, &status), 0);
	assert_int_equal(status.st_mode, S_IFDIR | 0700);
	makeflags_finish(&makeflags);
	jobserver_destroy(jobserver);
	jobserver = NULL;
	assert_int_equal(scratch_count("."), 0);
}

static void without_a_directory_there_is_no_fifo(void **state)
{
	(void)state;
	assert_int_equal(jobserver_serve(&jobserver, 2, true, "missing", NULL), -ENOENT);
	assert_int_equal(chmod(".", 0500), 0);
	if (access(".", W_OK) < 0)
		assert_int_equal(
			jobserver_serve(&jobserver, 2, true, ".", NULL), -EACCES);
	assert_int_equal(chmod(".", 0700), 0);
	assert_int_equal(scratch_count("."), 0);
}

#define WORKERS 8
#define ROUNDS 500
#define SLOTS 3

static atomic_int at_work, most_at_work;

static void work(void *argument)
{
	(void)argument;
	for (int round = 0; round < ROUNDS; round++) {
		int token = enter(), now = atomic_fetch_add(&at_work, 1) + 1;
		int most = atomic_load(&most_at_work);

		while (now > most &&
			!atomic_compare_exchange_weak(&most_at_work, &most, now))
			;
		if (round % 16 == 0)
			sched_yield();
		atomic_fetch_sub(&at_work, 1);
		leave(token);
	}
}

static void no_more_are_at_work_than_there_are_tokens(void **state)
{
	struct thread workers[WORKERS];

	(void)state;
	serve(SLOTS, true);
	for (int index = 0; index < WORKERS; index++)
		thread_start(&workers[index], work, NULL);
	for (int index = 0; index < WORKERS; index++)
		thread_join(&workers[index]);
	assert_true(most_at_work <= SLOTS);
	for (int index = 0; index < SLOTS; index++)
		enter();
	assert_int_equal(losses, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_first_task_needs_no_byte_and_the_others_one_each),
		TEST(the_very_same_bytes_go_back),
		TEST(leaving_twice_gives_back_once),
		TEST(who_waits_gets_leats_own_token_when_it_is_left),
		TEST(who_waits_gets_a_byte_that_others_give_back),
		TEST(all_who_wait_go_when_the_context_ends),
		TEST(a_deadline_ends_the_wait_and_then_no_token_is_taken),
		TEST(the_flags_that_others_share_are_left_alone),
		TEST(numbers_that_are_not_the_ends_of_one_pipe_are_out_of_reach),
		TEST(a_path_that_is_no_fifo_is_out_of_reach),
		TEST(without_a_jobserver_nobody_waits),
		TEST(a_jobserver_at_its_end_is_told_of_once_and_leats_own_token_remains),
		TEST(serving_makes_a_byte_for_each_slot_but_leats_own),
		TEST(one_slot_has_no_byte),
		TEST(more_slots_than_a_pipe_has_room_are_what_fits),
		TEST(what_was_lost_is_made_good_when_nobody_is_at_work),
		TEST(what_serves_is_not_in_the_way_of_a_shells_numbers),
		TEST(a_fifo_is_private_and_is_removed),
		TEST(without_a_directory_there_is_no_fifo),
		TEST(no_more_are_at_work_than_there_are_tokens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
