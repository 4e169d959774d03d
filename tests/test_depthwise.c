/* Depthwise patches on cases worked by hand: which inputs a patch loads, what each feeds, how planes are cut into strips and strips
 * into runs, and each reason for which patches are refused. */
#include "../gen/depthwise.h"
#include "../gen/plan.h"
#include "spec_text.h"
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct isa four_lanes = {.name = "toy", .registers = 16, .lanes = {4, 2}, .mac_bytes = 8, .macs_per_cycle = 2};

static const struct depthwise *kernel_on(const struct isa *isa, const char *keys, struct patch_choice choice) {
  struct problem *problem;
  struct depthwise *kernel = mem_new(sizeof *kernel);
  const struct layer *layer = spec_layer(keys);
  assert_int_equal(layer->op->lower(layer, &problem), 1);
  depthwise_build(kernel, problem, isa, &choice);
  assert_null(kernel->reason);
  return kernel;
}

static const struct depthwise *kernel_of(const char *keys, struct patch_choice choice) {
  return kernel_on(&four_lanes, keys, choice);
}

static const char plane[] = "input: [1, 9, 5, 7], out_channels: 9, groups: 9, kernel_size: 3, padding: 1";

/* ---- strips and runs -------------------------------------------------------------------------------------------------- */

/* Five rows in strips of at most three: three and two. Seven columns in patches of at most three: 3, 2 and 2. */
static void planes_are_cut_evenly(void **state) {
  (void)state;
  const struct depthwise *kernel = kernel_of(plane, (struct patch_choice){.rows = 3, .columns = 3});
  assert_int_equal(kernel->strips_count, 2);
  assert_int_equal(kernel->strips[0].rows, 3);
  assert_int_equal(kernel->strips[0].to, 1);
  assert_int_equal(kernel->strips[1].rows, 2);
  assert_int_equal(kernel->strips[1].to, 2);
  assert_int_equal(kernel->rows, 2);
  const struct strips *high = &kernel->strips[0];
  static const int64_t columns[] = {3, 2, 2}, x[] = {0, 2, 4}, y[] = {0, 3, 5};
  assert_int_equal(high->run_count, 3);
  for (int i = 0; i < 3; i++) {
    assert_int_equal(kernel->patches[high->runs[i].tile].columns, columns[i]);
    assert_int_equal(high->runs[i].x, x[i] * 9);
    assert_int_equal(high->runs[i].y, y[i] * 9);
  }
  assert_int_equal(kernel->vectors, 2);
  assert_int_equal(kernel->last, 1);
}

/* Twelve columns by three: the two between the borders are one run, and one text. */
static void equal_patches_run(void **state) {
  (void)state;
  const struct depthwise *kernel = kernel_of("input: [1, 4, 6, 12], out_channels: 4, groups: 4, kernel_size: 3, padding: 1",
                                             (struct patch_choice){.rows = 2, .columns = 3});
  const struct strips *strips = &kernel->strips[0];
  assert_int_equal(strips->run_count, 3);
  assert_int_equal(strips->runs[1].count, 2);
  assert_int_equal(strips->runs[1].x, 2 * 4);
  assert_int_equal(strips->runs[1].x_step, 3 * 4);
  assert_int_equal(strips->runs[2].first, 3);
  assert_int_equal(kernel->patch_count, 3);
}

/* A plane of one strip is shared by its patches. */
static void patches_are_units_of_a_single_strip(void **state) {
  (void)state;
  const struct depthwise *kernel =
      kernel_of("input: [2, 4, 40], out_channels: 4, groups: 4, kernel_size: 3", (struct patch_choice){.rows = 1, .columns = 8});
  assert_true(kernel->by_tile);
  assert_int_equal(kernel->rows, 5);
}

/* ---- steps ------------------------------------------------------------------------------------------------------------ */

