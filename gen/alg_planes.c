/* The direct algorithm on tile registers (planes.h): which layers it serves, how many rows a block has, and what guards it.
 *
 * Why it is as good as a direct sum, for the bound that `strict` promises, γ(n)·Σ|x||w| with n = taps · channels + 2 and u = 2⁻²⁴:
 *   x = h + m + l and w alike, exactly, eight bits each: x is cut off, |m| < 2⁻⁷|x|, |l| < 2⁻¹⁵|x|; w is rounded, |m| ≤ 2⁻⁸|w|,
 *   |l| ≤ 2⁻¹⁶|w|, the sum of its planes' magnitudes at most (1 + 2⁻⁷)|w|. Six products are taken, m·l, l·m and l·l are left out:
 *   together less than 2⁻²²|x||w| · 1.01, which is 4u and a little.
 *   A tile multiplication adds 16 products to each of two sums that start at 0, adds these two, and their sum to the element: the
 *   products are exact, so 15 roundings and 1, of as many terms as there are channels; and 1 for each of the 6 · taps · steps
 *   multiplications. Sums that wait for the next chunk of channels keep their bits; taps that are left out of a tile would have
 *   added zeros. Bias and residual take two more, which the two terms beyond taps · channels are for.
 *   Numbers are 0 or within 2^±40, so every plane is a multiple of 2⁻⁶³, every product and every sum one of 2⁻¹²⁶, the smallest
 *   number that is not flushed; and no sum of fewer than 2⁴⁰ products overflows. What is not finite is out of that range, too.
 * Where these are more roundings than terms, four times as many are within what `normwise` promises. With two planes and three
 * products, what is left out is 2⁻¹⁵|x||w| of each of l·w and m·m and half of that of x·l: within the 2⁻¹³ of `fast`.
 * Numbers of bf16 are one plane each, and their only product leaves nothing out: of the roundings above those of one multiplication
 * for each tap and step remain. */
#include "alg.h"
#include "mem.h"
#include "planes.h"
#include <string.h>

/* Whole numbers that are the sums of fewer planes have eight bits: their products, of which a sum has 16 or more, need so many less
 * than a sum has. */
enum { UPPER_EXACT_BITS = 4 };

/* Bytes of weights that may pass by for every two tiles. */
static const int64_t most_across_bytes = 512 << 10;

/* Bytes of workspace that candidates may need. */
static const int64_t most_bytes[] = {128 << 10, 400 << 10, 1536 << 10};

/* The same where sums wait in it for the next chunk of input channels; what blocks of all rows and channels need at least for
 * chunks to pay; steps of chunks. */
static const int64_t most_chunked_bytes = 6 << 20;
static const int64_t least_divided_bytes = 1 << 20;
static const int64_t chunks[] = {2, 4, 8, 16};

/* Kernels of a file. */
static const size_t most_kernels = 9;

/* Code of a step of tiles and of what surrounds it, about. */
static const int64_t tile_code_bytes = 3000;

/* ---- what it serves ------------------------------------------------------------------------------------------------ */

static int64_t taps_of(const struct problem *problem) {
  int64_t taps = 1;
  for (int a = 0; a < problem->rank; a++) taps *= problem->axis[a].kernel;
  return taps;
}

/* A number of bf16 is its only plane. */
static int64_t all_planes(const struct problem *problem) {
  return problem->dtype == CS_BF16 ? BF16_PLANES : ALL_PLANES;
}

/* Roundings of a sum, those that the products left out amount to, and a share for the weights' larger planes. */
int64_t planes_roundings(int64_t taps, int64_t channels) {
  const int64_t products = ALL_PLANES * (ALL_PLANES + 1) / 2, steps = ceil_div(channels, PLANE_TERMS);
  const int64_t terms = channels < PLANE_TERMS ? channels : PLANE_TERMS;
  const int64_t count = ceil_div(terms, 2) + products * taps * steps + 4;
  return count + count / 64;
}

