/* The reference of `conv`, written from the definition (ONNX Conv; PyTorch's padding modes) in plain loops:
 *
 *   y[n, m, o] = act(bias[m] + residual[n, m, o] + sum over c, k of x[n, c, o * stride - pad + k * dilation] * w[m, c, k])
 *
 * Taps outside the input are skipped in `zeros` mode, never multiplied. Bias and residual are two more taps, of weight one.
 * Three walks over the same taps share one visitor interface: f32 and bf16 in double (products are exact there), f64 in
 * double-double (Ogita, Rump, Oishi: Accurate sum and dot product, 2005, Dot2), and, only where a term is not finite or the sum may
 * leave double's range, a careful one that takes finite and other terms apart. Activations follow in activate.
 *
 * Why those terms can be taken apart: a sum that holds a NaN or both infinities is NaN in every order, one that holds one
 * kind of infinity is that infinity, unless the finite terms overflow on their way, which only adds NaN. */
#include "convsmith.h"
#include <float.h>
#include <math.h>

/* A sum in the making: high + low times 2^exponent. */
struct ref_sum {
  double high, low; /* of the finite terms */
  double magnitude; /* of the finite terms' absolute values */
  double special;   /* sum of the terms that are not finite */
  int exponent;
  int skip_zero_weights;
};

/* Adds `count` products x[i * x_step] * w[i * w_step] to a struct ref_sum, or does with them what another state is for. */
typedef void ref_visit(void *state, const void *x, ptrdiff_t x_step, const void *w, ptrdiff_t w_step, ptrdiff_t count);

/* Even and odd terms are added apart: an addition need not wait for the one before it. */
static void ref_visit_f32(void *state, const void *x, ptrdiff_t x_step, const void *w, ptrdiff_t w_step, ptrdiff_t count) {
  struct ref_sum *sum = (struct ref_sum *)state;
  const float *a = (const float *)x, *b = (const float *)w;
  double even = 0, odd = 0, even_magnitude = 0, odd_magnitude = 0;
  for (ptrdiff_t i = 0; i + 1 < count; i += 2, a += 2 * x_step, b += 2 * w_step) {
    const double first = (double)a[0] * (double)b[0], second = (double)a[x_step] * (double)b[w_step];
    even += first;
    odd += second;
    even_magnitude += fabs(first);
    odd_magnitude += fabs(second);
  }
  if (count % 2) {
    even += (double)a[0] * (double)b[0];
    even_magnitude += fabs((double)a[0] * (double)b[0]);
  }
  sum->high += even + odd;
  sum->magnitude += even_magnitude + odd_magnitude;
}

/* The rounding error of total = a + b, exactly (Knuth's two-sum). */
static double ref_sum_error(double a, double b, double total) {
  const double taken = total - a;
  return (a - (total - taken)) + (b - taken);
}

/* One step of Dot2: the errors of product and sum, both exact, go to `low`. */
static void ref_add_product(struct ref_sum *sum, double a, double b) {
  const double product = a * b;
  const double total = sum->high + product;
  sum->low += ref_sum_error(sum->high, product, total) + fma(a, b, -product);
  sum->high = total;
  sum->magnitude += fabs(product);
}

static void ref_visit_f64(void *state, const void *x, ptrdiff_t x_step, const void *w, ptrdiff_t w_step, ptrdiff_t count) {
  struct ref_sum *sum = (struct ref_sum *)state;
  const double *a = (const double *)x, *b = (const double *)w;
  struct ref_sum local = *sum;
  for (ptrdiff_t i = 0; i < count; i++) ref_add_product(&local, a[i * x_step], b[i * w_step]);
  *sum = local;
}

/* Products of f32 and their sums stay in double's range: only terms that are not finite are taken apart. */
static void ref_visit_f32_carefully(void *state, const void *x, ptrdiff_t x_step, const void *w, ptrdiff_t w_step,
                                    ptrdiff_t count) {
  struct ref_sum *sum = (struct ref_sum *)state;
  const float *a = (const float *)x, *b = (const float *)w;
  struct ref_sum local = *sum;
  for (ptrdiff_t i = 0; i < count; i++) {
    const double weight = (double)b[i * w_step], product = (double)a[i * x_step] * weight;
    if (local.skip_zero_weights && weight == 0) continue;
    if (isfinite(product)) {
      local.high += product;
      local.magnitude += fabs(product);
    } else {
      local.special += product;
    }
  }
  *sum = local;
}

