/* Plans of a layer on every instruction set: ids, order, sizes, and each reason for which one is refused. */
#include "../gen/alg.h"
#include "spec_text.h"
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

#include <cmocka.h>

static struct engine *engine;
static struct isa_list isas;

static int begin(void **state) {
  (void)state;
  scratch_begin("plan");
  engine = engine_new(NULL, 0);
  return isa_read(engine, &isas) ? 0 : -1;
}

static int end(void **state) {
  engine_free(engine);
  return spec_done(state);
}

static struct plan_list plans_of(const char *keys, const char *isa) {
  return plan_enumerate(spec_layer(keys), isa_find(&isas, isa));
}

/* Layers of all forms: dense, pointwise, depthwise, first layer, one channel, three dimensions, no taps at some outputs, few ways
 * to divide the channels. */
static const char *const layers[] = {
    "input: [1, 16, 9, 9], out_channels: 24, kernel_size: 3, padding: 1",
    "input: [2, 64, 14, 14], out_channels: 33, kernel_size: 1, layout: nchw",
    "input: [1, 40, 9, 30], out_channels: 80, groups: 40, kernel_size: 3, padding: same",
    "input: [1, 3, 40, 40], out_channels: 32, kernel_size: 7, stride: 2, padding: 3, dtype: f64",
    "input: [1, 1, 40], out_channels: 1, kernel_size: 5, padding: causal, unroll: none",
    "input: [1, 4, 6, 7, 8], out_channels: 8, groups: 2, kernel_size: 3, padding: 1, padding_mode: reflect, unroll: full",
    "input: [1, 3, 2, 2], out_channels: 3, kernel_size: 2, dilation: 3, stride: 2, padding: 5",
    "input: [1, 808, 6, 6], out_channels: 64, kernel_size: 3",
    "input: [9, 16, 4, 4], out_channels: 24, kernel_size: 3, padding: 1, unroll: full",
};
enum { LAYERS = sizeof layers / sizeof *layers };

/* Calls check(plans) for every layer on every instruction set. */
static void each_list(void (*check)(const struct plan_list *plans)) {
  for (size_t i = 0; i < LAYERS; i++)
    for (size_t t = 0; t < isas.count; t++) {
      const size_t mark = mem_mark();
      const struct plan_list plans = plans_of(layers[i], isas.items[t].name);
      check(&plans);
      mem_release(mark);
    }
}

/* ---- ids, order, sizes ----------------------------------------------------------------------------------------------- */

static void ids_differ(const struct plan_list *plans) {
  for (size_t i = 0; i < plans->count; i++)
    for (size_t j = 0; j < i; j++) assert_string_not_equal(plans->items[i].id, plans->items[j].id);
}

static void usable_come_first(const struct plan_list *plans) {
  assert_true(plans->usable > 0);
  for (size_t i = 0; i < plans->count; i++) assert_int_equal(plans->items[i].reason == NULL, i < plans->usable);
  for (size_t i = 1; i < plans->usable; i++) assert_true(plans->items[i - 1].cost <= plans->items[i].cost);
}

static void sizes_are_sound(const struct plan_list *plans) {
  for (size_t i = 0; i < plans->usable; i++) {
    const struct plan *plan = &plans->items[i];
    assert_true(plan->cost > 0 && plan->multiply_adds > 0 && plan->row_tile > 0 && plan->channel_tile > 0);
    assert_true(plan->packed_bytes > 0 && plan->code_bytes > 0 && plan->code_bytes <= 65536);
    assert_true(plan->workspace_bytes == 0 || plan->asks);
  }
}

static void unique_ids(void **state) {
  (void)state;
  each_list(ids_differ);
}

static void cheapest_first(void **state) {
  (void)state;
  each_list(usable_come_first);
}

static void sizes(void **state) {
  (void)state;
  each_list(sizes_are_sound);
}

/* Chunks take whole lines of an input's pixels where their weights do not become too many. */
static void chunks_of_lines(void **state) {
  (void)state;
  const struct plan_list plans = plans_of("input: [1, 512, 4, 14, 14], out_channels: 512, kernel_size: 3, padding: 1", "avx512");
  size_t found = 0;
  for (size_t i = 0; i < plans.usable; i++) found += strcmp(plans.items[i].id, "direct-channels-7x3-rows-by16") == 0;
  assert_int_equal(found, 1);
}

