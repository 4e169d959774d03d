/* Trials: one kernel on one kind of data, between guard pages. */
#ifndef GEN_TRIAL_H
#define GEN_TRIAL_H
#include "exam.h"

enum { DESK_BUFFERS = MAX_TENSORS + 2 };

/* The buffers of a call: one for each tensor that the kernel sees (in op order; baked ones have none), then packed and workspace.
 */
struct desk {
  struct cs_guard guards[DESK_BUFFERS];
  size_t count;
};

/* Calls the kernel in every way and checks all it may do. False with what is wrong in outcome->message; outcome->doing says at any
 * time which call is running. */
bool trial_run(const struct exam *exam, const struct trial *trial, const struct kernel *kernel, struct desk *desk,
               struct outcome *outcome);
/* What buffer `i` of a desk is called. */
const char *desk_name(const struct exam *exam, int i);
#endif
