/* Stacks: the receptive field of layers in file order, each one's output the next one's input. Where every layer's windows are
 * alike (receptive.h) the field is a sum of combs; where outputs take turns, as those of a transposed convolution do, some read
 * more than others, and the largest counts. */
#ifndef GEN_STACK_H
#define GEN_STACK_H
#include "receptive.h"

/* How many layers from the first on form a stack. At least 1. */
size_t stack_length(const struct layer *layers, size_t count);
/* Its receptive field along every axis: of layers that take turns the size alone, with jump 0. False where it exceeds 2^63-1, or is
 * too much to look at. */
bool stack_fields(const struct layer *layers, size_t count, struct field *fields);
#endif
