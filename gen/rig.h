/* Rigs: a loaded kernel with buffers, filled and packed, ready to be called for timing. */
#ifndef GEN_RIG_H
#define GEN_RIG_H
#include "kernel.h"
#include "op.h"
#include "timing.h"

/* Every buffer is 64-byte aligned. `copies` packed buffers take turns from call to call: one for weights that are hot, as many as
 * rig_copies says for weights that come from memory, as a network meets them. */
struct rig {
  const struct kernel *kernel;
  const void *inputs[MAX_TENSORS]; /* in the order of struct kernel's calls */
  void *output, *workspace, **packed;
  size_t copies, next;
  void *residual; /* what lay apart until rig_in_place */
  bool borrows;   /* inputs and output are another one's */
};

/* `size` aligned bytes and a few more, zeroed, for free(); NULL when there are none. */
void *rig_buffer(size_t size);
/* How many buffers of `bytes` bytes exceed what caches keep: at least 2, in all at most about 256 MiB. */
size_t rig_copies(size_t bytes);
/* logical[i]: values of the layer's tensor i in logical order, NULL for random ones. False when out of memory; rig_close is due in
 * both cases. */
bool rig_open(struct rig *rig, const struct layer *layer, const struct kernel *kernel, const void *const *logical, size_t copies);
void rig_close(struct rig *rig);
/* From now on the residual, if there is one, is the output itself, as in a network that adds to what it has. */
void rig_in_place(struct rig *rig, const struct layer *layer);
/* From now on, inputs and output are those of `owner`, a rig of the same layer: where memory lies, in which caches' sets, then
 * favours neither. */
void rig_share(struct rig *rig, const struct rig *owner);
/* One call of the whole kernel. */
struct timed rig_timed(struct rig *rig);
#endif
