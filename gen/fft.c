/* The layout of a transform: blocks and tiles along each axis, passes, and where everything lies. */
#include "fft.h"
#include "direct.h"

/* Sizes of blocks, and the passes that transform them. */
static const struct {
  int64_t points, factor[FFT_PASSES];
} sizes[] = {{1, {1, 1}},    {8, {8, 1}},     {16, {16, 1}},   {32, {8, 4}},    {64, {8, 8}},
             {128, {8, 16}}, {256, {16, 16}}, {512, {16, 32}}, {1024, {32, 32}}};

/* Bytes after which addresses share a place in the nearest cache, or half of that. */
static const int64_t cache_places = 2048;

static void set_factors(struct fft_axis *axis) {
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    if (sizes[i].points != axis->points) continue;
    for (int p = 0; p < FFT_PASSES; p++) axis->factor[p] = sizes[i].factor[p];
  }
  axis->passes = axis->points == 1 ? 0 : axis->factor[1] > 1 ? 2 : 1;
}

/* ---- blocks ------------------------------------------------------------------------------------------------------------- */

static int64_t blocks_of(const struct fft_axis *axis) {
  return ceil_div(axis->axis.out, axis->points - axis->axis.kernel + 1);
}

/* As many outputs in every block. Those of a tile are `pair`. */
static void set_blocks(struct fft_axis *axis, int64_t pair) {
  axis->pair = pair;
  axis->tiles = ceil_div(blocks_of(axis), pair);
  axis->outputs = ceil_div(axis->axis.out, axis->tiles * pair);
  axis->tiles = ceil_div(axis->axis.out, axis->outputs * pair);
  const int64_t reach = axis->outputs + axis->axis.kernel - 1, second = axis->factor[1];
  axis->used = ceil_div(reach, second) * second;
}

static void set_axes(struct fft *fft, const struct fft_choice *choice) {
  static const struct axis single = {.in = 1, .out = 1, .kernel = 1, .stride = 1, .dilation = 1};
  const struct problem *problem = fft->problem;
  struct fft_axis *tall = &fft->axis[FFT_TALL], *row = &fft->axis[FFT_ROW];
  tall->axis = problem->rank > 1 ? problem->axis[0] : single;
  row->axis = problem->axis[problem->rank - 1];
  for (int a = 0; a < FFT_AXES; a++) {
    fft->axis[a].points = choice->points[a];
    set_factors(&fft->axis[a]);
  }
  const bool along_row = blocks_of(row) > 1, along_tall = !along_row && blocks_of(tall) > 1;
  set_blocks(row, along_row ? 2 : 1);
  set_blocks(tall, along_tall ? 2 : 1);
}

/* ---- passes ------------------------------------------------------------------------------------------------------------- */

/* There: from natural order, `from` elements apart, through `work` to the order of spectra. */
static void set_forward(struct fft_axis *axis, int64_t from, int64_t work, int64_t to) {
  const int64_t first = axis->factor[0], second = axis->factor[1];
  if (axis->passes == 1)
    axis->forward[0] =
        (struct fft_pass){.points = first, .count = 1, .live = axis->used, .kept = first, .from_step = from, .to_step = to};
  if (axis->passes < 2) return;
  axis->forward[0] = (struct fft_pass){.points = first,
                                       .count = second,
                                       .live = axis->used / second,
                                       .kept = first,
                                       .from_step = second * from + axis->gap,
                                       .from_next = from,
                                       .to_step = second * work + axis->gap,
                                       .to_next = work,
                                       .twiddled = true,
                                       .twiddle_step = 1,
                                       .twiddle_next = first};
  axis->forward[1] = (struct fft_pass){.points = second,
                                       .count = first,
                                       .live = second,
                                       .kept = second,
                                       .from_step = work,
                                       .from_next = second * work + axis->gap,
                                       .to_step = to,
                                       .to_next = second * to};
}

