/* Geometry of the direct algorithm: which taps are live where, tiles made of spans, runs of equal tiles along a row, and the cases
 * of rows. Everything that could be a test at run time becomes a number here. */
#include "direct.h"
#include "mem.h"
#include <stdlib.h>
#include <string.h>

/* Bounds that keep a design quick to make and a file quick to compile; see the reasons they give. */
enum { MAX_TILES = 200 };
static const int64_t max_macs = 200000, max_looks = 1000000, max_cases = 512;

/* One live tap of an axis: its number and the element it reads, from output·stride. */
struct tap {
  int64_t k, index;
};

/* Rows of outputs with equal taps on one outer axis. */
struct segment {
  int64_t from, to;
  struct tap *taps;
  int64_t count;
};

/* The element that position i of a padded row holds, -1 for a zero. Reflect and circular pads are at most one row long. */
static int64_t source(enum cs_pad_mode mode, int64_t i, int64_t size) {
  if (i >= 0 && i < size) return i;
  switch (mode) {
  case CS_REFLECT:
    return i < 0 ? -i : 2 * (size - 1) - i;
  case CS_REPLICATE:
    return i < 0 ? 0 : size - 1;
  case CS_CIRCULAR:
    return i < 0 ? i + size : i - size;
  default:
    return -1;
  }
}

void axis_interior(const struct axis *axis, int64_t *from, int64_t *to) {
  const int64_t reach = (axis->kernel - 1) * axis->dilation;
  const int64_t last = axis->in - 1 - reach + axis->pad;
  *from = axis->pad > 0 ? (axis->pad + axis->stride - 1) / axis->stride : 0;
  *to = last < 0 ? 0 : last / axis->stride + 1;
  if (*to > axis->out) *to = axis->out;
  if (*from > *to) *from = *to = axis->out;
}

static int64_t taps_of(const struct design *design, const struct axis *axis, int64_t output, struct tap *taps) {
  int64_t count = 0;
  for (int64_t k = 0; k < axis->kernel; k++) {
    const int64_t at = output * axis->stride - axis->pad + k * axis->dilation;
    const int64_t index = source(design->problem.pad_mode, at, axis->in);
    if (index >= 0) taps[count++] = (struct tap){k, index - output * axis->stride};
  }
  return count;
}

static int64_t product(int64_t a, int64_t b) {
  return a > INT64_MAX / b ? INT64_MAX : a * b;
}

/* Counts `rows` × `taps` places that are looked at. False with the reason set when these become too many: trimming at run time is
 * for such rows. */
static bool may_look(struct design *design, int64_t rows, int64_t taps) {
  const int64_t more = product(rows, taps);
  design->looks = more > INT64_MAX - design->looks ? INT64_MAX : design->looks + more;
  if (design->looks <= max_looks) return true;
  design->reason =
      mem_text("its borders have %lld places to look at, at most %lld are", (long long)design->looks, (long long)max_looks);
  return false;
}

/* Cuts an axis where the pattern of its taps changes. NULL with the reason set when there is too much border. */
static struct segment *segments_of(struct design *design, const struct axis *axis, size_t *count) {
  int64_t inner, end;
  axis_interior(axis, &inner, &end);
  if (!may_look(design, axis->out - (end - inner) + 1, axis->kernel)) return NULL;
  struct segment *list = NULL;
  struct tap *taps = mem_array((size_t)axis->kernel, sizeof *taps);
  *count = 0;
  for (int64_t o = 0; o < axis->out; o++) {
    struct segment next = {.from = o, .taps = taps, .count = taps_of(design, axis, o, taps)};
    if (o == inner && end > inner) o = end - 1; /* all alike */
    next.to = o + 1;
    struct segment *before = *count ? &list[*count - 1] : NULL;
    if (before && before->count == next.count && memcmp(before->taps, next.taps, (size_t)next.count * sizeof *taps) == 0) {
      before->to = next.to;
      continue;
    }
    list = mem_grow(list, *count, sizeof *list);
    list[(*count)++] = next;
    taps = mem_array((size_t)axis->kernel, sizeof *taps);
  }
  return list;
}

/* ---- spans -------------------------------------------------------------------------------------------------------- */

/* One tap of a tile: its live rows and where they read. */
struct tile_tap {
  int64_t first, count, *x, w;
};

/* b follows a at a constant distance in x and w. */
static bool follows(const struct tile_tap *a, const struct tile_tap *b, int64_t dx, int64_t dw) {
  if (a->first != b->first || a->count != b->count || b->w - a->w != dw) return false;
  for (int64_t i = 0; i < a->count; i++)
    if (b->x[i] - a->x[i] != dx) return false;
  return true;
}

