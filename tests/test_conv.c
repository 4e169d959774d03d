/* The op conv: its tensors, its lowering to a problem, counts, the reference through it, and how large exact data may be. */
#include "spec_text.h"
#include <math.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void tensor_order(void **state) {
  static const struct {
    const char *name;
    enum tensor_role role;
    enum cs_layout layout;
    int rank;
    ptrdiff_t shape[4];
  } rows[] = {{"input", TENSOR_INPUT, CS_NHWC, 4, {2, 6, 8, 9}},
              {"residual", TENSOR_RESIDUAL, CS_NCHW, 4, {2, 9, 8, 8}},
              {"weights", TENSOR_PARAMETER, CS_NCHW, 4, {9, 2, 1, 2}},
              {"bias", TENSOR_PARAMETER, CS_NCHW, 1, {9}},
              {"slope", TENSOR_PARAMETER, CS_NCHW, 1, {9}},
              {"output", TENSOR_OUTPUT, CS_NCHW, 4, {2, 9, 8, 8}}};
  (void)state;
  const struct layer *layer = spec_layer("input: [2, 6, 8, 9], out_channels: 9, kernel_size: [1, 2], groups: 3, bias: true,"
                                         "residual: true, activation: prelu, output_layout: nchw, dtype: f64");
  struct tensor tensors[MAX_TENSORS];
  size_t count = layer->op->tensors(layer, tensors);
  assert_int_equal(count, sizeof rows / sizeof *rows);
  for (size_t i = 0; i < count; i++) {
    assert_string_equal(tensors[i].name, rows[i].name);
    assert_int_equal(tensors[i].role, rows[i].role);
    assert_int_equal(tensors[i].layout, rows[i].layout);
    assert_int_equal(tensors[i].dtype, CS_F64);
    assert_int_equal(tensors[i].rank, rows[i].rank);
    assert_memory_equal(tensors[i].shape, rows[i].shape, (size_t)rows[i].rank * sizeof(ptrdiff_t));
    assert_null(tensors[i].baked);
    assert_int_equal(tensor_find(tensors, count, rows[i].name), i);
  }
  assert_int_equal(tensor_count(&tensors[0]), 864);
  assert_int_equal(tensor_find(tensors, count, "mask"), -1);
  layer = spec_layer("input: [1, 1, 8], out_channels: 1, kernel_size: 3");
  assert_int_equal(layer->op->tensors(layer, tensors), 3);
}

/* Input [2, 6, 4, 5, 7] last, output first; 3 groups: 2 channels in, 4 out. */
static void lowering(void **state) {
  (void)state;
  const struct layer *layer =
      spec_layer("input: [2, 6, 4, 5, 7], out_channels: 12, kernel_size: [1, 2, 3], groups: 3,"
                 "stride: [1, 2, 1], dilation: [1, 1, 2], padding: [[1, 2], [0, 1], [3, 0]],"
                 "output_layout: nchw, padding_mode: replicate, unroll: none, max_code_bytes: 7, bias: true");
  struct problem *problems;
  assert_int_equal(layer->op->lower(layer, &problems), 1);
  const struct problem problem = *problems;
  static const struct axis axes[] = {
      {4, 7, 1, 1, 1, 1, 5 * 7 * 6, 3 * 6, 6}, {5, 3, 2, 2, 1, 0, 7 * 6, 6, 3}, {7, 6, 3, 1, 2, 3, 6, 1, 1}};
  assert_int_equal(problem.rank, 3);
  for (int d = 0; d < 3; d++) assert_memory_equal(&problem.axis[d], &axes[d], sizeof axes[d]);
  assert_int_equal(problem.batch, 2);
  assert_int_equal(problem.groups, 3);
  assert_int_equal(problem.in_channels, 2);
  assert_int_equal(problem.out_channels, 4);
  assert_int_equal(problem.x_batch, 6 * 4 * 5 * 7);
  assert_int_equal(problem.x_channel, 1);
  assert_int_equal(problem.x_group, 2);
  assert_int_equal(problem.y_batch, 12 * 7 * 3 * 6);
  assert_int_equal(problem.y_channel, 7 * 3 * 6);
  assert_int_equal(problem.y_group, 4 * 7 * 3 * 6);
  assert_int_equal(problem.w_first, 0);
  assert_int_equal(problem.w_in, 6);
  assert_int_equal(problem.w_out, 12);
  assert_int_equal(problem.w_group, 48);
  assert_int_equal(problem.pad_mode, CS_REPLICATE);
  assert_int_equal(problem.unroll, UNROLL_NONE);
  assert_int_equal(problem.max_code_bytes, 7);
  assert_true(problem.bias && !problem.residual && !problem.zero_weights && !problem.baked_bias);
  assert_null(problem.baked_weights);
}