/* 2 x 2 outputs of a 3x3 read 4 x 4 inputs; every one of the 36 products is there once, on the line and column where it belongs. */
static void every_product_once(void **state) {
  (void)state;
  for (int held = 0; held < 2; held++) {
    const struct depthwise *kernel = kernel_of("input: [1, 4, 4, 4], out_channels: 4, groups: 4, kernel_size: 3",
                                               (struct patch_choice){.rows = 2, .columns = 2, .held = held});
    const struct patch *patch = &kernel->patches[0];
    int seen[2][2][9] = {{{0}}};
    assert_int_equal(patch->line_count, 4);
    assert_int_equal(patch->input_count, 4);
    assert_int_equal(patch->macs, 36);
    for (size_t l = 0; l < patch->line_count; l++)
      for (size_t s = 0; s < patch->lines[l].step_count; s++)
        for (size_t m = 0; m < patch->lines[l].steps[s].mac_count; m++) {
          const struct patch_mac mac = patch->lines[l].steps[s].macs[m];
          assert_int_equal(mac.row + mac.tap / 3, patch->lines[l].at);
          assert_int_equal(mac.column + mac.tap % 3, patch->inputs[mac.x].element);
          seen[mac.row][mac.column][mac.tap]++;
        }
    for (int i = 0; i < 36; i++) assert_int_equal(seen[i / 18][i / 9 % 2][i % 9], 1);
  }
}

/* What is held loads each input once; what is streamed loads each input once and each weight once for every row it serves. */
static void loads(void **state) {
  (void)state;
  static const char keys[] = "input: [1, 4, 4, 4], out_channels: 4, groups: 4, kernel_size: 3";
  assert_int_equal(kernel_of(keys, (struct patch_choice){.rows = 2, .columns = 2, .held = true})->patches[0].loads, 16);
  assert_int_equal(kernel_of(keys, (struct patch_choice){.rows = 2, .columns = 2})->patches[0].loads, 16 + 18);
}

/* Padding 1: the first strip's first line may lie above, the last strip's last line below, the others are inside. */
static void lines_outside(void **state) {
  (void)state;
  const struct depthwise *kernel = kernel_of("input: [1, 4, 6, 4], out_channels: 4, groups: 4, kernel_size: 3, padding: [1, 0]",
                                             (struct patch_choice){.rows = 2, .columns = 2});
  const struct patch *patch = &kernel->patches[0];
  assert_int_equal(patch->line_count, 4);
  for (size_t i = 0; i < 4; i++) {
    assert_int_equal(patch->lines[i].above, i == 0);
    assert_int_equal(patch->lines[i].below, i == 3);
  }
}

/* ---- lanes of pixels --------------------------------------------------------------------------------------------------- */

static const char row_of_ten[] = "input: [1, 3, 4, 10], out_channels: 6, groups: 3, kernel_size: 3, padding: 1, layout: nchw";

/* Ten columns in vectors of four: four, four and two. Only the first vector's first tap and the last one's last tap lack a lane. */
static void lanes_at_borders(void **state) {
  (void)state;
  const struct depthwise *kernel = kernel_of(row_of_ten, (struct patch_choice){.rows = 2, .columns = 3, .pixels = true});
  const struct patch *patch = &kernel->patches[0];
  static const struct patch_input reads[] = {{-1, 1, 4}, {0, 0, 4}, {1, 0, 4}, {3, 0, 4}, {4, 0, 4},
                                             {5, 0, 4},  {7, 0, 2}, {8, 0, 2}, {9, 0, 1}};
  assert_int_equal(kernel->patch_count, 1);
  assert_int_equal(patch->last, 2);
  assert_memory_equal(patch->reads, reads, sizeof reads);
  for (size_t l = 0; l < patch->line_count; l++)
    for (size_t s = 0; s < patch->lines[l].step_count; s++)
      for (size_t m = 0; m < patch->lines[l].steps[s].mac_count; m++) {
        const struct patch_mac mac = patch->lines[l].steps[s].macs[m];
        assert_int_equal(mac.part, (mac.column == 0 && mac.tap % 3 == 0) || (mac.column == 2 && mac.tap % 3 == 2));
      }
}

/* Vectors between the borders are alike; where one begins counts pixels. */
static void equal_vectors_run(void **state) {
  (void)state;
  const struct depthwise *kernel = kernel_of("input: [1, 1, 4, 23], out_channels: 1, kernel_size: 3, padding: 1, layout: nchw",
                                             (struct patch_choice){.rows = 2, .columns = 1, .pixels = true});
  const struct strips *strips = &kernel->strips[0];
  assert_int_equal(strips->run_count, 3);
  assert_int_equal(strips->runs[1].count, 4);
  assert_int_equal(strips->runs[1].x, 3);
  assert_int_equal(strips->runs[1].x_step, 4);
  assert_int_equal(strips->runs[2].x, 19);
  assert_int_equal(strips->runs[2].y, 20);
}

