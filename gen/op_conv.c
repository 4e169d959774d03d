/* The op `conv`: cross-correlation (with `flip`, convolution) of 1 to 3 spatial dimensions. It is one problem: groups, layouts and
 * a flipped kernel are only steps. */
#include "baked.h"
#include "rule.h"
#include <float.h>
#include <math.h>
#include <string.h>

static const char *const conv_keys[] = {"name",
                                        "op",
                                        "target",
                                        "input",
                                        "out_channels",
                                        "layout",
                                        "input_layout",
                                        "output_layout",
                                        "dtype",
                                        "kernel_size",
                                        "stride",
                                        "dilation",
                                        "padding",
                                        "padding_mode",
                                        "groups",
                                        "bias",
                                        "weights",
                                        "activation",
                                        "residual",
                                        "flip",
                                        "algorithm",
                                        "accuracy",
                                        "unroll",
                                        "max_code_bytes",
                                        "shuffle",
                                        "pixel_shuffle",
                                        "scale",
                                        "zero_point",
                                        NULL};

/* ---- rules -------------------------------------------------------------------------------------------------------- */

static int64_t saturating(int64_t a, int64_t b) {
  int64_t product;
  return shape_mul(a, b, &product) ? product : INT64_MAX;
}

static int64_t product(const int64_t *factors, int count) {
  int64_t result = 1;
  for (int i = 0; i < count; i++) result = saturating(result, factors[i]);
  return result;
}

/* Whether a tensor of `elements` (saturated) stays below 2^63 bytes. */
static bool fits(int64_t elements, const struct layer *layer, const char *tensor, const char *key, struct diags *diags) {
  if (elements <= INT64_MAX / (int64_t)cs_size(layer->dtype)) return true;
  layer_error(layer, diags, key, "the tensor '%s' has more than 2^63-1 bytes; make it smaller", tensor);
  return false;
}

static bool check_input(struct layer *layer, struct diags *diags) {
  int64_t elements = saturating(saturating(layer->batch, layer->in_channels), product(layer->in, layer->rank));
  return fits(elements, layer, "input", "input", diags);
}

