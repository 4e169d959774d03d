/* separable_conv: the stages against the definition on seeded random layers, what lies between them, counts, and every error. */
#include "../gen/plan.h"
#include "../gen/text.h"
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "op_sweep.h"
#include "spec_text.h"

/* ---- random layers ------------------------------------------------------------------------------------------------------ */

static int64_t draw(uint64_t *random, int64_t least, int64_t most) {
  return least + (int64_t)(cs_random(random) % (uint64_t)(most - least + 1));
}

static const char *pick(uint64_t *random, const char *const *words, int64_t count) {
  return words[draw(random, 0, count - 1)];
}

static void print_list(struct text *spec, const char *key, const int64_t *sizes, int rank) {
  text_print(spec, ", %s: [", key);
  for (int d = 0; d < rank; d++) text_print(spec, "%s%lld", d ? ", " : "", (long long)sizes[d]);
  text_print(spec, "]");
}

/* Spatial keys: a window that fits, and pads that every padding mode allows. */
static void print_window(struct text *spec, uint64_t *random, int rank) {
  static const int64_t spans[] = {40, 14, 7};
  int64_t in[MAX_SPATIAL], kernel[MAX_SPATIAL], stride[MAX_SPATIAL], dilation[MAX_SPATIAL], pad[MAX_SPATIAL];
  for (int d = 0; d < rank; d++) {
    kernel[d] = draw(random, 1, rank == 3 ? 3 : 5);
    stride[d] = draw(random, 1, 3);
    dilation[d] = draw(random, 1, 2);
    const int64_t span = dilation[d] * (kernel[d] - 1) + 1;
    in[d] = draw(random, draw(random, 0, 1) ? span : span / 2 + 1, span + spans[rank - 1]);
    pad[d] = draw(random, span > in[d] ? (span - in[d] + 1) / 2 : 0, in[d] - 1 < span ? in[d] - 1 : span);
    if (2 * pad[d] + in[d] < span) in[d] = span;
  }
  for (int d = 0; d < rank; d++) text_print(spec, ", %lld", (long long)in[d]);
  text_print(spec, "]");
  print_list(spec, "kernel_size", kernel, rank);
  print_list(spec, "stride", stride, rank);
  print_list(spec, "dilation", dilation, rank);
  print_list(spec, "padding", pad, rank);
}

static void draw_layer(struct text *spec, struct op_layer layer, uint64_t *random) {
  (void)layer;
  static const char *const bools[] = {"true", "false"}, *const unrolls[] = {"auto", "auto", "none", "full"};
  static const char *const modes[] = {"zeros", "zeros", "reflect", "replicate", "circular"};
  static const char *const activations[] = {"none", "relu", "relu6", "{leaky_relu: 0.25}", "{clamp: [-2, 3]}", "silu"};
  const int64_t multiplier = draw(random, 0, 2) ? 1 : draw(random, 2, 4);
  text_print(spec, "op: separable_conv, out_channels: %lld, multiplier: %lld, padding_mode: %s, unroll: %s",
             (long long)draw(random, 1, 35), (long long)multiplier, pick(random, modes, 5), pick(random, unrolls, 4));
  text_print(spec, ", bias: %s, residual: %s, flip: %s, activation: %s, depthwise_activation: %s", pick(random, bools, 2),
             pick(random, bools, 2), pick(random, bools, 2), pick(random, activations, 6), pick(random, activations, 6));
  text_print(spec, ", input: [%lld, %lld", (long long)draw(random, 1, 2), (long long)draw(random, 1, 35 / (int)multiplier));
  print_window(spec, random, (int)draw(random, 1, 3));
}

static void random_layers_are_right(void **state) {
  (void)state;
  op_sweep("separable_conv", draw_layer, 20);
}

/* Lines of a single column: tiles that are trimmed keep the axis of rows. */
static void lines_of_one_column_are_right(void **state) {
  (void)state;
  const char *path =
      scratch_write("column.yaml", "convsmith: 1\nlayers: [{name: column, op: separable_conv, layout: nchw, input: [1, 5, 10, 1], "
                                   "out_channels: 18, kernel_size: [5, 1], stride: [3, 1], padding: [5, 0]}]\n");
  assert_int_equal(convsmith("verify %s --target avx2 --plans all", path), 0);
  assert_non_null(strstr(said, "-joined/"));
  assert_non_null(strstr(said, "-trimmed"));
}

/* ---- what lies between ------------------------------------------------------------------------------------------------------ */