/* And back. */
static void set_inverse(struct fft_axis *axis, int64_t from, int64_t work, int64_t to) {
  const int64_t first = axis->factor[0], second = axis->factor[1];
  if (axis->passes == 1)
    axis->inverse[0] =
        (struct fft_pass){.points = first, .count = 1, .live = first, .kept = axis->outputs, .from_step = from, .to_step = to};
  if (axis->passes < 2) return;
  axis->inverse[0] = (struct fft_pass){.points = second,
                                       .count = first,
                                       .live = second,
                                       .kept = second,
                                       .from_step = from,
                                       .from_next = second * from,
                                       .to_step = work,
                                       .to_next = second * work + axis->gap,
                                       .twiddled = true,
                                       .twiddle_step = first,
                                       .twiddle_next = 1};
  axis->inverse[1] = (struct fft_pass){.points = first,
                                       .count = second,
                                       .live = first,
                                       .kept = ceil_div(axis->outputs, second),
                                       .from_step = second * work + axis->gap,
                                       .from_next = work,
                                       .to_step = second * to + axis->gap,
                                       .to_next = to};
}

/* ---- memory ------------------------------------------------------------------------------------------------------------- */

/* Points that the first pass of a long line takes together must not fall into the same places of a cache. */
static void set_line(struct fft *fft) {
  struct fft_axis *row = &fft->axis[FFT_ROW];
  const int64_t together = row->factor[1] * fft->step * (int64_t)cs_size(fft->problem->dtype);
  if (row->passes > 1 && together % cache_places == 0) row->gap = fft->step;
  fft->line = row->points * fft->step + row->factor[0] * row->gap;
}

/* Rows begin a complex vector apart from where they would, for the sake of columns. */
static void set_steps(struct fft *fft) {
  const int64_t tall = fft->axis[FFT_TALL].points, row = fft->axis[FFT_ROW].points;
  fft->step = 2 * fft->lanes;
  set_line(fft);
  fft->pitch = (row + (tall > 1)) * fft->step;
  fft->plane = tall * fft->pitch;
  fft->columns = tall > 1 ? row : 1;
  fft->column = tall > 1 ? tall : row;
  set_forward(&fft->axis[FFT_ROW], fft->step, fft->step, fft->step);
  set_inverse(&fft->axis[FFT_ROW], fft->step, fft->step, fft->step);
  set_forward(&fft->axis[FFT_TALL], fft->pitch, fft->step, fft->fused ? fft->step : fft->pitch);
  set_inverse(&fft->axis[FFT_TALL], fft->step, fft->step, fft->pitch);
  fft->workspace = fft->line + tall * fft->step + (fft->problem->in_channels + !fft->fused) * fft->plane;
}

/* Spectra: [group or vector of them][output channel][column][point][input channel][real, imaginary] */
static void set_weights(struct fft *fft) {
  const struct problem *problem = fft->problem;
  const bool groups = fft->choice.lanes == FFT_GROUPS;
  fft->w_lane = groups ? fft->lanes : 1;
  fft->w_column = fft->column * problem->in_channels * 2 * fft->w_lane;
  fft->w_out = fft->columns * fft->w_column;
  fft->w_group = problem->out_channels * fft->w_out;
  fft->w_size = (groups ? fft->bundles : problem->groups) * fft->w_group;
  fft->b_size = problem->groups * problem->out_channels;
}

static int64_t distance(const struct problem *problem, bool output) {
  return output ? problem->y_group : problem->x_group;
}

void fft_build(struct fft *fft, const struct problem *problem, const struct isa *isa, const struct fft_choice *choice) {
  *fft = (struct fft){.problem = problem, .choice = *choice, .lanes = isa->lanes[problem->dtype]};
  fft->fused = problem->in_channels == 1 && problem->out_channels == 1;
  set_axes(fft, choice);
  const bool groups = choice->lanes == FFT_GROUPS;
  const int64_t items = groups ? problem->groups : problem->batch * fft->axis[FFT_TALL].tiles * fft->axis[FFT_ROW].tiles;
  fft->bundles = ceil_div(items, fft->lanes);
  fft->last = items - (fft->bundles - 1) * fft->lanes;
  fft->scattered = !groups || distance(problem, false) != 1 || distance(problem, true) != 1;
  set_steps(fft);
  set_weights(fft);
}
