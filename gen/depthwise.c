/* A whole depthwise kernel from a choice: strips of rows, the patches along each, and what it will take. */
#include "depthwise.h"
#include "mem.h"

/* The tall axis of patches with a single row. */
static const struct axis single = {.in = 1, .out = 1, .kernel = 1, .stride = 1, .dilation = 1};

int64_t patch_registers(const struct axis *row, int64_t taps, const struct patch_choice *choice) {
  /* what spreads an input over its members takes two: which lanes, and the input as it was loaded */
  const int64_t sums = choice->rows * choice->columns + (choice->members > 1 ? 2 : 0);
  if (choice->held) return sums + taps + 1;
  /* inputs wait until no later tap reads them: with a stride, those between the columns too */
  const int64_t reach = row->kernel > 1 ? (row->kernel - 1) * row->dilation : 0;
  const int64_t between = row->stride - 1 < reach ? row->stride - 1 : reach;
  return sums + choice->columns + between * (choice->columns - 1) + 1;
}

struct problem depthwise_problem(const struct problem *problem, int64_t *members) {
  struct problem flat = *problem;
  *members = problem->out_channels;
  flat.groups *= problem->out_channels;
  flat.out_channels = 1;
  flat.w_group = problem->w_out;
  flat.y_group = problem->y_channel;
  flat.b_group = problem->b_out;
  return flat;
}

static void set_axes(struct depthwise *depthwise) {
  depthwise->outer = depthwise->base.rank - 1;
  depthwise->row = depthwise->base.axis[depthwise->outer];
  depthwise->tall = depthwise->choice.rows > 1 ? depthwise->base.axis[--depthwise->outer] : single;
}

/* As equal in height as can be: the higher ones first. */
static void set_strips(struct depthwise *depthwise) {
  const int64_t out = depthwise->tall.out, count = ceil_div(out, depthwise->choice.rows);
  const int64_t rows = ceil_div(out, count), high = out - count * (rows - 1);
  depthwise->strip_count = count;
  depthwise->strips[0] = (struct strips){.to = high, .rows = rows};
  depthwise->strips[1] = (struct strips){.from = high, .to = count, .rows = rows - 1};
  depthwise->strips_count = high < count ? 2 : 1;
}

/* A run of `count` patches. */
static bool add_patches(struct depthwise *depthwise, struct strips *strips, int64_t column, int64_t columns, int64_t count) {
  const struct axis *row = &depthwise->row;
  int64_t base;
  struct run next = {.count = count, .y = column * row->y_step};
  next.tile = depthwise_patch(depthwise, strips, column, columns, &base);
  if (next.tile < 0) return false;
  next.x = base < 0 ? 0 : base * row->x_step;
  if (strips->run_count) next.first = strips->runs[strips->run_count - 1].first + strips->runs[strips->run_count - 1].count;
  if (count > 1) next.x_step = columns * row->stride * row->x_step, next.y_step = columns * row->y_step;
  strips->runs = mem_grow(strips->runs, strips->run_count, sizeof next);
  strips->runs[strips->run_count++] = next;
  return true;
}

/* Patches along a strip, as equal as can be, the wider first. Neighbours whose taps are all live are one run. */
static bool add_runs(struct depthwise *depthwise, struct strips *strips) {
  const int64_t out = depthwise->row.out, tiles = ceil_div(out, depthwise->choice.columns), wide = out % tiles;
  int64_t from, to, column = 0, count;
  axis_interior(&depthwise->row, &from, &to);
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

void depthwise_build(struct depthwise *depthwise, const struct problem *problem, const struct isa *isa,
                     const struct patch_choice *choice) {
  const struct choice vectors = {.form = FORM_DEPTH, .rows = choice->columns, .vectors = 1};
  *depthwise = (struct depthwise){.choice = *choice};
  const struct problem flat = depthwise_problem(problem, &depthwise->choice.members);
  design_lay_out(&depthwise->base, &flat, isa, &vectors);
  depthwise->vectors = flat.groups / depthwise->base.lanes;
  depthwise->last = flat.groups % depthwise->base.lanes;
  set_axes(depthwise);
  set_strips(depthwise);
  for (size_t i = 0; i < depthwise->strips_count; i++)
    if (!add_runs(depthwise, &depthwise->strips[i])) return;
  set_units(depthwise);
}
