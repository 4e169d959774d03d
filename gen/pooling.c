/* From a pool to tiles: axes folded, vectors laid out, columns found, equal tiles found again. */
#include "pooling.h"
#include "mem.h"
#include <string.h>

static const int64_t most_tiles = 24, most_values = 1500; /* in one file's text */
static const int64_t most_tall_columns = 40;
static const double near_bytes = 20000; /* of the nearest cache, for the lines of a band */
static const int64_t most_bands = 16;
static const int64_t longest_row = 1000000;
static const int64_t least_chunk = 16, most_chunk = 128; /* channels: whole lines, a few */

/* ---- windows ---------------------------------------------------------------------------------------------------------- */

static int64_t least(int64_t a, int64_t b) {
  return a < b ? a : b;
}

/* How many taps of a window from `start` lie before `end`. */
static int64_t taps_before(const struct axis *axis, int64_t start, int64_t end) {
  return start >= end ? 0 : least(axis->kernel, (end - 1 - start) / axis->dilation + 1);
}

struct pool_window pool_window(const struct pooling *pooling, int a, int64_t o) {
  const struct axis *axis = &pooling->axis[a];
  if (pooling->problem->adaptive) {
    const int64_t first = o * axis->in / axis->out, end = ((o + 1) * axis->in - 1) / axis->out + 1;
    return (struct pool_window){first, end - first, end - first};
  }
  const int64_t start = o * axis->stride - axis->pad, skipped = start < 0 ? (-start - 1) / axis->dilation + 1 : 0;
  const int64_t live = taps_before(axis, start, axis->in) - skipped;
  const bool counts = pooling->problem->count_padding;
  return (struct pool_window){start + skipped * axis->dilation, live,
                              counts ? taps_before(axis, start, axis->in + pooling->pad_after[a]) : live};
}

bool pool_even(const struct pooling *pooling, int a, bool divisor) {
  const struct axis *axis = &pooling->axis[a];
  if (pooling->problem->adaptive) return axis->in % axis->out == 0;
  const struct pool_window first = pool_window(pooling, a, 0), last = pool_window(pooling, a, axis->out - 1);
  if (divisor) return first.divisor == axis->kernel && last.divisor == axis->kernel;
  return first.live == axis->kernel && last.live == axis->kernel;
}

int64_t pool_taps_at_once(const struct pooling *pooling, int64_t most) {
  int64_t taps = 1;
  if (pooling->problem->adaptive || pooling->choice.planes || pooling->choice.sweep) return 0;
  for (int a = 0; a < pooling->axes - 1; a++) {
    if (pooling->axis[a].kernel > most) return 0;
    taps *= pooling->axis[a].kernel;
  }
  return taps > 1 && taps <= most ? taps : 0;
}

int64_t pool_tap_place(const struct pooling *pooling, int64_t tap) {
  int64_t x = 0;
  for (int a = pooling->axes - 2; a >= 0; a--) {
    const struct axis *axis = &pooling->axis[a];
    x += tap % axis->kernel * axis->dilation * axis->x_step;
    tap /= axis->kernel;
  }
  return x;
}

/* ---- axes and lanes --------------------------------------------------------------------------------------------------- */

/* Is the only window all there is, so that neighbouring axes like this are one? */
static bool is_whole(const struct axis *axis) {
  return axis->out == 1 && axis->pad == 0 && axis->kernel == axis->in && axis->dilation == 1;
}

static void fold(struct pooling *pooling) {
  const struct problem *problem = pooling->problem;
  for (int a = 0; a < problem->rank; a++) {
    const struct axis *axis = &problem->axis[a];
    struct axis *last = pooling->axes ? &pooling->axis[pooling->axes - 1] : NULL;
    if (last && is_whole(last) && is_whole(axis) && last->x_step == axis->in * axis->x_step) {
      last->in = last->kernel = last->in * axis->in;
      last->x_step = axis->x_step;
      continue;
    }
    pooling->pad_after[pooling->axes] = problem->pad_after[a];
    pooling->axis[pooling->axes++] = *axis;
  }
}

