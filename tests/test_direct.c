/* The direct algorithm's geometry on cases worked by hand: which axes remain, which rows of a tile are live at which taps, how
 * columns are cut into tiles, and where packed weights lie. */
#include "../gen/direct.h"
#include "spec_text.h"
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct isa four_lanes = {.name = "toy", .registers = 16, .lanes = {4, 2}, .mac_bytes = 8};

/* The design of the only problem of a layer with these keys. */
static const struct design *design_of(const char *keys, struct choice choice) {
  struct problem *problem;
  struct design *design = mem_new(sizeof *design);
  const struct layer *layer = spec_layer(keys);
  assert_int_equal(layer->op->lower(layer, &problem), 1);
  design_build(design, problem, &four_lanes, &choice);
  return design;
}

/* ---- folding ------------------------------------------------------------------------------------------------------------- */

/* Layers and what is left of them: axes' outputs and inputs, and the batch. */
static const struct {
  const char *keys;
  int rank;
  int64_t out[3], in[3], batch;
} folds[] = {
    /* a 1×1 kernel walks one long row, the images too where they follow one another */
    {"input: [1, 8, 7, 9], out_channels: 8, kernel_size: 1", 1, {63}, {63}, 1},
    {"input: [5, 8, 7, 9], out_channels: 8, kernel_size: 1", 1, {315}, {315}, 1},
    {"input: [2, 3, 4, 5, 6], out_channels: 1, kernel_size: 1", 1, {240}, {240}, 1},
    /* channels first: an image's channels are between its row and the next image's */
    {"input: [5, 8, 7, 9], out_channels: 8, kernel_size: 1, layout: nchw", 1, {63}, {63}, 5},
    {"input: [5, 1, 7, 9], out_channels: 1, kernel_size: 1, layout: nchw", 1, {315}, {315}, 1},
    /* a stride, padding or a wider kernel keeps axes apart */
    {"input: [5, 8, 7, 9], out_channels: 8, kernel_size: 1, stride: 2", 2, {4, 5}, {7, 9}, 5},
    {"input: [1, 8, 7, 9], out_channels: 8, kernel_size: 1, stride: [2, 1]", 2, {4, 9}, {7, 9}, 1},
    {"input: [1, 8, 7, 9], out_channels: 8, kernel_size: 1, padding: [0, 1]", 2, {7, 11}, {7, 9}, 1},
    {"input: [2, 8, 7, 9], out_channels: 8, kernel_size: [1, 3]", 2, {7, 7}, {7, 9}, 2},
    /* the outer two of three merge, the innermost stays */
    {"input: [2, 8, 3, 7, 9], out_channels: 8, kernel_size: [1, 1, 3]", 2, {21, 7}, {21, 9}, 2},
    {"input: [2, 8, 3, 7, 9], out_channels: 8, kernel_size: [3, 1, 1]", 2, {1, 63}, {3, 63}, 2},
    /* axes of one output and one tap go, but one remains */
    {"input: [1, 8, 1, 9], out_channels: 8, kernel_size: [1, 3]", 1, {7}, {9}, 1},
    {"input: [1, 8, 9, 1], out_channels: 8, kernel_size: [3, 1]", 1, {7}, {9}, 1},
    {"input: [1, 8, 9, 1], out_channels: 8, kernel_size: [3, 1], padding: [0, 1]", 2, {7, 3}, {9, 1}, 1},
    {"input: [1, 8, 1, 1, 1], out_channels: 8, kernel_size: 1", 1, {1}, {1}, 1},
};

static void folding(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof folds / sizeof *folds; i++) {
    struct design design = {0};
    const struct layer *layer = spec_layer(folds[i].keys);
    struct problem *problem;
    layer->op->lower(layer, &problem);
    design.problem = *problem;
    fold_axes(&design);
    if (design.rank != folds[i].rank) fail_msg("{%s}: %d axes, not %d", folds[i].keys, design.rank, folds[i].rank);
    for (int a = 0; a < design.rank; a++) {
      assert_int_equal(design.axis[a].out, folds[i].out[a]);
      assert_int_equal(design.axis[a].in, folds[i].in[a]);
    }
    assert_int_equal(design.problem.batch, folds[i].batch);
  }
}

