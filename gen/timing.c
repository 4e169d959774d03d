/* Timing: turns, clocks, medians. */
#define _GNU_SOURCE
#include "timing.h"
#include "mem.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>
#ifdef __linux__
#include <sched.h>
#endif

static const double SAMPLE_SECONDS = 2e-3, LONG_SECONDS = 50e-3;

static double seconds_now(bool wall) {
  struct timespec now;
  clock_gettime(wall ? CLOCK_MONOTONIC : CLOCK_THREAD_CPUTIME_ID, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static double seconds_of(const struct timed *timed, long calls, bool wall) {
  const double start = seconds_now(wall);
  for (long i = 0; i < calls; i++) timed->call(timed->context);
  return seconds_now(wall) - start;
}

double timing_once(const struct timed *timed, bool wall) {
  return seconds_of(timed, 1, wall);
}

/* How a candidate's samples are taken. */
struct pace {
  long calls;
  bool warm; /* an untimed call comes first */
};

/* Calls are doubled until they nearly fill a sample, since a single short call is less than the clock sees. A first call that is
 * very long says enough: caches are warm soon after its start. */
static struct pace pace_of(const struct timed *timed, bool wall) {
  double seconds = timing_once(timed, wall);
  if (seconds > LONG_SECONDS) return (struct pace){1, false};
  for (long calls = 1;; calls *= 2) {
    seconds = seconds_of(timed, calls, wall);
    const double wanted = SAMPLE_SECONDS * (double)calls / seconds;
    if (seconds > SAMPLE_SECONDS / 4) return (struct pace){wanted > 1 ? (long)wanted + 1 : 1, true};
  }
}

static double sample(const struct timed *timed, const struct pace *pace, bool wall) {
  if (pace->warm) timed->call(timed->context);
  return seconds_of(timed, pace->calls, wall) / (double)pace->calls;
}

void timing_rounds(const struct timed *candidates, size_t count, int rounds, bool wall, double *seconds) {
  const size_t mark = mem_mark();
  struct pace *paces = mem_array(count, sizeof *paces);
  for (size_t i = 0; i < count; i++) paces[i] = pace_of(&candidates[i], wall);
  for (int round = 0; round < rounds; round++)
    for (size_t i = 0; i < count; i++) seconds[i * (size_t)rounds + (size_t)round] = sample(&candidates[i], &paces[i], wall);
  mem_release(mark);
}

/* ---- medians --------------------------------------------------------------------------------------------------------- */

static int by_value(const void *a, const void *b) {
  const double left = *(const double *)a, right = *(const double *)b;
  return left < right ? -1 : left > right;
}

double timing_median(const double *values, size_t count) {
  const size_t mark = mem_mark();
  double *sorted = mem_array(count, sizeof *sorted);
  memcpy(sorted, values, count * sizeof *sorted);
  qsort(sorted, count, sizeof *sorted, by_value);
  const double median = (sorted[(count - 1) / 2] + sorted[count / 2]) / 2;
  mem_release(mark);
  return median;
}

double timing_ratio(const double *over, const double *under, size_t count) {
  const size_t mark = mem_mark();
  double *ratios = mem_array(count, sizeof *ratios);
  for (size_t i = 0; i < count; i++) ratios[i] = over[i] / under[i];
  const double median = timing_median(ratios, count);
  mem_release(mark);
  return median;
}

/* ---- the processor --------------------------------------------------------------------------------------------------- */

void timing_pin(void) {
#ifdef __linux__
  cpu_set_t allowed, one;
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
  CPU_ZERO(&one);
  for (int cpu = CPU_SETSIZE - 1; cpu >= 0 && !CPU_COUNT(&one); cpu--)
    if (CPU_ISSET((size_t)cpu, &allowed)) CPU_SET((size_t)cpu, &one);
  sched_setaffinity(0, sizeof one, &one);
#endif
}
