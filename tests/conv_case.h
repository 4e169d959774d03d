/* Small convolutions for tests of the reference: a shape with plain values for what a test does not set, and its output by index.
 */
#ifndef TESTS_CONV_CASE_H
#define TESTS_CONV_CASE_H
#include "../runtime/convsmith.h"

/* One dimension, one channel, `in` inputs and `kernel` taps, padded by `pad` on both sides. */
static inline struct cs_conv conv_row(ptrdiff_t in, ptrdiff_t kernel, ptrdiff_t pad) {
  struct cs_conv conv = {.rank = 1, .batch = 1, .in_channels = 1, .out_channels = 1, .groups = 1};
  conv.in[0] = in;
  conv.kernel[0] = kernel;
  conv.stride[0] = conv.dilation[0] = 1;
  conv.pad[0] = pad;
  conv.out[0] = in + 2 * pad - kernel + 1;
  return conv;
}

/* Output `flat` in logical order. */
static inline struct cs_expect conv_at(const struct cs_conv *conv, const struct cs_conv_data *data, ptrdiff_t flat) {
  ptrdiff_t index[2 + CS_MAX_SPATIAL];
  struct cs_expect expect;
  for (int d = conv->rank - 1; d >= 0; flat /= conv->out[d], d--) index[2 + d] = flat % conv->out[d];
  index[1] = flat % conv->out_channels;
  index[0] = flat / conv->out_channels;
  cs_conv_expect(conv, data, index, &expect);
  return expect;
}
#endif
