/* What an output may be: the bound's value worked by hand, NaN and infinity, overflow, and each activation. */
#include "conv_case.h"
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const float one_f32[] = {1};

static double gamma_of(double n, double u) {
  return n * u / (1 - n * u);
}

/* 1*4 - 2*5 + 3*6 + bias - residual: n = 5 terms, absolute values 4 + 10 + 18 + 7 + 8. */
static void bound_by_hand(void **state) {
  (void)state;
  const float x[] = {1, -2, 3}, w[] = {4, 5, 6}, bias[] = {7}, residual[] = {-8};
  const double x_wide[] = {1, -2, 3}, w_wide[] = {4, 5, 6}, bias_wide[] = {7}, residual_wide[] = {-8};
  const struct cs_conv_data data = {x, w, bias, residual, NULL}, wide = {x_wide, w_wide, bias_wide, residual_wide, NULL};
  struct cs_conv conv = conv_row(3, 3, 0);
  struct cs_expect expect = conv_at(&conv, &data, 0);
  assert_true(expect.value == 11);
  assert_true(expect.bound == gamma_of(5, 0x1p-24) * 47 + 5 * 0x1p-149);
  conv.dtype = CS_F64;
  expect = conv_at(&conv, &wide, 0);
  assert_true(expect.value == 11);
  assert_true(expect.bound == gamma_of(5, 0x1p-53) * 47 + 5 * 0x1p-1074);
}

static void bound_has_a_denormal_floor(void **state) {
  (void)state;
  const float x[] = {0x1p-140F}, w[] = {0x1p-20F};
  const struct cs_conv conv = conv_row(1, 1, 0);
  const struct cs_conv_data data = {.input = x, .weights = w};
  const struct cs_expect expect = conv_at(&conv, &data, 0);
  assert_true(expect.value == 0x1p-160); /* what float rounds to zero */
  assert_true(cs_right(&expect, 0, 0));
  assert_true(cs_right(&expect, 3 * 0x1p-149, 0));
  assert_false(cs_right(&expect, 4 * 0x1p-149, 0));
}

/* One output of one tap: x * w. */
static struct cs_expect product(float x, float w, int skip_zero_weights) {
  struct cs_conv conv = conv_row(1, 1, 0);
  const struct cs_conv_data data = {.input = &x, .weights = &w};
  conv.skip_zero_weights = skip_zero_weights;
  return conv_at(&conv, &data, 0);
}

static void special_values_travel(void **state) {
  (void)state;
  assert_true(isnan(product(NAN, 1, 0).value));
  assert_true(product(INFINITY, 2, 0).value == INFINITY);
  assert_true(product(INFINITY, -2, 0).value == -INFINITY);
  assert_true(isnan(product(INFINITY, 0, 0).value));
  assert_true(product(INFINITY, 0, 1).value == 0);
  assert_true(product(NAN, -0.0F, 1).value == 0);
  assert_int_equal(product(INFINITY, 2, 0).overflow, 0);
}

/* A NaN at the edge reaches the outputs whose windows hold it; padding beside it is skipped, and never makes 0 * infinity. */
static void special_values_beside_padding(void **state) {
  (void)state;
  const float x[] = {INFINITY, 1, 1, NAN}, w[] = {0.5F, 1, INFINITY};
  const double expected[] = {INFINITY, INFINITY, NAN, NAN};
  const struct cs_conv conv = conv_row(4, 3, 1);
  const struct cs_conv_data data = {.input = x, .weights = w};
  for (int i = 0; i < 4; i++) {
    const double value = conv_at(&conv, &data, i).value;
    assert_true(isnan(expected[i]) ? isnan(value) : value == expected[i]);
  }
}

static void both_infinities_are_nan(void **state) {
  (void)state;
  const float x[] = {INFINITY, -INFINITY}, w[] = {1, 1};
  const struct cs_conv conv = conv_row(2, 2, 0);
  const struct cs_conv_data data = {.input = x, .weights = w};
  assert_true(isnan(conv_at(&conv, &data, 0).value));
}

