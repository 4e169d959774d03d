/* Stacks: from one output of the last layer back to the inputs that it reaches, layer by layer, for every output of the last one.
 */
#include "stack.h"
#include "op.h"
#include <math.h>
#include <string.h>

/* Bounds of outputs times squared strides (what a transposed convolution's residues take), and of what indices may reach. */
static const double most_work = 1 << 24, most_reach = 1e18;

static bool alike(const struct layer *layer) {
  return layer->op->window(layer, 0).chains;
}

static bool layers_stack(const struct layer *layer, const struct layer *next) {
  struct tensor from[MAX_TENSORS], to[MAX_TENSORS];
  if ((!alike(layer) && !layer->op->reads) || (!alike(next) && !next->op->reads)) return false;
  const size_t count = layer->op->tensors(layer, from);
  const struct tensor *output = &from[count - 1];
  next->op->tensors(next, to);
  return output->rank == to->rank && !memcmp(output->shape, to->shape, (size_t)to->rank * sizeof *to->shape);
}

size_t stack_length(const struct layer *layers, size_t count) {
  size_t length = 1;
  while (length < count && layers_stack(&layers[length - 1], &layers[length])) length++;
  return length;
}

/* Turns outputs *first to *last into the inputs that they read, beyond the borders too. False if they read none. */
static bool step_back(const struct layer *layer, int axis, int64_t *first, int64_t *last) {
  const struct window window = layer->op->window(layer, axis);
  if (layer->op->reads) return layer->op->reads(layer, axis, first, last);
  *first = *first * window.stride - layer->pad[axis][0];
  *last = *last * window.stride - layer->pad[axis][0] + (window.kernel - 1) * window.dilation;
  return true;
}

/* Inputs of the stack from the first to the last that output `o` reads. */
static int64_t reach_of(const struct layer *layers, size_t count, int axis, int64_t o) {
  int64_t first = o, last = o;
  while (count-- > 0)
    if (!step_back(&layers[count], axis, &first, &last)) return 0;
  return last - first + 1;
}

static int64_t outputs_of(const struct layer *layer, int axis) {
  struct tensor list[MAX_TENSORS];
  const size_t count = layer->op->tensors(layer, list);
  return list[count - 1].shape[2 + axis];
}

/* Can every output be looked at, and no index overflow on the way? */
static bool is_bounded(const struct layer *layers, size_t count, int axis) {
  const double outputs = (double)outputs_of(&layers[count - 1], axis);
  double reach = outputs, work = 0;
  while (count-- > 0) {
    const struct window window = layers[count].op->window(&layers[count], axis);
    const double stride = (double)layers[count].stride[axis], span = (double)window.kernel * (double)window.dilation;
    if (reach * (double)layers[count].in[axis] > most_reach) return false; /* of windows that are fractions of the input */
    reach = reach * fmax((double)window.stride, 1) + span + (double)layers[count].pad[axis][0];
    work += outputs * (alike(&layers[count]) ? 1 : stride * stride);
  }
  return reach <= most_reach && work <= most_work;
}

bool stack_fields(const struct layer *layers, size_t count, struct field *fields) {
  if (run_length(layers, count) == count) return run_fields(layers, count, fields);
  for (int axis = 0; axis < layers->rank; axis++) {
    const int64_t outputs = outputs_of(&layers[count - 1], axis);
    fields[axis] = (struct field){0};
    if (!is_bounded(layers, count, axis)) return false;
    for (int64_t o = 0; o < outputs; o++) {
      const int64_t reach = reach_of(layers, count, axis, o);
      if (reach > fields[axis].size) fields[axis].size = reach;
    }
  }
  return true;
}
