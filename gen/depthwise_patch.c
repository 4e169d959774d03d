/* One patch: which inputs it loads, and which outputs each of them feeds with which weight. */
#include "depthwise.h"
#include "mem.h"
#include "zeros.h"
#include <string.h>

enum { MAX_PATCHES = 60, MAX_LOOKS = 1000000 };
static const int64_t max_macs = 20000;

/* Live lanes of column p of a row. */
static int64_t live_lanes(const struct depthwise *depthwise, int64_t p) {
  const int64_t left = depthwise->row.out - p * depthwise->width;
  return left < depthwise->width ? left : depthwise->width;
}

/* What column p reads with tap k. */
static struct patch_input read_of(const struct depthwise *depthwise, int64_t p, int64_t k) {
  const struct axis *row = &depthwise->row;
  const int64_t live = live_lanes(depthwise, p);
  int64_t first = p * depthwise->width * row->stride - row->pad + k * row->dilation;
  if (depthwise->width == 1) first = axis_source(depthwise->base.problem.pad_mode, first, row->in);
  const int64_t from = first < 0 ? ceil_div(-first, row->stride) : 0;
  const int64_t inside = first < row->in ? (row->in - 1 - first) / row->stride + 1 : 0;
  const int64_t to = inside < live ? inside : live;
  return from < to ? (struct patch_input){first, from, to} : (struct patch_input){0, 0, 0};
}

/* Fills what each column reads with each tap, from the least element in use, *base. */
static void set_reads(const struct depthwise *depthwise, struct patch *patch, int64_t column, int64_t *base) {
  const struct axis *row = &depthwise->row;
  const int64_t count = patch->columns * row->kernel;
  patch->reads = mem_array((size_t)count, sizeof *patch->reads);
  *base = -1;
  for (int64_t i = 0; i < count; i++) {
    const struct patch_input read = read_of(depthwise, column + i / row->kernel, i % row->kernel);
    const int64_t least = read.element + read.from * row->stride;
    patch->reads[i] = read;
    if (read.to > 0 && (*base < 0 || least < *base)) *base = least;
  }
  for (int64_t i = 0; i < count; i++)
    if (patch->reads[i].to > 0) patch->reads[i].element -= *base;
}

/* ---- steps ------------------------------------------------------------------------------------------------------------- */

static bool same_input(struct patch_input a, struct patch_input b) {
  return a.element == b.element && a.from == b.from && a.to == b.to;
}

static int64_t input_number(const struct patch *patch, struct patch_input input) {
  int64_t i = 0;
  while (i < patch->input_count && !same_input(patch->inputs[i], input)) i++;
  return i;
}

/* Numbers the inputs in the order in which taps first read them. */
static void number_inputs(struct patch *patch, int64_t kernel) {
  patch->inputs = mem_array((size_t)(patch->columns * kernel), sizeof *patch->inputs);
  for (int64_t k = 0; k < kernel; k++)
    for (int64_t p = 0; p < patch->columns; p++) {
      const struct patch_input read = patch->reads[p * kernel + k];
      if (read.to > 0 && input_number(patch, read) == patch->input_count) patch->inputs[patch->input_count++] = read;
    }
}

/* Are all weights of the tap zero? */
static bool left_out(const struct depthwise *depthwise, struct patch *patch, int64_t tap) {
  const struct problem *problem = &depthwise->base.problem;
  struct covered covered = {.channel_step = 1,
                            .channels = problem->out_channels,
                            .tap = tap,
                            .tap_step = depthwise->row.kernel * depthwise->tall.kernel,
                            .taps = 1};
  for (int a = 0; a < depthwise->outer; a++) covered.taps *= depthwise->base.axis[a].kernel;
  const enum zeros zeros = zeros_of(problem, covered);
  patch->tests_zeros |= zeros == ZEROS_SOME;
  return zeros == ZEROS_ALL;
}

static void add_load(struct patch_step *step, int64_t x) {
  step->loads = mem_grow(step->loads, step->load_count, sizeof x);
  step->loads[step->load_count++] = x;
}

static void add_mac(const struct depthwise *depthwise, const struct patch *patch, struct patch_step *step, struct patch_mac mac) {
  const struct patch_input *input = &patch->inputs[mac.x];
  const int64_t live = mac.column == patch->columns - 1 ? patch->last : depthwise->width;
  mac.part = input->from > 0 || input->to < live;
  step->macs = mem_grow(step->macs, step->mac_count, sizeof mac);
  step->macs[step->mac_count++] = mac;
}

/* The tap of the tall axis with which output row y reads line `at`, or -1. */
static int64_t tall_tap(const struct axis *tall, int64_t y, int64_t at) {
  const int64_t distance = at - y * tall->stride;
  return distance >= 0 && distance % tall->dilation == 0 && distance / tall->dilation < tall->kernel ? distance / tall->dilation
                                                                                                     : -1;
}

/* Everything that input number x of line `at` feeds. */
static struct patch_step scattered(const struct depthwise *depthwise, struct patch *patch, int64_t at, int64_t x) {
  const int64_t kernel = depthwise->row.kernel;
  struct patch_step step = {.tap = -1};
  add_load(&step, x);
  for (int64_t y = 0; y < patch->rows; y++) {
    const int64_t tap = tall_tap(&depthwise->tall, y, at);
    for (int64_t i = 0; i < patch->columns * kernel && tap >= 0; i++) {
      if (!same_input(patch->reads[i], patch->inputs[x])) continue;
      if (left_out(depthwise, patch, tap * kernel + i % kernel))
        patch->left_out++;
      else
        add_mac(depthwise, patch, &step, (struct patch_mac){y, i / kernel, x, tap * kernel + i % kernel, false});
    }
  }
  return step;
}

