/* The direct algorithm for depthwise layers and small groups, in patches (depthwise.h): enumerates their sizes with weights held or
 * streamed, refuses what does not fit with the number and the limit, and estimates cycles. */
#include "alg.h"
#include "depthwise.h"
#include "mem.h"
#include "processor.h"
#include <stdio.h>

/* What one file may hold, in multiply-adds: the code of a layer stays below 64 KiB. */
static const int64_t max_text_macs = 5000;

/* Bytes from pixel to pixel from which on each is a stream of its own. */
static const int64_t far_apart = 2048;

struct depthwise_parameters {
  struct depthwise *kernels; /* one a problem */
  size_t count;
};

static struct plan new_plan(const struct candidates *candidates, const struct patch_choice *choice) {
  return (struct plan){.id = mem_text("direct-patch-%lldx%lld-%s", (long long)choice->rows, (long long)choice->columns,
                                      choice->held ? "held" : "streamed"),
                       .algorithm = &alg_depthwise,
                       .isa = candidates->isa,
                       .tile = mem_text("%lldx%lld", (long long)choice->rows, (long long)choice->columns)};
}

static void refuse(struct candidates *candidates, const struct patch_choice *choice, const char *reason) {
  struct plan plan = new_plan(candidates, choice);
  plan.reason = reason;
  candidates_add(candidates, plan);
}

/* ---- size ------------------------------------------------------------------------------------------------------ */

/* Bytes of a patch's function, which has a body for whole vectors and one for what is left. */
static int64_t patch_bytes(const struct depthwise *depthwise, const struct patch *patch, const struct isa *isa) {
  const int64_t mac = isa->mac_bytes * (depthwise->tests_zeros ? 2 : 1);
  const int64_t bodies = (depthwise->vectors > 0) + (depthwise->last > 0);
  const int64_t finish = patch->rows * patch->columns * design_finish_bytes(&depthwise->base);
  const int64_t moved = depthwise->choice.permuted ? 20 : 0; /* a permutation, and moves for want of registers */
  const int64_t load = design_load_bytes(&depthwise->base) + moved;
  const int64_t channel = patch->macs * mac + patch->loads * load + (int64_t)patch->line_count * 30;
  return 200 + bodies * (100 + depthwise->spelled * channel + finish);
}

static int64_t code_bytes(const struct depthwise *depthwise, const struct isa *isa) {
  int64_t largest = 300 + 64 * (int64_t)depthwise->strips[0].run_count * 2;
  for (size_t i = 0; i < depthwise->patch_count; i++) {
    const int64_t bytes = patch_bytes(depthwise, &depthwise->patches[i], isa);
    if (bytes > largest) largest = bytes;
  }
  return largest;
}

/* Taps that are not written out. */
static int64_t taps_outside(const struct depthwise *depthwise) {
  int64_t taps = 1;
  for (int a = 0; a < depthwise->outer; a++) taps *= depthwise->base.axis[a].kernel;
  return taps;
}

static const char *judge(const struct depthwise *depthwise, const struct isa *isa) {
  if (depthwise->reason) return depthwise->reason;
  if (depthwise->base.problem.unroll == UNROLL_FULL && taps_outside(depthwise) > 1)
    return mem_text("unroll: full asks for no loop over taps; %lld lie outside this patch", (long long)taps_outside(depthwise));
  const char *reason = code_reason(code_bytes(depthwise, isa), &depthwise->base.problem);
  if (reason) return reason;
  if (depthwise->macs > max_text_macs)
    return mem_text("its text holds %lld multiply-adds, at most %lld compile in good time", (long long)depthwise->macs,
                    (long long)max_text_macs);
  return NULL;
}

/* ---- one candidate --------------------------------------------------------------------------------------------------- */

static void sum_up(struct plan *plan, const struct depthwise *depthwise) {
  const int64_t bytes = code_bytes(depthwise, plan->isa), size = (int64_t)cs_size(depthwise->base.problem.dtype);
  plan->cost += depthwise_cost(depthwise, plan->isa);
  plan->multiply_adds += depthwise->macs;
  plan->left_out += depthwise->left_out;
  plan->together = depthwise->by_tile ? 0 : depthwise->outer > 0 ? 1 : depthwise->choice.rows;
  *(depthwise->base.problem.gathered ? &plan->workspace_bytes : &plan->packed_bytes) += design_packed(&depthwise->base) * size;
  if (bytes > plan->code_bytes) plan->code_bytes = bytes;
}

