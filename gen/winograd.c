/* Geometry of Winograd convolution: tiles, blocks of them, what lies where in the workspace. */
#include "winograd.h"
#include "direct.h"
#include "processor.h"
#include <math.h>

static int64_t residues_of(const struct axis *axis) {
  if (axis->kernel == 1) return 1;
  return axis->dilation < axis->out ? axis->dilation : axis->out;
}

bool winograd_lay_out(struct winograd *winograd, const int64_t m[MAX_SPATIAL]) {
  const struct problem *problem = &winograd->problem;
  winograd->points = 1;
  winograd->all = problem->batch;
  for (int a = 0; a < problem->rank; a++) {
    const struct axis *axis = &problem->axis[a];
    winograd->m[a] = m[a];
    winograd->transform[a] = cook_toom((int)m[a], (int)axis->kernel);
    winograd->residues[a] = residues_of(axis);
    winograd->tiles[a] = ceil_div(ceil_div(axis->out, winograd->residues[a]), m[a]);
    winograd->points *= winograd->transform[a].points;
    winograd->all *= winograd->residues[a] * winograd->tiles[a];
  }
  return winograd->points <= WINOGRAD_POINTS;
}

/* Tiles do not lie whole pages of a cache apart, nor do points: those of a tile are written together. */
struct plane winograd_plane(const struct winograd *winograd, int64_t channels, int64_t tiles) {
  const int64_t line = (int64_t)processor.line / (int64_t)cs_size(winograd->problem.dtype);
  const int64_t lanes = winograd->isa->lanes[winograd->problem.dtype];
  int64_t tile = ceil_div(ceil_div(channels, lanes) * lanes, line), point;
  if (tile % 8 == 0) tile++;
  point = tile * tiles | 1;
  return (struct plane){channels, tile * line, point * line};
}

int64_t winograd_channels(const struct problem *problem) {
  return problem->groups * problem->out_channels;
}

static int64_t plane_bytes(const struct winograd *winograd, const struct plane *plane) {
  return winograd->points * plane->point * (int64_t)cs_size(winograd->problem.dtype);
}

int64_t winograd_workspace(const struct winograd *winograd) {
  return plane_bytes(winograd, &winograd->v) + plane_bytes(winograd, &winograd->m_plane) + winograd_strip_bytes(winograd) +
         (int64_t)processor.line;
}

double winograd_weight_bytes(const struct winograd *winograd) {
  const int64_t panel = winograd->problem.in_channels * winograd_channels(&winograd->problem);
  return (double)winograd->points * (double)panel * (double)cs_size(winograd->problem.dtype);
}

static double strips_of_block(const struct winograd *winograd) {
  return winograd->strips.x || winograd->strips.y ? (double)(winograd->block / winograd->strips.tiles) : 0;
}

/* Do weights and workspace stay in a cache near the core, beside what strips read and write? */
static bool stays_near(const struct winograd *winograd) {
  const double copied = strips_of_block(winograd) * winograd_copied_bytes(winograd);
  return winograd_weight_bytes(winograd) + (double)winograd_workspace(winograd) + copied <= processor.l2;
}

/* Blocks of even size, of tiles or of strips. */
static void cut_blocks(struct winograd *winograd, int64_t block) {
  int64_t pieces = winograd->all, tiles = 1;
  if (winograd->strips.x || winograd->strips.y) {
    winograd_cut_strips(winograd, block);
    pieces = winograd->strips.count;
    tiles = winograd->strips.tiles;
  }
  winograd->blocks = ceil_div(pieces, block > tiles ? block / tiles : 1);
  winograd->block = ceil_div(pieces, winograd->blocks) * tiles;
}

