/* Exact factors. A finite float is odd·2^exponent: two products are equal if those of the odd parts are, and the exponents' sums.
 * An array is a product of vectors if and only if every 2×2 minor of each of its unfoldings vanishes; those with the largest
 * element suffice. Its vectors are then whole numbers without a common divisor, found by greatest common divisors along the lines
 * through that element, times a constant; each odd part divides one of an element, so all of them are exact in the array's type.
 *
 * Powers of two are shifted from pass to pass so that no sum of one overflows unless the sum over all taps may, and that what tiny
 * products lose stays within the bound (underflow_of). */
#include "factor.h"
#include "mem.h"
#include <math.h>

struct exact {
  int64_t odd; /* 0 only for zero */
  int exponent;
};

static struct exact exact_of(double value) {
  struct exact exact = {0, 0};
  if (value == 0) return exact;
  exact.odd = (int64_t)ldexp(frexp(value, &exact.exponent), 53);
  exact.exponent -= 53;
  for (; exact.odd % 2 == 0; exact.odd /= 2) exact.exponent++;
  return exact;
}

/* a·b == c·d? Odd parts have at most 53 bits: a product and its rounding error are exact. */
static bool same_products(struct exact a, struct exact b, struct exact c, struct exact d) {
  const double p = (double)a.odd * (double)b.odd, q = (double)c.odd * (double)d.odd;
  if (p != q || p == 0) return p == q;
  return fma((double)a.odd, (double)b.odd, -p) == fma((double)c.odd, (double)d.odd, -q) &&
         a.exponent + b.exponent == c.exponent + d.exponent;
}

static int64_t common_divisor(int64_t a, int64_t b) {
  while (b) {
    const int64_t rest = a % b;
    a = b;
    b = rest;
  }
  return a < 0 ? -a : a;
}

/* ---- the array --------------------------------------------------------------------------------------------------------- */

struct array {
  struct factoring *factoring;
  const void *weights;
  int64_t count, pivot; /* number of the largest element */
};

static double element(const struct array *array, int64_t i) {
  return cs_get(array->weights, (size_t)i, array->factoring->dtype);
}

/* Elements from one index of dimension d to the next. */
static int64_t step_of(const struct array *array, int d) {
  const struct factoring *factoring = array->factoring;
  return shape_product(factoring->size + d + 1, factoring->rank - d - 1);
}

static int64_t index_of(const struct array *array, int64_t i, int d) {
  return i / step_of(array, d) % array->factoring->size[d];
}

/* The element whose index is i's, but the pivot's along dimension d; and the other way round. */
static int64_t with_pivot(const struct array *array, int64_t i, int d) {
  return i + (index_of(array, array->pivot, d) - index_of(array, i, d)) * step_of(array, d);
}

static int64_t through_pivot(const struct array *array, int64_t i, int d) {
  return array->pivot + (index_of(array, i, d) - index_of(array, array->pivot, d)) * step_of(array, d);
}

static bool is_finite(struct array *array) {
  for (int64_t i = 0; i < array->count; i++) {
    if (!isfinite(element(array, i))) return false;
    if (fabs(element(array, i)) > fabs(element(array, array->pivot))) array->pivot = i;
  }
  return true;
}

/* Does the minor of element i and the pivot vanish in every unfolding? */
static bool has_rank_one(const struct array *array, int64_t i) {
  const struct exact own = exact_of(element(array, i)), pivot = exact_of(element(array, array->pivot));
  for (int d = 0; d < array->factoring->rank; d++)
    if (!same_products(own, pivot, exact_of(element(array, with_pivot(array, i, d))),
                       exact_of(element(array, through_pivot(array, i, d)))))
      return false;
  return true;
}

/* How far element i is from the product of the lines through the pivot. */
static double residual(const struct array *array, int64_t i) {
  const double pivot = element(array, array->pivot);
  double product = pivot;
  for (int d = 0; d < array->factoring->rank; d++) product *= element(array, through_pivot(array, i, d)) / pivot;
  return element(array, i) - product;
}

static void find_residual(struct array *array) {
  struct factoring *factoring = array->factoring;
  int64_t worst = 0;
  for (int64_t i = 0; i < array->count; i++)
    if (fabs(residual(array, i)) > fabs(residual(array, worst))) worst = i;
  factoring->residual = residual(array, worst);
  factoring->largest = element(array, array->pivot);
  for (int d = 0; d < factoring->rank; d++) factoring->index[d] = index_of(array, worst, d);
}

/* ---- whole factors ----------------------------------------------------------------------------------------------------- */

/* One pass: whole numbers without a common divisor, positive at the pivot. */
struct vector {
  struct exact *items;
  int64_t count;
};

static struct vector vector_of(const struct array *array, int d) {
  struct vector vector = {.count = array->factoring->size[d]};
  const int64_t from = array->pivot - index_of(array, array->pivot, d) * step_of(array, d);
  const bool negative = element(array, array->pivot) < 0;
  int64_t divisor = 0;
  int least = INT16_MAX;
  vector.items = mem_array((size_t)vector.count, sizeof *vector.items);
  for (int64_t i = 0; i < vector.count; i++) {
    struct exact *item = &vector.items[i];
    *item = exact_of(element(array, from + i * step_of(array, d)));
    divisor = common_divisor(divisor, item->odd);
    if (item->odd && item->exponent < least) least = item->exponent;
  }
  for (int64_t i = 0; i < vector.count && divisor; i++) {
    vector.items[i].odd /= negative ? -divisor : divisor;
    vector.items[i].exponent -= least;
  }
  return vector;
}

