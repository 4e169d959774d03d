/* What the keys of a conv layer must fulfil together, and what follows from them: pads, output sizes, baked values. */
#include "baked.h"
#include "conv.h"
#include "rule.h"
#include <float.h>
#include <math.h>
#include <string.h>

/* Whether a tensor of `elements` (saturated) stays below 2^63 bytes. */
static bool fits(int64_t elements, const struct layer *layer, const char *tensor, const char *key, struct diags *diags) {
  if (elements <= INT64_MAX / (int64_t)cs_size(layer->dtype)) return true;
  layer_error(layer, diags, key, "the tensor '%s' has more than 2^63-1 bytes; make it smaller", tensor);
  return false;
}

bool conv_check_input(struct layer *layer, struct diags *diags) {
  int64_t elements = shape_product((int64_t[]){layer->batch, layer->in_channels, shape_product(layer->in, layer->rank)}, 3);
  return fits(elements, layer, "input", "input", diags);
}

bool conv_check_in_groups(struct layer *layer, struct diags *diags) {
  if (layer->in_channels % layer->groups == 0) return true;
  layer_error(layer, diags, "groups", "%lld does not divide the %lld channels of input", (long long)layer->groups,
              (long long)layer->in_channels);
  return false;
}

static bool check_out_groups(struct layer *layer, struct diags *diags) {
  if (layer->out_channels % layer->groups == 0) return true;
  layer_error(layer, diags, "groups", "%lld does not divide the %lld out_channels", (long long)layer->groups,
              (long long)layer->out_channels);
  return false;
}

/* Pads and outputs of one dimension. */
static bool check_dimension(struct layer *layer, int d, struct diags *diags) {
  int64_t in = layer->in[d], kernel = layer->kernel[d], stride = layer->stride[d], dilation = layer->dilation[d];
  int64_t *pad = layer->pad[d];
  if (!shape_pads(layer->pad_kind, in, kernel, stride, dilation, pad) ||
      !shape_out(in, kernel, stride, dilation, pad, &layer->out[d])) {
    const char *key = layer->pad_kind == PAD_EXPLICIT && (pad[0] || pad[1]) ? "padding" : "kernel_size";
    layer_error(layer, diags, key, "spatial dimension %d with its padding and dilation exceeds 2^63-1; make it smaller", d);
    return false;
  }
  if (layer->out[d] > 0) return true;
  layer_error(layer, diags, "kernel_size",
              "no output: the kernel spans %lld elements (dilation*(kernel_size-1)+1) of spatial dimension %d, which has %lld with "
              "its padding; enlarge the input or the padding",
              (long long)(dilation * (kernel - 1) + 1), d, (long long)(in + pad[0] + pad[1]));
  return false;
}

static bool check_dimensions(struct layer *layer, struct diags *diags) {
  bool right = true;
  for (int d = 0; d < layer->rank; d++) right &= check_dimension(layer, d, diags);
  return right;
}

/* As PyTorch: what is mirrored must be there, and nothing wraps around twice. */
static bool check_pad_mode(struct layer *layer, struct diags *diags) {
  const struct {
    bool limited;
    int64_t less; /* the most is the input's size less this */
    const char *limit;
  } rows[] = {[CS_REFLECT] = {true, 1, "less than"}, [CS_CIRCULAR] = {true, 0, "at most"}, [CS_REPLICATE] = {false, 0, ""}};
  if (layer->pad_mode == CS_ZEROS || !rows[layer->pad_mode].limited) return true;
  for (int d = 0; d < layer->rank; d++) {
    int64_t most = layer->in[d] - rows[layer->pad_mode].less, *pad = layer->pad[d];
    if (pad[0] <= most && pad[1] <= most) continue;
    layer_error(layer, diags, "padding_mode",
                "'%s' needs padding of %s the input's size: spatial dimension %d has %lld and pads [%lld, %lld]",
                pad_mode_name(layer->pad_mode), rows[layer->pad_mode].limit, d, (long long)layer->in[d], (long long)pad[0],
                (long long)pad[1]);
    return false;
  }
  return true;
}

