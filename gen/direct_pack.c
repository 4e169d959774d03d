/* Where weights lie. Packed: for each group and channel block a panel a step, [taps][input channels][panel], in the order the
 * kernel streams it, zeros behind the last channel, chunks of input channels one after the other; dot form: [groups][output
 * channels][taps][input channels]. Baked: one array for all targets of a file, [taps][input channels][output channels], or
 * [multiplier][taps][groups] for depthwise layers, without padding. Bias and slope: canonical order, or [multiplier][groups]. */
#include "direct.h"
#include "mem.h"
#include <string.h>

static void loop(struct box *box, int64_t count, int64_t src, int64_t dst) {
  if (count == 1) return;
  box->loops[box->loop_count].count = count;
  box->loops[box->loop_count].src = src;
  box->loops[box->loop_count++].dst = dst;
}

static int64_t taps(const struct design *design) {
  int64_t count = 1;
  for (int a = 0; a < design->rank; a++) count *= design->axis[a].kernel;
  return count;
}

/* Loops over taps, each `tap` elements. */
static void tap_loops(struct box *box, const struct design *design, int64_t tap) {
  int64_t step = taps(design) * tap;
  for (int a = 0; a < design->rank; a++) {
    step /= design->axis[a].kernel;
    loop(box, design->axis[a].kernel, design->axis[a].w_step, step);
  }
}

/* Loops over taps and input channels: [taps][input channels] steps of `panel` elements. */
static void step_loops(struct box *box, const struct design *design, int64_t panel) {
  tap_loops(box, design, design->problem.in_channels * panel);
  loop(box, design->problem.in_channels, design->problem.w_in, panel);
}

/* The lanes of groups as many as are live: with input channel number k, lane i has output channel i + k and input channel i. */
static void turned_loops(struct box *box, const struct design *design, const struct block *block, int64_t live) {
  const struct problem *problem = &design->problem;
  tap_loops(box, design, problem->in_channels * block->panel);
  loop(box, live / problem->out_channels, problem->w_group, problem->out_channels);
  loop(box, problem->in_channels, 0, block->panel);
  loop(box, problem->out_channels, problem->w_in, 1);
  box->turn = problem->w_out;
}

static void add_box(struct design *design, struct box box) {
  design->boxes = mem_grow(design->boxes, design->box_count, sizeof box);
  design->boxes[design->box_count++] = box;
}

/* The output channel `channel` of all, as a place in weights: in the groups form they are numbered through the groups. */
static int64_t channel_w(const struct design *design, int64_t channel) {
  const struct problem *problem = &design->problem;
  if (design->choice.form == FORM_DEPTH) return channel * problem->w_group;
  if (design->choice.form != FORM_GROUPS) return channel * problem->w_out;
  return channel / problem->out_channels * problem->w_group + channel % problem->out_channels * problem->w_out;
}

/* `live` lanes of each panel from element `src`, or zeros, at element `at` of the panels of a block. */
static void panel_box(struct design *design, const struct block *block, const char *from, int64_t src, int64_t at, int64_t live,
                      int64_t group_size) {
  const struct problem *problem = &design->problem;
  const bool depth = design->choice.form == FORM_DEPTH, groups = design->choice.form == FORM_GROUPS && from;
  const int64_t inner = groups ? problem->out_channels : 1; /* lanes of a group */
  struct box box = {.from = from, .src = src, .dst = block->w + at};
  if (depth)
    loop(&box, design->multiplier.count, problem->w_out, group_size);
  else
    loop(&box, design->group.count, problem->w_group, group_size);
  loop(&box, block->count, channel_w(design, block_channels(design, block)), block->w_step);
  loop(&box, design->chunks, problem->in_channels * problem->w_in, block->chunk_w);
  if (groups && design->choice.turned) {
    turned_loops(&box, design, block, live);
  } else {
    step_loops(&box, design, block->panel);
    loop(&box, live / inner, channel_w(design, inner), inner);
    loop(&box, inner, problem->w_out, 1);
  }
  add_box(design, box);
}

