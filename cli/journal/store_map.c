/*
 * What SQLite maps of FILE-shm is made whole before it is touched. SQLite makes the file
 * longer by a byte in every 4 KiB; where blocks are smaller, that leaves holes, and the
 * first write to one, where the disk is full, would kill with SIGBUS.
 *
 * That file is opened, cut and mapped within one call of SQLite's, so nothing can be done
 * before; but its files are asked by a table of functions, of which this changes one.
 */
#include "journal/store.h"

#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>

#ifndef MADV_POPULATE_WRITE // since Linux 5.14; before, nothing is done: EINVAL
#define MADV_POPULATE_WRITE 23
#endif

static sqlite3_vfs *usual;
static sqlite3_vfs careful;
static const sqlite3_io_methods *usual_methods;
static sqlite3_io_methods careful_methods;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static int map(
	sqlite3_file *file, int region, int bytes, int extend, void volatile **result)
{
	int code = usual_methods->xShmMap(file, region, bytes, extend, result);

	if (code != SQLITE_OK || !*result ||
		madvise((void *)*result, (size_t)bytes, MADV_POPULATE_WRITE) == 0 ||
		errno != EFAULT)
		return code;
	*result = NULL;
	return SQLITE_FULL;
}

// Files of a database have one table, those beside it others.
static int open_file(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
	int *flags_then)
{
	int code = usual->xOpen(vfs, name, file, flags, flags_then);

	if (code != SQLITE_OK || !(flags & SQLITE_OPEN_MAIN_DB))
		return code;
	if (!usual_methods) {
		careful_methods = *file->pMethods;
		careful_methods.xShmMap = map;
		usual_methods = file->pMethods;
	}
	if (file->pMethods == usual_methods)
		file->pMethods = &careful_methods;
	return code;
}

static void make(void)
{
	usual = sqlite3_vfs_find(NULL);
	if (!usual)
		return;
	careful = *usual;
	careful.zName = "leat";
	careful.xOpen = open_file;
	if (sqlite3_vfs_register(&careful, 0) != SQLITE_OK)
		usual = NULL;
}

const char *store_vfs(void)
{
	pthread_once(&once, make);
	return usual ? careful.zName : NULL;
}
