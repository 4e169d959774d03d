/* Receptive fields as sums of combs.
 *
 * With the combs in order of their steps, the first of them reach every offset below R = 1 + Σ step·(teeth-1) as long as each
 * step is at most the R of those before it; the first comb with a larger step leaves offset R unread, since it and all later ones
 * add nothing or too much. So whether there are holes takes no enumeration, however large the sizes are; counting them does, and
 * that is done on a list of disjoint ranges of bounded length. */
#include "receptive.h"
#include "mem.h"
#include "op.h"
#include "shape.h"
#include <string.h>

/* Ranges beyond which holes are no longer counted. */
enum { MAX_RANGES = 1 << 16 };

struct field field_new(void) {
  return (struct field){.size = 1, .jump = 1};
}

/* Where a comb of this step stands or belongs. */
static size_t comb_slot(const struct field *field, int64_t step) {
  size_t slot = 0;
  while (slot < field->count && field->combs[slot].step < step) slot++;
  return slot;
}

static void comb_add(struct field *field, struct comb comb) {
  size_t slot = comb_slot(field, comb.step);
  if (slot < field->count && field->combs[slot].step == comb.step) {
    field->combs[slot].teeth += comb.teeth - 1;
    return;
  }
  field->combs = mem_grow(field->combs, field->count, sizeof *field->combs);
  memmove(field->combs + slot + 1, field->combs + slot, (field->count - slot) * sizeof *field->combs);
  field->combs[slot] = comb;
  field->count++;
}

bool field_add(struct field *field, int64_t kernel, int64_t stride, int64_t dilation) {
  int64_t step, reach = 0, size, jump;
  if (!shape_mul(field->jump, stride, &jump)) return false;
  if (kernel > 1 && (!shape_mul(field->jump, dilation, &step) || !shape_mul(step, kernel - 1, &reach))) return false;
  if (!shape_add(field->size, reach, &size)) return false;
  if (kernel > 1) comb_add(field, (struct comb){step, kernel});
  field->size = size;
  field->jump = jump;
  return true;
}

/* ---- holes -------------------------------------------------------------------------------------------------------- */

struct range {
  int64_t from, to; /* both read */
};
struct ranges {
  struct range *items; /* in order, not touching */
  size_t count;
};

/* Appends a range that starts no earlier than the last one does. False when the list is full. */
static bool ranges_append(struct ranges *ranges, struct range range) {
  struct range *last = ranges->count ? &ranges->items[ranges->count - 1] : NULL;
  if (last && range.from <= last->to + 1) {
    if (range.to > last->to) last->to = range.to;
    return true;
  }
  if (ranges->count == MAX_RANGES) return false;
  ranges->items[ranges->count++] = range;
  return true;
}

/* `from` united with itself moved by `shift`, into `into`. */
static bool ranges_unite(const struct ranges *from, int64_t shift, struct ranges *into) {
  into->count = 0;
  size_t a = 0, b = 0;
  while (a < from->count || b < from->count) {
    bool first = a < from->count && from->items[a].from <= from->items[b].from + shift;
    struct range range = from->items[first ? a++ : b++];
    if (!first) range = (struct range){range.from + shift, range.to + shift};
    if (!ranges_append(into, range)) return false;
  }
  return true;
}

/* Adds a comb by doubling: the set with t teeth and itself moved by m ≤ t steps have t + m teeth. */
static bool ranges_add(struct ranges *ranges, struct ranges *spare, struct comb comb) {
  for (int64_t teeth = 1; teeth < comb.teeth;) {
    int64_t more = comb.teeth - teeth < teeth ? comb.teeth - teeth : teeth;
    if (!ranges_unite(ranges, more * comb.step, spare)) return false;
    struct ranges swap = *ranges;
    *ranges = *spare;
    *spare = swap;
    teeth += more;
  }
  return true;
}

/* The first offset that is not read: field->size if there is none. */
static int64_t first_hole(const struct field *field) {
  int64_t reach = 1;
  for (size_t i = 0; i < field->count && field->combs[i].step <= reach; i++)
    reach += field->combs[i].step * (field->combs[i].teeth - 1);
  return reach;
}

static struct ranges ranges_new(void) {
  return (struct ranges){.items = mem_array(MAX_RANGES, sizeof(struct range))};
}

