/* Pools in two passes over the plane of a chunk of channels: one along rows, in the order of memory, whose results stay in a near
 * buffer, [row][column][channel], then one along columns from there. In each pass a stretch of outputs is written out: windows are
 * put together from pairs of places, pairs of pairs and so on, which neighbours share, and from what is left at both ends. A place
 * is in each of them once, so that the same serves means. Where vectors have an operation that tells NaN of many, the first pass
 * looks for it and everything else may lose it: a plane that has one is done again, place by place. */
#ifndef GEN_PASSES_H
#define GEN_PASSES_H
#include "pooling.h"

/* What the places [from, end) make: a place, or two values before it. */
struct pass_value {
  int64_t from, end, a, b;
};

struct pass_stretch {
  int64_t places;
  struct pass_value *values; /* the places first */
  int64_t value_count;
  int64_t *outputs, *shares; /* the value of each, and the number of its share of the divisor */
  int64_t output_count;
};

/* `count` equal stretches: the first place and output of the first one, steps from one to the next. */
struct pass_run {
  int64_t stretch, count, place, output, place_step, output_step;
};

struct pass {
  const struct axis *axis;
  struct pass_stretch *stretches;
  int64_t stretch_count;
  struct pass_run *runs;
  int64_t run_count;
  int64_t *shares, share_count; /* of the divisor, each once */
  int64_t *share_of;            /* of each output its number */
};

struct passes_choice {
  int64_t vectors; /* of channels side by side in a stretch */
  int64_t chunk;   /* bytes of neighbouring channels */
};

struct passes {
  struct pooling base; /* its axes, moves and lanes */
  struct passes_choice choice;
  struct pass columns, rows; /* along the first axis, along the last one */
  int64_t channels, last;    /* of a chunk; of the one behind whole chunks, or 0 */
  int64_t chunks;            /* with that one */
  const char *reason;        /* why it can't be, or NULL */
};

void passes_build(struct passes *passes, const struct problem *problem, struct passes_choice choice, int lanes);
/* Elements of the near buffer. */
int64_t passes_buffer(const struct passes *passes);
void passes_push(lua_State *L, const struct passes *passes);
#endif
