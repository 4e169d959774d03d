/* Baked weights: transformed here as NAME_pack of templates/winograd.t does it where they are given at run time, in the order of
 * the products' boxes. */
#include "direct.h"
#include "mem.h"
#include "winograd.h"
#include <string.h>

/* Elements of a design's packed weights. */
static int64_t size_of(const struct design *design) {
  return design->shared ? 0 : design->w_size;
}

int64_t winograd_baked(const struct winograd *winograd) {
  size_t count;
  const struct design *designs = direct_designs(&winograd->products, &count);
  int64_t size = 0;
  for (size_t i = 0; i < count; i++) size += size_of(&designs[i]);
  return size;
}

/* ---- one kernel --------------------------------------------------------------------------------------------------------- */

/* out[o][point][i] = Σ_k kernel[point][k] · in[o][k][i] */
static void spread(const struct cook_toom *transform, int64_t outer, int64_t inner, const double *in, double *out) {
  for (int64_t o = 0; o < outer; o++)
    for (int point = 0; point < transform->points; point++)
      for (int64_t i = 0; i < inner; i++) {
        double sum = 0;
        for (int k = 0; k < transform->r; k++)
          sum += rational_value(transform->kernel[point][k]) * in[(o * transform->r + k) * inner + i];
        out[(o * transform->points + point) * inner + i] = sum;
      }
}

/* The taps from element `from` of the layer's weights, the innermost axis last. Returns how many. */
static int64_t gather(const struct problem *problem, int64_t from, double taps[WINOGRAD_POINTS]) {
  int64_t count = 1;
  for (int a = 0; a < problem->rank; a++) count *= problem->axis[a].kernel;
  for (int64_t t = 0; t < count; t++) {
    int64_t place = from, rest = t;
    for (int a = problem->rank; a-- > 0; rest /= problem->axis[a].kernel)
      place += rest % problem->axis[a].kernel * problem->axis[a].w_step;
    taps[t] = cs_get(problem->baked_weights, (size_t)place, problem->dtype);
  }
  return count;
}

void winograd_points(const struct winograd *winograd, int64_t from, double points[WINOGRAD_POINTS]) {
  const struct problem *problem = &winograd->problem;
  double u[2][WINOGRAD_POINTS] = {{0}};
  int64_t outer = 1, inner = gather(problem, from, u[0]);
  int now = 0;
  for (int a = 0; a < problem->rank; a++) {
    inner /= problem->axis[a].kernel;
    if (winograd->transform[a].points > 1) {
      spread(&winograd->transform[a], outer, inner, u[now], u[!now]);
      now = !now;
    }
    outer *= winograd->transform[a].points;
  }
  memcpy(points, u[now], sizeof u[now]);
}

/* The transformed kernel at element `from` to element `to` of the array, its points `step` apart. */
static void transform(const struct winograd *winograd, int64_t from, char *array, int64_t to, int64_t step) {
  double points[WINOGRAD_POINTS];
  winograd_points(winograd, from, points);
  for (int64_t j = 0; j < winograd->points; j++) cs_put(array, (size_t)(to + j * step), winograd->problem.dtype, points[j]);
}

/* ---- all of them -------------------------------------------------------------------------------------------------------- */

/* The loops of a box from number `loop`; the outermost one, over the points, is in transform. */
static void fill(const struct winograd *winograd, const struct box *box, int loop, int64_t from, char *array, int64_t to) {
  if (loop == box->loop_count) {
    transform(winograd, from, array, to, box->loops[0].dst);
    return;
  }
  for (int64_t i = 0; i < box->loops[loop].count; i++)
    fill(winograd, box, loop + 1, from + i * box->loops[loop].src, array, to + i * box->loops[loop].dst);
}

const void *winograd_bake(const struct winograd *winograd) {
  size_t count;
  const struct design *designs = direct_designs(&winograd->products, &count);
  char *array = mem_array((size_t)winograd_baked(winograd), cs_size(winograd->problem.dtype));
  int64_t base = 0;
  for (size_t i = 0; i < count; i++) {
    const struct design *design = &designs[i];
    for (size_t b = 0; !design->shared && b < design->box_count; b++)
      if (design->boxes[b].from) fill(winograd, &design->boxes[b], 1, design->boxes[b].src, array, base + design->boxes[b].dst);
    base += size_of(design);
  }
  return array;
}
