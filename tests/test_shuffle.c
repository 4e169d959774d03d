/* Permutations: the reference on what frameworks' documents and papers show, kernels on random layers and to the bit. */
#include "../gen/kernel.h"
#include "conv_case.h"
#include "made.h"
#include "op_sweep.h"

/* ---- the reference --------------------------------------------------------------------------------------------------- */

/* All sources of a permutation of a layer with one image, in logical order of the output. */
static void check_sources(const struct cs_shuffle *shuffle, const ptrdiff_t *out, const int *expected) {
  ptrdiff_t index[5] = {0}, count = shuffle->out_channels;
  for (int d = 0; d < shuffle->rank; d++) count *= out[d];
  for (ptrdiff_t i = 0; i < count; i++) {
    ptrdiff_t rest = i;
    for (int d = shuffle->rank - 1; d >= 0; rest /= out[d], d--) index[2 + d] = rest % out[d];
    index[1] = rest;
    assert_int_equal(cs_shuffle_source(shuffle, index), expected[i]);
  }
}

/* torch.nn.PixelShuffle(2) on arange(16).reshape(1, 4, 2, 2), and ONNX DepthToSpace in DCR mode on 8 channels of one pixel. */
static void spreads_channels_over_pixels(void **state) {
  (void)state;
  const struct cs_shuffle crd = {2, CS_F32, CS_PIXEL_SHUFFLE, CS_CRD, 4, 1, {2, 2}, 2, 1};
  check_sources(&crd, (ptrdiff_t[]){4, 4}, (int[]){0, 4, 1, 5, 8, 12, 9, 13, 2, 6, 3, 7, 10, 14, 11, 15});
  const struct cs_shuffle crd_two = {2, CS_F32, CS_PIXEL_SHUFFLE, CS_CRD, 8, 2, {1, 1}, 2, 1};
  check_sources(&crd_two, (ptrdiff_t[]){2, 2}, (int[]){0, 1, 2, 3, 4, 5, 6, 7});
  const struct cs_shuffle dcr_two = {2, CS_F32, CS_PIXEL_SHUFFLE, CS_DCR, 8, 2, {1, 1}, 2, 1};
  check_sources(&dcr_two, (ptrdiff_t[]){2, 2}, (int[]){0, 2, 4, 6, 1, 3, 5, 7});
  const struct cs_shuffle row = {1, CS_F32, CS_PIXEL_SHUFFLE, CS_CRD, 3, 1, {2}, 3, 1};
  check_sources(&row, (ptrdiff_t[]){6}, (int[]){0, 2, 4, 1, 3, 5});
}

/* Focus: torch.cat([x[..., ::2, ::2], x[..., 1::2, ::2], x[..., ::2, 1::2], x[..., 1::2, 1::2]], 1), two channels of 2 x 2. */
static void gathers_pixels_into_channels(void **state) {
  (void)state;
  struct cs_shuffle shuffle = {2, CS_F32, CS_PIXEL_UNSHUFFLE, CS_FOCUS, 2, 8, {2, 2}, 2, 1};
  check_sources(&shuffle, (ptrdiff_t[]){1, 1}, (int[]){0, 4, 2, 6, 1, 5, 3, 7});
  shuffle.order = CS_DCR;
  check_sources(&shuffle, (ptrdiff_t[]){1, 1}, (int[]){0, 4, 1, 5, 2, 6, 3, 7});
  shuffle.order = CS_CRD;
  check_sources(&shuffle, (ptrdiff_t[]){1, 1}, (int[]){0, 1, 2, 3, 4, 5, 6, 7});
}

/* x.view(1, 2, 3).transpose(1, 2): ShuffleNet on six channels in two groups. */
static void deals_channels_out(void **state) {
  (void)state;
  const struct cs_shuffle shuffle = {1, CS_F32, CS_CHANNEL_SHUFFLE, CS_CRD, 6, 6, {1}, 1, 2};
  check_sources(&shuffle, (ptrdiff_t[]){1}, (int[]){0, 3, 1, 4, 2, 5});
}

