/* SPDX-License-Identifier: MIT */
/*
 * Waiting among thousands.
 *
 * waitpid(-1) looks through all tracees, once before it sleeps and once when it
 * wakes up: with two thousand that do nothing, each report of one that does something
 * costs 50 µs more. waitpid for one task costs the same however many there are. The
 * kernel says which one in the SIGCHLD that goes with a report; so that is waited
 * for, blocked and taken with sigtimedwait.
 *
 * A second SIGCHLD that comes while one is pending is dropped, and a thread of the program
 * that does not block it may take it. Most often that befalls a child, which stops right
 * after its creator; so children are asked for first, by name. For the rest all are looked
 * through now and then: every few milliseconds while there are reports, then less and
 * less. A signal that is pending at that moment is taken before, lest it be in the way
 * of a new one.
 */
#include "source/live/await.h"
#include "clock.h"
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/wait.h>
#include <time.h>

#define OURS (__WALL | __WNOTHREAD)
#define SHORTEST 2000u     /* ns for each task, between two looks at all: a hundredth of the time */
#define LONGEST 100000000u /* ns */
#define EXPECTED 8u
#define RECENT 4u

static struct {
	uint64_t looked, interval, shortest; /* ns: at all of them */
	pid_t expected[EXPECTED];
	unsigned children;    /* of those */
	pid_t recent[RECENT]; /* who reported last */
	unsigned turn;
} await;

void live_expect(pid_t child)
{
	if (await.children < EXPECTED)
		await.expected[await.children++] = child;
}

static void expect_no_more(pid_t child)
{
	for (unsigned i = 0; i < await.children; i++) {
		if (await.expected[i] == child)
			await.expected[i--] = await.expected[--await.children];
	}
}

/* An expected child that has reported, or 0. */
static pid_t take_expected(int *status)
{
	for (unsigned i = await.children; i-- > 0;) {
		pid_t child = await.expected[i], tid = waitpid(child, status, OURS | WNOHANG);
		if (tid)
			expect_no_more(child);
		if (tid == child)
			return tid;
	}
	return 0;
}

/* The task of the next SIGCHLD, or 0 when none comes in time. */
static pid_t next_signal(uint64_t patience)
{
	struct timespec most = {.tv_nsec = (long)patience};
	siginfo_t info;
	sigset_t child;
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	return sigtimedwait(&child, &info, &most) == SIGCHLD ? info.si_pid : 0;
}

/* When something was found there may be more, so the next look is soon. */
static pid_t look_at_all(int *status)
{
	next_signal(0);
	pid_t tid = waitpid(-1, status, OURS | WNOHANG);
	if (tid == 0) {
		await.looked = host_clock();
		await.interval = await.interval < LONGEST ? 2 * await.interval : LONGEST;
	}
	return tid;
}

/* 0: nothing so far. */
static pid_t await_for_a_while(int *status)
{
	pid_t tid = take_expected(status);
	if (tid)
		return tid;
	uint64_t passed = host_clock() - await.looked;
	if (passed >= await.interval)
		return look_at_all(status);
	tid = next_signal(await.interval - passed);
	if (!tid)
		return 0;
	await.interval = await.shortest;
	return waitpid(tid, status, OURS | WNOHANG) == tid ? tid : 0;
}

static pid_t await_among_many(int *status, unsigned tasks)
{
	pid_t tid;
	await.shortest = (uint64_t)tasks * SHORTEST;
	if (await.interval < await.shortest)
		await.interval = await.shortest;
	do
		tid = await_for_a_while(status);
	while (tid == 0);
	expect_no_more(tid);
	return tid;
}

/* Whoever reports now has most often reported a moment ago. */
static pid_t take_recent(int *status)
{
	for (unsigned i = 0; i < RECENT; i++) {
		pid_t tid = await.recent[i];
		if (tid && waitpid(tid, status, OURS | WNOHANG) == tid)
			return tid;
	}
	return 0;
}

static pid_t await_once(int *status, unsigned tasks, bool patient)
{
	if (tasks < LIVE_MANY) {
		await.children = 0;
		return waitpid(-1, status, OURS | (patient ? 0 : WNOHANG));
	}
	if (patient)
		return await_among_many(status, tasks);
	pid_t tid = take_recent(status);
	return tid ? tid : waitpid(-1, status, OURS | WNOHANG);
}

pid_t live_await(int *status, unsigned tasks, bool patient)
{
	pid_t tid = await_once(status, tasks, patient);
	if (tid > 0 && tid != await.recent[await.turn % RECENT])
		await.recent[++await.turn % RECENT] = tid;
	return tid;
}
