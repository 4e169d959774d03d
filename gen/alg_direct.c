/* The direct algorithm: every tap of every output, in registers. Enumerates register tiles for the forms (direct.h), refuses
 * what does not fit with the number and the limit. What each costs is in direct_cost.c.
 */
#include "alg.h"
#include "direct.h"
#include "mem.h"
#include "processor.h"
#include <stdio.h>
#include <string.h>

/* Bytes: chunks of weights that stay in a cache while all rows of outputs take them, more of them where that makes `least` of each
 * pixel of the input; and of what, from there on, more is fetched ahead. */
static const struct { double bytes, most, least; } chunk_bytes[] = {{28e3, 28e3, 0}, {72e3, 144e3, 64}};
static const double ahead_bytes = 625e3;

/* Input of the rows that all channel blocks take in turn: what a cache in the core holds, or for chunks, whose sums wait meanwhile,
 * one near it; and of how many tiles that must be where one is all of a row. */
static const double band_bytes = 48e3, chunk_band_bytes = 300e3;
static const int64_t least_band = 4;

/* What one file may hold, in multiply-adds: compilers crawl beyond. Auto unrolls everything up to full_steps steps if it stays
 * small. */
static const int64_t max_text_macs = 6000, max_full_macs = 24000, auto_full_macs = 1500, full_steps = 100;

/* Output channels whose lanes are the terms of their sums: of a layer, and behind the whole vectors of a wider one. */
static const int64_t max_dot_channels = 16, max_tail_channels = 8, max_dot_pixels = 8;

struct direct_parameters {
  struct design *designs; /* one a problem */
  size_t count;
};

static int64_t registers_of(enum form form, int64_t rows, int64_t vectors) {
  const int64_t held = form == FORM_DEPTH || vectors < rows ? vectors : rows;
  return rows * vectors + held + 1;
}

/* ---- one candidate --------------------------------------------------------------------------------------------------- */

static int64_t steps_of(const struct problem *problem) {
  int64_t steps = problem->in_channels;
  for (int a = 0; a < problem->rank; a++) steps *= problem->axis[a].kernel;
  return steps;
}

/* All unrolled where that is asked for or small (together with the other problems), else loops over what remains. */
static void build(struct design *design, const struct problem *problem, const struct candidates *candidates, struct choice choice) {
  const int64_t most = auto_full_macs / (int64_t)candidates->problem_count;
  const struct isa *isa = candidates->isa;
  choice.full = problem->unroll == UNROLL_FULL;
  if (problem->unroll == UNROLL_AUTO && !choice.trimmed && steps_of(problem) <= full_steps) {
    choice.full = true;
    design_build(design, problem, isa, &choice);
    if (!design->reason && design->macs <= most && design_code_bytes(design, isa) <= problem->max_code_bytes) return;
    choice.full = false;
  }
  design_build(design, problem, isa, &choice);
}

/* Why a finished design is refused, or NULL. */
static const char *judge(const struct design *design, const struct isa *isa) {
  const int64_t bytes = design_code_bytes(design, isa), macs = design->choice.full ? max_full_macs : max_text_macs;
  const char *reason = design->reason ? design->reason : code_reason(bytes, &design->problem);
  if (reason) return reason;
  if (design->macs > macs)
    return mem_text("its text holds %lld multiply-adds, at most %lld compile in good time", (long long)design->macs,
                    (long long)macs);
  return NULL;
}

static const char *plan_id(const struct choice *choice) {
  const char *way = choice->split ? "-split" : choice->trimmed ? "-trimmed" : choice->tail ? "-tail" : "";
  const char *order = choice->band == 1 ? "channels" : "rows";
  if (choice->band > 1) order = mem_text("bands%lld", (long long)choice->band);
  if (choice->chunk) way = mem_text("-by%lld", (long long)choice->chunk);
  if (choice->strip) way = mem_text("-strips%lld", (long long)choice->strip);
  if (choice->images) way = mem_text("%s-images", way);
  return mem_text("direct-%s-%lldx%lld-%s%s", form_name(choice->form), (long long)choice->rows, (long long)choice->vectors, order,
                  way);
}

