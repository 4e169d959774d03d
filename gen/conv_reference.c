/* What convolutions have in common on their way to the reference. */
#include "conv.h"
#include "mem.h"
#include "signature.h"
#include <string.h>

struct cs_conv conv_reference(const struct layer *layer) {
  struct cs_conv conv = {.rank = layer->rank,
                         .dtype = layer->dtype,
                         .batch = (ptrdiff_t)layer->batch,
                         .in_channels = (ptrdiff_t)layer->in_channels,
                         .out_channels = (ptrdiff_t)layer->out_channels,
                         .groups = (ptrdiff_t)layer->groups,
                         .shuffle = (ptrdiff_t)layer->shuffle,
                         .pixel_shuffle = (ptrdiff_t)layer->pixel_shuffle,
                         .pad_mode = layer->pad_mode,
                         .flip = layer->flip,
                         .skip_zero_weights = layer->weights.data != NULL,
                         .terms = layer->factors[0] ? (ptrdiff_t)conv_terms(layer) : 0,
                         .activation = layer->activation,
                         .act = {layer->act[0], layer->act[1]}};
  for (int d = 0; d < layer->rank; d++) {
    conv.in[d] = (ptrdiff_t)layer->in[d];
    conv.out[d] = (ptrdiff_t)layer->out[d];
    conv.kernel[d] = (ptrdiff_t)layer->kernel[d];
    conv.stride[d] = (ptrdiff_t)layer->stride[d];
    conv.dilation[d] = (ptrdiff_t)layer->dilation[d];
    conv.pad[d] = (ptrdiff_t)layer->pad[d][0];
    conv.tile[d] = (ptrdiff_t)layer->tile[d];
  }
  return conv;
}

struct cs_conv conv_reference_transposed(const struct layer *layer) {
  struct cs_conv conv = conv_reference(layer);
  conv.transposed = 1;
  return conv;
}

static const void *channels_last(const struct tensor *tensor, const void *logical) {
  void *moved = mem_array(tensor_count(tensor), cs_size(tensor->dtype));
  cs_to_layout(logical, moved, tensor->shape, tensor->rank, tensor->dtype, CS_NHWC);
  return moved;
}

/* Weights as [M, (t...,) k..., C/g]. */
static const void *inputs_last(const struct cs_conv *conv, const struct tensor *weights, const void *logical) {
  struct tensor whole = *weights; /* [M·Πt, C/g, k...] */
  for (int extra = weights->rank - 2 - conv->rank; extra-- > 0; whole.rank--) {
    whole.shape[0] *= whole.shape[1];
    memmove(whole.shape + 1, whole.shape + 2, (size_t)(whole.rank - 2) * sizeof *whole.shape);
  }
  const size_t size = cs_size(weights->dtype), taps = tensor_count(weights) / (size_t)(weights->shape[0] * weights->shape[1]);
  if (!conv->transposed) return channels_last(&whole, logical);
  const size_t outputs = (size_t)weights->shape[1], inputs = (size_t)(conv->in_channels / conv->groups); /* of a group */
  char *moved = mem_array(tensor_count(weights), size);
  for (size_t c = 0; c < (size_t)conv->in_channels; c++)
    for (size_t m = 0; m < outputs; m++)
      for (size_t k = 0; k < taps; k++) {
        const size_t to = ((c / inputs * outputs + m) * taps + k) * inputs + c % inputs;
        memcpy(moved + to * size, (const char *)logical + ((c * outputs + m) * taps + k) * size, size);
      }
  return moved;
}

static struct cs_conv_data reference_data(const struct cs_conv *conv, const struct tensor *list, size_t count,
                                          const void *const *data) {
  static const struct {
    const char *name;
    size_t field;
  } fields[] = {{"input", offsetof(struct cs_conv_data, input)},       {"grad_output", offsetof(struct cs_conv_data, input)},
                {"weights", offsetof(struct cs_conv_data, weights)},   {"bias", offsetof(struct cs_conv_data, bias)},
                {"residual", offsetof(struct cs_conv_data, residual)}, {"slope", offsetof(struct cs_conv_data, slope)}};
  struct cs_conv_data result = {0};
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
    int found = tensor_find(list, count, fields[i].name);
    if (found < 0) continue;
    const void *values = list[found].baked ? list[found].baked : data[found];
    memcpy((char *)&result + fields[i].field, &values, sizeof values);
  }
  result.input = channels_last(&list[0], result.input);
  result.weights = inputs_last(conv, &list[tensor_find(list, count, "weights")], result.weights);
  return result;
}

void conv_expect(const struct layer *layer, const struct cs_promise *promise, const void *const *data, const size_t *elements,
                 size_t count, struct cs_expect *results) {
  const size_t mark = mem_mark();
  struct tensor list[MAX_TENSORS];
  const size_t tensor_total = layer->op->tensors(layer, list);
  struct cs_conv moved = layer->op->conv(layer);
  moved.channels_last = 1;
  moved.promise = *promise;
  const struct cs_conv_data conv_data = reference_data(&moved, list, tensor_total, data);
  for (size_t i = 0; i < count; i++) {
    ptrdiff_t index[CS_MAX_RANK];
    tensor_index(&list[tensor_total - 1], elements[i], index);
    cs_conv_expect(&moved, &conv_data, index, &results[i]);
  }
  mem_release(mark);
}

/* ---- for emitted tests ---------------------------------------------------------------------------------------------- */

/* Numbers reach templates as text: what is printed is decided here, once. */
static void set_number(lua_State *L, const char *key, double value) {
  set_text(L, key, mem_text("%.17g", value));
}

void conv_push(lua_State *L, const struct cs_conv *conv) {
  const struct {
    const char *key;
    const ptrdiff_t *sizes;
  } lists[] = {{"input", conv->in},          {"output", conv->out}, {"kernel", conv->kernel}, {"stride", conv->stride},
               {"dilation", conv->dilation}, {"pad", conv->pad},    {"tile", conv->tile}};
  lua_newtable(L);
  for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) set_sizes(L, lists[i].key, lists[i].sizes, conv->rank);
  set_text(L, "dtype", dtype_name(conv->dtype));
  set_integer(L, "rank", conv->rank);
  set_integer(L, "batch", conv->batch);
  set_integer(L, "in_channels", conv->in_channels);
  set_integer(L, "out_channels", conv->out_channels);
  set_integer(L, "groups", conv->groups);
  set_integer(L, "shuffle", conv->shuffle);
  set_integer(L, "pixel_shuffle", conv->pixel_shuffle);
  set_text(L, "pad_mode", pad_mode_name(conv->pad_mode));
  set_integer(L, "flip", conv->flip);
  set_integer(L, "transposed", conv->transposed);
  set_integer(L, "skip_zero_weights", conv->skip_zero_weights);
  set_text(L, "activation", activation_name(conv->activation));
  set_number(L, "act1", conv->act[0]);
  set_number(L, "act2", conv->act[1]);
  set_integer(L, "terms", conv->terms);
}

void conv_push_layer(lua_State *L, const struct layer *layer) {
  const struct cs_conv conv = layer->op->conv(layer);
  conv_push(L, &conv);
}