static void twice_the_same(void **state) {
  (void)state;
  for (size_t i = 0; i < LAYERS; i++) {
    const struct plan_list one = plans_of(layers[i], "avx2"), two = plans_of(layers[i], "avx2");
    assert_int_equal(one.count, two.count);
    for (size_t p = 0; p < one.count; p++) {
      assert_string_equal(one.items[p].id, two.items[p].id);
      assert_true(one.items[p].cost == two.items[p].cost);
    }
  }
}

/* ---- packed bytes, by hand --------------------------------------------------------------------------------------------- */

/* Channels in vectors: 12 channels of 4 lanes are whole ones: weights, and what else is packed, without padding. 13: one more. */
static void packed_bytes(void **state) {
  static const struct {
    const char *keys;
    int64_t bytes;
  } rows[] = {
      {"input: [1, 2, 8], out_channels: 12, kernel_size: 3", 12 * 2 * 3 * 4},
      {"input: [1, 2, 8], out_channels: 12, kernel_size: 3, dtype: f64", 12 * 2 * 3 * 8},
      {"input: [1, 2, 8], out_channels: 13, kernel_size: 3", 16 * 2 * 3 * 4},
      {"input: [1, 2, 8], out_channels: 12, kernel_size: 3, bias: true", (12 * 2 * 3 + 12) * 4},
      {"input: [1, 2, 8], out_channels: 12, kernel_size: 3, bias: true, activation: prelu", (12 * 2 * 3 + 24) * 4},
      {"input: [1, 8, 8], out_channels: 8, kernel_size: 3, groups: 2", 2 * 4 * 4 * 3 * 4},
      {"input: [1, 8, 8], out_channels: 16, kernel_size: 3, groups: 8", 16 * 3 * 4},
  };
  (void)state;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    const struct plan_list plans = plans_of(rows[i].keys, "sse41");
    bool found = false;
    for (size_t p = 0; p < plans.usable; p++)
      if (!strstr(plans.items[p].id, "pixels") && !strstr(plans.items[p].id, "dot") && !strstr(plans.items[p].id, "tail")) {
        found = true;
        assert_int_equal(plans.items[p].packed_bytes, rows[i].bytes);
      }
    assert_true(found);
  }
}

/* ---- reasons ----------------------------------------------------------------------------------------------------------- */

/* A layer of which some plan on `isa` is refused for a reason with these words. */
static const struct {
  const char *words, *isa, *keys;
} reasons[] = {
    {"bytes of code, max_code_bytes is 700", "avx2",
     "input: [1, 16, 9, 9], out_channels: 24, kernel_size: 3, padding: 1, max_code_bytes: 700"},
    {"its text holds 32256 multiply-adds, at most 24000 compile in good time", "avx512",
     "input: [1, 512, 15], out_channels: 16, kernel_size: 9, unroll: full, max_code_bytes: 9000000"},
    {"each of 40 groups has 1 input channel; this form needs 2 or more, or 1 group", "avx2",
     "input: [1, 40, 9], out_channels: 80, groups: 40, kernel_size: 3"},
    {"2 groups of 20 input channels; this form needs 2 or more groups of 1", "avx2",
     "input: [1, 40, 9], out_channels: 80, groups: 2, kernel_size: 3"},
    {"needs 17 registers, avx2 has 16", "avx2", "input: [1, 4, 90], out_channels: 8, kernel_size: 3"},
    {"its borders have 6000003 places to look at, at most 1000000 are", "scalar",
     "input: [1, 1, 4000000], out_channels: 1, kernel_size: 3, padding: 1000000, dilation: 1000000"},
    {"it needs 201 different tiles or more, at most 200 are written", "avx512",
     "input: [1, 1, 2000], out_channels: 16, kernel_size: 401, padding: 200, padding_mode: reflect"},
    {" multiply-adds or more in the text, at most 200000 are written", "avx2",
     "input: [1, 4096, 3, 16], out_channels: 16, kernel_size: 3, unroll: full, max_code_bytes: 90000000"},
    {"its rows differ in 6241 ways, at most 512 are written", "avx2",
     "input: [1, 1, 100, 100, 3], out_channels: 8, kernel_size: [40, 40, 1], padding: [39, 39, 0], unroll: full"},
    {"1 row has whole windows, a tile takes 2", "avx2", "op: max_pool, input: [1, 16, 3, 9], kernel_size: 3, stride: 1"},
    {"windows along axis 1 are not all whole", "avx2",
     "op: max_pool, input: [1, 16, 5, 5, 9], kernel_size: [3, 3, 1], stride: 1, padding: [1, 0, 0]"},
    {"rows go together where windows have 2 to 16 taps along outer axes, all alike", "avx2",
     "op: avg_pool, input: [1, 16, 90], kernel_size: 3, stride: 1"},
    {"4 rows share what pairs do in windows of 8 taps or fewer", "avx2",
     "op: max_pool, input: [1, 16, 20, 20], kernel_size: 8, stride: 1"},
    {"windows are not one for each input, with it among its taps", "avx2",
     "op: max_pool, input: [1, 16, 9, 9], kernel_size: 3, stride: 2, padding: 1, layout: nchw"},
    {"planes are not one stretch of neighbours", "avx2",
     "op: max_pool, input: [1, 16, 9, 9], kernel_size: 3, stride: 1, padding: 1"},
    {"vectors reach over several channels, whose slopes differ", "avx2",
     "op: max_pool, input: [1, 16, 9, 9], kernel_size: 3, stride: 1, padding: 1, layout: nchw, activation: prelu"},
    {"windows have more than 40 taps along the row, or along the other axes", "avx2",
     "op: max_pool, input: [1, 16, 9, 90], kernel_size: [1, 41], stride: 1, padding: [0, 20], layout: nchw"},
    {"there are 3 planes, a tile has 4", "avx2",
     "op: max_pool, input: [1, 3, 9, 9], kernel_size: 3, stride: 1, padding: 1, layout: nchw"},
    {"8 planes are more than 160 vectors", "avx2",
     "op: max_pool, input: [1, 16, 14, 14], kernel_size: 3, stride: 1, padding: 1, layout: nchw"},
};

