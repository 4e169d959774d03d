/* Pieces of axes, merged as they come and multiplied at the end. */
#include "piece.h"
#include "mem.h"
#include "shape.h"

/* Do all taps of all outputs lie in the input? */
static bool is_inside(const struct axis *axis) {
  const int64_t last = (axis->out - 1) * axis->stride - axis->pad + (axis->kernel - 1) * axis->dilation;
  return axis->pad <= 0 && last < axis->in;
}

/* What an inner piece reads, and nothing else: two that read alike are then equal. */
static void cut(struct piece *piece) {
  struct axis *axis = &piece->axis;
  if (!is_inside(axis)) return;
  piece->x -= axis->pad * axis->x_step;
  axis->pad = 0;
  axis->in = (axis->out - 1) * axis->stride + (axis->kernel - 1) * axis->dilation + 1;
}

static bool alike(const struct axis *a, const struct axis *b) {
  return a->in == b->in && a->out == b->out && a->kernel == b->kernel && a->pad == b->pad;
}

/* Makes `next` a phase of `last` if it goes on as that does. Where inputs and outputs go on, weights do: those two tell the tap. */
static bool merge(struct piece *last, const struct piece *next) {
  const int64_t done = last->phase.count;
  const struct phase step = {.count = done + 1,
                             .x = done > 1 ? last->phase.x : next->x - last->x,
                             .w = done > 1 ? last->phase.w : next->w - last->w,
                             .y = done > 1 ? last->phase.y : next->y - last->y};
  if (!alike(&last->axis, &next->axis)) return false;
  if (next->x != last->x + done * step.x || next->y != last->y + done * step.y) return false;
  last->phase = step;
  return true;
}

void pieces_add(struct pieces *pieces, struct axis axis, int64_t x, int64_t w, int64_t y) {
  struct piece next = {.axis = axis, .phase = {.count = 1}, .x = x, .w = w, .y = y};
  cut(&next);
  if (pieces->count > 0 && merge(&pieces->items[pieces->count - 1], &next)) return;
  pieces->items = mem_grow(pieces->items, pieces->count, sizeof next);
  pieces->items[pieces->count++] = next;
}

static void put(struct problem *problem, int axis, const struct piece *piece) {
  problem->axis[axis] = piece->axis;
  problem->x_first += piece->x;
  problem->w_first += piece->w;
  problem->y_first += piece->y;
  if (piece->phase.count > 1) problem->phase[problem->phases++] = piece->phase;
}

size_t pieces_combine(const struct problem *whole, const struct pieces *axes, struct problem **problems) {
  size_t total = 1;
  for (int a = 0; a < whole->rank; a++) total *= axes[a].count;
  *problems = mem_array(total, sizeof **problems);
  for (size_t i = 0; i < total; i++) {
    size_t number = i;
    (*problems)[i] = *whole;
    for (int a = whole->rank - 1; a >= 0; a--) {
      put(&(*problems)[i], a, &axes[a].items[number % axes[a].count]);
      number /= axes[a].count;
    }
  }
  return total;
}
