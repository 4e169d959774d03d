/* The direct algorithm on tile registers (planes.h): which layers it serves, how many rows a block has, and what guards it.
 *
 * Why it is as good as a direct sum, for the bound that `strict` promises, γ(n)·Σ|x||w| with n = taps · channels + 2 and u = 2⁻²⁴:
 *   x = h + m + l and w alike, exactly, eight bits each: x is cut off, |m| < 2⁻⁷|x|, |l| < 2⁻¹⁵|x|; w is rounded, |m| ≤ 2⁻⁸|w|,
 *   |l| ≤ 2⁻¹⁶|w|, the sum of its planes' magnitudes at most (1 + 2⁻⁷)|w|. Six products are taken, m·l, l·m and l·l are left out:
 *   together less than 2⁻²²|x||w| · 1.01, which is 4u and a little.
 *   A tile multiplication adds 16 products to each of two sums that start at 0, adds these two, and their sum to the element: the
 *   products are exact, so 15 roundings and 1, of as many terms as there are channels; and 1 for each of the 6 · taps · steps
 *   multiplications. Bias and residual take two more, which the two terms beyond taps · channels are for.
 *   Numbers are 0 or within 2^±40, so every plane is a multiple of 2⁻⁶³, every product and every sum one of 2⁻¹²⁶, the smallest
 *   number that is not flushed; and no sum of fewer than 2⁴⁰ products overflows. What is not finite is out of that range, too.
 * Where these are more roundings than terms, four times as many are within what `normwise` promises. With two planes and three
 * products, what is left out is 2⁻¹⁵|x||w| of each of l·w and m·m and half of that of x·l: within the 2⁻¹³ of `fast`. */
#include "alg.h"
#include "mem.h"
#include "planes.h"
#include <string.h>

/* Whole numbers that are the sums of fewer planes have eight bits: their products, of which a sum has 16 or more, need so many less
 * than a sum has. */
enum { UPPER_EXACT_BITS = 4 };

/* Channels of a group that fill enough of a tile; bytes of workspace that candidates may need. */
static const int64_t least_channels = 16, most_bytes[] = {128 << 10, 400 << 10, 1536 << 10};

/* Code of a step of tiles and of what surrounds it, about. */
static const int64_t tile_code_bytes = 3000;

/* ---- what it serves ------------------------------------------------------------------------------------------------ */

static int64_t taps_of(const struct problem *problem) {
  int64_t taps = 1;
  for (int a = 0; a < problem->rank; a++) taps *= problem->axis[a].kernel;
  return taps;
}

/* Roundings of a sum, those that the products left out amount to, and a share for the weights' larger planes. */
int64_t planes_roundings(int64_t taps, int64_t channels) {
  const int64_t products = ALL_PLANES * (ALL_PLANES + 1) / 2, steps = ceil_div(channels, PLANE_TERMS);
  const int64_t terms = channels < PLANE_TERMS ? channels : PLANE_TERMS;
  const int64_t count = ceil_div(terms, 2) + products * taps * steps + 4;
  return count + count / 64;
}

static int64_t roundings(const struct problem *problem) {
  return planes_roundings(taps_of(problem), problem->in_channels);
}

static int64_t terms_of(const struct problem *problem) {
  return taps_of(problem) * problem->in_channels;
}

/* What the sums of planes keep. */
static enum cs_accuracy accuracy_of(const struct planes *planes) {
  if (planes->count < ALL_PLANES) return CS_FAST;
  return roundings(&planes->problem) <= terms_of(&planes->problem) ? CS_STRICT : CS_NORMWISE;
}

/* Why tiles can't serve a problem, or NULL. */
static const char *problem_reason(const struct problem *problem) {
  if (problem->dtype != CS_F32) return "planes of bf16 make up f32 only";
  if (problem->in_channels < least_channels || problem->out_channels < least_channels)
    return mem_text("groups of %lld input and %lld output channels; tiles need %lld of each", (long long)problem->in_channels,
                    (long long)problem->out_channels, (long long)least_channels);
  if (roundings(problem) > 4 * terms_of(problem))
    return mem_text("its sums are rounded up to %lld times, accuracy: normwise allows 4 times their %lld terms",
                    (long long)roundings(problem), (long long)terms_of(problem));
  if (problem->baked_weights && !planes_guarded(problem))
    return mem_text("a baked weight lies outside 2^-%d to 2^%d", GUARD_EXPONENT, GUARD_EXPONENT);
  if (problem->gathered) return "its weights are an input; tiles need packed ones";
  if (problem->phases > 0) return mem_text("%lld phases of outputs with weights of their own", (long long)problem->phase[0].count);
  if (problem->x_rows || problem->y_rows) return "its rows take turns with another stage's";
  return problem->unroll == UNROLL_FULL ? "unroll: full asks for no loop over taps or input channels" : NULL;
}

static const char *reason_of(const struct candidates *candidates) {
  if (candidates->problem_count > 1)
    return mem_text("%zu kernels that take turns among the outputs; tiles serve 1", candidates->problem_count);
  return problem_reason(candidates->problems);
}

/* ---- candidates ---------------------------------------------------------------------------------------------------- */

/* The cheapest direct plan whose rows can be computed some at a time and which keeps nothing of its own; id NULL: none. */
struct plan planes_fallback(const struct problem *problem, const struct isa *isa) {
  struct candidates direct = {.isa = isa, .problems = problem, .problem_count = 1};
  struct plan best = {.id = NULL};
  alg_direct.enumerate(&direct);
  for (size_t i = 0; i < direct.count; i++) {
    const struct plan *plan = &direct.plans[i];
    if (plan->reason || plan->workspace_bytes || plan->together != 1) continue;
    if (!best.id || plan->cost < best.cost) best = *plan;
  }
  return best;
}

