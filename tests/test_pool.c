/* Pools: the reference on examples worked by hand, sizes as PyTorch has them, kernels on random layers. */
#include "made.h"
#include "op_sweep.h"
#include "spec_text.h"
#include <float.h>
#include <math.h>

/* ---- the reference --------------------------------------------------------------------------------------------------- */

static struct cs_pool row_of(ptrdiff_t in, ptrdiff_t out, ptrdiff_t kernel, ptrdiff_t stride, ptrdiff_t pad) {
  struct cs_pool pool = {.rank = 1, .batch = 1, .in_channels = 1, .out_channels = 1, .count_padding = 1};
  pool.in[0] = in;
  pool.out[0] = out;
  pool.kernel[0] = kernel;
  pool.stride[0] = stride;
  pool.dilation[0] = 1;
  pool.pad[0] = pool.pad_after[0] = pad;
  return pool;
}

static double pooled(const struct cs_pool *pool, const float *input, ptrdiff_t c, ptrdiff_t o) {
  struct cs_expect expect;
  const struct cs_pool_data data = {input, NULL, NULL};
  cs_pool_expect(pool, &data, (ptrdiff_t[]){0, c, o}, &expect);
  return expect.value + expect.rest;
}

static void check_row(const struct cs_pool *pool, const float *input, const double *expected) {
  for (ptrdiff_t o = 0; o < pool->out[0]; o++) assert_true(fabs(pooled(pool, input, 0, o) - expected[o]) < 1e-12);
}

static const float numbers[] = {1, 5, -2, 4, 3, -6, 8};

static void largest_of_windows(void **state) {
  (void)state;
  struct cs_pool pool = row_of(7, 4, 3, 2, 1);
  check_row(&pool, numbers, (double[]){5, 5, 4, 8});
  pool = row_of(5, 1, 3, 1, 0);
  pool.dilation[0] = 2;
  check_row(&pool, numbers, (double[]){3});
}

/* F.avg_pool1d(x, 3, 2, 1): the padding counts; with count_include_pad=False it does not. What ceil_mode adds never does: the last
 * window of three with one element left and one of padding is divided by 2. */
static void means_of_windows(void **state) {
  (void)state;
  struct cs_pool pool = row_of(7, 4, 3, 2, 1);
  pool.mean = 1;
  check_row(&pool, numbers, (double[]){2, 7.0 / 3, 1.0 / 3, 2.0 / 3});
  pool.count_padding = 0;
  check_row(&pool, numbers, (double[]){3, 7.0 / 3, 1.0 / 3, 1});
  pool = row_of(4, 3, 3, 2, 1);
  pool.mean = 1;
  check_row(&pool, numbers, (double[]){2, 7.0 / 3, 2});
}

/* F.adaptive_avg_pool1d(x, 3) of seven: windows 0-2, 2-4, 4-6. */
static void adaptive_windows_overlap(void **state) {
  (void)state;
  struct cs_pool pool = row_of(7, 3, 3, 1, 0);
  pool.mean = pool.adaptive = 1;
  check_row(&pool, numbers, (double[]){4.0 / 3, 5.0 / 3, 5.0 / 3});
  pool.mean = 0;
  check_row(&pool, numbers, (double[]){5, 4, 8});
}

static void runs_of_channels(void **state) {
  (void)state;
  struct cs_pool pool = row_of(1, 1, 1, 1, 0);
  pool.in_channels = 6;
  pool.out_channels = 3;
  pool.run = 2;
  const double expected[] = {5, 4, 3};
  for (ptrdiff_t c = 0; c < 3; c++) assert_true(pooled(&pool, numbers, c, 0) == expected[c]);
}

static void nan_stays(void **state) {
  (void)state;
  const struct cs_pool pool = row_of(3, 1, 3, 1, 0);
  for (int at = 0; at < 3; at++) {
    float input[] = {1, -INFINITY, 2};
    input[at] = NAN;
    assert_true(isnan(pooled(&pool, input, 0, 0)));
  }
  const float low[] = {-INFINITY, -INFINITY, -INFINITY};
  assert_true(pooled(&pool, low, 0, 0) < -DBL_MAX);
}

