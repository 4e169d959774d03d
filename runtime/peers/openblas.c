/* What one writes in an afternoon: patches of the input as a matrix (im2col), one matrix product by OpenBLAS, then bias, residual
 * and activation. A 1x1 layer of stride 1 needs no copy: its input is the matrix. */
#include "peer.h"
#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const variants[] = {"im2col", NULL};

struct run {
  struct peer_layer layer;
  struct peer_data data;
  float **weights; /* a copy each: [taps * channels of a group][outputs of a group], group by group */
  float *patches;
  int next;
  int places, depth, each_in, each_out; /* outputs of one image; elements of a patch; channels of a group */
  int direct;                           /* the input is the matrix of patches */
};

static void version(char *text, size_t size) {
  snprintf(text, size, "%s", openblas_get_config());
}

static const char *reason(const struct peer_layer *layer) {
  const struct cs_conv *conv = &layer->conv;
  if (conv->rank != 2 || conv->transposed) return "written for convolutions of two dimensions";
  if (layer->in_layout != CS_NHWC || layer->out_layout != CS_NHWC) return "written for channels last";
  if (conv->dtype != CS_F32 || conv->pad_mode != CS_ZEROS || conv->flip) return "written for f32, zero padding, no flip";
  if (conv->activation > CS_RELU6 && conv->activation != CS_CLAMP) return "written for none, relu, relu6 and clamp";
  return NULL;
}

static int is_direct(const struct cs_conv *conv) {
  int plain = conv->groups == 1;
  for (int d = 0; d < 2; d++) plain &= conv->kernel[d] == 1 && conv->stride[d] == 1 && conv->pad[d] == 0;
  return plain;
}

/* [M, C/g, taps] to [g][taps * C/g][M/g]: the order of a patch in channels-last memory. */
static void pack(const struct run *run, float *packed) {
  const int taps = run->depth / run->each_in;
  const int outputs = (int)run->layer.conv.out_channels;
  for (int m = 0; m < outputs; m++)
    for (int c = 0; c < run->each_in; c++)
      for (int t = 0; t < taps; t++) {
        const int group = m / run->each_out, row = t * run->each_in + c;
        packed[((size_t)group * (size_t)run->depth + (size_t)row) * (size_t)run->each_out + (size_t)(m % run->each_out)] =
            run->data.weights[((size_t)m * (size_t)run->each_in + (size_t)c) * (size_t)taps + (size_t)t];
      }
}

static void destroy(void *context) {
  struct run *run = context;
  for (int i = 0; run->weights && i < run->layer.copies; i++) free(run->weights[i]);
  free(run->weights);
  free(run->patches);
  free(run);
}

static int prepare(struct run *run) {
  const struct cs_conv *conv = &run->layer.conv;
  const size_t size = (size_t)conv->out_channels * (size_t)run->depth * sizeof(float);
  run->weights = calloc((size_t)run->layer.copies, sizeof *run->weights);
  run->patches = malloc((size_t)run->places * (size_t)run->depth * sizeof(float));
  for (int i = 0; run->weights && i < run->layer.copies; i++) {
    run->weights[i] = malloc(size);
    if (!run->weights[i]) return 0;
    pack(run, run->weights[i]);
  }
  return run->weights && run->patches;
}

static void *create(const struct peer_layer *layer, const struct peer_data *data, int variant, char *why, size_t size) {
  const char *no = reason(layer);
  struct run *run = no ? NULL : calloc(1, sizeof *run);
  (void)variant;
  if (!run) return snprintf(why, size, "%s", no ? no : "out of memory"), NULL;
  const struct cs_conv *conv = &layer->conv;
  run->layer = *layer;
  run->data = *data;
  run->each_in = (int)(conv->in_channels / conv->groups);
  run->each_out = (int)(conv->out_channels / conv->groups);
  run->places = (int)(conv->out[0] * conv->out[1]);
  run->depth = run->each_in * (int)(conv->kernel[0] * conv->kernel[1]);
  run->direct = is_direct(conv);
  openblas_set_num_threads(layer->threads);
  if (prepare(run)) return run;
  destroy(run);
  return snprintf(why, size, "out of memory"), NULL;
}

