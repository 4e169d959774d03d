/* Activations by their definitions, and what they make of a sum that is known within a bound. */
#include "convsmith.h"
#include <float.h>
#include <math.h>

/* Each by its definition, of x and the layer's numbers a. A comparison with NaN is false, and each is written so that NaN stays. */
typedef long double ref_function(long double x, const double *a);

static long double ref_clamp(long double x, const double *a) {
  return x < a[0] ? a[0] : x > a[1] ? a[1] : x;
}

static long double ref_relu(long double x, const double *a) {
  (void)a;
  return x < 0 ? 0 : x;
}

static long double ref_relu6(long double x, const double *a) {
  static const double limits[] = {0, 6};
  (void)a;
  return ref_clamp(x, limits);
}

static long double ref_hardsigmoid(long double x, const double *a) {
  return ref_relu6(x + 3, a) / 6;
}

static long double ref_hardswish(long double x, const double *a) {
  return x * ref_hardsigmoid(x, a);
}

static long double ref_sigmoid(long double x, const double *a) {
  (void)a;
  return 1 / (1 + expl(-x));
}

static long double ref_silu(long double x, const double *a) {
  return x * ref_sigmoid(x, a);
}

static long double ref_tanh(long double x, const double *a) {
  (void)a;
  return tanhl(x);
}

static long double ref_gelu(long double x, const double *a) {
  (void)a;
  return x * 0.5L * erfcl(-x * 0.70710678118654752440084436210485L); /* 1 + erf(t) = erfc(-t), which does not cancel */
}

static long double ref_leaky_relu(long double x, const double *a) {
  return x < 0 ? a[0] * x : x;
}

/* lipschitz: how much of an error in x can reach f(x). unit: its values lie in -1..1, and S is 1. sloped: a[0] is the slope below
 * zero, and the constant is max(lipschitz, |slope|). */
static const struct {
  ref_function *apply;
  double lipschitz;
  int unit, sloped;
} ref_activations[] = {
    /* CS_NONE */ {NULL, 1, 0, 0},
    /* CS_RELU */ {ref_relu, 1, 0, 0},
    /* CS_RELU6 */ {ref_relu6, 1, 0, 0},
    /* CS_SIGMOID */ {ref_sigmoid, 0.25, 1, 0},
    /* CS_TANH */ {ref_tanh, 1, 1, 0},
    /* CS_SILU */ {ref_silu, 1.1, 0, 0},
    /* CS_HARDSWISH */ {ref_hardswish, 1.5, 0, 0},
    /* CS_HARDSIGMOID */ {ref_hardsigmoid, 1.0 / 6, 1, 0},
    /* CS_GELU */ {ref_gelu, 1.13, 0, 0},
    /* CS_LEAKY_RELU */ {ref_leaky_relu, 1, 0, 1},
    /* CS_CLAMP */ {ref_clamp, 1, 0, 0},
    /* CS_PRELU */ {ref_leaky_relu, 1, 0, 1},
};

/* Of a type's sums: unit roundoff, smallest and largest positive value. */
static const struct ref_limits {
  double u, least, most;
} ref_limits[] = {
    /* CS_F32 */ {FLT_EPSILON / 2.0, (double)FLT_MIN *FLT_EPSILON, FLT_MAX},
    /* CS_F64 */ {DBL_EPSILON / 2, DBL_MIN *DBL_EPSILON, DBL_MAX},
    /* CS_BF16 */ {FLT_EPSILON / 2.0, (double)FLT_MIN *FLT_EPSILON, FLT_MAX},
};

/* S of the bound: the size that the activation's own rounding errors are relative to. At an infinite x only the result counts. */
static double ref_scale(int unit, double x, double y) {
  if (unit || isinf(y)) return 1;
  return isinf(x) ? fmax(1, fabs(y)) : fmax(fabs(x), fabs(y));
}

/* A slope that is NaN or infinite, where rounding errors decide on which side of zero the sum lies: right is what either side
 * gives. */
static void ref_either_side(double slope, struct cs_expect *expect) {
  expect->value = fmax(expect->value, 0);
  expect->rest = 0;
  if (isnan(slope))
    expect->overflow = 1;
  else
    expect->low = -slope;
}

void cs_activate_expect(enum cs_activation activation, const double *a, enum cs_dtype dtype, struct cs_expect *expect) {
  const struct ref_limits *type = &ref_limits[dtype];
  ref_function *apply = ref_activations[activation].apply;
  const int sloped = ref_activations[activation].sloped;
  const double x = expect->value;
  if (sloped && !isfinite(a[0]) && fabs(x) <= expect->bound) {
    ref_either_side(a[0], expect);
    return;
  }
  const long double y = apply((long double)x + expect->rest, a);
  expect->value = (double)y;
  expect->rest = isfinite(expect->value) ? (double)(y - expect->value) : 0;
  if (expect->overflow) { /* else they are NaN */
    expect->low = (double)apply(expect->low, a);
    expect->high = (double)apply(expect->high, a);
  }
  if (!isfinite(x)) expect->bound = 0; /* an infinite sum has no error */
  expect->bound *= sloped && isfinite(a[0]) ? fmax(1, fabs(a[0])) : ref_activations[activation].lipschitz;
  expect->bound += 8 * type->u * ref_scale(ref_activations[activation].unit, x, expect->value) + 8 * type->least;
  if (expect->value + expect->bound > type->most) expect->high = INFINITY;
  if (expect->value - expect->bound < -type->most) expect->low = -INFINITY;
}
