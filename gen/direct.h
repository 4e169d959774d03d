/* The direct algorithm's design of one problem on one ISA: pure geometry, made before any text. A design holds register tiles, the
 * runs of tiles that make a row of outputs, blocks of output channels, and where packed weights lie. Templates only loop over it.
 *
 * A tile computes rows × vectors accumulators. What rows and vectors are is the form:
 *   channels: rows are output pixels (x is broadcast), vectors are output channels (w is loaded)
 *   pixels:   rows are output channels (w is broadcast), vectors are neighbouring pixels (x is loaded)
 *   depth:    rows are pixels, vectors are groups of one input channel each (x and w are loaded)
 *   dot:      rows are pixels, vectors are output channels; lanes are terms of their sums, added up at the end (x and w are loaded)
 * and, laid out here for the patches of depthwise.h,
 *   groups:   vectors are the output channels of neighbouring small groups (x is loaded and permuted, w is loaded)
 * Every offset is in elements, known here: borders are tiles with fewer live rows in some spans, never a test in a loop. */
#ifndef GEN_DIRECT_H
#define GEN_DIRECT_H
#include "alg.h"
#include "axis.h"

enum form { FORM_CHANNELS, FORM_PIXELS, FORM_DEPTH, FORM_DOT, FORM_GROUPS };
enum { MAX_AXES = MAX_SPATIAL + 1, MAX_LOOPS = MAX_AXES + 6 + MAX_SPATIAL };

/* What a candidate plan decides. */
struct choice {
  enum form form;
  int64_t rows, vectors;            /* at most, of a tile */
  int64_t band;                     /* rows of outputs that all channel blocks take, in turn, before the next ones; 0: all rows */
  int64_t strip;                    /* rows of outputs whose inputs are brought together first; 0: none are */
  int64_t chunk;                    /* input channels that all rows of outputs take before the next ones; 0: all at once */
  bool full;                        /* no loop over taps or input channels */
  bool trimmed;                     /* the innermost axis is trimmed at run time, one pixel a tile, instead of peeled */
  bool ahead_w;                     /* fetches the weights of the next chunk or block meanwhile */
  bool ahead_x;                     /* fetches the input of the tile after the next meanwhile */
  bool turned;                      /* groups form: an input channel later, sums have moved on by a lane */
  bool images;                      /* rows of tiles run over images, innermost, instead of the last axis */
  bool split;                       /* inner columns in peeled tiles, those at the borders trimmed: a design each */
  int64_t from, to;                 /* columns of this design; to 0: all */
  int64_t tail;                     /* the last output channels, which a dot design computes; 0: none */
  int64_t channel_from, channel_to; /* output channels of this design; channel_to 0: all */
};

/* A stretch of multiply-add steps with the same live rows: `loop` taps × (trips × unroll + rest) steps, step i reading x at
 * x[row] + i·step_x and w at w + i·step_w. A dot's step is a vector of terms, and one more of `part` terms (0: none) is the last.
 */
struct span {
  int64_t first, count; /* live rows */
  int64_t *x;           /* one offset for each live row (pixels form: one for the tile) */
  int64_t w;
  int64_t loop, loop_x, loop_w;
  int64_t trips, unroll, rest, part, step_x, step_w;
};

struct tile {
  int64_t rows, vectors, last; /* last: live lanes of the last vector of outputs */
  struct span *spans;
  size_t span_count;
  int64_t loop_w[MAX_AXES]; /* w step of one tap of each outer axis (full: none) */
  int64_t w_ahead;          /* bytes to fetch a trip, of what its share of the next weights is */
  int64_t x_ahead, x_from;  /* bytes to fetch a trip, from so many bytes behind x */
  int64_t x_panel;          /* bytes from each vector of x to that of the next tile, which is fetched meanwhile; 0: it is not */
  int64_t macs;             /* vector multiply-adds written in its text */
  int64_t left_out;
};

/* Equal neighbouring tiles: call i reads x + i·x_step and writes y + i·y_step. first: number of the first among its row's tiles. */
struct run {
  int64_t tile, count, first, x, y, x_step, y_step;
};

