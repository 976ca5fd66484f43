/* Descriptors 0, 1 and 2 as leat found them. */
#ifndef LEAT_CLI_DESCRIPTORS_H
#define LEAT_CLI_DESCRIPTORS_H

/**
 * Open what is closed of descriptors 0, 1 and 2 on /dev/null, the wrong way round:
 * nothing else may get these numbers, and to read or write there still fails with
 * EBADF as it would have. To be called before anything else is opened.
 */
void descriptors_ensure(void);

/**
 * Have descriptor 0 lead to `name`, so that tasks can inherit it. Errors: of
 * open(2).
 */
int descriptors_replace_input(const char *name);

#endif