/* Finite terms are added scaled by 2^-exponent, half of it on each factor, so that their sum stays in range; what that loses to
 * underflow is nothing beside the sums that need it. */
static void ref_add_carefully(struct ref_sum *sum, double a, double b, double scale) {
  if (sum->skip_zero_weights && b == 0) return;
  if (isfinite(a) && isfinite(b))
    ref_add_product(sum, a * scale, b * scale);
  else
    sum->special += a * b;
}

static void ref_visit_f64_carefully(void *state, const void *x, ptrdiff_t x_step, const void *w, ptrdiff_t w_step,
                                    ptrdiff_t count) {
  struct ref_sum *sum = (struct ref_sum *)state;
  const double *a = (const double *)x, *b = (const double *)w;
  const double scale = ldexp(1.0, -sum->exponent / 2);
  for (ptrdiff_t i = 0; i < count; i++) ref_add_carefully(sum, a[i * x_step], b[i * w_step], scale);
}

/* Keeps the largest |x| of each channel, NaN once there was one, in an array of double. */
static void ref_most_f32(void *state, const void *x, ptrdiff_t x_step, const void *w, ptrdiff_t w_step, ptrdiff_t count) {
  const float *a = (const float *)x;
  double *most = (double *)state;
  (void)w, (void)w_step;
  for (ptrdiff_t i = 0; i < count; i++) {
    const double value = fabs((double)a[i * x_step]);
    if (value > most[i] || isnan(value)) most[i] = value;
  }
}

static void ref_most_f64(void *state, const void *x, ptrdiff_t x_step, const void *w, ptrdiff_t w_step, ptrdiff_t count) {
  const double *a = (const double *)x;
  double *most = (double *)state;
  (void)w, (void)w_step;
  for (ptrdiff_t i = 0; i < count; i++) {
    const double value = fabs(a[i * x_step]);
    if (value > most[i] || isnan(value)) most[i] = value;
  }
}

enum { REF_CHANNELS = 64 }; /* looked at together */

/* Elements of bf16 are visited as f32. */
static void ref_widened(ref_visit *visit, void *state, const void *x, ptrdiff_t x_step, const void *w, ptrdiff_t w_step,
                        ptrdiff_t count) {
  float a[REF_CHANNELS], b[REF_CHANNELS];
  for (ptrdiff_t first = 0; first < count; first += REF_CHANNELS) {
    const ptrdiff_t some = count - first < REF_CHANNELS ? count - first : REF_CHANNELS;
    for (ptrdiff_t i = 0; i < some; i++) {
      a[i] = (float)cs_get(x, (size_t)((first + i) * x_step), CS_BF16);
      b[i] = (float)cs_get(w, (size_t)((first + i) * w_step), CS_BF16);
    }
    visit(state, a, 1, b, 1, some);
  }
}

static void ref_visit_bf16(void *state, const void *x, ptrdiff_t x_step, const void *w, ptrdiff_t w_step, ptrdiff_t count) {
  ref_widened(ref_visit_f32, state, x, x_step, w, w_step, count);
}

static void ref_visit_bf16_carefully(void *state, const void *x, ptrdiff_t x_step, const void *w, ptrdiff_t w_step,
                                     ptrdiff_t count) {
  ref_widened(ref_visit_f32_carefully, state, x, x_step, w, w_step, count);
}

/* Of at most REF_CHANNELS channels. */
static void ref_most_bf16(void *state, const void *x, ptrdiff_t x_step, const void *w, ptrdiff_t w_step, ptrdiff_t count) {
  ref_widened(ref_most_f32, state, x, x_step, w, w_step, count);
}

/* What a type needs: its visitors, one as an element, and of its sums unit roundoff, smallest and largest positive value. */
struct ref_type {
  ref_visit *visit, *visit_carefully, *most_of;
  const void *one;
  double u, least, most;
};

static const float ref_one_f32 = 1;
static const double ref_one_f64 = 1;
static const uint16_t ref_one_bf16 = 0x3f80;

static const struct ref_type ref_types[] = {
    {/* CS_F32 */ ref_visit_f32, ref_visit_f32_carefully, ref_most_f32, &ref_one_f32, FLT_EPSILON / 2.0,
     (double)FLT_MIN *FLT_EPSILON, FLT_MAX},
    {/* CS_F64 */ ref_visit_f64, ref_visit_f64_carefully, ref_most_f64, &ref_one_f64, DBL_EPSILON / 2, DBL_MIN *DBL_EPSILON,
     DBL_MAX},
    {/* CS_BF16 */ ref_visit_bf16, ref_visit_bf16_carefully, ref_most_bf16, &ref_one_bf16, FLT_EPSILON / 2.0,
     (double)FLT_MIN *FLT_EPSILON, FLT_MAX},
};

