/* The pools: max_pool and avg_pool over windows of pixels, adaptive ones and those over the whole input, and over runs of channels
 * (maxout). Sizes, dropped windows and divisors are PyTorch's. */
#include "conv.h"
#include "mem.h"
#include "rule.h"
#include "signature.h"
#include <string.h>

#define POOL_KEYS                                                                                                                  \
  "name", "op", "target", "input", "layout", "input_layout", "output_layout", "dtype", "kernel_size", "stride", "dilation",        \
      "padding", "ceil_mode", "output_size", "axis", "activation", "residual", "algorithm", "accuracy", "unroll", "max_code_bytes"

static const char *const max_keys[] = {POOL_KEYS, NULL};
static const char *const avg_keys[] = {POOL_KEYS, "count_include_pad", NULL};

static bool is_mean(const struct layer *layer) {
  return layer->op == &op_avg_pool;
}

/* ---- rules: which windows --------------------------------------------------------------------------------------------- */

/* Reports each of the keys that says what `instead` says. */
static bool check_absent(const struct layer *layer, struct diags *diags, const char *const *keys, const char *instead) {
  bool right = true;
  for (; *keys; keys++) {
    if (!layer_gives(layer, *keys)) continue;
    layer_error(layer, diags, *keys, "%s; leave it out", instead);
    right = false;
  }
  return right;
}

static bool check_choice(struct layer *layer, struct diags *diags) {
  static const char *const geometry[] = {"stride", "dilation", "padding", "ceil_mode", NULL};
  static const char *const sizes[] = {"output_size", "stride", "dilation", "padding", "ceil_mode", NULL};
  const bool sized = layer_says(layer, "output_size", "kernel_size"), kernel = layer_says(layer, "kernel_size", "output_size");
  if (layer->along_channels) {
    if (layer->values[key_find("kernel_size")])
      return check_absent(layer, diags, sizes, "'axis: channels' pools whole runs of kernel_size channels");
    layer_error(layer, diags, "axis", "'channels' needs kernel_size, the number of neighbouring channels that become one");
    return false;
  }
  if (sized && kernel) {
    layer_error(layer, diags, "output_size", "it decides the windows, and so does kernel_size; leave one out");
    return false;
  }
  layer->global_kernel &= !sized;
  if (sized) return check_absent(layer, diags, geometry, "output_size decides the windows");
  if (layer->global_kernel)
    return check_absent(layer, diags, geometry, "the only window of 'kernel_size: global' is the whole input");
  if (!kernel) layer_error(layer, diags, "name", "a pool needs kernel_size (integers or 'global') or output_size");
  return kernel;
}

/* ---- rules: sizes ------------------------------------------------------------------------------------------------------- */

static bool size_channels(struct layer *layer, struct diags *diags) {
  const int64_t run = layer->global_kernel ? layer->in_channels : layer->kernel[0];
  const struct node *node = layer->values[key_find("kernel_size")];
  if (node->kind == NODE_LIST || layer->in_channels % run != 0) {
    layer_error(layer, diags, "kernel_size", "with 'axis: channels' it is one integer that divides the %lld channels of input",
                (long long)layer->in_channels);
    return false;
  }
  layer->run = run;
  layer->out_channels = layer->in_channels / run;
  for (int d = 0; d < layer->rank; d++) {
    layer->out[d] = layer->in[d];
    layer->kernel[d] = layer->stride[d] = 1;
  }
  return true;
}

/* The largest of an adaptive pool's windows: ceil((i + 1) * in / out) - floor(i * in / out). With in = q*out + r some window has q
 * + 2 elements unless r divides out: then each end of a window is whole, or none is between two. */
static int64_t largest_window(int64_t in, int64_t out) {
  const int64_t rest = in % out;
  return in / out + (rest == 0 ? 0 : out % rest == 0 ? 1 : 2);
}

