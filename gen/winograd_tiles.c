/* Winograd products on tile registers: what lies where, baked weights, the cost, and what templates/winograd_tiles.t gets. */
#include "winograd_tiles.h"
#include "mem.h"
#include "processor.h"
#include "signature.h"
#include <math.h>

/* Cycles, measured with whole layers: a multiplication of tiles; beginning and ending the sums of a pair of rows; splitting a step
 * of a pixel. */
static const double multiply = 27, begin = 60, split = 15;

/* Lines of 64 bytes are where registers are loaded from. */
enum { LINE_ELEMENTS = PLANE_BYTES / 4 };

void winograd_tiles_lay_out(struct winograd_tiles *tiles, int64_t block) {
  struct winograd *base = &tiles->base;
  const struct problem *problem = &base->problem;
  const int64_t vectors = ceil_div(problem->in_channels, LINE_ELEMENTS);
  base->blocks = ceil_div(base->all, block);
  base->block = ceil_div(ceil_div(base->all, base->blocks), PLANE_ROWS) * PLANE_ROWS;
  base->blocks = ceil_div(base->all, base->block);
  base->v = (struct plane){problem->in_channels, vectors * LINE_ELEMENTS, vectors * LINE_ELEMENTS};
  base->m_plane = winograd_plane(base, problem->out_channels, base->block);
  tiles->steps = ceil_div(problem->in_channels, PLANE_TERMS);
  tiles->panels = ceil_div(problem->out_channels, PLANE_PAIR * PLANE_COLUMNS);
  tiles->pixel_bytes = planes_pixel(tiles->steps, ALL_PLANES);
  tiles->point_bytes = (tiles->pixel_bytes / PLANE_BYTES * base->block | 1) * PLANE_BYTES;
}

static int64_t scratch_bytes(const struct winograd_tiles *tiles) {
  return tiles->base.points * tiles->base.v.point * (int64_t)sizeof(float);
}

static int64_t v_bytes(const struct winograd_tiles *tiles) {
  return tiles->base.points * tiles->point_bytes;
}

int64_t winograd_tiles_workspace(const struct winograd_tiles *tiles) {
  const int64_t m_bytes = tiles->base.points * tiles->base.m_plane.point * (int64_t)sizeof(float);
  return PLANE_BYTES + scratch_bytes(tiles) + v_bytes(tiles) + m_bytes;
}

/* Tiles of output channels. */
static int64_t columns_of(const struct winograd_tiles *tiles) {
  return ceil_div(tiles->base.problem.out_channels, PLANE_COLUMNS);
}

/* Elements of one point's weights. */
static int64_t point_weights(const struct winograd_tiles *tiles) {
  return columns_of(tiles) * tiles->steps * ALL_PLANES * PLANE_ROWS * LINE_ELEMENTS;
}

/* They begin with a line, wherever what is packed before them ends. */
int64_t winograd_tiles_weights(const struct winograd_tiles *tiles) {
  return tiles->base.points * point_weights(tiles) + LINE_ELEMENTS - 1;
}

/* ---- baked weights ----------------------------------------------------------------------------------------------------- */

/* The planes of one kernel's points, as S_split_weights of the template puts them. */
static void bake_kernel(const struct winograd_tiles *tiles, int64_t channel, int64_t term, uint16_t *array) {
  const struct problem *problem = &tiles->base.problem;
  const int64_t panel = channel / (PLANE_PAIR * PLANE_COLUMNS), column = channel % (PLANE_PAIR * PLANE_COLUMNS);
  const int64_t all = columns_of(tiles), left = all - panel * PLANE_PAIR, wide = left < PLANE_PAIR ? left : PLANE_PAIR;
  const int64_t tile = PLANE_ROWS * PLANE_TERMS, before = panel * PLANE_PAIR * tiles->steps + term / PLANE_TERMS * wide;
  double points[WINOGRAD_POINTS];
  winograd_points(&tiles->base, problem->w_first + channel * problem->w_out + term * problem->w_in, points);
  for (int64_t i = 0; i < tiles->base.points; i++)
    planes_split((float)points[i],
                 array + 2 * i * point_weights(tiles) + before * ALL_PLANES * tile + planes_place(column, term % PLANE_TERMS),
                 wide * tile, ALL_PLANES);
}