static void try_choice(struct candidates *candidates, struct patch_choice choice) {
  const size_t mark = mem_mark();
  struct depthwise_parameters *parameters = mem_new(sizeof *parameters);
  struct plan plan = new_plan(candidates, &choice);
  int64_t pack_bytes = 0;
  char reason[256];
  plan.row_tile = choice.columns;
  plan.channel_tile = candidates->isa->lanes[candidates->problems[0].dtype];
  parameters->kernels = mem_array(candidates->problem_count, sizeof *parameters->kernels);
  plan.parameters = parameters;
  for (size_t i = 0; i < candidates->problem_count && !plan.reason; i++) {
    struct depthwise *kernel = &parameters->kernels[parameters->count++];
    depthwise_build(kernel, &candidates->problems[i], candidates->isa, &choice);
    design_set_baked(&kernel->base, i > 0 ? &kernel[-1].base : NULL);
    plan.reason = judge(kernel, candidates->isa);
    if (!plan.reason) sum_up(&plan, kernel);
    pack_bytes += design_pack_bytes(&kernel->base);
  }
  if (pack_bytes > plan.code_bytes) plan.code_bytes = pack_bytes;
  if (!plan.reason) {
    candidates_add(candidates, plan);
    return;
  }
  snprintf(reason, sizeof reason, "%s", plan.reason);
  mem_release(mark);
  refuse(candidates, &choice, mem_text("%s", reason));
}

/* ---- enumeration ----------------------------------------------------------------------------------------------------- */

/* How far neighbouring output channels lie apart, or those that do most. */
static int64_t channel_step(const struct problem *problem) {
  return problem->out_channels > 1 && problem->y_channel != 1 ? problem->y_channel : problem->y_group / problem->out_channels;
}

/* Are lanes pixels of one channel? Those of small groups are channels in any case. */
static bool takes_pixels(const struct problem *problem) {
  return problem->in_channels == 1 && (problem->groups == 1 || problem->x_group != 1 || channel_step(problem) != 1);
}

/* Why groups of more than one channel can't share a vector, or NULL. */
static const char *permute_reason(const struct problem *problem, const struct isa *isa) {
  if (problem->groups == 1) return mem_text("1 group of %lld channels; patches need 2 or more", (long long)problem->in_channels);
  const int64_t apart = problem->in_channels > 1 ? problem->x_channel : problem->x_group;
  if (apart != 1 || problem->x_group != problem->in_channels)
    return mem_text("neighbouring channels lie %lld apart in the input, groups %lld; patches of groups need 1 and %lld",
                    (long long)apart, (long long)problem->x_group, (long long)problem->in_channels);
  const int lanes = isa->lanes[problem->dtype];
  if (groups_a_vector(problem, lanes) == 0)
    return mem_text("groups of %lld input and %lld output channels; patches need those that fit in %s's %d lanes",
                    (long long)problem->in_channels, (long long)problem->out_channels, isa->name, lanes);
  if (problem->y_group != problem->out_channels * problem->y_channel)
    return mem_text("groups of outputs lie %lld elements apart, their channels %lld; patches store them as one run",
                    (long long)problem->y_group, (long long)problem->y_channel);
  if (!isa->permutes) return mem_text("%s has no operation that permutes the %d lanes of a vector", isa->name, lanes);
  if (problem->in_channels == 1 && (problem->baked_weights || problem->baked_bias))
    return "baked values of a multiplier lie channel by channel, not in lanes";
  return NULL;
}

/* Why vectors can't hold the pixels of a row, or NULL. */
static const char *pixels_reason(const struct problem *problem, const struct isa *isa, const struct axis *row) {
  if (row->x_step != 1 || row->y_step != 1)
    return mem_text(
        "neither channels nor pixels of a row are neighbours: channels lie %lld apart in the input and %lld in the output, "
        "pixels %lld and %lld",
        (long long)problem->x_group, (long long)channel_step(problem), (long long)row->x_step, (long long)row->y_step);
  if (isa->lanes[problem->dtype] == 1) return NULL;
  if (row->stride > (isa->evens ? 2 : 1))
    return mem_text("stride %lld along the row; vectors of pixels need at most %d on %s", (long long)row->stride,
                    isa->evens ? 2 : 1, isa->name);
  if (axis_trimmed(row) && problem->pad_mode != CS_ZEROS)
    return mem_text("padding_mode %s along the row; vectors of pixels need zeros", pad_mode_name(problem->pad_mode));
  return NULL;
}

/* Why patches can't serve, or NULL. */
static const char *problem_reason(const struct problem *problem, const struct isa *isa) {
  struct design folded = {.problem = *problem};
  const char *reason = NULL;
  fold_axes(&folded);
  if (problem->phases > 0)
    return mem_text("%lld phases of outputs with weights of their own; patches need one", (long long)problem->phase[0].count);
  if (takes_pixels(problem))
    reason = pixels_reason(problem, isa, &folded.axis[folded.rank - 1]);
  else if (problem->in_channels > 1 || problem->out_channels > 1)
    reason = permute_reason(problem, isa);
  if (!reason && problem->unroll == UNROLL_NONE) reason = "unroll: none asks for loops over taps; patches write them out";
  return reason;
}

