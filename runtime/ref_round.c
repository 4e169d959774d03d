/* Rounding to a type that is narrower than its sums: what a result within the bound of y* may be once it is stored. Rounding keeps
 * order, so that it lies between what the bound's two ends are rounded to. */
#include "convsmith.h"
#include <float.h>
#include <math.h>

static double round_to(enum cs_dtype dtype, double value) {
  uint16_t stored;
  cs_put(&stored, 0, dtype, value);
  return cs_get(&stored, 0, dtype);
}

/* Both ends beyond the largest number are infinity. One beyond it makes infinity right as well, and the number is the largest. */
static void round_between(double least, double largest, struct cs_expect *expect) {
  const double most = 0x1.fep127;
  if (least > most || largest < -most) {
    expect->value = least > most ? INFINITY : -INFINITY;
    expect->bound = 0;
    return;
  }
  if (largest > most) expect->high = INFINITY;
  if (least < -most) expect->low = -INFINITY;
  expect->value = fmin(fmax(expect->value, -most), most);
  expect->bound = fmax(fmin(largest, most) - expect->value, expect->value - fmax(least, -most));
}

void cs_round_expect(enum cs_dtype dtype, struct cs_expect *expect) {
  const double value = expect->value;
  if (dtype != CS_BF16) return;
  expect->low = round_to(dtype, expect->low);
  expect->high = round_to(dtype, expect->high);
  if (!isfinite(value) || !(expect->bound <= DBL_MAX)) return;
  expect->value = round_to(dtype, value);
  expect->rest = 0;
  round_between(round_to(dtype, value - expect->bound), round_to(dtype, value + expect->bound), expect);
}