static ptrdiff_t ref_modulo(ptrdiff_t i, ptrdiff_t size) {
  const ptrdiff_t rest = i % size;
  return rest < 0 ? rest + size : rest;
}

/* The input element that position `i` of a padded row stands for, -1 if none. */
static ptrdiff_t ref_source(enum cs_pad_mode mode, ptrdiff_t i, ptrdiff_t size) {
  if (i >= 0 && i < size) return i;
  switch (mode) {
  case CS_ZEROS:
    return -1;
  case CS_REPLICATE:
    return i < 0 ? 0 : size - 1;
  case CS_CIRCULAR:
    return ref_modulo(i, size);
  case CS_REFLECT:
    break; /* the edge is not repeated: the period is 2 * size - 2 */
  }
  if (size == 1) return 0;
  i = ref_modulo(i, 2 * size - 2);
  return i < size ? i : 2 * size - 2 - i;
}

/* The input element that output o of dimension d meets at tap k, -1 if none. */
static ptrdiff_t ref_input(const struct cs_conv *conv, int d, ptrdiff_t o, ptrdiff_t k) {
  if (!conv->transposed) return ref_source(conv->pad_mode, o * conv->stride[d] - conv->pad[d] + k * conv->dilation[d], conv->in[d]);
  o += conv->pad[d] - k * conv->dilation[d];
  if (o < 0 || o % conv->stride[d] != 0 || o / conv->stride[d] >= conv->in[d]) return -1;
  return o / conv->stride[d];
}

/* One output's walk: the steps from channel to channel and from position to position, and where in the tensors its first channel
 * lies. */
struct ref_walk {
  const struct cs_conv *conv;
  const ptrdiff_t *o; /* spatial output index */
  const char *x, *w;
  size_t size; /* bytes of an element */
  ptrdiff_t x_step, w_step, x_position, w_position, channels;
  ref_visit *visit;
  void *state;
};

/* Taps of dimension d and below; x and w are the positions so far within one channel. */
static void ref_walk_taps(const struct ref_walk *walk, int d, ptrdiff_t x, ptrdiff_t w) {
  const struct cs_conv *conv = walk->conv;
  if (d == conv->rank) {
    walk->visit(walk->state, walk->x + (size_t)(x * walk->x_position) * walk->size, walk->x_step,
                walk->w + (size_t)(w * walk->w_position) * walk->size, walk->w_step, walk->channels);
    return;
  }
  for (ptrdiff_t k = 0; k < conv->kernel[d]; k++) {
    const ptrdiff_t source = ref_input(conv, d, walk->o[d], k);
    const ptrdiff_t tap = conv->flip ? conv->kernel[d] - 1 - k : k;
    if (source >= 0) ref_walk_taps(walk, d + 1, x * conv->in[d] + source, w * conv->kernel[d] + tap);
  }
}

static ptrdiff_t ref_product(const ptrdiff_t *sizes, int count) {
  ptrdiff_t product = 1;
  for (int i = 0; i < count; i++) product *= sizes[i];
  return product;
}

static const char *ref_element(const void *data, ptrdiff_t index, size_t size) {
  return (const char *)data + (size_t)index * size;
}

/* The number of an output's kernel among all. */
static ptrdiff_t ref_kernel(const struct cs_conv *conv, const ptrdiff_t *index) {
  ptrdiff_t kernel = index[1];
  for (int d = 0; d < conv->rank && conv->tile[d] > 0; d++) kernel = kernel * conv->tile[d] + index[2 + d] % conv->tile[d];
  return kernel;
}

