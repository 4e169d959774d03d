/* From planes of neighbours to vectors: which places a column is made of, and which shuffles bring its neighbours to an output. */
#include "stretch.h"
#include "mem.h"
#include "pooling.h"

static const int64_t most_vectors = 160; /* of a tile: its code, which has no loops, is read through for each */
static const int64_t most_taps = 40;     /* of a window along the row, or along the other axes */

/* ---- which problems --------------------------------------------------------------------------------------------------- */

static int64_t size_of(const struct problem *problem) {
  int64_t size = 1;
  for (int a = 0; a < problem->rank; a++) size *= problem->axis[a].in;
  return size;
}

static int64_t planes_of(const struct problem *problem) {
  int64_t planes = 1;
  for (int i = 0; i < problem->moves; i++) planes *= problem->move[i].count;
  return planes;
}

/* The tap of each window at its output's own place; -1: there is none. */
static int64_t own_tap(const struct axis *axis) {
  if (axis->stride != 1 || axis->out != axis->in || axis->pad % axis->dilation != 0) return -1;
  return axis->pad / axis->dilation < axis->kernel ? axis->pad / axis->dilation : -1;
}

/* Are all elements neighbours, planes one after the other, in input and output alike? */
static bool is_stretch(const struct problem *problem) {
  int64_t step = 1;
  bool right = true;
  for (int a = problem->rank - 1; a >= 0; a--) {
    const struct axis *axis = &problem->axis[a];
    right &= axis->in == 1 || (axis->x_step == step && axis->y_step == step);
    step *= axis->in;
  }
  for (int i = problem->moves - 1; i >= 0; i--) {
    const struct move *move = &problem->move[i];
    right &= move->count == 1 || (move->x == step && move->y == step);
    step *= move->count;
  }
  return right;
}

static int64_t outer_taps(const struct problem *problem) {
  int64_t taps = 1;
  for (int a = 0; a < problem->rank - 1 && taps <= most_taps; a++) taps *= problem->axis[a].kernel;
  return taps;
}

const char *stretch_reason(const struct problem *problem, const struct isa *isa, int64_t planes) {
  const int64_t lanes = isa->lanes[problem->dtype];
  bool same = !problem->adaptive;
  for (int a = 0; a < problem->rank && same; a++) same = own_tap(&problem->axis[a]) >= 0;
  if (!same) return "windows are not one for each input, with it among its taps";
  if (!is_stretch(problem)) return "planes are not one stretch of neighbours";
  if (problem->activation == CS_PRELU) return "vectors reach over several channels, whose slopes differ";
  if (pool_lanes_reason(problem, isa)) return pool_lanes_reason(problem, isa);
  if (outer_taps(problem) > most_taps || problem->axis[problem->rank - 1].kernel > most_taps)
    return mem_text("windows have more than %lld taps along the row, or along the other axes", (long long)most_taps);
  if (planes > 1 && planes > planes_of(problem))
    return mem_text("there are %lld planes, a tile has %lld", (long long)planes_of(problem), (long long)planes);
  if (size_of(problem) > most_vectors * lanes / planes)
    return mem_text("%lld planes are more than %lld vectors", (long long)planes, (long long)most_vectors);
  return NULL;
}

/* ---- places ----------------------------------------------------------------------------------------------------------- */

/* One tap of each axis in [0, axes), counted through all, as a shift of places. */
struct shift {
  int64_t by[MAX_SPATIAL], at;
};

static struct shift outer_shift(const struct problem *problem, int64_t tap) {
  struct shift shift = {.at = 0};
  for (int a = problem->rank - 2; a >= 0; a--) {
    const struct axis *axis = &problem->axis[a];
    shift.by[a] = tap % axis->kernel * axis->dilation - axis->pad;
    shift.at += shift.by[a] * axis->x_step;
    tap /= axis->kernel;
  }
  return shift;
}

static struct shift row_shift(const struct problem *problem, int64_t tap) {
  const struct axis *row = &problem->axis[problem->rank - 1];
  struct shift shift = {.at = tap * row->dilation - row->pad};
  shift.by[problem->rank - 1] = shift.at;
  return shift;
}

