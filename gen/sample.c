/* Samples. What is chosen is a rule about one index at a time, kept for each axis as a table: no list of places is built by hand.
 */
#include "sample.h"
#include "mem.h"

static const int64_t FULL_LIMIT = 50000000;
enum { SEEDED = 20000, CHANNELS = 64 };

/* What one index along an axis is. */
enum mark { NOTHING = 0, EDGE = 1, MIDDLE = 2, SEAM = 4 };

/* How many taps of output `o` come before the input's first element, and how many after its last: one number for both. */
static int64_t missing_taps(const struct layer *layer, int axis, int64_t o) {
  const int64_t start = o * layer->stride[axis] - layer->pad[axis][0], d = layer->dilation[axis], k = layer->kernel[axis];
  int64_t before = start < 0 ? (-start + d - 1) / d : 0;
  int64_t live = start < layer->in[axis] ? (layer->in[axis] - 1 - start) / d + 1 : 0;
  if (before > k) before = k;
  int64_t after = live < k ? k - live : 0;
  return before * (k + 1) + after;
}

/* Where outputs take turns, those that some input's window may not cover whole. */
static bool near_end(const struct layer *layer, int axis, int64_t o, int64_t size) {
  const int64_t span = layer->dilation[axis] * (layer->kernel[axis] - 1) + 1;
  return o < span || o >= size - span;
}

static bool border_seam(const struct layer *layer, int axis, int64_t o, int64_t size) {
  if (!layer->op->window(layer, axis).chains) return near_end(layer, axis, o, size);
  const int64_t here = missing_taps(layer, axis, o);
  return here != missing_taps(layer, axis, o - 1) || here != missing_taps(layer, axis, o + 1);
}

static bool tile_seam(const struct plan *const *plans, size_t count, int64_t o) {
  for (size_t i = 0; i < count; i++) {
    const int64_t tile = plans[i]->row_tile > 1 ? plans[i]->row_tile : INT64_MAX;
    if (o >= tile - 1 && (o % tile == 0 || (o + 1) % tile == 0 || o % tile == 1)) return true;
  }
  return false;
}

static unsigned char *mark_axis(const struct layer *layer, int axis, int64_t size, const struct plan *const *plans, size_t count) {
  unsigned char *marks = mem_new((size_t)size);
  for (int64_t o = 0; o < size; o++) {
    if (o == 0 || o == size - 1) marks[o] |= EDGE;
    if (o == size / 2) marks[o] |= MIDDLE;
    if (border_seam(layer, axis, o, size) || (axis == layer->rank - 1 && tile_seam(plans, count, o))) marks[o] |= SEAM;
  }
  return marks;
}

/* Edges: all spatial indices but one are first or last. Seams: one is at a seam, the others first, middle or last. Corners, and
 * middles between them, count double. */
static int wanted(unsigned char *const *marks, const ptrdiff_t *spatial, int rank) {
  int edges = 0, lines = 0, seams = 0;
  for (int d = 0; d < rank; d++) {
    const int mark = marks[d][spatial[d]];
    edges += (mark & EDGE) != 0;
    lines += (mark & (EDGE | MIDDLE)) != 0;
    seams += !(mark & (EDGE | MIDDLE)) && (mark & SEAM);
  }
  if (lines == rank) return 2;
  return edges == rank - 1 && rank > 1 ? 1 : seams == 1 && lines == rank - 1;
}

/* One place takes every channel, or about CHANNELS of them, the next place others: tiles are wider than one place. */
static bool takes_channel(int wish, ptrdiff_t channel, ptrdiff_t channels, size_t place) {
  const size_t every = (size_t)(channels + CHANNELS - 1) / CHANNELS;
  return wish == 2 || (wish == 1 && ((size_t)channel + place) % every == 0);
}

static void mark_places(const struct layer *layer, const struct tensor *output, const struct plan *const *plans, size_t count,
                        unsigned char *chosen) {
  unsigned char *marks[MAX_SPATIAL];
  for (int d = 0; d < layer->rank; d++) marks[d] = mark_axis(layer, d, output->shape[2 + d], plans, count);
  const size_t total = tensor_count(output), places = total / (size_t)(output->shape[0] * output->shape[1]);
  for (size_t i = 0; i < total; i++) {
    ptrdiff_t index[CS_MAX_RANK];
    tensor_index(output, i, index);
    const bool image = index[0] == 0 || index[0] == output->shape[0] - 1;
    chosen[i] = image && takes_channel(wanted(marks, index + 2, layer->rank), index[1], output->shape[1], i % places);
  }
}

static struct sample collect(const unsigned char *chosen, size_t total) {
  size_t count = 0;
  for (size_t i = 0; i < total; i++) count += chosen[i];
  size_t *elements = mem_array(count, sizeof *elements), next = 0;
  for (size_t i = 0; i < total; i++)
    if (chosen[i]) elements[next++] = i;
  return (struct sample){elements, count};
}

static struct sample all_outputs(size_t total) {
  size_t *elements = mem_array(total, sizeof *elements);
  for (size_t i = 0; i < total; i++) elements[i] = i;
  return (struct sample){elements, total};
}

struct sample sample_outputs(const struct layer *layer, const struct tensor *output, const struct plan *const *plans, size_t count,
                             bool full, uint64_t seed) {
  const size_t total = tensor_count(output);
  if (full || layer->op->multiply_adds(layer) <= FULL_LIMIT) return all_outputs(total);
  unsigned char *chosen = mem_new(total);
  mark_places(layer, output, plans, count, chosen);
  for (int i = 0; i < SEEDED; i++) chosen[cs_random(&seed) % total] = 1;
  return collect(chosen, total);
}