static int64_t run_length(const struct tile_tap *taps, size_t count, int64_t *dx, int64_t *dw) {
  *dx = *dw = 0;
  if (count < 2) return 1;
  *dx = taps[1].x[0] - taps[0].x[0];
  *dw = taps[1].w - taps[0].w;
  size_t length = 1;
  while (length < count && follows(&taps[length - 1], &taps[length], *dx, *dw)) length++;
  return (int64_t)length;
}

/* How `steps` steps are written: all of them, or a loop with an unrolled body. */
static void set_steps(struct span *span, const struct design *design, int64_t steps) {
  const enum unroll unroll = design->problem.unroll;
  if (design->choice.full || design->choice.form == FORM_GROUPS || steps == 0 || (unroll == UNROLL_AUTO && steps <= 8)) {
    span->trips = 1;
    span->unroll = steps;
    return;
  }
  span->unroll = unroll == UNROLL_NONE ? 1 : steps % 2 && steps % 3 == 0 ? 3 : 2;
  span->trips = steps / span->unroll;
  span->rest = steps % span->unroll;
}

static void add_span(struct tile *tile, struct span span) {
  tile->spans = mem_grow(tile->spans, tile->span_count, sizeof span);
  tile->spans[tile->span_count++] = span;
  tile->macs += span.count * tile->vectors * (span.unroll + span.rest + (span.part > 0));
}

/* Taps at equal distances: one contiguous stretch of taps × channels where memory allows, a loop over taps where there are many,
 * else a span each. */
static void add_run(struct design *design, struct tile *tile, const struct tile_tap *taps, int64_t length, int64_t dx, int64_t dw,
                    int64_t panel) {
  const int64_t channels = design->problem.in_channels, step_x = design->problem.x_channel;
  const int64_t width = design->choice.form == FORM_DOT ? design->lanes : 1; /* terms of a step */
  const bool swept = design->choice.form == FORM_GROUPS;                     /* taps by themselves: sweeps take them together */
  const bool merged = !swept && dx == channels * step_x && dw == channels * panel;
  const bool looped = !swept && !design->choice.full && (design->problem.unroll == UNROLL_NONE || length > 8);
  const int64_t together = merged || looped ? length : 1;
  for (int64_t i = 0; i < length; i += together) {
    struct span span = {.first = taps[i].first, .count = taps[i].count, .x = taps[i].x, .w = taps[i].w, .loop = 1};
    const int64_t terms = merged ? length * channels : channels;
    if (!merged && looped) span.loop = length, span.loop_x = dx, span.loop_w = dw;
    span.part = terms % width;
    span.step_x = width * step_x;
    span.step_w = width * panel;
    set_steps(&span, design, terms / width);
    add_span(tile, span);
  }
}

static void add_taps(struct design *design, struct tile *tile, const struct tile_tap *taps, size_t count, int64_t panel) {
  for (size_t i = 0; i < count;) {
    int64_t dx, dw;
    const int64_t length = run_length(taps + i, count - i, &dx, &dw);
    add_run(design, tile, taps + i, length, dx, dw, panel);
    i += (size_t)length;
  }
}

/* ---- tiles -------------------------------------------------------------------------------------------------------- */

/* The outer taps that a full design writes out: x and w of each. */
struct outer {
  int64_t x, w;
};
struct outers {
  struct outer *items;
  size_t count;
};

/* Elements that the rows of a tile at columns [column, column + width) read with tap k; returns the number of live rows. In the
 * pixels form every row reads the first column, whose neighbours follow in its vectors. */
static int64_t live_rows(const struct design *design, const struct tile *tile, int64_t column, int64_t k, int64_t *first,
                         int64_t *index) {
  const struct axis *row = &design->axis[design->rank - 1];
  int64_t count = 0;
  for (int64_t p = 0; p < tile->rows; p++) {
    const int64_t pixel = column + (design->choice.form == FORM_PIXELS ? 0 : p);
    const int64_t element = source(design->problem.pad_mode, pixel * row->stride - row->pad + k * row->dilation, row->in);
    if (element < 0) continue;
    if (count == 0) *first = p;
    index[count++] = element;
  }
  return count;
}

