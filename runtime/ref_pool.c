/* The reference of pools, written from the definition: every element of an output's window in turn, the sum in double-double. */
#include "convsmith.h"
#include <float.h>
#include <math.h>

/* What a window holds. */
struct ref_window {
  double high, low; /* sum of the finite elements */
  double magnitude; /* of their absolute values */
  double special;   /* sum of the others */
  double largest;   /* NaN where one is */
  double elements, divisor;
};

/* The rounding error of total = a + b, exactly (Knuth's two-sum). */
static double ref_pool_error(double a, double b, double total) {
  const double taken = total - a;
  return (a - (total - taken)) + (b - taken);
}

/* Elements are halved, so that no sum of them that matters leaves double's range. */
static void ref_pool_add(struct ref_window *window, double x) {
  const double half = x / 2, total = window->high + half;
  if (isnan(x) || !(x <= window->largest)) window->largest = isnan(window->largest) ? window->largest : x;
  window->elements++;
  if (!isfinite(x)) {
    window->special += x;
    return;
  }
  window->low += ref_pool_error(window->high, half, total);
  window->high = total;
  window->magnitude += fabs(half);
}

/* Taps of dimension d and below; `at` is the position so far. Returns how many count in the divisor, from d on. */
static void ref_pool_walk(const struct cs_pool *pool, const void *input, const ptrdiff_t *o, int d, ptrdiff_t at,
                          struct ref_window *window) {
  if (d == pool->rank) {
    ref_pool_add(window, cs_get(input, (size_t)at, pool->dtype));
    return;
  }
  const ptrdiff_t in = pool->in[d], from = o[d] * in / pool->out[d], to = ((o[d] + 1) * in + pool->out[d] - 1) / pool->out[d];
  const ptrdiff_t taps = pool->adaptive ? to - from : pool->kernel[d];
  for (ptrdiff_t k = 0; k < taps; k++) {
    const ptrdiff_t i = pool->adaptive ? from + k : o[d] * pool->stride[d] - pool->pad[d] + k * pool->dilation[d];
    if (i >= 0 && i < in) ref_pool_walk(pool, input, o, d + 1, at * in + i, window);
  }
}

/* Places of the window in dimension d that lie in the padded input. */
static double ref_pool_places(const struct cs_pool *pool, ptrdiff_t o, int d) {
  double places = 0;
  for (ptrdiff_t k = 0; k < pool->kernel[d]; k++)
    places += o * pool->stride[d] - pool->pad[d] + k * pool->dilation[d] < pool->in[d] + pool->pad_after[d];
  return places;
}

static struct ref_window ref_pool_window(const struct cs_pool *pool, const void *input, const ptrdiff_t *index) {
  struct ref_window window = {0, 0, 0, 0, -INFINITY, 0, 1};
  const ptrdiff_t run = pool->run > 0 ? pool->run : 1;
  for (ptrdiff_t c = 0; c < run; c++)
    ref_pool_walk(pool, input, index + 2, 0, index[0] * pool->in_channels + index[1] * run + c, &window);
  window.divisor = window.elements;
  if (pool->run > 0 || pool->adaptive || !pool->count_padding) return window;
  window.divisor = 1;
  for (int d = 0; d < pool->rank; d++) window.divisor *= ref_pool_places(pool, index[2 + d], d);
  return window;
}

/* The mean with its low part. */
static void ref_pool_mean(const struct ref_window *window, double u, double least, struct cs_expect *expect) {
  const double n = window->elements + 2, gamma = n * u / (1 - n * u), half = window->divisor / 2;
  expect->value = (window->high + window->low) / half;
  expect->rest = (fma(-expect->value, half, window->high) + window->low) / half;
  expect->bound = gamma * (window->magnitude / half) + n * least;
  if (window->special == 0) return;
  expect->value = window->special;
  expect->rest = 0;
}

/* Adds the residual to the mean, or to the largest of one element, so to say. */
static void ref_pool_residual(double r, double elements, int mean, double u, struct cs_expect *expect) {
  const double value = expect->value, total = value + r, n = (mean ? elements : 1) + 2, gamma = n * u / (1 - n * u);
  expect->value = total;
  expect->rest = isfinite(total) ? expect->rest + ref_pool_error(value, r, total) : 0;
  expect->bound += gamma * (mean ? fabs(r) : fabs(value) + fabs(r));
}

void cs_pool_expect(const struct cs_pool *pool, const struct cs_pool_data *data, const ptrdiff_t *index, struct cs_expect *expect) {
  const int f32 = pool->dtype == CS_F32;
  const double u = f32 ? FLT_EPSILON / 2.0 : DBL_EPSILON / 2, least = f32 ? (double)FLT_MIN * FLT_EPSILON : DBL_MIN * DBL_EPSILON;
  const double most = f32 ? (double)FLT_MAX : DBL_MAX;
  const struct ref_window window = ref_pool_window(pool, data->input, index);
  const struct cs_expect largest = {window.largest, 0, 0, NAN, NAN, 0};
  double a[2] = {pool->act[0], pool->act[1]}, reach = 0;
  *expect = largest;
  if (pool->mean) {
    ref_pool_mean(&window, u, least, expect);
    reach = window.magnitude * (1 + u * window.elements);
  }
  if (data->residual) {
    ptrdiff_t at = index[0] * pool->out_channels + index[1];
    for (int d = 0; d < pool->rank; d++) at = at * pool->out[d] + index[2 + d];
    const double r = cs_get(data->residual, (size_t)at, pool->dtype);
    if (isfinite(r) && isfinite(expect->value)) reach = fmax(reach, (fabs(expect->value) / 2 + fabs(r) / 2) * (1 + u));
    ref_pool_residual(r, window.elements, pool->mean, u, expect);
  }
  if (!(reach <= most / 2)) {
    expect->overflow = 1;
    expect->low = -INFINITY;
    expect->high = INFINITY;
  }
  if (pool->activation == CS_NONE) return;
  if (pool->activation == CS_PRELU) a[0] = cs_get(data->slope, (size_t)index[1], pool->dtype);
  cs_activate_expect(pool->activation, a, pool->dtype, expect);
}
