/* `algorithm: separable`: factors are exact, whatever is no product of vectors is refused with the number, passes compute what the
 * whole kernel does on seeded random layers, and what they save. */
#include "../gen/factor.h"
#include "op_sweep.h"
#include "spec_text.h"
#include <math.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* ---- factors ------------------------------------------------------------------------------------------------------------ */

enum { MOST = 5 * 5 * 5 };

/* An array of `rank` dimensions of `size` elements, and its factors. */
struct factored {
  struct factoring factoring;
  double values[MAX_SPATIAL][MOST];
  enum factor_fault fault;
};

static struct factored factored(enum cs_dtype dtype, int rank, const int64_t *size, const double *weights) {
  struct factored result = {.factoring = {.rank = rank, .dtype = dtype}};
  double array[MOST], raw[MAX_SPATIAL][MOST];
  void *const to[] = {raw[0], raw[1], raw[2]};
  for (int d = 0; d < rank; d++) result.factoring.size[d] = size[d];
  for (int64_t i = 0; i < shape_product(size, rank); i++) cs_put(array, (size_t)i, dtype, weights[i]);
  result.fault = factor_array(&result.factoring, array, to);
  for (int d = 0; d < rank && result.fault == FACTOR_NONE; d++)
    for (int64_t i = 0; i < size[d]; i++) result.values[d][i] = cs_get(raw[d], (size_t)i, dtype);
  return result;
}

static enum factor_fault fault_of(enum cs_dtype dtype, const double weights[9]) {
  return factored(dtype, 2, (int64_t[]){3, 3}, weights).fault;
}

static void check_factors(const double weights[9], const double rows[3], const double columns[3]) {
  const struct factored result = factored(CS_F32, 2, (int64_t[]){3, 3}, weights);
  assert_int_equal(result.fault, FACTOR_NONE);
  for (int i = 0; i < 3; i++) {
    assert_true(result.values[0][i] == rows[i]);
    assert_true(result.values[1][i] == columns[i]);
  }
}

/* Sobel's; a binomial that sums to one is halved, lest its first pass overflow; what all have in common goes to the last pass. */
static void known_kernels_have_known_factors(void **state) {
  (void)state;
  const double sobel[] = {1, 0, -1, 2, 0, -2, 1, 0, -1}, gaussian[] = {.0625, .125, .0625, .125, .25, .125, .0625, .125, .0625};
  const double tripled[] = {-3, 0, 3, -6, 0, 6, -3, 0, 3}, nothing[9] = {0};
  check_factors(sobel, (double[]){1, 2, 1}, (double[]){1, 0, -1});
  check_factors(gaussian, (double[]){.125, .25, .125}, (double[]){.5, 1, .5});
  check_factors(tripled, (double[]){1, 2, 1}, (double[]){-3, 0, 3});
  check_factors(nothing, (double[]){0, 0, 0}, (double[]){0, 0, 0});
}

/* The last bit decides, and weights of 24 bits whose products of 48 differ in the last one. */
static void rank_is_exact(void **state) {
  (void)state;
  const double near = nextafterf(9, 0), high = 16777215, low = 16777213;
  assert_int_equal(fault_of(CS_F32, (double[]){1, 3, 0, 3, 9, 0, 0, 0, 0}), FACTOR_NONE);
  assert_int_equal(fault_of(CS_F32, (double[]){1, 3, 0, 3, near, 0, 0, 0, 0}), FACTOR_RANK);
  assert_int_equal(fault_of(CS_F32, (double[]){high, 16777214, 0, 16777214, low, 0, 0, 0, 0}), FACTOR_RANK);
  assert_int_equal(fault_of(CS_F64, (double[]){0x1p52 + 1, 0x1p52 + 2, 0, 0x1p52 + 2, 0x1p52 + 3, 0, 0, 0, 0}), FACTOR_RANK);
  assert_int_equal(fault_of(CS_F32, (double[]){1, 0, 0, 0, 1, 0, 0, 0, 1}), FACTOR_RANK);
  assert_int_equal(fault_of(CS_F32, (double[]){1, INFINITY, 0, 0, 1, 0, 0, 0, 1}), FACTOR_NOT_FINITE);
  const double corner[] = {1, 1, 1, 1, 1, 1, 1, 2}; /* every slice along one dimension has rank 1 or 2 */
  assert_int_equal(factored(CS_F32, 3, (int64_t[]){2, 2, 2}, corner).fault, FACTOR_RANK);
}