/* Each output channel is a unit that knows where its weights are. */
static void channels_are_units(void **state) {
  (void)state;
  const struct depthwise *kernel = kernel_of(row_of_ten, (struct patch_choice){.rows = 2, .columns = 3, .pixels = true});
  assert_int_equal(kernel->base.group.count, 3);
  assert_int_equal(kernel->base.group.x, 40);
  assert_int_equal(kernel->base.group.w, 18);
  assert_int_equal(kernel->base.group.y, 80);
  assert_int_equal(kernel->base.multiplier.count, 2);
  assert_int_equal(kernel->base.multiplier.w, 9);
  assert_int_equal(kernel->base.multiplier.b, 3);
  assert_int_equal(kernel->base.multiplier.y, 40);
}

/* 5 groups of 2 channels in and 1 out, on 4 lanes: two groups a vector, of whose lanes two are live. Input channels of a group are
 * gone through in a loop where lanes can be permuted in a changing order, unless no loop is asked for. */
static void groups_share_vectors(void **state) {
  static const char keys[] = "input: [1, 10, 6, 6], out_channels: 5, groups: 5, kernel_size: 3";
  const struct patch_choice choice = {.rows = 2, .columns = 2, .held = true, .permuted = true};
  (void)state;
  struct isa isa = four_lanes;
  isa.permutes = true;
  const struct depthwise *written = kernel_on(&isa, keys, choice);
  isa.orders[CS_F32] = true;
  const struct depthwise *looped = kernel_on(&isa, keys, choice);
  assert_int_equal(written->together, 2);
  assert_int_equal(written->vectors, 2);
  assert_int_equal(written->last, 1);
  assert_int_equal(written->spelled, 2);
  assert_int_equal(looped->spelled, 1);
  assert_int_equal(written->macs, 2 * looped->macs);
  assert_int_equal(kernel_on(&isa, mem_text("%s, unroll: full", keys), choice)->spelled, 2);
}

/* As many channels out as in: an input channel later, lane i holds the sum of output channel i + 1, and its weights are there. */
static void sums_take_turns(void **state) {
  static const char keys[] = "input: [1, 10, 6, 6], out_channels: 10, groups: 5, kernel_size: 3";
  (void)state;
  struct isa isa = four_lanes;
  isa.permutes = true;
  const struct depthwise *kernel =
      kernel_on(&isa, keys, (struct patch_choice){.rows = 2, .columns = 2, .permuted = true, .turned = true});
  const struct box *box = &kernel->base.boxes[0];
  assert_int_equal(kernel->spelled, 1);
  assert_int_equal(box->turn, 18); /* from an output channel to the next: 2 inputs of 9 taps */
  assert_int_equal(box->loops[box->loop_count - 2].src, 0);
  assert_int_equal(box->loops[box->loop_count - 2].dst, 4);
  assert_int_equal(box->loops[box->loop_count - 1].src, 9);
  assert_int_equal(box->loops[box->loop_count - 1].dst, 1);
}

/* ---- registers -------------------------------------------------------------------------------------------------------- */

static void registers(void **state) {
  static const struct axis plain = {.kernel = 3, .stride = 1, .dilation = 1}, strided = {.kernel = 3, .stride = 2, .dilation = 1};
  (void)state;
  assert_int_equal(patch_registers(&plain, 9, &(struct patch_choice){.rows = 2, .columns = 3, .held = true}), 6 + 9 + 1);
  assert_int_equal(patch_registers(&plain, 9, &(struct patch_choice){.rows = 2, .columns = 3}), 6 + 3 + 1);
  assert_int_equal(patch_registers(&plain, 9, &(struct patch_choice){.rows = 2, .columns = 3, .pixels = true}), 7 + 3 + 1);
  assert_int_equal(patch_registers(&strided, 9, &(struct patch_choice){.rows = 2, .columns = 3, .pixels = true}), 9 + 3 + 1);
  assert_int_equal(patch_registers(&strided, 9, &(struct patch_choice){.rows = 2, .columns = 3}), 6 + 5 + 1);
  assert_int_equal(patch_registers(&plain, 9, &(struct patch_choice){.rows = 2, .columns = 3, .permuted = true}), 6 + 3 + 1 + 2);
  assert_int_equal(patch_registers(&plain, 9, &(struct patch_choice){.rows = 2, .columns = 3, .permuted = true, .turned = true}),
                   6 + 3 + 1);
}