/* What the product of all vectors lacks. */
static struct exact constant_of(const struct array *array, const struct vector *vectors, int rank) {
  struct exact constant = exact_of(element(array, array->pivot));
  for (int d = 0; d < rank; d++) {
    const struct exact item = vectors[d].items[index_of(array, array->pivot, d)];
    if (item.odd) constant.odd /= item.odd;
    constant.exponent -= item.exponent;
  }
  return constant;
}

static void multiply(struct vector *vector, struct exact constant) {
  for (int64_t i = 0; i < vector->count; i++) {
    vector->items[i].odd *= constant.odd;
    vector->items[i].exponent += constant.exponent;
  }
}

/* ---- range ------------------------------------------------------------------------------------------------------------- */

static double value_of(struct exact item, int shift) {
  return ldexp((double)item.odd, item.exponent + shift);
}

/* What a pass with shifted factors does to numbers. */
struct gain {
  double sum, least; /* of absolute values; the least of what is not zero */
  bool whole;
};

static struct gain gain_of(const struct vector *vector, int shift) {
  struct gain gain = {0, INFINITY, true};
  for (int64_t i = 0; i < vector->count; i++) {
    const double size = fabs(value_of(vector->items[i], shift));
    gain.sum += size;
    if (size > 0 && size < gain.least) gain.least = size;
    gain.whole &= size == floor(size);
  }
  return gain;
}

/* A pass overflows only where the sum of |x||w| does: nothing grows up to it, or nothing shrinks after it. That of one factor,
 * which is one, changes nothing. */
static bool overflows(const struct vector *vectors, const struct gain *gains, int count) {
  for (int pass = 0; pass + 1 < count; pass++) {
    double sum = 1, least = 1;
    if (vectors[pass].count == 1) continue;
    for (int i = 0; i < count; i++) {
      if (i <= pass)
        sum *= gains[i].sum;
      else
        least *= gains[i].least;
    }
    if (sum > 0.999 && least < 1) return true;
  }
  return false;
}

/* What tiny products lose at most, in units of the smallest denormal: half of one each, unless the factor is a whole number. */
static double underflow_of(const struct vector *vectors, const struct gain *gains, int count) {
  double loss = 0;
  for (int i = 0; i < count; i++) loss = loss * gains[i].sum + (gains[i].whole ? 0 : 0.5 * (double)vectors[i].count);
  return loss;
}

/* Are shifted factors exact in the type, and safe? shifts[d] of dimension d. */
static bool is_safe(const struct factoring *factoring, const struct vector *vectors, const int *shifts) {
  struct gain gains[MAX_SPATIAL];
  double terms = 1.9; /* of the two for bias and residual, which lose nothing */
  for (int d = 0; d < factoring->rank; d++) {
    gains[d] = gain_of(&vectors[d], shifts[d]);
    terms += (double)vectors[d].count;
    for (int64_t i = 0; i < vectors[d].count; i++) {
      const double value = value_of(vectors[d].items[i], shifts[d]);
      if (!isfinite(value) || (factoring->dtype == CS_F32 && (double)(float)value != value)) return false;
      if (vectors[d].items[i].odd && exact_of(value).odd != vectors[d].items[i].odd) return false;
    }
  }
  return !overflows(vectors, gains, factoring->rank) && underflow_of(vectors, gains, factoring->rank) <= terms;
}

/* Shifts every dimension before `last` from d on, which takes it back. */
static bool shift(const struct factoring *factoring, const struct vector *vectors, int d, int last, int *shifts) {
  enum { MOST = 130 };
  if (d >= last) return is_safe(factoring, vectors, shifts);
  if (factoring->size[d] == 1) return shift(factoring, vectors, d + 1, last, shifts);
  for (int by = 0; by <= MOST; by++, shifts[d]--, shifts[last]++)
    if (shift(factoring, vectors, d + 1, last, shifts)) return true;
  shifts[d] += MOST + 1;
  shifts[last] -= MOST + 1;
  return false;
}

static void put(const struct factoring *factoring, const struct vector *vectors, const int *shifts,
                void *const values[MAX_SPATIAL]) {
  for (int d = 0; d < factoring->rank; d++)
    for (int64_t i = 0; i < vectors[d].count; i++)
      cs_put(values[d], (size_t)i, factoring->dtype, value_of(vectors[d].items[i], shifts[d]));
}

enum factor_fault factor_array(struct factoring *factoring, const void *weights, void *const values[MAX_SPATIAL]) {
  struct array array = {.factoring = factoring, .weights = weights, .count = shape_product(factoring->size, factoring->rank)};
  struct vector vectors[MAX_SPATIAL] = {{NULL, 0}};
  const int rank = factoring->rank;
  int shifts[MAX_SPATIAL] = {0}, last = rank - 1;
  if (!is_finite(&array)) return FACTOR_NOT_FINITE;
  for (int64_t i = 0; i < array.count; i++)
    if (!has_rank_one(&array, i)) {
      find_residual(&array);
      return FACTOR_RANK;
    }
  for (int d = 0; d < rank; d++) vectors[d] = vector_of(&array, d);
  while (last > 0 && factoring->size[last] == 1) last--;
  multiply(&vectors[last], constant_of(&array, vectors, rank));
  if (!shift(factoring, vectors, 0, last, shifts)) return FACTOR_RANGE;
  put(factoring, vectors, shifts, values);
  return FACTOR_NONE;
}
