/* Baked weights that are exactly zero, which are no taps: where all weights that a multiply-add meets are, it is left out of the
 * text; where some are, they are tested at run time. */
#ifndef GEN_ZEROS_H
#define GEN_ZEROS_H
#include "problem.h"

/* What a multiply-add of the text meets, in any group, input channel and phase: `channels` output channels of a group,
 * `channel_step` apart, and `taps` taps of the kernel (the last axis fastest), `tap_step` apart. */
struct covered {
  int64_t channel, channel_step, channels, tap, tap_step, taps;
};
enum zeros { ZEROS_NONE, ZEROS_SOME, ZEROS_ALL };

/* Counts the zeros of a problem that has some. */
void zeros_count(struct problem *problem);
enum zeros zeros_of(const struct problem *problem, struct covered covered);
#endif
