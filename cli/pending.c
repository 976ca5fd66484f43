/*
 * A ring of parcels by key, of fixed length, so that memory does not depend on the number
 * of tasks. Its pages are touched as they are used.
 *
 * Where the parcels take too much memory, the next ones go to the end of the spool, an
 * unlinked file: a header that tells the lengths, then the bytes. The ring remembers
 * where. The spool starts anew when nothing is left in it.
 */
#include "pending.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MEMORY_BYTES ((size_t)8 << 20)
#define PARCEL_BYTES ((size_t)512)           // two captures and the like, roughly
#define CHUNK_BYTES ((size_t)8 * 1024)       // several times on the stack of a worker
#define UNSPOOLED_BYTES ((size_t)512 * 1024) // in memory, of one stream

struct place {
	struct parcel *parcel; //< NULL: in the spool, or nowhere
	uint64_t spooled;      //< where in the spool, plus 1; 0: not there
};

struct pending {
	struct place *ring;
	size_t memory;  //< that parcels in the ring take
	unsigned files; //< parcels in the ring that have a file
	unsigned most_files;
	size_t spooled; //< parcels in the spool
	struct leat_capture *spool;
	struct parcel *spare; //< where there is no memory to read one back into
	const char *directory;
};

/* What the spool says of a parcel; the bytes follow in this order. */
struct header {
	uint64_t sequence, tag, head, line, out, err;
	void *receipt;
};

void parcel_destroy(struct parcel *parcel)
{
	if (!parcel)
		return;
	leat_capture_destroy(parcel->out);
	leat_capture_destroy(parcel->err);
	text_finish(&parcel->tag);
	frame_finish(&parcel->frame);
	free(parcel);
}

int pending_create(struct pending **result, const char *directory, unsigned files)
{
	struct pending *pending = calloc(1, sizeof *pending);

	if (!pending)
		return -ENOMEM;
	pending->ring = calloc(PENDING_MOST, sizeof *pending->ring);
	pending->spare = calloc(1, sizeof *pending->spare);
	if (!pending->ring || !pending->spare ||
		leat_capture_create(&pending->spool, 0, directory) < 0) {
		free(pending->spare);
		free(pending->ring);
		free(pending);
		return -ENOMEM;
	}
	pending->directory = directory;
	pending->most_files = files;
	*result = pending;
	return 0;
}

void pending_destroy(struct pending *pending)
{
	if (!pending)
		return;
	free(pending->spare);
	for (size_t index = 0; index < PENDING_MOST; index++)
		parcel_destroy(pending->ring[index].parcel);
	leat_capture_destroy(pending->spool);
	free(pending->ring);
	free(pending);
}

static struct place *place_of(struct pending *pending, uint64_t key)
{
	return &pending->ring[key % PENDING_MOST];
}

static size_t size_of(const struct leat_capture *capture)
{
	return capture ? (size_t)leat_capture_size(capture) : 0;
}

static bool has_file(const struct leat_capture *capture)
{
	return capture && leat_capture_spilled(capture) > 0;
}

static size_t memory_of(const struct parcel *parcel)
{
	size_t bytes = PARCEL_BYTES + parcel->tag.length + parcel->frame.head.length +
		       parcel->frame.line.length;

	bytes += has_file(parcel->out) ? 0 : size_of(parcel->out);
	return bytes + (has_file(parcel->err) ? 0 : size_of(parcel->err));
}

static bool is_in_files(const struct parcel *parcel)
{
	return has_file(parcel->out) || has_file(parcel->err);
}

/* ---- the spool ---- */

static int append_to(void *spool, const char *bytes, size_t length)
{
	leat_capture_append(spool, bytes, length);
	return leat_capture_error(spool);
}

static int spool_parcel(struct leat_capture *spool, const struct parcel *parcel)
{
	struct header header = {
		.sequence = parcel->sequence,
		.tag = parcel->tag.length,
		.head = parcel->frame.head.length,
		.line = parcel->frame.line.length,
		.out = size_of(parcel->out),
		.err = size_of(parcel->err),
		.receipt = parcel->receipt,
	};
	int error = append_to(spool, (const char *)&header, sizeof header);

	if (!error)
		error = append_to(spool, parcel->tag.bytes, header.tag);
	if (!error)
		error = append_to(spool, parcel->frame.head.bytes, header.head);
	if (!error)
		error = append_to(spool, parcel->frame.line.bytes, header.line);
	if (!error && header.out)
		error = leat_capture_replay(parcel->out, append_to, spool);
	if (!error && header.err)
		error = leat_capture_replay(parcel->err, append_to, spool);
	return error;
}

