/* What every fuzz target includes: its input as bytes to be taken, what leat says,
 * judges. */
#ifndef LEAT_TESTS_FUZZ_H
#define LEAT_TESTS_FUZZ_H

#include "message.h"
#include "utf8.h"

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

/** What must hold. */
#define CHECK(condition)                                                                 \
	do {                                                                             \
		if (!(condition)) {                                                      \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__,          \
				__LINE__, #condition);                                   \
			abort();                                                         \
		}                                                                        \
	} while (0)

/* ---- the input ---- */

struct bytes {
	const char *at, *end;
};

static inline struct bytes bytes_of(const uint8_t *data, size_t size)
{
	return (struct bytes){(const char *)data, (const char *)data + size};
}

static inline size_t bytes_left(const struct bytes *bytes)
{
	return (size_t)(bytes->end - bytes->at);
}

/** 0 where there is none. */
static inline unsigned take(struct bytes *bytes)
{
	return bytes->at < bytes->end ? (unsigned char)*bytes->at++ : 0;
}

static inline uint64_t take_number(struct bytes *bytes)
{
	uint64_t number = 0;

	for (int count = 0; count < 8; count++)
		number = number << 8 | take(bytes);
	return number;
}

/** Up to the next byte of `stop`, which is passed over, or the end. */
static inline struct text take_until(struct bytes *bytes, char stop)
{
	size_t left = bytes_left(bytes);
	const char *end = left ? memchr(bytes->at, stop, left) : NULL;
	struct text text = {0};

	text_append(&text, bytes->at, end ? (size_t)(end - bytes->at) : left);
	bytes->at = end ? end + 1 : bytes->end;
	return text;
}

/* ---- leat's words, which go nowhere else ---- */

extern struct text said;
struct text said;

void __wrap_message(const char *format, ...) __attribute__((format(printf, 1, 2)));
void __wrap_message(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	text_format_arguments(&said, format, arguments);
	va_end(arguments);
	text_append(&said, "\n", 1);
}

static inline void forget_said(void)
{
	text_finish(&said);
}

/* ---- read(2), which may bring less ---- */

extern ssize_t (*read_hook)(int fd, void *buffer, size_t size);
ssize_t (*read_hook)(int fd, void *buffer, size_t size);

ssize_t __real_read(int fd, void *buffer, size_t size);
ssize_t __wrap_read(int fd, void *buffer, size_t size);
ssize_t __wrap_read(int fd, void *buffer, size_t size)
{
	return read_hook ? read_hook(fd, buffer, size) : __real_read(fd, buffer, size);
}

/* ---- files without a name ---- */

#define PATH_BYTES 32

/** A file with these bytes; `path` leads to it as long as it is open. Not close-on-exec:
 * leat takes such for its own. */
static inline int make_file(char *path, const char *bytes, size_t length)
{
	int fd = memfd_create("fuzz", 0);

	CHECK(fd >= 0 && write(fd, bytes, length) == (ssize_t)length);
	snprintf(path, PATH_BYTES, "/dev/fd/%d", fd);
	return fd;
}

/** All that is in it, which is closed. */
static inline struct text read_file(int fd)
{
	off_t size = lseek(fd, 0, SEEK_END);
	struct text text = {0};

	CHECK(size >= 0 && text_reserve(&text, (size_t)size));
	CHECK(pread(fd, text.bytes, (size_t)size, 0) == size);
	text.length = (size_t)size;
	text.bytes[size] = '\0';
	close(fd);
	return text;
}

/* ---- judges ---- */

/** While another process judges: libFuzzer's clock is not to interrupt what waits for it.
 */
static inline void hold_clock(bool held)
{
	sigset_t alarm;

	sigemptyset(&alarm);
	sigaddset(&alarm, SIGALRM);
	sigprocmask(held ? SIG_BLOCK : SIG_UNBLOCK, &alarm, NULL);
}

static inline bool is_same(const struct text *one, const struct text *other)
{
	return one->length == other->length &&
	       (!one->length || memcmp(one->bytes, other->bytes, one->length) == 0);
}

/** Both are shown where they differ. */
#define CHECK_SAME(one, other)                                                           \
	do {                                                                             \
		if (!is_same(one, other)) {                                              \
			show(one);                                                       \
			show(other);                                                     \
			CHECK(!"the same");                                              \
		}                                                                        \
	} while (0)

static inline void show(const struct text *text)
{
	for (size_t index = 0; index < text->length; index++)
		fprintf(stderr, text->bytes[index] < 0x20 ? "\\%03o" : "%c",
			(unsigned char)text->bytes[index]);
	fprintf(stderr, "\n");
}

static inline bool is_in(unsigned char byte, unsigned char first, unsigned char last)
{
	return byte >= first && byte <= last;
}

/** How long the UTF-8 character is, by the table of RFC 3629, 4; 0: it is none. */
static inline size_t utf8_length(const char *bytes, size_t length)
{
	static const unsigned char table[][7] = {
		// first byte from, to; second from, to; how many more of any
		{0xC2, 0xDF, 0x80, 0xBF, 0},
		{0xE0, 0xE0, 0xA0, 0xBF, 1},
		{0xE1, 0xEC, 0x80, 0xBF, 1},
		{0xED, 0xED, 0x80, 0x9F, 1},
		{0xEE, 0xEF, 0x80, 0xBF, 1},
		{0xF0, 0xF0, 0x90, 0xBF, 2},
		{0xF1, 0xF3, 0x80, 0xBF, 2},
		{0xF4, 0xF4, 0x80, 0x8F, 2},
	};
	const unsigned char *at = (const unsigned char *)bytes;

	if (is_in(*at, 0, 0x7F))
		return 1;
	for (size_t row = 0; row < sizeof table / sizeof *table; row++) {
		size_t more = table[row][4];

		if (!is_in(*at, table[row][0], table[row][1]) || length < 2 + more ||
			!is_in(at[1], table[row][2], table[row][3]))
			continue;
		if ((!more || is_in(at[2], 0x80, 0xBF)) &&
			(more < 2 || is_in(at[3], 0x80, 0xBF)))
			return 2 + more;
	}
	return 0;
}

/** With U+FFFD for each byte that is no UTF-8. */
static inline struct text as_utf8(const char *bytes, size_t length)
{
	struct text text = {0};

	for (size_t at = 0; at < length;) {
		size_t size = utf8_length(bytes + at, length - at);

		text_append(&text, size ? bytes + at : UTF8_REPLACEMENT,
			size ? size : strlen(UTF8_REPLACEMENT));
		at += size ? size : 1;
	}
	return text;
}

#endif
