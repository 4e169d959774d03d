/* Convolutions of f32 and bf16 on tile registers that multiply bf16: every number is the exact sum of planes of eight bits each,
 * and a product of two numbers the sum of products of their planes. A number of bf16 is one plane.
 *
 * A block is some rows of outputs. The inputs that it reads are split into planes in the workspace, each pixel's channels one
 * behind the other, so that for every tap the pixels of neighbouring outputs are rows at one distance: a tile is any PLANE_ROWS of
 * them, counted through the rows of outputs and the gaps between these. Strides and dilations only choose which places there are:
 * an axis has phases of every stride-th input, and each tap is a place further on in one of them. Where pixels have few channels,
 * those under all taps along a row are a place of their own for each output: its terms lie side by side in the input, zeros beyond
 * it.
 *
 * What the planes leave out of a product, and what tiles flush to zero, needs a guard: a block that has an input outside the
 * guard's range, or whose weights have one, is computed by a direct kernel instead, which every such plan carries. */
#ifndef GEN_PLANES_H
#define GEN_PLANES_H
#include "direct.h"

/* Channels of a pixel that fill enough of a tile. */
enum { PLANE_LEAST = 16 };

/* Of a tile: its rows; the terms of a sum that one multiplication adds to each of its elements; its columns. Tiles of sums and of
 * operands that one step holds along pixels and along channels. */
enum { PLANE_ROWS = 16, PLANE_TERMS = 32, PLANE_COLUMNS = 16, PLANE_PAIR = 2, PLANE_BYTES = 64, VERDICT_ELEMENTS = 16 };

/* The guard: numbers are 0 or from 2^-GUARD_EXPONENT up to 2^GUARD_EXPONENT. */
enum { GUARD_EXPONENT = 40 };

/* A run of places of a row in the workspace: input `from` and every `step`-th, or zeros where from is negative. Of joined taps
 * `live` are there, behind `skip` zeros; where these are not all, the run is one place. */
struct place_run {
  int64_t at, count, from, step, skip, live;
};

/* The places of one axis that a block holds: `phases` times `extent`; place i of phase p is input first[p] + i·stride, from where
 * the first output of the block begins. */
struct places {
  int64_t outputs, extent, phases;
  int64_t *first;                 /* one a phase */
  int64_t *tap_phase, *tap_place; /* one a tap */
};

enum { ALL_PLANES = 3, UPPER_PLANES = 2, BF16_PLANES = 1 }; /* of a number: all, or the upper ones; all of one in bf16 */

/* How tiles lie: one behind the other through the gaps between rows of outputs; without gaps, since each tap along a row has places
 * of its own, one an output; or along a row and down a column, so that they end with these; or the first of these, all channels of
 * two tiles in turn. */
enum plane_way { WAY_THROUGH, WAY_APART, WAY_CUT, WAY_ACROSS };

/* One problem. Its phases take the same inputs: they are as many times its output channels, which lie elsewhere. */
struct planes {
  struct problem problem; /* its axes folded, rows and columns the last two */
  int64_t joined;         /* neighbouring columns whose channels are those of one place: taps in place of channels */
  int64_t count;          /* of planes */
  int64_t rows;           /* of a block */
  int64_t chunk;          /* steps of a pixel's channels that the workspace holds at a time; all of them at least: all */
  enum plane_way way;
  struct places places[MAX_SPATIAL]; /* one an axis */
  int64_t pixels;                    /* that the workspace holds */
  int64_t pixel_bytes;
  int64_t steps; /* of terms that a pixel's channels fill */
  int64_t phases;
  int64_t panels; /* of a phase's channels, PLANE_PAIR tiles each */
  int64_t taps;
};

/* All problems of a layer. */
struct planes_plan {
  struct planes *kernels; /* one a problem */
  size_t count;
  struct plan direct; /* what computes the blocks that the guard refuses */
};

/* Where a pixel has few channels, makes the taps along the innermost axis, which lie side by side, channels too. Returns of how
 * many taps; 1: none. */
int64_t planes_join(struct problem *problem);
/* Folds the problem's axes and lays a block of `rows` rows out. */
void planes_fold(struct problem *problem);
/* Bytes of a pixel of `steps` steps in `count` planes. */
int64_t planes_pixel(int64_t steps, int64_t count);
/* Works out what follows from the rows of a block, its chunks and its places. */
void planes_lay_out(struct planes *planes);
int64_t planes_passes(const struct planes *planes); /* chunks of a block */
/* Positions of `rows` rows of outputs, gaps between them counted. */
int64_t planes_positions(const struct planes *planes, int64_t rows);
int64_t planes_tap(const struct planes *planes, int64_t tap); /* pixels from the first tap of an output to this one */
/* Runs of a row of places of phase `phase` on the innermost axis. */
struct place_run *planes_runs(const struct planes *planes, int64_t phase, size_t *count);
int64_t planes_steps(const struct problem *problem); /* of terms that a pixel's channels fill */
/* May taps of an axis be left out of a tile where they are beyond the input for all of it? */
bool planes_trimmed(const struct planes *planes, int a);
double planes_live(const struct planes *planes, int a); /* the share of an axis' taps that tiles have, on average */
int64_t planes_blocks(const struct planes *planes);
int64_t planes_pairs(const struct planes *planes, int64_t rows, int64_t *single); /* of tiles, of which some are single */
int64_t planes_sums(const struct planes *planes);                                 /* bytes of sums that the workspace keeps */
/* Is a block one run of whole steps of channels, which another block follows? Such runs are split while tiles multiply those before
 * them: so many terms for each step of tiles; 0: not. */
int64_t planes_ahead(const struct planes *planes);
int64_t planes_phase(const struct planes *planes);     /* elements of f32 that the packed weights of a group's phase take */
int64_t planes_group(const struct planes *planes);     /* of all its phases */
int64_t planes_packed(const struct planes *planes);    /* elements of f32 */
int64_t planes_workspace(const struct planes *planes); /* bytes */
/* Roundings of a sum of `channels` · `taps` products in all planes, and those that the products left out amount to. */
int64_t planes_roundings(int64_t taps, int64_t channels);
/* The cheapest direct plan for what tiles leave of folded problems; id NULL: there is none. */
struct plan planes_fallback(const struct problem *problems, size_t count, const struct isa *isa);
void planes_push_products(lua_State *L, int64_t count); /* of planes: the field `products` */
double planes_cost(const struct planes *planes);
/* Pushes one kernel, the planes of whose baked weights begin at byte `baked` of the array. */
void planes_push(lua_State *L, const struct planes *planes, int64_t baked);
/* planes_bake.c: the planes of baked weights, planes_baked bytes of them; are all of these weights within the guard's range? */
int64_t planes_baked(const struct planes *planes);
void planes_bake(const struct planes *planes, uint16_t *to);
bool planes_guarded(const struct problem *problem);
/* The planes of a value, `step` numbers apart; which number of a row of tiles belongs to a column and a term of a step. */
void planes_split(float value, uint16_t *to, int64_t step, int64_t count);
int64_t planes_place(int64_t column, int64_t term);
#endif
