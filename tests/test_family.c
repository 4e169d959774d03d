/* Random small layers of each op that convolutions lower to, through `convsmith verify`: 100 an op, with FULL=1 2,000, with FULL=N
 * N; a tenth of them with every plan. SEED chooses others. Ops, and how their own keys are drawn, are rows of one table;
 * test_sweep.c goes through the matrix of conv itself. */
#include "../gen/engine.h"
#include "../gen/isa.h"
#include "../gen/mem.h"
#include "../gen/shape.h"
#include "../gen/text.h"
#include "scratch.h"
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { LAYERS = 100, FULL_LAYERS = 2000, EVERY = 10 };

static uint64_t random_state = 1;
static size_t layers;
static struct isa_list isas;

static int64_t pick(int64_t least, int64_t most) {
  return least + (int64_t)(cs_random(&random_state) % (uint64_t)(most - least + 1));
}

static const char *one_of(const char *const *words) {
  int64_t count = 0;
  while (words[count]) count++;
  return words[pick(0, count - 1)];
}

/* What is common to all layers, as numbers. */
struct draw {
  int rank;
  int64_t groups, channels, outputs; /* of a group */
  int64_t in[MAX_SPATIAL], kernel[MAX_SPATIAL], stride[MAX_SPATIAL], dilation[MAX_SPATIAL], pad[MAX_SPATIAL], out[MAX_SPATIAL];
};

static void draw_channels(struct draw *draw) {
  static const int64_t groups[] = {1, 1, 2, 3, 5}, sizes[] = {1, 2, 3, 4, 8, 9, 16, 17, 33};
  const int64_t depthwise = pick(0, 4) == 0;
  draw->groups = depthwise ? sizes[pick(1, 8)] : groups[pick(0, 4)];
  draw->channels = depthwise ? 1 : sizes[pick(0, 6)];
  draw->outputs = depthwise ? pick(1, 2) : sizes[pick(0, 8)];
}

/* False where no window fits. */
static bool draw_windows(struct draw *draw) {
  draw->rank = (int)pick(1, 3);
  bool fits = true;
  for (int d = 0; d < draw->rank; d++) {
    draw->in[d] = pick(1, draw->rank == 1 ? 21 : draw->rank == 2 ? 9 : 5);
    draw->kernel[d] = pick(1, 4);
    draw->stride[d] = pick(1, 3);
    draw->dilation[d] = pick(0, 2) == 0 ? 2 : 1;
    draw->pad[d] = pick(0, 2);
    const int64_t pads[2] = {draw->pad[d], draw->pad[d]};
    fits &= shape_out(draw->in[d], draw->kernel[d], draw->stride[d], draw->dilation[d], pads, &draw->out[d]) && draw->out[d] > 0;
  }
  return fits;
}

static void print_sizes(struct text *spec, const char *key, const int64_t *sizes, int rank) {
  text_print(spec, ", %s: [", key);
  for (int d = 0; d < rank; d++) text_print(spec, "%s%" PRId64, d ? ", " : "", sizes[d]);
  text_print(spec, "]");
}

/* ---- ops ---------------------------------------------------------------------------------------------------------- */

/* Appends the op's own keys. False where these numbers don't fit it; others may. */
typedef bool draw_keys(struct draw *draw, struct text *spec);

static bool transpose_keys(struct draw *draw, struct text *spec) {
  static const char *const words[] = {"valid", "same", "same_lower", NULL};
  const int64_t way = pick(0, 3);
  int64_t sizes[MAX_SPATIAL];
  if (way == 0) {
    text_print(spec, ", padding: %s", one_of(words));
    return true;
  }
  for (int d = 0; d < draw->rank; d++) {
    const int64_t full_size = (draw->in[d] - 1) * draw->stride[d] + (draw->kernel[d] - 1) * draw->dilation[d] + 1;
    const int64_t most = draw->stride[d] > draw->dilation[d] ? draw->stride[d] : draw->dilation[d];
    sizes[d] = way == 1 ? pick(1, full_size + 2) : pick(0, most - 1);
    if (way > 1 && full_size + sizes[d] <= 2 * draw->pad[d]) return false;
  }
  print_sizes(spec, way == 1 ? "output_size" : "output_padding", sizes, draw->rank);
  if (way > 1) print_sizes(spec, "padding", draw->pad, draw->rank);
  return true;
}