/* Steps of a folded row are those of its innermost axis. */
static void steps_of_folded_rows(void **state) {
  (void)state;
  struct design design = {0};
  const struct layer *layer = spec_layer("input: [1, 8, 7, 9], out_channels: 5, kernel_size: 1, output_layout: nchw");
  struct problem *problem;
  layer->op->lower(layer, &problem);
  design.problem = *problem;
  fold_axes(&design);
  assert_int_equal(design.rank, 1);
  assert_int_equal(design.axis[0].x_step, 8);
  assert_int_equal(design.axis[0].y_step, 1);
}

static void a_trimmed_design_has_tiles_of_one_pixel(void **state) {
  (void)state;
  struct design design = {.choice = {.trimmed = true}};
  const struct layer *layer = spec_layer("input: [1, 8, 7, 9], out_channels: 5, kernel_size: 3");
  struct problem *problem;
  layer->op->lower(layer, &problem);
  design.problem = *problem;
  fold_axes(&design);
  assert_int_equal(design.rank, 3);
  assert_int_equal(design.axis[1].out, 7);
  assert_int_equal(design.axis[2].out, 1);
  assert_int_equal(design.axis[2].kernel, 1);
}

/* Images in place of the last axis: rows of one pixel and few, channels last and first; where each lies in x and y. */
static void images_are_an_axis(void **state) {
  (void)state;
  static const struct {
    const char *keys;
    bool apply;
    int rank;
    int64_t out, x_step, y_step;
  } rows[] = {
      {"input: [6, 8, 2, 3], out_channels: 5, kernel_size: [2, 3]", true, 3, 6, 48, 5},
      {"input: [6, 8, 3, 4], out_channels: 5, kernel_size: [3, 2], layout: nchw", true, 3, 6, 96, 15},
      {"input: [6, 8, 1, 1], out_channels: 5, kernel_size: 1, layout: nchw", true, 1, 6, 8, 5},
      {"input: [6, 8, 2, 2, 2], out_channels: 5, kernel_size: 2, padding: 1", true, 4, 6, 64, 135},
      {"op: conv_grad_weights, input: [1, 6, 7, 8], out_channels: 5, kernel_size: 3", true, 3, 6, 1, 9},
      {"input: [6, 8, 7, 7], out_channels: 5, kernel_size: 1", false, 2, 6, 392, 245}, /* images follow one another anyway */
      {"input: [6, 8, 2, 9], out_channels: 5, kernel_size: 2", false, 3, 6, 144, 40},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct design design = {.choice = {.images = true}};
    const struct layer *layer = spec_layer(rows[i].keys);
    struct problem *problem;
    layer->op->lower(layer, &problem);
    design.problem = *problem;
    fold_axes(&design);
    const struct axis *last = &design.axis[design.rank - 1];
    if (images_apply(problem) != rows[i].apply) fail_msg("{%s}: images do%s apply", rows[i].keys, rows[i].apply ? " not" : "");
    assert_int_equal(design.rank, rows[i].rank);
    assert_int_equal(design.problem.batch, 1);
    assert_int_equal(last->out, rows[i].out);
    assert_int_equal(last->x_step, rows[i].x_step);
    assert_int_equal(last->y_step, rows[i].y_step);
  }
}

/* ---- spans --------------------------------------------------------------------------------------------------------------- */

/* What one span should be: live rows [first, first + count), the x of each, w, and steps. */
struct span_row {
  int64_t first, count, x[8], w, steps;
};

static void check_tile(const struct tile *tile, const struct span_row *rows, size_t count) {
  assert_int_equal(tile->span_count, count);
  for (size_t i = 0; i < count; i++) {
    const struct span *span = &tile->spans[i];
    assert_int_equal(span->first, rows[i].first);
    assert_int_equal(span->count, rows[i].count);
    for (int64_t p = 0; p < span->count; p++) assert_int_equal(span->x[p], rows[i].x[p]);
    assert_int_equal(span->w, rows[i].w);
    assert_int_equal(span->loop * (span->trips * span->unroll + span->rest), rows[i].steps);
  }
}