static void the_residual_comes_before_the_activation(void **state) {
  (void)state;
  struct cs_pool pool = row_of(2, 1, 2, 2, 0);
  const float input[] = {1, 3}, residual[] = {-5};
  const struct cs_pool_data data = {input, residual, NULL};
  struct cs_expect expect;
  pool.mean = 1;
  cs_pool_expect(&pool, &data, (ptrdiff_t[]){0, 0, 0}, &expect);
  assert_true(expect.value == -3);
  pool.activation = CS_RELU;
  cs_pool_expect(&pool, &data, (ptrdiff_t[]){0, 0, 0}, &expect);
  assert_true(expect.value == 0);
}

/* Of a mean of k elements γ(k + 2), of the largest γ(3), times what is added up. */
static void bounds_with_a_residual(void **state) {
  static const double u = FLT_EPSILON / 2, sums[] = {3 + 5, (1 + 3) / 2 + 5}, terms[] = {3, 2 + 2};
  const float input[] = {1, 3}, residual[] = {-5};
  const struct cs_pool_data data = {input, residual, NULL};
  struct cs_pool pool = row_of(2, 1, 2, 2, 0);
  (void)state;
  for (int mean = 0; mean < 2; mean++) {
    struct cs_expect expect;
    pool.mean = mean;
    cs_pool_expect(&pool, &data, (ptrdiff_t[]){0, 0, 0}, &expect);
    const double bound = terms[mean] * u / (1 - terms[mean] * u) * sums[mean];
    assert_true(fabs(expect.bound - bound) < 1e-6 * bound);
  }
}

/* ---- sizes ----------------------------------------------------------------------------------------------------------- */

static void sizes_are_pytorchs(void **state) {
  static const struct {
    const char *keys;
    int64_t out, channels;
  } rows[] = {
      {"input: [1, 4, 55], kernel_size: 3, stride: 2", 27, 4},
      {"input: [1, 4, 55], kernel_size: 3", 18, 4}, /* the stride is the kernel's size */
      {"input: [1, 4, 112], kernel_size: 3, stride: 2, padding: 1", 56, 4},
      {"input: [1, 4, 112], kernel_size: 3, stride: 2, ceil_mode: true", 56, 4},
      {"input: [1, 4, 112], kernel_size: 3, stride: 2, ceil_mode: false", 55, 4},
      {"input: [1, 4, 5], kernel_size: 2, stride: 3, padding: 1, ceil_mode: true", 2, 4}, /* a third would begin at 6 - 1 */
      {"input: [1, 4, 5], kernel_size: 2, stride: 2, padding: 1, ceil_mode: true", 3, 4},
      {"input: [1, 4, 1], kernel_size: 2, stride: 2, ceil_mode: true", 1, 4},
      {"input: [1, 4, 9], kernel_size: 3, dilation: 3", 1, 4},
      {"input: [1, 4, 9], kernel_size: 3, padding: 2", 4, 4}, /* more than half a window */
      {"input: [1, 4, 9], kernel_size: global", 1, 4},
      {"input: [1, 4, 9], output_size: 5", 5, 4},
      {"input: [1, 4, 9], kernel_size: 3, padding: same, stride: 2", 5, 4},
      {"input: [1, 6, 9], kernel_size: 3, axis: channels", 9, 2},
  };
  (void)state;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    const struct layer *layer = spec_layer(mem_text("op: max_pool, %s", rows[i].keys));
    if (layer->out[0] != rows[i].out || layer->out_channels != rows[i].channels)
      fail_msg("%s: %d outputs of %d channels", rows[i].keys, (int)layer->out[0], (int)layer->out_channels);
  }
}

/* What an adaptive pool's windows hold at most, by enumeration. */
static void largest_windows(void **state) {
  (void)state;
  for (int in = 1; in <= 12; in++)
    for (int out = 1; out <= 15; out++) {
      int64_t most = 0;
      for (int i = 0; i < out; i++) {
        const int64_t size = ((i + 1) * in + out - 1) / out - i * in / out;
        if (size > most) most = size;
      }
      assert_int_equal(spec_layer(mem_text("op: max_pool, input: [1, 1, %d], output_size: %d", in, out))->kernel[0], most);
    }
}

