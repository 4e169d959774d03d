/* Zeros are counted once for each output channel of a group and each tap; what a multiply-add covers adds up from there. */
#include "zeros.h"
#include "mem.h"

static int64_t taps_of(const struct problem *problem) {
  int64_t taps = 1;
  for (int a = 0; a < problem->rank; a++) taps *= problem->axis[a].kernel;
  return taps;
}

/* Where tap number `tap` lies in the weights, from the first. */
static int64_t tap_w(const struct problem *problem, int64_t tap) {
  int64_t w = 0;
  for (int a = problem->rank; a-- > 0; tap /= problem->axis[a].kernel) w += tap % problem->axis[a].kernel * problem->axis[a].w_step;
  return w;
}

static int64_t is_zero(const struct problem *problem, int64_t w) {
  return cs_get(problem->baked_weights, (size_t)w, problem->dtype) == 0;
}

/* Zeros of all groups and input channels from weight `w`. */
static int64_t count_members(const struct problem *problem, int64_t w) {
  int64_t count = 0;
  for (int64_t g = 0; g < problem->groups; g++)
    for (int64_t c = 0; c < problem->in_channels; c++) count += is_zero(problem, w + g * problem->w_group + c * problem->w_in);
  return count;
}

/* The same of all phases from number `phase` on. */
static int64_t count_phases(const struct problem *problem, int phase, int64_t w) {
  int64_t count = 0;
  if (phase == problem->phases) return count_members(problem, w);
  for (int64_t i = 0; i < problem->phase[phase].count; i++)
    count += count_phases(problem, phase + 1, w + i * problem->phase[phase].w);
  return count;
}

void zeros_count(struct problem *problem) {
  const int64_t taps = taps_of(problem);
  if (!problem->zero_weights) return;
  int64_t *zeros = mem_array((size_t)(problem->out_channels * taps), sizeof *zeros);
  for (int64_t m = 0; m < problem->out_channels; m++)
    for (int64_t t = 0; t < taps; t++)
      zeros[m * taps + t] = count_phases(problem, 0, problem->w_first + m * problem->w_out + tap_w(problem, t));
  problem->zeros = zeros;
  problem->zero_members = problem->groups * problem->in_channels;
  for (int i = 0; i < problem->phases; i++) problem->zero_members *= problem->phase[i].count;
}

enum zeros zeros_of(const struct problem *problem, struct covered covered) {
  const int64_t taps = taps_of(problem);
  int64_t count = 0;
  if (!problem->zeros) return problem->zero_weights ? ZEROS_SOME : ZEROS_NONE;
  for (int64_t m = 0; m < covered.channels; m++)
    for (int64_t t = 0; t < covered.taps; t++)
      count += problem->zeros[(covered.channel + m * covered.channel_step) * taps + covered.tap + t * covered.tap_step];
  if (count == 0) return ZEROS_NONE;
  return count == covered.channels * covered.taps * problem->zero_members ? ZEROS_ALL : ZEROS_SOME;
}
