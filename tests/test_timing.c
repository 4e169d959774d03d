/* Timing: turns are taken, ratios are of rounds, medians are medians. No test here depends on how fast anything is. */
#define _GNU_SOURCE
#include "../gen/timing.h"
#include "release.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#ifdef __linux__
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>
#endif

#include <cmocka.h>

/* ---- medians ------------------------------------------------------------------------------------------------------------ */

static void median_of_odd_and_even(void **state) {
  (void)state;
  const double values[] = {9, 1, 5, 3};
  assert_true(timing_median(values, 3) == 5);
  assert_true(timing_median(values, 4) == 4);
  assert_true(timing_median(values, 1) == 9);
  assert_true(values[0] == 9); /* left as they were */
}

/* The machine halves its clock in the last round: the ratio stays. */
static void ratio_is_of_rounds(void **state) {
  (void)state;
  const double over[] = {2, 4, 30}, under[] = {1, 2, 15};
  assert_true(timing_ratio(over, under, 3) == 2);
}

/* ---- turns -------------------------------------------------------------------------------------------------------------- */

/* Who was called last, and how often the caller changed. */
struct log {
  int last, changes;
};
struct caller {
  struct log *log;
  int number;
  double work;
};

static void work(void *context) {
  struct caller *caller = context;
  caller->log->changes += caller->log->last != caller->number;
  caller->log->last = caller->number;
  for (int i = 0; i < 1000; i++) caller->work = caller->work * 0.5 + 1;
}

static void candidates_take_turns(void **state) {
  (void)state;
  enum { ROUNDS = 4 };
  struct log log = {.last = -1};
  struct caller callers[] = {{&log, 0, 0}, {&log, 1, 0}, {&log, 2, 0}};
  const struct timed candidates[] = {{work, &callers[0]}, {work, &callers[1]}, {work, &callers[2]}};
  double seconds[3 * ROUNDS];
  timing_rounds(candidates, 3, ROUNDS, false, seconds);
  assert_int_equal(log.changes, 3 * (ROUNDS + 1)); /* each once to find out how many calls fill a sample */
  for (int i = 0; i < 3 * ROUNDS; i++) assert_true(seconds[i] > 0);
}

/* ---- processors --------------------------------------------------------------------------------------------------------- */

#ifdef __linux__
static void do_nothing(void *context) {
  usleep(1000);
  (void)context;
}

static void *wait_for(void *flag) {
  while (!atomic_load((atomic_int *)flag)) usleep(100);
  return NULL;
}

/* Wherever the scheduler would put them: a thread that others' work is done in shares no processor with the one that calls. */
static void threads_are_kept_apart(void **state) {
  (void)state;
  cpu_set_t before, here, there;
  atomic_int done = 0;
  pthread_t thread;
  double seconds[2];
  assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
  assert_int_equal(pthread_create(&thread, NULL, wait_for, &done), 0);
  timing_rounds(&(struct timed){do_nothing, NULL}, 1, 2, true, seconds);
  assert_int_equal(sched_getaffinity(0, sizeof here, &here), 0);
  assert_int_equal(pthread_getaffinity_np(thread, sizeof there, &there), 0);
  atomic_store(&done, 1);
  pthread_join(thread, NULL);
  sched_setaffinity(0, sizeof before, &before);
  if (CPU_COUNT(&before) == 1) skip();
  assert_int_equal(CPU_COUNT(&here), 1);
  assert_int_equal(CPU_COUNT(&there), CPU_COUNT(&before) - 1);
  CPU_AND(&there, &there, &here);
  assert_int_equal(CPU_COUNT(&there), 0);
}
#endif

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(median_of_odd_and_even),
      cmocka_unit_test(ratio_is_of_rounds),
      cmocka_unit_test(candidates_take_turns),
#ifdef __linux__
      cmocka_unit_test(threads_are_kept_apart),
#endif
  };
  return cmocka_run_group_tests(tests, NULL, release_memory);
}
