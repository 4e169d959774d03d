/* What convolutions are, whatever computes them: impulses, linearity, shifts, commuting factors, and layers that must agree because
 * they are two ways to write one thing. Generated kernels of every target that runs here, on whole numbers: all sums are exact. */
#include "../gen/kernel.h"
#include "../gen/mem.h"
#include "../gen/op.h"
#include "scratch.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const char layers[] =
    "convsmith: 1\n"
    "layers:\n"
    "  - {name: worked, input: [1, 1, 4, 4], out_channels: 1, kernel_size: 3}\n"
    "  - {name: flipped, input: [1, 1, 5, 6], out_channels: 1, kernel_size: [3, 4], padding: full, flip: true}\n"
    "  - {name: unflipped, input: [1, 1, 5, 6], out_channels: 1, kernel_size: [3, 4], padding: full}\n"
    "  - {name: cube, input: [1, 1, 3, 3, 3], out_channels: 1, kernel_size: 2}\n"
    "  - {name: many, input: [2, 5, 7, 9], out_channels: 7, kernel_size: 3, stride: [1, 2], dilation: [2, 1], padding: 2,\n"
    "     unroll: none}\n"
    "  - {name: many_nchw, input: [2, 5, 7, 9], out_channels: 7, kernel_size: 3, stride: [1, 2], dilation: [2, 1], padding: 2,\n"
    "     layout: nchw, unroll: none}\n"
    "  - {name: many_mixed, input: [2, 5, 7, 9], out_channels: 7, kernel_size: 3, stride: [1, 2], dilation: [2, 1], padding: 2,\n"
    "     output_layout: nchw, unroll: none}\n"
    "  - {name: many_f64, input: [2, 5, 7, 9], out_channels: 7, kernel_size: 3, stride: [1, 2], dilation: [2, 1], padding: 2,\n"
    "     dtype: f64, unroll: none}\n"
    "  - {name: many_flip, input: [2, 5, 7, 9], out_channels: 7, kernel_size: 3, stride: [1, 2], dilation: [2, 1], padding: 2,\n"
    "     flip: true, unroll: none}\n"
    "  - {name: ring, input: [1, 3, 6, 11], out_channels: 4, kernel_size: [3, 5], padding: [1, 2], padding_mode: circular,\n"
    "     unroll: none}\n"
    "  - {name: x_by_k, input: [1, 1, 9], out_channels: 1, kernel_size: 4, padding: full, flip: true}\n"
    "  - {name: k_by_x, input: [1, 1, 4], out_channels: 1, kernel_size: 9, padding: full, flip: true}\n"
    "  - {name: x_by_k_2d, input: [1, 1, 5, 7], out_channels: 1, kernel_size: [2, 3], padding: full, flip: true}\n"
    "  - {name: k_by_x_2d, input: [1, 1, 2, 3], out_channels: 1, kernel_size: [5, 7], padding: full, flip: true}\n"
    "  - {name: same, input: [1, 3, 6, 7], out_channels: 4, kernel_size: [3, 4], stride: 2, padding: same}\n"
    "  - {name: same_pads, input: [1, 3, 6, 7], out_channels: 4, kernel_size: [3, 4], stride: 2, padding: [[0, 1], [1, 2]]}\n"
    "  - {name: lower, input: [1, 3, 6, 7], out_channels: 4, kernel_size: [3, 4], stride: 2, padding: same_lower}\n"
    "  - {name: lower_pads, input: [1, 3, 6, 7], out_channels: 4, kernel_size: [3, 4], stride: 2, padding: [[1, 0], [2, 1]]}\n"
    "  - {name: line, input: [1, 3, 20], out_channels: 5, kernel_size: 4, stride: 2, padding: [[3, 1]]}\n"
    "  - {name: flat, input: [1, 3, 1, 20], out_channels: 5, kernel_size: [1, 4], stride: [1, 2], padding: [[0, 0], [3, 1]]}\n"
    "  - {name: deep, input: [1, 3, 1, 20, 1], out_channels: 5, kernel_size: [1, 4, 1], stride: [1, 2, 1],\n"
    "     padding: [[0, 0], [3, 1], [0, 0]]}\n"
    "  - {name: grouped, input: [1, 6, 5, 6], out_channels: 4, kernel_size: 3, groups: 2, padding: 1}\n"
    "  - {name: one_group, input: [1, 3, 5, 6], out_channels: 2, kernel_size: 3, padding: 1}\n"
    "  - {name: depthwise, input: [1, 3, 5, 6], out_channels: 6, kernel_size: 3, groups: 3, padding: 1}\n"
    "  - {name: one_channel, input: [1, 1, 5, 6], out_channels: 2, kernel_size: 3, padding: 1}\n"
    "  - {name: dilated, input: [1, 2, 12], out_channels: 3, kernel_size: 3, dilation: 2, padding: 2}\n"
    "  - {name: holed, input: [1, 2, 12], out_channels: 3, kernel_size: 5, padding: 2}\n"
    "  - {name: dense, input: [1, 2, 13], out_channels: 3, kernel_size: 3, padding: 1}\n"
    "  - {name: sampled, input: [1, 2, 13], out_channels: 3, kernel_size: 3, padding: 1, stride: 3}\n";

