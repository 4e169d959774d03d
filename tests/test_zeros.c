/* Baked weights that are exactly zero: those that a vector multiply-add meets alone are not in the text, which is counted; seeded
 * random layers with zeros of every pattern are right, NaN and infinity beside them too (verify's hostile data). */
#include "../gen/engine.h"
#include "../gen/plan.h"
#include "../gen/zeros.h"
#include "op_sweep.h"
#include "spec_text.h"
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* ---- counting ----------------------------------------------------------------------------------------------------------- */

/* Two groups of two outputs of one input channel, two taps: weights [4, 1, 2]. */
static void zeros_add_up(void **state) {
  (void)state;
  static const float weights[] = {0, 1, 2, 0, 0, 3, 0, 0};
  struct problem problem = {.rank = 1,
                            .groups = 2,
                            .in_channels = 1,
                            .out_channels = 2,
                            .axis = {{.kernel = 2, .w_step = 1}},
                            .w_group = 4,
                            .w_out = 2,
                            .w_in = 2,
                            .baked_weights = weights,
                            .zero_weights = true};
  static const struct {
    struct covered covered;
    enum zeros zeros;
  } rows[] = {
      {{0, 1, 1, 0, 1, 1}, ZEROS_ALL},  /* tap 0 of channel 0: 0 and 0 */
      {{0, 1, 1, 1, 1, 1}, ZEROS_NONE}, /* 1 and 3 */
      {{1, 1, 1, 0, 1, 1}, ZEROS_SOME}, /* 2 and 0 */
      {{1, 1, 1, 1, 1, 1}, ZEROS_ALL},  /* 0 and 0 */
      {{0, 1, 2, 0, 1, 1}, ZEROS_SOME}, /* both channels */
      {{0, 1, 1, 0, 1, 2}, ZEROS_SOME}, /* both taps */
  };
  assert_int_equal(zeros_of(&problem, rows[0].covered), ZEROS_SOME); /* not counted yet */
  zeros_count(&problem);
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) assert_int_equal(zeros_of(&problem, rows[i].covered), rows[i].zeros);
}

static size_t occurrences(const char *text, const char *word) {
  size_t count = 0;
  for (const char *at = strstr(text, word); at; at = strstr(at + 1, word)) count++;
  return count;
}

/* Multiply-adds in the scalar code of a layer of `outputs` kernels of 3 taps by 3, without padding. */
static void made(const char *name, int outputs, const float *weights, const char *keys, size_t *plain, size_t *tested) {
  const struct cs_npy array = {
      .dtype = CS_F32, .rank = 4, .shape = {outputs, 1, 3, 3}, .count = 9 * (size_t)outputs, .data = (void *)(uintptr_t)weights};
  assert_null(cs_npy_write(scratch_path("w.npy"), &array));
  const char *spec =
      scratch_write("zeros.yaml", mem_text("convsmith: 1\nlayers: [{name: %s, input: [1, %d, 3, 3], out_channels: %d, "
                                           "kernel_size: 3, weights: w.npy, target: scalar, unroll: full, %s}]\n",
                                           name, strstr(keys, "groups") ? outputs : 1, outputs, keys));
  if (convsmith("generate %s -o %s", spec, scratch_path("made")) != 0) fail_msg("%s", said);
  const char *text = text_of(scratch_path(mem_text("made/%s.c", name)));
  *tested = occurrences(text, "!= 0.0f ?");
  *plain = occurrences(text, " * v") + occurrences(text, " * u") - *tested;
}

