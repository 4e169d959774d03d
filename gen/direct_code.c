/* Bytes of machine code that a design will have, estimated before any text is written. */
#include "direct.h"

int64_t design_load_bytes(const struct design *design) {
  return design->problem.dtype == CS_BF16 ? 24 : 10;
}

int64_t design_finish_bytes(const struct design *design) {
  static const int64_t activation[] = {
      [CS_RELU] = 8,   [CS_RELU6] = 16,   [CS_CLAMP] = 16, [CS_HARDSIGMOID] = 24, [CS_HARDSWISH] = 32, [CS_LEAKY_RELU] = 48,
      [CS_PRELU] = 48, [CS_SIGMOID] = 16, [CS_TANH] = 16,  [CS_SILU] = 16,        [CS_GELU] = 16};
  const int64_t sum = design->choice.form == FORM_DOT ? 60 : 0,
                move = design->y_lane == 1 || design->places ? 20 : 20 + 12 * design->lanes;
  const int64_t round = design->problem.dtype == CS_BF16 ? 64 : 0;
  return sum + move * (design->problem.residual ? 2 : 1) + round + activation[design->problem.activation];
}

/* Bytes of a tile's function. Weights that may be zero are looked at in each multiply-add. */
static int64_t tile_bytes(const struct design *design, const struct tile *tile, const struct isa *isa) {
  const int64_t mac = isa->mac_bytes * (design->tests_zeros ? 2 : 1);
  const int64_t gather = takes_even(design, isa) ? 30 : design->x_lane > 1 ? 14 * design->lanes : 0;
  const bool depth = design->choice.form == FORM_DEPTH; /* each multiply-add has an x of its own */
  int64_t bytes = 300 + tile->rows * tile->vectors * design_finish_bytes(design);
  for (size_t i = 0; i < tile->span_count; i++) {
    const struct span *span = &tile->spans[i];
    const int64_t steps = span->unroll + span->rest + (span->part > 0), macs = span->count * tile->vectors;
    bytes += 24 + steps * (macs * mac + ((depth ? macs : span->count) + tile->vectors) * design_load_bytes(design));
    bytes += steps * gather * (depth ? macs : tile->vectors);
  }
  return bytes;
}

/* Bytes of the function that makes vectors of pixels of a tile's sums. */
static int64_t place_bytes(const struct design *design, const struct tile *tile) {
  const int64_t vectors = ceil_div(tile->rows, design->lanes) * design->lanes;
  return tile_places(design, tile) ? 100 + vectors * (40 + design_finish_bytes(design)) + 20 * tile->rows : 0;
}

static int64_t block_bytes(const struct block *block) {
  int64_t bytes = 300;
  for (size_t c = 0; c < block->case_count; c++) bytes += 64 + 64 * (int64_t)block->cases[c].run_count;
  return bytes;
}

int64_t design_code_bytes(const struct design *design, const struct isa *isa) {
  int64_t largest = 0;
  for (size_t i = 0; i < design->tile_count; i++) {
    const struct tile *tile = &design->tiles[i];
    const int64_t bytes = tile_bytes(design, tile, isa), place = place_bytes(design, tile);
    largest = bytes > largest ? bytes : largest;
    largest = place > largest ? place : largest;
  }
  for (size_t i = 0; i < design->block_count; i++) {
    const int64_t bytes = block_bytes(&design->blocks[i]);
    if (bytes > largest) largest = bytes;
  }
  return largest;
}

int64_t design_pack_bytes(const struct design *design) {
  int64_t bytes = 0;
  for (size_t i = 0; i < design->box_count && !design->shared; i++) bytes += 40 + 20 * design->boxes[i].loop_count;
  return bytes;
}
