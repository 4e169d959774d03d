/* The op `conv_transpose`: the adjoint of a convolution, which spreads each input over a window of outputs, `stride` from one
 * input's window to the next. Output o gathers x[i] · w[k] over all i·stride - pad + k·dilation = o, so outputs of equal residue
 * modulo the stride have the same taps, every (stride / gcd(stride, dilation))-th one: each residue is a dense convolution of
 * stride 1 that reads them from the last to the first. No inserted zero is ever multiplied. Sizes and pads are ONNX
 * ConvTranspose's. */
#include "conv.h"
#include "mem.h"
#include "receptive.h"
#include "rule.h"
#include <string.h>

static const char *const transpose_keys[] = {CONV_KEYS, "output_padding", "output_size", NULL};

/* ---- rules -------------------------------------------------------------------------------------------------------- */

/* A default is for other ops. */
static bool check_pad_mode(struct layer *layer, struct diags *diags) {
  if (!layer_gives(layer, "padding_mode")) layer->pad_mode = CS_ZEROS;
  if (layer->pad_mode == CS_ZEROS) return true;
  layer_error(layer, diags, "padding_mode", "'%s' means nothing where outputs are padded; a transposed convolution takes 'zeros'",
              pad_mode_name(layer->pad_mode));
  return false;
}

/* Words for the pads and sizes that contradict one another; defaults give way to what the layer itself says. */
static bool check_choice(struct layer *layer, struct diags *diags) {
  const bool may_be_same = layer->pad_kind == PAD_SAME || layer->pad_kind == PAD_SAME_LOWER;
  const bool sized = layer_says(layer, "output_size", "padding") && layer_says(layer, "output_size", "output_padding");
  const bool padded =
      layer_says(layer, "padding", "output_size") && (!may_be_same || layer_says(layer, "padding", "output_padding"));
  const bool longer =
      layer_says(layer, "output_padding", "output_size") && (!may_be_same || layer_says(layer, "output_padding", "padding"));
  if (!sized) memset(layer->output_size, 0, sizeof layer->output_size);
  if (!padded) memset(layer->pad, 0, sizeof layer->pad), layer->pad_kind = PAD_EXPLICIT;
  if (!longer) memset(layer->output_padding, 0, sizeof layer->output_padding);
  const bool same = may_be_same && padded;
  const char *wrong = NULL, *key = "padding";
  if (layer->pad_kind != PAD_EXPLICIT && !same)
    wrong = "'full' and 'causal' are not for transposed convolutions; give numbers, 'valid', 'same' or 'same_lower'";
  else if (sized && (padded || longer))
    wrong = "it decides the padding; leave out 'padding' and 'output_padding'", key = "output_size";
  else if (same && longer)
    wrong = "'same' decides the output's size; leave out 'output_padding'", key = "output_padding";
  if (wrong) layer_error(layer, diags, key, "%s", wrong);
  return !wrong;
}

static bool check_output_padding(struct layer *layer, struct diags *diags) {
  for (int d = 0; d < layer->rank; d++) {
    const int64_t most = layer->stride[d] > layer->dilation[d] ? layer->stride[d] : layer->dilation[d];
    if (layer->output_padding[d] < most || layer->output_padding[d] == 0) continue;
    layer_error(layer, diags, "output_padding",
                "%lld in spatial dimension %d; it must be less than the larger of stride and dilation, which is %lld",
                (long long)layer->output_padding[d], d, (long long)most);
    return false;
  }
  return true;
}

/* Every output that some input reaches: (in-1)·stride + d(k-1) + 1. False on overflow. */
static bool reached(const struct layer *layer, int d, int64_t *size) {
  int64_t steps, reach;
  return shape_mul(layer->in[d] - 1, layer->stride[d], &steps) && shape_mul(layer->kernel[d] - 1, layer->dilation[d], &reach) &&
         shape_add(steps, reach, size) && shape_add(*size, 1, size);
}

static int64_t positive(int64_t value) {
  return value > 0 ? value : 0;
}