/* An adaptive pool's windows, the largest as its kernel. */
static bool size_adaptive(struct layer *layer, struct diags *diags) {
  layer->adaptive = true;
  for (int d = 0; d < layer->rank; d++) {
    int64_t product;
    layer->out[d] = layer->global_kernel ? 1 : layer->output_size[d];
    if (!shape_mul(layer->in[d], layer->out[d], &product)) {
      layer_error(layer, diags, "output_size", "%lld outputs of %lld inputs in spatial dimension %d are too many; make it smaller",
                  (long long)layer->out[d], (long long)layer->in[d], d);
      return false;
    }
    layer->kernel[d] = largest_window(layer->in[d], layer->out[d]);
  }
  return true;
}

/* Elements that the windows may begin at beyond the first; negative: the window does not fit. False on overflow. */
static bool slack_of(const struct layer *layer, int d, int64_t *slack) {
  int64_t reach, padded;
  if (!shape_mul(layer->kernel[d] - 1, layer->dilation[d], &reach) || !shape_add(layer->in[d], layer->pad[d][0], &padded) ||
      !shape_add(padded, layer->pad[d][1], &padded) || !shape_add(padded, layer->stride[d], slack))
    return false;
  *slack = padded - reach - 1;
  return true;
}

/* Outputs of one dimension; ceil_mode has one more where elements are left, unless it begins behind the input and the padding
 * before it. */
static int64_t outputs_of(const struct layer *layer, int d, int64_t slack) {
  const int64_t stride = layer->stride[d], room = layer->ceil_mode ? slack + stride - 1 : slack;
  if (room < 0) return 0;
  const int64_t out = room / stride + 1;
  return layer->ceil_mode && (out - 1) * stride >= layer->in[d] + layer->pad[d][0] ? out - 1 : out;
}

/* Does window o of dimension d hold an element? */
static bool holds_one(const struct layer *layer, int d, int64_t o) {
  const int64_t start = o * layer->stride[d] - layer->pad[d][0], dilation = layer->dilation[d];
  const int64_t first = start < 0 ? (-start - 1) / dilation + 1 : 0;
  return first < layer->kernel[d] && start + first * dilation < layer->in[d];
}

/* A window without an element, or -1. Only windows that begin in the padding before may be: with wide dilation they step over the
 * input, else the first is the poorest. Those at the end hold what they begin at, or begin behind the input. */
static int64_t empty_window(const struct layer *layer, int d) {
  const int64_t last = layer->out[d] - 1, padded = (layer->pad[d][0] + layer->stride[d] - 1) / layer->stride[d];
  const int64_t count = layer->dilation[d] > layer->in[d] && padded < last ? padded : 0;
  for (int64_t o = 0; o <= count; o++)
    if (!holds_one(layer, d, o)) return o;
  return holds_one(layer, d, last) ? -1 : last;
}

static bool size_dimension(struct layer *layer, int d, struct diags *diags) {
  int64_t slack;
  if (!shape_pads(layer->pad_kind, layer->in[d], layer->kernel[d], layer->stride[d], layer->dilation[d], layer->pad[d]) ||
      !slack_of(layer, d, &slack)) {
    layer_error(layer, diags, "kernel_size", "spatial dimension %d with its padding and dilation exceeds 2^63-1; make it smaller",
                d);
    return false;
  }
  layer->out[d] = outputs_of(layer, d, slack);
  if (layer->out[d] < 1) {
    layer_error(
        layer, diags, "kernel_size",
        "no output: the window spans %lld elements (dilation*(kernel_size-1)+1) of spatial dimension %d, which has %lld with "
        "its padding; enlarge the input or the padding",
        (long long)(layer->dilation[d] * (layer->kernel[d] - 1) + 1), d,
        (long long)(layer->in[d] + layer->pad[d][0] + layer->pad[d][1]));
    return false;
  }
  const int64_t empty = empty_window(layer, d);
  if (empty < 0) return true;
  layer_error(
      layer, diags, "padding",
      "window %lld of spatial dimension %d holds no element of the input: it begins at %lld and spans %lld; make the padding "
      "smaller",
      (long long)empty, d, (long long)(empty * layer->stride[d] - layer->pad[d][0]),
      (long long)(layer->dilation[d] * (layer->kernel[d] - 1) + 1));
  return false;
}

