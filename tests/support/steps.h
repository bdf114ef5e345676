/* SPDX-License-Identifier: MIT */
/*
 * Every interleaving of one thread's work with one act of another, instruction by
 * instruction: `work` is done on a thread of its own again and again, each time stopped
 * before a later instruction (with the processor's trap flag), and while it stands there
 * `act` is run to its end on a second thread. If the act waits for the work, the work goes
 * on after a moment.
 *
 * What is stopped is preempted, as far as the kernel under test can tell. With
 * AddressSanitizer a run also shows what is used after the act has freed it.
 */
#ifndef RINGSIDE_TEST_STEPS_H
#define RINGSIDE_TEST_STEPS_H

struct steps {
	void (*prepare)(void); /* before each run, on the test's thread */
	void (*work)(void);
	void (*act)(void);
};

/* Called by `work`: the part in between is what is done in steps. */
void steps_begin(void);
void steps_end(void);

/* Returns at how many places it was stopped, and at how many the act had to wait;
 * 0 under ThreadSanitizer, whose own code would be stepped through. */
unsigned run_at_every_instruction(const struct steps *steps, unsigned *waited);

#endif