static void count_between(const struct ranges *ranges, struct gaps *gaps) {
  gaps->count = 0;
  for (size_t i = 1; i < ranges->count; i++) {
    int64_t from = ranges->items[i - 1].to + 1, to = ranges->items[i].from - 1;
    for (int64_t at = from; at <= to && gaps->count + at - from < GAPS_LISTED; at++) gaps->first[gaps->count + at - from] = at;
    gaps->count += to - from + 1;
    gaps->last = to;
  }
}

struct gaps field_holes(const struct field *field) {
  struct gaps gaps = {.total = field->size, .count = -1, .first = {first_hole(field)}};
  if (gaps.first[0] == field->size) return (struct gaps){.total = field->size};
  size_t mark = mem_mark();
  struct ranges ranges = ranges_new(), spare = ranges_new();
  bool counted = ranges_append(&ranges, (struct range){0, 0});
  for (size_t i = 0; counted && i < field->count; i++) counted = ranges_add(&ranges, &spare, field->combs[i]);
  if (counted) count_between(&ranges, &gaps);
  mem_release(mark);
  return gaps;
}

int64_t field_cover(const struct field *field) {
  int64_t kernel = 1, reach = 0; /* reach: of the combs so far, without the layer in question */
  for (size_t i = 0; i < field->count; i++) {
    if (field->combs[i].step - reach > kernel) kernel = field->combs[i].step - reach;
    reach += field->combs[i].step * (field->combs[i].teeth - 1);
  }
  return kernel;
}

/* ---- dilations ---------------------------------------------------------------------------------------------------- */

static int64_t max(int64_t a, int64_t b) {
  return a > b ? a : b;
}

static int64_t min(int64_t a, int64_t b) {
  return a < b ? a : b;
}

int64_t dilations_m2(const int64_t *dilations, size_t count) {
  const int64_t most = INT64_MAX / 4; /* so that no term overflows */
  int64_t m = min(dilations[count - 1], most);
  for (size_t i = count - 1; i-- > 1;) {
    int64_t r = min(dilations[i], most);
    m = max(max(m - 2 * r, m - 2 * (m - r)), r);
  }
  return m;
}

int64_t dilations_divisor(const int64_t *dilations, size_t count) {
  int64_t divisor = 0;
  for (size_t i = 0; i < count; i++)
    for (int64_t a = dilations[i]; a;) {
      int64_t rest = divisor % a;
      divisor = a;
      a = rest;
    }
  return divisor;
}

/* ---- runs of layers ----------------------------------------------------------------------------------------------- */

static bool layers_chain(const struct layer *layer, const struct layer *next) {
  if (!layer->op->window(layer, 0).chains || !next->op->window(next, 0).chains) return false;
  if (layer->rank != next->rank || layer->batch != next->batch || layer->out_channels != next->in_channels) return false;
  return !memcmp(layer->out, next->in, (size_t)layer->rank * sizeof *layer->out);
}

size_t run_length(const struct layer *layers, size_t count) {
  size_t length = 1;
  while (length < count && layers_chain(&layers[length - 1], &layers[length])) length++;
  return length;
}

bool run_field(const struct layer *layers, size_t count, int axis, struct field *field) {
  *field = field_new();
  for (size_t i = 0; i < count; i++) {
    const struct window window = layers[i].op->window(&layers[i], axis);
    if (!field_add(field, window.kernel, window.stride, window.dilation)) return false;
  }
  return true;
}

bool run_fields(const struct layer *layers, size_t count, struct field *fields) {
  for (int axis = 0; axis < layers->rank; axis++)
    if (!run_field(layers, count, axis, &fields[axis])) return false;
  return true;
}

const char *axis_name(int axis, int rank) {
  static const char *const names[] = {"planes", "rows", "columns"};
  return rank == 1 ? "positions" : names[axis + 3 - rank];
}

/* Built from the last axis on, so that a name can be put before what it shares with the next one found. */
const char *axes_text(const char *const *found, int rank) {
  const char *text = NULL, *last = NULL;
  for (int axis = rank - 1; axis >= 0; axis--) {
    const char *name = axis_name(axis, rank);
    if (!found[axis]) continue;
    if (!last)
      text = mem_text("%s %s", name, found[axis]);
    else if (strcmp(found[axis], last) == 0)
      text = mem_text("%s and %s", name, text);
    else
      text = mem_text("%s %s; %s", name, found[axis], text);
    last = found[axis];
  }
  return text;
}