enum { MOST = 4096, MOST_ISAS = 16 };

/* Every layer of the spec, compiled for every target that runs here. */
static struct job job;
static const struct kernel *kernels[MOST_ISAS]; /* of each ISA: one for each layer; NULL where it doesn't run */

/* ---- calling kernels ------------------------------------------------------------------------------------------------- */

static const struct kernel *build(size_t isa) {
  struct kernel_source *sources = mem_array(job.spec.count, sizeof *sources);
  struct text message = {0};
  for (size_t i = 0; i < job.spec.count; i++) {
    const struct plan **plan = mem_new(sizeof(struct plan *));
    *plan = job_plan(&job, &job.spec.layers[i], &job.isas.items[isa]);
    if (!*plan) return NULL;
    sources[i] = (struct kernel_source){&job.spec.layers[i], plan, 1, ""};
  }
  const struct kernel *built = kernel_build(&job, sources, job.spec.count, job.isas.items[isa].name, &message);
  if (!built) fprintf(stderr, "%s\n", message.data);
  text_free(&message);
  return built;
}

static int build_all(void **state) {
  (void)state;
  scratch_begin("properties");
  const struct command_options options = {
      .program = "convsmith", .command = "verify", .spec = scratch_write("layers.yaml", layers), .prefix = "", .plans = "chosen"};
  static struct command_options kept;
  kept = options;
  if (!job_open(&job, &kept) || job.isas.count > MOST_ISAS) return -1;
  for (size_t i = 0; i < job.isas.count; i++)
    if (job.isas.items[i].runs_here && !(kernels[i] = build(i))) return -1;
  return 0;
}

static int close_all(void **state) {
  (void)state;
  job_close(&job, 0);
  mem_release(0);
  return 0;
}

static size_t find(const char *name) {
  for (size_t i = 0; i < job.spec.count; i++)
    if (!strcmp(job.spec.layers[i].name, name)) return i;
  fail_msg("no layer %s", name);
  return 0;
}

/* The tensor's elements in the kernel's type and layout. */
static void *in_memory(const struct tensor *tensor, const double *values) {
  const size_t count = tensor_count(tensor), size = cs_size(tensor->dtype);
  void *logical = mem_array(count, size), *memory = mem_array(count, size);
  for (size_t i = 0; i < count; i++) cs_put(logical, i, tensor->dtype, values[i]);
  if (tensor->role == TENSOR_PARAMETER) return logical;
  cs_to_layout(logical, memory, tensor->shape, tensor->rank, tensor->dtype, tensor->layout);
  return memory;
}

/* y = x * w by a layer without other tensors, all in logical order. Returns the number of outputs. */
static size_t convolve(size_t isa, const char *name, const double *x, const double *w, double *y) {
  const size_t number = find(name), mark = mem_mark();
  const struct layer *layer = &job.spec.layers[number];
  const struct kernel *kernel = &kernels[isa][number];
  struct tensor tensors[MAX_TENSORS];
  assert_int_equal(layer->op->tensors(layer, tensors), 3); /* input, weights, output */
  const struct tensor *output = &tensors[2];
  const size_t count = tensor_count(output), size = cs_size(output->dtype);
  const void *inputs[] = {in_memory(&tensors[0], x)}, *parameters[] = {in_memory(&tensors[1], w)};
  void *packed = mem_new(kernel->packed_bytes), *memory = mem_array(count, size), *logical = mem_array(count, size);
  kernel->pack(parameters, packed);
  kernel->whole(inputs, packed, memory, mem_new(kernel->workspace_bytes));
  cs_from_layout(memory, logical, output->shape, output->rank, output->dtype, output->layout);
  assert_in_range(count, 1, MOST);
  for (size_t i = 0; i < count; i++) y[i] = cs_get(logical, i, output->dtype);
  mem_release(mark);
  return count;
}

