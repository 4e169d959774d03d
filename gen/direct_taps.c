/* Which taps of an axis are live where: what lies in the padding is no tap, or another element's. */
#include "direct_tile.h"
#include "mem.h"
#include <string.h>

/* A bound that keeps a design quick to make; see the reason it gives. */
static const int64_t max_looks = 1000000;

static int64_t taps_of(const struct design *design, const struct axis *axis, int64_t output, struct tap *taps) {
  int64_t count = 0;
  for (int64_t k = 0; k < axis->kernel; k++) {
    const int64_t at = output * axis->stride - axis->pad + k * axis->dilation;
    const int64_t index = axis_source(design->problem.pad_mode, at, axis->in);
    if (index >= 0) taps[count++] = (struct tap){k, index - output * axis->stride};
  }
  return count;
}

int64_t product(int64_t a, int64_t b) {
  return a > INT64_MAX / b ? INT64_MAX : a * b;
}

bool may_look(struct design *design, int64_t rows, int64_t taps) {
  const int64_t more = product(rows, taps);
  design->looks = more > INT64_MAX - design->looks ? INT64_MAX : design->looks + more;
  if (design->looks <= max_looks) return true;
  design->reason =
      mem_text("its borders have %lld places to look at, at most %lld are", (long long)design->looks, (long long)max_looks);
  return false;
}

struct segment *segments_of(struct design *design, const struct axis *axis, size_t *count) {
  int64_t inner, end;
  axis_interior(axis, &inner, &end);
  if (!may_look(design, axis->out - (end - inner) + 1, axis->kernel)) return NULL;
  struct segment *list = NULL;
  struct tap *taps = mem_array((size_t)axis->kernel, sizeof *taps);
  *count = 0;
  for (int64_t o = 0; o < axis->out; o++) {
    struct segment next = {.from = o, .taps = taps, .count = taps_of(design, axis, o, taps)};
    if (o == inner && end > inner) o = end - 1; /* all alike */
    next.to = o + 1;
    struct segment *before = *count ? &list[*count - 1] : NULL;
    if (before && before->count == next.count && memcmp(before->taps, next.taps, (size_t)next.count * sizeof *taps) == 0) {
      before->to = next.to;
      continue;
    }
    list = mem_grow(list, *count, sizeof *list);
    list[(*count)++] = next;
    taps = mem_array((size_t)axis->kernel, sizeof *taps);
  }
  return list;
}
