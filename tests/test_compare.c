/* The judge alone: where a bound begins and ends, and what stands in for NaN and infinity. */
#include "../runtime/convsmith.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct cs_expect around(double value, double bound) {
  const struct cs_expect expect = {.value = value, .bound = bound, .low = NAN, .high = NAN};
  return expect;
}

static void the_bound_is_inclusive(void **state) {
  (void)state;
  const struct cs_expect expect = around(1, 0.25);
  assert_true(cs_right(&expect, 1.25, 0));
  assert_true(cs_right(&expect, 0.75, 0));
  assert_false(cs_right(&expect, nextafter(1.25, 2), 0));
  assert_false(cs_right(&expect, nextafter(0.75, 0), 0));
}

static void exact_means_equal(void **state) {
  (void)state;
  const struct cs_expect expect = around(3, 0.25), zero = around(0, 0);
  assert_true(cs_right(&expect, 3, 1));
  assert_false(cs_right(&expect, nextafter(3, 4), 1));
  assert_true(cs_right(&zero, -0.0, 1));
}

static void the_low_part_counts(void **state) {
  (void)state;
  struct cs_expect expect = around(1, 0x1p-60);
  expect.rest = 0x1p-54; /* y* lies halfway to the next double */
  assert_false(cs_right(&expect, 1, 0));
  expect.bound = 0x1p-54;
  assert_true(cs_right(&expect, 1, 0));
  assert_false(cs_right(&expect, nextafter(1, 0), 0));
}

static void nan_and_infinity_must_be_met(void **state) {
  (void)state;
  const struct cs_expect nan_expected = around(NAN, 0.25), infinity = around(INFINITY, 0.25), finite = around(1, 0.25);
  assert_true(cs_right(&nan_expected, NAN, 0));
  assert_false(cs_right(&nan_expected, 0, 0));
  assert_false(cs_right(&nan_expected, INFINITY, 0));
  assert_true(cs_right(&infinity, INFINITY, 0));
  assert_false(cs_right(&infinity, -INFINITY, 0));
  assert_false(cs_right(&infinity, NAN, 0));
  assert_false(cs_right(&infinity, 1e308, 0));
  assert_false(cs_right(&finite, NAN, 0));
  assert_false(cs_right(&finite, INFINITY, 0));
}

static void overflow_allows_more(void **state) {
  (void)state;
  struct cs_expect expect = around(1, 0.25);
  expect.overflow = 1;
  expect.low = 0;
  expect.high = INFINITY;
  assert_true(cs_right(&expect, 1, 0));
  assert_true(cs_right(&expect, NAN, 0));
  assert_true(cs_right(&expect, 0, 0));
  assert_true(cs_right(&expect, INFINITY, 0));
  assert_false(cs_right(&expect, -INFINITY, 0));
  assert_false(cs_right(&expect, 0.5, 0));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_bound_is_inclusive),       cmocka_unit_test(exact_means_equal),    cmocka_unit_test(the_low_part_counts),
      cmocka_unit_test(nan_and_infinity_must_be_met), cmocka_unit_test(overflow_allows_more),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
