/* The failed tasks once more: which of them, and how much of each. */
#include "unit.h"

#include "report/recap.h"

#include <stdlib.h>
#include <string.h>

static void add(struct recap *recap, uint64_t sequence, const char *err)
{
	struct recap_task task = {.sequence = sequence, .elapsed_ns = 1500000000};

	text_format(&task.command, "command");
	text_format(&task.reason, "exit 2");
	text_append(&task.err, err, strlen(err));
	recap_add(recap, &task);
}

static void check(
	struct recap *recap, uint64_t failed, struct recap_page page, const char *wanted)
{
	struct text text = {0};

	recap_append(recap, failed, &page, &text);
	assert_string_equal(text.bytes, wanted);
	text_finish(&text);
}

static void each_has_its_last_lines(void **state)
{
	struct recap *recap = recap_create();

	(void)state;
	add(recap, 3, "1\n2\n3\n4\n");
	add(recap, 5, "");
	check(recap, 2, (struct recap_page){.rows = 40, .columns = 80, .rows_each = 3},
		"leat: 2 tasks failed:\n"
		"    task 3: exit 2 after 1.5s: command\n"
		"      2\n      3\n      4\n"
		"    task 5: exit 2 after 1.5s: command\n");
	recap_destroy(recap);
}

static void there_are_no_more_rows_than_the_page_has(void **state)
{
	struct recap *recap = recap_create();

	(void)state;
	for (uint64_t sequence = 1; sequence <= 300; sequence++)
		add(recap, sequence, "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n");
	for (size_t rows = 4; rows < 400; rows++) {
		struct recap_page page = {.rows = rows, .columns = 80, .rows_each = 10};
		struct text text = {0};
		size_t lines = 0;

		recap_append(recap, 300, &page, &text);
		for (size_t index = 0; index < text.length; index++)
			lines += text.bytes[index] == '\n';
		assert_in_range(lines, 4, rows);
		assert_non_null(strstr(text.bytes, "\n    and "));
		assert_string_equal(
			text.bytes + text.length - strlen(" more\n"), " more\n");
		text_finish(&text);
	}
	recap_destroy(recap);
}

static void what_is_left_out_is_counted(void **state)
{
	struct recap *recap = recap_create();

	(void)state;
	add(recap, 1, "a\n");
	add(recap, 2, "b\n");
	add(recap, 3, "c\n");
	check(recap, 7, (struct recap_page){.rows = 4, .columns = 80, .rows_each = 9},
		"leat: 7 tasks failed:\n"
		"    task 1: exit 2 after 1.5s: command\n"
		"    task 2: exit 2 after 1.5s: command\n"
		"    and 5 more\n");
	recap_destroy(recap);
}

static void lines_are_cut_and_controls_shown(void **state)
{
	struct recap *recap = recap_create();

	(void)state;
	add(recap, 1, "\001 a line that is much too long\n");
	check(recap, 1,
		(struct recap_page){
			.rows = 9, .columns = 20, .rows_each = 9, .color = true},
		"leat: 1 task failed:\n"
		"\033[31m    task 1: exit ...\033[0m\n"
		"      ^A a line t...\n");
	recap_destroy(recap);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_has_its_last_lines),
		cmocka_unit_test(there_are_no_more_rows_than_the_page_has),
		cmocka_unit_test(what_is_left_out_is_counted),
		cmocka_unit_test(lines_are_cut_and_controls_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