static void check_run(const struct run *run, struct run expected) {
  assert_int_equal(run->tile, expected.tile);
  assert_int_equal(run->count, expected.count);
  assert_int_equal(run->first, expected.first);
  assert_int_equal(run->x, expected.x);
  assert_int_equal(run->y, expected.y);
  assert_int_equal(run->x_step, expected.x_step);
  assert_int_equal(run->y_step, expected.y_step);
}

/* Three taps, padding 1, five columns in one tile: the first tap misses column 0, the last one column 4. */
static const char row_of_five[] = "input: [1, 1, 5], out_channels: 4, kernel_size: 3, padding: 1, unroll: full";

static void live_rows_at_borders(void **state) {
  static const struct span_row spans[] = {{1, 4, {0, 1, 2, 3}, 0, 1}, {0, 5, {0, 1, 2, 3, 4}, 4, 1}, {0, 4, {1, 2, 3, 4}, 8, 1}};
  (void)state;
  const struct design *design =
      design_of(row_of_five, (struct choice){.form = FORM_CHANNELS, .rows = 5, .vectors = 1, .full = true});
  assert_null(design->reason);
  assert_int_equal(design->tile_count, 1);
  check_tile(&design->tiles[0], spans, 3);
  assert_int_equal(design->macs, 4 + 5 + 4);
  assert_int_equal(design->blocks[0].cases[0].run_count, 1);
}

/* The same in tiles of two columns: 0-1, 2-3, 4. Taps that follow one another in x and w are one span. */
static void columns_in_tiles(void **state) {
  static const struct span_row first[] = {{1, 1, {0}, 0, 1}, {0, 2, {0, 1}, 4, 2}};
  static const struct span_row middle[] = {{0, 2, {0, 1}, 0, 3}};
  static const struct span_row last[] = {{0, 1, {0}, 0, 2}};
  (void)state;
  const struct design *design =
      design_of(row_of_five, (struct choice){.form = FORM_CHANNELS, .rows = 2, .vectors = 1, .full = true});
  const struct part_case *rows = &design->blocks[0].cases[0];
  assert_int_equal(design->tile_count, 3);
  assert_int_equal(rows->run_count, 3);
  check_tile(&design->tiles[rows->runs[0].tile], first, 2);
  check_tile(&design->tiles[rows->runs[1].tile], middle, 1);
  check_tile(&design->tiles[rows->runs[2].tile], last, 1);
  check_run(&rows->runs[0], (struct run){.tile = 0, .count = 1, .first = 0, .x = 0, .y = 0});
  check_run(&rows->runs[1], (struct run){.tile = 1, .count = 1, .first = 1, .x = 1, .y = 8});
  check_run(&rows->runs[2], (struct run){.tile = 2, .count = 1, .first = 2, .x = 3, .y = 16});
  assert_int_equal(design->rows, 3);
}

/* Twenty columns in tiles of four: between the borders one tile is called three times, four columns apart. */
static void equal_tiles_run(void **state) {
  (void)state;
  const struct design *design = design_of("input: [1, 2, 20], out_channels: 4, kernel_size: 3, padding: 1, stride: 1",
                                          (struct choice){.form = FORM_CHANNELS, .rows = 4, .vectors = 1});
  const struct part_case *rows = &design->blocks[0].cases[0];
  assert_int_equal(rows->run_count, 3);
  check_run(&rows->runs[1], (struct run){.tile = 1, .count = 3, .first = 1, .x = 3 * 2, .y = 4 * 4, .x_step = 4 * 2, .y_step = 16});
  check_run(&rows->runs[2], (struct run){.tile = 2, .count = 1, .first = 4, .x = 15 * 2, .y = 16 * 4});
}

