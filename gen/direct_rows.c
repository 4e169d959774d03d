/* Rows of tiles: runs of equal tiles along a row of outputs, and the cases of rows, which differ in the outer taps that are live.
 * Everything that could be a test at run time becomes a number here. */
#include "direct_tile.h"
#include "mem.h"

/* A bound that keeps a file quick to compile; see the reason it gives. */
static const int64_t max_cases = 512;

/* Appends to the last run where the tile is the same and the distances go on, else starts one. */
static void add_to_runs(struct part_case *rows, struct run next) {
  struct run *last = rows->run_count ? &rows->runs[rows->run_count - 1] : NULL;
  if (last && last->tile == next.tile) {
    const int64_t dx = next.x - (last->x + (last->count - 1) * last->x_step);
    const int64_t dy = next.y - (last->y + (last->count - 1) * last->y_step);
    const bool goes_on = last->count == 1 || (dx == last->x_step && dy == last->y_step);
    const bool fits = next.count == 1 || (dx == next.x_step && dy == next.y_step);
    if (goes_on && fits) {
      last->x_step = dx;
      last->y_step = dy;
      last->count += next.count;
      return;
    }
  }
  rows->runs = mem_grow(rows->runs, rows->run_count, sizeof next);
  rows->runs[rows->run_count++] = next;
}

/* Columns [from, to). */
struct columns {
  int64_t from, to;
};

/* `tiles` tiles over `columns`, as equal as can be: the wider first. Neighbours inside `inner`, where the same taps are live, are
 * made once. *first counts the tiles of the row. */
static bool add_tiles(struct design *design, const struct block *block, const struct outers *outers, struct part_case *rows,
                      struct columns columns, struct columns inner, int64_t tiles, int64_t *first) {
  const struct axis *row = &design->axis[design->rank - 1];
  const int64_t from = columns.from, to = columns.to;
  const int64_t width = (to - from) / tiles, wide = (to - from) % tiles;
  for (int64_t i = 0, column = from; i < tiles;) {
    const int64_t size = width + (i < wide), alike = i < wide ? wide - i : tiles - i;
    int64_t base, count = 1;
    if (column >= inner.from && column + size <= inner.to) {
      count = (inner.to - column) / size;
      if (count > alike) count = alike;
    }
    const int64_t tile = make_tile(design, block, outers, column, size, &base);
    if (tile < 0) return false;
    add_to_runs(rows, (struct run){tile, count, *first, base < 0 ? 0 : base * row->x_step, column * row->y_step,
                                   count > 1 ? size * row->stride * row->x_step : 0, count > 1 ? size * row->y_step : 0});
    *first += count;
    i += count;
    column += count * size;
  }
  return true;
}

/* Pixels form, columns with the same live taps: tiles of whole vectors, the wider first, then one with what is left. */
static bool add_stretch(struct design *design, const struct block *block, const struct outers *outers, struct part_case *rows,
                        struct columns all, int64_t *first) {
  const int64_t lanes = design->lanes, vectors = ceil_div(all.to - all.from, lanes), tiles = ceil_div(vectors, block->vectors);
  const int64_t narrow = vectors / tiles * lanes, wide = vectors % tiles;
  const int64_t rest = (all.to - all.from) % lanes ? 1 : 0; /* the last tile has a partial vector */
  const struct columns left = {all.from, all.from + wide * (narrow + lanes)};
  const struct columns middle = {left.to, left.to + (tiles - wide - rest) * narrow}, right = {middle.to, all.to};
  if (wide == 0 && rest == 0) return add_tiles(design, block, outers, rows, all, all, tiles, first);
  return (left.to == left.from || add_tiles(design, block, outers, rows, left, all, wide, first)) &&
         (middle.to == middle.from || add_tiles(design, block, outers, rows, middle, all, tiles - wide - rest, first)) &&
         (right.to == right.from || add_tiles(design, block, outers, rows, right, all, 1, first));
}

static bool add_pixel_tiles(struct design *design, const struct block *block, const struct outers *outers, struct part_case *rows) {
  int64_t first = 0;
  size_t count;
  const struct segment *list = segments_of(design, &design->axis[design->rank - 1], &count);
  for (size_t i = 0; list && i < count; i++)
    if (!add_stretch(design, block, outers, rows, (struct columns){list[i].from, list[i].to}, &first)) return false;
  return list != NULL;
}

