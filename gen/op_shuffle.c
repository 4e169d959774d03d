/* The permutations: pixel_shuffle (PyTorch PixelShuffle, ONNX DepthToSpace), pixel_unshuffle (PixelUnshuffle, SpaceToDepth,
 * YOLOv5's Focus) and channel_shuffle (ShuffleNet). Channels and pixels are split into moves, each with its steps on both sides:
 * what is copied in which order is the planner's matter. */
#include "conv.h"
#include "mem.h"
#include "rule.h"
#include "signature.h"

#define SHUFFLE_KEYS                                                                                                               \
  "name", "op", "target", "input", "layout", "input_layout", "output_layout", "dtype", "algorithm", "accuracy", "unroll",          \
      "max_code_bytes"

static const char *const pixel_keys[] = {SHUFFLE_KEYS, "factor", "order", NULL};
static const char *const channel_keys[] = {SHUFFLE_KEYS, "groups", NULL};

/* ---- rules ------------------------------------------------------------------------------------------------------------ */

static int64_t cells(const struct layer *layer) {
  int64_t count = 1;
  for (int d = 0; d < layer->rank; d++) count = shape_product((int64_t[]){count, layer->factor}, 2);
  return count;
}

static bool size_shuffled(struct layer *layer, struct diags *diags) {
  if (layer->in_channels % cells(layer) != 0) {
    layer_error(layer, diags, "factor", "%lld needs channels in multiples of %lld, input has %lld", (long long)layer->factor,
                (long long)cells(layer), (long long)layer->in_channels);
    return false;
  }
  layer->out_channels = layer->in_channels / cells(layer);
  for (int d = 0; d < layer->rank; d++) layer->out[d] = layer->in[d] * layer->factor;
  return true;
}

static bool size_unshuffled(struct layer *layer, struct diags *diags) {
  for (int d = 0; d < layer->rank; d++) {
    layer->out[d] = layer->in[d] / layer->factor;
    if (layer->in[d] % layer->factor == 0) continue;
    layer_error(layer, diags, "factor", "%lld does not divide the %lld elements of spatial dimension %d", (long long)layer->factor,
                (long long)layer->in[d], d);
    return false;
  }
  layer->out_channels = layer->in_channels * cells(layer);
  return true;
}

static bool size_channels(struct layer *layer, struct diags *diags) {
  (void)diags;
  layer->out_channels = layer->in_channels;
  for (int d = 0; d < layer->rank; d++) layer->out[d] = layer->in[d];
  return true;
}

static bool check_groups_given(struct layer *layer, struct diags *diags) {
  if (layer->values[key_find("groups")]) return true;
  layer_error(layer, diags, "groups", "a channel_shuffle needs the number of groups");
  return false;
}

static const struct rule shuffle_rules[] = {{{"input", "dtype"}, conv_check_input, "input"},
                                            {{"input", "factor"}, size_shuffled, "factor"}};
static const struct rule unshuffle_rules[] = {{{"input", "dtype"}, conv_check_input, "input"},
                                              {{"input", "factor"}, size_unshuffled, "factor"}};
static const struct rule channel_rules[] = {{{"input", "dtype"}, conv_check_input, "input"},
                                            {{"groups"}, check_groups_given, "groups"},
                                            {{"input", "groups"}, conv_check_in_groups, "groups"},
                                            {{"input", "groups"}, size_channels, "groups"}};

static bool resolve_shuffle(struct layer *layer, struct diags *diags) {
  return rules_check(shuffle_rules, sizeof shuffle_rules / sizeof *shuffle_rules, layer, diags);
}

static bool resolve_unshuffle(struct layer *layer, struct diags *diags) {
  return rules_check(unshuffle_rules, sizeof unshuffle_rules / sizeof *unshuffle_rules, layer, diags);
}

static bool resolve_channels(struct layer *layer, struct diags *diags) {
  return rules_check(channel_rules, sizeof channel_rules / sizeof *channel_rules, layer, diags);
}

/* ---- tensors and lowering --------------------------------------------------------------------------------------------- */

static size_t tensors(const struct layer *layer, struct tensor list[MAX_TENSORS]) {
  list[0] = conv_activation(layer, "input", TENSOR_INPUT);
  list[1] = conv_activation(layer, "output", TENSOR_OUTPUT);
  return 2;
}