/* ---- data and checks ------------------------------------------------------------------------------------------------- */

static double x[MOST], w[MOST], y[MOST], z[MOST];

/* Whole numbers from -5 to 5. */
static void fill(double *values, uint64_t seed) {
  cs_fill(values, MOST, CS_F64, CS_FILL_INTEGERS, 5, seed);
}

static void assert_same(size_t isa, const double *got, const double *expected, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (got[i] != expected[i]) fail_msg("%s: output %zu is %g, not %g", job.isas.items[isa].name, i, got[i], expected[i]);
}

/* Calls the property that *state points at for every target that runs here. */
typedef void property(size_t isa);
static void on_every_target(void **state) {
  size_t targets = 0;
  for (size_t i = 0; i < job.isas.count; i++) {
    if (!kernels[i]) continue;
    fill(x, 1);
    fill(w, 2);
    (**(property **)*state)(i);
    targets++;
  }
  assert_in_range(targets, 1, MOST_ISAS);
}

/* Both layers give the same for the same x and w. */
static void assert_agree(size_t isa, const char *one, const char *other) {
  const size_t count = convolve(isa, one, x, w, y);
  assert_int_equal(convolve(isa, other, x, w, z), count);
  assert_same(isa, y, z, count);
}

/* ---- properties ------------------------------------------------------------------------------------------------------ */

static void worked_example(size_t isa) {
  static const double rows[] = {4, 5, 8, 7, 1, 8, 8, 8, 3, 6, 6, 4, 6, 5, 7, 8}, kernel[] = {1, 4, 1, 1, 4, 3, 3, 3, 1};
  static const double expected[] = {122, 148, 126, 134};
  assert_int_equal(convolve(isa, "worked", rows, kernel, y), 4);
  assert_same(isa, y, expected, 4);
}

/* A one at row 1, column 2: a true convolution puts the kernel there, a correlation the reversed kernel. */
static void impulse(size_t isa) {
  double expected[2][7 * 9] = {{0}};
  memset(x, 0, sizeof x);
  x[1 * 6 + 2] = 1;
  for (int i = 0; i < 3; i++)
    for (int j = 0; j < 4; j++) {
      expected[0][(1 + i) * 9 + 2 + j] = w[i * 4 + j];
      expected[1][(1 + 2 - i) * 9 + 2 + 3 - j] = w[i * 4 + j];
    }
  assert_int_equal(convolve(isa, "flipped", x, w, y), 7 * 9);
  assert_same(isa, y, expected[0], 7 * 9);
  assert_int_equal(convolve(isa, "unflipped", x, w, y), 7 * 9);
  assert_same(isa, y, expected[1], 7 * 9);
}

/* Sums over cubes of two: element (d, h, w) is 9d + 3h + w, the mean of a cube is that of its corners. */
static void cubes(size_t isa) {
  double expected[8];
  for (int i = 0; i < 27; i++) x[i] = i;
  for (int i = 0; i < 8; i++) w[i] = 1, expected[i] = 8 * (9 * (i / 4) + 3 * (i / 2 % 2) + i % 2) + 4 * (9 + 3 + 1);
  assert_int_equal(convolve(isa, "cube", x, w, y), 8);
  assert_same(isa, y, expected, 8);
}

static void linear(size_t isa) {
  static double other[MOST], sum[MOST];
  fill(other, 3);
  for (size_t i = 0; i < MOST; i++) sum[i] = 2 * x[i] - 3 * other[i];
  const size_t count = convolve(isa, "many", x, w, y);
  convolve(isa, "many", other, w, z);
  for (size_t i = 0; i < count; i++) y[i] = 2 * y[i] - 3 * z[i];
  convolve(isa, "many", sum, w, z);
  assert_same(isa, z, y, count);
}

/* values[..., h, w] moved down by one and right by three on a torus of 6 x 11. */
static void turn(const double *values, double *turned, int planes) {
  for (int p = 0; p < planes; p++)
    for (int i = 0; i < 6; i++)
      for (int j = 0; j < 11; j++) turned[(p * 6 + (i + 1) % 6) * 11 + (j + 3) % 11] = values[(p * 6 + i) * 11 + j];
}