/* Those of a sum of products of single planes, which leave nothing out. */
static int64_t single_roundings(int64_t taps, int64_t channels) {
  const int64_t terms = channels < PLANE_TERMS ? channels : PLANE_TERMS;
  return ceil_div(terms, 2) + taps * ceil_div(channels, PLANE_TERMS);
}

static int64_t roundings(const struct problem *problem) {
  return (problem->dtype == CS_BF16 ? single_roundings : planes_roundings)(taps_of(problem), problem->in_channels);
}

static int64_t terms_of(const struct problem *problem) {
  return taps_of(problem) * problem->in_channels;
}

/* What the sums of planes keep. */
static enum cs_accuracy accuracy_of(const struct planes *planes) {
  if (planes->count < all_planes(&planes->problem)) return CS_FAST;
  return roundings(&planes->problem) <= terms_of(&planes->problem) ? CS_STRICT : CS_NORMWISE;
}

/* Why tiles can't serve a problem, or NULL. */
static const char *problem_reason(const struct problem *problem) {
  struct problem joined = *problem;
  if (problem->dtype == CS_F64) return "planes of bf16 make up f32 only";
  if (problem->dtype == CS_F32) planes_join(&joined);
  if (joined.in_channels < PLANE_LEAST || problem->out_channels < PLANE_LEAST)
    return mem_text("groups of %lld input and %lld output channels; tiles need %lld of each", (long long)problem->in_channels,
                    (long long)problem->out_channels, (long long)PLANE_LEAST);
  if (roundings(&joined) > 4 * terms_of(&joined))
    return mem_text("its sums are rounded up to %lld times, accuracy: normwise allows 4 times their %lld terms",
                    (long long)roundings(&joined), (long long)terms_of(&joined));
  if (problem->baked_weights && problem->dtype == CS_BF16) return "baked weights are made into planes of f32 only";
  if (problem->baked_weights && !planes_guarded(problem))
    return mem_text("a baked weight lies outside 2^-%d to 2^%d", GUARD_EXPONENT, GUARD_EXPONENT);
  if (problem->gathered) return "its weights are an input; tiles need packed ones";
  for (int i = 0; i < problem->phases; i++)
    if (problem->phase[i].x || problem->phase[i].b)
      return mem_text("%lld phases of outputs with inputs or bias of their own", (long long)problem->phase[i].count);
  if (problem->x_rows || problem->y_rows) return "its rows take turns with another stage's";
  return problem->unroll == UNROLL_FULL ? "unroll: full asks for no loop over taps or input channels" : NULL;
}

static const char *reason_of(const struct candidates *candidates) {
  const char *reason = NULL;
  if (candidates->problem_count > most_kernels)
    return mem_text("%zu kernels take turns among the outputs; at most %zu have tiles", candidates->problem_count, most_kernels);
  for (size_t i = 0; i < candidates->problem_count && !reason; i++) reason = problem_reason(&candidates->problems[i]);
  return reason;
}

/* ---- candidates ---------------------------------------------------------------------------------------------------- */

/* The cheapest direct plan whose rows can be computed some at a time and which keeps nothing of its own; id NULL: none. */
struct plan planes_fallback(const struct problem *problems, size_t count, const struct isa *isa) {
  struct candidates direct = {.isa = isa, .problems = problems, .problem_count = count};
  struct plan best = {.id = NULL};
  alg_direct.enumerate(&direct);
  for (size_t i = 0; i < direct.count; i++) {
    const struct plan *plan = &direct.plans[i];
    if (plan->reason || plan->workspace_bytes || plan->together != 1) continue;
    if (!best.id || plan->cost < best.cost) best = *plan;
  }
  return best;
}

static const char *const ways[] = {[WAY_THROUGH] = "", [WAY_APART] = "-apart", [WAY_CUT] = "-cut", [WAY_ACROSS] = "-across"};

