/* Cost of a depthwise kernel, in cycles, by the same table as other kernels': multiply-adds and loads of each patch, the lines of
 * input that it waits for, the stores. What every plan of a layer pays alike is left out. */
#include "depthwise.h"
#include "processor.h"
#include <math.h>

/* Lanes are pixels: plane after plane comes by, in and out. */
static double image_bytes(const struct depthwise *depthwise) {
  const struct design *base = &depthwise->base;
  double in = (double)base->group.count, out = in * (double)base->multiplier.count;
  for (int a = 0; a < base->rank; a++) {
    in *= (double)base->axis[a].in;
    out *= (double)base->axis[a].out;
  }
  return (in + out) * (double)cs_size(base->problem.dtype);
}

/* Lanes are channels: bytes of input that a strip goes through, all channels. */
static double strip_bytes(const struct depthwise *depthwise) {
  const struct axis *tall = &depthwise->tall;
  const int64_t lines = (depthwise->strips[0].rows - 1) * tall->stride + (tall->kernel - 1) * tall->dilation + 1;
  double bytes = (double)cs_size(depthwise->base.problem.dtype) * (double)(lines * depthwise->row.in) *
                 (double)(depthwise->base.problem.groups * depthwise->base.problem.in_channels);
  for (int a = 0; a < depthwise->outer; a++) bytes *= (double)depthwise->base.axis[a].kernel;
  return bytes;
}

static double inputs_of(const struct patch *patch) {
  return (double)(patch->input_count * (int64_t)patch->line_count);
}

static double vector_bytes(const struct depthwise *depthwise) {
  return (double)depthwise->base.lanes * (double)cs_size(depthwise->base.problem.dtype);
}

/* Bytes that a patch brings along, of one vector of channels; or of pixels, in and out: the strip before left what its lines share
 * nearby. far: they come from beyond the caches near the core. */
static double patch_bytes(const struct depthwise *depthwise, const struct patch *patch, bool far) {
  const double vector = vector_bytes(depthwise), size = (double)cs_size(depthwise->base.problem.dtype);
  const int64_t channels = depthwise->together * depthwise->base.problem.in_channels;
  if (!depthwise->choice.pixels) return inputs_of(patch) * (double)channels * size;
  const double line = far ? processor.line : 0; /* of a cache, of which a row begins and ends in the middle */
  const double in = vector * (double)(patch->columns * depthwise->row.stride), out = vector * (double)patch->columns;
  return (double)patch->rows * ((in + line) * (double)depthwise->tall.stride + out + line);
}

/* Of inputs or sums for groups of several channels, and of inputs of which every second pixel is taken. */
static double permutes_of(const struct depthwise *depthwise, const struct patch *patch) {
  if (depthwise->choice.turned) return (double)(patch->rows * patch->columns);
  return depthwise->choice.permuted || (depthwise->choice.pixels && depthwise->row.stride > 1) ? inputs_of(patch) : 0;
}

/* Vectors of pixels begin anywhere: what crosses lines is loaded twice. Every second pixel is taken from two of them. */
static double loads_of(const struct depthwise *depthwise, const struct patch *patch) {
  const double held = depthwise->choice.held ? (double)(depthwise->row.kernel * depthwise->tall.kernel) : 0;
  const double each = (double)depthwise->row.stride * (1 + vector_bytes(depthwise) / processor.line);
  return (double)patch->loads + held + (depthwise->choice.pixels ? (each - 1) * inputs_of(patch) : 0);
}

/* Of one vector of channels. Loads hide behind multiply-adds the better the fewer they are; each output waits for its own ones. */
static double patch_cycles(const struct depthwise *depthwise, const struct isa *isa, const struct patch *patch, bool far) {
  const double read_byte = far ? processor.from_l3 : processor.lines_from_l2;
  const double outputs = (double)(patch->rows * patch->columns);
  const double permutes = permutes_of(depthwise, patch); /* by a unit that multiplies too */
  const double macs = ((double)patch->macs + permutes) / isa->macs_per_cycle, loads = loads_of(depthwise, patch) / processor.loads;
  const double waits = processor.latency * (double)patch->macs / outputs;
  const double channels = (double)depthwise->base.problem.in_channels;
  const double steps = channels * either(hypot(macs, loads), waits) + patch_bytes(depthwise, patch, far) * read_byte;
  double outer = 1;
  for (int a = 0; a < depthwise->outer; a++) outer *= (double)depthwise->base.axis[a].kernel;
  if (outer > 1) outer *= 1 + processor.tap / steps;
  return outer * steps + design_store_cycles(&depthwise->base) * outputs;
}

double depthwise_cost(const struct depthwise *depthwise, const struct isa *isa) {
  const double bytes = depthwise->choice.pixels ? image_bytes(depthwise) : strip_bytes(depthwise);
  const bool far = bytes > processor.l2;
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
      cycles += calls * (processor.call + vectors * patch_cycles(depthwise, isa, patch, far));
    }
  }
  const int64_t registers = patch_registers(&depthwise->row, depthwise->row.kernel * depthwise->tall.kernel, &depthwise->choice);
  const bool spills = registers == isa->registers && !depthwise->choice.held; /* weights that are held need no register at once */
  return cycles * (spills ? processor.crowded_patch : 1);
}