/* Tap (tap, k) for all columns of output row y. Inputs that no earlier tap of the line read are loaded. */
static struct patch_step streamed(const struct depthwise *depthwise, struct patch *patch, int64_t y, int64_t tap, int64_t k,
                                  bool *loaded) {
  const int64_t kernel = depthwise->row.kernel;
  struct patch_step step = {.tap = tap * kernel + k};
  const bool zero = left_out(depthwise, patch, step.tap);
  for (int64_t p = 0; p < patch->columns; p++) {
    const struct patch_input read = patch->reads[p * kernel + k];
    if (read.to == 0) continue;
    if (zero) {
      patch->left_out++;
      continue;
    }
    const int64_t x = input_number(patch, read);
    if (!loaded[x]) add_load(&step, x);
    loaded[x] = true;
    add_mac(depthwise, patch, &step, (struct patch_mac){y, p, x, step.tap, false});
  }
  return step;
}

static void add_step(struct patch *patch, struct patch_line *line, struct patch_step step) {
  if (step.mac_count == 0) return;
  line->steps = mem_grow(line->steps, line->step_count, sizeof step);
  line->steps[line->step_count++] = step;
  patch->macs += (int64_t)step.mac_count;
  patch->loads += (int64_t)step.load_count + (step.tap >= 0);
}

static void add_steps(const struct depthwise *depthwise, struct patch *patch, struct patch_line *line) {
  if (depthwise->choice.held) {
    for (int64_t x = 0; x < patch->input_count; x++) add_step(patch, line, scattered(depthwise, patch, line->at, x));
    return;
  }
  bool *loaded = mem_array((size_t)patch->input_count, sizeof *loaded);
  for (int64_t k = 0; k < depthwise->row.kernel; k++)
    for (int64_t y = 0; y < patch->rows; y++) {
      const int64_t tap = tall_tap(&depthwise->tall, y, line->at);
      if (tap >= 0) add_step(patch, line, streamed(depthwise, patch, y, tap, k, loaded));
    }
}

/* First output row of strip number i. */
static int64_t strip_start(const struct depthwise *depthwise, int64_t strip) {
  const struct strips *high = &depthwise->strips[0];
  return strip < high->to ? strip * high->rows : high->to * high->rows + (strip - high->to) * (high->rows - 1);
}

/* The lines of a patch, and whether they may lie outside the input in some strip. */
static void add_lines(const struct depthwise *depthwise, const struct strips *strips, struct patch *patch) {
  const struct axis *tall = &depthwise->tall;
  const int64_t first = strip_start(depthwise, strips->from) * tall->stride - tall->pad;
  const int64_t last = strip_start(depthwise, strips->to - 1) * tall->stride - tall->pad;
  const int64_t reach = (patch->rows - 1) * tall->stride + (tall->kernel - 1) * tall->dilation;
  for (int64_t at = 0; at <= reach; at++) {
    struct patch_line line = {.at = at, .above = first + at < 0, .below = last + at >= tall->in};
    add_steps(depthwise, patch, &line);
    if (line.step_count == 0) continue;
    patch->lines = mem_grow(patch->lines, patch->line_count, sizeof line);
    patch->lines[patch->line_count++] = line;
  }
}

/* ---- patches ----------------------------------------------------------------------------------------------------------- */

static bool same_patch(const struct depthwise *depthwise, const struct patch *a, const struct patch *b) {
  const size_t size = (size_t)(a->columns * depthwise->row.kernel) * sizeof *a->reads;
  return a->rows == b->rows && a->columns == b->columns && a->last == b->last && memcmp(a->reads, b->reads, size) == 0;
}

static int64_t keep_patch(struct depthwise *depthwise, struct patch *patch) {
  const int64_t bodies = (depthwise->vectors > 0) + (depthwise->last > 0);
  depthwise->macs += patch->macs * bodies * depthwise->spelled;
  depthwise->left_out += patch->left_out * bodies * depthwise->spelled;
  depthwise->tests_zeros |= patch->tests_zeros;
  if (depthwise->patch_count == MAX_PATCHES || depthwise->macs > max_macs) {
    depthwise->reason =
        mem_text("it needs more than %d different patches or %lld multiply-adds in the text", MAX_PATCHES, (long long)max_macs);
    return -1;
  }
  depthwise->patches = mem_grow(depthwise->patches, depthwise->patch_count, sizeof *patch);
  depthwise->patches[depthwise->patch_count] = *patch;
  return (int64_t)depthwise->patch_count++;
}

int64_t depthwise_patch(struct depthwise *depthwise, const struct strips *strips, int64_t column, int64_t columns, int64_t *base) {
  const size_t mark = mem_mark();
  struct patch patch = {.rows = strips->rows, .columns = columns, .last = live_lanes(depthwise, column + columns - 1)};
  depthwise->looks += columns * depthwise->row.kernel * depthwise->tall.kernel;
  if (depthwise->looks > MAX_LOOKS) {
    depthwise->reason = mem_text("its borders have more than %d places to look at", MAX_LOOKS);
    return -1;
  }
  set_reads(depthwise, &patch, column, base);
  for (size_t i = 0; i < depthwise->patch_count; i++)
    if (same_patch(depthwise, &depthwise->patches[i], &patch)) {
      mem_release(mark);
      return (int64_t)i;
    }
  number_inputs(&patch, depthwise->row.kernel);
  add_lines(depthwise, strips, &patch);
  return keep_patch(depthwise, &patch);
}
