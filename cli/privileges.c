/*
 * leat runs what its caller tells it to, by a shell, with the caller's PATH, and writes
 * where it is told to: with another's rights all of that would be theirs.
 *
 * AT_SECURE alone would be too much: a security module also sets it where a program
 * enters a domain of its own and gains nothing.
 */
#include "privileges.h"

#include <errno.h>
#include <sys/auxv.h>
#include <sys/xattr.h>
#include <unistd.h>

static bool has_two_identities(void)
{
	uid_t user, effective_user, saved_user;
	gid_t group, effective_group, saved_group;

	return getresuid(&user, &effective_user, &saved_user) < 0 ||
	       getresgid(&group, &effective_group, &saved_group) < 0 ||
	       user != effective_user || user != saved_user || group != effective_group ||
	       group != saved_group;
}

// Where it can't be seen, it may.
static bool file_may_have_capabilities(void)
{
	return getxattr("/proc/self/exe", "security.capability", NULL, 0) >= 0 ||
	       (errno != ENODATA && errno != ENOTSUP);
}

bool privileges_are_borrowed(void)
{
	return has_two_identities() ||
	       (getauxval(AT_SECURE) && file_may_have_capabilities());
}