static bool check_in_groups(struct layer *layer, struct diags *diags) {
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
    layer_error(layer, diags, "kernel_size", "spatial dimension %d with its padding or dilation exceeds 2^63-1; make it smaller",
                d);
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

static bool check_output(struct layer *layer, struct diags *diags) {
  int64_t elements = saturating(saturating(layer->batch, layer->out_channels), product(layer->out, layer->rank));
  return fits(elements, layer, "output", "out_channels", diags);
}

static int64_t taps(const struct layer *layer) {
  return product(layer->kernel, layer->rank);
}

static bool check_weights(struct layer *layer, struct diags *diags) {
  int64_t inner = saturating(layer->in_channels / layer->groups, taps(layer));
  return fits(saturating(layer->out_channels, inner), layer, "weights", "kernel_size", diags);
}

/* Arguments of the activation must be finite in the layer's type too. */
static bool check_activation(struct layer *layer, struct diags *diags) {
  if (layer->dtype == CS_F64 || (fabs(layer->act[0]) <= (double)FLT_MAX && fabs(layer->act[1]) <= (double)FLT_MAX)) return true;
  layer_error(layer, diags, "activation", "a number beyond the range of f32; use a smaller one, or dtype f64");
  return false;
}

static struct tensor weights_tensor(const struct layer *layer);
static struct tensor channels_tensor(const struct layer *layer, const char *name, const void *baked);

static bool read_baked_weights(struct layer *layer, struct diags *diags) {
  struct tensor tensor = weights_tensor(layer);
  return !layer->weights.path || baked_read(&layer->weights, layer, "weights", &tensor, diags);
}

static bool read_baked_bias(struct layer *layer, struct diags *diags) {
  struct tensor tensor = channels_tensor(layer, "bias", NULL);
  return !layer->bias_values.path || baked_read(&layer->bias_values, layer, "bias", &tensor, diags);
}

static const struct rule rules[] = {
    {{"input", "dtype"}, check_input, "input"},
    {{"input", "groups"}, check_in_groups, "groups"},
    {{"out_channels", "groups"}, check_out_groups, "groups"},
    {{"input", "kernel_size", "stride", "dilation", "padding"}, check_dimensions, "padding"},
    {{"input", "padding", "padding_mode", "kernel_size", "stride", "dilation"}, check_pad_mode, "padding_mode"},
    {{"input", "out_channels", "padding", "kernel_size", "stride", "dilation"}, check_output, "out_channels"},
    {{"input", "out_channels", "groups", "kernel_size", "dtype"}, check_weights, "kernel_size"},
    {{"activation", "dtype"}, check_activation, "activation"},
    {{"weights", "input", "out_channels", "groups", "kernel_size", "dtype"}, read_baked_weights, "weights"},
    {{"bias", "out_channels", "dtype"}, read_baked_bias, "bias"},
};

static bool resolve(struct layer *layer, struct diags *diags) {
  return rules_check(rules, sizeof rules / sizeof *rules, layer, diags);
}

/* ---- tensors ------------------------------------------------------------------------------------------------------ */

static void add_shape(struct tensor *tensor, const int64_t *sizes, int count) {
  for (int i = 0; i < count; i++) tensor->shape[tensor->rank++] = (ptrdiff_t)sizes[i];
}

/* [N, channels, spatial...] */
static struct tensor activation_tensor(const struct layer *layer, const char *name, enum tensor_role role) {
  bool input = role == TENSOR_INPUT;
  struct tensor tensor = {
      .name = name, .role = role, .dtype = layer->dtype, .layout = input ? layer->in_layout : layer->out_layout};
  add_shape(&tensor, (int64_t[]){layer->batch, input ? layer->in_channels : layer->out_channels}, 2);
  add_shape(&tensor, input ? layer->in : layer->out, layer->rank);
  return tensor;
}

/* [M, C/g, k...] */
static struct tensor weights_tensor(const struct layer *layer) {
  struct tensor tensor = {.name = "weights", .role = TENSOR_PARAMETER, .dtype = layer->dtype, .layout = CS_NCHW};
  add_shape(&tensor, (int64_t[]){layer->out_channels, layer->in_channels / layer->groups}, 2);
  add_shape(&tensor, layer->kernel, layer->rank);
  tensor.baked = layer->weights.data;
  return tensor;
}

/* [M] */
static struct tensor channels_tensor(const struct layer *layer, const char *name, const void *baked) {
  struct tensor tensor = {.name = name, .role = TENSOR_PARAMETER, .dtype = layer->dtype, .layout = CS_NCHW, .baked = baked};
  add_shape(&tensor, &layer->out_channels, 1);
  return tensor;
}

static size_t tensors(const struct layer *layer, struct tensor list[MAX_TENSORS]) {
  size_t count = 0;
  list[count++] = activation_tensor(layer, "input", TENSOR_INPUT);
  if (layer->residual) list[count++] = activation_tensor(layer, "residual", TENSOR_RESIDUAL);
  list[count++] = weights_tensor(layer);
  if (layer->bias) list[count++] = channels_tensor(layer, "bias", layer->bias_values.data);
  if (layer->activation == CS_PRELU) list[count++] = channels_tensor(layer, "slope", NULL);
  list[count++] = activation_tensor(layer, "output", TENSOR_OUTPUT);
  return count;
}

/* ---- lowering ----------------------------------------------------------------------------------------------------- */

/* Steps of an activation in memory: of one image, one channel, and one index of each spatial dimension. */
struct steps {
  int64_t batch, channel, spatial[MAX_SPATIAL];
};

static struct steps layout_steps(enum cs_layout layout, int64_t channels, const int64_t *sizes, int rank) {
  struct steps steps;
  int64_t step = layout == CS_NHWC ? channels : 1;
  for (int d = rank; d-- > 0; step *= sizes[d]) steps.spatial[d] = step;
  steps.channel = layout == CS_NHWC ? 1 : step;
  steps.batch = channels * product(sizes, rank);
  return steps;
}

static bool has_zero(const struct baked *baked, enum cs_dtype dtype) {
  for (size_t i = 0; i < baked->count; i++)
    if (cs_get(baked->data, i, dtype) == 0) return true;
  return false;
}

static void lower_input(const struct layer *layer, struct problem *problem) {
  struct steps steps = layout_steps(layer->in_layout, layer->in_channels, layer->in, layer->rank);
  problem->x_batch = steps.batch;
  problem->x_group = problem->in_channels * steps.channel;
  problem->x_channel = steps.channel;
  for (int d = 0; d < layer->rank; d++) problem->axis[d].x_step = steps.spatial[d];
}

static void lower_output(const struct layer *layer, struct problem *problem) {
  struct steps steps = layout_steps(layer->out_layout, layer->out_channels, layer->out, layer->rank);
  problem->y_batch = steps.batch;
  problem->y_group = problem->out_channels * steps.channel;
  problem->y_channel = steps.channel;
  for (int d = 0; d < layer->rank; d++) problem->axis[d].y_step = steps.spatial[d];
}

/* A flipped kernel is read from its last tap backwards. */
static void lower_weights(const struct layer *layer, struct problem *problem) {
  int64_t step = layer->flip ? -1 : 1;
  for (int d = layer->rank; d-- > 0; step *= layer->kernel[d]) problem->axis[d].w_step = step;
  problem->w_in = taps(layer);
  problem->w_out = problem->in_channels * problem->w_in;
  problem->w_group = problem->out_channels * problem->w_out;
  problem->w_first = layer->flip ? problem->w_in - 1 : 0;
  problem->baked_weights = layer->weights.data;
  problem->zero_weights = layer->weights.data && has_zero(&layer->weights, layer->dtype);
}

static void lower_axes(const struct layer *layer, struct problem *problem) {
  for (int d = 0; d < layer->rank; d++) {
    struct axis *axis = &problem->axis[d];
    axis->in = layer->in[d];
    axis->out = layer->out[d];
    axis->kernel = layer->kernel[d];
    axis->stride = layer->stride[d];
    axis->dilation = layer->dilation[d];
    axis->pad = layer->pad[d][0];
  }
}

static size_t lower(const struct layer *layer, struct problem *problem) {
  *problem = (struct problem){.dtype = layer->dtype,
                              .rank = layer->rank,
                              .batch = layer->batch,
                              .groups = layer->groups,
                              .in_channels = layer->in_channels / layer->groups,
                              .out_channels = layer->out_channels / layer->groups,
                              .pad_mode = layer->pad_mode,
                              .bias = layer->bias,
                              .residual = layer->residual,
                              .activation = layer->activation,
                              .act = {layer->act[0], layer->act[1]},
                              .baked_bias = layer->bias_values.data != NULL,
                              .unroll = layer->unroll,
                              .max_code_bytes = layer->max_code_bytes};
  lower_axes(layer, problem);
  lower_input(layer, problem);
  lower_output(layer, problem);
  lower_weights(layer, problem);
  return 1;
}

/* ---- reference ---------------------------------------------------------------------------------------------------- */

static struct cs_conv reference_conv(const struct layer *layer) {
  struct cs_conv conv = {.rank = layer->rank,
                         .dtype = layer->dtype,
                         .batch = (ptrdiff_t)layer->batch,
                         .in_channels = (ptrdiff_t)layer->in_channels,
                         .out_channels = (ptrdiff_t)layer->out_channels,
                         .groups = (ptrdiff_t)layer->groups,
                         .pad_mode = layer->pad_mode,
                         .flip = layer->flip,
                         .skip_zero_weights = layer->weights.data != NULL,
                         .activation = layer->activation,
                         .act = {layer->act[0], layer->act[1]}};
  for (int d = 0; d < layer->rank; d++) {
    conv.in[d] = (ptrdiff_t)layer->in[d];
    conv.out[d] = (ptrdiff_t)layer->out[d];
    conv.kernel[d] = (ptrdiff_t)layer->kernel[d];
    conv.stride[d] = (ptrdiff_t)layer->stride[d];
    conv.dilation[d] = (ptrdiff_t)layer->dilation[d];
    conv.pad[d] = (ptrdiff_t)layer->pad[d][0];
  }
  return conv;
}

static void expect(const struct layer *layer, const void *const *data, const ptrdiff_t *index, struct cs_expect *result) {
  static const struct {
    const char *name;
    size_t field;
  } fields[] = {{"input", offsetof(struct cs_conv_data, input)},
                {"weights", offsetof(struct cs_conv_data, weights)},
                {"bias", offsetof(struct cs_conv_data, bias)},
                {"residual", offsetof(struct cs_conv_data, residual)},
                {"slope", offsetof(struct cs_conv_data, slope)}};
  struct tensor list[MAX_TENSORS];
  size_t count = tensors(layer, list);
  struct cs_conv conv = reference_conv(layer);
  struct cs_conv_data conv_data = {0};
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
    int found = tensor_find(list, count, fields[i].name);
    if (found < 0) continue;
    const void *values = list[found].baked ? list[found].baked : data[found];
    memcpy((char *)&conv_data + fields[i].field, &values, sizeof values);
  }
  cs_conv_expect(&conv, &conv_data, index, result);
}