const void *winograd_tiles_bake(const struct winograd_tiles *tiles, size_t *bytes) {
  const struct problem *problem = &tiles->base.problem;
  *bytes = (size_t)(tiles->base.points * point_weights(tiles)) * sizeof(float);
  uint16_t *const array = mem_new(*bytes);
  for (int64_t channel = 0; channel < problem->out_channels; channel++)
    for (int64_t term = 0; term < problem->in_channels; term++) bake_kernel(tiles, channel, term, array);
  return array;
}

/* ---- cost -------------------------------------------------------------------------------------------------------------- */

/* Of one block. */
static double multiply_cycles(const struct winograd_tiles *tiles) {
  const double products = ALL_PLANES * (ALL_PLANES + 1) / 2;
  const double rows = ceil((double)tiles->base.block / (PLANE_PAIR * PLANE_ROWS)) * PLANE_PAIR;
  const double sums = (double)tiles->base.points * rows * (double)columns_of(tiles);
  return sums * ((double)tiles->steps * products * multiply + begin / (PLANE_PAIR * PLANE_PAIR));
}

/* Bytes of weights that do not stay near the core beside a block's workspace. */
static double far_weights(const struct winograd_tiles *tiles) {
  const double weights = (double)winograd_tiles_weights(tiles) * sizeof(float);
  return fmin(weights, fmax(0, weights + (double)winograd_tiles_workspace(tiles) - processor.l2));
}

/* The last block may have fewer tiles. V and M go out there and back. */
double winograd_tiles_cost(const struct winograd_tiles *tiles) {
  const double splits = (double)(tiles->base.points * tiles->steps) * split, work = (double)winograd_tiles_workspace(tiles);
  const double all = (double)tiles->base.all, filled = all / (double)(tiles->base.blocks * tiles->base.block);
  double block = hypot(multiply_cycles(tiles) * filled, winograd_stream(far_weights(tiles)));
  block += (double)winograd_tiles_weights(tiles) * sizeof(float) * processor.from_l2;
  if (work > processor.l2 / 2) block += 4 * work * processor.from_l3;
  return (double)tiles->base.blocks * block + all * (winograd_tile_cycles(&tiles->base) + splits);
}

/* ---- what the template gets -------------------------------------------------------------------------------------------- */

void winograd_tiles_push(lua_State *L, const struct winograd_tiles *tiles) {
  const struct problem *problem = &tiles->base.problem;
  winograd_push(L, &tiles->base);
  lua_createtable(L, 0, 20);
  set_integer(L, "planes", ALL_PLANES);
  set_integer(L, "steps", tiles->steps);
  set_integer(L, "terms", PLANE_TERMS);
  set_integer(L, "panels", tiles->panels);
  set_integer(L, "panel", PLANE_PAIR * PLANE_COLUMNS);
  set_integer(L, "line", LINE_ELEMENTS);
  set_integer(L, "pixel_bytes", tiles->pixel_bytes);
  set_integer(L, "point_bytes", tiles->point_bytes);
  set_integer(L, "scratch_bytes", scratch_bytes(tiles));
  set_integer(L, "v_bytes", v_bytes(tiles));
  set_integer(L, "point_weights", point_weights(tiles));
  set_integer(L, "sum_step", tiles->base.m_plane.tile);
  set_integer(L, "in_channels", problem->in_channels);
  set_integer(L, "out_channels", problem->out_channels);
  set_integer(L, "shell", winograd_shell(problem));
  set_integer(L, "w_first", problem->w_first);
  set_integer(L, "w_out", problem->w_out);
  set_integer(L, "w_in", problem->w_in);
  set_integer(L, "passes", 1);
  set_integer(L, "ahead", 0);
  push_integers(L, "taps", (const int64_t[]){0}, 1);
  planes_push_products(L, ALL_PLANES);
  lua_setfield(L, -2, "tiles");
}