/* Windows of 10^10 elements are planned at once. */
static void huge_windows_take_no_time(void **state) {
  (void)state;
  assert_int_equal(
      convsmith(
          "info %s --target scalar --explain",
          scratch_write("huge.yaml",
                        "convsmith: 1\nlayers: [{name: a, op: avg_pool, input: [1, 3, 100000, 100000], kernel_size: global}]\n")),
      0);
  assert_non_null(strstr(said, "refused: a tile has 10000000000 columns or more, "));
}

/* ---- kernels --------------------------------------------------------------------------------------------------------- */

static void draw_end(struct text *keys, uint64_t *random) {
  static const char *const activations[] = {"none", "none", "none", "relu", "prelu", "silu", "{clamp: [-0.5, 0.5]}"};
  text_print(keys, ", residual: %s, activation: %s", op_draw_number(random, 0, 3) ? "false" : "true",
             activations[op_draw_number(random, 0, 6)]);
}

/* Sizes, kernel, pads below the kernel's extent. */
static void draw_windows(struct text *keys, uint64_t *random, int rank, bool mean) {
  const int dilation = op_draw_number(random, 1, 3), stride = op_draw_number(random, 1, 3);
  const int large = rank < 3 && dilation == 1 && op_draw_number(random, 0, 7) == 0 ? 9 : 0;
  const int kernel = op_draw_number(random, 1, 4) + large;
  const int extent = dilation * (kernel - 1) + 1;
  int sizes[3], most = extent - 1;
  for (int d = 0; d < rank; d++) {
    sizes[d] = op_draw_number(random, extent, extent + (d == rank - 1 ? 40 : 4));
    if (dilation > 1 && sizes[d] <= dilation) sizes[d] = dilation + 1;
  }
  op_print_input(keys, op_draw_number(random, 1, 2), op_draw_number(random, 1, 35), sizes, rank);
  text_print(keys, ", kernel_size: %d, stride: %d, dilation: %d, padding: [", kernel, stride, dilation);
  for (int d = 0; d < rank; d++) {
    const int before = op_draw_number(random, 0, most < 3 ? most : 3), after = op_draw_number(random, 0, most < 2 ? most : 2);
    text_print(keys, "%s[%d, %d]", d ? ", " : "", before, after);
  }
  text_print(keys, "], ceil_mode: %s", op_draw_number(random, 0, 1) ? "true" : "false");
  if (mean) text_print(keys, ", count_include_pad: %s", op_draw_number(random, 0, 1) ? "true" : "false");
}

/* As many outputs as inputs, which channels first may be one stretch. */
static void draw_same(struct text *keys, uint64_t *random, int rank, bool mean) {
  const int dilation = op_draw_number(random, 1, 2);
  int sizes[3];
  for (int d = 0; d < rank; d++) sizes[d] = op_draw_number(random, dilation + 1, rank == 1 ? 70 : rank == 2 ? 15 : 6);
  op_print_input(keys, op_draw_number(random, 1, 2), op_draw_number(random, 1, 35), sizes, rank);
  text_print(keys, ", kernel_size: %d, stride: 1, dilation: %d, padding: same", op_draw_number(random, 1, 5), dilation);
  if (mean) text_print(keys, ", count_include_pad: %s", op_draw_number(random, 0, 1) ? "true" : "false");
}

static void draw_all(struct text *keys, uint64_t *random, int rank, bool adaptive) {
  int sizes[3];
  for (int d = 0; d < rank; d++) sizes[d] = op_draw_number(random, 1, rank == 1 ? 150 : 9);
  op_print_input(keys, op_draw_number(random, 1, 2), op_draw_number(random, 1, 40), sizes, rank);
  if (!adaptive)
    text_print(keys, ", kernel_size: global");
  else
    text_print(keys, ", output_size: %d", op_draw_number(random, 1, 11));
}

static void draw_runs(struct text *keys, uint64_t *random, int rank) {
  const int run = op_draw_number(random, 1, 5);
  int sizes[3];
  for (int d = 0; d < rank; d++) sizes[d] = op_draw_number(random, 1, 7);
  op_print_input(keys, op_draw_number(random, 1, 2), run * op_draw_number(random, 1, 40), sizes, rank);
  text_print(keys, ", axis: channels, kernel_size: %d", run);
}

