/* Copies in blocks. A block is a box of elements: it is loaded in the order of the input, as vectors of neighbours, taken through a
 * network of shuffles, and stored in the order of the output. Where a box does not divide a move, blocks of the rest remain.
 *
 * Loads of a block in pieces: it is as many equal narrow ones as its vectors have pieces, side by side, and no lane leaves its
 * piece any more. Loads in place: neighbours in both orders are loaded into the lanes where they are stored, and shuffles only
 * blend. */
#ifndef GEN_COPY_H
#define GEN_COPY_H
#include "isa.h"
#include "network.h"
#include "problem.h"
#include <stdbool.h>

enum copy_loads { COPY_WHOLE, COPY_PIECES, COPY_IN_PLACE };

struct copy_choice {
  int64_t elements; /* neighbours that a block has in both orders, or a little more ... */
  bool within;      /* ... or a little less */
  enum copy_loads loads;
  int64_t near; /* neighbours that a unit of work has in both orders at least */
  int64_t row;  /* elements of the output that what is stored at once must share with no others, as a channel's row; 0: any */
};

/* `live` neighbours in memory from element `at` on, as lanes of a value, the first of which is lane `from`. */
struct copy_vector {
  int64_t at, live, from, value;
};

struct copy_block {
  struct copy_vector *loads, *stores;
  int64_t load_count, store_count;
  struct network network;
  int64_t *pieces, piece_count; /* where the pieces of each load lie, counted from it; none: loads are whole */
  bool loads_first;             /* all of them before the first store, not each before what needs it */
};

/* A move as blocks: `whole` of them, and elements that are left. */
struct copy_loop {
  int64_t whole, rest, x, y; /* steps of a block */
  int64_t unit;              /* blocks in a unit of work */
  int move;
};

struct copy {
  const struct problem *problem;
  struct copy_choice choice;
  struct move move[MAX_MOVES]; /* folded, outermost of the output first */
  int64_t extent[MAX_MOVES];   /* of a block */
  int64_t span[MAX_MOVES];     /* of a unit of work */
  int moves;
  struct copy_loop loop[MAX_MOVES]; /* of the moves that a block does not cover */
  int loops;
  struct copy_block *blocks; /* bit l of the number: the rest of loop l */
  int block_count;
};

/* The moves of a problem: neighbours that go on as one are one. */
void copy_fold(struct copy *copy, const struct problem *problem);
/* Sets the extents of a block, loops around it, and which of these are inside units of work. */
void copy_choose(struct copy *copy, struct copy_choice choice);
/* Vectors that the block of these extents has on its larger side. */
int64_t copy_vectors(const struct copy *copy, int64_t lanes);
/* A copy inside a kernel that changes the order of vectors, `row` as in copy_choice: all of it is one unit of work. */
struct copy copy_of_vectors(const struct problem *problem, const struct isa *isa, int64_t row);
/* Makes the blocks. */
void copy_build(struct copy *copy, const struct isa *isa);
/* Neighbours that a unit of work has in the order of the input or of the output. */
int64_t copy_run(const struct copy *copy, bool output);
/* Fields `loops` and `blocks` of the table on top, which templates/lib/moves.t prints. */
void copy_push_loops(lua_State *L, const struct copy *copy);
void copy_push_blocks(lua_State *L, const struct copy *copy);
#endif
