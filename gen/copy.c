/* Blocks of copies: which elements they have, in which vectors these lie on both sides, and the loops around them. */
#include "copy.h"
#include "direct.h"
#include "mem.h"
#include "signature.h"
#include <stdlib.h>
#include <string.h>

/* ---- moves ------------------------------------------------------------------------------------------------------------ */

static int by_output(const void *a, const void *b) {
  const struct move *left = a, *right = b;
  return (left->y < right->y) - (left->y > right->y);
}

void copy_fold(struct copy *copy, const struct problem *problem) {
  struct move sorted[MAX_MOVES] = {{0}};
  int count = 0;
  for (int i = 0; i < problem->moves; i++)
    if (problem->move[i].count > 1) sorted[count++] = problem->move[i];
  qsort(sorted, (size_t)count, sizeof *sorted, by_output);
  copy->problem = problem;
  copy->moves = 0;
  for (int i = 0; i < count; i++) {
    struct move *last = copy->moves ? &copy->move[copy->moves - 1] : NULL;
    if (last && last->x == sorted[i].count * sorted[i].x && last->y == sorted[i].count * sorted[i].y)
      *last = (struct move){last->count * sorted[i].count, sorted[i].x, sorted[i].y, 0};
    else
      copy->move[copy->moves++] = sorted[i];
  }
}

/* ---- extents ---------------------------------------------------------------------------------------------------------- */

static int64_t step_of(const struct move *move, bool output) {
  return output ? move->y : move->x;
}

/* Enlarges extents until one side has a run of `elements`, or of all that lie together there; `within`: of at most so many. */
static void fill(const struct copy *copy, bool output, int64_t elements, bool within, int64_t *extents) {
  int64_t run = 1;
  for (bool found = true; found && run < elements;) {
    found = false;
    for (int i = 0; i < copy->moves && !found; i++) {
      if (step_of(&copy->move[i], output) != run) continue;
      const int64_t need = (elements + (within ? 0 : run - 1)) / run,
                    extent = need < copy->move[i].count ? need : copy->move[i].count;
      if (extent > extents[i]) extents[i] = extent;
      found = copy->move[i].count <= need;
      run *= copy->move[i].count;
      if (!found) return;
    }
  }
}

/* ---- loops ------------------------------------------------------------------------------------------------------------ */

/* What a unit of work takes at least: reckoning where it begins must not count. */
static const int64_t unit_elements = 2048;

static void add_loops(struct copy *copy) {
  copy->loops = 0;
  for (int d = 0; d < copy->moves; d++) {
    const struct move *move = &copy->move[d];
    const int64_t extent = copy->extent[d];
    if (extent == move->count) continue;
    copy->loop[copy->loops++] =
        (struct copy_loop){move->count / extent, move->count % extent, extent * move->x, extent * move->y, 1, d};
  }
}

/* Units have the neighbours that the choice wants, then all of the innermost loops until they are large enough. */
static void choose_units(struct copy *copy) {
  int64_t elements = 1;
  memcpy(copy->span, copy->extent, sizeof copy->span);
  for (int output = 0; output < 2; output++) fill(copy, output, copy->choice.near, false, copy->span);
  for (int d = 0; d < copy->moves; d++) elements *= copy->span[d];
  for (int l = copy->loops - 1; l >= 0; l--) {
    const int d = copy->loop[l].move;
    const int64_t all = copy->move[d].count, extent = copy->extent[d], before = copy->span[d];
    const int64_t blocks = ((elements < unit_elements ? all : before) + extent - 1) / extent;
    copy->loop[l].unit = blocks;
    copy->span[d] = blocks * extent < all ? blocks * extent : all;
    elements = elements / before * copy->span[d];
  }
}

