/* SPDX-License-Identifier: MIT */
/*
 * Tests with more than one host thread, none of which waits for ever: a wait that lasts
 * longer than ten seconds ends, and the test fails where it looks at the result.
 * cmocka's assertions belong on the main thread; jobs return what they found.
 */
#ifndef RINGSIDE_TEST_PARALLEL_H
#define RINGSIDE_TEST_PARALLEL_H

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>

/* What one thread waits for and another opens; each opening lets one through. */
struct gate {
	sem_t count;
};
void gate_init(struct gate *gate);
void gate_open(struct gate *gate);
bool gate_wait(struct gate *gate); /* false: ten seconds were not enough */

/* A function on a thread of its own. */
struct job {
	pthread_t thread;
	void (*fn)(void *);
	void *argument;
	atomic_bool done; /* fn has returned */
};
void job_start(struct job *job, void (*fn)(void *), void *argument);
void job_join(struct job *job);

/* Whether fn is still under way, a while after it could have ended. */
bool job_is_stuck(struct job *job);

/* Tries until it is true, for ten seconds. */
bool eventually(bool (*condition)(void *), void *argument);

#endif
