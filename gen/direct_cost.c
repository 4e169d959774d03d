/* Cost of a design, in cycles: of each tile its multiply-adds, the weights that stream by meanwhile and the input that it waits
 * for, from the cache that still holds them; then the outputs' lines. What every plan of a layer pays alike is left out. */
#include "direct.h"
#include "processor.h"
#include <math.h>

/* Bytes on their way through the caches, of one channel block. */
struct traffic {
  double panel, weights; /* weights of a channel block's chunk, of the group */
  double pixel;          /* one input pixel of the row, on all outer taps */
  double row, input;     /* input of a row of outputs, of an image's group */
};

static double product(const struct design *design, int axes, int64_t (*of)(const struct axis *)) {
  double result = 1;
  for (int a = 0; a < axes; a++) result *= (double)of(&design->axis[a]);
  return result;
}

static int64_t in_of(const struct axis *axis) {
  return axis->in;
}

static int64_t out_of(const struct axis *axis) {
  return axis->out;
}

static int64_t kernel_of(const struct axis *axis) {
  return axis->kernel;
}

static struct traffic traffic_of(const struct design *design, const struct block *block) {
  const double size = (double)cs_size(design->problem.dtype), width = (double)design->axis[design->rank - 1].in;
  const double channels = (double)(design->problem.in_channels * design->problem.groups / design->group.count);
  struct traffic traffic = {.panel = size * (double)block->chunk_w, .weights = size * (double)design->w_size};
  traffic.pixel = size * channels * product(design, design->rank - 1, kernel_of);
  traffic.row = traffic.pixel * width;
  traffic.input = size * channels * product(design, design->rank, in_of);
  return traffic;
}

/* ---- tiles ----------------------------------------------------------------------------------------------------------- */

/* Four accumulators or forty: the quartic mean passes smoothly from waiting for results to waiting for units. */
static double either(double work, double wait) {
  return sqrt(sqrt(work * work * work * work + wait * wait * wait * wait));
}

static double loads_of(const struct design *design, const struct isa *isa, const struct tile *tile, const struct span *span) {
  const double vectors = (double)tile->vectors, rows = (double)span->count;
  const double gather = takes_even(design, isa) ? 2 : processor.gather * (double)design->lanes;
  const double x = design->x_lane > 1 ? gather : 1;
  switch (design->choice.form) {
  case FORM_DEPTH:
    return vectors + rows * vectors * x;
  case FORM_PIXELS:
    return rows + vectors * x;
  default:
    return rows + vectors;
  }
}

/* By a unit that multiplies too. Groups form: each input once for the taps of its sweep. */
static double permutes_of(const struct design *design, const struct isa *isa, const struct tile *tile, const struct span *span) {
  if (design->choice.form == FORM_GROUPS)
    return 1 + (double)span->count / (double)sweep_taps(design->axis[design->rank - 1].kernel);
  if (!takes_even(design, isa)) return 0;
  return (double)(design->choice.form == FORM_DEPTH ? span->count * tile->vectors : tile->vectors);
}

static double span_cycles(const struct design *design, const struct isa *isa, const struct tile *tile, const struct span *span) {
  const double vectors = (double)(span->count * tile->vectors) + permutes_of(design, isa, tile, span);
  const double macs = vectors / isa->macs_per_cycle, loads = loads_of(design, isa, tile, span);
  const double step = either(fmax(macs, loads / processor.loads), processor.latency) + processor.load * loads;
  const int64_t part = span->part > 0 ? 2 : 0; /* masks are loaded too, and loads that follow wait */
  return step * (double)(span->loop * (span->trips * span->unroll + span->rest + part));
}

/* Of one accumulator. */
static double store_cycles(const struct design *design) {
  if (design->choice.form == FORM_DOT) return processor.add_up;
  return design->y_lane == 1 ? processor.store : processor.store_lane * (double)design->lanes;
}

static double mac_cycles(const struct design *design, const struct isa *isa, const struct tile *tile) {
  double cycles = 0;
  for (size_t i = 0; i < tile->span_count; i++) cycles += span_cycles(design, isa, tile, &tile->spans[i]);
  if (!design->choice.full) cycles *= product(design, design->rank - 1, kernel_of);
  return cycles + processor.call + processor.span * (double)tile->span_count +
         store_cycles(design) * (double)(tile->rows * tile->vectors);
}

