/* From a pool to two passes: windows of stretches, put together from pairs. */
#include "passes.h"
#include "mem.h"
#include "processor.h"
#include <string.h>

static const int64_t most_outputs = 24; /* of a stretch: what it begins with is shared by many, its text stays short */
static const int64_t most_outputs_apart = 8;
static const int64_t most_places = 80;    /* the same */
static const int64_t most_stretches = 12; /* of a pass */
static const int64_t longest_axis = 10000;

/* ---- one stretch ---------------------------------------------------------------------------------------------------------- */

static int64_t add_value(struct pass_stretch *stretch, struct pass_value value) {
  stretch->values = mem_grow(stretch->values, (size_t)stretch->value_count, sizeof value);
  stretch->values[stretch->value_count] = value;
  return stretch->value_count++;
}

static int64_t find_value(const struct pass_stretch *stretch, int64_t from, int64_t end) {
  for (int64_t i = 0; i < stretch->value_count; i++)
    if (stretch->values[i].from == from && stretch->values[i].end == end) return i;
  return -1;
}

/* The places [from, end), of two values that are neighbours. */
static int64_t join(struct pass_stretch *stretch, int64_t from, int64_t end, int64_t a, int64_t b) {
  const int64_t known = find_value(stretch, from, end);
  return known >= 0 ? known : add_value(stretch, (struct pass_value){from, end, a, b});
}

static int64_t round_up(int64_t n, int64_t step) {
  return (n + step - 1) / step * step;
}

/* The value of places [from, end), whole pieces of `piece` places that begin at multiples of it: of three pieces or more, those in
 * the middle are pieces of twice as many. */
static int64_t value_of(struct pass_stretch *stretch, int64_t from, int64_t end, int64_t piece) { /* NOLINT(misc-no-recursion) */
  const int64_t pair = 2 * piece, half = end - from == piece ? piece / 2 : piece;
  if (end - from == 1) return from;
  if (end - from <= pair)
    return join(stretch, from, end, value_of(stretch, from, from + half, half), value_of(stretch, from + half, end, half));
  const int64_t first = round_up(from, pair), behind = end / pair * pair;
  int64_t value = value_of(stretch, first, behind, pair);
  if (from < first) value = join(stretch, from, behind, value_of(stretch, from, first, piece), value);
  return behind < end ? join(stretch, from, end, value, value_of(stretch, behind, end, piece)) : value;
}

static int64_t share_number(struct pass *pass, int64_t share) {
  for (int64_t i = 0; i < pass->share_count; i++)
    if (pass->shares[i] == share) return i;
  pass->shares = mem_grow(pass->shares, (size_t)pass->share_count, sizeof share);
  pass->shares[pass->share_count] = share;
  return pass->share_count++;
}

/* Outputs [o, o + count); places count from the first window's first one, or the first that a later one has. */
static struct pass_stretch make_stretch(struct pass *pass, const struct pooling *base, int a, int64_t o, int64_t count,
                                        int64_t *place) {
  struct pass_stretch stretch = {.output_count = count};
  const struct pool_window last = pool_window(base, a, o + count - 1);
  *place = pool_window(base, a, o).first;
  stretch.places = last.first + last.live - *place;
  stretch.outputs = mem_array((size_t)count, sizeof *stretch.outputs);
  stretch.shares = mem_array((size_t)count, sizeof *stretch.shares);
  for (int64_t i = 0; i < stretch.places; i++) add_value(&stretch, (struct pass_value){i, i + 1, -1, -1});
  for (int64_t i = 0; i < count; i++) {
    const struct pool_window window = pool_window(base, a, o + i);
    const int64_t from = window.first - *place;
    stretch.outputs[i] = value_of(&stretch, from, from + window.live, 1);
    stretch.shares[i] = pass->share_of[o + i] = share_number(pass, window.divisor);
  }
  return stretch;
}

/* ---- a pass --------------------------------------------------------------------------------------------------------------- */

static bool same_bytes(const void *a, const void *b, int64_t count, size_t size) {
  return count == 0 || !memcmp(a, b, (size_t)count * size); /* NOLINT(clang-analyzer-core.NonNullParamChecker) */
}

/* Equal windows are put together alike. */
static bool same_stretch(const struct pass_stretch *a, const struct pass_stretch *b) {
  return a->output_count == b->output_count && a->value_count == b->value_count && a->places == b->places &&
         same_bytes(a->outputs, b->outputs, a->output_count, sizeof *a->outputs) &&
         same_bytes(a->shares, b->shares, a->output_count, sizeof *a->shares) &&
         same_bytes(a->values, b->values, a->value_count, sizeof *a->values);
}

