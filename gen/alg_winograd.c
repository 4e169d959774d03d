/* The Winograd algorithm: fewer multiplications for tiles of outputs, at the price of transforms and of errors that are bounded by
 * the tile's largest inputs, not by each sum's terms. Chooses the outputs of a tile, how many tiles a block has, and the cheapest
 * direct plans for a block's products; what lies where is in winograd.c. */
#include "direct.h"
#include "mem.h"
#include "op.h"
#include "processor.h"
#include "signature.h"
#include "winograd.h"
#include <math.h>
#include <string.h>

/* Outputs of a tile along an axis: the same along each, or along the first the next of these, since weights grow with the points
 * and tiles get fewer; direct plans that products are tried with. */
static const int64_t sides[] = {2, 4, 6};
enum { CHOICES = 2 };

/* Tiles of a block: as many as registers hold rows of, times these; and all. */
static const int64_t block_tiles[] = {12, 14, 24, 28, 42, 56, 84, 112, 168, 224};

/* Bytes of workspace that the farthest cache holds beside weights; where all weights pass by it for each block, it may be a third
 * as large as they are, up to the most. */
static const int64_t usual_workspace = 8 << 20, most_workspace = 24 << 20;

/* ---- whether it applies ------------------------------------------------------------------------------------------------ */

static const char *axis_reason(const struct axis *axis) {
  if (axis->stride != 1) return mem_text("a stride of %lld; tiles need 1", (long long)axis->stride);
  if (axis->kernel > COOK_TOOM_POINTS - 1)
    return mem_text("%lld taps along an axis; a tile of 2 outputs needs one point more, and there are %d", (long long)axis->kernel,
                    COOK_TOOM_POINTS);
  return NULL;
}

const char *winograd_reason(const struct candidates *candidates) {
  const struct problem *problem = candidates->problems;
  bool wide = false;
  if (problem->accuracy == CS_STRICT) return "it needs accuracy: normwise, the layer's is strict";
  if (has_wide_sums(problem)) return "transforms of bf16 would be rounded to it";
  if (candidates->problem_count > 1 || problem->phases > 0)
    return "outputs take turns between several kernels; this serves layers of one";
  if (problem->gathered) return "its weights are an input, which would be transformed by each call";
  if (problem->groups > 1 && (problem->x_group != problem->in_channels * problem->x_channel ||
                              problem->y_group != problem->out_channels * problem->y_channel))
    return "channels of its groups are not neighbours";
  if (problem->in_channels == 1 && problem->groups > 1)
    return mem_text("each of %lld groups has 1 input channel: no sums to share the transforms", (long long)problem->groups);
  for (int a = 0; a < problem->rank; a++) {
    const char *reason = axis_reason(&problem->axis[a]);
    if (reason) return reason;
    wide |= problem->axis[a].kernel > 1;
  }
  return wide ? NULL : "every kernel size is 1: there is nothing to save";
}

/* ---- plans -------------------------------------------------------------------------------------------------------------- */

const char *winograd_sizes(const int64_t *sizes, int count) {
  const char *text = "";
  for (int a = 0; a < count; a++) text = mem_text("%s%s%lld", text, a ? "x" : "", (long long)sizes[a]);
  return text;
}

static void refuse(struct candidates *candidates, const char *id, const char *reason) {
  const struct plan plan = {
      .id = id, .algorithm = &alg_winograd, .isa = candidates->isa, .tile = "", .reason = mem_text("%s", reason)};
  candidates_add(candidates, plan);
}

/* The direct plans of a problem, by cost. */
static struct plan_list direct_plans(const struct problem *problem, const struct isa *isa) {
  return problem_plans(problem, 1, isa, "direct");
}

/* One that packs as S_weights of the template does it: ordinary kernels, all weights of a group in affine boxes. */
static bool serves(const struct plan *plan) {
  return !plan->reason && plan->algorithm == &alg_direct && plan->workspace_bytes == 0;
}