/* FLT_MAX + FLT_MAX - FLT_MAX: a float sum may pass through infinity, in which case it stays there or becomes NaN. */
static void overflow_on_the_way(void **state) {
  (void)state;
  const float x[] = {FLT_MAX, FLT_MAX, -FLT_MAX}, w[] = {1, 1, 1};
  struct cs_conv conv = conv_row(3, 3, 0);
  const struct cs_conv_data data = {.input = x, .weights = w};
  struct cs_expect expect = conv_at(&conv, &data, 0);
  assert_int_equal(expect.overflow, 1);
  assert_true(cs_right(&expect, (double)FLT_MAX, 0));
  assert_true(cs_right(&expect, INFINITY, 0));
  assert_true(cs_right(&expect, -INFINITY, 0));
  assert_true(cs_right(&expect, NAN, 0));
  assert_false(cs_right(&expect, 1, 0));
  conv.activation = CS_RELU6; /* of NaN, -infinity, +infinity and y* */
  expect = conv_at(&conv, &data, 0);
  assert_true(cs_right(&expect, NAN, 0));
  assert_true(cs_right(&expect, 0, 0));
  assert_true(cs_right(&expect, 6, 0));
}

static void infinity_and_overflow(void **state) {
  (void)state;
  const float x[] = {FLT_MAX, INFINITY, FLT_MAX}, w[] = {-1, 1, -1};
  const struct cs_conv conv = conv_row(3, 3, 0);
  const struct cs_conv_data data = {.input = x, .weights = w};
  const struct cs_expect expect = conv_at(&conv, &data, 0);
  assert_true(cs_right(&expect, INFINITY, 0));
  assert_true(cs_right(&expect, NAN, 0)); /* -FLT_MAX - FLT_MAX first */
  assert_false(cs_right(&expect, -INFINITY, 0));
  assert_false(cs_right(&expect, (double)FLT_MAX, 0));
}

/* Beyond double's range the reference cannot follow in plain doubles: 1e300^2 - 1e300^2 + 1e300 is 1e300 still. */
static void overflow_in_f64(void **state) {
  (void)state;
  const double x[] = {1e300, 1e300, 1e308}, w[] = {1e300, -1e300, 1e308};
  struct cs_conv conv = conv_row(2, 2, 0);
  const struct cs_conv_data data = {.input = x, .weights = w};
  conv.dtype = CS_F64;
  struct cs_expect expect = conv_at(&conv, &data, 0);
  assert_int_equal(expect.overflow, 1);
  assert_true(expect.value == 0);
  assert_true(cs_right(&expect, NAN, 0));
  const struct cs_conv_data sum = {.input = x + 2, .weights = w + 2};
  conv = conv_row(1, 1, 0);
  conv.dtype = CS_F64;
  expect = conv_at(&conv, &sum, 0);
  assert_true(expect.value == INFINITY);
}

/* Just below the maximum all is as ever. */
static void large_f64_sums_are_exact(void **state) {
  (void)state;
  const double x[] = {DBL_MAX / 2, 1, -DBL_MAX / 4, -DBL_MAX / 8}, w[] = {1, 1, 1, 1};
  struct cs_conv conv = conv_row(4, 4, 0);
  const struct cs_conv_data data = {.input = x, .weights = w};
  conv.dtype = CS_F64;
  const struct cs_expect expect = conv_at(&conv, &data, 0);
  assert_int_equal(expect.overflow, 0);
  assert_true(expect.value == DBL_MAX / 8);
}

/* f(x) of a single value, as the activation of a convolution by one. */
static struct cs_expect activate(enum cs_activation activation, double a0, double a1, float x) {
  struct cs_conv conv = conv_row(1, 1, 0);
  const float slope = (float)a0;
  const struct cs_conv_data data = {.input = &x, .weights = one_f32, .slope = &slope};
  conv.activation = activation;
  conv.act[0] = a0;
  conv.act[1] = a1;
  return conv_at(&conv, &data, 0);
}