/* ---- Focus is a convolution ------------------------------------------------------------------------------------------ */

enum { FOCUS_SIZE = 8, FOCUS_CHANNELS = 3, FOCUS_OUTPUTS = 2, CELLS = FOCUS_SIZE / 2 };

static struct cs_conv focus_conv(ptrdiff_t in, ptrdiff_t channels, ptrdiff_t kernel, ptrdiff_t stride, ptrdiff_t pad) {
  struct cs_conv conv = {.rank = 2, .batch = 1, .in_channels = channels, .out_channels = FOCUS_OUTPUTS, .groups = 1};
  for (int d = 0; d < 2; d++) {
    conv.in[d] = in;
    conv.out[d] = CELLS;
    conv.kernel[d] = kernel;
    conv.stride[d] = stride;
    conv.dilation[d] = 1;
    conv.pad[d] = pad;
  }
  return conv;
}

/* Tap (2y + i, 2x + j) of the wide kernel is tap (y, x) of the narrow one in the channel that pixel (i, j) of a cell goes to. */
static void widen(const float *narrow, float *wide) {
  for (int m = 0; m < FOCUS_OUTPUTS; m++)
    for (int c = 0; c < FOCUS_CHANNELS; c++)
      for (int y = 0; y < 6; y++)
        for (int x = 0; x < 6; x++) {
          const int channel = (x % 2 * 2 + y % 2) * FOCUS_CHANNELS + c;
          wide[((m * FOCUS_CHANNELS + c) * 6 + y) * 6 + x] = narrow[((m * 4 * FOCUS_CHANNELS + channel) * 3 + y / 2) * 3 + x / 2];
        }
}

static void focus_and_3x3_are_6x6_with_stride_2(void **state) {
  (void)state;
  float input[FOCUS_CHANNELS * FOCUS_SIZE * FOCUS_SIZE], focused[4 * FOCUS_CHANNELS * CELLS * CELLS];
  float narrow[FOCUS_OUTPUTS * 4 * FOCUS_CHANNELS * 9], wide[FOCUS_OUTPUTS * FOCUS_CHANNELS * 36];
  cs_fill(input, sizeof input / sizeof *input, CS_F32, CS_FILL_INTEGERS, 8, 1);
  cs_fill(narrow, sizeof narrow / sizeof *narrow, CS_F32, CS_FILL_INTEGERS, 8, 2);
  widen(narrow, wide);
  const struct cs_shuffle shuffle = {
      2, CS_F32, CS_PIXEL_UNSHUFFLE, CS_FOCUS, FOCUS_CHANNELS, 4 * FOCUS_CHANNELS, {FOCUS_SIZE, FOCUS_SIZE}, 2, 1};
  for (ptrdiff_t i = 0; i < 4 * FOCUS_CHANNELS * CELLS * CELLS; i++)
    focused[i] = input[cs_shuffle_source(&shuffle, (ptrdiff_t[]){0, i / (CELLS * CELLS), i / CELLS % CELLS, i % CELLS})];
  const struct cs_conv small = focus_conv(CELLS, 4 * FOCUS_CHANNELS, 3, 1, 1),
                       large = focus_conv(FOCUS_SIZE, FOCUS_CHANNELS, 6, 2, 2);
  for (ptrdiff_t i = 0; i < FOCUS_OUTPUTS * CELLS * CELLS; i++) {
    const struct cs_expect one = conv_at(&small, &(struct cs_conv_data){.input = focused, .weights = narrow}, i);
    const struct cs_expect other = conv_at(&large, &(struct cs_conv_data){.input = input, .weights = wide}, i);
    assert_true(one.value == other.value);
  }
}

/* ---- kernels --------------------------------------------------------------------------------------------------------- */