/* Pads that together take `total`: the larger half before or after. */
static void share_pads(int64_t total, bool more_before, int64_t pad[2]) {
  pad[0] = more_before ? total - total / 2 : total / 2;
  pad[1] = total - pad[0];
}

/* Pads and outputs of one dimension; false on overflow. `full`: what inputs reach. */
static bool size_dimension(struct layer *layer, int d, int64_t full) {
  int64_t *out = &layer->out[d], *pad = layer->pad[d];
  if (layer->output_size[d]) {
    *out = layer->output_size[d];
    share_pads(positive(full - *out), true, pad);
  } else if (layer->pad_kind == PAD_EXPLICIT) {
    if (!shape_add(full, layer->output_padding[d], out)) return false;
    *out -= pad[0] > *out ? *out : pad[0];
    *out -= pad[1] > *out ? *out : pad[1];
  } else {
    if (!shape_mul(layer->in[d], layer->stride[d], out)) return false;
    share_pads(positive(full - *out), layer->pad_kind == PAD_SAME_LOWER, pad);
  }
  return true;
}

static bool check_dimension(struct layer *layer, int d, struct diags *diags) {
  int64_t full;
  if (!reached(layer, d, &full) || !size_dimension(layer, d, full)) {
    layer_error(layer, diags, "stride", "spatial dimension %d of the output exceeds 2^63-1; make it smaller", d);
    return false;
  }
  if (layer->out[d] > 0) return true;
  layer_error(
      layer, diags, "padding",
      "no output: inputs reach %lld elements of spatial dimension %d, output_padding adds %lld and padding takes all of them; "
      "make it smaller",
      (long long)full, d, (long long)layer->output_padding[d]);
  return false;
}

static bool check_dimensions(struct layer *layer, struct diags *diags) {
  bool right = true;
  for (int d = 0; d < layer->rank; d++) right &= check_dimension(layer, d, diags);
  return right;
}

/* Every residue is looked at by itself. */
static bool check_residues(struct layer *layer, struct diags *diags) {
  static const int64_t most = 4096;
  for (int d = 0; d < layer->rank; d++) {
    if (layer->stride[d] <= most || layer->out[d] <= most) continue;
    layer_error(layer, diags, "stride", "%lld in spatial dimension %d, at most %lld is supported", (long long)layer->stride[d], d,
                (long long)most);
    return false;
  }
  return true;
}

static const struct rule rules[] = {
    {{"padding_mode"}, check_pad_mode, "padding_mode"},
    {{"padding", "output_padding", "output_size"}, check_choice, "padding"},
    {{"input", "output_padding", "stride", "dilation"}, check_output_padding, "output_padding"},
    {{"input", "kernel_size", "stride", "dilation", "padding", "output_padding"}, check_dimensions, "padding"},
    {{"input", "kernel_size", "stride", "padding", "output_padding"}, check_residues, "stride"},
};

static bool resolve(struct layer *layer, struct diags *diags) {
  conv_check_channels(layer, diags);
  rules_check(rules, sizeof rules / sizeof *rules, layer, diags);
  return conv_check_tensors(layer, diags);
}

/* ---- lowering ----------------------------------------------------------------------------------------------------- */

/* Taps that share a residue: the first, how many, and the distances between them in taps and in inputs. */
struct residue {
  int64_t first, count, tap_step, input_step;
};

/* Those of outputs whose place in the padded output leaves `rest` modulo the stride. */
static struct residue residue_of(const struct axis *whole, int64_t rest) {
  const int64_t divisor = dilations_divisor((const int64_t[]){whole->stride, whole->dilation}, 2);
  struct residue residue = {.tap_step = whole->stride / divisor, .input_step = whole->dilation / divisor};
  while (residue.first < whole->kernel && residue.first < residue.tap_step &&
         residue.first * (whole->dilation % whole->stride) % whole->stride != rest)
    residue.first++;
  if (residue.first < whole->kernel && residue.first < residue.tap_step)
    residue.count = (whole->kernel - 1 - residue.first) / residue.tap_step + 1;
  return residue;
}