static void flipped_lowering(void **state) {
  (void)state;
  const struct layer *layer = spec_layer("input: [1, 2, 4, 5], out_channels: 3, kernel_size: [2, 3], flip: true, layout: nchw");
  struct problem *problem;
  layer->op->lower(layer, &problem);
  assert_int_equal(problem->w_first, 5);
  assert_int_equal(problem->axis[0].w_step, -3);
  assert_int_equal(problem->axis[1].w_step, -1);
  assert_int_equal(problem->w_in, 6);
  assert_int_equal(problem->x_channel, 20);
  assert_int_equal(problem->axis[0].x_step, 5);
  assert_int_equal(problem->axis[1].x_step, 1);
}

static void multiply_adds(void **state) {
  (void)state;
  const struct layer *layer = spec_layer("input: [1, 3, 224, 224], out_channels: 64, kernel_size: 7, stride: 2, padding: 3");
  assert_int_equal(layer->op->multiply_adds(layer), INT64_C(118013952)); /* 112·112·64·3·49 */
  layer = spec_layer("input: [2, 8, 5], out_channels: 8, kernel_size: 3, groups: 8");
  assert_int_equal(layer->op->multiply_adds(layer), 2 * 8 * 3 * 3);
  layer = spec_layer("input: [1, 1048576, 1048576, 1], out_channels: 1048576, kernel_size: 1");
  assert_int_equal(layer->op->multiply_adds(layer), INT64_C(1) << 60);
  layer = spec_layer("input: [1, 8388608, 1048576, 1], out_channels: 8388608, kernel_size: 1");
  assert_true(layer->op->multiply_adds(layer) == INT64_MAX);
}

static double expected(const struct layer *layer, const void *const *data, ptrdiff_t y, ptrdiff_t x) {
  static const struct cs_promise strict = {CS_STRICT, {0}};
  struct cs_expect expect;
  layer->op->expect(layer, &strict, data, &(size_t){(size_t)(y * layer->out[1] + x)}, 1, &expect);
  return expect.value + expect.rest;
}

/* Rows (4 5 8 7; 1 8 8 8; 3 6 6 4; 6 5 7 8), kernel (1 4 1; 1 4 3; 3 3 1): (122 148; 126 134). */
static const float rows[] = {4, 5, 8, 7, 1, 8, 8, 8, 3, 6, 6, 4, 6, 5, 7, 8};
static const float kernel[] = {1, 4, 1, 1, 4, 3, 3, 3, 1};

static void reference(void **state) {
  static const float residual[] = {1, 2, 3, 4}, bias[] = {0.5F};
  (void)state;
  const struct layer *layer = spec_layer("input: [1, 1, 4, 4], out_channels: 1, kernel_size: 3");
  const void *const plain[] = {rows, kernel, NULL};
  assert_true(expected(layer, plain, 0, 0) == 122);
  assert_true(expected(layer, plain, 0, 1) == 148);
  assert_true(expected(layer, plain, 1, 0) == 126);
  assert_true(expected(layer, plain, 1, 1) == 134);
  layer = spec_layer("input: [1, 1, 4, 4], out_channels: 1, kernel_size: 3, residual: true, bias: true");
  const void *const both[] = {rows, residual, kernel, bias, NULL};
  assert_true(expected(layer, both, 1, 0) == 126 + 3 + 0.5);
}

