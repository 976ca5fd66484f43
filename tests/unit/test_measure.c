/* Load, memory and pressure, in files that stand in for the kernel's. */
#include "unit.h"

#include "cpus.h"
#include "measure.h"

#include "fake_root.h"

#include <errno.h>

#define MIB 1048576

static struct measured measured;

static int take(enum measure what)
{
	return measure(what, "root", &measured);
}

static void assert_memory(double available_mib, double all_mib)
{
	assert_int_equal(take(MEASURE_MEMORY), 0);
	assert_true(measured.value == available_mib * MIB);
	assert_true(measured.whole == all_mib * MIB);
}

static void write_meminfo(void)
{
	write_below("/proc/meminfo", "MemTotal:        8388608 kB\n"
				     "MemFree:          102400 kB\n"
				     "MemAvailable:    4194304 kB\n");
}

static void the_load_is_the_average_or_what_runs_now(void **state)
{
	(void)state;
	write_below("/proc/loadavg", "7.50 6.00 5.00 3/700 1234\n");
	assert_int_equal(take(MEASURE_LOAD), 0);
	assert_true(measured.value == 7.5);
	assert_true(measured.whole == cpus_usable("root"));
	write_below("/proc/loadavg", "0.50 6.00 5.00 13/700 1234\n");
	assert_int_equal(take(MEASURE_LOAD), 0);
	assert_true(measured.value == 12);
}

static void the_machines_memory_is_what_is_available(void **state)
{
	(void)state;
	write_meminfo();
	assert_memory(4096, 8192);
}

static void a_cgroups_limit_leaves_what_is_not_used_or_can_be_had(void **state)
{
	(void)state;
	write_meminfo();
	write_mount(MOUNT_2, "/");
	write_below("/proc/self/cgroup", "0::/a/b\n");
	write_below("/sys/fs/cgroup/a/memory.max", "1073741824\n");
	write_below("/sys/fs/cgroup/a/memory.current", "943718400\n");
	assert_memory(124, 1024);
	write_below("/sys/fs/cgroup/a/memory.stat",
		"anon 5\nfile 7\nunevictable 0\ninactive_file 104857600\n");
	assert_memory(224, 1024);
}

static void the_least_of_all_counts(void **state)
{
	(void)state;
	write_meminfo();
	write_mount(MOUNT_2, "/");
	write_below("/proc/self/cgroup", "0::/a/b\n");
	write_below("/sys/fs/cgroup/a/memory.max", "2147483648\n");
	write_below("/sys/fs/cgroup/a/memory.current", "2147483648\n");
	write_below("/sys/fs/cgroup/a/b/memory.max", "1073741824\n");
	write_below("/sys/fs/cgroup/a/b/memory.current", "0\n");
	assert_memory(0, 1024);
	write_below("/sys/fs/cgroup/a/memory.current", "9147483648\n");
	assert_memory(0, 1024);
	write_below("/sys/fs/cgroup/a/memory.current", "1\n");
	assert_memory(1024, 1024);
}

static void max_is_no_limit(void **state)
{
	(void)state;
	write_meminfo();
	write_mount(MOUNT_2, "/");
	write_below("/proc/self/cgroup", "0::/a\n");
	write_below("/sys/fs/cgroup/a/memory.max", "max\n");
	write_below("/sys/fs/cgroup/a/memory.current", "9147483648\n");
	assert_memory(4096, 8192);
}

static void a_limit_of_version_1_counts(void **state)
{
	(void)state;
	write_meminfo();
	write_mount(MOUNT_MEMORY, "/");
	write_below("/proc/self/cgroup", "4:memory:/a\n");
	write_below(
		"/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
	write_below("/sys/fs/cgroup/memory/memory.usage_in_bytes", "5\n");
	write_below("/sys/fs/cgroup/memory/a/memory.limit_in_bytes", "104857600\n");
	write_below("/sys/fs/cgroup/memory/a/memory.usage_in_bytes", "83886080\n");
	write_below("/sys/fs/cgroup/memory/a/memory.stat",
		"inactive_file 1\ntotal_inactive_file 10485760\n");
	assert_memory(30, 100);
}

static void pressure_is_the_cgroups_where_it_has_its_own(void **state)
{
	(void)state;
	write_mount(MOUNT_2, "/");
	write_below("/proc/self/cgroup", "0::/a\n");
	write_below("/proc/pressure/cpu",
		"some avg10=12.50 avg60=0.18 avg300=0.42 total=3\n"
		"full avg10=1.00 avg60=0 avg300=0 total=0\n");
	write_below("/proc/pressure/io", "some avg10=3.00 avg60=0 avg300=0 total=3\n");
	write_below("/sys/fs/cgroup/a/io.pressure", "some avg10=0.25 avg60=0 total=3\n");
	assert_int_equal(take(MEASURE_CPU_PRESSURE), 0);
	assert_true(measured.value == 12.5 && measured.whole == 100);
	assert_int_equal(take(MEASURE_IO_PRESSURE), 0);
	assert_true(measured.value == 0.25);
}

static void what_is_not_told_is_an_error(void **state)
{
	(void)state;
	for (enum measure what = 0; what < MEASURES; what++) {
		assert_int_equal(take(what), -ENOENT);
		write_below(measure_file(what), "nonsense\n");
		assert_int_equal(take(what), -ENODATA);
	}
}

static void this_machine_tells(void **state)
{
	(void)state;
	assert_int_equal(measure(MEASURE_LOAD, "", &measured), 0);
	assert_true(measured.value >= 0);
	assert_int_equal(measure(MEASURE_MEMORY, "", &measured), 0);
	assert_true(measured.value > 0 && measured.value <= measured.whole);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_load_is_the_average_or_what_runs_now),
		TEST(the_machines_memory_is_what_is_available),
		TEST(a_cgroups_limit_leaves_what_is_not_used_or_can_be_had),
		TEST(the_least_of_all_counts),
		TEST(max_is_no_limit),
		TEST(a_limit_of_version_1_counts),
		TEST(pressure_is_the_cgroups_where_it_has_its_own),
		TEST(what_is_not_told_is_an_error),
		TEST(this_machine_tells),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