/* Taps of the row for a tile, reading from `*base`, the smallest element that any of them reads (-1: none is live). */
static size_t row_taps(const struct design *design, const struct tile *tile, int64_t column, int64_t panel, struct tile_tap *taps,
                       int64_t *base) {
  const struct axis *row = &design->axis[design->rank - 1];
  size_t count = 0;
  *base = -1;
  for (int64_t k = 0; k < row->kernel; k++) {
    struct tile_tap tap = {.x = mem_array((size_t)tile->rows, sizeof(int64_t)), .w = k * design->problem.in_channels * panel};
    tap.count = live_rows(design, tile, column, k, &tap.first, tap.x);
    if (tap.count == 0) continue;
    for (int64_t i = 0; i < tap.count; i++)
      if (*base < 0 || tap.x[i] < *base) *base = tap.x[i];
    taps[count++] = tap;
  }
  for (size_t i = 0; i < count; i++)
    for (int64_t p = 0; p < taps[i].count; p++) taps[i].x[p] = (taps[i].x[p] - *base) * row->x_step;
  return count;
}

/* The row's taps shifted to one outer tap. */
static struct tile_tap *shifted(const struct tile_tap *taps, size_t count, struct outer outer) {
  struct tile_tap *result = mem_array(count, sizeof *result);
  for (size_t i = 0; i < count; i++) {
    result[i] = taps[i];
    result[i].w += outer.w;
    result[i].x = mem_array((size_t)taps[i].count, sizeof(int64_t));
    for (int64_t p = 0; p < taps[i].count; p++) result[i].x[p] = taps[i].x[p] + outer.x;
  }
  return result;
}

static bool same_span(const struct span *a, const struct span *b) {
  return a->first == b->first && a->count == b->count && a->w == b->w && a->loop == b->loop && a->loop_x == b->loop_x &&
         a->loop_w == b->loop_w && a->trips == b->trips && a->unroll == b->unroll && a->rest == b->rest && a->part == b->part &&
         a->step_x == b->step_x && a->step_w == b->step_w && memcmp(a->x, b->x, (size_t)a->count * sizeof(int64_t)) == 0;
}

static bool same_tile(const struct tile *a, const struct tile *b) {
  if (a->rows != b->rows || a->vectors != b->vectors || a->last != b->last || a->span_count != b->span_count) return false;
  if (a->w_ahead != b->w_ahead) return false;
  if (memcmp(a->loop_w, b->loop_w, sizeof a->loop_w) != 0) return false;
  for (size_t i = 0; i < a->span_count; i++)
    if (!same_span(&a->spans[i], &b->spans[i])) return false;
  return true;
}

/* ---- what tiles fetch ahead ---------------------------------------------------------------------------------------- */

static int64_t ceil_div(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}

/* Trips of the loops over input channels, all outer taps live. */
static int64_t trips_of(const struct design *design, const struct tile *tile) {
  int64_t trips = 0;
  for (size_t i = 0; i < tile->span_count; i++)
    if (tile->spans[i].trips > 1) trips += tile->spans[i].loop * tile->spans[i].trips;
  for (int a = 0; a < design->rank - 1; a++) trips *= design->axis[a].kernel;
  return trips;
}

/* Every tile of a block fetches an equal share of as many weights as the block reads in one chunk: those that come next. */
static void share_weights(const struct design *design, struct block *block) {
  const struct axis *row = &design->axis[design->rank - 1];
  int64_t tiles = block->tiles = ceil_div(row->out, block->rows);
  for (int a = 0; a < design->rank - 1; a++) tiles *= design->axis[a].out;
  block->share = ceil_div(block->chunk_w * (int64_t)cs_size(design->problem.dtype), tiles);
}

static bool pointwise_row(const struct design *design) {
  return design->rank == 1 && design->axis[0].kernel == 1 && design->axis[0].stride == 1;
}

/* Do tiles read one stretch of memory after the other? */
static bool streams_pixels(const struct design *design) {
  return design->choice.form == FORM_CHANNELS && pointwise_row(design) && design->problem.x_channel == 1 &&
         design->axis[0].x_step == design->problem.in_channels;
}

/* Do tiles read panels of vectors, each beside the one before in every channel's plane? */
static bool streams_panels(const struct design *design) {
  return design->choice.form == FORM_PIXELS && pointwise_row(design) && design->x_lane == 1;
}

static void fetch_ahead(const struct design *design, const struct block *block, struct tile *tile) {
  const int64_t trips = trips_of(design, tile), size = (int64_t)cs_size(design->problem.dtype);
  const int64_t pixels = tile->rows * design->axis[design->rank - 1].x_step * size;
  if (trips == 0) return;
  if (design->choice.ahead_w) tile->w_ahead = ceil_div(block->share, trips);
  if (design->choice.ahead_x && streams_pixels(design)) tile->x_ahead = ceil_div(pixels, trips);
  if (design->choice.ahead_x && streams_panels(design)) tile->x_panel = tile->vectors * design->lanes * size;
  tile->x_from = 2 * pixels;
}

