/* What became of every task, and how leat says so. */
#include "unit.h"

#include "account.h"
#include "exit_status.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static void each_outcome_has_its_class(void **state)
{
	static const struct {
		struct leat_outcome outcome;
		enum task_end end;
	} rows[] = {
		{{.end = LEAT_EXITED, .code = 0}, TASK_OK},
		{{.end = LEAT_EXITED, .code = 1}, TASK_FAILED},
		{{.end = LEAT_EXITED, .code = 255}, TASK_FAILED},
		{{.end = LEAT_NOT_STARTED, .code = ENOENT}, TASK_FAILED},
		{{.end = LEAT_NOT_STARTED, .code = 0}, TASK_FAILED},
		{{.end = LEAT_SIGNALED, .code = SIGSEGV}, TASK_CRASHED},
		{{.end = LEAT_SIGNALED, .code = 15, .ended_by = LEAT_BY_TIMEOUT},
			TASK_TIMED_OUT},
		{{.end = LEAT_EXITED, .code = 0, .ended_by = LEAT_BY_TIMEOUT},
			TASK_TIMED_OUT},
		{{.end = LEAT_SIGNALED, .code = 9, .ended_by = LEAT_BY_DEADLINE},
			TASK_TIMED_OUT},
		{{.end = LEAT_SIGNALED, .code = 15, .ended_by = LEAT_BY_CANCEL},
			TASK_CANCELED},
		{{.end = LEAT_EXITED, .code = 3, .ended_by = LEAT_BY_CANCEL},
			TASK_CANCELED},
	};

	(void)state;
	for (size_t index = 0; index < sizeof rows / sizeof *rows; index++)
		assert_int_equal(account_classify(&rows[index].outcome), rows[index].end);
}

static void assert_line(const struct leat_outcome *outcome,
	const struct task_trouble *trouble, const char *expected)
{
	struct text line = {0};

	account_append_task(&line, 17, outcome, trouble, 30 * LEAT_SECOND_NS, "make -C b",
		strlen("make -C b"));
	assert_string_equal(line.bytes, expected);
	text_finish(&line);
}

static void each_outcome_has_its_words(void **state)
{
	static const struct {
		struct leat_outcome outcome;
		const char *line;
	} rows[] = {
		{{.end = LEAT_EXITED, .code = 2}, "leat: task 17: exit 2: make -C b\n"},
		{{.end = LEAT_SIGNALED, .code = 9},
			"leat: task 17: signal 9: make -C b\n"},
		{{.end = LEAT_SIGNALED, .code = 11, .core_dumped = true},
			"leat: task 17: signal 11 (core dumped): make -C b\n"},
		{{.end = LEAT_NOT_STARTED, .code = ENOENT},
			"leat: task 17: not found: make -C b\n"},
		{{.end = LEAT_NOT_STARTED, .code = ENOTDIR},
			"leat: task 17: not found: make -C b\n"},
		{{.end = LEAT_NOT_STARTED, .code = EACCES},
			"leat: task 17: cannot be run: Permission denied: make -C b\n"},
		{{.end = LEAT_SIGNALED, .code = 15, .ended_by = LEAT_BY_TIMEOUT},
			"leat: task 17: timed out after 30s: make -C b\n"},
		{{.end = LEAT_SIGNALED, .code = 15, .ended_by = LEAT_BY_DEADLINE},
			"leat: task 17: timed out at the deadline: make -C b\n"},
		{{.end = LEAT_EXITED, .code = 0, .ended_by = LEAT_BY_CANCEL},
			"leat: task 17: canceled: make -C b\n"},
	};

	(void)state;
	for (size_t index = 0; index < sizeof rows / sizeof *rows; index++)
		assert_line(&rows[index].outcome, &(struct task_trouble){0},
			rows[index].line);
}

static void a_trouble_of_leats_own_has_its_words(void **state)
{
	const struct leat_outcome outcome = {.end = LEAT_EXITED};

	(void)state;
	assert_line(&outcome, &(struct task_trouble){.error = -EINVAL, .words = "a NUL"},
		"leat: task 17: cannot be run: a NUL: make -C b\n");
	assert_line(&outcome, &(struct task_trouble){.error = -ENOMEM},
		"leat: task 17: cannot be run: Cannot allocate memory: make -C b\n");
}