static bool add_rows(struct design *design, struct block *block, const struct outers *outers, struct part_case *rows) {
  const struct axis *row = &design->axis[design->rank - 1];
  struct columns inner;
  int64_t first = 0;
  if (design->choice.form == FORM_PIXELS) return add_pixel_tiles(design, block, outers, rows);
  axis_interior(row, &inner.from, &inner.to);
  const int64_t border = row->out - (inner.to - inner.from);
  return may_look(design, border, row->kernel) &&
         add_tiles(design, block, outers, rows, (struct columns){0, row->out}, inner, ceil_div(row->out, block->rows), &first);
}

/* ---- cases --------------------------------------------------------------------------------------------------------- */

/* Every combination of live outer taps of a full design, and the x of the first: kernel order, innermost tap last. */
static struct outers combine(const struct design *design, const struct block *block, const struct segment *at, int64_t *x) {
  struct outers result = {.items = mem_array(1, sizeof(struct outer)), .count = 1};
  int64_t step = design->axis[design->rank - 1].kernel * design->problem.in_channels * block->panel;
  *x = 0;
  for (int a = design->rank - 2; a >= 0; a--) {
    const struct segment *segment = &at[a];
    struct outers longer = {.items = mem_array(result.count * (size_t)segment->count, sizeof(struct outer))};
    int64_t least = segment->count ? segment->taps[0].index : 0;
    for (int64_t t = 1; t < segment->count; t++)
      if (segment->taps[t].index < least) least = segment->taps[t].index;
    for (int64_t t = 0; t < segment->count; t++)
      for (size_t i = 0; i < result.count; i++)
        longer.items[longer.count++] = (struct outer){result.items[i].x + (segment->taps[t].index - least) * design->axis[a].x_step,
                                                      result.items[i].w + segment->taps[t].k * step};
    *x += least * design->axis[a].x_step;
    step *= design->axis[a].kernel;
    result = longer;
  }
  return result;
}

static struct part_case *new_case(struct block *block) {
  block->cases = mem_grow(block->cases, block->case_count, sizeof *block->cases);
  struct part_case *made = &block->cases[block->case_count++];
  *made = (struct part_case){.live = true};
  return made;
}

/* Not full: one case, whose outer taps are trimmed at run time. */
static bool single_case(struct design *design, struct block *block) {
  struct outer none = {0, 0};
  const struct outers outers = {&none, 1};
  struct part_case *rows = new_case(block);
  for (int a = 0; a < design->rank - 1; a++) rows->to[a] = design->axis[a].out;
  return add_rows(design, block, &outers, rows);
}

/* Counts `number` on by one, the last axis fastest; false when it is through. */
static bool count_on(size_t *number, const size_t *counts, int axes) {
  for (int a = axes - 1; a >= 0; a--) {
    if (++number[a] < counts[a]) return true;
    number[a] = 0;
  }
  return false;
}

/* Full: a case for every combination of segments of the outer axes. */
static bool full_cases(struct design *design, struct block *block) {
  const int axes = design->rank - 1;
  struct segment *lists[MAX_AXES] = {NULL};
  size_t counts[MAX_AXES] = {0};
  int64_t total = 1;
  for (int a = 0; a < axes; a++) {
    lists[a] = segments_of(design, &design->axis[a], &counts[a]);
    if (!lists[a]) return false;
    total = product(total, (int64_t)counts[a]);
  }
  if (total > max_cases) {
    design->reason = mem_text("its rows differ in %lld ways, at most %lld are written", (long long)total, (long long)max_cases);
    return false;
  }
  size_t number[MAX_AXES] = {0}; /* of the segment on each axis */
  do {
    struct part_case *rows = new_case(block);
    struct segment at[MAX_AXES] = {0};
    for (int a = 0; a < axes; a++) {
      at[a] = lists[a][number[a]];
      rows->from[a] = at[a].from;
      rows->to[a] = at[a].to;
      if (at[a].count == 0) rows->live = false;
    }
    const struct outers outers = combine(design, block, at, &rows->x);
    if (!add_rows(design, block, &outers, rows)) return false;
  } while (count_on(number, counts, axes));
  return true;
}

bool design_block(struct design *design, struct block *block) {
  if (design->choice.ahead_w) share_weights(design, block);
  return design->choice.full ? full_cases(design, block) : single_case(design, block);
}
