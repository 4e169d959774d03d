/* The direct algorithm for pools whose planes are one stretch (stretch.h): tiles of some planes in vectors that are full whatever
 * the rows' length. */
#include "alg.h"
#include "mem.h"
#include "pooling.h"
#include "processor.h"
#include "stretch.h"

struct stretch_parameters {
  struct stretch *kernels; /* one a problem */
  size_t count;
};

/* ---- cost --------------------------------------------------------------------------------------------------------------- */

static const double tile_cycles = 20; /* to call a tile, and to look at what it saw */
static const double line_cycles = 8;  /* of a line that comes and one that goes; of two loads that cross lines */
static const double much_code = 5e5;  /* bytes of a tile's that would take as long as all else */
static const double moved = 0.5;      /* of an instruction that shuffles or blends */

/* Of a vector that is combined with another: the larger one keeps NaN by instructions of its own, if none is looked for before. */
static double combine(const struct problem *problem) {
  return problem->mean || stretch_watched(problem) ? 0.5 : 1;
}

/* Instructions that shuffle and blend. */
static double moves(const struct stretch_tile *tile, const struct isa *isa) {
  return (double)((tile->network.step_count - tile->blends) * isa->crossing + tile->blends + stretch_places(tile, true));
}

static double tile_cost(const struct problem *problem, const struct stretch_tile *tile, const struct isa *isa) {
  const double places = (double)stretch_places(tile, false), values = (double)stretch_values(tile);
  const double vectors = (double)tile->column_count;
  const double lines = (double)tile->network.lanes * (double)cs_size(problem->dtype) / processor.line;
  const double cycles = tile_cycles + (vectors + places / 2) * lines * line_cycles;
  return cycles + (places + values - vectors) * combine(problem) + moves(tile, isa) * moved;
}

/* Of a tile, where NaN is kept at each step. */
static double tile_bytes(const struct problem *problem, const struct stretch_tile *tile, const struct isa *isa) {
  const int64_t combinations = stretch_places(tile, false) + stretch_values(tile);
  return 100 + (double)(tile->column_count * 30 + combinations * (problem->mean ? 16 : 24)) + moves(tile, isa) * 9;
}

static double stretch_cost(const struct stretch *stretch, const struct isa *isa) {
  const struct problem *problem = stretch->problem;
  const double rest = stretch->rest > 0 ? tile_cost(problem, &stretch->tiles[1], isa) : 0;
  const double cycles = (double)stretch->whole * tile_cost(problem, &stretch->tiles[0], isa) + rest;
  return cycles * (1 + tile_bytes(problem, &stretch->tiles[0], isa) / much_code);
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
    plan.cost += stretch_cost(kernel, isa);
    plan.code_bytes += (int64_t)tile_bytes(problem, &kernel->tiles[0], isa);
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