/* The move that vectors lie along: neighbours in the input if there are, else the longest. */
static int lane_move(const struct problem *problem) {
  int best = 0;
  for (int i = 1; i < problem->moves; i++) {
    const struct move *move = &problem->move[i], *other = &problem->move[best];
    const bool near = move->x == 1 && move->count > 1, other_near = other->x == 1 && other->count > 1;
    if (near != other_near ? near : move->count > other->count) best = i;
  }
  return best;
}

/* Appends a move; one that goes on where the one before it ends is part of that. */
static void add_move(struct pooling *pooling, struct move move) {
  struct move *last = pooling->moves ? &pooling->move[pooling->moves - 1] : NULL;
  if (move.count == 1) return;
  if (last && last->x == move.count * move.x && last->y == move.count * move.y && last->b == move.count * move.b)
    *last = (struct move){last->count * move.count, move.x, move.y, move.b};
  else
    pooling->move[pooling->moves++] = move;
}

/* Makes chunks of the channels in vectors a move of their own, around the rows. */
static void split_channels(struct pooling *pooling) {
  struct move *lanes = &pooling->lanes;
  int64_t chunk = most_chunk;
  while (chunk >= least_chunk && lanes->count % chunk != 0) chunk -= least_chunk;
  if (lanes->x != 1 || chunk < least_chunk || chunk == lanes->count) {
    pooling->reason = mem_text("%lld channels do not divide into chunks", (long long)lanes->count);
    return;
  }
  pooling->chunks = lanes->count / chunk;
  pooling->move[pooling->moves++] = (struct move){pooling->chunks, chunk * lanes->x, chunk * lanes->y, chunk * lanes->b};
  lanes->count = chunk;
}

/* Moves along which neighbours lie in vectors are folded into one too, where all pixels of a plane are. */
static void lay_out(struct pooling *pooling, int lanes) {
  const struct problem *problem = pooling->problem;
  const struct axis *row = &pooling->axis[pooling->axes - 1];
  struct problem folded = *problem;
  for (int i = 0; i < problem->moves; i++) add_move(pooling, problem->move[i]);
  memcpy(folded.move, pooling->move, sizeof folded.move);
  folded.moves = pooling->moves;
  pooling->moves = 0;
  pooling->lanes = (struct move){row->out, row->x_step, row->y_step, row->w_step};
  int along = -1;
  if (!pooling->choice.pixels) {
    along = lane_move(&folded);
    pooling->lanes = folded.moves ? folded.move[along] : (struct move){1, 1, 1, 0};
  }
  for (int i = 0; i < folded.moves; i++)
    if (i != along) pooling->move[pooling->moves++] = folded.move[i];
  if (pooling->choice.chunks) split_channels(pooling);
  const int64_t turn = lanes * pooling->choice.vectors;
  pooling->lane_count = lanes;
  pooling->whole = pooling->choice.pixels ? 1 : pooling->lanes.count / turn;
  pooling->last = pooling->choice.pixels ? 0 : pooling->lanes.count % turn;
}

/* ---- tiles ------------------------------------------------------------------------------------------------------------ */

/* The number of a share of the divisor. */
static int64_t divisor_number(struct pooling *pooling, int64_t divisor) {
  for (int64_t i = 0; i < pooling->divisor_count; i++)
    if (pooling->divisors[i] == divisor) return i;
  pooling->divisors = mem_grow(pooling->divisors, (size_t)pooling->divisor_count, sizeof divisor);
  pooling->divisors[pooling->divisor_count] = divisor;
  return pooling->divisor_count++;
}

/* Outputs [o, o + count), a vector of channels each; x counts from the first window's first element, which is *base. */
static struct pool_tile channels_tile(struct pooling *pooling, int64_t o, int64_t count, int64_t *base) {
  const int a = pooling->axes - 1;
  const struct axis *row = &pooling->axis[a];
  struct pool_tile tile = {0};
  *base = pool_window(pooling, a, o).first;
  for (int64_t p = 0; p < count; p++) {
    const struct pool_window window = pool_window(pooling, a, o + p);
    struct pool_output *output = pool_add_output(&tile, p * row->y_step, p * row->w_step, 0, window.live, 1);
    for (int64_t k = 0; k < window.live; k++)
      output->values[k] = pool_column_number(&tile, (window.first - *base + k * row->dilation) * row->x_step, 0);
    output->divisors[0] = divisor_number(pooling, window.divisor);
  }
  pool_share(&tile);
  return tile;
}