/* The walk of the output at `index`. */
static struct ref_walk ref_walk_of(const struct cs_conv *conv, const struct cs_conv_data *data, const ptrdiff_t *index,
                                   ref_visit *visit, void *state) {
  const size_t size = cs_size(conv->dtype);
  const ptrdiff_t channels = conv->in_channels / conv->groups, group = index[1] / (conv->out_channels / conv->groups);
  const ptrdiff_t positions = ref_product(conv->in, conv->rank), taps = ref_product(conv->kernel, conv->rank);
  const ptrdiff_t image = index[0] * conv->in_channels * positions;
  struct ref_walk walk = {conv, index + 2, NULL, NULL, size, positions, taps, 1, 1, channels, visit, state};
  if (conv->channels_last) {
    walk.x_step = walk.w_step = 1;
    walk.x_position = conv->in_channels;
    walk.w_position = channels;
  }
  walk.x = ref_element(data->input, image + group * channels * walk.x_step, size);
  walk.w = ref_element(data->weights, ref_kernel(conv, index) * channels * taps, size);
  if (conv->transposed && !conv->channels_last) { /* [C, M/groups, kernel...] */
    const ptrdiff_t outputs = conv->out_channels / conv->groups;
    walk.w_step = outputs * taps;
    walk.w = ref_element(data->weights, (group * channels * outputs + index[1] % outputs) * taps, size);
  }
  return walk;
}

/* All terms of one output; data->residual is its element. */
static void ref_add_terms(const struct cs_conv *conv, const struct cs_conv_data *data, const ptrdiff_t *index, ref_visit *visit,
                          struct ref_sum *sum) {
  const void *one = ref_types[conv->dtype].one;
  const struct ref_walk walk = ref_walk_of(conv, data, index, visit, sum);
  ref_walk_taps(&walk, 0, 0, 0);
  if (data->bias) visit(sum, ref_element(data->bias, index[1], walk.size), 0, one, 0, 1);
  if (data->residual) visit(sum, data->residual, 0, one, 0, 1);
}

/* gamma(n) = n u / (1 - n u), Higham, Accuracy and Stability of Numerical Algorithms, section 3.1. */
static double ref_gamma(double n, double u) {
  return n * u < 1 ? n * u / (1 - n * u) : DBL_MAX;
}

/* All terms of the output at `index`. */
typedef void ref_add(const struct cs_conv *conv, const struct cs_conv_data *data, const ptrdiff_t *index, ref_visit *visit,
                     struct ref_sum *sum);

/* The sum of an output's terms. One with NaN or infinity among them is done again carefully; where the finite terms by themselves
 * come near the end of double's range too, scaled down (never else: small terms would be lost). */
static struct ref_sum ref_sum_terms(ref_add *add, const struct cs_conv *conv, const struct cs_conv_data *data,
                                    const ptrdiff_t *index) {
  static const int exponents[] = {0, 0, 1100};
  const struct ref_type *type = &ref_types[conv->dtype];
  struct ref_sum sum = {0, 0, INFINITY, 0, 0, 0};
  for (int attempt = 0; attempt < 3 && !(sum.magnitude < DBL_MAX / 4); attempt++) {
    const struct ref_sum empty = {0, 0, 0, 0, exponents[attempt], conv->skip_zero_weights};
    sum = empty;
    add(conv, data, index, attempt == 0 ? type->visit : type->visit_carefully, &sum);
  }
  return sum;
}

/* x * 2^exponent; most sums have none. */
static double ref_scaled(double x, int exponent) {
  return exponent == 0 ? x : ldexp(x, exponent);
}

/* y* before the activation, with its bound; the sum has n - 2 terms, bias and residual left out. */
static void ref_sum_expect(ref_add *add, double n, const struct cs_conv *conv, const struct cs_conv_data *data,
                           const ptrdiff_t *index, struct cs_expect *expect) {
  const struct ref_type *type = &ref_types[conv->dtype];
  const struct ref_sum sum = ref_sum_terms(add, conv, data, index);
  const double scaled = sum.high + sum.low;
  expect->value = ref_scaled(scaled, sum.exponent);
  expect->rest = ref_scaled(ref_sum_error(sum.high, sum.low, scaled), sum.exponent);
  expect->bound = ref_scaled(ref_gamma(n, type->u) * sum.magnitude, sum.exponent) + n * type->least;
  expect->overflow = !(ref_scaled(sum.magnitude, sum.exponent) + expect->bound <= type->most);
  expect->low = expect->overflow ? -INFINITY : NAN;
  expect->high = expect->overflow ? INFINITY : NAN;
  if (sum.special != 0) {
    expect->value = sum.special;
    expect->low = expect->high = NAN;
  }
  if (!isfinite(expect->value)) expect->rest = 0;
}

/* ---- accuracy by tiles ---------------------------------------------------------------------------------------------- */

/* Dimension d of the tile that output `o` belongs to: the output whose taps begin where the tile's do, and how many taps, those of
 * all its outputs, there are from there on. */