static void activations_by_hand(void **state) {
  (void)state;
  static const struct {
    enum cs_activation activation;
    double a0, a1;
    float x;
    double y, scale, lipschitz;
  } rows[] = {
      {CS_RELU, 0, 0, -2, 0, 2, 1},
      {CS_RELU, 0, 0, 3, 3, 3, 1},
      {CS_RELU, 0, 0, 0, 0, 0, 1},
      {CS_RELU6, 0, 0, 7, 6, 7, 1},
      {CS_SIGMOID, 0, 0, 2, 0.88079707797788244406, 1, 0.25},
      {CS_TANH, 0, 0, 0.5F, 0.46211715726000975850, 1, 1},
      {CS_SILU, 0, 0, -1, -0.26894142136999512075, 1, 1.1},
      {CS_HARDSWISH, 0, 0, 1, 4.0 / 6, 1, 1.5},
      {CS_HARDSWISH, 0, 0, -4, 0, 4, 1.5},
      {CS_HARDSIGMOID, 0, 0, 1.5F, 0.75, 1, 1.0 / 6},
      {CS_GELU, 0, 0, 1, 0.84134474606854294859, 1, 1.13},
      {CS_GELU, 0, 0, -5, -1.4332578593959695e-06, 5, 1.13},
      {CS_LEAKY_RELU, 0.5, 0, -2, -1, 2, 1},
      {CS_LEAKY_RELU, -3, 0, -2, 6, 6, 3},
      {CS_CLAMP, -1.5, 2.5, -9, -1.5, 9, 1},
      {CS_CLAMP, -1.5, 2.5, 9, 2.5, 9, 1},
      {CS_PRELU, 4, 0, -2, -8, 8, 4},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    const struct cs_expect expect = activate(rows[i].activation, rows[i].a0, rows[i].a1, rows[i].x);
    const double carried = gamma_of(3, 0x1p-24) * fabs((double)rows[i].x) + 3 * 0x1p-149;
    const double bound = carried * rows[i].lipschitz + 8 * 0x1p-24 * rows[i].scale + 8 * 0x1p-149;
    if (fabs(expect.value - rows[i].y) > 1e-15 * rows[i].scale) fail_msg("row %zu: %.17g, not %.17g", i, expect.value, rows[i].y);
    if (fabs(expect.bound - bound) > 1e-12 * bound) fail_msg("row %zu: bound %.17g, not %.17g", i, expect.bound, bound);
  }
}

/* What the definitions make of NaN and the infinities. */
static void activations_of_special_values(void **state) {
  (void)state;
  static const struct {
    enum cs_activation activation;
    double below, above;
  } rows[] = {
      {CS_RELU, 0, INFINITY},
      {CS_RELU6, 0, 6},
      {CS_SIGMOID, 0, 1},
      {CS_TANH, -1, 1},
      {CS_SILU, NAN, INFINITY},
      {CS_HARDSWISH, NAN, INFINITY},
      {CS_HARDSIGMOID, 0, 1},
      {CS_GELU, NAN, INFINITY},
      {CS_LEAKY_RELU, -INFINITY, INFINITY},
      {CS_CLAMP, 0.5, 2},
      {CS_PRELU, -INFINITY, INFINITY},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    const struct cs_expect below = activate(rows[i].activation, 0.5, 2, -INFINITY);
    const struct cs_expect above = activate(rows[i].activation, 0.5, 2, INFINITY), none = activate(rows[i].activation, 0.5, 2, NAN);
    assert_true(cs_right(&below, rows[i].below, 0));
    assert_true(cs_right(&above, rows[i].above, 0));
    assert_true(cs_right(&none, NAN, 0));
    assert_false(cs_right(&none, 0, 0));
    assert_false(cs_right(&above, rows[i].above - 0.01, 0) && isfinite(rows[i].above));
    assert_false(cs_right(&below, 0.25, 0));
  }
}

/* What is finite beside an infinity adds nothing to the bound. */
static void saturated_values_are_sharp(void **state) {
  (void)state;
  const float x[] = {INFINITY, 1e30F}, w[] = {1, 1};
  struct cs_conv conv = conv_row(2, 2, 0);
  const struct cs_conv_data data = {.input = x, .weights = w};
  conv.activation = CS_SIGMOID;
  const struct cs_expect expect = conv_at(&conv, &data, 0);
  assert_true(cs_right(&expect, 1, 0));
  assert_false(cs_right(&expect, 0.999, 0));
}