/* The lines through the first 5, the largest, predict 3.5 at [1, 0]. */
static void residual_says_where(void **state) {
  (void)state;
  const struct factored result = factored(CS_F32, 2, (int64_t[]){2, 2}, (double[]){3.5, 5, 4, 5});
  assert_int_equal(result.fault, FACTOR_RANK);
  assert_true(result.factoring.residual == 0.5);
  assert_true(result.factoring.largest == 5);
  assert_int_equal(result.factoring.index[0], 1);
  assert_int_equal(result.factoring.index[1], 0);
}

/* Passes that may leave the range where the whole does not: sums of 1.5 that nothing shrinks after, and cannot be halved without
 * losing denormals. The same kernel scaled down, and whole numbers of any size, are fine. */
static void range_is_kept(void **state) {
  (void)state;
  const double column[] = {1.5, 7, 0.125}, row[] = {5, 9.5, 0.0625};
  double weights[9];
  for (int i = 0; i < 9; i++) weights[i] = column[i / 3] * row[i % 3];
  assert_int_equal(fault_of(CS_F32, weights), FACTOR_RANGE);
  for (int i = 0; i < 9; i++) weights[i] /= 128;
  assert_int_equal(fault_of(CS_F32, weights), FACTOR_NONE);
  for (int i = 0; i < 9; i++) weights[i] *= 0x1p30;
  assert_int_equal(fault_of(CS_F32, weights), FACTOR_NONE);
}

/* Random vectors of few bits and wide exponents: products of their factors are the weights to the last bit. */
static void products_are_the_weights(void **state) {
  (void)state;
  uint64_t random = 7;
  for (int round = 0; round < 2000; round++) {
    const int rank = op_draw_number(&random, 1, 3);
    const enum cs_dtype dtype = round % 2 ? CS_F32 : CS_F64;
    int64_t size[MAX_SPATIAL];
    double vectors[MAX_SPATIAL][5], weights[MOST];
    for (int d = 0; d < rank; d++) {
      size[d] = op_draw_number(&random, 1, 5);
      for (int i = 0; i < 5; i++) vectors[d][i] = ldexp(op_draw_number(&random, -40, 40), op_draw_number(&random, -14, -10));
    }
    const int64_t count = shape_product(size, rank);
    for (int64_t i = 0; i < count; i++) {
      int64_t rest = i;
      weights[i] = 1;
      for (int d = rank; d-- > 0; rest /= size[d]) weights[i] *= vectors[d][rest % size[d]];
    }
    const struct factored result = factored(dtype, rank, size, weights);
    assert_int_equal(result.fault, FACTOR_NONE);
    for (int64_t i = 0; i < count; i++) {
      double product = 1;
      int64_t rest = i;
      for (int d = rank; d-- > 0; rest /= size[d]) product *= result.values[d][rest % size[d]];
      assert_true(product == weights[i]);
    }
  }
}

/* ---- layers ------------------------------------------------------------------------------------------------------------- */

/* Writes [M, 1, k...]: each channel a product of whole numbers from -3 to 3, some of them 0, divided by `divisor`. */
static void write_weights(const char *name, enum cs_dtype dtype, int outputs, const int *kernel, int rank, double divisor,
                          uint64_t *random) {
  double data[64 * MOST];
  struct cs_npy array = {.dtype = dtype, .rank = rank + 2, .shape = {outputs, 1}, .data = data};
  size_t taps = 1;
  for (int d = 0; d < rank; d++) {
    array.shape[2 + d] = kernel[d];
    taps *= (size_t)kernel[d];
  }
  array.count = taps * (size_t)outputs;
  for (int m = 0; m < outputs; m++) {
    int vectors[MAX_SPATIAL][5];
    for (int i = 0; i < 15; i++) vectors[i / 5][i % 5] = op_draw_number(random, -3, 3);
    for (size_t i = 0; i < taps; i++) {
      double product = 1 / divisor;
      size_t rest = i;
      for (int d = rank; d-- > 0; rest /= (size_t)kernel[d]) product *= vectors[d][rest % (size_t)kernel[d]];
      cs_put(data, (size_t)m * taps + i, dtype, product);
    }
  }
  assert_null(cs_npy_write(scratch_path(name), &array));
}

