/* oneDNN: its own choice of formats (`any`), the layer's own layout (`plain`), and blocks of 16 channels (`16c`), which it does not
 * choose by itself on every machine and which is often faster. Weights are reordered ahead; activations too where the format is not
 * the layer's, since networks keep tensors in it from layer to layer. A residual is its post-op `sum`, in place. `winograd` is its
 * algorithm of fewer multiplications, in its own formats. */
#include "peer.h"
#include <oneapi/dnnl/dnnl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#if defined(DNNL_VERSION_MAJOR) && DNNL_VERSION_MAJOR != 2
#error "written for version 2"
#endif

enum { ANY, PLAIN, BLOCKED, WINOGRAD };
static const char *const variants[] = {"any", "plain", "16c", "winograd", NULL};

struct run {
  struct peer_layer layer;
  struct peer_data data;
  dnnl_engine_t engine;
  dnnl_stream_t stream;
  dnnl_primitive_desc_t desc;
  dnnl_primitive_t conv;
  dnnl_memory_t src, dst, bias, scratch, output, *weights;
  int next;
};

/* oneDNN says only "no"; the first failed step ends a creation. */
#define TRY(step)                                                                                                                  \
  do {                                                                                                                             \
    const dnnl_status_t status_ = (step);                                                                                          \
    if (status_ != dnnl_success) return status_;                                                                                   \
  } while (0)

static void version(char *text, size_t size) {
  const dnnl_version_t *v = dnnl_version();
  snprintf(text, size, "%d.%d.%d", v->major, v->minor, v->patch);
}

/* ---- descriptions ------------------------------------------------------------------------------------------------------ */

/* By spatial dimensions - 1. */
static const dnnl_format_tag_t first[] = {dnnl_ncw, dnnl_nchw, dnnl_ncdhw}, last[] = {dnnl_nwc, dnnl_nhwc, dnnl_ndhwc},
                               blocked[] = {dnnl_nCw16c, dnnl_nChw16c, dnnl_nCdhw16c}, dense[] = {dnnl_oiw, dnnl_oihw, dnnl_oidhw},
                               grouped[] = {dnnl_goiw, dnnl_goihw, dnnl_goidhw},
                               turned[] = {dnnl_bac, dnnl_bacd, dnnl_bacde}, /* transposed: inputs before outputs */
    turned_groups[] = {dnnl_acbd, dnnl_acbde, dnnl_acbdef};

static dnnl_format_tag_t plain_tag(enum cs_layout layout, int rank) {
  return layout == CS_NHWC ? last[rank - 1] : first[rank - 1];
}

static dnnl_format_tag_t tag_of(int variant, enum cs_layout layout, int rank) {
  return variant == ANY || variant == WINOGRAD ? dnnl_format_tag_any
         : variant == BLOCKED                  ? blocked[rank - 1]
                                               : plain_tag(layout, rank);
}

static dnnl_status_t describe_tensor(dnnl_memory_desc_t *md, const struct cs_conv *conv, ptrdiff_t channels, const ptrdiff_t *sizes,
                                     dnnl_format_tag_t tag) {
  dnnl_dims_t dims = {conv->batch, channels};
  for (int d = 0; d < conv->rank; d++) dims[2 + d] = sizes[d];
  return dnnl_memory_desc_init_by_tag(md, 2 + conv->rank, dims, dnnl_f32, tag);
}

static dnnl_status_t describe_weights(dnnl_memory_desc_t *md, const struct cs_conv *conv, int any) {
  dnnl_dims_t dims;
  int count = 0;
  if (conv->groups > 1) dims[count++] = conv->groups;
  dims[count++] = conv->out_channels / conv->groups;
  dims[count++] = conv->in_channels / conv->groups;
  for (int d = 0; d < conv->rank; d++) dims[count++] = conv->kernel[d];
  const dnnl_format_tag_t *tags = conv->transposed ? conv->groups > 1 ? turned_groups : turned : conv->groups > 1 ? grouped : dense;
  const dnnl_format_tag_t tag = tags[conv->rank - 1];
  return dnnl_memory_desc_init_by_tag(md, count, dims, dnnl_f32, any ? dnnl_format_tag_any : tag);
}