/* What defaults say of windows that other keys decide. */
static void pass_over_geometry(struct layer *layer) {
  for (int d = 0; d < layer->rank; d++) {
    layer->stride[d] = layer->dilation[d] = 1;
    layer->pad[d][0] = layer->pad[d][1] = 0;
  }
  layer->ceil_mode = false;
}

static bool size_outputs(struct layer *layer, struct diags *diags) {
  bool right = true;
  const bool adaptive = layer->global_kernel || layer_says(layer, "output_size", "kernel_size");
  if (adaptive || layer->along_channels) pass_over_geometry(layer);
  if (layer->along_channels) return size_channels(layer, diags);
  layer->out_channels = layer->in_channels;
  if (adaptive) return size_adaptive(layer, diags);
  if (!layer->values[key_find("stride")]) memcpy(layer->stride, layer->kernel, sizeof layer->stride);
  for (int d = 0; d < layer->rank; d++) right &= size_dimension(layer, d, diags);
  return right;
}

static const struct rule rules[] = {
    {{"input", "dtype"}, conv_check_input, "input"},
    {{"kernel_size", "output_size", "axis"}, check_choice, "kernel_size"},
    {{"input", "kernel_size", "output_size", "stride", "dilation", "padding"}, size_outputs, "kernel_size"},
    {{"input", "kernel_size", "output_size", "padding"}, conv_check_output, "input"},
    {{"activation", "dtype"}, conv_check_activation, "activation"},
};

static bool resolve(struct layer *layer, struct diags *diags) {
  return rules_check(rules, sizeof rules / sizeof *rules, layer, diags);
}

/* ---- tensors and lowering --------------------------------------------------------------------------------------------- */

static size_t tensors(const struct layer *layer, struct tensor list[MAX_TENSORS]) {
  size_t count = 0;
  list[count++] = conv_activation(layer, "input", TENSOR_INPUT);
  if (layer->residual) list[count++] = conv_activation(layer, "residual", TENSOR_RESIDUAL);
  if (layer->activation == CS_PRELU) list[count++] = conv_channels(layer, "slope", NULL);
  list[count++] = conv_activation(layer, "output", TENSOR_OUTPUT);
  return count;
}

static void add_move(struct problem *problem, int64_t count, int64_t x, int64_t y, int64_t b) {
  problem->move[problem->moves++] = (struct move){count, x, y, b};
}

/* Runs of channels: the only axis, among moves of pixels. */
static void lower_channels(const struct layer *layer, struct problem *problem, int64_t b) {
  for (int d = 0; d < layer->rank; d++) add_move(problem, layer->in[d], problem->axis[d].x_step, problem->axis[d].y_step, 0);
  problem->rank = 1;
  problem->axis[0] = (struct axis){.in = layer->in_channels,
                                   .out = layer->out_channels,
                                   .kernel = layer->run,
                                   .stride = layer->run,
                                   .dilation = 1,
                                   .x_step = problem->x_channel,
                                   .y_step = problem->y_channel,
                                   .w_step = b};
}

/* Do an adaptive pool's outputs divide its inputs, so that its windows are those of an ordinary one? */
static bool divides(const struct layer *layer) {
  bool even = true;
  for (int d = 0; d < layer->rank; d++) even &= layer->in[d] % layer->out[d] == 0;
  return even;
}