static const struct plan *find(const struct plan_list *list, const char *id) {
  for (size_t i = 0; i < list->usable; i++)
    if (!strcmp(list->items[i].id, id)) return serves(&list->items[i]) ? &list->items[i] : NULL;
  return NULL;
}

/* The error grows with the points; all of them are whole numbers up to three finite ones. */
struct cs_promise winograd_promise(const struct winograd *winograd) {
  struct cs_promise promise = {.accuracy = CS_NORMWISE};
  for (int a = 0; a < winograd->problem.rank; a++) {
    promise.block[a] = (ptrdiff_t)winograd->m[a];
    if (winograd->transform[a].points > 4) promise.accuracy = CS_FAST;
  }
  return promise;
}

int winograd_exact_bits(const struct winograd *winograd) {
  double bits = 0;
  for (int a = 0; a < winograd->problem.rank; a++) {
    const double growth = cook_toom_growth(&winograd->transform[a]);
    if (growth < 0) return -1;
    bits += growth;
  }
  return (int)ceil(bits);
}

/* The transforms' share of the code, in instructions a point. */
enum { TRANSFORM_CODE = 40 };

static const char *baked_reason(const struct winograd *winograd) {
  const int64_t bytes = winograd_baked(winograd) * (int64_t)cs_size(winograd->problem.dtype);
  if (!winograd->problem.baked_weights || bytes <= MOST_BAKED_BYTES) return NULL;
  return mem_text("its baked weights would take %lld bytes of the file once transformed; at most %d compile in good time",
                  (long long)bytes, MOST_BAKED_BYTES);
}

static struct plan plan_of(const struct winograd *winograd, double cost) {
  const struct problem *problem = &winograd->problem;
  const struct plan *products = &winograd->products;
  const int last = problem->rank - 1;
  struct plan plan = *products;
  const char *side = winograd_sizes(winograd->m, problem->rank);
  plan.id = mem_text("winograd-%s-b%lld/%s", side, (long long)winograd->block, products->id);
  plan.algorithm = &alg_winograd;
  plan.tile = mem_text("%s/%s", side, products->tile);
  plan.cost = cost;
  plan.reason = baked_reason(winograd);
  plan.promise = winograd_promise(winograd);
  plan.exact_bits = winograd_exact_bits(winograd);
  plan.packed_bytes = winograd_shell(problem) * (int64_t)cs_size(problem->dtype);
  if (!problem->baked_weights) plan.packed_bytes += products->packed_bytes;
  plan.workspace_bytes = winograd_workspace(winograd);
  if (plan.code_bytes < winograd->points * TRANSFORM_CODE) plan.code_bytes = winograd->points * TRANSFORM_CODE;
  plan.row_tile = winograd->m[last] * winograd->residues[last];
  plan.together = 0;
  struct winograd *copy = mem_new(sizeof *copy);
  *copy = *winograd;
  plan.parameters = copy;
  return plan;
}

/* The cheapest number of tiles a block, with the ids of the direct plans that cost least at one point. */
struct pick {
  int64_t block;
  double cost;
};

static bool workspace_fits(const struct winograd *winograd) {
  const int64_t share = (int64_t)winograd_weight_bytes(winograd) / 3, most = share < most_workspace ? share : most_workspace;
  return winograd_workspace(winograd) <= (most > usual_workspace ? most : usual_workspace);
}

static void try_block(struct winograd *winograd, int64_t block, struct pick *best) {
  const size_t mark = mem_mark();
  struct problem point = winograd_products(winograd, block);
  point.phases = 0; /* its cost: other points' weights are in winograd_cost */
  const struct plan_list list = direct_plans(&point, winograd->isa);
  if (list.usable > 0 && workspace_fits(winograd)) {
    const double cost = winograd_cost(winograd, list.items[0].cost);
    if (best->block == 0 || cost < best->cost) *best = (struct pick){winograd->block, cost};
  }
  mem_release(mark);
}

