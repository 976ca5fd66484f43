/* Threads of tests, and how to know that one of them sleeps. */
#ifndef LEAT_TESTS_UNIT_THREAD_H
#define LEAT_TESTS_UNIT_THREAD_H

#include "unit.h"

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef void (*thread_fn)(void *argument);

/** A thread whose kernel number is known; the memory is the test's. */
struct thread {
	pthread_t thread;
	thread_fn run;
	void *argument;
	sem_t begun;
	pid_t number;
};

static inline void *thread_main(void *argument)
{
	struct thread *thread = argument;

	thread->number = gettid();
	sem_post(&thread->begun);
	thread->run(thread->argument);
	return NULL;
}

static inline void thread_start(struct thread *thread, thread_fn run, void *argument)
{
	thread->run = run;
	thread->argument = argument;
	sem_init(&thread->begun, 0, 0);
	assert_int_equal(pthread_create(&thread->thread, NULL, thread_main, thread), 0);
	while (sem_wait(&thread->begun) < 0)
		;
}

static inline void thread_join(struct thread *thread)
{
	pthread_join(thread->thread, NULL);
	sem_destroy(&thread->begun);
}

/** The letter of proc(5) for the state of what `path` (a stat file) tells of. */
static inline char state_letter(const char *path)
{
	char line[512] = "";
	FILE *file = fopen(path, "re");
	const char *end;
	size_t length;

	if (!file)
		return '\0';
	length = fread(line, 1, sizeof line - 1, file);
	fclose(file);
	line[length] = '\0';
	end = strrchr(line, ')');
	return end && end[1] ? end[2] : '\0';
}

/** Returns when the thread sleeps: waits for what it was started to wait for. */
static inline void thread_await_sleep(const struct thread *thread)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int)thread->number);
	while (state_letter(path) != 'S')
		sched_yield();
}

static inline void wait_for_post(sem_t *semaphore)
{
	while (sem_wait(semaphore) < 0)
		;
}

#endif