static bool pad_keys(struct draw *draw, struct text *spec) {
  print_sizes(spec, "padding", draw->pad, draw->rank);
  return true;
}

static bool tile_keys(struct draw *draw, struct text *spec) {
  int64_t tile[MAX_SPATIAL];
  for (int d = 0; d < draw->rank; d++) tile[d] = pick(1, 3);
  print_sizes(spec, "tile", tile, draw->rank);
  return pad_keys(draw, spec);
}

static bool shuffle_keys(struct draw *draw, struct text *spec) {
  const int64_t groups = pick(2, 4);
  if (draw->groups * draw->outputs % groups) draw->outputs *= groups;
  text_print(spec, ", shuffle: %" PRId64, groups);
  return pad_keys(draw, spec);
}

static bool pixel_keys(struct draw *draw, struct text *spec) {
  const int64_t factor = pick(2, 3), block = draw->rank == 1   ? factor
                                             : draw->rank == 2 ? factor * factor
                                                               : factor * factor * factor;
  if (draw->groups * draw->outputs % block) draw->outputs = pick(0, 1) ? block : block * 2;
  text_print(spec, ", pixel_shuffle: %" PRId64, factor);
  return pad_keys(draw, spec);
}

/* Stride 1, sums of several channels, tiles of two outputs with no more points than there are. */
static bool winograd_keys(struct draw *draw, struct text *spec) {
  int64_t points = 1;
  for (int d = 0; d < draw->rank; d++) {
    if (draw->rank < 3 && pick(0, 3) == 0) draw->kernel[d] = pick(5, 7);
    if (draw->in[d] + 2 * draw->pad[d] <= (draw->kernel[d] - 1) * draw->dilation[d]) return false;
    draw->stride[d] = 1;
    points *= draw->kernel[d] > 1 ? draw->kernel[d] + 1 : 1;
  }
  if (points == 1 || points > 64 || (draw->channels == 1 && draw->groups > 1)) return false;
  const bool exact = points == 4 || points == 16;
  text_print(spec, ", algorithm: winograd, accuracy: %s", exact && pick(0, 1) ? "normwise" : "fast");
  return pad_keys(draw, spec);
}

static const struct family {
  const char *name, *op;
  draw_keys *keys;
  bool epilogue, modes; /* takes bias, activation, residual; padding modes */
} families[] = {
    {"conv_transpose", "conv_transpose", transpose_keys, true, false},
    {"local_conv", "local_conv", pad_keys, true, true},
    {"tiled_conv", "tiled_conv", tile_keys, true, true},
    {"conv with shuffle", "conv", shuffle_keys, true, true},
    {"conv with pixel_shuffle", "conv", pixel_keys, true, true},
    {"conv_grad_input", "conv_grad_input", pad_keys, false, false},
    {"conv_grad_weights", "conv_grad_weights", pad_keys, false, false},
    {"winograd", "conv", winograd_keys, true, true},
};
enum { FAMILIES = sizeof families / sizeof *families };

/* ---- layers ------------------------------------------------------------------------------------------------------- */

/* A padding mode that these pads allow. */
static const char *draw_mode(const struct draw *draw) {
  static const char *const modes[] = {"zeros", "zeros", "reflect", "replicate", "circular", NULL};
  const char *mode = one_of(modes);
  for (int d = 0; d < draw->rank; d++)
    if (draw->pad[d] >= draw->in[d]) return "zeros";
  return mode;
}

static void print_epilogue(struct text *spec) {
  static const char *const activations[] = {"none", "none", "relu", "prelu", "hardswish", "sigmoid", NULL};
  text_print(spec, ", bias: %s, residual: %s, activation: %s", pick(0, 1) ? "true" : "false", pick(0, 2) ? "false" : "true",
             one_of(activations));
}

