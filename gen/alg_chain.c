/* Chains: several stages in one function, with a block of rows between them that never leaves the caches. A block is some rows of
 * the last stage's outermost axis; each stage before it computes the rows that it reads, those between two blocks again for each.
 * Every stage is an ordinary problem with a plan of its own; its rows are numbered through the whole tensor, so that borders and
 * tiles are the same whatever the block. This chooses how many rows a block has and combines the cheapest plans of the stages. */
#include "alg.h"
#include "direct.h"
#include "mem.h"
#include "processor.h"
#include "signature.h"
#include <string.h>

/* Rows of a block, whatever the height: powers of two, which tall tiles divide; the bytes of more than one between stages that stay
 * in a cache; combined plans of a stage. */
static const int64_t block_rows[] = {1, 2, 4, 8}, block_bytes = 256 << 10;
enum { CHOICES = 3 };

/* Shares that there should be at least: where there are fewer blocks of rows, each is divided along the last stage's channels. */
static const int64_t least_shares = 8;

/* What one file may hold, in multiply-adds: compilers crawl beyond. */
static const int64_t most_text_macs = 24000;

struct chain {
  size_t count;
  struct stage stages[MAX_STAGES];
  struct plan plans[MAX_STAGES];
  int64_t rows;                    /* of a block */
  int64_t between[MAX_STAGES];     /* elements that stage i leaves for the next */
  int64_t batch, x_batch, y_batch; /* images, and their distances in input and output */
};

static struct axis *outermost(struct stage *stage) {
  return &stage->problem.axis[0];
}

/* Rows that `rows` of a stage read, of the stage before. */
static int64_t rows_before(struct stage *stage, int64_t rows) {
  const struct axis *axis = outermost(stage);
  const int64_t read = (rows - 1) * axis->stride + (axis->kernel - 1) * axis->dilation + 1;
  return read < axis->in ? read : axis->in;
}

static int64_t inner_size(const struct problem *problem, bool input) {
  int64_t size = 1;
  for (int a = 1; a < problem->rank; a++) size *= input ? problem->axis[a].in : problem->axis[a].out;
  return size;
}

/* ---- what lies between two stages --------------------------------------------------------------------------------------- */

/* Steps of what `stage` reads: `rows` rows of `channels` channels. */
static void set_input(struct stage *stage, int64_t channels, int64_t rows) {
  struct problem *problem = &stage->problem;
  int64_t step = stage->channels_last ? channels : 1;
  for (int a = problem->rank; a-- > 0; step *= problem->axis[a].in) problem->axis[a].x_step = step;
  problem->x_channel = stage->channels_last ? 1 : rows * inner_size(problem, true);
  problem->x_group = problem->in_channels * problem->x_channel;
  problem->x_rows = rows;
}

static void set_output(struct stage *stage, bool channels_last, int64_t channels, int64_t rows) {
  struct problem *problem = &stage->problem;
  int64_t step = channels_last ? channels : 1;
  for (int a = problem->rank; a-- > 0; step *= problem->axis[a].out) problem->axis[a].y_step = step;
  problem->y_channel = channels_last ? 1 : rows * inner_size(problem, false);
  problem->y_group = problem->out_channels * problem->y_channel;
  problem->y_rows = rows;
}

/* Sets rows and steps between the stages for blocks of `rows`. */
static void connect(struct chain *chain, int64_t rows) {
  chain->rows = rows;
  for (size_t s = chain->count - 1; s > 0; s--) {
    struct stage *stage = &chain->stages[s], *before = stage - 1;
    const int64_t channels = before->problem.groups * before->problem.out_channels;
    const int64_t read = rows_before(stage, rows);
    rows = read * stage->together;
    set_input(stage, channels, read);
    set_output(before, stage->channels_last, channels, rows);
    chain->between[s - 1] = channels * rows * inner_size(&before->problem, false);
  }
}

static int64_t between_bytes(const struct chain *chain) {
  int64_t elements = 0;
  for (size_t s = 0; s + 1 < chain->count; s++) elements += chain->between[s];
  return elements * (int64_t)cs_size(chain->stages[0].problem.dtype);
}

/* Images are the chain's to count. */
static struct chain new_chain(const struct candidates *candidates) {
  struct chain chain = {.count = candidates->stage_count};
  memcpy(chain.stages, candidates->stages, chain.count * sizeof *chain.stages);
  chain.batch = chain.stages[0].problem.batch;
  chain.x_batch = chain.stages[0].problem.x_batch;
  chain.y_batch = chain.stages[chain.count - 1].problem.y_batch;
  for (size_t s = 0; s < chain.count; s++) chain.stages[s].problem.batch = 1;
  return chain;
}

/* ---- plans of the stages --------------------------------------------------------------------------------------------------- */

/* Blocks of a stage begin at multiples of so many rows; those behind which rows are read twice begin anywhere. 0: there is one
 * block.
 */
