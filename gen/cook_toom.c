/* Cook-Toom matrices in exact arithmetic. Row j of `input` holds the coefficients of the polynomial that is zero at all points but
 * the j-th (infinity: at all of them), row j of `kernel` the powers of point j over that polynomial's value there, column j of
 * `output` the powers of point j. Polynomials with leading coefficient 1 leave the fractions that are no powers of two to the
 * kernel, which is transformed ahead. */
#include "cook_toom.h"
#include <math.h>

/* The largest common divisor, 1 of zeros. */
static int64_t common(int64_t a, int64_t b) {
  while (b != 0) {
    const int64_t rest = a % b;
    a = b;
    b = rest;
  }
  return a == 0 ? 1 : a < 0 ? -a : a;
}

static struct rational ratio(int64_t top, int64_t bottom) {
  const int64_t shared = common(top, bottom) * (bottom < 0 ? -1 : 1);
  return (struct rational){top / shared, bottom / shared};
}

static struct rational times(struct rational a, struct rational b) {
  return ratio(a.top * b.top, a.bottom * b.bottom);
}

static struct rational minus(struct rational a, struct rational b) {
  return ratio(a.top * b.bottom - b.top * a.bottom, a.bottom * b.bottom);
}

double rational_value(struct rational a) {
  return (double)a.top / (double)a.bottom;
}

static struct rational power(struct rational a, int exponent) {
  struct rational result = {1, 1};
  while (exponent-- > 0) result = times(result, a);
  return result;
}

static const struct rational places[COOK_TOOM_POINTS - 1] = {{0, 1}, {1, 1}, {-1, 1}, {2, 1}, {-2, 1}, {1, 2}, {-1, 2}};

/* The coefficients, lowest first, of the product of x - p over all finite points p but the j-th. */
static void zero_elsewhere(int points, int j, struct rational coefficients[COOK_TOOM_POINTS]) {
  for (int i = 0; i < COOK_TOOM_POINTS; i++) coefficients[i] = (struct rational){i == 0, 1};
  for (int p = 0; p < points - 1; p++) {
    if (p == j) continue;
    for (int i = points - 1; i > 0; i--) coefficients[i] = minus(coefficients[i - 1], times(places[p], coefficients[i]));
    coefficients[0] = times(minus((struct rational){0, 1}, places[p]), coefficients[0]);
  }
}

/* The value at point j of the polynomial that is zero at the others. */
static struct rational value_at(int points, int j) {
  struct rational value = {1, 1};
  for (int p = 0; p < points - 1; p++)
    if (p != j) value = times(value, minus(places[j], places[p]));
  return value;
}

struct cook_toom cook_toom(int m, int r) {
  struct cook_toom transform = {.m = m, .r = r, .points = m + r - 1};
  const int points = transform.points, infinity = points - 1;
  for (int j = 0; j < points; j++) {
    const struct rational scale = j == infinity ? (struct rational){1, 1} : value_at(points, j);
    zero_elsewhere(points, j, transform.input[j]);
    for (int k = 0; k < r; k++)
      transform.kernel[j][k] =
          j == infinity ? (struct rational){k == r - 1, 1} : times(power(places[j], k), ratio(scale.bottom, scale.top));
    for (int i = 0; i < m; i++) transform.output[i][j] = j == infinity ? (struct rational){i == m - 1, 1} : power(places[j], i);
  }
  return transform;
}

/* The largest sum of a row's magnitudes, in units of the matrix' smallest; infinity where a unit is no power of two. */
static double largest_row(const struct rational (*rows)[COOK_TOOM_POINTS], int height, int width) {
  int64_t unit = 1;
  double largest = 0;
  for (int i = 0; i < height; i++)
    for (int j = 0; j < width; j++) unit = unit / common(unit, rows[i][j].bottom) * rows[i][j].bottom;
  for (int i = 0; i < height; i++) {
    double sum = 0;
    for (int j = 0; j < width; j++) sum += fabs(rational_value(rows[i][j]));
    largest = fmax(largest, sum);
  }
  return (unit & (unit - 1)) == 0 ? largest * (double)unit : INFINITY;
}

double cook_toom_growth(const struct cook_toom *transform) {
  const double growth = largest_row(transform->input, transform->points, transform->points) *
                        largest_row(transform->kernel, transform->points, transform->r) *
                        largest_row(transform->output, transform->m, transform->points) / transform->r;
  return isinf(growth) ? -1 : fmax(0, log2(growth));
}
