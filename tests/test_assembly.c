/* What compilers make of tiles, seen in the disassembly: each multiply-add that the plan wrote is there, once, and inner loops keep
 * every vector in a register. Compiled with -O2, as users do. */
#include "code.h"
#include "made.h"
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* One layer for each way of making tiles. */
static const char layers[] =
    "convsmith: 1\n"
    "layers:\n"
    "  - {name: dense, input: [1, 64, 56, 56], out_channels: 64, kernel_size: 3, padding: 1, bias: true, activation: relu}\n"
    "  - {name: late, input: [1, 512, 7, 7], out_channels: 512, kernel_size: 3, padding: 1}\n"
    "  - {name: pointwise, input: [1, 64, 56, 56], out_channels: 256, kernel_size: 1, residual: true}\n"
    "  - {name: strided, input: [1, 128, 56, 56], out_channels: 128, kernel_size: 3, padding: 1, stride: 2}\n"
    "  - {name: first, input: [1, 3, 224, 224], out_channels: 64, kernel_size: 7, stride: 2, padding: 3}\n"
    "  - {name: odd, input: [1, 17, 31, 29], out_channels: 33, kernel_size: 3, padding: 1}\n"
    "  - {name: pixels, input: [1, 64, 28, 28], out_channels: 64, kernel_size: 3, padding: 1, layout: nchw}\n"
    "  - {name: depthwise, input: [1, 144, 56, 56], out_channels: 144, groups: 144, kernel_size: 3, padding: 1}\n"
    "  - {name: planes, input: [1, 144, 56, 56], out_channels: 144, groups: 144, kernel_size: 3, padding: 1, layout: nchw}\n"
    "  - {name: few, input: [1, 64, 56, 56], out_channels: 3, kernel_size: 3, padding: 1}\n"
    "  - {name: grouped, input: [1, 128, 28, 28], out_channels: 128, groups: 32, kernel_size: 3, padding: 1}\n"
    "  - {name: wide, input: [1, 64, 28, 28], out_channels: 64, kernel_size: 3, padding: 1, dtype: f64}\n"
    "  - {name: signal, input: [1, 64, 1000], out_channels: 64, kernel_size: 3, padding: causal, dilation: 2}\n"
    "  - {name: volume, input: [1, 32, 8, 14, 14], out_channels: 48, kernel_size: 3, padding: 1}\n";

/* The same without a fused multiply-add. */
static const char two_layers[] =
    "convsmith: 1\n"
    "layers:\n"
    "  - {name: small, input: [1, 8, 16, 16], out_channels: 3, kernel_size: 3, padding: 1}\n"
    "  - {name: depthwise, input: [1, 144, 56, 56], out_channels: 144, groups: 144, kernel_size: 3, padding: 1}\n";

static const struct build {
  const char *layers, *target, *mac, *compiler, *flag;
} builds[] = {
    /* gcc makes one of equal functions */
    {layers, "avx2", "vfmadd", "gcc", "-fno-ipa-icf"},    {layers, "avx2", "vfmadd", "clang", ""},
    {layers, "avx512", "vfmadd", "gcc", "-fno-ipa-icf"},  {layers, "avx512", "vfmadd", "clang", ""},
    {two_layers, "sse41", "mulp", "gcc", "-fno-ipa-icf"}, {two_layers, "sse41", "mulp", "clang", ""},
};

/* Loads and stores of the stack that compilers leave in inner loops: with all tiles of a layer at most so many. */
static const struct exception {
  const char *target, *compiler, *layer;
  size_t most;
  const char *reason;
} exceptions[] = {
    {"avx2", "gcc", "dense", 4, "3x4 takes all 16 registers: 12 sums, 3 inputs and the weights that stream"},
    {"avx2", "gcc", "wide", 4, "as dense"},
    {"avx2", "gcc", "depthwise", 4, "4x3 takes all 16 registers: 12 sums, 3 inputs and the weight that streams"},
    {"avx2", "gcc", "grouped", 20,
     "lines that may lie outside, in a loop over input channels: gcc keeps sums that only some add to there"},
    {"avx512", "gcc", "dense", 2,
     "14x2 in spans of 13 and 14 rows: the accumulator that rests goes to the stack and comes back once a trip"},
    {"avx512", "gcc", "wide", 2, "as dense"},
    {"sse41", "clang", "small", 2, "products of a dot need registers of their own"},
};

static const struct exception *exception_of(const struct build *build, const char *layer) {
  static const struct exception none = {"", "", "", 0, "nothing takes more registers than there are"};
  for (size_t i = 0; i < sizeof exceptions / sizeof *exceptions; i++) {
    const struct exception *row = &exceptions[i];
    if (!strcmp(row->target, build->target) && !strcmp(row->compiler, build->compiler) && !strcmp(row->layer, layer)) return row;
  }
  return &none;
}