void copy_choose(struct copy *copy, struct copy_choice choice) {
  copy->choice = choice;
  for (int i = 0; i < copy->moves; i++) copy->extent[i] = 1;
  if (choice.loads != COPY_IN_PLACE) fill(copy, false, choice.elements, choice.within, copy->extent);
  fill(copy, true, choice.elements, choice.within, copy->extent);
  add_loops(copy);
  choose_units(copy);
}

int64_t copy_run(const struct copy *copy, bool output) {
  int64_t run = 1;
  for (int i = 0; i < copy->moves; i++) {
    if (step_of(&copy->move[i], output) != run) continue;
    run *= copy->span[i];
    if (copy->span[i] < copy->move[i].count) break;
    i = -1;
  }
  return run;
}

int64_t copy_vectors(const struct copy *copy, int64_t lanes) {
  int64_t elements = 1;
  for (int i = 0; i < copy->moves && elements < INT64_MAX / copy->extent[i]; i++) elements *= copy->extent[i];
  return (elements + lanes - 1) / lanes;
}

/* ---- blocks ----------------------------------------------------------------------------------------------------------- */

/* An element of a block: where it lies on both sides. */
struct element {
  int64_t x, y, number; /* number: in the order of the input */
};

static int by_x(const void *a, const void *b) {
  const struct element *left = a, *right = b;
  return (left->x > right->x) - (left->x < right->x);
}

static int by_y(const void *a, const void *b) {
  const struct element *left = a, *right = b;
  return (left->y > right->y) - (left->y < right->y);
}

static struct element *elements_of(const struct copy *copy, const int64_t *extent, int64_t count) {
  struct element *elements = mem_array((size_t)count, sizeof *elements);
  for (int64_t i = 0; i < count; i++) {
    int64_t rest = i;
    for (int d = copy->moves - 1; d >= 0; d--) {
      elements[i].x += rest % extent[d] * copy->move[d].x; /* d < MAX_MOVES. NOLINT(clang-analyzer-core.*) */
      elements[i].y += rest % extent[d] * copy->move[d].y;
      rest /= extent[d];
    }
  }
  return elements;
}

/* Cuts elements, in order of one side, into vectors of neighbours, none across a multiple of `row` (0: everywhere). lane[i]: the
 * lane of element i, counted through all vectors. */
static int64_t cut(const struct element *elements, int64_t count, int64_t lanes, bool output, int64_t row,
                   struct copy_vector **vectors, int64_t *lane) {
  int64_t made = 0, last = 0;
  for (int64_t i = 0; i < count; i++) {
    const int64_t at = output ? elements[i].y : elements[i].x;
    if (i == 0 || at != last + 1 || (row > 0 && at % row == 0) || (*vectors)[made - 1].live == lanes) {
      *vectors = mem_grow(*vectors, (size_t)made, sizeof **vectors);
      (*vectors)[made++] = (struct copy_vector){.at = at};
    }
    last = at;
    lane[i] = (made - 1) * lanes + (*vectors)[made - 1].live++;
  }
  return made;
}

/* Loads elements, in order of the output, into the lanes where they are stored. */
static int64_t cut_in_place(const struct element *elements, int64_t count, int64_t lanes, const int64_t *stored,
                            struct copy_vector **vectors, int64_t *lane) {
  int64_t made = 0;
  for (int64_t i = 0; i < count; i++) {
    if (i == 0 || elements[i].x != elements[i - 1].x + 1 || stored[i] != stored[i - 1] + 1 || stored[i] % lanes == 0) {
      *vectors = mem_grow(*vectors, (size_t)made, sizeof **vectors);
      (*vectors)[made++] = (struct copy_vector){.at = elements[i].x, .from = stored[i] % lanes};
    }
    (*vectors)[made - 1].live++;
    lane[elements[i].number] = (made - 1) * lanes + stored[i] % lanes;
  }
  return made;
}

