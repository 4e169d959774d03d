/* Baked weights: split into planes here as NAME_pack of templates/lib/split.t does it where they are given at run time, in the
 * order in which tiles take them. */
#include "planes.h"
#include <math.h>
#include <string.h>

/* Elements of a tile of weights: pairs of terms of a column lie side by side. */
enum { TILE_ELEMENTS = PLANE_ROWS * PLANE_TERMS, PAIR_TERMS = 2 };

/* A weight rounded to eight bits. */
static float rounded(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  bits = (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000;
  memcpy(&value, &bits, sizeof bits);
  return value;
}

void planes_split(float value, uint16_t *to, int64_t step, int64_t count) {
  for (int64_t plane = 0; plane < count; plane++) {
    const float upper = rounded(value);
    uint32_t bits;
    memcpy(&bits, &upper, sizeof bits);
    to[plane * step] = (uint16_t)(bits >> 16);
    value -= upper;
  }
}

int64_t planes_place(int64_t column, int64_t term) {
  return column / PLANE_COLUMNS * TILE_ELEMENTS + term / PAIR_TERMS * PLANE_COLUMNS * PAIR_TERMS +
         column % PLANE_COLUMNS * PAIR_TERMS + term % PAIR_TERMS;
}

/* Where the weights of a tap begin in the layer's. */
static int64_t tap_first(const struct problem *problem, int64_t tap) {
  int64_t first = problem->w_first;
  for (int a = problem->rank; a-- > 0; tap /= problem->axis[a].kernel)
    first += tap % problem->axis[a].kernel * problem->axis[a].w_step;
  return first;
}

/* How far behind those of the first phase. */
static int64_t phase_first(const struct problem *problem, int64_t phase) {
  int64_t first = 0;
  for (int i = problem->phases; i-- > 0; phase /= problem->phase[i].count)
    first += phase % problem->phase[i].count * problem->phase[i].w;
  return first;
}

/* Terms are channels, or those of `joined` taps. */
static float weight_of(const struct problem *problem, int64_t joined, int64_t first, int64_t channel, int64_t term) {
  const float *weights = problem->baked_weights;
  const int64_t channels = problem->in_channels / joined, tap = term / channels;
  return weights[first + channel * problem->w_out + tap * problem->axis[problem->rank - 1].w_step +
                 term % channels * problem->w_in];
}

static bool in_range(float value) {
  return value == 0 || (fabsf(value) >= ldexpf(1, -GUARD_EXPONENT) && fabsf(value) <= ldexpf(1, GUARD_EXPONENT));
}

/* The weights of a tap. */
static bool tap_guarded(const struct problem *problem, int64_t first) {
  for (int64_t channel = 0; channel < problem->out_channels; channel++)
    for (int64_t term = 0; term < problem->in_channels; term++)
      if (!in_range(weight_of(problem, 1, first, channel, term))) return false;
  return true;
}

bool planes_guarded(const struct problem *problem) {
  int64_t taps = 1, phases = 1;
  for (int a = 0; a < problem->rank; a++) taps *= problem->axis[a].kernel;
  for (int i = 0; i < problem->phases; i++) phases *= problem->phase[i].count;
  for (int64_t i = 0; i < problem->groups * phases * taps; i++) {
    const int64_t phase = i / taps, before = phase_first(problem, phase % phases) + phase / phases * problem->w_group;
    if (!tap_guarded(problem, tap_first(problem, i % taps) + before)) return false;
  }
  return true;
}

/* The step `step` of a tap of the `wide` columns from `channel` on. */
static void bake_step(const struct planes *planes, int64_t first, int64_t channel, int64_t wide, int64_t step, uint16_t *to) {
  const struct problem *problem = &planes->problem;
  for (int64_t column = 0; column < wide && channel + column < problem->out_channels; column++)
    for (int64_t i = 0; i < PLANE_TERMS && step * PLANE_TERMS + i < problem->in_channels; i++)
      planes_split(weight_of(problem, planes->joined, first, channel + column, step * PLANE_TERMS + i),
                   to + planes_place(column, i), wide * PLANE_ROWS * PAIR_TERMS, planes->count);
}

int64_t planes_baked(const struct planes *planes) {
  return planes->problem.groups * planes_group(planes) * (int64_t)sizeof(float);
}

/* The `steps` steps from `step` on of a phase whose weights begin `before` elements behind the first. Returns the end. */
static uint16_t *bake_chunk(const struct planes *planes, int64_t before, int64_t step, int64_t steps, uint16_t *to) {
  const struct problem *problem = &planes->problem;
  const int64_t columns = ceil_div(problem->out_channels, PLANE_COLUMNS) * PLANE_COLUMNS, panel = PLANE_PAIR * PLANE_COLUMNS;
  for (int64_t channel = 0; channel < columns; channel += panel) {
    const int64_t wide = columns - channel < panel ? columns - channel : panel;
    for (int64_t i = 0; i < planes->taps * steps; i++, to += wide * PLANE_TERMS * planes->count)
      bake_step(planes, tap_first(problem, i / steps) + before, channel, wide, step + i % steps, to);
  }
  return to;
}

static void bake_phase(const struct planes *planes, int64_t before, uint16_t *to) {
  for (int64_t step = 0; step < planes->steps; step += planes->chunk) {
    const int64_t left = planes->steps - step;
    to = bake_chunk(planes, before, step, left < planes->chunk ? left : planes->chunk, to);
  }
}

void planes_bake(const struct planes *planes, uint16_t *to) {
  const struct problem *problem = &planes->problem;
  for (int64_t i = 0; i < problem->groups * planes->phases; i++, to += 2 * planes_phase(planes))
    bake_phase(planes, i / planes->phases * problem->w_group + phase_first(problem, i % planes->phases), to);
}
