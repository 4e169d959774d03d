/* Where a block's inputs lie in the workspace: [taps of outer axes][phases of rows][phases of columns][rows][columns] pixels. */
#include "mem.h"
#include "planes.h"
#include <string.h>

/* The share of an axis' taps that are there, above which none are left out. */
static const double most_live = 0.95;

/* The sums of a step of tiles, in the workspace. */
enum { SUM_BYTES = PLANE_PAIR * PLANE_ROWS * PLANE_PAIR * PLANE_COLUMNS * 4 };

/* ---- folding ------------------------------------------------------------------------------------------------------- */

static bool merges(const struct axis *outer, const struct axis *inner) {
  return axis_pointwise(outer) && axis_pointwise(inner) && outer->x_step == inner->in * inner->x_step &&
         outer->y_step == inner->out * inner->y_step;
}

static void remove_axis(struct problem *problem, int at) {
  problem->rank--;
  memmove(&problem->axis[at], &problem->axis[at + 1], (size_t)(problem->rank - at) * sizeof problem->axis[0]);
}

/* Merges axes `at` and the next. */
static void merge(struct problem *problem, int at) {
  struct axis *outer = &problem->axis[at];
  const struct axis inner = outer[1];
  outer->in *= inner.in;
  outer->out *= inner.out;
  outer->x_step = inner.x_step;
  outer->y_step = inner.y_step;
  remove_axis(problem, at + 1);
}

/* Two axes at least, and none that a direct design would fold once its rows are counted along the first. */
void planes_fold(struct problem *problem) {
  if (problem->rank == 1) {
    problem->axis[1] = problem->axis[0];
    problem->axis[0] = (struct axis){.in = 1, .out = 1, .kernel = 1, .stride = 1, .dilation = 1};
    problem->rank = 2;
  }
  for (int a = problem->rank - 1; a > 0 && problem->rank > 2; a--)
    if (merges(&problem->axis[a - 1], &problem->axis[a])) merge(problem, a - 1);
  for (int a = problem->rank - 1; a > 0 && problem->rank > 2; a--)
    if (problem->axis[a].out == 1 && problem->axis[a].kernel == 1 && problem->axis[a].pad == 0) remove_axis(problem, a);
  problem->x_rows = problem->axis[0].in;
  problem->y_rows = problem->axis[0].out;
}

int64_t planes_join(struct problem *problem) {
  struct axis *columns = &problem->axis[problem->rank - 1];
  const int64_t taps = columns->kernel;
  if (problem->in_channels >= PLANE_LEAST || problem->x_channel != 1 || columns->x_step != problem->in_channels) return 1;
  if (problem->pad_mode != CS_ZEROS || columns->dilation != 1) return 1;
  problem->in_channels *= taps;
  columns->kernel = 1;
  return taps;
}

/* ---- places -------------------------------------------------------------------------------------------------------- */

/* Every tap a phase of its own, as for a single output. */
static void place_taps(struct places *places, const struct axis *axis) {
  places->extent = places->outputs;
  places->phases = axis->kernel;
  for (int64_t k = 0; k < axis->kernel; k++) {
    places->first[k] = k * axis->dilation;
    places->tap_phase[k] = k;
  }
}

/* The phases of a stride that some tap reads. */
static void place_phases(struct places *places, const struct axis *axis) {
  places->extent = places->outputs + (axis->kernel - 1) * axis->dilation / axis->stride;
  for (int64_t k = 0; k < axis->kernel; k++) {
    const int64_t first = k * axis->dilation % axis->stride;
    int64_t phase = 0;
    while (phase < places->phases && places->first[phase] != first) phase++;
    if (phase == places->phases) places->first[places->phases++] = first;
    places->tap_phase[k] = phase;
    places->tap_place[k] = k * axis->dilation / axis->stride;
  }
}

static struct places places_of(const struct axis *axis, int64_t outputs, bool apart) {
  const size_t kernel = (size_t)axis->kernel;
  struct places places = {.outputs = outputs,
                          .first = mem_array(kernel, sizeof(int64_t)),
                          .tap_phase = mem_array(kernel, sizeof(int64_t)),
                          .tap_place = mem_array(kernel, sizeof(int64_t))};
  if (apart)
    place_taps(&places, axis);
  else
    place_phases(&places, axis);
  return places;
}

/* Lines so that pixels lie in all sets of a cache alike. */
int64_t planes_pixel(int64_t steps, int64_t count) {
  const int64_t lines = steps * count;
  return (lines % 4 ? lines : lines + 1) * PLANE_BYTES;
}

