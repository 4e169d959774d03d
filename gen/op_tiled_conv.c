/* The ops `tiled_conv` and `local_conv` (Goodfellow, Bengio, Courville, Deep Learning, section 9.5): weights that repeat every
 * `tile` outputs, or never. A tile of 1 is `conv`, one as large as the output is `local_conv`. The outputs of one place in the tile
 * are a convolution of their own, whose stride is `tile` times as large; places that touch no border are phases of one. */
#include "conv.h"
#include "rule.h"

static const char *const tiled_keys[] = {CONV_KEYS, "tile", NULL};
static const char *const local_keys[] = {CONV_KEYS, NULL};

/* Places along a dimension that are told apart one by one. */
static const int64_t most_places = 1 << 16;

static int64_t least(int64_t a, int64_t b) {
  return a < b ? a : b;
}

static bool check_places(struct layer *layer, struct diags *diags) {
  for (int d = 0; d < layer->rank; d++) {
    if (least(layer->tile[d], layer->out[d]) <= most_places) continue;
    layer_error(layer, diags, "kernel_size",
                "%lld outputs with weights of their own along spatial dimension %d, at most %lld are supported",
                (long long)least(layer->tile[d], layer->out[d]), d, (long long)most_places);
    return false;
  }
  return true;
}

static bool set_local(struct layer *layer, struct diags *diags) {
  for (int d = 0; d < layer->rank; d++) layer->tile[d] = layer->out[d];
  return check_places(layer, diags);
}

static const struct rule tiled_rules[] = {
    {{"input", "padding", "kernel_size", "stride", "dilation", "tile"}, check_places, "kernel_size"},
};
static const struct rule local_rules[] = {
    {{"input", "padding", "kernel_size", "stride", "dilation"}, set_local, "kernel_size"},
};

static bool resolve(struct layer *layer, const struct rule *rule, struct diags *diags) {
  conv_check_channels(layer, diags);
  conv_check_windows(layer, diags);
  rules_check(rule, 1, layer, diags);
  return conv_check_tensors(layer, diags);
}

static bool resolve_tiled(struct layer *layer, struct diags *diags) {
  return resolve(layer, tiled_rules, diags);
}

static bool resolve_local(struct layer *layer, struct diags *diags) {
  return resolve(layer, local_rules, diags);
}

/* [M, t..., C/g, k...] */
static struct tensor weights(const struct layer *layer) {
  struct tensor tensor = conv_kernel(layer, layer->out_channels, layer->in_channels / layer->groups);
  for (int d = layer->rank; d >= 0; d--) tensor.shape[1 + layer->rank + d] = tensor.shape[1 + d]; /* room for the tile */
  for (int d = 0; d < layer->rank; d++) tensor.shape[1 + d] = (ptrdiff_t)layer->tile[d];
  tensor.rank += layer->rank;
  return tensor;
}

/* The place's outputs: r, r + tile, …. */
static void add_place(struct pieces *pieces, const struct axis *whole, int64_t tile, int64_t r, int64_t w_place) {
  struct axis axis = *whole;
  axis.out = (whole->out - r - 1) / tile + 1;
  axis.stride = tile * whole->stride;
  axis.pad = whole->pad - r * whole->stride;
  axis.y_step = tile * whole->y_step;
  pieces_add(pieces, axis, 0, r * w_place, r * whole->y_step);
}

static size_t lower(const struct layer *layer, struct problem **problems) {
  struct problem whole = conv_problem(layer);
  struct pieces pieces[MAX_SPATIAL] = {{NULL, 0}};
  int64_t step = whole.w_out; /* from place to place */
  for (int d = whole.rank; d-- > 0; step *= layer->tile[d])
    for (int64_t r = 0; r < least(layer->tile[d], layer->out[d]); r++)
      add_place(&pieces[d], &whole.axis[d], layer->tile[d], r, step);
  whole.w_out = step;
  whole.w_group = whole.out_channels * step;
  return pieces_combine(&whole, pieces, problems);
}

/* All but keys, rules and weights is conv's. */
#define TILED_OP(op_name, op_keys, op_resolve)                                                                                     \
  {                                                                                                                                \
    .name = op_name, .keys = op_keys, .resolve = op_resolve, .tensors = conv_tensors, .weights = weights, .lower = lower,          \
    .conv = conv_reference, .expect = conv_expect, .multiply_adds = conv_multiply_adds, .terms = conv_terms,                       \
    .exact_limit = conv_exact_limit, .window = conv_window, .reference = "conv", .push_reference = conv_push_layer                 \
  }

const struct op op_tiled_conv = TILED_OP("tiled_conv", tiled_keys, resolve_tiled);
const struct op op_local_conv = TILED_OP("local_conv", local_keys, resolve_local);
