/* SPDX-License-Identifier: MIT */
#include "support/parallel.h"
#include <stdlib.h>
#include <time.h>

#define PATIENCE 10 /* seconds */

void gate_init(struct gate *gate)
{
	sem_init(&gate->count, 0, 0);
}

void gate_open(struct gate *gate)
{
	sem_post(&gate->count);
}

bool gate_wait(struct gate *gate)
{
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE;
	return sem_timedwait(&gate->count, &until) == 0;
}

static void *run(void *argument)
{
	struct job *job = argument;
	job->fn(job->argument);
	atomic_store(&job->done, true);
	return NULL;
}

void job_start(struct job *job, void (*fn)(void *), void *argument)
{
	job->fn = fn;
	job->argument = argument;
	atomic_init(&job->done, false);
	if (pthread_create(&job->thread, NULL, run, job))
		abort();
}

void job_join(struct job *job)
{
	pthread_join(job->thread, NULL);
}

static void nap(long nanoseconds)
{
	nanosleep(&(struct timespec){.tv_nsec = nanoseconds}, NULL);
}

bool job_is_stuck(struct job *job)
{
	nap(30000000);
	return !atomic_load(&job->done);
}

bool eventually(bool (*condition)(void *), void *argument)
{
	for (unsigned i = 0; i < PATIENCE * 1000; i++) {
		if (condition(argument))
			return true;
		nap(1000000);
	}
	return false;
}
