/* Pools as tiles. A tile is a stretch of outputs along the innermost axis, its row: the columns of inputs that their windows touch
 * are reduced over all outer axes first, in loops over live taps, then outputs are made of columns. In the form `channels` vectors
 * lie along a move, and a column is one place of the row; in the form `pixels` they lie along the row itself, a column is a vector
 * of neighbours, and shuffles bring each tap to its output's lane. A tall tile has several rows along the last outer axis. A row
 * whose windows are large is an outer axis too. Planes that are a single window each, channels first, are reduced one by one. */
#ifndef GEN_POOLING_H
#define GEN_POOLING_H
#include "isa.h"
#include "network.h"
#include "problem.h"
#include <stdbool.h>

/* Taps along the outer axes that windows have at most without a loop, and in tall tiles. */
enum { POOL_AT_ONCE = 9, POOL_TALL_TAPS = 16 };
enum { POOL_LONG_WINDOW = 8 }; /* of more taps, more than two neighbours share */

/* The live elements of one output's window along an axis, and its share of the divisor. */
struct pool_window {
  int64_t first, live, divisor;
};

struct pool_choice {
  bool pixels;
  bool planes;     /* all of a channel's elements, which are neighbours, are reduced in vectors of their own, then these */
  bool chunks;     /* all rows of some channels first: of these more rows stay near */
  bool sweep;      /* all channels of a window's pixel, then of its next: what they come to so far is kept in the outputs */
  int64_t outputs; /* of a tile; 0: the row's taps go in a loop */
  int64_t rows;    /* of a tile, where the windows of all are whole; 0, 1: a single one */
  int64_t vectors; /* of channels at once */
};

/* Neighbours that a column loads; live 0: as many as the vector of channels has. row: of a place that a tall tile reads, counted
 * from the block's first window's, where rows are held inside the input. */
struct pool_column {
  int64_t at, live, row;
};

/* Outputs in one vector: values are columns, then results of shuffles. divisors: of each lane, or one for all. */
struct pool_output {
  int64_t y, s, live; /* s: where its slope is */
  int64_t *values, value_count;
  int64_t *divisors, divisor_count;
};

struct pool_tile {
  struct pool_column *columns;
  int64_t column_count;
  bool zero; /* value column_count is zero: of lanes without such a tap */
  struct network network;
  struct pool_output *outputs;
  int64_t output_count;
  bool spills, tall_spills; /* do its columns exceed the registers; those that a tall one holds at a time? */
};

/* `count` equal tiles, the first at x and y, steps from one to the next. All lie in one band. */
struct pool_run {
  int64_t tile, band, count, x, y, b, x_step, y_step, b_step;
};

struct pooling {
  const struct problem *problem;
  struct pool_choice choice;
  struct axis axis[MAX_SPATIAL + 1]; /* folded; the last is the row */
  int64_t pad_after[MAX_SPATIAL + 1];
  int axes;
  struct move lanes;           /* along which vectors lie: of the form `pixels` the row */
  struct move move[MAX_MOVES]; /* the others */
  int moves;
  int64_t chunks;                   /* of channels */
  int64_t lane_count, whole, last;  /* channels: whole turns of choice.vectors vectors; channels left behind them */
  int64_t *divisors, divisor_count; /* the row's shares, each once */
  struct pool_tile *tiles;
  int64_t tile_count;
  struct pool_tile tall;       /* columns of a tall tile as what rows along the last outer axis make of places in the input */
  int64_t first_block, blocks; /* of tall tiles' rows: the first row, and how many blocks */
  bool held;                   /* rows beyond the input's ends are its first or last one once more: of the largest no difference */
  int64_t bands;               /* parts of a row; all rows of one come first, so that the lines that windows share stay near */
  bool far;                    /* these lines are too many for that */
  struct pool_run *runs;
  int64_t run_count;
  bool fetches;       /* pieces of pixels are read in turns from beyond the nearest cache: by loads that teach it nothing */
  const char *reason; /* why it can't be, or NULL */
};

struct pool_window pool_window(const struct pooling *pooling, int axis, int64_t o);
/* Has each window along the axis all its taps, or all of them in the divisor? */
bool pool_even(const struct pooling *pooling, int axis, bool divisor);
/* Taps along the outer axes of a window that is taken without loops over them, if they are `most`; 0: none is. */
int64_t pool_taps_at_once(const struct pooling *pooling, int64_t most);
/* Where such a tap lies, counted from the first one. */
int64_t pool_tap_place(const struct pooling *pooling, int64_t tap);
/* Chooses the rows of tall tiles. */
void pooling_add_tall(struct pooling *pooling);

/* The number of the column at this place, which is added if it is new. */
int64_t pool_column_number(struct pool_tile *tile, int64_t at, int64_t row);
struct pool_output *pool_add_output(struct pool_tile *tile, int64_t y, int64_t s, int64_t live, int64_t values, int64_t divisors);
/* Neighbouring outputs in groups begin with the columns that most of them have, in one order: these are combined once. */
void pool_share(struct pool_tile *tile);
bool pool_same_tile(const struct pool_tile *a, const struct pool_tile *b);
/* How often two vectors are combined, what outputs begin with like the one before counted once. */
int64_t pool_combinations(const struct pool_tile *tile);
/* Columns that are held at a time where each is made for the first output that needs it. */
int64_t pool_columns_at_once(const struct pool_tile *tile);
/* What a tile names: columns, results of shuffles, taps of outputs. */
int64_t pool_values(const struct pool_tile *tile);
/* The share of `lines` of pixels that leave the nearest cache before they are used: pixels of many channels share few sets. */
double pool_crowded_out(const struct pooling *pooling, double lines);
/* Folds axes and moves, and says which of them vectors lie along. */
void pooling_lay_out(struct pooling *pooling, const struct problem *problem, struct pool_choice choice, int lanes);
void pooling_build(struct pooling *pooling, const struct problem *problem, struct pool_choice choice, int lanes, int registers);
/* What the table of every pool has; it is on top of the stack. */
void pooling_push_base(lua_State *L, const struct pooling *pooling);
/* Why lanes are not shuffled on this ISA, or NULL. */
const char *pool_lanes_reason(const struct problem *problem, const struct isa *isa);
void pooling_push(lua_State *L, const struct pooling *pooling);
#endif
