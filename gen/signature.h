/* Signatures of generated functions as a Lua table, for templates that call them: glue, emitted tests. */
#ifndef GEN_SIGNATURE_H
#define GEN_SIGNATURE_H
#include "plan.h"

/* Pushes {name, constant, file, inputs, parameters, output, packed, workspace}: name with prefix ("p_stem"), the same in capitals
 * ("P_STEM"), the layer's own name; inputs and parameters (in call and pack order) are lists of {name, ctype}, output is a C type;
 * packed and workspace say whether the functions have that argument. */
void signature_push(lua_State *L, const struct layer *layer, const char *prefix, const struct plan *const *plans, size_t count);
/* Leaves `text` in field `key` of the table on top of the stack. */
void set_text(lua_State *L, const char *key, const char *text);
void set_integer(lua_State *L, const char *key, int64_t value);
void set_sizes(lua_State *L, const char *key, const ptrdiff_t *sizes, int count); /* a list */
void set_axis(lua_State *L, const struct axis *axis); /* input, output, kernel, stride, dilation, pad, x and y steps */
void set_bool(lua_State *L, const char *key, bool value);
/* `name` in capitals. */
const char *capitals(const char *name);
#endif
