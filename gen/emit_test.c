/* Emitted tests: the layer as a table for templates/test.t. */
#include "emit_test.h"
#include "mem.h"
#include "op.h"
#include "signature.h"

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
  lua_newtable(L);
  set_text(L, "name", tensor->name);
  set_text(L, "role", roles[tensor->role]);
  set_text(L, "dtype", dtype_name(tensor->dtype));
  set_text(L, "layout", layout_name(tensor->layout));
  set_sizes(L, "shape", tensor->shape, tensor->rank);
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

/* What tells whether a machine runs them, and which compilers know them. */
static void set_targets(struct engine *engine, const struct plan *const *plans, size_t count) {
  lua_State *L = engine_lua(engine);
  lua_newtable(L);
  for (size_t i = 0; i < count; i++) {
    lua_newtable(L);
    set_text(L, "name", plans[i]->isa->name);
    isa_push(engine, plans[i]->isa);
    lua_setfield(L, -2, "isa");
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  lua_setfield(L, -2, "targets");
}

/* What each target is held to. */
static void set_promises(lua_State *L, const struct plan *const *plans, size_t count, int rank) {
  lua_newtable(L);
  for (size_t i = 0; i < count; i++) {
    lua_createtable(L, 0, 3);
    set_text(L, "accuracy", accuracy_name(plans[i]->promise.accuracy));
    set_sizes(L, "block", plans[i]->promise.block, rank);
    set_bool(L, "exact", plans[i]->exact_bits >= 0);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  lua_setfield(L, -2, "promises");
}

/* The least of those plans that are exact on whole numbers at all. */
static int exact_limit(const struct layer *layer, const struct plan *const *plans, size_t count) {
  int least = layer->op->exact_limit(layer, 0);
  for (size_t i = 0; i < count; i++) {
    const int limit = plan_exact_limit(layer, plans[i]);
    if (plans[i]->exact_bits >= 0 && limit < least) least = limit;
  }
  return least;
}

bool emit_test(struct engine *engine, const struct layer *layer, const char *prefix, const struct plan *const *plans, size_t count,
               const struct test_header *header, struct text *out) {
  lua_State *L = engine_lua(engine);
  lua_newtable(L);
  signature_push(L, layer, prefix, plans, count);
  lua_setfield(L, -2, "kernel");
  layer->op->push_reference(L, layer);
  lua_setfield(L, -2, "layer");
  set_tensors(L, layer);
  set_targets(engine, plans, count);
  set_text(L, "header", header->file);
  if (header->implementation)
    set_text(L, "implementation", header->implementation);
  else
    set_bool(L, "implementation", false);
  set_text(L, "reference", layer->op->reference);
  set_promises(L, plans, count, layer->rank);
  set_integer(L, "exact_limit", exact_limit(layer, plans, count));
  set_integer(L, "multiply_adds", layer->op->multiply_adds(layer));
  return engine_expand(engine, "test.t", out);
}
