/* Cost of a layer in planes, in cycles: the tile multiplications of every block, splitting what it reads, storing what it computes,
 * and weights on their way through the caches. Measured with whole layers; where sums wait for one another is counted as time. */
#include "planes.h"
#include "processor.h"

static const struct {
  double multiply; /* tiles, one after the other */
  double wait;     /* the same where only one row of tiles is there, so that each waits for its sum */
  double all;      /* factor of both where all planes take part, of which fewer stay near */
  double step;     /* beginning and ending the sums of a pair of rows */
  double split;    /* terms of a pixel: PLANE_TERMS channels that are neighbours */
  double gather;   /* the same of channels that lie apart */
  double block;    /* beginning a block */
  double late;     /* factor of what weights beyond the near caches take to come */
  double near;     /* bytes of planes and weights that stay near the core; */
  double spread;   /* so many more, and all of the planes come from further away each time */
} tiles = {.multiply = 23,
           .wait = 32,
           .all = 1.17,
           .step = 60,
           .split = 24,
           .gather = 120,
           .block = 200,
           .late = 1.26,
           .near = 4e5,
           .spread = 6e6};

/* Products of planes. */
static double products_of(const struct planes *planes) {
  return (double)(planes->count * (planes->count + 1) / 2);
}

/* Tile multiplications of `rows` rows of outputs. */
static double multiply_cycles(const struct planes *planes, int64_t rows) {
  const int64_t positions = planes_positions(planes, rows), pair = PLANE_PAIR * PLANE_ROWS;
  const int64_t rest = positions % pair, pairs = positions / pair + (rest > PLANE_ROWS), single = rest > 0 && rest <= PLANE_ROWS;
  const double columns = (double)(planes->phases * ceil_div(planes->problem.out_channels, PLANE_COLUMNS));
  const double factor = planes->count == ALL_PLANES ? tiles.all : 1;
  const double all = (double)(planes->taps * planes->steps) * products_of(planes) * columns;
  return all * factor * ((double)(pairs * PLANE_PAIR) * tiles.multiply + (double)single * tiles.wait) +
         (double)((pairs + single) * planes->phases * planes->panels) * tiles.step;
}

static double split_cycles(const struct planes *planes) {
  double pixels = (double)planes->steps;
  for (int a = 0; a < planes->problem.rank; a++) pixels *= (double)(planes->places[a].phases * planes->places[a].extent);
  return pixels * (planes->problem.x_channel == 1 ? tiles.split : tiles.gather);
}

/* Planes that are written, and read for every panel of channels, while too much lies between. */
static double spill_cycles(const struct planes *planes) {
  const double panels = (double)(planes->phases * planes->panels), panel = (double)planes_group(planes) * sizeof(float) / panels;
  const double bytes = (double)(planes->pixels * planes->pixel_bytes), beyond = (bytes + panel - tiles.near) / tiles.spread;
  return beyond <= 0 ? 0 : bytes * (panels + 1) * processor.from_l3 * (beyond < 1 ? beyond : 1);
}

static double store_cycles(const struct planes *planes, int64_t rows) {
  const struct problem *problem = &planes->problem;
  const double vectors = (double)(planes->phases * ceil_div(problem->out_channels, PLANE_COLUMNS));
  const double outputs = (double)(rows * problem->axis[problem->rank - 1].out);
  return outputs * vectors * (problem->y_channel == 1 ? processor.store : processor.store_lane * PLANE_COLUMNS);
}

static double weight_cycles(const struct planes *planes) {
  const double bytes = (double)planes_group(planes) * sizeof(float);
  const double near = processor.l2 - (double)planes_workspace(planes);
  if (bytes * (double)planes->problem.groups < near) return 0;
  return bytes * (bytes > processor.l3 ? processor.from_memory : processor.from_l3 * tiles.late);
}

static double block_cycles(const struct planes *planes, int64_t rows) {
  return tiles.block + multiply_cycles(planes, rows) + split_cycles(planes) + spill_cycles(planes) + store_cycles(planes, rows) +
         weight_cycles(planes);
}

double planes_cost(const struct planes *planes) {
  const struct problem *problem = &planes->problem;
  const int64_t out = problem->axis[problem->rank - 2].out, rest = out % planes->rows;
  double cycles = (double)(out / planes->rows) * block_cycles(planes, planes->rows);
  if (rest > 0) cycles += block_cycles(planes, rest);
  for (int a = 0; a < problem->rank - 2; a++) cycles *= (double)problem->axis[a].out;
  return cycles * (double)(problem->batch * problem->groups);
}
