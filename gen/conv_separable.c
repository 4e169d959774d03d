/* `algorithm: separable`: baked kernels that are a product of one vector for each dimension run as one pass a dimension, each a
 * depthwise convolution of its own: multiply-adds add up over the dimensions instead of multiplying. The outermost dimension goes
 * first, so that rows between two passes are never computed twice. Layers whose outputs read one input channel only: with more,
 * each pair of channels would need passes of its own, and what lies between grows with their product. */
#include "conv.h"
#include "factor.h"
#include "mem.h"
#include "rule.h"
#include <string.h>

static bool is_separable(const struct layer *layer) {
  return layer->factors[0] != NULL;
}

/* Does the layer do anything along dimension d? */
static bool is_pass(const struct layer *layer, int d) {
  return layer->kernel[d] > 1 || layer->stride[d] > 1 || layer->pad[d][0] || layer->pad[d][1];
}

static int first_pass(const struct layer *layer) {
  int d = 0;
  while (!is_pass(layer, d)) d++;
  return d;
}

static int last_pass(const struct layer *layer) {
  int d = layer->rank - 1;
  while (!is_pass(layer, d)) d--;
  return d;
}

/* ---- rules ------------------------------------------------------------------------------------------------------------- */

static int long_dimensions(const struct layer *layer) {
  int count = 0;
  for (int d = 0; d < layer->rank; d++) count += layer->kernel[d] > 1;
  return count;
}

/* What has no passes at all. */
static bool check_shape(const struct layer *layer, struct diags *diags) {
  const int64_t channels = layer->in_channels / layer->groups;
  if (long_dimensions(layer) < 2)
    layer_error(layer, diags, "algorithm", "a kernel longer than 1 in %d of its dimensions is one pass already; choose direct",
                long_dimensions(layer));
  else if (channels > 1)
    layer_error(layer, diags, "algorithm",
                "separable is for outputs that read one input channel (groups: %lld), these read %lld; choose direct",
                (long long)layer->in_channels, (long long)channels);
  else if (layer->dtype == CS_BF16)
    layer_error(layer, diags, "algorithm", "separable would round bf16 between its passes; choose direct, or dtype f32");
  else if (layer->shuffle > 1 || layer->pixel_shuffle > 1)
    layer_error(layer, diags, "algorithm", "separable stores no permuted outputs; choose direct, or leave out '%s'",
                layer->shuffle > 1 ? "shuffle" : "pixel_shuffle");
  else if (!layer->weights.data)
    layer_error(layer, diags, "algorithm",
                "separable needs the values of the kernel now: give a .npy file as 'weights', or choose direct");
  else
    return true;
  return false;
}

static const char *index_text(const struct factoring *factoring) {
  const char *text = "";
  for (int d = 0; d < factoring->rank; d++) text = mem_text("%s%s%lld", text, d ? ", " : "", (long long)factoring->index[d]);
  return text;
}

static void explain_fault(const struct layer *layer, struct diags *diags, int64_t channel, enum factor_fault fault,
                          const struct factoring *factoring) {
  const char *const reasons[] = {
      [FACTOR_NOT_FINITE] = "has weights that are not finite, which have no factors; choose algorithm direct",
      [FACTOR_RANK] = mem_text("is not of rank 1: the product of its lines through the largest weight, %.9g, is off by %.3g at "
                               "[%s]; choose algorithm direct",
                               factoring->largest, factoring->residual, index_text(factoring)),
      [FACTOR_RANGE] = "has factors with which single passes could overflow, or lose tiny inputs, where the sum over all taps does "
                       "not; scale it so that its absolute values add up to at most 1, or choose algorithm direct",
  };
  layer_error(layer, diags, "weights", "the kernel of output channel %lld %s", (long long)channel, reasons[fault]);
}

