/* The Winograd algorithm with its products on tile registers (winograd_tiles.h): which layers it serves, and how large its blocks
 * are.
 *
 * Why it keeps what `normwise` promises, 4γ(n)·T with n = taps · channels + 2, u = 2⁻²⁴ and T = Σ_c (max |x| of the tile's patch in
 * channel c · Σ_k |w|): an output is Σ_i A_ji Σ_c U_ci V_ci over the points i, where along each axis |V_ci| ≤ max |x| · Σ_l |B_il|
 * and |U_ci| ≤ Σ_k |w| · max_k |G_ik|. So the sum of the terms' magnitudes is at most g · T, g being the product over the axes of
 * max_j Σ_i |A_ji| max_k |G_ik| Σ_l |B_il|: 4 for an axis of F(2, 3). To that come relative errors: each of both transforms rounds
 * a number at most as often as an axis has points; weights are transformed in double and rounded once; a sum of planes has the
 * roundings, and what is left out of its products, of a layer of one tap (alg_planes.c). With r of these in all, g · r · u · T is
 * the error; plans are refused where that is beyond 4n · u · T.
 *
 * No guard: planes hold numbers down to 2⁻¹²⁶, what is smaller is flushed. That is nothing against maxima of 2^±50. A number that
 * is not finite makes its tile's outputs so, which is as far as the promise goes. */
#include "mem.h"
#include "winograd_tiles.h"
#include <math.h>
#include <string.h>

/* Channels that fill enough of a tile register; outputs of a tile along an axis; tiles of a block. */
static const int64_t least_channels = 16, side = 2, block_tiles[] = {32, 64, 128};

static const char *reason_of(const struct candidates *candidates) {
  const struct problem *problem = candidates->problems;
  const char *reason = winograd_reason(candidates);
  if (reason) return reason;
  if (problem->dtype != CS_F32) return "planes of bf16 make up f32 only";
  if (problem->groups > 1) return mem_text("%lld groups; products on tile registers have 1", (long long)problem->groups);
  if (problem->in_channels < least_channels || problem->out_channels < least_channels)
    return mem_text("%lld input and %lld output channels; tile registers need %lld of each", (long long)problem->in_channels,
                    (long long)problem->out_channels, (long long)least_channels);
  return problem->unroll == UNROLL_FULL ? "unroll: full asks for no loop over taps or input channels" : NULL;
}

/* ---- the bound --------------------------------------------------------------------------------------------------------- */

static double largest(const struct rational *row, int count) {
  double most = 0;
  for (int i = 0; i < count; i++) most = fmax(most, fabs(rational_value(row[i])));
  return most;
}

static double total(const struct rational *row, int count) {
  double sum = 0;
  for (int i = 0; i < count; i++) sum += fabs(rational_value(row[i]));
  return sum;
}

/* How much larger than the products of taps those of points are, added up for one output. */
static double growth_of(const struct cook_toom *transform) {
  double most = 0;
  for (int j = 0; j < transform->m; j++) {
    double sum = 0;
    for (int i = 0; i < transform->points; i++)
      sum += fabs(rational_value(transform->output[j][i])) * largest(transform->kernel[i], transform->r) *
             total(transform->input[i], transform->points);
    most = fmax(most, sum);
  }
  return most;
}

/* Why its errors may be larger than what is promised, or NULL. */
static const char *bound_reason(const struct winograd *winograd) {
  const struct problem *problem = &winograd->problem;
  double growth = 1, roundings = 1 + (double)planes_roundings(1, problem->in_channels), taps = 1;
  for (int a = 0; a < problem->rank; a++) {
    growth *= growth_of(&winograd->transform[a]);
    roundings += 2 * winograd->transform[a].points;
    taps *= (double)problem->axis[a].kernel;
  }
  const double terms = taps * (double)problem->in_channels;
  if (winograd_promise(winograd).accuracy != CS_NORMWISE) return "its points are too many for accuracy: normwise";
  if (growth * roundings <= 4 * terms) return NULL;
  return mem_text("its errors are up to %.0f roundings, accuracy: normwise allows 4 times their %.0f terms", growth * roundings,
                  terms);
}

/* ---- candidates -------------------------------------------------------------------------------------------------------- */

static struct plan new_plan(const struct candidates *candidates, const char *id) {
  return (struct plan){.id = id, .algorithm = &alg_winograd_tiles, .isa = candidates->isa, .tile = ""};
}

static void refuse(struct candidates *candidates, const char *sizes, const char *reason) {
  struct plan plan = new_plan(candidates, mem_text("winograd-%s-planes%d", sizes, ALL_PLANES));
  plan.reason = reason;
  candidates_add(candidates, plan);
}

/* The transforms' share of the code, in instructions a point, and that of a step of tiles. */
enum { TRANSFORM_CODE = 60, TILE_CODE = 3000 };