static void draw_pixels(struct text *keys, uint64_t *random, bool unshuffle) {
  static const char *const orders[] = {"crd", "dcr", "focus"};
  const int rank = op_draw_number(random, 1, 3), factor = op_draw_number(random, 1, rank == 3 ? 2 : 4);
  int cells = 1, sizes[3];
  for (int d = 0; d < rank; d++) {
    cells *= factor;
    sizes[d] = op_draw_number(random, 1, rank == 1 ? 40 : d == rank - 1 ? 19 : 4) * (unshuffle ? factor : 1);
  }
  text_print(keys, "op: %s, ", unshuffle ? "pixel_unshuffle" : "pixel_shuffle");
  op_print_input(keys, op_draw_number(random, 1, 2), op_draw_number(random, 1, 9) * (unshuffle ? 1 : cells), sizes, rank);
  text_print(keys, ", factor: %d, order: %s", factor, orders[op_draw_number(random, 0, 2)]);
}

static void draw_shuffle(struct text *keys, struct op_layer layer, uint64_t *random) {
  (void)layer;
  draw_pixels(keys, random, false);
}

static void draw_unshuffle(struct text *keys, struct op_layer layer, uint64_t *random) {
  (void)layer;
  draw_pixels(keys, random, true);
}

static void draw_channels(struct text *keys, struct op_layer layer, uint64_t *random) {
  (void)layer;
  const int rank = op_draw_number(random, 1, 3), groups = op_draw_number(random, 1, 9);
  int sizes[3];
  for (int d = 0; d < rank; d++) sizes[d] = op_draw_number(random, 1, rank == 1 ? 40 : 7);
  text_print(keys, "op: channel_shuffle, ");
  op_print_input(keys, op_draw_number(random, 1, 2), groups * op_draw_number(random, 1, 20), sizes, rank);
  text_print(keys, ", groups: %d", groups);
}

static void random_layers_are_right(void **state) {
  (void)state;
  op_sweep("pixel_shuffle", draw_shuffle, 4);
  op_sweep("pixel_unshuffle", draw_unshuffle, 4);
  op_sweep("channel_shuffle", draw_channels, 4);
}

/* Signalling NaNs, their payloads and signs are copied as they are. */
static void bits_are_kept(void **state) {
  (void)state;
  scratch_write("bits.yaml",
                "convsmith: 1\nlayers: [{name: bits, op: channel_shuffle, input: [1, 2, 37], groups: 2, layout: nchw}]\n");
  scratch_write("bits/main.c", "#include \"bits.h\"\n#include <stdint.h>\n#include <string.h>\nint main(void) {\n"
                               "uint32_t x[74], y[74]; float in[74], out[74];\n"
                               "for (uint32_t i = 0; i < 74; i++) x[i] = 0x7f800001u + i * 0x01000003u;\n"
                               "memcpy(in, x, sizeof x); bits(in, out); memcpy(y, out, sizeof y);\n"
                               "return memcmp(x, y, sizeof x) != 0; }\n");
  if (convsmith("generate %s -o %s", scratch_path("bits.yaml"), scratch_path("bits")) != 0) fail_msg("%s", said);
  MUST("cc -O2 -o bits/main bits/main.c bits/bits.c && bits/main");
}

/* Where a group has no whole number of blocks of pixels, each place of a block is a problem of its own. */
static void blocks_lie_across_groups(void **state) {
  (void)state;
  scratch_write("across.yaml",
                "convsmith: 1\ndefaults: {kernel_size: 3, padding: 1, groups: 2, bias: true}\nlayers:\n"
                "  - {name: squares, input: [1, 4, 5, 4], out_channels: 12, pixel_shuffle: 2}\n"
                "  - {name: squares_of_3, input: [1, 3, 4, 7], out_channels: 18, groups: 3, pixel_shuffle: 3, layout: nchw}\n"
                "  - {name: cubes, input: [1, 2, 3, 2, 4], out_channels: 24, pixel_shuffle: 2}\n");
  if (convsmith("verify %s --target scalar", scratch_path("across.yaml")) != 0) fail_msg("%s", said);
}