/* Outputs r, r + stride, …: where no tap reaches them, one that lies in the padding stands for none. */
static void add_residue(struct pieces *pieces, const struct axis *whole, int64_t r) {
  const int64_t stride = whole->stride, place = r + whole->pad;
  const struct residue residue = residue_of(whole, place % stride);
  struct axis axis = {.in = whole->in, .out = (whole->out - r - 1) / stride + 1, .kernel = 1, .stride = 1, .dilation = 1};
  axis.x_step = whole->x_step;
  axis.y_step = stride * whole->y_step;
  axis.w_step = -residue.tap_step * whole->w_step;
  axis.pad = axis.out;
  int64_t last = 0;
  if (residue.count > 0) {
    last = residue.first + (residue.count - 1) * residue.tap_step;
    axis.kernel = residue.count;
    axis.dilation = residue.input_step;
    axis.pad = (last * whole->dilation - place) / stride;
  }
  pieces_add(pieces, axis, 0, last * whole->w_step, r * whole->y_step);
}

size_t conv_transpose_lower(const struct layer *layer, struct problem **problems) {
  struct problem whole = conv_problem(layer);
  struct pieces pieces[MAX_SPATIAL] = {{NULL, 0}};
  const int64_t taps = conv_taps(layer);
  whole.w_out = taps; /* weights are [C, M/g, k...] */
  whole.w_in = whole.out_channels * taps;
  whole.w_group = whole.in_channels * whole.w_in;
  for (int d = 0; d < whole.rank; d++)
    for (int64_t r = 0; r < whole.axis[d].stride && r < whole.axis[d].out; r++) add_residue(&pieces[d], &whole.axis[d], r);
  return pieces_combine(&whole, pieces, problems);
}

/* ---- check -------------------------------------------------------------------------------------------------------- */

/* The least and the most taps that a residue gets along an axis. Where stride and dilation have a common divisor, some get none. */
static void tap_counts(const struct layer *layer, int d, int64_t *least, int64_t *most) {
  const struct axis whole = {.kernel = layer->kernel[d], .stride = layer->stride[d], .dilation = layer->dilation[d]};
  const int64_t divisor = dilations_divisor((const int64_t[]){whole.stride, whole.dilation}, 2);
  const int64_t residues = whole.stride / divisor; /* that some tap may reach */
  *most = (whole.kernel - 1) / residues + 1;
  *least = divisor > 1 ? 0 : whole.kernel / residues;
}

/* Checkerboard patterns: outputs side by side that get different numbers of taps (Odena et al. 2016). */
static void warn_checkerboard(const struct layer *layer, struct diags *diags) {
  const char *found[MAX_SPATIAL] = {NULL};
  for (int d = 0; d < layer->rank; d++) {
    int64_t least, most;
    tap_counts(layer, d, &least, &most);
    if (least != most)
      found[d] = mem_text("get %lld or %lld taps in turn (kernel size %lld, stride %lld, dilation %lld)", (long long)least,
                          (long long)most, (long long)layer->kernel[d], (long long)layer->stride[d], (long long)layer->dilation[d]);
  }
  const char *text = axes_text(found, layer->rank);
  if (text)
    diag_warning(diags, layer_place(layer, "kernel_size"),
                 "checkerboard in %s: output %s; a kernel size that the stride divides, stride 1 or op resize_conv avoids it",
                 layer->name, text);
}

/* Inputs along an axis that reach none but cut off outputs: the first and the last ones. */
static struct gaps cut_off(const struct layer *layer, int d) {
  const int64_t in = layer->in[d], stride = layer->stride[d], pad = layer->pad[d][0];
  const int64_t reach = (layer->kernel[d] - 1) * layer->dilation[d];
  const int64_t first = pad > reach ? (pad - reach - 1) / stride + 1 : 0, end = (layer->out[d] - 1 + pad) / stride + 1;
  const int64_t before = first < in ? first : in, after = end < in ? in - (end > before ? end : before) : 0;
  struct gaps gaps = {.total = in, .count = before + after, .last = (after ? in : before) - 1};
  for (int64_t n = 0; n < GAPS_LISTED && n < gaps.count; n++) gaps.first[n] = n < before ? n : in - after + n - before;
  return gaps;
}

