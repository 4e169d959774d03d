/* The reference against numbers worked by hand, and against scipy's (tests/data/scipy_conv.py). Bounds, special values and
 * activations are test_bound.c's. */
#include "conv_case.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 4096 };

/* Every output in logical order must equal `expected`. */
static void check(const struct cs_conv *conv, const struct cs_conv_data *data, const double *expected, ptrdiff_t count) {
  for (ptrdiff_t i = 0; i < count; i++) {
    const struct cs_expect expect = conv_at(conv, data, i);
    if (expect.value != expected[i] || expect.rest != 0) fail_msg("output %td is %g, not %g", i, expect.value, expected[i]);
    assert_int_equal(expect.overflow, 0);
  }
}

#define CHECK(conv, data, ...)                                                                                                     \
  do {                                                                                                                             \
    const double expected[] = {__VA_ARGS__};                                                                                       \
    check(conv, data, expected, sizeof expected / sizeof *expected);                                                               \
  } while (0)

static const float one_two_three[] = {1, 2, 3};

static void image_by_hand(void **state) {
  (void)state;
  const float x[] = {4, 5, 8, 7, 1, 8, 8, 8, 3, 6, 6, 4, 6, 5, 7, 8}, w[] = {1, 4, 1, 1, 4, 3, 3, 3, 1};
  const struct cs_conv conv = {.rank = 2,
                               .batch = 1,
                               .in_channels = 1,
                               .out_channels = 1,
                               .groups = 1,
                               .in = {4, 4},
                               .out = {2, 2},
                               .kernel = {3, 3},
                               .stride = {1, 1},
                               .dilation = {1, 1}};
  const struct cs_conv_data data = {.input = x, .weights = w};
  CHECK(&conv, &data, 122, 148, 126, 134);
}

/* A single one shows the kernel: reversed by cross-correlation, as it is by true convolution. */
static void impulse(void **state) {
  (void)state;
  const float x[] = {0, 0, 1, 0, 0};
  const struct cs_conv_data data = {.input = x, .weights = one_two_three};
  struct cs_conv conv = conv_row(5, 3, 1);
  CHECK(&conv, &data, 0, 3, 2, 1, 0);
  conv.flip = 1;
  CHECK(&conv, &data, 0, 1, 2, 3, 0);
}

static void flip_turns_every_dimension(void **state) {
  (void)state;
  const float x[] = {1, 10, 100, 1000, 10000, 100000}, w[] = {1, 2, 3, 4, 5, 6};
  struct cs_conv conv = {.rank = 2,
                         .batch = 1,
                         .in_channels = 1,
                         .out_channels = 1,
                         .groups = 1,
                         .in = {2, 3},
                         .out = {1, 1},
                         .kernel = {2, 3},
                         .stride = {1, 1},
                         .dilation = {1, 1}};
  const struct cs_conv_data data = {.input = x, .weights = w};
  CHECK(&conv, &data, 654321);
  conv.flip = 1;
  CHECK(&conv, &data, 123456);
}

/* A kernel of one tap copies the padded row. */
static void padding_modes(void **state) {
  (void)state;
  const float one[] = {1};
  const struct cs_conv_data data = {.input = one_two_three, .weights = one};
  struct cs_conv conv = conv_row(3, 1, 2);
  CHECK(&conv, &data, 0, 0, 1, 2, 3, 0, 0);
  conv.pad_mode = CS_REFLECT;
  CHECK(&conv, &data, 3, 2, 1, 2, 3, 2, 1);
  conv.pad_mode = CS_REPLICATE;
  CHECK(&conv, &data, 1, 1, 1, 2, 3, 3, 3);
  conv.pad_mode = CS_CIRCULAR;
  CHECK(&conv, &data, 2, 3, 1, 2, 3, 1, 2);
}

static void pads_may_differ(void **state) {
  (void)state;
  const float w[] = {1, 10};
  const struct cs_conv_data data = {.input = one_two_three, .weights = w};
  struct cs_conv conv = conv_row(3, 2, 0);
  conv.pad[0] = 2; /* before: 2, after: 1 */
  conv.out[0] = 5;
  CHECK(&conv, &data, 0, 10, 21, 32, 3);
}

static void stride_and_dilation(void **state) {
  (void)state;
  const float x[] = {1, 2, 3, 4, 5, 6, 7}, w[] = {1, 100};
  const struct cs_conv_data data = {.input = x, .weights = w};
  struct cs_conv conv = conv_row(7, 2, 0);
  conv.stride[0] = 2;
  conv.dilation[0] = 3;
  conv.out[0] = 2;
  CHECK(&conv, &data, 401, 603);
}

/* Channels 1, 10 and 2, 20 in two groups: an output sees its own group only. */
static void groups(void **state) {
  (void)state;
  const float x[] = {1, 10, 2, 20}, w[] = {1, 1, 3, 1, 1, 1, 1, 4};
  struct cs_conv conv = conv_row(1, 1, 0);
  const struct cs_conv_data data = {.input = x, .weights = w};
  conv.in_channels = conv.out_channels = 4;
  conv.groups = 2;
  CHECK(&conv, &data, 11, 13, 22, 82);
}