/* Positions from the first that tiles read to the last, those of columns that are left over among them. */
static int64_t tiles_end(const struct planes *planes) {
  const struct places *columns = &planes->places[planes->problem.rank - 1];
  const int64_t down = ceil_div(planes->rows, PLANE_ROWS) * PLANE_ROWS;
  if (planes->way != WAY_CUT) return ceil_div(planes_positions(planes, planes->rows), PLANE_ROWS) * PLANE_ROWS;
  return columns->outputs % PLANE_ROWS ? planes_positions(planes, down) : planes_positions(planes, planes->rows);
}

int64_t planes_steps(const struct problem *problem) {
  return ceil_div(problem->in_channels, PLANE_TERMS);
}

void planes_lay_out(struct planes *planes) {
  const struct problem *problem = &planes->problem;
  const int rank = problem->rank;
  planes->steps = planes_steps(problem);
  planes->panels = ceil_div(problem->out_channels, PLANE_PAIR * PLANE_COLUMNS);
  if (planes->chunk > planes->steps) planes->chunk = planes->steps;
  planes->pixel_bytes = planes_pixel(planes->chunk, planes->count);
  planes->taps = planes->pixels = planes->phases = 1;
  for (int i = 0; i < problem->phases; i++) planes->phases *= problem->phase[i].count;
  for (int a = 0; a < rank; a++) {
    const int64_t outputs = a == rank - 1 ? problem->axis[a].out : a == rank - 2 ? planes->rows : 1;
    const bool apart = a == rank - 1 ? planes->way == WAY_APART : outputs == 1;
    planes->places[a] = places_of(&problem->axis[a], outputs, apart);
    planes->taps *= problem->axis[a].kernel;
    planes->pixels *= planes->places[a].phases * planes->places[a].extent;
  }
  const int64_t end = tiles_end(planes);
  for (int64_t tap = 0; tap < planes->taps; tap++)
    if (planes_tap(planes, tap) + end > planes->pixels) planes->pixels = planes_tap(planes, tap) + end;
}

/* The share of an axis' taps that `span` neighbouring outputs have between them, on average. */
static double live_taps(const struct axis *axis, int64_t span) {
  return (double)axis_live(axis, span) / (double)(ceil_div(axis->out, span) * axis->kernel);
}

double planes_live(const struct planes *planes, int a) {
  const struct axis *columns = &planes->problem.axis[planes->problem.rank - 1], *axis = &planes->problem.axis[a];
  const int64_t through = 1 + PLANE_PAIR * PLANE_ROWS / columns->out;
  if (axis == columns) return live_taps(axis, PLANE_ROWS);
  return live_taps(axis, axis + 1 < columns ? 1 : planes->way == WAY_CUT ? PLANE_PAIR : through);
}

/* Loops over some taps cost more than a few save. */
bool planes_trimmed(const struct planes *planes, int a) {
  const struct problem *problem = &planes->problem;
  if (planes->taps == 1 || problem->pad_mode != CS_ZEROS || !axis_trimmed(&problem->axis[a])) return false;
  return (a < problem->rank - 1 || planes->way == WAY_CUT) && planes_live(planes, a) < most_live;
}

int64_t planes_positions(const struct planes *planes, int64_t rows) {
  const struct places *columns = &planes->places[planes->problem.rank - 1];
  return (rows - 1) * columns->extent + columns->outputs;
}

int64_t planes_tap(const struct planes *planes, int64_t tap) {
  int64_t phase = 0, place = 0, phases = 1, extent = 1;
  for (int a = planes->problem.rank - 1; a >= 0; a--) {
    const struct places *places = &planes->places[a];
    const int64_t k = tap % planes->problem.axis[a].kernel;
    tap /= planes->problem.axis[a].kernel;
    phase += places->tap_phase[k] * phases;
    place += places->tap_place[k] * extent;
    phases *= places->phases;
    extent *= places->extent;
  }
  return phase * extent + place;
}

/* ---- runs ---------------------------------------------------------------------------------------------------------- */

/* The input that place `i` of a phase holds, -1 for zeros. Places behind the last that some output needs may lie anywhere. */
static int64_t source_of(const struct planes *planes, int64_t phase, int64_t i) {
  const int a = planes->problem.rank - 1;
  const struct axis *axis = &planes->problem.axis[a];
  const int64_t source =
      axis_source(planes->problem.pad_mode, planes->places[a].first[phase] + i * axis->stride - axis->pad, axis->in);
  return source >= 0 && source < axis->in ? source : -1;
}