static void warn_cut_off(const struct layer *layer, struct diags *diags) {
  const char *found[MAX_SPATIAL] = {NULL};
  for (int d = 0; d < layer->rank; d++) {
    const struct gaps gaps = cut_off(layer, d);
    if (gaps.count > 0) found[d] = gaps_text(&gaps);
  }
  const char *text = axes_text(found, layer->rank);
  const char *key = layer->values[key_find("output_size")] ? "output_size" : "padding";
  if (text)
    diag_warning(diags, layer_place(layer, key), "no output of %s reads input %s: all that they reach is cut off", layer->name,
                 text);
}

static void warn(const struct layer *layer, struct diags *diags) {
  warn_checkerboard(layer, diags);
  warn_cut_off(layer, diags);
}

/* ---- the rest ----------------------------------------------------------------------------------------------------- */

/* [C, M/g, k...] */
static struct tensor weights(const struct layer *layer) {
  return conv_kernel(layer, layer->in_channels, layer->out_channels / layer->groups);
}

static int64_t multiply_adds(const struct layer *layer) {
  const int64_t inputs = shape_product(layer->in, layer->rank), outer = layer->out_channels / layer->groups;
  return shape_product((int64_t[]){layer->batch, layer->in_channels, inputs, outer, conv_taps(layer)}, 5);
}

static struct window window(const struct layer *layer, int axis) {
  const int64_t divisor = dilations_divisor((const int64_t[]){layer->stride[axis], layer->dilation[axis]}, 2);
  int64_t least, most;
  tap_counts(layer, axis, &least, &most);
  return (struct window){most, 1, layer->dilation[axis] / divisor, false};
}

/* The inputs of output `o`, if any, join those from *low to *high. */
static void add_inputs(const struct layer *layer, int axis, int64_t o, int64_t *low, int64_t *high) {
  const struct axis whole = {.kernel = layer->kernel[axis], .stride = layer->stride[axis], .dilation = layer->dilation[axis]};
  const int64_t at = o + layer->pad[axis][0], rest = (at % whole.stride + whole.stride) % whole.stride;
  const struct residue residue = residue_of(&whole, rest);
  const int64_t last = residue.first + (residue.count - 1) * residue.tap_step;
  if (residue.count == 0) return;
  const int64_t from = (at - last * whole.dilation) / whole.stride, to = (at - residue.first * whole.dilation) / whole.stride;
  if (from < *low) *low = from;
  if (to > *high) *high = to;
}

/* Outputs a stride apart read the same inputs a step apart: a stride of them on both ends tells. */
static bool reads(const struct layer *layer, int axis, int64_t *first, int64_t *last) {
  int64_t low = INT64_MAX, high = INT64_MIN;
  for (int64_t i = 0; i < layer->stride[axis] && *first + i <= *last; i++) {
    add_inputs(layer, axis, *first + i, &low, &high);
    add_inputs(layer, axis, *last - i, &low, &high);
  }
  *first = low;
  *last = high;
  return low <= high;
}

const struct op op_conv_transpose = {
    .name = "conv_transpose",
    .keys = transpose_keys,
    .resolve = resolve,
    .tensors = conv_tensors,
    .weights = weights,
    .lower = conv_transpose_lower,
    .conv = conv_reference_transposed,
    .expect = conv_expect,
    .multiply_adds = multiply_adds,
    .terms = conv_terms,
    .exact_limit = conv_exact_limit,
    .window = window,
    .reads = reads,
    .warn = warn,
    .reference = "conv",
    .push_reference = conv_push_layer,
};
