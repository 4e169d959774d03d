/* From plans to text: the one read-only table that the templates of a layer get, and their expansion. */
#include "baked_arrays.h"
#include "command.h"
#include "mem.h"
#include "op.h"
#include "signature.h"

static const char *sizes_text(const int64_t *sizes, int count) {
  const char *text = "";
  for (int i = 0; i < count; i++) text = mem_text("%s%s%lld", text, i ? ", " : "", (long long)sizes[i]);
  return text;
}

static const char *shape_text(const struct tensor *tensor) {
  int64_t shape[CS_MAX_RANK];
  for (int d = 0; d < tensor->rank; d++) shape[d] = tensor->shape[d];
  return sizes_text(shape, tensor->rank);
}

static const char *pads_text(const struct layer *layer) {
  const char *text = "";
  for (int i = 0; i < layer->rank; i++)
    text = mem_text("%s%s[%lld, %lld]", text, i ? ", " : "", (long long)layer->pad[i][0], (long long)layer->pad[i][1]);
  return text;
}

const char *activation_text(const struct layer *layer) {
  const char *name = activation_name(layer->activation);
  if (layer->activation == CS_LEAKY_RELU) return mem_text("{%s: %.9g}", name, layer->act[0]);
  if (layer->activation == CS_CLAMP) return mem_text("{%s: [%.9g, %.9g]}", name, layer->act[0], layer->act[1]);
  return name;
}

static const char *bias_text(const struct layer *layer) {
  return !layer->bias ? "false" : layer->bias_values.data ? "baked" : "true";
}

