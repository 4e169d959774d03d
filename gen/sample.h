/* Samples: which outputs of a layer are compared with the reference. */
#ifndef GEN_SAMPLE_H
#define GEN_SAMPLE_H
#include "op.h"
#include "plan.h"

struct sample {
  const size_t *elements; /* numbers in logical order, ascending */
  size_t count;
};

/* Every output of layers up to 50 million multiply-adds, or with `full`. Beyond: corners with all channels; edges (all spatial
 * indices but one are first or last) and the seams of border segments and of each plan's tiles on first, middle and last lines,
 * with 64 channels each, others at the next place; and 20,000 seeded ones; of a batch the first and the last image. */
struct sample sample_outputs(const struct layer *layer, const struct tensor *output, const struct plan *const *plans, size_t count,
                             bool full, uint64_t seed);
#endif
