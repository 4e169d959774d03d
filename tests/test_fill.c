/* Seeded data and layouts: the same bytes everywhere, the values promised, and copies that come back. */
#include "../runtime/convsmith.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { COUNT = 20000 };

/* The first numbers from seed 1234567 that the generator's authors publish. */
static void splitmix64(void **state) {
  (void)state;
  uint64_t seed = 1234567;
  assert_true(cs_random(&seed) == UINT64_C(6457827717110365317));
  assert_true(cs_random(&seed) == UINT64_C(3203168211198807973));
}

static void integers_are_uniform(void **state) {
  (void)state;
  static float data[COUNT];
  int seen[7] = {0};
  cs_fill(data, COUNT, CS_F32, CS_FILL_INTEGERS, 3, 1);
  for (int i = 0; i < COUNT; i++) {
    assert_true(data[i] >= -3 && data[i] <= 3 && data[i] == floorf(data[i]));
    seen[(int)data[i] + 3]++;
  }
  for (int i = 0; i < 7; i++) assert_in_range(seen[i], COUNT / 7 - 400, COUNT / 7 + 400);
  cs_fill(data, COUNT, CS_F32, CS_FILL_INTEGERS, 0, 1);
  assert_true(data[0] == 0 && data[COUNT - 1] == 0);
}

static void random_stays_inside(void **state) {
  (void)state;
  static double data[COUNT];
  double sum = 0;
  for (int dtype = CS_F32; dtype <= CS_F64; dtype++) {
    cs_fill(data, COUNT, (enum cs_dtype)dtype, CS_FILL_RANDOM, 0, 5);
    for (size_t i = 0; i < COUNT; i++) {
      const double value = cs_get(data, i, (enum cs_dtype)dtype);
      assert_true(value > -1 && value < 1 && value != 0);
      sum += value;
    }
  }
  assert_true(fabs(sum / COUNT) < 0.03);
}

static int is_special(double value) {
  return !isfinite(value) || value == 0 || fabs(value) >= 1 || fabs(value) < 0x1p-60;
}

static void hostile_is_mostly_random(void **state) {
  (void)state;
  static float data[COUNT];
  int special = 0, not_finite = 0, nan_count = 0;
  cs_fill(data, COUNT, CS_F32, CS_FILL_HOSTILE, 0, 9);
  for (int i = 0; i < COUNT; i++) {
    special += is_special((double)data[i]);
    not_finite += !isfinite(data[i]);
    nan_count += isnan(data[i]);
  }
  assert_in_range(special, COUNT / 256, COUNT / 64);
  assert_in_range(not_finite, 1, special / 2);
  assert_in_range(nan_count, 1, not_finite - 1);
  assert_true(is_special((double)data[COUNT / 2]) && is_special((double)data[COUNT - 1]));
}

/* Even the smallest weights hold a NaN or an infinity, whatever the seed; all three turn up. */
static void small_hostile_is_not_finite(void **state) {
  (void)state;
  int nan_count = 0, positive = 0, negative = 0;
  for (uint64_t seed = 0; seed < 100; seed++) {
    float data[9];
    cs_fill(data, 9, CS_F32, CS_FILL_HOSTILE, 0, seed);
    assert_true(!isfinite(data[4]));
    nan_count += isnan(data[4]);
    positive += data[4] > 0;
    negative += data[4] < 0;
  }
  assert_true(nan_count > 10 && positive > 10 && negative > 10);
}

static void equal_seeds_fill_equally(void **state) {
  (void)state;
  float a[100], b[100], c[100];
  cs_fill(a, 100, CS_F32, CS_FILL_HOSTILE, 0, 3);
  cs_fill(b, 100, CS_F32, CS_FILL_HOSTILE, 0, 3);
  cs_fill(c, 100, CS_F32, CS_FILL_HOSTILE, 0, 4);
  assert_memory_equal(a, b, sizeof a);
  assert_memory_not_equal(a, c, sizeof a);
}

static void elements_need_no_alignment(void **state) {
  (void)state;
  unsigned char bytes[2 * sizeof(double) + 1];
  cs_put(bytes + 1, 1, CS_F64, 0.1);
  assert_true(cs_get(bytes + 1, 1, CS_F64) == 0.1);
  cs_put(bytes + 1, 2, CS_F32, 0.1);
  assert_true(cs_get(bytes + 1, 2, CS_F32) == (double)0.1F);
  assert_int_equal(cs_size(CS_F32), 4);
  assert_int_equal(cs_size(CS_F64), 8);
}

/* Two images of two channels with three columns. */
static void layout_by_hand(void **state) {
  (void)state;
  const float logical[] = {1, 2, 3, 10, 20, 30, 4, 5, 6, 40, 50, 60}, last[] = {1, 10, 2, 20, 3, 30, 4, 40, 5, 50, 6, 60};
  const ptrdiff_t shape[] = {2, 2, 3};
  float memory[12], back[12];
  cs_to_layout(logical, memory, shape, 3, CS_F32, CS_NHWC);
  assert_memory_equal(memory, last, sizeof last);
  cs_from_layout(memory, back, shape, 3, CS_F32, CS_NHWC);
  assert_memory_equal(back, logical, sizeof logical);
  cs_to_layout(logical, memory, shape, 3, CS_F32, CS_NCHW);
  assert_memory_equal(memory, logical, sizeof logical);
}

static void layout_of_three_spatial_dimensions(void **state) {
  (void)state;
  const ptrdiff_t shape[] = {2, 3, 2, 5, 4};
  double logical[240], memory[240], back[240];
  for (int i = 0; i < 240; i++) logical[i] = i;
  cs_to_layout(logical, memory, shape, 5, CS_F64, CS_NHWC);
  assert_true(memory[1] == 40);                                      /* channel 1 of the first position */
  assert_true(memory[((1 * 5 + 2) * 4 + 3) * 3 + 2] == 2 * 40 + 31); /* channel 2 at 1, 2, 3 */
  cs_from_layout(memory, back, shape, 5, CS_F64, CS_NHWC);
  assert_memory_equal(back, logical, sizeof logical);
}

static void what_has_no_channels_stays(void **state) {
  (void)state;
  const float bias[] = {1, 2, 3, 4};
  const ptrdiff_t shape[] = {4};
  float memory[4] = {0};
  cs_to_layout(bias, memory, shape, 1, CS_F32, CS_NHWC);
  assert_memory_equal(memory, bias, sizeof bias);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(splitmix64),
      cmocka_unit_test(integers_are_uniform),
      cmocka_unit_test(random_stays_inside),
      cmocka_unit_test(hostile_is_mostly_random),
      cmocka_unit_test(small_hostile_is_not_finite),
      cmocka_unit_test(equal_seeds_fill_equally),
      cmocka_unit_test(elements_need_no_alignment),
      cmocka_unit_test(layout_by_hand),
      cmocka_unit_test(layout_of_three_spatial_dimensions),
      cmocka_unit_test(what_has_no_channels_stays),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
