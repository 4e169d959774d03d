/* What the parts of the op `separable_conv` share. */
#ifndef GEN_SEPARABLE_H
#define GEN_SEPARABLE_H
#include "op.h"

/* The halves as layers of their own. */
struct layer separable_depthwise(const struct layer *layer);
struct layer separable_pointwise(const struct layer *layer);
/* op.h's hooks of its reference. */
void separable_expect(const struct layer *layer, const struct cs_promise *promise, const void *const *data, const size_t *elements,
                      size_t count, struct cs_expect *results);
void separable_push(lua_State *L, const struct layer *layer);
#endif
