/* Emitted tests: the layer as a table for templates/test.t. */
#include "emit_test.h"
#include "mem.h"
#include "op.h"
#include "signature.h"

static void set_sizes(lua_State *L, const char *key, const int64_t *sizes, int count) {
  lua_newtable(L);
  for (int i = 0; i < count; i++) {
    lua_pushinteger(L, sizes[i]);
    lua_rawseti(L, -2, i + 1);
  }
  lua_setfield(L, -2, key);
}

/* Numbers reach templates as text: what is printed is decided here, once. */
static void set_number(lua_State *L, const char *key, double value) {
  lua_pushstring(L, mem_text("%.17g", value));
  lua_setfield(L, -2, key);
}

/* The geometry that the reference wants; see struct cs_conv. */
static void push_layer(lua_State *L, const struct layer *layer) {
  int64_t pad[MAX_SPATIAL];
  for (int i = 0; i < layer->rank; i++) pad[i] = layer->pad[i][0];
  lua_newtable(L);
  set_text(L, "dtype", dtype_name(layer->dtype));
  set_integer(L, "rank", layer->rank);
  set_integer(L, "batch", layer->batch);
  set_integer(L, "in_channels", layer->in_channels);
  set_integer(L, "out_channels", layer->out_channels);
  set_integer(L, "groups", layer->groups);
  set_sizes(L, "input", layer->in, layer->rank);
  set_sizes(L, "output", layer->out, layer->rank);
  set_sizes(L, "kernel", layer->kernel, layer->rank);
  set_sizes(L, "stride", layer->stride, layer->rank);
  set_sizes(L, "dilation", layer->dilation, layer->rank);
  set_sizes(L, "pad", pad, layer->rank);
  set_text(L, "pad_mode", pad_mode_name(layer->pad_mode));
  set_text(L, "activation", activation_name(layer->activation));
  set_number(L, "act1", layer->act[0]);
  set_number(L, "act2", layer->act[1]);
  set_bool(L, "flip", layer->flip);
  set_bool(L, "transposed", layer->op == &op_conv_transpose);
  set_bool(L, "baked_weights", layer->weights.data != NULL);
}

/* Sets `baked` to the values' bytes, or to false. */
static void set_baked(lua_State *L, const struct tensor *tensor) {
  if (tensor->baked)
    lua_pushlstring(L, tensor->baked, tensor_count(tensor) * cs_size(tensor->dtype));
  else
    lua_pushboolean(L, false);
  lua_setfield(L, -2, "baked");
}

static void push_tensor(lua_State *L, const struct tensor *tensor) {
  static const char *const roles[] = {"input", "residual", "parameter", "output"};
  int64_t shape[CS_MAX_RANK];
  for (int i = 0; i < tensor->rank; i++) shape[i] = tensor->shape[i];
  lua_newtable(L);
  set_text(L, "name", tensor->name);
  set_text(L, "role", roles[tensor->role]);
  set_text(L, "dtype", dtype_name(tensor->dtype));
  set_text(L, "layout", layout_name(tensor->layout));
  set_sizes(L, "shape", shape, tensor->rank);
  set_integer(L, "count", (int64_t)tensor_count(tensor));
  set_baked(L, tensor);
}

static void set_tensors(lua_State *L, const struct layer *layer) {
  struct tensor tensors[MAX_TENSORS];
  const size_t count = layer->op->tensors(layer, tensors);
  lua_newtable(L);
  for (size_t i = 0; i < count; i++) {
    push_tensor(L, &tensors[i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  lua_setfield(L, -2, "tensors");
}

bool emit_test(struct engine *engine, const struct layer *layer, const char *prefix, const struct plan *const *plans, size_t count,
               const struct test_header *header, struct text *out) {
  lua_State *L = engine_lua(engine);
  lua_newtable(L);
  signature_push(L, layer, prefix, plans, count);
  lua_setfield(L, -2, "kernel");
  push_layer(L, layer);
  lua_setfield(L, -2, "layer");
  set_tensors(L, layer);
  set_text(L, "header", header->file);
  if (header->implementation)
    set_text(L, "implementation", header->implementation);
  else
    set_bool(L, "implementation", false);
  set_text(L, "reference", layer->op->reference);
  set_integer(L, "exact_limit", layer->op->exact_limit(layer));
  set_integer(L, "multiply_adds", layer->op->multiply_adds(layer));
  return engine_expand(engine, "test.t", out);
}
