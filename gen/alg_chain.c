/* Chains: several stages in one function, with a block of rows between them that never leaves the caches. A block is some rows of
 * the last stage's outermost axis; each stage before it computes the rows that it reads, those between two blocks again for each.
 * Every stage is an ordinary problem with a plan of its own; its rows are numbered through the whole tensor, so that borders and
 * tiles are the same whatever the block. Where the last stage is pointwise, blocks that divide its height are lines: tiles go on
 * from one row to the next. This chooses how many rows a block has and combines the cheapest plans of the stages. */
#include "alg.h"
#include "direct.h"
#include "mem.h"
#include "processor.h"
#include "signature.h"
#include <string.h>

/* Rows of a block, whatever the height: powers of two, which tall tiles divide; the bytes of more than one between stages that stay
 * in a cache; combined plans of a stage. */
static const int64_t block_rows[] = {1, 2, 4, 8}, block_bytes = 512 << 10;
enum { CHOICES = 3 };

/* Where weights of the last stage take so many bytes, more pixels should go through them at a time: lines of so many rows and
 * bytes, the longest of them. */
static const int64_t heavy_bytes = 1 << 20, line_rows = 32, line_bytes = 5 << 18;
enum { LINES = 2 };

/* Shares that there should be at least: where there are fewer blocks of rows, each is divided along the last stage's channels. */
static const int64_t least_shares = 8;

/* What one file may hold, in multiply-adds: compilers crawl beyond. */
static const int64_t most_text_macs = 24000;

struct chain {
  size_t count;
  struct stage stages[MAX_STAGES];
  struct plan plans[MAX_STAGES];
  int64_t rows;                    /* of a block */
  int64_t joined;                  /* rows of the layer that are one of the last stage's */
  int64_t reserved;                /* bytes that the largest block takes, whatever the height */
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
  struct chain chain = {.count = candidates->stage_count, .joined = 1};
  memcpy(chain.stages, candidates->stages, chain.count * sizeof *chain.stages);
  chain.batch = chain.stages[0].problem.batch;
  chain.x_batch = chain.stages[0].problem.x_batch;
  chain.y_batch = chain.stages[chain.count - 1].problem.y_batch;
  for (size_t s = 0; s < chain.count; s++) chain.stages[s].problem.batch = 1;
  return chain;
}

/* Makes each `rows` rows of a chain's last stage one line; false where that is one, or its outputs do not lie so. */
static bool join(struct chain *chain, int64_t rows) {
  struct stage *last = &chain->stages[chain->count - 1];
  struct axis *outer = &last->problem.axis[0], *inner = &last->problem.axis[1];
  if (rows < 2 || last->problem.rank < 2 || !axis_pointwise(outer) || !axis_pointwise(inner) || outer->out % rows != 0)
    return false;
  if (outer->y_step != inner->out * inner->y_step) return false;
  outer->in = outer->out /= rows;
  outer->y_step *= rows;
  inner->in = inner->out *= rows;
  last->together *= rows;
  chain->joined = rows;
  return true;
}

