/* Gridding: dilated layers one after another whose receptive field has holes. */
#ifndef GEN_GRIDDING_H
#define GEN_GRIDDING_H
#include "spec.h"

/* Warns at the first dilated layer of each run of two or more layers that chain, at least one of them dilated, whose receptive
 * field has holes. */
void gridding_warn(const struct spec *spec, struct diags *diags);
#endif
