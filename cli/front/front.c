#include "front/front.h"

#include "exit_status.h"
#include "front/parser.h"
#include "message.h"

#include <string.h>

static const struct front fronts[] = {
	{"leat", front_native, front_native_help, NULL, EXIT_USAGE},
	{"xargs", front_xargs, front_xargs_help, NULL, 1},
	{"parallel", front_parallel, front_parallel_help, front_parallel_version, 255},
};

#define FRONTS_END (fronts + sizeof fronts / sizeof *fronts)

static const struct front *find(const char *name)
{
	const char *slash = strrchr(name, '/');

	for (const struct front *front = fronts; front < FRONTS_END; front++)
		if (strcmp(front->name, slash ? slash + 1 : name) == 0)
			return front;
	return NULL;
}

// Whether the words begin with --as; then its value is in *name.
static bool take_as(struct words *words, const char **name)
{
	const char *word = words->at < words->end ? *words->at : "";

	if (strncmp(word, "--as=", 5) == 0) {
		*name = word + 5;
		words->at++;
		return true;
	}
	if (strcmp(word, "--as") != 0 || words->end - words->at < 2)
		return false;
	*name = words->at[1];
	words->at += 2;
	return true;
}

int front_parse(const struct front **front, struct plan *plan, int argc, char **argv)
{
	struct words words = {argv + (argc > 0), argv + argc};
	const char *name = argc > 0 ? argv[0] : "leat";
	bool is_told = take_as(&words, &name);

	*front = find(name);
	if (!*front && is_told) {
		message("--as takes xargs or parallel, not '%s'", name);
		return EXIT_USAGE;
	}
	if (!*front)
		*front = fronts;
	if (plan_init(plan, argc) < 0) {
		message("out of memory");
		return EXIT_LEAT_TROUBLE;
	}
	plan->arguments = argv;
	if ((*front)->parse(plan, words) == 0)
		return EXIT_ALL_OK;
	plan_finish(plan);
	return (*front)->usage_status;
}
