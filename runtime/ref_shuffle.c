/* The reference of the permutations, written from their definitions: where each output comes from. */
#include "convsmith.h"
#include <math.h>

/* How many channels the side with fewer has, and how many pixels a cell. */
static ptrdiff_t ref_few(const struct cs_shuffle *shuffle) {
  return shuffle->in_channels < shuffle->out_channels ? shuffle->in_channels : shuffle->out_channels;
}

static ptrdiff_t ref_cells(const struct cs_shuffle *shuffle) {
  ptrdiff_t cells = 1;
  for (int d = 0; d < shuffle->rank; d++) cells *= shuffle->factor;
  return cells;
}

/* The dimension whose place in the cell is the i-th digit, slowest first, of the cell's number. */
static int ref_digit(const struct cs_shuffle *shuffle, int i) {
  return shuffle->order == CS_FOCUS ? shuffle->rank - 1 - i : i;
}

/* Output [c, o...] was channel c of the cell o % factor, at pixel o / factor. */
static ptrdiff_t ref_shuffled(const struct cs_shuffle *shuffle, const ptrdiff_t *index, ptrdiff_t *from) {
  ptrdiff_t cell = 0;
  for (int i = 0; i < shuffle->rank; i++) {
    const int d = ref_digit(shuffle, i);
    from[d] = index[2 + d] / shuffle->factor;
    cell = cell * shuffle->factor + index[2 + d] % shuffle->factor;
  }
  return shuffle->order == CS_CRD ? index[1] * ref_cells(shuffle) + cell : cell * ref_few(shuffle) + index[1];
}

/* Output channel says the channel and the place in the cell, its pixel the cell. */
static ptrdiff_t ref_unshuffled(const struct cs_shuffle *shuffle, const ptrdiff_t *index, ptrdiff_t *from) {
  const ptrdiff_t few = ref_few(shuffle), cells = ref_cells(shuffle);
  ptrdiff_t cell = shuffle->order == CS_CRD ? index[1] % cells : index[1] / few;
  for (int i = shuffle->rank - 1; i >= 0; i--) {
    const int d = ref_digit(shuffle, i);
    from[d] = index[2 + d] * shuffle->factor + cell % shuffle->factor;
    cell /= shuffle->factor;
  }
  return shuffle->order == CS_CRD ? index[1] / cells : index[1] % few;
}

static ptrdiff_t ref_channel(const struct cs_shuffle *shuffle, const ptrdiff_t *index, ptrdiff_t *from) {
  for (int d = 0; d < shuffle->rank; d++) from[d] = index[2 + d];
  return index[1] % shuffle->groups * (shuffle->in_channels / shuffle->groups) + index[1] / shuffle->groups;
}

ptrdiff_t cs_shuffle_source(const struct cs_shuffle *shuffle, const ptrdiff_t *index) {
  static ptrdiff_t (*const sources[])(const struct cs_shuffle *, const ptrdiff_t *, ptrdiff_t *) = {
      /* CS_PIXEL_SHUFFLE */ ref_shuffled, /* CS_PIXEL_UNSHUFFLE */ ref_unshuffled, /* CS_CHANNEL_SHUFFLE */ ref_channel};
  ptrdiff_t from[CS_MAX_SPATIAL];
  ptrdiff_t at = sources[shuffle->kind](shuffle, index, from) + index[0] * shuffle->in_channels;
  for (int d = 0; d < shuffle->rank; d++) at = at * shuffle->in[d] + from[d];
  return at;
}

void cs_shuffle_expect(const struct cs_shuffle *shuffle, const void *input, const ptrdiff_t *index, struct cs_expect *expect) {
  const struct cs_expect exactly = {cs_get(input, (size_t)cs_shuffle_source(shuffle, index), shuffle->dtype), 0, 0, NAN, NAN, 0};
  *expect = exactly;
}