static int64_t weights_of(const struct problem *problem) {
  int64_t count = problem->groups * problem->out_channels * problem->in_channels;
  for (int a = 0; a < problem->rank; a++) count *= problem->axis[a].kernel;
  return count;
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

/* Whether a stage's lines of joined rows are computed by a plan for one of them. */
static bool by_line(const struct chain *chain, size_t s) {
  return chain->joined > 1 && s + 1 == chain->count;
}

/* Bytes of the input that a block reads and the one before it does not: where these come from beyond the near caches, one behind
 * the other, the last of two stages fetches them for the next block. */
static int64_t next_bytes(const struct chain *chain) {
  const struct problem *first = &chain->stages[0].problem;
  const struct axis *axis = &first->axis[0];
  const int64_t row = inner_size(first, true) * first->groups * first->in_channels, size = (int64_t)cs_size(first->dtype);
  if (chain->count != 2 || first->x_channel != 1 || axis->x_step != row || (double)(axis->in * row * size) <= processor.l2)
    return 0;
  return chain->rows * chain->stages[1].together * axis->stride * row * size;
}

/* What a stage's plan is for. */
static struct problem planned(const struct chain *chain, size_t s) {
  struct problem problem = chain->stages[s].problem;
  if (!by_line(chain, s)) return problem;
  problem.axis[0].in = problem.axis[0].out = 1;
  problem.next_bytes = next_bytes(chain);
  return problem;
}

/* Why a plan can't be a stage, or NULL. */
static const char *stage_reason(struct chain *chain, size_t s, const struct plan *plan) {
  const int64_t rows = begins_at(chain, s);
  if (plan->reason) return plan->reason;
  if (plan->together == 0) return planned(chain, s).axis[0].out == 1 ? NULL : "its rows are merged into one";
  if (plan->together > 1 && s > 0) return mem_text("it reads %lld rows together, which begin anywhere", (long long)plan->together);
  if (rows % plan->together != 0)
    return mem_text("it computes %lld rows together, blocks begin at multiples of %lld", (long long)plan->together,
                    (long long)rows);
  return NULL;
}

/* The cheapest plans that can be stage `s`; returns how many, 0 with why the first can't. */
static size_t choose(struct chain *chain, size_t s, const struct isa *isa, struct plan chosen[CHOICES], const char **reason) {
  const struct problem problem = planned(chain, s);
  const struct plan_list list = problem_plans(&problem, 1, isa, "auto");
  size_t count = 0;
  *reason = NULL;
  for (size_t i = 0; i < list.count && count < CHOICES; i++) {
    const char *why = stage_reason(chain, s, &list.items[i]);
    if (!why) {
      chosen[count] = list.items[i];
      if (by_line(chain, s)) chosen[count].cost *= (double)outermost(&chain->stages[s])->out;
      count++;
    }
    if (!*reason) *reason = why;
  }
  return count;
}

/* The beginning of a plan's id: rows of a block, and whether they are joined. */
static char *id_of(const struct chain *chain) {
  return mem_text("separable-R%lld%s", (long long)(chain->rows * chain->joined), chain->joined > 1 ? "-joined" : "");
}

static void refuse(struct candidates *candidates, const struct chain *chain, size_t s, const char *reason) {
  const struct plan plan = {.id = id_of(chain),
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
  struct plan plan = {.id = id_of(chain), .algorithm = &alg_chain, .isa = isa, .tile = ""};
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
  plan.workspace_bytes = between_bytes(chain) > chain->reserved ? between_bytes(chain) : chain->reserved;
  plan.row_tile = last->row_tile;
  plan.channel_tile = last->channel_tile;
  if (plan.multiply_adds > most_text_macs)
    plan.reason = mem_text("its stages hold %lld multiply-adds, at most %lld compile in good time", (long long)plan.multiply_adds,
                           (long long)most_text_macs);
  plan.parameters = memcpy(mem_new(sizeof *chain), chain, sizeof *chain);
  return plan;
}

/* The cheapest plans of all stages together, and each of the others in place of one of them. */
static void try_rows(struct candidates *candidates, struct chain *chain) {
  struct plan chosen[MAX_STAGES][CHOICES];
  size_t counts[MAX_STAGES] = {0};
  for (size_t s = 0; s < chain->count; s++) {
    const char *reason;
    counts[s] = choose(chain, s, candidates->isa, chosen[s], &reason);
    if (counts[s] == 0) {
      refuse(candidates, chain, s, reason);
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

/* The most rows up to `rows`, of which there are more than half as many, that lines may have; 1: none. */
static int64_t rows_of_lines(const struct chain *whole, int64_t rows) {
  for (int64_t least = rows / 2; rows > least; rows--) {
    struct chain chain = *whole;
    if (join(&chain, rows)) return rows;
  }
  return 1;
}

/* Blocks of some rows: lines where they can be joined. */
static void try_block(struct candidates *candidates, const struct chain *whole, int64_t rows) {
  struct chain chain = *whole;
  const int64_t joined = rows_of_lines(whole, rows);
  connect(&chain, joined > 1 && join(&chain, joined) ? 1 : rows);
  try_rows(candidates, &chain);
}

/* The longest lines of more than `least` rows. */
static void try_lines(struct candidates *candidates, const struct chain *whole, int64_t least) {
  const struct problem *last = &whole->stages[whole->count - 1].problem;
  int64_t rows = last->axis[0].out < line_rows ? last->axis[0].out : line_rows;
  if (weights_of(last) * (int64_t)cs_size(last->dtype) < heavy_bytes) return;
  for (int tried = 0; rows > least && tried < LINES; rows--) {
    struct chain chain = *whole;
    if (!join(&chain, rows)) continue;
    connect(&chain, 1);
    if (between_bytes(&chain) > line_bytes) continue;
    try_rows(candidates, &chain);
    tried++;
  }
}

static void chain_enumerate(struct candidates *candidates) {
  struct chain whole = new_chain(candidates);
  const int64_t out = outermost(&whole.stages[whole.count - 1])->out;
  int64_t rows[sizeof block_rows / sizeof *block_rows];
  size_t count = 0;
  do {
    rows[count] = block_rows[count] < out ? block_rows[count] : out;
    connect(&whole, rows[count]);
    if (count > 0 && between_bytes(&whole) > block_bytes) break;
    whole.reserved = between_bytes(&whole);
  } while (rows[count++] < out && count < sizeof rows / sizeof *rows);
  for (size_t i = 0; i < count; i++) try_block(candidates, &whole, rows[i]);
  try_lines(candidates, &whole, rows[count - 1]);
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
  while (s-- > 0) count += weights_of(&chain->stages[s].problem);
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
    set_bool(L, "single", planned(chain, s).axis[0].out == 1);
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
  lua_createtable(L, 0, 10);
  set_axis(L, axis);
  set_integer(L, "together", chain->stages[s].together);
  set_integer(L, "between", chain->between[s]);
  set_integer(L, "x_row", axis->x_step);
  set_integer(L, "line", by_line(chain, s) ? axis->y_step : 0);
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
