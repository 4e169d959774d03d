/* A whole depthwise kernel from a choice: strips of rows, the patches along each, and what it will take. */
#include "depthwise.h"
#include "mem.h"

/* The tall axis of patches with a single row. */
static const struct axis single = {.in = 1, .out = 1, .kernel = 1, .stride = 1, .dilation = 1};

int64_t patch_registers(const struct axis *row, int64_t taps, const struct patch_choice *choice) {
  /* permuting inputs takes two: which lanes, and the input as it was loaded */
  /* a sum of pixels of which only some lanes change is copied first; of every second pixel, two vectors make one */
  const int64_t pixels = choice->pixels ? (row->stride > 1 ? 3 : 1) : 0;
  const int64_t sums = choice->rows * choice->columns + (choice->permuted && !choice->turned ? 2 : 0) + pixels;
  if (choice->held) return sums + taps + 1;
  if (choice->pixels) return sums + choice->columns + 1;
  /* inputs wait until no later tap reads them: with a stride, those between the columns too */
  const int64_t reach = row->kernel > 1 ? (row->kernel - 1) * row->dilation : 0;
  const int64_t between = row->stride - 1 < reach ? row->stride - 1 : reach;
  return sums + choice->columns + between * (choice->columns - 1) + 1;
}

static void set_axes(struct depthwise *depthwise) {
  depthwise->outer = depthwise->base.rank - 1;
  depthwise->row = depthwise->base.axis[depthwise->outer];
  depthwise->tall = depthwise->choice.rows > 1 && depthwise->outer > 0 ? depthwise->base.axis[--depthwise->outer] : single;
}

/* As equal in height as can be: the higher ones first. Where rows take turns, all begin at multiples of the height. */
static void set_strips(struct depthwise *depthwise) {
  const int64_t out = depthwise->tall.out, count = ceil_div(out, depthwise->choice.rows);
  const int64_t rows = depthwise->base.problem.y_rows ? depthwise->choice.rows : ceil_div(out, count);
  const int64_t high = depthwise->base.problem.y_rows ? out / rows : out - count * (rows - 1);
  depthwise->strip_count = count;
  depthwise->strips[0] = (struct strips){.to = high, .rows = rows};
  depthwise->strips[1] = (struct strips){.from = high, .to = count, .rows = depthwise->base.problem.y_rows ? out % rows : rows - 1};
  depthwise->strips_count = high < count ? 2 : 1;
}

/* A run of `count` patches. */
static bool add_patches(struct depthwise *depthwise, struct strips *strips, int64_t column, int64_t columns, int64_t count) {
  const struct axis *row = &depthwise->row;
  const int64_t width = depthwise->width;
  int64_t base;
  struct run next = {.count = count, .y = column * width * row->y_step};
  next.tile = depthwise_patch(depthwise, strips, column, columns, &base);
  if (next.tile < 0) return false;
  next.x = base < 0 ? 0 : base * row->x_step;
  if (strips->run_count) next.first = strips->runs[strips->run_count - 1].first + strips->runs[strips->run_count - 1].count;
  if (count > 1) next.x_step = columns * width * row->stride * row->x_step, next.y_step = columns * width * row->y_step;
  strips->runs = mem_grow(strips->runs, strips->run_count, sizeof next);
  strips->runs[strips->run_count++] = next;
  return true;
}

/* Patches along a strip, as equal as can be, the wider first. Neighbours whose taps are all live are one run. */
static bool add_runs(struct depthwise *depthwise, struct strips *strips) {
  const int64_t out = ceil_div(depthwise->row.out, depthwise->width), tiles = ceil_div(out, depthwise->choice.columns);
  const int64_t wide = out % tiles;
  int64_t from, to, column = 0, count;
  axis_interior(&depthwise->row, &from, &to);
  from = ceil_div(from, depthwise->width);
  to /= depthwise->width;
  for (int64_t i = 0; i < tiles; i += count) {
    const int64_t columns = out / tiles + (i < wide), alike = i < wide ? wide - i : tiles - i;
    count = column >= from && column + columns <= to ? (to - column) / columns : 1;
    if (count > alike) count = alike;
    if (!add_patches(depthwise, strips, column, columns, count)) return false;
    column += count * columns;
  }
  return true;
}

static void set_units(struct depthwise *depthwise) {
  const struct strips *strips = depthwise->strips;
  depthwise->rows = depthwise->strip_count;
  for (int a = 0; a < depthwise->outer; a++) depthwise->rows *= depthwise->base.axis[a].out;
  depthwise->by_tile = depthwise->outer == 0 && depthwise->strip_count == 1;
  if (!depthwise->by_tile) return;
  depthwise->rows = 0;
  for (size_t i = 0; i < strips->run_count; i++) depthwise->rows += strips->runs[i].count;
}

/* Lanes are channels, all of a plane's in one patch after another. */
static void lay_out_channels(struct depthwise *depthwise, const struct problem *problem, const struct isa *isa) {
  const enum form form = depthwise->choice.permuted ? FORM_GROUPS : FORM_DEPTH;
  const struct choice vectors = {.form = form, .rows = depthwise->choice.columns, .vectors = 1, .turned = depthwise->choice.turned};
  design_lay_out(&depthwise->base, problem, isa, &vectors);
  depthwise->width = 1;
  depthwise->together = groups_a_vector(problem, depthwise->base.lanes);
  depthwise->vectors = problem->groups / depthwise->together;
  depthwise->last = problem->groups % depthwise->together * problem->out_channels;
}

/* Lanes are pixels: each output channel is a unit of its own. */
static void lay_out_pixels(struct depthwise *depthwise, const struct problem *problem, const struct isa *isa) {
  struct design *base = &depthwise->base;
  design_lay_out(base, problem, isa, &(struct choice){.form = FORM_PIXELS, .rows = 1, .vectors = depthwise->choice.columns});
  base->multiplier.count = problem->out_channels;
  base->multiplier.w = base->blocks[0].w_step;
  base->multiplier.b = base->blocks[0].b_step;
  base->multiplier.y = base->blocks[0].y_step;
  depthwise->width = base->lanes;
  depthwise->together = depthwise->vectors = 1;
}

void depthwise_build(struct depthwise *depthwise, const struct problem *problem, const struct isa *isa,
                     const struct patch_choice *choice) {
  *depthwise = (struct depthwise){.choice = *choice};
  (choice->pixels ? lay_out_pixels : lay_out_channels)(depthwise, problem, isa);
  const bool looped = (choice->turned || isa->orders[problem->dtype]) && problem->unroll != UNROLL_FULL;
  depthwise->spelled = looped ? 1 : problem->in_channels;
  set_axes(depthwise);
  set_strips(depthwise);
  for (size_t i = 0; i < depthwise->strips_count; i++)
    if (!add_runs(depthwise, &depthwise->strips[i])) return;
  set_units(depthwise);
}
