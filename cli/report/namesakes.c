#include "report/namesakes.h"

#include "sum.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

struct name {
	uint64_t hash;
	unsigned count; //< 0: there is none in this place
};

struct namesakes {
	size_t most, used;
	struct name places[]; //< twice as many as names, so that some are free
};

int namesakes_create(struct namesakes **result, size_t most)
{
	struct namesakes *namesakes =
		calloc(1, sizeof *namesakes + 2 * most * sizeof *namesakes->places);

	if (!namesakes)
		return -ENOMEM;
	namesakes->most = most;
	*result = namesakes;
	return 0;
}

void namesakes_destroy(struct namesakes *namesakes)
{
	free(namesakes);
}

unsigned namesakes_count(struct namesakes *namesakes, const char *name, size_t length)
{
	uint64_t hash = sum_bytes(SUM_START, name, length);
	size_t places = 2 * namesakes->most, at = hash % places;
	struct name *place;

	while (namesakes->places[at].count && namesakes->places[at].hash != hash)
		at = (at + 1) % places;
	place = &namesakes->places[at];
	if (!place->count && namesakes->used == namesakes->most)
		return 0;
	namesakes->used += !place->count;
	place->hash = hash;
	return ++place->count;
}
