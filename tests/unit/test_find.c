/* Which task of the journal a task of the input is, against a plain count. */
#include "unit.h"

#include "journal/find.h"
#include "scratch.h"

#define MOST 3000

// A journal's tasks, by row: what they are, and how they went.
struct model {
	char commands[MOST][16];
	bool with_input[MOST];
	enum task_end ends[MOST];
	bool found[MOST];
	int count;
};

static struct identity identity_of(const char *command, bool with_input)
{
	struct identity identity = {
		.command = command,
		.command_bytes = strlen(command),
		.input = with_input ? command : NULL,
		.input_bytes = with_input ? strlen(command) : 0,
	};

	identity.key = identity_key(&identity);
	return identity;
}

static void tell(struct store *store, const struct model *model, int index, uint64_t row)
{
	struct identity identity =
		identity_of(model->commands[index], model->with_input[index]);
	struct told told = {
		.entry = {.kind = ENTRY_OUTCOME,
			.is_new = true,
			.row = row,
			.sequence = row,
			.key = identity.key,
			.outcome = model->ends[index],
			.is_done = model->ends[index] <= TASK_TIMED_OUT,
			.command_bytes = (uint32_t)identity.command_bytes,
			.has_input = identity.input != NULL,
			.input_bytes = (uint32_t)identity.input_bytes},
		.command = identity.command,
		.input = identity.input,
	};

	assert_int_equal(store_apply(store, &told), 0);
}

// A series of tasks behind those that are in the journal already.
static void write_series(const struct model *model)
{
	char *arguments[] = {"leat", NULL};
	struct plan plan = {.arguments = arguments};
	struct text words = {0};
	struct store *store = store_open("journal", true, SYNC_OFF, true, &words);

	assert_non_null(store);
	assert_int_equal(store_begin(store), 0);
	assert_int_equal(store_begin_run(store, &plan, false), 0);
	for (int index = 0; index < model->count; index++)
		tell(store, model, index, store_last_row(store) + (uint64_t)index + 1);
	assert_int_equal(store_commit(store, 0), 0);
	store_close(store);
}

static void make_journal(void)
{
	int fd = open("journal", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	close(fd);
}

static void fill(struct model *model, int count, int kinds)
{
	static const enum task_end ends[] = {TASK_OK, TASK_OK, TASK_FAILED, TASK_CRASHED,
		TASK_TIMED_OUT, TASK_CANCELED, TASK_UNRUN};

	memset(model, 0, sizeof *model);
	model->count = count;
	for (int index = 0; index < count; index++) {
		snprintf(model->commands[index], sizeof model->commands[index], "c%d",
			rand() % kinds);
		model->with_input[index] = rand() % 2;
		model->ends[index] = ends[rand() % 7];
	}
}

// The row that a plain search finds, -1: none.
static int expect(struct model *model, const char *command, bool with_input)
{
	for (int index = 0; index < model->count; index++)
		if (!model->found[index] && model->with_input[index] == with_input &&
			strcmp(model->commands[index], command) == 0) {
			model->found[index] = true;
			return index;
		}
	return -1;
}

static bool is_done(enum task_end end, bool failed_again)
{
	return end == TASK_OK ||
	       (!failed_again && (end == TASK_FAILED || end == TASK_CRASHED ||
					 end == TASK_TIMED_OUT));
}

static void look_up(struct find *find, struct model *model, const char *command,
	bool with_input, uint64_t before, bool failed_again)
{
	struct identity identity = identity_of(command, with_input);
	int index = expect(model, command, with_input);
	struct known known;

	assert_int_equal(find_next(find, &identity, &known), 0);
	if (index < 0) {
		assert_int_equal(known.row, 0);
		assert_false(known.done);
		return;
	}
	assert_int_equal(known.row, before + (uint64_t)index + 1);
	assert_int_equal(known.done, is_done(model->ends[index], failed_again));
}

// The tasks of the journal, with some left out, put in, and changed in place.
static void look_up_edited(struct find *find, struct model *model, int order[MOST],
	uint64_t before, bool failed_again)
{
	for (int place = 0; place < model->count; place++) {
		int index = order[place];

		if (rand() % 20 == 0)
			continue;
		if (rand() % 20 == 0)
			look_up(find, model, "new", false, before, failed_again);
		if (rand() % 20 == 0)
			look_up(find, model, model->commands[rand() % model->count],
				rand() % 2, before, failed_again);
		look_up(find, model, model->commands[index], model->with_input[index],
			before, failed_again);
	}
}

static void shuffle(int order[MOST], int count, int swaps)
{
	for (int index = 0; index < count; index++)
		order[index] = index;
	for (int swap = 0; swap < swaps; swap++) {
		int one = rand() % count, other = rand() % count, kept = order[one];

		order[one] = order[other];
		order[other] = kept;
	}
}

static void try_journal(int count, int kinds, int swaps, bool failed_again)
{
	static struct model model;
	static int order[MOST];
	struct text words = {0};
	struct store *store;
	struct find *find;
	uint64_t before;

	fill(&model, count, kinds);
	write_series(&model);
	store = store_open("journal", false, SYNC_OFF, false, &words);
	assert_non_null(store);
	before = store_last_row(store) - (uint64_t)count;
	find = find_open("journal", store, failed_again, &words);
	assert_non_null(find);
	shuffle(order, count, swaps);
	look_up_edited(find, &model, order, before, failed_again);
	find_close(find);
	store_close(store);
}

static void each_task_is_the_next_that_is_the_same(void **state)
{
	(void)state;
	srand(7);
	make_journal();
	try_journal(3000, 1 << 30, 0, false);
	try_journal(3000, 1 << 30, 20, true);
	try_journal(3000, 1 << 30, 6000, false);
	try_journal(3000, 500, 0, false);
	try_journal(3000, 500, 50, true);
	try_journal(3000, 20, 6000, false);
	try_journal(2000, 1, 0, true);
	try_journal(1, 1, 0, false);
}

static void of_an_empty_series_nothing_is_known(void **state)
{
	(void)state;
	make_journal();
	try_journal(0, 1, 0, false);
}

static void a_key_that_two_commands_share_tells_them_apart(void **state)
{
	struct identity one = identity_of("one", false), two = identity_of("two", false);
	static struct model model = {.commands = {"one"}, .count = 1};
	struct text words = {0};
	struct store *store;
	struct find *find;
	struct known known;

	(void)state;
	make_journal();
	write_series(&model);
	store = store_open("journal", false, SYNC_OFF, false, &words);
	find = find_open("journal", store, false, &words);
	assert_non_null(find);
	two.key = one.key;
	assert_int_equal(find_next(find, &two, &known), 0);
	assert_int_equal(known.row, 0);
	assert_int_equal(find_next(find, &one, &known), 0);
	assert_int_equal(known.row, 1);
	find_close(find);
	store_close(store);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
	const struct CMUnitTest tests[] = {
		TEST(each_task_is_the_next_that_is_the_same),
		TEST(of_an_empty_series_nothing_is_known),
		TEST(a_key_that_two_commands_share_tells_them_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