static void ref_tile(const struct cs_conv *conv, int d, ptrdiff_t *o, ptrdiff_t *taps) {
  const ptrdiff_t dilation = conv->dilation[d], block = conv->promise.block[d] > 1 ? conv->promise.block[d] : 1;
  const ptrdiff_t first = *o % dilation + *o / dilation / block * block * dilation, left = (conv->out[d] - 1 - first) / dilation;
  const ptrdiff_t more = left < block - 1 ? left : block - 1;
  *o = conv->transposed ? first + more * dilation : first;
  *taps += more;
}

/* Does a channel's largest value leave the bounds their meaning? */
static int ref_extreme(double most) {
  return !(most == 0 || (most >= 0x1p-50 && most <= 0x1p50));
}

/* A channel's part in the sum; w: its weight at the kernel's first tap. */
static double ref_channel(const struct ref_walk *walk, double most, const char *w) {
  const ptrdiff_t taps = ref_product(walk->conv->kernel, walk->conv->rank);
  double sum = 0, largest = 0;
  for (ptrdiff_t k = 0; k < taps; k++) {
    const double weight = fabs(cs_get(w, (size_t)(k * walk->w_position), walk->conv->dtype));
    sum += weight;
    if (weight > largest || isnan(weight)) largest = weight;
  }
  return ref_extreme(most) || ref_extreme(largest) ? INFINITY : most * sum;
}

/* The sum that is in place of that of |x||w|; infinity where anything is right. */
static double ref_tile_sum(const struct cs_conv *conv, const struct cs_conv_data *data, const ptrdiff_t *index) {
  double most[REF_CHANNELS], sum = 0;
  ptrdiff_t place[CS_MAX_RANK] = {index[0], index[1]};
  struct cs_conv tile = *conv;
  for (int d = 0; d < conv->rank; d++) {
    place[2 + d] = index[2 + d];
    ref_tile(conv, d, &place[2 + d], &tile.kernel[d]);
  }
  const struct ref_walk taps = ref_walk_of(conv, data, index, NULL, NULL);
  struct ref_walk patch = taps;
  patch.conv = &tile;
  patch.o = place + 2;
  patch.visit = ref_types[conv->dtype].most_of;
  patch.state = most;
  patch.w_position = 0;
  for (ptrdiff_t c = 0; c < taps.channels; c += patch.channels) {
    patch.channels = taps.channels - c < REF_CHANNELS ? taps.channels - c : REF_CHANNELS;
    patch.x = taps.x + (size_t)(c * taps.x_step) * taps.size;
    for (ptrdiff_t i = 0; i < patch.channels; i++) most[i] = 0;
    ref_walk_taps(&patch, 0, 0, 0);
    for (ptrdiff_t i = 0; i < patch.channels; i++)
      sum += ref_channel(&taps, most[i], taps.w + (size_t)((c + i) * taps.w_step) * taps.size);
  }
  return sum;
}

/* Replaces the bound of CS_STRICT by that of the promise. */
static void ref_relax(const struct cs_conv *conv, const struct cs_conv_data *data, const ptrdiff_t *index, double n,
                      struct cs_expect *expect) {
  static const struct cs_expect anything = {0, 0, INFINITY, NAN, NAN, 1};
  const struct ref_type *type = &ref_types[conv->dtype];
  const double factor = 4 * ref_gamma(n, type->u) + (conv->promise.accuracy == CS_FAST ? 0x1p-13 : 0);
  double sum = ref_tile_sum(conv, data, index);
  if (!(sum <= DBL_MAX)) {
    *expect = anything;
    return;
  }
  if (data->bias) sum += fabs(cs_get(data->bias, (size_t)index[1], conv->dtype));
  if (data->residual) sum += fabs(cs_get(data->residual, 0, conv->dtype));
  expect->bound = factor * sum + n * type->least;
}

/* ---- outputs that go through a permutation ------------------------------------------------------------------------ */

/* The index before the permutation of what lies at `index` after it. */
static void ref_source_index(const struct cs_conv *conv, const ptrdiff_t *index, ptrdiff_t *before) {
  before[0] = index[0];
  before[1] = index[1];
  for (int d = 0; d < conv->rank; d++) before[2 + d] = index[2 + d];
  if (conv->shuffle > 1) before[1] = index[1] % conv->shuffle * (conv->out_channels / conv->shuffle) + index[1] / conv->shuffle;
  if (conv->pixel_shuffle <= 1) return;
  for (int d = 0; d < conv->rank; d++) {
    before[1] = before[1] * conv->pixel_shuffle + index[2 + d] % conv->pixel_shuffle;
    before[2 + d] = index[2 + d] / conv->pixel_shuffle;
  }
}