static struct plan new_plan(const struct candidates *candidates, const struct choice *choice) {
  return (struct plan){.id = plan_id(choice),
                       .algorithm = &alg_direct,
                       .isa = candidates->isa,
                       .tile = mem_text("%lldx%lld", (long long)choice->rows, (long long)choice->vectors)};
}

/* Does no register remain for a product where multiplying and adding are two instructions? */
static bool crowded(const struct choice *choice, const struct isa *isa) {
  return isa->macs_per_cycle == 1 && registers_of(choice->form, choice->rows, choice->vectors) >= isa->registers - 1;
}

static void sum_up(struct plan *plan, const struct design *design) {
  const int64_t bytes = design_code_bytes(design, plan->isa), size = (int64_t)cs_size(design->problem.dtype);
  const double crowds = crowded(&design->choice, plan->isa) ? processor.crowded : 1;
  plan->cost += design_cost(design, plan->isa) * crowds * (has_wide_sums(&design->problem) ? processor.widened : 1);
  plan->multiply_adds += design->macs;
  plan->left_out += design->left_out;
  plan->together = design->rank > 1;
  if (bytes > plan->code_bytes) plan->code_bytes = bytes;
  if (design->shared) return;
  plan->workspace_bytes += strip_elements(design) * size;
  *(design->problem.gathered ? &plan->workspace_bytes : &plan->packed_bytes) += design_packed(design) * size;
}

/* Where tiles meet. */
static void set_seams(struct plan *plan, const struct choice *choice, int64_t lanes) {
  const bool pixels = choice->form == FORM_PIXELS, dot = choice->form == FORM_DOT;
  plan->row_tile = pixels ? choice->vectors * lanes : choice->rows;
  plan->channel_tile = pixels ? choice->rows : dot ? choice->vectors : choice->vectors * lanes;
}

/* Adds a refused plan; what it was built from goes. */
static void forget(struct candidates *candidates, struct plan plan, const struct choice *choice, size_t mark) {
  char reason[256];
  snprintf(reason, sizeof reason, "%s", plan.reason);
  mem_release(mark);
  const struct plan fresh = new_plan(candidates, choice);
  plan.id = fresh.id;
  plan.tile = fresh.tile;
  plan.parameters = NULL;
  plan.reason = mem_text("%s", reason);
  candidates_add(candidates, plan);
}

/* Rows, at most `rows`, of the tallest tile that the registers hold. */
static int64_t tallest(const struct isa *isa, enum form form, int64_t vectors, int64_t rows) {
  int64_t most = 0;
  while (most < rows && registers_of(form, most + 1, vectors) <= isa->registers) most++;
  return most;
}

/* Rows worth having of `pixels`. Each pixel of a dot is a stream of its own; more than a few gain nothing. */
static int64_t useful_rows(enum form form, int64_t pixels) {
  return form == FORM_DOT && pixels > max_dot_pixels ? max_dot_pixels : pixels;
}

/* All channels but the last ones, and those: a design each, which packs its own weights. */
static size_t build_with_tail(struct design *designs, const struct problem *problem, const struct candidates *candidates,
                              const struct choice *choice) {
  struct choice body = *choice, tail = *choice;
  body.channel_to = tail.channel_from = problem->out_channels - choice->tail;
  tail.channel_to = problem->out_channels;
  tail.form = FORM_DOT;
  tail.vectors = choice->tail;
  const int64_t pixels = choice->images ? problem->batch : problem->axis[problem->rank - 1].out;
  tail.rows = tallest(candidates->isa, FORM_DOT, choice->tail, useful_rows(FORM_DOT, pixels));
  build(&designs[0], problem, candidates, body);
  build(&designs[1], problem, candidates, tail);
  return 2;
}

