/* Spans: the live taps of a tile as few stretches of equal steps, and how each stretch is written: all of its steps, or a loop. */
#include "direct_tile.h"
#include "mem.h"
#include <string.h>

/* b follows a at a constant distance in x and w. */
static bool follows(const struct tile_tap *a, const struct tile_tap *b, int64_t dx, int64_t dw) {
  if (a->first != b->first || a->count != b->count || b->w - a->w != dw) return false;
  for (int64_t i = 0; i < a->count; i++)
    if (b->x[i] - a->x[i] != dx) return false;
  return true;
}

static int64_t run_length(const struct tile_tap *taps, size_t count, int64_t *dx, int64_t *dw) {
  *dx = *dw = 0;
  if (count < 2) return 1;
  *dx = taps[1].x[0] - taps[0].x[0];
  *dw = taps[1].w - taps[0].w;
  size_t length = 1;
  while (length < count && follows(&taps[length - 1], &taps[length], *dx, *dw)) length++;
  return (int64_t)length;
}

/* How `steps` steps are written: all of them, or a loop with an unrolled body, whose trips fetch weights ahead. */
static void set_steps(struct span *span, const struct design *design, int64_t steps) {
  const enum unroll unroll = design->problem.unroll;
  const bool few = unroll == UNROLL_AUTO && steps <= 8 && !design->choice.ahead_w;
  if (design->choice.full || steps == 0 || few) {
    span->trips = 1;
    span->unroll = steps;
    return;
  }
  span->unroll = unroll == UNROLL_NONE ? 1 : steps % 2 && steps % 3 == 0 ? 3 : 2;
  span->trips = steps / span->unroll;
  span->rest = steps % span->unroll;
}

static void add_span(struct tile *tile, struct span span) {
  tile->spans = mem_grow(tile->spans, tile->span_count, sizeof span);
  tile->spans[tile->span_count++] = span;
  tile->macs += span.count * tile->vectors * (span.unroll + span.rest + (span.part > 0));
}

/* Taps at equal distances: one contiguous stretch of taps × channels where memory allows, a loop over taps where there are many,
 * else a span each. */
static void add_run(struct design *design, struct tile *tile, const struct tile_tap *taps, int64_t length, int64_t dx, int64_t dw,
                    int64_t panel) {
  const int64_t channels = design->problem.in_channels, step_x = design->problem.x_channel;
  const int64_t width = design->choice.form == FORM_DOT ? design->lanes : 1; /* terms of a step */
  const bool merged = dx == channels * step_x && dw == channels * panel;
  const bool looped = !design->choice.full && (design->problem.unroll == UNROLL_NONE || length > 8);
  const int64_t together = merged || looped ? length : 1;
  for (int64_t i = 0; i < length; i += together) {
    struct span span = {.first = taps[i].first, .count = taps[i].count, .x = taps[i].x, .w = taps[i].w, .loop = 1};
    const int64_t terms = merged ? length * channels : channels;
    if (!merged && looped) span.loop = length, span.loop_x = dx, span.loop_w = dw;
    span.part = terms % width;
    span.step_x = width * step_x;
    span.step_w = width * panel;
    set_steps(&span, design, terms / width);
    add_span(tile, span);
  }
}

void add_taps(struct design *design, struct tile *tile, const struct tile_tap *taps, size_t count, int64_t panel) {
  for (size_t i = 0; i < count;) {
    int64_t dx, dw;
    const int64_t length = run_length(taps + i, count - i, &dx, &dw);
    add_run(design, tile, taps + i, length, dx, dw, panel);
    i += (size_t)length;
  }
}

bool same_span(const struct span *a, const struct span *b) {
  return a->first == b->first && a->count == b->count && a->w == b->w && a->loop == b->loop && a->loop_x == b->loop_x &&
         a->loop_w == b->loop_w && a->trips == b->trips && a->unroll == b->unroll && a->rest == b->rest && a->part == b->part &&
         a->step_x == b->step_x && a->step_w == b->step_w && memcmp(a->x, b->x, (size_t)a->count * sizeof(int64_t)) == 0;
}
