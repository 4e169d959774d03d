/* Inside the making of a design's tiles, by file: taps of an axis (direct_taps.c), spans (direct_span.c), tiles (direct_tile.c),
 * what they fetch ahead (direct_ahead.c), rows of them (direct_rows.c). Outside, design_block is all there is. */
#ifndef GEN_DIRECT_TILE_H
#define GEN_DIRECT_TILE_H
#include "direct.h"

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

/* One tap of a tile: its live rows and where they read. */
struct tile_tap {
  int64_t first, count, *x, w;
};

/* The outer taps that a full design writes out: x and w of each. */
struct outer {
  int64_t x, w;
};
struct outers {
  struct outer *items;
  size_t count;
};

/* Never beyond INT64_MAX. */
int64_t product(int64_t a, int64_t b);
/* Counts `rows` × `taps` places that are looked at. False with the reason set when these become too many: trimming at run time is
 * for such rows. */
bool may_look(struct design *design, int64_t rows, int64_t taps);
/* Cuts an axis where the pattern of its taps changes. NULL with the reason set when there is too much border. */
struct segment *segments_of(struct design *design, const struct axis *axis, size_t *count);
/* Adds the spans of taps that lie one behind the other in w. */
void add_taps(struct design *design, struct tile *tile, const struct tile_tap *taps, size_t count, int64_t panel);
bool same_span(const struct span *a, const struct span *b);
/* Every tile of a block fetches an equal share of as many weights as the block reads in one chunk: those that come next. */
void share_weights(const struct design *design, struct block *block);
/* What a trip of the tile's loops fetches. */
void fetch_ahead(const struct design *design, const struct block *block, struct tile *tile);
/* The tile of `width` columns (pixels form: `vectors` × lanes, `last` live in the last vector) at `column`; *base is its first
 * element. */
int64_t make_tile(struct design *design, const struct block *block, const struct outers *outers, int64_t column, int64_t width,
                  int64_t *base);
#endif