static void print_sizes(struct text *keys, const char *key, const int *sizes, int rank) {
  text_print(keys, ", %s: [", key);
  for (int d = 0; d < rank; d++) text_print(keys, "%s%d", d ? ", " : "", sizes[d]);
  text_print(keys, "]");
}

static void draw(struct text *keys, struct op_layer layer, uint64_t *random) {
  static const char *const modes[] = {"zeros", "zeros", "reflect", "replicate", "circular"};
  static const char *const activations[] = {"none", "none", "relu", "prelu", "silu"}, *const unrolls[] = {"auto", "auto", "none",
                                                                                                          "full"};
  static const char *const bools[] = {"false", "true"};
  const int rank = op_draw_number(random, 2, 3), channels = op_draw_number(random, 1, 20),
            times = op_draw_number(random, 0, 3) ? 1 : 2;
  int sizes[MAX_SPATIAL], kernel[MAX_SPATIAL], stride[MAX_SPATIAL], dilation[MAX_SPATIAL], pad[MAX_SPATIAL];
  int long_ones = 0;
  for (int d = 0; d < rank; d++) {
    kernel[d] = op_draw_number(random, 1, rank == 3 ? 3 : 5);
    stride[d] = op_draw_number(random, 0, 2) ? 1 : 2;
    dilation[d] = op_draw_number(random, 0, 3) ? 1 : 2;
    pad[d] = op_draw_number(random, 0, 3);
    sizes[d] = op_draw_number(random, dilation[d] * (kernel[d] - 1) + 1, d == rank - 1 ? 36 : 11);
    if (sizes[d] <= pad[d]) sizes[d] = pad[d] + 1;
    long_ones += kernel[d] > 1;
  }
  if (long_ones < 2) return;
  write_weights(mem_text("w%d.npy", layer.number), layer.dtype, channels * times, kernel, rank,
                op_draw_number(random, 0, 1) ? 1 : 0x1p12, random);
  text_print(keys, "algorithm: separable, weights: w%d.npy, out_channels: %d, groups: %d, ", layer.number, channels * times,
             channels);
  op_print_input(keys, op_draw_number(random, 1, 2), channels, sizes, rank);
  print_sizes(keys, "kernel_size", kernel, rank);
  print_sizes(keys, "stride", stride, rank);
  print_sizes(keys, "dilation", dilation, rank);
  print_sizes(keys, "padding", pad, rank);
  text_print(keys, ", padding_mode: %s, activation: %s, unroll: %s", modes[op_draw_number(random, 0, 4)],
             activations[op_draw_number(random, 0, 4)], unrolls[op_draw_number(random, 0, 3)]);
  text_print(keys, ", flip: %s, bias: %s, residual: %s", bools[op_draw_number(random, 0, 1)], bools[op_draw_number(random, 0, 1)],
             bools[op_draw_number(random, 0, 1)]);
}

static void random_layers_are_right(void **state) {
  (void)state;
  op_sweep("separable", draw, 20);
}

/* ---- counts ------------------------------------------------------------------------------------------------------------- */

static const char binomial[] = "input: [1, 1, %d, %d], out_channels: 1, kernel_size: %d, weights: b.npy, algorithm: separable";

/* Of m×m on N×N: 1/m + 1/(m(1 - (m - 1)/N)) of the whole; n of the bound is 2m + 2. */
static void passes_add_up(void **state) {
  (void)state;
  uint64_t random = 1;
  for (int m = 2; m <= 5; m++)
    for (int n = m; n < 40; n += 7) {
      write_weights("b.npy", CS_F32, 1, (int[]){m, m}, 2, 1, &random);
      const struct layer *layer = spec_layer(mem_text(binomial, n, n, m));
      struct saving saving;
      assert_true(layer->op->saving(layer, &saving));
      assert_int_equal(layer->op->terms(layer), 2 * m + 2);
      assert_int_equal(saving.before, layer->op->multiply_adds(layer));
      const double ratio = 1.0 / m + 1 / (m * (1 - (double)(m - 1) / n));
      assert_true(fabs((double)saving.after / (double)saving.before - ratio) < 1e-12);
    }
}