static const char tall[] = "convsmith: 1\n"
                           "layers:\n"
                           "  - {name: once, op: separable_conv, input: [1, 32, %d, 28], out_channels: 16, kernel_size: 3, "
                           "padding: 1, layout: %s, stride: %d}\n";

static long workspace_of(int height, const char *layout, int stride) {
  scratch_write("tall.yaml", mem_text(tall, height, layout, stride));
  assert_int_equal(convsmith("generate %s -o %s --target avx2", scratch_path("tall.yaml"), scratch_path("tall")), 0);
  const char *at = strstr(text_of(scratch_path("tall/once.h")), "WORKSPACE_BYTES = ");
  assert_non_null(at);
  return strtol(at + strlen("WORKSPACE_BYTES = "), NULL, 10);
}

/* Twice the height is twice the blocks, and the same rows between the stages: never all. Some heights have no block that divides
 * them. */
static void height_leaves_the_workspace(void **state) {
  (void)state;
  static const char *const layouts[] = {"nhwc", "nchw"};
  static const int heights[] = {28, 100, 298, 448, 896};
  for (int stride = 1; stride <= 2; stride++)
    for (int i = 0; i < 2; i++) {
      const long bytes = workspace_of(224, layouts[i], stride);
      assert_in_range(bytes, 1, 128 << 10);
      for (size_t h = 0; h < sizeof heights / sizeof *heights; h++)
        assert_int_equal(workspace_of(heights[h], layouts[i], stride), bytes);
    }
}

static const char wide[] =
    "convsmith: 1\n"
    "layers: [{name: wide, op: separable_conv, input: [1, 64, %d, %d], out_channels: 32, kernel_size: 3, padding: 1}]\n";

static const char *wide_text(int size) {
  scratch_write("wide.yaml", mem_text(wide, size, size));
  assert_int_equal(convsmith("generate %s -o %s --target avx2", scratch_path("wide.yaml"), scratch_path("wide")), 0);
  return text_of(scratch_path("wide/wide.c"));
}

static long number_after(const char *text, const char *before) {
  const char *at = strstr(text, before);
  assert_non_null(at);
  return strtol(at + strlen(before), NULL, 10);
}

/* Input from beyond the near caches, 4 MB of it: while a block's rows, 4,096 outputs each, are multiplied, its tiles fetch as many
 * of the 32 KB each that the next block reads, which begin at the second row behind this one's last. */
static void next_rows_are_fetched(void **state) {
  (void)state;
  const char *text = wide_text(128);
  assert_non_null(strstr(text, "(uintptr_t)input + ((uintptr_t)((b1 - 1) * 1 + 2) * 8192) * sizeof *input"));
  const long rows = number_after(text, "output + a2 * ") / 4096, line = number_after(text, "output + a2 * ");
  const long tiles = number_after(text, mem_text("output + a2 * %ld, 0, ", line));
  const long share = number_after(text, "next += (uintptr_t)(row + count - row) * ");
  assert_in_range(rows, 2, 8);
  assert_in_range(share * tiles, rows * 32768, rows * 32768 + 64 * tiles);
  assert_null(strstr(wide_text(64), "next"));
}

/* The same in one dimension, 8 MB: a long row is cut into lines of 32 outputs, a block has 8, whose tiles of 4 fetch 256 pixels. */
static void next_pixels_are_fetched(void **state) {
  (void)state;
  scratch_write("wave.yaml", "convsmith: 1\nlayers: [{name: wave, op: separable_conv, input: [1, 128, 16384], out_channels: 256, "
                             "kernel_size: 3, padding: 1}]\n");
  assert_int_equal(convsmith("generate %s -o %s --target avx2", scratch_path("wave.yaml"), scratch_path("wave")), 0);
  const char *text = text_of(scratch_path("wave/wave.c"));
  const long pixels = number_after(text, "output + a2 * ") / 256, tiles = pixels / 4 * 11; /* 256 channels, 24 a tile */
  const long share = number_after(text, "next += (uintptr_t)(row + count - row) * ");
  assert_int_equal(pixels, 256);
  assert_in_range(share * tiles, pixels * 512, pixels * 512 + 64 * tiles);
}

/* Where there are few blocks of rows, shares divide the channels of the 1×1 half: seven rows are one block, 1,024 channels many. */
static void few_rows_have_shares(void **state) {
  (void)state;
  scratch_write("low.yaml", "convsmith: 1\nlayers: [{name: low, op: separable_conv, input: [1, 32, 7, 7], out_channels: 1024, "
                            "kernel_size: 3, padding: 1}]\n");
  assert_int_equal(convsmith("generate %s -o %s --target avx2", scratch_path("low.yaml"), scratch_path("low")), 0);
  const char *at = strstr(text_of(scratch_path("low/low.c")), "even shares of ");
  assert_non_null(at);
  assert_in_range(strtol(at + strlen("even shares of "), NULL, 10), 8, 1024);
}

