/* What the files of the op `conv` share. */
#ifndef GEN_CONV_H
#define GEN_CONV_H
#include "op.h"

bool conv_resolve(struct layer *layer, struct diags *diags);
int conv_exact_limit(const struct layer *layer);
int64_t conv_taps(const struct layer *layer); /* of the kernel: Πk */
/* The layer as the reference takes it. */
struct cs_conv conv_reference(const struct layer *layer);
/* weights [M, C/g, k...] */
struct tensor conv_weights(const struct layer *layer);
/* A parameter [M]. */
struct tensor conv_channels(const struct layer *layer, const char *name, const void *baked);
#endif
