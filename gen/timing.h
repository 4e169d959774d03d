/* Timing: candidates take turns, so that whatever the machine does (clock, neighbours) befalls all of them alike, and only ratios
 * within one round are compared. A sample is the mean of as many calls as fill 2 ms, after an untimed call
 * that warms caches (not where one call takes 50 ms).
 *
 * Time is processor time of the calling thread, or with `wall` that of the clock, for candidates that work in several threads:
 * these are kept off the calling one's processor. */
#ifndef GEN_TIMING_H
#define GEN_TIMING_H
#include <stdbool.h>
#include <stddef.h>

/* Something that is called. */
struct timed {
  void (*call)(void *context);
  void *context;
};

enum { TIMING_ROUNDS = 15 }; /* enough for medians that hold within about 2 % */

/* Calls `count` candidates in turn, `rounds` times. seconds[i * rounds + r]: of one call of candidate i in round r. */
void timing_rounds(const struct timed *candidates, size_t count, int rounds, bool wall, double *seconds);
/* Seconds of a single call. */
double timing_once(const struct timed *timed, bool wall);
double timing_median(const double *values, size_t count);
/* Median of over[r] / under[r]. */
double timing_ratio(const double *over, const double *under, size_t count);
/* Keeps the calling thread on one processor, the last one that it may use: the first serves interrupts. */
void timing_pin(void);
#endif
