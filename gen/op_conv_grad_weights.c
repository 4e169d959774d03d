/* The op `conv_grad_weights`: the gradient of a convolution's weights. Weight [m, c, k] gathers grad_output[n, m, o] · input[n, c,
 * o·stride - pad + k·dilation] over images and outputs, which is a convolution again: of the input, its images as channels and its
 * channels as images, by grad_output, with stride and dilation exchanged. The layer's keys are those of the forward convolution. */
#include "conv.h"
#include "mem.h"
#include "rule.h"
#include <math.h>

static const char *const grad_keys[] = {CONV_GRAD_KEYS, NULL};

static bool check_size(struct layer *layer, struct diags *diags) {
  const int64_t elements = shape_product(
      (int64_t[]){layer->out_channels, layer->in_channels / layer->groups, conv_taps(layer), (int64_t)cs_size(layer->dtype)}, 4);
  if (elements < INT64_MAX) return true;
  layer_error(layer, diags, "kernel_size", "the tensor 'output' has more than 2^63-1 bytes; make it smaller");
  return false;
}

static const struct rule rules[] = {{{"input", "out_channels", "groups", "kernel_size", "dtype"}, check_size, "kernel_size"}};

static bool resolve(struct layer *layer, struct diags *diags) {
  conv_check_channels(layer, diags);
  conv_check_windows(layer, diags);
  return rules_check(rules, 1, layer, diags);
}

static size_t tensors(const struct layer *layer, struct tensor list[MAX_TENSORS]) {
  list[0] = conv_activation(layer, "input", TENSOR_INPUT);
  list[1] = conv_activation(layer, "grad_output", TENSOR_OUTPUT);
  list[1].role = TENSOR_INPUT;
  list[2] = conv_kernel(layer, layer->out_channels, layer->in_channels / layer->groups);
  list[2].name = "output";
  list[2].role = TENSOR_OUTPUT;
  return 3;
}

static size_t lower(const struct layer *layer, struct problem **problems) {
  const struct problem forward = conv_problem(layer);
  struct problem *problem = *problems = mem_new(sizeof *problem);
  *problem = forward;
  problem->batch = forward.in_channels;
  problem->x_batch = forward.x_channel;
  problem->y_batch = forward.w_in;
  problem->in_channels = forward.batch;
  problem->x_channel = forward.x_batch;
  problem->w_in = forward.y_batch;
  problem->w_out = forward.y_channel;
  problem->y_channel = forward.w_out;
  problem->w_group = forward.y_group;
  problem->y_group = forward.w_group;
  problem->w_first = 0;
  problem->y_first = forward.w_first; /* flipped: from the last tap backwards */
  problem->gathered = true;
  for (int d = 0; d < forward.rank; d++) {
    const struct axis *from = &forward.axis[d];
    struct axis *to = &problem->axis[d];
    to->out = from->kernel;
    to->kernel = from->out;
    to->stride = from->dilation;
    to->dilation = from->stride;
    to->y_step = from->w_step;
    to->w_step = from->y_step;
  }
  return 1;
}

static int64_t terms(const struct layer *layer) {
  return layer->batch * shape_product(layer->out, layer->rank) + 2;
}

/* Sums of products of two whole numbers. */
static int exact_limit(const struct layer *layer, int bits) {
  const double exact = ldexp(layer->dtype == CS_F64 ? 0x1p53 : 0x1p24, -bits);
  int limit = 8;
  while (limit > 0 && (double)terms(layer) * limit * limit >= exact) limit--;
  return limit;
}

static void expect(const struct layer *layer, const struct cs_promise *promise, const void *const *data, const size_t *elements,
                   size_t count, struct cs_expect *results) {
  (void)promise;
  const struct cs_conv conv = conv_reference(layer);
  struct tensor list[MAX_TENSORS];
  const size_t total = tensors(layer, list);
  for (size_t i = 0; i < count; i++) {
    ptrdiff_t index[CS_MAX_RANK];
    tensor_index(&list[total - 1], elements[i], index);
    cs_conv_grad_weights_expect(&conv, data[0], data[1], index, &results[i]);
  }
}

static void push_reference(lua_State *L, const struct layer *layer) {
  const struct cs_conv conv = conv_reference(layer);
  conv_push(L, &conv);
  lua_pushboolean(L, true);
  lua_setfield(L, -2, "grad_weights");
}

static struct window window(const struct layer *layer, int axis) {
  return (struct window){layer->out[axis], layer->dilation[axis], layer->stride[axis], false};
}

const struct op op_conv_grad_weights = {
    .name = "conv_grad_weights",
    .keys = grad_keys,
    .resolve = resolve,
    .tensors = tensors,
    .lower = lower,
    .expect = expect,
    .multiply_adds = conv_multiply_adds,
    .terms = terms,
    .exact_limit = exact_limit,
    .window = window,
    .reference = "conv",
    .push_reference = push_reference,
};
