/* Cost of a depthwise kernel, in cycles, by the same table as other kernels': multiply-adds and loads of each patch, the lines of
 * input that it waits for, the stores. What every plan of a layer pays alike is left out. */
#include "depthwise.h"
#include "processor.h"
#include <math.h>

/* Bytes of input that a strip goes through, of all channels where lanes are channels. */
static double strip_bytes(const struct depthwise *depthwise) {
  const struct axis *tall = &depthwise->tall;
  const int64_t lines = (depthwise->strips[0].rows - 1) * tall->stride + (tall->kernel - 1) * tall->dilation + 1;
  double bytes = (double)cs_size(depthwise->base.problem.dtype) * (double)(lines * depthwise->row.in) *
                 (double)(depthwise->base.problem.groups / depthwise->base.group.count * depthwise->base.problem.in_channels);
  for (int a = 0; a < depthwise->outer; a++) bytes *= (double)depthwise->base.axis[a].kernel;
  return bytes;
}

/* Bytes of input that a patch brings along, of one vector of channels. Vectors of pixels overlap. */
static double patch_bytes(const struct depthwise *depthwise, const struct patch *patch) {
  const double size = (double)cs_size(depthwise->base.problem.dtype);
  const int64_t lanes =
      depthwise->choice.pixels ? depthwise->base.lanes : depthwise->together * depthwise->base.problem.in_channels;
  const int64_t pixels = depthwise->choice.pixels ? patch->columns * depthwise->row.stride : patch->input_count;
  return (double)pixels * (double)patch->line_count * (double)lanes * size;
}

/* Of one vector of channels. Loads hide behind multiply-adds the better the fewer they are. */
static double patch_cycles(const struct depthwise *depthwise, const struct isa *isa, const struct patch *patch, double read_byte) {
  const double held = depthwise->choice.held ? (double)(depthwise->row.kernel * depthwise->tall.kernel) : 0;
  const double inputs = (double)patch->input_count * (double)patch->line_count;
  const double permutes = depthwise->choice.permuted ? inputs : 0; /* by a unit that multiplies too */
  const double loads = (double)patch->loads + held, macs = ((double)patch->macs + permutes) / isa->macs_per_cycle;
  const double bytes = patch_bytes(depthwise, patch);
  const double steps = (double)depthwise->base.problem.in_channels * hypot(macs, loads / processor.loads) + bytes * read_byte;
  double outer = 1;
  for (int a = 0; a < depthwise->outer; a++) outer *= (double)depthwise->base.axis[a].kernel;
  return outer * steps + design_store_cycles(&depthwise->base) * (double)(patch->rows * patch->columns);
}

double depthwise_cost(const struct depthwise *depthwise, const struct isa *isa) {
  const double read_byte = strip_bytes(depthwise) <= processor.l2 ? processor.rows_from_l2 : processor.from_l3;
  const double vectors = (double)(depthwise->vectors + (depthwise->last > 0));
  double times = (double)(depthwise->base.batch.count * depthwise->base.group.count * depthwise->base.multiplier.count);
  double cycles = 0;
  if (depthwise->reason) return 0;
  for (int a = 0; a < depthwise->outer; a++) times *= (double)depthwise->base.axis[a].out;
  for (size_t s = 0; s < depthwise->strips_count; s++) {
    const struct strips *strips = &depthwise->strips[s];
    for (size_t r = 0; r < strips->run_count; r++) {
      const double calls = times * (double)(strips->to - strips->from) * (double)strips->runs[r].count;
      const struct patch *patch = &depthwise->patches[strips->runs[r].tile];
      cycles += calls * (processor.call + vectors * patch_cycles(depthwise, isa, patch, read_byte));
    }
  }
  const int64_t registers = patch_registers(&depthwise->row, depthwise->row.kernel * depthwise->tall.kernel, &depthwise->choice);
  return cycles * (registers == isa->registers ? processor.crowded : 1);
}
