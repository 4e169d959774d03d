/* A whole design from a choice: the steps between rows and vectors of a tile, the blocks of output channels, the units that parts
 * share. */
#include "direct.h"
#include "mem.h"

const char *form_name(enum form form) {
  static const char *const names[] = {"channels", "pixels", "depth", "dot", "groups"};
  return names[form];
}

static bool is_depthwise(const struct problem *problem) {
  return problem->in_channels == 1 && problem->groups > 1;
}

/* Steps of the accumulators' operands and outputs, in elements. */
static void set_steps(struct design *design) {
  const struct problem *problem = &design->problem;
  const struct axis *row = &design->axis[design->rank - 1];
  const int64_t lanes = design->lanes;
  const bool exact_rows = design->w_exact && design->depthwise; /* baked depthwise weights: [multiplier, taps, groups] */
  switch (design->choice.form) {
  case FORM_CHANNELS:
    design->w_vector = design->b_vector = lanes;
    design->y_row = row->y_step;
    design->y_lane = problem->y_channel;
    break;
  case FORM_PIXELS:
    design->x_lane = row->stride * row->x_step;
    design->x_vector = lanes * design->x_lane;
    design->w_row = 1;
    for (int a = 0; a < design->rank && exact_rows; a++) design->w_row *= design->axis[a].kernel;
    if (exact_rows) design->w_row *= problem->groups;
    design->b_row = design->depthwise ? problem->groups : 1;
    design->y_row = problem->y_channel;
    design->y_lane = row->y_step;
    break;
  case FORM_DOT:
    design->x_lane = problem->x_channel;
    design->w_vector = problem->in_channels;
    for (int a = 0; a < design->rank; a++) design->w_vector *= design->axis[a].kernel;
    design->b_vector = design->y_lane = 1;
    design->y_row = row->y_step;
    design->y_vector = problem->y_channel;
    return;
  case FORM_GROUPS:
    design->x_lane = problem->x_channel;
    design->together = groups_a_vector(problem, lanes);
    design->w_vector = design->b_vector = lanes;
    design->y_row = row->y_step;
    design->y_lane = problem->y_channel;
    break;
  default:
    design->x_lane = problem->x_group;
    design->x_vector = lanes * problem->x_group;
    design->w_vector = design->b_vector = lanes;
    design->y_row = row->y_step;
    design->y_lane = problem->y_group;
  }
  design->y_vector = lanes * design->y_lane;
}

int64_t groups_a_vector(const struct problem *problem, int64_t lanes) {
  const int64_t channels = problem->in_channels > problem->out_channels ? problem->in_channels : problem->out_channels;
  const int64_t groups = lanes / channels;
  return groups < problem->groups ? groups : problem->groups;
}

/* Units beside channel blocks and rows. In the depth and groups forms lanes run over groups; in the depth form a multiplier's
 * channels are units. */
static void set_units(struct design *design) {
  const struct problem *problem = &design->problem;
  const bool depth = design->choice.form == FORM_DEPTH;
  design->batch.count = problem->batch;
  design->batch.x = problem->x_batch;
  design->batch.y = problem->y_batch;
  design->group.count = depth || design->choice.form == FORM_GROUPS ? 1 : problem->groups;
  design->group.x = problem->x_group;
  design->group.y = problem->y_group;
  design->group.b = design->depthwise ? 1 : problem->out_channels;
  design->multiplier.count = depth ? problem->out_channels : 1;
  design->multiplier.y = problem->y_channel;
  design->multiplier.b = problem->groups;
  for (int i = 0; i < problem->phases; i++)
    design->phase[i] = (struct unit){.count = problem->phase[i].count, .x = problem->phase[i].x, .y = problem->phase[i].y};
}

static void add_block(struct design *design, struct block block) {
  if (block.count == 0) return;
  block.from = design->channel_blocks;
  design->channel_blocks += block.count;
  design->blocks = mem_grow(design->blocks, design->block_count, sizeof block);
  design->blocks[design->block_count++] = block;
}

/* Channels in vectors: whole blocks, then what is left, whose last vector may be partial. */
static void vector_blocks(struct design *design, int64_t channels) {
  const struct choice *choice = &design->choice;
  const int64_t lanes = design->lanes, whole = choice->vectors * lanes, rest = channels % whole;
  add_block(design, (struct block){.rows = choice->rows, .vectors = choice->vectors, .last = lanes, .count = channels / whole});
  const int64_t vectors = (rest + lanes - 1) / lanes;
  add_block(design,
            (struct block){.rows = choice->rows, .vectors = vectors, .last = rest - (vectors - 1) * lanes, .count = rest > 0});
}

