/* Pieces: the outputs along one axis that are computed alike, every `stride`-th one. An op whose outputs take turns (a transposed
 * convolution has one kernel for each residue of its stride, a tiled one for each place in the tile) is lowered to one list of
 * pieces an axis; their product is its list of problems. */
#ifndef GEN_PIECE_H
#define GEN_PIECE_H
#include "problem.h"

struct piece {
  struct axis axis;   /* with x_step, y_step and w_step */
  struct phase phase; /* where it begins: phase.x, w, y (phase.count 1), as the list has it: how often, and what each adds */
  int64_t x, w, y;    /* where the first begins */
};

struct pieces {
  struct piece *items;
  size_t count;
};

/* Appends the piece that `axis` describes, beginning at elements x, w, y. One that touches no border is cut down to what it reads,
 * and neighbours that are equal but for where they begin, at equal distances, become phases of one. */
void pieces_add(struct pieces *pieces, struct axis axis, int64_t x, int64_t w, int64_t y);
/* The problems that the pieces of all axes make of `whole`, which has everything else: a list allocated for the caller. */
size_t pieces_combine(const struct problem *whole, const struct pieces *axes, struct problem **problems);
#endif
