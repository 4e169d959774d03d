/* The judge: whether a result is right, given what it may be. */
#include "convsmith.h"
#include <math.h>

static int cs_near(double got, double value, double rest, double bound) {
  return isinf(value) ? got == value : fabs((got - value) - rest) <= bound;
}

int cs_right(const struct cs_expect *expect, double got, int exact) {
  const double bound = exact ? 0 : expect->bound;
  if (isnan(got)) return isnan(expect->value) || expect->overflow;
  return cs_near(got, expect->value, expect->rest, bound) || cs_near(got, expect->low, 0, bound) ||
         cs_near(got, expect->high, 0, bound);
}