/* Loads, shuffles and stores of these elements. */
static void build_vectors(struct element *elements, int64_t count, int64_t lanes, const struct copy_choice *choice,
                          struct copy_block *block) {
  const bool in_place = choice->loads == COPY_IN_PLACE;
  int64_t *loaded = mem_array((size_t)count, sizeof *loaded), *stored = mem_array((size_t)count, sizeof *stored);
  qsort(elements, (size_t)count, sizeof *elements, by_x);
  for (int64_t i = 0; i < count; i++) elements[i].number = i;
  if (!in_place) block->load_count = cut(elements, count, lanes, false, 0, &block->loads, loaded);
  qsort(elements, (size_t)count, sizeof *elements, by_y);
  block->store_count = cut(elements, count, lanes, true, choice->row, &block->stores, stored);
  if (in_place) block->load_count = cut_in_place(elements, count, lanes, stored, &block->loads, loaded);
  int64_t *wanted = mem_array((size_t)(block->store_count * lanes), sizeof *wanted);
  for (int64_t i = 0; i < block->store_count * lanes; i++) wanted[i] = -1;
  for (int64_t i = 0; i < count; i++) wanted[stored[i]] = loaded[elements[i].number];
  block->network = network_build(lanes, block->load_count, wanted, block->store_count);
  for (int64_t i = 0; i < block->store_count; i++) block->stores[i].value = block->network.results[i];
}

/* The first pieces of stores of `live` elements, where those in the others lie as far from them in all stores: offset[] says how
 * far. NULL: they don't. */
static struct element *first_pieces(const struct element *elements, int64_t count, int64_t live, int64_t piece, int64_t row,
                                    int64_t *offset) {
  struct element *first = mem_array((size_t)(count / live * piece), sizeof *first);
  for (int64_t i = 0; i < count; i++) {
    const int64_t vector = i / live, lane = i % live, number = lane / piece;
    const struct element *same = &elements[i - number * piece];
    if (i == lane && lane % piece == 0) offset[number] = elements[i].x - same->x;
    if (elements[i].y != elements[i - lane].y + lane || elements[i].x != same->x + offset[number]) return NULL;
    if (row > 0 && lane > 0 && elements[i].y % row == 0) return NULL;
    if (number == 0) first[vector * piece + lane] = elements[i];
  }
  return first;
}

/* Tries to make a block of narrow ones, `live` elements of them in each vector. Pieces beyond these are the first one again. */
static bool build_narrow(struct element *elements, int64_t count, int64_t live, int64_t lanes, int64_t pieces,
                         const struct copy_choice *choice, struct copy_block *block) {
  const int64_t piece = lanes / pieces;
  struct copy_block narrow = {.pieces = mem_array((size_t)pieces, sizeof *narrow.pieces), .piece_count = pieces};
  struct element *first = count % live == 0 ? first_pieces(elements, count, live, piece, choice->row, narrow.pieces) : NULL;
  if (!first) return false;
  build_vectors(first, count / live * piece, piece, choice, &narrow);
  for (int64_t i = 0; i < narrow.load_count; i++) {
    if (narrow.loads[i].live < piece) return false;
    narrow.loads[i].live = lanes;
  }
  for (int64_t i = 0; i < narrow.store_count; i++) narrow.stores[i].live = live;
  network_repeat(&narrow.network, pieces);
  *block = narrow;
  return true;
}

static bool build_pieces(struct element *elements, int64_t count, int64_t lanes, int64_t pieces, const struct copy_choice *choice,
                         struct copy_block *block) {
  qsort(elements, (size_t)count, sizeof *elements, by_y);
  for (int64_t used = pieces; used > 0; used--)
    if (build_narrow(elements, count, lanes / pieces * used, lanes, pieces, choice, block)) return true;
  return false;
}

static void build_block(const struct copy *copy, const int64_t *extent, int64_t lanes, int64_t pieces, struct copy_block *block) {
  int64_t count = 1;
  for (int d = 0; d < copy->moves; d++) count *= extent[d];
  struct element *elements = elements_of(copy, extent, count);
  if (copy->choice.loads == COPY_PIECES && build_pieces(elements, count, lanes, pieces, &copy->choice, block)) return;
  build_vectors(elements, count, lanes, &copy->choice, block);
}