static void packed_weights(struct design *design) {
  int64_t size = 0, channel = design->choice.channel_from;
  const bool pixels = design->choice.form == FORM_PIXELS;
  const int64_t steps = taps(design) * design->problem.in_channels;
  for (size_t i = 0; i < design->block_count; i++) {
    struct block *block = &design->blocks[i];
    block->panel = pixels ? block->rows : block->vectors * design->lanes;
    block->w = size;
    block->chunk_w = steps * block->panel;
    block->w_step = design->chunks * block->chunk_w;
    size += block->count * block->w_step;
  }
  for (size_t i = 0; i < design->block_count; i++) {
    const struct block *block = &design->blocks[i];
    const int64_t live = pixels ? block->rows : (block->vectors - 1) * design->lanes + block->last;
    const int64_t src = design->problem.w_first + channel_w(design, channel);
    panel_box(design, block, "weights", src, 0, live, size);
    if (live < block->panel) panel_box(design, block, NULL, 0, live, block->panel - live, size);
    channel += block->count * block_channels(design, block);
  }
  design->group.w = design->multiplier.w = size;
  design->w_size = size * design->group.count * design->multiplier.count;
}

/* Dot form: [groups][output channels][taps][input channels]. */
static void packed_sums(struct design *design) {
  const struct problem *problem = &design->problem;
  const int64_t terms = design->w_vector, from = design->choice.channel_from;
  struct box box = {.from = "weights", .src = problem->w_first + from * problem->w_out};
  int64_t channel = 0;
  for (size_t i = 0; i < design->block_count; i++) {
    struct block *block = &design->blocks[i];
    block->panel = 1;
    block->w = channel * terms;
    block->w_step = block->vectors * terms;
    channel += block->count * block->vectors;
  }
  loop(&box, problem->groups, problem->w_group, channel * terms);
  loop(&box, channel, problem->w_out, terms);
  step_loops(&box, design, 1);
  add_box(design, box);
  design->group.w = channel * terms;
  design->w_size = problem->groups * design->group.w;
}

/* Kernel order of baked weights, the same on every ISA that takes the same chunks. */
static struct box baked_weights(const struct design *design) {
  const struct problem *problem = &design->problem;
  const int64_t panel = design->depthwise ? problem->groups : problem->groups * problem->out_channels;
  struct box box = {.from = problem->baked_weights ? "weights" : NULL, .src = problem->w_first};
  if (design->depthwise) loop(&box, problem->out_channels, problem->w_out, taps(design) * panel);
  loop(&box, design->chunks, problem->in_channels * problem->w_in, taps(design) * problem->in_channels * panel);
  step_loops(&box, design, panel);
  loop(&box, problem->groups, problem->w_group, design->depthwise ? 1 : problem->out_channels);
  if (!design->depthwise) loop(&box, problem->out_channels, problem->w_out, 1);
  return box;
}

static void exact_weights(struct design *design) {
  const struct problem *problem = &design->problem;
  const int64_t panel = design->depthwise ? problem->groups : problem->groups * problem->out_channels;
  const int64_t channel = design->choice.form == FORM_PIXELS ? design->w_row : 1;
  int64_t first = design->choice.channel_from;
  for (size_t i = 0; i < design->block_count; i++) {
    struct block *block = &design->blocks[i];
    const int64_t channels = block_channels(design, block);
    block->panel = panel;
    block->w = first * channel;
    block->w_step = channels * channel;
    block->chunk_w = taps(design) * design->problem.in_channels * panel;
    first += block->count * channels;
  }
  design->group.w = design->depthwise ? 1 : problem->out_channels;
  design->multiplier.w = taps(design) * panel;
}

/* Bias or slope: from canonical [groups][channels] to kernel order. */
static struct box vector_box(const struct design *design, const char *from) {
  const struct problem *problem = &design->problem;
  struct box box = {.from = from, .src = problem->b_first};
  loop(&box, problem->groups, problem->b_group, design->depthwise ? 1 : problem->out_channels);
  loop(&box, problem->out_channels, problem->b_out, design->depthwise ? problem->groups : 1);
  return box;
}

/* An outermost loop. */
static void loop_around(struct box *box, int64_t count, int64_t src, int64_t dst) {
  if (count == 1) return;
  memmove(box->loops + 1, box->loops, (size_t)box->loop_count * sizeof *box->loops);
  box->loop_count++;
  box->loops[0].count = count;
  box->loops[0].src = src;
  box->loops[0].dst = dst;
}