static void draw_pool(struct text *keys, uint64_t *random, bool mean) {
  const int rank = op_draw_number(random, 1, 3), kind = op_draw_number(random, 0, 12);
  text_print(keys, "op: %s, ", mean ? "avg_pool" : "max_pool");
  if (kind < 6)
    draw_windows(keys, random, rank, mean);
  else if (kind < 9)
    draw_all(keys, random, rank, kind > 6);
  else if (kind < 12)
    draw_same(keys, random, rank, mean);
  else
    draw_runs(keys, random, rank);
  draw_end(keys, random);
}

static void draw_max(struct text *keys, struct op_layer layer, uint64_t *random) {
  (void)layer;
  draw_pool(keys, random, false);
}

static void draw_avg(struct text *keys, struct op_layer layer, uint64_t *random) {
  (void)layer;
  draw_pool(keys, random, true);
}

static void random_layers_are_right(void **state) {
  (void)state;
  op_sweep("max_pool", draw_max, 4);
  op_sweep("avg_pool", draw_avg, 4);
}

/* Chunks of channels are units of work, with slopes and residuals of their own. */
static void chunks_of_channels_are_right(void **state) {
  static const char spec[] =
      "convsmith: 1\nlayers:\n  - {name: wide, op: max_pool, input: [2, 160, 5, 9], kernel_size: 3, stride: 1, "
      "padding: 1, residual: true, activation: prelu}\n";
  (void)state;
  const char *path = scratch_write("chunks.yaml", spec);
  if (convsmith("verify %s --target vec128 --plans direct-pool-columns-4x1-rows2-chunks", path) != 0) fail_msg("%s", said);
  assert_non_null(strstr(said, "1 kernels: 1 right"));
}

/* Every place in turn is NaN, alone: in the first channel and in the last one, which are in chunks of their own. */
static const char one_nan[] =
    "#include \"spots.h\"\n#include <stdlib.h>\n"
    "enum { C = 70, H = 11, W = 13 };\n"
    "static float input[H * W * C], output[H * W * C];\n"
    "static int wrong(int at) {\n"
    "  for (int i = 0; i < H * W * C; i++) {\n"
    "    const int y = abs(i / C / W - at / C / W), x = abs(i / C % W - at / C % W), there = i % C == at % C && y <= 4 && x <= 4;\n"
    "    if (there != (output[i] != output[i]) || (!there && !(output[i] >= 1.0f && output[i] <= 9.0f))) return 1;\n"
    "  }\n"
    "  return 0;\n}\n"
    "int main(void) {\n"
    "  void *workspace = malloc(SPOTS_WORKSPACE_BYTES);\n"
    "  for (int i = 0; i < H * W * C; i++) input[i] = (float)(i % 9 + 1);\n"
    "  for (int i = 0; i < H * W * 2; i++) {\n"
    "    const int at = i / 2 * C + i % 2 * (C - 1);\n"
    "    const float was = input[at];\n"
    "    input[at] = 0.0f * strtof(\"inf\", NULL);\n"
    "    spots(input, output, workspace);\n"
    "    if (wrong(at)) return 1;\n"
    "    input[at] = was;\n"
    "  }\n"
    "  free(workspace);\n"
    "  return 0;\n}\n";

static void one_nan_reaches_its_windows(void **state) {
  static const char spec[] =
      "convsmith: 1\nlayers:\n  - {name: spots, op: max_pool, input: [1, 70, 11, 13], kernel_size: 9, stride: 1, "
      "padding: 4}\n";
  static const char *const targets[] = {"", "--target vec128", "--target scalar"};
  (void)state;
  const char *path = scratch_write("spots.yaml", spec);
  scratch_write("one_nan.c", one_nan);
  for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
    if (convsmith("generate %s -o %s %s", path, scratch_path("spots"), targets[i]) != 0) fail_msg("%s", said);
    MUST("grep -q _chunk_last spots/spots.c && cc -std=c99 -O1 -Ispots -o spots/run one_nan.c spots/spots.c && spots/run");
  }
}