static void activation_leaves_the_range(void **state) {
  (void)state;
  const struct cs_expect below = activate(CS_LEAKY_RELU, 10, 0, -FLT_MAX / 2),
                         above = activate(CS_LEAKY_RELU, -10, 0, -FLT_MAX / 2);
  assert_true(cs_right(&below, -INFINITY, 0));
  assert_false(cs_right(&below, INFINITY, 0));
  assert_false(cs_right(&below, NAN, 0));
  assert_false(cs_right(&below, 0, 0));
  assert_true(cs_right(&above, INFINITY, 0));
  assert_false(cs_right(&above, -INFINITY, 0));
}

/* 1 - 1 + 2^-30: rounding decides on which side of zero a float sum lies. */
static void slope_that_is_not_finite(void **state) {
  (void)state;
  const float x[] = {1, -1, 0x1p-30F}, w[] = {1, 1, 1}, slope[] = {NAN, INFINITY};
  struct cs_conv conv = conv_row(3, 3, 0);
  struct cs_conv_data data = {.input = x, .weights = w, .slope = slope};
  conv.activation = CS_PRELU;
  struct cs_expect expect = conv_at(&conv, &data, 0);
  assert_true(cs_right(&expect, 0x1p-30, 0));
  assert_true(cs_right(&expect, NAN, 0));
  assert_false(cs_right(&expect, 1, 0));
  data.slope = slope + 1;
  expect = conv_at(&conv, &data, 0);
  assert_true(cs_right(&expect, 0, 0));
  assert_true(cs_right(&expect, -INFINITY, 0));
  assert_false(cs_right(&expect, INFINITY, 0));
  assert_true(isnan(activate(CS_PRELU, (double)NAN, 0, -1).value));
  assert_true(activate(CS_PRELU, (double)NAN, 0, 1).value == 1);
}

/* A skipped NaN beside ordinary values: the sum is what the others give, not lost to the scaling that huge sums need. */
static void skipped_nan_leaves_f64_sums(void **state) {
  (void)state;
  const double x[] = {NAN, 3, 5}, w[] = {0, 2, -1};
  struct cs_conv conv = conv_row(3, 3, 0);
  const struct cs_conv_data data = {.input = x, .weights = w};
  conv.dtype = CS_F64;
  conv.skip_zero_weights = 1;
  const struct cs_expect expect = conv_at(&conv, &data, 0);
  assert_true(expect.value == 1);
  assert_true(expect.bound > 0 && expect.bound < 1e-13);
}

/* A float loop over 16 channels of 4 taps, of random and of hostile data, stays within the bound, in both directions. */
static void a_plain_float_loop_is_right(void **state) {
  (void)state;
  float x[64], w[64];
  struct cs_conv conv = conv_row(4, 4, 0);
  const struct cs_conv_data data = {.input = x, .weights = w};
  conv.in_channels = 16;
  for (unsigned seed = 0; seed < 2000; seed++) {
    float up = 0, down = 0;
    cs_fill(x, 64, CS_F32, seed % 2 ? CS_FILL_HOSTILE : CS_FILL_RANDOM, 0, seed);
    cs_fill(w, 64, CS_F32, CS_FILL_RANDOM, 0, seed + 1000000);
    for (int i = 0; i < 64; i++) up += x[i] * w[i];
    for (int i = 63; i >= 0; i--) down += x[i] * w[i];
    const struct cs_expect expect = conv_at(&conv, &data, 0);
    if (!cs_right(&expect, (double)up, 0) || !cs_right(&expect, (double)down, 0)) fail_msg("seed %u", seed);
  }
}

/* ---- tiles ------------------------------------------------------------------------------------------------------------ */

