/* The direct algorithm for pools (pooling.h): tiles of several widths with vectors along channels or along the row, and large
 * windows in loops. */
#include "alg.h"
#include "mem.h"
#include "pooling.h"
#include "processor.h"
#include <math.h>

struct pool_parameters {
  struct pooling *kernels; /* one a problem */
  size_t count;
};

static const char *form_text(const struct pool_choice *choice) {
  if (choice->pixels) return "row";
  if (choice->planes) return "planes";
  if (choice->sweep) return "sweep";
  return choice->outputs ? "columns" : "loop";
}

static struct plan new_plan(const struct candidates *candidates, const struct pool_choice *choice) {
  const char *tile = mem_text("%lldx%lld", (long long)(choice->outputs ? choice->outputs : 1), (long long)choice->vectors);
  const char *rows = choice->rows > 1 ? mem_text("-rows%lld", (long long)choice->rows) : "";
  return (struct plan){.id = mem_text("direct-pool-%s-%s%s%s", form_text(choice), tile, rows, choice->chunks ? "-chunks" : ""),
                       .algorithm = &alg_pool,
                       .isa = candidates->isa,
                       .tile = tile,
                       .row_tile = choice->outputs ? choice->outputs : 1,
                       .channel_tile = candidates->isa->lanes[candidates->problems->dtype]};
}

/* ---- cost --------------------------------------------------------------------------------------------------------------- */

static const double tile_cycles = 8, row_cycles = 20; /* to call a tile, to begin a row */

double pool_crowded_out(const struct pooling *pooling, double lines) {
  const double step = (double)pooling->axis[pooling->axes - 1].x_step * (double)cs_size(pooling->problem->dtype);
  return fmax(0, 1 - processor_lines(step) / lines);
}

/* Do the rows that windows of the next outputs read again lie in farther caches by then? */
static bool far(const struct pooling *pooling) {
  const struct axis *row = &pooling->axis[pooling->axes - 1];
  const double pixels = (double)row->in * (double)(pooling->axes > 1 ? row[-1].kernel + 1 : 1);
  return pooling->far || (pooling->chunks > 1 && pool_crowded_out(pooling, pixels) > 0);
}

/* Cycles of touching a vector whose lanes lie `step` apart. Several such vectors at once touch more lines than caches keep. */
static double access(const struct pooling *pooling, int64_t step) {
  if (step == 1 || pooling->lane_count == 1) return far(pooling) ? 1 : 0.5;
  return (double)pooling->lane_count * (1 + 0.25 * (double)(pooling->choice.vectors - 1));
}

/* Of combining two vectors: the larger one keeps NaN by instructions of its own, by fewer in lists. */
static double combine(const struct pooling *pooling) {
  if (pooling->problem->mean) return 0.5;
  return pooling->axes == 1 || pool_taps_at_once(pooling, POOL_TALL_TAPS) > 0 ? 1 : 1.2;
}

/* Turns of a tile through all channels; the last may have fewer vectors. */
static double turns(const struct pooling *pooling) {
  return (double)pooling->whole + ceil((double)pooling->last / (double)pooling->lane_count) / (double)pooling->choice.vectors;
}

/* Planes, one after the other: their vectors, then the lanes of one. */
static double planes_cost(const struct pooling *pooling, double taps) {
  const double lanes = (double)pooling->lane_count, joins = 2 + combine(pooling);
  return (double)pooling->lanes.count * (taps / lanes * (0.5 + combine(pooling)) + joins);
}

/* Each tap of a vector is added to what the outputs keep, which is read once more in the end. */
static double sweep_cost(const struct pooling *pooling, double taps) {
  static const double keep = 1; /* to load and store it */
  const double vectors = turns(pooling) * (double)pooling->choice.vectors;
  return vectors * (taps * (0.5 + keep + combine(pooling)) + keep);
}

/* To put together what outputs of a tall tile, or its columns, are made of. */
static double combine_all(const struct pooling *pooling, const struct pool_tile *tile) {
  return (double)(pool_combinations(tile) + tile->output_count) * combine(pooling);
}

/* Of all that the windows read of one image. */
static double input_bytes(const struct pooling *pooling) {
  double bytes = (double)cs_size(pooling->problem->dtype);
  if (!pooling->choice.pixels) bytes *= (double)pooling->lanes.count * (double)pooling->chunks;
  for (int a = 0; a < pooling->axes; a++) bytes *= (double)pooling->axis[a].in;
  return bytes;
}