static void text_has_no_zero_taps(void **state) {
  (void)state;
  static const float sobel[] = {1, 0, -1, 2, 0, -2, 1, 0, -1, 1, 2, 1, 0, 0, 0, -1, -2, -1}, full[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
  size_t plain, tested;
  made("full", 1, full, "layout: nchw", &plain, &tested);
  assert_int_equal(plain, 9);
  assert_int_equal(tested, 0);
  made("sobel_x", 1, sobel, "layout: nchw", &plain, &tested);
  assert_int_equal(plain, 6);
  assert_int_equal(tested, 0);
  made("channels", 2, sobel, "groups: 2, layout: nhwc", &plain,
       &tested); /* one code for all channels: only the middle is left out */
  assert_int_equal(plain, 0);
  assert_int_equal(tested, 16);
}

/* Where rows of a tile are outputs, each leaves out its own: six of Sobel's eighteen. */
static void rows_leave_out_their_own(void **state) {
  (void)state;
  struct engine *engine = engine_new(NULL, 0);
  struct isa_list isas;
  size_t found = 0;
  assert_true(isa_read(engine, &isas));
  const struct layer *layer = spec_layer(mem_text("input: [1, 1, 20, 20], out_channels: 2, kernel_size: 3, layout: nchw, weights: "
                                                  "'%s/specs/features/sobel.npy'",
                                                  getenv("PWD")));
  const struct plan_list plans = plan_enumerate(layer, isa_find(&isas, "avx2"));
  for (size_t i = 0; i < plans.usable; i++) {
    if (!strstr(plans.items[i].id, "direct-pixels-2x")) continue;
    assert_int_equal(plans.items[i].multiply_adds, 2 * plans.items[i].left_out);
    found++;
  }
  assert_true(found > 0);
  engine_free(engine);
}

static void explain_counts_them(void **state) {
  (void)state;
  assert_int_equal(convsmith("info specs/features/baked_weights.yaml --layer sobel --explain --target scalar"), 0);
  assert_non_null(strstr(said, "6 of 18 baked weights are exactly zero: no taps"));
  assert_non_null(strstr(said, "vector multiply-adds, whose weights are all zero, are not in its text"));
  assert_int_equal(convsmith("info specs/features/baked_weights.yaml --layer gaussian --explain --target scalar"), 0);
  assert_null(strstr(said, "not in its text"));
}

/* ---- layers ------------------------------------------------------------------------------------------------------------- */

/* Which weights are zero: of output m, input channel c and tap t. */
static bool is_zero(int pattern, int m, int c, int t, uint64_t *random) {
  switch (pattern) {
  case 0:
    return t % 2 == 1;
  case 1:
    return (t + m) % 3 == 0;
  case 2:
    return t != 0 && op_draw_number(random, 0, 9) < 8;
  case 3:
    return m % 4 == 1 || t == 1;
  case 4:
    return c % 2 == 0 && t == 0;
  default:
    return true;
  }
}

static void write_weights(int number, enum cs_dtype dtype, int outputs, int inputs, const int *kernel, int rank, uint64_t *random) {
  double data[40 * 6 * 64];
  const int pattern = op_draw_number(random, 0, 19) % 6;
  struct cs_npy array = {.dtype = dtype, .rank = rank + 2, .shape = {outputs, inputs}, .data = data};
  int taps = 1;
  for (int d = 0; d < rank; d++) {
    array.shape[2 + d] = kernel[d];
    taps *= kernel[d];
  }
  array.count = (size_t)(outputs * inputs * taps);
  for (int i = 0; i < outputs * inputs * taps; i++) {
    const bool zero = is_zero(pattern, i / taps / inputs, i / taps % inputs, i % taps, random);
    cs_put(data, (size_t)i, dtype, zero ? 0 : op_draw_number(random, 1, 6) - 7.0 * op_draw_number(random, 0, 1));
  }
  assert_null(cs_npy_write(scratch_path(mem_text("w%d.npy", number)), &array));
}

static void print_sizes(struct text *keys, const char *key, const int *sizes, int rank) {
  text_print(keys, ", %s: [", key);
  for (int d = 0; d < rank; d++) text_print(keys, "%s%d", d ? ", " : "", sizes[d]);
  text_print(keys, "]");
}

static void draw(struct text *keys, struct op_layer layer, uint64_t *random) {
  static const char *const modes[] = {"zeros", "zeros", "reflect", "replicate"}, *const unrolls[] = {"auto", "auto", "none",
                                                                                                     "full"};
  const int rank = op_draw_number(random, 1, 3), depthwise = op_draw_number(random, 0, 2) == 0;
  const int groups = depthwise ? op_draw_number(random, 2, 20) : op_draw_number(random, 1, 2);
  const int inputs = depthwise ? 1 : op_draw_number(random, 1, 6),
            outputs = depthwise ? op_draw_number(random, 1, 2) : op_draw_number(random, 1, 20);
  int sizes[MAX_SPATIAL], kernel[MAX_SPATIAL], stride[MAX_SPATIAL], pad[MAX_SPATIAL];
  for (int d = 0; d < rank; d++) {
    kernel[d] = op_draw_number(random, 1, rank == 3 ? 3 : 4);
    stride[d] = op_draw_number(random, 0, 2) ? 1 : 2;
    pad[d] = op_draw_number(random, 0, 2);
    sizes[d] = op_draw_number(random, kernel[d] > 3 ? kernel[d] : 3, d == rank - 1 ? 24 : 6);
  }
  write_weights(layer.number, layer.dtype, groups * outputs, inputs, kernel, rank, random);
  text_print(keys, "weights: w%d.npy, out_channels: %d, groups: %d, ", layer.number, groups * outputs, groups);
  op_print_input(keys, op_draw_number(random, 1, 2), groups * inputs, sizes, rank);
  print_sizes(keys, "kernel_size", kernel, rank);
  print_sizes(keys, "stride", stride, rank);
  print_sizes(keys, "padding", pad, rank);
  text_print(keys, ", padding_mode: %s, unroll: %s, flip: %s", modes[op_draw_number(random, 0, 3)],
             unrolls[op_draw_number(random, 0, 3)], op_draw_number(random, 0, 1) ? "true" : "false");
}

static void random_layers_are_right(void **state) {
  (void)state;
  op_sweep("zeros", draw, 12);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(zeros_add_up, spec_done),
      cmocka_unit_test_teardown(text_has_no_zero_taps, spec_done),
      cmocka_unit_test_teardown(rows_leave_out_their_own, spec_done),
      cmocka_unit_test_teardown(explain_counts_them, spec_done),
      cmocka_unit_test_teardown(random_layers_are_right, spec_done),
  };
  scratch_begin("zeros");
  return cmocka_run_group_tests(tests, NULL, NULL);
}