/* The rows of outputs with from[a] <= o_a < to[a] on every outer axis. x: of its first live tap, from o·stride. */
struct part_case {
  int64_t from[MAX_AXES], to[MAX_AXES], x;
  bool live;
  struct run *runs;
  size_t run_count;
};

/* How a number of output channels is computed: one function in the text. */
struct block {
  int64_t rows, vectors, last; /* of its tiles: channels and dot form vectors and last, pixels form rows */
  struct part_case *cases;
  size_t case_count;
  int64_t from, count;                                /* the numbers of the channel blocks that it serves */
  int64_t channel;                                    /* the first output channel (groups, depth form: group) of the first */
  int64_t panel;                                      /* w elements of one step */
  int64_t chunk_w;                                    /* w elements of one chunk */
  int64_t tiles, share;                               /* tiles of a row; bytes of the next weights that each fetches, */
  int64_t fetched;                                    /* and of what the caller reads next */
  int64_t x, x_step, w, w_step, b, b_step, y, y_step; /* of channel block number from + i */
};

/* One copy when packing: for every index i of the loops, packed[dst + Σ i·dst] = from[src + Σ i·src], or 0 where from is NULL. */
struct box {
  const char *from;
  int64_t src, dst, turn; /* turn: of the source, for each step of the last two loops together, modulo their count */
  int loop_count;
  struct {
    int64_t count, src, dst;
  } loops[MAX_LOOPS];
};

/* A dimension of the units of work, with what one index adds to x, w, b and y. */
struct unit {
  int64_t count, x, w, b, y;
};

/* Inputs that are brought together in the workspace (direct_strip.c): rows of outputs, 0: none; pixels of each; steps in x. */
struct strip {
  int64_t rows, pixels, lane, row, channel, image;
};

struct design {
  struct problem problem; /* as lowered, its axes folded into `axis`, its input channels those of a chunk */
  int64_t chunks;
  struct axis axis[MAX_AXES];
  int rank;
  struct choice choice;
  struct strip strip;
  int64_t lanes;
  int64_t channels; /* output channels of a group that it computes */
  bool shared;      /* packs nothing: reads what the design before it packed */
  bool depthwise;   /* one input channel a group, several groups: weights are kept [multiplier, taps, groups] */
  bool w_exact;     /* w must not be read beyond a vector's live lanes (baked) */
  int64_t y_first;  /* element of the first column */
  int64_t together; /* groups form: neighbouring groups in a vector */
  int64_t x_vector, x_lane, w_row, w_vector, b_row, b_vector, y_row, y_vector, y_lane;
  const struct isa
      *places; /* whose shuffles make vectors of pixels of the vectors of channels of a tile (direct_place.c), or NULL */
  struct tile *tiles;
  size_t tile_count;
  struct block *blocks;
  size_t block_count;
  bool fetches, in_trips;                                   /* what the caller reads next: each tile a share; in its loops */
  int64_t channel_blocks, rows;                             /* units along channels and along rows (rank 1: tiles along the row) */
  struct unit batch, group, multiplier, phase[MAX_SPATIAL]; /* the other units */
  struct box *boxes;
  size_t box_count;
  struct box *baked;        /* weights, then bias, from canonical to kernel order; from NULL where it is given at run time */
  int64_t baked_w, baked_b; /* where they begin in the layer's baked arrays, behind those of the problems before */
  int64_t w_size, b_size;   /* elements; bias and slope have the same order and size */
  int64_t macs;             /* written in the text */
  int64_t left_out;         /* multiply-adds that meet zeros only */
  bool tests_zeros;         /* others meet some */
  int64_t largest;          /* macs of the largest tile */
  int64_t looks;            /* places at borders that were looked at */
  const char *reason;       /* why it can't be, or NULL */
};

/* Can inputs be brought together in strips? Rows of one for tiles of `vectors`, 0: none fits. A design's problem becomes that
 * behind its strips; elements of one; pushed as the field `strip`. */
bool strips_apply(const struct problem *problem);
int64_t strip_rows(const struct problem *problem, int64_t lanes, int64_t vectors);
void take_strips(struct design *design);
int64_t strip_elements(const struct design *design);
void design_push_strip(lua_State *L, const struct design *design);

