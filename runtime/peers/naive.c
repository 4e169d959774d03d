/* The definition as plain loops, as one writes them by hand or as simple code generators do, left to the compiler's optimizer: an
 * output's sum is kept in a scalar, the borders are tested at each tap. */
#include "peer.h"
#include <stdio.h>
#include <stdlib.h>

static const char *const variants[] = {"loops", NULL};

struct run {
  struct peer_layer layer;
  struct peer_data data;
  int in[3], out[3], kernel[3], stride[3], dilation[3], pad[3]; /* always three dimensions */
};

static void version(char *text, size_t size) {
  snprintf(text, size, "%s", __VERSION__);
}

/* Missing outer dimensions have one element. */
static void spread(const ptrdiff_t *from, int rank, int missing, int *to) {
  for (int d = 0; d < 3; d++) to[d] = d < 3 - rank ? missing : (int)from[d - (3 - rank)];
}

static int takes(const struct cs_conv *conv) {
  return conv->dtype == CS_F32 && conv->pad_mode == CS_ZEROS && !conv->flip && !conv->transposed &&
         (conv->activation <= CS_RELU6 || conv->activation == CS_CLAMP || conv->activation == CS_LEAKY_RELU);
}

static void *create(const struct peer_layer *layer, const struct peer_data *data, int variant, char *why, size_t size) {
  const struct cs_conv *conv = &layer->conv;
  struct run *run = takes(conv) ? calloc(1, sizeof *run) : NULL;
  (void)variant;
  if (!run) return snprintf(why, size, "its loops know convolutions with zero padding and piecewise linear activations"), NULL;
  run->layer = *layer;
  run->data = *data;
  spread(conv->in, conv->rank, 1, run->in);
  spread(conv->out, conv->rank, 1, run->out);
  spread(conv->kernel, conv->rank, 1, run->kernel);
  spread(conv->stride, conv->rank, 1, run->stride);
  spread(conv->dilation, conv->rank, 1, run->dilation);
  spread(conv->pad, conv->rank, 0, run->pad);
  return run;
}

static float activate(const struct cs_conv *conv, float x) {
  switch (conv->activation) {
  case CS_RELU:
    return x < 0 ? 0 : x;
  case CS_RELU6:
    return x < 0 ? 0 : x > 6 ? 6 : x;
  case CS_CLAMP:
    return x < (float)conv->act[0] ? (float)conv->act[0] : x > (float)conv->act[1] ? (float)conv->act[1] : x;
  case CS_LEAKY_RELU:
    return x < 0 ? (float)conv->act[0] * x : x;
  default:
    return x;
  }
}

/* Element [n, c, p] of a tensor with `channels` channels of `size` places each. */
static size_t at(enum cs_layout layout, size_t channels, size_t size, size_t n, size_t c, size_t p) {
  return layout == CS_NHWC ? (n * size + p) * channels + c : (n * channels + c) * size + p;
}

static float sum(const struct run *run, int n, int m, const int *o) {
  const struct cs_conv *conv = &run->layer.conv;
  const int each = (int)(conv->in_channels / conv->groups), group = m / (int)(conv->out_channels / conv->groups);
  const int *k = run->kernel, *in = run->in, taps = k[0] * k[1] * k[2];
  const size_t size = (size_t)in[0] * (size_t)in[1] * (size_t)in[2];
  float total = run->layer.bias ? run->data.bias[m] : 0;
  for (int z = 0; z < k[0]; z++)
    for (int y = 0; y < k[1]; y++)
      for (int x = 0; x < k[2]; x++) {
        const int iz = o[0] * run->stride[0] - run->pad[0] + z * run->dilation[0];
        const int iy = o[1] * run->stride[1] - run->pad[1] + y * run->dilation[1];
        const int ix = o[2] * run->stride[2] - run->pad[2] + x * run->dilation[2];
        if (iz < 0 || iz >= in[0] || iy < 0 || iy >= in[1] || ix < 0 || ix >= in[2]) continue;
        const size_t place = ((size_t)iz * (size_t)in[1] + (size_t)iy) * (size_t)in[2] + (size_t)ix;
        const float *weights = run->data.weights + (size_t)m * (size_t)each * (size_t)taps + (z * k[1] + y) * k[2] + x;
        for (int c = 0; c < each; c++)
          total +=
              run->data
                  .input[at(run->layer.in_layout, (size_t)conv->in_channels, size, (size_t)n, (size_t)(group * each + c), place)] *
              weights[c * taps];
      }
  return total;
}

static void call(void *context) {
  struct run *run = context;
  const struct cs_conv *conv = &run->layer.conv;
  const int *out = run->out;
  const size_t size = (size_t)out[0] * (size_t)out[1] * (size_t)out[2];
  for (int n = 0; n < conv->batch; n++)
    for (size_t p = 0; p < size; p++)
      for (int m = 0; m < conv->out_channels; m++) {
        const int row = (int)(p / (size_t)out[2]), o[3] = {row / out[1], row % out[1], (int)(p % (size_t)out[2])};
        const size_t y = at(run->layer.out_layout, (size_t)conv->out_channels, size, (size_t)n, (size_t)m, p);
        const float total = sum(run, n, m, o) + (run->layer.residual ? run->data.residual[y] : 0);
        run->data.output[y] = activate(conv, total);
      }
}

static const void *memory(void *context, size_t *bytes) {
  const struct run *run = context;
  const struct cs_conv *conv = &run->layer.conv;
  *bytes = sizeof(float) * (size_t)conv->batch * (size_t)conv->out_channels;
  for (int d = 0; d < 3; d++) *bytes *= (size_t)run->out[d];
  return run->data.output;
}

static const char *implementation(void *run) {
  (void)run;
  return "loops";
}

static void fetch(void *run) {
  (void)run;
}

const struct peer convsmith_peer = {variants, 1, version, create, implementation, call, memory, fetch, free};