static size_t lower(const struct layer *layer, struct problem **problems) {
  struct problem *problem = mem_new(sizeof *problem);
  *problem = conv_problem(layer);
  problem->work = WORK_POOL;
  problem->mean = is_mean(layer);
  problem->adaptive = layer->adaptive && !divides(layer);
  problem->count_padding = layer->count_include_pad;
  const int64_t b = layer->activation == CS_PRELU; /* one slope a channel */
  add_move(problem, layer->batch, problem->x_batch, problem->y_batch, 0);
  for (int d = 0; d < layer->rank; d++) {
    problem->pad_after[d] = layer->pad[d][1];
    problem->axis[d].w_step = 0;
    if (layer->adaptive && !problem->adaptive) problem->axis[d].stride = layer->kernel[d];
  }
  if (layer->along_channels)
    lower_channels(layer, problem, b);
  else
    add_move(problem, layer->in_channels, problem->x_channel, problem->y_channel, b);
  *problems = problem;
  return 1;
}

/* ---- reference -------------------------------------------------------------------------------------------------------- */

static struct cs_pool reference(const struct layer *layer) {
  struct cs_pool pool = {.rank = layer->rank,
                         .dtype = layer->dtype,
                         .mean = is_mean(layer),
                         .batch = (ptrdiff_t)layer->batch,
                         .in_channels = (ptrdiff_t)layer->in_channels,
                         .out_channels = (ptrdiff_t)layer->out_channels,
                         .run = (ptrdiff_t)layer->run,
                         .adaptive = layer->adaptive,
                         .count_padding = layer->count_include_pad,
                         .activation = layer->activation,
                         .act = {layer->act[0], layer->act[1]}};
  for (int d = 0; d < layer->rank; d++) {
    pool.in[d] = (ptrdiff_t)layer->in[d];
    pool.out[d] = (ptrdiff_t)layer->out[d];
    pool.kernel[d] = (ptrdiff_t)layer->kernel[d];
    pool.stride[d] = (ptrdiff_t)layer->stride[d];
    pool.dilation[d] = (ptrdiff_t)layer->dilation[d];
    pool.pad[d] = (ptrdiff_t)layer->pad[d][0];
    pool.pad_after[d] = (ptrdiff_t)layer->pad[d][1];
  }
  return pool;
}

static void expect(const struct layer *layer, const struct cs_promise *promise, const void *const *data, const size_t *elements,
                   size_t count, struct cs_expect *results) {
  (void)promise;
  const struct cs_pool pool = reference(layer);
  struct tensor list[MAX_TENSORS];
  const size_t total = tensors(layer, list);
  const int residual = tensor_find(list, total, "residual"), slope = tensor_find(list, total, "slope");
  const struct cs_pool_data pool_data = {data[0], residual < 0 ? NULL : data[residual], slope < 0 ? NULL : data[slope]};
  for (size_t i = 0; i < count; i++) {
    ptrdiff_t index[CS_MAX_RANK];
    tensor_index(&list[total - 1], elements[i], index);
    cs_pool_expect(&pool, &pool_data, index, &results[i]);
  }
}

static void push_reference(lua_State *L, const struct layer *layer) {
  const struct cs_pool pool = reference(layer);
  const struct {
    const char *key;
    const ptrdiff_t *sizes;
  } lists[] = {{"input", pool.in}, {"output", pool.out},        {"kernel", pool.kernel},      {"stride", pool.stride},
               {"pad", pool.pad},  {"dilation", pool.dilation}, {"pad_after", pool.pad_after}};
  lua_newtable(L);
  for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) set_sizes(L, lists[i].key, lists[i].sizes, pool.rank);
  set_text(L, "dtype", dtype_name(pool.dtype));
  set_integer(L, "rank", pool.rank);
  set_integer(L, "mean", pool.mean);
  set_integer(L, "batch", pool.batch);
  set_integer(L, "in_channels", pool.in_channels);
  set_integer(L, "out_channels", pool.out_channels);
  set_integer(L, "run", pool.run);
  set_integer(L, "adaptive", pool.adaptive);
  set_integer(L, "count_padding", pool.count_padding);
  set_text(L, "activation", activation_name(pool.activation));
  set_text(L, "act1", mem_text("%.17g", pool.act[0]));
  set_text(L, "act2", mem_text("%.17g", pool.act[1]));
}

