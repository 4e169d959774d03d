/* Coverage: inputs that no output reads. */
#ifndef GEN_COVERAGE_H
#define GEN_COVERAGE_H
#include "gaps.h"
#include "spec.h"

/* The indices of the layer's input along `axis` that no output reads, reads of the padding (reflect, replicate, circular) counted.
 * Exact; false where bounded time is not enough (strides and kernels of many thousands at once). */
bool input_unread(const struct layer *layer, int axis, struct gaps *gaps);
#endif
