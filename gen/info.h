/* Info: what can be said about a layer before any code is made, for `convsmith info` to print as text or JSON. */
#ifndef GEN_INFO_H
#define GEN_INFO_H
#include "job.h"
#include "receptive.h"

struct info {
  const struct layer *layer;
  int rank;                        /* of the input and output */
  const ptrdiff_t *input, *output; /* logical shapes */
  int64_t parameters, multiply_adds;
  struct field field[MAX_SPATIAL];
  int64_t terms; /* n of γ(n): products, bias and residual that one output sums */
  double gamma;  /* infinite where n·u ≥ 1 */
  struct isa_set targets;
  const struct plan **plans; /* one for each target; NULL where none fits, which was reported */
};

struct info info_of(struct job *job, const struct layer *layer);
const char *plan_algorithm(const struct plan *plan);
/* |y - y*| ≤ factor·Σ|x||w| before the activation, or of another sum for a promise less than strict. */
double info_factor(const struct info *info, const struct cs_promise *promise);
#endif
