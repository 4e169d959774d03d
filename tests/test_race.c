/* Races: what the final decides, and leads. What is slower here is so by far, and no time is looked at. */
#include "../gen/race.h"
#include "release.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { ROUNDS = 3, LITTLE = 1000, MUCH = 100 * LITTLE };

/* A candidate that takes `steps`. */
struct runner {
  int steps, calls;
  double work;
};

static void run(void *context) {
  struct runner *runner = context;
  runner->calls++;
  for (int i = 0; i < runner->steps; i++) runner->work = runner->work * 0.5 + 1;
}

/* Three plans after their heats, of which number 2 seemed the fastest, run the final. */
static struct race after_final(struct runner *runners) {
  const struct timed timed[] = {{run, &runners[0]}, {run, &runners[1]}, {run, &runners[2]}};
  struct race race = {.count = 3, .time = {1, 0.9, 0.8}, .fastest = 2};
  race_final(&race, timed, ROUNDS);
  return race;
}

static void a_flattered_winner_loses(void **state) {
  (void)state;
  struct runner runners[] = {{LITTLE, 0, 0}, {LITTLE, 0, 0}, {MUCH, 0, 0}};
  const struct race race = after_final(runners);
  assert_int_equal(race.fastest, 0);
  assert_true(race.time[2] > 1); /* the heats' time is forgotten */
  assert_int_equal(runners[1].calls, 0);
}

static void a_true_winner_stays(void **state) {
  (void)state;
  struct runner runners[] = {{MUCH, 0, 0}, {LITTLE, 0, 0}, {LITTLE, 0, 0}};
  const struct race race = after_final(runners);
  assert_int_equal(race.fastest, 2);
  assert_true(race.time[2] < 0.8);
}

static void the_cheapest_does_not_meet_itself(void **state) {
  (void)state;
  struct runner runner = {LITTLE, 0, 0};
  const struct timed timed = {run, &runner};
  struct race race = {.count = 1, .time = {1}};
  race_final(&race, &timed, ROUNDS);
  assert_int_equal(runner.calls, 0);
  assert_int_equal(race.fastest, 0);
}

static void leads_are_of_the_next_best(void **state) {
  (void)state;
  const struct race ahead = {.count = 3, .time = {1, 0.5, 0.75}, .fastest = 1};
  assert_true(race_lead(&ahead) == 1.5);
  const struct race settled = {.count = 3, .time = {1, 0.995, 2}, .fastest = 0};
  assert_true(race_lead(&settled) == 1);
  const struct race alone = {.count = 1, .time = {1}};
  assert_true(race_lead(&alone) == 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_flattered_winner_loses),
      cmocka_unit_test(a_true_winner_stays),
      cmocka_unit_test(the_cheapest_does_not_meet_itself),
      cmocka_unit_test(leads_are_of_the_next_best),
  };
  return cmocka_run_group_tests(tests, NULL, release_memory);
}