/* chunk: channels of one, 0: all. */
static struct plan new_plan(const struct candidates *candidates, int64_t count, int64_t rows, int64_t chunk, enum plane_way way) {
  const char *how = mem_text("%s%s", chunk ? mem_text("-by%lld", (long long)chunk) : "", ways[way]);
  return (struct plan){.id = mem_text("planes%lld-rows%lld%s", (long long)count, (long long)rows, how),
                       .algorithm = &alg_planes,
                       .isa = candidates->isa,
                       .tile = mem_text("%dx%d", PLANE_PAIR * PLANE_ROWS, PLANE_PAIR * PLANE_COLUMNS)};
}

static void refuse(struct candidates *candidates, int64_t count, const char *reason) {
  struct plan plan = new_plan(candidates, count, 1, 0, WAY_THROUGH);
  plan.reason = reason;
  candidates_add(candidates, plan);
}

/* What one more kernel adds to a plan. */
static void sum_up(struct plan *plan, const struct planes *planes) {
  const int64_t workspace = planes_workspace(planes);
  plan->cost += planes_cost(planes);
  if (!planes->problem.baked_weights) plan->packed_bytes += planes_packed(planes) * (int64_t)sizeof(float);
  if (plan->workspace_bytes < workspace) plan->workspace_bytes = workspace;
  if (plan->promise.accuracy < accuracy_of(planes)) plan->promise.accuracy = accuracy_of(planes);
}

static void add(struct candidates *candidates, const struct planes_plan *parameters) {
  const struct planes *first = parameters->kernels;
  const struct plan *direct = &parameters->direct;
  const int64_t chunk = planes_passes(first) > 1 ? first->chunk * PLANE_TERMS : 0;
  struct plan plan = new_plan(candidates, first->count, first->rows, chunk, first->way);
  struct planes_plan *copy = memcpy(mem_new(sizeof *copy), parameters, sizeof *copy);
  copy->kernels = memcpy(mem_array(copy->count, sizeof *first), first, copy->count * sizeof *first);
  plan.packed_bytes = direct->packed_bytes;
  plan.code_bytes = direct->code_bytes > tile_code_bytes ? direct->code_bytes : tile_code_bytes;
  plan.multiply_adds = direct->multiply_adds;
  plan.row_tile = PLANE_PAIR * PLANE_ROWS;
  plan.channel_tile = PLANE_PAIR * PLANE_COLUMNS;
  plan.exact_bits = first->count < all_planes(&first->problem) ? UPPER_EXACT_BITS : 0;
  plan.asks = true;
  plan.parameters = copy;
  for (size_t i = 0; i < copy->count; i++) sum_up(&plan, &copy->kernels[i]);
  candidates_add(candidates, plan);
}

/* Finds the rows whose blocks are cheapest within `bytes` of workspace. Returns their cost; 0: none fits. */
static double best_rows(struct planes *planes, int64_t bytes) {
  const int64_t out = planes->problem.axis[planes->problem.rank - 2].out;
  double least = 0;
  int64_t best = 0;
  for (planes->rows = 1; planes->rows <= out; planes->rows++) {
    const size_t mark = mem_mark();
    planes_lay_out(planes);
    const double cost = planes_cost(planes);
    const bool fits = planes_workspace(planes) <= bytes;
    mem_release(mark);
    if (!fits) break;
    if (best && cost >= least) continue;
    best = planes->rows;
    least = cost;
  }
  planes->rows = best;
  return least;
}

/* Lays all kernels out for `bytes` of workspace. False where a row of one needs more. */
static bool lay_out(struct planes_plan *plan, int64_t chunk, enum plane_way way, int64_t bytes) {
  for (size_t i = 0; i < plan->count; i++) {
    plan->kernels[i].chunk = chunk;
    plan->kernels[i].way = way;
    if (best_rows(&plan->kernels[i], bytes) <= 0) return false;
    planes_lay_out(&plan->kernels[i]);
  }
  return true;
}

/* Of a row of the kernel that needs most. */
static int64_t least_workspace(struct planes_plan *plan) {
  int64_t most = 0;
  for (size_t i = 0; i < plan->count; i++) {
    plan->kernels[i].rows = 1;
    plan->kernels[i].chunk = INT64_MAX;
    plan->kernels[i].way = WAY_THROUGH;
    planes_lay_out(&plan->kernels[i]);
    if (planes_workspace(&plan->kernels[i]) > most) most = planes_workspace(&plan->kernels[i]);
  }
  return most;
}

