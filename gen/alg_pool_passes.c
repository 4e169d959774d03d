/* The direct algorithm for pools with large windows, in two passes (passes.h): chunks of several sizes, costs. */
#include "alg.h"
#include "mem.h"
#include "passes.h"
#include "processor.h"
#include <math.h>

static const int64_t most_values = 4000;       /* in one file's text */
static const int64_t most_buffer = 256 * 1024; /* bytes, for both passes to find it near */

struct passes_parameters {
  struct passes *kernels; /* one a problem */
  size_t count;
};

/* ---- size ----------------------------------------------------------------------------------------------------------------- */

/* Values and outputs of a stretch, for all its vectors. */
static int64_t stretch_text(const struct passes *passes, const struct pass_stretch *stretch) {
  return passes->choice.vectors * (stretch->value_count + stretch->output_count);
}

static int64_t largest_text(const struct passes *passes, const struct pass *pass) {
  int64_t most = 0;
  for (int64_t i = 0; i < pass->stretch_count; i++) {
    const int64_t text = stretch_text(passes, &pass->stretches[i]);
    if (text > most) most = text;
  }
  return most;
}

/* Of the larger one's function, whose turns are followed by a rest. */
static int64_t passes_bytes(const struct passes *passes) {
  const int64_t rows = largest_text(passes, &passes->rows), columns = largest_text(passes, &passes->columns);
  return 300 + 2 * 16 * (rows > columns ? rows : columns);
}

/* Of all stretches, for whole chunks and for the channels behind them. */
static int64_t text_values(const struct passes *passes) {
  int64_t values = 0;
  for (int64_t i = 0; i < passes->rows.stretch_count; i++) values += stretch_text(passes, &passes->rows.stretches[i]);
  for (int64_t i = 0; i < passes->columns.stretch_count; i++) values += stretch_text(passes, &passes->columns.stretches[i]);
  return passes->last > 0 ? 2 * values : values;
}

/* ---- cost ----------------------------------------------------------------------------------------------------------------- */

static const double line_cycles = 9;   /* to begin a stretch */
static const double moved = 2.1;       /* for a line of input or outputs to come from the second-level cache and go there */
static const double buffer_far = 5;    /* the same of the buffer's, where the nearest cache does not hold it */
static const double on_the_way = 150;  /* vectors of input and outputs that are loaded and stored at a time */
static const double lost = 10;         /* for a vector whose line leaves the nearest cache meanwhile */
static const double spilled = 6.5;     /* for a line of vectors whose windows registers do not hold */
static const double turn_cycles = 1.1; /* for a line, with each turn through its chunk */
static const double translations = 96; /* pages that the processor finds at once */
static const double piece = 256;       /* bytes from which on lines of a chunk's pixel are fetched together */
static const double short_piece = 1.5; /* for a line of one half as long */
static const double page_cycles = 38;  /* to find another */

/* Of combining, loading, looking for NaN and storing in the stretches of a pass, for one vector of channels on one line. */
static double pass_cycles(const struct passes *passes, const struct pass *pass) {
  const double look = passes->base.problem->mean || pass == &passes->columns ? 0 : 0.25;
  double cycles = line_cycles;
  for (int64_t i = 0; i < pass->run_count; i++) {
    const struct pass_stretch *stretch = &pass->stretches[pass->runs[i].stretch];
    const double combined = 0.5 * (double)stretch->value_count + look * (double)stretch->places;
    cycles += (double)pass->runs[i].count * (combined + (double)stretch->output_count);
  }
  return cycles;
}

static double places(const struct passes *passes, bool output) {
  const struct axis *column = passes->columns.axis, *row = passes->rows.axis;
  return output ? (double)column->out * (double)row->out : (double)column->in * (double)row->in;
}

/* From pixel to pixel. */
static double pixel_bytes(const struct passes *passes) {
  return (double)(passes->rows.axis->x_step * (int64_t)cs_size(passes->base.problem->dtype));
}

/* The share of pages that are not found at once when a chunk goes through all of them. */
static double pages_lost(const struct passes *passes) {
  const double pages = (places(passes, false) + places(passes, true)) * pixel_bytes(passes) / processor.page;
  return fmax(0, 1 - translations / pages);
}

/* The share of a window's vectors that registers don't hold. */
static double left_over(const struct passes *passes, int registers) {
  const int64_t rows = passes->rows.axis->kernel, columns = passes->columns.axis->kernel;
  return fmax(0, 1 - (double)registers / (double)(passes->choice.vectors * ((rows > columns ? rows : columns) + 1)));
}