/* Every phase has weights of its own, and bias and slope where these differ: one behind the other. */
static void repeat_phases(struct design *design) {
  const struct problem *problem = &design->problem;
  int64_t size = design->w_size;
  if (design->w_exact) size = taps(design) * problem->groups * problem->out_channels * problem->in_channels * design->chunks;
  design->b_size = problem->groups * problem->out_channels;
  for (int i = problem->phases; i-- > 0;) {
    const struct phase *phase = &problem->phase[i];
    struct unit *unit = &design->phase[i];
    unit->w = size;
    for (size_t b = 0; b < design->box_count; b++) loop_around(&design->boxes[b], unit->count, phase->w, unit->w);
    size *= unit->count;
    if (phase->b == 0) continue;
    unit->b = design->b_size;
    design->b_size *= unit->count;
  }
  if (!design->w_exact) design->w_size = size;
}

/* The same of a vector. */
static struct box vector_phases(const struct design *design, struct box box) {
  for (int i = design->problem.phases; i-- > 0;)
    if (design->phase[i].b) loop_around(&box, design->phase[i].count, design->problem.phase[i].b, design->phase[i].b);
  return box;
}

static void packed_vector(struct design *design, const char *from, int64_t at) {
  struct box box = vector_phases(design, vector_box(design, from));
  box.dst = at;
  add_box(design, box);
}

void design_pack(struct design *design) {
  const struct problem *problem = &design->problem;
  if (design->w_exact)
    exact_weights(design);
  else if (design->choice.form == FORM_DOT)
    packed_sums(design);
  else
    packed_weights(design);
  repeat_phases(design);
  int64_t at = design->w_size;
  if (problem->bias && !problem->baked_bias) {
    packed_vector(design, "bias", at);
    at += design->b_size;
  }
  if (problem->activation == CS_PRELU) packed_vector(design, "slope", at);
  design->baked = mem_array(2, sizeof *design->baked);
  design->baked[0] = baked_weights(design);
  for (int i = problem->phases; i-- > 0;)
    loop_around(&design->baked[0], design->phase[i].count, problem->phase[i].w, design->phase[i].w);
  design->baked[1] = vector_phases(design, vector_box(design, problem->baked_bias ? "bias" : NULL));
}

int64_t design_packed(const struct design *design) {
  int64_t size = design->w_size;
  if (design->problem.bias && !design->problem.baked_bias) size += design->b_size;
  if (design->problem.activation == CS_PRELU) size += design->b_size;
  return size;
}

/* ---- baked values --------------------------------------------------------------------------------------------------- */

static int64_t box_elements(const struct box *box) {
  int64_t count = 1;
  for (int i = 0; i < box->loop_count; i++) count *= box->loops[i].count;
  return count;
}

void design_set_baked(struct design *design, const struct design *before) {
  design->baked_w = before ? before->baked_w + box_elements(&before->baked[0]) : 0;
  design->baked_b = before ? before->baked_b + box_elements(&before->baked[1]) : 0;
}

static void copy_box(const struct box *box, int loop, const char *from, char *to, int64_t src, int64_t dst, size_t size) {
  if (loop == box->loop_count) {
    memcpy(to + (size_t)dst * size, from + (size_t)src * size, size);
    return;
  }
  for (int64_t i = 0; i < box->loops[loop].count; i++)
    copy_box(box, loop + 1, from, to, src + i * box->loops[loop].src, dst + i * box->loops[loop].dst, size);
}

static const struct design *nth(const struct design *designs, size_t step, size_t i) {
  return (const struct design *)((const char *)designs + i * step);
}

/* Box `which` of every design into one array. Those of one problem (shared, or a tail) begin at the same place. */
static const void *bake(const struct design *designs, size_t count, size_t step, int which, const void *values, size_t size,
                        size_t *bytes) {
  const struct design *last = nth(designs, step, count - 1);
  *bytes = 0;
  if (!last->baked[which].from || !values) return NULL;
  *bytes = (size_t)((which ? last->baked_b : last->baked_w) + box_elements(&last->baked[which])) * size;
  char *to = mem_new(*bytes);
  for (size_t i = 0; i < count; i++) {
    const struct design *design = nth(designs, step, i);
    copy_box(&design->baked[which], 0, values, to, design->baked[which].src, which ? design->baked_b : design->baked_w, size);
  }
  return to;
}

struct baked_values design_bake(const struct design *designs, size_t count, size_t step, const struct layer *layer) {
  const size_t size = cs_size(layer->dtype);
  struct baked_values values = {0};
  values.weights = bake(designs, count, step, 0, designs->problem.baked_weights, size, &values.weight_bytes);
  values.bias = bake(designs, count, step, 1, layer->bias_values.data, size, &values.bias_bytes);
  return values;
}
