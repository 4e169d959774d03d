/* Folding of axes before a design: what the loops need not know about disappears. Axes of one output and one tap go; neighbouring
 * axes that a 1×1 kernel walks contiguously become one, the batch too. What is left has at least one axis, the innermost: of a
 * row's pixels or, where a choice says so, of images. */
#include "direct.h"
#include <string.h>

/* One output, one tap that reads element 0. */
static bool trivial(const struct axis *axis) {
  return axis->out == 1 && axis->kernel == 1 && axis->pad == 0;
}

static bool contiguous(const struct axis *outer, const struct axis *inner) {
  return outer->x_step == inner->in * inner->x_step && outer->y_step == inner->out * inner->y_step;
}

static void remove_axis(struct design *design, int at) {
  memmove(&design->axis[at], &design->axis[at + 1], (size_t)(design->rank - at - 1) * sizeof design->axis[0]);
  design->rank--;
}

/* A single row that reads a single one does not take turns. */
static void drop_turns(struct design *design) {
  struct problem *problem = &design->problem;
  if (problem->x_rows > 1 || problem->y_rows > 1 || !trivial(&design->axis[0]) || design->axis[0].in > 1) return;
  problem->x_rows = problem->y_rows = 0;
}

/* Axes on the outside that stay: rows that take turns in x or y are counted along the first. */
static int kept(const struct design *design) {
  return design->problem.x_rows > 0 || design->problem.y_rows > 0;
}

static void drop_trivial(struct design *design) {
  for (int a = design->rank - 1; a >= kept(design) && design->rank > 1 + kept(design); a--)
    if (trivial(&design->axis[a])) remove_axis(design, a);
}

static void merge_pointwise(struct design *design) {
  for (int a = design->rank - 1; a > kept(design); a--) {
    struct axis *inner = &design->axis[a], *outer = inner - 1;
    if (!axis_pointwise(inner) || !axis_pointwise(outer) || !contiguous(outer, inner)) continue;
    outer->in *= inner->in;
    outer->out *= inner->out;
    outer->x_step = inner->x_step;
    outer->y_step = inner->y_step;
    remove_axis(design, a);
  }
}

/* A single pointwise row whose images follow one another is one longer row. */
static void merge_batch(struct design *design) {
  struct problem *problem = &design->problem;
  struct axis *row = &design->axis[0];
  const struct axis batch = {.x_step = problem->x_batch, .y_step = problem->y_batch};
  if (design->rank != 1 || problem->batch == 1 || !axis_pointwise(row) || !contiguous(&batch, row)) return;
  row->in *= problem->batch;
  row->out *= problem->batch;
  problem->batch = 1;
}

/* A design of some columns: the row begins at the first of them. */
static void take_columns(struct design *design) {
  struct axis *row = &design->axis[design->rank - 1];
  const struct choice *choice = &design->choice;
  if (choice->to == 0) return;
  row->out = choice->to - choice->from;
  row->pad -= choice->from * row->stride;
  design->y_first = choice->from * row->y_step;
}

/* Images as the innermost axis, which no border cuts. */
static void take_images(struct design *design) {
  struct problem *problem = &design->problem;
  design->axis[design->rank++] = (struct axis){.in = problem->batch,
                                               .out = problem->batch,
                                               .kernel = 1,
                                               .stride = 1,
                                               .dilation = 1,
                                               .x_step = problem->x_batch,
                                               .y_step = problem->y_batch};
  problem->batch = 1;
}

bool images_apply(const struct problem *problem) {
  struct design design = {.problem = *problem};
  if (problem->x_rows > 0 || problem->y_rows > 0) return false;
  fold_axes(&design);
  return design.problem.batch > design.axis[design.rank - 1].out;
}

void fold_axes(struct design *design) {
  design->rank = design->problem.rank;
  memcpy(design->axis, design->problem.axis, (size_t)design->rank * sizeof design->axis[0]);
  take_columns(design);
  if (design->choice.images) take_images(design);
  if (design->choice.trimmed) {
    const struct axis pixel = {.in = 1, .out = 1, .kernel = 1, .stride = 1, .dilation = 1, .x_step = 1, .y_step = 1};
    design->axis[design->rank++] = pixel;
    return;
  }
  drop_turns(design);
  drop_trivial(design);
  merge_pointwise(design);
  merge_batch(design);
}