static bool print_layer(const struct family *family, size_t number, struct text *spec) {
  const struct isa *isa;
  static const char *const layouts[] = {"nhwc", "nchw", NULL}, *const unrolls[] = {"auto", "auto", "none", "full", NULL};
  struct draw draw;
  struct text own = {0};
  draw_channels(&draw);
  const bool right = draw_windows(&draw) && family->keys(&draw, &own);
  if (!right) {
    text_free(&own);
    return false;
  }
  do isa = &isas.items[pick(0, (int64_t)isas.count - 1)];
  while (!isa->runs_here);
  text_print(spec, "  - {name: s%zu, op: %s, input: [%" PRId64 ", %" PRId64, number, family->op, pick(1, 2),
             draw.groups * draw.channels);
  for (int d = 0; d < draw.rank; d++) text_print(spec, ", %" PRId64, draw.in[d]);
  text_print(spec, "], out_channels: %" PRId64 ", groups: %" PRId64, draw.groups * draw.outputs, draw.groups);
  print_sizes(spec, "kernel_size", draw.kernel, draw.rank);
  print_sizes(spec, "stride", draw.stride, draw.rank);
  print_sizes(spec, "dilation", draw.dilation, draw.rank);
  text_print(spec, "%s", own.data ? own.data : "");
  text_free(&own);
  text_print(spec, ", input_layout: %s, output_layout: %s, dtype: %s, flip: %s, target: %s", one_of(layouts), one_of(layouts),
             pick(0, 3) ? "f32" : "f64", pick(0, 3) ? "false" : "true", isa->name);
  text_print(spec, ", unroll: %s", one_of(unrolls));
  if (family->modes) text_print(spec, ", padding_mode: %s", draw_mode(&draw));
  if (family->epilogue) print_epilogue(spec);
  text_print(spec, "}\n");
  return true;
}

static const char *write_layers(const struct family *family, size_t count) {
  struct text spec = {0};
  text_print(&spec, "convsmith: 1\nlayers:\n");
  for (size_t made = 0; made < count;) made += print_layer(family, made, &spec);
  const char *path = scratch_write(mem_text("%s-%zu.yaml", family->name, count), spec.data);
  text_free(&spec);
  return path;
}

static void verify(const struct family *family, size_t count, const char *plans) {
  const char *path = write_layers(family, count);
  const int status = convsmith("verify '%s' --plans %s", path, plans);
  const char *wrong = strstr(said, "FAIL");
  if (status != 0) fail_msg("%s: status %d: %.2000s", path, status, wrong ? wrong : said);
  const char *sum = strstr(said, " kernels: ");
  while (sum && sum > said && sum[-1] != '\n') sum--;
  assert_true(sum && strtoull(sum, NULL, 10) >= count);
}

static void kernels_are_right(void **state) {
  const struct family *family = *state;
  verify(family, layers - layers / EVERY, "chosen");
  verify(family, layers / EVERY, "all");
}

int main(void) {
  struct CMUnitTest tests[FAMILIES];
  const char *given = getenv("SEED"), *all = getenv("FULL");
  if (given && *given) random_state = strtoull(given, NULL, 10);
  const size_t asked = all ? strtoull(all, NULL, 10) : 0;
  layers = asked > 1 ? asked : asked == 1 ? FULL_LAYERS : LAYERS;
  for (int i = 0; i < FAMILIES; i++) {
    static struct family states[FAMILIES];
    states[i] = families[i];
    tests[i] = (struct CMUnitTest){families[i].name, kernels_are_right, NULL, NULL, &states[i]};
  }
  scratch_begin("family");
  struct engine *engine = engine_new(NULL, 0);
  const int failed = isa_read(engine, &isas) ? cmocka_run_group_tests_name("family", tests, NULL, NULL) : 1;
  engine_free(engine);
  return failed;
}