/* Where the element is along each axis of its plane. */
static void coordinates(const struct stretch *stretch, int64_t element, int64_t *place) {
  for (int a = stretch->problem->rank - 1; a >= 0; a--) {
    place[a] = element % stretch->problem->axis[a].in;
    element /= stretch->problem->axis[a].in;
  }
}

/* Is what lies a shift from the element in its plane too? */
static bool inside(const struct stretch *stretch, int64_t element, const struct shift *shift) {
  int64_t place[MAX_SPATIAL];
  bool in = true;
  coordinates(stretch, element, place);
  for (int a = 0; a < stretch->problem->rank; a++) {
    place[a] += shift->by[a];
    in &= place[a] >= 0 && place[a] < stretch->problem->axis[a].in;
  }
  return in;
}

/* ---- columns ---------------------------------------------------------------------------------------------------------- */

static int64_t least(int64_t a, int64_t b) {
  return a < b ? a : b;
}

static void add_place(const struct stretch *stretch, struct stretch_column *column, const struct shift *shift, int64_t elements) {
  const int64_t at = column->at + shift->at;
  struct stretch_place place = {at, at < 0 ? -at : 0, least(column->live, elements - at),
                                mem_array((size_t)stretch->lanes, sizeof(int64_t))};
  int64_t parts = 0;
  for (int64_t lane = 0; lane < stretch->lanes; lane++) {
    const bool in = lane < column->live && inside(stretch, column->at + lane, shift);
    place.lanes[lane] = lane + in * stretch->lanes;
    parts += in;
  }
  if (parts == 0) return;
  if (parts == column->live) place.lanes = NULL;
  column->places = mem_grow(column->places, (size_t)column->place_count, sizeof place);
  column->places[column->place_count++] = place;
}

static void add_column(const struct stretch *stretch, struct stretch_tile *tile, int64_t at, int64_t elements) {
  struct stretch_column column = {.at = at, .live = least(stretch->lanes, elements - at)};
  const int64_t taps = outer_taps(stretch->problem);
  for (int64_t tap = 0; tap < taps; tap++) {
    const struct shift shift = outer_shift(stretch->problem, tap);
    if (shift.at != 0) add_place(stretch, &column, &shift, elements);
  }
  tile->columns[tile->column_count++] = column;
}

/* ---- outputs ---------------------------------------------------------------------------------------------------------- */

/* The column that holds a place of the stretch; of places beyond its ends, which no lane takes, the nearest. */
static int64_t column_of(const struct stretch_tile *tile, int64_t lanes, int64_t at) {
  return at < 0 ? 0 : least(at / lanes, tile->column_count - 1);
}

/* The lanes of columns `first` and the next one that are a shift from the output's. Where one has no such tap, it takes what `rest`
 * has in its place: by the same shuffle if that is one of the two, and shuffles of any lanes are as good as others. */
static int64_t shifted(const struct stretch *stretch, struct stretch_tile *tile, int64_t own, const struct shift *shift) {
  const int64_t lanes = stretch->lanes, base = own * lanes, live = tile->columns[own].live;
  const int64_t first = column_of(tile, lanes, base + shift->at), second = column_of(tile, lanes, base + shift->at + lanes - 1);
  const int64_t rest = stretch->problem->mean ? tile->column_count : own;
  const bool together = !stretch->patches && (rest == first || rest == second);
  int64_t *chosen = mem_array((size_t)lanes, sizeof *chosen), *patched = mem_array((size_t)lanes, sizeof *patched);
  int64_t dead = 0;
  for (int64_t lane = 0; lane < lanes; lane++) {
    const int64_t at = base + lane + shift->at - first * lanes;
    const bool in = lane < live && inside(stretch, base + lane, shift);
    chosen[lane] = in || !together ? (at + 2 * lanes) % (2 * lanes) : lane + (rest != first) * lanes;
    patched[lane] = lane + !in * lanes;
    dead += !in && lane < live;
  }
  if (dead == live) return -1;
  const int64_t value = network_append(&tile->network, first, second, chosen);
  if (dead == 0 || together) return value;
  tile->blends++;
  return network_append(&tile->network, value, rest, patched);
}

