/* Timing: turns, clocks, medians. */
#define _GNU_SOURCE
#include "timing.h"
#include "mem.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>
#ifdef __linux__
#include <dirent.h>
#include <sched.h>
#include <unistd.h>
#endif

static const double SAMPLE_SECONDS = 2e-3, LONG_SECONDS = 50e-3;

/* Until threads that wait awake for work, as those of the candidate before, are asleep. */
static const struct timespec rest = {.tv_nsec = 2000000};

/* ---- processors ------------------------------------------------------------------------------------------------------ */

#ifdef __linux__
/* Keeps the calling thread, the first of its process, on the processor where it is. Returns the others that it might have used. */
static cpu_set_t keep_here(void) {
  cpu_set_t here, others;
  CPU_ZERO(&here);
  CPU_ZERO(&others);
  const int cpu = sched_getcpu();
  if (cpu < 0 || sched_getaffinity(0, sizeof others, &others) != 0) return here;
  CPU_SET((size_t)cpu, &here);
  CPU_CLR((size_t)cpu, &others);
  if (CPU_COUNT(&others) > 0) sched_setaffinity(0, sizeof here, &here);
  return others;
}

static void keep_on(const cpu_set_t *processors, const char *thread) {
  const int id = atoi(thread); /* 0: "." and ".." */
  if (id > 0 && id != getpid()) sched_setaffinity(id, sizeof *processors, processors);
}
#endif

/* Keeps all other threads of the process off the calling one's processor: one that woke up there would take turns with it. Threads
 * that are made later begin where their maker is, so this is done again and again. */
static void keep_apart(void) {
#ifdef __linux__
  static cpu_set_t others;
  static bool kept;
  if (!kept) others = keep_here();
  kept = true;
  DIR *threads = CPU_COUNT(&others) > 0 ? opendir("/proc/self/task") : NULL;
  if (!threads) return;
  for (const struct dirent *thread; (thread = readdir(threads));) keep_on(&others, thread->d_name);
  closedir(threads);
#endif
}

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

/* ---- turns ----------------------------------------------------------------------------------------------------------- */

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
  if (wall) nanosleep(&rest, NULL);
  if (pace->warm) timed->call(timed->context);
  if (wall) keep_apart();
  return seconds_of(timed, pace->calls, wall) / (double)pace->calls;
}

void timing_rounds(const struct timed *candidates, size_t count, int rounds, bool wall, double *seconds) {
  const size_t mark = mem_mark();
  struct pace *paces = mem_array(count, sizeof *paces);
  if (wall) keep_apart();
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