/* ---- one function ---------------------------------------------------------------------------------------------------- */

static bool begins(const char *text, const char *with) {
  return strncmp(text, with, strlen(with)) == 0;
}

/* Vector multiply-adds among instructions [from, to). */
static size_t macs_in(const struct code *code, const char *mac, size_t from, size_t to) {
  size_t count = 0;
  for (size_t i = from; i < to; i++) {
    const char *text = code->items[i].text;
    const size_t length = strcspn(text, " ");
    count += begins(text, mac) && length > 2 && text[length - 2] == 'p';
  }
  return count;
}

/* Does the base pointer point into the stack? Otherwise it is a register like any other. */
static bool has_frame(const struct code *code, const struct function *function) {
  for (size_t i = function->from; i < function->to; i++)
    if (begins(code->items[i].text, "mov ") && strstr(code->items[i].text, "%rsp,%rbp")) return true;
  return false;
}

/* Does an instruction move a vector from or to the stack? */
static bool is_spill(const char *text, bool frame) {
  return strstr(text, "mm") && (strstr(text, "(%rsp") || (frame && strstr(text, "(%rbp")));
}

/* Vectors that the innermost loops with multiply-adds keep on the stack. */
static size_t spills_in(const struct code *code, const char *mac, const struct function *function) {
  const bool frame = has_frame(code, function);
  size_t count = 0;
  long inner = (long)function->from - 1; /* start of the last loop: one around it is no innermost one */
  for (size_t i = function->from; i < function->to; i++) {
    const long start = code_loop_start(code, i);
    if (start <= inner) continue;
    inner = start;
    for (size_t k = (size_t)start; k <= i && macs_in(code, mac, (size_t)start, i); k++)
      count += is_spill(code->items[k].text, frame);
  }
  return count;
}

/* ---- a layer ----------------------------------------------------------------------------------------------------------- */

static bool is_tile_of(const struct function *function, const char *layer) {
  const size_t length = strlen(layer);
  return begins(function->name, layer) && function->name[length] == '_' && strstr(function->name + length, "_tile");
}

static void check_layer(const struct build *build, const struct code *code, const struct layer *layer) {
  const struct isa_set targets = made_targets(layer);
  const struct plan *plan = job_plans(&made, layer, &targets)[0];
  size_t macs = 0, spills = 0, tiles = 0;
  for (size_t i = 0; i < code->function_count; i++) {
    const struct function *function = &code->functions[i];
    if (!is_tile_of(function, layer->name)) continue;
    macs += macs_in(code, build->mac, function->from, function->to);
    spills += spills_in(code, build->mac, function);
    tiles++;
  }
  print_message("%s, %s, %s, %s: %zu multiply-adds in %zu tiles, %zu vectors spilled\n", build->target, build->compiler,
                layer->name, plan->id, macs, tiles, spills);
  if (macs != (size_t)plan->multiply_adds) fail_msg("the plan wrote %lld multiply-adds", (long long)plan->multiply_adds);
  const struct exception *allowed = exception_of(build, layer->name);
  if (spills > allowed->most) fail_msg("inner loops may spill %zu: %s", allowed->most, allowed->reason);
}

static void tiles_stay_in_registers(void **state) {
  const struct build *build = *state;
  struct code code;
  if (!have(build->compiler)) SKIP_BECAUSE(mem_text("%s is not installed", build->compiler));
  made_open(scratch_write("layers.yaml", build->layers), build->target, "");
  made_generate("all");
  MUST("cd all && %s -std=c99 -O2 %s -c all.c -o all.o", build->compiler, build->flag);
  assert_true(code_read(scratch_path("all/all.o"), &code));
  for (size_t i = 0; i < made.spec.count; i++) check_layer(build, &code, &made.spec.layers[i]);
  made_close();
}

static int begin(void **state) {
  (void)state;
  scratch_begin("assembly");
  return 0;
}

int main(void) {
#if defined(__x86_64__)
  enum { BUILDS = sizeof builds / sizeof *builds };
  static char names[BUILDS][100];
  struct CMUnitTest tests[BUILDS];
  for (size_t i = 0; i < BUILDS; i++) {
    snprintf(names[i], sizeof names[i], "tiles of %s by %s stay in registers", builds[i].target, builds[i].compiler);
    tests[i] = (struct CMUnitTest){names[i], tiles_stay_in_registers, NULL, NULL, (void *)(uintptr_t)&builds[i]};
  }
  return cmocka_run_group_tests(tests, begin, NULL);
#else
  return 0;
#endif
}
