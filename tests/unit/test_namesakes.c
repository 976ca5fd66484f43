#include "unit.h"

#include "report/namesakes.h"

#include <string.h>

static void each_name_is_counted(void **state)
{
	struct namesakes *namesakes;

	(void)state;
	assert_int_equal(namesakes_create(&namesakes, 8), 0);
	assert_int_equal(namesakes_count(namesakes, "make", 4), 1);
	assert_int_equal(namesakes_count(namesakes, "", 0), 1);
	assert_int_equal(namesakes_count(namesakes, "make", 4), 2);
	assert_int_equal(namesakes_count(namesakes, "make", 3), 1);
	assert_int_equal(namesakes_count(namesakes, "make", 4), 3);
	assert_int_equal(namesakes_count(namesakes, "", 0), 2);
	namesakes_destroy(namesakes);
}

static void without_room_known_ones_are_counted_on(void **state)
{
	struct namesakes *namesakes;
	const char *letters = "abcdefgh";

	(void)state;
	assert_int_equal(namesakes_create(&namesakes, strlen(letters)), 0);
	for (size_t index = 0; letters[index]; index++)
		assert_int_equal(namesakes_count(namesakes, letters + index, 1), 1);
	assert_int_equal(namesakes_count(namesakes, "x", 1), 0);
	assert_int_equal(namesakes_count(namesakes, "x", 1), 0);
	for (size_t index = 0; letters[index]; index++)
		assert_int_equal(namesakes_count(namesakes, letters + index, 1), 2);
	namesakes_destroy(namesakes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_name_is_counted),
		cmocka_unit_test(without_room_known_ones_are_counted_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
