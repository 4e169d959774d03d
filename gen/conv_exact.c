/* How large whole numbers as data may be for a conv layer's every sum to be a whole number that the type holds: then the order of
 * the additions cannot matter and a kernel must agree with the reference to the bit. */
#include "conv.h"
#include <float.h>
#include <math.h>

static bool is_whole(double value, enum cs_dtype dtype) {
  return value == floor(value) && (dtype == CS_F64 || value == (double)(float)value);
}

/* The largest magnitude of baked values, `otherwise` where there are none, infinity where one is no whole number. */
static double magnitude(const struct baked *baked, enum cs_dtype dtype, double otherwise) {
  if (!baked->data) return otherwise;
  double most = 0;
  for (size_t i = 0; i < baked->count; i++) {
    double value = cs_get(baked->data, i, dtype);
    if (!(fabs(value) <= DBL_MAX) || !is_whole(value, dtype)) return INFINITY;
    most = fmax(most, fabs(value));
  }
  return most;
}

/* How much the activation enlarges whole numbers up to `limit`-sized slopes; infinity where it leaves the whole numbers. */
static double gain(const struct layer *layer, double limit) {
  enum cs_dtype dtype = layer->dtype;
  switch (layer->activation) {
  case CS_NONE:
  case CS_RELU:
  case CS_RELU6:
    return 1;
  case CS_PRELU:
    return limit;
  case CS_LEAKY_RELU:
    return is_whole(layer->act[0], dtype) ? fmax(1, fabs(layer->act[0])) : INFINITY;
  case CS_CLAMP:
    return is_whole(layer->act[0], dtype) && is_whole(layer->act[1], dtype) ? 1 : INFINITY;
  default:
    return INFINITY;
  }
}

static double exact_numbers(enum cs_dtype dtype) {
  return dtype == CS_F64 ? 0x1p53 : 0x1p24; /* whole numbers below this are exact in its sums */
}

/* The largest output where inputs are whole numbers up to `input` and what is given besides up to `limit`. */
static double largest(const struct layer *layer, double input, double limit) {
  const double terms = (double)(layer->in_channels / layer->groups) * (double)conv_taps(layer);
  const double weight = magnitude(&layer->weights, layer->dtype, limit);
  const double bias = layer->bias ? magnitude(&layer->bias_values, layer->dtype, limit) : 0;
  return (terms * input * weight + bias + (layer->residual ? limit : 0)) * gain(layer, limit);
}

int conv_exact_limit(const struct layer *layer, int bits) {
  int limit = 8;
  while (limit > 0 && !(ldexp(largest(layer, limit, limit), bits) < exact_numbers(layer->dtype))) limit--;
  return limit;
}

int conv_exact_limit_of(const struct layer *first, const struct layer *second) {
  int limit = 8;
  while (limit > 0 && !(largest(second, largest(first, limit, limit), limit) < exact_numbers(first->dtype))) limit--;
  return limit;
}
