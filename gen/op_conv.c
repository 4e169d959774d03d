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

const struct op op_conv = {
    .name = "conv",
    .keys = conv_keys,
    .resolve = conv_resolve,
    .tensors = conv_tensors,
    .weights = weights,
    .lower = lower,
    .expect = conv_expect_plain,
    .multiply_adds = conv_multiply_adds,
    .terms = conv_terms,
    .exact_limit = conv_exact_limit,
    .window = conv_window,
    .reference = "conv",
    .push_reference = conv_push_plain,
};