static void info_tells_the_saving(void **state) {
  (void)state;
  assert_int_equal(convsmith("info specs/features/rank_one.yaml --layer gaussian"), 0);
  assert_non_null(
      strstr(said, "0.4 of the whole kernel's multiply-adds: one pass a dimension, the outermost first; 7680 for 19200"));
  assert_int_equal(convsmith("info specs/features/rank_one.yaml --layer gaussian --json"), 0);
  assert_non_null(strstr(said, "\"multiply_adds\": 7680,\n        \"instead_of\": 19200,\n        \"ratio\": 0.4"));
  assert_int_equal(convsmith("info specs/features/separable.yaml --layer plain --json"), 0);
  assert_non_null(strstr(said, "\"saving\": {"));
  assert_int_equal(convsmith("info specs/lenet5.yaml --json"), 0);
  assert_non_null(strstr(said, "\"saving\": null"));
}

/* ---- errors -------------------------------------------------------------------------------------------------------------- */

static void errors_name_the_key(void **state) {
  (void)state;
  static const struct {
    const char *keys, *says;
  } rows[] = {
      {"input: [1, 2, 5, 5], out_channels: 2, groups: 2, kernel_size: 3",
       "algorithm: separable needs the values of the kernel now: give a .npy file as 'weights'"},
      {"input: [1, 2, 5, 5], out_channels: 2, kernel_size: 3",
       "algorithm: separable is for outputs that read one input channel (groups: 2), these read 2"},
      {"input: [1, 1, 5, 5], out_channels: 2, kernel_size: [1, 3]",
       "a kernel longer than 1 in 1 of its dimensions is one pass already"},
      {"input: [1, 1, 5], out_channels: 2, kernel_size: 3", "is one pass already; choose direct"},
      {"input: [1, 1, 5, 5], out_channels: 4, kernel_size: 3, pixel_shuffle: 2",
       "stores no permuted outputs; choose direct, or leave "
       "out 'pixel_shuffle'"},
      {"input: [1, 2, 5, 5], out_channels: 2, groups: 2, kernel_size: 2, weights: high.npy",
       "weights: the kernel of output channel 1 is not of rank 1: the product of its lines through the largest weight, 5, is off "
       "by "
       "0.5 at [1, 0]"},
      {"op: max_pool, input: [1, 1, 5, 5], kernel_size: 2", "algorithm: op 'max_pool' has no 'separable'; choose auto or direct"},
  };
  float high[] = {1, 2, 3, 6, 3.5, 5, 4, 5};
  const struct cs_npy array = {.dtype = CS_F32, .rank = 4, .shape = {2, 1, 2, 2}, .count = 8, .data = high};
  assert_null(cs_npy_write(scratch_path("high.npy"), &array));
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    assert_false(spec_text(mem_text("convsmith: 1\nlayers: [{name: a, algorithm: separable, %s}]\n", rows[i].keys)));
    if (!strstr(spec_messages.data, rows[i].says)) fail_msg("%s: %s", rows[i].keys, spec_messages.data);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(known_kernels_have_known_factors),
      cmocka_unit_test(rank_is_exact),
      cmocka_unit_test(residual_says_where),
      cmocka_unit_test(range_is_kept),
      cmocka_unit_test(products_are_the_weights),
      cmocka_unit_test_teardown(passes_add_up, spec_done),
      cmocka_unit_test_teardown(info_tells_the_saving, spec_done),
      cmocka_unit_test_teardown(errors_name_the_key, spec_done),
      cmocka_unit_test_teardown(random_layers_are_right, spec_done),
  };
  scratch_begin("rank_one");
  return cmocka_run_group_tests(tests, NULL, NULL);
}
