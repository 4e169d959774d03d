/* Cook-Toom matrices: exact for every size, since a bilinear identity holds if it does for all pairs of unit vectors. */
#include "../gen/cook_toom.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Σ_j output[i][j] · kernel[j][k] · input[j][d] as a fraction of 2^20 · 3^4 · 5^4, which every product here divides. */
static int64_t coefficient(const struct cook_toom *t, int i, int k, int d) {
  const int64_t unit = (INT64_C(1) << 20) * 81 * 625;
  int64_t sum = 0;
  for (int j = 0; j < t->points; j++) {
    const int64_t bottom = t->output[i][j].bottom * t->kernel[j][k].bottom * t->input[j][d].bottom;
    assert_int_equal(unit % bottom, 0);
    sum += t->output[i][j].top * t->kernel[j][k].top * t->input[j][d].top * (unit / bottom);
  }
  assert_int_equal(sum % unit, 0);
  return sum / unit;
}

static void every_size_is_the_correlation(void **state) {
  (void)state;
  for (int r = 1; r <= COOK_TOOM_POINTS; r++)
    for (int m = 1; m + r - 1 <= COOK_TOOM_POINTS; m++) {
      const struct cook_toom t = cook_toom(m, r);
      for (int i = 0; i < m; i++)
        for (int k = 0; k < r; k++)
          for (int d = 0; d < t.points; d++)
            if (coefficient(&t, i, k, d) != (d == i + k)) fail_msg("F(%d, %d): output %d, tap %d, input %d", m, r, i, k, d);
    }
}

static bool is_power_of_two(int64_t a) {
  return a > 0 && (a & (a - 1)) == 0;
}

/* What is multiplied at run time is exact in binary. */
static void constants_are_binary(void **state) {
  (void)state;
  const struct cook_toom t = cook_toom(6, 3);
  for (int i = 0; i < t.points; i++)
    for (int j = 0; j < t.points; j++) {
      assert_true(is_power_of_two(t.input[i][j].bottom));
      if (i < t.m) assert_true(is_power_of_two(t.output[i][j].bottom));
    }
}

/* F(2, 3): rows of 2, of 3/2 in halves, and of 3, for sums of 3 products. */
static void growth_by_hand(void **state) {
  (void)state;
  struct cook_toom t = cook_toom(2, 3);
  assert_true(cook_toom_growth(&t) == log2(2.0 * 3 * 3 / 3));
  t = cook_toom(1, 1);
  assert_true(cook_toom_growth(&t) == 0);
  t = cook_toom(4, 3); /* thirds */
  assert_true(cook_toom_growth(&t) == -1);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_size_is_the_correlation), cmocka_unit_test(constants_are_binary),
                                     cmocka_unit_test(growth_by_hand)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