/* Reflect reads inside: three taps over four columns read 1 0 1, 0 1 2, 1 2 3, 2 3 2, from element 0 of each tap's row. */
static void padding_modes_read_inside(void **state) {
  static const struct {
    const char *mode;
    struct span_row spans[3];
  } modes[] = {
      {"reflect", {{0, 4, {1, 0, 1, 2}, 0, 1}, {0, 4, {0, 1, 2, 3}, 4, 1}, {0, 4, {1, 2, 3, 2}, 8, 1}}},
      {"replicate", {{0, 4, {0, 0, 1, 2}, 0, 1}, {0, 4, {0, 1, 2, 3}, 4, 1}, {0, 4, {1, 2, 3, 3}, 8, 1}}},
      {"circular", {{0, 4, {3, 0, 1, 2}, 0, 1}, {0, 4, {0, 1, 2, 3}, 4, 1}, {0, 4, {1, 2, 3, 0}, 8, 1}}},
  };
  (void)state;
  for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
    const struct design *design =
        design_of(mem_text("input: [1, 1, 4], out_channels: 4, kernel_size: 3, padding: 1, padding_mode: %s", modes[i].mode),
                  (struct choice){.form = FORM_CHANNELS, .rows = 4, .vectors = 1, .full = true});
    assert_int_equal(design->tile_count, 1);
    check_tile(&design->tiles[0], modes[i].spans, 3);
  }
}

/* ---- rows of outputs --------------------------------------------------------------------------------------------------------- */

/* 3×3 over 4 rows, padding 1: the first row has taps 1 and 2, rows 1 and 2 all, row 3 taps 0 and 1. */
static void cases_of_rows(void **state) {
  static const int64_t bounds[3][2] = {{0, 1}, {1, 3}, {3, 4}}, macs[3] = {2, 3, 2};
  (void)state;
  const struct design *design = design_of("input: [1, 1, 4, 1], out_channels: 4, kernel_size: 3, padding: 1",
                                          (struct choice){.form = FORM_CHANNELS, .rows = 1, .vectors = 1, .full = true});
  const struct block *block = &design->blocks[0];
  assert_int_equal(block->case_count, 3);
  for (int i = 0; i < 3; i++) {
    assert_int_equal(block->cases[i].from[0], bounds[i][0]);
    assert_int_equal(block->cases[i].to[0], bounds[i][1]);
    assert_true(block->cases[i].live);
    assert_int_equal(design->tiles[block->cases[i].runs[0].tile].macs, macs[i]);
  }
}

/* Not written out: one case, and the taps of the outer axis are a loop that the tile gets its w step for. */
static void one_case_where_rows_are_trimmed(void **state) {
  (void)state;
  const struct design *design = design_of("input: [1, 2, 4, 6], out_channels: 4, kernel_size: 3, padding: 1",
                                          (struct choice){.form = FORM_CHANNELS, .rows = 6, .vectors = 1});
  const struct block *block = &design->blocks[0];
  assert_int_equal(block->case_count, 1);
  assert_int_equal(block->cases[0].to[0], 4);
  assert_int_equal(design->tiles[0].loop_w[0], 3 * 2 * 4);
}

/* Windows that lie in the padding as a whole have no taps: the tile stores what it starts with. */
static void tiles_without_taps(void **state) {
  (void)state;
  const struct design *design = design_of("input: [1, 1, 2], out_channels: 4, kernel_size: 2, padding: 3",
                                          (struct choice){.form = FORM_CHANNELS, .rows = 1, .vectors = 1, .full = true});
  assert_int_equal(design->tiles[design->blocks[0].cases[0].runs[0].tile].span_count, 0);
}

/* ---- blocks of channels ------------------------------------------------------------------------------------------------------ */

/* 21 channels in tiles of 2 vectors of 4 lanes: two whole blocks, then 5 channels: a vector and one lane. */
static void blocks_of_vectors(void **state) {
  (void)state;
  const struct design *design = design_of("input: [1, 3, 9], out_channels: 21, kernel_size: 2",
                                          (struct choice){.form = FORM_CHANNELS, .rows = 4, .vectors = 2});
  assert_int_equal(design->block_count, 2);
  const struct block *whole = &design->blocks[0], *rest = &design->blocks[1];
  assert_int_equal(whole->count, 2);
  assert_int_equal(whole->vectors, 2);
  assert_int_equal(whole->last, 4);
  assert_int_equal(rest->from, 2);
  assert_int_equal(rest->count, 1);
  assert_int_equal(rest->vectors, 2);
  assert_int_equal(rest->last, 1);
  assert_int_equal(whole->w_step, 3 * 2 * 8);
  assert_int_equal(rest->w, 2 * whole->w_step);
  assert_int_equal(rest->y, 16);
  assert_int_equal(design->w_size, 3 * 24 * 2);
}

