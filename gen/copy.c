/* Blocks of copies: which elements they have, in which vectors these lie on both sides, and the loops around them. */
#include "copy.h"
#include "mem.h"
#include <stdlib.h>

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

/* Enlarges the extents until one side has a run of `elements`, or of all that lie together there; `within`: of at most so many. */
static void fill(struct copy *copy, bool output, int64_t elements, bool within) {
  int64_t run = 1;
  for (bool found = true; found && run < elements;) {
    found = false;
    for (int i = 0; i < copy->moves && !found; i++) {
      if (step_of(&copy->move[i], output) != run) continue;
      const int64_t need = (elements + (within ? 0 : run - 1)) / run,
                    extent = need < copy->move[i].count ? need : copy->move[i].count;
      if (extent > copy->extent[i]) copy->extent[i] = extent;
      found = copy->move[i].count <= need;
      run *= copy->move[i].count;
      if (!found) return;
    }
  }
}

void copy_choose(struct copy *copy, int64_t elements, bool within) {
  for (int i = 0; i < copy->moves; i++) copy->extent[i] = 1;
  fill(copy, false, elements, within);
  fill(copy, true, elements, within);
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

/* Cuts elements, in order of one side, into vectors of neighbours. lane[i]: the lane of element i, counted through all vectors. */
static int64_t cut(const struct element *elements, int64_t count, int64_t lanes, bool output, struct copy_vector **vectors,
                   int64_t *lane) {
  int64_t made = 0, last = 0;
  for (int64_t i = 0; i < count; i++) {
    const int64_t at = output ? elements[i].y : elements[i].x;
    if (i == 0 || at != last + 1 || (*vectors)[made - 1].live == lanes) {
      *vectors = mem_grow(*vectors, (size_t)made, sizeof **vectors);
      (*vectors)[made++] = (struct copy_vector){.at = at};
    }
    last = at;
    lane[i] = (made - 1) * lanes + (*vectors)[made - 1].live++;
  }
  return made;
}

static void build_block(const struct copy *copy, const int64_t *extent, int64_t lanes, struct copy_block *block) {
  int64_t count = 1;
  for (int d = 0; d < copy->moves; d++) count *= extent[d];
  struct element *elements = elements_of(copy, extent, count);
  int64_t *loaded = mem_array((size_t)count, sizeof *loaded), *stored = mem_array((size_t)count, sizeof *stored);
  qsort(elements, (size_t)count, sizeof *elements, by_x);
  for (int64_t i = 0; i < count; i++) elements[i].number = i;
  block->load_count = cut(elements, count, lanes, false, &block->loads, loaded);
  qsort(elements, (size_t)count, sizeof *elements, by_y);
  block->store_count = cut(elements, count, lanes, true, &block->stores, stored);
  int64_t *wanted = mem_array((size_t)(block->store_count * lanes), sizeof *wanted);
  for (int64_t i = 0; i < block->store_count * lanes; i++) wanted[i] = -1;
  for (int64_t i = 0; i < count; i++) wanted[stored[i]] = loaded[elements[i].number];
  block->network = network_build(lanes, block->load_count, wanted, block->store_count);
  for (int64_t i = 0; i < block->store_count; i++) block->stores[i].value = block->network.results[i];
}

/* ---- loops ------------------------------------------------------------------------------------------------------------ */

/* What a unit of work takes at least: reckoning where it begins must not count. */
static const int64_t unit_elements = 2048;

static void add_loops(struct copy *copy, int of_move[MAX_MOVES]) {
  copy->loops = 0;
  for (int d = 0; d < copy->moves; d++) {
    const struct move *move = &copy->move[d];
    const int64_t extent = copy->extent[d];
    if (extent == move->count) continue;
    of_move[copy->loops] = d;
    copy->loop[copy->loops++] =
        (struct copy_loop){move->count / extent, move->count % extent, extent * move->x, extent * move->y, false};
  }
}

static void choose_inner(struct copy *copy) {
  int64_t elements = 1;
  for (int d = 0; d < copy->moves; d++) elements *= copy->extent[d];
  for (int l = copy->loops - 1; l >= 0 && elements < unit_elements; l--) {
    copy->loop[l].inner = true;
    elements *= copy->loop[l].whole;
  }
}

void copy_build(struct copy *copy, int64_t lanes) {
  int of_move[MAX_MOVES];
  add_loops(copy, of_move);
  choose_inner(copy);
  copy->block_count = 1 << copy->loops;
  copy->blocks = mem_array((size_t)copy->block_count, sizeof *copy->blocks);
  for (int kind = 0; kind < copy->block_count; kind++) {
    int64_t extent[MAX_MOVES];
    bool there = true;
    for (int d = 0; d < MAX_MOVES; d++) extent[d] = d < copy->moves ? copy->extent[d] : 1;
    for (int l = 0; l < copy->loops; l++)
      if (kind >> l & 1) {
        extent[of_move[l]] = copy->loop[l].rest;
        there &= copy->loop[l].rest > 0;
      }
    if (there) build_block(copy, extent, lanes, &copy->blocks[kind]);
  }
}