/* In how many streams `count` neighbours lie that are `step` elements apart: those within a few lines are in one. */
static double spread(const struct pooling *pooling, int64_t count, int64_t step) {
  static const double near = 1024;
  const double lanes = pooling->choice.pixels ? (double)pooling->lane_count : 1;
  return fmin((double)count, fmax(1, (double)count * (double)step * lanes * (double)cs_size(pooling->problem->dtype) / near));
}

/* Are pieces of pixels read in turns from beyond the nearest cache? Rows and planes of pixels are long enough; from beyond the
 * second-level one, those of a loop come sooner if each load's steps are learnt. */
static bool in_turns(const struct pooling *pooling) {
  const struct pool_choice *choice = &pooling->choice;
  const double most = pool_taps_at_once(pooling, POOL_AT_ONCE) > 0 ? HUGE_VAL : processor.l2;
  if (choice->pixels || choice->planes || choice->sweep || choice->chunks) return false;
  return input_bytes(pooling) > processor.l1 && input_bytes(pooling) < most;
}

/* How much of a line is a vector? */
static double vector_lines(const struct pooling *pooling) {
  return (double)pooling->lane_count * (double)cs_size(pooling->problem->dtype) / processor.line;
}

/* What a vector of a piece of a pixel is waited for beyond its arithmetic where the pixel's other pieces come later, since what is
 * fetched ahead goes on beyond a piece's end: from the second-level cache for each line, from farther ones for each piece. */
static double waiting(const struct pooling *pooling) {
  static const double line = 2.2, piece = 24;
  const double near = line * vector_lines(pooling), far = piece / (double)pooling->choice.vectors;
  if (pooling->fetches) return 0;
  const double cycles = fmin(1, turns(pooling) - 1) * (input_bytes(pooling) < processor.l2 ? near : far);
  return fmax(0, cycles - access(pooling, pooling->lanes.x) - combine(pooling));
}

/* A turn of a tile takes a piece of each pixel in its columns at `places`, and of its outputs; other channels come with the next
 * turns. What goes from piece to piece in few streams is fetched ahead better. Where taps go in loops, a piece is used at once. */
static double scattered(const struct pooling *pooling, const struct pool_tile *tile, double places, double rows) {
  const struct axis *row = &pooling->axis[pooling->axes - 1];
  const double lines = (double)tile->column_count * places + (double)tile->output_count * rows;
  const double streams =
      places * spread(pooling, tile->column_count, row->x_step) + rows * spread(pooling, tile->output_count, row->y_step);
  const double late = processor.stray * fmax(0, log2(streams / processor.streams));
  const double vector = vector_lines(pooling);
  if (input_bytes(pooling) < processor.l1) return 0;
  if (pool_taps_at_once(pooling, POOL_AT_ONCE) == 0)
    return lines * vector * late / (double)pooling->choice.vectors + streams * waiting(pooling);
  return lines * (vector * late + (pooling->choice.pixels ? 0 : processor.lost * pool_crowded_out(pooling, lines)));
}

/* Of a tile whose columns take `column` cycles each, for each of `rows` rows. Columns that registers don't hold are stored and
 * loaded with each tap, in tall tiles once. */
static double tile_cost(const struct pooling *pooling, const struct pool_tile *tile, double taps, double column, double rows) {
  const double store = 1 + access(pooling, pooling->lanes.y);
  if (pooling->choice.planes) return tile_cycles + planes_cost(pooling, taps);
  if (pooling->choice.sweep) return tile_cycles + sweep_cost(pooling, taps);
  double cycles = (double)tile->network.step_count + (double)tile->output_count * store;
  for (int64_t i = 0; i < tile->output_count; i++) cycles += (double)tile->outputs[i].divisor_count - 1; /* one for each lane */
  if (rows > 1) {
    cycles += combine_all(pooling, tile);
    if (tile->tall_spills) column += rows;
  } else {
    for (int64_t i = 0; i < tile->output_count; i++) cycles += (double)tile->outputs[i].value_count * combine(pooling);
    if (tile->spills) column += taps;
  }
  cycles = rows * cycles + (double)tile->column_count * column;
  cycles += scattered(pooling, tile, rows > 1 ? (double)pooling->tall.column_count : taps, rows);
  return tile_cycles + turns(pooling) * ((double)pooling->choice.vectors * cycles + 2 * taps);
}