/* Adds the plans of the cheapest block with its cheapest products. */
static void add_plans(struct candidates *candidates, struct winograd *winograd, int64_t block) {
  const struct problem products = winograd_products(winograd, block);
  struct problem point = products;
  point.phases = 0;
  const struct plan_list costs = direct_plans(&point, winograd->isa), plans = direct_plans(&products, winograd->isa);
  int added = 0;
  for (size_t i = 0; i < costs.usable && added < CHOICES; i++) {
    const struct plan *plan = find(&plans, costs.items[i].id);
    if (!plan) continue;
    winograd->products = *plan;
    candidates_add(candidates, plan_of(winograd, winograd_cost(winograd, costs.items[i].cost)));
    added++;
  }
  if (added == 0)
    refuse(candidates, mem_text("winograd-%s", winograd_sizes(winograd->m, winograd->problem.rank)),
           "no direct plan for its products");
}

static void try_tiles(struct candidates *candidates, const int64_t m[MAX_SPATIAL]) {
  struct winograd winograd = {.problem = *candidates->problems, .isa = candidates->isa};
  struct pick best = {0};
  if (!winograd_lay_out(&winograd, m)) {
    refuse(candidates, mem_text("winograd-%s", winograd_sizes(m, winograd.problem.rank)),
           mem_text("%lld points, at most %d", (long long)winograd.points, WINOGRAD_POINTS));
    return;
  }
  winograd_choose_strips(&winograd);
  for (size_t i = 0; i < sizeof block_tiles / sizeof *block_tiles; i++)
    if (block_tiles[i] < winograd.all) try_block(&winograd, block_tiles[i], &best);
  try_block(&winograd, winograd.all, &best);
  add_plans(candidates, &winograd, best.block > 0 ? best.block : block_tiles[0]);
}

/* Outputs along an axis: no more than there are, nor than the points allow. */
int64_t winograd_side(const struct axis *axis, int64_t side) {
  const int64_t residue = ceil_div(axis->out, axis->dilation < axis->out ? axis->dilation : axis->out);
  const int64_t most = COOK_TOOM_POINTS + 1 - axis->kernel;
  if (axis->kernel == 1) return 1;
  side = side < most ? side : most;
  return side < residue ? side : residue;
}

static void winograd_enumerate(struct candidates *candidates) {
  const struct problem *problem = candidates->problems;
  const char *reason = winograd_reason(candidates);
  int64_t before[MAX_SPATIAL] = {0};
  if (reason) {
    refuse(candidates, "winograd", reason);
    return;
  }
  for (size_t i = 0; i < 2 * (sizeof sides / sizeof *sides) - 1; i++) {
    int64_t m[MAX_SPATIAL] = {0};
    for (int a = 0; a < problem->rank; a++) m[a] = winograd_side(&problem->axis[a], sides[(i + (a == 0)) / 2]);
    if (memcmp(m, before, sizeof m) != 0) try_tiles(candidates, m);
    memcpy(before, m, sizeof m);
  }
}

static void winograd_push_all(lua_State *L, const struct plan *plan) {
  const struct winograd *winograd = plan->parameters;
  winograd_push(L, winograd);
  if (winograd->problem.baked_weights) winograd_push_baked(L, winograd);
}

/* Bias as every other algorithm has it, in canonical order. */
static struct baked_values bake(const struct plan *plan, const struct layer *layer) {
  const struct winograd *winograd = plan->parameters;
  const size_t size = cs_size(layer->dtype);
  struct baked_values values = {0};
  if (layer->weights.data) {
    values.weights = winograd_bake(winograd);
    values.weight_bytes = (size_t)winograd_baked(winograd) * size;
  }
  if (layer->bias_values.data) {
    values.bias = layer->bias_values.data;
    values.bias_bytes = layer->bias_values.count * size;
  }
  return values;
}

const struct algorithm alg_winograd = {
    .name = "winograd",
    .template = "winograd.t",
    .enumerate = winograd_enumerate,
    .push = winograd_push_all,
    .bake = bake,
};
