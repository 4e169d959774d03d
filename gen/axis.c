/* Axes. */
#include "axis.h"

int64_t axis_source(enum cs_pad_mode mode, int64_t i, int64_t size) {
  if (i >= 0 && i < size) return i;
  switch (mode) {
  case CS_REFLECT:
    return i < 0 ? -i : 2 * (size - 1) - i;
  case CS_REPLICATE:
    return i < 0 ? 0 : size - 1;
  case CS_CIRCULAR:
    return i < 0 ? i + size : i - size;
  default:
    return -1;
  }
}

void axis_interior(const struct axis *axis, int64_t *from, int64_t *to) {
  const int64_t reach = (axis->kernel - 1) * axis->dilation;
  const int64_t last = axis->in - 1 - reach + axis->pad;
  *from = axis->pad > 0 ? (axis->pad + axis->stride - 1) / axis->stride : 0;
  *to = last < 0 ? 0 : last / axis->stride + 1;
  if (*to > axis->out) *to = axis->out;
  if (*from > *to) *from = *to = axis->out;
}

bool axis_trimmed(const struct axis *axis) {
  return axis->pad > 0 || (axis->out - 1) * axis->stride - axis->pad + (axis->kernel - 1) * axis->dilation > axis->in - 1;
}

bool axis_pointwise(const struct axis *axis) {
  return axis->kernel == 1 && axis->stride == 1 && axis->pad == 0 && axis->in == axis->out;
}

/* Groups for some output of which input o·stride + at exists. */
static int64_t live_groups(const struct axis *axis, int64_t at, int64_t span) {
  const int64_t groups = (axis->out + span - 1) / span, room = axis->in - 1 - at;
  int64_t end = room < 0 ? 0 : room / (axis->stride * span) + 1, before = 0;
  if (at < 0) {
    const int64_t outputs = (-at + axis->stride - 1) / axis->stride; /* that read what lies before the input */
    before = outputs >= axis->out ? groups : outputs / span;
  }
  if (end > groups) end = groups;
  return end > before ? end - before : 0;
}

int64_t axis_live(const struct axis *axis, int64_t span) {
  int64_t live = 0;
  for (int64_t k = 0; k < axis->kernel; k++) live += live_groups(axis, k * axis->dilation - axis->pad, span);
  return live;
}
