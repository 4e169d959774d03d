/* Elements by type, and tensors filled with seeded data: the same numbers on every machine, from integers alone. */
#include "convsmith.h"
#include <float.h>
#include <math.h>
#include <string.h>

size_t cs_size(enum cs_dtype dtype) {
  static const size_t sizes[] = {sizeof(float), sizeof(double), sizeof(uint16_t)};
  return sizes[dtype];
}

/* bf16 is the upper half of an f32. */
static double fill_widened(const void *data, size_t index) {
  uint16_t half;
  float value;
  memcpy(&half, (const char *)data + index * sizeof half, sizeof half);
  const uint32_t bits = (uint32_t)half << 16;
  memcpy(&value, &bits, sizeof value);
  return (double)value;
}

/* The nearest number of eight bits with an exponent of f32's, ties to even. */
static uint16_t fill_narrowed(double value) {
  int exponent;
  uint32_t bits;
  if (isfinite(value)) {
    frexp(value, &exponent);
    if (exponent < FLT_MIN_EXP) exponent = FLT_MIN_EXP; /* denormals */
    value = ldexp(nearbyint(ldexp(value, 8 - exponent)), exponent - 8);
  }
  const float narrow = fabs(value) > (double)FLT_MAX ? (float)copysign(INFINITY, value) : (float)value;
  memcpy(&bits, &narrow, sizeof bits);
  return (uint16_t)(isnan(value) ? bits >> 16 | 0x40 : bits >> 16);
}

double cs_get(const void *data, size_t index, enum cs_dtype dtype) {
  float narrow;
  double wide;
  if (dtype == CS_BF16) return fill_widened(data, index);
  if (dtype == CS_F64) {
    memcpy(&wide, (const char *)data + index * sizeof wide, sizeof wide);
    return wide;
  }
  memcpy(&narrow, (const char *)data + index * sizeof narrow, sizeof narrow);
  return (double)narrow;
}

void cs_put(void *data, size_t index, enum cs_dtype dtype, double value) {
  const float narrow = (float)value;
  if (dtype == CS_BF16) {
    const uint16_t half = fill_narrowed(value);
    memcpy((char *)data + index * sizeof half, &half, sizeof half);
  } else if (dtype == CS_F64) {
    memcpy((char *)data + index * sizeof value, &value, sizeof value);
  } else {
    memcpy((char *)data + index * sizeof narrow, &narrow, sizeof narrow);
  }
}

/* splitmix64: Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014. */
uint64_t cs_random(uint64_t *state) {
  uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

/* A whole number in -limit..limit. */
static double fill_integer(uint64_t random, int limit) {
  const uint64_t choices = 2 * (uint64_t)limit + 1;
  return (double)(int64_t)(((random >> 32) * choices) >> 32) - limit;
}

/* An odd multiple of 2^-24 (f64: 2^-53) in (-1, 1): every bit of the significand is used, and 0 and 1 do not occur, before bf16
 * rounds it. */
static double fill_random(uint64_t random, enum cs_dtype dtype) {
  const int bits = dtype == CS_F64 ? 53 : 24;
  const int64_t one = INT64_C(1) << bits, odd = 2 * (int64_t)(random >> (64 - bits)) + 1 - one;
  return (double)odd / (double)one;
}

/* What breaks kernels. A quarter is not finite, so that most sums stay finite. */
static double fill_special(uint64_t random, enum cs_dtype dtype) {
  const double half[] = {NAN,  INFINITY, -INFINITY, 0x1p-133, -(double)FLT_MIN / 3, 0.0, -0.0, 0x1.fep127,
                         1e30, -1e30,    1e-30,     FLT_MIN};
  const double narrow[] = {
      NAN,   INFINITY, -INFINITY, (double)FLT_MIN * FLT_EPSILON, -(double)FLT_MIN / 3, 0.0, -0.0, FLT_MAX, 1e30,
      -1e30, 1e-30,    FLT_MIN};
  const double wide[] = {NAN,    INFINITY, -INFINITY, DBL_MIN * DBL_EPSILON, -DBL_MIN / 3, 0.0, -0.0, DBL_MAX, 1e300,
                         -1e300, 1e-300,   DBL_MIN};
  const double *const rows[] = {narrow, wide, half};
  return rows[dtype][random % (sizeof narrow / sizeof *narrow)];
}

/* One element in 128 is special. The last one always is, and of more than eight the middle one is not finite, so that small tensors
 * hold some too. */
static double fill_hostile(uint64_t random, enum cs_dtype dtype, size_t i, size_t count) {
  static const double not_finite[] = {NAN, INFINITY, -INFINITY};
  if (count > 8 && i == count / 2) return not_finite[random % 3];
  const int always = count > 1 && (i == count / 2 || i == count - 1);
  return always || random % 128 == 0 ? fill_special(random >> 7, dtype) : fill_random(random, dtype);
}

void cs_fill(void *data, size_t count, enum cs_dtype dtype, enum cs_fill kind, int limit, uint64_t seed) {
  uint64_t state = seed;
  for (size_t i = 0; i < count; i++) {
    const uint64_t random = cs_random(&state);
    double value = 0;
    switch (kind) {
    case CS_FILL_INTEGERS:
      value = fill_integer(random, limit);
      break;
    case CS_FILL_RANDOM:
      value = fill_random(random, dtype);
      break;
    case CS_FILL_HOSTILE:
      value = fill_hostile(random, dtype, i, count);
      break;
    }
    cs_put(data, i, dtype, value);
  }
}
