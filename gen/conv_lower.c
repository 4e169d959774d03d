/* What convolutions have in common on their way to problems: tensors, steps in memory, sizes. */
#include "conv.h"

static void add_shape(struct tensor *tensor, const int64_t *sizes, int count) {
  for (int i = 0; i < count; i++) tensor->shape[tensor->rank++] = (ptrdiff_t)sizes[i];
}

int64_t conv_taps(const struct layer *layer) {
  return shape_product(layer->kernel, layer->rank);
}

int64_t conv_multiply_adds(const struct layer *layer) {
  int64_t outputs = shape_product(layer->out, layer->rank), inner = layer->in_channels / layer->groups;
  return shape_product((int64_t[]){layer->batch, layer->out_channels, outputs, inner, conv_taps(layer)}, 5);
}

struct window conv_window(const struct layer *layer, int axis) {
  return (struct window){layer->kernel[axis], layer->stride[axis], layer->dilation[axis], layer->pixel_shuffle <= 1};
}

struct tensor conv_activation(const struct layer *layer, const char *name, enum tensor_role role) {
  bool input = role == TENSOR_INPUT;
  int64_t channels, sizes[MAX_SPATIAL];
  conv_output_sizes(layer, &channels, sizes);
  struct tensor tensor = {
      .name = name, .role = role, .dtype = layer->dtype, .layout = input ? layer->in_layout : layer->out_layout};
  add_shape(&tensor, (int64_t[]){layer->batch, input ? layer->in_channels : channels}, 2);
  add_shape(&tensor, input ? layer->in : sizes, layer->rank);
  return tensor;
}

struct tensor conv_kernel(const struct layer *layer, int64_t first, int64_t second) {
  struct tensor tensor = {.name = "weights", .role = TENSOR_PARAMETER, .dtype = layer->dtype, .layout = CS_NCHW};
  add_shape(&tensor, (int64_t[]){first, second}, 2);
  add_shape(&tensor, layer->kernel, layer->rank);
  tensor.baked = layer->weights.data;
  return tensor;
}

struct tensor conv_channels(const struct layer *layer, const char *name, const void *baked) {
  struct tensor tensor = {.name = name, .role = TENSOR_PARAMETER, .dtype = layer->dtype, .layout = CS_NCHW, .baked = baked};
  add_shape(&tensor, &layer->out_channels, 1);
  return tensor;
}

size_t conv_tensors(const struct layer *layer, struct tensor list[MAX_TENSORS]) {
  size_t count = 0;
  list[count++] = conv_activation(layer, "input", TENSOR_INPUT);
  if (layer->residual) list[count++] = conv_activation(layer, "residual", TENSOR_RESIDUAL);
  list[count++] = layer->op->weights(layer);
  if (layer->bias) list[count++] = conv_channels(layer, "bias", layer->bias_values.data);
  if (layer->activation == CS_PRELU) list[count++] = conv_channels(layer, "slope", NULL);
  list[count++] = conv_activation(layer, "output", TENSOR_OUTPUT);
  return count;
}

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
  int64_t channels, sizes[MAX_SPATIAL];
  conv_output_sizes(layer, &channels, sizes);
  struct steps steps = layout_steps(layer->out_layout, channels, sizes, layer->rank);
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

struct problem conv_problem(const struct layer *layer) {
  struct problem problem = {.dtype = layer->dtype,
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
  lower_axes(layer, &problem);
  lower_input(layer, &problem);
  lower_output(layer, &problem);
  lower_weights(layer, &problem);
  return problem;
}