/* The designs of one problem: one, or for a split choice those of the inner columns and of the borders on both sides, which read
 * what the first packed. Returns how many. */
static size_t build_designs(struct design *designs, const struct problem *problem, const struct candidates *candidates,
                            const struct choice *choice) {
  if (choice->tail) return build_with_tail(designs, problem, candidates, choice);
  struct choice parts[3] = {*choice, *choice, *choice};
  const int64_t out = problem->axis[problem->rank - 1].out;
  size_t count = 0;
  if (choice->split) {
    axis_interior(&problem->axis[problem->rank - 1], &parts[0].from, &parts[0].to);
    parts[1].trimmed = parts[2].trimmed = true;
    parts[1].to = parts[0].from;
    parts[2].from = parts[0].to;
    parts[2].to = out;
  }
  for (size_t i = 0; i < (choice->split ? 3 : 1); i++) {
    if (choice->split && parts[i].from >= parts[i].to) continue;
    build(&designs[count], problem, candidates, parts[i]);
    designs[count].shared = count > 0;
    count++;
  }
  return count;
}

/* One choice for all problems. False where it is refused. */
static bool try_choice(struct candidates *candidates, struct choice choice) {
  const size_t mark = mem_mark();
  struct direct_parameters *parameters = mem_new(sizeof *parameters);
  struct plan plan = new_plan(candidates, &choice);
  int64_t pack_bytes = 0;
  parameters->designs = mem_array(3 * candidates->problem_count, sizeof(struct design));
  plan.parameters = parameters;
  for (size_t i = 0; i < candidates->problem_count && !plan.reason; i++) {
    struct design *designs = &parameters->designs[parameters->count];
    const size_t count = build_designs(designs, &candidates->problems[i], candidates, &choice);
    parameters->count += count;
    for (size_t d = 0; d < count; d++) {
      design_set_baked(&designs[d], i > 0 ? designs - 1 : NULL);
      if (!plan.reason) plan.reason = judge(&designs[d], candidates->isa);
      sum_up(&plan, &designs[d]);
      pack_bytes += design_pack_bytes(&designs[d]);
    }
  }
  if (pack_bytes > plan.code_bytes) plan.code_bytes = pack_bytes;
  if (parameters->count == 1) plan.channel_blocks = parameters->designs->channel_blocks;
  if (!plan.reason && plan.multiply_adds > max_full_macs)
    plan.reason = mem_text("its %zu kernels hold %lld multiply-adds, at most %lld compile in good time", parameters->count,
                           (long long)plan.multiply_adds, (long long)max_full_macs);
  set_seams(&plan, &choice, candidates->isa->lanes[candidates->problems[0].dtype]);
  if (plan.reason)
    forget(candidates, plan, &choice, mark);
  else
    candidates_add(candidates, plan);
  return plan.reason == NULL;
}

/* Bands of the last plan, if it was accepted, where there are several blocks that take rows in turn: single rows unless these are
 * tiles of few pixels, and as many as a cache holds. */
static void try_bands(struct candidates *candidates) {
  const struct plan *plan = &candidates->plans[candidates->count - 1];
  const struct direct_parameters *parameters = plan->parameters;
  if (plan->reason || parameters->designs[0].channel_blocks == 1) return;
  const struct design *design = &parameters->designs[0];
  const bool flat = design->rank == 1 && design->choice.form != FORM_PIXELS, chunked = design->chunks > 1;
  const int64_t band = (int64_t)((chunked ? chunk_band_bytes : band_bytes) / design_row_bytes(design));
  struct choice choice = design->choice;
  choice.full = false;
  choice.band = 1;
  if (!flat && !chunked && design->rows > 1) try_choice(candidates, choice);
  choice.band = band;
  if (band >= (flat ? least_band : 2) && band < design->rows) try_choice(candidates, choice);
}