static struct plan new_plan(const struct candidates *candidates, int64_t count, int64_t rows) {
  return (struct plan){.id = mem_text("planes%lld-rows%lld", (long long)count, (long long)rows),
                       .algorithm = &alg_planes,
                       .isa = candidates->isa,
                       .tile = mem_text("%dx%d", PLANE_PAIR * PLANE_ROWS, PLANE_PAIR * PLANE_COLUMNS)};
}

static void refuse(struct candidates *candidates, int64_t count, const char *reason) {
  struct plan plan = new_plan(candidates, count, 1);
  plan.reason = reason;
  candidates_add(candidates, plan);
}

static void add(struct candidates *candidates, const struct planes *planes) {
  struct plan plan = new_plan(candidates, planes->count, planes->rows);
  const struct plan *direct = &planes->direct;
  plan.cost = planes_cost(planes);
  plan.packed_bytes = direct->packed_bytes;
  if (!planes->problem.baked_weights) plan.packed_bytes += planes_packed(planes) * (int64_t)sizeof(float);
  plan.workspace_bytes = planes_workspace(planes);
  plan.code_bytes = direct->code_bytes > tile_code_bytes ? direct->code_bytes : tile_code_bytes;
  plan.multiply_adds = direct->multiply_adds;
  plan.row_tile = PLANE_PAIR * PLANE_ROWS;
  plan.channel_tile = PLANE_PAIR * PLANE_COLUMNS;
  plan.promise.accuracy = accuracy_of(planes);
  plan.exact_bits = planes->count < ALL_PLANES ? UPPER_EXACT_BITS : 0;
  plan.asks = true;
  plan.parameters = memcpy(mem_new(sizeof *planes), planes, sizeof *planes);
  candidates_add(candidates, plan);
}

/* The number of rows whose blocks are cheapest within `bytes` of workspace; 0: none fits. */
static int64_t best_rows(const struct planes *planes, int64_t bytes) {
  const int64_t out = planes->problem.axis[planes->problem.rank - 2].out;
  double least = 0;
  int64_t best = 0;
  for (int64_t rows = 1; rows <= out; rows++) {
    const size_t mark = mem_mark();
    struct planes at = *planes;
    planes_lay_out(&at, rows);
    const double cost = planes_cost(&at);
    const bool fits = planes_workspace(&at) <= bytes;
    mem_release(mark);
    if (!fits) break;
    if (best && cost >= least) continue;
    best = rows;
    least = cost;
  }
  return best;
}

/* Why baked weights don't go into a file as planes, or NULL. */
static const char *baked_reason(const struct planes *planes) {
  const struct problem *problem = &planes->problem;
  const int64_t bytes = problem->groups * planes_group(planes) * (int64_t)sizeof(float);
  if (!problem->baked_weights || bytes <= MOST_BAKED_BYTES) return NULL;
  return mem_text("its baked weights would take %lld bytes of the file as planes; at most %d compile in good time",
                  (long long)bytes, MOST_BAKED_BYTES);
}

static void try_sizes(struct candidates *candidates, struct planes *planes) {
  int64_t before = 0;
  planes_lay_out(planes, 1);
  if (baked_reason(planes)) {
    refuse(candidates, planes->count, baked_reason(planes));
    return;
  }
  for (size_t i = 0; i < sizeof most_bytes / sizeof *most_bytes; i++) {
    const int64_t rows = best_rows(planes, most_bytes[i]);
    if (rows == before) continue;
    planes_lay_out(planes, rows);
    add(candidates, planes);
    before = rows;
  }
  if (before > 0) return;
  planes_lay_out(planes, 1);
  refuse(candidates, planes->count,
         mem_text("blocks of one row need %lld bytes of workspace, at most %lld are worth it", (long long)planes_workspace(planes),
                  (long long)most_bytes[2]));
}

static void planes_enumerate(struct candidates *candidates) {
  if (!candidates->isa->tiles) return;
  const char *reason = reason_of(candidates);
  struct planes planes = {.problem = candidates->problems[0]};
  planes_fold(&planes.problem);
  if (!reason) planes.direct = planes_fallback(&planes.problem, candidates->isa);
  if (!reason && !planes.direct.id) reason = "no direct plan can compute the blocks that its guard refuses";
  for (planes.count = ALL_PLANES; planes.count >= UPPER_PLANES; planes.count--) {
    if (reason)
      refuse(candidates, planes.count, reason);
    else
      try_sizes(candidates, &planes);
  }
}

/* ---- what the template gets -------------------------------------------------------------------------------------------- */

/* The kernel of tiles, then those that compute what it refuses. */
static void push_all(lua_State *L, const struct plan *plan) {
  const struct planes *planes = plan->parameters;
  lua_newtable(L);
  planes_push(L, planes);
  lua_rawseti(L, -2, 1);
  alg_direct.push(L, &planes->direct);
  const lua_Integer count = (lua_Integer)lua_rawlen(L, -1);
  for (lua_Integer i = 1; i <= count; i++) {
    lua_rawgeti(L, -1, i);
    lua_rawseti(L, -3, i + 1);
  }
  lua_pop(L, 1);
}

static struct baked_values bake(const struct plan *plan, const struct layer *layer) {
  const struct planes *planes = plan->parameters;
  struct baked_values values = alg_direct.bake(&planes->direct, layer);
  if (values.weights) values.planes = planes_bake(planes, &values.plane_bytes);
  return values;
}

const struct algorithm alg_planes = {
    .name = "direct",
    .template = "planes.t",
    .enumerate = planes_enumerate,
    .push = push_all,
    .bake = bake,
};
