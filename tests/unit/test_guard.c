#include "unit.h"

#include "guard.h"

#include <string.h>

// However the bytes are cut in two.
static void check(const char *bytes, const char *wanted)
{
	size_t length = strlen(bytes);

	for (size_t cut = 0; cut <= length; cut++) {
		struct text text = {0};
		unsigned matched = 0;

		guard_append(&text, bytes, cut, &matched);
		guard_append(&text, bytes + cut, length - cut, &matched);
		assert_string_equal(text.bytes ? text.bytes : "", wanted);
		text_finish(&text);
	}
}

static void a_blank_is_put_before_the_bracket(void **state)
{
	(void)state;
	check("##vso[task.complete]", "##vso [task.complete]");
	check("a ##VsO[b##vso[c", "a ##VsO [b##vso [c");
	check("####vso[", "####vso [");
	check("###vso[##vso[", "###vso [##vso [");
	check("##v##vso[", "##v##vso [");
}

static void all_else_stays(void **state)
{
	(void)state;
	check("", "");
	check("##vs[ #vso[ ##vso ##v#so[ ##section[",
		"##vs[ #vso[ ##vso ##v#so[ ##section[");
	check("##vso\n[", "##vso\n[");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_blank_is_put_before_the_bracket),
		cmocka_unit_test(all_else_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