static dnnl_status_t describe_bias(dnnl_memory_desc_t *md, const struct cs_conv *conv) {
  const dnnl_dims_t dims = {conv->out_channels};
  return dnnl_memory_desc_init_by_tag(md, 1, dims, dnnl_f32, dnnl_x);
}

/* Sizes that a window has, and what it would need after the input; transposed, input and output change places. */
struct windows {
  dnnl_dims_t stride, dilation, before, after;
};

static struct windows windows_of(const struct cs_conv *conv) {
  const ptrdiff_t *narrow = conv->transposed ? conv->in : conv->out, *wide = conv->transposed ? conv->out : conv->in;
  struct windows windows = {{0}, {0}, {0}, {0}};
  for (int d = 0; d < conv->rank; d++) {
    windows.stride[d] = conv->stride[d];
    windows.dilation[d] = conv->dilation[d] - 1;
    windows.before[d] = conv->pad[d];
    windows.after[d] = (narrow[d] - 1) * conv->stride[d] + (conv->kernel[d] - 1) * conv->dilation[d] + 1 - wide[d] - conv->pad[d];
  }
  return windows;
}

union operation {
  dnnl_convolution_desc_t conv;
  dnnl_deconvolution_desc_t transposed;
};

static dnnl_status_t describe_conv(union operation *operation, const struct peer_layer *layer, int variant) {
  const struct cs_conv *conv = &layer->conv;
  const struct windows windows = windows_of(conv);
  dnnl_memory_desc_t src, weights, bias, dst;
  TRY(describe_tensor(&src, conv, conv->in_channels, conv->in, tag_of(variant, layer->in_layout, conv->rank)));
  TRY(describe_tensor(&dst, conv, conv->out_channels, conv->out, tag_of(variant, layer->out_layout, conv->rank)));
  TRY(describe_weights(&weights, conv, 1));
  TRY(describe_bias(&bias, conv));
  const dnnl_alg_kind_t deconvolution = variant == WINOGRAD ? dnnl_deconvolution_winograd : dnnl_deconvolution_direct;
  const dnnl_alg_kind_t convolution = variant == WINOGRAD ? dnnl_convolution_winograd : dnnl_convolution_direct;
  if (conv->transposed)
    return dnnl_dilated_deconvolution_forward_desc_init(&operation->transposed, dnnl_forward_inference, deconvolution, &src,
                                                        &weights, layer->bias ? &bias : NULL, &dst, windows.stride,
                                                        windows.dilation, windows.before, windows.after);
  return dnnl_dilated_convolution_forward_desc_init(&operation->conv, dnnl_forward_inference, convolution, &src, &weights,
                                                    layer->bias ? &bias : NULL, &dst, windows.stride, windows.dilation,
                                                    windows.before, windows.after);
}

static const struct {
  dnnl_alg_kind_t kind;
  float alpha, beta;
} activations[] = {
    [CS_RELU] = {dnnl_eltwise_relu, 0, 0},        [CS_RELU6] = {dnnl_eltwise_clip, 0, 6},
    [CS_SIGMOID] = {dnnl_eltwise_logistic, 0, 0}, [CS_TANH] = {dnnl_eltwise_tanh, 0, 0},
    [CS_SILU] = {dnnl_eltwise_swish, 1, 0},       [CS_HARDSWISH] = {dnnl_eltwise_hardswish, 0, 0},
    [CS_GELU] = {dnnl_eltwise_gelu_erf, 0, 0},    [CS_LEAKY_RELU] = {dnnl_eltwise_relu, 0, 0},
    [CS_CLAMP] = {dnnl_eltwise_clip, 0, 0},
};

static dnnl_status_t append_activation(dnnl_post_ops_t ops, const struct cs_conv *conv) {
  if (conv->activation == CS_NONE) return dnnl_success;
  if (conv->activation >= (int)(sizeof activations / sizeof *activations) || !activations[conv->activation].kind)
    return dnnl_unimplemented;
  const int given = conv->activation == CS_LEAKY_RELU || conv->activation == CS_CLAMP;
  return dnnl_post_ops_append_eltwise(ops, 1, activations[conv->activation].kind,
                                      given ? (float)conv->act[0] : activations[conv->activation].alpha,
                                      given ? (float)conv->act[1] : activations[conv->activation].beta);
}