static void shifts(size_t isa) {
  static double turned[MOST], expected[MOST];
  turn(x, turned, 3);
  const size_t count = convolve(isa, "ring", x, w, y);
  assert_int_equal(count, 4 * 6 * 11);
  turn(y, expected, 4);
  convolve(isa, "ring", turned, w, z);
  assert_same(isa, z, expected, count);
}

static void commutes(size_t isa) {
  assert_int_equal(convolve(isa, "x_by_k", x, w, y), 12);
  assert_int_equal(convolve(isa, "k_by_x", w, x, z), 12);
  assert_same(isa, y, z, 12);
  assert_int_equal(convolve(isa, "x_by_k_2d", x, w, y), 6 * 9);
  assert_int_equal(convolve(isa, "k_by_x_2d", w, x, z), 6 * 9);
  assert_same(isa, y, z, 6 * 9);
}

static void same_is_its_pads(size_t isa) {
  assert_agree(isa, "same", "same_pads");
  assert_agree(isa, "lower", "lower_pads");
}

static void dimensions_of_one(size_t isa) {
  assert_agree(isa, "line", "flat");
  assert_agree(isa, "line", "deep");
}

static void layouts_and_types(size_t isa) {
  assert_agree(isa, "many", "many_nchw");
  assert_agree(isa, "many", "many_mixed");
  assert_agree(isa, "many", "many_f64");
}

static void flip_reverses_the_kernel(size_t isa) {
  const size_t count = convolve(isa, "many", x, w, y);
  double reversed[7 * 5 * 9];
  for (int i = 0; i < 7 * 5; i++)
    for (int k = 0; k < 9; k++) reversed[i * 9 + k] = w[i * 9 + 8 - k];
  convolve(isa, "many_flip", x, reversed, z);
  assert_same(isa, y, z, count);
}

/* A layer of `groups` groups is as many layers of one; `in` and `weights` count the elements of one group. */
static void assert_groups(size_t isa, const char *grouped, const char *single, size_t groups, size_t in, size_t weights) {
  const size_t count = convolve(isa, grouped, x, w, y), share = count / groups;
  for (size_t g = 0; g < groups; g++) {
    assert_int_equal(convolve(isa, single, x + g * in, w + g * weights, z), share);
    assert_same(isa, y + g * share, z, share);
  }
}

static void groups_are_layers(size_t isa) {
  assert_groups(isa, "grouped", "one_group", 2, 3 * 5 * 6, 2 * 3 * 9);
  assert_groups(isa, "depthwise", "one_channel", 3, 5 * 6, 2 * 9);
}

static void dilation_is_a_kernel_with_holes(size_t isa) {
  double holed[3 * 2 * 5] = {0};
  for (int i = 0; i < 3 * 2; i++)
    for (int k = 0; k < 3; k++) holed[i * 5 + 2 * k] = w[i * 3 + k];
  const size_t count = convolve(isa, "dilated", x, w, y);
  assert_int_equal(convolve(isa, "holed", x, holed, z), count);
  assert_same(isa, y, z, count);
}

static void stride_takes_every_third(size_t isa) {
  double expected[3 * 5];
  assert_int_equal(convolve(isa, "dense", x, w, y), 3 * 13);
  for (int i = 0; i < 3 * 5; i++) expected[i] = y[i / 5 * 13 + i % 5 * 3];
  assert_int_equal(convolve(isa, "sampled", x, w, z), 3 * 5);
  assert_same(isa, z, expected, 3 * 5);
}

static struct {
  const char *name;
  property *holds;
} properties[] = {
    {"worked example", worked_example},
    {"an impulse gives the kernel, flipped or not", impulse},
    {"sums over cubes", cubes},
    {"linear", linear},
    {"a shifted input shifts the output", shifts},
    {"x * k = k * x", commutes},
    {"`same` is its pads", same_is_its_pads},
    {"dimensions of one change nothing", dimensions_of_one},
    {"layouts and types agree", layouts_and_types},
    {"flip reverses the kernel", flip_reverses_the_kernel},
    {"groups are layers by themselves", groups_are_layers},
    {"dilation is a kernel with holes", dilation_is_a_kernel_with_holes},
    {"stride takes every third output", stride_takes_every_third},
};

int main(void) {
  enum { COUNT = sizeof properties / sizeof properties[0] };
  struct CMUnitTest tests[COUNT];
  for (size_t i = 0; i < COUNT; i++)
    tests[i] = (struct CMUnitTest){properties[i].name, on_every_target, NULL, NULL, &properties[i].holds};
  return cmocka_run_group_tests_name("properties", tests, build_all, close_all);
}
