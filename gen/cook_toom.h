/* Cook-Toom: m outputs of a correlation with r taps from m + r - 1 products, as exact matrices. For inputs d and taps g,
 *
 *   y = output · ((kernel · g) ∘ (input · d)),   y[i] = Σ_k d[i + k] g[k]
 *
 * A polynomial product is known from its values at points; this is its transpose (Winograd, Arithmetic Complexity of Computations,
 * 1980; Lavin and Gray, 2016). The points are 0, ±1, ±2, ±1/2 and infinity, in this order as far as they are needed. */
#ifndef GEN_COOK_TOOM_H
#define GEN_COOK_TOOM_H
#include <stdbool.h>
#include <stdint.h>

enum { COOK_TOOM_POINTS = 8 };

struct rational {
  int64_t top, bottom; /* no common factor, bottom > 0 */
};

struct cook_toom {
  int m, r, points;                                           /* points = m + r - 1, at most COOK_TOOM_POINTS */
  struct rational input[COOK_TOOM_POINTS][COOK_TOOM_POINTS];  /* points × points, bottoms are powers of two */
  struct rational kernel[COOK_TOOM_POINTS][COOK_TOOM_POINTS]; /* points × r */
  struct rational output[COOK_TOOM_POINTS][COOK_TOOM_POINTS]; /* m × points, bottoms are powers of two */
};

struct cook_toom cook_toom(int m, int r);
double rational_value(struct rational a);
/* Bits by which whole numbers, counted in the smallest unit that occurs, may outgrow the plain sums on their way; -1: they are not
 * exact, since some unit is no power of two. */
double cook_toom_growth(const struct cook_toom *transform);
#endif