static int64_t begins_at(struct chain *chain, size_t s) {
  int64_t rows = chain->rows;
  if (rows == outermost(&chain->stages[chain->count - 1])->out) return 0;
  for (size_t next = chain->count - 1; next > s; next--) {
    const struct axis *axis = outermost(&chain->stages[next]);
    if (axis->kernel > 1 || axis->stride > 1 || axis->pad != 0) return 1;
    rows *= chain->stages[next].together;
  }
  return rows;
}

/* Why a plan can't be a stage, or NULL. */
static const char *stage_reason(struct chain *chain, size_t s, const struct plan *plan) {
  const int64_t rows = begins_at(chain, s);
  if (plan->reason) return plan->reason;
  if (plan->together == 0) return "its rows are merged into one";
  if (plan->together > 1 && s > 0) return mem_text("it reads %lld rows together, which begin anywhere", (long long)plan->together);
  if (rows % plan->together != 0)
    return mem_text("it computes %lld rows together, blocks begin at multiples of %lld", (long long)plan->together,
                    (long long)rows);
  return NULL;
}

/* The cheapest plans that can be stage `s`; returns how many, 0 with why the first can't. */
static size_t choose(struct chain *chain, size_t s, const struct isa *isa, struct plan chosen[CHOICES], const char **reason) {
  const struct plan_list list = problem_plans(&chain->stages[s].problem, 1, isa, "auto");
  size_t count = 0;
  *reason = NULL;
  for (size_t i = 0; i < list.count && count < CHOICES; i++) {
    const char *why = stage_reason(chain, s, &list.items[i]);
    if (!why) chosen[count++] = list.items[i];
    if (!*reason) *reason = why;
  }
  return count;
}

static void refuse(struct candidates *candidates, int64_t rows, size_t s, const char *reason) {
  const struct plan plan = {.id = mem_text("separable-R%lld", (long long)rows),
                            .algorithm = &alg_chain,
                            .isa = candidates->isa,
                            .tile = "",
                            .reason = mem_text("no plan for stage %zu, the first: %s", s + 1, reason)};
  candidates_add(candidates, plan);
}

/* Weights come again for each block. */
static double block_cycles(const struct chain *chain) {
  const struct axis *axis = &chain->stages[chain->count - 1].problem.axis[0];
  const double blocks = (double)((axis->out + chain->rows - 1) / chain->rows);
  double bytes = 0;
  for (size_t s = 0; s < chain->count; s++) bytes += (double)chain->plans[s].packed_bytes;
  return blocks * bytes * (bytes <= processor.l2 ? processor.from_l2 : processor.from_l3);
}

/* The plan of a chain whose stages' plans are chosen. */
static struct plan combine(const struct chain *chain, const struct isa *isa) {
  const struct plan *last = &chain->plans[chain->count - 1];
  struct plan plan = {.id = mem_text("separable-R%lld", (long long)chain->rows), .algorithm = &alg_chain, .isa = isa, .tile = ""};
  for (size_t s = 0; s < chain->count; s++) {
    const struct plan *stage = &chain->plans[s];
    plan.id = mem_text("%s/%s", plan.id, stage->id);
    plan.tile = mem_text("%s%s%s", plan.tile, s ? "/" : "", stage->tile);
    plan.cost += stage->cost;
    plan.packed_bytes += stage->packed_bytes;
    plan.multiply_adds += stage->multiply_adds;
    plan.left_out += stage->left_out;
    if (stage->code_bytes > plan.code_bytes) plan.code_bytes = stage->code_bytes;
  }
  plan.cost = (plan.cost + block_cycles(chain)) * (double)chain->batch;
  plan.workspace_bytes = between_bytes(chain);
  plan.row_tile = last->row_tile;
  plan.channel_tile = last->channel_tile;
  if (plan.multiply_adds > most_text_macs)
    plan.reason = mem_text("its stages hold %lld multiply-adds, at most %lld compile in good time", (long long)plan.multiply_adds,
                           (long long)most_text_macs);
  plan.parameters = memcpy(mem_new(sizeof *chain), chain, sizeof *chain);
  return plan;
}

/* The cheapest plans of all stages together, and each of the others in place of one of them. */
static void try_rows(struct candidates *candidates, struct chain *chain, int64_t rows) {
  struct plan chosen[MAX_STAGES][CHOICES];
  size_t counts[MAX_STAGES] = {0};
  connect(chain, rows);
  for (size_t s = 0; s < chain->count; s++) {
    const char *reason;
    counts[s] = choose(chain, s, candidates->isa, chosen[s], &reason);
    if (counts[s] == 0) {
      refuse(candidates, rows, s, reason);
      return;
    }
    chain->plans[s] = chosen[s][0];
  }
  candidates_add(candidates, combine(chain, candidates->isa));
  for (size_t s = 0; s < chain->count; s++)
    for (size_t i = 1; i < counts[s]; i++) {
      chain->plans[s] = chosen[s][i];
      candidates_add(candidates, combine(chain, candidates->isa));
      chain->plans[s] = chosen[s][0];
    }
}

