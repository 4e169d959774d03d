/* The direct algorithm for pools whose planes are one stretch (stretch.h): tiles of some planes in vectors that are full whatever the
 * rows' length. */
#include "alg.h"
#include "mem.h"
#include "pooling.h"
#include "stretch.h"

struct stretch_parameters {
  struct stretch *kernels; /* one a problem */
  size_t count;
};

/* ---- cost --------------------------------------------------------------------------------------------------------------- */

static const double tile_cycles = 20; /* to call a tile, and to look at what it saw */

/* Of a vector that is combined with another: the larger one keeps NaN by instructions of its own, if none is looked for before. */
static double combine(const struct problem *problem) {
  return problem->mean || stretch_watched(problem) ? 0.5 : 1;
}

static double tile_cost(const struct problem *problem, const struct stretch_tile *tile, const struct isa *isa) {
  const double places = (double)stretch_places(tile, false), values = (double)stretch_values(tile);
  const double vectors = (double)tile->column_count, shuffles = (double)(tile->network.step_count * isa->crossing);
  double cycles = tile_cycles + vectors * 2 + places + shuffles + (double)stretch_places(tile, true) * 0.5;
  return cycles + (places + values - vectors) * combine(problem);
}

static double stretch_cost(const struct stretch *stretch, const struct isa *isa) {
  const double rest = stretch->rest > 0 ? tile_cost(stretch->problem, &stretch->tiles[1], isa) : 0;
  return (double)stretch->whole * tile_cost(stretch->problem, &stretch->tiles[0], isa) + rest;
}

/* Of the larger tile, where NaN is kept at each step. */
static int64_t stretch_bytes(const struct stretch *stretch, const struct isa *isa) {
  const struct stretch_tile *tile = &stretch->tiles[0];
  const int64_t combinations = stretch_places(tile, false) + stretch_values(tile);
  return 100 + tile->column_count * 30 + combinations * (stretch->problem->mean ? 16 : 24) + stretch_places(tile, true) * 10 +
         tile->network.step_count * isa->crossing * 9;
}

/* ---- enumeration -------------------------------------------------------------------------------------------------------- */

static struct plan new_plan(const struct candidates *candidates, int64_t planes) {
  return (struct plan){.id = mem_text("direct-pool-stretch-%lld", (long long)planes),
                       .algorithm = &alg_stretch,
                       .isa = candidates->isa,
                       .tile = mem_text("%lld planes", (long long)planes),
                       .row_tile = 1,
                       .channel_tile = planes};
}

static void try_planes(struct candidates *candidates, int64_t planes) {
  const struct isa *isa = candidates->isa;
  struct stretch_parameters *parameters = mem_new(sizeof *parameters);
  struct plan plan = new_plan(candidates, planes);
  parameters->kernels = mem_array(candidates->problem_count, sizeof *parameters->kernels);
  for (size_t i = 0; i < candidates->problem_count && !plan.reason; i++) {
    const struct problem *problem = &candidates->problems[i];
    struct stretch *kernel = &parameters->kernels[parameters->count++];
    plan.reason = stretch_reason(problem, isa, planes);
    if (plan.reason) continue;
    stretch_build(kernel, problem, isa, planes);
    plan.reason = code_reason(stretch_bytes(kernel, isa), problem);
    plan.cost += stretch_cost(kernel, isa);
    plan.code_bytes += stretch_bytes(kernel, isa);
  }
  plan.parameters = parameters;
  candidates_add(candidates, plan);
}

static void stretch_enumerate(struct candidates *candidates) {
  for (int64_t planes = 1; planes <= 16; planes *= 2) try_planes(candidates, planes);
}

/* ---- what the template gets --------------------------------------------------------------------------------------------- */

static void stretch_push_all(lua_State *L, const struct plan *plan) {
  const struct stretch_parameters *parameters = plan->parameters;
  lua_createtable(L, (int)parameters->count, 0);
  for (size_t i = 0; i < parameters->count; i++) {
    stretch_push(L, &parameters->kernels[i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
}

const struct algorithm alg_stretch = {
    .name = "direct",
    .work = WORK_POOL,
    .template = "stretch.t",
    .enumerate = stretch_enumerate,
    .push = stretch_push_all,
};
