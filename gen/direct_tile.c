/* Tiles of the direct algorithm: what the rows of a register tile read, tap by tap, cut into spans. Equal tiles are kept once. */
#include "direct_tile.h"
#include "mem.h"
#include "zeros.h"
#include <string.h>

/* Bounds that keep a file quick to compile; see the reasons they give. */
enum { MAX_TILES = 200 };
static const int64_t max_macs = 200000;

/* Elements that the rows of a tile at columns [column, column + width) read with tap k; returns the number of live rows. In the
 * pixels form every row reads the first column, whose neighbours follow in its vectors. */
static int64_t live_rows(const struct design *design, const struct tile *tile, int64_t column, int64_t k, int64_t *first,
                         int64_t *index) {
  const struct axis *row = &design->axis[design->rank - 1];
  int64_t count = 0;
  for (int64_t p = 0; p < tile->rows; p++) {
    const int64_t pixel = column + (design->choice.form == FORM_PIXELS ? 0 : p);
    const int64_t element = axis_source(design->problem.pad_mode, pixel * row->stride - row->pad + k * row->dilation, row->in);
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

/* ---- zeros -------------------------------------------------------------------------------------------------------------- */

/* What the multiply-adds of `tap` for row `row` of a block's tiles meet. */
static struct covered covered_by(const struct design *design, const struct block *block, int64_t panel_step, int64_t w,
                                 int64_t row) {
  const int64_t inner = design->axis[design->rank - 1].kernel;
  struct covered covered = {.channel_step = 1, .channels = design->problem.out_channels, .tap = w / panel_step, .taps = 1};
  if (!design->choice.full) {
    covered.tap_step = inner;
    for (int a = 0; a < design->rank - 1; a++) covered.taps *= design->axis[a].kernel;
  }
  if (design->choice.form == FORM_PIXELS) {
    covered.channel = block->channel + row;
    covered.channel_step = block->rows;
    covered.channels = block->count;
  } else if (design->choice.form == FORM_CHANNELS) {
    const int64_t channels = block->count * block->vectors * design->lanes, left = covered.channels - block->channel;
    covered.channel = block->channel;
    covered.channels = channels < left ? channels : left;
  }
  return covered;
}

/* Adds the rows of a tap from `row` on that meet other weights than zero, as far as they are neighbours; returns the row behind. */
static int64_t add_live(struct design *design, struct tile *tile, const struct block *block, const struct tile_tap *tap,
                        int64_t row, int64_t panel_step, struct tile_tap *live, size_t *count) {
  struct tile_tap part = {.first = row, .x = tap->x + (row - tap->first), .w = tap->w};
  const int64_t end = tap->first + tap->count;
  for (; row < end; row++, part.count++) {
    const enum zeros zeros = zeros_of(&design->problem, covered_by(design, block, panel_step, tap->w, row));
    if (zeros == ZEROS_ALL) break;
    design->tests_zeros |= zeros == ZEROS_SOME;
  }
  if (part.count > 0) live[(*count)++] = part;
  for (; row < end; row++) {
    if (zeros_of(&design->problem, covered_by(design, block, panel_step, tap->w, row)) != ZEROS_ALL) break;
    tile->left_out += tile->vectors;
  }
  return row;
}

/* The taps whose weights are not all zero. */
static struct tile_tap *without_zeros(struct design *design, struct tile *tile, const struct block *block, struct tile_tap *taps,
                                      size_t *count) {
  const int64_t panel_step = design->problem.in_channels * block->panel;
  size_t kept = 0;
  if (!design->problem.zero_weights) return taps;
  struct tile_tap *live = mem_array(*count * (size_t)tile->rows, sizeof *live);
  for (size_t i = 0; i < *count; i++)
    for (int64_t row = taps[i].first; row < taps[i].first + taps[i].count;)
      row = add_live(design, tile, block, &taps[i], row, panel_step, live, &kept);
  *count = kept;
  return live;
}

static bool same_tile(const struct tile *a, const struct tile *b) {
  if (a->rows != b->rows || a->vectors != b->vectors || a->last != b->last || a->span_count != b->span_count) return false;
  if (a->w_ahead != b->w_ahead) return false;
  if (memcmp(a->loop_w, b->loop_w, sizeof a->loop_w) != 0) return false;
  for (size_t i = 0; i < a->span_count; i++)
    if (!same_span(&a->spans[i], &b->spans[i])) return false;
  return true;
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
  design->left_out += tile->left_out;
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

int64_t make_tile(struct design *design, const struct block *block, const struct outers *outers, int64_t column, int64_t width,
                  int64_t *base) {
  const size_t mark = mem_mark();
  const struct axis *row = &design->axis[design->rank - 1];
  const bool pixels = design->choice.form == FORM_PIXELS;
  struct tile tile = {.rows = pixels ? block->rows : width, .vectors = block->vectors, .last = block->last};
  if (pixels) {
    tile.vectors = ceil_div(width, design->lanes);
    tile.last = width - (tile.vectors - 1) * design->lanes;
  }
  if (!may_look(design, tile.rows * (int64_t)outers->count, row->kernel)) return -1;
  struct tile_tap *taps = mem_array((size_t)row->kernel, sizeof *taps);
  const size_t count = row_taps(design, &tile, column, block->panel, taps, base);
  for (size_t i = 0; i < outers->count && count > 0; i++) {
    size_t live = count;
    struct tile_tap *all = shifted(taps, count, outers->items[i]);
    const struct tile_tap *list = without_zeros(design, &tile, block, all, &live);
    add_taps(design, &tile, list, live, block->panel);
  }
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