static void refuse(struct candidates *candidates, const struct choice *choice, const char *reason) {
  struct plan plan = new_plan(candidates, choice);
  plan.reason = reason;
  candidates_add(candidates, plan);
}

/* ---- enumeration ----------------------------------------------------------------------------------------------------- */

/* Why terms of a sum can't be lanes, or NULL. */
static const char *dot_reason(const struct problem *problem, const struct isa *isa) {
  const int64_t terms = steps_of(problem);
  const int lanes = isa->lanes[problem->dtype];
  if (problem->x_channel != 1)
    return mem_text("neighbouring input channels are %lld elements apart; this form loads them as vectors",
                    (long long)problem->x_channel);
  if (problem->baked_weights)
    return mem_text("baked weights have the %lld output channels innermost; this form needs the terms of a sum there",
                    (long long)(problem->groups * problem->out_channels));
  if (lanes == 1 || terms < lanes)
    return mem_text("a sum has %lld terms and a vector of %s %d lanes; this form needs 2 lanes or more, all filled",
                    (long long)terms, isa->name, lanes);
  return NULL;
}

/* Why a form can't serve a problem, or NULL. */
static const char *problem_reason(const struct problem *problem, const struct isa *isa, enum form form) {
  const bool depthwise = problem->in_channels == 1 && problem->groups > 1;
  if ((form == FORM_CHANNELS || form == FORM_DOT) && depthwise)
    return mem_text("each of %lld groups has 1 input channel; this form needs 2 or more, or 1 group", (long long)problem->groups);
  if (form == FORM_DEPTH && !depthwise)
    return mem_text("%lld groups of %lld input channels; this form needs 2 or more groups of 1", (long long)problem->groups,
                    (long long)problem->in_channels);
  if (form == FORM_DOT && problem->out_channels > max_dot_channels)
    return mem_text("%lld output channels a group; this form serves at most %lld", (long long)problem->out_channels,
                    (long long)max_dot_channels);
  return form == FORM_DOT ? dot_reason(problem, isa) : NULL;
}

static const char *form_reason(const struct candidates *candidates, enum form form) {
  const char *reason = NULL;
  for (size_t i = 0; i < candidates->problem_count && !reason; i++)
    reason = problem_reason(&candidates->problems[i], candidates->isa, form);
  return reason;
}

/* What rows and vectors can cover: pixels of a row (or images), or channels. */
static void extents(const struct candidates *candidates, const struct choice *choice, int64_t *rows, int64_t *vectors) {
  const enum form form = choice->form;
  const struct problem *problem = &candidates->problems[0];
  const int64_t lanes = candidates->isa->lanes[problem->dtype];
  const int64_t channels = form == FORM_DEPTH ? problem->groups : problem->out_channels;
  int64_t pixels = 1;
  for (size_t i = 0; i < candidates->problem_count; i++) {
    struct design design = {.problem = candidates->problems[i], .choice = *choice};
    fold_axes(&design);
    if (design.axis[design.rank - 1].out > pixels) pixels = design.axis[design.rank - 1].out;
  }
  *rows = form == FORM_PIXELS ? channels : pixels;
  *vectors = form == FORM_DOT ? channels : ceil_div(form == FORM_PIXELS ? pixels : channels, lanes);
}

/* What has too much border for peeled tiles keeps them for its inner columns. */
static void try_split(struct candidates *candidates, struct choice choice) {
  const struct problem *problem = &candidates->problems[0];
  int64_t from, to;
  axis_interior(&problem->axis[problem->rank - 1], &from, &to);
  if (problem->unroll == UNROLL_FULL || from >= to) return;
  choice.split = true;
  try_choice(candidates, choice);
}