static void info_counts_nothing(void **state) {
  (void)state;
  assert_int_equal(convsmith("info specs/features/shuffles.yaml --layer espcn_upscale_3 --json"), 0);
  assert_non_null(strstr(said, "\"parameters\": 0"));
  assert_non_null(strstr(said, "\"multiply_adds\": 0"));
}

static int begin(void **state) {
  (void)state;
  scratch_begin("shuffle");
  return in_scratch("mkdir -p bits");
}

/* Three groups and 16 lanes: five threes are 15 neighbours, six are more vectors than registers hold. */
static void blocks_may_be_shorter_than_vectors(void **state) {
  (void)state;
  const char *spec = scratch_write("short.yaml", "convsmith: 1\nlayers: [{name: short_runs, op: channel_shuffle, groups: 3, input: "
                                                 "[1, 60, 5, 7], input_layout: nchw, output_layout: nhwc}]\n");
  assert_int_equal(convsmith("info %s --target avx2 --json", spec), 0);
  assert_null(strstr(said, "\"direct-copy-1\""));
  assert_int_equal(convsmith("verify %s --plans all", spec), 0);
}

/* Channels that go to one place may be fewer than those that another kernel leaves to a dot. */
static void shuffled_kernels_differ_in_channels(void **state) {
  (void)state;
  const char *spec = scratch_write("few.yaml", "convsmith: 1\n"
                                               "layers: [{name: few, op: conv, input: [1, 27, 18], out_channels: 24, groups: 3, "
                                               "kernel_size: 3, stride: 2, shuffle: 4, output_layout: nchw, residual: true}]\n");
  if (convsmith("verify %s --target vec128 --plans all", spec) != 0) fail_msg("%s", said);
}

/* Groups that are read in turns, in f32 and f64; of planes in many stretches, and of a small layer, steps are worth learning. */
static void groups_in_turns_are_fetched(void **state) {
  static const struct {
    const char *keys;
    bool fetched;
  } rows[] = {{"input: [1, 116, 12, 12], groups: 2", true},
              {"input: [1, 116, 12, 12], groups: 2, dtype: f64", true},
              {"input: [1, 116, 12, 12], groups: 2, input_layout: nchw, output_layout: nhwc", false},
              {"input: [1, 116, 5, 5], groups: 2", false}};
  (void)state;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    const char *layer = mem_text("convsmith: 1\nlayers: [{name: a, op: channel_shuffle, %s}]\n", rows[i].keys);
    const char *path = scratch_write("turns.yaml", layer);
    assert_int_equal(convsmith("generate %s --target avx512 -o %s", path, scratch_path("turns")), 0);
    if ((strstr(text_of(scratch_path("turns/a.c")), "a_fetch(x") != NULL) != rows[i].fetched) fail_msg("%s", rows[i].keys);
    if (convsmith("verify %s --plans all", path) != 0) fail_msg("%s", said);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(spreads_channels_over_pixels),
      cmocka_unit_test(gathers_pixels_into_channels),
      cmocka_unit_test(deals_channels_out),
      cmocka_unit_test(focus_and_3x3_are_6x6_with_stride_2),
      cmocka_unit_test(bits_are_kept),
      cmocka_unit_test(blocks_lie_across_groups),
      cmocka_unit_test(blocks_may_be_shorter_than_vectors),
      cmocka_unit_test(groups_in_turns_are_fetched),
      cmocka_unit_test(shuffled_kernels_differ_in_channels),
      cmocka_unit_test(info_counts_nothing),
      cmocka_unit_test(random_layers_are_right),
  };
  return cmocka_run_group_tests_name("shuffle", tests, begin, NULL);
}