static void add(struct candidates *candidates, const struct winograd_tiles *tiles) {
  const struct winograd *base = &tiles->base;
  const struct problem *problem = &base->problem;
  const struct plan *direct = &base->products;
  const int last = problem->rank - 1;
  const char *sizes = winograd_sizes(base->m, problem->rank);
  struct plan plan = new_plan(candidates, mem_text("winograd-%s-planes%d-b%lld", sizes, ALL_PLANES, (long long)base->block));
  plan.tile = mem_text("%s/%dx%d", sizes, PLANE_PAIR * PLANE_ROWS, PLANE_PAIR * PLANE_COLUMNS);
  plan.cost = winograd_tiles_cost(tiles);
  plan.promise = winograd_promise(base);
  plan.exact_bits = winograd_exact_bits(base);
  plan.packed_bytes = direct->packed_bytes + winograd_shell(problem) * (int64_t)sizeof(float);
  if (!problem->baked_weights) plan.packed_bytes += winograd_tiles_weights(tiles) * (int64_t)sizeof(float);
  plan.workspace_bytes = winograd_tiles_workspace(tiles);
  plan.code_bytes = base->points * TRANSFORM_CODE > TILE_CODE ? base->points * TRANSFORM_CODE : TILE_CODE;
  if (plan.code_bytes < direct->code_bytes) plan.code_bytes = direct->code_bytes;
  plan.multiply_adds = direct->multiply_adds;
  plan.row_tile = base->m[last] * base->residues[last];
  plan.channel_tile = PLANE_PAIR * PLANE_COLUMNS;
  plan.asks = true;
  plan.parameters = memcpy(mem_new(sizeof *tiles), tiles, sizeof *tiles);
  candidates_add(candidates, plan);
}

/* Why baked weights don't go into a file as planes of points, or NULL. */
static const char *baked_reason(const struct winograd_tiles *tiles) {
  const int64_t bytes = winograd_tiles_weights(tiles) * (int64_t)sizeof(float);
  if (!tiles->base.problem.baked_weights || bytes <= MOST_BAKED_BYTES) return NULL;
  return mem_text("its baked weights would take %lld bytes of the file once transformed; at most %d compile in good time",
                  (long long)bytes, MOST_BAKED_BYTES);
}

static void try_blocks(struct candidates *candidates, struct winograd_tiles *tiles) {
  int64_t before = 0;
  winograd_tiles_lay_out(tiles, block_tiles[0]);
  if (baked_reason(tiles)) {
    refuse(candidates, winograd_sizes(tiles->base.m, tiles->base.problem.rank), baked_reason(tiles));
    return;
  }
  for (size_t i = 0; i < sizeof block_tiles / sizeof *block_tiles; i++) {
    winograd_tiles_lay_out(tiles, block_tiles[i]);
    if (tiles->base.block == before) continue;
    before = tiles->base.block;
    add(candidates, tiles);
  }
}

static void winograd_tiles_enumerate(struct candidates *candidates) {
  if (!candidates->isa->tiles) return;
  const struct problem *problem = candidates->problems;
  struct winograd_tiles tiles = {.base = {.problem = *problem, .isa = candidates->isa}};
  int64_t m[MAX_SPATIAL] = {0};
  const char *reason = reason_of(candidates);
  if (reason) {
    refuse(candidates, "2", reason);
    return;
  }
  for (int a = 0; a < problem->rank; a++) m[a] = winograd_side(&problem->axis[a], side);
  const char *sizes = winograd_sizes(m, problem->rank);
  if (!winograd_lay_out(&tiles.base, m))
    reason = mem_text("%lld points, at most %d", (long long)tiles.base.points, WINOGRAD_POINTS);
  if (!reason) reason = bound_reason(&tiles.base);
  if (!reason) tiles.base.products = planes_fallback(problem, 1, candidates->isa);
  if (!reason && !tiles.base.products.id) reason = "no direct plan can compute it where there are no tile registers";
  if (reason)
    refuse(candidates, sizes, reason);
  else
    try_blocks(candidates, &tiles);
}

static void push_all(lua_State *L, const struct plan *plan) {
  winograd_tiles_push(L, plan->parameters);
}

static struct baked_values bake(const struct plan *plan, const struct layer *layer) {
  const struct winograd_tiles *tiles = plan->parameters;
  struct baked_values values = alg_direct.bake(&tiles->base.products, layer);
  if (values.weights) values.planes = winograd_tiles_bake(tiles, &values.plane_bytes);
  return values;
}

const struct algorithm alg_winograd_tiles = {
    .name = "winograd",
    .template = "winograd_tiles.t",
    .enumerate = winograd_tiles_enumerate,
    .push = push_all,
    .bake = bake,
};
