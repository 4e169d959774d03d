/* Tall tiles: windows of neighbours along the last outer axis share inputs, which are loaded once, and what pairs of them share is
 * combined once. Rows whose windows are whole go together in blocks; those before the first block and behind the last one go one
 * by one. Where rows beyond the input's ends may be its first and last one once more, since the larger of a value and itself is
 * that value, all rows go in blocks. */
#include "mem.h"
#include "pooling.h"

/* The rows [first, end) whose windows are whole. */
static void whole_rows(const struct axis *axis, int64_t *first, int64_t *end) {
  const int64_t last = axis->in - 1 - (axis->kernel - 1) * axis->dilation + axis->pad;
  *first = (axis->pad + axis->stride - 1) / axis->stride;
  *end = last < 0 ? 0 : last / axis->stride + 1;
  if (*end > axis->out) *end = axis->out;
  if (*end < *first) *end = *first;
}

static const char *tall_reason(const struct pooling *pooling) {
  if (pool_taps_at_once(pooling, POOL_TALL_TAPS) == 0)
    return mem_text("rows go together where windows have 2 to %d taps along outer axes, all alike", POOL_TALL_TAPS);
  for (int a = 0; a < pooling->axes - 2; a++)
    if (!pool_even(pooling, a, false))
      return mem_text("windows along axis %d are not all whole, rows go together where they are", a + 1);
  return NULL;
}

/* Along rows of pixels a vector does little for each place that is looked up, unless windows are long. */
static bool may_hold(const struct pooling *pooling, const struct axis *axis) {
  return !pooling->problem->mean && axis->dilation == 1 && (!pooling->choice.pixels || axis->kernel > POOL_LONG_WINDOW);
}

/* The number of the place that a tap of a row of the block reads. */
static int64_t tap_number(struct pooling *pooling, int64_t row, int64_t tap) {
  const struct axis *axis = &pooling->axis[pooling->axes - 2];
  const int64_t below = tap % axis->kernel;
  if (pooling->held) return pool_column_number(&pooling->tall, pool_tap_place(pooling, tap - below), row * axis->stride + below);
  return pool_column_number(&pooling->tall, row * axis->stride * axis->x_step + pool_tap_place(pooling, tap), 0);
}

/* The rows of a block, which the tile has as outputs: their values are places in the input. */
static void add_rows(struct pooling *pooling) {
  const struct axis *axis = &pooling->axis[pooling->axes - 2];
  const int64_t taps = pool_taps_at_once(pooling, POOL_TALL_TAPS);
  for (int64_t row = 0; row < pooling->choice.rows; row++) {
    struct pool_output *output = pool_add_output(&pooling->tall, row * axis->y_step, row * axis->w_step, 0, taps, 0);
    for (int64_t tap = 0; tap < taps; tap++) output->values[tap] = tap_number(pooling, row, tap);
  }
  pool_share(&pooling->tall);
}

void pooling_add_tall(struct pooling *pooling) {
  const int64_t rows = pooling->choice.rows;
  if (rows < 2 || pooling->reason) return;
  pooling->reason = tall_reason(pooling);
  if (pooling->reason) return;
  const struct axis *axis = &pooling->axis[pooling->axes - 2];
  int64_t first = 0, end = axis->out;
  pooling->held = may_hold(pooling, axis) && !pool_even(pooling, pooling->axes - 2, false);
  if (!pooling->held) whole_rows(axis, &first, &end);
  pooling->first_block = first;
  pooling->blocks = (end - first) / rows;
  if (pooling->blocks == 0)
    pooling->reason = mem_text("%lld row%s whole windows, a tile takes %lld", (long long)(end - first),
                               end - first == 1 ? " has" : "s have", (long long)rows);
  else
    add_rows(pooling);
}
