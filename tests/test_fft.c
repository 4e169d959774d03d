/* `algorithm: fft`: how blocks cover outputs, what is refused and why, and seeded random layers of large kernels through verify. */
#include "../gen/fft.h"
#include "op_sweep.h"
#include "spec_text.h"
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct engine *engine;
static struct isa_list isas;

static int begin(void **state) {
  (void)state;
  scratch_begin("fft");
  engine = engine_new(NULL, 0);
  return isa_read(engine, &isas) ? 0 : -1;
}

static int end(void **state) {
  engine_free(engine);
  return spec_done(state);
}

static struct plan_list plans_of(const char *keys) {
  return plan_enumerate(spec_layer(keys), isa_find(&isas, "avx2"));
}

/* ---- layout ------------------------------------------------------------------------------------------------------------- */

/* Tiles begin where the one before ends, and no tile lies behind all outputs; no transform wraps into an output; passes go through
 * all points.
 */
static void check_axis(const struct fft_axis *axis) {
  const int64_t tile = axis->outputs * axis->pair;
  assert_true(axis->tiles * tile >= axis->axis.out && (axis->tiles - 1) * tile < axis->axis.out);
  assert_true(axis->outputs + axis->axis.kernel - 1 <= axis->points);
  assert_int_equal(axis->factor[0] * axis->factor[1], axis->points);
  for (int p = 0; p < axis->passes; p++) {
    assert_int_equal(axis->forward[p].points * axis->forward[p].count, axis->points);
    assert_int_equal(axis->inverse[p].points * axis->inverse[p].count, axis->points);
  }
}

static void blocks_cover_outputs(void **state) {
  (void)state;
  static const char *const layers[] = {
      "input: [1, 9, 56, 57], out_channels: 9, groups: 9, kernel_size: 31, padding: 15",
      "input: [3, 4, 100, 21], out_channels: 2, kernel_size: [5, 11], layout: nchw",
      "input: [1, 8, 3000], out_channels: 8, groups: 8, kernel_size: 300, dtype: f64",
      "input: [1, 1, 40, 5], out_channels: 1, kernel_size: [17, 1]",
      "input: [1, 2, 5], out_channels: 2, groups: 2, kernel_size: 100, padding: 60",
  };
  for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
    const struct plan_list plans = plans_of(mem_text("%s, algorithm: fft, accuracy: fast", layers[i]));
    assert_true(plans.usable > 0);
    for (size_t p = 0; p < plans.usable; p++) {
      const struct fft *fft = plans.items[p].parameters;
      for (int a = 0; a < FFT_AXES; a++) check_axis(&fft->axis[a]);
      assert_true(fft->axis[0].pair * fft->axis[1].pair <= 2);
      assert_int_equal(plans.items[p].promise.accuracy, CS_FAST);
    }
  }
}

/* Outputs of both blocks of a tile are held to what both read. */
static void tile_of_two_blocks_is_promised(void **state) {
  (void)state;
  const struct plan_list plans =
      plans_of("input: [1, 8, 40, 100], out_channels: 8, groups: 8, kernel_size: 9, algorithm: fft, accuracy: fast");
  const struct plan *plan = NULL;
  for (size_t i = 0; i < plans.usable; i++)
    if (strcmp(plans.items[i].id, "fft-groups-16x32") == 0) plan = &plans.items[i];
  assert_non_null(plan);
  assert_int_equal(plan->promise.block[0], 8);      /* 4 blocks of 8 */
  assert_int_equal(plan->promise.block[1], 2 * 23); /* 92 outputs in 4 blocks, two a tile */
}

/* ---- choice ------------------------------------------------------------------------------------------------------------- */

static const char *chosen(const char *keys) {
  const struct plan_list plans = plans_of(keys);
  assert_true(plans.usable > 0);
  return plans.items[0].algorithm->name;
}

static void large_kernels_are_transformed_where_that_is_allowed(void **state) {
  (void)state;
  const char *large = "input: [1, 64, 56, 56], out_channels: 64, groups: 64, kernel_size: 31, padding: 15";
  assert_string_equal(chosen(mem_text("%s, accuracy: fast", large)), "fft");
  assert_string_equal(chosen(mem_text("%s, accuracy: normwise", large)), "direct");
  assert_string_equal(chosen(large), "direct");
  assert_string_not_equal(
      chosen("input: [1, 64, 56, 56], out_channels: 64, groups: 64, kernel_size: 5, padding: 2, accuracy: fast"), "fft");
}

