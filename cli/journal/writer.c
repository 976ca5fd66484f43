/*
 * The writer.
 *
 * Who starts or ends an attempt adds an entry to the tail (tail.c), which costs one
 * pwrite(2); from then on this process may be killed. The writer commits what has come
 * together, in groups, to the database (store.c): after GROUP_NS, so that what has ended
 * is on the disk within a tenth of a second, or at once where somebody waits: for that,
 * for room in the tail, or for the end of it all.
 *
 * The lock guards all of the struct but the settings, and the tail. The writer holds it
 * while it takes a batch and while it forgets one, not while it commits: entries are
 * added meanwhile, behind. `wanted` wakes the writer; `committed` those that wait for it.
 *
 * Trouble. What SQLite can't commit stays in the tail, which has its room on the disk
 * beforehand: so nothing is lost by a full disk, and the next leat takes it over. The
 * writer tells it once, and tries again when it is stopped. Only when the tail is full,
 * too, are entries lost; they are counted.
 */
#include "journal/writer.h"

#include "leat.h"
#include "moment.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define GROUP_NS (LEAT_SECOND_NS / 25)

struct writer {
	struct writer_settings settings;
	struct stat file, log; //< the journal, its -wal, as the last commit left them
	const char *harm;      //< what somebody did to them; NULL: nothing
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wanted, committed;
	const struct told *large; //< what found no place in the tail
	uint64_t ticket;          //< the last that was committed
	unsigned waiting;         //< how many threads wait for `committed`
	bool idle;                //< the thread is
	bool committing;          //< it is, and uses `large`
	bool stopping;
	bool broken;
	uint64_t lost; //< entries that found no room
};

static int look_at(const struct writer *writer, struct stat *file, struct stat *log)
{
	struct text log_name = {0};

	text_format(&log_name, "%s-wal", writer->settings.name);
	if (log_name.failed || stat(log_name.bytes, log) < 0)
		*log = (struct stat){0};
	text_finish(&log_name);
	return stat(writer->settings.name, file);
}

// Nobody but the writer makes them smaller. SQLite does not see it: it goes on behind the
// hole, and then copies that into the database.
static const char *find_harm(const struct writer *writer)
{
	struct stat file, log;

	if (look_at(writer, &file, &log) < 0 || file.st_dev != writer->file.st_dev ||
		file.st_ino != writer->file.st_ino)
		return "it was removed meanwhile";
	if (file.st_size < writer->file.st_size)
		return "it was cut short meanwhile";
	if (log.st_nlink && log.st_size < writer->log.st_size)
		return "its -wal was cut short meanwhile";
	return NULL;
}

// What is whole in the files stays so: nothing is moved from one to the other any more.
static bool is_harmed(struct writer *writer)
{
	if (!writer->harm) {
		writer->harm = find_harm(writer);
		if (writer->harm)
			store_let_be(writer->settings.store);
	}
	return writer->harm;
}

// Returns 0, or -EIO and *words.
static int commit(struct writer *writer, const struct batch *batch,
	const struct told *large, struct text *words)
{
	struct store *store = writer->settings.store;
	int code;

	if (is_harmed(writer)) {
		text_format(words, "%s", writer->harm);
		return -EIO;
	}
	code = store_begin(store);
	if (!code)
		code = batch_each(batch, store_apply, store);
	if (!code && large)
		code = store_apply(store, large);
	if (!code)
		code = store_commit(store, batch->ticket);
	if (!code) {
		look_at(writer, &writer->file, &writer->log);
		return 0;
	}
	text_format(words, "%s", store_words(store));
	store_roll_back(store);
	return -EIO;
}

// With the lock, which it lets go meanwhile.
static void tell_broken(struct writer *writer, const struct text *words)
{
	bool first = !writer->broken;

	writer->broken = true;
	pthread_cond_broadcast(&writer->committed);
	pthread_mutex_unlock(&writer->lock);
	if (first)
		writer->settings.broken(writer->settings.argument,
			words->bytes ? words->bytes : "out of memory");
	pthread_mutex_lock(&writer->lock);
}

// With the lock, which it lets go meanwhile. Without the tail another leat may come, and
// nothing is safe from a SIGKILL any more.
static void check_tail(struct writer *writer)
{
	struct text words = {0};

	if (tail_is_there(writer->settings.tail))
		return;
	text_format(&words, "%s-tail was removed meanwhile", writer->settings.name);
	tell_broken(writer, &words);
	text_finish(&words);
}

// With the lock, which it lets go meanwhile.
static void commit_group(struct writer *writer)
{
	const struct told *large = writer->large;
	struct text words = {0};
	struct batch batch;
	int error;

	tail_get(writer->settings.tail, &batch);
	writer->committing = true;
	pthread_mutex_unlock(&writer->lock);
	error = commit(writer, &batch, large, &words);
	pthread_mutex_lock(&writer->lock);
	writer->committing = false;
	if (error) {
		tell_broken(writer, &words);
	} else {
		if (large)
			writer->large = NULL;
		tail_forget(writer->settings.tail, &batch);
		writer->ticket = batch.ticket;
		pthread_cond_broadcast(&writer->committed);
		check_tail(writer);
	}
	text_finish(&words);
}

static bool is_urgent(const struct writer *writer)
{
	return writer->stopping || writer->waiting || tail_is_full(writer->settings.tail);
}