/* Do outputs go out so, and those of a tile? Pushed as the field `places`. */
bool places_apply(const struct design *design, const struct isa *isa);
bool tile_places(const struct design *design, const struct tile *tile);
void design_push_places(lua_State *L, const struct design *design);

/* Are vectors of x made of every second element of two that lie side by side? */
static inline bool takes_even(const struct design *design, const struct isa *isa) {
  return design->x_lane == 2 && isa->evens;
}

static inline int64_t ceil_div(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}

/* Merges and drops axes: 1×1 kernels run over one long row; a trimmed design gets a last axis of one pixel, one of images theirs.
 */
void fold_axes(struct design *design);
/* Are there more images than pixels in a row of outputs, so that tiles may gain by running over them? */
bool images_apply(const struct problem *problem);
/* Axes, steps, units, blocks and packing of a design, no tiles yet. */
void design_lay_out(struct design *design, const struct problem *problem, const struct isa *isa, const struct choice *choice);
/* Builds the design of `choice`; design->reason is set where it is refused. */
void design_build(struct design *design, const struct problem *problem, const struct isa *isa, const struct choice *choice);
/* Tiles, cases and runs of a block (rows, vectors, last and panel are set). False with design->reason set. */
bool design_block(struct design *design, struct block *block);
/* Whether and how tiles fetch what the caller reads next. */
void design_next(struct design *design);
/* Packing: boxes, sizes, and the blocks' w, b offsets. */
void design_pack(struct design *design);
/* Estimated cycles; 0 where the design is refused. */
double design_cost(const struct design *design, const struct isa *isa);
int64_t design_code_bytes(const struct design *design, const struct isa *isa); /* of its largest function, about */
double either(double a, double b);                                             /* of two waits, the longer one */
double design_store_cycles(const struct design *design);                       /* of one accumulator */
int64_t design_load_bytes(const struct design *design);   /* of code, for a vector of inputs or weights, widened if need be */
int64_t design_finish_bytes(const struct design *design); /* of code, for one accumulator: residual, activation, store */
int64_t design_pack_bytes(const struct design *design);   /* of code, in NAME_pack */
int64_t design_packed(const struct design *design);       /* elements that NAME_pack fills */
/* Sets where the baked values of a problem's designs begin: behind those of `before`, a design of the problem before it, or NULL.
 */
void design_set_baked(struct design *design, const struct design *before);
/* The layer's baked values in kernel order, gathered from `count` designs, each `step` bytes after the other. */
struct baked_values design_bake(const struct design *designs, size_t count, size_t step, const struct layer *layer);
/* The designs of a plan of alg_direct. */
const struct design *direct_designs(const struct plan *plan, size_t *count);
/* Pushes the design as a Lua table, in the templates' words. */
void design_push(lua_State *L, const struct design *design);
/* Groups form: how many neighbouring groups a vector takes. */
int64_t groups_a_vector(const struct problem *problem, int64_t lanes);
/* Its parts: the first `outer` axes (below: what divides a row number besides the outputs of the axes further in), the units beside
 * rows and channel blocks, where the kernel begins, the copies of packing, a run, numbers. */
void design_push_axes(lua_State *L, const struct design *design, int outer, int64_t below);
void design_push_units(lua_State *L, const struct design *design);
void design_push_firsts(lua_State *L, const struct design *design);
/* The list `boxes` of lib/pack.t, for any template. */
void push_boxes(lua_State *L, const struct box *boxes, size_t count);
void push_run(lua_State *L, const struct run *run);
/* One dimension of the units that parts share, as the next item of the list on top of the stack. */
void push_unit(lua_State *L, const char *name, const struct unit *unit);
void push_integers(lua_State *L, const char *key, const int64_t *values, int64_t count);
const char *form_name(enum form form);
double design_row_bytes(const struct design *design); /* of input, for one row of outputs: those of an image's group, shared out */
/* Output channels (depth form: groups) that one block of tiles covers. */
int64_t block_channels(const struct design *design, const struct block *block);
#endif
