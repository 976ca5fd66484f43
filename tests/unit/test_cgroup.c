/* This process's cgroup, and those above it, in files that stand in for the kernel's. */
#include "unit.h"

#include "cgroup.h"

#include "fake_root.h"

#include <errno.h>

static struct cgroup cgroup;

// The directories from the cgroup upwards, with blanks between; "" where there is none.
static const char *ways(const char *controller)
{
	static char all[PATH_MAX];
	bool found = cgroup_find(&cgroup, "root", controller);

	*all = '\0';
	while (found) {
		strcat(strcat(all, cgroup.directory), " ");
		found = cgroup_rise(&cgroup);
	}
	return all;
}

static void the_way_up_ends_where_it_is_mounted(void **state)
{
	(void)state;
	write_mount(MOUNT_2, "/");
	write_below("/proc/self/cgroup", "0::/a/b\n");
	assert_string_equal(
		ways(NULL), "/sys/fs/cgroup/a/b /sys/fs/cgroup/a /sys/fs/cgroup ");
	write_below("/proc/self/cgroup", "0::/\n");
	assert_string_equal(ways(NULL), "/sys/fs/cgroup ");
}

static void a_hierarchy_of_version_1_is_known_by_its_controller(void **state)
{
	(void)state;
	write_mount(MOUNT_SET MOUNT_MEMORY, "/");
	write_below("/proc/self/cgroup", "5:cpuset:/no\n4:memory:/me\n0::/other\n");
	assert_string_equal(
		ways("memory"), "/sys/fs/cgroup/memory/me /sys/fs/cgroup/memory ");
	assert_string_equal(ways("blkio"), "");
}

static void without_the_files_there_is_none(void **state)
{
	(void)state;
	assert_string_equal(ways(NULL), "");
	write_below("/proc/self/cgroup", "0::/a\n");
	assert_string_equal(ways(NULL), "");
	write_below("/proc/self/mountinfo",
		"nonsense - \n\n - cgroup2\n1 2 3 - cgroup2 x y\n");
	assert_string_equal(ways(NULL), "");
}

static void what_is_mounted_may_be_a_part(void **state)
{
	(void)state;
	write_mount(MOUNT_2, "/docker/abc");
	write_below("/proc/self/cgroup", "0::/docker/abc\n");
	assert_string_equal(ways(NULL), "/sys/fs/cgroup ");
	write_below("/proc/self/cgroup", "0::/docker/abc/in\n");
	assert_string_equal(ways(NULL), "/sys/fs/cgroup/in /sys/fs/cgroup ");
}

static void a_part_that_it_is_not_in_does_not_count(void **state)
{
	(void)state;
	write_mount(MOUNT_2, "/docker/abc");
	write_below("/proc/self/cgroup", "0::/docker/abcd\n");
	assert_string_equal(ways(NULL), "");
	write_below("/proc/self/cgroup", "0::/\n");
	assert_string_equal(ways(NULL), "");
}

static void of_several_mounts_the_one_that_shows_most_counts(void **state)
{
	(void)state;
	write_below("/proc/self/cgroup", "0::/a/b\n");
	write_below("/proc/self/mountinfo",
		"1 2 0:27 /other /elsewhere rw - cgroup2 cgroup2 rw\n"
		"1 2 0:27 / /whole rw - cgroup2 cgroup2 rw\n"
		"1 2 0:27 /a/b /part rw - cgroup2 cgroup2 rw\n");
	assert_string_equal(ways(NULL), "/whole/a/b /whole/a /whole ");
}

static void what_lies_over_another_counts(void **state)
{
	(void)state;
	write_below("/proc/self/cgroup", "0::/\n");
	write_below("/proc/self/mountinfo",
		"1 2 0:27 /../.. /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
		"1 2 0:27 / /over rw - cgroup2 cgroup2 rw\n");
	assert_string_equal(ways(NULL), "/over ");
}

static void where_a_namespace_hides_its_name_what_is_above_counts(void **state)
{
	(void)state;
	write_mount(MOUNT_2, "/../..");
	write_below("/proc/self/cgroup", "0::/\n");
	assert_string_equal(ways(NULL), "/sys/fs/cgroup ");
	write_below("/proc/self/cgroup", "0::/in\n");
	assert_string_equal(ways(NULL), "/sys/fs/cgroup ");
	write_below("/proc/self/cgroup", "0::/../../in\n");
	assert_string_equal(ways(NULL), "/sys/fs/cgroup/in /sys/fs/cgroup ");
}

static void no_way_leads_out_of_a_mount(void **state)
{
	(void)state;
	write_mount(MOUNT_2, "/");
	write_below("/proc/self/cgroup", "0::/../x\n");
	assert_string_equal(ways(NULL), "");
	write_mount(MOUNT_2, "/../y");
	assert_string_equal(ways(NULL), "");
}

static void names_may_have_blanks_and_backslashes(void **state)
{
	(void)state;
	write_below("/proc/self/cgroup", "0::/app-a\\x2db c/in\n");
	write_below("/proc/self/mountinfo",
		"1 2 0:27 /app-a\\134x2db\\040c /sys/fs/c\\040g "
		"rw - cgroup2 cgroup2 rw\n");
	assert_string_equal(ways(NULL), "/sys/fs/c g/in /sys/fs/c g ");
}

static void a_file_is_read_as_far_as_there_is_room(void **state)
{
	char text[5];

	(void)state;
	write_mount(MOUNT_2, "/");
	write_below("/proc/self/cgroup", "0::/a\n");
	write_below("/sys/fs/cgroup/a/file", "12345678");
	assert_true(cgroup_find(&cgroup, "root", NULL));
	assert_int_equal(cgroup_read(&cgroup, "file", text, sizeof text), 0);
	assert_string_equal(text, "1234");
	assert_int_equal(cgroup_read(&cgroup, "none", text, sizeof text), -ENOENT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_way_up_ends_where_it_is_mounted),
		TEST(a_hierarchy_of_version_1_is_known_by_its_controller),
		TEST(without_the_files_there_is_none),
		TEST(what_is_mounted_may_be_a_part),
		TEST(a_part_that_it_is_not_in_does_not_count),
		TEST(of_several_mounts_the_one_that_shows_most_counts),
		TEST(what_lies_over_another_counts),
		TEST(where_a_namespace_hides_its_name_what_is_above_counts),
		TEST(no_way_leads_out_of_a_mount),
		TEST(names_may_have_blanks_and_backslashes),
		TEST(a_file_is_read_as_far_as_there_is_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