typedef void (*keep_fn)(void *to, const char *bytes, size_t length);

static void keep_in_text(void *text, const char *bytes, size_t length)
{
	text_append(text, bytes, length);
}

static void keep_in_capture(void *capture, const char *bytes, size_t length)
{
	leat_capture_append(capture, bytes, length);
}

// Reads `length` bytes at *at, which moves behind them. An error remains in *error.
static void unspool(struct leat_capture *spool, uint64_t *at, uint64_t length,
	keep_fn keep, void *to, int *error)
{
	char chunk[CHUNK_BYTES];
	const char *bytes;

	while (length && !*error) {
		ssize_t got = leat_capture_view(spool, *at, chunk, sizeof chunk, &bytes);

		if (got <= 0) {
			*error = got < 0 ? (int)got : -EIO;
			return;
		}
		if ((uint64_t)got > length)
			got = (ssize_t)length;
		keep(to, bytes, (size_t)got);
		*at += (uint64_t)got;
		length -= (uint64_t)got;
	}
}

static void unspool_capture(struct pending *pending, uint64_t *at, uint64_t length,
	struct leat_capture **capture, int *error)
{
	if (!length || *error)
		return;
	*error = leat_capture_create(capture, UNSPOOLED_BYTES, pending->directory);
	if (*error)
		return;
	unspool(pending->spool, at, length, keep_in_capture, *capture, error);
	if (!*error)
		*error = leat_capture_error(*capture);
}

static struct parcel *unspool_parcel(struct pending *pending, uint64_t at)
{
	struct parcel *parcel = calloc(1, sizeof *parcel);
	struct text bytes = {0};
	struct header header = {0};

	if (!parcel) { // never NULL: the key is taken
		parcel = pending->spare;
		pending->spare = NULL;
	}
	unspool(pending->spool, &at, sizeof header, keep_in_text, &bytes, &parcel->error);
	if (!parcel->error && bytes.length == sizeof header)
		memcpy(&header, bytes.bytes, sizeof header);
	text_finish(&bytes);
	parcel->sequence = header.sequence;
	parcel->receipt = header.receipt;
	unspool(pending->spool, &at, header.tag, keep_in_text, &parcel->tag,
		&parcel->error);
	unspool(pending->spool, &at, header.head, keep_in_text, &parcel->frame.head,
		&parcel->error);
	unspool(pending->spool, &at, header.line, keep_in_text, &parcel->frame.line,
		&parcel->error);
	unspool_capture(pending, &at, header.out, &parcel->out, &parcel->error);
	unspool_capture(pending, &at, header.err, &parcel->err, &parcel->error);
	return parcel;
}

/* ---- the ring ---- */

static void count(struct pending *pending, const struct parcel *parcel, int sign)
{
	pending->memory += (size_t)sign * memory_of(parcel);
	pending->files += (unsigned)(sign * is_in_files(parcel));
}

static bool may_stay(const struct pending *pending, const struct parcel *parcel)
{
	return pending->memory + memory_of(parcel) <= MEMORY_BYTES &&
	       (!is_in_files(parcel) || pending->files < pending->most_files);
}

static void drop_output(struct parcel *parcel, int error)
{
	leat_capture_destroy(parcel->out);
	leat_capture_destroy(parcel->err);
	parcel->out = parcel->err = NULL;
	parcel->error = error;
}

void pending_put(struct pending *pending, uint64_t key, struct parcel *parcel)
{
	struct place *place = place_of(pending, key);
	uint64_t at = leat_capture_size(pending->spool);
	int error = 0;

	if (!may_stay(pending, parcel))
		error = spool_parcel(pending->spool, parcel);
	if (error)
		drop_output(parcel, error);
	if (error || leat_capture_size(pending->spool) == at) {
		place->parcel = parcel;
		count(pending, parcel, 1);
		return;
	}
	place->spooled = at + 1;
	pending->spooled++;
	parcel_destroy(parcel);
}

struct parcel *pending_take(struct pending *pending, uint64_t key)
{
	struct place *place = place_of(pending, key);
	struct parcel *parcel = place->parcel;

	if (parcel)
		count(pending, parcel, -1);
	if (!parcel && place->spooled) {
		parcel = unspool_parcel(pending, place->spooled - 1);
		if (--pending->spooled == 0)
			leat_capture_reset(pending->spool);
	}
	*place = (struct place){0};
	return parcel;
}