/* 13 channels as rows of at most 5: blocks of 5, 4 and 4. */
static void blocks_of_rows(void **state) {
  (void)state;
  const struct design *design = design_of("input: [1, 3, 9], out_channels: 13, kernel_size: 2, layout: nchw",
                                          (struct choice){.form = FORM_PIXELS, .rows = 5, .vectors = 2});
  assert_int_equal(design->block_count, 2);
  assert_int_equal(design->blocks[0].rows, 5);
  assert_int_equal(design->blocks[0].count, 1);
  assert_int_equal(design->blocks[1].rows, 4);
  assert_int_equal(design->blocks[1].count, 2);
  assert_int_equal(design->blocks[1].y, 5 * 8);
  assert_int_equal(design->w_size, 13 * 3 * 2);
}

/* Sums of 3 taps × 5 channels, padding 1, two columns: 4 lanes take the 10 terms of both live taps as two vectors and 2 terms. */
static void terms_in_lanes(void **state) {
  (void)state;
  const struct design *design = design_of("input: [1, 5, 2], out_channels: 7, kernel_size: 3, padding: 1",
                                          (struct choice){.form = FORM_DOT, .rows = 1, .vectors = 3});
  assert_null(design->reason);
  assert_int_equal(design->block_count, 2);
  assert_int_equal(design->blocks[0].vectors, 3);
  assert_int_equal(design->blocks[1].vectors, 2);
  assert_int_equal(design->blocks[1].count, 2);
  assert_int_equal(design->blocks[1].w, 3 * 15);
  const struct tile *left = &design->tiles[design->blocks[0].cases[0].runs[0].tile];
  assert_int_equal(left->span_count, 1);
  assert_int_equal(left->spans[0].w, 5);
  assert_int_equal(left->spans[0].trips * left->spans[0].unroll + left->spans[0].rest, 2);
  assert_int_equal(left->spans[0].part, 2);
  assert_int_equal(left->spans[0].step_x, 4);
  assert_int_equal(design->w_size, 7 * 15);
}

/* Dots of an image beyond the caches fetch what the next tile adds in its last line: 6 pixels of 32 channels behind 2 lines of
 * 200 and 2 + 6 pixels. */
static void lines_of_dots_are_fetched(void **state) {
  (void)state;
  const struct choice choice = {.form = FORM_DOT, .rows = 6, .vectors = 3, .ahead_x = true};
  const struct design *design = design_of("input: [1, 32, 200, 200], out_channels: 3, kernel_size: 3, padding: 1", choice);
  const struct run *inner = &design->blocks[0].cases[0].runs[1];
  assert_true(inner->count > 1);
  const struct tile *tile = &design->tiles[inner->tile];
  const int64_t trips = 3 * tile->spans[0].trips * tile->spans[0].loop, bytes = 6 * 32 * 4;
  assert_int_equal(tile->x_ahead, (bytes + trips - 1) / trips);
  assert_int_equal(tile->x_from, (2 * 200 + 2 + 6) * 32 * 4);
  struct choice near = choice;
  near.ahead_x = false;
  design = design_of("input: [1, 32, 200, 200], out_channels: 3, kernel_size: 3, padding: 1", near);
  assert_int_equal(design->tiles[design->blocks[0].cases[0].runs[1].tile].x_ahead, 0);
}

/* 5 groups of 2 channels in vectors of 4 lanes: two groups each, one left. */
static void groups_in_vectors(void **state) {
  (void)state;
  const struct design *design = design_of("input: [1, 10, 9], out_channels: 10, groups: 5, kernel_size: 3",
                                          (struct choice){.form = FORM_GROUPS, .rows = 4, .vectors = 1});
  assert_null(design->reason);
  assert_int_equal(design->block_count, 2);
  const struct block *whole = &design->blocks[0], *rest = &design->blocks[1];
  assert_int_equal(whole->count, 2);
  assert_int_equal(whole->last, 4);
  assert_int_equal(whole->x_step, 4);
  assert_int_equal(rest->last, 2);
  assert_int_equal(rest->x, 8);
  assert_int_equal(rest->y, 8);
  assert_int_equal(rest->w, 2 * 3 * 2 * 4);
  assert_int_equal(design->w_size, 3 * 3 * 2 * 4);
}

