/* The op `conv`: cross-correlation (with `flip`, convolution) of 1 to 3 spatial dimensions. It is one problem: groups, layouts and
 * a flipped kernel are only steps. */
#include "conv.h"
#include "mem.h"
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

/* ---- tensors ------------------------------------------------------------------------------------------------------ */

static void add_shape(struct tensor *tensor, const int64_t *sizes, int count) {
  for (int i = 0; i < count; i++) tensor->shape[tensor->rank++] = (ptrdiff_t)sizes[i];
}

int64_t conv_taps(const struct layer *layer) {
  return shape_product(layer->kernel, layer->rank);
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
struct tensor conv_weights(const struct layer *layer) {
  struct tensor tensor = {.name = "weights", .role = TENSOR_PARAMETER, .dtype = layer->dtype, .layout = CS_NCHW};
  add_shape(&tensor, (int64_t[]){layer->out_channels, layer->in_channels / layer->groups}, 2);
  add_shape(&tensor, layer->kernel, layer->rank);
  tensor.baked = layer->weights.data;
  return tensor;
}

/* [M] */
struct tensor conv_channels(const struct layer *layer, const char *name, const void *baked) {
  struct tensor tensor = {.name = name, .role = TENSOR_PARAMETER, .dtype = layer->dtype, .layout = CS_NCHW, .baked = baked};
  add_shape(&tensor, &layer->out_channels, 1);
  return tensor;
}

static size_t tensors(const struct layer *layer, struct tensor list[MAX_TENSORS]) {
  size_t count = 0;
  list[count++] = activation_tensor(layer, "input", TENSOR_INPUT);
  if (layer->residual) list[count++] = activation_tensor(layer, "residual", TENSOR_RESIDUAL);
  list[count++] = conv_weights(layer);
  if (layer->bias) list[count++] = conv_channels(layer, "bias", layer->bias_values.data);
  if (layer->activation == CS_PRELU) list[count++] = conv_channels(layer, "slope", NULL);
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
  steps.batch = channels * shape_product(sizes, rank);
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
  problem->w_in = conv_taps(layer);
  problem->w_out = problem->in_channels * problem->w_in;
  problem->w_group = problem->out_channels * problem->w_out;
  problem->w_first = layer->flip ? problem->w_in - 1 : 0;
  problem->b_group = problem->out_channels;
  problem->b_out = 1;
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

struct cs_conv conv_reference(const struct layer *layer) {
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

static const void *channels_last(const struct tensor *tensor, const void *logical) {
  void *moved = mem_array(tensor_count(tensor), cs_size(tensor->dtype));
  cs_to_layout(logical, moved, tensor->shape, tensor->rank, tensor->dtype, CS_NHWC);
  return moved;
}

static struct cs_conv_data reference_data(const struct tensor *list, size_t count, const void *const *data) {
  static const struct {
    const char *name;
    size_t field;
  } fields[] = {{"input", offsetof(struct cs_conv_data, input)},
                {"weights", offsetof(struct cs_conv_data, weights)},
                {"bias", offsetof(struct cs_conv_data, bias)},
                {"residual", offsetof(struct cs_conv_data, residual)},
                {"slope", offsetof(struct cs_conv_data, slope)}};
  struct cs_conv_data result = {0};
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
    int found = tensor_find(list, count, fields[i].name);
    if (found < 0) continue;
    const void *values = list[found].baked ? list[found].baked : data[found];
    memcpy((char *)&result + fields[i].field, &values, sizeof values);
  }
  result.input = channels_last(&list[tensor_find(list, count, "input")], result.input);
  result.weights = channels_last(&list[tensor_find(list, count, "weights")], result.weights);
  return result;
}

static void expect(const struct layer *layer, const void *const *data, const size_t *elements, size_t count,
                   struct cs_expect *results) {
  const size_t mark = mem_mark();
  struct tensor list[MAX_TENSORS];
  const size_t tensor_total = tensors(layer, list);
  struct cs_conv conv = conv_reference(layer);
  conv.channels_last = 1;
  const struct cs_conv_data conv_data = reference_data(list, tensor_total, data);
  for (size_t i = 0; i < count; i++) {
    ptrdiff_t index[CS_MAX_RANK];
    tensor_index(&list[tensor_total - 1], elements[i], index);
    cs_conv_expect(&conv, &conv_data, index, &results[i]);
  }
  mem_release(mark);
}

static int64_t multiply_adds(const struct layer *layer) {
  int64_t outputs = shape_product(layer->out, layer->rank), inner = layer->in_channels / layer->groups;
  return shape_product((int64_t[]){layer->batch, layer->out_channels, outputs, inner, conv_taps(layer)}, 5);
}

const struct op op_conv = {
    .name = "conv",
    .keys = conv_keys,
    .resolve = conv_resolve,
    .tensors = tensors,
    .lower = lower,
    .expect = expect,
    .multiply_adds = multiply_adds,
    .exact_limit = conv_exact_limit,
    .reference = "ref_conv.c",
};