/* The lanes that output vector [o, o + live) takes of tap k: counted through the columns; where a window has no such tap, its first
 * one again, or of a mean the zero behind them. */
static void tap_lanes(const struct pooling *pooling, int64_t o, int64_t live, int64_t k, int64_t base, int64_t zero,
                      int64_t *wanted) {
  const int a = pooling->axes - 1;
  for (int64_t lane = 0; lane < pooling->lane_count; lane++) {
    wanted[lane] = -1;
    if (lane >= live) continue;
    const struct pool_window window = pool_window(pooling, a, o + lane);
    const int64_t tap = k < window.live ? k : 0;
    wanted[lane] = window.first - base + tap * pooling->axis[a].dilation;
    if (k >= window.live && pooling->problem->mean) wanted[lane] = zero * pooling->lane_count;
  }
}

static int64_t most_live(const struct pooling *pooling, int64_t o, int64_t live) {
  int64_t most = 0;
  for (int64_t lane = 0; lane < live; lane++) {
    const int64_t taps = pool_window(pooling, pooling->axes - 1, o + lane).live;
    if (taps > most) most = taps;
  }
  return most;
}

static void set_divisors(struct pooling *pooling, struct pool_output *output, int64_t o) {
  bool even = true;
  for (int64_t lane = 0; lane < output->live; lane++) {
    output->divisors[lane] = divisor_number(pooling, pool_window(pooling, pooling->axes - 1, o + lane).divisor);
    even &= output->divisors[lane] == output->divisors[0];
  }
  output->divisor_count = even ? 1 : output->live;
}

/* Columns of neighbours from `base` through `end`. */
static void add_columns(const struct pooling *pooling, struct pool_tile *tile, int64_t base, int64_t end) {
  const int64_t lanes = pooling->lane_count;
  for (int64_t at = base; at < end; at += lanes) {
    pool_column_number(tile, (at - base) * pooling->axis[pooling->axes - 1].x_step, 0);
    tile->columns[tile->column_count - 1].live = least(lanes, end - at);
  }
}

/* What the windows of outputs [o, o + count) touch: *base up to *end. With padding and dilation a later one may begin before the
 * first. */
static void touched(const struct pooling *pooling, int64_t o, int64_t count, int64_t *base, int64_t *end) {
  *base = INT64_MAX;
  *end = 0;
  for (int64_t p = 0; p < count; p++) {
    const struct pool_window window = pool_window(pooling, pooling->axes - 1, o + p);
    const int64_t behind = window.first + (window.live - 1) * pooling->axis[pooling->axes - 1].dilation + 1;
    if (window.first < *base) *base = window.first;
    if (behind > *end) *end = behind;
  }
}

/* Outputs [o, o + count) in vectors along the row. */
static struct pool_tile pixels_tile(struct pooling *pooling, int64_t o, int64_t count, int64_t *base) {
  const int64_t lanes = pooling->lane_count;
  struct pool_tile tile = {0};
  int64_t taps = 0, end;
  touched(pooling, o, count, base, &end);
  add_columns(pooling, &tile, *base, end);
  for (int64_t p = 0; p < count; p += lanes) taps += most_live(pooling, o + p, least(lanes, count - p));
  int64_t *wanted = mem_array((size_t)(taps * lanes), sizeof *wanted);
  taps = 0;
  for (int64_t p = 0; p < count; p += lanes) {
    const int64_t live = least(lanes, count - p), values = most_live(pooling, o + p, live);
    struct pool_output *output = pool_add_output(&tile, p * pooling->lanes.y, p * pooling->lanes.b, live, values, live);
    set_divisors(pooling, output, o + p);
    for (int64_t k = 0; k < values; k++, taps++) {
      output->values[k] = taps;
      tap_lanes(pooling, o + p, live, k, *base, tile.column_count, wanted + taps * lanes);
    }
  }
  for (int64_t i = 0; i < taps * lanes; i++) tile.zero |= wanted[i] == tile.column_count * lanes;
  tile.network = (struct network){.lanes = lanes, .sources = tile.column_count + tile.zero};
  for (int64_t i = 0, t = 0; i < tile.output_count; i++)
    for (int64_t k = 0; k < tile.outputs[i].value_count; k++, t++)
      tile.outputs[i].values[k] = network_add(&tile.network, wanted + t * lanes);
  return tile;
}

