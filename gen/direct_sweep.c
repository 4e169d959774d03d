/* Sweeps of the groups form. A vector of inputs is loaded and permuted once, then used by every tap of the row that reads it: taps
 * are taken together, a few at a time since their weights stay in registers, and their reads ordered by where they read. */
#include "direct.h"
#include "mem.h"
#include "signature.h"
#include <stdlib.h>

/* An input, for one row and tap. */
struct use {
  int64_t x, row, tap;
};

int64_t sweep_taps(int64_t kernel) {
  const int64_t most = 4, sweeps = (kernel + most - 1) / most;
  return (kernel + sweeps - 1) / sweeps;
}

static int by_place(const void *a, const void *b) {
  const struct use *left = a, *right = b;
  if (left->x != right->x) return left->x < right->x ? -1 : 1;
  return left->tap < right->tap ? -1 : left->tap > right->tap;
}

/* Uses of all live rows of some spans, those of one input beside each other. */
static struct use *uses_of(const struct span *spans, size_t span_count, size_t *count) {
  size_t most = 0;
  for (size_t s = 0; s < span_count; s++) most += (size_t)spans[s].count;
  struct use *uses = mem_array(most, sizeof *uses);
  *count = 0;
  for (size_t s = 0; s < span_count; s++)
    for (int64_t i = 0; i < spans[s].count; i++) uses[(*count)++] = (struct use){spans[s].x[i], spans[s].first + i, (int64_t)s};
  qsort(uses, *count, sizeof *uses, by_place);
  return uses;
}

/* Pushes the read that uses[0] begins; returns how many uses it has. */
static size_t push_read(lua_State *L, const struct use *uses, size_t count) {
  size_t n = 0;
  lua_createtable(L, 0, 2);
  set_integer(L, "x", uses[0].x);
  lua_newtable(L);
  for (; n < count && uses[n].x == uses[0].x; n++) {
    lua_createtable(L, 0, 2);
    set_integer(L, "row", uses[n].row);
    set_integer(L, "tap", uses[n].tap);
    lua_rawseti(L, -2, (lua_Integer)n + 1);
  }
  lua_setfield(L, -2, "uses");
  return n;
}

static void push_sweep(lua_State *L, const struct span *spans, size_t span_count) {
  size_t count;
  const struct use *uses = uses_of(spans, span_count, &count);
  lua_createtable(L, 0, 2);
  lua_createtable(L, (int)span_count, 0);
  for (size_t s = 0; s < span_count; s++) {
    lua_pushinteger(L, spans[s].w);
    lua_rawseti(L, -2, (lua_Integer)s + 1);
  }
  lua_setfield(L, -2, "taps");
  lua_newtable(L);
  lua_Integer reads = 0;
  for (size_t i = 0; i < count;) {
    i += push_read(L, uses + i, count - i);
    lua_rawseti(L, -2, ++reads);
  }
  lua_setfield(L, -2, "reads");
}

/* Which lane of the inputs' vector each lane takes for input channel k; lanes without an output take what is there. */
static void push_lanes(lua_State *L, const struct design *design, int64_t k) {
  const struct problem *problem = &design->problem;
  lua_createtable(L, (int)design->lanes, 0);
  for (int64_t lane = 0; lane < design->lanes; lane++) {
    const int64_t group = lane / problem->out_channels;
    lua_pushinteger(L, (group < design->together ? group : 0) * problem->in_channels + k);
    lua_rawseti(L, -2, lane + 1);
  }
}

static void push_channels(lua_State *L, const struct design *design) {
  const int64_t channels = design->problem.in_channels;
  lua_createtable(L, (int)channels, 0);
  for (int64_t k = 0; k < channels; k++) {
    push_lanes(L, design, k);
    lua_rawseti(L, -2, k + 1);
  }
  lua_setfield(L, -2, "channels");
}

void design_push_sweeps(lua_State *L, const struct design *design, const struct tile *tile) {
  const size_t most = (size_t)sweep_taps(design->axis[design->rank - 1].kernel);
  lua_Integer sweeps = 0;
  lua_newtable(L);
  for (size_t i = 0; i < tile->span_count; i += most) {
    push_sweep(L, &tile->spans[i], tile->span_count - i < most ? tile->span_count - i : most);
    lua_rawseti(L, -2, ++sweeps);
  }
  lua_setfield(L, -2, "sweeps");
  set_integer(L, "step_w", tile->span_count ? tile->spans[0].step_w : 0);
  set_integer(L, "x_live", tile->last / design->problem.out_channels * design->problem.in_channels);
  push_channels(L, design);
}