/* Of all tiles of a row, or of the rows of a tall one. */
static double row_cost(const struct pooling *pooling, double taps, double column, double rows) {
  double cycles = row_cycles;
  for (int64_t i = 0; i < pooling->run_count; i++)
    cycles += (double)pooling->runs[i].count * tile_cost(pooling, &pooling->tiles[pooling->runs[i].tile], taps, column, rows);
  return cycles;
}

/* To load the places that a column of tall tiles is made of, and to combine them. */
static double tall_column(const struct pooling *pooling, double load) {
  return (double)pooling->tall.column_count * load + combine_all(pooling, &pooling->tall);
}

static double pool_cost(const struct pooling *pooling) {
  const double load = access(pooling, pooling->lanes.x), blocks = (double)pooling->blocks;
  double planes = 1, rows = 1, taps = 1;
  for (int i = 0; i < pooling->moves; i++) planes *= (double)pooling->move[i].count;
  for (int a = 0; a < pooling->axes - 1; a++) {
    planes *= rows;
    rows = (double)pooling->axis[a].out;
    taps *= (double)pooling->axis[a].kernel;
  }
  const double tall = (double)pooling->choice.rows;
  double cycles = (rows - blocks * tall) * row_cost(pooling, taps, taps * load + (taps - 1) * combine(pooling), 1);
  if (blocks > 0) cycles += blocks * row_cost(pooling, taps, tall_column(pooling, load), tall);
  return planes * cycles;
}

/* Of one turn through a tile. */
static int64_t tile_bytes(const struct pooling *pooling, const struct pool_tile *tile) {
  int64_t bytes = tile->column_count * (40 + 15 * pool_taps_at_once(pooling, POOL_AT_ONCE)) + tile->network.step_count * 16;
  for (int64_t o = 0; o < tile->output_count; o++) bytes += 20 + tile->outputs[o].value_count * 16;
  return bytes;
}

/* The same of a tall one: values that registers don't hold take bytes with each combination. */
static int64_t tall_bytes(const struct pooling *pooling, const struct pool_tile *tile) {
  const struct pool_tile *tall = &pooling->tall;
  const int64_t rows = pooling->choice.rows, combination = tile->tall_spills ? 26 : 16;
  const int64_t row = pool_combinations(tile) * combination + tile->output_count * 20 + tile->network.step_count * 16;
  return tile->column_count * (tall->column_count * 10 + pool_combinations(tall) * combination + rows * 10) + rows * row;
}

static int64_t pool_bytes(const struct pooling *pooling) {
  int64_t largest = 300;
  for (int64_t i = 0; i < pooling->tile_count; i++) {
    const struct pool_tile *tile = &pooling->tiles[i];
    int64_t bytes = tile_bytes(pooling, tile);
    if (pooling->blocks > 0 && tall_bytes(pooling, tile) > bytes) bytes = tall_bytes(pooling, tile);
    bytes = 200 + (pooling->choice.planes ? 2 * (500 + pooling->lane_count * 80) : 2 * bytes * pooling->choice.vectors);
    if (bytes > largest) largest = bytes;
  }
  return largest;
}

/* ---- enumeration -------------------------------------------------------------------------------------------------------- */

const char *pool_lanes_reason(const struct problem *problem, const struct isa *isa) {
  if (isa->lanes[problem->dtype] == 1) return mem_text("vectors of %s have 1 lane", isa->name);
  if (!isa->shuffles) return mem_text("%s has no operation that shuffles two vectors", isa->name);
  return NULL;
}

static const char *form_reason(const struct problem *problem, const struct isa *isa, const struct pool_choice *choice) {
  const struct axis *row = &problem->axis[problem->rank - 1];
  if (choice->outputs > row->out && choice->outputs > 1 && !choice->pixels)
    return mem_text("rows have %lld outputs, a tile %lld", (long long)row->out, (long long)choice->outputs);
  if (choice->rows > 2 && problem->rank > 1 && row[-1].kernel <= POOL_LONG_WINDOW)
    return mem_text("%lld rows share what pairs do in windows of %d taps or fewer", (long long)choice->rows, POOL_LONG_WINDOW);
  if (choice->planes) return pool_lanes_reason(problem, isa);
  if (!choice->pixels) return NULL;
  if (row->x_step != 1)
    return mem_text("neighbours of a row lie %lld elements apart; vectors along it need 1", (long long)row->x_step);
  if (isa->lanes[problem->dtype] > 1 && !isa->shuffles) return mem_text("%s has no operation that shuffles two vectors", isa->name);
  return NULL;
}