/* The patches of one group: [places][taps * C/g]. */
static void im2col(const struct run *run, const float *input, int group) {
  const struct cs_conv *conv = &run->layer.conv;
  const size_t bytes = (size_t)run->each_in * sizeof(float);
  float *to = run->patches;
  for (ptrdiff_t oy = 0; oy < conv->out[0]; oy++)
    for (ptrdiff_t ox = 0; ox < conv->out[1]; ox++)
      for (ptrdiff_t ky = 0; ky < conv->kernel[0]; ky++)
        for (ptrdiff_t kx = 0; kx < conv->kernel[1]; kx++, to += run->each_in) {
          const ptrdiff_t y = oy * conv->stride[0] - conv->pad[0] + ky * conv->dilation[0];
          const ptrdiff_t x = ox * conv->stride[1] - conv->pad[1] + kx * conv->dilation[1];
          if (y < 0 || y >= conv->in[0] || x < 0 || x >= conv->in[1])
            memset(to, 0, bytes);
          else
            memcpy(to, input + (y * conv->in[1] + x) * conv->in_channels + (ptrdiff_t)group * run->each_in, bytes);
        }
}

static void finish(const struct run *run, size_t image) {
  const struct cs_conv *conv = &run->layer.conv;
  const size_t channels = (size_t)conv->out_channels, count = (size_t)run->places * channels;
  const float *residual = run->layer.residual ? run->data.residual + image * count : NULL;
  float *output = run->data.output + image * count;
  const int act = conv->activation != CS_NONE;
  const float low = conv->activation == CS_CLAMP ? (float)conv->act[0] : 0;
  const float high = conv->activation == CS_CLAMP ? (float)conv->act[1] : conv->activation == CS_RELU6 ? 6.0f : 3.4e38f;
  for (size_t i = 0; i < count; i += channels)
    for (size_t c = 0; c < channels; c++) {
      float x = output[i + c] + (run->layer.bias ? run->data.bias[c] : 0) + (residual ? residual[i + c] : 0);
      if (act) x = x < low ? low : x > high ? high : x;
      output[i + c] = x;
    }
}

static void multiply(const struct run *run, size_t image, int group) {
  const struct cs_conv *conv = &run->layer.conv;
  const float *input = run->data.input + image * (size_t)(conv->in[0] * conv->in[1] * conv->in_channels);
  const float *weights = run->weights[run->next] + (size_t)group * (size_t)run->depth * (size_t)run->each_out;
  float *output = run->data.output + image * (size_t)run->places * (size_t)conv->out_channels + group * run->each_out;
  if (!run->direct) im2col(run, input, group);
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, run->places, run->each_out, run->depth, 1,
              run->direct ? input : run->patches, run->depth, weights, run->each_out, 0, output, (int)conv->out_channels);
}

static void call(void *context) {
  struct run *run = context;
  for (size_t n = 0; n < (size_t)run->layer.conv.batch; n++) {
    for (int g = 0; g < run->layer.conv.groups; g++) multiply(run, n, g);
    if (run->layer.bias || run->layer.residual || run->layer.conv.activation != CS_NONE) finish(run, n);
  }
  run->next = (run->next + 1) % run->layer.copies;
}

static const void *memory(void *context, size_t *bytes) {
  const struct run *run = context;
  *bytes = (size_t)run->layer.conv.batch * (size_t)run->places * (size_t)run->layer.conv.out_channels * sizeof(float);
  return run->data.output;
}

static const char *implementation(void *context) {
  return ((struct run *)context)->direct ? "sgemm" : "im2col + sgemm";
}

static void fetch(void *run) {
  (void)run;
}

const struct peer convsmith_peer = {variants, 1, version, create, implementation, call, memory, fetch, destroy};
