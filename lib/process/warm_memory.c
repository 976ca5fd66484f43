/*
 * A warm program's memory, put back as it was before main().
 *
 * Every writable private mapping is compared with a copy, page by page, and copied where
 * it differs, which is far less than to copy all of it. What was mapped since goes; that
 * there is something shows by the count of mapped pages, so /proc/self/maps is seldom
 * read. What was taken by brk(2) goes in any case.
 *
 * Part of the object that is loaded into the program (warm_inside.c): of libc only what
 * keeps nothing there.
 */
#include "warm_memory.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define COMPARED_BYTES 4096
// Of memory that a child had; more is made forgotten, lest it be the next one's peak.
#define FORGOTTEN_BYTES ((size_t)512 * 1024)

static const char *parse_hex(const char *at, uintptr_t *value)
{
	for (*value = 0;; at++) {
		unsigned digit = (unsigned)(*at - '0');

		if (digit > 9)
			digit = (unsigned)(*at - 'a') + 10;
		if (digit > 15 || (*at > '9' && *at < 'a'))
			return at;
		*value = *value * 16 + digit;
	}
}

static bool read_maps_text(struct warm_memory *memory)
{
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	size_t length = 0;
	ssize_t got = -1;

	while (fd >= 0 && length < MAPS_BYTES - 1) {
		got = read(fd, memory->maps + length, MAPS_BYTES - 1 - length);
		if (got <= 0)
			break;
		length += (size_t)got;
	}
	if (fd >= 0)
		close(fd);
	memory->maps[length] = '\0';
	return got == 0;
}

// How many there are; -1: more than can be told, or none can be seen.
static int read_maps(struct warm_memory *memory, struct mapping *mappings)
{
	const char *at = memory->maps;
	int count = 0;

	if (!read_maps_text(memory))
		return -1;
	for (; *at; count++) {
		struct mapping *mapping = &mappings[count];

		if (count == MAPPINGS)
			return -1;
		at = parse_hex(at, &mapping->start);
		at = parse_hex(at + 1, &mapping->end);
		memcpy(mapping->modes, at + 1, sizeof mapping->modes);
		at = strchr(at, '\n');
		if (!at)
			return -1;
		at++;
	}
	return count;
}

static unsigned long count_pages(const struct warm_memory *memory)
{
	char text[64];
	ssize_t length = pread(memory->statm_fd, text, sizeof text - 1, 0);
	unsigned long pages = 0;

	for (ssize_t index = 0; index < length && text[index] != ' '; index++)
		pages = pages * 10 + (unsigned long)(text[index] - '0');
	return pages;
}

static char *pointer_to(const struct warm_memory *memory, uintptr_t address)
{
	char *own = memory->own;

	return own + (address - (uintptr_t)own);
}

static void add_piece(struct warm_memory *memory, uintptr_t start, uintptr_t end)
{
	if (start >= end)
		return;
	memory->pieces[memory->piece_count].start = pointer_to(memory, start);
	memory->pieces[memory->piece_count++].size = end - start;
}

// All but what is not to be, and of the stack what is above the server's own frames.
static bool find_pieces(struct warm_memory *memory, int count)
{
	uintptr_t own = (uintptr_t)memory->own, own_end = own + memory->own_size;

	for (int index = 0; index < count; index++) {
		const struct mapping *mapping = &memory->known[index];
		uintptr_t start = mapping->start, end = mapping->end;

		if (mapping->modes[1] != 'w' || mapping->modes[3] != 'p')
			continue;
		if (memory->piece_count + 2 > MAPPINGS)
			return false;
		if ((uintptr_t)memory->stack >= start && (uintptr_t)memory->stack < end)
			start = (uintptr_t)memory->stack;
		if (own_end <= start || own >= end) {
			add_piece(memory, start, end);
		} else {
			add_piece(memory, start, own);
			add_piece(memory, own_end, end);
		}
	}
	return true;
}