/* The number of an equal tile, made if there is none. */
static int64_t tile_number(struct pooling *pooling, const struct pool_tile *tile) {
  for (int64_t i = pooling->tile_count; i-- > 0;)
    if (pool_same_tile(&pooling->tiles[i], tile)) return i;
  pooling->tiles = mem_grow(pooling->tiles, (size_t)pooling->tile_count, sizeof *tile);
  pooling->tiles[pooling->tile_count] = *tile;
  return pooling->tile_count++;
}

/* Appends a tile at x, y and b: to the last run if that goes on like this. */
static void add_run(struct pooling *pooling, struct pool_run run) {
  struct pool_run *last = pooling->run_count ? &pooling->runs[pooling->run_count - 1] : NULL;
  if (last && last->tile == run.tile && last->band == run.band) {
    const int64_t x = run.x - last->x, y = run.y - last->y, b = run.b - last->b;
    if (last->count == 1 ||
        (x == last->count * last->x_step && y == last->count * last->y_step && b == last->count * last->b_step)) {
      if (last->count == 1) last->x_step = x, last->y_step = y, last->b_step = b;
      last->count++;
      return;
    }
  }
  pooling->runs = mem_grow(pooling->runs, (size_t)pooling->run_count, sizeof run);
  pooling->runs[pooling->run_count++] = run;
}

/* Rows of a tile. */
static int64_t tile_rows(const struct pooling *pooling) {
  return pooling->choice.rows > 1 ? pooling->choice.rows : 1;
}

/* Vectors that the columns of a tile may take: those of channels in tall tiles are not all held at a time. */
static int64_t most_columns(const struct pooling *pooling, int registers) {
  const int64_t rows = tile_rows(pooling);
  if (pooling->choice.pixels) return rows > 1 ? registers * 3 / 4 : registers / 2;
  return rows > 1 ? most_tall_columns * rows : registers - 3;
}

static void set_spills(const struct pooling *pooling, struct pool_tile *tile, int registers) {
  const int64_t vectors = pooling->choice.pixels ? 1 : pooling->choice.vectors;
  tile->spills = tile->column_count * vectors > registers - 3;
  tile->tall_spills = pool_columns_at_once(tile) * tile_rows(pooling) > registers - 3;
}

static void judge(struct pooling *pooling, const struct pool_tile *tile, int registers) {
  const int64_t rows = tile_rows(pooling), most = most_columns(pooling, registers);
  const int64_t held = (tile->column_count * rows + tile->zero) * (pooling->choice.pixels ? 1 : pooling->choice.vectors);
  int64_t values = 0;
  for (int64_t i = 0; i < pooling->tile_count; i++) values += pool_values(&pooling->tiles[i]) * pooling->choice.vectors * rows;
  if (held > most && !pooling->reason && held > 1)
    pooling->reason = mem_text("a tile has %lld columns, %lld fit the registers", (long long)held, (long long)most);
  if (pooling->tile_count > most_tiles || values > most_values)
    pooling->reason = mem_text("rows have more than %lld different tiles, or their text more than %lld values",
                               (long long)most_tiles, (long long)most_values);
}

/* Windows of so many columns along the row that no tile can hold are not looked at any closer: that takes long. */
static void judge_windows(struct pooling *pooling, int registers) {
  const int a = pooling->axes - 1;
  const int64_t live = pool_window(pooling, a, pooling->axis[a].out / 2).live, most = most_columns(pooling, registers);
  const int64_t columns =
      tile_rows(pooling) * (pooling->choice.pixels ? live / pooling->lane_count : live * pooling->choice.vectors);
  if (columns > most && columns > 1 && !pooling->reason)
    pooling->reason = mem_text("a tile has %lld columns or more, %lld fit the registers", (long long)columns, (long long)most);
}

/* Bytes of the lines that windows of the next outputs read again. */
static double line_bytes(const struct pooling *pooling) {
  const struct axis *row = &pooling->axis[pooling->axes - 1], *rows = row - 1;
  if (pooling->choice.pixels || pooling->axes < 2 || pooling->problem->adaptive || rows->kernel <= rows->stride) return 0;
  return (double)row->in * (double)pooling->lanes.count * (double)cs_size(pooling->problem->dtype) * (double)(rows->kernel + 1);
}