/* The last channels of a layer as a design of their own: weights from there, bias and outputs too. */
static void last_channels(void **state) {
  (void)state;
  const struct design *design =
      design_of("input: [1, 5, 9], out_channels: 9, kernel_size: 3, bias: true",
                (struct choice){.form = FORM_DOT, .rows = 2, .vectors = 1, .channel_from = 8, .channel_to = 9});
  assert_int_equal(design->channel_blocks, 1);
  assert_int_equal(design->blocks[0].y, 8);
  assert_int_equal(design->blocks[0].b, 8);
  assert_int_equal(design->boxes[0].src, 8 * 15);
  assert_int_equal(design->w_size, 15);
}

/* ---- strips -------------------------------------------------------------------------------------------------------------- */

/* Layers that may go in strips or not, and rows of a strip for one vector and for two of four lanes; 0: none fits. */
static const struct {
  const char *keys;
  bool apply;
  int64_t rows[2];
} strip_cases[] = {
    {"input: [1, 8, 12, 9], out_channels: 8, kernel_size: 1, stride: 2, layout: nchw", true, {3, 3}},       /* 5 pixels a row */
    {"input: [1, 8, 8, 7], out_channels: 8, kernel_size: 1, stride: 2, layout: nchw", true, {1, 2}},        /* 4 */
    {"input: [1, 8, 3, 1], out_channels: 8, kernel_size: 1, stride: 2, layout: nchw", true, {2, 0}},        /* 1 */
    {"input: [1, 8, 8, 7], out_channels: 8, kernel_size: 1, stride: [2, 1], layout: nchw", true, {4, 4}},   /* 7 */
    {"input: [1, 8, 15], out_channels: 8, kernel_size: 1, stride: 2, layout: nchw", true, {1, 1}},          /* 8 */
    {"input: [1, 16000, 4, 3], out_channels: 8, kernel_size: 1, stride: 2, layout: nchw", true, {1, 0}},    /* 128 kB a row */
    {"input: [1, 8, 12, 9], out_channels: 8, kernel_size: 1, stride: 2", false, {0, 0}},                    /* channels last */
    {"input: [1, 8, 12, 9], out_channels: 8, kernel_size: 1, layout: nchw", false, {0, 0}},                 /* no stride */
    {"input: [1, 8, 12, 9], out_channels: 8, kernel_size: [1, 3], stride: 2, layout: nchw", false, {0, 0}}, /* taps overlap */
    {"input: [1, 8, 12, 9], out_channels: 8, kernel_size: 1, padding: 1, stride: 2, layout: nchw", false, {0, 0}},
    {"input: [1, 8, 12, 9], out_channels: 8, groups: 2, kernel_size: 1, stride: 2, layout: nchw", false, {0, 0}},
};

static void rows_of_strips(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof strip_cases / sizeof *strip_cases; i++) {
    struct problem *problem;
    const struct layer *layer = spec_layer(strip_cases[i].keys);
    layer->op->lower(layer, &problem);
    assert_int_equal(strips_apply(problem), strip_cases[i].apply);
    for (int v = 0; v < 2 && strip_cases[i].apply; v++) assert_int_equal(strip_rows(problem, 4, v + 1), strip_cases[i].rows[v]);
  }
}

/* 6 x 5 outputs in strips of 2 rows: 3 rows of 10 pixels without stride, all from the place where a strip is kept. */
static void strips_are_long_rows(void **state) {
  (void)state;
  const struct choice choice = {.form = FORM_PIXELS, .rows = 4, .vectors = 2, .band = 1, .strip = 2};
  const struct design *design = design_of("input: [2, 8, 12, 9], out_channels: 8, kernel_size: 1, stride: 2, layout: nchw", choice);
  assert_int_equal(design->rank, 2);
  assert_int_equal(design->rows, 3);
  assert_int_equal(design->axis[0].x_step, 0);
  assert_int_equal(design->axis[0].y_step, 10);
  assert_int_equal(design->axis[1].out, 10);
  assert_int_equal(design->x_lane, 1);
  assert_int_equal(design->problem.x_channel, 10);
  assert_int_equal(design->batch.x, 0);
  assert_int_equal(strip_elements(design), 80);
  assert_int_equal(design->strip.lane, 2);
  assert_int_equal(design->strip.row, 18);
  assert_int_equal(design->strip.channel, 108);
  assert_int_equal(design->strip.image, 864);
}