// With the lock, which it lets go meanwhile: some more may come together.
static void gather(struct writer *writer)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	time.tv_nsec += GROUP_NS;
	time.tv_sec += time.tv_nsec / LEAT_SECOND_NS;
	time.tv_nsec %= LEAT_SECOND_NS;
	while (!is_urgent(writer) &&
		!pthread_cond_timedwait(&writer->wanted, &writer->lock, &time))
		;
}

static bool has_more(const struct writer *writer)
{
	return tail_ticket(writer->settings.tail) != writer->ticket;
}

static void *writer_main(void *argument)
{
	struct writer *writer = argument;

	pthread_mutex_lock(&writer->lock);
	while (!writer->stopping) {
		if (has_more(writer) && !writer->broken) {
			gather(writer);
			commit_group(writer);
			continue;
		}
		writer->idle = true;
		pthread_cond_wait(&writer->wanted, &writer->lock);
		writer->idle = false;
	}
	if (has_more(writer))
		commit_group(writer);
	pthread_mutex_unlock(&writer->lock);
	return NULL;
}

static void destroy(struct writer *writer)
{
	pthread_cond_destroy(&writer->committed);
	pthread_cond_destroy(&writer->wanted);
	pthread_mutex_destroy(&writer->lock);
	free(writer);
}

// Signals are for the thread that waits for them.
static int start_thread(struct writer *writer)
{
	sigset_t all, before;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = -pthread_create(&writer->thread, NULL, writer_main, writer);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error;
}

int writer_start(struct writer **result, const struct writer_settings *settings)
{
	struct writer *writer = calloc(1, sizeof *writer);
	int error = writer ? moment_init_condition(&writer->wanted) : -ENOMEM;

	if (error) {
		free(writer);
		return error;
	}
	pthread_cond_init(&writer->committed, NULL);
	pthread_mutex_init(&writer->lock, NULL);
	writer->settings = *settings;
	writer->ticket = tail_ticket(settings->tail);
	if (look_at(writer, &writer->file, &writer->log) < 0)
		error = -errno;
	if (!error)
		error = start_thread(writer);
	if (error)
		destroy(writer);
	else
		*result = writer;
	return error;
}

void writer_stop(struct writer *writer, struct writer_end *end)
{
	pthread_mutex_lock(&writer->lock);
	writer->stopping = true;
	pthread_cond_signal(&writer->wanted);
	pthread_mutex_unlock(&writer->lock);
	pthread_join(writer->thread, NULL);
	*end = (struct writer_end){
		.lost = writer->lost,
		.is_harmed = is_harmed(writer),
	};
	end->is_whole = !has_more(writer) && !writer->lost && !end->is_harmed;
	destroy(writer);
}

void writer_break(struct writer *writer, const char *words)
{
	struct text text = {0};

	text_format(&text, "%s", words);
	pthread_mutex_lock(&writer->lock);
	tell_broken(writer, &text);
	pthread_mutex_unlock(&writer->lock);
	text_finish(&text);
}

// With the lock, and nobody else's large one there: the writer gets it straight from
// here, and lets go of it once it is committed.
static int hand_over(struct writer *writer, const struct told *told)
{
	writer->large = told;
	tail_skip(writer->settings.tail);
	pthread_cond_signal(&writer->wanted);
	while (writer->large == told && (writer->committing || !writer->broken))
		pthread_cond_wait(&writer->committed, &writer->lock);
	if (writer->large != told)
		return 0;
	writer->large = NULL;
	return -EIO;
}

// With the lock: what is too large for the tail.
static int add_large(struct writer *writer, const struct told *told)
{
	int error = -EIO;

	writer->waiting++;
	while (writer->large && !writer->broken)
		pthread_cond_wait(&writer->committed, &writer->lock);
	if (!writer->broken)
		error = hand_over(writer, told);
	writer->waiting--;
	return error;
}

// With the lock.
static int add_to_tail(struct writer *writer, const struct told *told)
{
	int error;

	while ((error = tail_add(writer->settings.tail, told)) == -EAGAIN &&
		!writer->broken) {
		writer->waiting++;
		pthread_cond_signal(&writer->wanted);
		pthread_cond_wait(&writer->committed, &writer->lock);
		writer->waiting--;
	}
	if (!error && (writer->idle || is_urgent(writer)))
		pthread_cond_signal(&writer->wanted);
	return error == -E2BIG ? add_large(writer, told) : error;
}

int writer_add(struct writer *writer, const struct told *told, bool needed)
{
	int error;

	pthread_mutex_lock(&writer->lock);
	error = writer->broken && needed ? -EIO : add_to_tail(writer, told);
	if (error && !needed)
		writer->lost++;
	if (error && !writer->broken) {
		struct text words = {0};

		text_format(
			&words, "%s-tail: %s", writer->settings.name, strerror(-error));
		tell_broken(writer, &words);
		text_finish(&words);
	}
	pthread_mutex_unlock(&writer->lock);
	return error;
}

void writer_settle(struct writer *writer)
{
	uint64_t ticket;

	pthread_mutex_lock(&writer->lock);
	ticket = tail_ticket(writer->settings.tail);
	writer->waiting++;
	pthread_cond_signal(&writer->wanted);
	while (writer->ticket < ticket && !writer->broken)
		pthread_cond_wait(&writer->committed, &writer->lock);
	writer->waiting--;
	pthread_mutex_unlock(&writer->lock);
}
