/* Copies in blocks. A block is a box of elements: it is loaded in the order of the input, as vectors of neighbours, taken through a
 * network of shuffles, and stored in the order of the output. Where a box does not divide a move, blocks of the rest remain. */
#ifndef GEN_COPY_H
#define GEN_COPY_H
#include "network.h"
#include "problem.h"
#include <stdbool.h>

/* `live` neighbours in memory from element `at` on, as lanes of a value. */
struct copy_vector {
  int64_t at, live, value;
};

struct copy_block {
  struct copy_vector *loads, *stores;
  int64_t load_count, store_count;
  struct network network;
};

/* A move as blocks: `whole` of them, and elements that are left. */
struct copy_loop {
  int64_t whole, rest, x, y; /* steps of a block */
  bool inner;                /* inside a unit of work */
};

struct copy {
  const struct problem *problem;
  struct move move[MAX_MOVES]; /* folded, outermost of the output first */
  int64_t extent[MAX_MOVES];   /* of a block */
  int moves;
  struct copy_loop loop[MAX_MOVES]; /* of the moves that a block does not cover */
  int loops;
  struct copy_block *blocks; /* bit l of the number: the rest of loop l */
  int block_count;
};

/* The moves of a problem: neighbours that go on as one are one. */
void copy_fold(struct copy *copy, const struct problem *problem);
/* Extents of a block that has `elements` neighbours in both orders, or a little more; `within`: or a little less. */
void copy_choose(struct copy *copy, int64_t elements, bool within);
/* Vectors that the block of these extents has on its larger side. */
int64_t copy_vectors(const struct copy *copy, int64_t lanes);
/* Makes loops and blocks of the extents. */
void copy_build(struct copy *copy, int64_t lanes);
#endif