static void depthwise_with_multiplier(void **state) {
  (void)state;
  const float x[] = {1, 2, 30, 40}, w[] = {1, 2, 3, 4};
  struct cs_conv conv = conv_row(2, 1, 0);
  const struct cs_conv_data data = {.input = x, .weights = w};
  conv.in_channels = conv.groups = 2;
  conv.out_channels = 4;
  CHECK(&conv, &data, 1, 2, 2, 4, 90, 120, 120, 160);
}

static void three_dimensions(void **state) {
  (void)state;
  const float x[] = {1, 2, 3, 4, 5, 6, 7, 8}, w[] = {1, 0, 0, 0, 0, 0, 0, 10};
  struct cs_conv conv = {.rank = 3,
                         .batch = 1,
                         .in_channels = 1,
                         .out_channels = 1,
                         .groups = 1,
                         .in = {2, 2, 2},
                         .out = {1, 1, 1},
                         .kernel = {2, 2, 2},
                         .stride = {1, 1, 1},
                         .dilation = {1, 1, 1}};
  const struct cs_conv_data data = {.input = x, .weights = w};
  CHECK(&conv, &data, 81);
  conv.pad[2] = 1; /* the last dimension's: outputs see one column at the ends */
  conv.out[2] = 3;
  CHECK(&conv, &data, 70, 81, 2);
}

static void batch_bias_and_residual(void **state) {
  (void)state;
  const float x[] = {1, 2}, w[] = {1, -1}, bias[] = {10, 20}, residual[] = {100, 200, 300, -400}, slope[] = {5, 0.5F};
  struct cs_conv conv = conv_row(1, 1, 0);
  const struct cs_conv_data data = {.input = x, .weights = w, .bias = bias, .residual = residual, .slope = slope};
  conv.batch = conv.out_channels = 2;
  CHECK(&conv, &data, 111, 219, 312, -382);
  conv.activation = CS_PRELU; /* after the residual, by its own channel's slope */
  CHECK(&conv, &data, 111, 219, 312, -191);
}