/* Bound of output `flat` of a row of six, held to tiles of two outputs: kernel 3, 1 padded. */
static struct cs_expect in_tile(const struct cs_conv_data *data, enum cs_accuracy accuracy, ptrdiff_t dilation, ptrdiff_t flat) {
  struct cs_conv conv = conv_row(6, 3, dilation);
  conv.dilation[0] = dilation;
  conv.out[0] = 6;
  conv.promise = (struct cs_promise){accuracy, {2}};
  return conv_at(&conv, data, flat);
}

/* Outputs 2 and 3 share a tile, which reads inputs 1 to 4, the largest 50; sum of |w| is 9; n = 5. */
static void bound_of_a_tile(void **state) {
  (void)state;
  const float x[] = {1000, 2, -50, 4, 5, 600}, w[] = {2, -3, 4}, bias[] = {7}, residual[] = {1, 1, -8, 9, 1, 1};
  const struct cs_conv_data data = {.input = x, .weights = w}, more = {x, w, bias, residual, NULL};
  const double gamma = gamma_of(5, 0x1p-24), least = 5 * 0x1p-149;
  for (int o = 2; o < 4; o++) assert_true(in_tile(&data, CS_NORMWISE, 1, o).bound == 4 * gamma * 450 + least);
  assert_true(in_tile(&data, CS_FAST, 1, 2).bound == (4 * gamma + 0x1p-13) * 450 + least);
  assert_true(in_tile(&data, CS_NORMWISE, 1, 0).bound == 4 * gamma * 9000 + least); /* inputs 0 to 2, and padding */
  assert_true(in_tile(&more, CS_NORMWISE, 1, 2).bound == 4 * gamma * (450 + 7 + 8) + least);
  assert_true(in_tile(&more, CS_NORMWISE, 1, 3).bound == 4 * gamma * (450 + 7 + 9) + least);
  assert_true(in_tile(&data, CS_NORMWISE, 1, 2).value == in_tile(&data, CS_STRICT, 1, 2).value);
}

/* Outputs 0 and 2 share a tile, 1 and 3, and 4 alone: clipped, it reads inputs 2 and 4. */
static void tiles_of_dilated_rows(void **state) {
  (void)state;
  const float x[] = {1, 2000, -50, 4000, 5, 6000}, w[] = {2, -3, 4};
  const struct cs_conv_data data = {.input = x, .weights = w};
  const double factor = 4 * gamma_of(5, 0x1p-24), least = 5 * 0x1p-149;
  assert_true(in_tile(&data, CS_NORMWISE, 2, 0).bound == factor * 450 + least);
  assert_true(in_tile(&data, CS_NORMWISE, 2, 2).bound == factor * 450 + least);
  assert_true(in_tile(&data, CS_NORMWISE, 2, 3).bound == factor * 54000 + least);
  assert_true(in_tile(&data, CS_NORMWISE, 2, 4).bound == factor * 450 + least);
}

/* Channel by channel: (10 * 1 + 3 * 100), not the largest of all times the sum of all. More channels than are looked at together.
 */
static void bound_of_channels(void **state) {
  (void)state;
  float x[200] = {10, -10, 1, 3}, w[100] = {1, 100};
  struct cs_conv conv = conv_row(2, 1, 0);
  const struct cs_conv_data data = {.input = x, .weights = w};
  conv.in_channels = 100;
  conv.promise = (struct cs_promise){CS_NORMWISE, {2}};
  assert_true(conv_at(&conv, &data, 0).bound == 4 * gamma_of(102, 0x1p-24) * 310 + 102 * 0x1p-149);
  x[2 * 99] = 8, w[99] = 2;
  assert_true(conv_at(&conv, &data, 1).bound == 4 * gamma_of(102, 0x1p-24) * 326 + 102 * 0x1p-149);
}