/* Place `i` of a phase as a run of its own. */
static struct place_run place_of(const struct planes *planes, int64_t phase, int64_t i) {
  const struct axis *axis = &planes->problem.axis[planes->problem.rank - 1];
  const int64_t first = i * axis->stride - axis->pad, rest = axis->in - first, joined = planes->joined;
  struct place_run run = {.at = i, .count = 1, .live = joined};
  if (joined == 1) {
    run.from = source_of(planes, phase, i);
    return run;
  }
  if (first < 0) run.skip = -first;
  run.live = (rest < joined ? rest : joined) - run.skip;
  run.from = run.live > 0 ? first + run.skip : -1;
  return run;
}

/* Does a place go on with the run? */
static bool goes_on(const struct planes *planes, const struct place_run *run, const struct place_run *next) {
  if (run->from < 0 || next->from < 0) return run->from < 0 && next->from < 0;
  if (run->live < planes->joined || next->live < planes->joined) return false;
  return run->count == 1 || next->from == run->from + run->count * run->step;
}

struct place_run *planes_runs(const struct planes *planes, int64_t phase, size_t *count) {
  const struct places *places = &planes->places[planes->problem.rank - 1];
  struct place_run *runs = NULL;
  *count = 0;
  for (int64_t i = 0; i < places->extent; i++) {
    const struct place_run next = place_of(planes, phase, i);
    struct place_run *run = *count ? &runs[*count - 1] : NULL;
    if (run && goes_on(planes, run, &next)) {
      if (run->count++ == 1 && next.from >= 0) run->step = next.from - run->from;
      continue;
    }
    runs = mem_grow(runs, *count, sizeof *runs);
    runs[(*count)++] = next;
  }
  return runs;
}

/* ---- sizes --------------------------------------------------------------------------------------------------------- */

int64_t planes_blocks(const struct planes *planes) {
  return ceil_div(planes->problem.axis[planes->problem.rank - 2].out, planes->rows);
}

int64_t planes_passes(const struct planes *planes) {
  return ceil_div(planes->steps, planes->chunk);
}

/* Those of `rows` rows; *single: how many of these pairs are single tiles. */
int64_t planes_pairs(const struct planes *planes, int64_t rows, int64_t *single) {
  const int64_t pair = PLANE_PAIR * PLANE_ROWS, out = planes->places[planes->problem.rank - 1].outputs;
  const int64_t along = out / PLANE_ROWS, down = out % PLANE_ROWS, positions = planes_positions(planes, rows);
  if (planes->way != WAY_CUT) {
    *single = positions % pair > 0 && positions % pair <= PLANE_ROWS;
    return ceil_div(positions, pair);
  }
  *single = along * (rows % PLANE_PAIR) + down * (rows % pair > 0 && rows % pair <= PLANE_ROWS);
  return along * ceil_div(rows, PLANE_PAIR) + down * ceil_div(rows, pair);
}

/* Those of a step of tiles; of all, where they wait for the next chunk. */
int64_t planes_sums(const struct planes *planes) {
  int64_t single;
  const int64_t pairs = planes_pairs(planes, planes->rows, &single);
  return planes_passes(planes) == 1 ? SUM_BYTES : planes->phases * planes->panels * pairs * SUM_BYTES;
}

/* Tiles of output channels: a panel has PLANE_PAIR, the last one what is left. */
static int64_t tiles_of(const struct planes *planes) {
  return ceil_div(planes->problem.out_channels, PLANE_COLUMNS);
}

int64_t planes_phase(const struct planes *planes) {
  return tiles_of(planes) * planes->taps * planes->steps * planes->count * PLANE_ROWS * PLANE_BYTES / (int64_t)sizeof(float);
}

int64_t planes_group(const struct planes *planes) {
  return planes->phases * planes_phase(planes);
}

static bool is_run(const struct problem *problem) {
  const struct axis *rows = &problem->axis[0], *columns = &problem->axis[1];
  if (problem->rank != 2 || problem->groups > 1 || problem->x_channel != 1 || problem->in_channels % PLANE_TERMS) return false;
  return axis_pointwise(rows) && axis_pointwise(columns) && columns->x_step == problem->in_channels &&
         rows->x_step == columns->in * columns->x_step;
}

int64_t planes_ahead(const struct planes *planes) {
  if (planes_passes(planes) > 1 || !is_run(&planes->problem) || planes_blocks(planes) * planes->problem.batch == 1) return 0;
  return ceil_div(PLANE_PAIR * PLANE_ROWS, planes->phases * planes->panels);
}

int64_t planes_packed(const struct planes *planes) {
  return VERDICT_ELEMENTS + planes->problem.groups * planes_group(planes);
}

int64_t planes_workspace(const struct planes *planes) {
  return PLANE_BYTES + planes_sums(planes) + planes->pixels * planes->pixel_bytes * (planes_ahead(planes) ? 2 : 1);
}