/* Fills the layer's factors, [M, k] for each dimension. */
static bool factor(struct layer *layer, struct diags *diags) {
  const size_t size = cs_size(layer->dtype), taps = (size_t)conv_taps(layer);
  struct factoring factoring = {.rank = layer->rank, .dtype = layer->dtype};
  void *all[MAX_SPATIAL], *values[MAX_SPATIAL];
  for (int d = 0; d < layer->rank; d++) {
    factoring.size[d] = layer->kernel[d];
    all[d] = mem_array((size_t)(layer->out_channels * layer->kernel[d]), size);
  }
  for (int64_t m = 0; m < layer->out_channels; m++) {
    for (int d = 0; d < layer->rank; d++) values[d] = (char *)all[d] + (size_t)(m * layer->kernel[d]) * size;
    const enum factor_fault fault = factor_array(&factoring, (const char *)layer->weights.data + (size_t)m * taps * size, values);
    if (fault == FACTOR_NONE) continue;
    explain_fault(layer, diags, m, fault, &factoring);
    return false;
  }
  for (int d = 0; d < layer->rank; d++) layer->factors[d] = all[d];
  return true;
}

static bool check_separable(struct layer *layer, struct diags *diags) {
  if (strcmp(layer->algorithm, "separable") != 0) return true;
  return check_shape(layer, diags) && factor(layer, diags);
}

bool conv_check_separable(struct layer *layer, struct diags *diags) {
  static const struct rule rules[] = {
      {{"algorithm", "weights", "input", "kernel_size", "groups", "out_channels"}, check_separable, "algorithm"}};
  return rules_check(rules, 1, layer, diags);
}

/* ---- passes ------------------------------------------------------------------------------------------------------------ */

/* The pass along dimension d as a layer: dimensions before it have their final size, those behind it the input's. */
static struct layer pass_of(const struct layer *layer, int d) {
  struct layer pass = *layer;
  for (int other = 0; other < layer->rank; other++) {
    if (other == d) continue;
    pass.in[other] = pass.out[other] = other < d ? layer->out[other] : layer->in[other];
    pass.kernel[other] = pass.stride[other] = pass.dilation[other] = 1;
    pass.pad[other][0] = pass.pad[other][1] = 0;
  }
  memset(pass.factors, 0, sizeof pass.factors);
  pass.weights = (struct baked){.data = layer->factors[d], .count = (size_t)(layer->out_channels * layer->kernel[d])};
  if (d > first_pass(layer)) pass.in_channels = pass.groups = layer->out_channels;
  if (d == last_pass(layer)) return pass;
  pass.out_layout = layer->in_layout;
  pass.activation = CS_NONE;
  pass.bias = pass.residual = false;
  pass.bias_values = (struct baked){0};
  return pass;
}

size_t conv_chain(const struct layer *layer, struct stage stages[MAX_STAGES]) {
  size_t count = 0;
  for (int d = 0; d < layer->rank && is_separable(layer); d++) {
    if (!is_pass(layer, d)) continue;
    const struct layer pass = pass_of(layer, d);
    stages[count++] = (struct stage){.problem = conv_problem(&pass),
                                     .weights = "weights",
                                     .bias = "bias",
                                     .together = 1,
                                     .channels_last = layer->in_layout == CS_NHWC};
  }
  return count;
}

/* ---- counts ------------------------------------------------------------------------------------------------------------ */

int64_t conv_terms(const struct layer *layer) {
  int64_t terms = 2;
  for (int d = 0; d < layer->rank; d++) terms += layer->kernel[d];
  return is_separable(layer) ? terms : layer->in_channels / layer->groups * conv_taps(layer) + 2;
}

/* For one channel m/N + …: with m taps along each dimension of N, 1/m + 1/(m(1 - (m-1)/N)). */
bool conv_saving(const struct layer *layer, struct saving *saving) {
  if (!is_separable(layer)) return false;
  *saving = (struct saving){.than = "the whole kernel's multiply-adds",
                            .formula = "one pass a dimension, the outermost first",
                            .before = conv_multiply_adds(layer)};
  for (int d = 0; d < layer->rank; d++) {
    const struct layer pass = pass_of(layer, d);
    if (is_pass(layer, d) && !shape_add(saving->after, conv_multiply_adds(&pass), &saving->after)) saving->after = INT64_MAX;
  }
  return true;
}
