/* The reference of `separable_conv`, from its definition: a depthwise convolution d with its activation, by the reference of
 * `conv`, then
 *
 *   y[n, m, o] = act(bias[m] + residual[n, m, o] + sum over c of d[n, c, o] * w[m, c])
 *
 * in long double. What a kernel computes of d is off by some e_c, at most b_c, the bound of d; its sum over c then meets (d + e) w
 * within gamma(n) * sum of (|d| + b) |w|, n = channels + 2, and the errors e themselves reach the sum times |w|:
 *
 *   b = gamma(n) * (sum of (|d| + b_c) |w| + |bias| + |residual|) + sum of b_c |w| + n * least
 *
 * Where d may have overflowed, or is so near zero that its sign is uncertain and meets an infinite weight, anything is right. */
#include "convsmith.h"
#include <float.h>
#include <math.h>

struct separable_sum {
  long double value, magnitude; /* of the exact terms; of the finite ones as a kernel may have them */
  long double carried;          /* error of the depthwise half */
  int unsure;
};

static void separable_add(struct separable_sum *sum, const struct cs_expect *d, double w) {
  const long double term = ((long double)d->value + d->rest) * w;
  sum->value += term;
  sum->unsure |= d->overflow || !isnan(d->low) || !isnan(d->high);
  sum->unsure |= !isfinite(w) && isfinite(d->value) && d->bound > 0 && fabs(d->value) <= d->bound;
  if (!isfinite(term)) return;
  sum->magnitude += (fabsl(d->value) + d->bound) * fabsl(w);
  sum->carried += d->bound * fabsl(w);
}

static void separable_add_one(struct separable_sum *sum, const void *values, ptrdiff_t index, enum cs_dtype dtype) {
  const struct cs_expect one = {1, 0, 0, NAN, NAN, 0};
  if (values) separable_add(sum, &one, cs_get(values, (size_t)index, dtype));
}

/* The element of a tensor [N, M, out...]. */
static ptrdiff_t separable_place(const struct cs_conv *conv, const ptrdiff_t *index) {
  ptrdiff_t at = index[0] * conv->out_channels + index[1];
  int d;
  for (d = 0; d < conv->rank; d++) at = at * conv->out[d] + index[2 + d];
  return at;
}

static struct separable_sum separable_sum_of(const struct cs_separable *layer, const struct cs_separable_data *data,
                                             const ptrdiff_t *index) {
  const struct cs_conv *pointwise = &layer->pointwise;
  const struct cs_conv_data first = {data->input, data->depthwise, data->depthwise_bias, 0, 0};
  struct separable_sum sum = {0, 0, 0, 0};
  ptrdiff_t at[CS_MAX_RANK], c;
  int d;
  for (d = 0; d < pointwise->rank + 2; d++) at[d] = index[d];
  for (c = 0; c < pointwise->in_channels; c++) {
    struct cs_expect part;
    at[1] = c;
    cs_conv_expect(&layer->depthwise, &first, at, &part);
    separable_add(&sum, &part, cs_get(data->weights, (size_t)(index[1] * pointwise->in_channels + c), pointwise->dtype));
  }
  separable_add_one(&sum, data->bias, index[1], pointwise->dtype);
  separable_add_one(&sum, data->residual, separable_place(pointwise, index), pointwise->dtype);
  return sum;
}

/* y* before its activation. */
static void separable_sum_expect(const struct cs_conv *pointwise, const struct separable_sum *sum, struct cs_expect *expect) {
  const int single = pointwise->dtype == CS_F32;
  const double u = single ? FLT_EPSILON / 2.0 : DBL_EPSILON / 2,
               least = single ? (double)FLT_MIN * FLT_EPSILON : DBL_MIN * DBL_EPSILON;
  const double n = (double)pointwise->in_channels + 2;
  const long double gamma = n * u < 1 ? n * u / (1 - n * u) : LDBL_MAX;
  const long double bound = gamma * sum->magnitude + sum->carried + n * least;
  expect->value = sum->unsure ? 0 : (double)sum->value;
  expect->rest = isfinite(expect->value) && !sum->unsure ? (double)(sum->value - expect->value) : 0;
  expect->bound = sum->unsure ? INFINITY : (double)bound;
  expect->overflow = sum->unsure || !(sum->magnitude + bound <= (single ? FLT_MAX : DBL_MAX));
  expect->low = expect->overflow ? -INFINITY : NAN;
  expect->high = expect->overflow ? INFINITY : NAN;
  if (!isfinite(expect->value)) expect->low = expect->high = NAN;
}

void cs_separable_expect(const struct cs_separable *layer, const struct cs_separable_data *data, const ptrdiff_t *index,
                         struct cs_expect *expect) {
  const struct cs_conv *pointwise = &layer->pointwise;
  const struct separable_sum sum = separable_sum_of(layer, data, index);
  double a[2] = {pointwise->act[0], pointwise->act[1]};
  separable_sum_expect(pointwise, &sum, expect);
  if (data->slope) a[0] = cs_get(data->slope, (size_t)index[1], pointwise->dtype);
  if (pointwise->activation != CS_NONE) cs_activate_expect(pointwise->activation, a, pointwise->dtype, expect);
}
