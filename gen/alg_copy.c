/* The direct algorithm for copies (copy.h): blocks of growing size, whose cost is what they load, shuffle and store. */
#include "alg.h"
#include "copy.h"
#include "direct.h"
#include "mem.h"
#include "processor.h"
#include "signature.h"
#include <string.h>

static const int64_t block_overhead = 2; /* cycles of a turn of the innermost loop */
static const double piece_load = 0.65;   /* of a part of a vector, and to put it there */
static const double stretch = 10;        /* to begin with neighbours beyond the caches near the core: nothing fetched them ahead */

enum { NEAR = 128 }; /* neighbours on both sides that units have where that is chosen: eight lines of f32 */

struct copy_parameters {
  struct copy *kernels; /* one a problem */
  size_t count;
};

static const char *extents_text(const struct copy *copy) {
  const char *text = "";
  for (int i = 0; i < copy->moves; i++)
    if (copy->extent[i] > 1) text = mem_text("%s%s%lld", text, *text ? "x" : "", (long long)copy->extent[i]);
  return *text ? text : "1";
}

static const char *const loads_text[] = {[COPY_WHOLE] = "", [COPY_PIECES] = "-pieces", [COPY_IN_PLACE] = "-placed"};

static struct plan new_plan(const struct candidates *candidates, const struct copy *copy) {
  const char *tile = extents_text(copy), *units = copy->choice.near > 0 ? "-near" : "";
  return (struct plan){.id = mem_text("direct-copy-%s%s%s", tile, loads_text[copy->choice.loads], units),
                       .algorithm = &alg_copy,
                       .isa = candidates->isa,
                       .tile = tile,
                       .row_tile = 1,
                       .channel_tile = 1};
}

/* ---- cost --------------------------------------------------------------------------------------------------------------- */

/* Does a shuffle move lanes from one piece of its vectors to another? */
static bool crosses(const struct network *network, const struct network_step *step, int64_t pieces) {
  const int64_t piece = pieces > 0 ? network->lanes / pieces : network->lanes;
  for (int64_t lane = 0; lane < network->lanes; lane++)
    if (step->lanes[lane] % network->lanes / piece != lane / piece) return true;
  return false;
}

/* Cycles of one block: loads two at a time, pieces of them four, stores and shuffles one; parts of vectors count double. */
static double block_cycles(const struct copy_block *block, const struct isa *isa, int64_t lanes, int64_t pieces) {
  double cycles = (double)block_overhead;
  for (int64_t i = 0; i < block->network.step_count; i++)
    cycles += crosses(&block->network, &block->network.steps[i], pieces) ? isa->crossing : 1;
  const double load = block->piece_count > 0 ? piece_load * (double)block->piece_count : 0.5;
  for (int64_t i = 0; i < block->load_count; i++) cycles += block->loads[i].live < lanes ? 1 : load;
  for (int64_t i = 0; i < block->store_count; i++) cycles += block->stores[i].live < lanes ? 2 : 1;
  return cycles;
}

/* Where both tensors don't stay near the core: units begin anew with each stretch of neighbours. */
static double far_cost(const struct copy *copy) {
  double elements = 1, stretches = 0;
  for (int d = 0; d < copy->moves; d++) elements *= (double)copy->move[d].count;
  for (int output = 0; output < 2; output++) stretches += elements / (double)copy_run(copy, output);
  return 2 * elements * (double)cs_size(copy->problem->dtype) > processor.l2 ? stretch * stretches : 0;
}

static double copy_cost(const struct copy *copy, const struct isa *isa) {
  const int64_t lanes = isa->lanes[copy->problem->dtype], pieces = isa->pieces[copy->problem->dtype];
  double cycles = far_cost(copy);
  for (int kind = 0; kind < copy->block_count; kind++) {
    double times = 1;
    for (int l = 0; l < copy->loops; l++) times *= kind >> l & 1 ? 1 : (double)copy->loop[l].whole;
    if (copy->blocks[kind].load_count > 0) cycles += times * block_cycles(&copy->blocks[kind], isa, lanes, pieces);
  }
  return cycles;
}

static int64_t copy_bytes(const struct copy *copy) {
  int64_t bytes = 300;
  for (int kind = 0; kind < copy->block_count; kind++) {
    const struct copy_block *block = &copy->blocks[kind];
    bytes += 10 * (block->load_count + block->store_count + block->network.step_count);
  }
  return bytes;
}

/* ---- enumeration -------------------------------------------------------------------------------------------------------- */

/* Why a block of more than one element can't be, or NULL. */
static const char *block_reason(const struct candidates *candidates, const struct copy *copy) {
  const struct isa *isa = candidates->isa;
  const int64_t lanes = isa->lanes[copy->problem->dtype], vectors = copy_vectors(copy, lanes), most = isa->registers / 2;
  if (vectors > most)
    return mem_text("its blocks have %lld vectors, half of %s's registers hold %lld", (long long)vectors, isa->name,
                    (long long)most);
  if (lanes > 1 && !isa->shuffles) return mem_text("%s has no operation that shuffles two vectors", isa->name);
  return NULL;
}