/* With so many, results of shuffles need them all: loads wait for what needs them. */
static const int64_t few_registers = 16;

void copy_build(struct copy *copy, const struct isa *isa) {
  const int64_t lanes = isa->lanes[copy->problem->dtype], pieces = isa->pieces[copy->problem->dtype];
  copy->block_count = 1 << copy->loops;
  copy->blocks = mem_array((size_t)copy->block_count, sizeof *copy->blocks);
  for (int kind = 0; kind < copy->block_count; kind++) {
    int64_t extent[MAX_MOVES];
    bool there = true;
    for (int d = 0; d < MAX_MOVES; d++) extent[d] = d < copy->moves ? copy->extent[d] : 1;
    for (int l = 0; l < copy->loops; l++)
      if (kind >> l & 1) {
        extent[copy->loop[l].move] = copy->loop[l].rest;
        there &= copy->loop[l].rest > 0;
      }
    if (!there) continue;
    build_block(copy, extent, lanes, pieces, &copy->blocks[kind]);
    const struct copy_block *block = &copy->blocks[kind];
    copy->blocks[kind].loads_first = block->network.step_count > 0 && block->load_count <= isa->registers - few_registers;
  }
}

struct copy copy_of_vectors(const struct problem *problem, const struct isa *isa, int64_t row) {
  struct copy copy;
  copy_fold(&copy, problem);
  copy_choose(&copy, (struct copy_choice){.elements = isa->lanes[problem->dtype],
                                          .loads = isa->pieces[problem->dtype] ? COPY_PIECES : COPY_WHOLE,
                                          .row = row});
  for (int l = 0; l < copy.loops; l++) copy.loop[l].unit = copy.loop[l].whole + (copy.loop[l].rest > 0);
  copy_build(&copy, isa);
  return copy;
}

/* ---- what templates get ------------------------------------------------------------------------------------------------ */

static void push_vectors(lua_State *L, const char *key, const struct copy_vector *vectors, int64_t count) {
  lua_createtable(L, (int)count, 0);
  for (int64_t i = 0; i < count; i++) {
    lua_createtable(L, 0, 4);
    set_integer(L, "at", vectors[i].at);
    set_integer(L, "live", vectors[i].live);
    set_integer(L, "from", vectors[i].from);
    set_integer(L, "value", vectors[i].value);
    lua_rawseti(L, -2, i + 1);
  }
  lua_setfield(L, -2, key);
}

void copy_push_blocks(lua_State *L, const struct copy *copy) {
  lua_createtable(L, copy->block_count, 0);
  for (int i = 0; i < copy->block_count; i++) {
    lua_createtable(L, 0, 5);
    push_vectors(L, "loads", copy->blocks[i].loads, copy->blocks[i].load_count);
    network_push(L, &copy->blocks[i].network);
    push_vectors(L, "stores", copy->blocks[i].stores, copy->blocks[i].store_count);
    push_integers(L, "pieces", copy->blocks[i].pieces, copy->blocks[i].piece_count);
    set_bool(L, "loads_first", copy->blocks[i].loads_first);
    lua_rawseti(L, -2, i + 1);
  }
  lua_setfield(L, -2, "blocks");
}

void copy_push_loops(lua_State *L, const struct copy *copy) {
  lua_createtable(L, copy->loops, 0);
  for (int l = 0; l < copy->loops; l++) {
    const struct copy_loop *loop = &copy->loop[l];
    lua_createtable(L, 0, 5);
    set_integer(L, "whole", loop->whole);
    set_bool(L, "rest", loop->rest > 0);
    set_integer(L, "x", loop->x);
    set_integer(L, "y", loop->y);
    set_integer(L, "unit", loop->unit);
    lua_rawseti(L, -2, l + 1);
  }
  lua_setfield(L, -2, "loops");
}