/* What a vector of channels costs beside combining, loading and storing it, for each place of input or outputs. */
static double place_cycles(const struct passes *passes, int registers) {
  const double size = (double)cs_size(passes->base.problem->dtype), chunk = (double)passes->channels * size;
  const double vector = (double)passes->base.lane_count * size / processor.line;
  const double buffer = (double)passes_buffer(passes) * size;
  const double turns = chunk / (vector * processor.line * (double)passes->choice.vectors);
  const double crowded = pool_crowded_out(&passes->base, on_the_way * vector * processor.line / chunk);
  const double page = page_cycles * pages_lost(passes) * pixel_bytes(passes) / processor.page * processor.line / chunk;
  const double far = 0.5 * buffer_far * fmax(0, 1 - processor.l1 / buffer);
  const double own = spilled * left_over(passes, registers) + turn_cycles * fmax(0, turns - 1);
  const double alone = short_piece * fmax(0, piece / chunk - 1);
  return vector * (moved + page + far + alone + 0.5 * own) + 0.5 * lost * crowded;
}

static double passes_cost(const struct passes *passes, int registers) {
  const double vectors = ceil((double)passes->base.lanes.count / (double)passes->base.lane_count);
  const double all = places(passes, false) + places(passes, true);
  double planes = 1;
  for (int i = 0; i < passes->base.moves; i++) planes *= (double)passes->base.move[i].count;
  return planes * vectors *
         ((double)passes->columns.axis->in * pass_cycles(passes, &passes->rows) +
          (double)passes->rows.axis->out * pass_cycles(passes, &passes->columns) + all * place_cycles(passes, registers));
}

/* ---- enumeration ---------------------------------------------------------------------------------------------------------- */

static struct plan new_plan(const struct candidates *candidates, const struct passes_choice *choice) {
  const char *tile = mem_text("%lldx%lld", (long long)choice->vectors, (long long)choice->chunk);
  return (struct plan){.id = mem_text("direct-pool-passes-%s", tile),
                       .algorithm = &alg_pool_passes,
                       .isa = candidates->isa,
                       .tile = tile,
                       .row_tile = 1,
                       .channel_tile = candidates->isa->lanes[candidates->problems->dtype]};
}

static const char *judge(const struct passes *passes) {
  if (passes->reason) return passes->reason;
  const int64_t bytes = passes_buffer(passes) * (int64_t)cs_size(passes->base.problem->dtype), values = text_values(passes);
  if (bytes > most_buffer)
    return mem_text("its near buffer has %lld bytes, at most %lld are near", (long long)bytes, (long long)most_buffer);
  if (values > most_values)
    return mem_text("its text holds %lld values, at most %lld compile in good time", (long long)values, (long long)most_values);
  return code_reason(passes_bytes(passes), passes->base.problem);
}

static void try_choice(struct candidates *candidates, struct passes_choice choice) {
  struct passes_parameters *parameters = mem_new(sizeof *parameters);
  struct plan plan = new_plan(candidates, &choice);
  parameters->kernels = mem_array(candidates->problem_count, sizeof *parameters->kernels);
  for (size_t i = 0; i < candidates->problem_count && !plan.reason; i++) {
    const struct problem *problem = &candidates->problems[i];
    const int64_t size = (int64_t)cs_size(problem->dtype);
    struct passes *kernel = &parameters->kernels[parameters->count++];
    passes_build(kernel, problem, choice, candidates->isa->lanes[problem->dtype]);
    plan.reason = judge(kernel);
    if (plan.reason) continue;
    const int64_t slopes = problem->activation == CS_PRELU ? problem->groups * problem->out_channels : 0;
    plan.row_tile = kernel->rows.stretches[0].output_count;
    plan.cost += passes_cost(kernel, candidates->isa->registers);
    plan.code_bytes += passes_bytes(kernel);
    plan.packed_bytes += slopes * size;
    if (plan.workspace_bytes < passes_buffer(kernel) * size) plan.workspace_bytes = passes_buffer(kernel) * size;
  }
  plan.parameters = parameters;
  candidates_add(candidates, plan);
}

static void passes_enumerate(struct candidates *candidates) {
  static const struct passes_choice choices[] = {{2, 128}, {2, 256}, {4, 256}, {4, 512}};
  for (size_t i = 0; i < sizeof choices / sizeof *choices; i++) try_choice(candidates, choices[i]);
}

static void passes_push_all(lua_State *L, const struct plan *plan) {
  const struct passes_parameters *parameters = plan->parameters;
  lua_createtable(L, (int)parameters->count, 0);
  for (size_t i = 0; i < parameters->count; i++) {
    passes_push(L, &parameters->kernels[i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
}

const struct algorithm alg_pool_passes = {
    .name = "direct",
    .work = WORK_POOL,
    .template = "pool_passes.t",
    .enumerate = passes_enumerate,
    .push = passes_push_all,
};