/* Cuts a row of `tiles` into bands. None has more tiles than its share of the lines allows. */
static void add_bands(struct pooling *pooling, int64_t tiles) {
  const double bytes = line_bytes(pooling), bands = bytes / near_bytes;
  const int64_t most = least(most_bands, tiles);
  const int64_t together = bands <= 1 ? tiles : bands < (double)most ? tiles / ((int64_t)bands + 1) : (tiles - 1) / most + 1;
  pooling->bands = (tiles - 1) / together + 1;
  pooling->far = bytes / (double)pooling->bands > 1.5 * near_bytes;
}

static void add_tiles(struct pooling *pooling, int registers) {
  const struct axis *row = &pooling->axis[pooling->axes - 1];
  const bool pixels = pooling->choice.pixels;
  const int64_t tiles = (row->out - 1) / pooling->choice.outputs + 1;
  add_bands(pooling, tiles);
  judge_windows(pooling, registers);
  for (int64_t o = 0; o < row->out && !pooling->reason;) {
    const int64_t count = least(pooling->choice.outputs, row->out - o);
    int64_t base = 0;
    struct pool_tile tile = (pixels ? pixels_tile : channels_tile)(pooling, o, count, &base);
    set_spills(pooling, &tile, registers);
    const struct pool_run run = {.tile = tile_number(pooling, &tile),
                                 .band = o / pooling->choice.outputs / ((tiles - 1) / pooling->bands + 1),
                                 .count = 1,
                                 .x = base * row->x_step,
                                 .y = o * row->y_step,
                                 .b = o * row->w_step};
    add_run(pooling, run);
    judge(pooling, &tile, registers);
    o += count;
  }
}

/* Why the windows are no planes of neighbours, or NULL. */
static const char *planes_reason(const struct pooling *pooling, int lanes) {
  const struct axis *axis = &pooling->axis[0];
  if (pooling->axes > 1 || !is_whole(axis)) return "windows are not all of a plane";
  if (axis->x_step != 1)
    return mem_text("neighbours of a plane lie %lld elements apart; vectors along it need 1", (long long)axis->x_step);
  if (axis->in < lanes) return mem_text("planes have %lld elements, vectors %d lanes", (long long)axis->in, lanes);
  return NULL;
}

/* Why outputs can't keep what channels come to so far, or NULL. */
static const char *sweep_reason(const struct pooling *pooling) {
  const int64_t step = pooling->lanes.x > 1 ? pooling->lanes.x : pooling->lanes.y;
  if (pooling->problem->residual) return "the residual may lie where sums would";
  if (step != 1) return mem_text("neighbouring channels lie %lld elements apart; sweeps along them need 1", (long long)step);
  return NULL;
}

/* The row as one more outer axis, around a row of a single output. */
static void loop_row(struct pooling *pooling) {
  pooling->axis[pooling->axes++] = (struct axis){.in = 1, .out = 1, .kernel = 1, .stride = 1, .dilation = 1};
}

void pooling_lay_out(struct pooling *pooling, const struct problem *problem, struct pool_choice choice, int lanes) {
  *pooling = (struct pooling){.problem = problem, .choice = choice, .chunks = 1};
  fold(pooling);
  lay_out(pooling, lanes);
}

void pooling_build(struct pooling *pooling, const struct problem *problem, struct pool_choice choice, int lanes, int registers) {
  *pooling = (struct pooling){.problem = problem, .choice = choice, .chunks = 1};
  fold(pooling);
  if (choice.planes) pooling->reason = planes_reason(pooling, lanes);
  if (choice.outputs == 0) {
    loop_row(pooling);
    pooling->choice.outputs = 1;
  }
  lay_out(pooling, lanes);
  if (pooling->axis[pooling->axes - 1].out > longest_row)
    pooling->reason = mem_text("rows have more than %lld outputs", (long long)longest_row);
  if (choice.sweep) pooling->reason = sweep_reason(pooling);
  pooling_add_tall(pooling);
  add_tiles(pooling, registers);
}