struct problem winograd_products(struct winograd *winograd, int64_t block) {
  const struct problem *outer = &winograd->problem;
  cut_blocks(winograd, block);
  winograd->v = winograd_plane(winograd, outer->groups * outer->in_channels, winograd->block);
  winograd->m_plane = winograd_plane(winograd, winograd_channels(outer), winograd->block);
  struct problem problem = {.work = WORK_SUM,
                            .dtype = outer->dtype,
                            .rank = 1,
                            .batch = 1,
                            .groups = outer->groups,
                            .in_channels = outer->in_channels,
                            .out_channels = outer->out_channels,
                            .x_group = outer->in_channels,
                            .x_channel = 1,
                            .y_group = outer->out_channels,
                            .y_channel = 1,
                            .w_first = outer->w_first,
                            .w_group = outer->w_group,
                            .w_out = outer->w_out,
                            .w_in = outer->w_in,
                            .phases = 1,
                            .unroll = outer->unroll,
                            .max_code_bytes = outer->max_code_bytes};
  problem.streamed = !stays_near(winograd);
  problem.axis[0] = (struct axis){.in = winograd->block,
                                  .out = winograd->block,
                                  .kernel = 1,
                                  .stride = 1,
                                  .dilation = 1,
                                  .x_step = winograd->v.tile,
                                  .y_step = winograd->m_plane.tile};
  problem.phase[0] = (struct phase){winograd->points, winograd->v.point, 0, 0, winograd->m_plane.point};
  return problem;
}

int64_t winograd_shell(const struct problem *problem) {
  const int64_t vectors = (problem->bias && !problem->baked_bias) + (problem->activation == CS_PRELU);
  return vectors * winograd_channels(problem);
}

/* ---- cost -------------------------------------------------------------------------------------------------------------- */

static double outputs_of(const struct winograd *winograd) {
  double outputs = 1;
  for (int a = 0; a < winograd->problem.rank; a++) outputs *= (double)winograd->m[a];
  return outputs;
}

static int axes_of(const struct winograd *winograd) {
  int axes = 0;
  for (int a = 0; a < winograd->problem.rank; a++) axes += winograd->transform[a].points > 1;
  return axes;
}

/* Of one tile: each vector goes through the transform of each axis, V's out to a cache and M's back from there; elements that lie
 * apart go one by one, unless a strip has them. */
double winograd_tile_cycles(const struct winograd *winograd) {
  const struct problem *problem = &winograd->problem;
  const double lanes = winograd->isa->lanes[problem->dtype], bytes = lanes * (double)cs_size(problem->dtype);
  const double points = (double)winograd->points, outputs = outputs_of(winograd), axes = axes_of(winograd);
  const double in = ceil((double)winograd->v.channels / lanes), out = ceil((double)winograd->m_plane.channels / lanes);
  const double read = problem->x_channel == 1 || winograd->strips.x ? 1 : processor.gather * lanes / 2;
  const double put = problem->y_channel == 1 || winograd->strips.y ? processor.store : processor.store_lane * lanes;
  return in * points * (processor.transform * axes + read + bytes * processor.to_l2) +
         out * (points * (processor.transform * axes + bytes * processor.from_l2) + outputs * put);
}

/* Multiplications of all tiles over those of a direct kernel, which leaves out taps in the border: at 1 and above nothing is
 * saved. */
static double share_multiplied(const struct winograd *winograd) {
  const struct problem *problem = &winograd->problem;
  double direct = (double)problem->batch;
  for (int a = 0; a < problem->rank; a++) {
    const struct axis *axis = &problem->axis[a];
    direct *= (double)(problem->pad_mode == CS_ZEROS ? axis_live(axis, 1) : axis->out * axis->kernel);
  }
  return (double)winograd->all * (double)winograd->points / direct;
}

double winograd_stream(double bytes) {
  return bytes * (bytes <= processor.l3 ? processor.stream : processor.from_memory);
}

/* Weights beyond the caches near the core come as one stream, which few multiply-adds hide; V and M go out there and back. Where
 * nothing is saved, only errors of estimates would speak for tiles. */
double winograd_cost(const struct winograd *winograd, double point) {
  const double workspace = (double)winograd_workspace(winograd), products = (double)winograd->points * point;
  const double weights = stays_near(winograd) ? 0 : winograd_weight_bytes(winograd);
  double block = hypot(products, winograd_stream(weights));
  block += (double)winograd->block * winograd_tile_cycles(winograd);
  block += strips_of_block(winograd) * winograd_copy_cycles(winograd);
  if (workspace > processor.l2 / 2) block += 4 * workspace * processor.from_l3;
  return (double)winograd->blocks * block * fmax(1, share_multiplied(winograd));
}