static int64_t divisor_of(const struct stretch *stretch, int64_t element) {
  int64_t place[MAX_SPATIAL], divisor = 1;
  coordinates(stretch, element, place);
  for (int a = 0; a < stretch->problem->rank; a++) {
    const struct axis *axis = &stretch->problem->axis[a];
    int64_t taps = 0;
    for (int64_t k = 0; k < axis->kernel; k++) {
      const int64_t at = place[a] - axis->pad + k * axis->dilation;
      taps += stretch->problem->count_padding || (at >= 0 && at < axis->in);
    }
    divisor *= taps;
  }
  return divisor;
}

static void set_divisors(const struct stretch *stretch, const struct stretch_column *column, struct stretch_output *output) {
  bool even = true;
  output->divisors = mem_array((size_t)stretch->lanes, sizeof(int64_t));
  for (int64_t lane = 0; lane < stretch->lanes; lane++) {
    output->divisors[lane] = divisor_of(stretch, column->at + lane);
    even &= output->divisors[lane] == output->divisors[0];
  }
  output->divisor_count = even ? 1 : stretch->lanes;
}

static void add_output(const struct stretch *stretch, struct stretch_tile *tile, int64_t own) {
  struct stretch_output *output = &tile->outputs[own];
  const int64_t taps = stretch->problem->axis[stretch->problem->rank - 1].kernel;
  output->values = mem_array((size_t)taps, sizeof(int64_t));
  for (int64_t tap = 0; tap < taps; tap++) {
    const struct shift shift = row_shift(stretch->problem, tap);
    const int64_t value = shift.at == 0 ? own : shifted(stretch, tile, own, &shift);
    if (value >= 0) output->values[output->value_count++] = value;
  }
  set_divisors(stretch, &tile->columns[own], output);
}

static void add_tile(struct stretch *stretch, int64_t planes) {
  const int64_t elements = planes * stretch->plane, count = (elements - 1) / stretch->lanes + 1;
  struct stretch_tile *tile = &stretch->tiles[stretch->tile_count++];
  tile->columns = mem_array((size_t)count, sizeof *tile->columns);
  tile->outputs = mem_array((size_t)count, sizeof *tile->outputs);
  for (int64_t i = 0; i < count; i++) add_column(stretch, tile, i * stretch->lanes, elements);
  tile->network = (struct network){.lanes = stretch->lanes, .sources = count + 1};
  for (int64_t i = 0; i < count; i++) add_output(stretch, tile, i);
}

void stretch_build(struct stretch *stretch, const struct problem *problem, const struct isa *isa, int64_t planes) {
  *stretch = (struct stretch){.problem = problem,
                              .lanes = isa->lanes[problem->dtype],
                              .patches = isa->crossing > 1,
                              .plane = size_of(problem),
                              .planes = planes};
  stretch->whole = planes_of(problem) / planes;
  stretch->rest = planes_of(problem) % planes;
  add_tile(stretch, planes);
  if (stretch->rest > 0) add_tile(stretch, stretch->rest);
}

/* To look at each input once is less than to look for NaN along both. A tile that is made once more must find its residual, which
 * may lie where it has put outputs. */
bool stretch_watched(const struct problem *problem) {
  return !problem->mean && !problem->residual && outer_taps(problem) > 1 && problem->axis[problem->rank - 1].kernel > 1;
}

/* ---- counts ----------------------------------------------------------------------------------------------------------- */

int64_t stretch_values(const struct stretch_tile *tile) {
  int64_t count = 0;
  for (int64_t i = 0; i < tile->column_count; i++) count += tile->outputs[i].value_count;
  return count;
}

int64_t stretch_places(const struct stretch_tile *tile, bool some) {
  int64_t count = 0;
  for (int64_t i = 0; i < tile->column_count; i++)
    for (int64_t k = 0; k < tile->columns[i].place_count; k++) count += !some || tile->columns[i].places[k].lanes != NULL;
  return count;
}