/* Why a design cannot have one more tile, with its multiply-adds counted, or NULL. */
static const char *too_much_text(const struct design *design) {
  if (design->tile_count == MAX_TILES)
    return mem_text("it needs %zu different tiles or more, at most %d are written", design->tile_count + 1, MAX_TILES);
  if (design->macs > max_macs)
    return mem_text("it needs %lld multiply-adds or more in the text, at most %lld are written", (long long)design->macs,
                    (long long)max_macs);
  return NULL;
}

/* Adds a new tile; -1 with the reason set when the text would become too large. */
static int64_t keep_tile(struct design *design, struct tile *tile) {
  design->macs += tile->macs;
  if (tile->macs > design->largest) design->largest = tile->macs;
  design->reason = too_much_text(design);
  if (design->reason) return -1;
  design->tiles = mem_grow(design->tiles, design->tile_count, sizeof *tile);
  design->tiles[design->tile_count] = *tile;
  return (int64_t)design->tile_count++;
}

static int64_t find_tile(const struct design *design, const struct tile *tile) {
  for (size_t i = 0; i < design->tile_count; i++)
    if (same_tile(&design->tiles[i], tile)) return (int64_t)i;
  return -1;
}

/* The tile of `width` columns (pixels form: `vectors` × lanes, `last` live in the last vector) at `column`; *base is its first
 * element. */
static int64_t make_tile(struct design *design, const struct block *block, const struct outers *outers, int64_t column,
                         int64_t width, int64_t *base) {
  const size_t mark = mem_mark();
  const struct axis *row = &design->axis[design->rank - 1];
  const bool pixels = design->choice.form == FORM_PIXELS;
  struct tile tile = {.rows = pixels ? block->rows : width, .vectors = block->vectors, .last = block->last};
  if (pixels) {
    tile.vectors = (width + design->lanes - 1) / design->lanes;
    tile.last = width - (tile.vectors - 1) * design->lanes;
  }
  if (!may_look(design, tile.rows * (int64_t)outers->count, row->kernel)) return -1;
  struct tile_tap *taps = mem_array((size_t)row->kernel, sizeof *taps);
  const size_t count = row_taps(design, &tile, column, block->panel, taps, base);
  for (size_t i = 0; i < outers->count && count > 0; i++)
    add_taps(design, &tile, shifted(taps, count, outers->items[i]), count, block->panel);
  int64_t step = row->kernel * design->problem.in_channels * block->panel;
  for (int a = design->rank - 2; a >= 0 && !design->choice.full; a--) {
    tile.loop_w[a] = step;
    step *= design->axis[a].kernel;
  }
  fetch_ahead(design, block, &tile);
  const int64_t known = find_tile(design, &tile);
  if (known < 0) return keep_tile(design, &tile);
  mem_release(mark);
  return known;
}

/* ---- rows of tiles ------------------------------------------------------------------------------------------------- */

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
static struct outers combine(const struct design *design, const struct block *block, const struct segment *const *at, int64_t *x) {
  struct outers result = {.items = mem_array(1, sizeof(struct outer)), .count = 1};
  int64_t step = design->axis[design->rank - 1].kernel * design->problem.in_channels * block->panel;
  *x = 0;
  for (int a = design->rank - 2; a >= 0; a--) {
    const struct segment *segment = at[a];
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

/* Full: a case for every combination of segments of the outer axes. */
static bool full_cases(struct design *design, struct block *block) {
  struct segment *lists[MAX_AXES] = {NULL};
  size_t counts[MAX_AXES] = {0};
  int64_t total = 1;
  for (int a = 0; a < design->rank - 1; a++) {
    lists[a] = segments_of(design, &design->axis[a], &counts[a]);
    if (!lists[a]) return false;
    total = product(total, (int64_t)counts[a]);
  }
  if (total > max_cases) {
    design->reason = mem_text("its rows differ in %lld ways, at most %lld are written", (long long)total, (long long)max_cases);
    return false;
  }
  for (int64_t i = 0; i < total; i++) {
    struct part_case *rows = new_case(block);
    const struct segment *at[MAX_AXES] = {NULL};
    size_t rest = (size_t)i;
    for (int a = design->rank - 2; a >= 0; a--) {
      at[a] = &lists[a][rest % counts[a]];
      rest /= counts[a];
      rows->from[a] = at[a]->from;
      rows->to[a] = at[a]->to;
      if (at[a]->count == 0) rows->live = false;
    }
    const struct outers outers = combine(design, block, at, &rows->x);
    if (!add_rows(design, block, &outers, rows)) return false;
  }
  return true;
}

bool design_block(struct design *design, struct block *block) {
  if (design->choice.ahead_w) share_weights(design, block);
  return design->choice.full ? full_cases(design, block) : single_case(design, block);
}
