/* Cost of a design, in cycles: of each tile its multiply-adds, the weights that stream by meanwhile and the input that it waits
 * for, from the cache that still holds them; then the outputs' lines. What every plan of a layer pays alike is left out. */
#include "direct.h"
#include "processor.h"
#include <math.h>

/* Bytes on their way through the caches, of one channel block. */
struct traffic {
  double panel, weights; /* weights of a channel block's chunk, of the group */
  double from_l2;        /* cycles for a byte of them from there */
  double pixel;          /* one input pixel of the row, on all outer taps */
  double band, input;    /* input of a band of rows, of an image's group */
  double band_tiles;     /* tiles in a band */
  double output;         /* outputs of an image */
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

static int64_t tiles_in_row(const struct block *block) {
  int64_t tiles = 0;
  for (size_t i = 0; i < block->cases[0].run_count; i++) tiles += block->cases[0].runs[i].count;
  return tiles;
}

/* Are vectors less than a line of a cache? */
static bool is_narrow(const struct design *design) {
  return (double)design->lanes * (double)cs_size(design->problem.dtype) < processor.line;
}

/* Do outputs leave the caches near the core? */
static bool streams_out(const struct traffic *traffic) {
  return traffic->output + traffic->input + traffic->weights > 2 * processor.l2;
}

static struct traffic traffic_of(const struct design *design, const struct block *block) {
  const double size = (double)cs_size(design->problem.dtype);
  const double channels = (double)(design->problem.in_channels * design->problem.groups / design->group.count);
  struct traffic traffic = {.panel = size * (double)block->chunk_w, .weights = size * (double)design->w_size};
  traffic.from_l2 = is_narrow(design) ? processor.from_l2_narrow : processor.from_l2;
  traffic.pixel = size * channels * product(design, design->rank - 1, kernel_of);
  traffic.input = size * channels * (double)design->chunks * product(design, design->rank, in_of);
  traffic.output = size * (double)(design->problem.out_channels * design->multiplier.count) * product(design, design->rank, out_of);
  if (design->problem.x_rows) traffic.input *= (double)design->problem.x_rows / (double)design->axis[0].in;
  if (design->problem.y_rows) traffic.output *= (double)design->problem.y_rows / (double)design->axis[0].out;
  traffic.band = traffic.input;
  if (design->choice.band == 0) return traffic;
  traffic.band = fmin(traffic.input,
                      design_row_bytes(design) * ((double)design->choice.band + product(design, design->rank - 1, kernel_of) - 1));
  traffic.band_tiles = (double)(design->choice.band * (design->rank > 1 ? tiles_in_row(block) : 1));
  return traffic;
}

/* ---- tiles ----------------------------------------------------------------------------------------------------------- */

/* Four accumulators or forty: the quartic mean passes smoothly from waiting for one thing to waiting for the other. */
double either(double a, double b) {
  return sqrt(sqrt(a * a * a * a + b * b * b * b));
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

/* By a unit that multiplies too. */
static double permutes_of(const struct design *design, const struct isa *isa, const struct tile *tile, const struct span *span) {
  if (!takes_even(design, isa)) return 0;
  return (double)(design->choice.form == FORM_DEPTH ? span->count * tile->vectors : tile->vectors);
}

static double span_cycles(const struct design *design, const struct isa *isa, const struct tile *tile, const struct span *span) {
  const double wide = tile->vectors > span->count ? processor.wide : 1;
  const double vectors = wide * (double)(span->count * tile->vectors) + permutes_of(design, isa, tile, span);
  const double macs = vectors / isa->macs_per_cycle, loads = loads_of(design, isa, tile, span);
  const double a_cycle = is_narrow(design) ? processor.loads_narrow : processor.loads;
  const double step = either(either(macs, loads / a_cycle), processor.latency) + processor.load * loads;
  const int64_t part = span->part > 0 ? 3 : 0; /* masks are loaded too, and loads that follow wait */
  return step * (double)(span->loop * (span->trips * span->unroll + span->rest + part));
}

/* Of a lane, or a vector of pixels, that goes to a line of its own. Lines that share sets with too many others leave the nearest
 * cache before the next pixels come. */
static double displaced_cycles(const struct design *design) {
  const double lines = (double)(design->choice.vectors * design->lanes);
  const double held = processor_lines((double)design->y_lane * (double)cs_size(design->problem.dtype));
  return processor.displaced * fmax(0, lines / held - 1);
}

/* Of a vector of channels of a tile whose rows go out as vectors of pixels: its share of those. */
static double place_cycles(const struct design *design) {
  const double rows = (double)design->choice.rows, vectors = ceil(rows / (double)design->lanes) * (double)design->lanes;
  return processor.transpose + (processor.store + displaced_cycles(design)) * vectors / rows;
}

/* On average over the chunks: each but the last only puts it by for the next one. */
double design_store_cycles(const struct design *design) {
  const double chunks = (double)design->chunks;
  if (design->choice.form == FORM_DOT) return processor.add_up;
  if (design->places) return place_cycles(design);
  if (design->y_lane != 1) return (processor.store_lane + displaced_cycles(design)) * (double)design->lanes;
  return (processor.store + (chunks - 1) * processor.put_by) / chunks;
}

static double mac_cycles(const struct design *design, const struct isa *isa, const struct tile *tile) {
  double cycles = 0;
  for (size_t i = 0; i < tile->span_count; i++) cycles += span_cycles(design, isa, tile, &tile->spans[i]);
  if (!design->choice.full) cycles *= product(design, design->rank - 1, kernel_of);
  return cycles + processor.call + processor.span * (double)tile->span_count +
         design_store_cycles(design) * (double)(tile->rows * tile->vectors);
}

/* Input channels that a tile reads of each pixel, and how far apart they are: in the depth form one of each group. */
static int64_t channels_read(const struct design *design, const struct tile *tile) {
  return design->choice.form == FORM_DEPTH ? tile->vectors * design->lanes : design->problem.in_channels;
}

static int64_t channel_step(const struct design *design) {
  return design->choice.form == FORM_DEPTH ? design->problem.x_group : design->problem.x_channel;
}

/* Where neighbours in memory are pixels, each image has lines of its own for each channel. Do those that one tap reads, with its
 * weights, stay in the nearest cache until the next one reads them again? */
static bool lines_stay(const struct design *design, const struct traffic *traffic, int64_t images, int64_t channels) {
  const double size = (double)cs_size(design->problem.dtype);
  const double weights = traffic->panel / product(design, design->rank, kernel_of);
  if ((double)images > processor_lines(size * (double)design->axis[design->rank - 1].x_step)) return false;
  return processor.line * (double)(images * channels) + weights <= processor.l1;
}

/* Bytes of the lines of one channel of an image. */
static double lines_of_plane(const struct design *design, bool stay) {
  const double size = (double)cs_size(design->problem.dtype);
  const double taps = product(design, design->rank - 1, kernel_of);
  if (!stay || design->rank == 1) return processor.line * taps;
  const double row = (double)design->axis[design->rank - 2].kernel;
  return fmin(taps / row * fmax(processor.line, size * row), size * product(design, design->rank - 1, in_of));
}

/* Bytes of input that a tile reads: its taps may lie far apart. */
static double tile_input(const struct design *design, const struct traffic *traffic, const struct tile *tile) {
  const struct axis *row = &design->axis[design->rank - 1];
  const int64_t pixels = design->choice.form == FORM_PIXELS ? tile->vectors * design->lanes : tile->rows;
  const int64_t channels = channels_read(design, tile);
  if (design->choice.images && channel_step(design) != 1 && row->x_step != 1)
    return lines_of_plane(design, lines_stay(design, traffic, pixels, channels)) * (double)(pixels * channels);
  const int64_t reach = (pixels - 1) * row->stride + (row->kernel - 1) * row->dilation + 1, apart = pixels * row->kernel;
  return traffic->pixel * (double)(reach < apart ? reach : apart);
}

/* Cycles for a byte of a panel that the tile before has left behind, and what the first tile of a band waits for all of it: a
 * share a tile. */
static double panel_byte(const struct traffic *traffic, double x) {
  const double near = traffic->input + traffic->output <= processor.l2 ? processor.panel : processor.panel_passed;
  if (traffic->panel + x <= processor.l1) return 0;
  return traffic->panel + x <= near ? traffic->from_l2 : processor.from_l3;
}

static double band_cycles(const struct design *design, const struct traffic *traffic) {
  if (design->choice.band == 0) return 0;
  const double far = processor.from_l3 * (design->choice.ahead_w ? processor.late : 1);
  return traffic->panel * (traffic->weights + traffic->band <= processor.l2 ? traffic->from_l2 : far) / traffic->band_tiles;
}

/* Input that comes in pieces, one of each pixel, is dear: of lines only a part is wanted, and nothing fetches ahead how each piece
 * starts, which amounts to `start` bytes. */
static double in_pieces(const struct design *design, double start) {
  const double piece = (double)cs_size(design->problem.dtype) * (double)design->problem.in_channels;
  return design->chunks == 1 ? 1 : fmax(1, processor.line / piece) + start / piece;
}

static double near_byte(const struct design *design) {
  return processor.rows_from_l2 * in_pieces(design, 0);
}

/* Cycles for a byte of input that comes from far: the row of outputs before has brought what both read. */
static double far_byte(const struct design *design) {
  const double fresh = 1 / product(design, design->rank - 1, kernel_of);
  return fresh * processor.from_l3 * in_pieces(design, processor.piece) + (1 - fresh) * near_byte(design);
}

/* Cycles for a byte of input, over channel blocks: these find it in turn, or a band of it. */
static double input_byte(const struct design *design, const struct traffic *traffic) {
  const double passes = design->choice.form == FORM_PIXELS ? (double)design->channel_blocks : 1; /* until all outputs are through */
  const bool fits = traffic->input + traffic->output / passes + traffic->panel <= processor.l2;
  const double first = fits ? near_byte(design) : far_byte(design);
  const double near = traffic->band + traffic->panel <= processor.l1 ? 0 : near_byte(design);
  const double block = traffic->panel * (double)design->chunks; /* its weights */
  const double again = traffic->band + block <= processor.l2 ? near : far_byte(design);
  const double part = design->choice.band ? 1 / (double)design->channel_blocks : 1;
  return part * first + (1 - part) * again;
}

/* Streams hide behind multiply-adds the better the thinner they are: as the sides of a right angle make the way across. */
static double tile_cycles(const struct design *design, const struct isa *isa, const struct traffic *traffic,
                          const struct tile *tile) {
  const double x = tile_input(design, traffic, tile), macs = mac_cycles(design, isa, tile);
  const double w_stream = design->choice.form == FORM_DEPTH ? 0 : traffic->panel * panel_byte(traffic, x);
  const bool ahead = tile->x_ahead && traffic->input <= processor.l3; /* memory gives no more when asked earlier */
  const double x_stream = x * input_byte(design, traffic) * (ahead ? processor.late_x : 1);
  const double w_first = band_cycles(design, traffic);
  const double planes = design->choice.strip ? 1 : processor.planes; /* in a strip, channels are neighbours */
  if (design->choice.form == FORM_PIXELS) return hypot(macs, hypot(w_stream + w_first, x_stream * planes));
  return hypot(macs, w_stream) + x_stream + w_first;
}

/* ---- blocks, outputs ------------------------------------------------------------------------------------------------- */

static double block_cycles(const struct design *design, const struct isa *isa, const struct block *block) {
  const struct traffic traffic = traffic_of(design, block);
  const double bands = design->choice.band ? ceil((double)design->rows / (double)design->choice.band) : 1;
  double cycles = bands * (double)(block->count * design->chunks) * processor.visit;
  for (size_t c = 0; c < block->case_count; c++) {
    const struct part_case *rows = &block->cases[c];
    double times = (double)(block->count * design->chunks);
    for (int a = 0; a < design->rank - 1; a++) times *= (double)(rows->to[a] - rows->from[a]);
    for (size_t r = 0; r < rows->run_count; r++)
      cycles += times * (double)rows->runs[r].count * tile_cycles(design, isa, &traffic, &design->tiles[rows->runs[r].tile]);
  }
  return cycles;
}

/* Weights that the caches near the core can't hold come once; for each tile of a band they are in its cycles. */
static double weight_cycles(const struct design *design, const struct traffic *traffic) {
  if (design->choice.band || traffic->weights <= processor.l2) return 0;
  return traffic->weights * processor.from_l3 * (design->choice.ahead_w ? processor.late : 1);
}

/* Bytes of neighbouring outputs that are written one after the other. */
static double piece_of(const struct design *design) {
  const double vectors = (double)(cs_size(design->problem.dtype) * (size_t)(design->choice.vectors * design->lanes));
  if (design->channel_blocks == 1) return INFINITY;
  return design->choice.form != FORM_PIXELS || design->choice.band ? vectors : INFINITY;
}

/* Outputs of a band of rows. */
static double band_output(const struct design *design, const struct traffic *traffic) {
  const int64_t band = design->choice.band;
  return traffic->output * (band && band < design->rows ? (double)band / (double)design->rows : 1);
}

/* Sums of a channel block that go out of the caches and back between chunks. */
static double sum_cycles(const struct design *design, const struct traffic *traffic) {
  if (band_output(design, traffic) / (double)design->channel_blocks + traffic->panel <= processor.l2) return 0;
  return (double)(design->chunks - 1) * traffic->output * processor.there_and_back;
}

/* Lines of outputs beyond the caches: scattered ones, and those whose neighbours are written in another pass. */
static double output_cycles(const struct design *design, const struct traffic *traffic) {
  const double lines = traffic->output / processor.line;
  if (!streams_out(traffic)) return 0;
  if (design->y_lane != 1) return lines * processor.line_scattered;
  const double line = band_output(design, traffic) <= processor.l2 ? processor.line_late : processor.line_apart;
  return lines * line * fmin(1, processor.line / piece_of(design));
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
  if (!design->shared) cycles += weight_cycles(design, &traffic) + sum_cycles(design, &traffic) + output_cycles(design, &traffic);
  cycles += strip_cycles(design);
  for (int i = 0; i < design->problem.phases; i++) cycles *= (double)design->phase[i].count;
  return cycles * (double)(design->batch.count * design->group.count * design->multiplier.count);
}
