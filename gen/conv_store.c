/* Outputs of a convolution that are stored through a permutation of its channels: `pixel_shuffle` (channel (c·r + i)·r + j of pixel
 * (y, x) goes to channel c of pixel (y·r + i, x·r + j)) and `shuffle` (channel a·(M/g) + b goes to b·g + a). Channels that one step
 * in memory leads through are a problem; where groups and runs of channels do not end together, a few problems repeat. */
#include "conv.h"
#include "mem.h"

void conv_output_sizes(const struct layer *layer, int64_t *channels, int64_t sizes[MAX_SPATIAL]) {
  const int64_t factor = layer->pixel_shuffle > 1 ? layer->pixel_shuffle : 1;
  *channels = layer->out_channels;
  for (int d = 0; d < layer->rank; d++) {
    *channels /= factor;
    sizes[d] = layer->out[d] * factor;
  }
}

static int64_t common_multiple(int64_t a, int64_t b) {
  int64_t rest = a, divisor = b;
  while (rest) {
    const int64_t next = divisor % rest;
    divisor = rest;
    rest = next;
  }
  return a / divisor * b;
}

/* Output channels [from, from + count) of every `period`: they lie in one group. Where each goes is for the caller to say. */
static struct problem channels_of(const struct problem *whole, int64_t from, int64_t count, int64_t period) {
  struct problem part = *whole;
  const int64_t group = from / whole->out_channels, each = period / whole->out_channels; /* groups in a period */
  part.groups = whole->groups / each;
  part.out_channels = count;
  part.x_first += group * whole->x_group;
  part.w_first += group * whole->w_group + from % whole->out_channels * whole->w_out;
  part.b_first += from;
  part.x_group = each * whole->x_group;
  part.w_group = each * whole->w_group;
  part.b_group = period;
  return part;
}

/* The runs of channels that neither a group nor a run of `run` interrupts. */
static size_t shuffled(const struct problem *whole, int64_t groups, struct problem **problems) {
  const int64_t run = whole->groups * whole->out_channels / groups, period = common_multiple(run, whole->out_channels);
  size_t count = 0;
  *problems = NULL;
  for (int64_t from = 0, next; from < period; from = next) {
    const int64_t run_end = (from / run + 1) * run, group_end = (from / whole->out_channels + 1) * whole->out_channels;
    next = run_end < group_end ? run_end : group_end;
    struct problem part = channels_of(whole, from, next - from, period);
    part.y_first += (from % run * groups + from / run) * whole->y_channel;
    part.y_channel = groups * whole->y_channel;
    part.y_group = period / run * whole->y_channel;
    *problems = mem_grow(*problems, count, sizeof part);
    (*problems)[count++] = part;
  }
  return count;
}

/* Every `block`-th channel of a group goes to the same place in the blocks of pixels; places are phases. */
static struct problem pixels_by_phase(const struct problem *whole, int64_t factor, int64_t block) {
  struct problem part = *whole;
  part.out_channels /= block;
  part.y_group = part.out_channels * part.y_channel;
  part.w_out *= block;
  part.b_out *= block;
  for (int d = 0; d < whole->rank; d++) {
    block /= factor;
    part.phase[part.phases++] =
        (struct phase){.count = factor, .w = block * whole->w_out, .b = block, .y = whole->axis[d].y_step / factor};
  }
  return part;
}

/* Where place `place` of a block of pixels lies. */
static int64_t place_y(const struct problem *whole, int64_t factor, int64_t place) {
  int64_t y = 0;
  for (int d = whole->rank; d-- > 0; place /= factor) y += place % factor * (whole->axis[d].y_step / factor);
  return y;
}

/* The axes' y_step is that of a whole block of pixels. */
static size_t pixels_shuffled(const struct problem *whole, int64_t factor, struct problem **problems) {
  int64_t block = 1;
  for (int d = 0; d < whole->rank; d++) block *= factor;
  if (whole->out_channels % block == 0) {
    *problems = mem_new(sizeof **problems);
    **problems = pixels_by_phase(whole, factor, block);
    return 1;
  }
  const int64_t period = common_multiple(block, whole->out_channels);
  *problems = mem_array((size_t)period, sizeof **problems);
  for (int64_t m = 0; m < period; m++) {
    struct problem part = channels_of(whole, m, 1, period);
    part.y_first += m / block * whole->y_channel + place_y(whole, factor, m % block);
    part.y_group = period / block * whole->y_channel;
    (*problems)[m] = part;
  }
  return (size_t)period;
}

size_t conv_store(const struct layer *layer, struct problem whole, struct problem **problems) {
  if (layer->shuffle > 1) return shuffled(&whole, layer->shuffle, problems);
  if (layer->pixel_shuffle > 1) {
    for (int d = 0; d < whole.rank; d++) whole.axis[d].y_step *= layer->pixel_shuffle;
    return pixels_shuffled(&whole, layer->pixel_shuffle, problems);
  }
  *problems = mem_new(sizeof **problems);
  **problems = whole;
  return 1;
}
