/* A program that is kept at its main(). */
#include "unit.h"

#include "../../lib/process/warm.h"

#include "family.h"

#define LARGE_BYTES 70000
#define TELL "case $(cat /proc/$$/maps) in *'leat warm'*) echo warm;; *) echo cold;; esac"

static struct leat_warm *warm;

static int setup(void **state)
{
	if (scene_setup(state) < 0)
		return -1;
	scene.spec.program = "/bin/sh";
	return leat_warm_create(&warm, scene.family);
}

static int teardown(void **state)
{
	leat_warm_destroy(warm);
	return scene_teardown(state);
}

static void run_warm(const char *script)
{
	leat_capture_reset(scene.out);
	leat_capture_reset(scene.err);
	scene.spec.warm = warm;
	scene_shell(script);
}

static void assert_tells(const char *expected)
{
	run_warm(TELL);
	assert_outcome(LEAT_EXITED, 0, LEAT_BY_ITSELF);
	assert_string_equal(text_of(scene.out), expected);
}

static void the_first_child_starts_it(void **state)
{
	(void)state;
	assert_tells("warm\n");
	assert_tells("warm\n");
	assert_false(leat_warm_is_unfit(warm));
}

static void a_spec_without_it_is_executed(void **state)
{
	(void)state;
	assert_tells("warm\n");
	scene.spec.warm = NULL;
	leat_capture_reset(scene.out);
	scene_shell(TELL);
	assert_string_equal(text_of(scene.out), "cold\n");
}

static void exits_and_signals_are_told_apart(void **state)
{
	(void)state;
	run_warm("exit 137");
	assert_outcome(LEAT_EXITED, 137, LEAT_BY_ITSELF);
	run_warm("kill -9 $$");
	assert_outcome(LEAT_SIGNALED, SIGKILL, LEAT_BY_ITSELF);
	assert_tells("warm\n");
}

static void a_timeout_ends_it(void **state)
{
	(void)state;
	scene.control.timeout_ns = LEAT_SECOND_NS / 10;
	run_warm("sleep 1000; :");
	assert_outcome(LEAT_SIGNALED, SIGTERM, LEAT_BY_TIMEOUT);
	scene.control.timeout_ns = LEAT_NEVER;
	assert_tells("warm\n");
}

static void a_directory_that_is_not_there_is_an_error_of_the_start(void **state)
{
	(void)state;
	scene.spec.directory = "nosuch";
	run_warm("echo ran");
	assert_outcome(LEAT_NOT_STARTED, ENOENT, LEAT_BY_ITSELF);
	assert_true(scene.outcome.no_directory);
	scene.spec.directory = NULL;
	assert_tells("warm\n");
}

static void what_does_not_fit_into_a_request_is_executed(void **state)
{
	static char large[LARGE_BYTES];

	(void)state;
	assert_tells("warm\n");
	memset(large, 'x', sizeof large - 1);
	scene_set_script(TELL);
	scene.argv[3] = "sh";
	scene.argv[4] = large;
	scene.argv[5] = NULL;
	leat_capture_reset(scene.out);
	assert_int_equal(scene_run(), 0);
	assert_string_equal(text_of(scene.out), "cold\n");
	assert_tells("warm\n");
}

static void with_another_object_preloaded_it_is_unfit(void **state)
{
	static const char *const environment[] = {
		"PATH=/usr/bin:/bin", "LD_PRELOAD=nosuch.so", NULL};

	(void)state;
	scene.spec.envp = environment;
	scene.spec.mark = NULL;
	assert_tells("cold\n");
	assert_true(leat_warm_is_unfit(warm));
}

static void a_program_that_does_not_stay_is_unfit(void **state)
{
	(void)state;
	scratch_write_program("script", "#!/bin/sh\nexec /bin/sh \"$@\"\n");
	scene.spec.program = "./script";
	assert_tells("cold\n");
	assert_true(leat_warm_is_unfit(warm));
	scene.spec.program = "/bin/sh";
}

static void in_a_guarded_family_its_ward_knows_the_child(void **state)
{
	(void)state;
	assert_int_equal(leat_family_guard(scene.family, 0, -1), 0);
	assert_tells("warm\n");
	assert_tells("warm\n");
}

int main(void)
{
#define WARM_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		WARM_TEST(the_first_child_starts_it),
		WARM_TEST(a_spec_without_it_is_executed),
		WARM_TEST(exits_and_signals_are_told_apart),
		WARM_TEST(a_timeout_ends_it),
		WARM_TEST(a_directory_that_is_not_there_is_an_error_of_the_start),
		WARM_TEST(what_does_not_fit_into_a_request_is_executed),
		WARM_TEST(with_another_object_preloaded_it_is_unfit),
		WARM_TEST(a_program_that_does_not_stay_is_unfit),
		WARM_TEST(in_a_guarded_family_its_ward_knows_the_child),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
