/* The CPU quota, in trees of files that stand in for /proc and the cgroups. */
#include "unit.h"

#include "cpus.h"

#include "fake_root.h"

#include <sched.h>

static unsigned unlimited;

static unsigned usable(void)
{
	return cpus_usable("root");
}

static void without_files_the_affinity_mask_counts(void **state)
{
	cpu_set_t all, one;

	(void)state;
	assert_int_equal(sched_getaffinity(0, sizeof all, &all), 0);
	assert_int_equal(usable(), CPU_COUNT(&all));
	CPU_ZERO(&one);
	for (size_t cpu = 0; cpu < CPU_SETSIZE && !CPU_COUNT(&one); cpu++)
		if (CPU_ISSET(cpu, &all))
			CPU_SET(cpu, &one);
	assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
	unsigned single = usable();
	assert_int_equal(sched_setaffinity(0, sizeof all, &all), 0);
	assert_int_equal(single, 1);
}

static void a_quota_of_version_2_counts(void **state)
{
	(void)state;
	write_mount(MOUNT_2, "/");
	write_below("/proc/self/cgroup", "0::/user/me\n");
	write_below("/sys/fs/cgroup/user/me/cpu.max", "100000 100000\n");
	assert_int_equal(usable(), 1);
	write_below("/sys/fs/cgroup/user/me/cpu.max", "50000 100000\n");
	assert_int_equal(usable(), 1);
	write_below("/sys/fs/cgroup/user/me/cpu.max", "20000 10000\n");
	assert_int_equal(usable(), unlimited < 2 ? unlimited : 2);
}

static void a_started_cpu_counts_as_one(void **state)
{
	(void)state;
	write_mount(MOUNT_2, "/");
	write_below("/proc/self/cgroup", "0::/\n");
	write_below("/sys/fs/cgroup/cpu.max", "100001 100000\n");
	assert_int_equal(usable(), unlimited < 2 ? unlimited : 2);
	write_below("/sys/fs/cgroup/cpu.max", "1 100000\n");
	assert_int_equal(usable(), 1);
}

static void max_is_no_limit(void **state)
{
	(void)state;
	write_mount(MOUNT_2, "/");
	write_below("/proc/self/cgroup", "0::/user\n");
	write_below("/sys/fs/cgroup/user/cpu.max", "max 100000\n");
	assert_int_equal(usable(), unlimited);
}

static void the_least_quota_up_the_tree_counts(void **state)
{
	(void)state;
	write_mount(MOUNT_2, "/");
	write_below("/proc/self/cgroup", "0::/a/b/c\n");
	write_below("/sys/fs/cgroup/a/b/c/cpu.max", "max 100000\n");
	write_below("/sys/fs/cgroup/a/b/cpu.max", "9900000 100000\n");
	write_below("/sys/fs/cgroup/a/cpu.max", "100000 100000\n");
	assert_int_equal(usable(), 1);
}

static void a_quota_above_the_affinity_changes_nothing(void **state)
{
	(void)state;
	write_mount(MOUNT_2, "/");
	write_below("/proc/self/cgroup", "0::/a\n");
	write_below("/sys/fs/cgroup/a/cpu.max", "999900000 100000\n");
	assert_int_equal(usable(), unlimited);
}

static void a_neighbours_quota_does_not_count(void **state)
{
	(void)state;
	write_mount(MOUNT_2, "/");
	write_below("/proc/self/cgroup", "0::/a\n");
	write_below("/sys/fs/cgroup/b/cpu.max", "100000 100000\n");
	write_below("/sys/fs/cgroup/a/below/cpu.max", "100000 100000\n");
	assert_int_equal(usable(), unlimited);
}

static void a_container_sees_its_part_of_the_hierarchy(void **state)
{
	(void)state;
	write_mount(MOUNT_2, "/docker/abc");
	write_below("/proc/self/cgroup", "0::/docker/abc/inner\n");
	write_below("/sys/fs/cgroup/inner/cpu.max", "100000 100000\n");
	assert_int_equal(usable(), 1);
	write_below("/sys/fs/cgroup/inner/cpu.max", "max 100000\n");
	assert_int_equal(usable(), unlimited);
	write_below("/sys/fs/cgroup/cpu.max", "100000 100000\n");
	assert_int_equal(usable(), 1);
}

static void a_quota_of_version_1_counts(void **state)
{
	(void)state;
	write_mount(MOUNT_SET MOUNT_1, "/");
	write_below("/proc/self/cgroup", "5:cpuset:/wrong\n4:cpu,cpuacct:/me\n0::/me\n");
	write_below("/sys/fs/cgroup/cpu/me/cpu.cfs_period_us", "50000\n");
	write_below("/sys/fs/cgroup/cpu/me/cpu.cfs_quota_us", "50000\n");
	assert_int_equal(usable(), 1);
	write_below("/sys/fs/cgroup/cpu/me/cpu.cfs_quota_us", "50001\n");
	assert_int_equal(usable(), unlimited < 2 ? unlimited : 2);
	write_below("/sys/fs/cgroup/cpu/me/cpu.cfs_quota_us", "-1\n");
	assert_int_equal(usable(), unlimited);
}

static void the_controller_may_be_last_in_its_list(void **state)
{
	(void)state;
	write_mount(MOUNT_1, "/");
	write_below("/proc/self/cgroup", "4:cpuacct,cpu:/me\n");
	write_below("/sys/fs/cgroup/cpu/me/cpu.cfs_quota_us", "100000\n");
	write_below("/sys/fs/cgroup/cpu/me/cpu.cfs_period_us", "100000\n");
	assert_int_equal(usable(), 1);
}

static void a_part_of_version_1_is_seen_in_a_container(void **state)
{
	(void)state;
	write_mount(MOUNT_1, "/docker/abc");
	write_below("/proc/self/cgroup", "4:cpu,cpuacct:/docker/abc\n");
	write_below("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "100000\n");
	write_below("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
	assert_int_equal(usable(), 1);
}

static void nonsense_is_no_limit(void **state)
{
	(void)state;
	write_mount(MOUNT_2, "/");
	write_below("/proc/self/cgroup", "nonsense\n0::/a\n");
	write_below("/sys/fs/cgroup/a/cpu.max", "\n");
	assert_int_equal(usable(), unlimited);
	write_below("/sys/fs/cgroup/a/cpu.max", "0 0\n");
	assert_int_equal(usable(), unlimited);
	write_below("/proc/self/mountinfo", "nonsense - \n\n1 2 3\n");
	assert_int_equal(usable(), unlimited);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_files_the_affinity_mask_counts),
		TEST(a_quota_of_version_2_counts),
		TEST(a_started_cpu_counts_as_one),
		TEST(max_is_no_limit),
		TEST(the_least_quota_up_the_tree_counts),
		TEST(a_quota_above_the_affinity_changes_nothing),
		TEST(a_neighbours_quota_does_not_count),
		TEST(a_container_sees_its_part_of_the_hierarchy),
		TEST(a_quota_of_version_1_counts),
		TEST(the_controller_may_be_last_in_its_list),
		TEST(a_part_of_version_1_is_seen_in_a_container),
		TEST(nonsense_is_no_limit),
	};

	unlimited = cpus_usable("/no/such/root");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