static int64_t multiply_adds(const struct layer *layer) {
  int64_t outputs = saturating(saturating(layer->batch, layer->out_channels), product(layer->out, layer->rank));
  return saturating(outputs, saturating(layer->in_channels / layer->groups, taps(layer)));
}

/* ---- exactness ---------------------------------------------------------------------------------------------------- */

static bool is_whole(double value, enum cs_dtype dtype) {
  return value == floor(value) && (dtype == CS_F64 || value == (double)(float)value);
}

/* The largest magnitude of baked values, `otherwise` where there are none, infinity where one is no whole number. */
static double magnitude(const struct baked *baked, enum cs_dtype dtype, double otherwise) {
  if (!baked->data) return otherwise;
  double most = 0;
  for (size_t i = 0; i < baked->count; i++) {
    double value = cs_get(baked->data, i, dtype);
    if (!(fabs(value) <= DBL_MAX) || !is_whole(value, dtype)) return INFINITY;
    most = fmax(most, fabs(value));
  }
  return most;
}

/* How much the activation enlarges whole numbers up to `limit`-sized slopes; infinity where it leaves the whole numbers. */
static double gain(const struct layer *layer, double limit) {
  enum cs_dtype dtype = layer->dtype;
  switch (layer->activation) {
  case CS_NONE:
  case CS_RELU:
  case CS_RELU6:
    return 1;
  case CS_PRELU:
    return limit;
  case CS_LEAKY_RELU:
    return is_whole(layer->act[0], dtype) ? fmax(1, fabs(layer->act[0])) : INFINITY;
  case CS_CLAMP:
    return is_whole(layer->act[0], dtype) && is_whole(layer->act[1], dtype) ? 1 : INFINITY;
  default:
    return INFINITY;
  }
}

static int exact_limit(const struct layer *layer) {
  double exact = layer->dtype == CS_F32 ? 0x1p24 : 0x1p53; /* whole numbers below this are exact */
  double terms = (double)(layer->in_channels / layer->groups) * (double)taps(layer);
  for (int limit = 8; limit > 0; limit--) {
    double weight = magnitude(&layer->weights, layer->dtype, limit);
    double bias = layer->bias ? magnitude(&layer->bias_values, layer->dtype, limit) : 0;
    double sum = terms * limit * weight + bias + (layer->residual ? limit : 0);
    if (sum * gain(layer, limit) < exact) return limit;
  }
  return 0;
}

const struct op op_conv = {
    .name = "conv",
    .keys = conv_keys,
    .resolve = resolve,
    .tensors = tensors,
    .lower = lower,
    .expect = expect,
    .multiply_adds = multiply_adds,
    .exact_limit = exact_limit,
    .reference = "ref_conv.c",
};