/* Do stores wait for their lines? A patch writes one to every pixel; where these lie far apart, that are as many streams as it has
 * outputs, more than processors fetch ahead, and the caches near the core do not hold an image. */
static bool stores_wait(const struct problem *problem) {
  const int64_t size = (int64_t)cs_size(problem->dtype);
  double in = (double)(problem->groups * problem->in_channels), out = (double)(problem->groups * problem->out_channels);
  for (int a = 0; a < problem->rank; a++) {
    in *= (double)problem->axis[a].in;
    out *= (double)problem->axis[a].out;
  }
  return problem->y_rows == 0 && problem->axis[problem->rank - 1].y_step * size >= far_apart &&
         (in + out) * (double)size > processor.l2;
}

/* For a number of rows, the widest patch that the registers hold, made narrower where the columns then split evenly. */
static void try_rows(struct candidates *candidates, const struct design *folded, int64_t rows, bool held) {
  const struct problem *problem = &candidates->problems[0];
  const struct axis *row = &folded->axis[folded->rank - 1];
  const int64_t registers = candidates->isa->registers, high = rows > 1 ? row[-1].kernel : 1;
  struct patch_choice choice = {.rows = rows, .columns = 1, .held = held, .pixels = takes_pixels(problem)};
  choice.permuted = !choice.pixels && (problem->in_channels > 1 || problem->out_channels > 1);
  choice.ahead = !choice.pixels && !choice.permuted && stores_wait(problem);
  choice.turned = choice.permuted && problem->in_channels == problem->out_channels && !problem->baked_weights;
  const int64_t columns = choice.pixels ? ceil_div(row->out, candidates->isa->lanes[problem->dtype]) : row->out;
  if (row->kernel > max_text_macs || high > max_text_macs / row->kernel) {
    refuse(candidates, &choice,
           mem_text("%lld x %lld taps; patches write out at most %lld", (long long)high, (long long)row->kernel,
                    (long long)max_text_macs));
    return;
  }
  while (choice.columns <= columns && patch_registers(row, high * row->kernel, &choice) <= registers) choice.columns++;
  if (choice.columns <= columns)
    refuse(candidates, &choice,
           mem_text("needs %lld registers, %s has %lld", (long long)patch_registers(row, high * row->kernel, &choice),
                    candidates->isa->name, (long long)registers));
  const int64_t most = choice.columns - 1;
  if (most == 0) return;
  choice.columns = ceil_div(columns, ceil_div(columns, most));
  try_choice(candidates, choice);
}

static void depthwise_enumerate(struct candidates *candidates) {
  static const int64_t rows[] = {1, 2, 3, 4, 6, 8, 11, 14};
  struct design folded = {.problem = candidates->problems[0]};
  fold_axes(&folded);
  const char *reason = NULL;
  for (size_t i = 0; i < candidates->problem_count && !reason; i++)
    reason = problem_reason(&candidates->problems[i], candidates->isa);
  const int64_t most = folded.rank > 1 ? folded.axis[folded.rank - 2].out : 1;
  if (reason) refuse(candidates, &(struct patch_choice){.rows = 1, .columns = 1}, reason);
  int64_t before = 0;
  for (size_t i = 0; !reason && i < sizeof rows / sizeof *rows && (rows[i] <= most || !candidates->problems[0].y_rows); i++) {
    const int64_t high = candidates->problems[0].y_rows ? rows[i] : ceil_div(most, ceil_div(most, rows[i]));
    if (high == before) continue;
    try_rows(candidates, &folded, high, false);
    try_rows(candidates, &folded, high, true);
    before = high;
  }
}

/* ---- what the template gets -------------------------------------------------------------------------------------------- */

static void depthwise_push_all(lua_State *L, const struct plan *plan) {
  const struct depthwise_parameters *parameters = plan->parameters;
  lua_createtable(L, (int)parameters->count, 0);
  for (size_t i = 0; i < parameters->count; i++) {
    depthwise_push(L, &parameters->kernels[i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
}

static struct baked_values depthwise_bake(const struct plan *plan, const struct layer *layer) {
  const struct depthwise_parameters *parameters = plan->parameters;
  return design_bake(&parameters->kernels[0].base, parameters->count, sizeof *parameters->kernels, layer);
}

const struct algorithm alg_depthwise = {
    .name = "direct",
    .template = "depthwise.t",
    .enumerate = depthwise_enumerate,
    .push = depthwise_push_all,
    .bake = depthwise_bake,
};
