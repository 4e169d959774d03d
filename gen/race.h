/* Races: the candidate plans of a layer on one target, compiled together and timed in turn on this machine. */
#ifndef GEN_RACE_H
#define GEN_RACE_H
#include "job.h"
#include "timing.h"

enum { RACE_PLANS = 10 };

struct race {
  const struct layer *layer;
  const struct isa *isa;
  struct plan_list plans; /* by cost; the first `count` run */
  size_t count;
  double time[RACE_PLANS]; /* a call of each, in calls of the cheapest by cost */
  size_t fastest;          /* the cheapest by cost, unless another one is faster by what timing can tell */
};

/* Runs it, in about five seconds with compiling; layers whose rounds take longer get fewer. False with a message for job_fail in
 * `message`. */
bool race_run(struct race *race, const struct job *job, const struct layer *layer, const struct isa *isa, struct text *message);
/* Fresh rounds between the cheapest by cost and the fastest so far: what they say stands. timed[i]: plan i. */
void race_final(struct race *race, const struct timed *timed, int rounds);
/* The runner-up's time over the fastest's, at least 1; 0 if there was none. */
double race_lead(const struct race *race);
#endif
