/* XNNPACK: its convolution operator, channels last, two dimensions. A residual is a second operator, as in its own networks. */
#include "peer.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <xnnpack.h>

static const char *const variants[] = {"nhwc", NULL};

static const double MOST_BYTES = 2e9;

struct run {
  struct peer_layer layer;
  struct peer_data data;
  xnn_operator_t *convs, add;
  pthreadpool_t pool;
  int next;
};

static void version(char *text, size_t size) {
  snprintf(text, size, "of %s", xnn_initialize(NULL) == xnn_status_success ? "this system" : "another kind of machine");
}

static const char *reason(const struct peer_layer *layer) {
  const struct cs_conv *conv = &layer->conv;
  if (xnn_initialize(NULL) != xnn_status_success) return "it does not run on this machine";
  if (conv->transposed) return "its deconvolution is not asked";
  if (conv->rank > 2) return "it has no three dimensions";
  if (layer->in_layout != CS_NHWC || layer->out_layout != CS_NHWC) return "it takes channels last";
  if (conv->dtype != CS_F32 || conv->pad_mode != CS_ZEROS || conv->flip) return "it takes f32, zero padding, no flip";
  if (conv->activation > CS_RELU6 && conv->activation != CS_CLAMP) return "it fuses none, relu, relu6 and clamp";
  return NULL;
}

static void limits(const struct cs_conv *conv, float *low, float *high) {
  *low = conv->activation == CS_NONE ? -HUGE_VALF : conv->activation == CS_CLAMP ? (float)conv->act[0] : 0;
  *high = conv->activation == CS_RELU6 ? 6 : conv->activation == CS_CLAMP ? (float)conv->act[1] : HUGE_VALF;
}

/* The two spatial sizes; of one dimension the other is `missing`. */
static uint32_t size_of(const struct cs_conv *conv, const ptrdiff_t *sizes, int axis, uint32_t missing) {
  const int d = axis - (2 - conv->rank);
  return d < 0 ? missing : (uint32_t)sizes[d];
}

/* What windows reach beyond the last element. */
static uint32_t pad_after(const struct cs_conv *conv, int axis) {
  const int d = axis - (2 - conv->rank);
  if (d < 0) return 0;
  const ptrdiff_t end = (conv->out[d] - 1) * conv->stride[d] + (conv->kernel[d] - 1) * conv->dilation[d] + 1;
  return end > conv->in[d] + conv->pad[d] ? (uint32_t)(end - conv->in[d] - conv->pad[d]) : 0;
}

/* [M, C/g, taps] to what the operator takes: [M, taps, C/g], or for depthwise layers the same. */
static float *by_channels_last(const struct run *run) {
  const struct cs_conv *conv = &run->layer.conv;
  const size_t each = (size_t)(conv->in_channels / conv->groups), m = (size_t)conv->out_channels;
  const size_t taps = (size_t)size_of(conv, conv->kernel, 0, 1) * size_of(conv, conv->kernel, 1, 1);
  float *weights = malloc(m * taps * each * sizeof *weights);
  for (size_t i = 0; weights && i < m * taps * each; i++) {
    const size_t c = i % each, t = i / each % taps, o = i / each / taps;
    weights[i] = run->data.weights[(o * each + c) * taps + t];
  }
  return weights;
}

static enum xnn_status create_conv(struct run *run, const float *weights, xnn_operator_t *conv_op) {
  const struct cs_conv *conv = &run->layer.conv;
  float low = -HUGE_VALF, high = HUGE_VALF;
  if (!run->layer.residual) limits(conv, &low, &high);
  const enum xnn_status status = xnn_create_convolution2d_nhwc_f32(
      size_of(conv, conv->pad, 0, 0), pad_after(conv, 1), pad_after(conv, 0), size_of(conv, conv->pad, 1, 0),
      size_of(conv, conv->kernel, 0, 1), size_of(conv, conv->kernel, 1, 1), size_of(conv, conv->stride, 0, 1),
      size_of(conv, conv->stride, 1, 1), size_of(conv, conv->dilation, 0, 1), size_of(conv, conv->dilation, 1, 1),
      (uint32_t)conv->groups, (size_t)(conv->in_channels / conv->groups), (size_t)(conv->out_channels / conv->groups),
      (size_t)conv->in_channels, (size_t)conv->out_channels, weights, run->data.bias, low, high, 0, conv_op);
  if (status != xnn_status_success) return status;
  return xnn_setup_convolution2d_nhwc_f32(*conv_op, (size_t)conv->batch, size_of(conv, conv->in, 0, 1),
                                          size_of(conv, conv->in, 1, 1), run->data.input, run->data.output, run->pool);
}