static bool copy_pieces(struct warm_memory *memory)
{
	size_t size = 0;
	char *copy;

	for (int index = 0; index < memory->piece_count; index++)
		size += memory->pieces[index].size;
	copy = mmap(
		NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (copy == MAP_FAILED || madvise(copy, size, MADV_DONTFORK) < 0)
		return false;
	for (int index = 0; index < memory->piece_count; index++) {
		struct piece *piece = &memory->pieces[index];

		piece->copy = memcpy(copy, piece->start, piece->size);
		copy += piece->size;
	}
	return true;
}

/* ---- what of a core goes into a file, which belongs to the memory ---- */

static bool read_filter(const struct warm_memory *memory, char filter[FILTER_BYTES])
{
	memset(filter, 0, FILTER_BYTES);
	return pread(memory->filter_fd, filter, FILTER_BYTES - 1, 0) > 0;
}

// Read in hexadecimal without a prefix, it is to be written with one.
static void restore_filter(const struct warm_memory *memory)
{
	char now[FILTER_BYTES], text[2 + FILTER_BYTES] = "0x";

	if (!*memory->filter || !read_filter(memory, now) ||
		memcmp(now, memory->filter, FILTER_BYTES) == 0)
		return;
	memcpy(text + 2, memory->filter, FILTER_BYTES);
	if (pwrite(memory->filter_fd, text, strlen(text), 0) < 0)
		return; // then cores hold more, or less, than they should
}

/* ---- all of it ---- */

bool warm_memory_keep(struct warm_memory *memory)
{
	int count = read_maps(memory, memory->known);

	if (count < 0 || !find_pieces(memory, count) || !copy_pieces(memory))
		return false;
	memory->known_count = read_maps(memory, memory->known); // with the copy
	memory->brk = (uintptr_t)syscall(SYS_brk, 0);
	memory->pages = count_pages(memory);
	read_filter(memory, memory->filter);
	return memory->known_count > 0 && memory->pages;
}

static uintptr_t later(uintptr_t a, uintptr_t b)
{
	return a > b ? a : b;
}

static uintptr_t earlier(uintptr_t a, uintptr_t b)
{
	return a < b ? a : b;
}

// Unmaps what of it is not known, as where the stack grew. Returns how much is, with the
// modes that it had.
static uintptr_t trim(const struct warm_memory *memory, const struct mapping *found)
{
	uintptr_t at = found->start, same = 0;

	for (int index = 0; index < memory->known_count && at < found->end; index++) {
		const struct mapping *known = &memory->known[index];
		uintptr_t start = later(known->start, found->start);
		uintptr_t end = earlier(known->end, found->end);

		if (start >= end)
			continue;
		if (start > at)
			munmap(pointer_to(memory, at), start - at);
		if (memcmp(known->modes, found->modes, sizeof known->modes) == 0)
			same += end - start;
		at = end;
	}
	if (at < found->end)
		munmap(pointer_to(memory, at), found->end - at);
	return same;
}

// False: something that was there before main() is not there any more.
static bool unmap_new(struct warm_memory *memory)
{
	int count = read_maps(memory, memory->found);
	uintptr_t all = 0, same = 0;

	for (int index = 0; index < count; index++)
		same += trim(memory, &memory->found[index]);
	for (int index = 0; index < memory->known_count; index++)
		all += memory->known[index].end - memory->known[index].start;
	return same == all;
}

// proc(5): 5 has the peak of the resident set start anew.
static void forget_peak(void)
{
	int fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
	ssize_t written = fd < 0 ? -1 : write(fd, "5", 1);

	if (fd >= 0)
		close(fd);
	(void)written; // then later children seem larger than they were
}

static void put_back(const struct piece *piece)
{
	for (size_t at = 0, size; at < piece->size; at += size) {
		char *bytes = piece->start + at;

		size = COMPARED_BYTES - (uintptr_t)bytes % COMPARED_BYTES;
		if (size > piece->size - at)
			size = piece->size - at;
		if (memcmp(bytes, piece->copy + at, size) != 0)
			memcpy(bytes, piece->copy + at, size);
	}
}

bool warm_memory_restore(struct warm_memory *memory)
{
	uintptr_t brk_now = (uintptr_t)syscall(SYS_brk, 0);
	unsigned long pages;
	bool large = brk_now > memory->brk + FORGOTTEN_BYTES;

	if (brk_now != memory->brk)
		syscall(SYS_brk, memory->brk);
	pages = count_pages(memory);
	large = large || pages > memory->pages + FORGOTTEN_BYTES / COMPARED_BYTES;
	if (pages != memory->pages && !unmap_new(memory))
		return false;
	if (large)
		forget_peak();
	for (int index = 0; index < memory->piece_count; index++)
		put_back(&memory->pieces[index]);
	restore_filter(memory);
	return true;
}
