/* The op `separable_conv`: a depthwise convolution with a multiplier and an activation of its own, then a 1×1 convolution of all
 * its channels (MobileNet, Xception), as two stages of one function. Each half is a convolution as a layer of its own would be,
 * which gives its tensors' sizes, its problem and its reference. */
#include "conv.h"
#include "mem.h"
#include "rule.h"
#include "separable.h"

static const char *const separable_keys[] = {
    "name",  "op",           "target",   "input",      "out_channels", "layout",     "input_layout",   "output_layout",
    "dtype", "kernel_size",  "stride",   "dilation",   "padding",      "flip",       "accuracy",       "unroll",
    "bias",  "padding_mode", "residual", "activation", "weights",      "multiplier", "max_code_bytes", "depthwise_activation",
    NULL};

/* ---- the two halves ---------------------------------------------------------------------------------------------------- */

/* Channels between the halves, 2^63-1 where there are more: that is reported. */
static int64_t members(const struct layer *layer) {
  return shape_product((int64_t[]){layer->in_channels, layer->multiplier}, 2);
}

struct layer separable_depthwise(const struct layer *layer) {
  struct layer half = *layer;
  half.groups = layer->in_channels;
  half.out_channels = members(layer);
  half.out_layout = layer->in_layout;
  half.activation = layer->depthwise_activation;
  for (int i = 0; i < 2; i++) half.act[i] = layer->depthwise_act[i];
  half.residual = false;
  return half;
}

struct layer separable_pointwise(const struct layer *layer) {
  struct layer half = *layer;
  half.in_channels = members(layer);
  half.pad_mode = CS_ZEROS;
  half.flip = false;
  for (int d = 0; d < layer->rank; d++) {
    half.in[d] = layer->out[d];
    half.kernel[d] = half.stride[d] = half.dilation[d] = 1;
    half.pad[d][0] = half.pad[d][1] = 0;
  }
  return half;
}

/* ---- rules ------------------------------------------------------------------------------------------------------------- */

static bool check_multiplier(struct layer *layer, struct diags *diags) {
  int64_t channels, elements;
  if (shape_mul(layer->in_channels, layer->multiplier, &channels)) {
    const struct layer half = separable_depthwise(layer);
    elements = shape_product((int64_t[]){channels, conv_taps(&half), (int64_t)cs_size(layer->dtype)}, 3);
    if (elements < INT64_MAX) return true;
  }
  layer_error(layer, diags, "multiplier",
              "%lld times the %lld channels of input have more than 2^63-1 bytes of weights; make it smaller",
              (long long)layer->multiplier, (long long)layer->in_channels);
  return false;
}

/* A file is one array; the layer has two kernels, and two biases. */
static bool check_given(struct layer *layer, struct diags *diags) {
  const char *key = layer->weights.path ? "weights" : layer->bias_values.path ? "bias" : NULL;
  if (!key) return true;
  layer_error(layer, diags, key,
              "a file holds one array, but separable_conv has two (depthwise and 1×1); leave it out%s: they are given at run time",
              layer->weights.path ? "" : ", or say true");
  return false;
}

static bool check_activation(struct layer *layer, struct diags *diags) {
  if (layer->depthwise_activation != CS_PRELU) return true;
  layer_error(layer, diags, "depthwise_activation", "'prelu' has no tensor of slopes here; choose another, or {leaky_relu: slope}");
  return false;
}

static const struct rule rules[] = {
    {{"input", "multiplier", "kernel_size", "dtype"}, check_multiplier, "multiplier"},
    {{"weights", "bias"}, check_given, "weights"},
    {{"depthwise_activation"}, check_activation, "depthwise_activation"},
};

static bool resolve(struct layer *layer, struct diags *diags) {
  conv_check_channels(layer, diags);
  conv_check_windows(layer, diags);
  rules_check(rules, sizeof rules / sizeof *rules, layer, diags);
  return conv_check_tensors(layer, diags);
}

/* ---- tensors ------------------------------------------------------------------------------------------------------------ */

/* [M, C·m, 1...] */
static struct tensor weights(const struct layer *layer) {
  const struct layer half = separable_pointwise(layer);
  return conv_kernel(&half, half.out_channels, half.in_channels);
}