static void add_move(struct problem *problem, int64_t count, int64_t x, int64_t y) {
  problem->move[problem->moves++] = (struct move){count, x, y, 0};
}

/* A copy with the steps of both layouts, and its batch. */
static struct problem begin(const struct layer *layer) {
  struct problem problem = conv_problem(layer);
  problem.work = WORK_COPY;
  add_move(&problem, layer->batch, problem.x_batch, problem.y_batch);
  return problem;
}

static size_t one_problem(struct problem problem, struct problem **problems) {
  *problems = mem_new(sizeof **problems);
  **problems = problem;
  return 1;
}

/* Steps of one side: of channels and of each spatial dimension. */
struct side {
  int64_t channel, spatial[MAX_SPATIAL];
};

/* The moves of a pixel shuffle; many: of the side with many channels, few: of the other. first[]: the step there that belongs to
 * each, by which side is the input. */
static void add_pixels(const struct layer *layer, const struct side *many, const struct side *few, int64_t channels,
                       const int64_t *sizes, bool many_is_input, struct problem *problem) {
  int64_t cell = layer->order == CS_CRD ? 1 : channels; /* how far cells lie apart, in channels */
  for (int i = 0; i < layer->rank && i < MAX_SPATIAL; i++, cell *= layer->factor) {
    const int d = layer->order == CS_FOCUS ? i : layer->rank - 1 - i;
    const int64_t steps[] = {cell * many->channel, few->spatial[d]};
    const int64_t pixels[] = {many->spatial[d], layer->factor * few->spatial[d]}; /* NOLINT(clang-analyzer-core.*): d < rank */
    add_move(problem, layer->factor, steps[!many_is_input], steps[many_is_input]);
    add_move(problem, sizes[d], pixels[!many_is_input], pixels[many_is_input]);
  }
  const int64_t steps[] = {(layer->order == CS_CRD ? cells(layer) : 1) * many->channel, few->channel};
  add_move(problem, channels, steps[!many_is_input], steps[many_is_input]);
}

static void read_sides(const struct problem *problem, struct side *input, struct side *output) {
  *input = *output = (struct side){0};
  input->channel = problem->x_channel;
  output->channel = problem->y_channel;
  for (int d = 0; d < problem->rank; d++) {
    input->spatial[d] = problem->axis[d].x_step;
    output->spatial[d] = problem->axis[d].y_step;
  }
}

static size_t lower_shuffle(const struct layer *layer, struct problem **problems) {
  struct problem problem = begin(layer);
  struct side input, output;
  read_sides(&problem, &input, &output);
  add_pixels(layer, &input, &output, layer->out_channels, layer->in, true, &problem);
  return one_problem(problem, problems);
}

static size_t lower_unshuffle(const struct layer *layer, struct problem **problems) {
  struct problem problem = begin(layer);
  struct side input, output;
  read_sides(&problem, &input, &output);
  add_pixels(layer, &output, &input, layer->in_channels, layer->out, false, &problem);
  return one_problem(problem, problems);
}

static size_t lower_channels(const struct layer *layer, struct problem **problems) {
  struct problem problem = begin(layer);
  const int64_t each = layer->in_channels / layer->groups;
  add_move(&problem, layer->groups, each * problem.x_channel, problem.y_channel);
  add_move(&problem, each, problem.x_channel, layer->groups * problem.y_channel);
  for (int d = 0; d < layer->rank; d++) add_move(&problem, layer->in[d], problem.axis[d].x_step, problem.axis[d].y_step);
  return one_problem(problem, problems);
}

/* ---- reference -------------------------------------------------------------------------------------------------------- */

static enum cs_shuffle_kind kind_of(const struct layer *layer) {
  return layer->op == &op_pixel_shuffle     ? CS_PIXEL_SHUFFLE
         : layer->op == &op_pixel_unshuffle ? CS_PIXEL_UNSHUFFLE
                                            : CS_CHANNEL_SHUFFLE;
}

