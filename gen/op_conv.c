/* The op `conv`: cross-correlation (with `flip`, convolution) of 1 to 3 spatial dimensions. It is one problem: groups, layouts and
 * a flipped kernel are only steps. */
#include "conv.h"
#include "mem.h"

static const char *const conv_keys[] = {CONV_KEYS, "shuffle", "pixel_shuffle", "scale", "zero_point", NULL};

/* [M, C/g, k...] */
static struct tensor weights(const struct layer *layer) {
  return conv_kernel(layer, layer->out_channels, layer->in_channels / layer->groups);
}

static size_t lower(const struct layer *layer, struct problem **problems) {
  *problems = mem_new(sizeof **problems);
  **problems = conv_problem(layer);
  return 1;
}

static void expect(const struct layer *layer, const void *const *data, const size_t *elements, size_t count,
                   struct cs_expect *results) {
  const struct cs_conv conv = conv_reference(layer);
  conv_expect(layer, &conv, data, elements, count, results);
}

static void push_reference(lua_State *L, const struct layer *layer) {
  const struct cs_conv conv = conv_reference(layer);
  conv_push(L, &conv);
}

static int64_t multiply_adds(const struct layer *layer) {
  int64_t outputs = shape_product(layer->out, layer->rank), inner = layer->in_channels / layer->groups;
  return shape_product((int64_t[]){layer->batch, layer->out_channels, outputs, inner, conv_taps(layer)}, 5);
}

static struct window window(const struct layer *layer, int axis) {
  return (struct window){layer->kernel[axis], layer->stride[axis], layer->dilation[axis], true};
}

const struct op op_conv = {
    .name = "conv",
    .keys = conv_keys,
    .resolve = conv_resolve,
    .tensors = conv_tensors,
    .weights = weights,
    .lower = lower,
    .expect = expect,
    .multiply_adds = multiply_adds,
    .terms = conv_terms,
    .exact_limit = conv_exact_limit,
    .window = window,
    .reference = "conv",
    .push_reference = push_reference,
};