static void push_lines(lua_State *L, const char *key, const char *const *lines, size_t count) {
  lua_createtable(L, (int)count, 0);
  for (size_t i = 0; i < count; i++) {
    lua_pushstring(L, lines[i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  lua_setfield(L, -2, key);
}

static const char *const unrolls[] = {"auto", "full", "none"};

static const char *shapes_line(const struct layer *layer) {
  struct tensor tensors[MAX_TENSORS];
  const struct tensor *output = &tensors[layer->op->tensors(layer, tensors) - 1];
  return mem_text("op: %s, %s [%s] to output [%s]", layer->op->name, tensors->name, shape_text(tensors), shape_text(output));
}

static const char *window_line(const struct layer *layer) {
  if (layer->op->describe) return layer->op->describe(layer);
  return mem_text("kernel_size [%s], stride [%s], dilation [%s], groups %lld", sizes_text(layer->kernel, layer->rank),
                  sizes_text(layer->stride, layer->rank), sizes_text(layer->dilation, layer->rank), (long long)layer->groups);
}

static const char *padding_line(const struct layer *layer) {
  if (layer->op->describe) return NULL;
  return mem_text("padding [%s], padding_mode %s, flip %s", pads_text(layer), pad_mode_name(layer->pad_mode),
                  layer->flip ? "true" : "false");
}

static const char *types_line(const struct layer *layer) {
  return mem_text("dtype %s, input_layout %s, output_layout %s", dtype_name(layer->dtype), layout_name(layer->in_layout),
                  layout_name(layer->out_layout));
}

static const char *tensors_line(const struct layer *layer) {
  if (layer->op->describe) return NULL;
  return mem_text("weights %s, bias %s, residual %s, activation %s", layer->weights.data ? "baked" : "given", bias_text(layer),
                  layer->residual ? "true" : "false", activation_text(layer));
}

static const char *options_line(const struct layer *layer) {
  return mem_text("algorithm %s, accuracy %s, unroll %s, max_code_bytes %lld", layer->algorithm, accuracy_name(layer->accuracy),
                  unrolls[layer->unroll], (long long)layer->max_code_bytes);
}

/* The banner's lines: what made this text, and nothing about where or when. */
static void push_banner(lua_State *L, const struct layer *layer, const struct generate_options *options) {
  static const char *(*const parts[])(const struct layer *) = {shapes_line, window_line,  padding_line,
                                                               types_line,  tensors_line, options_line};
  const char *lines[sizeof parts / sizeof *parts];
  size_t count = 0;
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
    const char *line = parts[i](layer);
    if (line) lines[count++] = line;
  }
  push_lines(L, "banner", lines, count);
  set_text(L, "prefix", options->prefix);
}

static void push_target(lua_State *L, struct engine *engine, const struct plan *plan) {
  lua_createtable(L, 0, 9);
  set_text(L, "name", plan->isa->name);
  isa_push(engine, plan->isa);
  lua_setfield(L, -2, "isa");
  set_text(L, "plan", plan->id);
  set_text(L, "template", plan->algorithm->template);
  set_bool(L, "asks", plan->asks);
  set_integer(L, "packed_bytes", plan->packed_bytes);
  set_integer(L, "workspace_bytes", plan->workspace_bytes);
  plan->algorithm->push(L, plan);
  lua_setfield(L, -2, "kernels");
}

static int64_t largest(const struct plan *const *plans, size_t count, bool workspace) {
  int64_t bytes = 0;
  for (size_t i = 0; i < count; i++) {
    const int64_t one = workspace ? plans[i]->workspace_bytes : plans[i]->packed_bytes;
    if (one > bytes) bytes = one;
  }
  return bytes;
}

static void push_shapes(lua_State *L, const struct layer *layer) {
  struct tensor tensors[MAX_TENSORS];
  const size_t count = layer->op->tensors(layer, tensors);
  lua_createtable(L, (int)count, 0);
  for (size_t i = 0; i < count; i++) {
    const struct tensor *tensor = &tensors[i];
    const bool activation = tensor->role != TENSOR_PARAMETER;
    lua_createtable(L, 0, 4);
    set_text(L, "name", tensor->name);
    set_text(L, "shape", shape_text(tensor));
    set_text(L, "layout", activation ? layout_name(tensor->layout) : "canonical order");
    set_bool(L, "baked", tensor->baked != NULL);
    set_integer(L, "bytes", (int64_t)(tensor_count(tensor) * cs_size(tensor->dtype)));
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  lua_setfield(L, -2, "tensors");
}

/* Pushes the table that every template of a layer gets. */
static void push_all(struct engine *engine, const struct layer *layer, const struct plan *const *plans, size_t count,
                     const struct generate_options *options) {
  lua_State *L = engine_lua(engine);
  lua_createtable(L, 0, 4);
  set_text(L, "version", CONVSMITH_VERSION);
  signature_push(L, layer, options->prefix, plans, count);
  set_text(L, "spec", options->spec);
  set_text(L, "op", layer->op->name);
  set_text(L, "dtype", dtype_name(layer->dtype));
  set_bool(L, "residual", layer->residual);
  set_integer(L, "packed_bytes", largest(plans, count, false));
  set_integer(L, "workspace_bytes", largest(plans, count, true));
  push_shapes(L, layer);
  push_banner(L, layer, options);
  lua_setfield(L, -2, "layer");
  const struct baked_values *baked = baked_arrays_of(layer, plans, count);
  lua_createtable(L, (int)count, 0);
  for (size_t i = 0; i < count; i++) {
    push_target(L, engine, plans[i]);
    baked_arrays_push(L, baked, plans, i, mem_text("%s%s", options->prefix, layer->name));
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  lua_setfield(L, -2, "targets");
}

bool generate_layer(struct engine *engine, const struct layer *layer, const struct plan *const *plans, size_t count,
                    const struct generate_options *options, struct generated *result) {
  lua_State *L = engine_lua(engine);
  *result = (struct generated){{0}, {0}};
  push_all(engine, layer, plans, count, options);
  lua_pushvalue(L, -1); /* for both expansions */
  if (engine_expand(engine, "source.t", &result->source)) return engine_expand(engine, "header.t", &result->header);
  lua_pop(L, 1);
  return false;
}

void generated_free(struct generated *generated) {
  text_free(&generated->source);
  text_free(&generated->header);
}