/* NaN, infinity and what lies beyond 2^50 or below 2^-50 in all of a channel spoil their tile and no other. */
static void damage_stays_in_the_tile(void **state) {
  static const float extremes[] = {NAN, INFINITY, -INFINITY, 0x1p51F, 0x1p-51F, -0x1p-140F};
  const float w[] = {2, -3, 4};
  (void)state;
  for (size_t i = 0; i < sizeof extremes / sizeof *extremes; i++) {
    const float x[] = {extremes[i], 0, 0, 4, 5, 6};
    const struct cs_conv_data data = {.input = x, .weights = w};
    for (int o = 0; o < 2; o++) {
      const struct cs_expect expect = in_tile(&data, CS_NORMWISE, 1, o);
      assert_true(cs_right(&expect, NAN, 0) && cs_right(&expect, -INFINITY, 0) && cs_right(&expect, 1e30, 0));
    }
    const struct cs_expect clean = in_tile(&data, CS_NORMWISE, 1, 2);
    assert_true(clean.value == 16 && clean.bound < 1);
    assert_false(cs_right(&clean, NAN, 0));
  }
}

/* Damage goes through activations; a channel of zeros is no damage, nor is one of the others tiny beside a large element. */
static void damage_and_zeros(void **state) {
  (void)state;
  const float x[] = {0, 0, 0, 0, NAN, 1}, tiny[] = {1, 0x1p-100F, 0, 0, 0, 1}, w[] = {2, -3, 4}, heavy[] = {2, -3, INFINITY};
  struct cs_conv conv = conv_row(6, 3, 1);
  conv.promise = (struct cs_promise){CS_FAST, {2}};
  conv.activation = CS_SIGMOID;
  struct cs_expect expect = conv_at(&conv, &(struct cs_conv_data){.input = x, .weights = w}, 5);
  assert_true(cs_right(&expect, NAN, 0) && cs_right(&expect, 1, 0) && cs_right(&expect, 0, 0));
  conv.activation = CS_NONE;
  expect = conv_at(&conv, &(struct cs_conv_data){.input = x, .weights = w}, 0);
  assert_true(expect.bound == 5 * 0x1p-149);
  expect = conv_at(&conv, &(struct cs_conv_data){.input = tiny, .weights = w}, 0);
  assert_true(isfinite(expect.bound));
  expect = conv_at(&conv, &(struct cs_conv_data){.input = tiny, .weights = heavy}, 0);
  assert_true(cs_right(&expect, NAN, 0));
}

/* The transposed convolution of the flipped kernel reads the same. */
static void tiles_of_a_transposed_one(void **state) {
  (void)state;
  const float x[] = {1000, 2, -50, 4, 5, 600}, w[] = {4, -3, 2};
  const struct cs_conv_data data = {.input = x, .weights = w};
  struct cs_conv conv = conv_row(6, 3, 1);
  conv.transposed = 1;
  conv.promise = (struct cs_promise){CS_NORMWISE, {2}};
  const double factor = 4 * gamma_of(5, 0x1p-24);
  for (int o = 2; o < 4; o++) assert_true(conv_at(&conv, &data, o).bound == factor * 450 + 5 * 0x1p-149);
  assert_true(conv_at(&conv, &data, 4).bound == factor * 5400 + 5 * 0x1p-149);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(bound_of_a_tile),
      cmocka_unit_test(tiles_of_dilated_rows),
      cmocka_unit_test(bound_of_channels),
      cmocka_unit_test(damage_stays_in_the_tile),
      cmocka_unit_test(damage_and_zeros),
      cmocka_unit_test(tiles_of_a_transposed_one),
      cmocka_unit_test(bound_by_hand),
      cmocka_unit_test(bound_has_a_denormal_floor),
      cmocka_unit_test(special_values_travel),
      cmocka_unit_test(special_values_beside_padding),
      cmocka_unit_test(both_infinities_are_nan),
      cmocka_unit_test(overflow_on_the_way),
      cmocka_unit_test(infinity_and_overflow),
      cmocka_unit_test(overflow_in_f64),
      cmocka_unit_test(large_f64_sums_are_exact),
      cmocka_unit_test(activations_by_hand),
      cmocka_unit_test(activations_of_special_values),
      cmocka_unit_test(saturated_values_are_sharp),
      cmocka_unit_test(activation_leaves_the_range),
      cmocka_unit_test(slope_that_is_not_finite),
      cmocka_unit_test(skipped_nan_leaves_f64_sums),
      cmocka_unit_test(a_plain_float_loop_is_right),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