static void add_even_block(struct design *design, int64_t size, int64_t count) {
  const struct choice *choice = &design->choice;
  if (choice->form == FORM_DOT)
    add_block(design, (struct block){.rows = choice->rows, .vectors = size, .last = 1, .count = count});
  else
    add_block(design, (struct block){.rows = size, .vectors = choice->vectors, .count = count});
}

/* Channels in blocks of at most `most`, as equal as can be. */
static void even_blocks(struct design *design, int64_t channels, int64_t most) {
  const int64_t blocks = (channels + most - 1) / most, wide = channels % blocks;
  add_even_block(design, channels / blocks + 1, wide);
  add_even_block(design, channels / blocks, blocks - wide);
}

/* Whole vectors of groups, then the groups that are left. */
static void group_blocks(struct design *design) {
  const int64_t groups = design->problem.groups, rest = groups % design->together;
  struct block block = {.rows = design->choice.rows, .vectors = 1, .last = design->together * design->channels};
  block.count = groups / design->together;
  add_block(design, block);
  block.last = rest * design->channels;
  block.count = rest > 0;
  add_block(design, block);
}

static void set_blocks(struct design *design) {
  switch (design->choice.form) {
  case FORM_PIXELS:
    even_blocks(design, design->channels, design->choice.rows);
    break;
  case FORM_DOT:
    even_blocks(design, design->channels, design->choice.vectors);
    break;
  case FORM_DEPTH:
    vector_blocks(design, design->problem.groups);
    break;
  case FORM_GROUPS:
    group_blocks(design);
    break;
  default:
    vector_blocks(design, design->channels);
  }
}

int64_t block_channels(const struct design *design, const struct block *block) {
  switch (design->choice.form) {
  case FORM_PIXELS:
    return block->rows;
  case FORM_DOT:
    return block->vectors;
  case FORM_GROUPS:
    return block->last;
  default:
    return block->vectors * design->lanes;
  }
}

/* What one more channel block adds to x and y. */
static void set_block_steps(struct design *design) {
  int64_t channel = design->choice.channel_from;
  const bool pixels = design->choice.form == FORM_PIXELS;
  for (size_t i = 0; i < design->block_count; i++) {
    struct block *block = &design->blocks[i];
    const int64_t channels = block_channels(design, block);
    block->channel = channel;
    const int64_t y_channel = design->choice.form == FORM_DEPTH ? design->problem.y_group : design->problem.y_channel;
    block->y_step = channels * y_channel;
    block->y = design->y_first + channel * y_channel;
    if (design->choice.form == FORM_DEPTH) {
      block->x_step = channels * design->problem.x_group;
      block->x = channel * design->problem.x_group;
    }
    if (design->choice.form == FORM_GROUPS) {
      block->x_step = design->together * design->problem.x_group;
      block->x = channel / design->channels * design->problem.x_group;
    }
    block->b_step = channels * (pixels ? design->b_row : 1);
    block->b = channel * (pixels ? design->b_row : 1);
    channel += channels * block->count;
  }
}

static void set_rows(struct design *design) {
  const struct part_case *rows = &design->blocks[0].cases[0];
  design->rows = 1;
  for (int a = 0; a < design->rank - 1; a++) design->rows *= design->axis[a].out;
  if (design->rank > 1) return;
  design->rows = 0;
  for (size_t i = 0; i < rows->run_count; i++) design->rows += rows->runs[i].count;
}

double design_row_bytes(const struct design *design) {
  const struct problem *problem = &design->problem;
  double bytes = (double)cs_size(problem->dtype) * (double)(problem->in_channels * design->chunks);
  for (int a = 0; a < design->rank; a++) bytes *= (double)design->axis[a].in;
  return bytes * (double)(problem->groups / design->group.count) / (double)design->rows;
}

void design_lay_out(struct design *design, const struct problem *problem, const struct isa *isa, const struct choice *choice) {
  *design = (struct design){.problem = *problem, .choice = *choice, .lanes = isa->lanes[problem->dtype]};
  design->depthwise = is_depthwise(problem) && choice->form != FORM_GROUPS;
  design->w_exact = problem->baked_weights != NULL;
  design->channels = choice->channel_to ? choice->channel_to - choice->channel_from : problem->out_channels;
  design->chunks = choice->chunk ? problem->in_channels / choice->chunk : 1;
  design->problem.in_channels /= design->chunks;
  if (choice->strip) take_strips(design);
  fold_axes(design);
  set_steps(design);
  design->places = places_apply(design, isa) ? isa : NULL;
  set_units(design);
  set_blocks(design);
  set_block_steps(design);
  design_pack(design);
}

void design_build(struct design *design, const struct problem *problem, const struct isa *isa, const struct choice *choice) {
  design_lay_out(design, problem, isa, choice);
  design_next(design);
  for (size_t i = 0; i < design->block_count; i++)
    if (!design_block(design, &design->blocks[i])) return;
  set_rows(design);
}