/* The residual's element at `index`. */
static const char *ref_residual(const struct cs_conv *conv, const void *residual, const ptrdiff_t *index) {
  const ptrdiff_t factor = conv->pixel_shuffle > 1 ? conv->pixel_shuffle : 1;
  ptrdiff_t channels = conv->out_channels, at;
  for (int d = 0; d < conv->rank; d++) channels /= factor;
  at = index[0] * channels + index[1];
  for (int d = 0; d < conv->rank; d++) at = at * conv->out[d] * factor + index[2 + d];
  return ref_element(residual, at, cs_size(conv->dtype));
}

void cs_conv_expect(const struct cs_conv *conv, const struct cs_conv_data *data, const ptrdiff_t *index, struct cs_expect *expect) {
  const double whole = (double)(conv->in_channels / conv->groups) * (double)ref_product(conv->kernel, conv->rank) + 2;
  const double n = conv->terms > 0 ? (double)conv->terms : whole;
  double a[2] = {conv->act[0], conv->act[1]};
  struct cs_conv_data own = *data;
  ptrdiff_t before[CS_MAX_RANK];
  ref_source_index(conv, index, before);
  if (data->residual) own.residual = ref_residual(conv, data->residual, index);
  ref_sum_expect(ref_add_terms, n, conv, &own, before, expect);
  if (conv->promise.accuracy != CS_STRICT) ref_relax(conv, &own, before, n, expect);
  if (conv->activation == CS_PRELU) a[0] = cs_get(data->slope, (size_t)before[1], conv->dtype);
  if (conv->activation != CS_NONE) cs_activate_expect(conv->activation, a, conv->dtype, expect);
  cs_round_expect(conv->dtype, expect);
}

/* ---- gradient of the weights ----------------------------------------------------------------------------------------- */

/* Terms of outputs in dimension d and below; x and y are the positions so far in input and grad_output, from their channel's first.
 */
static void ref_grad_outputs(const struct ref_walk *walk, int d, ptrdiff_t x, ptrdiff_t y) {
  const struct cs_conv *conv = walk->conv;
  if (d == conv->rank) {
    walk->visit(walk->state, walk->x + (size_t)x * walk->size, 0, walk->w + (size_t)y * walk->size, 0, 1);
    return;
  }
  for (ptrdiff_t o = 0; o < conv->out[d]; o++) {
    const ptrdiff_t source = o * conv->stride[d] - conv->pad[d] + walk->o[d] * conv->dilation[d];
    if (source >= 0 && source < conv->in[d]) ref_grad_outputs(walk, d + 1, x * conv->in[d] + source, y * conv->out[d] + o);
  }
}

/* data->weights is grad_output. */
static void ref_add_grads(const struct cs_conv *conv, const struct cs_conv_data *data, const ptrdiff_t *index, ref_visit *visit,
                          struct ref_sum *sum) {
  const size_t size = cs_size(conv->dtype);
  const ptrdiff_t inputs = ref_product(conv->in, conv->rank), outputs = ref_product(conv->out, conv->rank);
  const ptrdiff_t group = index[0] / (conv->out_channels / conv->groups);
  const ptrdiff_t channel = group * (conv->in_channels / conv->groups) + index[1];
  ptrdiff_t taps[CS_MAX_SPATIAL] = {0, 0, 0};
  struct ref_walk walk = {conv, taps, NULL, NULL, size, 0, 0, 0, 0, 0, visit, sum};
  for (int d = 0; d < conv->rank; d++) taps[d] = conv->flip ? conv->kernel[d] - 1 - index[2 + d] : index[2 + d];
  for (ptrdiff_t n = 0; n < conv->batch; n++) {
    walk.x = ref_element(data->input, (n * conv->in_channels + channel) * inputs, size);
    walk.w = ref_element(data->weights, (n * conv->out_channels + index[0]) * outputs, size);
    ref_grad_outputs(&walk, 0, 0, 0);
  }
}

void cs_conv_grad_weights_expect(const struct cs_conv *conv, const void *input, const void *grad_output, const ptrdiff_t *index,
                                 struct cs_expect *expect) {
  const struct cs_conv_data data = {input, grad_output, NULL, NULL, NULL};
  const double n = (double)conv->batch * (double)ref_product(conv->out, conv->rank) + 2;
  ref_sum_expect(ref_add_grads, n, conv, &data, index, expect);
  cs_round_expect(conv->dtype, expect);
}
