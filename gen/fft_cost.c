/* Cost of a transform, in cycles, by the same table as other kernels': operations and memory accesses of each pass, what lines cost
 * on their way in and out, and spectra that come from afar. */
#include "fft.h"
#include "processor.h"
#include <math.h>

/* A complex vector is loaded and stored, part by part; values that do not stay in registers are, some times over. */
static const double access = 4, access_cycles = 0.6, spills = 2;
/* Of a complex vector that lines bring in or take out; of a lane that goes there by itself. */
static const double element_cycles = 1.5, lane_cycles = 1.6, line_cycles = 20;
/* Operations of a complex product, twice two multiply-adds. */
static const double product = 4;

static double log2_of(int64_t points) {
  return log2((double)points);
}

/* Of one transform by split radix, whose last of log2 steps is for results that are kept alone; twiddles are a product each. */
static double pass_operations(const struct fft_pass *pass) {
  const double points = (double)pass->points, kept = (double)pass->kept;
  const double plain = points * (4 * log2_of(pass->points) - 6) + 8 - 2 * (points - kept);
  return plain + (pass->twiddled ? product * points : 0);
}

/* Vectors that wait for lack of registers are stored and loaded once. */
static double spilled(const struct fft_pass *pass, const struct isa *isa) {
  const double values = 2 * (double)pass->points;
  return values >= isa->registers ? spills * values : 0;
}

static double pass_cycles(const struct fft_pass *pass, const struct isa *isa) {
  const double points = (double)pass->points;
  const double loads = 2 * (double)(pass->live + pass->kept) + (pass->twiddled ? 2 * points : 0) + spilled(pass, isa);
  return (double)pass->count * (pass_operations(pass) / isa->macs_per_cycle + access_cycles * loads);
}

static double passes_cycles(const struct fft_pass *passes, int count, const struct isa *isa) {
  double cycles = 0;
  for (int p = 0; p < count; p++) cycles += pass_cycles(&passes[p], isa);
  return cycles;
}

/* Of a line of `points` complex vectors that comes in or goes out. */
static double line_cost(const struct fft *fft, int64_t points) {
  return 2 * line_cycles + (double)points * 2 * (fft->scattered ? lane_cycles * (double)fft->lanes : element_cycles);
}

/* Rows of a tile that hold input. */
static double input_rows(const struct fft *fft) {
  const struct fft_axis *tall = &fft->axis[FFT_TALL];
  return (double)(tall->outputs + tall->axis.kernel - 1);
}

/* What lies between passes along rows and those along columns, written and read twice, where it leaves the nearest cache: all rows
 * that hold input, and those of outputs. Of one axis, each of the four passes. */
static double between_cycles(const struct fft *fft) {
  const struct fft_axis *tall = &fft->axis[FFT_TALL], *row = &fft->axis[FFT_ROW];
  const double line = (double)(row->points * fft->step) * (double)cs_size(fft->problem->dtype);
  const double lines = tall->points > 1 ? input_rows(fft) + (double)tall->outputs : 4;
  const double largest = line * (double)(tall->points > 1 ? tall->points : 2);
  return largest > processor.l1 ? line * lines * (processor.to_l2 + processor.from_l2) : 0;
}

static double tile_cycles(const struct fft *fft, const struct isa *isa) {
  const struct fft_axis *tall = &fft->axis[FFT_TALL], *row = &fft->axis[FFT_ROW];
  const double in = (double)fft->problem->in_channels, out = (double)fft->problem->out_channels;
  const double points = (double)(tall->points * row->points), columns = (double)row->points;
  const double there = input_rows(fft) * (line_cost(fft, row->points) + passes_cycles(row->forward, row->passes, isa)) +
                       columns * passes_cycles(tall->forward, tall->passes, isa);
  const double back = (double)tall->outputs * (line_cost(fft, row->outputs) + passes_cycles(row->inverse, row->passes, isa)) +
                      columns * passes_cycles(tall->inverse, tall->passes, isa);
  return in * there + out * back + between_cycles(fft) * (in + out) / 2 +
         in * out * points * (product / isa->macs_per_cycle + access_cycles * access);
}

/* Spectra that stay near the core come once for all tiles of a bundle of groups, others for each. */
static double spectra_cycles(const struct fft *fft, double tiles) {
  const double size = (double)cs_size(fft->problem->dtype);
  const double group = (double)fft->w_group * size, all = (double)fft->w_size * size;
  if (all <= processor.l2) return all * processor.from_l2;
  return all * processor.from_l3 * (group <= processor.l2 ? (double)fft->problem->batch : tiles);
}

double fft_cost(const struct fft *fft, const struct isa *isa) {
  const bool groups = fft->choice.lanes == FFT_GROUPS;
  const double around =
      (double)(groups ? fft->problem->batch * fft->axis[FFT_TALL].tiles * fft->axis[FFT_ROW].tiles : fft->problem->groups);
  return around * (double)fft->bundles * tile_cycles(fft, isa) + spectra_cycles(fft, groups ? around : (double)fft->bundles);
}

/* ---- size --------------------------------------------------------------------------------------------------------------- */

int64_t fft_operations(const struct fft *fft) {
  double operations = 0;
  for (int a = 0; a < FFT_AXES; a++)
    for (int p = 0; p < fft->axis[a].passes; p++)
      operations += pass_operations(&fft->axis[a].forward[p]) + pass_operations(&fft->axis[a].inverse[p]);
  return (int64_t)operations;
}

/* The larger passes keep some of their values on the stack. */
int64_t fft_code_bytes(const struct fft *fft) {
  int64_t largest = 1500;
  for (int a = 0; a < FFT_AXES; a++)
    for (int p = 0; p < fft->axis[a].passes; p++) {
      const struct fft_pass *pass = &fft->axis[a].forward[p];
      const int64_t bytes = 200 + (int64_t)(12 * (pass_operations(pass) + 2 * access * (double)pass->points));
      if (bytes > largest) largest = bytes;
    }
  return largest;
}