static struct cs_shuffle reference(const struct layer *layer) {
  struct cs_shuffle shuffle = {.rank = layer->rank,
                               .dtype = layer->dtype,
                               .kind = kind_of(layer),
                               .order = layer->order,
                               .in_channels = (ptrdiff_t)layer->in_channels,
                               .out_channels = (ptrdiff_t)layer->out_channels,
                               .factor = (ptrdiff_t)layer->factor,
                               .groups = (ptrdiff_t)layer->groups};
  for (int d = 0; d < layer->rank; d++) shuffle.in[d] = (ptrdiff_t)layer->in[d];
  return shuffle;
}

static void expect(const struct layer *layer, const struct cs_promise *promise, const void *const *data, const size_t *elements,
                   size_t count, struct cs_expect *results) {
  (void)promise;
  const struct cs_shuffle shuffle = reference(layer);
  const struct tensor output = conv_activation(layer, "output", TENSOR_OUTPUT);
  for (size_t i = 0; i < count; i++) {
    ptrdiff_t index[CS_MAX_RANK];
    tensor_index(&output, elements[i], index);
    cs_shuffle_expect(&shuffle, data[0], index, &results[i]);
  }
}

static void push_reference(lua_State *L, const struct layer *layer) {
  static const char *const kinds[] = {"pixel_shuffle", "pixel_unshuffle", "channel_shuffle"};
  const struct cs_shuffle shuffle = reference(layer);
  lua_newtable(L);
  set_integer(L, "rank", shuffle.rank);
  set_text(L, "dtype", dtype_name(shuffle.dtype));
  set_text(L, "kind", kinds[shuffle.kind]);
  set_text(L, "order", order_name(shuffle.order));
  set_integer(L, "in_channels", shuffle.in_channels);
  set_integer(L, "out_channels", shuffle.out_channels);
  set_sizes(L, "input", shuffle.in, shuffle.rank);
  set_integer(L, "factor", shuffle.factor);
  set_integer(L, "groups", shuffle.groups);
}

/* ---- counts ----------------------------------------------------------------------------------------------------------- */

/* Multiply-adds, and terms of a sum. */
static int64_t none(const struct layer *layer) {
  (void)layer;
  return 0;
}

/* Every number of the type is copied: the more there are, the less a wrong one goes unseen. */
static int exact_limit(const struct layer *layer, int bits) {
  (void)layer, (void)bits;
  return 1000000;
}

static struct window window_shuffle(const struct layer *layer, int axis) {
  (void)layer, (void)axis;
  return (struct window){1, 1, 1, false};
}

static struct window window_unshuffle(const struct layer *layer, int axis) {
  (void)axis;
  return (struct window){layer->factor, layer->factor, 1, true};
}

static struct window window_channels(const struct layer *layer, int axis) {
  (void)layer, (void)axis;
  return (struct window){1, 1, 1, true};
}

static bool reads_shuffle(const struct layer *layer, int axis, int64_t *first, int64_t *last) {
  (void)axis;
  *first = shape_floor(*first, layer->factor);
  *last = shape_floor(*last, layer->factor);
  return true;
}

static const char *describe_pixels(const struct layer *layer) {
  return mem_text("factor %lld, order %s", (long long)layer->factor, order_name(layer->order));
}

static const char *describe_channels(const struct layer *layer) {
  return mem_text("groups %lld", (long long)layer->groups);
}

#define SHUFFLE_ROW(word, own_keys, own_resolve, own_lower, own_window, own_reads, own_describe)                                   \
  {                                                                                                                                \
    .name = word, .keys = own_keys, .resolve = own_resolve, .tensors = tensors, .lower = own_lower, .expect = expect,              \
    .multiply_adds = none, .terms = none, .exact_limit = exact_limit, .window = own_window, .reads = own_reads,                    \
    .describe = own_describe, .reference = "shuffle", .push_reference = push_reference,                                            \
  }

const struct op op_pixel_shuffle =
    SHUFFLE_ROW("pixel_shuffle", pixel_keys, resolve_shuffle, lower_shuffle, window_shuffle, reads_shuffle, describe_pixels);
const struct op op_pixel_unshuffle =
    SHUFFLE_ROW("pixel_unshuffle", pixel_keys, resolve_unshuffle, lower_unshuffle, window_unshuffle, NULL, describe_pixels);
const struct op op_channel_shuffle =
    SHUFFLE_ROW("channel_shuffle", channel_keys, resolve_channels, lower_channels, window_channels, NULL, describe_channels);