/* Bytes of input that a tile reads. */
static double tile_input(const struct design *design, const struct traffic *traffic, const struct tile *tile) {
  const struct axis *row = &design->axis[design->rank - 1];
  const int64_t pixels = design->choice.form == FORM_PIXELS ? tile->vectors * design->lanes : tile->rows;
  const double own = design->choice.form == FORM_GROUPS ? 1 / (double)design->channel_blocks : 1; /* share of a pixel's channels */
  return own * traffic->pixel * (double)((pixels - 1) * row->stride + (row->kernel - 1) * row->dilation + 1);
}

/* Streams hide behind multiply-adds the better the thinner they are: as the sides of a right angle make the way across. The same
 * weights come again after a channel block, or after all of them where a tile takes one after the other; the same input after a
 * tile, a row or all rows. */
static double tile_cycles(const struct design *design, const struct isa *isa, const struct traffic *traffic,
                          const struct tile *tile) {
  const bool inner = design->choice.channels_inner, flat = design->rank == 1;
  const double x = tile_input(design, traffic, tile), row = flat ? x : traffic->row;
  const bool near_w = inner && flat ? traffic->weights + x <= processor.l2 : traffic->panel + x <= processor.panel;
  const bool near_x = (inner || design->channel_blocks == 1 ? row : traffic->input) + traffic->panel <= processor.l2;
  const double w_stream = design->choice.form == FORM_DEPTH ? 0 : traffic->panel * (near_w ? processor.from_l2 : processor.from_l3);
  const double macs = mac_cycles(design, isa, tile);
  if (design->choice.form == FORM_PIXELS) return hypot(macs, hypot(w_stream, x * (near_x ? processor.from_l2 : processor.from_l3)));
  return hypot(macs, w_stream) + x * (near_x ? processor.rows_from_l2 : processor.from_l3);
}

/* ---- blocks, outputs ------------------------------------------------------------------------------------------------- */

static double block_cycles(const struct design *design, const struct isa *isa, const struct block *block) {
  const struct traffic traffic = traffic_of(design, block);
  double cycles = 0;
  for (size_t c = 0; c < block->case_count; c++) {
    const struct part_case *rows = &block->cases[c];
    double times = (double)(block->count * design->chunks);
    for (int a = 0; a < design->rank - 1; a++) times *= (double)(rows->to[a] - rows->from[a]);
    for (size_t r = 0; r < rows->run_count; r++)
      cycles += times * (double)rows->runs[r].count * tile_cycles(design, isa, &traffic, &design->tiles[rows->runs[r].tile]);
  }
  return cycles;
}

/* Weights that the caches near the core can't hold come once, or for each row of outputs; for each tile they are in its cycles. */
static double weight_cycles(const struct design *design, const struct traffic *traffic) {
  const bool inner = design->choice.channels_inner;
  if (inner && design->rank == 1) return 0;
  if (traffic->weights + (inner ? traffic->row : 0) <= processor.l2) return 0;
  const double late = design->choice.ahead_w ? processor.late : 1;
  return traffic->weights * processor.from_l3 * late * (inner ? (double)design->rows : 1);
}

/* Lines of outputs beyond the caches whose neighbours are written in another pass. */
static double output_cycles(const struct design *design, const struct traffic *traffic) {
  const double size = (double)cs_size(design->problem.dtype);
  const double channels = (double)(design->problem.out_channels * design->multiplier.count);
  const double lines = size * channels * product(design, design->rank, out_of) / processor.line;
  const bool apart = design->channel_blocks > 1 && design->choice.channels_inner == (design->choice.form == FORM_PIXELS);
  if (lines * processor.line + traffic->input + traffic->weights <= 2 * processor.l2) return 0;
  return lines * (design->y_lane != 1 ? processor.line_scattered : apart ? processor.line_out : 0);
}

/* Every second element, or fewer, of the lines that strips are made of. */
static double strip_cycles(const struct design *design) {
  const double elements = (double)strip_elements(design) * product(design, design->rank - 1, out_of);
  const double bytes = elements * (double)(design->strip.lane * (int64_t)cs_size(design->problem.dtype));
  return elements / (double)design->lanes * processor.store + bytes * processor.from_l3;
}

double design_cost(const struct design *design, const struct isa *isa) {
  double cycles = 0;
  if (design->reason) return 0;
  const struct traffic traffic = traffic_of(design, &design->blocks[0]);
  for (size_t i = 0; i < design->block_count; i++) cycles += block_cycles(design, isa, &design->blocks[i]);
  if (!design->shared) cycles += weight_cycles(design, &traffic) + output_cycles(design, &traffic);
  cycles += strip_cycles(design);
  for (int i = 0; i < design->problem.phases; i++) cycles *= (double)design->phase[i].count;
  return cycles * (double)(design->batch.count * design->group.count * design->multiplier.count);
}