/* Why blocks can't be loaded as the choice says, or NULL. */
static const char *loads_reason(const struct copy *copy) {
  bool pieces = false, neighbours = false;
  for (int kind = 0; kind < copy->block_count; kind++) {
    const struct copy_block *block = &copy->blocks[kind];
    pieces |= block->piece_count > 0;
    for (int64_t i = 0; i < block->load_count; i++) neighbours |= block->loads[i].live > 1;
  }
  if (copy->choice.loads == COPY_PIECES && !pieces) return "no block is made of equal pieces that vectors are loaded in";
  if (copy->choice.loads == COPY_IN_PLACE && !neighbours) return "no neighbours in the input are neighbours in the output";
  return NULL;
}

/* Why units can't have neighbours that others lack, or NULL. */
static const char *units_reason(const struct copy *copy) {
  struct copy plain = *copy;
  struct copy_choice choice = copy->choice;
  choice.near = 0;
  copy_choose(&plain, choice);
  if (copy->choice.near == 0 || memcmp(plain.span, copy->span, sizeof plain.span) != 0) return NULL;
  return mem_text("units of work with runs of %d neighbours are the same", NEAR);
}

/* A plan has a kernel at least, and so an id. */
static bool is_there(const struct candidates *candidates, const char *id) {
  for (size_t i = 0; i < candidates->count; i++)
    if (strcmp(candidates->plans[i].id, id) == 0) return true; /* NOLINT(clang-analyzer-core.NonNullParamChecker) */
  return false;
}

/* A choice of blocks for all problems, unless another gave the same ones. */
static void try_choice(struct candidates *candidates, struct copy_choice choice) {
  struct copy_parameters *parameters = mem_new(sizeof *parameters);
  parameters->count = candidates->problem_count;
  parameters->kernels = mem_array(parameters->count, sizeof *parameters->kernels);
  struct plan plan = {0};
  for (size_t i = 0; i < parameters->count; i++) {
    struct copy *copy = &parameters->kernels[i];
    copy_fold(copy, &candidates->problems[i]);
    copy_choose(copy, choice);
    if (i == 0) plan = new_plan(candidates, copy);
    if (!plan.reason && choice.elements > 1) plan.reason = block_reason(candidates, copy);
    if (!plan.reason) plan.reason = units_reason(copy);
    if (plan.reason) continue;
    copy_build(copy, candidates->isa);
    plan.reason = loads_reason(copy);
    plan.cost += copy_cost(copy, candidates->isa);
    plan.code_bytes += copy_bytes(copy);
  }
  if (is_there(candidates, plan.id)) return;
  plan.parameters = parameters;
  candidates_add(candidates, plan);
}

/* Runs that fill vectors on both sides: where these are not multiples of what lies together there, a little longer or shorter. */
static void copy_enumerate(struct candidates *candidates) {
  const int64_t lanes = candidates->isa->lanes[candidates->problems->dtype], vector = lanes > 1 ? lanes : 2;
  static const int64_t most[] = {[COPY_WHOLE] = 4, [COPY_PIECES] = 1, [COPY_IN_PLACE] = 3}; /* vectors */
  try_choice(candidates, (struct copy_choice){.elements = 1});
  for (enum copy_loads loads = COPY_WHOLE; loads <= COPY_IN_PLACE; loads++)
    for (int64_t i = 0; i < 4 * most[loads]; i++)
      try_choice(candidates,
                 (struct copy_choice){.elements = (i / 4 + 1) * vector, .within = i & 1, .near = i & 2 ? NEAR : 0, .loads = loads});
}

/* ---- what the template gets --------------------------------------------------------------------------------------------- */

/* Are tensors beyond the nearest cache read in turns from a few stretches? From many, steps that loads repeat are worth learning.
 */
static bool in_turns(const struct copy *copy) {
  static const int64_t few = 8;
  const struct copy_block *block = copy->blocks;
  double bytes = 2 * (double)cs_size(copy->problem->dtype);
  int64_t stretches = 1;
  for (int d = 0; d < copy->moves; d++) bytes *= (double)copy->move[d].count;
  for (int64_t i = 1; i < block->load_count; i++)
    stretches += block->loads[i].at != block->loads[i - 1].at + block->loads[i - 1].live;
  return bytes > processor.l1 && stretches <= few;
}

static void copy_push(lua_State *L, const struct copy *copy, const struct isa *isa) {
  lua_createtable(L, 0, 16);
  set_text(L, "form", "copy");
  set_bool(L, "fetches", isa->fetches[copy->problem->dtype] && in_turns(copy));
  set_bool(L, "shared", false);
  set_bool(L, "gathered", false);
  set_bool(L, "zero_weights", false);
  set_integer(L, "w_size", 0);
  set_integer(L, "b_size", 0);
  set_integer(L, "x_first", copy->problem->x_first);
  set_integer(L, "y_first", copy->problem->y_first);
  kernel_push_epilogue(L, copy->problem);
  copy_push_loops(L, copy);
  copy_push_blocks(L, copy);
}

static void copy_push_all(lua_State *L, const struct plan *plan) {
  const struct copy_parameters *parameters = plan->parameters;
  lua_createtable(L, (int)parameters->count, 0);
  for (size_t i = 0; i < parameters->count; i++) {
    copy_push(L, &parameters->kernels[i], plan->isa);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
}

const struct algorithm alg_copy = {
    .name = "direct",
    .work = WORK_COPY,
    .template = "copy.t",
    .enumerate = copy_enumerate,
    .push = copy_push_all,
};
