/* The op `conv`: cross-correlation (with `flip`, convolution) of 1 to 3 spatial dimensions. It is one problem, save for
 * some permutations of its output: groups, layouts and a flipped kernel are only steps. */
#include "conv.h"
#include "rule.h"

static const char *const conv_keys[] = {CONV_KEYS, "shuffle", "pixel_shuffle", "scale", "zero_point", NULL};

static const char *const algorithms[] = {"fft", "separable", "winograd", NULL};

/* [M, C/g, k...] */
static struct tensor weights(const struct layer *layer) {
  return conv_kernel(layer, layer->out_channels, layer->in_channels / layer->groups);
}

static size_t lower(const struct layer *layer, struct problem **problems) {
  return conv_store(layer, conv_problem(layer), problems);
}

/* Channels that go elsewhere must do so in whole blocks. */
static bool check_shuffles(struct layer *layer, struct diags *diags) {
  if (!layer_says(layer, "shuffle", "pixel_shuffle")) layer->shuffle = 0;
  if (!layer_says(layer, "pixel_shuffle", "shuffle")) layer->pixel_shuffle = 0;
  const char *key = layer->shuffle ? "shuffle" : "pixel_shuffle";
  int64_t block = layer->shuffle ? layer->shuffle : 1;
  if (!layer->shuffle && !layer->pixel_shuffle) return true;
  if (layer->shuffle && layer->pixel_shuffle) {
    layer_error(layer, diags, key, "an output is stored through one permutation; leave out 'pixel_shuffle', or 'shuffle'");
    return false;
  }
  for (int d = 0; d < layer->rank && !layer->shuffle; d++)
    if (!shape_mul(block, layer->pixel_shuffle, &block)) block = INT64_MAX;
  if (layer->out_channels % block == 0) return true;
  layer_error(layer, diags, key, "%lld does not divide the %lld out_channels", (long long)block, (long long)layer->out_channels);
  return false;
}

static const struct rule rules[] = {{{"out_channels", "input", "shuffle", "pixel_shuffle"}, check_shuffles, "pixel_shuffle"}};

static bool resolve(struct layer *layer, struct diags *diags) {
  conv_check_channels(layer, diags);
  conv_check_windows(layer, diags);
  rules_check(rules, 1, layer, diags);
  conv_check_tensors(layer, diags);
  return conv_check_separable(layer, diags);
}

/* Where an output goes through a pixel shuffle, neighbours have the same window. */
static bool reads(const struct layer *layer, int axis, int64_t *first, int64_t *last) {
  const int64_t block = layer->pixel_shuffle > 1 ? layer->pixel_shuffle : 1,
                reach = (layer->kernel[axis] - 1) * layer->dilation[axis];
  *first = shape_floor(*first, block) * layer->stride[axis] - layer->pad[axis][0];
  *last = shape_floor(*last, block) * layer->stride[axis] - layer->pad[axis][0] + reach;
  return true;
}

const struct op op_conv = {
    .name = "conv",
    .keys = conv_keys,
    .algorithms = algorithms,
    .bf16 = true,
    .resolve = resolve,
    .tensors = conv_tensors,
    .weights = weights,
    .lower = lower,
    .chain = conv_chain,
    .conv = conv_reference,
    .expect = conv_expect,
    .multiply_adds = conv_multiply_adds,
    .saving = conv_saving,
    .terms = conv_terms,
    .exact_limit = conv_exact_limit,
    .window = conv_window,
    .reads = reads,
    .reference = "conv",
    .push_reference = conv_push_layer,
};
