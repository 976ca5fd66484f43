#include "cgroup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static FILE *open_below(const char *root, const char *path)
{
	char whole[3 * PATH_MAX];

	if ((size_t)snprintf(whole, sizeof whole, "%s%s", root, path) >= sizeof whole) {
		errno = ENAMETOOLONG;
		return NULL;
	}
	return fopen(whole, "re");
}

int kernel_read(const char *root, const char *path, char *text, size_t size)
{
	FILE *file = open_below(root, path);
	int error = 0;
	size_t got;

	if (!file)
		return -errno;
	errno = 0;
	got = fread(text, 1, size - 1, file);
	text[got] = '\0';
	if (ferror(file))
		error = errno ? -errno : -EIO;
	fclose(file);
	return error;
}

int cgroup_read(const struct cgroup *cgroup, const char *name, char *text, size_t size)
{
	char path[2 * PATH_MAX + NAME_MAX];

	snprintf(path, sizeof path, "%s/%s", cgroup->directory, name);
	return kernel_read(cgroup->root, path, text, size);
}

// Whether `word` is one of the comma-separated `words`.
static bool lists(const char *words, const char *word)
{
	size_t length = strlen(word);

	for (const char *at = words; at; at = strchr(at, ',')) {
		at += *at == ',';
		if (strncmp(at, word, length) == 0 && (at[length] == ',' || !at[length]))
			return true;
	}
	return false;
}

// proc(5): hierarchy-ID:controller-list:cgroup-path; version 2 is "0::path". To be freed;
// NULL: there is none.
static char *find_path(const char *root, const char *controller)
{
	FILE *file = open_below(root, "/proc/self/cgroup");
	char *line = NULL, *found = NULL;
	size_t size = 0;

	if (!file)
		return NULL;
	while (!found && getline(&line, &size, file) >= 0) {
		char *controllers = strchr(line, ':');
		char *path = controllers ? strchr(controllers + 1, ':') : NULL;

		if (!path)
			continue;
		*path++ = '\0';
		controllers++;
		path[strcspn(path, "\n")] = '\0';
		if (controller ? lists(controllers, controller) : !*controllers)
			found = strdup(path);
	}
	free(line);
	fclose(file);
	return found;
}

/* ---- where it is mounted ---- */

// proc(5), mountinfo: id parent major:minor top mount options … - type source options
struct mount {
	char *top; //< the cgroup that is mounted
	char *point, *type, *options;
};

// As \040 stands for a blank, and \134 for a backslash.
static void unescape(char *text)
{
	char *to = text;

	for (; *text; text++, to++) {
		bool escaped = text[0] == '\\' && strspn(text + 1, "01234567") >= 3;

		*to = escaped ? (char)((text[1] - '0') * 64 + (text[2] - '0') * 8 +
					(text[3] - '0'))
			      : *text;
		text += escaped ? 3 : 0;
	}
	*to = '\0';
}

static bool read_mount(char *line, struct mount *mount)
{
	char *front = line, *back = strstr(line, " - ");

	if (!back)
		return false;
	*back = '\0';
	back += strlen(" - ");
	for (int field = 0; field < 3; field++)
		strsep(&front, " ");
	mount->top = strsep(&front, " ");
	mount->point = strsep(&front, " ");
	mount->type = strsep(&back, " ");
	strsep(&back, " ");
	mount->options = strsep(&back, " \n");
	if (!mount->point || !mount->options)
		return false;
	unescape(mount->top);
	unescape(mount->point);
	return true;
}

static bool is_up(const char *path)
{
	return strncmp(path, "/..", 3) == 0 && (path[3] == '/' || !path[3]);
}

// Whether the path leads up and nowhere else. So the kernel writes what is above the root
// of the namespace; the way down again has names that it does not tell.
static bool is_above(const char *path)
{
	bool is = is_up(path);

	while (is_up(path))
		path += strlen("/..");
	return is && !*path;
}

// The way from the cgroup that is mounted to the one at `path`, "" where it has no names.
// NULL: it is not below.
static const char *way_down(const char *top, const char *path)
{
	size_t length = strcmp(top, "/") == 0 ? 0 : strlen(top);
	const char *way = path + length;

	if (strncmp(path, top, length) != 0 || (*way && *way != '/'))
		return is_above(top) ? "" : NULL;
	if (is_up(way))
		return NULL;
	return strcmp(way, "/") == 0 ? "" : way;
}

// Take the mount if it shows the cgroup at `path`, and no less above it than an earlier
// one.
static bool take(struct cgroup *cgroup, const struct mount *mount, const char *path,
	size_t *way_length)
{
	const char *way = way_down(mount->top, path);
	size_t length = strlen(mount->point);

	if (!way || strlen(way) < *way_length ||
		length + strlen(way) >= sizeof cgroup->directory)
		return false;
	*way_length = strlen(way);
	cgroup->mount_length = length;
	snprintf(cgroup->directory, sizeof cgroup->directory, "%s%s", mount->point, way);
	return true;
}

static bool find_directory(
	struct cgroup *cgroup, const char *controller, const char *path)
{
	FILE *file = open_below(cgroup->root, "/proc/self/mountinfo");
	size_t size = 0, way_length = 0;
	char *line = NULL;
	bool found = false;

	if (!file)
		return false;
	while (getline(&line, &size, file) >= 0) {
		struct mount mount;

		if (!read_mount(line, &mount) ||
			strcmp(mount.type, controller ? "cgroup" : "cgroup2") != 0 ||
			(controller && !lists(mount.options, controller)))
			continue;
		found |= take(cgroup, &mount, path, &way_length);
	}
	free(line);
	fclose(file);
	return found;
}

bool cgroup_find(struct cgroup *cgroup, const char *root, const char *controller)
{
	char *path = find_path(root, controller);
	bool found;

	cgroup->root = root;
	found = path && find_directory(cgroup, controller, path);
	free(path);
	return found;
}

bool cgroup_rise(struct cgroup *cgroup)
{
	char *slash = strrchr(cgroup->directory + cgroup->mount_length, '/');

	if (slash)
		*slash = '\0';
	return slash;
}