/* ---- counts ----------------------------------------------------------------------------------------------------------- */

/* A mean multiplies once by what its divisor is the reciprocal of; comparing and adding up are no multiply-adds. */
static int64_t multiply_adds(const struct layer *layer) {
  if (!is_mean(layer)) return 0;
  return shape_product((int64_t[]){layer->batch, layer->out_channels, shape_product(layer->out, layer->rank)}, 3);
}

/* The largest is exact until a residual is added to it. */
static int64_t terms(const struct layer *layer) {
  if (!is_mean(layer)) return layer->residual ? 1 + 2 : 0;
  return (layer->run > 0 ? layer->run : conv_taps(layer)) + 2;
}

/* The largest of whole numbers is one; a mean need not be. */
static int exact_limit(const struct layer *layer, int bits) {
  (void)bits;
  const bool whole = layer->activation == CS_NONE || layer->activation == CS_RELU || layer->activation == CS_RELU6;
  return !is_mean(layer) && whole ? 1000 : 0;
}

static struct window window(const struct layer *layer, int axis) {
  const bool alike = !layer->adaptive || divides(layer);
  return (struct window){layer->kernel[axis], layer->adaptive ? layer->kernel[axis] : layer->stride[axis], layer->dilation[axis],
                         alike};
}

/* Those of an adaptive pool go on like this beyond the borders. */
static bool reads(const struct layer *layer, int axis, int64_t *first, int64_t *last) {
  const int64_t in = layer->in[axis], out = layer->out[axis], reach = (layer->kernel[axis] - 1) * layer->dilation[axis];
  *first = layer->adaptive ? shape_floor(*first * in, out) : *first * layer->stride[axis] - layer->pad[axis][0];
  *last = layer->adaptive ? -shape_floor(-(*last + 1) * in, out) - 1 : *last * layer->stride[axis] - layer->pad[axis][0] + reach;
  return true;
}

static const char *list_text(const int64_t *sizes, int count) {
  const char *text = "";
  for (int i = 0; i < count; i++) text = mem_text("%s%s%lld", text, i ? ", " : "", (long long)sizes[i]);
  return text;
}

static const char *describe(const struct layer *layer) {
  const char *pads = "", *counts = !is_mean(layer)            ? ""
                                   : layer->count_include_pad ? ", padding counts"
                                                              : ", padding does not count";
  const char *rest = mem_text("residual %s, activation %s", layer->residual ? "true" : "false", activation_text(layer));
  if (layer->run) return mem_text("runs of %lld channels, %s", (long long)layer->run, rest);
  if (layer->adaptive) return mem_text("output_size [%s], %s", list_text(layer->out, layer->rank), rest);
  for (int d = 0; d < layer->rank; d++)
    pads = mem_text("%s%s[%lld, %lld]", pads, d ? ", " : "", (long long)layer->pad[d][0], (long long)layer->pad[d][1]);
  return mem_text("kernel_size [%s], stride [%s], dilation [%s], padding [%s]%s%s, %s", list_text(layer->kernel, layer->rank),
                  list_text(layer->stride, layer->rank), list_text(layer->dilation, layer->rank), pads,
                  layer->ceil_mode ? ", ceil_mode" : "", counts, rest);
}

#define POOL_ROW(word, own_keys)                                                                                                   \
  {                                                                                                                                \
    .name = word, .keys = own_keys, .any_window = true, .resolve = resolve, .tensors = tensors, .lower = lower, .expect = expect,  \
    .multiply_adds = multiply_adds, .terms = terms, .exact_limit = exact_limit, .window = window, .reads = reads,                  \
    .describe = describe, .reference = "pool", .push_reference = push_reference,                                                   \
  }

const struct op op_max_pool = POOL_ROW("max_pool", max_keys);
const struct op op_avg_pool = POOL_ROW("avg_pool", avg_keys);