static size_t output_count(const struct cs_conv *conv) {
  return (size_t)conv->batch * (size_t)conv->out_channels * size_of(conv, conv->out, 0, 1) * size_of(conv, conv->out, 1, 1);
}

static enum xnn_status create_add(struct run *run) {
  const size_t shape[] = {output_count(&run->layer.conv)};
  float low, high;
  limits(&run->layer.conv, &low, &high);
  const enum xnn_status status = xnn_create_add_nd_f32(low, high, 0, &run->add);
  if (status != xnn_status_success) return status;
  return xnn_setup_add_nd_f32(run->add, 1, shape, 1, shape, run->data.output, run->data.residual, run->data.output, run->pool);
}

static void destroy(void *context) {
  struct run *run = context;
  for (int i = 0; run->convs && i < run->layer.copies; i++)
    if (run->convs[i]) xnn_delete_operator(run->convs[i]);
  if (run->add) xnn_delete_operator(run->add);
  pthreadpool_destroy(run->pool);
  free(run->convs);
  free(run);
}

/* Of the copies that are asked for, as many as memory holds: an operator of a window also has a pointer for each of its elements
 * and each output, often far more than its weights. */
static int copies_of(const struct cs_conv *conv, int asked) {
  const double taps = (double)size_of(conv, conv->kernel, 0, 1) * size_of(conv, conv->kernel, 1, 1);
  const double outputs = (double)conv->batch * size_of(conv, conv->out, 0, 1) * size_of(conv, conv->out, 1, 1);
  const double most = MOST_BYTES / (taps * outputs * sizeof(void *));
  return asked < most ? asked : most > 2 ? (int)most : 2;
}

static enum xnn_status build(struct run *run) {
  enum xnn_status status = run->layer.residual ? create_add(run) : xnn_status_success;
  float *weights = by_channels_last(run);
  run->convs = calloc((size_t)run->layer.copies, sizeof *run->convs);
  if (!weights || !run->convs) status = xnn_status_out_of_memory;
  for (int i = 0; i < run->layer.copies && status == xnn_status_success; i++) status = create_conv(run, weights, &run->convs[i]);
  free(weights);
  return status;
}

static void *create(const struct peer_layer *layer, const struct peer_data *data, int variant, char *why, size_t size) {
  const char *no = reason(layer);
  struct run *run = no ? NULL : calloc(1, sizeof *run);
  (void)variant;
  if (!run) return snprintf(why, size, "%s", no ? no : "out of memory"), NULL;
  run->layer = *layer;
  run->data = *data;
  run->layer.copies = copies_of(&layer->conv, layer->copies);
  run->pool = layer->threads > 1 ? pthreadpool_create((size_t)layer->threads) : NULL;
  const enum xnn_status status = build(run);
  if (status == xnn_status_success) return run;
  destroy(run);
  return snprintf(why, size, "it refuses with status %d", (int)status), NULL;
}

static const char *implementation(void *context) {
  return ((struct run *)context)->layer.residual ? "convolution + add" : "convolution";
}

static void call(void *context) {
  struct run *run = context;
  xnn_run_operator(run->convs[run->next], run->pool);
  if (run->add) xnn_run_operator(run->add, run->pool);
  run->next = (run->next + 1) % run->layer.copies;
}

static const void *memory(void *context, size_t *bytes) {
  const struct run *run = context;
  *bytes = output_count(&run->layer.conv) * sizeof(float);
  return run->data.output;
}

static void fetch(void *run) {
  (void)run;
}

const struct peer convsmith_peer = {variants, 1, version, create, implementation, call, memory, fetch, destroy};
