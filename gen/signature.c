/* Signatures. The rule: a function takes what its layer has; parameters that are not baked go through NAME_pack, and `packed` is
 * there only where some are; `workspace` only where a plan needs one. */
#include "signature.h"
#include "mem.h"
#include "op.h"
#include <ctype.h>

void set_text(lua_State *L, const char *key, const char *text) {
  lua_pushstring(L, text);
  lua_setfield(L, -2, key);
}

void set_integer(lua_State *L, const char *key, int64_t value) {
  lua_pushinteger(L, value);
  lua_setfield(L, -2, key);
}

void set_sizes(lua_State *L, const char *key, const ptrdiff_t *sizes, int count) {
  lua_createtable(L, count, 0);
  for (int i = 0; i < count; i++) {
    lua_pushinteger(L, sizes[i]);
    lua_rawseti(L, -2, i + 1);
  }
  lua_setfield(L, -2, key);
}

void set_bool(lua_State *L, const char *key, bool value) {
  lua_pushboolean(L, value);
  lua_setfield(L, -2, key);
}

const char *capitals(const char *name) {
  char *copy = mem_text("%s", name);
  for (char *c = copy; *c; c++) *c = (char)toupper((unsigned char)*c);
  return copy;
}

static const char *ctype(enum cs_dtype dtype) {
  static const char *const names[] = {"float", "double", "uint16_t"};
  return names[dtype];
}

static bool is_input(const struct tensor *tensor) {
  return tensor->role == TENSOR_INPUT || tensor->role == TENSOR_RESIDUAL;
}

static bool is_parameter(const struct tensor *tensor) {
  return tensor->role == TENSOR_PARAMETER && !tensor->baked;
}

/* Sets field `key` to the list of the tensors that `takes` takes; returns how many. */
void set_axis(lua_State *L, const struct axis *axis) {
  set_integer(L, "input", axis->in);
  set_integer(L, "output", axis->out);
  set_integer(L, "kernel", axis->kernel);
  set_integer(L, "stride", axis->stride);
  set_integer(L, "dilation", axis->dilation);
  set_integer(L, "pad", axis->pad);
  set_integer(L, "x", axis->x_step);
  set_integer(L, "y", axis->y_step);
}

static lua_Integer push_tensors(lua_State *L, const char *key, const struct tensor *tensors, size_t count,
                                bool (*takes)(const struct tensor *)) {
  lua_Integer taken = 0;
  lua_newtable(L);
  for (size_t i = 0; i < count; i++) {
    if (!takes(&tensors[i])) continue;
    lua_newtable(L);
    set_text(L, "name", tensors[i].name);
    set_text(L, "ctype", ctype(tensors[i].dtype));
    lua_rawseti(L, -2, ++taken);
  }
  lua_setfield(L, -2, key);
  return taken;
}

void signature_push(lua_State *L, const struct layer *layer, const char *prefix, const struct plan *const *plans, size_t count) {
  struct tensor tensors[MAX_TENSORS];
  const size_t tensor_total = layer->op->tensors(layer, tensors);
  const char *name = mem_text("%s%s", prefix, layer->name);
  bool workspace = false;
  for (size_t i = 0; i < count; i++) workspace |= plans[i]->workspace_bytes > 0;
  lua_newtable(L);
  set_text(L, "name", name);
  set_text(L, "constant", capitals(name));
  set_text(L, "file", layer->name);
  push_tensors(L, "inputs", tensors, tensor_total, is_input);
  set_bool(L, "packed", push_tensors(L, "parameters", tensors, tensor_total, is_parameter) > 0);
  set_bool(L, "workspace", workspace);
  set_text(L, "output", ctype(tensors[tensor_total - 1].dtype));
}