static dnnl_status_t fill_attributes(dnnl_primitive_attr_t attr, dnnl_post_ops_t ops, const struct peer_layer *layer) {
  if (layer->residual) TRY(dnnl_post_ops_append_sum(ops, 1));
  TRY(append_activation(ops, &layer->conv));
  TRY(dnnl_primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user));
  return dnnl_primitive_attr_set_post_ops(attr, ops);
}

static dnnl_status_t describe(struct run *run, int variant) {
  union operation desc;
  dnnl_primitive_attr_t attr;
  dnnl_post_ops_t ops;
  TRY(describe_conv(&desc, &run->layer, variant));
  TRY(dnnl_primitive_attr_create(&attr));
  TRY(dnnl_post_ops_create(&ops));
  dnnl_status_t status = fill_attributes(attr, ops, &run->layer);
  if (status == dnnl_success) status = dnnl_primitive_desc_create(&run->desc, &desc, attr, run->engine, NULL);
  dnnl_post_ops_destroy(ops);
  dnnl_primitive_attr_destroy(attr);
  return status;
}

/* ---- memory ------------------------------------------------------------------------------------------------------------- */

static dnnl_status_t reorder(struct run *run, dnnl_memory_t from, dnnl_memory_t to) {
  const dnnl_memory_desc_t *from_md, *to_md;
  dnnl_primitive_desc_t desc;
  dnnl_primitive_t primitive;
  TRY(dnnl_memory_get_memory_desc(from, &from_md));
  TRY(dnnl_memory_get_memory_desc(to, &to_md));
  TRY(dnnl_reorder_primitive_desc_create(&desc, from_md, run->engine, to_md, run->engine, NULL));
  dnnl_status_t status = dnnl_primitive_create(&primitive, desc);
  dnnl_primitive_desc_destroy(desc);
  if (status != dnnl_success) return status;
  const dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}};
  status = dnnl_primitive_execute(primitive, run->stream, 2, args);
  dnnl_primitive_destroy(primitive);
  return status;
}

/* A tensor in the primitive's format with the values of a plain one. */
static dnnl_status_t fill(struct run *run, const dnnl_memory_desc_t *md, const dnnl_memory_desc_t *plain, const float *values,
                          dnnl_memory_t *memory) {
  dnnl_memory_t given;
  TRY(dnnl_memory_create(memory, md, run->engine, DNNL_MEMORY_ALLOCATE));
  TRY(dnnl_memory_create(&given, plain, run->engine, (void *)(uintptr_t)values));
  const dnnl_status_t status = reorder(run, given, *memory);
  dnnl_memory_destroy(given);
  return status;
}

static const dnnl_memory_desc_t *format(const struct run *run, dnnl_query_t what) {
  return dnnl_primitive_desc_query_md(run->desc, what, 0);
}

static dnnl_status_t fill_weights(struct run *run) {
  dnnl_memory_desc_t plain;
  run->weights = calloc((size_t)run->layer.copies, sizeof *run->weights);
  if (!run->weights) return dnnl_out_of_memory;
  TRY(describe_weights(&plain, &run->layer.conv, 0));
  for (int i = 0; i < run->layer.copies; i++)
    TRY(fill(run, format(run, dnnl_query_weights_md), &plain, run->data.weights, &run->weights[i]));
  return dnnl_success;
}

/* What is in the layer's own layout already uses its buffers. */
static dnnl_status_t fill_activations(struct run *run) {
  const struct cs_conv *conv = &run->layer.conv;
  dnnl_memory_desc_t src, dst;
  TRY(describe_tensor(&src, conv, conv->in_channels, conv->in, plain_tag(run->layer.in_layout, conv->rank)));
  TRY(describe_tensor(&dst, conv, conv->out_channels, conv->out, plain_tag(run->layer.out_layout, conv->rank)));
  const dnnl_memory_desc_t *src_md = format(run, dnnl_query_src_md), *dst_md = format(run, dnnl_query_dst_md);
  if (dnnl_memory_desc_equal(&src, src_md))
    TRY(dnnl_memory_create(&run->src, src_md, run->engine, (void *)(uintptr_t)run->data.input));
  else
    TRY(fill(run, src_md, &src, run->data.input, &run->src));
  TRY(dnnl_memory_create(&run->output, &dst, run->engine, run->data.output));
  return fill(run, dst_md, &dst, run->layer.residual ? run->data.residual : run->data.output, &run->dst);
}

