/* Shape arithmetic in 63 bits. Every function says when a result would not fit, so that no caller sees a wrapped size. */
#include "shape.h"

bool shape_mul(int64_t a, int64_t b, int64_t *result) {
  return !__builtin_mul_overflow(a, b, result);
}

bool shape_add(int64_t a, int64_t b, int64_t *result) {
  return !__builtin_add_overflow(a, b, result);
}

int64_t shape_floor(int64_t a, int64_t b) {
  return a / b - (a % b < 0);
}

int64_t shape_product(const int64_t *factors, int count) {
  int64_t product = 1;
  for (int i = 0; i < count; i++)
    if (!shape_mul(product, factors[i], &product)) return INT64_MAX;
  return product;
}

/* Elements that a dilated kernel spans, less one: d(k-1). */
static bool reach_of(int64_t kernel, int64_t dilation, int64_t *reach) {
  return shape_mul(kernel - 1, dilation, reach);
}

/* Both pads of `same` together: what the last of ceil(in/stride) windows lacks. in ≥ (out-1)·stride + 1, so the total is at most
 * d(k-1) and only d(k-1) itself can overflow. */
static int64_t same_total(int64_t in, int64_t stride, int64_t reach) {
  int64_t last = (in - 1) / stride * stride; /* where the last window starts, without pads */
  int64_t total = reach - (in - 1 - last);
  return total > 0 ? total : 0;
}

bool shape_pads(enum pad_kind kind, int64_t in, int64_t kernel, int64_t stride, int64_t dilation, int64_t pad[2]) {
  int64_t reach;
  if (kind == PAD_EXPLICIT) return true;
  if (!reach_of(kernel, dilation, &reach)) return false;
  int64_t total = same_total(in, stride, reach), half = total / 2;
  const int64_t pads[][2] = {
      [PAD_SAME] = {half, total - half},
      [PAD_SAME_LOWER] = {total - half, half},
      [PAD_FULL] = {reach, reach},
      [PAD_CAUSAL] = {reach, 0},
  };
  pad[0] = pads[kind][0];
  pad[1] = pads[kind][1];
  return true;
}

bool shape_out(int64_t in, int64_t kernel, int64_t stride, int64_t dilation, const int64_t pad[2], int64_t *out) {
  int64_t padded, reach;
  if (!shape_add(in, pad[0], &padded) || !shape_add(padded, pad[1], &padded)) return false;
  if (!reach_of(kernel, dilation, &reach)) return false;
  *out = padded > reach ? (padded - reach - 1) / stride + 1 : 0;
  return true;
}