/* A last vector with few live lanes is mostly idle: those channels are left to a dot. */
static void try_tail(struct candidates *candidates, struct choice choice) {
  const struct problem *problem = &candidates->problems[0];
  const int64_t lanes = candidates->isa->lanes[problem->dtype], tail = problem->out_channels % lanes;
  if (choice.form != FORM_CHANNELS || problem->groups > 1) return;
  if (problem->out_channels < lanes || tail == 0 || tail > max_tail_channels || dot_reason(problem, candidates->isa)) return;
  for (size_t i = 1; i < candidates->problem_count; i++) /* shuffled ones may have fewer channels, none before the tail */
    if (candidates->problems[i].out_channels != problem->out_channels) return;
  choice.tail = tail;
  try_choice(candidates, choice);
}

/* Fetching ahead pays where caches near the core do not hold all of it anyhow, but for weights that a single tile takes once: that
 * stream the processor fetches by itself. */
static void set_ahead(const struct problem *problem, struct choice *choice) {
  const double size = (double)cs_size(problem->dtype), tile = choice->form == FORM_PIXELS ? 1 : (double)choice->rows;
  double pixels = 1, x = size * (double)(problem->in_channels * problem->groups), w = x * (double)problem->out_channels;
  for (int a = 0; a < problem->rank; a++) {
    x *= (double)problem->axis[a].in;
    w *= (double)problem->axis[a].kernel;
    pixels *= (double)problem->axis[a].out;
  }
  choice->ahead_x = x > ahead_bytes && problem->x_rows == 0;
  choice->ahead_w = (problem->streamed || w > ahead_bytes) && !problem->baked_weights && pixels > tile;
}

/* The largest divisor of the input channels of at most so many bytes; 0: none is worth having. */
static int64_t chunk_of(const struct candidates *candidates, int64_t vectors, size_t which) {
  const struct problem *problem = &candidates->problems[0];
  const double size = (double)cs_size(problem->dtype), least = chunk_bytes[which].least / size;
  const double panel = (double)(vectors * candidates->isa->lanes[problem->dtype]) * size;
  const double step = panel * (double)steps_of(problem) / (double)problem->in_channels; /* of one channel */
  int64_t chunk = (int64_t)(chunk_bytes[which].bytes / step);
  if ((double)chunk < least && least * step <= chunk_bytes[which].most) chunk = (int64_t)least;
  while (chunk > 1 && problem->in_channels % chunk) chunk--;
  return chunk < 8 || chunk >= problem->in_channels ? 0 : chunk;
}

/* Chunks whose panels stay in a cache while all rows of outputs take them. */
static void try_chunks(struct candidates *candidates, struct choice choice) {
  int64_t before = 0;
  if (choice.form != FORM_CHANNELS) return;
  for (size_t i = 0; i < sizeof chunk_bytes / sizeof *chunk_bytes; i++) {
    choice.chunk = chunk_of(candidates, choice.vectors, i);
    if (choice.chunk == 0 || choice.chunk == before) continue;
    before = choice.chunk;
    if (has_wide_sums(&candidates->problems[0])) {
      refuse(candidates, &choice, "sums of bf16 are rounded once; between chunks they would be each time");
      continue;
    }
    try_choice(candidates, choice);
    try_bands(candidates);
  }
}

/* For a number of vectors, the tallest tile that the registers hold, made lower where the rows then split evenly. */
static void try_vectors(struct candidates *candidates, struct choice choice, int64_t vectors, int64_t rows) {
  const enum form form = choice.form;
  const int64_t registers = candidates->isa->registers, useful = useful_rows(form, rows);
  const int64_t most = tallest(candidates->isa, form, vectors, useful);
  if (most < useful) {
    const struct choice taller = {.form = form, .rows = most + 1, .vectors = vectors, .images = choice.images};
    refuse(candidates, &taller,
           mem_text("needs %lld registers, %s has %lld", (long long)registers_of(form, most + 1, vectors), candidates->isa->name,
                    (long long)registers));
  }
  if (most == 0) return;
  choice.rows = ceil_div(rows, ceil_div(rows, most));
  choice.vectors = vectors;
  set_ahead(&candidates->problems[0], &choice);
  if (!try_choice(candidates, choice) && !choice.images) try_split(candidates, choice);
  try_bands(candidates);
  try_chunks(candidates, choice);
  try_tail(candidates, choice);
}

