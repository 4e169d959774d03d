/* Pools whose outputs lie as their inputs do, planes of neighbours one after the other: some planes are one stretch of elements,
 * cut into vectors whatever the rows' length. A column is a vector of the stretch with what windows have along all axes but the
 * row: loads further on or back, of which lanes take part whose place is inside their plane. Shuffles of columns bring the row's
 * taps to each output's lane. Where a window has no such tap, its own place is taken once more, or of a mean zero. */
#ifndef GEN_STRETCH_H
#define GEN_STRETCH_H
#include "isa.h"
#include "network.h"
#include "problem.h"

/* A load at `at` beside a column's own: its lanes [from, to) lie in the stretch; `lanes`: of the column and of it, counted through
 * both, or NULL where all are its own. */
struct stretch_place {
  int64_t at, from, to, *lanes;
};

struct stretch_column {
  int64_t at, live;
  struct stretch_place *places;
  int64_t place_count;
};

/* values: columns, zero, results of shuffles; divisors: of each lane, or one for all. */
struct stretch_output {
  int64_t *values, value_count;
  int64_t *divisors, divisor_count;
};

/* Some planes: as many outputs as columns, at the same places. */
struct stretch_tile {
  struct stretch_column *columns;
  struct stretch_output *outputs;
  int64_t column_count;
  struct network network; /* of columns and zero */
  int64_t blends;         /* steps of it whose lanes stay in their places */
};

struct stretch {
  const struct problem *problem;
  int64_t lanes, plane;        /* elements of a plane */
  bool patches;                /* shuffles that move all lanes alike take fewer instructions; a blend is left for borders */
  int64_t planes, whole, rest; /* of a tile; such tiles; planes left behind them */
  struct stretch_tile tiles[2];
  int tile_count;
};

/* Why the problem is none of these on this ISA, or tiles of so many planes are not made; or NULL. */
const char *stretch_reason(const struct problem *problem, const struct isa *isa, int64_t planes);
void stretch_build(struct stretch *stretch, const struct problem *problem, const struct isa *isa, int64_t planes);
/* Is a tile of the largest made as if there were no NaN, and once more where one, or infinity, was among its inputs? */
bool stretch_watched(const struct problem *problem);
/* Values that outputs are made of, and loads beside the columns' own, in the tile. */
int64_t stretch_values(const struct stretch_tile *tile);
int64_t stretch_places(const struct stretch_tile *tile, bool some); /* some: those that not all lanes take part in */
void stretch_push(lua_State *L, const struct stretch *stretch);
#endif