/* ---- reasons ---------------------------------------------------------------------------------------------------------- */

static const struct {
  const char *words, *keys;
} reasons[] = {
    {"1 group of 2 channels; patches need 2 or more", "input: [1, 2, 9], out_channels: 2, kernel_size: 3"},
    {"groups of 20 input and 10 output channels; patches need those that fit in toy's 4 lanes",
     "input: [1, 40, 9], out_channels: 20, groups: 2, kernel_size: 3"},
    {"neighbouring channels lie 9 apart in the input, groups 18; patches of groups need 1 and 2",
     "input: [1, 40, 9], out_channels: 40, groups: 20, kernel_size: 3, layout: nchw"},
    {"neighbouring channels lie 36 apart in the input, groups 2; patches of groups need 1 and 2", /* a batch adds up */
     "op: conv_grad_weights, input: [2, 6, 6], out_channels: 3, groups: 3, kernel_size: 1, stride: 2"},
    {"toy has no operation that permutes the 4 lanes of a vector",
     "input: [1, 40, 9], out_channels: 80, groups: 40, kernel_size: 3"},
    {"channels lie 9 apart in the input and 1 in the output, pixels 1 and 40",
     "input: [1, 40, 9], out_channels: 40, groups: 40, kernel_size: 3, input_layout: nchw"},
    {"stride 2 along the row; vectors of pixels need at most 1 on toy",
     "input: [1, 40, 9], out_channels: 40, groups: 40, kernel_size: 3, layout: nchw, stride: 2"},
    {"padding_mode circular along the row; vectors of pixels need zeros",
     "input: [1, 40, 9], out_channels: 40, groups: 40, kernel_size: 3, layout: nchw, padding: 1, padding_mode: circular"},
    {"unroll: none asks for loops over taps", "input: [1, 40, 9], out_channels: 40, groups: 40, kernel_size: 3, unroll: none"},
    {"unroll: full asks for no loop over taps; 3 lie outside this patch",
     "input: [1, 8, 9, 9, 9], out_channels: 8, groups: 8, kernel_size: 3, unroll: full"},
    {"needs 17 registers, toy has 16", "input: [1, 40, 90, 90], out_channels: 40, groups: 40, kernel_size: 3"},
    {"x 9000 taps; patches write out at most", "input: [1, 8, 9, 9000], out_channels: 8, groups: 8, kernel_size: [1, 9000]"},
    {"multiply-adds, at most 5000 compile in good time", "input: [1, 6, 30, 30], out_channels: 6, groups: 6, kernel_size: 13"},
    {"bytes of code, max_code_bytes is 500",
     "input: [1, 6, 9, 9], out_channels: 6, groups: 6, kernel_size: 3, max_code_bytes: 500"},
};

static bool refused_with(const char *words, const struct plan_list *plans) {
  for (size_t i = plans->usable; i < plans->count; i++)
    if (strstr(plans->items[i].id, "patch") && strstr(plans->items[i].reason, words)) return true;
  return false;
}

static void every_reason(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
    const struct plan_list plans = plan_enumerate(spec_layer(reasons[i].keys), &four_lanes);
    if (!refused_with(reasons[i].words, &plans)) fail_msg("no patch is refused with \"%s\"", reasons[i].words);
  }
}

static int begin(void **state) {
  (void)state;
  scratch_begin("depthwise");
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(planes_are_cut_evenly),
      cmocka_unit_test(equal_patches_run),
      cmocka_unit_test(patches_are_units_of_a_single_strip),
      cmocka_unit_test(every_product_once),
      cmocka_unit_test(loads),
      cmocka_unit_test(lines_outside),
      cmocka_unit_test(lanes_at_borders),
      cmocka_unit_test(equal_vectors_run),
      cmocka_unit_test(channels_are_units),
      cmocka_unit_test(groups_share_vectors),
      cmocka_unit_test(sums_take_turns),
      cmocka_unit_test(registers),
      cmocka_unit_test(every_reason),
  };
  return cmocka_run_group_tests(tests, begin, spec_done);
}