/* The inputs of several rows in one long row without stride. */
static void try_strips(struct candidates *candidates) {
  const struct problem *problem = &candidates->problems[0];
  const int64_t lanes = candidates->isa->lanes[problem->dtype], channels = problem->out_channels;
  if (candidates->problem_count > 1 || !strips_apply(problem)) return;
  for (int64_t vectors = 1; vectors <= 4; vectors++) {
    const int64_t most = tallest(candidates->isa, FORM_PIXELS, vectors, channels), rows = strip_rows(problem, lanes, vectors);
    const struct choice choice = {
        .form = FORM_PIXELS, .rows = ceil_div(channels, ceil_div(channels, most)), .vectors = vectors, .band = 1, .strip = rows};
    if (rows) try_choice(candidates, choice);
  }
}

/* All channels in one tile, or in halves, thirds …. */
static void try_dot(struct candidates *candidates, struct choice choice, int64_t channels, int64_t rows) {
  int64_t before = 0;
  for (int64_t blocks = 1; blocks <= 3; blocks++) {
    const int64_t vectors = ceil_div(channels, blocks);
    if (vectors != before) try_vectors(candidates, choice, vectors, rows);
    before = vectors;
  }
}

static void try_form(struct candidates *candidates, struct choice choice) {
  static const int64_t vectors[] = {1, 2, 3, 4, 6, 8};
  const enum form form = choice.form;
  const char *reason = form_reason(candidates, form);
  int64_t rows, most;
  extents(candidates, &choice, &rows, &most);
  if (reason) {
    choice.rows = choice.vectors = 1;
    refuse(candidates, &choice, reason);
    return;
  }
  for (size_t i = 0; form != FORM_DOT && i < sizeof vectors / sizeof *vectors && vectors[i] <= most; i++)
    try_vectors(candidates, choice, vectors[i], rows);
  if (form == FORM_DOT) try_dot(candidates, choice, most, rows);
  if (form == FORM_PIXELS || choice.images || candidates->problems[0].unroll == UNROLL_FULL) return;
  const struct choice trimmed = {.form = form, .rows = 1, .vectors = most < 4 ? most : 4, .trimmed = true};
  try_choice(candidates, trimmed);
}

static void direct_enumerate(struct candidates *candidates) {
  bool images = true;
  for (size_t i = 0; i < candidates->problem_count; i++) images &= images_apply(&candidates->problems[i]);
  for (enum form form = 0; form < FORM_GROUPS; form++) {
    try_form(candidates, (struct choice){.form = form});
    if (images) try_form(candidates, (struct choice){.form = form, .images = true});
  }
  try_strips(candidates);
}

/* ---- what the template gets -------------------------------------------------------------------------------------------- */

static void direct_push_all(lua_State *L, const struct plan *plan) {
  const struct direct_parameters *parameters = plan->parameters;
  lua_createtable(L, (int)parameters->count, 0);
  for (size_t i = 0; i < parameters->count; i++) {
    design_push(L, &parameters->designs[i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
}

const struct design *direct_designs(const struct plan *plan, size_t *count) {
  const struct direct_parameters *parameters = plan->parameters;
  *count = parameters->count;
  return parameters->designs;
}

static struct baked_values direct_bake(const struct plan *plan, const struct layer *layer) {
  const struct direct_parameters *parameters = plan->parameters;
  return design_bake(parameters->designs, parameters->count, sizeof *parameters->designs, layer);
}

const struct algorithm alg_direct = {
    .name = "direct",
    .template = "direct.t",
    .enumerate = direct_enumerate,
    .push = direct_push_all,
    .bake = direct_bake,
};