static const char *implementation(void *context) {
  const char *name = "";
  dnnl_primitive_desc_query(((struct run *)context)->desc, dnnl_query_impl_info_str, 0, &name);
  return name;
}

/* A format that is forced on a shape for which there is only reference code: nobody would, and one call takes seconds. */
static int is_pointless(struct run *run, int variant) {
  return variant == BLOCKED && strncmp(implementation(run), "ref", 3) == 0;
}

static dnnl_status_t build(struct run *run, int variant) {
  dnnl_memory_desc_t bias;
  TRY(dnnl_engine_create(&run->engine, dnnl_cpu, 0));
  TRY(dnnl_stream_create(&run->stream, run->engine, dnnl_stream_default_flags));
  TRY(describe(run, variant));
  if (is_pointless(run, variant)) return dnnl_unimplemented;
  TRY(dnnl_primitive_create(&run->conv, run->desc));
  TRY(fill_weights(run));
  TRY(fill_activations(run));
  TRY(describe_bias(&bias, &run->layer.conv));
  if (run->layer.bias) TRY(dnnl_memory_create(&run->bias, &bias, run->engine, (void *)(uintptr_t)run->data.bias));
  return dnnl_memory_create(&run->scratch, format(run, dnnl_query_scratchpad_md), run->engine, DNNL_MEMORY_ALLOCATE);
}

static void destroy(void *context) {
  struct run *run = context;
  const dnnl_memory_t memories[] = {run->src, run->dst, run->bias, run->scratch, run->output};
  for (size_t i = 0; i < sizeof memories / sizeof *memories; i++)
    if (memories[i]) dnnl_memory_destroy(memories[i]);
  for (int i = 0; run->weights && i < run->layer.copies; i++)
    if (run->weights[i]) dnnl_memory_destroy(run->weights[i]);
  if (run->conv) dnnl_primitive_destroy(run->conv);
  if (run->desc) dnnl_primitive_desc_destroy(run->desc);
  if (run->stream) dnnl_stream_destroy(run->stream);
  if (run->engine) dnnl_engine_destroy(run->engine);
  free(run->weights);
  free(run);
}

static const char *reason(const struct peer_layer *layer) {
  if (layer->conv.dtype != CS_F32) return "f32 only";
  if (layer->conv.pad_mode != CS_ZEROS || layer->conv.flip) return "it pads with zeros and does not flip";
  return NULL;
}

static void *create(const struct peer_layer *layer, const struct peer_data *data, int variant, char *why, size_t size) {
  const char *no = reason(layer);
  struct run *run = no ? NULL : calloc(1, sizeof *run);
  if (!run) return snprintf(why, size, "%s", no ? no : "out of memory"), NULL;
  run->layer = *layer;
  run->data = *data;
  const dnnl_status_t status = build(run, variant);
  if (status == dnnl_success) return run;
  destroy(run);
  return snprintf(why, size, status == dnnl_unimplemented ? "not implemented" : "refused with status %d", (int)status), NULL;
}

/* ---- calls -------------------------------------------------------------------------------------------------------------- */

static void call(void *context) {
  struct run *run = context;
  const dnnl_exec_arg_t args[] = {{DNNL_ARG_SRC, run->src},
                                  {DNNL_ARG_WEIGHTS, run->weights[run->next]},
                                  {DNNL_ARG_DST, run->dst},
                                  {DNNL_ARG_SCRATCHPAD, run->scratch},
                                  {DNNL_ARG_BIAS, run->bias}};
  dnnl_primitive_execute(run->conv, run->stream, run->layer.bias ? 5 : 4, args);
  dnnl_stream_wait(run->stream);
  run->next = (run->next + 1) % run->layer.copies;
}

static const void *memory(void *context, size_t *bytes) {
  const struct run *run = context;
  void *data = NULL;
  dnnl_memory_get_data_handle(run->dst, &data);
  *bytes = dnnl_memory_desc_get_size(format(run, dnnl_query_dst_md));
  return data;
}

static void fetch(void *context) {
  struct run *run = context;
  reorder(run, run->dst, run->output);
}

const struct peer convsmith_peer = {variants, WINOGRAD, version, create, implementation, call, memory, fetch, destroy};