bool conv_check_output(struct layer *layer, struct diags *diags) {
  int64_t elements = shape_product((int64_t[]){layer->batch, layer->out_channels, shape_product(layer->out, layer->rank)}, 3);
  return fits(elements, layer, "output", "out_channels", diags);
}

static bool check_weights(struct layer *layer, struct diags *diags) {
  const struct tensor weights = layer->op->weights(layer);
  int64_t shape[CS_MAX_RANK];
  for (int d = 0; d < weights.rank; d++) shape[d] = weights.shape[d];
  int64_t elements = shape_product(shape, weights.rank);
  return fits(elements, layer, "weights", "kernel_size", diags);
}

/* Arguments of the activation must be finite in the layer's type too. */
bool conv_check_activation(struct layer *layer, struct diags *diags) {
  if (layer->dtype == CS_F64 || (fabs(layer->act[0]) <= (double)FLT_MAX && fabs(layer->act[1]) <= (double)FLT_MAX)) return true;
  layer_error(layer, diags, "activation", "a number beyond the range of f32; use a smaller one, or dtype f64");
  return false;
}

/* Algorithms that round in other ways than sums do must be asked for. */
static bool check_accuracy(struct layer *layer, struct diags *diags) {
  static const char *const loose[] = {"winograd", "fft"};
  for (size_t i = 0; i < sizeof loose / sizeof *loose && layer->accuracy == CS_STRICT; i++) {
    if (strcmp(layer->algorithm, loose[i]) != 0) continue;
    layer_error(layer, diags, "algorithm", "'%s' is less accurate than 'strict'; it needs accuracy: normwise or fast", loose[i]);
    return false;
  }
  return true;
}

static bool read_weights(struct layer *layer, struct diags *diags) {
  struct tensor tensor = layer->op->weights(layer);
  return !layer->weights.path || baked_read(&layer->weights, layer, "weights", &tensor, diags);
}

static bool read_bias(struct layer *layer, struct diags *diags) {
  struct tensor tensor = conv_channels(layer, "bias", NULL);
  return !layer->bias_values.path || baked_read(&layer->bias_values, layer, "bias", &tensor, diags);
}

static const struct rule channel_rules[] = {
    {{"input", "dtype"}, conv_check_input, "input"},
    {{"input", "groups"}, conv_check_in_groups, "groups"},
    {{"out_channels", "groups"}, check_out_groups, "groups"},
};

static const struct rule window_rules[] = {
    {{"input", "kernel_size", "stride", "dilation", "padding"}, check_dimensions, "padding"},
    {{"input", "padding", "padding_mode", "kernel_size", "stride", "dilation"}, check_pad_mode, "padding_mode"},
};

static const struct rule tensor_rules[] = {
    {{"input", "out_channels", "padding", "kernel_size", "stride", "dilation"}, conv_check_output, "out_channels"},
    {{"input", "out_channels", "groups", "kernel_size", "dtype"}, check_weights, "kernel_size"},
    {{"activation", "dtype"}, conv_check_activation, "activation"},
    {{"algorithm", "accuracy"}, check_accuracy, "algorithm"},
    {{"weights", "input", "out_channels", "groups", "kernel_size", "dtype"}, read_weights, "weights"},
    {{"bias", "out_channels", "dtype"}, read_bias, "bias"},
};

bool conv_check_channels(struct layer *layer, struct diags *diags) {
  return rules_check(channel_rules, sizeof channel_rules / sizeof *channel_rules, layer, diags);
}

bool conv_check_windows(struct layer *layer, struct diags *diags) {
  return rules_check(window_rules, sizeof window_rules / sizeof *window_rules, layer, diags);
}

bool conv_check_tensors(struct layer *layer, struct diags *diags) {
  return rules_check(tensor_rules, sizeof tensor_rules / sizeof *tensor_rules, layer, diags);
}

bool conv_resolve(struct layer *layer, struct diags *diags) {
  conv_check_channels(layer, diags);
  conv_check_windows(layer, diags);
  return conv_check_tensors(layer, diags);
}