static const char *judge(const struct pooling *pooling) {
  return pooling->reason ? pooling->reason : code_reason(pool_bytes(pooling), pooling->problem);
}

static void try_choice(struct candidates *candidates, struct pool_choice choice) {
  const struct isa *isa = candidates->isa;
  struct pool_parameters *parameters = mem_new(sizeof *parameters);
  struct plan plan = new_plan(candidates, &choice);
  parameters->kernels = mem_array(candidates->problem_count, sizeof *parameters->kernels);
  for (size_t i = 0; i < candidates->problem_count && !plan.reason; i++) {
    const struct problem *problem = &candidates->problems[i];
    struct pooling *kernel = &parameters->kernels[parameters->count++];
    plan.reason = form_reason(problem, isa, &choice);
    if (plan.reason) continue;
    pooling_build(kernel, problem, choice, isa->lanes[problem->dtype], isa->registers);
    plan.reason = judge(kernel);
    if (plan.reason) continue;
    kernel->fetches = isa->fetches[problem->dtype] && in_turns(kernel);
    const int64_t slopes = problem->activation == CS_PRELU ? problem->groups * problem->out_channels : 0;
    plan.cost += pool_cost(kernel);
    plan.code_bytes += pool_bytes(kernel);
    plan.packed_bytes += slopes * (int64_t)cs_size(problem->dtype);
  }
  plan.parameters = parameters;
  candidates_add(candidates, plan);
}

static void pool_enumerate(struct candidates *candidates) {
  const int64_t lanes = candidates->isa->lanes[candidates->problems->dtype];
  static const struct pool_choice columns[] = {{.outputs = 1, .vectors = 1},
                                               {.outputs = 1, .vectors = 2},
                                               {.outputs = 2, .vectors = 1},
                                               {.outputs = 2, .vectors = 2},
                                               {.outputs = 4, .vectors = 1},
                                               {.outputs = 8, .vectors = 1},
                                               {.outputs = 4, .rows = 2, .vectors = 1},
                                               {.outputs = 6, .rows = 2, .vectors = 1},
                                               {.outputs = 8, .rows = 2, .vectors = 1},
                                               {.outputs = 8, .rows = 4, .vectors = 1},
                                               {.outputs = 14, .rows = 2, .vectors = 1},
                                               {.outputs = 14, .rows = 4, .vectors = 1},
                                               {.outputs = 4, .rows = 2, .vectors = 1, .chunks = true},
                                               {.outputs = 6, .rows = 2, .vectors = 1, .chunks = true}};
  for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) try_choice(candidates, columns[i]);
  for (int64_t vectors = 1; vectors <= 4; vectors *= 2)
    for (int64_t rows = 1; rows <= 2; rows++)
      try_choice(candidates, (struct pool_choice){.pixels = true, .outputs = vectors * lanes, .rows = rows, .vectors = 1});
  static const int64_t pieces[] = {1, 2, 4, 8, 12, 16};
  for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) try_choice(candidates, (struct pool_choice){.vectors = pieces[i]});
  try_choice(candidates, (struct pool_choice){.vectors = 4, .sweep = true});
  try_choice(candidates, (struct pool_choice){.vectors = 1, .planes = true});
}

/* ---- what the template gets --------------------------------------------------------------------------------------------- */

static void pool_push_all(lua_State *L, const struct plan *plan) {
  const struct pool_parameters *parameters = plan->parameters;
  lua_createtable(L, (int)parameters->count, 0);
  for (size_t i = 0; i < parameters->count; i++) {
    pooling_push(L, &parameters->kernels[i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
}

const struct algorithm alg_pool = {
    .name = "direct",
    .work = WORK_POOL,
    .template = "pool.t",
    .enumerate = pool_enumerate,
    .push = pool_push_all,
};
