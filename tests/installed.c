/* Built against the installed library by tests/cli/install.bats: a pool and a child. */
#include <leat.h>
#include <stdatomic.h>
#include <stdio.h>

static atomic_int sum;

static void add(struct leat_worker *worker, void *argument)
{
	(void)worker;
	atomic_fetch_add(&sum, *(int *)argument);
}

static int run_child(struct leat_context *context)
{
	const char *argv[] = {"true", NULL}, *envp[] = {NULL};
	struct leat_spec spec = {.argv = argv,
		.envp = envp,
		.search_path = "/usr/bin:/bin",
		.stdin_fd = -1,
		.stdout_fd = 1,
		.stderr_fd = 2};
	struct leat_control control = {
		.terminate = context, .kill = context, .timeout_ns = LEAT_NEVER};
	struct leat_outcome outcome;
	struct leat_family *family;

	if (leat_family_create(&family) < 0)
		return 1;
	int error = leat_child_run(family, &spec, &control, NULL, NULL, &outcome);
	leat_family_destroy(family);
	return error || outcome.end != LEAT_EXITED || outcome.code != 0;
}

int main(void)
{
	int numbers[] = {1, 2, 3};
	struct leat_context *context;
	struct leat_pool *pool;

	if (leat_context_create(&context, NULL, LEAT_NEVER) < 0 ||
		leat_pool_create(&pool, 2, 8, context) < 0)
		return 1;
	for (int index = 0; index < 3; index++)
		leat_pool_submit(pool,
			&(struct leat_job){.run = add, .argument = &numbers[index]},
			NULL);
	unsigned long long unrun = leat_pool_wait(pool);
	leat_pool_destroy(pool);
	int child = run_child(context);
	leat_context_destroy(context);
	printf("libleat %s: sum %d, unrun %llu, child %d\n", leat_version(), sum, unrun,
		child);
	return child;
}