static bool refused_with(const char *words, const struct plan_list *plans) {
  for (size_t i = plans->usable; i < plans->count; i++)
    if (strstr(plans->items[i].reason, words)) return true;
  return false;
}

static void every_reason(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
    const struct plan_list plans = plans_of(reasons[i].keys, reasons[i].isa);
    if (refused_with(reasons[i].words, &plans)) continue;
    for (size_t p = 0; p < plans.count; p++)
      print_message("  %s: %s\n", plans.items[p].id, plans.items[p].reason ? plans.items[p].reason : "usable");
    fail_msg("no plan is refused with \"%s\"", reasons[i].words);
  }
}

/* No plan is usable whose code is longer than the layer allows, whatever its algorithm. */
static void code_stays_within_its_bound(void **state) {
  static const struct {
    const char *isa, *keys;
  } rows[] = {
      {"avx2", "input: [1, 16, 9, 9], out_channels: 24, kernel_size: 3, padding: 1, max_code_bytes: 700"},
      {"amx", "input: [1, 16, 28, 28], out_channels: 16, kernel_size: 3, padding: 1, max_code_bytes: 2900"},
      {"avx2", "input: [1, 16, 28, 28], out_channels: 16, kernel_size: 3, accuracy: fast, max_code_bytes: 2000"},
      {"avx2", "op: channel_shuffle, input: [1, 16, 28, 28], groups: 4, max_code_bytes: 350"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    const struct plan_list plans = plans_of(rows[i].keys, rows[i].isa);
    bool refused = false;
    for (size_t p = 0; p < plans.usable; p++)
      if (plans.items[p].code_bytes > spec_layer(rows[i].keys)->max_code_bytes)
        fail_msg("%s of %s", plans.items[p].id, rows[i].keys);
    for (size_t p = plans.usable; p < plans.count; p++) refused |= strstr(plans.items[p].reason, "max_code_bytes") != NULL;
    assert_true(refused);
  }
}

/* Dilated by 18 on 33×33 pixels, tiles of two outputs an axis multiply more often than the taps that are not in the border. Where
 * borders repeat the input, all taps count. */
static void tiles_must_save_something(void **state) {
  (void)state;
  static const char layer[] = "input: [1, 2048, 33, 33], out_channels: 256, kernel_size: 3, padding: 18, dilation: 18, "
                              "accuracy: normwise";
  for (size_t t = 0; t < isas.count; t++) {
    if (!strcmp(isas.items[t].name, "amx")) continue; /* its tiles have costs of their own */
    assert_string_equal(plans_of(layer, isas.items[t].name).items[0].algorithm->name, "direct");
  }
  assert_string_equal(plans_of(mem_text("%s, padding_mode: replicate", layer), "avx2").items[0].algorithm->name, "winograd");
}

/* 67 MB of transformed weights go past few blocks: they may take more than the usual 8 MiB. 8 MB of them do not. */
static void workspace_grows_with_weights(void **state) {
  (void)state;
  static const char heavy[] = "input: [1, 512, 33, 33], out_channels: 512, kernel_size: 3, padding: 4, dilation: 4, accuracy: fast",
                    light[] = "input: [1, 128, 112, 112], out_channels: 256, kernel_size: 3, padding: 1, accuracy: fast";
  const struct plan *most = &plans_of(heavy, "avx512").items[0], *usual = &plans_of(light, "avx512").items[0];
  assert_string_equal(most->algorithm->name, "winograd");
  assert_in_range(most->workspace_bytes, (8 << 20) + 1, 24 << 20);
  assert_string_equal(usual->algorithm->name, "winograd");
  assert_in_range(usual->workspace_bytes, 1 << 20, 8 << 20);
}

/* Where no plan is left, the key that is to blame is shown with the reason of the first. */
/* Dense layers on several images, and gradients of weights, whose images are the input channels, fill tiles with them. */
static void few_pixels_take_images(void **state) {
  (void)state;
  static const char *const many[] = {"input: [16, 256, 3, 3], out_channels: 512, kernel_size: 3",
                                     "input: [16, 512, 1, 1], out_channels: 512, kernel_size: 1, layout: nchw",
                                     "op: conv_grad_weights, input: [1, 256, 14, 14], out_channels: 64, kernel_size: 1"};
  for (size_t i = 0; i < sizeof many / sizeof *many; i++)
    for (size_t t = 0; t < isas.count; t++) {
      const size_t mark = mem_mark();
      const struct plan_list plans = plans_of(many[i], isas.items[t].name);
      assert_true(plans.usable > 0);
      if (isas.items[t].lanes[CS_F32] > 1 && !strstr(plans.items[0].id, "-images"))
        fail_msg("%s {%s}: %s", isas.items[t].name, many[i], plans.items[0].id);
      mem_release(mark);
    }
}

static void no_plan_is_an_error(void **state) {
  (void)state;
  const char *path = scratch_write("none.yaml", "convsmith: 1\nlayers:\n"
                                                "  - {name: a, input: [1, 8, 9], out_channels: 9, kernel_size: 3,\n"
                                                "     unroll: full, max_code_bytes: 99}\n");
  static const char *const commands[] = {"generate -o %s/test/plan/none", "info", "verify"};
  for (int i = 0; i < 3; i++) {
    char command[600];
    snprintf(command, sizeof command, commands[i], process_out());
    assert_int_equal(convsmith("%s %s --target scalar", command, path), 2);
    assert_non_null(strstr(said, ":4:14: error: no plan for a on scalar: its largest function needs about "));
    assert_non_null(strstr(said, " bytes of code, max_code_bytes is 99\n"));
  }
  assert_false(exists(scratch_path("none")));
}

/* ---- huge layers --------------------------------------------------------------------------------------------------------- */

static const char *const huge[] = {
    "input: [1, 1, 288230376151711744], out_channels: 1, kernel_size: 3, stride: 4",
    "input: [1, 1, 1000000000000], out_channels: 1, kernel_size: 3, dilation: 100000000000, padding: 100000000000",
    "input: [1, 1, 1000000000000], out_channels: 1, kernel_size: 1000000",
    "input: [1, 1, 4000, 4000], out_channels: 1, kernel_size: 301, padding: 150, padding_mode: reflect",
    "input: [1, 3, 100000, 100000], out_channels: 64, kernel_size: 7, padding: full, layout: nchw",
    "input: [1, 16, 10000000000], out_channels: 16, kernel_size: 5, padding: 2, accuracy: fast",
    "input: [1, 16, 100000, 100000], out_channels: 16, kernel_size: 3, padding: 1, accuracy: fast, layout: nchw",
    "input: [1000000, 100000, 1], out_channels: 100000, kernel_size: 1",
};

#ifndef __has_feature
#define __has_feature(name) 0
#endif
/* Sanitizers reserve terabytes of address space. */
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
static const char memory[] = "unlimited";
#else
static const char memory[] = "500000";
#endif

/* Seconds of processor time that all children took so far. */
static double children(void) {
  struct rusage usage;
  getrusage(RUSAGE_CHILDREN, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + 1e-6 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static void huge_layers_end_soon(void **state) {
  static const char *const commands[] = {"check", "info --explain", "generate -o %s/test/plan/huge"};
  (void)state;
  for (size_t i = 0; i < sizeof huge / sizeof *huge; i++) {
    const char *path = scratch_write("huge.yaml", mem_text("convsmith: 1\nlayers: [{name: a, %s}]\n", huge[i]));
    for (int c = 0; c < 3; c++) {
      char command[600];
      snprintf(command, sizeof command, commands[c], process_out());
      const double start = children();
      const int status =
          process_run(said, sizeof said, "ulimit -v %s; ulimit -t 20; %s/convsmith %s %s", memory, process_out(), command, path);
      const double taken = children() - start;
      if (status != 0 && status != 2) fail_msg("%s of {%s} ended with status %d: %s", command, huge[i], status, said);
      if (taken > 2) fail_msg("%s of {%s} took %.1f s", command, huge[i], taken);
    }
  }
}

/* Pixels of many channels: what goes through all of many of them a vector at a time is fetched late, or pushes itself out. */
static void pools_read_wide_pixels_in_pieces(void **state) {
  static const char *const targets[][2] = {{"avx512", "direct-pool-loop-1x16"}, {"avx2", "direct-pool-sweep-1x4"}};
  (void)state;
  for (size_t i = 0; i < 2; i++) {
    const struct plan_list large = plans_of("op: avg_pool, input: [1, 512, 60, 60], output_size: 6", targets[i][0]);
    assert_string_equal(large.items[0].id, targets[i][1]);
    const struct plan_list chunks =
        plans_of("op: max_pool, input: [1, 832, 7, 7], kernel_size: 3, stride: 1, padding: 1", targets[i][0]);
    const struct plan *tiles = chunks.items;
    while (!strstr(tiles->id, "columns")) tiles++;
    assert_string_equal(tiles->id, "direct-pool-columns-4x1-rows2-chunks");
  }
}

/* Large windows are put together from pairs, from a buffer that is near; small ones of few channels come from tiles. */
static void large_windows_take_two_passes(void **state) {
  static const struct {
    const char *target, *keys, *passes;
  } rows[] = {{"avx512", "op: max_pool, input: [1, 512, 13, 13], kernel_size: 13, stride: 1, padding: 6", "passes-4x512"},
              {"avx512", "op: avg_pool, input: [1, 256, 19, 19], kernel_size: 5, stride: 1, padding: 2", "passes-4x256"},
              {"avx2", "op: max_pool, input: [1, 512, 19, 19], kernel_size: 9, stride: 1, padding: 4", "passes-2x256"},
              {"avx2", "op: max_pool, input: [1, 512, 14, 14], kernel_size: 3, stride: 1, padding: 1", "passes-4x256"},
              {"avx2", "op: max_pool, input: [1, 192, 28, 28], kernel_size: 3, stride: 1, padding: 1", NULL},
              {"avx2", "op: max_pool, input: [1, 64, 56, 56], kernel_size: 2, stride: 2", NULL}};
  (void)state;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    const char *id = plans_of(rows[i].keys, rows[i].target).items[0].id;
    if (!strstr(id, rows[i].passes ? rows[i].passes : "columns")) fail_msg("%s, %s: %s", rows[i].target, rows[i].keys, id);
  }
}

/* Rows that leave lanes of vectors empty go as one stretch; long ones do not. */
static void pools_of_short_rows_are_stretches(void **state) {
  static const char *const targets[] = {"avx512", "avx2"};
  static const char *const ops[] = {"max_pool", "avg_pool"};
  (void)state;
  for (int i = 0; i < 4; i++) {
    const char *window = mem_text("op: %s, kernel_size: 3, stride: 1, padding: 1, layout: nchw, input:", ops[i / 2]);
    const struct plan_list small = plans_of(mem_text("%s [1, 832, 7, 7]", window), targets[i % 2]);
    const struct plan_list large = plans_of(mem_text("%s [1, 64, 112, 112]", window), targets[i % 2]);
    assert_non_null(strstr(small.items[0].id, "-stretch-"));
    assert_non_null(strstr(large.items[0].id, "-row-"));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(unique_ids),
      cmocka_unit_test(cheapest_first),
      cmocka_unit_test(sizes),
      cmocka_unit_test(chunks_of_lines),
      cmocka_unit_test(twice_the_same),
      cmocka_unit_test(packed_bytes),
      cmocka_unit_test(every_reason),
      cmocka_unit_test(tiles_must_save_something),
      cmocka_unit_test(workspace_grows_with_weights),
      cmocka_unit_test(few_pixels_take_images),
      cmocka_unit_test(no_plan_is_an_error),
      cmocka_unit_test(huge_layers_end_soon),
      cmocka_unit_test(pools_read_wide_pixels_in_pieces),
      cmocka_unit_test(large_windows_take_two_passes),
      cmocka_unit_test(pools_of_short_rows_are_stretches),
      cmocka_unit_test(code_stays_within_its_bound),
  };
  return cmocka_run_group_tests(tests, begin, end);
}