/* A residual has an element for every output, found in logical order. */
static void residual_in_two_dimensions(void **state) {
  (void)state;
  const float x[] = {10, 20, 30, 40, 50, 60}, w[] = {1, 2}, residual[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  const struct cs_conv conv = {.rank = 2,
                               .batch = 1,
                               .in_channels = 1,
                               .out_channels = 2,
                               .groups = 1,
                               .in = {2, 3},
                               .out = {2, 3},
                               .kernel = {1, 1},
                               .stride = {1, 1},
                               .dilation = {1, 1}};
  const struct cs_conv_data data = {.input = x, .weights = w, .residual = residual};
  CHECK(&conv, &data, 11, 22, 33, 44, 55, 66, 27, 48, 69, 90, 111, 132);
}

/* In double-double, sums that double gets wrong altogether are right: 2^60 + 1 - 2^60 and 1e16 + 1 - 1e16, products included. */
static void double_double_keeps_what_cancels(void **state) {
  (void)state;
  const double x[] = {0x1p60, 1, -0x1p60, 0x1p-60}, w[] = {1, 1, 1, 1};
  const double near_one[] = {1 + 0x1p-30, 1}, other[] = {1 - 0x1p-30, -1};
  struct cs_conv conv = conv_row(4, 4, 0);
  const struct cs_conv_data sum = {.input = x, .weights = w}, product = {.input = near_one, .weights = other};
  conv.dtype = CS_F64;
  assert_true(conv_at(&conv, &sum, 0).value == 1);
  assert_true(conv_at(&conv, &sum, 0).rest == 0x1p-60);
  conv = conv_row(2, 2, 0);
  conv.dtype = CS_F64;
  assert_true(conv_at(&conv, &product, 0).value == -0x1p-60);
}

/* Ill-conditioned data with cancelling pairs: y* is what remains of the one element that has no partner. */
static void ill_conditioned(void **state) {
  (void)state;
  double x[2 * 500 + 1], w[2 * 500 + 1];
  cs_fill(x, 500, CS_F64, CS_FILL_RANDOM, 0, 7);
  cs_fill(w, 500, CS_F64, CS_FILL_RANDOM, 0, 8);
  for (int i = 0; i < 500; i++) {
    x[i] = ldexp(x[i], i % 40);
    x[500 + i] = -x[i];
    w[500 + i] = w[i];
  }
  x[1000] = w[1000] = 0x1p-20;
  struct cs_conv conv = conv_row(1001, 1001, 0);
  const struct cs_conv_data data = {.input = x, .weights = w};
  conv.dtype = CS_F64;
  const struct cs_expect expect = conv_at(&conv, &data, 0);
  assert_true(fabs(expect.value + expect.rest - 0x1p-40) < 0x1p-62); /* plain double: errors near 2^-15 */
}

static int read_numbers(FILE *file, ptrdiff_t *numbers, int count) {
  for (int i = 0; i < count; i++)
    if (fscanf(file, "%td", &numbers[i]) != 1) return 0;
  return 1;
}

static ptrdiff_t product(const ptrdiff_t *sizes, int rank) {
  return sizes[0] * (rank > 1 ? sizes[1] : 1) * (rank > 2 ? sizes[2] : 1);
}

/* The shape that a line of scipy_conv.txt begins with; 0 at the end of the file. */
static int read_case(FILE *file, struct cs_conv *conv) {
  ptrdiff_t head[5], axis[6], tail[2];
  if (!read_numbers(file, head, 5)) return 0;
  memset(conv, 0, sizeof *conv);
  conv->rank = (int)head[0];
  conv->batch = head[1];
  conv->in_channels = head[2];
  conv->out_channels = head[3];
  conv->groups = head[4];
  for (int d = 0; d < conv->rank; d++) {
    assert_true(read_numbers(file, axis, 6));
    conv->in[d] = axis[0];
    conv->kernel[d] = axis[1];
    conv->stride[d] = axis[2];
    conv->dilation[d] = axis[3];
    conv->pad[d] = axis[4];
    conv->out[d] = axis[5];
  }
  assert_true(read_numbers(file, tail, 2));
  conv->pad_mode = (enum cs_pad_mode)tail[0];
  conv->flip = (int)tail[1];
  return 1;
}

static void put_numbers(void *data, ptrdiff_t count, int step, int modulus, enum cs_dtype dtype) {
  assert_true(count <= MOST);
  for (ptrdiff_t i = 0; i < count; i++) cs_put(data, (size_t)i, dtype, (double)(i * step % modulus - modulus / 2));
}

static void check_outputs(const struct cs_conv *conv, const struct cs_conv_data *data, const ptrdiff_t *expected, int line) {
  for (ptrdiff_t i = 0; i < conv->batch * conv->out_channels * product(conv->out, conv->rank); i++)
    if (conv_at(conv, data, i).value != (double)expected[i])
      fail_msg("tests/data/scipy_conv.txt:%d: output %td is %g, not %td", line, i, conv_at(conv, data, i).value, expected[i]);
}

/* Moves channels behind the `rank` sizes. */
static void channels_last(const void *from, void *to, ptrdiff_t count, ptrdiff_t channels, const ptrdiff_t *sizes, int rank,
                          enum cs_dtype dtype) {
  ptrdiff_t shape[2 + CS_MAX_SPATIAL] = {count, channels};
  for (int d = 0; d < rank; d++) shape[2 + d] = sizes[d];
  cs_to_layout(from, to, shape, rank + 2, dtype, CS_NHWC);
}

static void check_against_scipy(struct cs_conv conv, enum cs_dtype dtype, const ptrdiff_t *expected, int line) {
  static double x[MOST], w[MOST], last_x[MOST], last_w[MOST];
  const ptrdiff_t channels = conv.in_channels / conv.groups;
  conv.dtype = dtype;
  put_numbers(x, conv.batch * conv.in_channels * product(conv.in, conv.rank), 7, 13, dtype);
  put_numbers(w, conv.out_channels * channels * product(conv.kernel, conv.rank), 5, 11, dtype);
  check_outputs(&conv, &(struct cs_conv_data){.input = x, .weights = w}, expected, line);
  channels_last(x, last_x, conv.batch, conv.in_channels, conv.in, conv.rank, dtype);
  channels_last(w, last_w, conv.out_channels, channels, conv.kernel, conv.rank, dtype);
  conv.channels_last = 1;
  check_outputs(&conv, &(struct cs_conv_data){.input = last_x, .weights = last_w}, expected, line);
}

static void as_scipy_computes(void **state) {
  (void)state;
  struct cs_conv conv;
  ptrdiff_t expected[MOST];
  int line = 0;
  FILE *file = fopen("tests/data/scipy_conv.txt", "r");
  assert_non_null(file);
  while (read_case(file, &conv)) {
    line++;
    assert_true(read_numbers(file, expected, (int)(conv.batch * conv.out_channels * product(conv.out, conv.rank))));
    check_against_scipy(conv, CS_F32, expected, line);
    check_against_scipy(conv, CS_F64, expected, line);
  }
  fclose(file);
  assert_int_equal(line, 80);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(image_by_hand),
      cmocka_unit_test(impulse),
      cmocka_unit_test(flip_turns_every_dimension),
      cmocka_unit_test(padding_modes),
      cmocka_unit_test(pads_may_differ),
      cmocka_unit_test(stride_and_dilation),
      cmocka_unit_test(groups),
      cmocka_unit_test(depthwise_with_multiplier),
      cmocka_unit_test(three_dimensions),
      cmocka_unit_test(batch_bias_and_residual),
      cmocka_unit_test(residual_in_two_dimensions),
      cmocka_unit_test(double_double_keeps_what_cancels),
      cmocka_unit_test(ill_conditioned),
      cmocka_unit_test(as_scipy_computes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