static int64_t baked_bytes(const struct planes_plan *plan) {
  int64_t bytes = 0;
  for (size_t i = 0; i < plan->count; i++) bytes += planes_baked(&plan->kernels[i]);
  return bytes;
}

/* Why no layout of kernels is worth having, or NULL. */
static const char *baked_reason(const struct planes_plan *plan) {
  if (!plan->kernels->problem.baked_weights || baked_bytes(plan) <= MOST_BAKED_BYTES) return NULL;
  return mem_text("its baked weights would take %lld bytes of the file as planes; at most %d compile in good time",
                  (long long)baked_bytes(plan), MOST_BAKED_BYTES);
}

/* Why none is that holds all channels at once, or NULL. */
static const char *rows_reason(struct planes_plan *plan) {
  const int64_t least = least_workspace(plan), most = most_bytes[sizeof most_bytes / sizeof *most_bytes - 1];
  if (least <= most) return NULL;
  return mem_text("blocks of one row need %lld bytes of workspace, at most %lld are worth it", (long long)least, (long long)most);
}

/* Plans of kernels whose blocks hold all channels at once. */
static void try_rows(struct candidates *candidates, struct planes_plan *plan, enum plane_way way) {
  int64_t before = 0;
  for (size_t i = 0; i < sizeof most_bytes / sizeof *most_bytes; i++) {
    if (!lay_out(plan, INT64_MAX, way, most_bytes[i]) || plan->kernels->rows == before) continue;
    before = plan->kernels->rows;
    add(candidates, plan);
  }
}

/* Have all kernels more than a chunk of so many steps, and too much for a block of all rows? Joined taps have few. */
static bool divides(const struct planes_plan *plan, int64_t chunk, enum plane_way way) {
  for (size_t i = 0; i < plan->count; i++) {
    struct planes whole = plan->kernels[i];
    if (whole.joined > 1 || planes_steps(&whole.problem) <= chunk) return false;
    whole.rows = whole.problem.axis[whole.problem.rank - 2].out;
    whole.chunk = INT64_MAX;
    whole.way = way;
    planes_lay_out(&whole);
    if (planes_workspace(&whole) <= least_divided_bytes) return false;
  }
  return true;
}

/* Plans of kernels whose channels come in chunks. */
static void try_chunks(struct candidates *candidates, struct planes_plan *plan, enum plane_way way) {
  for (size_t i = 0; i < sizeof chunks / sizeof *chunks; i++)
    if (divides(plan, chunks[i], way) && lay_out(plan, chunks[i], way, most_chunked_bytes)) add(candidates, plan);
}

/* Do all weights of a group stay near, of more channels than two tiles have? */
static bool is_across(const struct planes *planes) {
  struct planes whole = *planes;
  whole.rows = 1;
  whole.chunk = INT64_MAX;
  whole.way = WAY_THROUGH;
  planes_lay_out(&whole);
  return whole.phases * whole.panels > 1 && planes_group(&whole) * (int64_t)sizeof(float) <= most_across_bytes;
}

/* Do all kernels' tiles differ from those that go through gaps? */
static bool has_way(const struct planes_plan *plan, enum plane_way way) {
  for (size_t i = 0; i < plan->count; i++) {
    const struct axis *columns = &plan->kernels[i].problem.axis[plan->kernels[i].problem.rank - 1];
    if (way == WAY_ACROSS && is_across(&plan->kernels[i])) continue;
    if (way == WAY_ACROSS || columns->kernel == 1 || (way == WAY_CUT && columns->out < PLANE_ROWS)) return false;
  }
  return true;
}

