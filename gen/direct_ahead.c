/* What tiles fetch ahead: the weights that come next, a share a tile, and the input of the tiles that follow. */
#include "direct_tile.h"
#include "processor.h"

/* Trips of the loops over input channels, all outer taps live. */
static int64_t trips_of(const struct design *design, const struct tile *tile) {
  int64_t trips = 0;
  for (size_t i = 0; i < tile->span_count; i++)
    if (tile->spans[i].trips > 1) trips += tile->spans[i].loop * tile->spans[i].trips;
  for (int a = 0; a < design->rank - 1; a++) trips *= design->axis[a].kernel;
  return trips;
}

void share_weights(const struct design *design, struct block *block) {
  const struct axis *row = &design->axis[design->rank - 1];
  int64_t rows = 1;
  block->tiles = ceil_div(row->out, block->rows);
  for (int a = 0; a < design->rank - 1; a++) rows *= design->axis[a].out;
  int64_t tiles = block->tiles * rows;
  const int64_t band = design->choice.band * (design->rank > 1 ? block->tiles : 1);
  if (band > 0 && band < tiles) tiles = band;
  block->share = ceil_div(block->chunk_w * (int64_t)cs_size(design->problem.dtype), tiles);
}

static int64_t next_share(const struct design *design, const struct block *block) {
  const int64_t tiles = ceil_div(design->axis[0].out, block->rows), line = (int64_t)processor.line;
  return ceil_div(design->problem.next_bytes, tiles * design->channel_blocks * design->chunks * line) * line;
}

void design_next(struct design *design) {
  design->fetches = design->problem.next_bytes > 0 && design->rank == 1;
  if (!design->fetches) return;
  for (size_t i = 0; i < design->block_count; i++) design->blocks[i].fetched = next_share(design, &design->blocks[i]);
  design->in_trips = design->blocks[0].fetched > (int64_t)(processor.on_the_way * processor.line) && !design->choice.ahead_w;
}

static bool pointwise_row(const struct design *design) {
  return design->rank == 1 && design->axis[0].kernel == 1 && design->axis[0].stride == 1;
}

/* Do tiles read one stretch of memory after the other? */
static bool streams_pixels(const struct design *design) {
  return design->choice.form == FORM_CHANNELS && pointwise_row(design) && design->problem.x_channel == 1 &&
         design->axis[0].x_step == design->problem.in_channels;
}

/* Do tiles read panels of vectors, each beside the one before in every channel's plane? */
static bool streams_panels(const struct design *design) {
  return design->choice.form == FORM_PIXELS && pointwise_row(design) && design->x_lane == 1;
}

/* Do tiles read pixels of several lines, the last of which no line of outputs above has read? */
static bool streams_lines(const struct design *design) {
  const struct axis *row = &design->axis[design->rank - 1];
  return design->choice.form == FORM_DOT && design->rank == 2 && row[-1].stride == 1 && design->problem.x_channel == 1 &&
         row->x_step == design->problem.in_channels;
}

/* From a tile's first tap to what its neighbour's last line adds. */
static int64_t next_in_line(const struct axis *row, int64_t pixels) {
  return (row[-1].kernel - 1) * row[-1].dilation * row[-1].x_step + ((row->kernel - 1) * row->dilation + pixels) * row->x_step;
}

void fetch_ahead(const struct design *design, const struct block *block, struct tile *tile) {
  const int64_t trips = trips_of(design, tile), size = (int64_t)cs_size(design->problem.dtype);
  const struct axis *row = &design->axis[design->rank - 1];
  const int64_t pixels = tile->rows * row->stride * row->x_step * size;
  if (trips == 0) return;
  if (design->choice.ahead_w) tile->w_ahead = ceil_div(block->share, trips);
  if (design->in_trips) tile->w_ahead = ceil_div(block->fetched, trips);
  if (design->choice.ahead_x && streams_pixels(design)) tile->x_ahead = ceil_div(pixels, trips);
  if (design->choice.ahead_x && streams_panels(design)) tile->x_panel = tile->vectors * design->lanes * size;
  tile->x_from = 2 * pixels;
  if (!design->choice.ahead_x || !streams_lines(design)) return;
  tile->x_ahead = ceil_div(pixels, trips);
  tile->x_from = next_in_line(row, tile->rows * row->stride) * size;
}
