/* One axis of a problem: which inputs its outputs read, and which of their taps lie in the padding. All in closed form: axes may
 * have billions of outputs. */
#ifndef GEN_AXIS_H
#define GEN_AXIS_H
#include "problem.h"

/* The element that position i of a padded row of `size` holds, -1 for a zero. Reflect and circular pads are at most one row long.
 */
int64_t axis_source(enum cs_pad_mode mode, int64_t i, int64_t size);
/* First output, and the one after the last, whose taps all lie inside the input; both are the axis' end where there is none. */
void axis_interior(const struct axis *axis, int64_t *from, int64_t *to);
bool axis_trimmed(const struct axis *axis);   /* does some output have a tap outside the input? */
bool axis_pointwise(const struct axis *axis); /* does each output read the one input at its place? */
/* Taps that lie inside the input for some output of a group, all groups of `span` neighbouring outputs added up. */
int64_t axis_live(const struct axis *axis, int64_t span);
#endif