static void write_kernel(const char *name, const float *values, size_t count) {
  struct cs_npy array = {.dtype = CS_F32, .rank = 4, .shape = {1, 1, 1, (ptrdiff_t)count}, .count = count};
  array.data = (void *)(uintptr_t)values;
  assert_null(cs_npy_write(scratch_path(name), &array));
}

/* Baked values serve wherever data has none; a zero among them is no tap, so that what it meets does not count. */
static void baked(void **state) {
  static const float values[] = {1, 0, 2}, data[] = {1, INFINITY, 3};
  (void)state;
  write_kernel("zero.npy", values, 3);
  const struct layer *layer = spec_layer("input: [1, 1, 1, 3], out_channels: 1, kernel_size: [1, 3], weights: zero.npy");
  struct tensor tensors[MAX_TENSORS];
  struct problem *problem;
  layer->op->tensors(layer, tensors);
  assert_ptr_equal(tensors[1].baked, layer->weights.data);
  layer->op->lower(layer, &problem);
  assert_ptr_equal(problem->baked_weights, layer->weights.data);
  assert_true(problem->zero_weights);
  assert_true(expected(layer, (const void *const[]){data, NULL, NULL}, 0, 0) == 7);
}

static int exact(const char *keys) {
  const struct layer *layer = spec_layer(keys);
  return layer->op->exact_limit(layer, 0);
}

static void exact_limits(void **state) {
  static const float whole[] = {1000, -2000, 0}, broken[] = {1, 0.5F, 2};
  (void)state;
  write_kernel("whole.npy", whole, 3);
  write_kernel("broken.npy", broken, 3);
  static const struct {
    int limit;
    const char *keys;
  } cases[] = {
      {8, "input: [1, 64, 8, 8], out_channels: 4, kernel_size: 3"},
      {8, "input: [1, 262143, 1], out_channels: 1, kernel_size: 1"}, /* 262143·64 < 2^24 = 262144·64 */
      {7, "input: [1, 262144, 1], out_channels: 1, kernel_size: 1"},
      {0, "input: [1, 16777216, 1], out_channels: 1, kernel_size: 1"},
      {8, "input: [1, 16777216, 1], out_channels: 1, kernel_size: 1, dtype: f64"},
      {0, "input: [1, 4, 8], out_channels: 4, kernel_size: 3, activation: gelu"},
      {0, "input: [1, 4, 8], out_channels: 4, kernel_size: 3, activation: {leaky_relu: 0.5}"},
      {8, "input: [1, 4, 8], out_channels: 4, kernel_size: 3, activation: {leaky_relu: -3}"},
      {0, "input: [1, 4, 8], out_channels: 4, kernel_size: 3, activation: {leaky_relu: 1e7}"},
      {8, "input: [1, 4, 8], out_channels: 4, kernel_size: 3, activation: {clamp: [-1, 100]}"},
      {0, "input: [1, 4, 8], out_channels: 4, kernel_size: 3, activation: {clamp: [-1, 0.1]}"},
      {8, "input: [1, 4, 8], out_channels: 4, kernel_size: 3, activation: prelu"},
      {7, "input: [1, 40000, 8], out_channels: 4, kernel_size: 1, activation: prelu"}, /* 40000·7·7·7 = 13720000 */
      {8, "input: [1, 1, 1, 3], out_channels: 1, kernel_size: [1, 3], weights: whole.npy"},
      {0, "input: [1, 1, 1, 3], out_channels: 1, kernel_size: [1, 3], weights: broken.npy"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) assert_int_equal(exact(cases[i].keys), cases[i].limit);
}

static int begin(void **state) {
  (void)state;
  scratch_begin("conv");
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(tensor_order),     cmocka_unit_test(lowering),
                                     cmocka_unit_test(flipped_lowering), cmocka_unit_test(multiply_adds),
                                     cmocka_unit_test(reference),        cmocka_unit_test(baked),
                                     cmocka_unit_test(exact_limits)};
  return cmocka_run_group_tests(tests, begin, spec_done);
}
