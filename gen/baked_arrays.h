/* The baked arrays of a generated file: targets whose plans read the same values in the same order share one. */
#ifndef GEN_BAKED_ARRAYS_H
#define GEN_BAKED_ARRAYS_H
#include "alg.h"

/* Baked values of each of a layer's plans, `count` of them. */
const struct baked_values *baked_arrays_of(const struct layer *layer, const struct plan *const *plans, size_t count);
/* Sets the field `baked` of a target: tables `weights`, `bias` and `planes` {symbol, values}, or false where these are not baked.
 * The symbol is the array's, behind `name`; values, its raw bytes, are false where a target before has the same. */
void baked_arrays_push(lua_State *L, const struct baked_values *all, const struct plan *const *plans, size_t target,
                       const char *name);
#endif