/* Each with the number and the limit. */
static void refusals_name_the_reason(void **state) {
  (void)state;
  static const struct {
    const char *keys, *reason;
  } refused[] = {
      {"input: [1, 2, 90], out_channels: 2, kernel_size: 33, stride: 2", "stride 2; blocks give every output"},
      {"input: [1, 2, 90], out_channels: 2, kernel_size: 33, dilation: 2", "dilation 2; transforms take neighbouring inputs"},
      {"input: [1, 2, 9, 9, 9], out_channels: 2, kernel_size: 3", "3 axes; blocks have at most 2"},
      {"input: [1, 2, 9, 9], out_channels: 2, kernel_size: 3", "9 taps; transforms are for 16 or more"},
      {"input: [1, 2, 2000], out_channels: 2, kernel_size: 513", "513 taps; blocks have at most 1024 points, twice that many"},
      {"input: [1, 2, 90], out_channels: 2, kernel_size: 33, unroll: full", "unroll: full asks for no loop"},
  };
  for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
    const struct plan_list plans = plans_of(mem_text("%s, algorithm: fft, accuracy: fast", refused[i].keys));
    assert_int_equal(plans.usable, 0);
    for (size_t p = 0; p < plans.count; p++) assert_non_null(strstr(plans.items[p].reason, refused[i].reason));
  }
}

/* ---- random layers ------------------------------------------------------------------------------------------------------ */

static const char *one_of(uint64_t *random, const char *const *words, int count) {
  return words[op_draw_number(random, 0, count - 1)];
}

/* Taps and input of each dimension; more outputs than a block has, or fewer. */
static bool draw_sizes(struct text *keys, uint64_t *random, int rank, int batch, int channels) {
  int sizes[2], kernel[2], pad[2], taps = 1;
  for (int d = 0; d < rank; d++) {
    kernel[d] = rank == 1 ? op_draw_number(random, 16, 50) : op_draw_number(random, 1, 10);
    pad[d] = op_draw_number(random, 0, kernel[d] - 1);
    sizes[d] = op_draw_number(random, 1, rank == 1 ? 130 : 30);
    if (pad[d] >= sizes[d]) pad[d] = sizes[d] - 1; /* as far as every padding mode goes */
    if (sizes[d] + 2 * pad[d] < kernel[d]) return false;
    taps *= kernel[d];
  }
  if (taps < 16) return false;
  op_print_input(keys, batch, channels, sizes, rank);
  text_print(keys, ", kernel_size: [%d%s", kernel[0], rank > 1 ? mem_text(", %d]", kernel[1]) : "]");
  text_print(keys, ", padding: [%d%s", pad[0], rank > 1 ? mem_text(", %d]", pad[1]) : "]");
  return true;
}

static void draw_layer(struct text *keys, struct op_layer layer, uint64_t *random) {
  static const char *const modes[] = {"zeros", "zeros", "zeros", "reflect", "replicate", "circular"};
  static const char *const activations[] = {"none", "none", "relu", "sigmoid", "prelu", "{clamp: [-1, 2]}"};
  static const char *const bools[] = {"false", "true"};
  static const int counts[] = {1, 2, 3, 4, 5, 8, 9, 16, 17, 33};
  const bool depthwise = op_draw_number(random, 0, 2) > 0;
  const int groups = depthwise ? counts[op_draw_number(random, 0, 9)] : op_draw_number(random, 1, 2);
  const int in = depthwise ? 1 : op_draw_number(random, 1, 4),
            out = op_draw_number(random, 0, 2) ? 1 : op_draw_number(random, 1, 3);
  (void)layer;
  if (!draw_sizes(keys, random, op_draw_number(random, 1, 2), op_draw_number(random, 1, 2), groups * in)) return;
  text_print(keys, ", out_channels: %d, groups: %d, algorithm: fft, accuracy: fast", groups * out, groups);
  text_print(keys, ", padding_mode: %s, activation: %s", one_of(random, modes, 6), one_of(random, activations, 6));
  text_print(keys, ", bias: %s, residual: %s, flip: %s", one_of(random, bools, 2), one_of(random, bools, 2),
             one_of(random, bools, 2));
}

static void random_layers_are_right(void **state) {
  (void)state;
  op_sweep("fft", draw_layer, 20);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(blocks_cover_outputs),
      cmocka_unit_test(tile_of_two_blocks_is_promised),
      cmocka_unit_test(large_kernels_are_transformed_where_that_is_allowed),
      cmocka_unit_test(refusals_name_the_reason),
      cmocka_unit_test(random_layers_are_right),
  };
  return cmocka_run_group_tests(tests, begin, end);
}