static void a_command_is_shown_cut_and_without_controls(void **state)
{
	const struct leat_outcome outcome = {.end = LEAT_EXITED, .code = 1};
	struct text line = {0};
	char *command = malloc(1000);

	(void)state;
	assert_non_null(command);
	memset(command, 'x', 1000);
	memcpy(command, "\x1b[1m\n", 5);
	account_append_task(
		&line, UINT64_MAX, &outcome, &(struct task_trouble){0}, 0, command, 1000);
	assert_non_null(
		strstr(line.bytes, "task 18446744073709551615: exit 1: ^[[1m^Jx"));
	assert_in_range(line.length, 200, 300);
	assert_non_null(strstr(line.bytes, "x…\n"));
	assert_ptr_equal(strchr(line.bytes, '\n'), line.bytes + line.length - 1);
	text_finish(&line);
	free(command);
}

static void count(struct account *account, enum task_end end, int times)
{
	for (; times; times--)
		account_count(account, end);
}

static void assert_summary(const struct account *account, const char *expected)
{
	struct text line = {0};

	account_append_summary(&line, account, 12300 * INT64_C(1000000), false);
	assert_string_equal(line.bytes, expected);
	text_finish(&line);
}

static void the_summary_has_every_count_that_is_not_0(void **state)
{
	struct account account = {0};

	(void)state;
	count(&account, TASK_OK, 100);
	count(&account, TASK_FAILED, 3);
	count(&account, TASK_CRASHED, 1);
	count(&account, TASK_TIMED_OUT, 1);
	count(&account, TASK_CANCELED, 2);
	count(&account, TASK_UNRUN, 13);
	assert_int_equal(account_total(&account), 120);
	assert_summary(&account,
		"leat: 120 tasks in 12.3s: 100 ok, 3 failed, 1 crashed, 1 timed out, "
		"2 canceled, 13 unrun\n");
}

static void the_summary_always_has_unrun(void **state)
{
	struct account account = {0};

	(void)state;
	assert_summary(&account, "leat: 0 tasks in 12.3s: 0 unrun\n");
	count(&account, TASK_OK, 1);
	assert_summary(&account, "leat: 1 task in 12.3s: 1 ok, 0 unrun\n");
	count(&account, TASK_FAILED, 1);
	assert_summary(&account, "leat: 2 tasks in 12.3s: 1 ok, 1 failed, 0 unrun\n");
}

static void a_count_that_may_be_short_says_so(void **state)
{
	struct account account = {0};

	(void)state;
	count(&account, TASK_OK, 2);
	count(&account, TASK_UNRUN, 13);
	atomic_store(&account.input_cut, true);
	assert_summary(&account, "leat: 15+ tasks in 12.3s: 2 ok, 13+ unrun\n");
}

static void the_greater_trouble_is_the_exit_status(void **state)
{
	struct account account = {0};

	(void)state;
	assert_int_equal(account_exit_status(&account), EXIT_ALL_OK);
	count(&account, TASK_OK, 5);
	count(&account, TASK_UNRUN, 1);
	assert_int_equal(account_exit_status(&account), EXIT_ALL_OK);
	count(&account, TASK_FAILED, 1);
	assert_int_equal(account_exit_status(&account), EXIT_TASK_TROUBLE);
	atomic_store(&account.deadline_hit, true);
	assert_int_equal(account_exit_status(&account), EXIT_DEADLINE);
	atomic_store(&account.leat_trouble, true);
	assert_int_equal(account_exit_status(&account), EXIT_LEAT_TROUBLE);
}

static void each_kind_of_failure_is_exit_123(void **state)
{
	static const enum task_end ends[] = {TASK_FAILED, TASK_CRASHED, TASK_TIMED_OUT};

	(void)state;
	for (size_t index = 0; index < sizeof ends / sizeof *ends; index++) {
		struct account account = {0};

		count(&account, ends[index], 1);
		assert_int_equal(account_exit_status(&account), 123);
	}
}

static void the_exit_statuses_are_the_contracts(void **state)
{
	(void)state;
	assert_int_equal(EXIT_ALL_OK, 0);
	assert_int_equal(EXIT_USAGE, 2);
	assert_int_equal(EXIT_TASK_TROUBLE, 123);
	assert_int_equal(EXIT_DEADLINE, 124);
	assert_int_equal(EXIT_LEAT_TROUBLE, 125);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_outcome_has_its_class),
		cmocka_unit_test(each_outcome_has_its_words),
		cmocka_unit_test(a_trouble_of_leats_own_has_its_words),
		cmocka_unit_test(a_command_is_shown_cut_and_without_controls),
		cmocka_unit_test(the_summary_has_every_count_that_is_not_0),
		cmocka_unit_test(the_summary_always_has_unrun),
		cmocka_unit_test(a_count_that_may_be_short_says_so),
		cmocka_unit_test(the_greater_trouble_is_the_exit_status),
		cmocka_unit_test(each_kind_of_failure_is_exit_123),
		cmocka_unit_test(the_exit_statuses_are_the_contracts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
