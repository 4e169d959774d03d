/* Baked values: .npy files that become part of the generated file. */
#ifndef GEN_BAKED_H
#define GEN_BAKED_H
#include "op.h"

/* Reads baked->path into the arena. The file must hold the tensor's type and shape; what is wrong with it is reported at `key`. */
bool baked_read(struct baked *baked, const struct layer *layer, const char *key, const struct tensor *tensor, struct diags *diags);
#endif