static int64_t stretch_number(struct pass *pass, const struct pass_stretch *stretch) {
  for (int64_t i = 0; i < pass->stretch_count; i++)
    if (same_stretch(&pass->stretches[i], stretch)) return i;
  pass->stretches = mem_grow(pass->stretches, (size_t)pass->stretch_count, sizeof *stretch);
  pass->stretches[pass->stretch_count] = *stretch;
  return pass->stretch_count++;
}

/* Appends a stretch: to the last run if that goes on like this. */
static void add_run(struct pass *pass, struct pass_run run) {
  struct pass_run *last = pass->run_count ? &pass->runs[pass->run_count - 1] : NULL;
  if (last && last->stretch == run.stretch) {
    const int64_t place = run.place - last->place, output = run.output - last->output;
    if (last->count == 1) last->place_step = place, last->output_step = output;
    if (place == last->count * last->place_step && output == last->count * last->output_step) {
      last->count++;
      return;
    }
  }
  pass->runs = mem_grow(pass->runs, (size_t)pass->run_count, sizeof run);
  pass->runs[pass->run_count++] = run;
}

/* Outputs that a stretch may have: along columns each is a line of its own, and lines a page apart share few places of the nearest
 * cache. */
static int64_t outputs_at_once(const struct pooling *base, int a) {
  const int64_t step = base->axis[a].y_step * (int64_t)cs_size(base->problem->dtype), page = (int64_t)processor.page;
  return a == 0 && step % page == 0 ? most_outputs_apart : most_outputs;
}

/* Along axis a, in stretches that are nearly equal. False where that takes too much text. */
static bool add_pass(struct pass *pass, const struct pooling *base, int a) {
  pass->axis = &base->axis[a];
  const int64_t out = pass->axis->out, stretches = (out - 1) / outputs_at_once(base, a) + 1;
  const int64_t outputs = (out - 1) / stretches + 1;
  pass->share_of = mem_array((size_t)out, sizeof *pass->share_of);
  for (int64_t o = 0; o < out; o += outputs) {
    struct pass_run run = {.count = 1, .output = o};
    const int64_t count = outputs < out - o ? outputs : out - o;
    if (count * pass->axis->stride + pass->axis->kernel > most_places) return false;
    const struct pass_stretch stretch = make_stretch(pass, base, a, o, count, &run.place);
    run.stretch = stretch_number(pass, &stretch);
    add_run(pass, run);
  }
  return pass->stretch_count <= most_stretches;
}

/* ---- both ----------------------------------------------------------------------------------------------------------------- */

/* Why passes can't serve, or NULL. */
static const char *passes_reason(const struct pooling *base) {
  if (base->problem->adaptive) return "windows of an adaptive pool share little; passes need them of one size";
  if (base->axes != 2) return mem_text("windows have %d ax%ss; passes go along 2", base->axes, base->axes == 1 ? "i" : "e");
  if (base->lanes.x != 1 || base->lanes.y != 1)
    return mem_text("neighbouring channels lie %lld apart in the input and %lld in the output; chunks of them need 1",
                    (long long)base->lanes.x, (long long)base->lanes.y);
  for (int a = 0; a < 2; a++) {
    const struct axis *axis = &base->axis[a];
    if (axis->dilation > 1) return mem_text("windows have a dilation of %lld; passes need 1", (long long)axis->dilation);
    if (axis->kernel <= axis->stride)
      return mem_text("windows of %lld with a stride of %lld share nothing along axis %d", (long long)axis->kernel,
                      (long long)axis->stride, a + 1);
    if (axis->w_step != 0) return mem_text("slopes change along axis %d", a + 1);
    if (axis->out > longest_axis) return mem_text("axis %d has more than %lld outputs", a + 1, (long long)longest_axis);
  }
  return NULL;
}

static void add_chunks(struct passes *passes, int lanes) {
  const int64_t turn = lanes * passes->choice.vectors, all = passes->base.lanes.count;
  const int64_t wanted = passes->choice.chunk / (int64_t)cs_size(passes->base.problem->dtype);
  passes->channels = wanted < all ? round_up(wanted, turn) : all;
  passes->last = all % passes->channels;
  passes->chunks = (all - 1) / passes->channels + 1;
}

int64_t passes_buffer(const struct passes *passes) {
  return passes->rows.axis->out * passes->columns.axis->in * round_up(passes->channels, passes->base.lane_count);
}

void passes_build(struct passes *passes, const struct problem *problem, struct passes_choice choice, int lanes) {
  *passes = (struct passes){.choice = choice};
  pooling_lay_out(&passes->base, problem, (struct pool_choice){.outputs = 1, .vectors = choice.vectors}, lanes);
  passes->reason = passes_reason(&passes->base);
  if (passes->reason) return;
  add_chunks(passes, lanes);
  if (!add_pass(&passes->columns, &passes->base, 0) || !add_pass(&passes->rows, &passes->base, 1))
    passes->reason = mem_text("a stretch has more than %lld places, or a pass more than %lld different ones",
                              (long long)most_places, (long long)most_stretches);
}
