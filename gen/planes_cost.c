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
  double piece;    /* so much more where they come from beyond l2 in chunks */
  double gather;   /* the same of channels that lie apart */
  double block;    /* beginning a block */
  double apart;    /* factor where taps along a row have no inputs in common */
  double across;   /* factor where weights and not inputs come from l2 */
  double pieces;   /* of a line of outputs far beyond l2 whose neighbours are stored in another pass; */
  double pieced;   /* so many times as much as l2 holds */
  double waiting;  /* of a byte of sums that is read and written beyond l2 */
  double late;     /* factor of what weights beyond the near caches take to come */
  double near;     /* bytes of planes and weights that stay near the core; */
  double spread;   /* so many more, and all of the planes come from further away each time */
} tiles = {.multiply = 23,
           .wait = 32,
           .all = 1.17,
           .step = 60,
           .split = 24,
           .piece = 45,
           .gather = 120,
           .block = 200,
           .apart = 1.08,
           .across = 1.03,
           .pieces = 33,
           .pieced = 3,
           .waiting = 0.3,
           .late = 1.26,
           .near = 4e5,
           .spread = 6e6};

/* Products of planes. */
static double products_of(const struct planes *planes) {
  return (double)(planes->count * (planes->count + 1) / 2);
}

/* Of all taps, those that are not left out. */
static double trimmed_share(const struct planes *planes) {
  double share = 1;
  for (int a = 0; a < planes->problem.rank; a++)
    if (planes_trimmed(planes, a)) share *= planes_live(planes, a);
  return share;
}

/* Tile multiplications of `rows` rows of outputs. */
static double multiply_cycles(const struct planes *planes, int64_t rows) {
  int64_t single;
  const int64_t pairs = planes_pairs(planes, rows, &single);
  const double columns = (double)(planes->phases * ceil_div(planes->problem.out_channels, PLANE_COLUMNS));
  const double way = planes->way == WAY_APART ? tiles.apart : planes->way == WAY_ACROSS ? tiles.across : 1;
  const double factor = planes->count == ALL_PLANES ? tiles.all * way : way;
  const double all = (double)(planes->taps * planes->steps) * trimmed_share(planes) * products_of(planes) * columns;
  return all * factor * ((double)((pairs - single) * PLANE_PAIR) * tiles.multiply + (double)single * tiles.wait) +
         (double)(pairs * planes->phases * planes->panels * planes_passes(planes)) * tiles.step;
}

/* Sums that wait for the next chunk of channels. */
static double wait_cycles(const struct planes *planes) {
  const double bytes = (double)planes_sums(planes), near = processor.l2 - (double)(planes->pixels * planes->pixel_bytes);
  const double each = bytes < near ? processor.from_l2 + processor.to_l2 : tiles.waiting;
  return (double)(planes_passes(planes) - 1) * bytes * each;
}

static double input_bytes(const struct problem *problem) {
  double bytes = (double)(problem->in_channels * problem->groups) * sizeof(float);
  for (int a = 0; a < problem->rank; a++) bytes *= (double)problem->axis[a].in;
  return bytes;
}

static double split_cycles(const struct planes *planes) {
  double pixels = (double)planes->steps;
  for (int a = 0; a < planes->problem.rank; a++) pixels *= (double)(planes->places[a].phases * planes->places[a].extent);
  double each = planes->problem.x_channel == 1 ? tiles.split : tiles.gather;
  if (planes_passes(planes) > 1 && input_bytes(&planes->problem) > processor.l2) each += tiles.piece;
  return pixels * each;
}

/* Planes that are written, and read for every panel of channels, while too much lies between. */
static double spill_cycles(const struct planes *planes) {
  const double panels = (double)(planes->phases * planes->panels), passes = (double)planes_passes(planes);
  const double panel = (double)planes_group(planes) * sizeof(float) / (panels * passes);
  const double bytes = (double)(planes->pixels * planes->pixel_bytes), beyond = (bytes + panel - tiles.near) / tiles.spread;
  return beyond <= 0 ? 0 : passes * bytes * trimmed_share(planes) * (panels + 1) * processor.from_l3 * (beyond < 1 ? beyond : 1);
}

/* Pixels that are stored in pieces, a panel at a time. */
static double piece_cycles(const struct planes *planes, double outputs) {
  const struct problem *problem = &planes->problem;
  double bytes = (double)(problem->out_channels * problem->groups * planes->phases) * sizeof(float);
  const double lines = outputs * (double)(problem->out_channels * planes->phases) * sizeof(float) / processor.line;
  for (int a = 0; a < problem->rank; a++) bytes *= (double)problem->axis[a].out;
  const double near = tiles.pieced * processor.l2, panels = (double)(planes->phases * planes->panels);
  if (planes->way == WAY_ACROSS || panels <= 2 || problem->y_channel != 1 || bytes < near) return 0;
  return tiles.pieces * lines * (1 - near / bytes) * (1 - 2 / panels);
}

static double store_cycles(const struct planes *planes, int64_t rows) {
  const struct problem *problem = &planes->problem;
  const double vectors = (double)(planes->phases * ceil_div(problem->out_channels, PLANE_COLUMNS));
  const double outputs = (double)(rows * problem->axis[problem->rank - 1].out);
  return outputs * vectors * (problem->y_channel == 1 ? processor.store : processor.store_lane * PLANE_COLUMNS) +
         piece_cycles(planes, outputs);
}

static double weight_cycles(const struct planes *planes) {
  const double bytes = (double)planes_group(planes) * sizeof(float);
  const double near = processor.l2 - (double)planes_workspace(planes);
  if (bytes * (double)planes->problem.groups < near) return 0;
  return bytes * (bytes > processor.l3 ? processor.stream : processor.from_l3 * tiles.late);
}

static double block_cycles(const struct planes *planes, int64_t rows) {
  return tiles.block + multiply_cycles(planes, rows) + split_cycles(planes) + spill_cycles(planes) + wait_cycles(planes) +
         store_cycles(planes, rows) + weight_cycles(planes);
}

double planes_cost(const struct planes *planes) {
  const struct problem *problem = &planes->problem;
  const int64_t out = problem->axis[problem->rank - 2].out, rest = out % planes->rows;
  double cycles = (double)(out / planes->rows) * block_cycles(planes, planes->rows);
  if (rest > 0) cycles += block_cycles(planes, rest);
  for (int a = 0; a < problem->rank - 2; a++) cycles *= (double)problem->axis[a].out;
  return cycles * (double)(problem->batch * problem->groups);
}