/* Plans of kernels with `count` planes. */
static void try_sizes(struct candidates *candidates, struct planes_plan *plan, int64_t count) {
  for (size_t i = 0; i < plan->count; i++) plan->kernels[i].count = count;
  const char *rows = rows_reason(plan), *baked = baked_reason(plan);
  if (baked || rows) refuse(candidates, count, baked ? baked : rows);
  for (enum plane_way way = WAY_THROUGH; !baked && way <= WAY_ACROSS; way++) {
    if (way != WAY_THROUGH && !has_way(plan, way)) continue;
    if (!rows) try_rows(candidates, plan, way);
    if (way != WAY_ACROSS) try_chunks(candidates, plan, way);
  }
}

/* The kernels of all problems and their fall-back. */
static struct planes_plan new_kernels(const struct candidates *candidates) {
  struct planes_plan plan = {.count = candidates->problem_count};
  struct problem *problems = mem_array(plan.count, sizeof *problems);
  plan.kernels = mem_array(plan.count, sizeof *plan.kernels);
  for (size_t i = 0; i < plan.count; i++) {
    problems[i] = candidates->problems[i];
    planes_fold(&problems[i]);
    plan.kernels[i].problem = problems[i];
    plan.kernels[i].joined = planes_join(&plan.kernels[i].problem);
  }
  plan.direct = planes_fallback(problems, plan.count, candidates->isa);
  return plan;
}

static void planes_enumerate(struct candidates *candidates) {
  if (!candidates->isa->tiles) return;
  const char *reason = reason_of(candidates);
  const int64_t most = all_planes(candidates->problems), least = most < UPPER_PLANES ? most : UPPER_PLANES;
  struct planes_plan plan = {0};
  if (!reason) plan = new_kernels(candidates);
  if (!reason && !plan.direct.id) reason = "no direct plan can compute the blocks that its guard refuses";
  for (int64_t count = most; count >= least; count--) {
    if (reason)
      refuse(candidates, count, reason);
    else
      try_sizes(candidates, &plan, count);
  }
}

/* ---- what the template gets -------------------------------------------------------------------------------------------- */

/* Sets the numbers, in the whole list, of the kernels that compute what a kernel of tiles refuses: those of the same outputs. */
static void set_directs(lua_State *L, const struct planes_plan *plan, const struct planes *planes) {
  size_t count;
  const struct design *designs = direct_designs(&plan->direct, &count);
  lua_newtable(L);
  for (size_t i = 0; i < count; i++) {
    if (designs[i].problem.y_first != planes->problem.y_first) continue;
    lua_pushinteger(L, (lua_Integer)(plan->count + i + 1));
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
  }
  lua_setfield(L, -2, "directs");
}

/* The kernels of tiles, then those that compute what these refuse. */
static void push_all(lua_State *L, const struct plan *plan) {
  const struct planes_plan *parameters = plan->parameters;
  int64_t baked = 0;
  lua_newtable(L);
  for (size_t i = 0; i < parameters->count; i++) {
    planes_push(L, &parameters->kernels[i], baked);
    set_directs(L, parameters, &parameters->kernels[i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
    baked += planes_baked(&parameters->kernels[i]);
  }
  alg_direct.push(L, &parameters->direct);
  const lua_Integer count = (lua_Integer)lua_rawlen(L, -1);
  for (lua_Integer i = 1; i <= count; i++) {
    lua_rawgeti(L, -1, i);
    lua_rawseti(L, -3, (lua_Integer)parameters->count + i);
  }
  lua_pop(L, 1);
}

static struct baked_values bake(const struct plan *plan, const struct layer *layer) {
  const struct planes_plan *parameters = plan->parameters;
  struct baked_values values = alg_direct.bake(&parameters->direct, layer);
  if (!values.weights) return values;
  values.plane_bytes = (size_t)baked_bytes(parameters);
  char *const planes = mem_new(values.plane_bytes), *to = planes;
  for (size_t i = 0; i < parameters->count; i++) {
    planes_bake(&parameters->kernels[i], (uint16_t *)(void *)to);
    to += planes_baked(&parameters->kernels[i]);
  }
  values.planes = planes;
  return values;
}

const struct algorithm alg_planes = {
    .name = "direct",
    .template = "planes.t",
    .enumerate = planes_enumerate,
    .push = push_all,
    .bake = bake,
};