/* Sums are kept in the outputs where pixels beyond the caches come in pieces else, but not where the residual may be. */
static void means_of_wide_pixels_are_swept(void **state) {
  static const char layer[] = "convsmith: 1\nlayers: [{name: a, op: avg_pool, input: [1, 2048, 60, 60], output_size: 2%s}]\n";
  (void)state;
  assert_int_equal(convsmith("info %s --target sse41 --json", scratch_write("wide.yaml", mem_text(layer, ""))), 0);
  assert_non_null(strstr(said, "direct-pool-sweep-"));
  const char *residual = scratch_write("residual.yaml", mem_text(layer, ", residual: true"));
  assert_int_equal(convsmith("verify %s --target sse41 --plans direct-pool-sweep-1x4", residual), 2);
  assert_non_null(strstr(said, "the residual may lie where sums would"));
}

/* What a generated file has of loads that teach no cache to fetch ahead. */
static void fetches(const char *keys, bool expected) {
  const char *path = scratch_write("fetched.yaml", mem_text("convsmith: 1\nlayers: [{name: a, %s}]\n", keys));
  assert_int_equal(convsmith("generate %s --target avx512 -o %s", path, scratch_path("fetched")), 0);
  if ((strstr(text_of(scratch_path("fetched/a.c")), "a_fetch(x") != NULL) != expected) fail_msg("%s", keys);
}

/* Pieces of pixels that are read in turns, unless all of them stay near, or are so far away that steps are worth learning. */
static void pieces_in_turns_are_fetched(void **state) {
  (void)state;
  fetches("op: avg_pool, input: [1, 512, 7, 7], kernel_size: global", true);
  fetches("op: max_pool, input: [1, 64, 56, 56], kernel_size: 3, stride: 2, padding: 1", true);
  fetches("op: max_pool, input: [1, 64, 9, 9], kernel_size: 3, stride: 2, padding: 1", false);
  fetches("op: avg_pool, input: [1, 2048, 60, 60], output_size: 2", false);
  fetches("op: max_pool, input: [1, 64, 56, 56], kernel_size: 3, stride: 2, padding: 1, layout: nchw", false);
}

/* Planes as one stretch: tiles of each number of planes, and one of what is left; each share of the work the same. */
static void stretches_are_right(void **state) {
  static const char *const layers[] = {"short_rows", "short_residual", "short_mean"};
  (void)state;
  for (int planes = 1; planes <= 8; planes *= 2)
    for (int i = 0; i < 3; i++) {
      if (convsmith("verify specs/features/pools.yaml --layer %s --target vec128 --plans direct-pool-stretch-%d", layers[i],
                    planes))
        fail_msg("%s", said);
      assert_non_null(strstr(said, "1 kernels: 1 right"));
    }
}

static void emitted_tests_pass(void **state) {
  (void)state;
  if (convsmith("generate specs/features/pools.yaml -o %s --emit-test", scratch_path("emitted")) != 0) fail_msg("%s", said);
  MUST("for test in emitted/*_test.c; do cc -std=c99 -O1 " CLEAN " -o emitted/run $test ${test%%_test.c}.c -lm && emitted/run || "
       "exit 1; done");
}

static void info_counts_multiplications(void **state) {
  (void)state;
  assert_int_equal(convsmith("info specs/features/pools.yaml --layer global_average --json"), 0);
  assert_non_null(strstr(said, "\"parameters\": 0"));
  assert_non_null(strstr(said, "\"multiply_adds\": 48"));
}

static int begin(void **state) {
  (void)state;
  scratch_begin("pool");
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(largest_of_windows),
      cmocka_unit_test(means_of_windows),
      cmocka_unit_test(adaptive_windows_overlap),
      cmocka_unit_test(runs_of_channels),
      cmocka_unit_test(nan_stays),
      cmocka_unit_test(the_residual_comes_before_the_activation),
      cmocka_unit_test(bounds_with_a_residual),
      cmocka_unit_test(sizes_are_pytorchs),
      cmocka_unit_test(largest_windows),
      cmocka_unit_test(huge_windows_take_no_time),
      cmocka_unit_test(info_counts_multiplications),
      cmocka_unit_test(chunks_of_channels_are_right),
      cmocka_unit_test(one_nan_reaches_its_windows),
      cmocka_unit_test(means_of_wide_pixels_are_swept),
      cmocka_unit_test(pieces_in_turns_are_fetched),
      cmocka_unit_test(stretches_are_right),
      cmocka_unit_test(emitted_tests_pass),
      cmocka_unit_test(random_layers_are_right),
  };
  return cmocka_run_group_tests_name("pool", tests, begin, spec_done);
}
