/* The op `conv_grad_input`: the gradient of a convolution's input, which is the transposed convolution of its output's gradient by
 * the same weights. The layer's keys are those of the forward convolution; a twin of the layer is the transposed one. */
#include "conv.h"
#include <string.h>

static const char *const grad_keys[] = {CONV_GRAD_KEYS, "weights", NULL};

static struct layer twin_of(const struct layer *layer) {
  struct layer twin = *layer;
  twin.op = &op_conv_transpose;
  memcpy(twin.in, layer->out, sizeof twin.in);
  memcpy(twin.out, layer->in, sizeof twin.out);
  twin.in_channels = layer->out_channels;
  twin.out_channels = layer->in_channels;
  twin.in_layout = layer->out_layout;
  twin.out_layout = layer->in_layout;
  return twin;
}

/* [M, C/g, k...] */
static struct tensor weights(const struct layer *layer) {
  return conv_kernel(layer, layer->out_channels, layer->in_channels / layer->groups);
}

static size_t tensors(const struct layer *layer, struct tensor list[MAX_TENSORS]) {
  const struct layer twin = twin_of(layer);
  list[0] = conv_activation(&twin, "grad_output", TENSOR_INPUT);
  list[1] = weights(layer);
  list[2] = conv_activation(&twin, "output", TENSOR_OUTPUT);
  return 3;
}

static size_t lower(const struct layer *layer, struct problem **problems) {
  const struct layer twin = twin_of(layer);
  return conv_transpose_lower(&twin, problems);
}

static struct cs_conv conv(const struct layer *layer) {
  const struct layer twin = twin_of(layer);
  return conv_reference_transposed(&twin);
}

static int64_t terms(const struct layer *layer) {
  const struct layer twin = twin_of(layer);
  return conv_terms(&twin);
}

static int exact_limit(const struct layer *layer, int bits) {
  const struct layer twin = twin_of(layer);
  return conv_exact_limit(&twin, bits);
}

static struct window window(const struct layer *layer, int axis) {
  return op_conv_transpose.window(layer, axis);
}

const struct op op_conv_grad_input = {
    .name = "conv_grad_input",
    .keys = grad_keys,
    .resolve = conv_resolve,
    .tensors = tensors,
    .weights = weights,
    .lower = lower,
    .conv = conv,
    .expect = conv_expect,
    .multiply_adds = conv_multiply_adds, /* as many as the forward convolution */
    .terms = terms,
    .exact_limit = exact_limit,
    .window = window,
    .reference = "conv",
    .push_reference = conv_push_layer,
};