/* ---- counts -------------------------------------------------------------------------------------------------------------------
 */

/* 14 x 14 outputs: 8 channels of 9 taps, twice each, then 16 channels into 5. */
static void counts_are_of_both_halves(void **state) {
  (void)state;
  const struct layer *layer =
      spec_layer("op: separable_conv, input: [1, 8, 16, 16], out_channels: 5, kernel_size: 3, multiplier: 2, bias: true");
  struct tensor tensors[MAX_TENSORS];
  size_t count = layer->op->tensors(layer, tensors), parameters = 0;
  for (size_t i = 0; i < count; i++)
    if (tensors[i].role == TENSOR_PARAMETER) parameters += tensor_count(&tensors[i]);
  assert_int_equal(parameters, 16 * 9 + 16 + 5 * 16 + 5);
  assert_int_equal(layer->op->multiply_adds(layer), 14 * 14 * (16 * 9 + 5 * 16));
  assert_int_equal(layer->op->terms(layer), (9 + 2) + (16 + 2));
  assert_string_equal(tensors[1].name, "depthwise");
  assert_string_equal(tensors[2].name, "depthwise_bias");
  assert_string_equal(tensors[3].name, "weights");
}

static void info_tells_the_saving(void **state) {
  (void)state;
  scratch_write("saving.yaml", "convsmith: 1\nlayers: [{name: a, op: separable_conv, input: [1, 8, 16, 16], out_channels: 64, "
                               "kernel_size: 3}]\n");
  assert_int_equal(convsmith("info %s", scratch_path("saving.yaml")), 0);
  assert_non_null(strstr(said, "0.127 of a dense layer's multiply-adds: m/M + m/k, m = 1, M = 64, k = 9 taps")); /* 1/64 + 1/9 */
}

/* Sobel's kernel has a column of zeros. */
static void explain_tells_dropped_taps(void **state) {
  (void)state;
  assert_int_equal(convsmith("info specs/features/baked_weights.yaml --explain"), 0);
  assert_non_null(strstr(said, "baked weights are exactly zero: no taps"));
}

/* ---- errors --------------------------------------------------------------------------------------------------------------------
 */

static void errors_name_the_key(void **state) {
  (void)state;
  static const struct {
    const char *keys, *says;
  } rows[] = {
      {"weights: w.npy", "weights: a file holds one array, but separable_conv has two (depthwise and 1×1); leave it out"},
      {"bias: b.npy", "bias: a file holds one array"},
      {"depthwise_activation: prelu", "depthwise_activation: 'prelu' has no tensor of slopes here"},
      {"depthwise_activation: {clamp: 3}", "depthwise_activation: expected {clamp: [lo, hi]}"},
      {"depthwise_activation: leaky_relu", "depthwise_activation: expected {leaky_relu: slope} with a finite number, found"},
      {"multiplier: 0", "multiplier: expected a decimal integer from 1"},
      {"multiplier: 4611686018427387904", "multiplier: 4611686018427387904 times the 4 channels of input"},
      {"groups: 2", "groups: op 'separable_conv' has no such key"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    assert_false(spec_text(mem_text("convsmith: 1\nlayers: [{name: a, op: separable_conv, input: [1, 4, 5, 5], out_channels: 3, "
                                    "kernel_size: 3, %s}]\n",
                                    rows[i].keys)));
    if (!strstr(spec_messages.data, rows[i].says)) fail_msg("%s: %s", rows[i].keys, spec_messages.data);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(counts_are_of_both_halves, spec_done),
      cmocka_unit_test_teardown(info_tells_the_saving, spec_done),
      cmocka_unit_test_teardown(explain_tells_dropped_taps, spec_done),
      cmocka_unit_test_teardown(errors_name_the_key, spec_done),
      cmocka_unit_test_teardown(height_leaves_the_workspace, spec_done),
      cmocka_unit_test_teardown(next_rows_are_fetched, spec_done),
      cmocka_unit_test_teardown(next_pixels_are_fetched, spec_done),
      cmocka_unit_test_teardown(few_rows_have_shares, spec_done),
      cmocka_unit_test_teardown(lines_of_one_column_are_right, spec_done),
      cmocka_unit_test_teardown(random_layers_are_right, spec_done),
  };
  scratch_begin("separable");
  return cmocka_run_group_tests(tests, NULL, NULL);
}
