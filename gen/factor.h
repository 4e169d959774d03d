/* Factors: an array of weights as the product of one vector for each of its dimensions, where it is one exactly. Whether it is, and
 * what the vectors are, is computed without rounding. */
#ifndef GEN_FACTOR_H
#define GEN_FACTOR_H
#include "spec.h"

struct factoring {
  int rank;
  int64_t size[MAX_SPATIAL];
  enum cs_dtype dtype;
  double residual, largest;   /* not of rank 1: how far the nearest product of a row and a column is off, and the largest weight */
  int64_t index[MAX_SPATIAL]; /* where it is */
};

/* What keeps an array from being computed as one pass a dimension. */
enum factor_fault {
  FACTOR_NONE,
  FACTOR_NOT_FINITE,
  FACTOR_RANK, /* residual, largest and index say by how much */
  FACTOR_RANGE /* sums of single passes could overflow, or lose tiny inputs, where the sum over all taps does not */
};

/* Fills values[d], size[d] elements each, for the array `weights`, whose product they are to the last bit. Factors are whole
 * numbers where weights are; the last dimension of more than one element has what the others do not. */
enum factor_fault factor_array(struct factoring *factoring, const void *weights, void *const values[MAX_SPATIAL]);
#endif