static void chain_enumerate(struct candidates *candidates) {
  struct chain chain = new_chain(candidates);
  const int64_t out = outermost(&chain.stages[chain.count - 1])->out;
  int64_t before = 0;
  for (size_t i = 0; i < sizeof block_rows / sizeof *block_rows && before < out; i++) {
    const int64_t rows = block_rows[i] < out ? block_rows[i] : out;
    connect(&chain, rows);
    if (rows == 1 || between_bytes(&chain) <= block_bytes) try_rows(candidates, &chain, rows);
    before = rows;
  }
}

/* ---- what the template gets -------------------------------------------------------------------------------------------- */

static const struct algorithm *algorithm_of(const struct chain *chain, size_t s) {
  return chain->plans[s].algorithm;
}

/* The baked values of all stages, one behind the other. */
static struct baked_values chain_bake(const struct plan *plan, const struct layer *layer) {
  const struct chain *chain = plan->parameters;
  struct baked_values all = {0};
  for (size_t s = 0; s < chain->count; s++) {
    const struct baked_values values = algorithm_of(chain, s)->bake(&chain->plans[s], layer);
    char *weights = mem_new(all.weight_bytes + values.weight_bytes + 1);
    if (all.weights) memcpy(weights, all.weights, all.weight_bytes);
    if (values.weights) memcpy(weights + all.weight_bytes, values.weights, values.weight_bytes);
    all.weights = weights;
    all.weight_bytes += values.weight_bytes;
    all.bias = values.bias;
    all.bias_bytes = values.bias_bytes;
  }
  if (all.weight_bytes == 0) all.weights = NULL;
  return all;
}

/* Weights of the stages before `s`: of baked ones, where its own begin. */
static int64_t baked_before(const struct chain *chain, size_t s) {
  int64_t count = 0;
  while (s-- > 0) {
    const struct problem *problem = &chain->stages[s].problem;
    int64_t weights = problem->groups * problem->out_channels * problem->in_channels;
    for (int a = 0; a < problem->rank; a++) weights *= problem->axis[a].kernel;
    count += weights;
  }
  return count;
}

/* Moves the kernels of stage `s` to the list below; names say where their parameters come from. */
static void push_stage(lua_State *L, const struct chain *chain, size_t s) {
  const struct stage *stage = &chain->stages[s];
  algorithm_of(chain, s)->push(L, &chain->plans[s]);
  const lua_Integer count = (lua_Integer)lua_rawlen(L, -1);
  for (lua_Integer i = 1; i <= count; i++) {
    lua_rawgeti(L, -1, i);
    set_integer(L, "stage", (int64_t)s + 1);
    set_text(L, "template", algorithm_of(chain, s)->template);
    set_integer(L, "baked_w", baked_before(chain, s));
    set_integer(L, "tall_rows", chain->plans[s].together);
    lua_createtable(L, 0, 3);
    set_text(L, "weights", stage->weights);
    set_text(L, "bias", stage->bias);
    set_text(L, "slope", "slope");
    lua_setfield(L, -2, "names");
    lua_rawseti(L, -3, (lua_Integer)lua_rawlen(L, -3) + 1);
  }
  lua_pop(L, 1);
}

/* How stage `s` moves along the outermost axis, and what it leaves for the next. */
static void push_walk(lua_State *L, const struct chain *chain, size_t s) {
  const struct axis *axis = &chain->stages[s].problem.axis[0];
  lua_createtable(L, 0, 8);
  set_axis(L, axis);
  set_integer(L, "together", chain->stages[s].together);
  set_integer(L, "between", chain->between[s]);
  lua_rawseti(L, -2, (lua_Integer)s + 1);
}

/* Into how many shares a block of rows goes. */
static int64_t splits_of(const struct chain *chain) {
  const int64_t channel_blocks = chain->plans[chain->count - 1].channel_blocks;
  const int64_t blocks = chain->batch * ceil_div(chain->stages[chain->count - 1].problem.axis[0].out, chain->rows);
  const int64_t wanted = ceil_div(least_shares, blocks);
  return channel_blocks < 2 ? 1 : wanted < channel_blocks ? wanted : channel_blocks;
}

static void chain_push(lua_State *L, const struct plan *plan) {
  const struct chain *chain = plan->parameters;
  lua_newtable(L);
  for (size_t s = 0; s < chain->count; s++) push_stage(L, chain, s);
  lua_createtable(L, (int)chain->count, 4);
  for (size_t s = 0; s < chain->count; s++) push_walk(L, chain, s);
  set_integer(L, "rows", chain->rows);
  set_integer(L, "splits", splits_of(chain));
  set_integer(L, "batch", chain->batch);
  set_integer(L, "x_batch", chain->x_batch);
  set_integer(L, "y_batch", chain->y_batch);
  lua_setfield(L, -2, "chain");
}

const struct algorithm alg_chain = {
    .name = "separable",
    .template = "chain.t",
    .enumerate = chain_enumerate,
    .push = chain_push,
    .bake = chain_bake,
};