/* Every element of the packed weights is written by exactly one box, zeros too, and every weight is read once. */
static void mark(const struct box *box, int loop, int64_t src, int64_t dst, int *written, int *read) {
  if (loop < box->loop_count) {
    for (int64_t i = 0; i < box->loops[loop].count; i++)
      mark(box, loop + 1, src + i * box->loops[loop].src, dst + i * box->loops[loop].dst, written, read);
    return;
  }
  written[dst]++;
  if (box->from) read[src]++;
}

static void packing_is_a_bijection(void **state) {
  static const struct {
    const char *keys;
    struct choice choice;
    int weights;
  } rows[] = {
      {"input: [1, 3, 9, 5], out_channels: 21, kernel_size: [2, 3]", {.form = FORM_CHANNELS, .rows = 4, .vectors = 2}, 21 * 3 * 6},
      {"input: [1, 6, 9], out_channels: 14, groups: 2, kernel_size: 3", {.form = FORM_CHANNELS, .rows = 2, .vectors = 1}, 14 * 9},
      {"input: [1, 3, 9, 5], out_channels: 7, kernel_size: 2, flip: true", {.form = FORM_PIXELS, .rows = 3, .vectors = 1}, 84},
      {"input: [1, 7, 9], out_channels: 14, groups: 7, kernel_size: 5", {.form = FORM_DEPTH, .rows = 3, .vectors = 1}, 70},
      {"input: [1, 7, 9], out_channels: 14, groups: 7, kernel_size: 5", {.form = FORM_PIXELS, .rows = 2, .vectors = 1}, 70},
      {"input: [1, 10, 9], out_channels: 6, groups: 2, kernel_size: 3", {.form = FORM_DOT, .rows = 2, .vectors = 2}, 6 * 5 * 3},
      {"input: [1, 10, 9], out_channels: 5, groups: 5, kernel_size: 3", {.form = FORM_GROUPS, .rows = 2, .vectors = 1}, 5 * 2 * 3},
  };
  (void)state;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    const struct design *design = design_of(rows[i].keys, rows[i].choice);
    int *written = mem_array((size_t)design->w_size, sizeof *written), *read = mem_array((size_t)rows[i].weights, sizeof *read);
    for (size_t b = 0; b < design->box_count; b++)
      mark(&design->boxes[b], 0, design->boxes[b].src, design->boxes[b].dst, written, read);
    for (int64_t e = 0; e < design->w_size; e++) assert_int_equal(written[e], 1);
    for (int e = 0; e < rows[i].weights; e++) assert_int_equal(read[e], 1);
  }
}

static int begin(void **state) {
  (void)state;
  scratch_begin("direct");
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(folding),
      cmocka_unit_test(steps_of_folded_rows),
      cmocka_unit_test(a_trimmed_design_has_tiles_of_one_pixel),
      cmocka_unit_test(images_are_an_axis),
      cmocka_unit_test(live_rows_at_borders),
      cmocka_unit_test(columns_in_tiles),
      cmocka_unit_test(equal_tiles_run),
      cmocka_unit_test(padding_modes_read_inside),
      cmocka_unit_test(cases_of_rows),
      cmocka_unit_test(one_case_where_rows_are_trimmed),
      cmocka_unit_test(tiles_without_taps),
      cmocka_unit_test(blocks_of_vectors),
      cmocka_unit_test(blocks_of_rows),
      cmocka_unit_test(terms_in_lanes),
      cmocka_unit_test(lines_of_dots_are_fetched),
      cmocka_unit_test(last_channels),
      cmocka_unit_test(groups_in_vectors),
      cmocka_unit_test(rows_of_strips),
      cmocka_unit_test(strips_are_long_rows),
      cmocka_unit_test(packing_is_a_bijection),
  };
  return cmocka_run_group_tests(tests, begin, spec_done);
}