static size_t tensors(const struct layer *layer, struct tensor list[MAX_TENSORS]) {
  const struct layer first = separable_depthwise(layer);
  size_t count = 0;
  list[count++] = conv_activation(layer, "input", TENSOR_INPUT);
  if (layer->residual) list[count++] = conv_activation(layer, "residual", TENSOR_RESIDUAL);
  list[count] = conv_kernel(&first, first.out_channels, 1);
  list[count++].name = "depthwise";
  if (layer->bias) list[count++] = conv_channels(&first, "depthwise_bias", NULL);
  list[count++] = weights(layer);
  if (layer->bias) list[count++] = conv_channels(layer, "bias", NULL);
  if (layer->activation == CS_PRELU) list[count++] = conv_channels(layer, "slope", NULL);
  list[count++] = conv_activation(layer, "output", TENSOR_OUTPUT);
  return count;
}

/* ---- lowering ------------------------------------------------------------------------------------------------------------ */

static const struct axis single = {.in = 1, .out = 1, .kernel = 1, .stride = 1, .dilation = 1, .x_step = 1, .y_step = 1};

/* The largest divisor of a row's length that tiles are not wider than. */
static int64_t cut_of(int64_t length) {
  int64_t cut = 32;
  while (length % cut) cut--;
  return cut;
}

/* Of one dimension: each output is a row by itself for the depthwise half, so many are one for the other. */
static void add_axis(struct stage stages[2]) {
  struct problem *first = &stages[0].problem, *second = &stages[1].problem;
  const int64_t cut = cut_of(second->axis[0].out);
  first->rank = second->rank = 2;
  first->axis[1] = single;
  second->axis[1] = second->axis[0];
  second->axis[1].in = second->axis[1].out = cut;
  second->axis[0].in = second->axis[0].out /= cut;
  second->axis[0].y_step *= cut;
  stages[1].together = cut;
}

static size_t chain(const struct layer *layer, struct stage stages[MAX_STAGES]) {
  const struct layer first = separable_depthwise(layer), second = separable_pointwise(layer);
  stages[0] = (struct stage){.problem = conv_problem(&first), .weights = "depthwise", .bias = "depthwise_bias", .together = 1};
  stages[1] = (struct stage){.problem = conv_problem(&second), .weights = "weights", .bias = "bias", .together = 1};
  stages[1].channels_last = layer->in_layout == CS_NHWC;
  if (layer->rank == 1) add_axis(stages);
  return 2;
}

/* ---- counts ---------------------------------------------------------------------------------------------------------------- */

static int64_t multiply_adds(const struct layer *layer) {
  const struct layer first = separable_depthwise(layer), second = separable_pointwise(layer);
  int64_t sum;
  return shape_add(conv_multiply_adds(&first), conv_multiply_adds(&second), &sum) ? sum : INT64_MAX;
}

/* A dense layer has M·C·Πk multiply-adds an output pixel, this one C·m·Πk + M·C·m. */
static bool saving(const struct layer *layer, struct saving *saving) {
  struct layer dense = *layer;
  dense.groups = 1;
  *saving = (struct saving){.than = "a dense layer's multiply-adds",
                            .formula = mem_text("m/M + m/k, m = %lld, M = %lld, k = %lld taps", (long long)layer->multiplier,
                                                (long long)layer->out_channels, (long long)conv_taps(layer)),
                            .after = multiply_adds(layer),
                            .before = conv_multiply_adds(&dense)};
  return true;
}

static int64_t terms(const struct layer *layer) {
  const struct layer first = separable_depthwise(layer), second = separable_pointwise(layer);
  return conv_terms(&first) + conv_terms(&second);
}

static int exact_limit(const struct layer *layer, int bits) {
  (void)bits;
  const struct layer first = separable_depthwise(layer), second = separable_pointwise(layer);
  return conv_exact_limit_of(&first, &second);
}

const struct op op_separable_conv = {
    .name = "separable_conv",
    .keys = separable_keys,
    .resolve = resolve,
    .tensors = tensors,
    .weights = weights,
    .chain = chain,
    .expect = separable_expect,
    .multiply_adds = multiply_adds,
    .saving = saving,
    .terms = terms,
    .exact_limit = exact_limit,
    .window = conv_window,
    .reference = "separable",
    .push_reference = separable_push,
};
