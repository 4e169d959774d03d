/* Coverage, counted by closed form so that a signal of 2^40 elements takes no longer than one of 40.
 *
 * Positions are counted from the first padded element: output o's tap k reads position o·S + k·D. Taps whose k·D leave the same
 * rest modulo S form a class, and classes never meet. Within a class the positions are o + j·D/g in units of S (g = gcd(S, D)): a
 * row of equal blocks of `out` positions, one for each j, whose members below a bound are one division away. */
#include "coverage.h"
#include "mem.h"
#include "op.h"
#include "receptive.h"

/* Bound of classes, and of classes times padded positions looked at. */
enum { MAX_WORK = 1 << 16 };

static int64_t min(int64_t a, int64_t b) {
  return a < b ? a : b;
}

/* All sums of a tooth of `outer` (the class's blocks step along it) and one of `inner` (each tooth a class). The two are on a par.
 */
struct sums {
  struct comb outer, inner;
  int64_t classes, block; /* block: D/g */
};

static struct sums sums_of(struct comb outer, struct comb inner) {
  int64_t divisor = dilations_divisor((const int64_t[]){outer.step, inner.step}, 2);
  return (struct sums){outer, inner, min(inner.teeth, outer.step / divisor), inner.step / divisor};
}

/* Members below `bound` of `blocks` rows of `length` neighbours that start every `step`. */
static int64_t blocks_below(int64_t blocks, int64_t length, int64_t step, int64_t bound) {
  if (length >= step) return min(bound, (blocks - 1) * step + length);
  if (bound / step >= blocks) return blocks * length;
  return bound / step * length + min(bound % step, length);
}

/* Positions below `bound` that are read. */
static int64_t read_below(const struct sums *sums, int64_t bound) {
  int64_t read = 0, inner_classes = sums->outer.step / (sums->inner.step / sums->block);
  for (int64_t k = 0; k < sums->classes; k++) {
    int64_t start = k * sums->inner.step;
    if (start >= bound) break;
    int64_t blocks = (sums->inner.teeth - 1 - k) / inner_classes + 1;
    read += blocks_below(blocks, sums->outer.teeth, sums->block, (bound - start - 1) / sums->outer.step + 1);
  }
  return read;
}

/* One axis of a layer: its sums, and the indices that only padding reads, in order. */
struct cover {
  struct sums sums;
  int64_t in, pad, span; /* span: positions from the first read to the last */
  enum cs_pad_mode mode;
  int64_t *extra;
  size_t extras;
};

static struct cover cover_of(const struct layer *layer, int axis) {
  const struct window window = layer->op->window(layer, axis);
  struct comb outputs = {window.stride, layer->out[axis]}, taps = {window.dilation, window.kernel};
  struct sums sums = sums_of(outputs, taps), turned = sums_of(taps, outputs);
  return (struct cover){
      .sums = turned.classes < sums.classes ? turned : sums,
      .in = layer->in[axis],
      .pad = layer->pad[axis][0],
      .span = (outputs.teeth - 1) * outputs.step + (taps.teeth - 1) * taps.step + 1,
      .mode = layer->pad_mode,
  };
}

/* Unread indices below `index`. */
static int64_t unread_below(const struct cover *cover, int64_t index) {
  int64_t unread = index - (read_below(&cover->sums, cover->pad + index) - read_below(&cover->sums, cover->pad));
  for (size_t i = 0; i < cover->extras && cover->extra[i] < index; i++) unread--;
  return unread;
}

static bool is_unread(const struct cover *cover, int64_t index) {
  return unread_below(cover, index + 1) > unread_below(cover, index);
}

/* The unread index number `n` from 0, by bisection. */
static int64_t unread_at(const struct cover *cover, int64_t n) {
  int64_t low = 0, high = cover->in;
  while (high - low > 1) {
    int64_t middle = low + (high - low) / 2;
    if (unread_below(cover, middle) > n)
      high = middle;
    else
      low = middle;
  }
  return low;
}

/* The index that a padded one reads. */
static int64_t mirrored(const struct cover *cover, int64_t index) {
  if (cover->mode == CS_REFLECT) return index < 0 ? -index : 2 * (cover->in - 1) - index;
  if (cover->mode == CS_CIRCULAR) return (index % cover->in + cover->in) % cover->in;
  return index < 0 ? 0 : cover->in - 1;
}

static void extra_add(struct cover *cover, int64_t index) {
  cover->extra = mem_grow(cover->extra, cover->extras, sizeof *cover->extra);
  size_t slot = cover->extras++;
  for (; slot > 0 && cover->extra[slot - 1] > index; slot--) cover->extra[slot] = cover->extra[slot - 1];
  cover->extra[slot] = index;
}

/* Finds what is read through the padded positions from `from` to before `to` and in no other way. */
static void pads_read(struct cover *cover, int64_t from, int64_t to) {
  for (int64_t at = from; at < to; at++) {
    int64_t index = mirrored(cover, at - cover->pad);
    if (read_below(&cover->sums, at + 1) > read_below(&cover->sums, at) && is_unread(cover, index)) extra_add(cover, index);
  }
}

static bool padding_counted(struct cover *cover) {
  int64_t before = min(cover->pad, cover->span), after = cover->span - cover->pad - cover->in;
  if (before + (after > 0 ? after : 0) > MAX_WORK / cover->sums.classes) return false;
  pads_read(cover, 0, before);
  if (after > 0) pads_read(cover, cover->span - after, cover->span);
  return true;
}

bool input_unread(const struct layer *layer, int axis, struct gaps *gaps) {
  struct cover cover = cover_of(layer, axis);
  if (cover.sums.classes > MAX_WORK) return false;
  *gaps = (struct gaps){.total = cover.in, .count = unread_below(&cover, cover.in)};
  if (gaps->count > 0 && cover.mode != CS_ZEROS) {
    if (!padding_counted(&cover)) return false;
    gaps->count = unread_below(&cover, cover.in);
  }
  for (int64_t n = 0; n < GAPS_LISTED && n < gaps->count; n++) gaps->first[n] = unread_at(&cover, n);
  if (gaps->count > 0) gaps->last = unread_at(&cover, gaps->count - 1);
  return true;
}
