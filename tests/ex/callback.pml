/* SPDX-License-Identifier: MIT */
/*
 * The protocol of ntos/ex/callback.c, for the model checker Spin.
 *
 * Modelled: walkers with x86-TSO store buffers for their marks (the one place where
 * order matters), two removers of the same registration, an adder that supersedes
 * the array and frees it when it sees every thread without a mark, and, with
 * -DSECOND_LIFE, the removed registration coming back under the same address. Steps
 * W1 to W5 and R1 to R4 are those of the proof.
 *
 * Checked, in every interleaving: no call of a registration begins or lasts after
 * its removal returned; a walker never touches a freed array; of two removers
 * exactly one succeeds; nobody waits for ever.
 *
 * -DNO_FENCE leaves out the membarrier, -DNO_ANY step W1 between registrations,
 * -DEAGER_FREE the look at the marks before an array is freed: each must make Spin
 * find a violation.
 * Not modelled: the spill beyond EX_MARKS nestings, which is one more mark that stands
 * for every registration, and holds, which only keep a mark longer.
 */
#ifndef WALKERS
#define WALKERS 2
#endif
#ifndef REMOVERS
#define REMOVERS 2
#endif
#define NONE 0
#define ANY 9
#define ARRAYS 3
#define ENTRIES 3

typedef Array {
	byte entry[ENTRIES];
	byte count;
	bool published, freed;
}

Array array[ARRAYS];
byte current;
bool lock;

byte mark[WALKERS];
chan buffer[WALKERS] = [4] of { byte }; /* stores on their way to mark[] */

bool removed[4]; /* ghost: removal has returned */
byte inside[4];  /* ghost: calls in progress */
byte winners;
byte finished;

proctype store_buffer(byte t)
{
end:
	do
	:: buffer[t]?mark[t]
	od
}

inline fence_every_thread(t)
{
#ifdef NO_FENCE
	skip
#else
	t = 0;
	do
	:: t < WALKERS -> (empty(buffer[t])); t++
	:: else -> break
	od
#endif
}

proctype walker(byte t)
{
	byte a, i, p;
	buffer[t]!ANY;
	a = current;
	i = 0;
	do
	:: i < array[a].count ->
#ifndef NO_ANY
		buffer[t]!ANY; /* W1 */
#endif
		assert(!array[a].freed);
		p = array[a].entry[i]; /* W2 */
		if
		:: p == NONE
		:: p != NONE ->
			buffer[t]!p; /* W3 */
			assert(!removed[p]);
			inside[p]++; /* W4 */
			assert(!removed[p]);
			inside[p]--
		fi;
		i++
	:: else -> break
	od;
	buffer[t]!NONE; /* W5 */
	finished++
}

proctype remover(byte p)
{
	byte a, i, t;
	bool found;
	atomic { !lock -> lock = true }
	a = 0;
	do
	:: a < ARRAYS ->
		i = 0;
		do
		:: array[a].published && !array[a].freed && i < array[a].count ->
			if
			:: array[a].entry[i] == p -> array[a].entry[i] = NONE; found = true /* R1 */
			:: else
			fi;
			i++
		:: else -> break
		od;
		a++
	:: else -> break
	od;
	lock = false;
	if
	:: found ->
		fence_every_thread(t); /* R2 */
		t = 0;
		do
		:: t < WALKERS -> (mark[t] != p && mark[t] != ANY); t++ /* R3 */
		:: else -> break
		od;
		atomic { assert(inside[p] == 0); removed[p] = true; winners++ } /* R4 */
	:: else
	fi;
	finished++
}

/* Publishes array `to`: the live entries of the current one and `p`. */
inline add(p, to)
{
	atomic { !lock -> lock = true }
	from = current;
	d_step {
		i = 0;
		do
		:: i < array[from].count ->
			if
			:: array[from].entry[i] != NONE ->
				array[to].entry[array[to].count] = array[from].entry[i];
				array[to].count++
			:: else
			fi;
			i++
		:: else -> break
		od;
		array[to].entry[array[to].count] = p;
		array[to].count++;
		array[to].published = true
	}
	current = to;
	fence_every_thread(t);
	quiet = true;
#ifndef EAGER_FREE
	t = 0;
	do
	:: t < WALKERS ->
		if
		:: mark[t] != NONE -> quiet = false
		:: else
		fi;
		t++
	:: else -> break
	od;
#endif
	if
	:: quiet ->
		d_step {
			t = 0;
			do
			:: t < ARRAYS ->
				if
				:: t != to && array[t].published -> array[t].freed = true
				:: else
				fi;
				t++
			:: else -> break
			od
		}
	:: else
	fi;
	lock = false
}

proctype adder()
{
	byte from, i, t;
	bool quiet;
	add(3, 1);
#ifdef SECOND_LIFE
	/* The same address lives again: nobody may mistake it for its first life. */
	if
	:: atomic { removed[1] && winners == 1 -> removed[1] = false }
		add(1, 2)
	:: true
	fi;
#endif
	finished++
}

init
{
	byte t;
	atomic {
		array[0].entry[0] = 2; /* what is removed is not what a walk meets first */
		array[0].entry[1] = 1;
		array[0].count = 2;
		array[0].published = true;
		t = 0;
		do
		:: t < WALKERS -> run store_buffer(t); run walker(t); t++
		:: else -> break
		od;
		t = 0;
		do
		:: t < REMOVERS -> run remover(1); t++
		:: else -> break
		od;
		run adder()
	}
	(finished == WALKERS + REMOVERS + 1);
	/* Twice only if the second life was removed too. */
	assert(winners >= 1)
}
